"""How to train, and what a training notes down: `TrainingConfig`, `Record`, `History`.

Source: the defaults are those of Devlin et al. 2019, "BERT", appendix A.2, made small.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from encoder_core.training.devices import Precision

__all__ = ["History", "Record", "TrainingConfig", "require_loss"]

Loss = Callable[[nn.Module, Any], "Tensor | tuple[Tensor, dict[str, Any]]"]


@dataclass(frozen=True)
class TrainingConfig:
    """How to train. Give `steps` or `epochs`; all else has a default that works for small models.

    Attributes:
        steps: updates in all.
        epochs: passes over the data, in place of `steps`.
        batch_size: examples an update, over all processes together.
        learning_rate: the highest rate (see `schedule.learning_rate`).
        warmup: updates of the rise to it.
        weight_decay: for matrices (see `schedule.parameter_groups`).
        clip: the longest gradient allowed, over all parameters; None for no limit.
        precision: `"auto"`, `"float32"`, `"bfloat16"` or `"float16"`.
        device: `"auto"` or a device.
        seed: decides the order of the examples and all dropout.
        log_every: updates between two records.
        evaluate_every: updates between two evaluations; 0 for one at the end.
        checkpoint_every: updates between two checkpoints.

    >>> TrainingConfig(epochs=3, batch_size=10).total_steps(examples=25)
    9
    """

    steps: int | None = None
    epochs: int | None = None
    batch_size: int = 32
    learning_rate: float = 3e-4
    warmup: int = 0
    weight_decay: float = 0.01
    clip: float | None = 1.0
    precision: Precision = "auto"
    device: str = "auto"
    seed: int = 0
    log_every: int = 10
    evaluate_every: int = 0
    checkpoint_every: int = 500

    def total_steps(self, examples: int) -> int:
        """Work out the number of updates for that many examples.

        Raises:
            ValueError: none or both of `steps` and `epochs` are given, there are no examples, or
                a number is out of its range.

        >>> TrainingConfig(steps=7).total_steps(examples=100)
        7
        """
        if (self.steps is None) == (self.epochs is None):
            raise ValueError("Say how long to train: give either steps or epochs.")
        if examples < 1:
            raise ValueError("There is nothing to train on: the data has no examples.")
        if min(self.batch_size, self.log_every, self.checkpoint_every) < 1:
            raise ValueError("batch_size, log_every and checkpoint_every must be at least 1.")
        per_epoch = math.ceil(examples / self.batch_size)
        total = self.steps if self.steps is not None else (self.epochs or 0) * per_epoch
        if not 0 <= self.warmup < total:
            raise ValueError(f"Need 0 <= warmup < steps, got {self.warmup} and {total} steps.")
        return total


@dataclass(frozen=True)
class Record:
    """What a callback gets, every `log_every` updates.

    Attributes:
        step: updates made so far.
        epoch: passes over the data so far, with the fraction of the current one.
        loss: mean over the updates since the last record.
        learning_rate: of the latest update.
        gradient_norm: of the latest update, before clipping.
        metrics: means of what the loss function returned beside the loss, and the latest
            evaluation where there was one at this step.

    >>> Record(step=10, epoch=0.5, loss=1.0, learning_rate=1e-3, gradient_norm=0.3).metrics
    {}
    """

    step: int
    epoch: float
    loss: float
    learning_rate: float
    gradient_norm: float
    metrics: dict[str, float] = field(default_factory=dict)


@dataclass
class History:
    """What `fit` returns.

    Attributes:
        records: in order, those from before a resumption included.
        resumed_at: the step at which this call took up the training; 0 for a new one.
        interrupted: whether it was stopped before its end.

    >>> History().losses
    []
    """

    records: list[Record] = field(default_factory=list)
    resumed_at: int = 0
    interrupted: bool = False

    @property
    def losses(self) -> list[float]:
        """The loss of each record."""
        return [record.loss for record in self.records]


def require_loss(loss: Any) -> None:
    """Refuse what is no loss.

    Args:
        loss: what the loss function returned, without its dictionary.

    Raises:
        TypeError: no tensor.
        ValueError: more than one number, or one that no trainable parameter has a part in.

    >>> import torch
    >>> require_loss(torch.zeros(3))
    Traceback (most recent call last):
    ValueError: The loss must be one number, the mean over the batch; got a tensor of shape (3,).
    """
    if not isinstance(loss, Tensor):
        raise TypeError(f"The loss must be a tensor of one number; got {type(loss).__name__}.")
    if loss.numel() != 1:
        raise ValueError(
            "The loss must be one number, the mean over the batch; got a tensor of shape "
            f"{tuple(loss.shape)}."
        )
    if not loss.requires_grad:
        raise ValueError(
            "The loss has no gradient: no parameter with requires_grad=True took part in it, or it "
            "was cut off by detach, item or no_grad."
        )
