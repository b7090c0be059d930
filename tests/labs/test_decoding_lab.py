"""The decoding lab: what it draws from, searches, writes on, tells, and refuses."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from torch import Tensor

from course import labs
from course.labs.decoding.compute import (
    BY_TOP_K,
    BY_TOP_P,
    DEEPEST,
    KEPT,
    Reader,
    Settings,
)
from course.labs.decoding.widget import ENDS, DecodingLab
from course.system.outputs import with_page
from encoder_core.generation.decoding import beam_search, greedy_decode, nucleus_probabilities
from encoder_core.models.encoder_decoder import EncoderDecoder
from encoder_core.text.tokenizer import WordPiece
from tests.labs.front import Front
from tests.typed import TYPED, fits_a_notebook

SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = [*SPECIALS, "return", "a", "list", "of", "tuples", "the", "file", "##s", "an"]
BOS, EOS = WORDS.index("[CLS]"), WORDS.index("[SEP]")
SILENT = [WORDS.index(name) for name in SPECIALS if name != "[SEP]"]
TEXT = "list tuples"


def tokenizer() -> WordPiece:
    return WordPiece({word: i for i, word in enumerate(WORDS)})


def model(seed: int) -> EncoderDecoder:
    """A model that has learned nothing, but is sure of it: its logits differ by more than 1."""
    torch.manual_seed(seed)
    made = EncoderDecoder(len(WORDS), 8, 2, positions="relative").eval()
    with torch.no_grad():
        made.embedding.weight.mul_(3)
    return made


def next_logits(net: EncoderDecoder, source: tuple[int, ...]) -> Callable[[list[int]], Tensor]:
    """The same distribution by the whole forward pass, without a cache."""

    def after(ids: list[int]) -> Tensor:
        with torch.no_grad():
            logits: Tensor = net(torch.tensor([source]), torch.tensor([ids]))[0, -1]
        logits[SILENT] = -torch.inf
        return logits

    return after


@pytest.mark.parametrize("seed", range(3))
def test_the_lab_searches_and_draws_as_encoder_core_does(seed: int) -> None:
    net = model(seed)
    reader = Reader(net, tokenizer())
    source = reader.source(TEXT)
    after = next_logits(net, source)
    for beam, penalty in ((1, 0.0), (3, 0.6), (4, 2.0)):
        asked = Settings(TEXT, beam=beam, length_penalty=penalty)
        tree = reader.read(asked).tree
        found = [token for token in tree.tokens(tree.best) if token != EOS]
        assert found == beam_search(after, BOS, EOS, beam, DEEPEST, penalty)
        assert max(node.rank for node in tree.nodes) < beam
    result = reader.read(Settings(TEXT, begun="return the files", temperature=0.7, top_p=0.8))
    assert [WORDS[i] for i in result.begun] == ["return", "the", "file", "##s"]
    greedy = greedy_decode(lambda ids: after([BOS, *result.begun, *ids[1:]]), BOS, EOS, DEEPEST)
    assert [token for token in result.greedy if token != EOS] == greedy
    logits = after([BOS, *result.begun])
    expected = nucleus_probabilities(logits, 0.8, 0.7)
    # float32 through a cache and without one: 8 terms a sum, two layers.
    np.testing.assert_allclose(result.drawn, expected.numpy(), rtol=1e-4, atol=1e-5)
    assert (result.cut == BY_TOP_P).sum() == (expected == 0).sum()
    given = [float(after([BOS, *result.begun[:i]]).softmax(0)[result.begun[i]]) for i in range(4)]
    np.testing.assert_allclose(result.given, given, rtol=1e-4, atol=1e-5)
    both = reader.read(Settings(TEXT, top_k=4, top_p=0.6))
    assert (both.cut == BY_TOP_K).sum() == len(WORDS) - 4
    assert both.kept == 4 - (both.cut == BY_TOP_P).sum() >= 1
    assert both.drawn[both.cut != KEPT].sum() == 0
    assert both.drawn.sum() == pytest.approx(1, abs=1e-5)


@pytest.fixture
def lab() -> DecodingLab:
    return labs.DecodingLab(model(0), tokenizer(), examples=(TEXT, "files"))


def test_a_token_is_taken_by_a_row_a_key_the_tree_or_the_dice(lab: DecodingLab) -> None:
    front = Front(lab).ready()
    rows = front.panels["next"]["row_labels"]
    word = next(i for i, row in enumerate(rows) if not row.startswith(("##", "[")))
    front.move(take=word)
    assert front.last["values"]["begun"] == rows[word]
    assert front.panels["sentence"]["pieces"] == ["[CLS]", rows[word]]
    front.move(candidate=1)
    second = front.panels["next"]["row_labels"][1].removesuffix(" (the end)")
    front.move(take=True)  # the button takes the chosen row
    begun = front.last["values"]["begun"]
    assert begun.endswith(second.removeprefix("##")) or second == "[SEP]"
    tree = lab.shown().tree
    node = next(i for i, each in enumerate(tree.nodes) if each.step == 2)
    path = [WORDS[token] for token in tree.tokens(node) if token != EOS]
    before = len(lab.shown().begun)
    front.move(node=node)
    assert front.panels["tree"]["chosen"] == [1, node]
    front.move(follow=True)
    assert [WORDS[i] for i in lab.shown().begun[before:]] == path
    front.move(back=True)
    assert len(lab.shown().begun) == before + len(path) - 1
    front.move(restart=True)
    front.move(top_k=1)
    likeliest = front.panels["next"]["row_labels"][0]
    front.move(draw=True)
    assert front.last["values"]["begun"] == likeliest.removeprefix("##")


def test_what_is_cut_is_grey_and_told(lab: DecodingLab) -> None:
    front = Front(lab).ready()
    assert front.panels["next"]["greyed"] == []
    front.move(top_k=3)
    table = front.panels["next"]
    assert table["greyed"] == list(range(3, len(table["row_labels"])))
    assert all(row.endswith("cut by top-k") for row in table["row_labels"][3:])
    numbers = np.frombuffer(front.data["next"]["numbers"], "<f4").reshape(-1, 2)
    np.testing.assert_allclose(numbers.sum(axis=0), [1, 1], atol=1e-4)
    assert not numbers[3:-1, 1].any()
    assert "With top-k 3, 3 tokens can be drawn" in front.last["summary"]
    calls = front.lab.reader._forward.cache_info().misses
    front.move(temperature=0.5, top_p=0.9)
    assert front.lab.reader._forward.cache_info().misses == calls


def test_the_end_is_told_and_takes_nothing(lab: DecodingLab) -> None:
    front = Front(lab).ready()
    rows = front.panels["next"]["row_labels"]
    end = next(i for i, row in enumerate(rows) if row.endswith("(the end)"))
    assert front.move(take=end)["notice"] == ENDS
    assert front.last["values"]["begun"] == ""
    assert front.move(temperature=0.5)["notice"] == ""


def test_what_is_invalid_is_told(lab: DecodingLab) -> None:
    front = Front(lab).ready()
    assert front.move(text=" ")["notice"].startswith(
        "There is no word in the text yet. Type keywords."
    )
    assert "Keywords may have at most 200" in front.move(text="a " * 200)["notice"]
    assert "at most 200" in front.move(text=TEXT, begun="a " * 200)["notice"]
    assert "from 0.05 to 5" in front.move(begun="", temperature=0)["notice"]
    assert "from 1 to 6" in front.move(temperature=1.0, beam=9)["notice"]
    assert front.move(beam=2, take=99)["notice"] == ""
    with pytest.raises(ValueError, match="top-p"):
        labs.DecodingLab(model(0), tokenizer(), top_p=2.0)


def test_what_is_not_read_of_the_texts_is_told(lab: DecodingLab) -> None:
    front = Front(lab).ready()
    assert front.last["notice"] == ""
    assert "Of the keywords, 32 of 40 pieces are read." in front.move(text="a " * 40)["notice"]
    assert len(lab.reader.source("a " * 40)) == 33  # and the end
    assert "A word of the keywords is read as [UNK]" in front.move(text="list 龘")["notice"]
    notice = front.move(text=TEXT, begun="a " * 33)["notice"]
    assert notice == "Of the sentence, 32 of 33 pieces are read."
    assert notice in lab.still()["text/plain"]


def test_a_sentence_that_is_cut_ends_in_an_ellipsis(lab: DecodingLab) -> None:
    with torch.no_grad():
        lab.reader.model.embedding.weight[EOS] = (
            0.0  # not the likeliest, and seldom among the first
        )
    front = Front(lab).ready()
    told = front.move(begun="the", beam=1)["summary"]  # what is read anew
    tree = lab.shown().tree
    assert tree.nodes[tree.best].cut
    assert len(tree.tokens(tree.best)) == DEEPEST
    assert "…” (log p" in told
    assert "it is cut 10 tokens ahead" in told
    assert front.panels["tree"]["series"][1]["labels"][tree.best].endswith(" …")


def test_the_caption_tells_how_many_tokens_are_really_drawn(lab: DecodingLab) -> None:
    front = Front(lab).ready()
    front.move(temperature=0.1)
    drawn = np.sort(lab.shown().drawn)[::-1].cumsum()
    enough = int(np.searchsorted(drawn, 0.99)) + 1
    assert lab.shown().likely == enough < lab.shown().kept
    assert front.panels["next"]["caption"].endswith(
        f"can be drawn, {enough} of them in 99% of all draws"
    )
    front.move(top_k=1)
    assert front.panels["next"]["caption"].endswith("1 of 14 can be drawn")


@settings(max_examples=25)
@given(text=TYPED, begun=TYPED)
def test_what_is_typed_gives_a_valid_picture(text: str, begun: str) -> None:
    front = Front(TYPED_LAB).ready()
    fits_a_notebook(front.move(text=f"a {text}"[:200], begun=begun[:200])["summary"])
    still = TYPED_LAB.still()
    ElementTree.fromstring(still["image/svg+xml"])
    for page in with_page(still).values():
        fits_a_notebook(page)


TYPED_LAB = DecodingLab(model(1), tokenizer(), examples=(TEXT,))


def test_tasks_are_reached_by_what_they_ask_for(lab: DecodingLab) -> None:
    front = Front(lab).ready()

    def reached() -> set[str]:
        return {each["id"] for each in front.challenges if "why" in each}

    assert "one-left" not in reached()
    with torch.no_grad():
        lab.reader.model.embedding.weight.mul_(100)  # so sure that one token is the nucleus
    lab.reader._forward.cache_clear()
    lab.reader._nodes.cache_clear()
    front.move(begun="a", top_p=0.95, temperature=2.0)
    assert "one-left" not in reached()
    front.move(temperature=1.0)
    assert "one-left" in reached()
    assert "many-left" not in reached()
