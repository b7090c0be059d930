"""The training of chapter 07: batches, loss, figures, and the settings that were chosen on validation."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course import datasets
from course.content.generation.experiments import measures
from course.content.generation.experiments.pairs import (
    BOS,
    EOS,
    MARKS,
    PAD,
    STOP_WORDS,
    Pair,
    batch,
    encode,
    pairs,
    shuffled,
    words,
)
from encoder_core.generation.decoding import shift_right as standard_shift
from encoder_core.generation.generate import generate_greedy

__all__ = [
    "LONGEST", "SETTINGS", "Rows", "collate", "evaluate", "inputs", "loss", "score",
    "small_words", "trained_on", "write",
]  # fmt: skip

# One thread, a minute; chosen on validation.
SETTINGS: dict[str, Any] = {
    "steps": 1400,
    "batch_size": 32,
    "learning_rate": 1e-2,
    "warmup": 60,
    "schedule": "cosine",
    "optimizer": "muon",
    "weight_decay": 0.01,
    "clip": 1.0,
}
LONGEST = 32  # pieces that are written
SMALL = 2.0
_TOGETHER = 128  # sentences that are written at once


class Rows(NamedTuple):
    """A batch: the pieces of the keywords `(B, S)` and of the sentences `(B, T)`, int64."""

    source: Tensor
    target: Tensor


def collate(chosen: Sequence[Pair], in_order: bool = True) -> Rows:
    """Make a batch; unless `in_order` the keywords are shuffled anew each time."""
    sources = [pair.keywords if in_order else shuffled(pair.keywords) for pair in chosen]
    return Rows(
        batch([encode(source) for source in sources]),
        batch([encode(pair.sentence) for pair in chosen]),
    )


def loss(
    model: nn.Module,
    rows: Rows,
    shift_right: Callable[[Tensor, int], Tensor] = standard_shift,
    weights: bool = True,
) -> Tensor:
    """Return the mean cross entropy at the pieces of the sentences; padding is not computed.

    With `weights`, small words and marks count `SMALL` times: several of them could often stand in a
    place where only one keyword can, so that the likeliest piece would leave them out.
    """
    where = rows.target != PAD  # (B, T)
    logits = model(rows.source, shift_right(rows.target, BOS), where=where)  # (M, V)
    return F.cross_entropy(logits, rows.target[where], small_words() if weights else None)


@functools.cache
def small_words() -> Tensor:
    """Return the weight of each piece in the loss, `(V,)`."""
    weights = torch.ones(len(datasets.tokenizer().vocabulary))
    for word in (*STOP_WORDS, *MARKS):
        weights[encode([word])[0]] = SMALL
    return weights


@functools.cache
def trained_on() -> tuple[Pair, ...]:
    """Return the training pairs without those that are long in pieces: a batch is as long as its longest."""
    return tuple(pair for pair in pairs() if len(encode(pair.sentence)) <= LONGEST + 3)


@functools.cache
def inputs(split: str, in_order: bool = True) -> tuple[tuple[str, ...], ...]:
    """Return the keywords of a split; shuffled once unless `in_order`, for all models alike."""
    generator = torch.Generator().manual_seed(0)
    found = (pair.keywords for pair in pairs(split))
    return tuple(each if in_order else shuffled(each, generator) for each in found)


@torch.no_grad()
def write(model: Any, keywords: Sequence[Sequence[str]]) -> list[list[str]]:
    """Write a sentence for each, greedily. The model is in eval mode."""
    written = []
    for start in range(0, len(keywords), _TOGETHER):
        source = batch([encode(each) for each in keywords[start : start + _TOGETHER]])
        written += [words(ids) for ids in generate_greedy(model, source, BOS, EOS, LONGEST)]
    return written


def evaluate(
    model: nn.Module, split: str = "validation", in_order: bool = True
) -> dict[str, float]:
    """Score the sentences written for a split: BLEU and the share of exact ones."""
    return score(write(model, inputs(split, in_order)), split)


def score(written: Sequence[Sequence[str]], split: str) -> dict[str, float]:
    """Score sentences against those of a split."""
    references = [pair.sentence for pair in pairs(split)]
    return {
        "bleu": measures.bleu(written, references),
        "exact": measures.exact(written, references),
    }
