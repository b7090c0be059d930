"""A learner's model beside the reference's, before the first update: its time, its loss, its gradients."""

from __future__ import annotations

import copy
import math
import time
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from course.sandbox.guards import seeded
from course.training.settings import Settings
from course.training.task import Training

__all__ = ["compare"]

UPDATES = 3  # of each model, on one batch; the first is not timed
SLOWER = 1.5  # times as long as the reference's, from which it is told
DIFFERENT = 1e-3  # of the loss
_SECONDS = 1.0  # after which no further update is made
_ADVICE = "To train with the reference's, leave yours out where the training is made."


@dataclass
class _Tried:
    """What a few updates gave."""

    seconds: float = math.inf
    losses: list[float] = field(default_factory=list)
    without_gradient: set[str] = field(default_factory=set)


def compare(training: Training, settings: Settings, model: nn.Module) -> str:
    """Return in a few sentences what a model has worse than the reference's; "" for nothing.

    Both begin with the model's weights and make the same few updates; the model stays as it is. It takes
    as long as six updates, and no longer than two seconds where these are slow.
    """
    if training.reference is None:
        return ""
    with seeded(settings.seed):
        count = min(settings.batch_size, len(training.data))
        batch = training.collate([training.data[index] for index in range(count)])
        reference = training.reference(settings)
        reference.load_state_dict(model.state_dict())
        other = _tried(training, reference, batch)
        own = _tried(training, copy.deepcopy(model), batch)
    told = _told(own, other)
    if not told:
        return ""
    name = "EncoderLayer" if training.parts.get("EncoderLayer") == "yours" else "model"
    return " ".join([f"Your {name} beside the reference's:", *told, _ADVICE])


def _tried(training: Training, model: nn.Module, batch: Any) -> _Tried:
    """Make a few updates without dropout: what is drawn may be drawn in another order."""
    model.eval()
    tried, began = _Tried(), time.monotonic()
    for number in range(UPDATES):
        start = time.thread_time()
        model.zero_grad(set_to_none=True)
        result = training.loss(model, batch)
        loss: Tensor = result[0] if isinstance(result, tuple) else result
        loss.backward()  # type: ignore[no-untyped-call]
        seconds = time.thread_time() - start
        tried.seconds = (
            seconds if number < 2 else min(tried.seconds, seconds)
        )  # the first sets things up
        tried.losses.append(loss.item())
        tried.without_gradient |= {
            name for name, p in model.named_parameters() if p.requires_grad and p.grad is None
        }
        with torch.no_grad():
            for p in model.parameters():
                if p.grad is not None:
                    p.sub_(1e-2 * p.grad / (p.grad.norm() + 1e-6))
        if time.monotonic() - began > _SECONDS:
            break
    return tried


def _told(own: _Tried, other: _Tried) -> list[str]:
    told = []
    ratio = own.seconds / max(other.seconds, 1e-9)
    if ratio >= SLOWER:
        told.append(
            f"an update takes {ratio:.1f} times as long, {1e3 * own.seconds:.0f} ms instead of "
            f"{1e3 * other.seconds:.0f} ms."
        )
    for number, (mine, theirs) in enumerate(zip(own.losses, other.losses, strict=False)):
        if not abs(mine - theirs) <= DIFFERENT * abs(theirs):
            after = (
                f"after {number} update{'s' if number > 1 else ''}" if number else "at the start"
            )
            told.append(f"the loss {after} is {mine:.4g} instead of {theirs:.4g}.")
            break
    missing = sorted(own.without_gradient - other.without_gradient)
    if missing:
        more = f" and {len(missing) - 2} more" if len(missing) > 2 else ""
        told.append(f"no gradient reaches {', '.join(missing[:2])}{more}.")
    return told
