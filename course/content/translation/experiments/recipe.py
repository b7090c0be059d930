"""The training of chapter 08: batches, loss, figures, and the settings that were chosen on validation."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from course import datasets
from course.content.translation.experiments.characters import BOS, EOS, PAD, batch, encode, text
from course.datasets.dataset import Example
from course.datasets.phrases.card import TESTS
from encoder_core.generation.decoding import shift_right as standard_shift
from encoder_core.generation.generate import generate_beam, generate_greedy

__all__ = [
    "LONGEST", "SETTINGS", "Pair", "Rows", "collate", "evaluate", "exact", "loss", "pairs", "test",
    "translate",
]  # fmt: skip

# One thread, a minute; chosen on validation.
SETTINGS: dict[str, Any] = {
    "steps": 3000,
    "batch_size": 32,
    "learning_rate": 1e-2,
    "warmup": 60,
    "schedule": "cosine",
    "optimizer": "muon",
    "weight_decay": 0.01,
    "clip": 1.0,
}
LONGEST = 100  # characters that are written
_TOGETHER = 128  # phrases that are translated at once

Smoothed = Callable[[Tensor, Tensor, float, int], Tensor]


class Pair(NamedTuple):
    """The numbers of a phrase's characters, and of its translation's, each with the end."""

    source: tuple[int, ...]
    target: tuple[int, ...]


class Rows(NamedTuple):
    """A batch: the characters of phrases `(B, S)` and of their translations `(B, T)`, int64."""

    source: Tensor
    target: Tensor


@functools.lru_cache(maxsize=2)
def pairs(language: str) -> tuple[Pair, ...]:
    """Return the training phrases."""
    found = datasets.load("cldr-phrases", language=language).train
    return tuple(
        Pair(tuple(encode(phrase.text, language)), tuple(encode(phrase.target, language)))
        for phrase in found
    )


def collate(chosen: Sequence[Pair]) -> Rows:
    """Make a batch."""
    return Rows(batch([pair.source for pair in chosen]), batch([pair.target for pair in chosen]))


def loss(
    model: nn.Module,
    rows: Rows,
    shift_right: Callable[[Tensor, int], Tensor] = standard_shift,
    label_smoothed_loss: Smoothed | None = None,
    smoothing: float = 0.0,
) -> Tensor:
    """Return the mean smoothed loss at the characters of the translations."""
    logits = model(rows.source, shift_right(rows.target, BOS))  # (B, T, V)
    if label_smoothed_loss is not None:
        return label_smoothed_loss(logits, rows.target, smoothing, PAD)
    return F.cross_entropy(
        logits.transpose(1, 2), rows.target, ignore_index=PAD, label_smoothing=smoothing
    )


def translate(
    model: Any,
    texts: Sequence[str],
    language: str = "zh",
    beam: int = 1,
    longest: int = LONGEST,
) -> list[str]:
    """Translate phrases, with a beam or greedily. The model is in eval mode."""
    order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
    found = [""] * len(texts)
    for start in range(0, len(order), _TOGETHER):
        chosen = order[start : start + _TOGETHER]
        source = batch([encode(texts[index], language) for index in chosen])
        if beam == 1:
            rows = generate_greedy(model, source, BOS, EOS, longest)
        else:
            rows = generate_beam(model, source, BOS, EOS, beam, longest)
        for index, row in zip(chosen, rows, strict=True):
            found[index] = text(row, language)
    return found


def exact(written: Sequence[str], phrases: Sequence[Example]) -> float:
    """Return the share of translations that are right to the last character."""
    same = sum(a == b.target for a, b in zip(written, phrases, strict=True))
    return same / len(phrases)


def evaluate(model: nn.Module, language: str = "zh") -> dict[str, float]:
    """Return the share of validation's phrases that are translated exactly."""
    phrases = datasets.load("cldr-phrases", language=language).validation
    return {"exact": exact(translate(model, [p.text for p in phrases], language), phrases)}


def test(model: nn.Module, language: str = "zh") -> dict[str, float]:
    """Return the share of exact translations in each test: "exact" of items, "decades", "lists"."""
    found = {}
    for name in TESTS:
        phrases = datasets.load("cldr-phrases", language=language, test=name).test
        share = exact(translate(model, [p.text for p in phrases], language), phrases)
        found["exact" if name == "items" else name] = share
    return found
