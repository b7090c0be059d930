"""The masked-word lab's tasks."""

from __future__ import annotations

from typing import Any

from course.labs.challenges import Challenge, Tasks
from course.labs.masked_word.compute import Guesses
from course.labs.masked_word.view import probability

SURE, UNSURE = 0.9, 0.05


def _seen(lab: Any) -> tuple[Guesses, int]:
    _, chosen, guesses = lab.pictured()
    return guesses, chosen.piece


def _own(guesses: Guesses, place: int) -> bool:
    """Whether the chosen token is one that the learner has blanked."""
    return guesses.asked[place] and not guesses.fixed[place]


def _sure(lab: Any) -> bool:
    guesses, place = _seen(lab)
    return _own(guesses, place) and probability(guesses, place) >= SURE


def _both_sides(lab: Any) -> bool:
    """The first guess was the one written, and it is another when all after the blank is blanked."""
    guesses, place = _seen(lab)
    after = range(place + 1, len(guesses.ids))
    blanked = all(guesses.asked[i] or guesses.fixed[i] for i in after)
    words_before = any(not guesses.asked[i] and not guesses.fixed[i] for i in range(place))
    some_after = any(_own(guesses, i) for i in after)
    hidden = _own(guesses, place) and blanked and some_after and words_before
    return hidden and guesses.rank(place) > 1 and lab.alone().rank(place) == 1


def _seen_and_doubted(lab: Any) -> bool:
    """A token that the model sees, and finds unlikely where it stands."""
    guesses, place = _seen(lab)
    plain = not guesses.asked[place] and not guesses.fixed[place]
    return plain and probability(guesses, place) < UNSURE


TASKS = Tasks(
    "masked-word",
    (
        Challenge(
            "sure",
            f"Find a blank that the model fills rightly with a probability of at least {SURE:.0%}.",
            "Function words that a phrase fixes are easiest: “is equal … ”, “a number … bytes”.",
            "What a phrase leaves no choice about is learned first: it needs counts, not meaning.",
            _sure,
        ),
        Challenge(
            "other-side",
            "Blank a word, and then all words after it, so that the model no longer guesses it first.",
            "Choose a word whose clue stands to its right, such as “a” against “an”.",
            "A model that reads from left to right would always have to guess so. BERT sees both sides.",
            _both_sides,
        ),
        Challenge(
            "doubted",
            f"Find a word that the model sees, unblanked, and yet gives less than {UNSURE:.0%}.",
            "Look at rare words, with the number below each.",
            "One chosen token in ten was replaced by a random one in training, and one in ten was left: so "
            "the model may not trust what it sees. The chapter's 80/10/10 made that.",
            _seen_and_doubted,
        ),
    ),
)
