"""Every chapter runs from top to bottom: untouched, solved, and with exercises wrong."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from course import content
from course.content import exercises, manuscript
from course.press import notebooks as press
from tests.colab.chosen import BY_DAY
from tests.notebooks.states import (
    NO_NETWORK,
    Outcome,
    exercises_of,
    run,
    solutions_of,
    variant,
)
from tests.sampled import NIGHT

CHAPTERS = content.chapters()
TRAINING = re.compile(r"TrainingTheatre|course\.training")
# A chapter takes half a minute or more in each state: by day each is run whole in one of them, and in the others its
# cells that check and use answers. Under Colab's versions some run untouched too.
SOLVED = CHAPTERS if NIGHT else CHAPTERS[1:2]
ONE_WRONG = CHAPTERS if NIGHT else CHAPTERS[3::2]
UNTOUCHED = CHAPTERS if NIGHT else [each for each in CHAPTERS[::2] if each not in BY_DAY]
# Functions, and classes built of them; the others save answers alike.
OPENED_AGAIN = CHAPTERS[2::2] if NIGHT else CHAPTERS[4:5]


@pytest.fixture
def prepared(chapter: str, request: pytest.FixtureRequest) -> Path:
    """What takes a chapter long and was computed before; by day its trainings made a few updates."""
    if not trains(chapter):
        return Path(request.getfixturevalue("computed"))
    return Path(request.getfixturevalue("trained" if NIGHT else "rehearsed"))


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


@pytest.mark.slow
@pytest.mark.parametrize("chapter", UNTOUCHED)
def test_untouched(chapter: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    # By day what is computed for minutes is computed in Colab's environment alone (tests/colab).
    before = None if NIGHT else Path(request.getfixturevalue("prepared"))
    notebook = page(f"chapters/{chapter}.ipynb")
    outcome = run(notebook, tmp_path, tmp_path / "home", computed=before)
    assert_ran(outcome)
    assert outcome.statuses() == dict.fromkeys(exercises_of(chapter), "not attempted")
    assert outcome.answers == set()


@pytest.mark.slow
@pytest.mark.parametrize("chapter", SOLVED)
def test_solved(chapter: str, tmp_path: Path, prepared: Path) -> None:
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
    """By day the cells that check and use them alone: the others run on the reference, as untouched."""
    made = {name: mistaken(name, place) for place, name in enumerate(exercises_of(chapter))}
    wrong = {name: source for name, (_, source) in made.items()}
    notebook = variant(chapter, wrong, checks_alone=not NIGHT)
    before = Path(request.getfixturevalue("prepared")) if NIGHT else None
    outcome = run(notebook, tmp_path, tmp_path / "home", computed=before)
    assert_ran(outcome)
    assert outcome.statuses() == dict.fromkeys(made, "failed")
    assert outcome.mistakes() == {name: [mistake] for name, (mistake, _) in made.items()}
    assert outcome.answers == set()


@pytest.mark.slow
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_one_exercise_wrong_and_all_others_solved(
    chapter: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    home, whole = tmp_path / "home", chapter in ONE_WRONG
    before = Path(request.getfixturevalue("prepared")) if whole else None
    names = exercises_of(chapter)
    wrong = names[len(names) // 2]  # others stand on it
    mistake, source = mistaken(wrong, 2)
    given = solutions_of(chapter) | {wrong: source}
    notebook = variant(chapter, given, checks_alone=not whole)
    outcome = run(notebook, tmp_path / "first", home, computed=before)
    assert_ran(outcome)
    assert outcome.statuses() == dict.fromkeys(names, "passed") | {wrong: "failed"}
    assert outcome.mistakes() == {name: [] for name in names} | {wrong: [mistake]}
    assert outcome.answers == set(names) - {wrong}
    if chapter in OPENED_AGAIN:
        # A fresh kernel finds what was solved, and keeps it.
        first_pass = {name: entry.get("passed_at") for name, entry in outcome.progress.items()}
        again = run(variant(chapter, {}, checks_alone=not whole), tmp_path / "second", home)
        assert_ran(again)
        assert again.answers == set(names) - {wrong}
        found = {name: entry.get("passed_at") for name, entry in again.progress.items()}
        assert found == first_pass


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
