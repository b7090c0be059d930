"""Whatever lies in the learner's folder: one sentence at most, no hang, nothing lost."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from course import learner
from course.system import files

SOFTMAX = "attention.softmax"


@pytest.fixture(autouse=True)
def fresh_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of its own, as if the kernel had just started."""
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    for store in (learner._held_progress, learner._held_answers, learner._said):
        store.clear()
    learner._untouchable.clear()


def entry_of(text: str) -> str:
    return f'{{"schema": 1, "exercises": {{"{SOFTMAX}": {text}}}}}'


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000 + "]" * 100_000,
        entry_of("[" * 900 + "]" * 900),
        entry_of('{"attempts": ' + "9" * 10_000 + "}"),
        entry_of('{"attempts": ' + "9" * 4_300 + ', "hints": -' + "9" * 4_300 + "}"),
        entry_of('{"attempts": NaN, "status": [], "mistakes": {}, "hints": true}'),
        entry_of('{"message": "\\ud800", "status": "\\udfff", "mistakes": ["\\ud800", 3, [[]]]}'),
        '{"exercises": {"\\ud800": 1, "": null, "4": [1]}}',
        '{"exercises": []}',
        "NaN",
        "\0" * 1000,
    ],
)
def test_any_content_ends_in_a_count_and_one_sentence_at_most(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = learner.home() / "progress.json"
    path.write_text(text)
    learner.progress()
    learner.record_check(SOFTMAX, "failed", ["one\ud800"], "message")
    assert learner.progress()[SOFTMAX].attempts == 1
    json.loads(path.read_text(encoding="utf-8"))
    assert len(capsys.readouterr().err.splitlines()) <= 1


@pytest.mark.parametrize(("depth", "kept"), [(20, False), (100, True)])
def test_what_nests_deeper_than_any_writer_follows_is_set_aside(depth: int, kept: bool) -> None:
    """JSON's reader may follow hundreds of levels deeper than its writer; both differ by Python."""
    path = learner.home() / "progress.json"
    path.write_text(f'{{"exercises": {{}}, "newer": {"[" * depth + "]" * depth}}}')
    learner.record_check(SOFTMAX, "failed", [], "message")
    assert learner.progress()[SOFTMAX].attempts == 1
    assert ("newer" in json.loads(path.read_text(encoding="utf-8"))) is not kept
    assert any((learner.home() / "kept").glob("progress-*")) is kept


def test_a_byte_order_mark_is_no_damage(capsys: pytest.CaptureFixture[str]) -> None:
    (learner.home() / "answers").mkdir()
    progress = entry_of('{"attempts": 3}').encode("utf-8-sig")
    (learner.home() / "progress.json").write_bytes(progress)
    (learner.home() / "answers" / f"{SOFTMAX}.py").write_bytes("x = 1\n".encode("utf-8-sig"))
    assert learner.progress()[SOFTMAX].attempts == 3
    assert learner.load_answer(SOFTMAX) == "x = 1\n"
    assert capsys.readouterr().err == ""


def huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(5 * 2**30)


ODD: dict[str, Callable[[Path], None]] = {
    "folder": Path.mkdir,
    "dangling link": lambda path: path.symlink_to("nowhere"),
    "link to itself": lambda path: path.symlink_to(path),
    "huge": huge,
}
if hasattr(os, "mkfifo"):
    ODD["pipe"] = lambda path: os.mkfifo(path)
    ODD["device"] = lambda path: path.symlink_to("/dev/zero")


@pytest.mark.parametrize("kind", ODD)
def test_what_is_no_file_is_set_aside_and_told(
    kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ODD[kind](learner.home() / "progress.json")
    learner.record_check(SOFTMAX, "passed", [], "")
    assert learner.progress()[SOFTMAX].passed
    (aside,) = (learner.home() / "kept").glob("progress-*")
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert "could not be read" in said[0]
    assert str(aside) in said[0]
    learner._said.clear()
    assert learner.progress()[SOFTMAX].passed  # it is in the file now
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("kind", ODD)
def test_an_answer_that_is_no_file_is_told(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    (learner.home() / "answers").mkdir()
    ODD[kind](learner.home() / "answers" / f"{SOFTMAX}.py")
    assert learner.load_answer(SOFTMAX) is None
    assert len(capsys.readouterr().err.splitlines()) == 1
    (learner.home() / "progress.json").write_text("damaged")
    assert set(learner.progress()) <= {SOFTMAX}  # such an answer stops no restoration


def test_an_answer_too_deep_for_the_compiler_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    (learner.home() / "answers").mkdir()
    (learner.home() / "answers" / f"{SOFTMAX}.py").write_text("x = " + "-" * 100_000 + "1\n")
    assert learner.load_answer(SOFTMAX) is None
    assert "damaged" in capsys.readouterr().err


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with a name")
def test_a_pipe_in_the_place_of_the_lock_is_not_waited_for() -> None:
    os.mkfifo(learner.home() / "lock")
    learner.record_check(SOFTMAX, "passed", [], "")
    assert learner.progress()[SOFTMAX].passed


def test_damage_is_never_replaced_without_a_copy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = learner.home() / "progress.json"
    path.write_text("damaged")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(learner, "keep", refuse)
    monkeypatch.setattr(os, "rename", refuse)
    learner.record_check(SOFTMAX, "passed", [], "")
    learner.record_check(SOFTMAX, "passed", [], "")
    assert path.read_text() == "damaged"
    assert learner.progress()[SOFTMAX].attempts == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_where_kept_is_a_file_the_damaged_file_stays_beside_it() -> None:
    (learner.home() / "kept").touch()
    (learner.home() / "progress.json").write_text("damaged")
    learner.record_check(SOFTMAX, "passed", [], "")
    (aside,) = learner.home().glob("progress-*.json")
    assert aside.read_text() == "damaged"


def test_a_link_to_progress_stays_a_link(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.json"
    elsewhere.write_text(entry_of('{"attempts": 1}'))
    (learner.home() / "progress.json").symlink_to(elsewhere)
    learner.record_check(SOFTMAX, "passed", [], "")
    assert (learner.home() / "progress.json").is_symlink()
    assert json.loads(elsewhere.read_text())["exercises"][SOFTMAX]["attempts"] == 2


def test_what_a_killed_write_left_is_removed_and_a_running_one_is_not() -> None:
    old, young = (learner.home() / f".progress.json.{number}.tmp" for number in (1, 2))
    other = learner.home() / ".mine.tmp"
    for path in (old, young, other):
        path.write_text("{")
    for path in (old, other):
        os.utime(path, (time.time() - 86_400,) * 2)
    files.write(learner.home() / "progress.json", "{}")
    assert [path.exists() for path in (old, young, other)] == [False, True, True]


def test_a_folder_that_may_not_be_looked_into_stops_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    (learner.home() / "progress.json").write_text("damaged")
    monkeypatch.setattr(Path, "glob", refuse)
    monkeypatch.setattr(learner, "keep", lambda path: path)
    assert learner.progress() == {}
