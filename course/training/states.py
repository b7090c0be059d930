"""Earlier full states of a run, with the optimizer's, from which a branch can start: at most 8 files."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

from course.training.moments import superfluous
from course.training.places import Places

__all__ = ["drop_states_after", "keep_state", "state_before", "states_of"]

MOST = 8


def states_of(places: Places) -> dict[int, Path]:
    """Return the states that are kept: step -> file, rising."""
    found: dict[int, Path] = {}
    with contextlib.suppress(OSError):
        for path in places.states.glob("*.safetensors"):
            if path.stem.isdecimal():
                found[int(path.stem)] = path
    return dict(sorted(found.items()))


def keep_state(places: Places, step: int) -> None:
    """Keep the checkpoint as the state after `step` updates; thin the states to 8.

    The checkpoint's next version replaces the file, so that a second name for it costs no copy.
    """
    target = places.states / f"{step:09d}.safetensors"
    with contextlib.suppress(OSError):
        places.states.mkdir(exist_ok=True)
        if not target.exists():
            copy_file(places.checkpoint, target)
    states = states_of(places)
    while len(states) > MOST:
        steps = list(states)
        with contextlib.suppress(OSError):
            states.pop(steps[superfluous(steps)]).unlink()


def copy_file(source: Path, target: Path) -> None:
    """Give a file that is only ever replaced whole a second name; copy it where that can't be done."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def drop_states_after(places: Places, step: int) -> None:
    """Remove the states that the run will make again."""
    for made, path in states_of(places).items():
        if made > step:
            with contextlib.suppress(OSError):
                path.unlink()


def state_before(places: Places, step: int) -> tuple[int, Path] | None:
    """Return the last state of at most `step` updates; None where the run starts at its beginning."""
    found = [(made, path) for made, path in states_of(places).items() if made <= step]
    return found[-1] if found else None
