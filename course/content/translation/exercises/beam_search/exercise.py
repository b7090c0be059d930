"""translation.beam_search: the likeliest few hypotheses, continued side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from course.checking.exercise import Case, Exercise, tags
from course.content.translation.exercises.beam_search import search, toy

# Models in which the listed mistakes and others change the result, and no choice is close: the number that a model is
# drawn with, its tokens, how much likelier eos_id is made, bos_id, eos_id, and the search's beam, steps and penalty.
_DRAWN: tuple[tuple[int, int, float, int, int, int, int, float], ...] = (
    (8, 4, 0.0, 1, 2, 2, 3, 0.6),
    (48, 5, 0.5, 1, 2, 2, 4, 0.6),
    (36, 5, -1.0, 1, 2, 2, 3, 1.0),
    (13, 5, 0.5, 1, 2, 2, 4, 0.6),
    (48, 5, 0.5, 1, 2, 2, 4, 0.0),
    (48, 5, 1.0, 1, 2, 3, 1, 0.6),
    (48, 6, 1.0, 1, 2, 1, 5, 0.6),
    (45, 5, 1.0, 1, 2, 2, 5, 1.0),
    (59, 6, -2.0, 1, 2, 3, 3, 0.6),
    (0, 6, 1.0, 1, 2, 4, 3, 1.5),
    (43, 6, 1.0, 1, 2, 4, 3, 1.5),
    (8, 6, 1.0, 5, 4, 3, 4, 0.3),
    (39, 6, 0.5, 3, 0, 3, 5, 0.6),
    (48, 7, 1.0, 0, 3, 2, 6, 1.0),
    (41, 4, 0.5, 1, 2, 6, 4, 0.6),
    (34, 6, 1.0, 1, 2, 3, 6, 2.0),
    (48, 6, 1.0, 1, 2, 3, 6, 2.0),
    (0, 5, 1.5, 1, 2, 3, 7, 2.0),
    (41, 5, 1.5, 1, 2, 3, 7, 2.0),
    (34, 6, 2.0, 1, 2, 3, 7, 3.0),
    (43, 6, 2.0, 1, 2, 3, 7, 3.0),
    (45, 6, 2.0, 1, 2, 3, 7, 3.0),
    (13, 5, 2.0, 1, 2, 3, 8, 4.0),
    (15, 5, 2.0, 1, 2, 3, 8, 4.0),
    (24, 5, 2.0, 1, 2, 3, 8, 4.0),
    (25, 5, 2.0, 1, 2, 3, 8, 4.0),
    (37, 6, 2.0, 1, 2, 3, 7, 5.0),
    (52, 6, 2.0, 1, 2, 3, 7, 5.0),
)
_SAME = (
    (129, 5, 0.5, 1, 1, 3, 5, 1.0),
    (141, 5, 0.5, 1, 1, 3, 5, 1.0),
)  # bos_id is eos_id


def with_a_model(function: Callable[..., Any]) -> Callable[..., Any]:
    """What the cases' arguments are given to: numbers are made a model."""

    def run(drawn: tuple[int, int, float], bos_id: int, eos_id: int, *more: Any) -> Any:
        return function(toy.model(drawn, eos_id), bos_id, eos_id, *more)

    return run


def _case(
    drawn: tuple[int, int, float], bos: int, eos: int, beam: int, most: int, *penalty: float
) -> Case:
    words = drawn[1]
    walk = toy.walk(toy.model(drawn, eos), bos, eos, beam, most, *penalty)
    best = walk.best(*penalty)
    says = f"{words} tokens, a beam of {beam}, {most} step{'s' * (most != 1)}, " + (
        f"length penalty {penalty[0]:g}" if penalty else "the usual length penalty"
    )
    holds = {
        "a beam of 1": beam == 1,
        "a beam larger than the vocabulary": beam > words,
        "no length penalty": penalty == (0.0,),
        "the usual length penalty": not penalty,
        "a best hypothesis that has ended": best in walk.finished,
        "a best hypothesis that was cut": best in walk.cut,
        "hypotheses that end at different times": len({len(one.ids) for one in walk.finished}) > 1,
        "no hypothesis that ends": not walk.finished,
        "bos_id within the result": bos != eos and bos in best.ids[1:],
        "one id as bos_id and as eos_id": bos == eos,
        "an empty result": len(best.ids) - (best in walk.finished) == 1,
        "a max_length of 0": most == 0,
    }
    args = (drawn, bos, eos, beam, most, *penalty)
    sizes = {"V": words, "beam": beam, "max_length": most}
    return Case(args, says, sizes, tags(*(name for name, true in holds.items() if true)))


def _cases(seed: int) -> list[Case]:
    return [
        *(_case(one[:3], *one[3:]) for one in _DRAWN),
        *(_case(one[:3], *one[3:]) for one in _SAME),
        _case((48, 5, 0.5), 1, 2, 2, 4),
        _case((26, 4, 0.0), 1, 2, 2, 3),
        # Here a penalty of 0, of 1 or of twice the usual one gives another result.
        _case((34, 5, 1.5), 1, 2, 3, 6),
        _case((373, 5, 0.5), 1, 2, 3, 6),
        _case((8, 4, 0.0), 1, 2, 2, 0, 0.6),
    ]


EXERCISE = Exercise(
    id="translation.beam_search",
    signature="(next_logits, bos_id, eos_id, beam, max_length, length_penalty=0.6)",
    minutes=30,
    difficulty=3,
    cases=_cases,
    harness=with_a_model,
    finds=search.search,
    shown={"next_logits": "a model: a list of ids that begins with bos_id -> logits (V,)"},
)
