"""Data sets of sounds: each example is a text, and `signal` gives how it sounds. Eight bits a sample."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from course.datasets.dataset import Dataset, Example
from course.system import files

__all__ = ["Recordings", "compress", "expand", "read_sounds", "write_sounds"]

_CURVE = 255.0  # mu


@dataclass(frozen=True, repr=False)
class Recordings(Dataset):
    """A data set of sounds.

    Attributes:
        rate: samples a second.
        codes: the sound of an example, by its source and its text, as `compress` makes it.
    """

    rate: int = 0
    codes: Mapping[tuple[str, str], bytes] = field(default_factory=dict)

    def signal(self, example: Example) -> Tensor:
        """Return the sound of an example, `(samples,)`, float32 between -1 and 1."""
        codes = np.frombuffer(self.codes[example.source, example.text], np.uint8)
        return torch.from_numpy(expand(codes))


def write_sounds(path: Path, head: object, codes: Iterable[bytes]) -> int:
    """Write a line of JSON that says whose sounds follow, then the sounds; return the file's size in bytes."""
    # no file name and no time in the header, so that the bytes are the same each time
    packed = gzip.compress(json.dumps(head).encode() + b"\n" + b"".join(codes), 9, mtime=0)
    files.write(path, packed)
    return len(packed)


def read_sounds(path: Path) -> tuple[Any, BytesIO]:
    """Return what `write_sounds` was given: the head, and the sounds to be read one after the other."""
    head, _, sound = gzip.decompress(path.read_bytes()).partition(b"\n")
    return json.loads(head), BytesIO(sound)


def compress(signal: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Return 8-bit mu-law codes of a signal; what is beyond -1 or 1 is cut. `expand` is the way back."""
    size = np.log1p(_CURVE * np.abs(signal).clip(max=1)) / np.log1p(_CURVE)
    steps = np.round(127 * size).astype(int)
    codes: NDArray[np.uint8] = np.where(signal < 0, 127 - steps, 128 + steps).astype(np.uint8)
    return codes


def expand(codes: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the signal of 8-bit mu-law codes, between -1 and 1.

    Code 128 + c stands for a positive, 127 - c for a negative sample of size ((1 + 255) ** (c / 127) - 1) / 255.

    Source: ITU-T Recommendation G.711 (the curve, not its bit layout).
    """
    sizes = np.expm1(np.arange(128) / 127 * np.log1p(_CURVE)) / _CURVE  # (128,)
    table = np.concatenate([-sizes[::-1], sizes]).astype(np.float32)  # (256,)
    signal: NDArray[np.float32] = table[codes]
    return signal
