"""Notebooks that git, an editor, Jupyter or the learner wrote in another way, or copied."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from course import learner
from course.press import notebooks as press
from course.press.notebooks import digest

CELLS = [{"cell_type": "markdown", "id": "title", "metadata": {}, "source": ["# Odd ß\n", "two"]}]
NAME = "chapters/07_odd.ipynb"


def page(chapter: str = "07_odd") -> str:
    metadata = {"course": {"chapter": chapter, "digest": digest(CELLS)}}
    made = {"cells": CELLS, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(made, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one chapter, and a learner's folder of its own."""
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "home"))
    (tmp_path / "chapters").mkdir()
    (tmp_path / NAME).write_text(page(), encoding="utf-8", newline="\n")
    return tmp_path


def kept() -> list[Path]:
    return sorted((learner.home() / "kept").glob("*"))


REWRITTEN: dict[str, Callable[[str], bytes]] = {
    "Windows line ends": lambda text: text.replace("\n", "\r\n").encode(),
    "byte-order mark": lambda text: text.encode("utf-8-sig"),
    "both": lambda text: text.replace("\n", "\r\n").encode("utf-8-sig"),
    "no last line end": lambda text: text.rstrip("\n").encode(),
    "indented by four": lambda text: json.dumps(json.loads(text), indent=4).encode(),
    "another minor version": lambda text: text.replace('minor": 5', 'minor": 4').encode(),
}


@pytest.mark.parametrize("kind", REWRITTEN)
def test_build_satisfies_its_own_check_and_keeps_no_copy(desk: Path, kind: str) -> None:
    (desk / NAME).write_bytes(REWRITTEN[kind](page()))
    assert press.write({NAME: page()}, desk) == 0
    assert press.check({NAME: page()}, desk) == 0
    assert kept() == []


def test_windows_line_ends_alone_are_no_difference(desk: Path) -> None:
    written = page().replace("\n", "\r\n").encode()
    (desk / NAME).write_bytes(written)
    assert press.check({NAME: page()}, desk) == 0
    press.write({NAME: page()}, desk)
    assert (desk / NAME).read_bytes() == written


def test_a_copy_that_the_learner_made_is_left_alone(desk: Path) -> None:
    copy = desk / "chapters/07_odd-Copy1.ipynb"
    copy.write_text(page(), encoding="utf-8")
    (desk / "chapters/folder.ipynb").mkdir()
    assert press.check({NAME: page()}, desk) == 0
    press.write({NAME: page()}, desk)
    assert copy.read_text(encoding="utf-8") == page()


def test_nothing_is_kept_where_nothing_can_be_written(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (desk / NAME).write_text("mine")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:  # root may write anywhere
        patched.setattr(tempfile, "NamedTemporaryFile", refuse)
        for _ in range(2):
            with pytest.raises(PermissionError):
                press.write({NAME: page()}, desk)
    assert kept() == []
    press.write({NAME: page()}, desk)
    assert [path.read_text() for path in kept()] == ["mine"]


def test_the_same_content_is_kept_once(desk: Path) -> None:
    for text in ("mine", "other", "mine"):
        (desk / NAME).write_text(text)
        press.write({NAME: page()}, desk)
    assert sorted(path.read_text() for path in kept()) == ["mine", "other"]


def test_json_too_deep_to_read_is_kept_and_replaced(desk: Path) -> None:
    deep = "[" * 100_000
    (desk / NAME).write_text(deep)
    assert press.check({NAME: page()}, desk) == 1
    press.write({NAME: page()}, desk)
    assert [path.read_text() for path in kept()] == [deep]


def test_a_folder_in_the_place_of_a_notebook_is_named(desk: Path) -> None:
    (desk / NAME).unlink()
    (desk / NAME).mkdir()
    with pytest.raises(OSError, match=r"07_odd.*not a file"):
        press.write({NAME: page()}, desk)
