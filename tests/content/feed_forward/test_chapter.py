"""Chapter 03 as a text: its promises, its exercises and its questions fit together."""

from __future__ import annotations

import re

import pytest

from course.content import exercises
from course.content import questions as quizzes
from tests.chapter_text import ChapterText

TEXT = ChapterText("03_feed_forward")
CELLS, SOURCE, IDS = TEXT.cells, TEXT.source, TEXT.exercises
PROSE, CODE = TEXT.prose, TEXT.code
QUESTIONS = [i for i in quizzes.all_ids() if i.startswith("feed_forward.")]


def test_it_has_the_five_exercises_of_the_catalogue_from_easy_to_hard() -> None:
    names = ["ffn", "count_parameters", "gelu", "geglu", "dropout"]
    assert [f"feed_forward.{name}" for name in names] == IDS
    difficulties = [exercises.get(exercise_id).difficulty for exercise_id in IDS]
    assert difficulties == sorted(difficulties)


@pytest.mark.parametrize("number", range(5))
def test_each_exercise_says_what_the_catalogue_says(number: int) -> None:
    TEXT.assert_exercise_says_what_its_check_knows(number)
    exercise = exercises.get(IDS[number])
    assert f'{exercise.name} = use("{exercise.id}")' in CODE
    assert len(exercise.mistakes) >= 8


def test_the_opening_adds_up_the_minutes() -> None:
    minutes = sum(exercises.get(exercise_id).minutes for exercise_id in IDS)
    assert f"five exercises, {minutes} minutes by our count" in SOURCE["title"]
    assert "About two hours" in SOURCE["title"]
    assert minutes + 60 == 120


def test_every_question_is_asked_once_and_every_prediction_explained_after_its_code() -> None:
    TEXT.assert_questions_are_asked_once_and_predictions_explained()


def test_sections_are_numbered() -> None:
    TEXT.assert_sections_are_numbered(11)


def test_who_is_cited_stands_among_the_papers_and_the_other_way_round() -> None:
    papers = SOURCE["papers"]
    text = PROSE.replace(papers, "")
    for name in ("Vaswani", "Geva", "Hendrycks", "Shazeer", "Dauphin", "Srivastava", "Leshno"):
        assert name in text
        assert name in papers
    for name in re.findall(r"\b([A-Z]\w+) et al\.? ?[(,]?", text):
        assert name in papers
    links = re.findall(r"arxiv\.org/abs/(\S+?)\)", papers)
    assert links
    assert all(re.fullmatch(r"\d{4}\.\d{4,5}", link) for link in links)


def test_the_article_is_quoted_with_a_translation() -> None:
    boxes = [cell.source for cell in CELLS if "**In the article**" in cell.source]
    assert len(boxes) >= 2
    assert any(re.search(r"[\u4e00-\u9fff].*\(\*", box) for box in boxes)


def test_the_code_fits_the_width_of_a_notebook() -> None:
    TEXT.assert_code_fits(88)
