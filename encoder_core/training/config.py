"""The settings of a training, and what it records: `TrainingConfig`, `Record`, `History`.

Source: the defaults are those of Devlin et al. 2019, "BERT", appendix A.2, scaled down.
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
    """Settings of `fit`. Give `steps` or `epochs`; the other defaults suit small models.

    Attributes:
        steps: total updates.
        epochs: passes over the data, instead of `steps`.
        batch_size: examples per update, over all processes together.
        learning_rate: peak rate; see `schedule.learning_rate`.
        warmup: updates until the peak.
        weight_decay: on matrices only; see `schedule.parameter_groups`.
        clip: maximum norm of the gradient over all parameters; None for no clipping.
        precision: `"auto"`, `"float32"`, `"bfloat16"` or `"float16"`; see `choose_precision`.
        device: `"auto"` or a device; see `choose_device`.
        seed: for the order of the examples and all dropout.
        log_every: updates between records.
        evaluate_every: updates between evaluations; 0 for one at the end.
        checkpoint_every: updates between checkpoints.
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
        """Return the number of updates for a data set of this size.

        Raises:
            ValueError: not exactly one of `steps` and `epochs` is given, there are no examples, or a
                number is out of range.

        >>> TrainingConfig(epochs=3, batch_size=10).total_steps(examples=25)
        9
        """
        if (self.steps is None) == (self.epochs is None):
            raise ValueError("Say how long to train: give either steps or epochs.")
        if examples < 1:
            raise ValueError("There is nothing to train on: the data has no examples.")
        if min(self.batch_size, self.log_every, self.checkpoint_every) < 1:
            raise ValueError("batch_size, log_every and checkpoint_every must be at least 1.")
        if self.clip is not None and not self.clip > 0:
            raise ValueError(f"clip must be positive, or None for no clipping; got {self.clip}.")
        per_epoch = math.ceil(examples / self.batch_size)
        total = self.steps if self.steps is not None else (self.epochs or 0) * per_epoch
        if not 0 <= self.warmup < total:
            raise ValueError(f"Need 0 <= warmup < steps, got {self.warmup} and {total} steps.")
        return total


@dataclass(frozen=True)
class Record:
    """The argument of the callback, every `log_every` updates.

    Attributes:
        step: updates so far.
        epoch: passes over the data so far, a fraction included.
        loss: mean over the updates since the last record.
        learning_rate: of the latest update.
        gradient_norm: of the latest update, before clipping.
        metrics: means of the other numbers that the loss function returned, and the evaluation if
            there was one at this step.
    """

    step: int
    epoch: float
    loss: float
    learning_rate: float
    gradient_norm: float
    metrics: dict[str, float] = field(default_factory=dict)


@dataclass
class History:
    """The result of `fit`.

    Attributes:
        records: in order, those from before a resumption included.
        resumed_at: step at which this call resumed; 0 for a new training.
        interrupted: whether a signal stopped it before its end.
    """

    records: list[Record] = field(default_factory=list)
    resumed_at: int = 0
    interrupted: bool = False

    @property
    def losses(self) -> list[float]:
        """The loss of each record."""
        return [record.loss for record in self.records]


def require_loss(loss: Any) -> None:
    """Check the loss that a loss function returned.

    Raises:
        TypeError: it is not a tensor.
        ValueError: it has more than one number, or no gradient.

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
