"""Pretrain in forked children that are killed with -9 at random moments, then to the end.

Called as `pretrain_script.py TEXT FOLDER KILLS SEED OPTIONS`; prints the number of children that were killed at work.
With KILLS = -20 the one child is this process, as torchrun starts it: it stops after 20 updates, if there are so many,
and prints the bytes of parameters and optimizer state that it holds.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from typing import Any

import torch

from encoder_core.pretrain import __main__ as command
from encoder_core.pretrain import pretraining
from encoder_core.pretrain.__main__ import main
from encoder_core.training.config import Record
from encoder_core.training.run import Run
from encoder_core.training.sharding import held_bytes

SIZES = (
    "--vocab-size=120 --d-model=16 --nhead=2 --num-layers=1 --dim-feedforward=32 --length=24 --batch-size=6 --steps=50 "
    "--warmup=5 --log-every=1 --evaluate-every=25 --checkpoint-every=3 --device=cpu"
)


def fork(arguments: list[str]) -> int:
    child = os.fork()
    if child == 0:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os._exit(main(arguments))
    return child


def stop_after(steps: int) -> None:
    """Ask the first process to stop; it tells the others."""
    report = pretraining._Hiding.report

    def stopping(self: pretraining._Hiding, record: Record) -> None:
        report(self, record)
        if record.step == steps:
            os.kill(os.getpid(), signal.SIGINT)

    pretraining._Hiding.report = stopping  # type: ignore[method-assign]


def measure() -> None:
    """Print what this process holds at the end, in one piece: several processes write to one output."""
    patched: Any = command
    run_pretraining = patched.run_pretraining

    def measured(plan: pretraining.Pretraining) -> Run:
        run: Run = run_pretraining(plan)
        os.write(1, f"\nheld {held_bytes(run.model, run.optimizer)}\n".encode())
        return run

    patched.run_pretraining = measured


if __name__ == "__main__":
    torch.set_num_threads(1)
    text, folder, kills, seed, *more = sys.argv[1:]
    given = [text, folder, *SIZES.split(), *more]
    if int(kills) < 0:
        stop_after(-int(kills))
        measure()
        sys.exit(main(given) not in (0, 130))
    moments, killed = random.Random(int(seed)), 0
    for _ in range(int(kills)):
        child = fork(given)
        time.sleep(moments.uniform(0.05, 0.9))
        os.kill(child, signal.SIGKILL)
        killed += os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert os.waitpid(fork(given), 0)[1] == 0
    print(killed)
