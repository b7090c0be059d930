"""What the theatre shows: a run and, beside it, perhaps a branch."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from course.labs.theatre.moments import Picture, Pictures

if TYPE_CHECKING:
    from course.training import Session, Training

_numbers = itertools.count(1)
ENDED = ("finished", "stopped", "failed")


@dataclass
class Run:
    """One run that is shown.

    Attributes:
        session: the run itself.
        name: "A" or "B".
        first: the update that it branched off after; 0 for a run of its own.
        told: what a branch changed, in a few words.
        own: whether the theatre started it, and so ends it when it is closed.
        sent: how many of its records the views have.
        measured: the last update whose held-out figure they have; -1 for none.
    """

    session: Session
    pictures: Pictures
    name: str = "A"
    first: int = 0
    told: str = ""
    own: bool = True
    sent: int = 0
    measured: int = -1
    id: str = field(default_factory=lambda: str(next(_numbers)))

    @property
    def ended(self) -> bool:
        """Whether nothing will be added to it, unless it is started again."""
        return self.session.state in ENDED

    @property
    def marks(self) -> list[tuple[int, str]]:
        """Where something was changed: after which update, and what to write there."""
        branched = [(self.first, self.told)] if self.told else []
        rates = [(step, f"rate {rate:.3g}") for step, rate in self.session.changes]
        return [*branched, *(mark for mark in rates if mark[0] > self.first or not self.first)]


class Runs:
    """The runs that are shown: one, or one and its branch."""

    def __init__(self, training: Training, told: Callable[[], None]) -> None:
        self._training, self._told = training, told
        self.shown: list[Run] = []
        self._leave: dict[str, Callable[[], Any]] = {}

    @property
    def main(self) -> Run:
        """The run that others branch off."""
        return self.shown[0]

    def begin(self, session: Session, own: bool) -> None:
        """Show a run alone; those that were shown before end."""
        for run in self.shown:
            self._let_go(run)
        self.shown = [self._run(session, own=own)]

    def branch(self, step: int, changes: dict[str, Any], told: str) -> Run:
        """Show a branch of the first run beside it; the branch that was there before ends."""
        for run in self.shown[1:]:
            self._let_go(run)
        del self.shown[1:]
        session = self.main.session.branch(step, **changes)
        run = self._run(session, name="B", first=step, told=told)
        self.shown = [self.main, run]
        return run

    def _run(self, session: Session, **rest: Any) -> Run:
        run = Run(session, Pictures(self._training, session), **rest)
        self._leave[run.id] = session.subscribe(self._told)
        return run

    def _let_go(self, run: Run) -> None:
        self._leave.pop(run.id, lambda: None)()
        if run.own and not run.ended:
            run.session.close(0.0)  # it saves, and can be resumed; nobody waits for that

    def close(self) -> None:
        """Stop listening, and end the runs that the theatre started."""
        for run in self.shown:
            self._let_go(run)

    def source(self, run: Run, cursor: int | None) -> Run:
        """The run whose moment is shown for `run`: before it branched off, that is the first."""
        before = cursor is not None and cursor < run.first
        return self.main if before else run

    def picture(self, run: Run, cursor: int | None) -> Picture | None:
        """The picture of the moment under the cursor, where it is made already."""
        source = self.source(run, cursor)
        return source.pictures.known(source.pictures.nearest(cursor))

    def make(self, run: Run, cursor: int | None) -> Picture:
        """The same; made where it is not there."""
        source = self.source(run, cursor)
        return source.pictures.make(source.pictures.nearest(cursor))

    def seconds(self, run: Run, cursor: int | None) -> float:
        """How long the latest picture of that run took; infinity before the first."""
        return self.source(run, cursor).pictures.seconds
