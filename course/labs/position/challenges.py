"""The position lab's tasks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from course.labs.challenges import Challenge, Tasks
from course.labs.position.compute import Positions, Selection, Settings

WAVES = ("sinusoidal", "rotary")
DEGREES, SAME, FAR, ALIKE = 3.0, 0.999, 100, 0.6


def _back_again(lab: Any) -> bool:
    """The fastest pair points the same way at two different positions, to `DEGREES`."""
    seen: tuple[Settings, Selection, Positions] = lab.pictured()
    asked, chosen, made = seen
    if asked.kind not in WAVES or chosen.position == chosen.other or not made.pairs:
        return False
    first, second = made.turned[0, chosen.position], made.turned[0, chosen.other]  # (2,) each
    cosine = float(first @ second) / max(
        float(np.linalg.norm(first) * np.linalg.norm(second)), 1e-9
    )
    return cosine > math.cos(math.radians(DEGREES))


def _indistinguishable(lab: Any) -> bool:
    """Two different positions are the same, although there are waves."""
    seen: tuple[Settings, Selection, Positions] = lab.pictured()
    asked, chosen, made = seen
    if asked.kind not in WAVES or chosen.position == chosen.other:
        return False
    return float(made.similarity[chosen.position, chosen.other]) > SAME


def _far_and_alike(lab: Any) -> bool:
    """Two positions far apart are alike."""
    seen: tuple[Settings, Selection, Positions] = lab.pictured()
    asked, chosen, made = seen
    if asked.kind not in WAVES or abs(chosen.position - chosen.other) < FAR:
        return False
    return float(made.similarity[chosen.position, chosen.other]) > ALIKE


def _odd_neighbours(lab: Any) -> bool:
    """Of all neighbours in the learned table, the chosen two are the least alike."""
    seen: tuple[Settings, Selection, Positions] = lab.pictured()
    asked, chosen, made = seen
    if asked.kind != "learned" or abs(chosen.position - chosen.other) != 1 or asked.length < 8:
        return False
    return int(np.diagonal(made.similarity, 1).argmin()) == min(chosen.position, chosen.other)


TASKS = Tasks(
    "position",
    (
        Challenge(
            "back-again",
            "Find two positions at which the fastest pair of columns points the same way again, to "
            "3 degrees.",
            "The fastest turns by 1 radian a position, 57.3°. How many positions make whole turns of "
            "360°? The first that fits lies between 40 and 50.",
            "44 radians are 7 turns and 1 degree, because 44/7 is nearly 2π. No distance brings it "
            "back exactly: 2π is no whole number, nor a fraction of two.",
            _back_again,
        ),
        Challenge(
            "indistinguishable",
            "Make two different positions indistinguishable, a similarity of more than 0.999, with "
            "sinusoidal or rotary positions.",
            "Solve the task before this one first. Which pair of columns brings the similarity down "
            "at that distance, and who said that it must be there?",
            "A single fast hand cannot tell 44 positions apart. The slower pairs are there to tell "
            "its turns apart, as the hour hand does for the minute hand.",
            _indistinguishable,
        ),
        Challenge(
            "far-and-alike",
            "Keep two positions that are at least 100 apart alike: a similarity of more than 0.6, with "
            "sinusoidal or rotary positions.",
            "Make the length larger first. Then move the base, and see the stripes grow longer.",
            "A larger base slows the slow pairs, so that they still tell something over long "
            "distances. With 64 columns and base 100, positions 100 apart have a similarity of 0.01.",
            _far_and_alike,
        ),
        Challenge(
            "odd-neighbours",
            "In MiniLM's learned table, find the two neighbouring positions that are least alike.",
            "The picture of similarity by distance shows how far the least is from the mean, at "
            "distance 1. Look where a text begins.",
            "At position 0 there is always [CLS], and training gave it a place unlike all others: its "
            "cosine with position 1 is 0.28, where most neighbours have more than 0.8. In a learned "
            "table not only the distance counts.",
            _odd_neighbours,
        ),
    ),
)
