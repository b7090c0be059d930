"""The surgery table: what its cuts do, what it tells, and what it refuses."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from torch import Tensor, nn

from course import labs
from course.labs.surgery.compute import Settings, Table, rank_correlation
from course.labs.surgery.cuts import NOTHING, Cut, cut_rows, outputs_of
from course.labs.surgery.widget import SurgeryTable
from course.system.outputs import with_page
from encoder_core.inspect.interventions import ablate
from encoder_core.models.text_encoder import TextEncoder
from encoder_core.text.tokenizer import WordPiece
from tests.labs.front import Front
from tests.typed import TYPED, fits_a_notebook

SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = [*SPECIALS, "return", "a", "list", "of", "tuples", "the", "file", "##s", "an"]
TEXT = "return a list of tuples"
LAYERS, HEADS, WIDTH, FORWARD = 2, 4, 16, 24
# Batched and single rows are the same sums in another order: some dozens of float32 terms.
CLOSE = 1e-5


class Words(nn.Module):
    """A small model of words, or of three classes."""

    def __init__(self, classes: int = 0) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.classes = classes
        self.encoder = TextEncoder(len(WORDS), WIDTH, HEADS, LAYERS, FORWARD)
        self.output = nn.Linear(WIDTH, classes or len(WORDS))
        self.eval()

    def forward(self, ids: Tensor) -> Tensor:
        hidden = self.encoder(ids)
        scores: Tensor = 4 * self.output(hidden.mean(dim=1) if self.classes else hidden)
        return scores


@pytest.fixture(scope="module")
def tokenizer() -> WordPiece:
    return WordPiece({word: i for i, word in enumerate(WORDS)})


@pytest.fixture(scope="module")
def model() -> Words:
    return Words()


@pytest.fixture
def lab(model: Words, tokenizer: WordPiece) -> SurgeryTable:
    return labs.SurgeryTable(model, tokenizer, examples=(TEXT, "a file of files"))


def ids_of(text: str) -> Tensor:
    known = {word: i for i, word in enumerate(WORDS)}
    return torch.tensor([WordPiece(known).encode(text).ids])


def layers(model: Words) -> list[Any]:
    return list(model.encoder.encoder.layers)


def note(outputs: list[Tensor], heads: Tensor) -> Tensor:
    outputs.append(heads)
    return heads


def logits(model: nn.Module, ids: Tensor) -> Tensor:
    with torch.no_grad():
        found: Tensor = model(ids)
    return found


def test_a_row_is_cut_as_the_model_alone_would_be(model: Words) -> None:
    ids = ids_of(TEXT)
    heads = [(i, j) for i in range(LAYERS) for j in range(HEADS)]
    cuts = [NOTHING, *(Cut(frozenset({head})) for head in heads)]
    with cut_rows(model, cuts):
        rows = logits(model, ids.repeat(len(cuts), 1))
    assert torch.allclose(rows[0], logits(model, ids)[0], atol=CLOSE)
    for row, head in zip(rows[1:], heads, strict=True):
        with ablate(model, [head]):
            assert torch.allclose(row, logits(model, ids)[0], atol=CLOSE)
        assert not torch.allclose(row, rows[0], atol=1e-3)


def test_a_feed_forward_network_and_a_neuron_are_cut(model: Words) -> None:
    ids = ids_of(TEXT)
    layer = layers(model)[1]
    with cut_rows(model, [Cut(feed_forward=frozenset({1})), Cut(neurons=frozenset({(1, 5)}))]):
        rows = logits(model, ids.repeat(2, 1))
    kept = (
        layer.linear2.weight[:, 5].clone(),
        layer.linear2.weight.clone(),
        layer.linear2.bias.clone(),
    )
    with torch.no_grad():
        layer.linear2.weight[:, 5] = 0
        without_neuron = logits(model, ids)[0]
        layer.linear2.weight.zero_()
        layer.linear2.bias.zero_()
        without_network = logits(model, ids)[0]
        layer.linear2.weight.copy_(kept[1])
        layer.linear2.bias.copy_(kept[2])
    assert torch.allclose(rows[0], without_network, atol=CLOSE)
    assert torch.allclose(rows[1], without_neuron, atol=CLOSE)


def test_all_parts_from_another_sentence_give_its_answer_where_the_inputs_agree(
    model: Words,
) -> None:
    """With every head and network of the other text, only the input's own vectors differ."""
    ids, other = ids_of(TEXT), ids_of("return a list of files")
    everything = Cut(
        frozenset((i, j) for i in range(LAYERS) for j in range(HEADS)), frozenset(range(LAYERS))
    )
    outputs = outputs_of(model, other)
    with cut_rows(model, [everything], "other", outputs):
        patched = logits(model, ids)[0]
    theirs = logits(model, other)[0]
    same = [i for i in range(ids.shape[1]) if other[0, i] == ids[0, i]]
    assert len(same) == 5
    assert torch.allclose(patched[same], theirs[same], atol=CLOSE)
    assert not torch.allclose(logits(model, ids)[0][same], theirs[same], atol=1e-3)


def test_a_part_at_its_mean_says_the_same_at_every_place(model: Words) -> None:
    ids = ids_of(TEXT)
    outputs: list[Tensor] = []
    attention = layers(model)[0].self_attn
    with cut_rows(model, [Cut(frozenset({(0, 2)}))], "mean"):
        attention.changes.append(partial(note, outputs))
        logits(model, ids)
        attention.changes.pop()
    assert torch.equal(outputs[0][0, 2], outputs[0][0, 2, :1].expand_as(outputs[0][0, 2]))
    assert torch.allclose(
        outputs[0][0, 2, 0], outputs_of(model, ids).heads[0][2].mean(dim=0), atol=CLOSE
    )


def test_nothing_stays_in_the_model(model: Words, lab: SurgeryTable) -> None:
    ids = ids_of(TEXT)
    before = logits(model, ids)
    Front(lab).ready().move(off=[[0, 1]], replace="mean")
    assert torch.equal(logits(model, ids), before)
    for layer in layers(model):
        assert layer.self_attn.changes == []
        assert not layer.linear2._forward_pre_hooks
        assert not layer.linear2._forward_hooks


def test_effects_are_differences_of_the_answers_probability(
    model: Words, tokenizer: WordPiece
) -> None:
    effects = Table(model, tokenizer).operate(Settings(TEXT, place=3))
    ids = ids_of(TEXT)
    ids[0, 3] = WORDS.index("[MASK]")
    chances = logits(model, ids)[0, 3].softmax(-1)
    answer = WORDS.index("list")
    assert (effects.answer, effects.place) == ("list", 3)
    assert effects.intact == effects.now == pytest.approx(chances[answer].item(), abs=CLOSE)
    with ablate(model, [(1, 2)]):
        cut = logits(model, ids)[0, 3].softmax(-1)[answer].item()
    assert effects.by_head[1, 2] == pytest.approx(cut - chances[answer].item(), abs=CLOSE)
    assert np.isnan(effects.by_token[[0, 3, 6]]).all()
    ids[0, 4] = WORDS.index("[MASK]")
    blanked = logits(model, ids)[0, 3].softmax(-1)[answer].item()
    assert effects.by_token[4] == pytest.approx(blanked - chances[answer].item(), abs=CLOSE)
    assert effects.attention.sum() == pytest.approx(1, abs=CLOSE)
    sizes = [abs(change) for _, change in effects.by_neuron]
    assert sizes == sorted(sizes, reverse=True)
    assert {neuron for neuron, _ in effects.by_neuron} == set(range(FORWARD))


def test_heads_that_stay_off_are_where_the_changes_start(
    model: Words, tokenizer: WordPiece
) -> None:
    table = Table(model, tokenizer)
    whole = table.operate(Settings(TEXT, place=3))
    effects = table.operate(Settings(TEXT, place=3, off=((0, 1),)))
    assert effects.intact == pytest.approx(whole.intact, abs=CLOSE)
    assert effects.now == pytest.approx(whole.intact + whole.by_head[0, 1], abs=CLOSE)
    assert effects.by_head[0, 1] == pytest.approx(0, abs=CLOSE)


def test_a_classifier_is_asked_for_the_class_it_says(tokenizer: WordPiece) -> None:
    model = Words(classes=3)
    effects = Table(model, tokenizer, ["one", "two", "three"]).operate(Settings(TEXT))
    chances = logits(model, ids_of(TEXT))[0].softmax(-1)
    assert effects.place is None
    assert effects.answer == ["one", "two", "three"][int(chances.argmax())]
    assert effects.now == pytest.approx(chances.max().item(), abs=CLOSE)
    assert np.isfinite(effects.by_token).sum() == 5
    front = Front(labs.SurgeryTable(model, tokenizer, ["one", "two", "three"])).ready()
    tokens = next(p for p in front.last["form"]["panels"] if p["name"] == "tokens")
    assert "chooses" not in tokens


def test_a_mask_in_the_text_asks_for_what_the_model_says(
    model: Words, tokenizer: WordPiece
) -> None:
    effects = Table(model, tokenizer).operate(Settings("a [MASK] of tuples", place=4))
    said = logits(model, ids_of("a [MASK] of tuples"))[0, 2].argmax()
    assert (effects.place, effects.answer) == (2, WORDS[int(said)])


def test_controls_move_the_table(lab: SurgeryTable, model: Words) -> None:
    front = Front(lab).ready()
    runs: list[object] = []
    with model.register_forward_hook(lambda *_: runs.append(None)):
        front.move(text="return the file of tuples")
    assert len(runs) == 2  # once to look, once for all cuts together
    front.move(text=TEXT)
    answer = front.move(layer=1, head=2)
    assert answer["values"]["head_off"] is False
    assert "Without head 2 of layer 1 it changes by" in answer["summary"]
    answer = front.move(head_off=True)
    assert answer["values"]["off"] == [[1, 2]]
    assert "With 1 head off it is" in answer["summary"]
    assert front.move(all_on=True)["values"]["off"] == []
    assert front.move(place=5)["summary"].startswith("The model gives “tuples”")
    assert front.move(example="a file of files")["values"]["text"] == "a file of files"
    front.move(neurons_of=1)
    assert front.panels["neurons"]["caption"].startswith("Layer 1")
    assert front.size < 20_000


def test_what_is_invalid_is_told(lab: SurgeryTable, model: Words, tokenizer: WordPiece) -> None:
    front = Front(lab).ready()
    assert front.move(text=" ")["notice"].startswith("There is no word in the text yet.")
    assert "at most 200" in front.move(text="a " * 101)["notice"]
    assert "must be one of zero, mean, other" in front.move(text=TEXT, replace="one")["notice"]
    assert "There is no head 9" in front.move(replace="zero", off=[[0, 9]])["notice"]
    assert "pairs of layer and head" in front.move(off=["x"])["notice"]
    assert front.move(off=[])["notice"] == ""
    with pytest.raises(ValueError, match="in other layers it can't tell the parts apart"):
        labs.SurgeryTable(nn.Linear(2, 2), tokenizer)
    layer = nn.TransformerEncoderLayer(WIDTH, HEADS, FORWARD, batch_first=True)
    with pytest.raises(ValueError, match="in other layers it can't tell the parts apart"):
        labs.SurgeryTable(nn.TransformerEncoder(layer, 2), tokenizer)


def test_rank_correlation_is_spearmans() -> None:
    first = np.array([0.1, 0.5, 0.5, 2.0, -1.0], np.float32)
    second = np.array([3.0, 1.0, 4.0, 9.0, 0.0], np.float32)
    scipy = pytest.importorskip("scipy.stats")
    expected = scipy.spearmanr(first, second).statistic
    assert rank_correlation(first, second) == pytest.approx(expected, abs=1e-12)
    assert np.isnan(rank_correlation(first, np.ones(5, np.float32)))


@given(text=TYPED)
def test_what_is_typed_gives_a_valid_picture(text: str) -> None:
    made = WordPiece({word: i for i, word in enumerate(WORDS)})
    front = Front(labs.SurgeryTable(Words(), made, text=TEXT)).ready()
    fits_a_notebook(front.move(text=text, replace="other", other=text)["summary"])
    still = front.lab.still()
    ElementTree.fromstring(still["image/svg+xml"])
    for page in with_page(still).values():
        fits_a_notebook(page)


def tuned(scale: float) -> Words:
    """A model whose answer one head carries."""
    model = Words()
    with torch.no_grad():
        model.output.weight.mul_(scale)
    return model


def test_tasks_are_reached_by_what_they_ask_for(tokenizer: WordPiece) -> None:
    lab = labs.SurgeryTable(tuned(3.0), tokenizer, text=TEXT)
    front = Front(lab).ready()
    effects = lab.shown()
    reached: set[str] = set()
    for layer in range(LAYERS):
        for head in range(HEADS):
            front.move(layer=layer, head=head)
            told = {each["id"] for each in front.challenges if "why" in each}
            if "matters" in told - reached:
                assert effects.by_head[layer, head] <= -0.2
            reached = told
    assert ("matters" in reached) == bool((effects.by_head <= -0.2).any())
    assert "half-off" not in reached
