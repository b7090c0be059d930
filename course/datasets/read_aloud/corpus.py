"""The data set "read-aloud"."""

from __future__ import annotations

import functools
from pathlib import Path

from course.datasets.dataset import Example
from course.datasets.read_aloud.card import CARD, RATE
from course.datasets.recordings import Recordings, read_sounds

__all__ = ["LICENCE", "TABLE", "load"]

FOLDER = Path(__file__).parent
TABLE = FOLDER / "clips.gz"
LICENCE = FOLDER / "LICENSE-BSD-2.txt"


@functools.cache
def load() -> Recordings:
    """Return the data set; all of it is test, `example.text` is what is read, `signal` the sound."""
    head, sound = read_sounds(TABLE)  # the head is [[source, text, samples], ...]
    examples, codes = [], {}
    for source, text, samples in head:
        codes[source, text] = sound.read(samples)
        examples.append(Example(text, None, source))
    return Recordings(CARD, (), (), tuple(examples), RATE, codes)
