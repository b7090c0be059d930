"""Where each token stands: sinusoidal and learned positions, added to the token vectors.

Without them an encoder does not know the order of its input. Rotary positions act inside of the
attention instead; they have a file of their own and are re-exported here.

Sources: Vaswani et al. 2017, "Attention Is All You Need", section 3.5; Devlin et al. 2019, "BERT",
section 3 (learned positions); Liu et al. 2019, "RoBERTa", whose code (fairseq, `make_positions`)
counts from after padding_idx; Press et al. 2022, "Train Short, Test Long" (ALiBi), section 3.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from encoder_core.checks import may_be_kept
from encoder_core.rotary import Pairing as Pairing
from encoder_core.rotary import Rotary as Rotary
from encoder_core.rotary import half_to_interleaved as half_to_interleaved
from encoder_core.rotary import interleaved_to_half as interleaved_to_half
from encoder_core.rotary import rotary as rotary
from encoder_core.rotary import rotary_angles as rotary_angles
from encoder_core.rotary import rotate_interleaved as rotate_interleaved

__all__ = [
    "LearnedPositions",
    "SinusoidalPositions",
    "alibi_bias",
    "alibi_slopes",
    "positions_from_ids",
    "sinusoidal_positions",
]


def sinusoidal_positions(
    length: int,
    d_model: int,
    base: float = 10000.0,
    *,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
) -> Tensor:
    """Make the table of sines and cosines, `(length, d_model)`: one wave for each pair of columns.

    Column c holds, with i = c // 2, the sine (c even) or cosine (c odd) of
    `position / base**(2i / d_model)`. Two columns share a wave: the exponent counts pairs, not
    columns. An odd `d_model` ends with a sine whose cosine has no room. The longest wave has nearly
    `2 pi * base` positions. Computed in float64 on the CPU, so that every device gets the same
    numbers.

    Raises:
        ValueError: `length` is negative or `d_model` is less than 1.

    >>> sinusoidal_positions(2, 3)
    tensor([[0.0000, 1.0000, 0.0000],
            [0.8415, 0.5403, 0.0022]])
    """
    if length < 0 or d_model < 1:
        raise ValueError(f"Need length >= 0 and d_model >= 1, got {length} and {d_model}.")
    position = torch.arange(length, dtype=torch.float64, device="cpu")[:, None]  # (length, 1)
    pair = torch.arange(0, d_model, 2, dtype=torch.float64, device="cpu")  # 2i, (ceil(D / 2),)
    angle = position / base ** (pair / d_model)  # (length, ceil(D / 2))
    table = torch.empty(length, d_model, dtype=torch.float64, device="cpu")
    table[:, 0::2] = angle.sin()
    table[:, 1::2] = angle[:, : d_model // 2].cos()
    return table.to(device=device, dtype=dtype or torch.get_default_dtype())


class SinusoidalPositions(nn.Module):
    """Add sinusoidal positions. No parameters, nothing in the state dict, no longest length.

    Shapes: x `(..., S, D)` to the same; `offset` is the position of the first row.
    """

    def __init__(self, d_model: int, base: float = 10000.0) -> None:
        super().__init__()
        self.d_model, self.base = d_model, base
        self._table = sinusoidal_positions(0, d_model, base)

    def forward(self, x: Tensor, offset: int = 0) -> Tensor:
        """Add the positions `offset .. offset + S - 1` to `(..., S, D)`."""
        length = offset + x.shape[-2]
        table = self._table
        keep = may_be_kept(x)
        fits = table.shape[0] >= length and table.device == x.device and table.dtype == x.dtype
        if not (fits and keep):
            table = sinusoidal_positions(
                max(length, 64), self.d_model, self.base, device=x.device, dtype=x.dtype
            )
            self._table = table if keep else self._table
        return x + table[offset:length]  # (..., S, D) + (S, D)


def positions_from_ids(ids: Tensor, padding_idx: int) -> Tensor:
    """Number the real tokens of `(..., S)` from `padding_idx + 1` on; padding gets `padding_idx`.

    RoBERTa's way: its position table keeps the rows up to `padding_idx` unused, so the first token
    of a text stands at row 2 where padding_idx is 1.

    >>> positions_from_ids(torch.tensor([[0, 7, 8, 1, 1]]), padding_idx=1)
    tensor([[2, 3, 4, 1, 1]])
    """
    real = ids.ne(padding_idx).long()
    return real.cumsum(-1) * real + padding_idx


class LearnedPositions(nn.Embedding):
    """Add a learned vector for each position, up to a longest length.

    `std` is the initial values' (BERT: 0.02). A position past `max_length` raises ValueError.

    Shapes: x `(..., S, D)` to the same; `offset` is the position of the first row.
    State-dict key: `weight` `(max_length, D)`.
    """

    def __init__(self, max_length: int, d_model: int, std: float = 0.02) -> None:
        self.std = std
        super().__init__(max_length, d_model)

    def reset_parameters(self) -> None:
        """Draw fresh values from N(0, std^2)."""
        nn.init.normal_(self.weight, std=self.std)

    def forward(self, x: Tensor, offset: int = 0) -> Tensor:
        """Add the positions `offset .. offset + S - 1` to `(..., S, D)`."""
        length = offset + x.shape[-2]
        if length > self.num_embeddings:
            raise ValueError(
                f"This model has learned {self.num_embeddings} positions, but the input has "
                f"{length} tokens. Cut the input, or make the model with a larger max_length."
            )
        return x + self.weight[offset:length]  # (..., S, D) + (S, D)


def alibi_slopes(nhead: int) -> Tensor:
    """Return each head's slope, `(H,)`: a geometric sequence from `2**(-8/H)` down to `2**-8`.

    Where H is no power of two: the slopes of the next smaller power, then every other one of
    those of the next larger. H below 1 raises ValueError.

    >>> alibi_slopes(4).tolist()
    [0.25, 0.0625, 0.015625, 0.00390625]
    """
    if nhead < 1:
        raise ValueError(f"nhead must be at least 1, got {nhead}.")
    power = 2 ** math.floor(math.log2(nhead))
    slopes = [2 ** (-8 * (i + 1) / power) for i in range(power)]
    larger = [2 ** (-8 * (i + 1) / (2 * power)) for i in range(2 * power)]
    return torch.tensor(slopes + larger[0::2][: nhead - power])  # (H,)


def alibi_bias(
    nhead: int,
    query_length: int,
    key_length: int | None = None,
    *,
    offset: int = 0,
    device: torch.device | str | None = None,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Make the additive mask `(H, L, S)`: `-slope * |position of query - position of key|`.

    It blocks nothing: a decoder blocks the future with a causal mask beside it, where the absolute
    value no longer matters. Add it to the scores before the softmax, after the scaling. `offset`
    is the position of the first query (the number of cached tokens); keys start at 0.

    >>> alibi_bias(nhead=1, query_length=3)[0] * 256
    tensor([[ 0., -1., -2.],
            [-1.,  0., -1.],
            [-2., -1.,  0.]])
    """
    key_length = offset + query_length if key_length is None else key_length
    queries = torch.arange(offset, offset + query_length, device=device)
    keys = torch.arange(key_length, device=device)
    distance = (queries[:, None] - keys[None, :]).abs()  # (L, S)
    slopes = alibi_slopes(nhead).to(device)
    return (-slopes[:, None, None] * distance).to(dtype) + 0.0  # (H, L, S); + 0.0 turns -0. to 0.
