"""The training of the reader: its settings, its loss, how it reads, and what it is asked."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from course.content.vision_and_speech.experiments.speech.batches import Rows
from course.content.vision_and_speech.experiments.speech.front import EvenLogMel
from course.content.vision_and_speech.experiments.speech.model import BANDS, BLANK
from course.datasets.dataset import Example
from course.datasets.spoken_digits.card import RATE, WORDS
from course.datasets.spoken_digits.corpus import Utterance, load
from encoder_core.models.speech import ctc_collapse as standard_collapse
from encoder_core.models.speech import ctc_loss

__all__ = [
    "SETTINGS", "Collapse", "ErrorRate", "asked", "confusions", "evaluate", "loss", "nearest_words", "padded",
    "read", "words",
]  # fmt: skip

# One thread, a minute with all that is asked of it; chosen on validation.
SETTINGS: dict[str, Any] = {
    "steps": 500,
    "batch_size": 32,
    "learning_rate": 1e-2,
    "warmup": 60,
    "schedule": "cosine",
    "optimizer": "muon",
    "weight_decay": 0.01,
    "clip": 1.0,
}
# Utterances of each kind. Validation is asked while a training runs, so it is short; the test is read once.
_ASKED = {"validation": 200, "test": 400}
_SEEDS = {"validation": 1, "test": 2}
_TOGETHER = 50  # utterances that are read at once
_PLACES = 20  # frames to which `nearest_words` stretches a word

Collapse = Callable[[list[int], int], list[int]]
ErrorRate = Callable[[list[list[str]], list[list[str]]], float]


def loss(model: Any, rows: Rows) -> Tensor:
    """Return the mean CTC loss of a batch, that of each text divided by its number of words."""
    logits, steps = model.read(rows.frames, rows.lengths)  # (B, N', V), (B,)
    texts = torch.split(rows.words, rows.counts.tolist())
    targets = nn.utils.rnn.pad_sequence(list(texts), batch_first=True)  # (B, T)
    return ctc_loss(logits, steps, targets, rows.counts, BLANK)


def padded(signals: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Make a batch `(B, samples)` of signals `(samples,)`, and return how many samples are real `(B,)`."""
    lengths = torch.tensor([len(signal) for signal in signals])
    return nn.utils.rnn.pad_sequence(list(signals), batch_first=True), lengths


def words(ids: Sequence[int]) -> list[str]:
    """Write the words of symbols that are no blank."""
    return [WORDS[id - 1] for id in ids]


@torch.no_grad()
def read(
    model: nn.Module, signals: Sequence[Tensor], ctc_collapse: Collapse = standard_collapse
) -> list[list[str]]:
    """Write the words of each signal: the likeliest symbol of each step, collapsed. The model is in eval mode."""
    order = sorted(range(len(signals)), key=lambda index: len(signals[index]))
    found: list[list[str]] = [[] for _ in signals]
    for start in range(0, len(order), _TOGETHER):
        chosen = order[start : start + _TOGETHER]
        logits, steps = model(*padded([signals[index] for index in chosen]))
        for index, row, count in zip(chosen, logits.argmax(dim=-1), steps.tolist(), strict=True):
            found[index] = words(ctc_collapse(row[:count].tolist(), BLANK))
    return found


@functools.lru_cache(maxsize=2)
def asked(split: str) -> dict[str, list[Utterance]]:
    """Return what is asked on "validation" or "test": of 1 to 5 words, in the test also of 10, and with an accent."""
    data, count = load(), _ASKED[split]
    make = functools.partial(data.utterances, seed=_SEEDS[split])
    found = {"errors": make(getattr(data, split), count, (1, 5))}
    if split == "test":
        found["ten"] = make(data.test, count // 4, (10, 10))
        found["accent"] = make(data.accent, count, (1, 5))
    return found


def evaluate(
    model: nn.Module,
    split: str = "validation",
    word_error_rate: ErrorRate | None = None,
    ctc_collapse: Collapse = standard_collapse,
) -> dict[str, float]:
    """Return the word error rates: "errors" of 1 to 5 words; in the test also "ten" of 10, and "accent"."""
    figures = {}
    for name, utterances in asked(split).items():
        written = read(model, [each.signal for each in utterances], ctc_collapse)
        spoken = [[WORDS[digit] for digit in each.digits] for each in utterances]
        figures[name] = (word_error_rate or _errors)(written, spoken)
    return figures


def _errors(written: list[list[str]], spoken: list[list[str]]) -> float:
    """Return the word error rate: the least number of words changed, missing and too many, by words spoken."""
    errors = 0
    for ours, theirs in zip(written, spoken, strict=True):
        row = list(range(len(theirs) + 1))
        for i, word in enumerate(ours, start=1):
            before, row = row, [i]
            for j, other in enumerate(theirs, start=1):
                row.append(min(before[j - 1] + (word != other), before[j] + 1, row[j - 1] + 1))
        errors += row[-1]
    return errors / sum(map(len, spoken))


def nearest_words(examples: Sequence[Example]) -> list[str]:
    """Name the training word that is most like each single word, both stretched to the same length.

    What was done before there were networks, without the search for the best way to stretch.
    """
    data = load()
    known, new = _stretched(data.train), _stretched(examples)  # (n, places * bands)
    return [data.train[place].text for place in torch.cdist(new, known).argmin(dim=1).tolist()]


def _stretched(examples: Sequence[Example]) -> Tensor:
    data, front = load(), EvenLogMel(RATE, BANDS)
    rows = []
    for example in examples:
        energy = front.energies(data.signal(example)[None])  # (1, N, bands)
        frames = front.even(energy, torch.tensor([energy.shape[1]])).transpose(1, 2)
        rows.append(nn.functional.interpolate(frames, _PLACES, mode="linear").flatten())
    return torch.stack(rows)


def confusions(
    written: Sequence[Sequence[str]], spoken: Sequence[Sequence[str]]
) -> dict[tuple[str, str], int]:
    """Count which word was written for which, in the texts of the right length."""
    found: dict[tuple[str, str], int] = {}
    for ours, theirs in zip(written, spoken, strict=True):
        if len(ours) == len(theirs):
            for pair in zip(theirs, ours, strict=True):
                if pair[0] != pair[1]:
                    found[pair] = found.get(pair, 0) + 1
    return dict(sorted(found.items(), key=lambda item: -item[1]))
