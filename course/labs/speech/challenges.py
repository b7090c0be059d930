"""The speech lab's tasks."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from course.labs.challenges import Challenge, Tasks
from course.labs.speech.compute import NONE, QUIET, Result, Selection, Settings

FAR = 0.4  # seconds
CLEAR = 0.15  # of a frame's weights


def _seen(lab: Any) -> tuple[Settings, Selection, Result]:
    asked, chosen, result = lab.pictured()
    return asked, chosen, result


def _read(lab: Any, result: Result) -> list[str]:
    return [lab.listener.word(i) for i in result.text]


def _one_word_gone(lab: Any) -> bool:
    """A cut that takes one word out of a text that was right, and leaves the others."""
    asked, _, result = _seen(lab)
    if asked.cut_to <= asked.cut_from or asked.speed != 1 or asked.noise < QUIET:
        return False
    said, read = list(result.said), _read(lab, result)
    if len(read) != len(said) - 1 or not any(
        read == said[:i] + said[i + 1 :] for i in range(len(said))
    ):
        return False
    return _read(lab, lab.unchanged()) == said


def _noise_alone(lab: Any) -> bool:
    """A text that is right in silence and wrong in noise."""
    asked, _, result = _seen(lab)
    alone = asked.speed == 1 and asked.cut_to <= asked.cut_from and asked.noise < QUIET
    if not alone or not result.said or _read(lab, result) == list(result.said):
        return False
    return _read(lab, lab.unchanged()) == list(result.said)


def _far_look(lab: Any) -> bool:
    """A frame whose highest weight is clear, and far away."""
    _, chosen, result = _seen(lab)
    if result.attention is None:
        return False
    row = result.attention[chosen.layer, chosen.head, chosen.frame]
    place = int(row.argmax())
    return bool(row[place] >= CLEAR and abs(place - chosen.frame) * result.pitch > FAR)


def _again(lab: Any) -> bool:
    """The same word twice in a row, read twice: a blank stands between."""
    asked, _, result = _seen(lab)
    if asked.then == NONE or _read(lab, result) != list(result.said):
        return False
    words = [run.word for run in result.runs]
    return any(a == b for a, b in pairwise(words))


TASKS = Tasks(
    "speech",
    (
        Challenge(
            "one-word-gone",
            "Silence a stretch, with no other change, so that one word is missing and all others are still right.",
            "Take a clip of several words that is read right, choose a word in the table, and press “The word, or "
            "nothing”. Then try how short the stretch can be.",
            "The frames of the word are where the model finds it. How far you can shorten the stretch says how much "
            "of the word it needs.",
            _one_word_gone,
        ),
        Challenge(
            "noise-alone",
            "Find a clip that is read right, and noise that changes what is read.",
            "Move “Signal over noise” down from 20 dB, in single steps near the place where the text changes.",
            "The words do not go at once. Look at which goes first, and at what the energies still show of it.",
            _noise_alone,
        ),
        Challenge(
            "twice",
            "Join two clips so that the same word stands twice in a row, and both are read.",
            "The first must end with the word that the second begins with.",
            "CTC merges equal neighbours. Two equal words are two only because a blank is likeliest somewhere between.",
            _again,
        ),
        Challenge(
            "far-look",
            f"Find a frame and a head whose highest weight is at least {CLEAR:g}, and lies over {FAR:g} s away.",
            "Walk along the frames with the arrow keys; try each layer and head. Silence is a good place to begin.",
            "A convolution sees its neighbours only. Attention reaches any frame in one step.",
            _far_look,
        ),
    ),
)
