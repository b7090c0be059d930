"""Nothing that a learner has done is lost, and nothing that is damaged stops the course."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from course import learner
from course.system import files

ROOT = Path(learner.__file__).resolve().parents[2]
SOFTMAX = "attention.softmax"


@pytest.fixture(autouse=True)
def fresh_process() -> Iterator[None]:
    """As if the kernel had just started."""
    restart()
    yield
    restart()


def restart() -> None:
    learner._held_progress.clear()
    learner._held_answers.clear()
    learner._said.clear()


def in_process(program: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a program that has `learner`, in another process with the same COURSE_HOME."""
    return subprocess.run(
        [
            sys.executable,
            "-c",
            f"from course import learner\nfrom course.system import files\n{program}",
        ],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=check,
    )


def stored() -> dict[str, Any]:
    return dict(json.loads((learner.home() / "progress.json").read_text(encoding="utf-8")))


def test_home_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    assert learner.home() == Path(os.environ["COURSE_HOME"])
    monkeypatch.setenv("COURSE_HOME", "~/there")
    assert learner.home() == Path.home() / "there"
    monkeypatch.delenv("COURSE_HOME")
    assert learner.home() == ROOT / ".course"


def test_checks_are_counted_and_the_first_pass_is_kept() -> None:
    learner.record_check(SOFTMAX, "not attempted", [], "Your turn")
    assert learner.progress()[SOFTMAX].attempts == 0
    learner.record_check(SOFTMAX, "failed", ["wrong_dim"], "Not yet")
    found = learner.progress()[SOFTMAX]
    assert (found.status, found.attempts, found.mistakes) == ("failed", 1, ("wrong_dim",))
    assert not found.passed
    learner.record_check(SOFTMAX, "passed", [], "Right")
    first = learner.progress()[SOFTMAX].passed_at
    assert first is not None
    learner.record_check(SOFTMAX, "failed", ["no_shift"], "Not yet")
    found = learner.progress()[SOFTMAX]
    assert (found.status, found.attempts, found.passed_at) == ("failed", 3, first)
    assert found.passed
    assert found.message == "Not yet"


def test_hints_are_counted() -> None:
    assert learner.hints_shown(SOFTMAX) == 0
    assert [learner.count_hint(SOFTMAX) for _ in range(3)] == [1, 2, 3]
    learner.record_check(SOFTMAX, "failed", [], "Not yet")
    assert learner.hints_shown(SOFTMAX) == 3
    assert learner.progress()[SOFTMAX].attempts == 1


def test_a_status_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="ok"):
        learner.record_check(SOFTMAX, "ok", [], "")


@pytest.mark.parametrize("name", ["softmax", "../x.y", "a.b/c", "", "a.b.c", "a/b.c"])
def test_what_is_no_exercise_id_reaches_no_file(name: str) -> None:
    for act in (learner.count_hint, learner.load_answer, learner.hints_shown):
        with pytest.raises(ValueError, match="looks like"):
            act(name)
    with pytest.raises(ValueError, match="looks like"):
        learner.save_answer(name, "x = 1")


def test_an_answer_comes_back_and_a_person_can_read_it() -> None:
    source = "import math\n\n\ndef softmax(x):\n    return x  # größer 注意\n"
    path = learner.save_answer(SOFTMAX, source)
    assert path == learner.home() / "answers" / "attention.softmax.py"
    assert learner.load_answer(SOFTMAX) == source
    text = path.read_text(encoding="utf-8")
    header = text[: text.index("import math")]
    assert header.startswith("# Exercise: attention.softmax\n# Passed:   20")
    assert "# Course:   " in header
    assert all(line.startswith("#") for line in header.splitlines())
    learner.save_answer(SOFTMAX, learner.load_answer(SOFTMAX) or "")
    assert path.read_text(encoding="utf-8").count("# Exercise:") == 1


def test_no_answer_is_none() -> None:
    assert learner.load_answer("attention.scores") is None


def test_an_answer_without_header_is_an_answer() -> None:
    path = learner.save_answer(SOFTMAX, "x = 1")
    path.write_text("# mine\nx = 2\n")
    assert learner.load_answer(SOFTMAX) == "# mine\nx = 2\n"


def test_answers_and_progress_outlive_the_kernel() -> None:
    in_process(
        f'learner.record_check("{SOFTMAX}", "passed", [], "Right")\n'
        f'learner.count_hint("{SOFTMAX}")\n'
        f'learner.save_answer("{SOFTMAX}", "def softmax(x): return x")'
    )
    found = learner.progress()[SOFTMAX]
    assert (found.passed, found.hints) == (True, 1)
    assert learner.load_answer(SOFTMAX) == "def softmax(x): return x\n"


@pytest.mark.parametrize("moment", ["os.fsync", "os.replace"])
def test_a_kill_in_mid_write_leaves_what_was_there(moment: str) -> None:
    learner.record_check(SOFTMAX, "passed", [], "Right")
    learner.save_answer(SOFTMAX, "def softmax(x): return x")
    before = stored()
    killed = f"import os, signal\n{moment} = lambda *a: os.kill(os.getpid(), signal.SIGKILL)\n"
    for act in (
        f'learner.record_check("{SOFTMAX}", "failed", [], "Not yet")',
        f'learner.save_answer("{SOFTMAX}", "def softmax(x): return 2 * x")',
    ):
        assert in_process(killed + act, check=False).returncode == -9
    assert stored() == before
    assert learner.load_answer(SOFTMAX) == "def softmax(x): return x\n"
    learner.record_check(SOFTMAX, "failed", [], "Not yet")  # the lock of the dead is free
    assert learner.progress()[SOFTMAX].attempts == 2


def test_a_killed_first_write_leaves_nothing_to_trip_over() -> None:
    program = (
        "import os, signal\nos.replace = lambda *a: os.kill(os.getpid(), signal.SIGKILL)\n"
        f'learner.save_answer("{SOFTMAX}", "x = 1")'
    )
    assert in_process(program, check=False).returncode == -9
    assert learner.load_answer(SOFTMAX) is None
    assert learner.progress() == {}


@pytest.mark.parametrize(
    "content", [b"", b'{"exercises": {"attention.so', b"\xff\xfe", b"[1, 2]", b'{"exercises": 3}']
)
def test_damaged_progress_is_set_aside_with_a_sentence(
    content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    learner.save_answer(SOFTMAX, "def softmax(x): return x")
    learner.record_check("attention.scores", "failed", [], "Not yet")
    (learner.home() / "progress.json").write_bytes(content)
    found = learner.progress()
    assert found[SOFTMAX].passed  # the saved answer proves it
    (copy,) = (learner.home() / "kept").iterdir()
    assert copy.read_bytes() == content
    said = capsys.readouterr().err
    assert "was damaged" in said
    assert str(copy) in said
    assert said.count("\n") == 1
    learner.count_hint(SOFTMAX)
    assert learner.progress()[SOFTMAX].hints == 1
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "entry", [3, None, [], {"attempts": "many", "hints": None, "mistakes": "x", "status": 1}]
)
def test_an_entry_that_makes_no_sense_counts_as_new(entry: object) -> None:
    learner.count_hint("attention.scores")
    data = stored()
    data["exercises"][SOFTMAX] = entry
    (learner.home() / "progress.json").write_text(json.dumps(data))
    assert learner.progress()[SOFTMAX] == learner.ExerciseProgress()
    learner.record_check(SOFTMAX, "passed", [], "Right")
    assert learner.progress()[SOFTMAX].attempts == 1
    assert learner.progress()["attention.scores"].hints == 1


def test_what_an_older_course_wrote_is_read() -> None:
    path = learner.home() / "progress.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"exercises": {"attention.softmax": {"passed_at": "2026-01-02T03:04:05Z"}}}')
    assert learner.progress()[SOFTMAX].passed
    learner.record_check(SOFTMAX, "failed", [], "Not yet")
    assert stored()["schema"] == learner.SCHEMA
    assert learner.progress()[SOFTMAX].passed_at == "2026-01-02T03:04:05Z"


def test_what_a_newer_course_wrote_is_kept() -> None:
    learner.count_hint(SOFTMAX)
    data = stored() | {"schema": 99, "badges": ["first"]}
    data["exercises"][SOFTMAX]["mood"] = "good"
    data["exercises"]["vision.patches"] = {"status": "passed", "passed_at": "2030", "stars": 3}
    (learner.home() / "progress.json").write_text(json.dumps(data))
    learner.record_check(SOFTMAX, "passed", [], "Right")
    after = stored()
    assert (after["schema"], after["badges"]) == (99, ["first"])
    assert after["exercises"][SOFTMAX]["mood"] == "good"
    assert after["exercises"]["vision.patches"]["stars"] == 3


@pytest.mark.parametrize("content", [b"def softmax(:\n", b"\xff\xff", b"x = \x00"])
def test_a_damaged_answer_is_said_and_left_alone(
    content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    path = learner.save_answer(SOFTMAX, "x = 1")
    path.write_bytes(content)
    assert learner.load_answer(SOFTMAX) is None
    assert learner.load_answer(SOFTMAX) is None
    said = capsys.readouterr().err
    assert "is damaged" in said
    assert said.count("\n") == 1  # said once
    assert path.read_bytes() == content


def test_a_folder_that_cannot_be_used_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "file"))
    learner.record_check(SOFTMAX, "passed", [], "Right")
    learner.save_answer(SOFTMAX, "def softmax(x): return x")
    assert learner.count_hint(SOFTMAX) == 1
    assert learner.progress()[SOFTMAX].passed  # while this notebook runs
    assert learner.load_answer(SOFTMAX) == "def softmax(x): return x"
    said = capsys.readouterr().err
    assert "COURSE_HOME" in said
    assert "Traceback" not in said
    (tmp_path / "file").unlink()
    learner.count_hint(SOFTMAX)  # as soon as it can be written, all of it is
    restart()
    assert (learner.progress()[SOFTMAX].passed, learner.progress()[SOFTMAX].hints) == (True, 2)


def test_a_full_disk_stops_nothing_and_leaves_no_scraps(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    learner.count_hint(SOFTMAX)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        assert learner.count_hint(SOFTMAX) == 2
    assert "No space left on device" in capsys.readouterr().err
    assert sorted(path.name for path in learner.home().iterdir()) == ["lock", "progress.json"]
    restart()
    assert learner.hints_shown(SOFTMAX) == 1  # the file is the old one, whole


def test_many_processes_lose_nothing() -> None:
    program = (
        "from course import learner\nfor _ in range(10): learner.count_hint('attention.softmax')\n"
        "learner.record_check('attention.' + NAME, 'passed', [], '')"
    )
    names = ["one", "two", "three", "four"]
    running = [
        subprocess.Popen([sys.executable, "-c", f"NAME = {name!r}\n{program}"], cwd=ROOT)
        for name in names
    ]
    assert [process.wait() for process in running] == [0] * len(names)
    found = learner.progress()
    assert found[SOFTMAX].hints == 10 * len(names)
    assert all(found[f"attention.{name}"].passed for name in names)


def test_a_lock_that_never_comes_free_is_not_waited_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(files, "_LOCK_SECONDS", 0.05)
    with files.locked(learner.home()):
        done = in_process("files._LOCK_SECONDS = 0.05\nprint(learner.count_hint('a.b'))")
    assert done.stdout == "1\n"


def test_progress_is_readable_by_a_person() -> None:
    learner.record_check(SOFTMAX, "failed", ["größe"], "Nicht ganz 注意")
    text = (learner.home() / "progress.json").read_text(encoding="utf-8")
    assert "Nicht ganz 注意" in text
    assert text.count("\n") > 8
    assert text.endswith("}\n")


def test_what_is_tried_apart_does_not_count() -> None:
    learner.record_check(SOFTMAX, "failed", [], "Not yet")
    program = (
        "learner.set_apart('solutions')\nlearner.set_apart('solutions')\n"
        f"learner.record_check('{SOFTMAX}', 'passed', [], '')\n"
        f"learner.save_answer('{SOFTMAX}', 'x = 1')\nprint(learner.home())"
    )
    assert in_process(program).stdout == f"{learner.home() / 'solutions'}\n"
    assert not learner.progress()[SOFTMAX].passed
    assert learner.load_answer(SOFTMAX) is None
