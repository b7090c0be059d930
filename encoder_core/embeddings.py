"""From token numbers to vectors: token and segment embeddings.

A table lookup is the product with a one-hot vector, done without the multiplications by zero:
`one_hot_lookup` is the form to read, `lookup` the one that runs. Positions, added to these
vectors, are in `encoder_core.positions`, the way back from vectors to tokens in
`encoder_core.tied`.

Sources: Vaswani et al. 2017, "Attention Is All You Need", section 3.4 (the table and its scale by
the root of d_model) and 5.4 (dropout on the sums); Devlin et al. 2019, "BERT", section 3 and figure
2 (token + segment + position), appendix A.2 and its code (standard deviation 0.02).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = [
    "InputEmbedding",
    "TokenEmbedding",
    "initialise_embedding",
    "lookup",
    "one_hot_lookup",
]


def one_hot_lookup(weight: Tensor, ids: Tensor) -> Tensor:
    """Look vectors up as a product of one-hot rows and the table. The form to read.

    `weight` `(V, D)` and int64 ids `(...)` in `[0, V)` to `(..., D)`, differentiable in `weight`.

    Raises:
        RuntimeError: an id is not in `[0, V)` (from `F.one_hot`).

    >>> one_hot_lookup(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([1, 0, 1]))
    tensor([[3., 4.],
            [1., 2.],
            [3., 4.]])
    """
    one_hot = F.one_hot(ids, num_classes=weight.shape[0])  # (..., V)
    return one_hot.to(weight.dtype) @ weight  # (..., V) @ (V, D) -> (..., D)


def lookup(weight: Tensor, ids: Tensor) -> Tensor:
    """Look vectors `(..., D)` up by indexing, as `one_hot_lookup`. The form that runs.

    Raises:
        IndexError: an id is not in `[0, V)`.
    """
    return F.embedding(ids, weight)


@torch.no_grad()
def initialise_embedding(weight: Tensor, std: float, padding_idx: int | None = None) -> Tensor:
    """Fill a table `(V, D)` with N(0, std^2), in place, and zero the row of padding again.

    The order matters: `nn.init.normal_` alone, on an `nn.Embedding`, overwrites the zeros of
    `padding_idx` (pytorch issue 6411), and since that row gets no gradient, nothing ever restores
    them. Returns `weight` itself.
    """
    nn.init.normal_(weight, std=std)
    if padding_idx is not None:
        weight[padding_idx].zero_()
    return weight


class TokenEmbedding(nn.Embedding):
    """A table with one vector for each token; an `nn.Embedding` that keeps padding at zero.

    Args:
        padding_idx: the id of padding. Its row is zero and gets no gradient from the lookup.
        scale: multiply by the root of D, as the original Transformer does and BERT does not.
        std: standard deviation of the initial values; None means 1 over the root of D with
            `scale` (so that the result has unit variance) and 0.02 without (BERT's).

    Shapes: ids `(...)` to `(..., D)`. State-dict key: `weight` `(V, D)`.

    Raises:
        IndexError: an id is not in `[0, V)`.

    >>> embedding = TokenEmbedding(vocab_size=5, d_model=4, padding_idx=0)
    >>> embedding(torch.tensor([0])).abs().sum().item()
    0.0
    """

    def __init__(
        self,
        vocab_size: int,
        d_model: int,
        padding_idx: int | None = None,
        *,
        scale: bool = False,
        std: float | None = None,
    ) -> None:
        self.factor = math.sqrt(d_model) if scale else 1.0
        self.std = std if std is not None else (1 / math.sqrt(d_model) if scale else 0.02)
        super().__init__(vocab_size, d_model, padding_idx)

    def reset_parameters(self) -> None:
        """Draw fresh values, and zeros for padding."""
        initialise_embedding(self.weight, self.std, self.padding_idx)

    def forward(self, ids: Tensor) -> Tensor:
        """Give each id its vector: `(...)` to `(..., D)`."""
        try:
            vectors = super().forward(ids)
        except IndexError as error:
            raise IndexError(
                f"This table has {self.num_embeddings} tokens, so ids are from 0 to "
                f"{self.num_embeddings - 1}; got ids from {int(ids.min())} to {int(ids.max())}. Did "
                "they come from the tokenizer of another model?"
            ) from error
        return vectors * self.factor if self.factor != 1.0 else vectors


class InputEmbedding(nn.Module):
    """The input of an encoder of text: tokens + segments + positions, normalised, with dropout.

    Args:
        positions: a module that takes `(B, S, D)` and returns it with positions added
            (`SinusoidalPositions`, `LearnedPositions`), or None for rotary models and for those
            without an order.
        segments: how many kinds of segment there are (BERT: 2); 0 for none.
        scale: multiply the token vectors by the root of D.
        norm: end with a layer normalisation (BERT does, the original Transformer does not).
        dropout: on the sum.

    Shapes: ids and type_ids `(B, S)` to `(B, S, D)`.

    Raises:
        ValueError: `type_ids` given to a module without segments.
    """

    def __init__(
        self,
        vocab_size: int,
        d_model: int,
        positions: nn.Module | None = None,
        *,
        segments: int = 0,
        padding_idx: int | None = None,
        scale: bool = False,
        norm: bool = False,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.token = TokenEmbedding(vocab_size, d_model, padding_idx, scale=scale)
        self.segment = TokenEmbedding(segments, d_model) if segments else None
        self.positions = positions
        self.norm = nn.LayerNorm(d_model) if norm else None
        self.dropout = nn.Dropout(dropout)

    def forward(self, ids: Tensor, type_ids: Tensor | None = None) -> Tensor:
        """Sum the parts for ids `(B, S)`: `(B, S, D)`. Absent `type_ids` mean segment 0."""
        if type_ids is not None and self.segment is None:
            raise ValueError(
                "type_ids came, but this embedding has no segments; make it with segments=2."
            )
        x: Tensor = self.token(ids)  # (B, S, D)
        if self.segment is not None:
            x = x + self.segment(torch.zeros_like(ids) if type_ids is None else type_ids)
        if self.positions is not None:
            x = self.positions(x)
        if self.norm is not None:
            x = self.norm(x)
        x = self.dropout(x)
        return x
