"""The settings of a training, what it records, and what a callback may answer.

Source: the defaults are those of Devlin et al. 2019, "BERT", appendix A.2, scaled down.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from encoder_core.training.devices import Precision
from encoder_core.training.optimizers import OptimizerName, require_optimizer
from encoder_core.training.schedule import Schedule, require_schedule

__all__ = ["Control", "History", "Record", "TrainingConfig", "require_loss", "require_rate"]

Loss = Callable[[nn.Module, Any], "Tensor | tuple[Tensor, dict[str, Any]]"]


@dataclass(frozen=True)
class TrainingConfig:
    """Settings of `fit`. Give `steps`, `epochs` or `seconds`; the other defaults suit small models.

    Attributes:
        steps: total updates.
        epochs: passes over the data, instead of `steps`.
        seconds: of training; ends with the first update after it, or with `steps` or `epochs` where
            they are given too and come first. Without them the schedule follows the time instead of
            the step. Results do not repeat: how many updates fit depends on the machine.
        batch_size: examples per update, over all processes together.
        learning_rate: peak rate; see `schedule.scheduled_rate`.
        warmup: updates until the peak.
        schedule: `"linear"` or `"cosine"` (down to 0), `"constant"`, or a function
            `(step, total) -> factor` of the peak; both numbers count from the end of the warm-up.
        rate_changes: pairs of a step and a new peak: after that many updates the schedule is scaled
            to the new peak, as `Run.change_rate` does in a running training.
        optimizer: `"adamw"`, `"muon"` (see `optimizers.make_muon`), or a function from the parameter
            groups to a `torch.optim.Optimizer`; its rates are set before every update.
        weight_decay: on matrices only; see `schedule.parameter_groups`.
        clip: maximum norm of the gradient over all parameters; None for no clipping.
        precision: `"auto"`, `"float32"`, `"bfloat16"` or `"float16"`; see `choose_precision`.
        device: `"auto"` or a device; see `choose_device`.
        shard: with several processes, share parameters, gradients and optimizer state among them; see
            `sharding.shard_model`. Model and checkpoint have the same numbers, to rounding.
        seed: for the order of the examples and all dropout.
        log_every: updates between records.
        evaluate_every: updates between evaluations; 0 for one at the end.
        checkpoint_every: updates between checkpoints.
        layer_norms: whether records have the gradient's norm of each layer.
    """

    steps: int | None = None
    epochs: int | None = None
    seconds: float | None = None
    batch_size: int = 32
    learning_rate: float = 3e-4
    warmup: int = 0
    schedule: Schedule = "linear"
    rate_changes: tuple[tuple[int, float], ...] = ()
    optimizer: OptimizerName = "adamw"
    weight_decay: float = 0.01
    clip: float | None = 1.0
    precision: Precision = "auto"
    device: str = "auto"
    shard: bool = False
    seed: int = 0
    log_every: int = 10
    evaluate_every: int = 0
    checkpoint_every: int = 500
    layer_norms: bool = False

    def total_steps(self, examples: int) -> int | None:
        """Return the number of updates for a data set of this size; None if only seconds are given.

        Raises:
            ValueError: none of `steps`, `epochs` and `seconds` is given, or both of the first two,
                there are no examples, or a setting is out of range.

        >>> TrainingConfig(epochs=3, batch_size=10).total_steps(examples=25)
        9
        """
        self._require_settings(examples)
        if self.steps is None and self.epochs is None:
            return None
        per_epoch = math.ceil(examples / self.batch_size)
        total = self.steps if self.steps is not None else (self.epochs or 0) * per_epoch
        if not 0 <= self.warmup < total:
            raise ValueError(f"Need 0 <= warmup < steps, got {self.warmup} and {total} steps.")
        return total

    def _require_settings(self, examples: int) -> None:
        """Raise ValueError, with what to do, if a setting is out of range."""
        if (self.steps is None) == (self.epochs is None) and (self.steps or self.seconds is None):
            raise ValueError("Say how long to train: give either steps or epochs, or seconds.")
        if self.seconds is not None and not 0 < self.seconds < math.inf:
            raise ValueError(f"seconds must be positive, or None for no limit; got {self.seconds}.")
        if self.warmup < 0:
            raise ValueError(f"warmup must not be negative, got {self.warmup}.")
        if examples < 1:
            raise ValueError("There is nothing to train on: the data has no examples.")
        if min(self.batch_size, self.log_every, self.checkpoint_every) < 1:
            raise ValueError("batch_size, log_every and checkpoint_every must be at least 1.")
        if self.clip is not None and not self.clip > 0:
            raise ValueError(f"clip must be positive, or None for no clipping; got {self.clip}.")
        for change in self.rate_changes:
            if len(change) != 2 or isinstance(change[0], bool) or not isinstance(change[0], int):
                raise ValueError(f"rate_changes holds pairs of a step and a rate, got {change!r}.")
            if change[0] < 0:
                raise ValueError(f"rate_changes has the step {change[0]}; steps count from 0.")
            require_rate(change[1])
        require_schedule(self.schedule)
        require_optimizer(self.optimizer)


def require_rate(rate: float) -> None:
    """Raise ValueError unless a learning rate is a finite number of at least 0.

    >>> require_rate(-1.0)
    Traceback (most recent call last):
    ValueError: A learning rate must be a finite number of at least 0, got -1.0.
    """
    if not 0 <= rate < math.inf:
        raise ValueError(f"A learning rate must be a finite number of at least 0, got {rate}.")


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
        seconds: spent in updates so far, over all resumptions. Records that differ in it alone are
            equal.
        layer_norms: with `TrainingConfig.layer_norms`, the norm of the latest update's gradient by
            layer, before clipping; see `gradients.layers_of`.
    """

    step: int
    epoch: float
    loss: float
    learning_rate: float
    gradient_norm: float
    metrics: dict[str, float] = field(default_factory=dict)
    seconds: float = field(default=0.0, compare=False)
    layer_norms: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Control:
    """What a callback may return, to be done before the next update.

    Attributes:
        stop: end the training, as returning True does.
        pause: save and hand back control: `fit` returns, and continues when it is called again with
            the same checkpoint; a driven run has `paused` set until its next update.
        learning_rate: a new peak; see `Run.change_rate`.
    """

    stop: bool = False
    pause: bool = False
    learning_rate: float | None = None


@dataclass
class History:
    """The result of `fit`.

    Attributes:
        records: in order, those from before a resumption included.
        resumed_at: step at which this call resumed; 0 for a new training.
        interrupted: whether a signal stopped it before its end.
        paused: whether a callback paused it.
    """

    records: list[Record] = field(default_factory=list)
    resumed_at: int = 0
    interrupted: bool = False
    paused: bool = False

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
