"""The training theatre as a widget: records and moments in, drawings out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from course.labs.drawing import Drawing, Sent
from course.labs.lab import Lab
from course.labs.theatre.form import form
from course.labs.theatre.moments import Picture
from course.labs.theatre.runs import Run, Runs
from course.labs.theatre.settings import BRANCHES, Draft, difference, label, value_of
from course.labs.theatre.still import still
from course.labs.theatre.summary import answers_text, number, parts, plan, state, summary
from course.labs.theatre.ticking import Ticker
from course.labs.theatre.view import (
    Selection,
    answers,
    choices,
    curves,
    head_map,
    norms,
    stage,
)

if TYPE_CHECKING:
    from torch import nn

    from course.training import Moments, Session, Settings, Trained, Training

LIVE = 0.1  # seconds between pictures of the newest moment: each costs a call of the model
UNSEEN = 1.0  # the same while no view has answered yet
UNSEEN_SHARE = 0.01  # of the time since it could: the pause between two drawings that are sent then
QUICK = 0.03  # seconds that a press may wait for its picture
SPOKEN = 5.0  # seconds between the figures that a screen reader hears


class Finished:
    """The one moment of a result that was kept: its end."""

    def __init__(self, trained: Trained) -> None:
        self.trained = trained
        self.steps = [trained.settings.steps]

    def model(self, step: int) -> nn.Module:
        """The trained model."""
        return self.trained.model


class TrainingTheatre(Lab):
    """Watch a training as it runs, drive it, and look around in any earlier moment of it.

    Args:
        training: what is trained, of `course.training`.
        session: a run of it; without one the theatre goes on with an unfinished run of an earlier
            kernel, or has a new one ready.

    >>> from course import labs
    >>> labs.TrainingTheatre  # doctest: +ELLIPSIS
    <class '...TrainingTheatre'>
    """

    def __init__(self, training: Training, session: Session | None = None) -> None:
        self._close_earlier()  # before its run is looked for, so that this theatre takes it up
        self.training = training
        self._lock = threading.RLock()  # held while what is shown is changed or sent
        self._computing = threading.Lock()  # held while a model computes: no fork meanwhile
        self._ticker = Ticker(self._tick)
        self.runs = Runs(training, self._ticker.wake)
        self.runs.begin(session or _session(training), own=session is None)
        self._draft = Draft(training, self.runs.main.session.settings)
        self._chosen = Selection()
        self._notice = ""
        self._pictures: dict[str, Picture] = {}  # the one that is shown of each run
        self._pictured = 0.0  # when the newest moment was pictured last
        self._said = ("", 0.0)  # what a screen reader was given, and when
        self._told: tuple[Any, ...] = ()  # the summary and the values that the views have
        self._whole = False  # everything is sent, not what is new
        self._opened: float | None = None  # since when a front end may be there
        self._unseen = 0.0  # when something was sent without knowing of one
        self._kept_result: Finished | None = (
            None  # the end of an earlier run, instead of this one's
        )
        self._states: list[str] = []
        super().__init__()

    # Driving it from Python

    @property
    def session(self) -> Session:
        """The run that is shown; the first where there is a branch."""
        return self.runs.main.session

    @property
    def moments(self) -> Moments | Finished:
        """The models of the run's moments; of a result that was kept, its end alone."""
        return self._kept_result or self.session.moments

    def result(self) -> Trained:
        """Train to the end, or wait for it, and return what was trained.

        A result of the same training that was kept is taken instead. Interrupt pauses the training.
        """
        trained = self.session.result()
        self._kept_result = Finished(trained) if trained.from_cache else None
        self._output.renew()
        return trained

    # What the base class asks for

    def form(self) -> dict[str, Any]:
        """The controls and panels."""
        return form(self.training)

    def changed(self) -> list[str]:
        """The settings that differ from the training's own."""
        return list(difference(self._draft.settings, self.training.settings))

    def apply(self, changes: Mapping[str, Any]) -> None:
        """Take in what was moved, then what was pressed."""
        self._notice = ""
        typed = {name: value for name, value in changes.items() if name in self._draft.names}
        if typed:
            self._draft.take(typed)
        for name, value in changes.items():
            if name in ("layer", "head", "row", "column") and type(value) is int:
                place: dict[str, Any] = {name: max(0, value)}
                self._chosen = replace(self._chosen, **place)
            elif name == "log":
                self._chosen = replace(self._chosen, log=bool(value))
            elif name == "cursor" and (value is None or type(value) is int):
                self._chosen = replace(
                    self._chosen, cursor=value if value is None else max(0, value)
                )
        for name, press in self._presses.items():
            if name in changes:
                press(self, changes[name])
        if "cursor" in changes:
            self._picture_quickly()
        # The answer has all that a moved cursor shows; a message more would keep the page from drawing it.
        self._ticker.wake(hurry=set(changes) != {"cursor"} or self._waits_for_pictures())

    def _picture_quickly(self) -> None:
        """Have the pictures in the answer to a press, where they take less time than to send it twice."""
        for run in self.runs.shown:
            wanted = self.runs.picture(run, self._chosen.cursor) is None
            if wanted and self.runs.seconds(run, self._chosen.cursor) <= QUICK:
                self._make_now(run)

    def _waits_for_pictures(self) -> bool:
        """Whether the moment that is shown has no picture yet."""
        return any(self.runs.picture(run, self._chosen.cursor) is None for run in self.runs.shown)

    def drawing(self) -> Drawing:
        """What should be seen now."""
        runs, training, chosen = self.runs.shown, self.training, self._chosen
        several = len(runs) > 1
        pictures = [self._picture(run) for run in runs]
        panels = [stage(training, runs, self._recording(), self._words_to_hear())]
        panels.append(curves(training, runs, chosen, self._whole))
        for run, picture, end in zip(runs, pictures, ("", "_b"), strict=False):
            if training.examples is not None:
                panels.append(answers(training, run, f"answers{end}", picture, several))
            drawn = head_map(run, f"head_map{end}", picture, chosen, several)
            panels += [drawn] if drawn else []
        panels.append(norms(runs, [self._step(run) for run in runs]))
        return Drawing(
            values=self._values(),
            choices=choices(pictures) if training.head else {},
            panels=panels,
            summary=self._summary(pictures),
            notice=self._told_first(pictures),
            refused=dict(self._draft.why),
        )

    def still(self) -> dict[str, str]:
        """A picture and words, for places without a front end."""
        with self._lock:
            runs = self.runs.shown
            pictures = [self._make_now(run) for run in runs]
            told = summary(self.training, runs, pictures)
            examples = [line for picture in pictures for line in answers_text(picture)]
            words = [repr(self), self.training.title, parts(self.training), self._recording(), told]
            title = " ".join(filter(None, (f"{self.training.title}.", self._recording(), told)))
            return {
                "text/plain": "\n".join(filter(None, [*words, *examples])),
                "image/svg+xml": still(self.training, runs, pictures, self._chosen, title),
            }

    def __repr__(self) -> str:
        return f"TrainingTheatre({self.training.name})"

    # What is shown

    def _in_use(self) -> Settings:
        """The first run's settings, with the rate that it has now."""
        session = self.session
        return session.settings.changed(learning_rate=session.rate)

    def _values(self) -> dict[str, Any]:
        chosen = self._chosen
        shown = {"layer": chosen.layer, "head": chosen.head, "log": chosen.log}
        return {**self._draft.values(), **shown, "runs": len(self.runs.shown)}

    def _step(self, run: Run) -> int:
        """The update that a run's numbers are shown of."""
        cursor, step = self._chosen.cursor, run.session.step
        return int(step if cursor is None else min(cursor, step))

    def _picture(self, run: Run) -> Picture | None:
        """The picture of the moment that is shown; the last one until it is made."""
        now = self.runs.picture(run, self._chosen.cursor)
        if now is not None:
            self._pictures[run.id] = now
        elif run.id not in self._pictures:
            self._make_now(run)
        return self._pictures.get(run.id)

    def _make_now(self, run: Run) -> Picture:
        with self._computing:
            made = self.runs.make(run, self._chosen.cursor)
        self._pictures[run.id] = made
        return made

    def _recording(self) -> str:
        """That this is no live run, and what it is; "" for a live one."""
        if self._kept_result is None:
            return ""
        trained = self._kept_result.trained
        figures = ", ".join(f"{name} {value:.4g}" for name, value in trained.metrics.items())
        return (
            f"A result that was kept: the same training ran earlier, {trained.settings.steps:,} updates "
            f"in {trained.seconds:.0f} s, and ended with {figures}. Start trains it again."
        )

    def _told_first(self, pictures: list[Picture | None]) -> str:
        """Invalid settings, then what a press did, then what failed."""
        faults = [picture.fault for picture in pictures if picture]
        failed = [run.session.message for run in self.runs.shown if run.session.state == "failed"]
        plans = plan(self._draft.settings, self._in_use())
        told = [*self._draft.why.values(), self._notice or plans, *failed, *faults[:1]]
        return " ".join(filter(None, told))

    def _words_to_hear(self) -> str:
        """A change of state at once; the figures of a run every few seconds."""
        told, when = self._said
        runs, now = self.runs.shown, time.monotonic()
        states: list[str] = [run.session.state for run in runs]
        if states != self._states or now - when >= SPOKEN or not told:
            several = len(runs) > 1
            told = " ".join(state(run, self.training.figure, several) for run in runs)
            self._said, self._states = (told, now), states
        return told

    def _summary(self, pictures: list[Picture | None]) -> str:
        """The picture in words; while it follows a run, as often as they are heard."""
        key = (self._said, self._chosen, len(self.runs.shown))
        if self._chosen.cursor is not None:  # the moment's own answers belong to its words
            key = (*key, tuple(picture and picture.step for picture in pictures))  # type: ignore[assignment]
        if getattr(self, "_summed", (None, ""))[0] != key:
            self._summed = (key, summary(self.training, self.runs.shown, pictures))
        return self._summed[1]

    # What is sent

    def _everything(self, sent: Sent) -> tuple[dict[str, Any], list[bytes]]:
        with self._lock:
            self._whole = True
            try:
                content, buffers = super()._everything(sent)
            finally:
                self._whole = False
            if not self._views:  # nobody has the records before these
                self._note_sent(content)
            self._opened = self._opened or time.monotonic()
            return content, buffers

    def _greet(self, view: str) -> None:
        if len(self._views) > 1:
            self._push()  # what the others do not have yet
        super()._greet(view)
        self._ticker.wake(hurry=True)

    def _draw(self, drawing: Drawing, extra: Mapping[str, Any] | None = None) -> None:
        content, buffers = self._sent.message(drawing)
        self._note_sent(content)
        head = {"type": "draw", "drawn": self._state_number(drawing), **(extra or {})}
        self.send({**head, **content}, buffers)

    def _push(self) -> None:
        """Send what is new, of its own accord."""
        drawing = self.seen()
        content, buffers = self._sent.message(drawing)
        self._note_sent(content)
        told = (content["summary"], content["values"], content["notice"])
        if told == self._told and not content["panels"]:
            return
        for name, now, before in zip(
            ("summary", "values"), told, self._told or (None, None), strict=False
        ):
            if now == before:
                del content[name]
        self._told = told
        self.send({"type": "draw", "drawn": self._state_number(drawing), **content}, buffers)

    def _note_sent(self, content: Mapping[str, Any]) -> None:
        chunks = {
            chunk["id"]: chunk
            for panel in content["panels"]
            if panel["name"] == "curves" and "data" in panel
            for chunk in panel["chunks"]
        }
        for run in self.runs.shown:
            if run.id in chunks:
                run.sent, run.measured = chunks[run.id]["upto"], chunks[run.id]["last"]

    def seen(self) -> Drawing:
        """The drawing as it is sent."""
        return self.drawing()

    # Another thread: what is new is pictured and sent

    def _tick(self) -> None:
        """Picture the moment that is looked at, send what is new, and keep a run's end."""
        try:
            if self._views or self._unseen_may_be_told():
                self._picture_moments()
                with self._lock:
                    self._push()
            self._keep_end()
        except Exception as error:  # a thread of its own: nobody else would say so
            with self._lock:
                self._notice = f"The theatre failed with {type(error).__name__}: {error}"
                self.send({"type": "draw", "panels": [], "notice": self._notice})

    def _unseen_may_be_told(self) -> bool:
        """Whether to send, while no view has answered: there may be one, and Python too busy to hear it.

        The more time goes by, the rarer, because whoever reads a notebook's messages only after its cell,
        as nbval does, finds the first thousand alone.
        """
        now = time.monotonic()
        if self._opened is None:
            return False
        if now - self._unseen < max(LIVE, UNSEEN_SHARE * (now - self._opened)):
            self._ticker.wake()
            return False
        self._unseen = now
        return True

    def _picture_moments(self) -> None:
        with self._lock:
            runs, cursor = list(self.runs.shown), self._chosen.cursor
        now = time.monotonic()
        running = any(run.session.state == "running" for run in runs)
        pause = LIVE if self._views else UNSEEN
        if cursor is None and running and now - self._pictured < pause:
            self._ticker.wake()
            return
        self._pictured = now
        for run in runs:
            if self.runs.picture(run, cursor) is None:
                with self._computing:
                    self.runs.make(run, cursor)

    def _keep_end(self) -> None:
        """Renew the still picture whenever a run has come to rest."""
        states = [run.session.state for run in self.runs.shown]
        if states == getattr(self, "_kept", None):
            return
        before, self._kept = getattr(self, "_kept", None), states
        if before is not None and "running" not in states:
            self._output.renew()

    # The conversation

    def _handle_custom_msg(self, content: dict[str, Any], buffers: list[Any]) -> None:
        with self._lock:
            super()._handle_custom_msg(content, buffers)

    def close(self) -> None:
        """Close it in all views; a run that the theatre started ends, and can be resumed."""
        self._ticker.close()
        with self._lock:
            self.runs.close()
            super().close()

    # What the buttons do

    def _go(self, wanted: Any) -> None:
        for run in self.runs.shown:
            session = run.session
            if wanted == "pause" and session.state == "running":
                session.pause()
            elif wanted == "go" and session.state not in ("running", "finished"):
                with self._computing:
                    session.start()

    def _make_steps(self, count: Any) -> None:
        if type(count) is not int or not 1 <= count <= 1000:
            return
        for run in self.runs.shown:
            if run.session.state not in ("running", "finished"):
                with self._computing:
                    run.session.advance(count)

    def _stop(self, _: Any) -> None:
        for run in self.runs.shown:
            if not run.ended:
                run.session.stop()

    def _start_over(self, _: Any) -> None:
        if self._draft.why:
            self._notice = "Not started: a setting cannot be used."
            return
        from course.training import Session

        with self._computing:
            session = Session(self.training, self._draft.settings)
            self.runs.begin(session, own=True)
            session.reset()
            session.start()
        self._chosen = replace(self._chosen, cursor=None)
        self._pictures = {}

    def _change_rate(self, _: Any) -> None:
        if "learning_rate" in self._draft.why:
            return
        rate = self._draft.settings.learning_rate
        changed = []
        for run in self.runs.shown:
            if not run.ended:
                run.session.set_rate(rate)
                changed.append(run)
        self._notice = (
            f"The learning rate is {number(rate)} from now on."
            if changed
            else "The run has ended: its learning rate cannot be changed. Branch off, or start over."
        )

    def _branch(self, _: Any) -> None:
        main = self.runs.main
        step = self._step(main)
        settings = self._draft.settings
        differ = difference(settings, self._in_use())
        others = [label(name) for name in differ if name not in BRANCHES]
        if any(name in self._draft.why for name in BRANCHES):
            return
        changes = {name: value_of(settings, name) for name in differ if name in BRANCHES}
        told = ", ".join(
            f"{label(name).lower()} {number(value)}" for name, value in changes.items()
        )
        with self._computing:
            run = self.runs.branch(step, changes, told or "nothing changed")
            run.session.start()
        self._notice = f"B branches off after update {step:,}: {told or 'nothing is changed'}." + (
            f" A branch keeps the run's {', '.join(others)}: “Start over” takes them."
            if others
            else ""
        )

    _presses: ClassVar[Mapping[str, Callable[[TrainingTheatre, Any], None]]] = {
        "go": _go,
        "step": _make_steps,
        "stop": _stop,
        "over": _start_over,
        "rate_now": _change_rate,
        "branch": _branch,
    }


def _session(training: Training) -> Session:
    """An unfinished run of an earlier kernel, or a new one."""
    from course.training import Session, resumable

    return resumable(training) or Session(training)
