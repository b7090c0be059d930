"""Every chapter runs from top to bottom: untouched, solved, and with exercises wrong.

At night whole notebooks run here, each in every state. By day each runs whole under nbval in one of them, here or in
Colab's environment, and the cells that check and use answers run in every state, without a kernel of their own
(forked.py).
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import nbformat
import pytest

from course import content
from course.content import exercises, manuscript
from course.press import notebooks as press
from tests.colab.chosen import BY_DAY
from tests.notebooks import forked
from tests.notebooks.forked import run_checks
from tests.notebooks.offline import NO_NETWORK
from tests.notebooks.states import (
    Outcome,
    exercises_of,
    run,
    solutions_of,
    variant,
)
from tests.sampled import NIGHT

CHAPTERS = content.chapters()
TRAINING = re.compile(r"TrainingTheatre|course\.training")
SOLVED = CHAPTERS if NIGHT else ["03_feed_forward"]  # the quickest of those with many exercises
WHOLE = [each for each in CHAPTERS if NIGHT or each not in (*SOLVED, *BY_DAY)]  # untouched
# Functions, and classes built of them; the others save answers alike.
OPENED_AGAIN = CHAPTERS[2::2] if NIGHT else ["04_stacking"]


@pytest.fixture
def prepared(chapter: str, request: pytest.FixtureRequest) -> Path | None:
    """What takes a chapter long and was computed before; by day its trainings made a few updates."""
    if trains(chapter):
        return Path(request.getfixturevalue("trained" if NIGHT else "rehearsed"))
    searches = any("passages" in cell.source for cell in manuscript.read(chapter))
    return Path(request.getfixturevalue("computed")) if searches else None


def trains(chapter: str) -> bool:
    """Whether a chapter has a training that the cache can spare."""
    cells = manuscript.read(chapter)
    return any(cell.kind == "code" and TRAINING.search(cell.source) for cell in cells)


def page(name: str) -> str:
    return (press.ROOT / name).read_text(encoding="utf-8")


def assert_ran(outcome: Outcome) -> None:
    """No cell raised, and nothing tried to leave the machine."""
    assert outcome.returncode == 0, outcome.output
    assert outcome.network == ""


def mistaken(exercise_id: str, place: int) -> tuple[str, str]:
    """One listed mistake of an exercise: its id, and the model solution with it."""
    exercise = exercises.get(exercise_id)
    mistake = exercise.mistakes[place % len(exercise.mistakes)]
    return mistake.id, exercise.mistaken_source(mistake)


def ran(
    chapter: str, given: Mapping[str, str], folder: Path, request: pytest.FixtureRequest
) -> Outcome:
    """The chapter's checks with these answers by day; at night all its cells, in a kernel."""
    home = folder / "home"
    if not NIGHT:
        return run_checks(chapter, given, folder, home)
    before: Path | None = request.getfixturevalue("prepared")
    return run(variant(chapter, given), folder, home, computed=before)


@pytest.mark.slow
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_untouched(chapter: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """At night with all that is computed for minutes."""
    home = tmp_path / "home"
    if chapter in WHOLE:
        before = None if NIGHT else request.getfixturevalue("prepared")
        outcome = run(page(f"chapters/{chapter}.ipynb"), tmp_path, home, computed=before)
    else:
        outcome = run_checks(chapter, {}, tmp_path, home)
    assert_ran(outcome)
    assert outcome.statuses() == dict.fromkeys(exercises_of(chapter), "not attempted")
    assert outcome.answers == set()


@pytest.mark.slow
@pytest.mark.parametrize("chapter", SOLVED)
def test_solved(chapter: str, tmp_path: Path, prepared: Path | None) -> None:
    home = tmp_path / "home"
    notebook = page(f"solutions/{chapter}.ipynb")
    outcome = run(notebook, tmp_path, home, apart="solutions", computed=prepared)
    assert_ran(outcome)
    assert outcome.statuses() == dict.fromkeys(exercises_of(chapter), "passed")
    assert outcome.answers == set(exercises_of(chapter))
    # Looking at the solutions is not solving: the learner's own folder has nothing of it.
    assert not (home / "progress.json").exists()
    assert not (home / "answers").exists()


@pytest.mark.slow
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_exercise_wrong(chapter: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    made = {name: mistaken(name, place) for place, name in enumerate(exercises_of(chapter))}
    wrong = {name: source for name, (_, source) in made.items()}
    outcome = ran(chapter, wrong, tmp_path, request)
    assert_ran(outcome)
    assert outcome.statuses() == dict.fromkeys(made, "failed")
    assert outcome.mistakes() == {name: [mistake] for name, (mistake, _) in made.items()}
    assert outcome.answers == set()


@pytest.mark.slow
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_one_exercise_wrong_and_all_others_solved(
    chapter: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    names = exercises_of(chapter)
    wrong = names[len(names) // 2]  # others stand on it
    mistake, source = mistaken(wrong, 2)
    outcome = ran(chapter, solutions_of(chapter) | {wrong: source}, tmp_path, request)
    assert_ran(outcome)
    assert outcome.statuses() == dict.fromkeys(names, "passed") | {wrong: "failed"}
    assert outcome.mistakes() == {name: [] for name in names} | {wrong: [mistake]}
    assert outcome.answers == set(names) - {wrong}
    if chapter in OPENED_AGAIN:
        # A fresh kernel finds what was solved, and keeps it.
        first_pass = {name: entry.get("passed_at") for name, entry in outcome.progress.items()}
        again = ran(chapter, {}, tmp_path, request)
        assert_ran(again)
        assert again.answers == set(names) - {wrong}
        found = {name: entry.get("passed_at") for name, entry in again.progress.items()}
        assert found == first_pass


@pytest.mark.parametrize("source", ["1 / 0", "raise SystemExit(0)", "x ="])
def test_a_check_s_cell_that_raises_is_noticed(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = nbformat.v4.new_code_cell(source)
    text = nbformat.writes(nbformat.v4.new_notebook(cells=[cell]))
    monkeypatch.setattr(forked, "variant", lambda *given, checks_alone: text)
    outcome = run_checks(CHAPTERS[0], {}, tmp_path, tmp_path / "home")
    assert outcome.returncode == 1
    assert "Error" in outcome.output or "SystemExit" in outcome.output


def test_a_check_s_cell_that_leaves_the_machine_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = nbformat.v4.new_code_cell("import socket\nsocket.getaddrinfo('192.0.2.7', 80)")
    text = nbformat.writes(nbformat.v4.new_notebook(cells=[cell]))
    monkeypatch.setattr(forked, "variant", lambda *given, checks_alone: text)
    outcome = run_checks(CHAPTERS[0], {}, tmp_path, tmp_path / "home")
    assert outcome.returncode == 1
    assert "192.0.2.7" in outcome.network


@pytest.mark.slow
def test_a_cell_that_raises_is_noticed(tmp_path: Path) -> None:
    chapter = CHAPTERS[0]
    notebook = json.loads(variant(chapter, {}))
    notebook["cells"] = [
        {**cell, "source": "raise ValueError('here')"}
        for cell in notebook["cells"]
        if cell["id"] == "setup"
    ]
    outcome = run(json.dumps(notebook), tmp_path, tmp_path / "home")
    assert outcome.returncode == 1
    assert "ValueError: here" in outcome.output


@pytest.mark.slow
def test_a_request_that_leaves_the_machine_is_noticed(tmp_path: Path) -> None:
    notebook = json.loads(variant(CHAPTERS[0], {}))
    notebook["cells"] = [
        {
            **cell,
            "source": "import socket\ntry:\n    socket.create_connection(('192.0.2.1', 80), 1)\n"
            "except OSError:\n    pass\nsocket.getaddrinfo('localhost', 80)",
        }
        for cell in notebook["cells"]
        if cell["id"] == "setup"
    ]
    outcome = run(json.dumps(notebook), tmp_path, tmp_path / "home")
    assert outcome.returncode == 0, outcome.output
    assert "192.0.2.1" in outcome.network
    assert "localhost" not in outcome.network


def test_the_refusal_is_python_by_itself(tmp_path: Path) -> None:
    program = NO_NETWORK + "\nimport socket\nsocket.getaddrinfo('192.0.2.7', 80)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={"COURSE_TEST_NETWORK": str(tmp_path / "log")},
    )
    assert "no network in this test" in done.stderr
    assert (tmp_path / "log").read_text() == "socket.getaddrinfo 192.0.2.7\n"


def test_a_variant_of_an_unknown_exercise_is_refused() -> None:
    with pytest.raises(ValueError, match=r"has no exercise attention\.nothing"):
        variant(CHAPTERS[0], {"attention.nothing": ""})
