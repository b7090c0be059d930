"""One run of a training, to start, pause, watch, look back in and branch."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from course.training import workers
from course.training.moments import Moments
from course.training.notices import Notices
from course.training.places import Places, folder_of, is_busy, writable
from course.training.published import Published
from course.training.records import Record, RecordReader, keep_records, read_records
from course.training.settings import Settings
from course.training.task import Training
from course.training.trainer import Job
from course.training.watching import Watch

__all__ = ["Session", "State"]

State = Literal["ready", "running", "paused", "finished", "stopped", "failed"]

ENDED = ("finished", "stopped", "failed")


class Session:
    """One run of a training, perhaps resumed from the files of an earlier kernel.

    The training runs in a child process (see `workers`), so that the notebook stays free. All methods
    return at once, except `wait`, `result` and `close`.

    Attributes:
        training, settings: what is trained.
        folder: where the run is kept.
        state: "ready", "running", "paused", "finished", "stopped" or "failed".
        message: a sentence on the state.
        step, total: updates made, and of the whole run.
        seconds: of training, pauses and evaluations left out.
        moments: the weights of earlier moments.

    Raises:
        ValueError: settings are wrong; the sentences say how.
    """

    def __init__(
        self, training: Training, settings: Settings | None = None, *, folder: Path | None = None
    ) -> None:
        self.training, self.settings = training, settings or training.settings
        wrong = training.check(self.settings)
        if wrong:
            raise ValueError(" ".join(wrong.values()))
        self.state: State = "ready"
        self.message, self.step, self.seconds = "", 0, 0.0
        self.total = self.settings.steps
        self.changes: list[tuple[int, float]] = []  # learning rates set, with the updates before
        self.moments = Moments(lambda: training.fresh_model(self.settings))
        self._records: list[Record] = []
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._notices = Notices()
        self._watch: Watch | None = None
        self._published: Published | None = None
        self._seen = 0  # publications read
        self._waiting: list[dict[str, Any]] = []  # commands for a worker that is not there yet
        self._attempts = 0
        self.folder, self._remark = writable(folder or folder_of(training, self.settings))
        self.places = Places(self.folder)
        self._look_back()

    # What there is

    @property
    def records(self) -> list[Record]:
        """The records so far, one for each update."""
        with self._lock:
            return list(self._records)

    @property
    def rate(self) -> float:
        """The peak of the learning rate, as it was last set."""
        return self.changes[-1][1] if self.changes else self.settings.learning_rate

    def subscribe(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Call back from another thread when something new is there, at most 20 times a second."""
        return self._notices.subscribe(callback)

    # Commands

    def start(self) -> None:
        """Train, from where the run stands."""
        self._command({"do": "resume"})

    def resume(self) -> None:
        """Go on after a pause."""
        self._command({"do": "resume"})

    def pause(self) -> None:
        """Pause after the update that is under way."""
        with self._lock:
            if self._watch is not None:
                self._watch.worker.link.say({"do": "pause"})

    def advance(self, count: int = 1) -> None:
        """Make a number of updates, and pause."""
        if count < 1:
            raise ValueError(f"count must be at least 1, got {count}.")
        self._command({"do": "advance", "count": count})

    def stop(self) -> None:
        """End the run here; its files stay, and `start` goes on with it."""
        with self._lock:
            if self._watch is not None:
                self._watch.ask_to_end("stop")
            elif self.state in ("paused", "ready"):
                self._become("stopped", f"Stopped after update {self.step:,} of {self.total:,}.")

    def set_rate(self, rate: float) -> None:
        """Change the peak of the learning rate, from the next update on.

        Raises:
            ValueError: it is not a positive, finite number.
        """
        wrong = self.training.check(self.settings.changed(learning_rate=rate))
        if "learning_rate" in wrong:
            raise ValueError(wrong["learning_rate"])
        with self._lock:
            self.changes.append((self.step, rate))
            message = {"do": "rate", "rate": rate}
            if self._watch is not None:
                self._watch.worker.link.say(message)
            else:
                self._waiting.append(message)
            self._notices.tell()

    def close(self) -> None:
        """End the worker, after saving; the run can be resumed later."""
        with self._lock:
            watch = self._watch
            if watch is not None:
                watch.ask_to_end("leave")
        if watch is not None:
            watch.join(15.0)

    def reset(self) -> None:
        """Forget the run, so that `start` begins at update 0."""
        self.close()
        with self._lock:
            self.places.clear()
            self.folder.mkdir(parents=True, exist_ok=True)
            self._records, self.changes, self._waiting = [], [], []
            self.step, self.seconds = 0, 0.0
            self.moments.forget_after(0)
            self._become("ready", "")

    # Waiting

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the run has ended or paused; an interrupt pauses it, says so and returns.

        Raises:
            KeyboardInterrupt: a second one, while the first waits for the update to end.
        """
        try:
            self._wait(timeout)
        except KeyboardInterrupt:
            self.pause()
            self._wait(5.0)
            print(
                f"Interrupted: the training is paused at update {self.step:,} of {self.total:,}. "
                "It goes on from there when you start it again."
            )

    def _wait(self, timeout: float | None) -> None:
        end = None if timeout is None else time.monotonic() + timeout
        with self._changed:
            while self._watch is not None and (self.state not in ("paused", *ENDED) or self._waiting):
                left = 0.2 if end is None else min(0.2, end - time.monotonic())
                if left <= 0:
                    return
                self._changed.wait(left)

    # Inside

    def _command(self, message: dict[str, Any]) -> None:
        with self._lock:
            if self.state == "finished":
                return
            if self._watch is None:
                self._waiting.append(message)
                self._launch()
            elif not self._watch.worker.link.say(message):
                self._waiting.append(message)
            else:
                self.state = "running"  # as it will be in a moment; the worker's word follows

    def _launch(self) -> None:
        """Start a worker on the run as its files have it."""
        _load_optimizers()
        forked = workers.forks()
        self.places.remove_note("end")
        self._look_back()
        model = self.moments.template() if forked else self.training.fresh_model(self.settings)
        self._published = Published(self.moments.layout, workers.new_lock(forked))
        self._seen = 0
        self._reader = RecordReader(self.places.records, at_end=True)
        self.places.write_note("run", self._facts())
        job = Job(self.training, self.settings, model, self.places, self._published)
        self._attempts += 1
        self._watch = Watch(workers.start_worker(job, forked), self._hear, self._end)
        self._become("running", self._remark)
        self._send_waiting()

    def _send_waiting(self) -> None:
        while self._waiting and self._watch is not None:
            if not self._watch.worker.link.say(self._waiting[0]):
                return
            self._waiting.pop(0)

    def _facts(self) -> dict[str, Any]:
        return {
            "schema": 1,
            "name": self.training.name,
            "key": self.training.key,
            "settings": self.settings.as_json(),
            "kernel": os.getpid(),
        }

    def _hear(self, message: dict[str, Any]) -> None:
        """Take what the worker tells; called from the watch's thread."""
        with self._changed:
            self.step = int(message.get("step", self.step))
            self.seconds = float(message.get("seconds", self.seconds))
            self._send_waiting()
            self._collect()
            state = message.get("state")
            if state in ("running", "paused", *ENDED):
                self._become(state, str(message.get("message", "")) or self._remark)

    def _collect(self) -> None:
        """Read the new records and weights."""
        for record in self._reader.news():
            if self._records and self._records[-1].step == record.step:
                self._records[-1] = record
            else:
                self._records.append(record)
        if self._published is not None:
            news = self._published.read(self._seen)
            if news is not None:
                self._seen, step, block = news
                self.moments.add(step, block)

    def _end(self, status: int, hung: bool) -> None:
        """The worker is gone; called from the watch's thread."""
        with self._changed:
            with contextlib.suppress(Exception):
                self._collect()
            self._watch = None
            if self.state not in ENDED:
                self._ended_early(status, hung)
            self._changed.notify_all()
        self._notices.tell()

    def _ended_early(self, status: int, hung: bool) -> None:
        if status == 0:
            self._become("paused", self.message)
        else:
            self._become("failed", _why(status, self.places))

    def _become(self, state: Any, message: str) -> None:
        with self._changed:
            self.state, self.message = state, message
            self._changed.notify_all()
        self._notices.tell()

    def _look_back(self) -> None:
        """Take the records and the step of the checkpoint that the folder has."""
        step = checkpoint_step(self.places.checkpoint)
        records = [record for record in read_records(self.places.records) if record.step <= step]
        with contextlib.suppress(OSError):
            keep_records(self.places.records, records)
        self.moments.forget_after(step)
        self._records, self.step = records, step
        self.seconds = records[-1].seconds if records else 0.0


def checkpoint_step(path: Path) -> int:
    return 0


def _why(status: int, places: Places) -> str:
    return f"The training's process ended with status {status}."


def _load_optimizers() -> None:
    """Import what torch's optimizers import when the first is made, before the fork: it takes a second."""
    torch.optim.SGD([nn.Parameter(torch.zeros(1))])
