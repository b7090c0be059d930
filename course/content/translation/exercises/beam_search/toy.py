"""A model of the next token for the exercise on beam search, and what a beam finds in it, step by step."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

Model = Callable[[list[int]], Tensor]


def model(drawn: tuple[int, int, float], eos_id: int) -> Model:
    """Logits `(V,)` of the token after `ids`, drawn for each text: `drawn` is a number, V, and how much larger eos_id's is.

    All are negative, so that 0 is no harmless number, and their exponentials don't sum to 1.
    """
    number, words, ends = drawn

    def next_logits(ids: list[int]) -> Tensor:
        if not isinstance(ids, list):
            raise TypeError(f"next_logits takes a list of ids; this is a {type(ids).__name__}")
        if not all(isinstance(token, int) for token in ids):
            kind = next(type(token).__name__ for token in ids if not isinstance(token, int))
            raise TypeError(f"next_logits takes a list of int; there is a {kind} in this one")
        draw = random.Random(f"{number} {list(map(int, ids))}").random
        shift = 3 * draw()
        logits = torch.tensor([4 * draw() - 8 - shift for _ in range(words)])
        logits[eos_id] += ends
        return logits

    return next_logits


@dataclass(frozen=True)
class Hypothesis:
    """A text with its log probability; `ids` begin with bos_id."""

    log_p: float
    ids: tuple[int, ...]

    def score(self, length_penalty: float = 0.6) -> float:
        """What the hypotheses compete by in the end."""
        return self.log_p / math.pow((4 + len(self.ids)) / 6, length_penalty)


@dataclass(frozen=True)
class Walk:
    """A beam search: what was live before each step, what has ended, what was cut, and how clear each choice was."""

    asked: tuple[tuple[Hypothesis, ...], ...]
    finished: tuple[Hypothesis, ...]
    cut: tuple[Hypothesis, ...]
    margin: float  # the smallest difference by which a continuation was kept, or the best one won

    def best(self, length_penalty: float = 0.6) -> Hypothesis:
        """The hypothesis that wins."""
        return max(self.finished + self.cut, key=lambda h: h.score(length_penalty))


def walk(
    next_logits: Model,
    bos_id: int,
    eos_id: int,
    beam: int,
    max_length: int,
    length_penalty: float = 0.6,
) -> Walk:
    """Search with a beam, and note each step."""
    live: list[Hypothesis] = [Hypothesis(0.0, (bos_id,))]
    finished: list[Hypothesis] = []
    asked = []
    margin = float("inf")
    for _ in range(max_length):
        if not live:
            break
        asked.append(tuple(live))
        every = [
            Hypothesis(one.log_p + gain, (*one.ids, token))
            for one in live
            for token, gain in enumerate(
                next_logits(list(one.ids)).double().log_softmax(-1).tolist()
            )
        ]
        every.sort(key=lambda one: -one.log_p)
        if len(every) > beam:
            margin = min(margin, every[beam - 1].log_p - every[beam].log_p)
        finished += [one for one in every[:beam] if one.ids[-1] == eos_id]
        live = [one for one in every[:beam] if one.ids[-1] != eos_id]
    scores = sorted((one.score(length_penalty) for one in finished + live), reverse=True)
    if len(scores) > 1:
        margin = min(margin, scores[0] - scores[1])
    return Walk(tuple(asked), tuple(finished), tuple(live), margin)


def text(ids: Sequence[int]) -> str:
    """Ids as they are shown in a sentence."""
    return "[" + ", ".join(map(str, ids)) + "]"
