"""The notebooks are what the press makes, hold no solution, and nobody's work is overwritten."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from course import content, learner
from course.content import manuscript
from course.content.manuscript import ManuscriptError
from course.press import glossary
from course.press import notebooks as press
from tests import pressed
from tests.sampled import by_day

CHAPTERS = content.chapters()

GOOD = """\
# %% [markdown] id="title"
# # 07 Odd 注意
#
# Text with $x_{i}$ and "quotes".

# %% id="setup"
from course import check, use

# %% id="empty"

# %% id="double-exercise" exercise="odd.double"
def double(x):
    ### BEGIN SOLUTION
    return 2 * x  # ßecret
    ### END SOLUTION

# %% id="double-check" tags=["hide"]
check("odd.double", double)

# %% id="double-use"
double = use('odd.double')

# %% id="shown" tags=["teaching"]
def shown(): pass
"""


@pytest.fixture
def odd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A manuscript folder with one small chapter."""
    folder = tmp_path / "content"
    (folder / "odd").mkdir(parents=True)
    monkeypatch.setattr(content, "FOLDER", folder)
    monkeypatch.setattr(content, "CHAPTERS", ("odd",))
    (folder / "odd" / "chapter.py").write_text(GOOD, encoding="utf-8")
    return folder


def loaded(text: str) -> dict[str, Any]:
    return dict(json.loads(text))


def sources(page: dict[str, Any]) -> dict[str, str]:
    return {cell["id"]: "".join(cell["source"]) for cell in page["cells"]}


def test_chapters_and_solutions_are_what_the_press_makes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert press.main(["--check"]) == 0, capsys.readouterr().out


@pytest.mark.parametrize("seed", by_day(["1", "2"], 1))  # this process has one of its own
def test_every_run_writes_the_same_bytes(seed: str) -> None:
    program = (
        "import hashlib; from course.press.notebooks import press\n"
        "for name, text in press().items(): print(name, hashlib.sha256(text.encode()).hexdigest())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=press.ROOT,
        env={**os.environ, "PYTHONHASHSEED": seed},
    )
    here = {n: hashlib.sha256(text.encode()).hexdigest() for n, text in press.press().items()}
    assert dict(line.split() for line in done.stdout.splitlines()) == here


def test_the_pages_are_valid_notebooks_as_jupyter_writes_them() -> None:
    import nbformat  # with what it checks texts by, it takes two seconds

    for name, text in pressed.pages().items():
        if name == f"chapters/{glossary.PAGE}":
            continue
        page = nbformat.reads(text, as_version=4)
        nbformat.validate(page)
        assert nbformat.writes(page) == text.rstrip("\n") or nbformat.writes(page) == text
        ids = [cell.id for cell in page.cells]
        assert len(ids) == len(set(ids))
        assert page.metadata.kernelspec.name == "python3"
        assert not any(cell.get("outputs") or cell.get("execution_count") for cell in page.cells)


def telling_lines(source: str) -> set[str]:
    """The lines of a solution's body by which one would know it, without comments."""
    body = ast.parse(source).body[0]
    assert isinstance(body, ast.FunctionDef | ast.ClassDef)
    lines = set()
    for node in ast.walk(body):
        if isinstance(node, ast.stmt) and not isinstance(node, ast.FunctionDef | ast.ClassDef):
            is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            lines.update([] if is_docstring else ast.unparse(node).splitlines())
    return {line.strip() for line in lines if len(line.strip()) >= 20}


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_no_solution_leaks_into_any_chapter(chapter: str) -> None:
    secret = {
        line
        for cell in manuscript.read(chapter)
        if cell.exercise
        for line in telling_lines(cell.solved)
    }
    quoted = {  # from the article: an exercise that mends its code shows the code
        line.strip()
        for cell in manuscript.read(chapter)
        if "article" in cell.tags
        for line in cell.source.splitlines()
    }
    secret -= quoted
    assert secret
    for name, text in pressed.pages().items():
        if not name.startswith("chapters/"):
            continue
        cells = {"": text} if name.endswith(".md") else sources(loaded(text))
        for cell_id, source in cells.items():
            shown = {line.partition("  #")[0].strip() for line in source.splitlines()}
            assert not shown & secret, f"{name}, cell {cell_id}"
            assert "SOLUTION" not in source, f"{name}, cell {cell_id}"


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_solutions_hold_every_solution(chapter: str) -> None:
    pages = pressed.pages()
    solved = sources(loaded(pages[f"solutions/{chapter}.ipynb"]))
    unsolved = sources(loaded(pages[f"chapters/{chapter}.ipynb"]))
    exercises = [cell for cell in manuscript.read(chapter) if cell.exercise]
    for cell in exercises:
        assert solved[cell.id] == cell.solved
        assert "raise NotImplementedError" in unsolved[cell.id]
        ours, theirs = ast.parse(unsolved[cell.id]).body[0], ast.parse(solved[cell.id]).body[0]
        assert isinstance(ours, ast.FunctionDef | ast.ClassDef)
        assert isinstance(theirs, ast.FunctionDef | ast.ClassDef)
        assert ast.get_docstring(ours) == ast.get_docstring(theirs)
        if isinstance(ours, ast.FunctionDef) and isinstance(theirs, ast.FunctionDef):
            assert ast.unparse(ours.args) == ast.unparse(theirs.args)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_chapter_and_solution_lead_to_each_other(chapter: str) -> None:
    pages = pressed.pages()
    assert f"](../solutions/{chapter}.ipynb)" in pages[f"chapters/{chapter}.ipynb"]
    assert f"](../chapters/{chapter}.ipynb)" in pages[f"solutions/{chapter}.ipynb"]


def test_the_cells_are_those_of_the_manuscript(odd: Path) -> None:
    pages = press.press()
    assert list(pages) == ["chapters/00_odd.ipynb", "solutions/00_odd.ipynb"]
    page = loaded(pages["chapters/00_odd.ipynb"])
    by_id = {cell["id"]: cell for cell in page["cells"]}
    assert [name for name in by_id if name not in press.RESERVED] == [
        "title", "setup", "empty", "double-exercise", "double-check", "double-use", "shown",
    ]  # fmt: skip
    assert by_id["empty"]["source"] == []
    assert by_id["double-check"]["metadata"] == {"tags": ["hide"]}
    assert by_id["double-exercise"]["metadata"] == {"exercise": "odd.double"}
    assert "注意" in sources(page)["title"]
    assert "ßecret" not in pages["chapters/00_odd.ipynb"]
    assert "ßecret" in pages["solutions/00_odd.ipynb"]


REFUSED = {
    "no check": ('check("odd.double", double)', "", 'followed by `check("odd.double", double)`'),
    "check of another": ('"odd.double", double', '"odd.double", other', "not followed by `check"),
    "no use": ("double = use('odd.double')", "", "not followed by `double = use"),
    "another name": ("def double(x)", "def twice(x)", "define double and nothing else"),
    "two definitions": ("def double(x)", "y = 1\ndef double(x)", "define double and nothing else"),
    "not python": ("from course import", "from course import import", 'cell "setup" is not Python'),
    "solution not python": ("return 2 * x", "return 2 *", "is not Python"),
    "helper code": (' tags=["teaching"]', "", "shown is defined outside of an exercise"),
    "an id of the press": ('id="setup"', 'id="about"', 'makes a cell "about" itself'),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_chapter_that_could_not_run_is_refused(
    odd: Path, case: str, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new, says = REFUSED[case]
    assert old in GOOD
    (odd / "odd" / "chapter.py").write_text(GOOD.replace(old, new), encoding="utf-8")
    with pytest.raises(ManuscriptError, match=r"odd/chapter\.py:\d+: ") as raised:
        press.press()
    assert says in str(raised.value)
    assert press.main(["--check"]) == 1
    assert says in capsys.readouterr().err


@pytest.fixture
def desk(odd: Path, tmp_path: Path) -> Path:
    """A root folder with the small chapter's notebooks just made."""
    root = tmp_path / "root"
    root.mkdir()
    assert press.write(press.press(), root) == 0
    return root


def revise(odd: Path) -> dict[str, str]:
    """The pages of a new edition."""
    (odd / "odd" / "chapter.py").write_text(
        GOOD.replace("Text with", "Better text with"), encoding="utf-8"
    )
    return press.press()


def kept() -> list[Path]:
    return sorted((learner.home() / "kept").glob("*"))


def test_a_second_run_changes_nothing(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = desk / "chapters/00_odd.ipynb"
    before = path.stat().st_mtime_ns
    capsys.readouterr()
    assert press.write(press.press(), desk) == 0
    assert path.stat().st_mtime_ns == before
    assert capsys.readouterr().out == ""
    assert press.check(press.press(), desk) == 0


def test_a_new_edition_replaces_an_untouched_notebook(desk: Path, odd: Path) -> None:
    pages = revise(odd)
    assert press.write(pages, desk) == 0
    assert (desk / "chapters/00_odd.ipynb").read_text(encoding="utf-8") == pages[
        "chapters/00_odd.ipynb"
    ]
    assert kept() == []


def edited(page: dict[str, Any]) -> None:
    page["cells"][-1]["source"] = "x = 1"


def run(page: dict[str, Any]) -> None:
    page["cells"][-1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "1"}]


def added(page: dict[str, Any]) -> None:
    page["cells"].append({"cell_type": "markdown", "id": "n", "metadata": {}, "source": "mine"})


def removed(page: dict[str, Any]) -> None:
    del page["cells"][1]


def moved(page: dict[str, Any]) -> None:
    page["cells"].reverse()


def unsigned(page: dict[str, Any]) -> None:
    page["metadata"] = {}


@pytest.mark.parametrize("change", [edited, run, added, removed, moved, unsigned])
def test_a_changed_notebook_is_kept_before_it_is_replaced(
    desk: Path, odd: Path, change: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    path = desk / "chapters/00_odd.ipynb"
    page = loaded(path.read_text(encoding="utf-8"))
    change(page)
    mine = json.dumps(page)
    path.write_text(mine, encoding="utf-8")
    capsys.readouterr()
    pages = revise(odd)
    assert press.write(pages, desk) == 0
    (copy,) = kept()
    assert copy.read_text(encoding="utf-8") == mine
    assert str(copy) in capsys.readouterr().out
    assert path.read_text(encoding="utf-8") == pages["chapters/00_odd.ipynb"]


def test_a_damaged_notebook_is_kept_too(desk: Path) -> None:
    (desk / "chapters/00_odd.ipynb").write_bytes(b"\xff{half a notebook")
    assert press.write(press.press(), desk) == 0
    assert [path.read_bytes() for path in kept()] == [b"\xff{half a notebook"]


def test_two_copies_in_one_second_are_both_kept(desk: Path) -> None:
    for text in ("one", "two"):
        (desk / "chapters/00_odd.ipynb").write_text(text)
        press.write(press.press(), desk)
    assert sorted(path.read_text() for path in kept()) == ["one", "two"]


def test_what_jupyter_notes_beside_the_cells_is_no_change(desk: Path, odd: Path) -> None:
    path = desk / "chapters/00_odd.ipynb"
    page = loaded(path.read_text(encoding="utf-8"))
    page["metadata"]["language_info"] = {"name": "python", "version": "3.12.1"}
    path.write_text(json.dumps(page), encoding="utf-8")
    assert not press.changed(path)
    press.write(revise(odd), desk)
    assert kept() == []


def test_a_copy_that_cannot_be_kept_stops_the_press(
    desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "file"))
    path = desk / "chapters/00_odd.ipynb"
    path.write_text("mine")
    with pytest.raises(OSError, match="file"):
        press.write(press.press(), desk)
    assert path.read_text() == "mine"


def test_check_names_every_difference_and_writes_nothing(
    desk: Path, odd: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (desk / "solutions/00_odd.ipynb").unlink()
    left = desk / "chapters/08_gone.ipynb"
    made = (desk / "chapters/00_odd.ipynb").read_text(encoding="utf-8")
    left.write_text(made.replace('"chapter": "00_odd"', '"chapter": "08_gone"'), encoding="utf-8")
    before = {path: path.read_bytes() for path in desk.rglob("*") if path.is_file()}
    capsys.readouterr()
    assert press.check(revise(odd), desk) == 1
    out = capsys.readouterr().out
    assert 'chapters/00_odd.ipynb is not what the press makes: cell "title"' in out
    assert "solutions/00_odd.ipynb is missing" in out
    assert "chapters/08_gone.ipynb has no manuscript" in out
    assert {path: path.read_bytes() for path in desk.rglob("*") if path.is_file()} == before


def test_a_notebook_of_the_learners_own_is_left_alone(desk: Path) -> None:
    own = desk / "chapters/my_notes.ipynb"
    own.write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
    assert press.check(press.press(), desk) == 0
    press.write(press.press(), desk)
    assert own.exists()


def test_a_chapter_without_manuscript_is_removed(desk: Path) -> None:
    old = desk / "chapters/06_old.ipynb"
    made = (desk / "chapters/00_odd.ipynb").read_text(encoding="utf-8")
    old.write_text(made.replace('"chapter": "00_odd"', '"chapter": "06_old"'), encoding="utf-8")
    press.write(press.press(), desk)
    assert not old.exists()
    assert kept() == []
