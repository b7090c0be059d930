"""Trainings without a theatre: to their end, or taken up where an earlier kernel left them."""

from __future__ import annotations

import importlib
import json
from typing import Any

from course.training import cache as kept
from course.training.earlier import free_folder, read_checkpoint, settings_of
from course.training.places import Places, folder_of, folders, is_busy
from course.training.results import Trained
from course.training.session import ENDED, Session, wait_for_closed
from course.training.settings import Settings
from course.training.task import Training

__all__ = ["resumable", "train"]

_OWN = "-train"  # marks the folders of `train`, whose runs leave nothing behind
_TRIES = 3
_CLOSED = 1.0  # seconds in which a session that was closed a moment ago has saved
_TAKEN = "is using the checkpoint"  # what the lock of `encoder_core.training.lock` says


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
    for attempt in range(_TRIES):
        session = _own_session(training, settings)
        try:
            _follow(session, progress)
            trained = session.result(cache=cache)
            break
        except RuntimeError:
            if _TAKEN not in session.message or attempt + 1 == _TRIES:
                raise  # else another process took the folder in the same moment
        finally:
            session.close()
    session.places.clear()
    return trained


def _own_session(training: Training, settings: Settings) -> Session:
    folder = folder_of(training, settings)
    folder = free_folder(folder.with_name(folder.name + _OWN))
    session = Session(training, settings, folder=folder, watched=False)
    if session.state in ENDED:  # an earlier kernel ended before it could take the result
        session.reset()
    return session


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
        if folder.name.endswith(_OWN) or not unfinished or settings is None:
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
