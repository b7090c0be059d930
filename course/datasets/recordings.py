"""Data sets of sounds: each example is a text, and `signal` gives how it sounds. Eight bits a sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from course.datasets.dataset import Dataset, Example

__all__ = ["Recordings", "compress", "expand"]

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
