"""The training of chapter 08: batches, loss, figures, and the settings that were chosen on validation."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course import datasets
from course.content.translation.experiments.characters import BOS, EOS, PAD, batch, encode, text
from course.content.translation.experiments.lists import measure
from course.datasets.dataset import Example
from course.datasets.phrases.card import CARD, TESTS
from course.datasets.phrases.kinds import draw
from encoder_core.generation.decoding import shift_right as standard_shift
from encoder_core.generation.generate import generate_beam, generate_greedy

__all__ = [
    "JOINED", "LONGEST", "REACH", "SETTINGS", "SHARE", "Pair", "Rows", "collate", "evaluate", "exact", "loss",
    "pairs", "phrases", "trained_on", "translate",
]  # fmt: skip

# One thread, a minute; chosen on validation.
SETTINGS: dict[str, Any] = {
    "steps": 1500,
    "batch_size": 48,
    "learning_rate": 1e-2,
    "warmup": 60,
    "schedule": "cosine",
    "optimizer": "muon",
    "weight_decay": 0.01,
    "clip": 1.0,
}
REACH = (6, 4)  # characters that a layer of the encoder sees to each side, and one of the decoder
JOINED = 100  # characters of a row of several phrases, at most
SHARE = 0.5  # of the batches have such rows; in the others a row is one phrase, as it will be asked
LONGEST = 100  # characters that are written
_DRAWN = 300  # phrases of each kind, of which some are of unseen decades or longer lists
_TOGETHER = 128  # phrases that are translated at once

Smoothed = Callable[[Tensor, Tensor, float, int], Tensor]


class Pair(NamedTuple):
    """The numbers of a phrase's characters, and of its translation's, each with the end; and its kind."""

    source: tuple[int, ...]
    target: tuple[int, ...]
    kind: int


class Rows(NamedTuple):
    """A batch: the characters of phrases `(B, S)` and of their translations `(B, T)`, int64."""

    source: Tensor
    target: Tensor


@functools.lru_cache(maxsize=2)
def pairs(language: str) -> tuple[Pair, ...]:
    """Return the training phrases."""
    found = datasets.load("cldr-phrases", language=language).train
    return tuple(
        Pair(
            tuple(encode(phrase.text, language)),
            tuple(encode(phrase.target, language)),
            phrase.label or 0,
        )
        for phrase in found
    )


@functools.lru_cache(maxsize=2)
def trained_on(language: str) -> tuple[Pair, ...]:
    """Return the training phrases, the lists three times: they are the longest, and the fewest."""
    found = pairs(language)
    lists = CARD.classes.index("list")
    return found + 2 * tuple(pair for pair in found if pair.kind == lists)


def collate(chosen: Sequence[Pair], joined: int = 0, share: float = SHARE) -> Rows:
    """Make a batch of phrases, each a row or, with `joined`, in a share of the batches several in a row.

    Phrases of one kind then follow each other in a row, each with its end, as many as `joined` characters
    hold: the same ones on both sides.
    """
    rows = [(pair.source, pair.target) for pair in chosen]
    if joined and float(torch.rand(())) < share:
        rows = _join(sorted(chosen, key=lambda pair: pair.kind), joined)
    return Rows(batch([source for source, _ in rows]), batch([target for _, target in rows]))


def _join(pairs: Sequence[Pair], room: int) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    rows: list[tuple[tuple[int, ...], tuple[int, ...]]] = []
    kind = -1
    for pair in pairs:
        if pair.kind == kind and len(rows[-1][0]) + len(pair.source) <= room:
            source, target = rows[-1]
            rows[-1] = (source + pair.source, target + pair.target)
        else:
            rows.append((pair.source, pair.target))
            kind = pair.kind
    return rows


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


@functools.lru_cache(maxsize=4)
def phrases(split: str, language: str) -> dict[str, tuple[Example, ...]]:
    """Return what is asked on "validation" or "test": "exact", held-out items; "decades"; "lists".

    The data set has no validation of decades and lists; these are drawn apart from the tests.
    """
    sets = {test: datasets.load("cldr-phrases", language=language, test=test) for test in TESTS}
    if split == "test":
        return {"exact" if test == "items" else test: found.test for test, found in sets.items()}
    asked = {text for test in TESTS for text, *_ in sets[test].test}
    found: dict[str, list[Example]] = {"decades": [], "lists": []}
    for phrase in draw(_DRAWN, seed=1):
        if phrase.unseen and phrase.write("en") not in asked:
            example = Example(phrase.write("en"), None, phrase.kind, phrase.write(language))
            found[phrase.unseen].append(example)
    return {
        "exact": sets["items"].validation,
        **{name: tuple(each) for name, each in found.items()},
    }


def evaluate(model: nn.Module, split: str = "validation", language: str = "zh") -> dict[str, float]:
    """Return the share of exact translations: "exact" of held-out items, "decades", "lists".

    And what `lists.measure` tells of the lists: "names", "first", "last", "after".
    """
    figures = {}
    for name, asked in phrases(split, language).items():
        written = translate(model, [phrase.text for phrase in asked], language)
        figures[name] = exact(written, asked)
        if name == "lists":
            figures |= measure(written, asked, language)._asdict()
    return figures
