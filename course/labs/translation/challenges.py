"""The translation lab's tasks."""

from __future__ import annotations

from typing import Any

from course.labs.challenges import Challenge, Tasks
from course.labs.translation.compute import (
    OTHER,
    OWN,
    SHUFFLED_MEMORY,
    Result,
    Selection,
    Settings,
)

CLEAR = 0.5


def _seen(lab: Any) -> tuple[Settings, Selection, Result]:
    asked, chosen, result = lab.pictured()
    return asked, chosen, result


def _turned_round(lab: Any) -> bool:
    """One head whose steps look clearly at places, and go back in them."""
    _, chosen, result = _seen(lab)
    if chosen.layer < 0 or chosen.head < 0 or len(result.parts) > 1 or result.parts[0].told:
        return False
    weights = result.looks(chosen.layer, chosen.head)
    if weights[chosen.step].max() < CLEAR or chosen.step == 0:
        return False
    before = weights[: chosen.step]
    clear = before.max(axis=1) >= CLEAR
    places = before.argmax(axis=1)[clear]
    back = int(weights[chosen.step].argmax())
    return bool(len(places)) and back + 3 <= int(places.max())


def _follows(lab: Any) -> bool:
    """A forced token, after which another token is not what it was."""
    asked, _, result = _seen(lab)
    if len(asked.forced) != 1 or asked.memory != OWN:
        return False
    step = asked.forced[0][0]
    return (
        result.made.tokens[step:] != result.plain.tokens[step:] and len(result.made.tokens) > step
    )


def _halves(lab: Any) -> bool:
    """The beginning is of one phrase, the end of the other."""
    asked, _, result = _seen(lab)
    if asked.memory != OTHER or asked.forced or asked.since == 1 or len(result.parts) < 2:
        return False
    other = lab.other_alone()
    made, at = result.made.tokens, asked.since - 1
    return (
        len(made) > at
        and result.plain.tokens[:at] != other[:at]
        and made[:at] == result.plain.tokens[:at]
        and made != result.plain.tokens
        and made[-3:] == other[-3:]
    )


def _no_order(lab: Any) -> bool:
    """Shuffled vectors, and the same translation."""
    asked, _, result = _seen(lab)
    return (
        asked.memory == SHUFFLED_MEMORY
        and asked.since == 1
        and not asked.forced
        and result.made.tokens == result.plain.tokens
    )


def _wrong(lab: Any) -> bool:
    """A phrase of the data set that is translated wrongly, by nothing but the model."""
    asked, _, result = _seen(lab)
    plain = not asked.forced and asked.memory == OWN
    return plain and result.answer is not None and lab.written() != result.answer


TASKS = Tasks(
    "translation",
    (
        Challenge(
            "turned-round",
            "Find one head, and a step in it that gives one character more than half of its weight "
            "and lies at least three characters before one that an earlier step looked at.",
            "Choose a layer and a head, and walk through the steps of a date with its year last.",
            "Cross-attention has no order of its own: each step looks where what it needs stands. "
            "So the translation can begin with what the phrase ends with.",
            _turned_round,
        ),
        Challenge(
            "follows",
            "Force one token so that something after it is written differently too.",
            "Walk to a digit of the day or the month, and take another row of the table.",
            "The decoder reads what it has written. It goes on after your token as if the token "
            "were its own.",
            _follows,
        ),
        Challenge(
            "halves",
            "Let a translation begin with one date and end with another, without forcing anything.",
            "Take another phrase's memory, from the step on that follows the year.",
            "What is written so far says how far the translation is; the memory says what stands "
            "there. The decoder has no other knowledge of the phrase.",
            _halves,
        ),
        Challenge(
            "no-order",
            "Shuffle something of the memory so that the translation stays as it is.",
            "There are two ways to shuffle: before the encoder and after it.",
            "Attention adds over all keys, in whatever order they stand. The order of the characters "
            "is inside of the vectors, where the encoder put it.",
            _no_order,
        ),
        Challenge(
            "wrong",
            "Find a phrase of the data set that the model translates wrongly by itself.",
            "Try what training did not have: dates of the 1950s and 1980s, lists of five places.",
            "One answer is right here, so a mistake is seen at once; in open text it is a matter of "
            "judgement.",
            _wrong,
        ),
    ),
)
