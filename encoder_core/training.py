"""One training loop for everything: `fit`.

The same call trains on the CPU, on one GPU, on Apple's MPS and, started by `torchrun`, in many
processes. It can be interrupted at any moment, and goes on from its checkpoint with the very
numbers that it would have had without the break: the order of the examples depends on the seed
and the epoch alone, and every step draws its dropout from a seed of its own.

Sources: Loshchilov and Hutter 2019, "Decoupled Weight Decay Regularization" (AdamW); Devlin et al.
2019, "BERT", appendix A.2 (warm-up and decay); Pascanu et al. 2013, "On the difficulty of training
recurrent neural networks", algorithm 1 (clipping); Micikevicius et al. 2018, "Mixed Precision
Training".
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.utils.data import default_collate

from encoder_core.devices import Precision
from encoder_core.interrupts import Interrupts

__all__ = ["History", "Record", "TrainingConfig", "fit", "require_loss"]

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


def fit(
    model: nn.Module,
    data: Sequence[Any],
    loss: Loss,
    config: TrainingConfig | None = None,
    *,
    collate: Callable[[list[Any]], Any] = default_collate,
    evaluate: Callable[[nn.Module], dict[str, float]] | None = None,
    callback: Callable[[Record], bool | None] | None = None,
    checkpoint: str | Path | None = None,
    progress: bool = True,
    **options: Any,
) -> History:
    """Train a model, in place, with AdamW, warm-up and linear decay.

    Args:
        model: what is trained. It is moved to the device, and left there, each module in the
            mode it had, without gradients.
        data: the examples; anything with `len` and `[index]`.
        loss: called as `loss(model, batch)`; returns the mean loss over the batch's examples, or
            that and a dictionary of numbers to be recorded.
        config: how to train; `options` are fields of it, so that
            `fit(model, data, loss, steps=100)` will do.
        collate: makes a batch of a list of examples; torch's `default_collate` unless given. It
            may draw from torch's generator.
        evaluate: called with the model in evaluation mode, without gradients; returns numbers.
        callback: called with each `Record`; returning True ends the training.
        checkpoint: a file. Where it exists, the training goes on from it; it is written every
            `checkpoint_every` updates, at the end, and at an interrupt or an error. One training
            at a time can use it.
        progress: show a progress bar.
        options: fields of `TrainingConfig`.

    Returns:
        The history. After an interrupt (Ctrl-C, Jupyter's stop button), the model and the
        checkpoint are those of the last whole update, and `interrupted` is True. SIGTERM saves
        in the same way, and then ends the process, or calls the handler that there was for it.

    Raises:
        ValueError: settings out of range; a loss of more than one number, or without a gradient.
        CheckpointError: a ValueError: the checkpoint is damaged, or of another model, other
            trained parameters or other settings.
        FloatingPointError: the gradient is infinite or NaN.
        TypeError: an unknown option; a loss that is no tensor.
        RuntimeError: another training is using the checkpoint.
        OSError: the checkpoint could not be written; what was saved before is still whole.
        KeyboardInterrupt: a second interrupt, while the first one waits for its update to end.

    After an error or an interrupt in the middle of an update, the model with its buffers, the
    state of AdamW and the checkpoint are those of before this update. (An error in AdamW's own
    step, as when memory runs out there, is the exception: nothing is saved then, and the
    checkpoint is the one written before.)

    >>> import torch
    >>> data = [(torch.tensor([x]), torch.tensor([2 * x])) for x in (-1.0, 0.5, 2.0)]
    >>> def loss(model, batch): return nn.functional.mse_loss(model(batch[0]), batch[1])
    >>> model = nn.Linear(1, 1)
    >>> history = fit(model, data, loss, steps=200, learning_rate=0.1, device="cpu", progress=False)
    >>> round(model.weight.item(), 1), len(history.records)
    (2.0, 20)
    """
    from encoder_core.training_run import Run  # here, since it needs this file's classes

    config = replace(config or TrainingConfig(), **options)
    path = None if checkpoint is None else Path(checkpoint)
    if path is not None and path.is_symlink():  # else the link would be replaced, not its file
        path = Path(os.path.realpath(path))
    with Interrupts() as interrupts:
        run = Run(model, data, loss, config, collate, evaluate, callback, path, interrupts)
        with run.alone():
            run.resume()
            with run.environment(progress):
                if run.unreported:
                    run.report()
                while run.step < run.total and not run.stopped:
                    run.update()
                    run.report()
                    if run.interrupted():
                        break
    return run.history
