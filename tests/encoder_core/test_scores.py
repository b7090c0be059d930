"""BLEU and chrF equal sacrebleu's, on any texts."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from encoder_core.generation.scores import chrf, corpus_bleu

sacrebleu = pytest.importorskip("sacrebleu")

# Few letters, so that n-grams match; whitespace of several kinds, and none; short and empty texts.
TEXTS = st.lists(st.tuples(*[st.text("ab年,  \t\u3000", max_size=14)] * 2), min_size=1, max_size=5)
TOKENS = st.lists(
    st.tuples(*[st.lists(st.sampled_from(["a", "b", "##c", "."]), max_size=12)] * 2),
    min_size=1,
    max_size=5,
)


@given(TEXTS)
@settings(max_examples=200, deadline=None)
@example([("", "ab"), ("ab年", "")])
@example([("the cat sat", "the cat sat")])
@example([("abababab", "b"), ("a", "abababab")])  # n-grams whose reference has none of that length
def test_chrf_is_sacrebleus(pairs: list[tuple[str, str]]) -> None:
    written, references = (list(texts) for texts in zip(*pairs, strict=True))
    theirs = sacrebleu.CHRF().corpus_score(written, [references]).score / 100
    assert chrf(written, references) == pytest.approx(theirs, abs=1e-12)


@given(TOKENS)
@settings(max_examples=200, deadline=None)
@example([([], ["a"]), (["a"], [])])
@example([(list("aabba"), list("aabba")), (["a", "b"], list("abab"))])  # too short on the whole
@example([(list("abab."), list("abab")), (["b"] * 6, ["b"] * 3)])  # too long; clipped
def test_corpus_bleu_is_sacrebleus_without_smoothing(
    pairs: list[tuple[list[str], list[str]]],
) -> None:
    written, references = (list(texts) for texts in zip(*pairs, strict=True))
    scorer = sacrebleu.BLEU(tokenize="none", smooth_method="none", force=True)
    joined, right = ([" ".join(each) for each in texts] for texts in (written, references))
    theirs = scorer.corpus_score(joined, [right]).score
    assert corpus_bleu(written, references) == pytest.approx(theirs / 100, abs=1e-12)


def test_each_candidate_needs_a_reference() -> None:
    for score in (corpus_bleu, chrf):
        with pytest.raises(ValueError, match="argument 2 is shorter"):
            score(["a", "b"], ["a"])
        assert score(["abcdef"], ["abcdef"]) == 1.0
        assert score([], []) == score([""], ["a"]) == 0.0
