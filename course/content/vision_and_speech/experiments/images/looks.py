"""Where a reader of digits looks, what its answers hang on, and what its positions have become."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course.content.vision_and_speech.experiments.images.model import SIDE, prepare
from course.labs import with_standard_layers
from encoder_core.inspect.recording import record

__all__ = [
    "PATCH",
    "Agreement",
    "as_image",
    "away",
    "compare",
    "covered",
    "grid_correlation",
    "likeness",
    "looks",
    "neighbours",
    "received",
]

PATCH = 2
ACROSS = SIDE // PATCH  # patches in a row


@torch.no_grad()
def looks(model: nn.Module, image: Tensor) -> Tensor:
    """Return the attention weights `(layers, H, N, N)` for an image `(8, 8)`. The model is in eval mode."""
    return torch.stack([weights[0] for weights in _weights(model, image[None])])


@torch.no_grad()
def received(model: nn.Module, images: Tensor) -> Tensor:
    """Return the attention that each patch of images `(B, 8, 8)` gets, `(B, N)`: the mean of all looks."""
    weights = torch.stack(_weights(model, images))  # (layers, B, H, N, N)
    return weights.mean(dim=(0, 2, 3))  # over layers, heads, queries


def _weights(model: nn.Module, images: Tensor) -> list[Tensor]:
    """Record the weights `(B, H, N, N)` of each layer, a learner's layers computed by encoder_core's."""
    model = with_standard_layers(model)
    with record(model) as recording:
        model(prepare(images))
    return list(recording.attention)


def as_image(values: Tensor) -> Tensor:
    """Draw a number for each patch `(N,)`, as shares of the largest, over its pixels: `(8, 8)`."""
    squares = (values / values.max()).reshape(ACROSS, ACROSS)
    pixels: Tensor = squares.repeat_interleave(PATCH, 0).repeat_interleave(PATCH, 1)
    return pixels


def covered(images: Tensor) -> Tensor:
    """Cover each patch of images `(B, 8, 8)` with paper, one at a time: `(B, N, 8, 8)`."""
    patches = torch.arange(ACROSS * ACROSS)
    rows = torch.arange(SIDE) // PATCH
    at = rows[:, None] * ACROSS + rows  # (8, 8): which patch a pixel is in
    return images[:, None].masked_fill(at == patches[:, None, None], 0.0)


@torch.no_grad()
def away(model: nn.Module, images: Tensor) -> Tensor:
    """Return how the logit of the answer changes with each patch covered, `(B, N)`.

    The answer is the digit that the model reads in the whole image.
    """
    whole = model(prepare(images))  # (B, 10)
    answers = whole.argmax(dim=-1)
    blank = covered(images)  # (B, N, 8, 8)
    logits = model(prepare(blank.flatten(0, 1))).unflatten(0, blank.shape[:2])  # (B, N, 10)
    picked: Tensor = logits.gather(
        -1, answers[:, None, None].expand(-1, blank.shape[1], 1)
    ).squeeze(-1)
    changes: Tensor = picked - whole.gather(-1, answers[:, None])
    return changes


@dataclass(frozen=True)
class Agreement:
    """In what share of images the patch that the answer hangs on most is ...

    Attributes:
        by_attention: the patch that gets the most attention.
        by_ink: the patch with the most ink.
        by_chance: a patch drawn at random.
        rank: the mean rank correlation, over images, of attention with how much the logit changes.
    """

    by_attention: float
    by_ink: float
    by_chance: float
    rank: float


def compare(model: nn.Module, images: Tensor) -> Agreement:
    """Cover each patch of each image `(B, 8, 8)`, and compare with the attention that it gets."""
    changes, attention = away(model, images).abs(), received(model, images)  # (B, N) each
    most = changes.argmax(dim=1)
    ink = F.avg_pool2d(images[:, None], PATCH).flatten(1)  # (B, N)
    return Agreement(
        float((attention.argmax(dim=1) == most).double().mean()),
        float((ink.argmax(dim=1) == most).double().mean()),
        1 / changes.shape[1],
        float(_correlation(_ranks(changes), _ranks(attention)).mean()),
    )


def _ranks(values: Tensor) -> Tensor:
    return values.argsort(dim=-1).argsort(dim=-1).double()


def _correlation(a: Tensor, b: Tensor) -> Tensor:
    """Return Pearson's correlation along the last axis."""
    a, b = a - a.mean(dim=-1, keepdim=True), b - b.mean(dim=-1, keepdim=True)
    correlation: Tensor = (a * b).sum(dim=-1) / (a.norm(dim=-1) * b.norm(dim=-1))
    return correlation


@torch.no_grad()
def likeness(model: Any, start: Any = None) -> Tensor:
    """Return the cosine of each learned position with each other, `(N, N)`.

    With the model that the training started from, of what the training has added to each.
    """
    positions = model.positions[0] - (0 if start is None else start.positions[0])  # (N, D)
    directions: Tensor = F.normalize(positions, dim=-1)
    return directions @ directions.T


def neighbours(alike: Tensor) -> int:
    """Count the patches whose most alike other patch touches them, at a side or a corner."""
    others = alike - 3 * torch.eye(len(alike))  # cosines are from -1 to 1
    best, patches = others.argmax(dim=1), torch.arange(len(alike))
    down = (best // ACROSS - patches // ACROSS).abs()
    across = (best % ACROSS - patches % ACROSS).abs()
    return int((torch.maximum(down, across) <= 1).sum())


def grid_correlation(alike: Tensor) -> float:
    """Return the correlation of likeness `(N, N)` with distance on the grid, over all pairs of two patches."""
    patches = torch.arange(len(alike))
    places = torch.stack((patches // ACROSS, patches % ACROSS), dim=-1).double()  # (N, 2)
    pairs = torch.ones_like(alike).triu(1).bool()
    return float(_correlation(alike[pairs].double(), torch.cdist(places, places)[pairs]))
