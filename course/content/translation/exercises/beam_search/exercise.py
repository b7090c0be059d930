"""translation.beam_search: several beginnings at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from course.checking.exercise import Case, Exercise, tags
from course.content.translation.exercises.beam_search import toy


def with_a_model(function: Callable[..., Any]) -> Callable[..., Any]:
    """What the cases' arguments are given to: numbers are made a model."""

    def run(drawn: int, words: int, ends: float, bos_id: int, eos_id: int, *more: Any) -> Any:
        model = toy.model(drawn, words, bos_id, eos_id, ends)
        return function(model, bos_id, eos_id, *more)

    return run


def _cases(seed: int) -> list[Case]:
    return [
        Case((3, 4, 0.0, 1, 2, 2, 3), "4 words, a beam of 2, 3 steps", {"V": 4}, tags("first")),
        Case((4, 6, 0.0, 1, 2, 3, 5, 1.0), "6 words, a beam of 3, 5 steps", {"V": 6}, tags("second")),
    ]  # fmt: skip


EXERCISE = Exercise(
    id="translation.beam_search",
    signature="(next_logits, bos_id, eos_id, beam, max_length, length_penalty=0.6)",
    minutes=30,
    difficulty=3,
    cases=_cases,
    harness=with_a_model,
    shown={"next_logits": "a model: a list of ids that begins with bos_id -> logits (V,)"},
)
