"""A training that tests start as a process of its own, to kill it or to run it with torchrun.

Arguments: where to write the result, the checkpoint ("-" for none), the step at which the process
kills itself (0 for never).
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from encoder_core.encoder import TransformerEncoderLayer
from encoder_core.training.config import Record
from encoder_core.training.loop import fit

EXAMPLES = 22


def make() -> tuple[nn.Module, list[Tensor]]:
    torch.manual_seed(11)
    data = [torch.randn(3, 4) for _ in range(EXAMPLES)]
    # Without dropout: with it, processes draw differently, each for examples of its own.
    model: nn.Module = TransformerEncoderLayer(4, 2, 8, dropout=0.0).double()
    model.unused = nn.Linear(2, 2).double()  # gets no gradient, and must not be touched
    if os.environ.get("RANK", "0") != "0":
        nn.init.constant_(model.linear1.weight, 7.0)  # the first process's weights must win
    return model, [x.double() for x in data]


def gloo_threads() -> list[str]:
    """The threads that listen to the other processes, where the system can tell."""
    tasks = Path("/proc/self/task")
    names = [(task / "comm").read_text() for task in tasks.iterdir()] if tasks.exists() else []
    return [name for name in names if "gloo" in name]


def loss(model: nn.Module, batch: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    error: Tensor = (model(batch) - batch.flip(1)).square().mean()
    return error, {"rms": error.sqrt()}


def main(result: str, checkpoint: str, kill_at: str) -> None:
    model, data = make()

    def callback(record: Record) -> None:
        if record.step == int(kill_at):
            os.kill(os.getpid(), signal.SIGKILL)

    history = fit(
        model,
        data,
        loss,
        steps=13,
        batch_size=5,
        learning_rate=1e-2,
        log_every=1,
        checkpoint_every=4,
        callback=callback,
        checkpoint=None if checkpoint == "-" else checkpoint,
        progress=False,
        device="cpu",
    )
    again = fit(model, data, loss, steps=1, learning_rate=0.0, progress=False, device="cpu")
    assert len(again.records) == 1  # a process can train more than once
    if os.environ.get("RANK", "0") == "0":
        losses = torch.tensor(history.losses, dtype=torch.float64)
        save_file({**model.state_dict(), "losses": losses}, Path(result))


if __name__ == "__main__":
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        # Called at the end, after the processes have parted: whoever registers first is last.
        # One write a line: the processes share the terminal, and a print of parts may be cut through.
        atexit.register(lambda: os.write(1, f"threads left: {gloo_threads()}\n".encode()))
    main(*sys.argv[1:])
