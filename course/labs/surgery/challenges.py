"""The surgery table's tasks."""

from __future__ import annotations

from typing import Any

import numpy as np

from course.labs.challenges import Challenge, Tasks
from course.labs.surgery.compute import Effects, Selection, Settings

LARGE, SMALL, BROKEN = 0.2, 0.02, 0.5


def _seen(lab: Any) -> tuple[Settings, Selection, Effects]:
    seen: tuple[Settings, Selection, Effects] = lab.pictured()
    return seen


def _sharp_and_idle(lab: Any) -> bool:
    """The chosen head looks sharply and its cut changes nothing."""
    _, chosen, effects = _seen(lab)
    at = chosen.layer, chosen.head
    return bool(effects.sharpness[at] >= 0.5 and abs(effects.by_head[at]) < SMALL)


def _matters(lab: Any) -> bool:
    """One head alone carries much of the answer."""
    _, chosen, effects = _seen(lab)
    return bool(effects.by_head[chosen.layer, chosen.head] <= -LARGE)


def _unlooked(lab: Any) -> bool:
    """The token that matters most is not the one that is looked at most."""
    _, _, effects = _seen(lab)
    plain = np.isfinite(effects.by_token)
    if plain.sum() < 3 or np.nanmax(np.abs(effects.by_token)) < LARGE:
        return False
    size = np.where(plain, np.abs(effects.by_token), -1)
    looks = np.where(plain, effects.attention, -1)
    return int(size.argmax()) != int(looks.argmax())


def _half_off(lab: Any) -> bool:
    """Half of all heads are off, and the answer stands."""
    asked, _, effects = _seen(lab)
    half = effects.by_head.size / 2
    return (
        len(asked.off) >= half and effects.now >= BROKEN * effects.intact and effects.intact > 0.1
    )


TASKS = Tasks(
    "surgery",
    (
        Challenge(
            "matters",
            f"Choose a head whose cut takes at least {LARGE:.0%} of probability from the answer.",
            "Try sentences whose answer is likely, and go through the first layer's heads.",
            "Few heads carry an answer alone. Which ones do depends on the sentence.",
            _matters,
        ),
        Challenge(
            "sharp-and-idle",
            "Choose a head that looks at one token with a weight of at least 0.5, and that the answer "
            f"doesn't miss: a change of less than {SMALL:.0%}.",
            "Compare the two tables of heads.",
            "A sharp picture is not an important one: what a head moves may be small, or nobody reads it.",
            _sharp_and_idle,
        ),
        Challenge(
            "unlooked",
            "Find a sentence whose most important token is not the one looked at most.",
            "Look for answers that a short word decides, such as “not” or “a”.",
            "Attention says where a head looks, and not what the answer takes from there.",
            _unlooked,
        ),
        Challenge(
            "half-off",
            "Switch half of all heads off, one after the other, and keep at least half of the answer's "
            "probability.",
            "Always switch off the head with the smallest change; the changes are computed again each time.",
            "Michel et al. (2019) removed many heads of trained models with little loss: they are redundant.",
            _half_off,
        ),
    ),
)
