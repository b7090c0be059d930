"""The model solutions' scores are sacrebleu's, and no choice in the toys of beam search is close."""

from __future__ import annotations

import random

import pytest

from course.content import exercises
from course.content.translation.exercises.beam_search import toy
from encoder_core.generation import scores

# Of sacrebleu 2.6.0, CHRF(beta=...) and BLEU(tokenize="none", smooth_method="none"), divided by 100.
CHRF = {1.0: 0.5072126101252683, 2.0: 0.47129862229993663, 3.0: 0.46043143137532}
BLEU = 0.6307108104980268


def test_the_scores_are_sacrebleus() -> None:
    bleu, chrf = (exercises.get(f"translation.{name}").model() for name in ("bleu", "chrf"))
    written = ["1997年3月6日", "one\ttwo three", "abcdefghi", "", "yes"]
    references = ["1997年3月5日星期三", "one two, three", "abc", "nothing", "yes"]
    for beta, score in CHRF.items():
        assert chrf(written, references, beta) == pytest.approx(score, abs=1e-12)
    words = ["the the the cat sat on the mat", "a small dog ran by", "yes , please"]
    right = ["the cat sat on the mat today", "a small dog ran to us", "yes please"]
    cut = [text.split() for text in words], [text.split() for text in right]
    assert bleu(*cut) == pytest.approx(BLEU, abs=1e-12)
    draw = random.Random(0)  # encoder_core's own are compared with sacrebleu on any texts
    for _ in range(200):
        sides = [
            ["".join(draw.choices("ab 年", k=draw.randint(0, 12))) for _ in "123"] for _ in "12"
        ]
        assert chrf(*sides) == pytest.approx(scores.chrf(*sides), abs=1e-12)
        tokens = [[list(text) for text in side] for side in sides]
        assert bleu(*tokens) == pytest.approx(scores.corpus_bleu(*tokens), abs=1e-12)


def test_no_choice_of_a_beam_is_close() -> None:
    """So that a right answer that rounds otherwise finds the same."""
    for case in exercises.get("translation.beam_search").cases(0):
        drawn, bos_id, eos_id, *more = case.args
        walk = toy.walk(toy.model(drawn, eos_id), bos_id, eos_id, *more)
        assert walk.margin > 0.01, case.says
