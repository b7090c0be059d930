"""The training of the help's translation: batches, loss, figures, and the settings chosen on validation."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course import datasets
from course.content.translation.experiments.help_text import dictionary, measures, neighbours
from course.content.translation.experiments.help_text.rows import Row, padded, sources
from course.content.translation.experiments.help_text.tokens import BOS, EOS, PAD, UNKNOWN, decode
from course.datasets.dataset import Example, fixed_order
from encoder_core.generation.decoding import shift_right as standard_shift
from encoder_core.generation.generate import generate_beam, generate_greedy

__all__ = [
    "EVALUATED", "LENGTH_PENALTY", "LONGEST", "SETTINGS", "SIZE", "Batch", "collate", "evaluate", "examples", "loss",
    "plain", "score", "translate", "validation",
]  # fmt: skip

# One thread, a minute; chosen on validation. An update takes one group of rows.
SETTINGS: dict[str, Any] = {
    "steps": 700,
    "batch_size": 1,
    "learning_rate": 1e-2,
    "warmup": 60,
    "schedule": "cosine",
    "optimizer": "muon",
    "weight_decay": 0.01,
    "clip": 1.0,
}
SIZE = 600  # pieces of translation in a group
LONGEST = 100  # pieces that are written
LENGTH_PENALTY = 1.0
EVALUATED = {"validation": 300, "test": 1000}  # pairs that a training is scored on
_TOGETHER = 64  # texts that are translated at once


class Batch(NamedTuple):
    """Pieces of sources `(B, S)` and translations `(B, T)`, int64."""

    source: Tensor
    target: Tensor


def collate(chosen: Sequence[Sequence[Row]]) -> Batch:
    """Make a batch of groups."""
    together = [row for group in chosen for row in group]
    return Batch(padded([row.source for row in together]), padded([row.target for row in together]))


def loss(
    model: nn.Module,
    batch: Batch,
    shift_right: Callable[[Tensor, int], Tensor] = standard_shift,
    label_smoothed_loss: Callable[[Tensor, Tensor, float, int], Tensor] | None = None,
    smoothing: float = 0.1,
) -> Tensor:
    """Return the mean smoothed loss at the known pieces of the translations."""
    where = (batch.target != PAD) & (batch.target != UNKNOWN)  # (B, T)
    logits = model(batch.source, shift_right(batch.target, BOS), where=where)  # (M, W)
    right = batch.target[where]  # (M,)
    if label_smoothed_loss is not None:
        return label_smoothed_loss(logits[None], right[None], smoothing, PAD)
    return F.cross_entropy(logits, right, label_smoothing=smoothing)


@functools.cache
def examples(split: str, count: int | None = None) -> tuple[Example, ...]:
    """Return the pairs of a split that are scored: the first of a fixed order."""
    found = getattr(datasets.load("libreoffice-help"), split)
    return tuple(fixed_order(found, lambda example: example.text)[: count or EVALUATED[split]])


def validation() -> tuple[Example, ...]:
    """Return all pairs of validation."""
    return datasets.load("libreoffice-help").validation


@torch.no_grad()
def translate(model: Any, texts: Sequence[str], beam: int = 1, beside: int = 0) -> list[str]:
    """Translate English texts. The model is in eval mode."""
    made = sources(texts, beside)
    order = sorted(range(len(texts)), key=lambda index: len(made[index]))
    found = [""] * len(texts)
    for start in range(0, len(order), _TOGETHER):
        chosen = order[start : start + _TOGETHER]
        source = padded([made[index] for index in chosen])
        if beam == 1:
            written = generate_greedy(model, source, BOS, EOS, LONGEST)
        else:
            written = generate_beam(model, source, BOS, EOS, beam, LONGEST, LENGTH_PENALTY)
        for index, numbers in zip(chosen, written, strict=True):
            found[index] = decode(number for number in numbers if number > EOS)
    return found


def evaluate(
    model: nn.Module,
    split: str = "validation",
    beam: int = 1,
    beside: int = 0,
    count: int | None = None,
) -> dict[str, float]:
    """Score the translations of a split: BLEU and chrF."""
    texts = [example.text for example in examples(split, count)]
    return score(translate(model, texts, beam, beside), split, count)


def score(written: Sequence[str], split: str, count: int | None = None) -> dict[str, float]:
    """Score texts against the translations of a split."""
    return measures.figures(written, [example.target for example in examples(split, count)])


@functools.cache
def plain(split: str, count: int | None = None) -> dict[str, dict[str, float]]:
    """Score what needs no network."""
    texts = [example.text for example in examples(split, count)]
    nearest = [found[0].target for found in neighbours.nearest(texts)]
    return {
        "the English text": score(texts, split, count),
        "the most similar text's translation": score(nearest, split, count),
        "a dictionary, piece by piece": score(dictionary.translate(texts), split, count),
    }
