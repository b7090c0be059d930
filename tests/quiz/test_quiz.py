"""Questions: asked, answered, explained and counted, with and without a front end."""

from __future__ import annotations

import importlib
import json
import os
from typing import Any

import pytest

from course import explain, learner, predict, quiz
from course.content import questions as quizzes
from course.quiz import answers, plain
from course.quiz.formulas import with_formulas
from course.quiz.question import Option, Question

MODULE = importlib.import_module("course.quiz")  # `course.quiz` itself is the function
QUIZZES = [i for i in quizzes.all_ids() if quizzes.get(i).kind == "quiz"]
PREDICTIONS = [i for i in quizzes.all_ids() if quizzes.get(i).kind == "predict"]


@pytest.fixture(autouse=True)
def no_predictions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MODULE, "_predicted", {})


def shown(asked: Any) -> Any:
    """The widget that a front end is told to show."""
    view = asked._repr_mimebundle_()["application/vnd.jupyter.widget-view+json"]
    assert view["model_id"] == asked._widget.model_id
    return asked._widget


def press(widget: Any, place: int) -> None:
    """Choose an option as the front end does."""
    content = {"method": "custom", "content": {"type": "choose", "place": place}}
    widget._handle_msg({"content": {"data": content}, "buffers": []})


def html(widget: Any) -> str:
    state = widget.state
    return " ".join([state["asks"], *(o["html"] for o in state["options"]), state["says"]])


def marks(widget: Any) -> list[str | None]:
    return [option["mark"] for option in widget.state["options"]]


@pytest.mark.parametrize("question_id", quizzes.all_ids())
def test_every_option_is_explained_in_words_of_its_own(question_id: str) -> None:
    question = quizzes.get(question_id)
    assert 3 <= len(question.options) <= 5
    whys = [plain(option.why) for option in question.options]
    assert all(len(why) > 20 for why in whys)
    assert len(set(whys)) == len(whys)
    assert len({plain(option.text) for option in question.options}) == len(question.options)
    for text in [
        question.asks,
        *(o.text for o in question.options),
        *(o.why for o in question.options),
    ]:
        assert text.count("$") % 2 == 0
        assert text.count("<") == text.count(">"), (
            "an unclosed tag, or a bare < that HTML would swallow"
        )


def test_the_right_option_stands_at_no_favourite_place() -> None:
    places = [quizzes.get(question_id).right for question_id in quizzes.all_ids()]
    for place in range(4):
        assert places.count(place) <= len(places) / 2


def test_a_question_needs_exactly_one_right_option() -> None:
    wrong, right = Option("a", "because"), Option("b", "because", right=True)
    for options in ((wrong, wrong), (right, right)):
        with pytest.raises(ValueError, match="exactly one right option"):
            Question("attention.none", "?", options)


@pytest.mark.parametrize("question_id", QUIZZES)
def test_the_text_of_a_quiz_does_not_give_the_answer_away(question_id: str) -> None:
    question = quizzes.get(question_id)
    text = repr(quiz(question_id))
    assert text == repr(quiz(question_id))
    assert all(plain(option.text) in text for option in question.options)
    assert not any(plain(option.why) in text for option in question.options)
    initial = html(shown(quiz(question_id)))
    assert not any(with_formulas(option.why) in initial for option in question.options)
    assert marks(shown(quiz(question_id))) == [None] * len(question.options)


@pytest.mark.parametrize("question_id", QUIZZES)
def test_each_answer_is_explained_and_only_the_right_one_is_called_right(question_id: str) -> None:
    widget = shown(quiz(question_id))
    for place, option in enumerate(quizzes.get(question_id).options):
        press(widget, place)
        said = widget.state["says"]
        assert with_formulas(option.why) in said
        assert marks(widget)[place] == ("right" if option.right else "wrong")
        assert widget.state["chosen"] == place
        assert ("Right." in said) == option.right
        assert ("Not quite." in said) != option.right


@pytest.mark.parametrize("question_id", PREDICTIONS)
def test_a_prediction_is_noted_and_judged_only_afterwards(question_id: str) -> None:
    question = quizzes.get(question_id)
    for place, option in enumerate(question.options):
        widget = shown(predict(question_id))
        press(widget, place)
        assert "Noted" in html(widget)
        assert marks(widget) == [
            "chosen" if i == place else None for i in range(len(marks(widget)))
        ]
        assert not any(with_formulas(other.why) in html(widget) for other in question.options)
        said = html(shown(explain(question_id)))
        assert with_formulas(option.why) in said
        assert with_formulas(question.options[question.right].why) in said
        assert ("and so it is" in said) == option.right


def test_without_a_prediction_the_answer_is_shown_on_request_only() -> None:
    question = quizzes.get(PREDICTIONS[0])
    widget = shown(explain(PREDICTIONS[0]))
    why = with_formulas(question.options[question.right].why)
    assert why not in html(widget)
    press(widget, 0)
    assert why in html(widget)
    assert widget.state["options"] == []


def test_a_page_that_is_read_again_keeps_what_was_predicted_and_gives_no_answer_away() -> None:
    question = quizzes.get(PREDICTIONS[0])
    why = with_formulas(question.options[question.right].why)
    asked = explain(question.id)
    assert why not in asked._repr_mimebundle_()["text/html"]
    assert "no prediction" in asked._still()["text/html"]
    press(shown(asked), 0)
    assert why in asked._still()["text/html"]
    wrong = (question.right + 1) % len(question.options)
    press(shown(predict(question.id)), wrong)
    for fresh in (asked, explain(question.id)):
        still = fresh._still()["text/html"]
        assert with_formulas(question.options[wrong].why) in still
        assert why in still


def test_answers_are_counted_in_the_learners_folder() -> None:
    question_id = QUIZZES[0]
    right = quizzes.get(question_id).right
    assert answers() == {}
    quiz(question_id).choose((right + 1) % 3)
    quiz(question_id).choose(right)
    assert answers() == {question_id: {"tries": 2, "right": 1}}
    kept = json.loads((learner.home() / "quiz.json").read_text(encoding="utf-8"))
    assert kept["questions"][question_id] == {"tries": 2, "right": 1}


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"questions": {"attention.symmetric": 3}}'])
def test_a_damaged_count_stops_nothing(damage: str) -> None:
    learner.home().mkdir(parents=True)
    (learner.home() / "quiz.json").write_text(damage, encoding="utf-8")
    assert "Right." in quiz(QUIZZES[0]).choose(quizzes.get(QUIZZES[0]).right)
    assert answers() == {QUIZZES[0]: {"tries": 1, "right": 1}}


def test_a_folder_that_cannot_be_written_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    home = learner.home()
    home.parent.mkdir(parents=True, exist_ok=True)
    home.write_text("a file stands where the folder should be", encoding="utf-8")
    assert "Right." in quiz(QUIZZES[0]).choose(quizzes.get(QUIZZES[0]).right)
    os.remove(home)


def test_what_is_asked_for_wrongly_is_told_in_a_sentence() -> None:
    with pytest.raises(KeyError, match="symmetric"):
        quiz("attention.symetric")
    with pytest.raises(ValueError, match=r"predict\(...\)"):
        quiz(PREDICTIONS[0])
    with pytest.raises(ValueError, match=r"quiz\(...\)"):
        predict(QUIZZES[0])
    with pytest.raises(KeyError, match="no question"):
        quiz("../x")


def test_every_option_is_read_as_its_letter_and_its_whole_text() -> None:
    for question_id in quizzes.all_ids():
        question = quizzes.get(question_id)
        spoken = [plain(text) for text in [question.asks, *(o.text for o in question.options)]]
        assert not any(sign in text for text in spoken for sign in "$<>{}")
    widget = shown(quiz(QUIZZES[0]))
    options = quizzes.get(QUIZZES[0]).options
    assert [o["spoken"] for o in widget.state["options"]] == [plain(o.text) for o in options]


def test_the_same_answer_again_is_another_state() -> None:
    """Equal states are not sent, and the front end would wait for one."""
    widget = shown(quiz(QUIZZES[0]))
    press(widget, 1)
    first = widget.state
    press(widget, 1)
    assert widget.state != first
    assert widget.state["says"] == first["says"]


def test_an_answer_comes_back_in_the_next_sitting_and_is_not_counted_again() -> None:
    question_id = QUIZZES[0]
    right = quizzes.get(question_id).right
    first = shown(quiz(question_id))
    press(first, (right + 1) % 3)
    press(first, right)
    again = shown(quiz(question_id))
    assert again.state["chosen"] == right
    assert marks(again)[right] == "right"
    assert marks(again).count(None) == len(marks(again)) - 1
    assert again.state["says"] == first.state["says"]
    assert answers() == {question_id: {"tries": 2, "right": 1}}


def test_a_prediction_comes_back_in_the_next_sitting(monkeypatch: pytest.MonkeyPatch) -> None:
    question_id = PREDICTIONS[0]
    wrong = (quizzes.get(question_id).right + 1) % 3
    press(shown(predict(question_id)), wrong)
    monkeypatch.setattr(MODULE, "_predicted", {})
    assert "You predicted" in html(shown(explain(question_id)))
    assert marks(shown(predict(question_id)))[wrong] == "chosen"


@pytest.mark.parametrize("chosen", ["no option says this", 3, None, ["a"]])
def test_a_kept_choice_that_is_none_is_left_out(chosen: Any) -> None:
    learner.home().mkdir(parents=True)
    kept = {"schema": 1, "questions": {}, "chosen": {QUIZZES[0]: chosen}}
    (learner.home() / "quiz.json").write_text(json.dumps(kept), encoding="utf-8")
    assert shown(quiz(QUIZZES[0])).state["chosen"] is None


def test_a_message_that_names_no_option_is_answered_with_the_state() -> None:
    widget = shown(quiz(QUIZZES[0]))
    for place in (-1, 99, None, "A", 1.5):
        press(widget, place)  # type: ignore[arg-type]
    assert widget.state["chosen"] is None
    assert answers() == {}


def test_without_a_front_end_there_is_html_with_formulas_that_browsers_show() -> None:
    question_id = next(i for i in QUIZZES if "$" in quizzes.get(i).options[0].text)
    still = quiz(question_id)._repr_mimebundle_()["text/html"]
    assert "<math" in still
    assert "$" not in still
    assert not any(o.why in still for o in quizzes.get(question_id).options)
