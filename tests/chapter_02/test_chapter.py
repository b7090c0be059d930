"""The chapter as a text: its promises, its exercises and its questions fit together."""

from __future__ import annotations

import re

import pytest

from course import exercises, manuscript, quizzes

CELLS = manuscript.read("02_attention")
SOURCE = {cell.id: cell.source for cell in CELLS}
IDS = [cell.exercise for cell in CELLS if cell.exercise]
PROSE = "\n".join(cell.source for cell in CELLS if cell.kind == "markdown")
CODE = "\n".join(cell.source for cell in CELLS if cell.kind == "code")


def before(exercise_id: str) -> str:
    """The text of an exercise: the markdown since the cell that ended the one before."""
    place = next(i for i, cell in enumerate(CELLS) if cell.exercise == exercise_id)
    texts = [
        cell.source
        for cell in CELLS[:place]
        if cell.kind == "markdown" and "### Exercise" in cell.source
    ]
    return texts[-1]


def test_it_has_the_nine_exercises_of_the_catalogue() -> None:
    names = ["scores", "softmax", "causal_mask", "padding_mask", "scaled_dot_product"]
    names += ["split_heads", "merge_heads", "multi_head", "entropy"]
    assert [f"attention.{name}" for name in names] == IDS


@pytest.mark.parametrize("number", range(9))
def test_each_exercise_says_what_the_catalogue_says(number: int) -> None:
    exercise = exercises.get(IDS[number])
    text = before(exercise.id)
    assert f"### Exercise {number + 1}: `{exercise.name}`" in text
    assert f"Difficulty {exercise.difficulty} of 3, about {exercise.minutes} minutes." in text
    assert f'`hint("{exercise.id}")`' in text
    assert "*A tiny case" in text


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
    asked = re.findall(r'^(quiz|predict)\("([^"]+)"\)', CODE, flags=re.M)
    assert sorted(i for _, i in asked) == sorted(
        i for i in quizzes.all_ids() if i.startswith("attention.")
    )
    assert all(quizzes.get(question_id).kind == kind for kind, question_id in asked)
    code = [cell for cell in CELLS if cell.kind == "code"]
    for place, cell in enumerate(code):
        if match := re.match(r'predict\("([^"]+)"\)$', cell.source):
            following = [later.source for later in code[place + 1 :]]
            explained = following.index(f'explain("{match[1]}")')
            assert explained >= 1, "something has to run in between"
            assert not any(text.startswith("predict(") for text in following[:explained])


def test_sections_are_numbered_and_what_points_to_them_exists() -> None:
    sections = [int(number) for number in re.findall(r"^## (\d+) ", PROSE, flags=re.M)]
    assert sections == list(range(1, 16))
    for number in re.findall(r"\(section (\d+)\)|sections? (\d+) (?:and|to|shows|checks)", PROSE):
        assert int(next(filter(None, number))) in sections


def test_who_is_cited_stands_among_the_papers_and_the_other_way_round() -> None:
    text = PROSE.replace(SOURCE["papers"], "") + " ".join(
        option.why for i in quizzes.all_ids() for option in quizzes.get(i).options
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
    for cell in CELLS:
        if cell.kind == "code" and not cell.exercise:
            assert max(map(len, cell.source.split("\n"))) <= 100, cell.id
