"""What a training shows, in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from course.labs.quoting import quoted
from course.labs.theatre.curve import figure_at, record_at
from course.labs.theatre.moments import Picture
from course.labs.theatre.runs import Run
from course.labs.theatre.settings import difference, label

if TYPE_CHECKING:
    from course.training import Settings, Training

_STATES = {
    "ready": "Ready",
    "running": "Running",
    "paused": "Paused",
    "finished": "Finished",
    "stopped": "Stopped",
    "failed": "Failed",
}


def number(value: float) -> str:
    """A loss or a figure in a few digits.

    >>> number(2.3114), number(0.0123), number(float("nan"))
    ('2.311', '0.0123', 'not a number')
    """
    if math.isnan(value):
        return "not a number"
    return f"{value:.4g}" if abs(value) < 1e6 else f"{value:.2e}"


def parts(training: Training) -> str:
    """Which parts are the learner's own, in a line."""
    return "; ".join(f"{name}: {whose}" for name, whose in training.parts.items())


def state(run: Run, figure: str, several: bool) -> str:
    """A run's state in a line.

    >>> from types import SimpleNamespace as Some
    >>> session = Some(state="ready", step=0, total=2500, seconds=0.0, records=[], message="")
    >>> state(Run(session, None), "accuracy", several=False)
    'Ready: 2,500 updates to make.'
    >>> session.state, session.step = "finished", 2500
    >>> session.message = "Finished: 2,500 updates in 0 s. This is an earlier run, as it was kept."
    >>> state(Run(session, None), "accuracy", several=False)
    'Finished: update 2,500 of 2,500, 0 s. This is an earlier run, as it was kept.'
    """
    session = run.session
    named = f"{run.name}: " if several else ""
    word = _STATES[session.state]
    said = session.message
    if said.startswith(word):  # its first sentence is in the line
        said = said.partition(". ")[2]
    told = f" {said}" if said else ""
    if session.state == "ready":
        return f"{named}{word}: {session.total:,} updates to make.{told}"
    at = f"update {session.step:,} of {session.total:,}, {seconds(session.seconds)}"
    return f"{named}{word}: {at}{figures(run, figure, session.step)}.{told}"


def seconds(taken: float) -> str:
    """A duration as a person reads it.

    >>> seconds(24.3), seconds(75)
    ('24 s', '1 min 15 s')
    """
    whole = int(taken)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60} s"


def figures(run: Run, figure: str, step: int) -> str:
    """The loss and the held-out figure at an update, to go on a sentence."""
    record = record_at(run.session.records, step)
    if record is None:
        return ""
    held_out = figure_at(run.session.records, figure, step)
    told = "" if held_out is None else f", {figure} {number(held_out)}"
    return f"; loss {number(record.loss)}{told}"


def summary(training: Training, runs: Sequence[Run], pictures: Sequence[Picture | None]) -> str:
    """The state, the baselines and the examples of the moment that is shown, in a few sentences."""
    several = len(runs) > 1
    sentences = [state(run, training.figure, several) for run in runs]
    if training.baselines:
        lines = ", ".join(f"{name} {number(value)}" for name, value in training.baselines.items())
        sentences.append(f"Baselines ({training.figure}): {lines}.")
    for run, picture in zip(runs, pictures, strict=True):
        if picture is not None and picture.answers:
            sentences.append(_right(picture, f"{run.name}, " if several else ""))
    return " ".join(sentences)


def _right(picture: Picture, named: str) -> str:
    hits = sum(bool(each.guesses) and each.guesses[0][0] == each.right for each in picture.answers)
    return (
        f"{named}{'a' if named else 'A'}fter update {picture.step:,}: the likeliest answer is right in "
        f"{hits} of {len(picture.answers)} held-out examples."
    )


def answers_text(picture: Picture | None) -> list[str]:
    """The examples as lines, for places without a front end."""
    if picture is None:
        return []
    lines = []
    for each in picture.answers:
        guesses = ", ".join(
            f"{quoted(word)} {100 * share:.0f} %{' (right)' if word == each.right else ''}"
            for word, share in each.guesses
        )
        missed = all(word != each.right for word, _ in each.guesses)
        lines.append(
            f"{each.prompt} → {guesses}{f'; right: {quoted(each.right)}' if missed else ''}"
        )
    return lines


def plan(draft: Settings, run: Settings) -> str:
    """What the controls say that the run does not have; empty where they agree."""
    differ = difference(draft, run)
    if not differ:
        return ""
    told = ", ".join(
        f"{label(name)} {_show(now)} (the run's: {_show(then)})"
        for name, (now, then) in differ.items()
    )
    if set(differ) == {"learning_rate"}:
        takes = "“Change the rate now”, “Branch here” and “Start over” take it."
    elif set(differ) <= {"learning_rate", "dropout"}:
        takes = "“Branch here” and “Start over” take them."
    else:
        takes = "“Start over” takes them."
    return f"Set, and not in use yet: {told}. {takes}"


def _show(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:g}"
