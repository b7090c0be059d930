"""The search that writes each keyword once, and the counts that help it."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch

from course.content.generation.experiments import model, ordering, pairs
from course.content.generation.experiments import training as recipe
from course.content.generation.experiments.ordering import Counts
from encoder_core.generation.decoding import shift_right


@pytest.fixture
def untrained() -> Any:
    torch.manual_seed(0)
    return model.build(d_model=16, nhead=2, dim_feedforward=16, vectors=False).eval()


def test_the_probabilities_of_counts_sum_to_1() -> None:
    counts = Counts([[5, 6, 7, 3], [5, 6, 8, 3], [6, 7, 3]], size=10)
    for before in ((2, 2, 5, 6), (2, 2, 2, 2), (9, 9, 9, 9), (5, 6, 7, 3)):
        total = sum(counts.probability((*before, piece)) for piece in range(10))
        assert total == pytest.approx(1.0)
    # One place: 3 three times, 6 three times, 5 and 7 twice, 8 once; five kinds in 11 places.
    assert counts.probability((5,)) == pytest.approx((2 - 0.75) / 11 + 0.75 * 5 / 11 / 10)


def test_each_piece_of_the_keywords_is_written_once(untrained: Any) -> None:
    rows = [pairs.encode(pair.keywords) for pair in pairs.pairs("validation")[:6]]
    free = set(
        ordering.free_pieces()
    )  # "in" may be a word of its own and the beginning of a keyword
    for row, ids in zip(rows, ordering._search(untrained, rows, None, 4), strict=True):
        wanted = sorted(piece for piece in row[:-1] if piece not in free)
        assert wanted == sorted(piece for piece in ids if piece not in free)


def test_free_pieces_are_those_that_keywords_leave_out() -> None:
    tokens = [pairs.words([piece])[0] for piece in ordering.free_pieces()]
    assert {"the", "of", ".", "_"} <= set(tokens)
    assert pairs.keywords_of(tokens) == ()
    assert not {pairs.PAD, pairs.BOS, pairs.EOS} & set(ordering.free_pieces())


def test_a_wide_search_finds_the_likeliest_order(
    untrained: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ordering, "FREE_RUN", 0)  # keywords alone
    keywords = ("copy", "list", "return", "string")
    source = pairs.batch([pairs.encode(keywords)])
    orders = list(itertools.permutations(keywords))
    target = pairs.batch([pairs.encode(order) for order in orders])
    with torch.no_grad():
        logits = untrained(source.expand(len(orders), -1), shift_right(target, pairs.BOS))
    log_p = (logits - recipe.small_words().log()).log_softmax(dim=-1)
    scores = log_p.gather(2, target[..., None]).sum(dim=(1, 2))
    best = orders[int(scores.argmax())]
    assert ordering.write(untrained, [keywords], beam=24) == [list(best)]


def test_counts_that_weigh_enough_decide(untrained: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ordering, "SHARE", 1000.0)
    sentence = ["return", "a", "copy", "of", "the", "list", "."]
    counts = Counts([pairs.encode(sentence)], untrained.embedding.weight.shape[0])
    assert ordering.write(untrained, [("list", "return", "copy")], counts, beam=50) == [sentence]
