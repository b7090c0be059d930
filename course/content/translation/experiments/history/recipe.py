"""How the three translators of chapter 08's history are trained, decoded and scored: all in one way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course import datasets
from course.content.translation.experiments import recipe
from course.content.translation.experiments.characters import BOS, EOS, PAD, batch, encode, text
from course.datasets.dataset import Example
from encoder_core.generation.decoding import shift_right
from encoder_core.models.encoder_decoder import EncoderDecoder

__all__ = [
    "LANGUAGE", "LENGTHS", "SETTINGS", "by_kind_and_length", "evaluate", "longest_chain", "loss",
    "test", "translate",
]  # fmt: skip

LANGUAGE = "zh"
# The same for all; the updates differ, see `history`. The rate was chosen on validation.
SETTINGS: dict[str, Any] = {
    "batch_size": 32,
    "learning_rate": 8e-3,
    "warmup": 60,
    "schedule": "cosine",
    "optimizer": "adamw",
    "weight_decay": 0.01,
    "clip": 1.0,
    "dropout": 0.0,
}
LENGTHS = {"to 10": 10, "11 to 20": 20, "21 to 30": 30, "over 30": 1000}  # characters of the source
LONGEST = 60  # characters that are written
_AT_ONCE = 128  # phrases that are translated at once


def loss(model: nn.Module, rows: recipe.Rows) -> Tensor:
    """Return the mean cross entropy at the characters of the translations."""
    logits = model(rows.source, shift_right(rows.target, BOS))  # (B, T, V)
    return F.cross_entropy(logits.transpose(1, 2), rows.target, ignore_index=PAD)


@torch.no_grad()
def translate(model: Any, texts: Sequence[str]) -> list[str]:
    """Translate phrases greedily, with any of the three. The model is in eval mode."""
    if isinstance(model, EncoderDecoder):
        return recipe.translate(model, texts, LANGUAGE, longest=LONGEST)
    written = []
    for start in range(0, len(texts), _AT_ONCE):
        rows = [encode(each, LANGUAGE) for each in texts[start : start + _AT_ONCE]]
        written += [text(ids, LANGUAGE) for ids in _greedy(model, batch(rows))]
    return written


def _greedy(model: Any, source: Tensor) -> list[list[int]]:
    memory = model.encode(source)  # one vector, or all states
    state = model.start(memory)  # (B, H)
    tokens = torch.full((len(source), 1), BOS)  # (B, 1)
    ended = torch.zeros(len(source), dtype=torch.bool)
    columns: list[Tensor] = []
    while len(columns) < LONGEST and not ended.all():
        logits, state = model.decode(tokens, state, memory)  # (B, 1, V), (B, H)
        tokens = logits.argmax(dim=-1).masked_fill(ended[:, None], EOS)
        ended = ended | (tokens[:, 0] == EOS)
        columns.append(tokens[:, 0])
    rows: list[list[int]] = torch.stack(columns, dim=1).tolist()
    return [ids[: ids.index(EOS)] if EOS in ids else ids for ids in rows]


def evaluate(model: nn.Module) -> dict[str, float]:
    """Return the share of validation's phrases that are translated exactly."""
    phrases = _phrases("validation")
    return {"exact": recipe.exact(translate(model, [p.text for p in phrases]), phrases)}


def test(model: nn.Module) -> dict[str, float]:
    """Return the share of exact translations of the test phrases: of all, by kind, by length, and of longer lists."""
    phrases = _phrases("test")
    found = by_kind_and_length(translate(model, [p.text for p in phrases]), phrases)
    longer = _phrases("test", "lists")
    return found | {
        "lists of five and six": recipe.exact(translate(model, [p.text for p in longer]), longer)
    }


def _phrases(split: str, test: str = "items") -> Sequence[Example]:
    found: Sequence[Example] = getattr(
        datasets.load("cldr-phrases", language=LANGUAGE, test=test), split
    )
    return found


def by_kind_and_length(written: Sequence[str], phrases: Sequence[Example]) -> dict[str, float]:
    """Return the share of exact translations of all ("exact") and of each group of `groups_of`."""
    groups: defaultdict[str, list[bool]] = defaultdict(list)
    for mine, phrase in zip(written, phrases, strict=True):
        right = mine == phrase.target
        for name in ("exact", *groups_of(phrase)):
            groups[name].append(right)
    return {name: sum(right) / len(right) for name, right in sorted(groups.items())}


def groups_of(phrase: Example) -> list[str]:
    """Return the groups that a phrase is counted in: kind, length, and of a list the number of names."""
    kind = phrase.source.partition(",")[0]
    found = [kind, next(n for n, most in LENGTHS.items() if len(phrase.text) <= most)]
    if kind == "list":
        names = max(2, phrase.text.count(",") + 1)
        found.append(f"lists of {('two', 'three', 'four', 'five', 'six')[names - 2]}")
    return found


def longest_chain(loss: Tensor) -> int:
    """Return the most operations that wait for one another in the graph of a loss."""
    depth: dict[Any, int] = {}
    stack = [loss.grad_fn]
    while stack:
        node = stack[-1]
        following = [each for each, _ in node.next_functions if each is not None]  # type: ignore[union-attr]
        waiting = [each for each in following if each not in depth]
        if waiting:
            stack += waiting
            continue
        depth[node] = 1 + max((depth[each] for each in following), default=0)
        stack.pop()
    return depth[loss.grad_fn]
