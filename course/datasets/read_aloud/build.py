"""Make the frozen clips: `python -m course.datasets.read_aloud.build FOLDER`.

FOLDER is `test/data/librivox` of Debian's package pocketsphinx-testdata, unpacked.
"""

from __future__ import annotations

import re
import sys
import wave
from pathlib import Path

import numpy as np

from course.datasets.read_aloud.card import RATE
from course.datasets.read_aloud.corpus import TABLE
from course.datasets.recordings import compress, write_sounds

__all__ = ["write"]


def write(folder: Path) -> None:
    """Write the table: a line of JSON with source, text and samples of each clip, then the sounds."""
    head, sounds = [], []
    for line in (folder / "transcription").read_text(encoding="utf-8").splitlines():
        found = re.fullmatch(r"<s> (.*) </s> \((.*)\)", line.strip())
        assert found is not None, line
        text, source = found.groups()
        with wave.open(str(folder / f"{source}.wav")) as clip:
            if (clip.getframerate(), clip.getsampwidth(), clip.getnchannels()) != (RATE, 2, 1):
                raise ValueError(f"{source} should have one channel of 16 bits at {RATE} a second.")
            samples = np.frombuffer(clip.readframes(clip.getnframes()), np.int16)
        sounds.append(compress(samples / 32768).tobytes())
        head.append([source, text, len(samples)])
    print(f"{len(head)} clips, {write_sounds(TABLE, head, sounds):,} bytes")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
