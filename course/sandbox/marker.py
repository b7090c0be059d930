"""A note in the learner's folder on what is being tried, for the case that the kernel does not live to tell.

While the note is there no answer has come back. The next kernel that finds the note of one that is gone
says what happened. Where answers run in the notebook's own process, a watchdog in C ends a kernel
that nothing else can free, and adds to the note where it was.
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from course import learner
from course.sandbox import board as boards
from course.sandbox import patience

_WATCHDOG = (
    16 * patience.SECONDS + 10
)  # seconds: the longest that one call may take, and a little more
_open: list[IO[str]] = []  # the note of what is being tried just now
_looked: set[Path] = set()  # the folders that were looked through


@contextlib.contextmanager
def noted(exercise_id: str, doing: str) -> Iterator[None]:
    """Leave a note for the block: `doing` is "check" or "use". Where none can be written, go on without."""
    if _open or boards.here() is not None:
        yield
        return
    path = learner.home() / f"trying-{os.getpid()}.json"
    file = _written(path, {"exercise": exercise_id, "doing": doing, "process": _began(os.getpid())})
    if file is None:
        yield
        return
    _open.append(file)
    try:
        yield
    finally:
        _open.clear()
        with contextlib.suppress(OSError):
            file.close()
        with contextlib.suppress(OSError):
            path.unlink()


def _written(path: Path, note: dict[str, Any]) -> IO[str] | None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = open(path, "w", encoding="utf-8")  # noqa: SIM115  (closed by `noted`)
        file.write(json.dumps(note) + "\n")
        file.flush()
    except OSError:
        return None
    return file


@contextlib.contextmanager
def watchdog() -> Iterator[None]:
    """End this process when the block neither ends nor can be interrupted; only while a note is open.

    Nothing else frees a kernel from one long call into C, or from code that swallows every exception.
    """
    if not _open or boards.here() is not None:
        yield
        return
    faulthandler.dump_traceback_later(_WATCHDOG, exit=True, file=_open[0])
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


def tell() -> None:
    """Say what kernels before this one did not live to say; once in a folder, and remove their notes."""
    folder = learner.home()
    if folder in _looked or boards.here() is not None:
        return
    _looked.add(folder)
    for path in sorted(folder.glob("trying-*.json")) if folder.is_dir() else ():
        with contextlib.suppress(OSError, ValueError, LookupError, TypeError, RecursionError):
            number = re.fullmatch(r"trying-(\d+)\.json", path.name)
            first, _, rest = path.read_text(encoding="utf-8").partition("\n")
            note = json.loads(first or "{}")
            if number is None or _lives(int(number[1]), note["process"]):
                continue
            path.unlink()
            print(_sentence(str(note["exercise"]), str(note["doing"]), rest))


def _sentence(exercise_id: str, doing: str, trace: str) -> str:
    if doing == "use":
        what, todo = f"ran your saved answer to {exercise_id}", _set_aside(exercise_id)
    else:
        what = f"tried your answer to {exercise_id}"
        todo = "Look at it before you run its cell again."
    if "Timeout" in trace:
        why = f"it had not come to an end after {_WATCHDOG:.0f} seconds, so the kernel was ended"
        ours = [part for part in trace.split("hread 0x") if "course" in part and "File" in part]
        line = re.search(r'File "[^"]*", line (\d+) in (\S+)', ours[-1]) if ours else None
        why += f" (in {line[2]}, line {line[1]})" if line else ""
    else:
        why = (
            "it ended the kernel, or the kernel was ended from outside: look for os._exit, os.kill, "
            "a crash, or memory that fills up"
        )
    return f"The last kernel ended while it {what}: {why}. {todo}"


def _set_aside(exercise_id: str) -> str:
    """Take a saved answer out of the way that would end the next kernel too."""
    path = learner.home() / "answers" / f"{exercise_id}.py"
    try:
        kept = learner.keep(path)
        path.unlink()
    except OSError:
        return f"Remove {path} if that happens again."
    return f"The answer is kept as {kept}, and the reference serves until another passes."


def _lives(pid: int, began: Any) -> bool:
    """Whether the process that left a note is still there, and no other that got its number."""
    if pid == os.getpid():
        return bool(began == _began(pid))
    if os.name == "nt":
        kernel: Any = ctypes.windll.kernel32  # type: ignore[attr-defined,unused-ignore]
        handle = kernel.OpenProcess(0x1000, False, pid)
        if handle:
            kernel.CloseHandle(handle)
        return bool(handle)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return bool(began == _began(pid))


def _began(pid: int) -> str:
    """When a process began, as Linux counts it; "" elsewhere."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[19].decode()
    except (OSError, IndexError):
        return ""
