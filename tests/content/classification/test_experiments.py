"""What chapter 06 measures with: the shipped vectors, heads, words left out."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from course import datasets
from course.content.classification.experiments import calibration, heads, vectors, words
from encoder_core import sentence_embedding


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
