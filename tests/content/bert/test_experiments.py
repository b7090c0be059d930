"""The chapter's measurements do what their docstrings say."""

from __future__ import annotations

import pytest
import torch

from course.content.bert import demonstrations as bert

SENTENCES = [["the", "cat", "sat"], ["the", "dog", "sat"], ["a", "cat", "ran"]] * 200


def test_neighbours_count_what_stands_before_and_after() -> None:
    pairs = bert.Neighbours(SENTENCES)
    ids = pairs.encode("The [MASK] sat")
    assert [pairs.words[number] for number in ids] == ["[CLS]", "the", "[UNK]", "sat", "[SEP]"]
    ids[2] = bert.MASK
    both = torch.softmax(pairs.from_both(ids[None])[0, 2, : len(pairs.words)], dim=-1)
    likeliest = {pairs.words[number] for number in both.topk(2).indices}
    assert likeliest == {"cat", "dog"}
    assert both[pairs.words.index("dog")] > both[pairs.words.index("ran")]


def test_the_place_itself_is_not_looked_at() -> None:
    pairs = bert.Neighbours(SENTENCES)
    ids = pairs.encode("the cat sat")[None]
    other = ids.clone()
    other[0, 2] = bert.MASK
    for guess in (pairs.from_left, pairs.from_both):
        torch.testing.assert_close(guess(ids)[0, 2], guess(other)[0, 2])


def test_special_tokens_are_never_likely() -> None:
    pairs = bert.Neighbours(SENTENCES)
    logits = pairs.from_both(pairs.encode("the cat sat")[None])
    chance = torch.softmax(logits, dim=-1)[0, 2, : len(bert.SPECIALS)].sum()
    assert chance < 1e-2


@pytest.mark.parametrize("signal", [0.0, 5.0])
def test_adam_follows_the_sign_of_the_first_gradient(signal: float) -> None:
    moved = bert.adam_steps(signal, steps=30)
    assert moved[0] == pytest.approx(1.0, abs=1e-4)
    assert (moved[-1] > 0.9) == (signal > 1)


def test_shared_words_are_repeatable_and_the_order_is_a_coin() -> None:
    first, again = bert.shared_words(seed=3), bert.shared_words(seed=3)
    assert first == again
    assert first["the pair turned round"] == 0.5
