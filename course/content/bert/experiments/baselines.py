"""What guesses hidden pieces without a network: how often pieces occur, and what stands beside them.

The n-gram model knows two pieces on each side. Counts of a longer context are smoothed with the
estimate of the next shorter one (Witten and Bell 1991 in the form of Chen and Goodman 1999, section
2.4, with a constant in place of the number of continuations). The estimates from the left and from the
right are multiplied and divided by the piece's frequency, which would otherwise count twice; the piece
between exactly these two neighbours is counted too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Counts", "Neighbours", "score", "unigram"]


def unigram(ids: Tensor, vocab_size: int) -> Tensor:
    """Return how often each piece occurs, `(V,)`, summing to 1; each has been seen once more."""
    counts = torch.bincount(ids.flatten(), minlength=vocab_size) + 1.0
    return counts / counts.sum()


@dataclass(frozen=True)
class Counts:
    """Which pieces occur in which contexts, and how often.

    `pairs` holds `context * vocab_size + piece`, sorted; `counts` how often.
    """

    pairs: Tensor
    counts: Tensor
    vocab_size: int

    @classmethod
    def of(cls, contexts: Tensor, pieces: Tensor, vocab_size: int) -> Counts:
        """Count `pieces` `(N,)` in `contexts` `(N,)`, both int64."""
        pairs, counts = torch.unique(contexts * vocab_size + pieces, return_counts=True)
        return cls(pairs, counts.float(), vocab_size)

    def smooth(self, contexts: Tensor, prior: Tensor, weight: float) -> Tensor:
        """Estimate the next piece: `(counts + weight * prior) / (their sum + weight)`.

        Contexts `(N,)` and prior `(N, V)` to `(N, V)`; a context that was never seen gives the prior.
        """
        estimate = weight * prior
        first = torch.searchsorted(self.pairs, contexts * self.vocab_size)
        last = torch.searchsorted(self.pairs, (contexts + 1) * self.vocab_size)
        for row, (start, end) in enumerate(zip(first.tolist(), last.tolist(), strict=True)):
            seen = self.pairs[start:end] % self.vocab_size
            estimate[row, seen] += self.counts[start:end]
        return estimate / estimate.sum(dim=1, keepdim=True)


class Neighbours:
    """An n-gram model that sees up to two pieces on the left and two on the right.

    Args:
        ids: training rows `(N, S)`.
        weight: how many occurrences the shorter context counts for.
    """

    def __init__(self, ids: Tensor, vocab_size: int, weight: float = 3.0) -> None:
        self.vocab_size, self.weight = vocab_size, weight
        self.frequency = unigram(ids, vocab_size)  # (V,)
        places = self._contexts(ids)
        pieces = ids.flatten()
        self.counts = [Counts.of(contexts, pieces, vocab_size) for contexts in places]

    def _contexts(self, ids: Tensor) -> list[Tensor]:
        """Number the contexts of each piece of `(N, S)`, `(N * S,)` each.

        One on the left, two on the left, one on the right, two on the right, one on each side. A row's
        first piece has the padding's id, 0, on its left.
        """
        v = self.vocab_size
        padded = torch.nn.functional.pad(ids, (2, 2))  # (N, S + 4)
        far_left, left = padded[:, :-4].flatten(), padded[:, 1:-3].flatten()
        right, far_right = padded[:, 3:-1].flatten(), padded[:, 4:].flatten()
        return [left, far_left * v + left, right, far_right * v + right, left * v + right]

    def __call__(self, inputs: Tensor, where: Tensor) -> Tensor:
        """Return probabilities `(M, V)` of the M hidden pieces of `inputs` `(N, S)`."""
        asked = [contexts[where.flatten()] for contexts in self._contexts(inputs)]
        frequency = self.frequency.expand(len(asked[0]), -1)  # (M, V)
        left, right = frequency, frequency
        for counts, contexts in zip(self.counts[:2], asked[:2], strict=True):
            left = counts.smooth(contexts, left, self.weight)
        for counts, contexts in zip(self.counts[2:4], asked[2:4], strict=True):
            right = counts.smooth(contexts, right, self.weight)
        product = left * right / frequency
        product /= product.sum(dim=1, keepdim=True)
        return self.counts[4].smooth(asked[4], product, self.weight)


def score(probabilities: Tensor, answers: Tensor) -> dict[str, float]:
    """Score probabilities `(M, V)` of M hidden pieces against the answers `(M,)`."""
    right = probabilities.gather(1, answers[:, None]).squeeze(1)  # (M,)
    five = probabilities.topk(5, dim=1).indices  # (M, 5)
    return {
        "accuracy": (five[:, 0] == answers).double().mean().item(),
        "top5": (five == answers[:, None]).any(dim=1).double().mean().item(),
        "perplexity": math.exp(-right.double().log().mean().item()),
    }
