"""Chapter 06 as a text: its promises, its exercises and its questions fit together."""

from __future__ import annotations

import re

import pytest

from course.content import exercises
from tests.chapter_text import ChapterText

TEXT = ChapterText("06_classification")
CELLS, SOURCE, IDS = TEXT.cells, TEXT.source, TEXT.exercises
PROSE, CODE = TEXT.prose, TEXT.code


def test_it_has_the_four_exercises_of_the_catalogue_and_two_more() -> None:
    names = {name.partition(".")[2] for name in IDS}
    assert names >= {"masked_mean", "confusion_matrix", "macro_f1", "nearest"}
    assert len(IDS) == 6


@pytest.mark.parametrize("number", range(6))
def test_each_exercise_says_what_its_check_knows(number: int) -> None:
    TEXT.assert_exercise_says_what_its_check_knows(number)
    exercise = exercises.get(IDS[number])
    assert f'{exercise.name} = use("{exercise.id}")' in CODE


def test_the_opening_adds_up_the_minutes() -> None:
    minutes = sum(exercises.get(exercise_id).minutes for exercise_id in IDS)
    assert f"six exercises, {minutes} minutes by our count" in SOURCE["title"]
    assert "About two and three-quarter hours" in SOURCE["title"]
    assert "about 85 minutes to read" in SOURCE["title"]
    assert 155 <= minutes + 85 <= 170


def test_every_question_is_asked_once_and_every_prediction_explained_after_its_code() -> None:
    TEXT.assert_questions_are_asked_once_and_predictions_explained()


def test_sections_are_numbered_and_what_points_to_them_exists() -> None:
    TEXT.assert_sections_are_numbered(9)
    assert all(1 <= int(number) <= 9 for number in re.findall(r"[Ss]ection (\d+)", PROSE))


def test_who_is_cited_stands_among_the_papers_and_the_other_way_round() -> None:
    papers = SOURCE["papers"]
    text = PROSE.replace(papers, "")
    first_authors = re.findall(r"^# - (\w+)|^- (\w+)", papers, flags=re.M)
    names = [one or other for one, other in first_authors]
    assert len(names) == 10
    assert all(name in text for name in names)
    links = re.findall(r"\[arXiv:(\S+)\]\(https://arxiv\.org/abs/(\S+)\)", papers)
    assert len(links) >= 8
    assert all(shown == linked for shown, linked in links)


def test_the_article_is_quoted_with_a_translation() -> None:
    assert (
        "固定长度的向量表示，然后将其输入到分类器中进行文本分类" in SOURCE["article-fixed-length"]
    )
    assert re.search(r"[\u4e00-\u9fff].*\(\*", SOURCE["article-fixed-length"])


def test_the_code_fits_the_width_of_a_notebook() -> None:
    TEXT.assert_code_fits(100, apart=[cell.id for cell in CELLS if cell.exercise])
