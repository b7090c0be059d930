"""The training of chapter 05: rows, loss, figures, and the settings that were chosen on validation."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course.content.bert.experiments.text import HIDDEN, Rows, questions

__all__ = ["SETTINGS", "answers", "evaluate", "loss"]

# One thread, a minute; chosen on validation.
SETTINGS: dict[str, Any] = {
    "steps": 4500,
    "batch_size": 16,
    "learning_rate": 1e-2,
    "warmup": 120,
    "schedule": "cosine",
    "optimizer": "muon",
    "weight_decay": 0.01,
    "clip": 1.0,
}
MASKING = 0.3  # of the pieces are hidden in training
_TOGETHER = 128  # rows that are evaluated at once


def loss(model: nn.Module, batch: Rows) -> Tensor:
    """Return the mean cross entropy at the hidden pieces; no other logits are computed."""
    where = batch.labels != HIDDEN  # (B, S)
    answers = batch.labels[where]  # (M,)
    logits = model(batch.inputs, where=where)  # (M, V)
    return F.cross_entropy(logits, answers, reduction="mean" if len(answers) else "sum")


@torch.no_grad()
def evaluate(model: nn.Module, split: str = "validation") -> dict[str, float]:
    """Score the answers to `questions(split)`: accuracy, top5, perplexity. The model is in eval mode."""
    asked = questions(split)
    first = five = total = 0.0
    for start in range(0, len(asked.inputs), _TOGETHER):
        inputs, where, ids = (part[start : start + _TOGETHER] for part in asked)
        right = ids[where]  # (M,)
        logits = model(inputs, where=where)  # (M, V)
        total += F.cross_entropy(logits, right, reduction="sum").item()
        best = logits.topk(5, dim=-1).indices  # (M, 5)
        first += (best[:, 0] == right).sum().item()
        five += (best == right[:, None]).any(dim=1).sum().item()
    count = int(asked.where.sum())
    return {
        "accuracy": first / count,
        "top5": five / count,
        "perplexity": math.exp(total / count),
    }


@torch.no_grad()
def answers(
    model: nn.Module, inputs: Tensor, where: Tensor, count: int = 5
) -> tuple[Tensor, Tensor]:
    """Return the likeliest pieces at the hidden places and their probabilities, `(M, count)` each."""
    likely = model(inputs, where=where).softmax(dim=-1).topk(count, dim=-1)
    return likely.indices, likely.values
