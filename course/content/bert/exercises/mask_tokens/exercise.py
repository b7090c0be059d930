"""bert.mask_tokens: masked inputs and their labels, judged by their distribution."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from course.checking.exercise import Case, Exercise, tags
from course.checking.exercise.draw import Draw
from course.content.bert.exercises.mask_tokens import statistics

TOLERANCE = 0.06  # what chance alone moves is set back to its expected value beforehand
MASK = 4  # [PAD] [UNK] [CLS] [SEP] [MASK] are 0 to 4, as in chapter 01
Seeds = tuple[int, ...] | None


def generated(mask_tokens: Callable[..., Any]) -> Callable[..., Any]:
    """What the cases' arguments are given to: a seed is made a generator, several seeds several calls.

    A probability of None leaves the default; without seeds torch's global generator serves.
    """

    def run(
        ids: Tensor,
        special: Tensor,
        mask_id: int,
        vocab_size: int,
        probability: float | None,
        seeds: Seeds = None,
    ) -> Any:
        chance = {} if probability is None else {"probability": probability}
        if seeds is None:
            return mask_tokens(ids, special, mask_id, vocab_size, **chance)
        results = []
        for seed in seeds:
            torch.rand(1)  # so that the global generator is elsewhere in every call
            generator = torch.Generator(ids.device).manual_seed(seed)
            given = (ids, special) if len(seeds) == 1 else (ids.clone(), special.clone())
            results.append(mask_tokens(*given, mask_id, vocab_size, **chance, generator=generator))
        if len(seeds) == 1:
            return results[0]
        return tuple(torch.stack(parts) for parts in zip(*results, strict=True))  # (calls, B, S)

    return run


def summary(
    value: tuple[Tensor, Tensor],
    ids: Tensor,
    special: Tensor,
    mask_id: int,
    vocab_size: int,
    probability: float | None,
    seeds: Seeds = None,
) -> dict[str, float]:
    """The statistics of one result, or of several calls."""
    inputs, labels = value
    if seeds is not None and len(seeds) == 2:
        return statistics.repeated(inputs, labels)
    chance = 0.15 if probability is None else probability
    return statistics.statistics(inputs, labels, ids, special, mask_id, vocab_size, chance)


def _cases(seed: int) -> list[Case]:
    draw = Draw(seed)

    def text(*shape: int, vocabulary: int, dtype: torch.dtype = torch.int64) -> Tensor:
        """Ids that are neither special nor the last one."""
        ids = torch.randint(MASK + 1, vocabulary - 1, shape, generator=draw.generator)
        return ids.to(dtype)

    def chance(
        says: str,
        ids: Tensor,
        special: Tensor | None,
        vocabulary: int,
        probability: float | None,
        seeds: Seeds,
        *names: str,
        mask_id: int = MASK,
    ) -> Case:
        blocked = torch.zeros_like(ids, dtype=torch.bool) if special is None else special
        names = (*names, *(["special tokens"] if special is not None else []))
        names = (*names, "a generator" if seeds else "no generator")
        args = (ids, blocked, mask_id, vocabulary, probability, seeds)
        return Case(args, says, tags=tags(*names), summary=summary, tolerance=TOLERANCE)

    framed = torch.zeros(90, 100, dtype=torch.bool)
    framed[:, 0] = framed[:, -1] = True
    framed[::3, 60:] = True  # padding
    large = text(100, 100, vocabulary=1000)
    return [
        chance("100 sentences of 100 tokens, the default probability", large, None, 1000, None, None),
        chance(
            "90 sentences with special tokens and padding, probability 0.3",
            text(90, 100, vocabulary=300), framed, 300, 0.3, (11,),
        ),
        chance(
            "probability 1 and a vocabulary of 12", text(90, 110, vocabulary=12), None, 12, 1.0,
            (12,), "probability 1",
        ),
        chance(
            "probability 1, the words 0 (mask_id) and 1", torch.full((90, 110), 1), None, 2, 1.0,
            (14,), "probability 1", mask_id=0,
        ),
        chance(
            "int32 ids, probability 0.5", text(80, 110, vocabulary=500, dtype=torch.int32), None,
            500, 0.5, (13,), "int32 ids", mask_id=499,
        ),
        chance(
            "150 calls on 4 sentences of 30 tokens", text(4, 30, vocabulary=100), None, 100, 0.4,
            tuple(range(100, 250)), "many calls",
        ),
        chance(
            "two generators in the same state, one call with each", text(90, 100, vocabulary=400),
            None, 400, 0.5, (7, 7), "two generators in the same state",
        ),
        chance(
            "probability 0", text(40, 50, vocabulary=100), None, 100, 0.0, (5,), "probability 0",
        ),
        chance(
            "nothing but special tokens, probability 0.9", text(40, 50, vocabulary=90),
            torch.ones(40, 50, dtype=torch.bool), 90, 0.9, (6,), "nothing but special tokens",
        ),
    ]  # fmt: skip


EXERCISE = Exercise(
    id="bert.mask_tokens",
    signature="(ids, special, mask_id, vocab_size, probability=0.15, generator=None)",
    minutes=25,
    difficulty=3,
    cases=_cases,
    axes=(("B", "S"), ("B", "S")),
    results=("inputs", "labels"),
    random=True,
    harness=generated,
    shown={"generator": "a torch.Generator"},
)
