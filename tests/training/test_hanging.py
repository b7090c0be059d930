"""Whatever becomes of a training's process, waiting for it ends: with the result, or with a sentence."""

from __future__ import annotations

import faulthandler
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from course.system import files, threads
from course.training import Session, resumable, train, watching, workers
from course.training import session as sessions
from course.training.link import PipeLink, pipe_links
from course.training.places import Places
from course.training.trainer import Job, Trainer
from tests.training import toys

SETTINGS = replace(toys.SETTINGS, steps=60)
ROOT = Path(__file__).resolve().parents[2]
LONG = replace(toys.SETTINGS, steps=20_000)
forked = pytest.mark.skipif(not workers.forks(), reason="a training runs in a thread here")


def resting(calls: Path, times: int, after: int) -> Callable[[nn.Module, Any], Any]:
    """A loss that waits for a lock for ever, in the first so many processes, after so many updates."""
    made: list[int] = []

    def loss(model: nn.Module, batch: Any) -> Any:
        made.append(1)
        with calls.open("ab") as file:
            if len(made) == 1:
                file.write(b".")
        if len(made) > after and calls.stat().st_size <= times:
            lock = threading.Lock()
            lock.acquire()
            lock.acquire()
        return toys.loss(model, batch)

    return loss


@forked
def test_a_child_that_comes_to_rest_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "_SILENT", 0.3)
    straight = train(toys.training(), SETTINGS, cache=False, progress=False)
    hangs = toys.training(loss=resting(tmp_path / "calls", 2, 20))
    trained = train(hangs, SETTINGS, cache=False, progress=False)
    assert (tmp_path / "calls").read_bytes() == b"..."
    a, b = straight.model.state_dict(), trained.model.state_dict()
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert [record.step for record in trained.records] == list(range(1, 61))


@forked
def test_one_that_always_comes_to_rest_has_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "_SILENT", 0.3)
    monkeypatch.setattr(sessions, "FORKS", 2)
    session = Session(toys.training(loss=resting(tmp_path / "calls", 99, 20)), SETTINGS)
    with pytest.raises(RuntimeError, match="came to rest 2 times, the last time after update"):
        session.result()
    assert session.state == "failed"
    monkeypatch.setattr(workers, "start_worker", _no_room)
    with pytest.raises(RuntimeError, match="did not start: OSError: no more processes"):
        session.result()


def _no_room(*_: Any) -> Any:
    raise OSError("no more processes")


@forked
def test_a_watchdog_of_the_notebooks_own_stops_no_training() -> None:
    """Python's faulthandler waits for the watchdog's thread, which a fork does not have."""
    faulthandler.dump_traceback_later(600)
    try:
        session = Session(toys.training(), replace(SETTINGS, steps=6, warmup=2))
        session.start()
        session.wait(30)
        assert (session.state, session._attempts) == ("finished", 1)
    finally:
        faulthandler.cancel_dump_traceback_later()


@forked
def test_a_second_fork_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_SILENT", 0.3)
    session = Session(toys.training(loss=resting(tmp_path / "calls", 99, 20)), SETTINGS)
    session.start()
    monkeypatch.setattr(workers, "start_worker", _no_room)
    with pytest.raises(RuntimeError, match="did not start: OSError: no more processes"):
        session.result()


@forked
def test_a_process_that_is_asked_to_leave_ends_the_waiting() -> None:
    session = Session(toys.training(), LONG)
    session.start()
    watch = session._watch
    assert watch is not None
    pid = watch.worker.pid  # type: ignore[attr-defined]
    threading.Timer(0.3, os.kill, (pid, signal.SIGTERM)).start()
    with pytest.raises(RuntimeError, match=r"was left at update .* of 20,000"):
        session.result()
    assert session.state == "paused"


def test_a_watch_that_cannot_go_on_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session(toys.training(), LONG)

    def fail() -> None:
        raise ArithmeticError("no such number")

    monkeypatch.setattr(session, "_collect", fail)
    with pytest.raises(RuntimeError, match="lost track of the training: ArithmeticError"):
        session.result()
    assert session._watch is None


@pytest.mark.parametrize("kind", ["child", "thread"])
def test_a_start_while_the_last_process_ends_is_not_lost(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(workers.IN_THREAD, str(int(kind == "thread")))
    before = torch.get_num_threads()
    for state in ("running", "stopped"):
        session = Session(toys.training(), replace(SETTINGS, steps=400))
        session.start()
        while session.step < 5:
            time.sleep(0.001)
        session.stop()
        while session.state not in (state, "finished"):
            time.sleep(0.0001)
        session.start()
        assert session.result(cache=False).records[-1].step == 400
        session.reset()
    torch.set_num_threads(before)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("kind", ["child", "thread"])
def test_a_training_that_exits_has_failed(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(workers.IN_THREAD, str(int(kind == "thread")))
    before = torch.get_num_threads()
    session = Session(toys.training(loss=lambda model, batch: sys.exit(3)), SETTINGS)
    with pytest.raises(RuntimeError, match="ended with status 70"):
        session.result()
    torch.set_num_threads(before)


def test_a_thread_that_does_not_obey_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(workers.IN_THREAD, "1")
    monkeypatch.setattr(watching, "_STOP", (0.1, 0.2))
    entered, done = threading.Event(), threading.Event()

    def loss(model: nn.Module, batch: Any) -> Any:
        entered.set()
        done.wait()
        return toys.loss(model, batch)

    session = Session(toys.training(loss=loss), SETTINGS)
    session.start()
    entered.wait(30)
    session.stop()
    session.wait(30)
    assert session.state == "stopped"
    assert "did not answer" in session.message
    done.set()


class Deaf:
    """A link that takes nothing at first, as a full pipe does, and then asks to leave."""

    def __init__(self) -> None:
        self.commands: list[dict[str, Any]] = [{"do": "advance", "count": 3}]
        self.refused, self.told = 0, list[str]()

    def say(self, message: dict[str, Any]) -> bool:
        """Take a pause only when it is told for the third time."""
        if message["state"] == "paused" and self.refused < 2:
            self.refused += 1
            return False
        self.told.append(message["state"])
        if message["state"] == "paused":
            self.commands.append({"do": "leave"})
        return True

    def hear(self, timeout: float = 0.0) -> list[dict[str, Any]]:
        """Return the next command."""
        assert self.commands or timeout < 10.0, "it waits for a notebook that knows of nothing"
        return [self.commands.pop(0)] if self.commands else []

    def close(self) -> None:
        """Nothing is open."""


def test_a_pause_that_the_pipe_had_no_room_for_is_told_again(tmp_path: Path) -> None:
    training, link = toys.training(), Deaf()
    model = training.fresh_model(SETTINGS)
    Trainer(Job(training, SETTINGS, model, Places(tmp_path), None), link).work()
    assert link.told[-2:] == ["paused", "left"]


@forked
def test_a_pipe_with_a_large_number_is_read() -> None:
    """`select` takes no descriptor above 1,023, which a long-lived kernel may reach."""
    import resource

    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] <= 1100:
        pytest.skip("no descriptor has so large a number here")
    ours, theirs = pipe_links()
    reading = os.dup2(ours._reading, 1099)
    large = PipeLink(reading, os.dup(ours._writing))
    theirs.say({"state": "begun"})
    assert large.hear(1.0) == [{"state": "begun"}]
    for link in (ours, theirs, large):
        link.close()


@forked
def test_a_child_does_not_keep_the_lock_of_the_learners_folder(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    with files.locked(tmp_path):
        pid = os.fork()
        if pid == 0:
            os.read(reading, 1)
            os._exit(0)
    taken = files._lock((tmp_path / "lock").open("ab", buffering=0))
    os.write(writing, b".")
    os.waitpid(pid, 0)
    assert taken


ENDS = """
import threading, time, torch
from course.system.threads import end_at_exit
layer, x, done = torch.nn.TransformerEncoderLayer(64, 4).eval(), torch.randn(5, 3, 64), threading.Event()
def compute():
    with torch.no_grad():
        while not done.is_set():
            layer(x)
thread = threading.Thread(target=compute, daemon=True)
thread.start()
end_at_exit(thread, done.set)
time.sleep(0.2)
"""


@pytest.mark.slow
def test_a_process_that_ends_while_a_thread_computes_ends_in_peace() -> None:
    """Python ends daemon threads, and within torch's code that takes the process down."""
    done = subprocess.run([sys.executable, "-c", ENDS], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_closed_run_is_taken_up_at_once() -> None:
    """As when the cell of a theatre is run again."""
    session = Session(toys.training(), LONG)
    session.start()
    while session.step < 5:
        time.sleep(0.001)
    watch = session._watch
    assert watch is not None
    assert {watch._thread, sessions._optimizers} <= set(threads._ending)
    session.close(0.0)
    later = resumable(toys.training())
    assert later is not None
    assert (later.folder, later.state) == (session.folder, "paused")
    assert later.step >= 5
