"""The chapter as a text: its promises, its exercise and its questions fit together."""

from __future__ import annotations

import re

import pytest

from course import exercises, manuscript, quizzes
from course.setup import lab

CELLS = manuscript.read("00_start_here")
SOURCE = {cell.id: cell.source for cell in CELLS}
PROSE = "\n".join(cell.source for cell in CELLS if cell.kind == "markdown")
CODE = "\n".join(cell.source for cell in CELLS if cell.kind == "code")


def test_it_is_what_the_course_opens() -> None:
    assert str(lab.first_chapter()).replace("\\", "/") == "chapters/00_start_here.ipynb"
    assert manuscript.chapters()[0] == "00_start_here"


def test_something_happens_in_the_first_cells() -> None:
    code = [cell.source for cell in CELLS if cell.kind == "code"][1:4]
    assert code[0].startswith("index = passages.load()")
    assert code[1] == "passages.SearchBox(index)"
    assert "index.search(" in code[2]


def test_the_exercise_says_what_its_check_knows() -> None:
    exercise = exercises.get("start_here.best_match")
    text = SOURCE["best-match-text"]
    assert f"### Exercise 1: `{exercise.name}`" in text
    assert f"Difficulty {exercise.difficulty} of 3, about {exercise.minutes} minutes." in text
    assert f'`hint("{exercise.id}")`' in text
    assert "*A tiny case" in text
    assert f"one exercise of {exercise.minutes} minutes" in SOURCE["title"]


def test_every_question_is_asked_once_and_every_prediction_is_explained_after_its_code() -> None:
    asked = re.findall(r'^(quiz|predict)\("([^"]+)"\)', CODE, flags=re.M)
    ids = [i for i in quizzes.all_ids() if i.startswith("start_here.")]
    assert sorted(i for _, i in asked) == sorted(ids)
    assert all(quizzes.get(question_id).kind == kind for kind, question_id in asked)
    for question_id in (i for kind, i in asked if kind == "predict"):
        between = CODE.partition(f'predict("{question_id}")')[2].partition(
            f'explain("{question_id}'
        )
        assert between[1], question_id
        assert "(" in between[0], "something has to run in between"


def test_sections_are_numbered_and_what_points_to_them_exists() -> None:
    sections = [int(number) for number in re.findall(r"^## (\d+) ", PROSE, flags=re.M)]
    assert sections == list(range(1, 10))
    for number in re.findall(r"section (\d+)", PROSE):
        assert int(number) in sections


def test_who_is_cited_stands_among_the_papers() -> None:
    papers = SOURCE["papers"]
    text = PROSE.replace(papers, "")
    cited = re.findall(r"([A-Z][\w-]+(?: Team)?)(?: et al\.)?,? \(?(\d{4})\)", text)
    assert len(cited) >= 12
    for name, year in cited:
        lines = [line for line in papers.split("\n") if name in line and year in line]
        assert lines, f"{name} {year} is cited and not among the papers"
    addresses = re.findall(r"\[arXiv:(\S+)\]\(https://arxiv\.org/abs/(\S+)\)", papers)
    assert len(addresses) >= 15
    for shown, linked in addresses:
        assert shown == linked
        assert re.fullmatch(r"\d{4}\.\d{5}", linked)


@pytest.mark.parametrize("kind", ["code", "markdown"])
def test_the_lines_fit_a_notebook(kind: str) -> None:
    for cell in (cell for cell in CELLS if cell.kind == kind):
        lines = cell.source.split("\n")
        if kind == "code":
            assert max(map(len, lines)) <= 88, cell.id
        else:
            drawn = re.findall(r"```(.*?)```", cell.source, flags=re.S)
            assert all(len(line) <= 88 for block in drawn for line in block.split("\n"))
