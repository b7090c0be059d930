"""From a kind of position to its table, to the similarity of positions, and to turning pairs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from course.labs.own_functions import (
    InvalidSetting,
    Own,
    OwnFailed,
    call_own,
    check_one_of,
    check_whole,
)
from course.system.threads import one_thread
from encoder_core.positions import rotary, sinusoidal_positions
from encoder_core.pretrained.minilm import load_minilm

Floats = NDArray[np.float32]
KINDS = ("none", "sinusoidal", "learned", "rotary")
BASES = (10, 30, 100, 300, 1000, 3000, 10000, 30000, 100000, 1000000)
SHOWN_COLUMNS = 128
LONGEST = 128
PAIRS = 8  # that are seen turning
_USUAL_BASE = 10000


@dataclass(frozen=True)
class Settings:
    """What is set in the position lab.

    Attributes:
        kind: `"none"`, `"sinusoidal"`, `"learned"` (MiniLM's table) or `"rotary"`.
        d_model: columns of the table; for rotary the width of a head, even.
        base: the longest wave has nearly `2 pi * base` positions.
        length: how many positions.
    """

    kind: str = "sinusoidal"
    d_model: int = 64
    base: int = _USUAL_BASE
    length: int = 64


@dataclass(frozen=True)
class Selection:
    """A position, another one that it is compared with, and a column of the table, from 0."""

    position: int = 8
    other: int = 24
    column: int = 0


@dataclass(frozen=True)
class Positions:
    """What the lab draws; P positions, D columns.

    Attributes:
        table: `(P, D)`. With rotary: the vector 1, 0, 1, 0, ... turned at each position.
        similarity: `(P, P)`. Cosines of the table's rows. With rotary that is the product of a
            query at one position with the same vector as key at another, as a share of the
            largest; with none it is 1: nothing tells the same token at two places apart.
        turned: `(P, 2)` numbers of each of some pairs of columns, `(pairs, P, 2)`: where on its
            circle each pair stands at each position.
        pairs: which pairs those are.
    """

    table: Floats
    similarity: Floats
    turned: Floats
    pairs: tuple[int, ...]


def check_settings(asked: Settings) -> None:
    """Say in a sentence what cannot be.

    Raises:
        InvalidSetting: the first setting that cannot be.
    """
    check_one_of(asked.kind, KINDS, "The kind")
    limits = {"d_model": (2, 512, "d_model"), "length": (2, LONGEST, "The length")}
    check_whole(asked, {**limits, "base": (2, 10_000_000, "The base")})
    if asked.kind == "rotary" and asked.d_model % 2:
        raise InvalidSetting(
            f"d_model = {asked.d_model} is odd: rotary positions turn pairs of numbers. "
            f"The next that fits is {asked.d_model + 1}."
        )


def compute(asked: Settings, own: Own) -> Positions:
    """Make the table and compare its rows.

    Raises:
        InvalidSetting: the settings cannot be.
        OwnFailed: the learner's function failed.

    >>> compute(Settings(length=3, d_model=4), {}).table.round(2).tolist()[1]
    [0.8399999737739563, 0.5400000214576721, 0.009999999776482582, 1.0]
    """
    check_settings(asked)
    with one_thread(), torch.no_grad():
        table = _table(asked, own)
        rows = table / table.norm(dim=-1, keepdim=True).clamp(min=1e-12)  # (P, D)
        similarity = rows @ rows.T  # (P, P)
        if asked.kind == "none":
            similarity = torch.ones_like(similarity)  # a token is the same vector everywhere
    pairs = shown_pairs(table.shape[1])
    columns = torch.tensor([[2 * pair, 2 * pair + 1] for pair in pairs])  # (pairs, 2)
    turned = table[:, columns].transpose(0, 1) if pairs else table.new_zeros(0, len(table), 2)
    return Positions(table.numpy(), similarity.numpy(), turned.numpy(), pairs)


def shown_pairs(d_model: int) -> tuple[int, ...]:
    """Up to `PAIRS` pairs of columns, evenly from the fastest to the slowest."""
    count = d_model // 2
    return (
        tuple(sorted({round(i * (count - 1) / (PAIRS - 1)) for i in range(PAIRS)})) if count else ()
    )


def _table(asked: Settings, own: Own) -> Tensor:
    if asked.kind == "none":
        return torch.zeros(asked.length, asked.d_model)
    if asked.kind == "learned":
        return _learned()[: asked.length]
    if asked.kind == "sinusoidal":
        return _sinusoidal(asked, own)
    x = torch.tensor([1.0, 0.0]).repeat(asked.length, asked.d_model // 2)  # (P, D)
    positions = torch.arange(asked.length)
    if "rotary" not in own:
        return rotary(x, positions, float(asked.base))
    made = call_own("rotary", own["rotary"], x, positions, float(asked.base))
    return _checked("rotary", made, asked)


def _sinusoidal(asked: Settings, own: Own) -> Tensor:
    """The learner's table; it has no base, so with another one than 10,000 ours stands in."""
    if "sinusoidal" not in own or asked.base != _USUAL_BASE:
        return sinusoidal_positions(asked.length, asked.d_model, float(asked.base)).float()
    made = call_own("sinusoidal", own["sinusoidal"], asked.length, asked.d_model)
    return _checked("sinusoidal", made, asked)


def _checked(name: str, made: Any, asked: Settings) -> Tensor:
    if not isinstance(made, Tensor):
        raise OwnFailed(f"Your {name} returned {type(made).__name__}; expected a tensor.")
    if tuple(made.shape) != (asked.length, asked.d_model):
        raise OwnFailed(
            f"Your {name} returned the shape {tuple(made.shape)}; expected "
            f"{(asked.length, asked.d_model)}: positions, then columns."
        )
    if not bool(made.isfinite().all()):
        raise OwnFailed(f"Your {name} returned NaN or infinity.")
    return made.detach().to("cpu", torch.float32)


@lru_cache(maxsize=1)
def _learned() -> Tensor:
    """MiniLM's position table, `(512, 384)`."""
    weight: Tensor = load_minilm()[0].embeddings.position.weight
    return weight.detach()


def by_distance(similarity: Floats) -> tuple[Floats, Floats, Floats]:
    """The mean, the least and the largest similarity at each distance 0 .. P-1.

    >>> by_distance(np.array([[1.0, 0.5, 0.0], [0.5, 1.0, 0.1], [0.0, 0.1, 1.0]], np.float32))[0]
    array([1. , 0.3, 0. ], dtype=float32)
    """
    size = len(similarity)
    places, first = _diagonals(size)
    pairs = similarity.reshape(-1)[places]  # the diagonals, one after the other
    sums = np.add.reduceat(pairs, first, dtype=np.float64)
    return (
        (sums / np.arange(size, 0, -1)).astype(np.float32),
        np.minimum.reduceat(pairs, first),
        np.maximum.reduceat(pairs, first),
    )


@lru_cache(maxsize=4)
def _diagonals(size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where the cells of the diagonals 0 .. P-1 of `(P, P)` lie, and where each diagonal begins."""
    lengths = np.arange(size, 0, -1)
    first = np.concatenate([[0], lengths.cumsum()[:-1]])
    row = np.arange(lengths.sum()) - first.repeat(lengths)  # 0 .. P-1, 0 .. P-2, ...
    return row * (size + 1) + np.arange(size).repeat(lengths), first
