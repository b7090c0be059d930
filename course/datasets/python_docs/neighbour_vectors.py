"""First vectors for a vocabulary's pieces, from the pieces that stand near each other in a text.

The counts of pairs become positive pointwise mutual information, whose largest singular vectors are the
first vectors: pieces with the same neighbours start alike.

Source: Levy and Goldberg 2014, "Neural Word Embedding as Implicit Matrix Factorization", section 5.3.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["neighbour_vectors"]

FIRST_SIZE = 0.1  # standard deviation of the numbers of first vectors
NEAR = 4  # pieces to each side


def neighbour_vectors(ids: Tensor, vocab_size: int, d_model: int) -> Tensor:
    """Return a first vector for each piece of the rows `ids` `(N, S)`, `(V, D)`.

    Pieces up to four places away are counted, the nearest most.
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
