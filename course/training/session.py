"""One run of a training, to start, pause, watch, look back in and branch."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError
from torch import nn

from course.system.threads import end_at_exit
from course.training import cache as kept
from course.training import workers
from course.training.branches import branch_folder, require_branch
from course.training.earlier import free_folder, read_checkpoint, read_weights
from course.training.kept_moments import KeptMoments
from course.training.moments import Moments
from course.training.notices import Notices
from course.training.places import Places, folder_of, tidy, writable
from course.training.published import Published
from course.training.records import Record, RecordReader, keep_records, read_records
from course.training.results import Trained
from course.training.settings import Settings
from course.training.states import drop_states_after, states_of
from course.training.task import Training
from course.training.trainer import Job
from course.training.watching import Ending, Watch

__all__ = ["Session", "State"]

State = Literal["ready", "running", "paused", "finished", "stopped", "failed"]

FORKS = 8  # attempts, each with its own luck: torch's generator is locked while another thread draws from it
ENDED = ("finished", "stopped", "failed")
_HUNG = (
    "The training's process came to rest {count} times, the last time after update {step:,}, and was ended: "
    "a lock that another thread of the notebook holds stops it. Let the notebook's other work end, then "
    "start it again; it goes on from its last checkpoint."
)


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
        compared: where the learner's layer is slower or wrong beside the reference's, in a few sentences.
        interrupted: whether an interrupt ended the latest `wait`.

    Raises:
        ValueError: settings are wrong; the sentences say how.
    """

    def __init__(
        self,
        training: Training,
        settings: Settings | None = None,
        *,
        folder: Path | None = None,
        watched: bool = True,
    ) -> None:
        with contextlib.suppress(RuntimeError):  # started by an earlier session
            _optimizers.start()
        self.training, self.settings = training, settings or training.settings
        self._watched = watched  # whether weights are published
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
        self._waiting: list[dict[str, Any]] = []  # commands for which its pipe had no room
        self._until: float | None = None  # the update up to which it should train; None: it rests
        self._again = False  # a command came while the worker ended: another takes it up
        self._rate: float | None = None  # as it was set last
        self._attempts = 0  # workers since the latest command
        self.interrupted = self._finished_here = False
        self.compared = ""
        self.folder, self._remark = writable(
            folder or free_folder(folder_of(training, self.settings))
        )
        self.places = Places(self.folder)
        self._kept = KeptMoments(self.folder)
        self._find_earlier()

    # What there is

    @property
    def records(self) -> list[Record]:
        """The records so far, one for each update."""
        with self._lock:
            return list(self._records)

    @property
    def rate(self) -> float:
        """The peak of the learning rate, as it was last set."""
        if self._rate is not None:
            return self._rate
        return self._kept_rate()

    def subscribe(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Call back from another thread when something new is there, at most 20 times a second."""
        return self._notices.subscribe(callback)

    # Commands

    def start(self) -> None:
        """Train, from where the run stands."""
        self._command({"do": "resume"}, math.inf)

    def resume(self) -> None:
        """Go on after a pause."""
        self.start()

    def pause(self) -> None:
        """Pause after the update that is under way."""
        with self._lock:
            self._until = None
            if self._watch is not None:
                self._say({"do": "pause"})

    def advance(self, count: int = 1) -> None:
        """Make a number of updates, and pause."""
        if count < 1:
            raise ValueError(f"count must be at least 1, got {count}.")
        self._command({"do": "advance", "count": count}, count)

    def stop(self) -> None:
        """End the run here; its files stay, and `start` goes on with it."""
        with self._lock:
            self._again = False
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
            self._rate = rate  # a worker that begins later is told too
            if self._watch is not None:
                self._say({"do": "rate", "rate": rate})
            self._notices.tell()

    def close(self, seconds: float = 15.0) -> None:
        """End the worker, after saving, and wait so long for its end; the run can be resumed later."""
        with self._lock:
            watch, self._again = self._watch, False
            if watch is not None:
                watch.ask_to_end("leave")
                _leaving.add(watch)
        if watch is not None:
            watch.join(seconds)

    def reset(self) -> None:
        """Forget the run, so that `start` begins at update 0."""
        self.close()
        with self._lock:
            self.places.clear()
            self.folder.mkdir(parents=True, exist_ok=True)
            self._records, self.changes = [], []
            self.step, self.seconds, self._rate, self._until = 0, 0.0, None, None
            self.moments.forget_after(0)
            self._become("ready", "")

    def branch(self, step: int, **changes: Any) -> Session:
        """Return a run that repeats this one up to a step and goes on with other settings.

        Without changes it gives the same weights as this one, bit by bit.

        Raises:
            ValueError: the step was not made yet, or a setting is wrong or can't change in a branch.
            TypeError: an unknown setting.
        """
        after = self.settings.changed(**changes)
        wrong = self.training.check(after)
        if wrong:
            raise ValueError(" ".join(wrong.values()))
        with self._lock:
            require_branch(self.settings, after, step, self.step)
            folder = branch_folder(
                self.training, self.settings, after, self.places, step, self.changes
            )
            records = [record for record in self._records if record.step <= step]
            keep_records(Places(folder).records, records)
            other = Session(self.training, after, folder=folder)
            for kept in self.moments.steps:
                block = self.moments.block(kept)
                if block is not None and kept <= step:
                    other.moments.add(kept, block)
        other.message = f"Branched from update {step:,}."
        return other

    # Waiting

    def result(self, *, cache: bool = True) -> Trained:
        """Train to the end, or take the result from the cache; return it.

        Raises:
            RuntimeError: the training failed, or was stopped before its end.
            KeyboardInterrupt: it was interrupted; it is paused.
        """
        if cache and self.state == "ready" and self._is_plain():
            found = kept.find(self.training, self.settings)
            if found is not None:
                return found
        self.finish()
        trained = self._trained()
        if cache and self._finished_here and self._is_plain():
            kept.store(self.training, trained)
        return trained

    def finish(self, look: Callable[[], object] = lambda: None) -> None:
        """Train until the run has ended; call `look` at least every 0.2 s.

        Raises:
            RuntimeError: its process left before the end, as another part of the program asked.
            KeyboardInterrupt: it was interrupted; it is paused.
        """
        try:
            self._finish(look)
        except KeyboardInterrupt:
            self.pause()
            raise

    def _finish(self, look: Callable[[], object]) -> None:
        if self.state in ("ready", "paused", "failed"):
            self.start()
        while self.state not in ENDED:
            self.wait(0.2)
            look()
            if self.interrupted:
                raise KeyboardInterrupt(f"The training is paused at update {self.step:,}.")
            with self._lock:
                if self._watch is None and self.state not in ENDED:
                    raise RuntimeError(
                        f"The training was left at update {self.step:,} of {self.total:,}. It is saved "
                        "and goes on from there when you start it again."
                    )
            if self.state == "paused":
                time.sleep(0.05)

    def _is_plain(self) -> bool:
        """Whether the settings alone decide the result: no rate was set, and it is no branch."""
        changed = (
            self._rate is not None or self.changes or self.places.note("result").get("changes")
        )
        return not changed and not self.places.note("origin")

    def _trained(self) -> Trained:
        if self._watch is not None:
            self._watch.join(5.0)
        if self.state != "finished":
            raise RuntimeError(self.message)
        facts = self.places.note("result")
        model = self.training.fresh_model(self.settings)
        try:
            weights = read_weights(self.places.checkpoint)
        except (OSError, SafetensorError) as error:
            raise RuntimeError(
                f"The finished run can't be read from {self.folder} ({type(error).__name__}). Another "
                "notebook may have begun the same training anew. Reset it, and train again."
            ) from error
        model.load_state_dict(weights)
        return Trained(
            model.eval(), self.settings, self.records, dict(facts.get("metrics", {})),
            dict(facts.get("test", {})), not self._finished_here, float(facts.get("seconds", self.seconds)),
        )  # fmt: skip

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the run has ended or paused; an interrupt pauses it, says so and returns.

        Raises:
            KeyboardInterrupt: a second one, while the first waits for the update to end.
        """
        self.interrupted = False
        try:
            self._wait(timeout)
        except KeyboardInterrupt:
            self.interrupted = True
            self.pause()
            self._wait(5.0)
            print(
                f"Interrupted: the training is paused at update {self.step:,} of {self.total:,}. "
                "It goes on from there when you start it again."
            )

    def _wait(self, timeout: float | None) -> None:
        end = None if timeout is None else time.monotonic() + timeout
        with self._changed:
            while self._watch is not None and (
                self.state not in ("paused", *ENDED) or self._waiting
            ):
                left = 0.2 if end is None else min(0.2, end - time.monotonic())
                if left <= 0:
                    return
                self._changed.wait(left)

    # Inside

    def _command(self, message: dict[str, Any], count: float) -> None:
        with self._lock:
            if self.state == "finished":
                return
            self._attempts = 0
            if self._watch is None:
                self._look_back()
                self._until = self.step + count
                self._try_to_launch()
                return
            self._until = self.step + count
            if self._watch.asked or self.state in ENDED:
                self._again = True
            else:
                self._say(message)
            self.state = "running"  # as it will be in a moment; the worker's word follows

    def _say(self, message: dict[str, Any]) -> None:
        """Tell the worker, now or as soon as its pipe has room."""
        self._waiting.append(message)
        while self._waiting and self._watch is not None:
            if not self._watch.worker.link.say(self._waiting[0]):
                return
            self._waiting.pop(0)

    def _try_to_launch(self) -> None:
        """Start a worker; a model that can't be built is a training that failed."""
        try:
            self._launch()
        except Exception as error:
            self._become("failed", f"The training did not start: {type(error).__name__}: {error}")

    def _launch(self) -> None:
        """Start a worker on the run as its files have it, with what it is to do."""
        _optimizers.join()
        tidy(self.training, self.folder)
        forked = workers.forks()
        self.places.remove_note("end")
        self._look_back()
        model = self.moments.template() if forked else self.training.fresh_model(self.settings)
        lock = workers.new_lock(forked)
        self._published = Published(self.moments.layout, lock) if self._watched else None
        self._seen = 0
        self._reader = RecordReader(self.places.records, at_end=True)
        self.places.write_note("run", self._facts())
        job = Job(self.training, self.settings, model, self.places, self._published)
        self._attempts += 1
        self._waiting = []
        worker = workers.start_worker(job, forked)
        self._watch = Watch(worker, self._hear, self._end, lambda: self.state == "running")
        self._become("running", self._remark)
        if self._rate is not None and self._rate != self._kept_rate():
            self._say({"do": "rate", "rate": self._rate})
        self._say(self._wanted())

    def _kept_rate(self) -> float:
        """The peak of the learning rate, as the files have it."""
        return self.changes[-1][1] if self.changes else self.settings.learning_rate

    def _wanted(self) -> dict[str, Any]:
        """The command that brings a new worker to where the run should go."""
        if self._until == math.inf:
            return {"do": "resume"}
        if self._until is not None and self._until > self.step:
            return {"do": "advance", "count": self._until - self.step}
        return {"do": "pause"}

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
            self.compared = str(message.get("compared", self.compared))
            told = [(int(step), float(rate)) for step, rate in message.get("changes", [])]
            if told:  # the latest ones, each with the update that it was in time for
                self.changes = [c for c in self.changes if c[0] < told[0][0]] + told
            self._collect()
            state = message.get("state")
            self._finished_here = self._finished_here or state == "finished"
            if not self._again:
                self._take_state(state, str(message.get("message", "")))

    def _take_state(self, state: Any, message: str) -> None:
        if state in ("left", *ENDED):
            self._until = None
        if state in ("running", "paused", *ENDED):
            self._become(state, message or self._remark)

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
                self._kept.keep(self.moments)

    def _end(self, ending: Ending) -> None:
        """The worker is gone; called from the watch's thread."""
        with self._changed:
            with contextlib.suppress(Exception):
                self._collect()
                self._kept.keep(self.moments, now=True)
            ended, again, self._again = self._watch, self._again, False
            try:
                if again or (ending.hung and self._attempts < FORKS):
                    self._try_to_launch()  # after a lock held at the fork: another may be luckier
                elif self.state not in ENDED:
                    self._ended_early(ending)
            finally:
                if self._watch is ended:
                    self._watch = None
            self._changed.notify_all()
        self._notices.tell()

    def _ended_early(self, ending: Ending) -> None:
        """Say why a worker has gone before the run's end, as far as it left a word."""
        end = self.places.note("end")
        if ending.fault:
            self._become("failed", f"The notebook lost track of the training: {ending.fault}.")
        elif end.get("state") in ("finished", "stopped"):
            self._finished_here = self._finished_here or end["state"] == "finished"
            self._become(end["state"], str(end.get("message", "")))
        elif ending.asked == "stop":
            found = read_checkpoint(self.places.checkpoint)
            step = 0 if found is None else found.step
            self._become(
                "stopped", f"It did not answer and was ended; its checkpoint is of update {step:,}."
            )
        elif ending.asked or ending.status == 0:
            self._become("paused", self.message)
        elif ending.hung:
            self._become("failed", _HUNG.format(count=self._attempts, step=self.step))
        else:
            self._become("failed", _why(ending.status, self.places))

    def _become(self, state: Any, message: str) -> None:
        with self._changed:
            self.state, self.message = state, message
            self._changed.notify_all()
        self._notices.tell()

    def _look_back(self) -> None:
        """Take what the folder has of this run: records, moments, the checkpoint's step."""
        found = read_checkpoint(self.places.checkpoint)
        step = self._origin_step() if found is None else found.step
        records = [record for record in read_records(self.places.records) if record.step <= step]
        with contextlib.suppress(OSError):
            keep_records(self.places.records, records)
        drop_states_after(self.places, step)
        self.moments.forget_after(step)
        self._records, self.step = records, step
        self.seconds = found.seconds if found else records[-1].seconds if records else 0.0
        self.changes = [] if found is None else list(found.changes)

    def _origin_step(self) -> int:
        step = self.places.note("origin").get("step", 0)
        return step if isinstance(step, int) else 0

    def _find_earlier(self) -> None:
        """Take up the run that an earlier kernel left here, if it is of the same code and data."""
        note, found = self.places.note("run"), read_checkpoint(self.places.checkpoint)
        self.compared = str(self.places.note("compared").get("told", ""))
        if note and note.get("key") != self.training.key:
            self.places.clear()
            self.folder.mkdir(parents=True, exist_ok=True)
            self.message = "An earlier run had other code or data, so this one begins at update 0."
        elif note and found is not None and found.step:
            self._look_back()
            self._restore_moments()
            end = self.places.note("end")
            if end.get("state") in ("finished", "stopped"):
                self.state = end["state"]
                self.message = f"{end.get('message', '')} This is an earlier run, as it was kept."
            else:
                self.state = "paused"
                self.message = (
                    f"Resumed from update {found.step:,} of {self.total:,}, "
                    f"saved {_duration(found.age)} ago."
                )
        else:
            self._look_back()

    def _restore_moments(self) -> None:
        """Bring back the moments that the files of full states hold."""
        try:
            layout = self.moments.layout
        except Exception:
            return  # the model can't be built: `start` says why
        for step, block in self._kept.read(layout.size):
            if step <= self.step:
                self.moments.add(step, block)
        files = {**states_of(self.places), self.step: self.places.checkpoint}
        for step, path in files.items():
            with contextlib.suppress(OSError, SafetensorError, KeyError, RuntimeError):
                self.moments.add(step, layout.pack(read_weights(path)))


def _duration(seconds: float) -> str:
    """A span of time, in its largest unit."""
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        count = int(seconds // length)
        if count:
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return f"{seconds:.0f} s"


def _why(status: int, places: Places) -> str:
    """Why a worker ended that left no word."""
    if status < 0:
        try:
            name = signal.Signals(-status).name
        except ValueError:
            name = str(-status)
        what = f"was ended from outside ({name}); memory may have been short"
    else:
        what = f"ended with status {status}"
    with contextlib.suppress(OSError):
        lines = places.output.read_text(errors="replace").strip().splitlines()
        if lines and status > 0:
            what += f": {lines[-1][:300]}"
    return f"The training's process {what}. Start it again to go on from its last checkpoint."


_leaving: weakref.WeakSet[Watch] = weakref.WeakSet()  # of sessions that were closed


def wait_for_closed(seconds: float) -> None:
    """Wait until the workers of closed sessions have saved and gone, so that their runs can be resumed."""
    end = time.monotonic() + seconds
    for watch in list(_leaving):
        if watch.join(max(0.0, end - time.monotonic())):
            _leaving.discard(watch)


def _load_optimizers() -> None:
    """Import what torch's optimizers import when the first is made: it takes a second."""
    torch.optim.SGD([nn.Parameter(torch.zeros(1))])


_optimizers = threading.Thread(target=_load_optimizers, daemon=True)  # over before the first fork
end_at_exit(_optimizers)
