"""Run a piece of work in a child process that can be killed, and come back whatever it does.

The child is a fork: it has all that the notebook has, and nothing that it changes, ends or fills comes back.
Where there is no fork that may be trusted (`possible`), the caller works in its own process.
"""

from __future__ import annotations

import builtins
import contextlib
import ctypes
import faulthandler
import json
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from course.sandbox import answering, patience
from course.sandbox import board as boards
from course.sandbox.board import Board
from course.system import forking

IN_PROCESS = "COURSE_CHECK_IN_PROCESS"  # set to 1, everything runs in the notebook's own process
GRACE = 1.0  # seconds after which what its own alarm has not stopped is killed
OWN_SECONDS = 30.0  # of computing that the checker itself may take between two calls of an answer
STUCK = 15.0  # seconds of sleep between two calls: nothing of the checker's own waits
MEMORY = 4 << 30  # bytes that a child may take beyond what it was given
UNREADABLE = "what its process left cannot be read"
_POLL = 0.05
_DEATH_SIGNAL = 1
_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)


@dataclass(frozen=True)
class Ended:
    """How a child ended that left no result."""

    hung: bool  # it was killed, because one block did not come to an end
    status: int  # as os.waitpid returns it
    in_call: bool = True  # in a block with a time limit, and not in the checker's own code
    searching: bool = False
    trial: int = 0
    failed: int = 0
    forks: bool = False  # it started processes without end
    trace: str = ""  # where it was, innermost first
    memory: int = 0  # the largest resident size that was seen


def possible() -> bool:
    """Whether a child can be forked here.

    Where `forking.possible`, on the main thread: a library for numbers that another thread is in the
    middle of may not survive a fork.
    """
    return (
        forking.possible()
        and os.environ.get(IN_PROCESS) != "1"
        and threading.current_thread() is threading.main_thread()
        and boards.here() is None
        and not answering.running()
    )


def run(work: Callable[[], dict[str, Any]]) -> dict[str, Any] | Ended | None:
    """What the work returns, as JSON keeps it, computed in a child; how that ended where it did not return.

    None where no child could be made, or the child came to rest in the checker's own code: a lock that
    another thread of the notebook held. KeyboardInterrupt kills the child and is raised.
    """
    _libc()  # loaded before the fork
    board = Board()
    reading, writing = os.pipe()
    log = os.memfd_create("course-check") if hasattr(os, "memfd_create") else os.dup(writing)
    try:
        pid = forking.fork()
        if pid == 0:
            _child(work, board, (reading, writing), log)
        os.close(writing)
        writing = -1
        return _watched(pid, board, reading, log)
    except OSError:
        return None  # no memory or no processes left
    finally:
        for descriptor in (reading, writing, log):
            if descriptor >= 0:
                os.close(descriptor)
        board.close()


def _child(
    work: Callable[[], dict[str, Any]], board: Board, pipe: tuple[int, int], log: int
) -> NoReturn:
    """The child's whole life: it leaves without a word to what was set up for the notebook's end."""
    status = 70
    try:
        _settle(board, log)
        board.publish(json.dumps(work()).encode())
        with contextlib.suppress(OSError):  # it may have closed all files
            os.write(pipe[1], b".")
        status = 0
    except BaseException as error:
        with contextlib.suppress(BaseException):
            board.publish(json.dumps({"error": f"{type(error).__name__}: {error}"[:500]}).encode())
    finally:
        os._exit(status)


def _settle(board: Board, log: int) -> None:
    """Become a process that the notebook does not notice."""
    os.setpgid(0, 0)  # the notebook's stop button is for the notebook, which kills this one
    _libc().prctl(_DEATH_SIGNAL, int(_KILL), 0, 0, 0)
    forking.settle(MEMORY)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _cut_off()
    faulthandler.enable(file=log)
    faulthandler.register(signal.SIGUSR1, file=log, all_threads=False)
    board.own()
    boards.set_board(board)


def _cut_off() -> None:
    """Read from nowhere and write to nowhere."""
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    sys.stdin = sys.__stdin__ = open(os.devnull)  # type: ignore[misc]  # noqa: SIM115
    sys.stdout = sys.__stdout__ = open(os.devnull, "w")  # type: ignore[misc]  # noqa: SIM115
    sys.stderr = sys.__stderr__ = open(os.devnull, "w")  # type: ignore[misc]  # noqa: SIM115
    builtins.input = _nobody


def _nobody(*args: Any) -> NoReturn:
    raise EOFError(
        "it asks for input, and in a check nobody answers: take everything from the arguments"
    )


def _watched(pid: int, board: Board, reading: int, log: int) -> dict[str, Any] | Ended | None:
    """Wait for the child, kill it when it hangs, and leave nothing of it."""
    seen = [0]  # the child's memory
    try:
        hung = _waited(pid, board, reading, seen)
        if hung:
            _ask_where(pid)
    finally:
        status = _killed(pid)
    text = board.text()
    if text is not None:
        return _read(text)
    _, depth, stage, trial, failed, _ = board.read()
    if hung and not depth and not stage and trial == 0:
        return None
    where = os.pread(log, 1 << 16, 0).decode("utf-8", "replace")
    return Ended(
        hung, status, bool(depth), bool(stage), trial, failed, board.overrun(), where, max(seen)
    )


def _read(text: bytes) -> dict[str, Any]:
    """What the child left, which the answer may have written over."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        data = None
    return data if isinstance(data, dict) else {"error": UNREADABLE}


def _waited(pid: int, board: Board, reading: int, seen: list[int]) -> bool:
    """Wait until the child has ended or left its result; True when it hangs instead."""
    serial, began = -1, None
    while board.text() is None:
        ready = select.select([reading] if reading >= 0 else [], [], [], _POLL)[0]
        if ready and not os.read(reading, 1):
            reading = -1  # it has ended, or closed its files
        if _has_ended(pid):
            return False
        if board.overrun():
            return True
        numbers, moment = board.read(), patience.of_process(pid)
        seen[0] = max(seen[0], _resident(pid))
        if numbers[0] != serial or began is None or moment is None:
            serial, began = numbers[0], moment
            continue
        if _hangs(began, moment, in_call=bool(numbers[1])):
            return True
    return False


def _hangs(began: patience.Moment, moment: patience.Moment, *, in_call: bool) -> bool:
    if in_call:
        return patience.used_up(began, moment, _seconds(), GRACE)
    clock, computed = moment.clock - began.clock, moment.computed - began.computed
    asleep = clock - ((moment.awake or moment.clock) - (began.awake or began.clock))
    return computed > OWN_SECONDS or asleep > STUCK


def _seconds() -> float:
    from course.sandbox import guards  # which notes on boards, as this module does

    return guards.SECONDS


def _has_ended(pid: int) -> bool:
    try:
        options = (
            os.WEXITED | os.WNOHANG | os.WNOWAIT
        )  # its number stays its own until it is reaped
        return os.waitid(os.P_PID, pid, options) is not None
    except ChildProcessError:
        return True  # someone else reaps children here


def _ask_where(pid: int) -> None:
    """Let the child's C code write down where it is, which needs nothing of its Python."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGUSR1)
        os.kill(pid, signal.SIGCONT)
        time.sleep(_POLL)


def _killed(pid: int) -> int:
    """Kill the child and all that it started; returns how the child itself had ended."""
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(pid, _KILL)
    try:
        return os.waitpid(pid, 0)[1]
    except ChildProcessError:
        return 0


def _resident(pid: int) -> int:
    try:
        return int(forking.field(f"/proc/{pid}/statm", "", 1)) * 4096
    except (OSError, ValueError, StopIteration):
        return 0


def _libc() -> Any:
    global _LIBRARY
    if _LIBRARY is None:
        _LIBRARY = ctypes.CDLL(None)
    return _LIBRARY


_LIBRARY: Any = None
