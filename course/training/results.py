"""What a training has made: the model at its end, with its records and figures."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from course.training.records import Record
from course.training.settings import Settings

__all__ = ["Trained"]


@dataclass
class Trained:
    """A finished training.

    Attributes:
        model: on the CPU, in eval mode.
        settings: that it was trained with.
        records: one for each update.
        metrics: figures on the validation split, at the end.
        test: figures on the test split, read once.
        from_cache: whether it was trained earlier.
        seconds: of training.
    """

    model: nn.Module
    settings: Settings
    records: list[Record]
    metrics: dict[str, float]
    test: dict[str, float]
    from_cache: bool
    seconds: float
