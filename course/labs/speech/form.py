"""The speech lab's controls and panels, declared; the front end draws them."""

from __future__ import annotations

from typing import Any

from course.labs.controls import sliding
from course.labs.speech.compute import (
    FASTEST,
    LONGEST,
    LOUDEST,
    MOST,
    NONE,
    QUIET,
    SLOWEST,
    SPOKEN,
    Listener,
)

MICROPHONE = (
    "The sound stays in the memory of this notebook's own kernel: it is sent nowhere else, and neither the notebook "
    f"nor a file keeps it. At most {LONGEST:g} s; the microphone is released at once after that."
)


def form(listener: Listener, layers: int, heads: int) -> dict[str, Any]:
    """The whole form, as JSON; `layers` is 0 where there is no attention to show."""
    groups = [_clips(listener), _changes(), _cut()]
    if layers:
        groups.append(_attention(layers, heads))
    return {
        "lab": "speech",
        "title": "Speech lab",
        "groups": groups,
        "panels": [_sound(listener.rate), _texts(), _words()],
    }


def clip_choices(listener: Listener) -> list[list[Any]]:
    """The clips by number, and the recording of the microphone once there is one."""
    named = [[number, name] for number, (name, _, _) in enumerate(listener.clips)]
    return [*named, *([[SPOKEN, "your recording"]] if listener.spoken is not None else [])]


def _clips(listener: Listener) -> dict[str, Any]:
    clips = [[number, name] for number, (name, _, _) in enumerate(listener.clips)]
    then = [[NONE, "nothing"], *clips]
    return {
        "label": "Recording",
        "wide": True,
        "controls": [
            {"name": "clip", "kind": "select", "label": "Clip", "choices": clips, "main": True},
            {"name": "before", "kind": "button", "label": "Previous", "more": True},
            {"name": "next", "kind": "button", "label": "Next", "more": True},
            {"name": "then", "kind": "select", "label": "Followed by", "choices": then, "more": True},
        ],
    }  # fmt: skip


def _changes() -> dict[str, Any]:
    return {
        "label": "Changes",
        "controls": [
            sliding("speed", "Speed", SLOWEST, FASTEST, 0.02, 2),
            sliding("noise", f"Signal over noise, dB ({QUIET}: no noise)", LOUDEST, QUIET, 1, 0),
        ],
    }


def _cut() -> dict[str, Any]:
    return {
        "label": "Silence",
        "controls": [
            {"name": "cut_word", "kind": "button", "label": "The word, or nothing"},
            {"name": "begin_cut", "kind": "button", "label": "From the frame", "more": True},
            {"name": "end_cut", "kind": "button", "label": "To the frame", "more": True},
            {**sliding("cut_from", "From, s", 0.0, MOST, 0.01, 2), "kind": "number", "more": True},
            {**sliding("cut_to", "to, s", 0.0, MOST, 0.01, 2), "kind": "number", "more": True},
        ],
    }


def _attention(layers: int, heads: int) -> dict[str, Any]:
    return {
        "label": "Attention of the frame",
        "controls": [
            sliding("layer", "Layer", 0, layers - 1, 1, 0),
            sliding("head", "Head", 0, heads - 1, 1, 0),
        ],
    }


def _sound(rate: int) -> dict[str, Any]:
    return {
        "name": "sound",
        "kind": "sound",
        "label": "The recording",
        "wide": True,
        "rate": rate,
        "longest": LONGEST,
        "records": "recorded",
        "hears": "hear",
        "privacy": MICROPHONE,
        "chooses": [None, "frame"],
        "help": (
            "From above: the words of the likeliest path; log-mel energies, low tones at the bottom; how likely "
            "the best word (solid) and the blank (dashed) are in each frame of the encoder; the attention of the "
            "chosen frame. Arrow keys or a click choose a frame; space plays and stops."
        ),
    }


def _texts() -> dict[str, Any]:
    return {
        "name": "texts",
        "kind": "texts",
        "label": "What is read",
        "column": 0,
        "help": "Marked: what differs from what is said.",
    }


def _words() -> dict[str, Any]:
    return {
        "name": "words",
        "kind": "table",
        "column": 1,
        "label": "The words and their frames",
        "chooses": "word",
        "takes": "word",
        "help": "A click or the arrow keys choose a word, and move the frame to it.",
    }
