"""generation.greedy_decode: the likeliest token, again and again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from course.checking.exercise import Case, Exercise, tags
from course.content.generation.exercises import toy
from course.content.generation.exercises.greedy_decode import search


def with_a_model(function: Callable[..., Any]) -> Callable[..., Any]:
    """What the cases' arguments are given to: a text is made a model that finds it likeliest."""

    def run(text: list[int], bos_id: int, eos_id: int, max_length: int) -> Any:
        return function(toy.model(text, bos_id), bos_id, eos_id, max_length)

    return run


def _cases(seed: int) -> list[Case]:
    shift = seed % 3

    def case(
        text: Sequence[int], most: int, *names: str, bos: int = 1, eos: int = 2, says: str = ""
    ) -> Case:
        length = list(text).index(eos) if eos in text else len(text)
        names = (*names, "cut at max_length" if length > most else "a text that ends by itself")
        written = says or "a model that likes " + " ".join(map(str, text))
        sizes = {"max_length": most}
        return Case((list(text), bos, eos, most), written, sizes, tags(*names))

    long = [3 + (7 * i + shift) % 37 for i in range(25)]
    return [
        case([5, 6, 2], 5),
        case([7, 3, 8 + shift, 4, 2], 9),
        case([5, 8, 3, 9, 4, 6, 2], 4),
        case([9, 4, 6, 2], 3, "exactly max_length tokens"),
        case([9, 4, 6, 2], 4, "a max_length that has room for eos_id too"),
        case([2], 6, "an empty text"),
        case([5, 6, 2], 0, "a max_length of 0"),
        case([5, 6, 2], 1, "a max_length of 1"),
        case([5, 7, 5, 7, 6, 2], 9, "a token that stands twice"),
        case([8] * 12, 7, "a token that stands twice"),
        case([5, 1, 6, 2], 9, "bos_id within the text"),
        case([5, 3, 6, 0], 9, "an eos_id of 0", eos=0),
        case([2, 1, 6, 4], 8, "other ids", bos=9, eos=4),
        case([5, 6, 3, 1], 9, "one id as bos_id and as eos_id", eos=1),
        case([*long, 2], 30, says="a model that likes a text of 25 tokens"),
    ]


EXERCISE = Exercise(
    id="generation.greedy_decode",
    signature="(next_logits, bos_id, eos_id, max_length)",
    minutes=15,
    difficulty=2,
    cases=_cases,
    harness=with_a_model,
    finds=search.search,
    shown={"next_logits": "a model: a list of ids that begins with bos_id -> logits (V,)"},
)
