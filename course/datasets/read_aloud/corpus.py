"""The data set "read-aloud"."""

from __future__ import annotations

import functools
import gzip
import json
from pathlib import Path

from course.datasets.dataset import Example
from course.datasets.read_aloud.card import CARD, RATE
from course.datasets.recordings import Recordings

__all__ = ["LICENCE", "TABLE", "load"]

FOLDER = Path(__file__).parent
TABLE = FOLDER / "clips.gz"
LICENCE = FOLDER / "LICENSE-BSD-2.txt"


@functools.cache
def load() -> Recordings:
    """Return the data set; all of it is test, `example.text` is what is read, `signal` the sound."""
    head, _, sound = gzip.decompress(TABLE.read_bytes()).partition(b"\n")
    examples, codes, start = [], {}, 0
    for source, text, samples in json.loads(head):
        codes[source, text] = sound[start : start + samples]
        examples.append(Example(text, None, source))
        start += samples
    return Recordings(CARD, (), (), tuple(examples), RATE, codes)
