"""The same training with one process and with several: `python -m encoder_core.pretrain` under `torchrun`."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from course.datasets import load, tokenizer
from course.system.children import environment
from encoder_core import read_log

SECONDS = 300  # after which a training is given up

__all__ = ["COMMAND", "Pretraining", "pretrain"]

# What is run, without its text and its folder.
COMMAND = (
    "-m encoder_core.pretrain TEXT FOLDER --vocabulary VOCABULARY --preset tiny --steps {steps} --warmup 10 "
    "--device cpu --precision float32 --log-every 1 --evaluate-every {steps}"
)


@dataclass(frozen=True)
class Pretraining:
    """The log of a training.

    Attributes:
        losses: of each update.
        tokens_per_second: of the second half of the updates, the median.
    """

    processes: int
    losses: list[float]
    tokens_per_second: float


@cache
def _texts() -> Mapping[str, str]:
    """A few hundred sections of Python's documentation, and the course's vocabulary of word pieces."""
    sections = [each.text.replace("\n\n", "\n") for each in load("python-docs").validation]
    pieces = tokenizer().vocabulary
    return {"text": "\n\n".join(sections), "vocabulary": "\n".join(sorted(pieces, key=pieces.get))}  # type: ignore[arg-type]


def pretrain(processes: int, steps: int = 40, *, shard: bool = False) -> Pretraining:
    """Run the pre-training command on this machine's CPU, shared by so many processes.

    With `shard` each of them holds a part of the model, and of what training adds to it.

    Raises:
        RuntimeError: the command failed; gives the end of what it said.
    """
    with tempfile.TemporaryDirectory() as folder:
        text, vocabulary, run = (Path(folder, name) for name in ("text", "vocab.txt", "run"))
        text.mkdir()
        (text / "docs.txt").write_text(_texts()["text"], encoding="utf-8")
        vocabulary.write_text(_texts()["vocabulary"], encoding="utf-8")
        named = {"TEXT": str(text), "FOLDER": str(run), "VOCABULARY": str(vocabulary)}
        words = [named.get(word, word) for word in COMMAND.format(steps=steps).split()]
        torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node"]
        _run([sys.executable, *torchrun, str(processes), *words, *(["--shard"] if shard else [])])
        lines = [line for line in read_log(run) if "loss" in line]
    speeds = sorted(line["tokens_per_second"] for line in lines[len(lines) // 2 :])
    return Pretraining(processes, [line["loss"] for line in lines], speeds[len(speeds) // 2])


def _run(command: list[str]) -> None:
    # One thread each: two processes shall not be compared with two threads.
    single = environment(OMP_NUM_THREADS="1")
    ended = subprocess.run(
        command, capture_output=True, text=True, timeout=SECONDS, env=single, check=False
    )
    if ended.returncode:
        raise RuntimeError(f"torchrun ended with {ended.returncode}: {ended.stderr[-2000:]}")
