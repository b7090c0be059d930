"""The training of a reader of digits: batches, loss, figures, and the settings that were chosen.

They were chosen on forms of the training and validation part: two of its ten were held out in turn.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course.content.vision_and_speech.experiments.images.distort import distort
from course.content.vision_and_speech.experiments.images.model import prepare
from course.datasets.digits.corpus import Digits, load
from encoder_core.models.vision import patchify, unpatchify

__all__ = [
    "CNN", "FEWER", "SETTINGS", "UNDISTORTED", "Batch", "Digit", "collate", "digits", "evaluate", "loss",
    "mix_patches", "mix_pixels", "part",
]  # fmt: skip

SETTINGS: dict[str, Any] = {
    "steps": 1000,
    "batch_size": 48,
    "learning_rate": 1e-2,
    "warmup": 60,
    "schedule": "cosine",
    "optimizer": "muon",
    "weight_decay": 0.02,
    "clip": 1.0,
    "d_model": 64,
    "nhead": 4,
    "num_layers": 3,
    "dim_feedforward": 128,
    "dropout": 0.0,
    "positions": "learned",
}
# d_model is the number of channels, and nhead has no meaning.
CNN = {**SETTINGS, "optimizer": "adamw", "learning_rate": 3e-3, "d_model": 62, "nhead": 2}
SMOOTHING = 0.1
FEWER = {10: 300, 30: 500}  # examples a class -> updates
UNDISTORTED = 500  # updates: the images are known by heart sooner


class Digit(NamedTuple):
    """An image `(8, 8)` from 0 to 1, and what it shows."""

    image: Tensor
    label: int


class Batch(NamedTuple):
    """Images `(B, 1, 8, 8)`, as the models take them, and their labels `(B,)`."""

    images: Tensor
    labels: Tensor


@functools.lru_cache(maxsize=16)
def digits(split: str, per_class: int | None = None, seed: int = 0) -> tuple[Digit, ...]:
    """Return the training images of a split, or `per_class` of each digit, which the seed draws."""
    data = load(split)
    chosen = data if per_class is None else data.few(per_class, seed)
    images, labels = data.tensors(chosen.train)
    return tuple(map(Digit, images, labels.tolist()))


def part(data: Digits, name: str) -> tuple[Tensor, Tensor]:
    """Return images `(N, 8, 8)` and labels `(N,)` of "train", "validation" or "test"."""
    return data.tensors(getattr(data, name))


@functools.cache
def _order(length: int) -> Tensor:
    return torch.randperm(length, generator=torch.Generator().manual_seed(0))


def mix_pixels(images: Tensor) -> Tensor:
    """Put the pixels of images `(N, 8, 8)` in another order, the same one for all."""
    return images.flatten(1)[:, _order(images[0].numel())].reshape(images.shape)


def mix_patches(images: Tensor, patch: int = 2) -> Tensor:
    """Put the patches of images `(N, 8, 8)` in another order, the same one for all."""
    patches = patchify(images.unsqueeze(1), patch)  # (N, patches, P * P)
    mixed = patches[:, _order(patches.shape[1])]
    return unpatchify(mixed, patch, *images.shape[1:]).squeeze(1)


def collate(chosen: Sequence[Digit], distorted: bool = True, mixed: bool = False) -> Batch:
    """Make a batch; `distorted` as another hand would write it, `mixed` with its pixels in another order."""
    images = torch.stack([each.image for each in chosen])  # (B, 8, 8)
    if distorted:
        images = distort(images)
    if mixed:
        images = mix_pixels(images)
    return Batch(prepare(images), torch.tensor([each.label for each in chosen]))


def loss(model: nn.Module, batch: Batch) -> Tensor:
    """Return the mean smoothed loss."""
    return F.cross_entropy(model(batch.images), batch.labels, label_smoothing=SMOOTHING)


def evaluate(
    model: nn.Module, split: str, name: str = "validation", mixed: bool = False
) -> dict[str, float]:
    """Return the share of right answers, "accuracy", and that for images with their patches mixed."""
    images, labels = part(load(split), name)
    if mixed:
        images = mix_pixels(images)

    def right(asked: Tensor) -> float:
        return float((model(prepare(asked)).argmax(dim=-1) == labels).double().mean())

    return {"accuracy": right(images), "patches mixed": right(mix_patches(images))}
