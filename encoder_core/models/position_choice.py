"""What the name of a kind of positions stands for, in every model that is built by name.

- Added to the token vectors: `"sinusoidal"`, `"learned"`.
- Turning queries and keys: `"rotary"`.
- Added to the scores: `"alibi"`, which is fixed; `"relative"`, a trainable table for each layer
  that starts with ALiBi's numbers; `"t5"`, a trainable table for each layer, zero at the start.
- `"none"`.

Two that act at different places can be joined: `"sinusoidal+relative"`.

Sources: those of `positions`, `rotary` and `relative`.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from encoder_core.positions import LearnedPositions, SinusoidalPositions
from encoder_core.relative import AlibiBias, RelativeBias, T5Bias
from encoder_core.rotary import Rotary

__all__ = ["POSITION_KINDS", "PositionChoice", "read_positions"]

_ADDED, _TURNED, _BIASES = ("sinusoidal", "learned"), ("rotary",), ("alibi", "relative", "t5")
POSITION_KINDS = (*_ADDED, "none", *_TURNED, *_BIASES)


@dataclass(frozen=True)
class PositionChoice:
    """The kinds of positions that a name asks for, at most one of each sort."""

    added: str | None = None  # to the token vectors
    turned: str | None = None  # queries and keys
    bias: str | None = None  # of the scores

    def make_added(self, d_model: int, max_length: int, std: float = 0.02) -> nn.Module | None:
        """Make what is added to `(B, S, D)`; `std` and `max_length` are those of learned ones."""
        if self.added == "learned":
            return LearnedPositions(max_length, d_model, std)
        return SinusoidalPositions(d_model) if self.added else None

    def make_rotary(self, head_dim: int) -> nn.Module | None:
        """Make what turns queries and keys `(B, H, S, Dh)`."""
        return Rotary(head_dim) if self.turned else None

    def make_bias(self, nhead: int, causal: bool = False) -> nn.Module | None:
        """Make what is added to the scores of one attention; `causal` in a decoder."""
        if self.bias == "t5":
            return T5Bias(nhead, bidirectional=not causal)
        kinds = {"alibi": AlibiBias, "relative": RelativeBias}
        return kinds[self.bias](nhead) if self.bias else None


def read_positions(name: str) -> PositionChoice:
    """Read a name such as `"relative"` or `"sinusoidal+relative"`.

    Raises:
        ValueError: an unknown kind, or two of one sort.

    >>> read_positions("sinusoidal+relative")
    PositionChoice(added='sinusoidal', turned=None, bias='relative')
    """
    parts = name.split("+")
    unknown = [part for part in parts if part not in POSITION_KINDS]
    if unknown or (len(parts) > 1 and "none" in parts):
        raise ValueError(
            f"positions must be one of {', '.join(POSITION_KINDS)}, or two of different sorts joined, such "
            f"as sinusoidal+relative; got {name!r}."
        )
    sorts = [[part for part in parts if part in sort] for sort in (_ADDED, _TURNED, _BIASES)]
    for sort in sorts:
        if len(sort) > 1:
            raise ValueError(f"positions={name!r} joins two of one sort: choose one of {sort}.")
    added, turned, bias = (sort[0] if sort else None for sort in sorts)
    return PositionChoice(added, turned, bias)
