"""How fast the columns of a table of positions turn: read from the table itself."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from course.checking.exercise import Case
from course.checking.exercise.wording import rows_told_apart, same

_LENGTH, _WIDTH = 48, 8


def finds(function: Callable[[int, int], Tensor], failed: Sequence[Case]) -> list[str]:
    """The columns as waves, A sin(w p + phase): which has another w, A or phase than it should."""
    table = function(_LENGTH, _WIDTH).double()
    if table.shape != (_LENGTH, _WIDTH):
        return []
    if _faster_and_faster(table):
        return [
            "the angles are position * 10000^(2i/D), and should be position / 10000^(2i/D): the waves get faster "
            "from pair to pair, and not slower"
        ]
    speeds = [_speed(column) for column in table.T]
    wanted = [10000.0 ** (-2 * (c // 2) / _WIDTH) for c in range(_WIDTH)]
    if any(speed is None for speed in speeds):
        return []
    pairs = list(zip(speeds, wanted, strict=True))
    if all(speed is not None and math.isclose(speed, w, rel_tol=1e-2) for speed, w in pairs):
        return _of_phases(table, wanted)
    came, right = rows_told_apart([w for w in speeds if w is not None], wanted)
    return [
        f"with width {_WIDTH}, the angles of the columns grow by ({came}) from one position to the next, "
        f"and should by ({right})"
    ]


def _faster_and_faster(table: Tensor) -> bool:
    """Whether the exponent's sign is wrong: seen at position 1, before rounding blurs fast waves."""
    columns = torch.arange(_WIDTH)
    angle = 10000.0 ** (2 * (columns // 2) / _WIDTH).double()
    wanted = torch.where(columns % 2 == 0, angle.sin(), angle.cos())
    return bool(torch.allclose(table[1], wanted, 0.0, 1e-3))


def _speed(column: Tensor) -> float | None:
    """The w of a wave, from s(p + 1) + s(p - 1) = 2 cos(w) s(p); None where it is no wave."""
    inner, around = column[1:-1], column[2:] + column[:-2]
    square = (inner * inner).sum()
    if square < 1e-12:
        return None
    cosine = ((inner * around).sum() / square / 2).item()
    if abs(cosine) > 1.0 + 1e-6 or not _nearly(2 * cosine * inner, around):
        return None
    # For slow waves the cosine has lost its digits; the differences have not.
    turns = column[1:] - column[:-1]
    bend = column[2:] - 2 * inner + column[:-2]
    sine = math.sqrt(max(0.0, -(inner * bend).sum().item() / square.item())) / 2
    return 2 * math.asin(min(1.0, sine)) if turns.any() else 0.0


def _nearly(one: Tensor, other: Tensor) -> bool:
    return bool(torch.allclose(one, other, 0.0, 1e-5))


def _of_phases(table: Tensor, speeds: Sequence[float]) -> list[str]:
    """What the columns are, where they turn as they should."""
    position = torch.arange(_LENGTH, dtype=torch.float64)
    for c, speed in enumerate(speeds):
        waves = torch.stack(((speed * position).sin(), (speed * position).cos()), -1)
        found = torch.linalg.lstsq(waves, table[:, c : c + 1]).solution.squeeze(-1)
        wanted = torch.tensor([1.0, 0.0] if c % 2 == 0 else [0.0, 1.0], dtype=torch.float64)
        if speed > 0.01 and not torch.allclose(found, wanted, 0.0, 1e-3):
            sine, cosine = found.tolist()
            name = "sin(angle)" if c % 2 == 0 else "cos(angle)"
            return [f"column {c} is {_sum(sine, cosine)}, and should be {name}"]
    return []


def _sum(sine: float, cosine: float) -> str:
    parts = [(sine, "sin(angle)"), (cosine, "cos(angle)")]
    said = [f"{factor:.3g} {name}" for factor, name in parts if abs(factor) > 1e-3]
    return " + ".join(said) or "0"


def turns(function: Callable[..., Tensor], failed: Sequence[Case]) -> list[str]:
    """Of rotary positions: by which angle each pair of neighbours is turned at position 1."""
    x = torch.eye(_WIDTH, dtype=torch.float64)[0::2].unsqueeze(1)  # each pair's first number alone
    made = function(x.clone(), torch.tensor([1]))
    if made.shape != x.shape:
        return []
    pairs = made.reshape(len(x), -1, 2)  # (number that is 1, pair, 2)
    own = pairs.diagonal(dim1=0, dim2=1).T  # (pair, 2)
    if not same(pairs.square().sum(), own.square().sum()):
        places = made[1, 0].abs().gt(1e-9).nonzero().flatten().tolist()
        return [
            f"a vector whose only number stands at place 2 has its numbers at {places} after the turn, and "
            "should at [2, 3]: the pairs are neighbours, (0, 1), (2, 3) and so on"
        ]
    angles = torch.atan2(own[:, 1], own[:, 0])
    right = 10000.0 ** (-torch.arange(0, _WIDTH, 2, dtype=torch.float64) / _WIDTH)
    if same(angles, right):
        return []
    came, wanted = rows_told_apart(angles.tolist(), right.tolist())
    return [
        f"with width {_WIDTH}, the pairs turn by ({came}) at position 1, and should by ({wanted})"
    ]
