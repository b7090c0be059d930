"""One training at work, in a child process or a thread: it makes updates, listens and publishes."""

from __future__ import annotations

import contextlib
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import nn

from course.training.branches import repeat_origin
from course.training.comparing import compare
from course.training.link import Closed, Link
from course.training.places import Places
from course.training.published import Published
from course.training.records import Record, RecordWriter, read_records
from course.training.settings import Settings
from course.training.states import keep_state
from course.training.task import Training
from course.training.updates import Updates

__all__ = ["Job", "Trainer"]

PUBLISHED_EVERY = 0.1  # seconds
SAVED_EVERY = 1.0
KEPT_EVERY = 5.0  # full states, for branches
TOLD_EVERY = 0.05
RETOLD_AFTER = 0.1  # what the notebook did not take
_GIVEN_UP = "It was stopped while it repeated the updates of the run that it branched off."
EVALUATING = 0.03  # the share of the time that evaluations may take


@dataclass(frozen=True)
class Job:
    """What is to be trained, and where it is kept."""

    training: Training
    settings: Settings
    model: nn.Module
    places: Places
    published: Published | None  # None where nobody looks


class _Abandoned(Exception):
    """An evaluation was broken off, because a command came."""


class _GivenUp(Exception):
    """A repetition was broken off, because a command to end came."""

    def __init__(self, state: str) -> None:
        self.state = state


class Trainer:
    """Makes the updates of a job; `work` returns when it is finished, stopped, or left alone."""

    def __init__(self, job: Job, link: Link) -> None:
        self._job, self._link = job, link
        self._updates = Updates(job.training, job.settings, job.model, job.places.checkpoint)
        self._records = RecordWriter(job.places.records)
        self._allowed = 0.0  # updates that may be made before the next pause
        self._made = 0  # updates of this worker
        self._heard: list[dict[str, Any]] = []  # commands that wait
        self._ending: str | None = None  # the state in which to end
        self._untold = ""  # a state that the notebook has not taken yet
        self._published = self._told = self._saved = self._kept = 0.0  # when it was done last
        self._evaluating = 0.0  # seconds
        self._last_evaluation = 0.0
        self._unpublished = True

    def work(self) -> None:
        """Train, from the checkpoint where there is one, as the commands say."""
        try:
            self._begin()
            repeat_origin(self._job.training, self._job.places, self._updates, self._repeated)
            with self._updates.going():
                self._loop()
            if self._ending is not None:
                self._end(self._ending, _sentence_of_end(self._ending, self._updates))
        except _GivenUp as word:
            self._insist({"state": word.state, "message": _GIVEN_UP})
        except Exception as error:
            traceback.print_exc()
            with contextlib.suppress(Exception):
                self._end("failed", _sentence_of(error))

    def _begin(self) -> None:
        """Tell that this worker lives; where the run stands is not known yet."""
        self._link.say({"state": "begun", "made": self._made})
        self._told = time.monotonic()

    def _repeated(self) -> None:
        """After a repeated update of a branch's first run: look for a command to end."""
        self._made += 1
        if time.monotonic() - self._told >= TOLD_EVERY:
            self._begin()
        self._hear()
        ends = [message["do"] for message in self._heard if message.get("do") in ("stop", "leave")]
        if ends:
            raise _GivenUp("stopped" if ends[0] == "stop" else "left")

    def _compare(self) -> None:
        """Before the first update of a run that is watched: tell what is worse than the reference's."""
        job = self._job
        if self._updates.step or job.published is None:
            return
        with contextlib.suppress(Exception):  # the training itself says what is wrong
            told = compare(job.training, job.settings, job.model)
            job.places.write_note("compared", {"told": told})
            self._link.say({"state": "begun", "compared": told})

    def _loop(self) -> None:
        self._publish(wait=True)
        self._compare()
        self._save()
        while self._ending is None:
            self._listen()
            if self._ending is None and self._updates.step >= self._updates.total:
                self._finish()
            elif self._ending is None and self._allowed >= 1:
                self._advance()

    def _listen(self) -> None:
        """Do what was asked for; wait for it while paused."""
        unfinished = self._updates.step < self._updates.total
        idle = self._allowed < 1 and unfinished and not self._heard
        self._hear((RETOLD_AFTER if self._untold else 3600.0) if idle else 0.0)
        if self._untold:
            self._tell(self._untold)
        while self._heard and self._ending is None:
            self._obey(self._heard.pop(0))

    def _hear(self, timeout: float = 0.0) -> None:
        try:
            self._heard += self._link.hear(timeout)
        except Closed:
            self._heard.append({"do": "leave"})

    def _obey(self, message: dict[str, Any]) -> None:
        kind = message.get("do")
        if kind == "resume":
            self._allowed = float("inf")
            self._tell("running")
        elif kind == "advance":
            self._allowed = float(message["count"])
            self._tell("running")
        elif kind == "pause":
            self._rest()
        elif kind == "rate":
            self._updates.change_rate(float(message["rate"]))
        elif kind == "stop":
            self._ending = "stopped"
        elif kind == "leave":
            self._ending = "left"

    def _advance(self) -> None:
        """Make one update, and do what is due after it."""
        record = self._updates.make()
        self._made += 1
        self._allowed -= 1
        self._unpublished = True
        last = self._updates.step >= self._updates.total
        if record is not None:
            self._records.add(record)
            if self._evaluation_is_due() and not last:
                self._add_figures(record)
        now = time.monotonic()
        if now - self._published >= PUBLISHED_EVERY:
            self._publish()
        if now - self._saved >= SAVED_EVERY:
            self._save()
        if now - self._told >= TOLD_EVERY:
            self._tell("running")
        if self._allowed < 1 and not last:
            self._rest()

    def _rest(self) -> None:
        """Pause, with everything published and saved."""
        self._allowed = 0.0
        self._publish(wait=True)
        self._tell("paused")
        self._save()

    def _evaluation_is_due(self) -> bool:
        spent = self._evaluating + self._last_evaluation
        return spent <= EVALUATING * self._updates.seconds

    def _add_figures(self, record: Record) -> None:
        """Evaluate, unless a command comes in between, and write the record again with the figures."""
        began = time.monotonic()
        with contextlib.suppress(_Abandoned), self._interruptible():
            figures = self._updates.evaluate()
            self._records.add(replace(record, metrics={**record.metrics, **figures}))
        self._last_evaluation = time.monotonic() - began
        self._evaluating += self._last_evaluation

    @contextlib.contextmanager
    def _interruptible(self) -> Iterator[None]:
        """Let a command break off an evaluation at the model's next call."""

        def look(*_: Any) -> None:
            self._hear()
            if self._heard:
                raise _Abandoned

        handle = self._job.model.register_forward_pre_hook(look)
        try:
            yield
        finally:
            handle.remove()

    def _finish(self) -> None:
        """Read the figures of the finished model, and keep them."""
        job, updates = self._job, self._updates
        figures = updates.evaluate()
        test = updates.evaluate(job.training.test) if job.training.test is not None else {}
        self._records.flush()
        final = read_records(job.places.records)[-1:]
        if final and final[0].step == updates.step:
            self._records.add(replace(final[0], metrics={**final[0].metrics, **figures}))
        self._save()
        result = {"metrics": figures, "test": test, "seconds": updates.seconds,
                  "step": updates.step, "changes": updates.changes}  # fmt: skip
        job.places.write_note("result", result)
        self._ending = "finished"

    def _publish(self, wait: bool = False) -> None:
        if self._job.published is None or not self._unpublished:
            return
        step, state = self._updates.step, self._updates.state()
        if self._job.published.write(step, state, 1.0 if wait else 0.0):
            self._unpublished, self._published = False, time.monotonic()

    def _save(self) -> None:
        self._records.flush()
        with contextlib.suppress(OSError):  # a full disk: the training goes on
            self._updates.save()
            if time.monotonic() - self._kept >= KEPT_EVERY:
                keep_state(self._job.places, self._updates.step)
                self._kept = time.monotonic()
        self._saved = time.monotonic()

    def _tell(self, state: str, message: str = "") -> bool:
        """Let the notebook know; what it doesn't take now is told again soon."""
        self._records.flush()
        said = self._link.say(self._news(state, message))
        self._untold = "" if said else state
        if said:
            self._told = time.monotonic()
        return said

    def _news(self, state: str, message: str) -> dict[str, Any]:
        return {"state": state, "step": self._updates.step, "seconds": self._updates.seconds,
                "changes": self._updates.changes[-20:], "made": self._made, "message": message}  # fmt: skip

    def _end(self, state: str, message: str) -> None:
        """The last word, which must arrive; and a note for a later kernel."""
        self._publish(wait=True)
        self._records.flush()
        if state in ("finished", "stopped"):
            self._job.places.write_note("end", {"state": state, "message": message})
        self._insist(self._news(state, message))

    def _insist(self, news: dict[str, Any]) -> None:
        deadline = time.monotonic() + 5.0
        while not self._link.say(news) and time.monotonic() < deadline:
            time.sleep(0.01)


def _sentence_of_end(state: str, updates: Updates) -> str:
    if state == "stopped":
        return f"Stopped after update {updates.step:,} of {updates.total:,}."
    if state == "finished":
        return f"Finished: {updates.total:,} updates in {updates.seconds:.0f} s."
    return ""


def _sentence_of(error: BaseException) -> str:
    """What went wrong, and the line of the innermost frame."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    text = f"{type(error).__name__}: {error}"
    return f"The training failed with {text[:1500]}{where}."
