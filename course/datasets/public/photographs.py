"""The data set "cifar-10": each example is a class, and `image` gives a photograph."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from course.datasets.dataset import Dataset, Example, fixed_order
from course.datasets.public.archives import CIFAR_10
from course.datasets.public.download import changed, fetch_archive, members
from course.datasets.public.showing import Pictures

__all__ = ["CHANNELS", "SIDE", "Photographs", "load_cifar_10"]

SIDE, CHANNELS = 32, 3
_RECORD = 1 + CHANNELS * SIDE * SIDE  # bytes: the label, then red, green and blue, each row by row
_HELD_OUT = 10  # one training image in so many is for validation


@dataclass(frozen=True, repr=False)
class Photographs(Dataset):
    """The data set; `example.text` names the image, `example.label` is its class.

    Attributes:
        pixels: `(N, 3, 32, 32)`, uint8: red, green, blue.
        numbers: the image of an example, by its text.
    """

    pixels: Tensor = field(default_factory=lambda: torch.empty(0, CHANNELS, SIDE, SIDE).byte())
    numbers: dict[str, int] = field(default_factory=dict)

    def image(self, example: Example) -> Tensor:
        """Return an example's image, `(3, 32, 32)`, float32 from 0 to 1."""
        return self.pixels[self.numbers[example.text]].float() / 255

    def tensors(self, examples: Iterable[Example]) -> tuple[Tensor, Tensor]:
        """Return images `(N, 3, 32, 32)`, uint8, and labels `(N,)`."""
        chosen = list(examples)
        images = self.pixels[[self.numbers[each.text] for each in chosen]]
        return images, torch.tensor([each.label for each in chosen])

    def show(self, count: int = 10) -> Pictures:
        """Show training examples as `Dataset.show` does, with their images."""
        examples = super().show(count).examples
        images, _ = self.tensors(examples)
        pixels = [image.numpy().tobytes() for image in images.permute(0, 2, 3, 1).contiguous()]
        return Pictures(self, examples, pixels, (SIDE, SIDE))


def load_cifar_10(*, download: bool = False) -> Photographs:
    """Return "cifar-10", from this machine or, with `download=True`, from its makers.

    Raises NotHereError, or ValueError if the archive is not what it was.
    """
    path = fetch_archive(CIFAR_10, download=download)
    batches = {
        match[1]: _records(match[1], content)
        for match, content in members(CIFAR_10, path, r"(data_batch_\d|test_batch)\.bin$")
    }
    if "test_batch" not in batches or len(batches) < 2:
        raise ValueError(changed(CIFAR_10, f"it has {', '.join(sorted(batches))} and no more"))
    train: list[Example] = []
    test: list[Example] = []
    numbers: dict[str, int] = {}
    for name, (labels, _) in sorted(batches.items()):
        for row, label in enumerate(labels):
            text = f"{CIFAR_10.card.classes[label]} (image {len(numbers)})"
            numbers[text] = len(numbers)
            (test if name == "test_batch" else train).append(Example(text, label, f"{name} {row}"))
    pixels = torch.cat([images for _, (_, images) in sorted(batches.items())])
    mixed = fixed_order(train, lambda example: example.source)
    held_out = len(mixed) // _HELD_OUT
    parts = tuple(mixed[held_out:]), tuple(mixed[:held_out]), tuple(test)
    return Photographs(CIFAR_10.card, *parts, pixels, numbers)


def _records(name: str, content: bytes) -> tuple[list[int], Tensor]:
    """Return the labels and the images `(N, 3, 32, 32)` of a batch."""
    if not content or len(content) % _RECORD:
        what = f"{name} has {len(content):,} bytes, no multiple of {_RECORD:,}"
        raise ValueError(changed(CIFAR_10, what))
    rows = np.frombuffer(content, np.uint8).reshape(-1, _RECORD)
    wrong = np.nonzero(rows[:, 0] >= len(CIFAR_10.card.classes))[0]
    if len(wrong):
        what = f"in row {wrong[0]} of {name}, the label is {rows[wrong[0], 0]}, not a number from 0 to 9"
        raise ValueError(changed(CIFAR_10, what))
    images = torch.from_numpy(rows[:, 1:].reshape(-1, CHANNELS, SIDE, SIDE).copy())
    return rows[:, 0].tolist(), images
