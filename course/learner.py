"""The learner's own state, in one folder: progress and saved answers, readable by a person.

    <home>/progress.json                      what each check said, attempts, hints
    <home>/answers/attention.softmax.py       the last answer that passed
    <home>/kept/                              copies of what would otherwise have been lost

`home()` is $COURSE_HOME, or `.course/` at the root of the repository. Every file is written whole
or not at all; nothing that is found there, or cannot be written there, stops a notebook: it is said
in one sentence and the course goes on with what it has in memory. Standard library only.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from course import files

SCHEMA = 1
_EXERCISE = re.compile(r"[a-z0-9_]+\.[A-Za-z0-9_]+")
_RULE = "# " + "-" * 40

# What could not be written, so that the running notebook still has it.
_held_progress: dict[Path, dict[str, Any]] = {}
_held_answers: dict[Path, str] = {}
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
        else Path(__file__).resolve().parent.parent / ".course"
    )


def set_apart(name: str) -> None:
    """Use `<home>/<name>` from now on: what this process tries does not count as the learner's."""
    folder = home()
    if folder.name != name:  # a cell may be run twice
        os.environ["COURSE_HOME"] = str(folder / name)


def record_check(exercise_id: str, status: str, mistakes: list[str], message: str) -> None:
    """Note what a check said."""
    if status not in ("passed", "failed", "not attempted"):
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
        text = path.read_text(encoding="utf-8")
        compile(text, str(path), "exec", dont_inherit=True)
    except FileNotFoundError:
        return None
    except OSError as error:
        _say(f"The answer {path} cannot be read ({_reason(error)}); the course goes on without it.")
        return None
    except (SyntaxError, ValueError) as error:  # ValueError: not UTF-8, or a null byte
        _say(
            f"The answer {path} is damaged ({error}); it is left as it is, "
            "and the course goes on without it."
        )
        return None
    header, rule, body = text.partition(_RULE + "\n")
    return body if rule and all(line.startswith("#") for line in header.splitlines()) else text


def keep(path: Path) -> Path:
    """Copy a file to `<home>/kept/`, dated, never over another copy; OSError where that fails."""
    content = path.read_bytes()
    stamp = datetime.now().strftime("%Y-%m-%d-%H%M%S")
    for number in range(1, 1000):
        suffix = "" if number == 1 else f"-{number}"
        target = home() / "kept" / f"{path.stem}-{stamp}{suffix}{path.suffix}"
        if not target.exists():
            files.write(target, content)
            return target
    raise FileExistsError(f"{home() / 'kept'} holds too many copies of {path.name}; remove some")


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
        print(sentence, file=sys.stderr)


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__


def _as_progress(entry: Any) -> ExerciseProgress:
    """An entry of progress.json, a default for what is missing or makes no sense."""

    def field(name: str, kind: type, default: Any) -> Any:
        value = entry.get(name)
        return value if type(value) is kind else default

    if not isinstance(entry, dict):
        return ExerciseProgress()
    return ExerciseProgress(
        status=field("status", str, "not attempted"),
        attempts=field("attempts", int, 0),
        hints=field("hints", int, 0),
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
        text = json.dumps(data, indent=2, ensure_ascii=False) + "\n"
        if _tried(path, lambda: files.write(path, text)):
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
        data = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(data, dict) or not isinstance(data.setdefault("exercises", {}), dict):
            return _recovered(folder, path)
        data.setdefault("schema", SCHEMA)  # a newer course's number stays
        return data
    except FileNotFoundError:
        return _empty()
    except OSError as error:
        _say(
            f"{path} cannot be read ({_reason(error)}); "
            "your progress is kept only while this notebook runs."
        )
        return _held_progress.setdefault(folder, _empty())
    except ValueError:  # not JSON, or not UTF-8
        return _recovered(folder, path)


def _empty() -> dict[str, Any]:
    return {"schema": SCHEMA, "exercises": {}}


def _recovered(folder: Path, path: Path) -> dict[str, Any]:
    """Set a damaged progress.json aside; what the saved answers prove is kept."""
    data = _empty()
    for answer in sorted((folder / "answers").glob("*.*.py")):
        if _EXERCISE.fullmatch(answer.stem):
            stamp = datetime.fromtimestamp(answer.stat().st_mtime, UTC).strftime(
                "%Y-%m-%dT%H:%M:%SZ"
            )
            data["exercises"][answer.stem] = {"status": "passed", "attempts": 1, "passed_at": stamp}
    try:
        aside = keep(path)
        files.write(path, json.dumps(data, indent=2, ensure_ascii=False) + "\n")
    except OSError as error:
        _held_progress[folder] = data
        _say(
            f"{path} is damaged and cannot be set aside ({_reason(error)}); "
            "your progress is kept only while this notebook runs."
        )
    else:
        _say(
            f"{path} was damaged: it is kept as {aside}, "
            "and what your saved answers prove is restored."
        )
    return data


def _tried(path: Path, write: Callable[[], None]) -> bool:
    """Whether the write succeeded; says in a sentence when it did not."""
    try:
        write()
    except OSError as error:
        _say(
            f"{path} cannot be written ({_reason(error)}); what you do is kept only while this "
            "notebook runs. Make the folder writable, or name another in COURSE_HOME."
        )
        return False
    return True
