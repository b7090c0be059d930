"""efficient.attention_flops: additions and multiplications in the matrix products of one self-attention layer."""

from __future__ import annotations

from course.checking.exercise import Case, Exercise, tags
from course.checking.exercise.cases import holding
from course.content.efficient.exercises.attention_flops import search

_OF_SIZES = {
    "a batch of 1": "B = 1",
    "a single token": "S = 1",
    "a text shorter than its width": "S < D",
    "a text longer than its width": "S > D",
}


def _case(batch: int, length: int, d_model: int, model: str = "") -> Case:
    sizes = {"B": batch, "S": length, "D": d_model}
    says = f"B = {batch}, S = {length}, D = {d_model}" + (f" ({model})" if model else "")
    return Case((batch, length, d_model), says, sizes, tags(*holding(_OF_SIZES, sizes)))


def _cases(seed: int) -> list[Case]:
    more = 2 * (seed % 7)
    return [
        _case(2, 3, 4),
        _case(1, 1, 1),
        _case(1, 3, 2),
        _case(3, 1, 5),
        _case(1, 5, 1),
        _case(2, 7, 6),
        _case(5, 4, 11),
        _case(7, 13 + more, 6),
        _case(32, 128 + more, 384, "a batch of MiniLM"),
        _case(1, 512, 768, "a text of BERT base"),
        _case(8, 8192, 768, "a batch of ModernBERT base"),
        _case(7, 1_000_003, 4099, "more than 2^53 operations: a float would lose digits"),
    ]


EXERCISE = Exercise(
    id="efficient.attention_flops",
    signature="(batch, length, d_model)",
    minutes=12,
    difficulty=1,
    cases=_cases,
    finds=search.search,
)
