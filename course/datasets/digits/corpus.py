"""The data set "digits": each example is a digit, and `image` gives how somebody wrote it."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass, field

import torch
from sklearn.datasets import load_digits
from torch import Tensor

from course.datasets.dataset import Dataset, Example, Printed, fixed_order
from course.datasets.digits.card import CARD, FORMS, SPLITS
from course.datasets.digits.drawing import drawn, printed

__all__ = ["Digits", "load"]

_HELD_OUT = 4  # the share of test, 1 in so many
_VALIDATION = 150  # images of the random split
_TEST_FORMS = 4  # the last ones, at least a quarter of all images
_SHADES = 16


@dataclass(frozen=True, repr=False)
class Digits(Dataset):
    """The data set; `example.label` is the digit, `example.source` the form it was written on.

    Attributes:
        pixels: `(1797, 8, 8)`, float32: 0 is paper, 1 is ink.
        numbers: the image of an example, by its text.
    """

    pixels: Tensor = field(default_factory=lambda: torch.empty(0, 8, 8))
    numbers: dict[str, int] = field(default_factory=dict)

    def image(self, example: Example) -> Tensor:
        """Return an example's image, `(8, 8)`: 0 is paper, 1 is ink."""
        return self.pixels[self.numbers[example.text]]

    def tensors(self, examples: Iterable[Example]) -> tuple[Tensor, Tensor]:
        """Return images `(N, 8, 8)` and labels `(N,)`."""
        chosen = list(examples)
        images = self.pixels[[self.numbers[each.text] for each in chosen]]
        return images, torch.tensor([each.label for each in chosen])

    def show(self, count: int = 10) -> Printed:
        """Show training examples as `Dataset.show` does, with their images."""
        found = super().show(count)
        return _Shown(self, found.examples)


class _Shown(Printed):
    """Examples as a notebook shows them: images in a row."""

    @property
    def _images(self) -> list[tuple[str, list[list[float]]]]:
        assert isinstance(self.dataset, Digits)
        return [(f"{e.label}", self.dataset.image(e).tolist()) for e in self.examples]

    def __repr__(self) -> str:
        return printed(self._images)

    def _repr_html_(self) -> str:
        return drawn(self._images)


@functools.cache
def load(split: str = "writers") -> Digits:
    """Return the data set with whole forms held out, or split at random.

    Raises ValueError if there is no such split.
    """
    if split not in SPLITS:
        raise ValueError(f"split={split!r}: take 'writers', whole forms held out, or 'random'.")
    raw = load_digits()
    pixels = torch.tensor(raw.images, dtype=torch.float32) / _SHADES
    form_of = [k for k in range(1, len(FORMS)) for _ in range(FORMS[k - 1], FORMS[k])]
    examples = [
        Example(f"{label} (image {number})", int(label), f"form {form_of[number]}")
        for number, label in enumerate(raw.target)
    ]
    parts = _by_form(examples) if split == "writers" else _at_random(examples)
    train, validation, test = map(tuple, parts)
    numbers = {example.text: number for number, example in enumerate(examples)}
    return Digits(CARD, train, validation, test, pixels, numbers)


def _by_form(examples: list[Example]) -> tuple[list[Example], list[Example], list[Example]]:
    """Test on the last forms, validate on the one before them."""
    test = FORMS[-1 - _TEST_FORMS]
    validation = FORMS[-2 - _TEST_FORMS]
    return examples[:validation], examples[validation:test], examples[test:]


def _at_random(examples: list[Example]) -> tuple[list[Example], list[Example], list[Example]]:
    """Test on a quarter, drawn by a hash, so that it is the same everywhere."""
    mixed = fixed_order(examples, lambda example: example.text)
    test = len(mixed) // _HELD_OUT
    return mixed[test + _VALIDATION :], mixed[test : test + _VALIDATION], mixed[:test]
