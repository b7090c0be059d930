"""The chapter as a text: its promises, its exercises and its questions fit together."""

from __future__ import annotations

import re

import pytest

from course.content import exercises
from course.content import questions as quizzes
from tests.chapter_text import ChapterText

TEXT = ChapterText("01_embeddings")
CELLS, SOURCE, IDS = TEXT.cells, TEXT.source, TEXT.exercises
PROSE, CODE = TEXT.prose, TEXT.code


def test_it_has_the_seven_exercises_of_the_catalogue() -> None:
    names = ["build_vocabulary", "wordpiece", "pad_batch", "lookup", "cosine_similarity"]
    names += ["sinusoidal_positions", "rotary"]
    assert [f"embeddings.{name}" for name in names] == IDS


@pytest.mark.parametrize("number", range(7))
def test_each_exercise_says_what_the_catalogue_says(number: int) -> None:
    TEXT.assert_exercise_says_what_its_check_knows(number)


def test_the_opening_adds_up_the_minutes() -> None:
    minutes = sum(exercises.get(exercise_id).minutes for exercise_id in IDS)
    said = f"seven exercises, {minutes} minutes by our count, and about 75 minutes to read"
    assert said in SOURCE["title"]
    assert 3 < (minutes + 75) / 60 < 3.5, "the opening says three and a quarter hours"


def test_the_last_exercise_is_the_hardest() -> None:
    difficulties = [exercises.get(exercise_id).difficulty for exercise_id in IDS]
    assert difficulties[-1] == 3
    assert 3 not in difficulties[:-1]


def test_what_is_built_is_what_runs() -> None:
    later = {i: CODE.split(f'use("{i}")', 1)[1] for i in IDS}
    for exercise_id, code in later.items():
        name = exercise_id.partition(".")[2]
        assert len(re.findall(rf"\b{name}\(", code)) >= 2, exercise_id


def test_every_question_is_asked_once_and_every_prediction_is_explained_after_its_code() -> None:
    TEXT.assert_questions_are_asked_once_and_predictions_explained()


def test_sections_are_numbered_and_what_points_to_them_exists() -> None:
    TEXT.assert_sections_are_numbered(13)
    pointed = re.findall(r"\bsections? (\d+)", PROSE.replace(SOURCE["papers"], ""))
    assert {int(number) for number in pointed} <= set(range(1, 14))


def test_the_boxes_quote_both_sections_of_the_article() -> None:
    boxes = re.findall(r"\*\*In the article\*\* \(([\d.]+)\): \"[\u4e00-\u9fff]", PROSE)
    assert sorted(boxes) == ["2.1", "3.1"]


def test_who_is_cited_stands_among_the_papers_and_the_other_way_round() -> None:
    questions = [quizzes.get(i) for i in quizzes.all_ids() if i.startswith("embeddings.")]
    whys = " ".join(option.why for question in questions for option in question.options)
    text, papers = PROSE.replace(SOURCE["papers"], "") + whys, SOURCE["papers"]
    for name in re.findall(r"([A-Z]\w+)(?: et al\.| and [A-Z]\w+|, [^()]{0,40})? \(\d{4}\)", text):
        assert name in papers, name
    for name in re.findall(r"\(([A-Z]\w+)(?: et al\.| and \w+)?, \d{4}", text):
        assert name in papers, name
    first_authors = re.findall(r"^- ([A-Z]\w+)", papers, flags=re.M)
    unnamed = [name for name in first_authors if name not in text]
    assert unnamed == ["Levy"], "whose result the code cites"
    links = re.findall(r"arxiv\.org/abs/(\S+?)\)", papers)
    assert all(re.fullmatch(r"\d{4}\.\d{4,5}", link) for link in links)


def test_the_code_fits_the_width_of_a_notebook() -> None:
    TEXT.assert_code_fits(88)
