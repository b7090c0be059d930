"""One training loop, `fit`, for the CPU, a GPU, Apple's MPS, and several processes under `torchrun`.

A training resumed from its checkpoint gives the same numbers as an uninterrupted one: the order of
the examples depends on the seed and the epoch only, and every step seeds its own dropout.

Sources: Loshchilov and Hutter 2019, "Decoupled Weight Decay Regularization" (AdamW); Devlin et al.
2019, "BERT", appendix A.2 (warm-up and decay); Pascanu et al. 2013, "On the difficulty of training
recurrent neural networks", algorithm 1 (clipping); Micikevicius et al. 2018, "Mixed Precision
Training".
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import nn
from torch.utils.data import default_collate

from encoder_core.training.config import History, Loss, Record, TrainingConfig
from encoder_core.training.interrupts import Interrupts
from encoder_core.training.run import Run

__all__ = ["fit"]


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
    """Train a model, in place, with AdamW, linear warm-up and linear decay.

    Args:
        model: moved to the device and left there, without gradients, each module in its own mode.
        data: the examples; anything with `len` and `[index]`.
        loss: called as `loss(model, batch)`; returns the mean loss over the batch, or a tuple of it
            and a dict of further numbers to record.
        config: the settings.
        collate: makes a batch from a list of examples. It may draw from torch's generator.
        evaluate: called as `evaluate(model)` in eval mode, without gradients; returns numbers.
        callback: called with each `Record`; returning True ends the training.
        checkpoint: a file. If it exists, the training resumes from it. It is written every
            `checkpoint_every` updates, at the end, and at an interrupt or an error. One training
            at a time can use it.
        progress: show a progress bar.
        options: fields of `TrainingConfig` that replace those of `config`.

    Returns:
        The history. After SIGINT (Ctrl-C, Jupyter's stop button), `interrupted` is True, and model and
        checkpoint are those of the last complete update. SIGTERM saves in the same way, then ends the
        process or calls the earlier handler.

    Raises:
        ValueError: settings out of range; a loss that is not a scalar or has no gradient.
        CheckpointError: a ValueError; the checkpoint is damaged, or its model, trained parameters or
            settings differ.
        FloatingPointError: the gradient is infinite or NaN.
        TypeError: an unknown option; a loss that is not a tensor.
        RuntimeError: another training is using the checkpoint.
        OSError: the checkpoint could not be written; the one written before is intact.
        KeyboardInterrupt: a second interrupt, while the first waits for its update to end.

    An error in an update undoes it: model, buffers, AdamW's state and the checkpoint are those of
    before. The exception is an error in AdamW's own step, such as out of memory: then nothing is
    saved, and the checkpoint is the one written before.

    >>> import torch
    >>> data = [(torch.tensor([x]), torch.tensor([2 * x])) for x in (-1.0, 0.5, 2.0)]
    >>> def loss(model, batch): return nn.functional.mse_loss(model(batch[0]), batch[1])
    >>> model = nn.Linear(1, 1)
    >>> history = fit(model, data, loss, steps=200, learning_rate=0.1, device="cpu", progress=False)
    >>> round(model.weight.item(), 1), len(history.records)
    (2.0, 20)
    """
    config = replace(config or TrainingConfig(), **options)
    path = None if checkpoint is None else Path(checkpoint)
    if path is not None and path.is_symlink():  # os.replace would replace the link, not its target
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
