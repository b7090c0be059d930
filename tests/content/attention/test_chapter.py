"""The chapter as a text: its promises, its exercises and its questions fit together."""

from __future__ import annotations

import re

import pytest

from course.content import exercises
from course.content import questions as quizzes
from tests.chapter_text import ChapterText

TEXT = ChapterText("02_attention")
CELLS, SOURCE, IDS = TEXT.cells, TEXT.source, TEXT.exercises
PROSE, CODE = TEXT.prose, TEXT.code


def test_it_has_the_nine_exercises_of_the_catalogue() -> None:
    names = ["scores", "softmax", "causal_mask", "padding_mask", "scaled_dot_product"]
    names += ["split_heads", "merge_heads", "multi_head", "entropy"]
    assert [f"attention.{name}" for name in names] == IDS


@pytest.mark.parametrize("number", range(9))
def test_each_exercise_says_what_the_catalogue_says(number: int) -> None:
    TEXT.assert_exercise_says_what_its_check_knows(number)


def test_the_opening_adds_up_the_minutes() -> None:
    minutes = sum(exercises.get(exercise_id).minutes for exercise_id in IDS)
    assert (
        f"nine exercises, {minutes} minutes by our count, and about 90 minutes to read"
        in SOURCE["title"]
    )
    assert 3.25 < (minutes + 90) / 60 < 3.75, "the opening says three and a half hours"


def test_the_hardest_comes_after_the_parts_that_it_is_made_of() -> None:
    assert [exercises.get(i).difficulty for i in IDS].index(3) == IDS.index("attention.multi_head")
    used = re.findall(
        r"\b(split_heads|merge_heads|scaled_dot_product)\(", SOURCE["multi-head-exercise"]
    )
    assert all(IDS.index(f"attention.{name}") < IDS.index("attention.multi_head") for name in used)


def test_every_question_is_asked_once_and_every_prediction_is_explained_after_its_code() -> None:
    TEXT.assert_questions_are_asked_once_and_predictions_explained()


def test_sections_are_numbered_and_what_points_to_them_exists() -> None:
    TEXT.assert_sections_are_numbered(15)
    for number in re.findall(r"\(section (\d+)\)|sections? (\d+) (?:and|to|shows|checks)", PROSE):
        assert int(next(filter(None, number))) in range(1, 16)


def test_who_is_cited_stands_among_the_papers_and_the_other_way_round() -> None:
    text = PROSE.replace(SOURCE["papers"], "") + " ".join(
        option.why
        for i in quizzes.all_ids()
        if i.startswith("attention.")
        for option in quizzes.get(i).options
    )
    papers = SOURCE["papers"]
    for name in (
        "Vaswani",
        "Bahdanau",
        "Bengio",
        "Clark",
        "Jain",
        "Wiegreffe",
        "Brunner",
        "Kobayashi",
        "Haviv",
    ):
        assert name in text
        assert name in papers
    for name in re.findall(r"\b([A-Z]\w+) et al\.? ?[(,]?", text):
        assert name in papers
    assert all(
        re.fullmatch(r"\d{4}\.\d{4,5}", i) for i in re.findall(r"arxiv\.org/abs/(\S+?)\)", papers)
    )


def test_the_code_fits_the_width_of_a_notebook() -> None:
    TEXT.assert_code_fits(100, apart=[cell.id for cell in CELLS if cell.exercise])
