"""The learner's own state, in one folder: progress and saved answers, readable by a person.

    <home>/progress.json                      what each check said, attempts, hints
    <home>/answers/attention.softmax.py       the last answer that passed
    <home>/kept/                              copies of what would otherwise have been lost

`home()` is $COURSE_HOME, or `.course/` at the root of the repository. Every file is written whole
or not at all; nothing that is found there, or cannot be written there, stops a notebook: it is said
in one sentence and the course goes on with what it has in memory. Standard library only.
"""

from __future__ import annotations

import contextlib
import errno
import glob
import json
import os
import re
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from course.system import files

SCHEMA = 1
_EXERCISE = re.compile(r"[a-z0-9_]+\.[A-Za-z0-9_]+")
_RULE = "# " + "-" * 40
_DEEPEST = 50  # levels of nesting in progress.json; the course writes five
_MOST = 10**9  # attempts or hints; more is no count
_STATUSES = ("passed", "failed", "not attempted")

# What could not be written, so that the running notebook still has it.
_held_progress: dict[Path, dict[str, Any]] = {}
_held_answers: dict[Path, str] = {}
_untouchable: set[Path] = set()  # unreadable files that could not be moved away: never replaced
_said: set[str] = set()


@dataclass(frozen=True)
class ExerciseProgress:
    """What is known of one exercise; `status` and `mistakes` are those of the latest check."""

    status: str = "not attempted"  # "passed", "failed" or "not attempted"
    attempts: int = 0  # checks that passed or failed
    hints: int = 0
    passed_at: str | None = None  # when it passed for the first time, ISO 8601, UTC
    mistakes: tuple[str, ...] = ()
    message: str = ""

    @property
    def passed(self) -> bool:
        """Whether it has ever passed: a later failed try takes nothing away."""
        return self.passed_at is not None


def home() -> Path:
    """The folder of the learner's state; it need not exist yet."""
    named = os.environ.get("COURSE_HOME")
    return (
        Path(named).expanduser().absolute()
        if named
        else Path(__file__).resolve().parents[2] / ".course"
    )


def set_apart(name: str) -> None:
    """Use `<home>/<name>` from now on: what this process tries does not count as the learner's."""
    folder = home()
    if folder.name != name:  # a cell may be run twice
        os.environ["COURSE_HOME"] = str(folder / name)


def record_check(exercise_id: str, status: str, mistakes: list[str], message: str) -> None:
    """Note what a check said."""
    if status not in _STATUSES:
        raise ValueError(f'status is "passed", "failed" or "not attempted", not {status!r}')

    def change(entry: dict[str, Any]) -> None:
        before = _as_progress(entry)
        entry["status"] = status
        entry["attempts"] = before.attempts + (status != "not attempted")
        entry["mistakes"], entry["message"] = list(mistakes), message
        entry["checked_at"] = _now()
        entry["passed_at"] = before.passed_at or (
            entry["checked_at"] if status == "passed" else None
        )

    _update(exercise_id, change)


def progress() -> dict[str, ExerciseProgress]:
    """What is known of each exercise that was checked or had a hint shown."""
    folder = home()
    with files.locked(folder):  # a damaged file is mended on the way
        exercises = _load(folder)["exercises"]
    return {name: _as_progress(entry) for name, entry in exercises.items()}


def count_hint(exercise_id: str) -> int:
    """Note that one more hint is shown; returns how many have been shown now."""

    def change(entry: dict[str, Any]) -> None:
        entry["hints"] = _as_progress(entry).hints + 1

    return _as_progress(_update(exercise_id, change)).hints


def hints_shown(exercise_id: str) -> int:
    """How many hints have been shown."""
    return progress().get(_valid(exercise_id), ExerciseProgress()).hints


def save_answer(exercise_id: str, source: str) -> Path:
    """Save an answer that passed, with a header that tells what it is; returns its file."""
    path = _answer_path(exercise_id)
    header = (
        f"# Exercise: {exercise_id}\n"
        f"# Passed:   {_now()}\n"
        f"# Course:   {_course_version()}\n"
        f'# Your own answer: use("{exercise_id}") runs it wherever the course needs it.\n'
        f"{_RULE}\n"
    )
    with files.locked(home()):
        if _tried(path, lambda: files.write(path, header + source.strip("\n") + "\n")):
            _held_answers.pop(path, None)
        else:
            _held_answers[path] = source
    return path


def answer_is_written(exercise_id: str) -> bool:
    """Whether the last answer saved is in its file, and not in this process's memory alone."""
    return _answer_path(exercise_id) not in _held_answers


def load_answer(exercise_id: str) -> str | None:
    """The source of the saved answer, without its header; None where none can be read."""
    path = _answer_path(exercise_id)
    if path in _held_answers:
        return _held_answers[path]
    try:
        text = files.read(path)
        compile(text, str(path), "exec", dont_inherit=True)
    except FileNotFoundError:
        return None
    except OSError as error:
        _say(f"The answer {path} cannot be read ({_reason(error)}); the course goes on without it.")
        return None
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        # ValueError: not UTF-8, or a null byte; the last two: nested too deep for the compiler
        _say(
            f"The answer {path} is damaged ({error or type(error).__name__}); it is left as it is, "
            "and the course goes on without it."
        )
        return None
    header, rule, body = text.partition(_RULE + "\n")
    return body if rule and all(line.startswith("#") for line in header.splitlines()) else text


def keep(path: Path) -> Path:
    """Copy a file to `<home>/kept/`, dated, never over another copy; OSError where that fails.

    Where the same content is kept already, that copy is returned.
    """
    content = path.read_bytes()
    for earlier in sorted((home() / "kept").glob(f"{glob.escape(path.stem)}-*")):
        if earlier.suffix == path.suffix and _holds(earlier, content):
            return earlier
    target = _free_name(home() / "kept", path)
    files.write(target, content)
    return target


def _holds(path: Path, content: bytes) -> bool:
    """Whether a file has this content, as far as that can be read."""
    try:
        about = path.stat()
        regular = stat.S_ISREG(about.st_mode) and about.st_size == len(content)
        return regular and path.read_bytes() == content
    except OSError:
        return False


def _free_name(folder: Path, path: Path) -> Path:
    """A dated name in the folder that nothing has."""
    stamp = datetime.now().strftime("%Y-%m-%d-%H%M%S")
    for number in range(1, 1000):
        suffix = "" if number == 1 else f"-{number}"
        target = folder / f"{path.stem}-{stamp}{suffix}{path.suffix}"
        if not os.path.lexists(target):
            return target
    raise FileExistsError(
        errno.EEXIST, f"{folder} holds too many copies of {path.name}; remove some"
    )


def _move_aside(path: Path) -> Path:
    """Move what cannot be copied to `<home>/kept/`, or beside itself; OSError where that fails."""
    try:
        target = _free_name(home() / "kept", path)
        target.parent.mkdir(parents=True, exist_ok=True)
        os.rename(path, target)
    except OSError:  # kept/ is no folder, or on another disk
        target = _free_name(path.parent, path)
        os.rename(path, target)
    return target


def _valid(exercise_id: str) -> str:
    if not _EXERCISE.fullmatch(exercise_id):
        raise ValueError(f'an exercise id looks like "attention.softmax", not {exercise_id!r}')
    return exercise_id


def _answer_path(exercise_id: str) -> Path:
    return home() / "answers" / f"{_valid(exercise_id)}.py"


def _course_version() -> str:
    import course  # not at the top: this module may be imported while the package still loads

    return str(getattr(course, "__version__", "unversioned"))


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _say(sentence: str) -> None:
    """Say a sentence, once in a process."""
    if sentence not in _said:
        _said.add(sentence)
        with contextlib.suppress(OSError, ValueError):  # stderr is closed
            print(sentence, file=sys.stderr)


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _as_progress(entry: Any) -> ExerciseProgress:
    """An entry of progress.json, a default for what is missing or makes no sense."""

    def field(name: str, kind: type, default: Any) -> Any:
        value = entry.get(name)
        return value if type(value) is kind else default

    if not isinstance(entry, dict):
        return ExerciseProgress()
    status = field("status", str, "not attempted")
    attempts, hints = field("attempts", int, 0), field("hints", int, 0)
    return ExerciseProgress(
        status=status if status in _STATUSES else "not attempted",
        attempts=attempts if 0 <= attempts < _MOST else 0,
        hints=hints if 0 <= hints < _MOST else 0,
        passed_at=field("passed_at", str, None),
        mistakes=tuple(str(mistake) for mistake in field("mistakes", list, [])),
        message=field("message", str, ""),
    )


def _update(exercise_id: str, change: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Change one exercise's entry; what this version does not know stays in the file as it is."""
    folder = home()
    path = folder / "progress.json"
    with files.locked(folder):
        data = _load(folder)
        entry = data["exercises"].setdefault(_valid(exercise_id), {})
        if not isinstance(entry, dict):
            entry = data["exercises"][exercise_id] = {}
        change(entry)
        if path in _untouchable and os.path.lexists(path):
            _held_progress[folder] = data
        elif _tried(path, lambda: files.write(path, _as_json(data))):
            _held_progress.pop(folder, None)
        else:
            _held_progress[folder] = data
    return entry  # type: ignore[no-any-return]


def _load(folder: Path) -> dict[str, Any]:
    """progress.json, or what is in memory where it could not be written, or an empty one."""
    if folder in _held_progress:
        return _held_progress[folder]
    path = folder / "progress.json"
    try:
        data = json.loads(files.read(path))
        if not isinstance(data, dict) or not isinstance(data.setdefault("exercises", {}), dict):
            return _recovered(folder, path)
        if _too_deep(data):
            return _recovered(folder, path)
        data.setdefault("schema", SCHEMA)  # a newer course's number stays
        return data
    except FileNotFoundError:
        return _empty()
    except OSError as error:
        return _recovered(folder, path, error)
    except (ValueError, RecursionError):  # not JSON, not UTF-8, a number of 10,000 digits
        return _recovered(folder, path)


def _too_deep(data: Any) -> bool:
    """Whether lists and objects nest deeper than the writer of JSON can follow."""
    level = [data]
    for _ in range(_DEEPEST):
        inner = [value.values() if isinstance(value, dict) else value for value in level]
        level = [one for values in inner for one in values if isinstance(one, dict | list)]
        if not level:
            return False
    return True


def _as_json(data: dict[str, Any]) -> str:
    text = json.dumps(data, indent=2, ensure_ascii=False)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:  # half of a surrogate pair, which UTF-8 cannot hold
        text = json.dumps(data, indent=2)
    return text + "\n"


def _empty() -> dict[str, Any]:
    return {"schema": SCHEMA, "exercises": {}}


def _recovered(folder: Path, path: Path, unreadable: OSError | None = None) -> dict[str, Any]:
    """Set a progress.json that is damaged or unreadable aside; keep what saved answers prove."""
    data = _empty()
    answers: list[Path] = []
    with contextlib.suppress(OSError):  # a folder that may not be looked into
        answers = sorted((folder / "answers").glob("*.*.py"))
    for answer in answers:
        if _EXERCISE.fullmatch(answer.stem) and (stamp := _written_at(answer)):
            data["exercises"][answer.stem] = {"status": "passed", "attempts": 1, "passed_at": stamp}
    what = f"cannot be read ({_reason(unreadable)})" if unreadable else "is damaged"
    try:
        try:
            aside = _move_aside(path) if unreadable else keep(path)
        except OSError:
            aside = _move_aside(path)
        files.write(path, _as_json(data))
    except OSError as error:
        _held_progress[folder] = data
        _untouchable.add(path)
        _say(
            f"{path} {what} and cannot be set aside ({_reason(error)}); "
            "your progress is kept only while this notebook runs."
        )
    else:
        _say(
            f"{path} {what.replace('cannot', 'could not').replace('is dam', 'was dam')}: "
            f"it is kept as {aside}, and what your saved answers prove is restored."
        )
    return data


def _written_at(answer: Path) -> str | None:
    """When an answer was written, ISO 8601, UTC; None where there is no file to read."""
    try:
        about = answer.stat()
        if not stat.S_ISREG(about.st_mode):
            return None
        return datetime.fromtimestamp(about.st_mtime, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OSError, ValueError, OverflowError):  # a dangling link, or a date beyond the calendar
        return None


def _tried(path: Path, write: Callable[[], None]) -> bool:
    """Whether the write succeeded; says in a sentence when it did not."""
    try:
        write()
    except (OSError, ValueError) as error:  # ValueError: text that UTF-8 cannot hold
        _say(
            f"{path} cannot be written ({_reason(error)}); what you do is kept only while this "
            "notebook runs. Make the folder writable, or name another in COURSE_HOME."
        )
        return False
    return True
