"""A model of the next token for the exercise on beam search: what it finds likely depends on the whole text so far."""

from __future__ import annotations

import random
from collections.abc import Callable

import torch
from torch import Tensor

Model = Callable[[list[int]], Tensor]


def model(seed: int, words: int, bos_id: int, eos_id: int, ends: float = 0.0) -> Model:
    """Logits `(V,)` of the token after `ids`, drawn anew for each text; eos_id's grows by `ends` with each token."""

    def next_logits(ids: list[int]) -> Tensor:
        if not isinstance(ids, list):
            raise TypeError(f"next_logits takes a list of ids; this is a {type(ids).__name__}")
        if not all(isinstance(token, int) for token in ids):
            kind = next(type(token).__name__ for token in ids if not isinstance(token, int))
            raise TypeError(f"next_logits takes a list of int; there is a {kind} in this one")
        drawn = random.Random(f"{seed} {ids}")
        logits = torch.tensor([drawn.gauss(0.0, 1.5) - 2.0 for _ in range(words)])
        logits[eos_id] += ends * (len(ids) - 1)
        return logits

    return next_logits
