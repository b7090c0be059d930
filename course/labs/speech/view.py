"""The speech lab's arrays as panels, words and a still picture."""

from __future__ import annotations

import base64
import difflib
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from course.labs.drawing import PanelData
from course.labs.packing import pack, pack_floats, weight_codes
from course.labs.plotting import Series
from course.labs.quoting import quoted
from course.labs.speech.compute import SPOKEN, Listener, Result, Selection, Settings
from course.labs.still import png
from course.labs.still import shades as pixels
from course.labs.still_plots import Box, document, plot, words

_LOUD = 6.0  # decades below the loudest that are told apart
_BLANK = "blank"


def panels(
    result: Result,
    asked: Settings,
    chosen: Selection,
    listener: Listener,
    key: Hashable,
    heard: int,
) -> list[PanelData]:
    """Every panel as it should look now; `heard` grows when the samples are wanted, 0 leaves them out."""
    return [
        _sound(result, asked, chosen, listener, (key, heard)),
        PanelData("texts", {"rows": rows(result, listener)}, 0, dict),
        _words(result, chosen, listener, key),
    ]


def _sound(
    result: Result,
    asked: Settings,
    chosen: Selection,
    listener: Listener,
    key: tuple[Hashable, int],
) -> PanelData:
    best, blank = curves(result, listener)
    bands, count = result.energies.shape[1], len(result.energies)
    frames = len(best)
    meta: dict[str, Any] = {
        "chosen": [0, chosen.frame],
        "rows": bands,
        "columns": count,
        "frames": frames,
        "pitch": result.pitch,
        "seconds": result.seconds,
        "runs": [
            {"word": listener.word(run.word), "first": run.first, "last": run.last}
            for run in result.runs
        ],
        "likeliest": [_name(int(i), listener) for i in best_ids(result, listener)],
        "cut": [asked.cut_from, min(asked.cut_to, result.seconds)],
        "looks": looks(result, chosen),
        "head": f"layer {chosen.layer}, head {chosen.head}" if result.attention is not None else "",
        "caption": f"{_clip_name(asked, listener)}: {result.seconds:.2f} s",
    }

    def data() -> dict[str, bytes]:
        drawn = {
            "energies": pack(weight_codes(shades(result), None, 8), 8),
            "curves": pack_floats(np.concatenate([best, blank])),
        }
        return {**drawn, "sound": pack_sound(result.signal)} if key[1] else drawn

    return PanelData("sound", meta, key, data)


def pack_sound(signal: NDArray[np.floating]) -> bytes:
    """Return samples between -1 and 1 as 16 bits each, little-endian."""
    return (signal.clip(-1, 1) * 32767).round().astype("<i2").tobytes()


def unpack_sound(data: bytes) -> NDArray[np.float32]:
    """Return the samples of `pack_sound`, to within a step of 16 bits."""
    samples: NDArray[np.float32] = np.frombuffer(data, "<i2").astype(np.float32) / np.float32(32767)
    return samples


def shades(result: Result) -> NDArray[np.float32]:
    """Energies as shares from 0 to 1, `(bands, N)`, high bands first; codes are of their root."""
    energies = result.energies.T[::-1]
    share = ((energies - (energies.max() - _LOUD)) / _LOUD).clip(0, 1)
    squared: NDArray[np.float32] = np.square(share).astype(np.float32)
    return squared


def best_ids(result: Result, listener: Listener) -> NDArray[np.int64]:
    """The likeliest id of each frame, blank or word."""
    ids: NDArray[np.int64] = result.probabilities.argmax(axis=1)
    return ids


def curves(result: Result, listener: Listener) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The probability of the likeliest word, and of the blank, in each frame."""
    others = result.probabilities.copy()
    others[:, listener.blank] = 0
    return others.max(axis=1), result.probabilities[:, listener.blank]


def looks(result: Result, chosen: Selection) -> list[float]:
    """The weights of the chosen frame, rounded as the picture shows them."""
    if result.attention is None:
        return []
    row = result.attention[chosen.layer, chosen.head, chosen.frame]
    return [round(float(weight), 4) for weight in row]


def _words(result: Result, chosen: Selection, listener: Listener, key: Hashable) -> PanelData:
    numbers = [
        [run.first * result.pitch, (run.last + 1) * result.pitch, run.probability]
        for run in result.runs
    ]
    here = result.run_at(chosen.frame)
    meta: dict[str, Any] = {
        "row_labels": [listener.word(run.word) for run in result.runs],
        "foot_labels": [],
        "columns": [
            {"label": "from, s", "digits": 2},
            {"label": "to, s", "digits": 2},
            {"label": "probability", "digits": 3, "bar": 1.0},
        ],
        "caption": f"The words and their frames: {len(result.runs)}",
        "chosen": -1 if here is None else here,
    }
    table = np.array(numbers, np.float32).reshape(-1, 3)
    return PanelData("words", meta, key, lambda: {"numbers": pack_floats(table)})


def rows(result: Result, listener: Listener) -> list[dict[str, Any]]:
    """What is said and what is read, with what differs at odd places."""
    read = [listener.word(i) for i in result.text]
    if not result.said:
        return [_row("Read", [" ".join(read) or "nothing"], "")]
    ours, theirs = _differences(read, list(result.said))
    right = read == list(result.said)
    return [
        _row("Said", theirs, ""),
        {**_row("Read", ours or ["nothing"], "right" if right else "not what is said"), "right": right},
    ]  # fmt: skip


def _row(label: str, parts: list[str], note: str) -> dict[str, Any]:
    return {"label": label, "parts": parts, "language": "en", "note": note}


def _differences(read: Sequence[str], said: Sequence[str]) -> tuple[list[str], list[str]]:
    """Both texts in parts, of which those at odd places differ."""
    ours, theirs = [""], [""]
    for tag, a, b, c, d in difflib.SequenceMatcher(None, read, said, autojunk=False).get_opcodes():
        for parts, words_ in ((ours, read[a:b]), (theirs, said[c:d])):
            text = " ".join(words_)
            if tag == "equal":
                parts[-1] = f"{parts[-1]} {text} " if parts[-1] else f"{text} "
            elif text:
                parts += [text, " "]
    return ours, theirs


def _clip_name(asked: Settings, listener: Listener) -> str:
    name = "Your recording" if asked.clip == SPOKEN else listener.clips[asked.clip][0]
    return name if asked.then < 0 else f"{name}, then {listener.clips[asked.then][0]}"


def _name(number: int, listener: Listener) -> str:
    return _BLANK if number == listener.blank else listener.word(number)


def summary(result: Result, asked: Settings, chosen: Selection, listener: Listener) -> str:
    """The picture in words."""
    read = " ".join(listener.word(i) for i in result.text)
    told = [f"{_clip_name(asked, listener)}, {result.seconds:.2f} s: read as {quoted(read)}."]
    if not result.text:
        told = [f"{_clip_name(asked, listener)}, {result.seconds:.2f} s: nothing is read."]
    if result.said:
        same = [listener.word(i) for i in result.text] == list(result.said)
        told.append("That is right." if same else f"Said is {quoted(' '.join(result.said))}.")
    blanks = int((best_ids(result, listener) == listener.blank).sum())
    count = len(result.probabilities)
    told.append(f"In {blanks} of {count} frames the blank is the likeliest.")
    frame = chosen.frame
    ids = best_ids(result, listener)
    sure = result.probabilities[frame, ids[frame]]
    at = (frame + 0.5) * result.pitch
    told.append(
        f"Frame {frame}, at {at:.2f} s: {quoted(_name(int(ids[frame]), listener))} ({sure:.2f})."
    )
    if result.attention is not None:
        row = result.attention[chosen.layer, chosen.head, frame]
        place = int(row.argmax())
        told.append(
            f"Layer {chosen.layer}, head {chosen.head} looks from there most at frame {place}, "
            f"{(place + 0.5) * result.pitch:.2f} s ({row[place]:.2f})."
        )
    return " ".join(told)


def still(result: Result, listener: Listener, label: str) -> str:
    """The energies, the words and the curves, as an SVG."""
    left, wide = 50.0, 700.0
    picture = png(pixels(_thinned(shades(result)), np.zeros(1, np.bool_)))
    data = base64.b64encode(picture).decode()
    parts = [
        words(left, 20, label.split(":")[0], bold=True),
        f'<image x="{left:g}" y="50" width="{wide:g}" height="150" preserveAspectRatio="none" '
        f'href="data:image/png;base64,{data}"/>',
    ]
    for run in result.runs:
        x = left + wide * min(1.0, (run.first + 0.5) * result.pitch / result.seconds)
        parts.append(words(x, 42, listener.word(run.word), "middle"))
    best, blank = curves(result, listener)
    at = (np.arange(len(best)) + 0.5) * result.pitch
    lines = [Series("best word", at, best, style=0), Series("blank", at, blank, style=1)]
    parts.append(plot(Box(left, 240, wide, 90), lines, "seconds", "probability"))
    return document(890, 390, label, parts)


def _thinned(shares: NDArray[np.float32]) -> NDArray[np.float32]:
    """At most 300 columns: a picture that a saved notebook can keep."""
    columns = np.linspace(0, shares.shape[1] - 1, min(300, shares.shape[1])).round().astype(int)
    return shares[:, columns]
