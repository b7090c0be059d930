"""The vision lab's tasks."""

from __future__ import annotations

from typing import Any

from course.labs.challenges import Challenge, Tasks
from course.labs.vision.compute import DARKEST, MOVED, TRAINED, Result, Selection, Settings

MOST_INK = 4.0  # pixels of full ink that may be added to a 3
SURE = 0.9
_BLANK = 2.0  # pixels of full ink: less is no drawing


def _seen(lab: Any) -> tuple[Settings, Selection, Result]:
    seen: tuple[Settings, Selection, Result] = lab.pictured()
    return seen


def _untouched(asked: Settings) -> bool:
    """Every patch is seen, in order, with its position."""
    return not asked.occluded and not asked.shuffled and asked.positions == TRAINED


def _ink(result: Result) -> float:
    return float(result.levels.sum()) / DARKEST


def _three_to_eight(lab: Any) -> bool:
    """Ink added to an example that is answered with 3, and nothing taken from it."""
    asked, _, result = _seen(lab)
    if asked.pixels is None or not _untouched(asked) or lab.name(result.winner) != "8":
        return False
    begun = lab.reader.levels[asked.example]
    added = result.levels - begun
    if (added < 0).any() or added.sum() > MOST_INK * DARKEST:
        return False
    return bool(lab.name(lab.reader.read(Settings(asked.example)).winner) == "3")


def _one_patch(lab: Any) -> bool:
    """One occluded patch, and another answer."""
    asked, _, result = _seen(lab)
    if len(asked.occluded) != 1 or asked.shuffled or asked.positions != TRAINED:
        return False
    return _ink(result) > _BLANK and result.winner != int(result.plain.argmax())


def _moved_along(lab: Any) -> bool:
    """Shuffled: right where the positions move along, wrong where they stay."""
    asked, _, result = _seen(lab)
    if not asked.shuffled or asked.positions != MOVED or asked.occluded:
        return False
    stays = Settings(asked.example, asked.pixels, (), True, asked.seed, TRAINED)
    right = int(result.plain.argmax())
    return result.winner == right and lab.reader.read(stays).winner != right


def _no_digit(lab: Any) -> bool:
    """Far from every example, and sure."""
    asked, _, result = _seen(lab)
    if not _untouched(asked) or result.chances.max() < SURE:
        return False
    _, distance = lab.reader.nearest(result.levels)
    return bool(distance > lab.reader.apart)


TASKS = Tasks(
    "vision",
    (
        Challenge(
            "three-to-eight",
            "Begin with an example of a 3 and add ink until the model answers 8. Add no more than "
            "four pixels of full ink, and erase nothing.",
            "Press “Compare with this” first: it counts the ink that you add; a fine pen adds less than "
            "the brush. Where does an 8 close what a 3 leaves open?",
            "A few pixels on the left decide. The model has never been told what an 8 is; it has only "
            "seen which ink the two have in common and which not.",
            _three_to_eight,
        ),
        Challenge(
            "one-patch",
            "Find an example, or draw one, in which a single occluded patch changes the answer.",
            "Look for examples whose answer is not sure, and occlude the bluest patch of the effect.",
            "The patch that matters most is not always the one with the most attention: a weight says how "
            "much of a patch's value is taken, not what that value does to the answer.",
            _one_patch,
        ),
        Challenge(
            "moved-along",
            "Shuffle the patches so that the answer is wrong with positions as trained, and right again "
            "with positions moved along.",
            "Shuffle, compare the answer under both settings of “Positions”, and try other seeds.",
            "Attention adds over its tokens in whatever order they stand. Where a patch belongs is said by "
            "its position alone, so the order of the sentence changes nothing while each patch keeps its own.",
            _moved_along,
        ),
        Challenge(
            "no-digit",
            "Draw something that is no digit, of which the model is more than 90 % sure. It counts as "
            "none when its distance from the nearest example is larger than any example's; the text below "
            "the pictures has both numbers.",
            "Clear the drawing and scribble, or fill a half of it.",
            "The softmax shares out all of the probability among ten digits; “none of them” is not among "
            "its answers. A high probability is not a sign that the input is like those of training.",
            _no_digit,
        ),
    ),
)
