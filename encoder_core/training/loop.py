"""Train a model: `fit` to the end, or `start_training` update by update, for a caller that drives.

For the CPU, a GPU, Apple's MPS, and several processes under `torchrun`. A training resumed from its
checkpoint gives the same numbers as an uninterrupted one: the order of the examples depends on the
seed and the epoch only, and every step seeds its own dropout.

To drive a training, make one update at a time and do what you like in between:

    with start_training(model, data, loss, steps=3000, checkpoint="run.safetensors") as run:
        while not run.finished:
            run.update()                # one update; undone if it fails
            run.report()                # evaluates, records, calls back and saves, each when due
            if look_at(run.step, run.rate, run.norm, run.history):
                run.change_rate(1e-3)   # scales the schedule to a new peak from the next update on
            if a_second_has_passed():
                run.save(durable=False) # cheap; see `state.save_training`

Nothing happens between updates: to pause, do not call `update`. The block saves at its end, however
it ends, and the next `start_training` with the same checkpoint resumes. A change of rate is part of the
checkpoint, and `rate_changes=((run.step, 1e-3),)` in the settings repeats it in another training.
Inside the block the model is in train mode: call `model.eval()` to look at it, and `model.train()`
before the next update. Ctrl-C and SIGTERM make `finished` True instead of raising, as in `fit`.

A finished training continues when it is called with more steps (or epochs, or seconds) than before.
The updates that were made keep their rates, and those that follow have the rates that the schedule
of the new total gives at their step: with a linear or cosine schedule the rate rises again from 0.
The result is not that of a training with the new total from its start, except with "constant".

Sources: Loshchilov and Hutter 2019, "Decoupled Weight Decay Regularization" (AdamW); Devlin et al.
2019, "BERT", appendix A.2 (warm-up and decay); Pascanu et al. 2013, "On the difficulty of training
recurrent neural networks", algorithm 1 (clipping); Micikevicius et al. 2018, "Mixed Precision
Training".
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import nn
from torch.utils.data import default_collate

from encoder_core.training.config import Control, History, Loss, Record, TrainingConfig
from encoder_core.training.interrupts import Interrupts
from encoder_core.training.run import Run

__all__ = ["fit", "start_training"]

Callback = Callable[[Record], bool | Control | None]


def fit(
    model: nn.Module,
    data: Sequence[Any],
    loss: Loss,
    config: TrainingConfig | None = None,
    *,
    collate: Callable[[list[Any]], Any] = default_collate,
    evaluate: Callable[[nn.Module], dict[str, float]] | None = None,
    callback: Callback | None = None,
    checkpoint: str | Path | None = None,
    length: Callable[[Any], int] | None = None,
    progress: bool = True,
    **options: Any,
) -> History:
    """Train a model, in place; by default with AdamW, linear warm-up and linear decay.

    Args:
        model: moved to the device and left there, without gradients, each module in its own mode.
        data: the examples; anything with `len` and `[index]`.
        loss: called as `loss(model, batch)`; returns the mean loss over the batch, or a tuple of it
            and a dict of further numbers to record.
        config: the settings.
        collate: makes a batch from a list of examples. It may draw from torch's generator.
        evaluate: called as `evaluate(model)` in eval mode, without gradients; returns numbers.
        callback: called with each `Record`; returning True ends the training. A `Control` can pause
            it or change its learning rate too.
        checkpoint: a file. If it exists, the training resumes from it. It is written every
            `checkpoint_every` updates, at the end, and at an interrupt or an error. One training
            at a time can use it.
        length: called with each example once, at the start; a batch then holds examples of similar
            length (see `batches.Batches`).
        progress: show a progress bar.
        options: fields of `TrainingConfig` that replace those of `config`.

    Returns:
        The history. After SIGINT (Ctrl-C, Jupyter's stop button), `interrupted` is True, and model and
        checkpoint are those of the last complete update. SIGTERM saves in the same way, then ends the
        process or calls the earlier handler. After a callback's pause, `paused` is True.

    Raises:
        ValueError: settings out of range; a loss that is not a scalar or has no gradient.
        CheckpointError: a ValueError; the checkpoint is damaged, or its model, trained parameters or
            settings differ.
        FloatingPointError: the gradient is infinite or NaN.
        TypeError: an unknown option; a loss that is not a tensor.
        RuntimeError: another training is using the checkpoint.
        OSError: the checkpoint could not be written; the one written before is intact.
        KeyboardInterrupt: a second interrupt, while the first waits for its update to end.

    An error in an update undoes it: model, buffers, the optimizer's state and the checkpoint are those
    of before. The exception is an error in the optimizer's own step, such as out of memory: then
    nothing is saved, and the checkpoint is the one written before.

    >>> import torch
    >>> data = [(torch.tensor([x]), torch.tensor([2 * x])) for x in (-1.0, 0.5, 2.0)]
    >>> def loss(model, batch): return nn.functional.mse_loss(model(batch[0]), batch[1])
    >>> model = nn.Linear(1, 1)
    >>> history = fit(model, data, loss, steps=200, learning_rate=0.1, device="cpu", progress=False)
    >>> round(model.weight.item(), 1), len(history.records)
    (2.0, 20)
    """
    with start_training(
        model, data, loss, config, collate=collate, evaluate=evaluate, callback=callback,
        checkpoint=checkpoint, length=length, progress=progress, **options,
    ) as run:  # fmt: skip
        if run.unreported:
            run.report()
        while not run.complete and not run.stopped and not run.paused:
            run.update()
            run.report()
            if run.interrupted():
                break
        run.history.paused = run.paused
    return run.history


@contextmanager
def start_training(
    model: nn.Module,
    data: Sequence[Any],
    loss: Loss,
    config: TrainingConfig | None = None,
    *,
    collate: Callable[[list[Any]], Any] = default_collate,
    evaluate: Callable[[nn.Module], dict[str, float]] | None = None,
    callback: Callback | None = None,
    checkpoint: str | Path | None = None,
    length: Callable[[Any], int] | None = None,
    progress: bool = False,
    **options: Any,
) -> Iterator[Run]:
    """Make a training that the caller drives; see above for how, and `fit` for the arguments.

    Resumes from the checkpoint if it exists, and saves at the end of the block.

    >>> import torch
    >>> data = [(torch.tensor([x]), torch.tensor([2 * x])) for x in (-1.0, 0.5, 2.0)]
    >>> def loss(model, batch): return nn.functional.mse_loss(model(batch[0]), batch[1])
    >>> settings = {"steps": 4, "schedule": "constant", "device": "cpu"}
    >>> with start_training(nn.Linear(1, 1), data, loss, **settings) as run:
    ...     while not run.finished:
    ...         run.update()
    ...         run.report()
    ...         if run.step == 2:
    ...             run.change_rate(0.5)
    >>> run.step, run.rate
    (4, 0.5)
    """
    config = replace(config or TrainingConfig(), **options)
    path = None if checkpoint is None else Path(checkpoint)
    if path is not None and path.is_symlink():  # os.replace would replace the link, not its target
        path = Path(os.path.realpath(path))
    with Interrupts() as interrupts:
        run = Run(model, data, loss, config, collate, evaluate, callback, path, interrupts, length)
        with run.alone():
            run.resume()
            with run.environment(progress):
                yield run
