"""Chapter 03 as a text: its promises, its exercises and its questions fit together."""

from __future__ import annotations

import re

import pytest

from course import exercises, manuscript, quizzes

CELLS = manuscript.read("03_feed_forward")
SOURCE = {cell.id: cell.source for cell in CELLS}
IDS = [cell.exercise for cell in CELLS if cell.exercise]
PROSE = "\n".join(cell.source for cell in CELLS if cell.kind == "markdown")
CODE = "\n".join(cell.source for cell in CELLS if cell.kind == "code")
QUESTIONS = [i for i in quizzes.all_ids() if i.startswith("feed_forward.")]


def before(exercise_id: str) -> str:
    """The text of an exercise: the last markdown that announces one before its cell."""
    place = next(i for i, cell in enumerate(CELLS) if cell.exercise == exercise_id)
    texts = [
        cell.source
        for cell in CELLS[:place]
        if cell.kind == "markdown" and "### Exercise" in cell.source
    ]
    return texts[-1]


def test_it_has_the_five_exercises_of_the_catalogue_from_easy_to_hard() -> None:
    names = ["ffn", "count_parameters", "gelu", "geglu", "dropout"]
    assert [f"feed_forward.{name}" for name in names] == IDS
    difficulties = [exercises.get(exercise_id).difficulty for exercise_id in IDS]
    assert difficulties == sorted(difficulties)


@pytest.mark.parametrize("number", range(5))
def test_each_exercise_says_what_the_catalogue_says(number: int) -> None:
    exercise = exercises.get(IDS[number])
    text = before(exercise.id)
    assert f"### Exercise {number + 1}: `{exercise.name}`" in text
    assert f"Difficulty {exercise.difficulty} of 3, about {exercise.minutes} minutes." in text
    assert f'`hint("{exercise.id}")`' in text
    assert "*A tiny case" in text
    assert f'{exercise.name} = use("{exercise.id}")' in CODE
    assert len(exercise.mistakes) >= 8


def test_the_opening_adds_up_the_minutes() -> None:
    minutes = sum(exercises.get(exercise_id).minutes for exercise_id in IDS)
    assert f"five exercises, {minutes} minutes by our count" in SOURCE["title"]
    assert "About two hours" in SOURCE["title"]
    assert minutes + 60 == 120


def test_every_question_is_asked_once_and_every_prediction_explained_after_its_code() -> None:
    asked = re.findall(r'^(quiz|predict)\("([^"]+)"\)', CODE, flags=re.M)
    assert sorted(i for _, i in asked) == sorted(QUESTIONS)
    assert all(quizzes.get(question_id).kind == kind for kind, question_id in asked)
    code = [cell for cell in CELLS if cell.kind == "code"]
    for place, cell in enumerate(code):
        if match := re.match(r'predict\("([^"]+)"\)$', cell.source):
            following = [later.source for later in code[place + 1 :]]
            explained = following.index(f'explain("{match[1]}")')
            assert explained >= 1, "something has to run in between"
            assert not any(text.startswith("predict(") for text in following[:explained])


def test_sections_are_numbered() -> None:
    sections = [int(number) for number in re.findall(r"^## (\d+) ", PROSE, flags=re.M)]
    assert sections == list(range(1, 12))


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
    for cell in CELLS:
        if cell.kind == "code":
            assert max(map(len, cell.source.split("\n"))) <= 88, cell.id
