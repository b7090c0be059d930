"""Limits around a submission: time, output, random state and torch's settings stay the checker's own."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import importlib
import io
import os
import random
import re
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, NoReturn

import torch

from course.sandbox import board as boards
from course.sandbox import marker, patience
from course.sandbox.settings import deterministic, set_device, settings_kept
from course.system.threads import one_thread

__all__ = [
    "SECONDS", "Capped", "TimeLimit", "apart", "honest", "kept_alive", "quiet", "random_states_kept",
    "safe_error", "safe_text", "seeded", "settings_kept", "time_limit", "uninitialised_shows",
]  # fmt: skip

SECONDS = patience.SECONDS  # of computing that one call may take; it may sleep for twice as long

# signal.signal makes enums of the numbers, which takes a third of the time that a limit takes.
_set_handler: Callable[[int, Any], Any] = importlib.import_module("_signal").signal
_LONGEST = 1 << 14  # characters of a text that are looked at
# What is read of an error.
_READ = frozenset({"__getattribute__", "__class__", "__traceback__", "__context__", "__cause__"})
_AGAIN = 0.05  # seconds between two alarms
# ... after which the system rings by itself: one that another thread took wakes no sleep of this one, and
# what sets the next alarm only runs once the sleep is over.
_UNHEARD = 1.0
# What opens and closes a block must not be broken off: the alarm would stay.
_UNBROKEN = (__file__, contextlib.__file__, boards.__file__, marker.__file__)


class TimeLimit(BaseException):
    """Raised inside a submission that does not come to an end; no `except Exception` swallows it."""


@contextlib.contextmanager
def time_limit(seconds: float | None = None) -> Iterator[None]:
    """Raise TimeLimit inside the block once it has used up its time; see `patience`.

    On the main thread of Linux and macOS a signal interrupts even a sleep; elsewhere a second thread
    raises the exception at the next Python instruction. Neither reaches a block that swallows every
    exception, or one long call into C: see `isolated` for those.
    """
    seconds = SECONDS if seconds is None else seconds
    started = patience.now()

    def spent() -> bool:
        return patience.used_up(started, patience.now(), seconds)

    on_main = threading.current_thread() is threading.main_thread()
    limited = _alarm if hasattr(signal, "setitimer") and on_main else _watchdog
    with _noted(), limited(seconds, spent):
        yield


@contextlib.contextmanager
def _noted() -> Iterator[None]:
    """Let who watches this process know that a block begins which must come to an end."""
    board = boards.here()
    if board is None:
        yield
        return
    board.enter()
    try:
        yield
    finally:
        board.leave()


@contextlib.contextmanager
def _alarm(seconds: float, spent: Callable[[], bool]) -> Iterator[None]:
    active = True

    def ring(number: int, frame: FrameType | None) -> None:
        if not active:
            return
        over = spent() and (frame is None or frame.f_code.co_filename not in _UNBROKEN)
        # Again and again, for a bare `except:` may swallow one; set anew each time, so that on a machine
        # too busy to come to the end of this function it is not called inside of itself.
        signal.setitimer(signal.ITIMER_REAL, _AGAIN, _UNHEARD)
        if over:
            raise TimeLimit

    earlier = _set_handler(signal.SIGALRM, ring)
    outer = signal.setitimer(signal.ITIMER_REAL, seconds, _UNHEARD)
    try:
        yield
    finally:
        active = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        _set_handler(signal.SIGALRM, earlier)
        if outer[0]:
            signal.setitimer(signal.ITIMER_REAL, *outer)  # of a limit around this one


@contextlib.contextmanager
def _watchdog(seconds: float, spent: Callable[[], bool]) -> Iterator[None]:
    thread, done, lock = threading.get_ident(), threading.Event(), threading.Lock()
    sent = threading.Event()

    def watch() -> None:
        while not done.wait(_AGAIN):
            with lock:
                if not done.is_set() and spent():
                    sent.set()
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(
                        ctypes.c_ulong(thread), ctypes.py_object(TimeLimit)
                    )

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        # One that was sent and has not arrived is awaited here. Taken back, as Python's C functions can,
        # Python 3.11 would look for it ever after, and hang in the first function that is traced.
        try:
            with lock:
                done.set()
            for _ in range(1000 if sent.is_set() else 0):
                pass
        except TimeLimit:
            done.set()


class Capped(io.TextIOBase):
    """A text stream that keeps the first characters and counts the rest."""

    def __init__(self, limit: int = 400) -> None:
        self.limit, self.kept, self.written, self.lines = limit, "", 0, 0

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, text: str) -> int:
        """Keep what there is room for."""
        self.kept += text[: max(0, self.limit - len(self.kept))]
        self.written += len(text)
        self.lines += text.count("\n")
        return len(text)


@contextlib.contextmanager
def quiet() -> Iterator[Capped]:
    """Collect what is printed or warned of instead of flooding the notebook.

    An exception that Python can only report (in a destructor, in a callback) is not reported: the hook
    may take so long over a deep traceback that the time limit rings in it, and is lost.
    """
    stream, hook = Capped(), sys.unraisablehook
    sys.unraisablehook = _unheard
    try:
        with (
            contextlib.redirect_stdout(stream),
            contextlib.redirect_stderr(stream),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")
            yield stream
    finally:
        sys.unraisablehook = hook


def _unheard(_: Any) -> None:
    """Report nothing."""


@contextlib.contextmanager
def kept_alive() -> Iterator[None]:
    """Let `exit()` raise SystemExit in a notebook too, whose own would end the kernel after the cell.

    In the notebook's own process `os._exit` does the same, and a watchdog is set; a process of its own
    may end.
    """
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    ends = os._exit
    if shell is not None:
        shell.ask_exit = _exits
    watched = marker.watchdog() if boards.here() is None else contextlib.nullcontext()
    if boards.here() is None:
        os._exit = functools.partial(_ends, os.getpid(), ends)
    try:
        with watched:
            yield
    finally:
        os._exit = ends
        if shell is not None:
            shell.__dict__.pop("ask_exit", None)


def _exits() -> NoReturn:
    raise SystemExit("exit()")


def _ends(pid: int, ends: Callable[[int], NoReturn], status: int) -> NoReturn:
    if os.getpid() == pid:
        raise SystemExit(f"os._exit({status})")
    ends(status)  # a process that the answer has forked


@contextlib.contextmanager
def apart() -> Iterator[None]:
    """Run a check as if in a fresh kernel, and leave the notebook's own state as it was.

    Gradients are on, autocast and inference mode off, tensors are made on the CPU; the random states
    of torch, Python and numpy are put back. There is one thread: several would wait for one another
    at these sizes, ten times as long where the machine does something else too.
    """
    device = torch.get_default_device()
    try:
        with (
            random_states_kept(),
            one_thread(),
            torch.inference_mode(False),
            torch.enable_grad(),
            torch.autocast("cpu", enabled=False),
            # Where it is the CPU already, saying so would slow every call of torch down by a fifth.
            contextlib.nullcontext() if device.type == "cpu" else torch.device("cpu"),
        ):
            yield
    finally:
        if torch.get_default_device() != device:
            set_device(device)


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed torch, Python and numpy for the block, and put their random states back after it."""
    with random_states_kept():
        _seed_torch(seed)
        random.seed(seed)
        yield


def _seed_torch(seed: int) -> None:
    """Without a GPU `torch.manual_seed` notes each call, with its stack, for one that may come."""
    if torch.cuda.is_available():
        torch.manual_seed(seed)
    else:
        torch.default_generator.manual_seed(seed)


@contextlib.contextmanager
def random_states_kept() -> Iterator[None]:
    """Put back the random states of torch, Python and numpy."""
    numpy = sys.modules.get("numpy")
    states = torch.get_rng_state(), random.getstate(), numpy.random.get_state() if numpy else None
    try:
        yield
    finally:
        torch.set_rng_state(states[0])
        random.setstate(states[1])
        if numpy:
            numpy.random.set_state(states[2])


@contextlib.contextmanager
def uninitialised_shows() -> Iterator[None]:
    """Let torch fill what `torch.empty` returns, so that reading it before writing shows."""
    before = torch.are_deterministic_algorithms_enabled()
    warns = torch.is_deterministic_algorithms_warn_only_enabled()
    deterministic(True, warns_only=True)
    try:
        yield
    finally:
        deterministic(before, warns_only=warns)


def honest(error: BaseException) -> BaseException:
    """The error, or a plain one in its place where its class answers for itself when an attribute is read."""
    kinds = type.__dict__["__mro__"].__get__(type(error))
    inherited = {BaseException, BaseExceptionGroup, object}
    for kind in kinds:
        own = type.__dict__["__dict__"].__get__(kind)
        if kind not in inherited and not _READ.isdisjoint(own):
            name = type.__dict__["__name__"].__get__(kinds[0])
            return RuntimeError(f"{name}, an error that cannot be read")
    return error


def safe_error(error: BaseException) -> str:
    """An error's type, and what it says where it says anything."""
    text = safe_text(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def safe_text(value: object, limit: int = 300) -> str:
    """What str() gives, whatever str() does: one line, without control characters, cut."""
    try:
        text = str(value)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        return f"a {type(value).__name__} that cannot be shown"
    text = text[:_LONGEST]  # all of a message of 100 MB would take seconds, again and again
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    first = " ".join(lines[:2]) if lines and lines[0].endswith(":") else "".join(lines[:1])
    first = first.encode("utf-8", "backslashreplace").decode("utf-8")
    shown = re.sub(r"\x1b\[[0-9;]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]", "", first[: 4 * limit])
    return shown[:limit] + (" ..." if len(shown) > limit else "")
