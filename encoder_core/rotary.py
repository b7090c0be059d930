"""Rotary positions: queries and keys turned by an angle that grows with their position.

A turn keeps the length of a vector, and the product of two turned vectors depends only on how
far they are apart. Which two coordinates make the plane that is turned is a matter of convention,
and the two in use give different numbers from the same weights:

- `"interleaved"`: neighbours, `(x[2i], x[2i+1])`. The RoFormer paper, GPT-J.
- `"half"`: first half with second half, `(x[i], x[i + Dh/2])`. GPT-NeoX, Llama, ModernBERT, and
  all of Hugging Face's `rotate_half`.

`interleaved_to_half` reorders the one into the other, so that either's weights can be used.

Source: Su et al. 2021, "RoFormer: Enhanced Transformer with Rotary Position Embedding",
sections 3.2 and 3.4, equations 13, 15 and 34.
"""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor, nn

from encoder_core.checks import may_be_kept

# `rotary` has its file's name, which would hide the file in the package: it is not listed.
__all__ = [
    "Pairing",
    "Rotary",
    "half_to_interleaved",
    "interleaved_to_half",
    "rotary_angles",
    "rotate_interleaved",
]

Pairing = Literal["interleaved", "half"]


def rotary_angles(positions: Tensor, head_dim: int, base: float = 10000.0) -> Tensor:
    """Return each plane's angle at positions `(...)`: `position * base**(-2i / Dh)` (equation 15).

    In radians, `(..., Dh / 2)`, float64 for float64 positions and float32 otherwise: in half
    precision whole positions above 256 (bfloat16) or 2048 (float16) would not even be distinct.
    The larger `base`, the slower the last planes turn. An odd Dh raises ValueError.

    >>> rotary_angles(torch.arange(2), head_dim=4)
    tensor([[0.0000, 0.0000],
            [1.0000, 0.0100]])
    """
    if head_dim % 2:
        raise ValueError(
            f"Rotary positions turn pairs of coordinates, so head_dim must be even; got {head_dim}."
        )
    exponents = torch.arange(0, head_dim, 2, dtype=torch.float64, device="cpu") / head_dim
    dtype = torch.float64 if positions.dtype == torch.float64 else torch.float32
    rates = (base**-exponents).to(device=positions.device, dtype=dtype)  # (Dh / 2,)
    return positions.to(dtype)[..., None] * rates  # (..., Dh / 2)


def rotate_interleaved(x: Tensor, positions: Tensor, base: float = 10000.0) -> Tensor:
    """Turn neighbouring coordinates, written out plane by plane (equation 13). The form to read.

    Each pair `(a, b) = (x[2i], x[2i+1])` becomes `(a cos t - b sin t, a sin t + b cos t)`. Shapes
    and errors as in `rotary`.

    >>> rotate_interleaved(torch.tensor([[1.0, 0.0]]), torch.tensor([torch.pi / 2])).round()
    tensor([[-0., 1.]])
    """
    if x.dtype == torch.float64:
        positions = positions.double()
    angles = rotary_angles(positions, x.shape[-1], base)  # (..., S, Dh / 2)
    cos, sin = angles.cos(), angles.sin()
    a, b = x[..., 0::2], x[..., 1::2]  # (..., S, Dh / 2) each
    turned = torch.stack((a * cos - b * sin, a * sin + b * cos), dim=-1)  # (..., S, Dh / 2, 2)
    return turned.flatten(-2).to(x.dtype)  # (..., S, Dh)


def rotary(
    x: Tensor, positions: Tensor, base: float = 10000.0, pairing: Pairing = "interleaved"
) -> Tensor:
    """Turn queries or keys `(..., S, Dh)` by their positions, `(S,)` or `(..., S)`.

    Angles and products are float32, or float64 where x is; the result has the dtype of x.

    Raises:
        ValueError: Dh is odd, or `pairing` is neither of the two.

    >>> x, positions = torch.ones(3, 4), torch.arange(3)
    >>> turned = rotary(x, positions, pairing="half")
    >>> back = half_to_interleaved(turned)
    >>> torch.allclose(back, rotary(half_to_interleaved(x), positions))
    True
    """
    _require_pairing(pairing)
    if x.dtype == torch.float64:
        positions = positions.double()
    angles = rotary_angles(positions, x.shape[-1], base)  # (..., S, Dh / 2)
    return _turn(x, angles.cos(), angles.sin(), pairing)


def _require_pairing(pairing: str) -> None:
    if pairing not in get_args(Pairing):
        raise ValueError(f"pairing must be 'interleaved' or 'half', got {pairing!r}.")


def _turn(x: Tensor, cos: Tensor, sin: Tensor, pairing: Pairing) -> Tensor:
    """Apply x * cos + (x turned a quarter) * sin, which is equation 34; cos, sin `(..., Dh/2)`."""
    if pairing == "half":
        a, b = x.chunk(2, dim=-1)  # (..., S, Dh / 2) each
        quarter = torch.cat((-b, a), dim=-1)  # (..., S, Dh)
        cos, sin = torch.cat((cos, cos), dim=-1), torch.cat((sin, sin), dim=-1)  # (..., S, Dh)
    else:
        a, b = x[..., 0::2], x[..., 1::2]  # (..., S, Dh / 2) each
        quarter = torch.stack((-b, a), dim=-1).flatten(-2)  # (..., S, Dh)
        cos = cos.repeat_interleave(2, dim=-1)  # (..., S, Dh)
        sin = sin.repeat_interleave(2, dim=-1)  # (..., S, Dh)
    return (x * cos + quarter * sin).to(x.dtype)


def interleaved_to_half(x: Tensor) -> Tensor:
    """Reorder the last axis, `(..., Dh)`: the even coordinates, then the odd ones.

    Turning `x` interleaved and then reordering is the same as reordering and then turning by
    halves. Applied to the output features of a query and key projection it converts the weights.

    >>> interleaved_to_half(torch.arange(6))
    tensor([0, 2, 4, 1, 3, 5])
    """
    return torch.cat((x[..., 0::2], x[..., 1::2]), dim=-1)  # (..., Dh)


def half_to_interleaved(x: Tensor) -> Tensor:
    """Undo `interleaved_to_half` in `(..., Dh)`."""
    return torch.stack(x.chunk(2, dim=-1), dim=-1).flatten(-2)  # (..., Dh)


class Rotary(nn.Module):
    """Rotary positions with their cosines and sines kept between calls; it has no parameters.

    An odd Dh raises ValueError.

    Shapes: x `(..., S, Dh)` to the same; `offset` is the position of the first row (the number of
    tokens already in a key/value cache).
    """

    def __init__(
        self, head_dim: int, base: float = 10000.0, pairing: Pairing = "interleaved"
    ) -> None:
        super().__init__()
        _require_pairing(pairing)
        rotary_angles(torch.zeros(1), head_dim, base)  # complains here of an odd head_dim
        self.head_dim, self.base, self.pairing = head_dim, base, pairing
        self._table: tuple[Tensor, Tensor] | None = None

    def forward(self, x: Tensor, offset: int = 0) -> Tensor:
        """Turn `(..., S, Dh)` by the positions `offset .. offset + S - 1`."""
        cos, sin = self._cos_sin(offset + x.shape[-2], x)
        return _turn(x, cos[offset:], sin[offset:], self.pairing)

    def _cos_sin(self, length: int, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return cosines and sines `(length, Dh / 2)` on x's device, in at least float32."""
        dtype = torch.float64 if x.dtype == torch.float64 else torch.float32
        table, keep = self._table, may_be_kept(x)
        if (
            table is None
            or not keep
            or table[0].shape[0] < length
            or table[0].device != x.device
            or table[0].dtype != dtype
        ):
            with torch.inference_mode(False):  # a table first made in there must serve training too
                positions = torch.arange(max(length, 64), device=x.device, dtype=dtype)
                angles = rotary_angles(positions, self.head_dim, self.base)  # (length, Dh / 2)
                table = (angles.cos(), angles.sin())
                self._table = table if keep else self._table
        return table[0][:length], table[1][:length]
