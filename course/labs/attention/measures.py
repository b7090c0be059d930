"""Numbers about the arrays: one row step by step, how spread the heads look, what changed."""

from __future__ import annotations

import numpy as np

from course.labs.attention.compute import Arrays, Floats
from course.labs.attention.settings import Selection

SHOWN_NUMBERS = 4  # of each value, in the table


def entropies(arrays: Arrays) -> Floats:
    """How spread each head's weights are: the mean entropy of its rows in nats, `(N, H)`."""
    weights = arrays.weights[:, :, : arrays.tokens.real].clip(min=0)  # (N, H, real, L)
    logs = np.log(np.where(weights > 0, weights, 1))
    entropy: Floats = 0.0 - (weights * logs).sum(-1).mean(-1)  # (N, H); 0.0 - 0.0 is no -0.0
    return entropy


def shown_numbers(arrays: Arrays, chosen: Selection) -> tuple[int, int]:
    """Which numbers of the values the table shows: from the first to before the last."""
    count = min(SHOWN_NUMBERS, arrays.head_dim)
    first = min(chosen.dimension, arrays.head_dim - count)
    return first, first + count


def row_steps(arrays: Arrays, chosen: Selection) -> Floats:
    """The chosen query's row, step by step.

    Returns:
        `(L + 1, 4 + shown)`: for each key the product, the product scaled, the same with `-inf`
        where blocked, the weight, and the first shown numbers of its value. In the last row the
        sum of the weights and of weight times value; NaN where a sum means nothing.
    """
    query, keys, values, weights = (
        getattr(arrays, name)[chosen.layer, chosen.head]
        for name in ("query", "key", "value", "weights")
    )
    first, last = shown_numbers(arrays, chosen)
    length = len(arrays.tokens.labels)
    steps = np.full((length + 1, 4 + last - first), np.nan, dtype=np.float32)
    steps[:length, 0] = keys @ query[chosen.query]  # (L, Dh) @ (Dh,) -> (L,)
    steps[:length, 1] = steps[:length, 0] * arrays.factor
    steps[:length, 2] = np.where(
        arrays.blocked[chosen.layer, chosen.query], -np.inf, steps[:length, 1]
    )
    steps[:length, 3] = weights[chosen.query]
    steps[:length, 4:] = values[:, first:last]
    steps[length, 3] = weights[chosen.query].sum()
    steps[length, 4:] = arrays.mixed[chosen.layer, chosen.head, chosen.query, first:last]
    return steps


def changes(arrays: Arrays) -> Floats:
    """How each token's output differs from that with all heads on.

    Returns:
        `(L, 2)`: the cosine of the two vectors, and the length of their difference as a share of
        the vector's length with all heads on.
    """
    now, before = arrays.hidden, arrays.hidden_all_on  # (L, D) each
    lengths = np.linalg.norm(before, axis=-1).clip(min=1e-12)  # (L,)
    cosine = (now * before).sum(-1) / (lengths * np.linalg.norm(now, axis=-1).clip(min=1e-12))
    return np.stack([cosine, np.linalg.norm(now - before, axis=-1) / lengths], axis=-1)
