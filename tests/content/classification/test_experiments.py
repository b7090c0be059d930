"""What chapter 06 measures with: the shipped vectors, heads, words left out or blanked."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from course import datasets
from course.content.classification.experiments import calibration, heads, looks, vectors, words
from encoder_core import record, sentence_embedding
from encoder_core.models.classification import SequenceClassifier
from encoder_core.models.text_encoder import TextEncoder


def test_the_shipped_vectors_are_minilms() -> None:
    """Those of the data set as it is: no fall-back, no other texts, no other order."""
    assert vectors._read(vectors.FILE, vectors._digest(vectors._texts())) is not None
    some = datasets.load("docstring-families").test[::200]
    computed = sentence_embedding([example.text for example in some], max_length=128)
    cosines = (computed * vectors.of(some)).sum(dim=-1)
    # 384 numbers, each rounded to 1/254 of the largest at most: below 1e-4 of the cosine.
    assert cosines.min() > 0.9999


def test_both_splits_have_vectors() -> None:
    at_random = datasets.load("docstring-families", split="random")
    assert vectors.of(at_random.test).shape == (len(at_random.test), 384)


def test_other_texts_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "vectors.safetensors"
    vectors._write(path, torch.eye(3), "one")
    assert torch.equal(vectors._read(path, "one"), torch.eye(3))
    assert vectors._read(path, "other") is None
    path.write_bytes(b"damaged")
    assert vectors._read(path, "one") is None


def test_a_head_learns_what_can_be_separated() -> None:
    x = torch.eye(4).repeat(5, 1)
    labels = torch.arange(4).repeat(5)
    head = heads.train(x, labels, steps=200)
    assert torch.equal(head(x).argmax(dim=-1), labels)


def test_accuracy_in_bins() -> None:
    p = torch.tensor([[0.55, 0.45], [0.4, 0.6], [0.95, 0.05], [0.0, 1.0]])
    accuracy, count = calibration.accuracy_in_bins(p, torch.tensor([0, 0, 0, 1]), 10)
    assert count.tolist() == [0, 0, 0, 0, 0, 2, 0, 0, 0, 2]
    assert accuracy[5] == 0.5
    assert accuracy[9] == 1.0
    assert accuracy[0].isnan()


def test_a_logit_lost_is_the_difference_to_the_text_without_the_word() -> None:
    torch.manual_seed(0)
    head = nn.Linear(384, 3)
    lost = words.lost_without("open the file", head, 2)
    with torch.no_grad():
        whole, without = head(sentence_embedding(["open the file", "open file"]))[:, 2]
    torch.testing.assert_close(lost[1], whole - without, rtol=1e-4, atol=1e-5)


def test_the_attention_received_is_of_each_word_and_no_more_than_all() -> None:
    text = "keep its permissions. Please"
    received = words.attention_received(text)
    assert received.shape == (4,)
    assert (received > 0).all()
    assert received.sum() < 1
    whole = words.attention_received("permissions. keep")
    assert whole[0] > whole[1]  # four tokens against one


@pytest.mark.parametrize(("other", "expected"), [([1.0, 5, 9], 1.0), ([9.0, 5, 1], -1.0)])
def test_rank_correlation(other: list[float], expected: float) -> None:
    found = words.rank_correlation(torch.tensor([1.0, 2, 3]), torch.tensor(other))
    assert found == pytest.approx(expected)


def test_a_blank_changes_the_logit_by_what_the_model_says_of_the_blanked_text() -> None:
    tokenizer = datasets.tokenizer()
    torch.manual_seed(0)
    encoder = TextEncoder(len(tokenizer.vocabulary), 16, 2, 2, 24, padding_idx=0)
    model = SequenceClassifier(encoder, 16, classes=3).eval()
    text = "Copy  permissions to\nthe file."
    changes, received = looks.of_words(model, tokenizer, text)
    encoding = tokenizer.encode("Copy permissions to the file.")
    assert len(changes) == len(received) == 5
    pieces = [i for i, (start, end) in enumerate(encoding.offsets) if 5 <= start < 16]
    assert len(pieces) > 1  # "permissions" is several pieces, blanked together
    ids = torch.tensor([encoding.ids])
    blanked = ids.clone()
    blanked[0, pieces] = tokenizer.vocabulary["[MASK]"]
    with torch.no_grad():
        other = model(blanked)[0]
        with record(model) as recording:
            intact = model(ids)[0]
    label = intact.argmax()
    torch.testing.assert_close(changes[1], other[label] - intact[label])
    weights = torch.stack([layer[0] for layer in recording.attention]).mean(dim=(0, 1, 2))
    torch.testing.assert_close(received[1], weights[pieces].sum())
    assert 0.5 < received.sum() < 1  # the rest is on [CLS] and [SEP]


def test_agreement_counts_the_texts_whose_first_words_are_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = {
        "one two three": ([0.1, -0.9, 0.2], [0.2, 0.5, 0.1]),  # attention has it
        "longest of": ([0.8, 0.1], [0.1, 0.4]),  # the longest word is it
        "a b c d": ([0.1, 0.2, 0.3, -0.4], [0.4, 0.3, 0.2, 0.1]),  # neither
    }
    monkeypatch.setattr(
        looks, "of_words", lambda _, __, text: tuple(map(torch.tensor, found[text]))
    )
    agreement = looks.compare(nn.Identity(), datasets.tokenizer(), found)
    assert (agreement.texts, agreement.by_attention, agreement.by_length) == (3, 1, 1)
    assert agreement.against == 2  # "of" and "a" speak for other classes
    assert agreement.by_chance == pytest.approx(1 / 3 + 1 / 2 + 1 / 4)
