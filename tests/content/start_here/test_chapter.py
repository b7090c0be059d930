"""The chapter as a text: its promises, its exercise and its questions fit together."""

from __future__ import annotations

import re

import pytest

from course import content
from course.content import exercises
from course.setup import lab
from tests.chapter_text import ChapterText

TEXT = ChapterText("00_start_here")
CELLS, SOURCE, PROSE = TEXT.cells, TEXT.source, TEXT.prose


def test_it_is_what_the_course_opens() -> None:
    assert str(lab.first_chapter()).replace("\\", "/") == "chapters/00_start_here.ipynb"
    assert content.chapters()[0] == "00_start_here"


def test_something_happens_in_the_first_cells() -> None:
    code = [cell.source for cell in CELLS if cell.kind == "code"][1:4]
    assert code[0].startswith("index = passages.load()")
    assert code[1] == "passages.SearchBox(index)"
    assert "index.search(" in code[2]


def test_the_exercise_says_what_its_check_knows() -> None:
    exercise = exercises.get("start_here.best_match")
    TEXT.assert_exercise_says_what_its_check_knows(0)
    assert f"one exercise of {exercise.minutes} minutes" in SOURCE["title"]


def test_every_question_is_asked_once_and_every_prediction_is_explained_after_its_code() -> None:
    TEXT.assert_questions_are_asked_once_and_predictions_explained()


def test_sections_are_numbered_and_what_points_to_them_exists() -> None:
    TEXT.assert_sections_are_numbered(9)
    for number in re.findall(r"section (\d+)", PROSE):
        assert int(number) in range(1, 10)


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
