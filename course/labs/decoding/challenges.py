"""The decoding lab's tasks."""

from __future__ import annotations

from typing import Any

from course.labs.challenges import Challenge, Tasks
from course.labs.decoding.compute import Result, Settings

OPEN, NARROW = 20, 0.9


def _seen(lab: Any) -> tuple[Settings, Result]:
    asked, _, result = lab.pictured()
    return asked, result


def _one_left(lab: Any) -> bool:
    """A nucleus of at least `NARROW` that holds one token, of a model that is that sure."""
    asked, result = _seen(lab)
    plain = asked.temperature == 1.0 and asked.top_k == 0
    return plain and NARROW <= asked.top_p < 1 and result.kept == 1


def _many_left(lab: Any) -> bool:
    """The same nucleus at a place where more than `OPEN` tokens are left."""
    asked, result = _seen(lab)
    plain = asked.temperature == 1.0 and asked.top_k == 0
    return plain and NARROW <= asked.top_p < 0.96 and result.kept > OPEN


def _beam_differs(lab: Any) -> bool:
    """The beam's sentence is likelier than the greedy one, and another."""
    asked, result = _seen(lab)
    return asked.beam > 1 and tuple(result.tree.tokens(result.tree.best)) != result.greedy


def _penalty_decides(lab: Any) -> bool:
    """Another sentence wins than without the length penalty."""
    asked, result = _seen(lab)
    plain = lab.narrower()
    return asked.length_penalty > 0 and plain.tokens(plain.best) != result.tree.tokens(
        result.tree.best
    )


TASKS = Tasks(
    "decoding",
    (
        Challenge(
            "one-left",
            f"Find a place where a top-p of at least {NARROW:g}, at temperature 1, leaves one token.",
            "Inside a phrase: after “number”, or where a keyword has to follow.",
            "A nucleus follows the model's sureness. Where the model is sure it is greedy decoding.",
            _one_left,
        ),
        Challenge(
            "many-left",
            f"Find a place where the same top-p leaves more than {OPEN} tokens.",
            "Start a sentence with a word that the keywords do not ask for.",
            "top-k would cut here at the same number as at a sure place; the nucleus is wide here.",
            _many_left,
        ),
        Challenge(
            "beam-differs",
            "Find keywords for which a beam writes another sentence than greedy decoding.",
            "Take a beam of 3 or more, and few keywords that leave the sentence's form open: “remove reader "
            "callback”, “none returned success”.",
            "The likeliest first token is not always the first token of the likeliest sentence.",
            _beam_differs,
        ),
        Challenge(
            "penalty-decides",
            "Find a length penalty by which another sentence wins than without one.",
            "Take keywords such as “returns new file position” or “scroll bar also updated”, and move the penalty "
            "up to 3.",
            "Each further token makes a sentence less likely, so without a penalty short ones win.",
            _penalty_decides,
        ),
    ),
)
