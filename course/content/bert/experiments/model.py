"""The model that learns hidden pieces in a minute, and the two things that let it start quickly.

Both are computed before the training and are honest: nothing of validation or test is in them.

- Half of the heads start on the pieces beside the query: the position bias of the first head is
  highest one place to the left, that of the second one to the right, and so on in turns. Heads that
  start alike on both sides need most of the minute to find out that left and right differ.
- A piece's first vector says which pieces stand near it: the counts of pairs are turned into positive
  pointwise mutual information, and its largest singular vectors are the first vectors.

Sources: Shaw et al. 2018, section 3.2, and Press et al. 2022, section 3 (the position bias); Levy and
Goldberg 2014, "Neural Word Embedding as Implicit Matrix Factorization", section 5.3 (vectors by SVD);
Press and Wolf 2017 (the table as the last projection).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from course.content.bert.experiments.baselines import unigram
from course.datasets.python_docs.neighbour_vectors import neighbour_vectors
from course.training.first_looks import look_near
from encoder_core.models.masked_lm import MaskedLM
from encoder_core.models.text_encoder import TextEncoder
from encoder_core.tied import TiedProjection

__all__ = ["build"]


def build(
    ids: Tensor,
    vocab_size: int,
    *,
    d_model: int = 64,
    nhead: int = 4,
    num_layers: int = 2,
    dim_feedforward: int = 64,
    dropout: float = 0.0,
    positions: str = "neighbours",
    vectors: bool = True,
    head: bool = False,
    seed: int = 0,
    **more: Any,
) -> MaskedLM:
    """Make a model for training rows `ids` `(N, S)`.

    Args:
        positions: `"neighbours"`, or another kind that `TextEncoder` knows.
        vectors: start from `neighbour_vectors`.
        head: put BERT's dense layer, GELU and norm before the last projection.
        more: other arguments of `TextEncoder`, such as `layer`, the learner's own.

    >>> model = build(torch.randint(5, 20, (8, 32)), vocab_size=20, d_model=8, nhead=2)
    >>> model(torch.tensor([[2, 7, 4]])).shape
    torch.Size([1, 3, 20])
    """
    near = positions == "neighbours"
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        encoder = TextEncoder(
            vocab_size, d_model, nhead, num_layers, dim_feedforward, dropout=dropout,
            positions="relative" if near else positions, padding_idx=None, **more,
        )  # fmt: skip
        model = MaskedLM(encoder)
        if not head:
            model.head = TiedProjection(encoder.embedding.token)  # type: ignore[assignment]
        if near:
            look_near(encoder, sides=(-1, 1))
        with torch.no_grad():
            output: Any = model.head if not head else model.head.output
            output.bias.copy_(unigram(ids, vocab_size).log())
            if vectors:
                table = encoder.embedding.token.weight
                table.copy_(neighbour_vectors(ids, vocab_size, d_model))
    return model
