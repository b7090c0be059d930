"""The moments of a run in one file of at most 60 places, so that a later kernel can look back too.

    moments.bin    the weights, one after the other
    moments.json   which step each place holds, with a check sum

A moment is written once it has lasted for some seconds: most are thinned out before.
"""

from __future__ import annotations

import json
import os
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from course.system import files
from course.training.moments import Moments

__all__ = ["KeptMoments"]

EVERY = 5.0  # seconds


class KeptMoments:
    """The file of a run's moments; what can't be read or written is left out."""

    def __init__(self, folder: Path) -> None:
        self._weights, self._index = folder / "moments.bin", folder / "moments.json"
        self._places: dict[int, tuple[int, int]] = {}  # step -> place, check sum
        self._written = time.monotonic()

    def read(self, size: int) -> Iterator[tuple[int, Tensor]]:
        """Return the moments whose weights, `size` bytes each, are as they were written."""
        try:
            entries: Any = json.loads(files.read(self._index))["moments"]
            with self._weights.open("rb") as file:
                for step, place, check in entries:
                    file.seek(int(place) * size)
                    content = bytearray(file.read(size))
                    if len(content) == size and zlib.crc32(content) == check:
                        self._places[int(step)] = int(place), check
                        yield int(step), torch.frombuffer(content, dtype=torch.uint8)
        except (OSError, ValueError, TypeError, KeyError):
            return

    def keep(self, moments: Moments, *, now: bool = False) -> None:
        """Bring the file up to date, where some seconds have passed since the last time."""
        if not now and time.monotonic() - self._written < EVERY:
            return
        self._written = time.monotonic()
        steps = moments.steps
        self._places = {step: held for step, held in self._places.items() if step in steps}
        free = iter(sorted(set(range(len(steps))) - {place for place, _ in self._places.values()}))
        try:
            descriptor = os.open(
                self._weights, os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0)
            )
            with open(descriptor, "wb") as file:
                for step in steps:
                    block = moments.block(step)
                    if step not in self._places and block is not None:
                        content = block.numpy().tobytes()
                        place = next(free)
                        file.seek(place * len(content))
                        file.write(content)
                        self._places[step] = place, zlib.crc32(content)
            held = [[step, *of] for step, of in sorted(self._places.items())]
            files.write(self._index, json.dumps({"moments": held}) + "\n")
        except OSError:
            return
