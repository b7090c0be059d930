"""Two runs from one moment: the second repeats the first up to a step, and goes on with other settings.

The folder of a branch holds, beside the files of every run, `origin.json` (the first run's settings, the
step, the rates set in it) and `origin.safetensors`, its last full state before the step. Repeated updates
give the same weights, bit by bit.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from course.training.earlier import read_checkpoint, settings_of
from course.training.places import Places, folder_of
from course.training.settings import Settings
from course.training.states import copy_file, state_before
from course.training.task import Training
from course.training.updates import Updates

__all__ = ["branch_folder", "repeat_origin", "require_branch"]

# What the weights' shapes, or the optimizer's state, depend on.
_FIXED = ("d_model", "nhead", "num_layers", "dim_feedforward", "positions", "optimizer")


def require_branch(before: Settings, after: Settings, step: int, made: int) -> None:
    """Check that a run of other settings can start from a step of this one.

    Raises:
        ValueError: a setting can't change in a branch; the step was not made yet, or nothing is left.
    """
    for name in _FIXED:
        if getattr(before, name) != getattr(after, name):
            raise ValueError(
                f"{name} can't change in a branch: the weights of update {step:,} belong to "
                f"{name} = {getattr(before, name)!r}. Start a run of its own."
            )
    if not 0 <= step <= made:
        raise ValueError(
            f"A branch starts from an update that was made, 0 to {made:,}; got {step}."
        )
    if after.steps <= step:
        raise ValueError(
            f"steps = {after.steps:,} leaves nothing to train after update {step:,}; raise steps."
        )


def branch_folder(
    training: Training, before: Settings, after: Settings, origin: Places, step: int,
    changes: list[tuple[int, float]],
) -> Path:  # fmt: skip
    """Make a branch's folder with the state that it starts from; return it."""
    folder = folder_of(training, after)
    folder = folder.with_name(f"{folder.name}-from-{step}-{secrets.token_hex(3)}")
    folder.mkdir(parents=True)
    places = Places(folder)
    start = state_before(origin, step)
    if start is not None:
        copy_file(start[1], folder / "origin.safetensors")
    elif origin.note("origin"):
        folder.rmdir()
        raise ValueError(
            f"The state of update {step:,} is not kept: this branch's own start is the earliest. "
            "Branch from a later update, or from the run that this one came from."
        )
    kept_rate = before.learning_rate == after.learning_rate
    facts: dict[str, Any] = {
        "settings": before.as_json(),
        "step": step,
        "changes": [change for change in changes if change[0] < step],
        "keeps_rates": kept_rate,
    }
    places.write_note("origin", facts)
    return folder


def repeat_origin(
    training: Training, places: Places, updates: Updates, repeated: Callable[[], object]
) -> None:
    """Bring a branch that has no checkpoint yet to its first step; leave other runs alone.

    `repeated` is called after each update, and may raise to give up.
    """
    facts, before = places.note("origin"), settings_of(places, "origin")
    if not facts or before is None or read_checkpoint(places.checkpoint) is not None:
        return
    step, changes = int(facts["step"]), [(int(s), float(r)) for s, r in facts["changes"]]
    model = training.fresh_model(before)
    origin = Updates(training, before, model, places.folder / "origin.safetensors")
    with origin.going():
        origin.repeat(step, changes, repeated)
    updates.adopt(origin, rates=bool(facts["keeps_rates"]))
    updates.save()
