"""Pretrain in forked children that are killed with -9 at random moments, then to the end.

Called as `pretrain_script.py TEXT FOLDER KILLS SEED`; prints the number of children that were killed at work. With
KILLS = -1 the one child is this process, as torchrun starts it.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time

import torch

from encoder_core.pretrain.__main__ import main

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


if __name__ == "__main__":
    torch.set_num_threads(1)
    text, folder, kills, seed = sys.argv[1:]
    given = [text, folder, *SIZES.split()]
    if int(kills) < 0:
        sys.exit(main(given))
    moments, killed = random.Random(int(seed)), 0
    for _ in range(int(kills)):
        child = fork(given)
        time.sleep(moments.uniform(0.05, 0.9))
        os.kill(child, signal.SIGKILL)
        killed += os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert os.waitpid(fork(given), 0)[1] == 0
    print(killed)
