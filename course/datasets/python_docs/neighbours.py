"""First vectors of pieces, from what stands near them. No network is trained."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["neighbour_vectors"]

FIRST_SIZE = 0.1  # standard deviation of the numbers
NEAR = 4  # pieces to each side


def neighbour_vectors(ids: Tensor, vocab_size: int, d_model: int) -> Tensor:
    """Return a first vector for each piece, `(V, D)`: alike for pieces with the same neighbours.

    Pieces of the rows `(N, S)` up to four places away are counted, the nearest most. The counts become
    positive pointwise mutual information, and its largest singular vectors the vectors.

    Source: Levy and Goldberg 2014, "Neural Word Embedding as Implicit Matrix Factorization", section
    5.3 (vectors by SVD).
    """
    pairs = torch.zeros(vocab_size, vocab_size)
    for distance in range(1, NEAR + 1):
        left, right = ids[:, :-distance].flatten(), ids[:, distance:].flatten()
        pairs.view(-1).index_add_(
            0, left * vocab_size + right, torch.full((len(left),), 1 / distance)
        )
    pairs = pairs + pairs.T  # (V, V)
    often = pairs.sum(dim=1) + 1
    chance = often[:, None] * often / pairs.sum()  # how often they would meet by chance
    information = torch.log((pairs / chance).clamp(min=1.0))  # positive mutual information
    vectors, sizes, _ = torch.svd_lowrank(information, d_model, niter=2)
    vectors = vectors * sizes.sqrt()  # (V, D)
    return vectors / vectors.std() * FIRST_SIZE
