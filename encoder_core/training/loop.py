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
