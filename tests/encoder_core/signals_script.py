"""A training that tests start as a process of its own, to send it signals.

Arguments: the checkpoint; what the process does about SIGTERM before it trains; where it trains.
It prints "ready" after each update from the third on, and "after" when `fit` has returned.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from typing import Any

import torch
from torch import Tensor, nn

from encoder_core.training.config import Record
from encoder_core.training.loop import fit

DATA = [torch.randn(4, generator=torch.Generator().manual_seed(i)) for i in range(22)]


def loss(model: nn.Module, batch: Tensor) -> Tensor:
    value: Tensor = (model(batch) - 1).square().mean()
    return value


def slow(model: nn.Module, batch: Tensor) -> Tensor:
    """An update that takes as long as a test needs, and that a signal can break."""
    say("update")
    time.sleep(60)
    return loss(model, batch)


def say(word: str) -> None:
    os.write(1, f"{word} {os.getpid()}\n".encode())  # whole lines, whoever else is writing


def callback(record: Record) -> None:
    if record.step >= 3:
        say("ready")
    time.sleep(0.02)


def handler(number: int, frame: Any) -> None:
    say(f"handler of {signal.Signals(number).name}")
    if HANDLING == "exit":
        raise SystemExit(7)


def train() -> None:
    model = nn.Linear(4, 4)
    nn.init.eye_(model.weight), nn.init.zeros_(model.bias)
    options: dict[str, Any] = {"steps": 5000, "batch_size": 5, "log_every": 1}
    run_loss = slow if PLACE == "slow" else loss
    history = fit(
        model, DATA, run_loss, checkpoint=CHECKPOINT, callback=callback, checkpoint_every=5000,
        device="cpu", progress=False, **options,
    )  # fmt: skip
    say(f"after, interrupted={history.interrupted}")


CHECKPOINT, HANDLING, PLACE = sys.argv[1:]

if __name__ == "__main__":
    if HANDLING == "ignore":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    elif HANDLING in ("return", "exit"):
        signal.signal(signal.SIGTERM, handler)
    print("printed before")  # waits in a buffer, since nobody reads a terminal
    if PLACE == "thread":
        thread = threading.Thread(target=train)
        thread.start()
        thread.join()
    else:
        train()
