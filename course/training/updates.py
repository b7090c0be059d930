"""The updates of one run, one at a time, with what each has to report: encoder_core's `Run`, driven."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

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
            schedule=cast(Any, settings.schedule),
            optimizer=cast(Any, settings.optimizer),
            weight_decay=settings.weight_decay,
            clip=settings.clip,
            layer_norms=True,
            precision="float32",
            device="cpu",
            seed=settings.seed,
        )
        self.run = Run(
            model, training.data, training.loss, config, training.collate,
            evaluate=training.evaluate, path=path,
        )  # fmt: skip
        self._validate = training.evaluate
        self._every = max(1, math.ceil(self.run.total / MOST))

    @property
    def step(self) -> int:
        """Updates so far."""
        return self.run.step

    @property
    def total(self) -> int:
        """Updates of the whole run."""
        return self.run.total

    @property
    def seconds(self) -> float:
        """Seconds spent in updates, over all resumptions."""
        return self.run.seconds

    @property
    def changes(self) -> list[tuple[int, float]]:
        """The rates set while it ran, each with the updates before it."""
        return [(step, rate) for step, rate in self.run.rates.made]

    @contextmanager
    def going(self) -> Iterator[None]:
        """Hold the checkpoint's lock, resume from it, and train inside of the `with`."""
        with self.run.alone():
            self.run.resume()
            with self.run.environment(progress=False):
                yield

    def make(self) -> Record | None:
        """Make one update; return its record, if this one has one."""
        run = self.run
        run.update()
        if run.step % self._every and not run.complete:
            return None
        means = {name: total / run.counted for name, total in run.sums.items()}
        run.sums, run.counted, run.unreported = {}, 0, False
        return Record(
            run.step, run.seconds, means.pop("loss"), run.rate, run.norm, run.layer_norms, means
        )

    def change_rate(self, rate: float) -> None:
        """Train at this peak rate from the next update on."""
        self.run.change_rate(rate)

    def evaluate(
        self, figures: Callable[[nn.Module], dict[str, float]] | None = None
    ) -> dict[str, float]:
        """Return the figures on the validation split, or those of another function of the model."""
        run = self.run
        run.evaluate = figures or self._validate
        try:
            return run._evaluate()
        finally:
            run.evaluate = self._validate

    def state(self) -> dict[str, Tensor]:
        """Return the model's state dict, as it is now; its tensors change with the next update."""
        return self.run.model.state_dict()

    def save(self) -> None:
        """Write the checkpoint; whole, and on the disk when the system finds time for it.

        Raises:
            OSError: it can't be written; the one before is intact.
        """
        self.run.save(durable=False)

    def repeat(
        self, until: int, changes: list[tuple[int, float]], repeated: Callable[[], object]
    ) -> None:
        """Make the updates up to a step, with the rates that were set on the way; call back after each."""
        due = [change for change in changes if self.step <= change[0] < until]
        due = [change for change in due if change not in self.changes]
        while self.step < until:
            for step, rate in due:
                if step == self.step:
                    self.change_rate(rate)
            self.make()
            repeated()

    def adopt(self, other: Updates, *, rates: bool) -> None:
        """Go on from where another run stands: weights, optimizer, step, and the rates set in it."""
        run, from_run = self.run, other.run
        run.model.load_state_dict(from_run.model.state_dict())
        groups = run.optimizer.state_dict()["param_groups"]
        state = from_run.optimizer.state_dict()["state"]
        run.optimizer.load_state_dict({"state": state, "param_groups": groups})
        run.step, run.seconds = from_run.step, from_run.seconds
        run.rate, run.norm, run.layer_norms = from_run.rate, from_run.norm, from_run.layer_norms
        if rates:
            run.rates.made = list(from_run.rates.made)
