"""Where a trainer works: in a child process, or in a thread where there is no fork.

The child is a fork of the notebook's kernel, in a session of its own, so that the stop button does not
reach it. It ends when its command pipe closes, which the kernel's end does whatever ended it.

In a thread the learner's cells and the training share torch's global generator and its settings: what a
cell draws while a training runs does not repeat, nor does the training's dropout; and a training that
hangs can't be ended.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
import sys
import threading
import time
from multiprocessing import get_context
from typing import Any, NoReturn, Protocol

import torch

from course.sandbox import answering
from course.sandbox import board as boards
from course.system import forking
from course.system.threads import end_at_exit, one_thread
from course.training.link import Link, PipeLink, QueueLink, pipe_links
from course.training.published import Lock
from course.training.trainer import Job, Trainer

__all__ = ["ForkedWorker", "ThreadWorker", "Worker", "forks", "new_lock", "start_worker"]

IN_THREAD = "COURSE_TRAINING_IN_THREAD"  # set to 1, trainings run in a thread of the kernel
MEMORY = 8 << 30  # bytes that a training may take beyond what the kernel has
_LEAVING = 10.0  # seconds after the kernel's end in which a child may still save
_BEGIN = 120  # seconds in which a child must be computing or waiting for a command
_OUTPUT = 4 << 20  # bytes of output.txt, after which it begins again


class Worker(Protocol):
    """Something in which a trainer works."""

    @property
    def link(self) -> Link:
        """The notebook's end of the conversation."""

    def ended(self) -> int | None:
        """Return the exit status once it has ended: 0, a positive code, or minus a signal's number."""

    def kill(self, hard: bool) -> None:
        """End it: with a chance to save, or at once."""


def forks() -> bool:
    """Whether a training runs in a child process here."""
    return (
        forking.possible()
        and os.environ.get(IN_THREAD) != "1"
        and boards.here() is None
        and not answering.running()
    )


def new_lock(forked: bool) -> Lock:
    """Return a lock for the published weights."""
    return get_context("fork").Lock() if forked else threading.Lock()


def start_worker(job: Job, forked: bool) -> Worker:
    """Start a trainer; raise OSError where the system has no room for a process."""
    return ForkedWorker(job) if forked else ThreadWorker(job)


class ThreadWorker:
    """A trainer in a thread."""

    def __init__(self, job: Job) -> None:
        self.link, link = QueueLink.pair()
        self._link = link
        self._status = 70
        self._left = False
        self._thread = threading.Thread(target=self._work, args=(job,), daemon=True)
        self._thread.start()
        end_at_exit(self._thread, lambda: self.link.say({"do": "leave"}))

    def _work(self, job: Job) -> None:
        try:
            with one_thread():
                Trainer(job, self._link).work()
            self._status = 0
        finally:
            self._link.close()

    def ended(self) -> int | None:
        """Return 0 once the thread has ended, 70 where it ended before its time or was left alone."""
        return self._status if self._left or not self._thread.is_alive() else None

    def kill(self, hard: bool) -> None:
        """Ask it to end; a thread can't be killed, so one that does not obey is left alone."""
        self._left = self._left or hard
        self.link.say({"do": "leave"})


class ForkedWorker:
    """A trainer in a forked child."""

    def __init__(self, job: Job) -> None:
        ours, theirs = pipe_links()
        self.link: PipeLink = ours
        ours.keep_from_children()  # the child too: it must notice that this process is gone
        self._status: int | None = None
        kernel = os.getpid()
        try:
            self.pid = forking.fork()
        except OSError:
            ours.close()
            theirs.close()
            raise
        if self.pid == 0:
            _live(job, theirs, kernel)
        theirs.close()

    def ended(self) -> int | None:
        """Return how the child ended, once it has."""
        if self._status is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:  # someone else waits for all children here
                pid, status = self.pid, 0
            if pid:
                self._status = os.waitstatus_to_exitcode(status)
        return self._status

    def kill(self, hard: bool) -> None:
        """Send SIGTERM, after which it saves and ends, or SIGKILL."""
        if self.ended() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL if hard else signal.SIGTERM)


def _live(job: Job, link: PipeLink, kernel: int) -> NoReturn:
    """The child's whole life: it leaves without a word to what was set up for the notebook's end."""
    status = 70
    try:
        _settle(job, kernel)
        Trainer(job, _SignalledLink(link)).work()
        status = 0
    except BaseException:
        with contextlib.suppress(BaseException):
            import traceback

            traceback.print_exc()
    finally:
        with contextlib.suppress(BaseException):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _settle(job: Job, kernel: int) -> None:
    """Become a process of its own, with one thread of torch and its output in a file."""
    os.setsid()  # the notebook's stop button is for the notebook
    forking.settle(MEMORY)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _write_to(job.places.output)
    torch.set_num_threads(1)
    threading.Thread(target=_outlive_briefly, args=(kernel,), daemon=True).start()


def _write_to(path: Any) -> None:
    """Read from nowhere, and write to a file."""
    null = os.open(os.devnull, os.O_RDWR)
    try:
        out = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    except OSError:
        out = null
    os.dup2(null, 0)
    os.dup2(out, 1)
    os.dup2(out, 2)
    with contextlib.suppress(OSError):
        if os.fstat(out).st_size > _OUTPUT:
            os.ftruncate(out, 0)
    sys.stdin = sys.__stdin__ = open(os.devnull)  # type: ignore[misc]  # noqa: SIM115
    sys.stdout = sys.__stdout__ = open(1, "w", buffering=1, closefd=False)  # type: ignore[misc]  # noqa: SIM115
    sys.stderr = sys.__stderr__ = open(2, "w", buffering=1, closefd=False)  # type: ignore[misc]  # noqa: SIM115
    faulthandler.enable(file=sys.stderr)
    # A lock that another thread held at the fork may stop this process with Python's own lock in its hand.
    # Until the first update an alarm ends it; the kernel, while it lives, notices much earlier. Not
    # faulthandler's alarm: where this process's parent has one, setting another waits for a thread that is
    # not here, for ever.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(_BEGIN)


def _outlive_briefly(kernel: int) -> None:
    """End this process some seconds after the kernel, where the trainer has not by itself."""
    while os.getppid() == kernel:
        time.sleep(1.0)
    time.sleep(_LEAVING)
    os._exit(1)


class _SignalledLink:
    """The child's link, on which SIGTERM is heard as a command to leave."""

    def __init__(self, link: PipeLink) -> None:
        self._link = link
        self._asked = False
        signal.signal(signal.SIGTERM, self._terminated)

    def _terminated(self, *_: Any) -> None:
        self._asked = True

    def say(self, message: dict[str, Any]) -> bool:
        """Send a message."""
        if message.get("made") or message.get("state") == "paused":
            signal.alarm(0)
        return self._link.say(message)

    def hear(self, timeout: float = 0.0) -> list[dict[str, Any]]:
        """Return what was said, within half a second of a signal."""
        end = time.monotonic() + timeout
        while not self._asked:
            left = end - time.monotonic()
            heard = self._link.hear(max(0.0, min(left, 0.5)))
            if heard or left <= 0:
                return heard
        return [{"do": "leave"}]

    def close(self) -> None:
        """Be gone for the other side."""
        self._link.close()
