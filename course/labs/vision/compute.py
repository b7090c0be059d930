"""From a drawing to what a Vision Transformer makes of it. Nothing here knows of widgets."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call

from course.labs.faults import InvalidSetting
from course.labs.settings_lab import check_whole
from course.system.threads import one_thread
from encoder_core.inspect.recording import record
from encoder_core.models.vision import patchify, unpatchify

__all__ = ["Reader", "Result", "Selection", "Settings", "occlude", "shuffle"]

SIDE, DARKEST = 8, 16  # pixels; a pixel's level is a whole number from 0 (paper) to 16 (ink)
CELLS = SIDE * SIDE
TRAINED, MOVED, OFF = "trained", "moved", "off"
POSITIONS = (TRAINED, MOVED, OFF)
MOST_SEEDS = 999
TOOLS = 3
COMPARED = 2000  # examples that a drawing is compared with

Prepare = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Settings:
    """What is computed.

    Attributes:
        example: the number of the example that the drawing began with.
        pixels: 64 levels, row by row; None is the example as it is.
        occluded: numbers of the patches that are grey, in the image's order.
        shuffled: whether the patches are read in another order.
        seed: of that order.
        positions: `"trained"`: each place of the sentence has its own, whatever patch stands there;
            `"moved"`: each patch takes the position of its place in the image along; `"off"`: patches
            have none (the class token keeps its own).
    """

    example: int = 0
    pixels: tuple[int, ...] | None = None
    occluded: tuple[int, ...] = ()
    shuffled: bool = False
    seed: int = 0
    positions: str = TRAINED


@dataclass(frozen=True)
class Selection:
    """What is looked at, and what is drawn with.

    `patch` and `query` are patches in the image's order; query -1 is the class token, or the mean of
    all patches where the model has none. `layer` and `head` count from 0, -1 for the mean of all.
    """

    patch: int = 0
    query: int = -1
    layer: int = -1
    head: int = -1
    tool: int = 0
    level: int = DARKEST


@dataclass(frozen=True)
class Result:
    """What is seen; N patches, L tokens.

    Attributes:
        levels: `(64,)`, the drawing.
        order: `(N,)`, which patch stands at each place of the sentence.
        chances: `(C,)`, the probability of each class.
        plain: `(C,)`, those of the drawing with every patch seen, in order, with its position.
        effects: `(N,)`, by how much the winner's probability changes if this patch is occluded too.
        weights: `(layers, H, L, L)`, the attention, in the sentence's order.
    """

    levels: NDArray[np.int64]
    order: NDArray[np.int64]
    chances: NDArray[np.float32]
    plain: NDArray[np.float32]
    effects: NDArray[np.float32]
    weights: NDArray[np.float32]

    @property
    def winner(self) -> int:
        """The likeliest class."""
        return int(self.chances.argmax())

    @property
    def has_class_token(self) -> bool:
        """Whether a class token stands before the patches."""
        return bool(self.weights.shape[-1] > len(self.order))

    def attention(self, layer: int, head: int, query: int) -> tuple[NDArray[np.float32], float]:
        """The weights of a query: those of the patches, `(N,)` in the image's order, and the class token's."""
        weights = self.weights if layer < 0 else self.weights[layer : layer + 1]
        weights = weights if head < 0 else weights[:, head : head + 1]
        mean = weights.mean(axis=(0, 1))  # (L, L)
        first = int(self.has_class_token)
        if query >= 0:
            row = mean[first + self.order.argsort()[query]]
        else:
            row = mean[0] if first else mean.mean(axis=0)
        return row[first:][self.order.argsort()], float(row[0]) if first else 0.0


class Reader:
    """Reads drawings with one model.

    Args:
        model: a Vision Transformer, or a module with its `patch`, `expected` and `positions`; put
            into eval mode.
        images: `(N, 8, 8)`, from 0 (paper) to 1 (ink).
        labels: the class of each, where it is known.
        prepare: `(B, 1, 8, 8)` pixels from 0 to 1 to what the model takes; as they are by default.

    Raises:
        ValueError: the images, the labels or the model do not fit.
    """

    def __init__(
        self,
        model: nn.Module,
        images: Tensor,
        labels: Sequence[int] | Tensor | None = None,
        prepare: Prepare | None = None,
    ) -> None:
        self.model: Any = model.eval()
        self.images = _checked(torch.as_tensor(images).float(), "images")  # (N, 8, 8)
        self.levels = (self.images.flatten(1) * DARKEST).round().long().numpy()  # (N, 64)
        self.labels = None if labels is None else [int(label) for label in labels]
        if self.labels is not None and len(self.labels) != len(self.images):
            raise ValueError(
                f"{len(self.labels)} labels for {len(self.images)} images; give each one."
            )
        self.prepare: Prepare = (lambda pixels: pixels) if prepare is None else prepare
        self.patch = _patch_of(model)
        self.across = SIDE // self.patch
        self.count = self.across**2  # N
        self.movable = isinstance(self.model.positions, nn.Parameter)
        self.grey = float(self.images.mean())  # of an occluded patch
        self.apart = _apart(self._points())  # at first, so that no stroke waits for it
        self.read = functools.lru_cache(maxsize=32)(self._read)
        self._plain = functools.lru_cache(maxsize=32)(self._read_plain)
        logits, weights = self._call(self.images[:1, None], None)
        self.classes, (self.layers, self.heads, tokens, _) = logits.shape[-1], weights.shape
        self.has_class_token = tokens > self.count

    def _read(self, asked: Settings) -> Result:
        """Read a drawing.

        Raises:
            InvalidSetting: no such example, level, patch, seed or positions.
        """
        self.check(asked)
        levels = self.drawn(asked)
        order = self.order(asked)
        image = torch.from_numpy(levels / DARKEST).float().reshape(1, 1, SIDE, SIDE)
        hidden = occlude(image, asked.occluded, self.patch, self.grey)
        batch = torch.cat([hidden, occlude_each(hidden, self.patch, self.grey)])  # (N + 1, ...)
        logits, weights = self._call(shuffle(batch, order, self.patch), self._table(asked, order))
        chances = logits.softmax(-1).numpy()  # (N + 1, C)
        winner = int(chances[0].argmax())
        effects = chances[1:, winner] - chances[0, winner]
        untouched = not (asked.occluded or asked.shuffled or asked.positions == OFF)
        plain = chances[0] if untouched else self._plain(tuple(levels.tolist()))
        return Result(levels, order, chances[0], plain, effects, weights)

    def _read_plain(self, levels: tuple[int, ...]) -> NDArray[np.float32]:
        """The probabilities `(C,)` of a drawing with every patch seen, in order."""
        image = torch.tensor(levels).float().reshape(1, 1, SIDE, SIDE) / DARKEST
        with one_thread(), torch.no_grad():
            logits: Tensor = self.model(self.prepare(image))
        return logits[0].softmax(-1).numpy()

    def _call(self, images: Tensor, table: Tensor | None) -> tuple[Tensor, NDArray[np.float32]]:
        """Logits `(B, C)` with these positions, and the attention in the first image, `(layers, H, L, L)`."""
        with one_thread(), torch.no_grad(), record(self.model) as recording:
            pixels = self.prepare(images)
            logits: Tensor = (
                self.model(pixels)
                if table is None
                else functional_call(self.model, {"positions": table}, (pixels,))
            )
        return logits, torch.stack([each[0] for each in recording.attention]).float().numpy()

    def _table(self, asked: Settings, order: NDArray[np.int64]) -> Tensor | None:
        """The positions `(1, L, D)` to use in the place of the model's; None to leave those."""
        if asked.positions == TRAINED:
            return None
        table: Tensor = self.model.positions.detach().clone()
        patches = table[:, -self.count :]  # (1, N, D), a view; before it stands the class token's
        patches.copy_(patches[:, order] if asked.positions == MOVED else torch.zeros(()))
        return table

    def check(self, asked: Settings) -> None:
        """Say in a sentence what can't be."""
        last = len(self.images) - 1
        check_whole(
            asked, {"example": (0, last, "The example"), "seed": (0, MOST_SEEDS, "The seed")}
        )
        if asked.pixels is not None and not (
            len(asked.pixels) == CELLS and all(0 <= level <= DARKEST for level in asked.pixels)
        ):
            raise InvalidSetting(f"A drawing must have {CELLS} levels from 0 to {DARKEST}.")
        if not all(0 <= each < self.count for each in asked.occluded):
            raise InvalidSetting(f"Patches are numbered from 0 to {self.count - 1}.")
        if asked.positions not in POSITIONS:
            raise InvalidSetting(f"The positions must be one of {', '.join(POSITIONS)}.")
        if asked.positions != TRAINED and not self.movable:
            raise InvalidSetting("This model has no table of learned positions, so they stay.")

    def drawn(self, asked: Settings) -> NDArray[np.int64]:
        """The levels `(64,)` of what is drawn."""
        if asked.pixels is None:
            example: NDArray[np.int64] = self.levels[asked.example]
            return example
        return np.array(asked.pixels, np.int64)

    def order(self, asked: Settings) -> NDArray[np.int64]:
        """Which patch `(N,)` stands at each place of the sentence."""
        order = np.arange(self.count)
        if not asked.shuffled:
            return order
        mixed = np.random.default_rng(asked.seed).permutation(self.count)
        return np.roll(order, 1) if (mixed == order).all() else mixed

    def nearest(self, levels: NDArray[np.int64]) -> tuple[int, float]:
        """The example that is most like a drawing, and its distance."""
        point = torch.from_numpy(levels / DARKEST).float()[None]
        distances = torch.cdist(point, self._points())[0]
        return int(distances.argmin()), float(distances.min())

    def _points(self) -> Tensor:
        return self.images[:COMPARED].flatten(1)  # (N, 64)


def _apart(points: Tensor) -> float:
    """The largest distance of a point from its nearest other one."""
    distances = torch.cdist(points, points).fill_diagonal_(torch.inf)  # (N, N)
    return float(distances.amin(dim=1).max()) if len(points) > 1 else 0.0


def occlude(images: Tensor, patches: Sequence[int], patch: int, grey: float) -> Tensor:
    """Paint patches grey.

    Args:
        images: `(B, 1, height, width)`; they stay as they are.
        patches: their numbers, row by row.
        patch: the side of one, in pixels.
        grey: from 0 to 1.

    >>> occlude(torch.zeros(1, 1, 2, 2), [1, 2], patch=1, grey=0.5).tolist()
    [[[[0.0, 0.5], [0.5, 0.0]]]]
    """
    cut = patchify(
        images, patch
    ).clone()  # (B, N, P * P); patches of one pixel are the image itself
    cut[:, list(patches)] = grey
    return unpatchify(cut, patch, *images.shape[-2:])


def occlude_each(image: Tensor, patch: int, grey: float) -> Tensor:
    """Paint one patch grey, another in each copy of an image `(1, 1, height, width)`: `(N, 1, height, width)`.

    >>> occlude_each(torch.zeros(1, 1, 1, 2), patch=1, grey=0.5).tolist()
    [[[[0.5, 0.0]]], [[[0.0, 0.5]]]]
    """
    cut = patchify(image, patch)  # (1, N, P * P)
    count = cut.shape[1]
    copies = cut.repeat(count, 1, 1)  # (N, N, P * P)
    copies.diagonal().fill_(grey)  # of the first two axes: patch i of copy i
    return unpatchify(copies, patch, *image.shape[-2:])


def shuffle(images: Tensor, order: Sequence[int] | NDArray[np.int64], patch: int) -> Tensor:
    """Put patches into another order: place j gets patch `order[j]`.

    >>> shuffle(torch.arange(4.0).reshape(1, 1, 2, 2), [3, 0, 1, 2], patch=1).tolist()
    [[[[3.0, 0.0], [1.0, 2.0]]]]
    """
    cut = patchify(images, patch)  # (B, N, P * P)
    return unpatchify(cut[:, list(order)], patch, *images.shape[-2:])


def _checked(images: Tensor, called: str) -> Tensor:
    if images.ndim != 3 or images.shape[1:] != (SIDE, SIDE) or len(images) == 0:
        raise ValueError(
            f"The {called} must be a tensor (N, {SIDE}, {SIDE}) with at least one; got "
            f"{tuple(images.shape)}."
        )
    if not (images.min() >= 0 and images.max() <= 1):
        low, high = float(images.min()), float(images.max())
        raise ValueError(
            f"The {called} must lie between 0 (paper) and 1 (ink); these lie between {low:g} and "
            f"{high:g}. Divide scikit-learn's digits by 16."
        )
    return images


def _patch_of(model: nn.Module) -> int:
    """The side of the model's patches."""
    for name in ("patch", "expected", "positions"):
        if not hasattr(model, name):
            raise ValueError(
                f"The model should be a VisionTransformer; {type(model).__name__} has no `{name}`."
            )
    expected, patch = tuple(model.expected), int(model.patch)  # type: ignore[arg-type]
    if expected[-2:] != (SIDE, SIDE) or SIDE % patch:
        raise ValueError(
            f"The model should read images of {SIDE} x {SIDE} pixels; it reads {expected[1:]} in "
            f"patches of {patch}."
        )
    return patch
