"""The word error rate counts the fewest errors, found here by trying every way to edit a text."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from encoder_core import word_error_rate

WORDS = st.lists(st.sampled_from(["a", "b", "c"]), max_size=4)
TEXTS = st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=4)


def fewest_by_trying(written: list[str], spoken: list[str]) -> int:
    """Every way to pair some words of both texts in order: a pair that differs is an error, a word alone too."""
    costs = []
    for count in range(min(len(written), len(spoken)) + 1):
        for ours in itertools.combinations(written, count):
            for theirs in itertools.combinations(spoken, count):
                changed = sum(a != b for a, b in zip(ours, theirs, strict=True))
                costs.append(changed + len(written) + len(spoken) - 2 * count)
    return min(costs)


@given(TEXTS)
@settings(max_examples=200, deadline=None)
@example([([], ["a"]), (["b"], [])])
@example([(["a", "b", "c"], ["b", "c", "a"])])
def test_it_counts_the_fewest_errors(pairs: list[tuple[list[str], list[str]]]) -> None:
    written, spoken = (list(texts) for texts in zip(*pairs, strict=True))
    words = sum(map(len, spoken))
    if not words:
        with pytest.raises(ValueError, match="No word was spoken"):
            word_error_rate(written, spoken)
        return
    errors = sum(fewest_by_trying(*pair) for pair in pairs)
    assert word_error_rate(written, spoken) == errors / words


def test_texts_without_a_partner_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        word_error_rate([["a"]], [["a"], ["b"]])


def test_of_strings_the_characters_are_compared() -> None:
    assert word_error_rate(["kitten"], ["sitting"]) == 3 / 7
