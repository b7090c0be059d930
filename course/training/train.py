"""Trainings without a theatre: to their end, or taken up where an earlier kernel left them."""

from __future__ import annotations

import importlib
import itertools
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from course.training import cache as kept
from course.training.earlier import read_checkpoint, settings_of, wait_for_orphan
from course.training.places import Places, folder_of, folders, is_busy
from course.training.results import Trained
from course.training.session import ENDED, Session, wait_for_closed
from course.training.settings import Settings
from course.training.task import Training
from encoder_core.training.lock import lock_checkpoint

__all__ = ["resumable", "train"]

_OWN = "-train"  # marks the folders of `train`, whose runs leave nothing behind
_CLOSED = 1.0  # seconds in which a session that was closed a moment ago has saved


def train(
    training: Training,
    settings: Settings | None = None,
    *,
    cache: bool = True,
    progress: bool = True,
) -> Trained:
    """Train to the end and return the result; with `cache`, return that of an earlier training.

    The training runs in a child process, as in a theatre. An interrupted one goes on where it was when
    `train` is called again.

    Raises:
        ValueError: settings are wrong.
        RuntimeError: the training failed; the message says why.
        KeyboardInterrupt: it was interrupted; it is saved.
    """
    settings = settings or training.settings
    found = kept.find(training, settings) if cache else None
    if found is not None:
        return found
    with _own_folder(training, settings) as folder:
        session = Session(training, settings, folder=folder, watched=False)
        if session.state in ENDED:  # an earlier kernel ended before it could take the result
            session.reset()
        try:
            _follow(session, progress)
            trained = session.result(cache=cache)
        finally:
            session.close()
        session.places.clear()
    return trained


@contextmanager
def _own_folder(training: Training, settings: Settings) -> Iterator[Path]:
    """A folder that no other `train` touches until the result is read and the folder removed.

    The worker's lock on its checkpoint ends with the training: in the moment after it, another process
    would take the finished run for one that was left, and begin it anew.
    """
    first = folder_of(training, settings)
    for number in itertools.count(1):
        folder = first.with_name(first.name + _OWN + (f"-{number}" if number > 1 else ""))
        with ExitStack() as claim:
            try:
                claim.enter_context(lock_checkpoint(folder.with_name(folder.name + ".claim")))
            except RuntimeError:
                continue  # another process is at it
            except OSError:
                pass  # nothing can be written here: the session finds another place
            if wait_for_orphan(folder):
                yield folder
                return


def _follow(session: Session, progress: bool) -> None:
    """Train to the end, under a progress bar."""
    tqdm: Any = importlib.import_module("tqdm.auto").tqdm
    bar = tqdm(
        total=session.total,
        initial=session.step,
        unit="step",
        disable=not progress,
        mininterval=0.5,
    )
    with bar:

        def look() -> None:
            bar.update(session.step - bar.n)
            if session.records:
                bar.set_postfix(loss=f"{session.records[-1].loss:.4g}", refresh=False)

        session.finish(look)


def resumable(training: Training) -> Session | None:
    """Return the latest run that an earlier kernel left unfinished, paused; None where there is none."""
    wait_for_closed(_CLOSED)
    for folder in folders(training):
        places = Places(folder)
        note, found, settings = (
            places.note("run"),
            read_checkpoint(places.checkpoint),
            settings_of(places),
        )
        unfinished = found is not None and found.step and not places.note("end")
        if _OWN in folder.name or not unfinished or settings is None:
            continue
        settings = _as_default(settings, training)
        if note.get("key") != training.key or training.check(settings) or is_busy(folder):
            continue
        return Session(training, settings, folder=folder)
    return None


def _as_default(settings: Settings, training: Training) -> Settings:
    """The training's own settings where these are the same but for what JSON makes of them."""
    same = json.dumps(settings.as_json(), default=repr) == json.dumps(
        training.settings.as_json(), default=repr
    )
    return training.settings if same else settings
