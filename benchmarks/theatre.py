"""What watching a training costs: its time beside that of `fit` alone, the pause, a moment's answers.

    python benchmarks/theatre.py [--steps 200] [--rounds 3]

The two trainings take turns, each in a child of this process with one thread. A time is that from the first
update's loss to the last one's, so everything in between counts: records, publishing, evaluations,
checkpoints. The watching kernel needs a core of its own.
"""

from __future__ import annotations

import argparse
import mmap
import os
import platform
import statistics
import struct
import tempfile
import time
from typing import Any

import torch
from torch import Tensor, nn

from course.system import forking
from course.training import Answer, Session, Settings, Training
from encoder_core.models.text_encoder import TextEncoder
from encoder_core.training.loop import fit

VOCABULARY, LENGTH = 2000, 32
CLOCK = mmap.mmap(-1, 16)  # when the first and the latest update began; shared with the children


class Words(nn.Module):
    """A masked-word model of about 0.24 million weights."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.encoder = TextEncoder(
            VOCABULARY, settings.d_model, settings.nhead, settings.num_layers,
            settings.dim_feedforward, dropout=settings.dropout,
        )  # fmt: skip
        self.output = nn.Linear(settings.d_model, VOCABULARY)

    def forward(self, ids: Tensor) -> Tensor:
        """Return logits `(B, S, V)` for ids `(B, S)`."""
        return self.output(self.encoder(ids))  # type: ignore[no-any-return]


def loss(model: nn.Module, ids: Tensor) -> Tensor:
    if model.training:
        now = time.perf_counter()
        if not struct.unpack_from("d", CLOCK)[0]:
            struct.pack_into("d", CLOCK, 0, now)
        struct.pack_into("d", CLOCK, 8, now)
    return nn.functional.cross_entropy(model(ids).flatten(0, 1), ids.flatten())


def evaluate(model: nn.Module) -> dict[str, float]:
    return {"loss": float(loss(model, HELD_OUT))}


def examples(model: nn.Module) -> list[Answer]:
    with torch.no_grad():
        best = model(HELD_OUT[:4])[:, 0].softmax(dim=-1).topk(5)
    return [
        Answer("words", tuple((str(i), p) for i, p in zip(ids, ps, strict=True)), "word")
        for ids, ps in zip(best.indices.tolist(), best.values.tolist(), strict=True)
    ]


generator = torch.Generator().manual_seed(0)
DATA = list(torch.randint(1, VOCABULARY, (2000, LENGTH), generator=generator))
HELD_OUT = torch.randint(1, VOCABULARY, (64, LENGTH), generator=generator)


def new_training(steps: int) -> Training:
    return Training(
        name="benchmarks.words", title="Words", settings=Settings(steps=steps, dim_feedforward=256),
        build=Words, data=DATA, collate=torch.stack, loss=loss, evaluate=evaluate, figure="loss",
        examples=examples,
    )  # fmt: skip


def timed() -> float:
    first, last = struct.unpack_from("dd", CLOCK)
    return float(last - first)


def alone(training: Training) -> float:
    """Seconds of `fit` in a child."""
    struct.pack_into("dd", CLOCK, 0, 0.0, 0.0)
    pid = forking.fork()
    if pid == 0:
        torch.set_num_threads(1)
        s = training.settings
        fit(
            training.fresh_model(s), training.data, training.loss, steps=s.steps, device="cpu",
            batch_size=s.batch_size, learning_rate=s.learning_rate, warmup=s.warmup,
            schedule=s.schedule, collate=training.collate, progress=False, seed=s.seed,
        )  # fmt: skip
        os._exit(0)
    os.waitpid(pid, 0)
    return timed()


def watched(training: Training) -> tuple[float, list[float]]:
    """Seconds of the same in a session, and the latencies of moments' answers drawn meanwhile."""
    struct.pack_into("dd", CLOCK, 0, 0.0, 0.0)
    session, drawn = Session(training), []
    session.start()
    while session.state == "running":
        time.sleep(0.2)
        drawn.append(moment(session, training))
    session.close()
    seconds = timed()
    session.reset()
    return seconds, drawn


def moment(session: Session, training: Training) -> float:
    """Seconds until an earlier moment has answered the examples."""
    assert training.examples is not None
    steps = session.moments.steps
    began = time.perf_counter()
    training.examples(session.moments.model(steps[len(steps) // 2]))
    return time.perf_counter() - began


def pauses(training: Training, count: int = 20) -> list[float]:
    """Seconds from `pause` to the state "paused"."""
    session, found = Session(training), []
    for _ in range(count):
        session.start()
        time.sleep(0.3)
        began = time.perf_counter()
        session.pause()
        while session.state == "running":
            time.sleep(0.0005)
        found.append(time.perf_counter() - began)
    session.close()
    session.reset()
    return found


def told(name: str, seconds: list[float]) -> None:
    ordered = sorted(seconds)
    p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    print(f"{name}: median {1e3 * statistics.median(ordered):.0f} ms, 95 % {1e3 * p95:.0f} ms")


def main(arguments: Any) -> None:
    os.environ["COURSE_HOME"] = tempfile.mkdtemp()
    torch.set_num_threads(1)
    nn.Linear(1, 1)
    training = new_training(arguments.steps)
    weights = sum(p.numel() for p in training.fresh_model(training.settings).parameters())
    print(
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, {weights:,} weights"
    )
    torch.optim.SGD([nn.Parameter(torch.zeros(1))])  # its imports are not what is measured
    ratios, drawn = [], []
    for _ in range(arguments.rounds):
        one = alone(training)
        other, latencies = watched(training)
        ratios.append(other / one)
        drawn += latencies
        per_step = 1e3 * one / (arguments.steps - 1)
        print(
            f"fit {one:.2f} s ({per_step:.1f} ms an update), watched {other:.2f} s: {other / one:.3f}"
        )
    print(f"ratio: median {statistics.median(ratios):.3f}")
    told("a moment's answers", drawn)
    told("pause", pauses(new_training(100_000)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    main(parser.parse_args())
