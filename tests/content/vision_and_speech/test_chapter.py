"""The chapter as a text: its promises, its exercises and its questions fit together."""

from __future__ import annotations

import pytest

from course.content import exercises
from tests.chapter_text import ChapterText

TEXT = ChapterText("09_vision_and_speech")
SOURCE, IDS = TEXT.source, TEXT.exercises


def test_it_has_the_four_exercises_of_the_catalogue_and_two_more() -> None:
    seen = ["vision.patchify", "vision.unpatchify"]
    heard = ["speech.frame", "speech.ctc_collapse", "speech.ctc_loss", "speech.word_error_rate"]
    assert seen + heard == IDS


@pytest.mark.parametrize("number", range(6))
def test_each_exercise_says_what_the_catalogue_says(number: int) -> None:
    TEXT.assert_exercise_says_what_its_check_knows(number)


def test_the_opening_adds_up_the_minutes() -> None:
    minutes = sum(exercises.get(exercise_id).minutes for exercise_id in IDS)
    assert (
        f"six exercises, {minutes} minutes by our count, and about 80 minutes to" in SOURCE["title"]
    )
    assert 2.75 < (minutes + 80) / 60 < 3.25, "the opening says three hours"


def test_every_question_is_asked_once_and_every_prediction_is_explained_after_its_code() -> None:
    TEXT.assert_questions_are_asked_once_and_predictions_explained()


def test_sections_are_numbered() -> None:
    TEXT.assert_sections_are_numbered(10)


def test_who_is_cited_stands_among_the_papers() -> None:
    TEXT.assert_who_is_cited_stands_among_the_papers()


def test_the_code_fits_the_width_of_a_notebook() -> None:
    TEXT.assert_code_fits(100, apart=[cell.id for cell in TEXT.cells if cell.exercise])
