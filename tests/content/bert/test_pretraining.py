"""The training of chapter 05 as it is described: its parts, its key, its model, its answers."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from course.content import exercises
from course.content.bert import pretraining
from course.content.bert.experiments import text
from course.content.bert.pretraining import BLANKS, masked_words
from course.datasets import tokenizer
from course.labs import with_standard_layers
from encoder_core.multihead import MultiheadAttention

Layer = exercises.get("stacking.EncoderLayer").model()


class BooleanLayer(nn.TransformerEncoderLayer):
    """A layer that takes only masks of booleans, as some right answers to chapter 04 do."""

    def __init__(
        self, d_model: int, nhead: int, dim: int, dropout: float = 0.1, **more: Any
    ) -> None:
        super().__init__(d_model, nhead, dim, dropout, batch_first=True, **more)

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        mask = None if src_mask is None else ~(~src_mask)  # ~ raises for numbers
        return super().forward(src, mask, src_key_padding_mask)


def small(training: Any) -> Any:
    return training.settings.changed(d_model=16, dim_feedforward=16, nhead=2, steps=4, warmup=1)


def test_a_model_of_the_learners_layers_has_a_twin_that_computes_the_same() -> None:
    training = masked_words(layer=Layer)
    model = training.fresh_model(training.settings).eval()
    assert not any(isinstance(module, MultiheadAttention) for module in model.modules())
    twin = with_standard_layers(model)
    ids = torch.randint(5, 2000, (3, 17), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        # Both add the same products, in another order at most: 64 terms of float32 a layer.
        torch.testing.assert_close(twin(ids), model(ids), rtol=1e-4, atol=1e-4)
    assert with_standard_layers(twin) is twin
    picture = training.head(model)  # type: ignore[misc]
    assert picture.weights.shape == (2, 4, len(picture.tokens), len(picture.tokens))
    assert picture.tokens[3] == "[MASK]"


def test_a_layer_that_takes_no_mask_of_numbers_gets_sines() -> None:
    assert masked_words().settings.positions == "relative"
    assert masked_words(layer=Layer).settings.positions == "relative"
    training = masked_words(layer=BooleanLayer)
    assert training.settings.positions == "sinusoidal"
    assert training.fresh_model(small(training))(torch.tensor([[2, 7, 3]])).shape == (1, 3, 2000)


def test_the_key_follows_the_code_of_the_parts_and_nothing_else() -> None:
    source = exercises.get("bert.masked_lm_loss").model_source
    one, same, other = (
        _function(each) for each in (source, f"# note\n{source}", source + "\nx = 1")
    )
    keys = [masked_words(masked_lm_loss=loss).key for loss in (one, same, other)]
    assert keys[0] == keys[1] != keys[2]
    assert masked_words().key == masked_words().key != keys[0]


def _function(source: str) -> Any:
    names: dict[str, Any] = {"torch": torch, "Tensor": Tensor}
    exec(source, names)
    function = names["masked_lm_loss"]
    function.__course_source__ = source
    return function


def test_parts_say_whose_they_are() -> None:
    def mine(logits: Tensor, labels: Tensor) -> Tensor:
        return logits.sum()

    def stand_in(logits: Tensor, labels: Tensor) -> Tensor:
        return logits.sum()

    stand_in.__course_reference__ = True  # type: ignore[attr-defined]
    assert masked_words(masked_lm_loss=mine).parts == {"masked_lm_loss": "yours"}
    assert masked_words(masked_lm_loss=stand_in).parts == {"masked_lm_loss": "the reference's"}


def test_the_learners_loss_gets_the_hidden_pieces_and_their_logits() -> None:
    seen: list[tuple[tuple[int, ...], tuple[int, ...]]] = []

    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        seen.append((tuple(logits.shape), tuple(labels.shape)))
        assert not bool((labels == -100).any())
        return logits.mean()

    training = masked_words(masked_lm_loss=loss)
    rows = text.rows()[:4]
    labels = torch.full_like(rows, -100)
    labels[0, 3] = rows[0, 3]
    labels[2, 5] = rows[2, 5]
    training.loss(training.fresh_model(small(training)), text.Rows(rows, labels))
    assert seen == [((1, 2, 2000), (1, 2))]


@pytest.mark.parametrize("sentence", BLANKS, ids=lambda pair: pair[1])
def test_each_sentence_has_one_blank_and_its_answer_is_one_piece(sentence: tuple[str, str]) -> None:
    prompt, right = sentence
    words = tokenizer()
    ids = words.encode(prompt).ids
    assert ids.count(words.vocabulary["[MASK]"]) == 1
    assert words.vocabulary["[UNK]"] not in ids
    assert right in words.vocabulary


def test_answers_are_the_likeliest_pieces_with_their_probabilities() -> None:
    training = masked_words()
    model = training.fresh_model(small(training)).eval()
    answers = pretraining.fill_blanks(model)
    assert [answer.right for answer in answers] == [right for _, right in BLANKS]
    for answer in answers:
        chances = [chance for _, chance in answer.guesses]
        assert chances == sorted(chances, reverse=True)
        assert 0 < sum(chances) <= 1
    ids = torch.tensor([tokenizer().encode(BLANKS[0][0]).ids])
    with torch.no_grad():
        logits = model(ids)[0, 3]
    assert answers[0].guesses[0][0] == tokenizer().tokens[int(logits.argmax())]


def test_counts_are_a_baseline_that_says_something() -> None:
    found = pretraining.plain_baselines()
    assert 0.03 < found["the most frequent piece"]["accuracy"] < 0.07
    assert 0.28 < found["counts of two neighbours"]["accuracy"] < 0.36
