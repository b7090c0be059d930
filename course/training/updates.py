"""The updates of one run, one at a time, with what each has to report: encoder_core's `Run`, driven."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from torch import Tensor, nn

from course.training.records import MOST, Record
from course.training.settings import Settings
from course.training.task import Training
from encoder_core.training.config import TrainingConfig
from encoder_core.training.run import Run

__all__ = ["Updates"]


class Updates:
    """A run that is made update by update.

    Raises:
        CheckpointError: the file is damaged, or of other settings.
    """

    def __init__(
        self, training: Training, settings: Settings, model: nn.Module, path: Path | None
    ) -> None:
        config = TrainingConfig(
            steps=settings.steps,
            batch_size=settings.batch_size,
            learning_rate=settings.learning_rate,
            warmup=settings.warmup,
            weight_decay=settings.weight_decay,
            clip=settings.clip,
            precision="float32",
            device="cpu",
            seed=settings.seed,
        )
        self.run = Run(
            model, training.data, training.loss, config, training.collate,
            evaluate=training.evaluate, path=path,
        )  # fmt: skip
        self._evaluate = training.evaluate
        self.seconds = 0.0
        self.changes: list[tuple[int, float]] = []  # rates, each with the updates before it
        self._every = max(1, math.ceil(self.run.total / MOST))

    @property
    def step(self) -> int:
        """Updates so far."""
        return self.run.step

    @property
    def total(self) -> int:
        """Updates of the whole run."""
        return self.run.total

    @contextmanager
    def going(self) -> Iterator[None]:
        """Hold the checkpoint's lock, resume from it, and train inside of the `with`."""
        with self.run.alone():
            self.run.resume()
            with self.run.environment(progress=False):
                yield

    def make(self) -> Record | None:
        """Make one update; return its record, if this one has one."""
        run, began = self.run, time.perf_counter()
        run.update()
        self.seconds += time.perf_counter() - began
        if run.step % self._every and run.step != run.total:
            return None
        loss = run.sums["loss"] / run.counted
        metrics = {name: total / run.counted for name, total in run.sums.items() if name != "loss"}
        run.sums, run.counted, run.unreported = {}, 0, False
        return Record(run.step, self.seconds, loss, run.rate, run.norm, {}, metrics)

    def change_rate(self, rate: float) -> None:
        """Train at this peak rate from the next update on."""
        self.changes.append((self.step, rate))

    def evaluate(
        self, figures: Callable[[nn.Module], dict[str, float]] | None = None
    ) -> dict[str, float]:
        """Return the figures on the validation split, or those of another function of the model."""
        model, run = self.run.model, self.run
        run.evaluate = figures or self._evaluate
        try:
            return run._evaluate()
        finally:
            run.evaluate = self._evaluate
            model.train()

    def state(self) -> dict[str, Tensor]:
        """Return the model's state dict, as it is now; its tensors change with the next update."""
        return self.run.model.state_dict()

    def save(self) -> None:
        """Write the checkpoint.

        Raises:
            OSError: it can't be written; the one before is intact.
        """
        self.run.save()
