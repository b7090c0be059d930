"""Questions in a real browser: answered by key and click, marked, announced, and kept from JupyterLab's keys."""

from __future__ import annotations

from typing import Any

import pytest

from course.content import questions
from tests.browser.conftest import OpenNotebook
from tests.sampled import by_day

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WAIT = 60_000
QUIZ = next(
    question
    for question in map(questions.get, questions.all_ids())
    if question.kind == "quiz" and "$" in question.options[question.right].why
)
PREDICTION = next(q for q in map(questions.get, questions.all_ids()) if q.kind == "predict")
FORGET = "from course import learner\n(learner.home() / 'quiz.json').unlink(missing_ok=True)"
CELLS = (
    f"from course import explain, predict, quiz\nquiz({QUIZ.id!r})",
    f"predict({PREDICTION.id!r})",
    f"explain({PREDICTION.id!r})",
)


def says(page: Any, cell: int) -> Any:
    return page.locator(".jp-CodeCell").nth(cell).locator(".course-quiz-says")


@pytest.mark.parametrize("dark", by_day([True, False], 1))
def test_a_question_is_answered_by_keys(open_notebook: OpenNotebook, dark: bool) -> None:
    watched = open_notebook(f"{FORGET}\n{CELLS[0]}", *CELLS[1:], dark=dark)
    page = watched.page
    options = page.locator(".jp-CodeCell").nth(0).get_by_role("radio")
    options.first.wait_for(timeout=WAIT)
    page.locator(".course-quiz").nth(2).wait_for(timeout=WAIT)
    cells = page.locator(".jp-Cell").count()
    options.first.focus()
    page.keyboard.press("ArrowDown")  # goes to the next and answers nothing
    assert options.nth(1).evaluate("(node) => node === document.activeElement")
    page.keyboard.press("z")  # names no option
    assert "Choose with" in says(page, 0).inner_text()
    wrong = (QUIZ.right + 1) % len(QUIZ.options)
    page.keyboard.press("abcde"[wrong])
    says(page, 0).get_by_text("Not quite.").wait_for(timeout=WAIT)
    page.keyboard.press(str(QUIZ.right + 1))
    says(page, 0).get_by_text("Right.").wait_for(timeout=WAIT)
    page.keyboard.press(str(QUIZ.right + 1))
    page.wait_for_timeout(1500)  # longer than the front end waits for an answer
    assert not page.locator(".course-quiz-notice").first.is_visible()
    assert page.locator(".jp-Cell").count() == cells  # no key went to JupyterLab
    assert options.nth(QUIZ.right).get_attribute("aria-checked") == "true"
    assert options.nth(QUIZ.right).get_attribute("aria-label").endswith("right")
    assert "not this" in options.nth(wrong).inner_text()
    assert options.nth(QUIZ.right).evaluate("(node) => node === document.activeElement")
    assert says(page, 0).locator("math").count() >= 1
    watched.picture(f"quiz-{'dark' if dark else 'light'}")


def test_a_prediction_is_made_by_a_click_and_explained(open_notebook: OpenNotebook) -> None:
    page = open_notebook(f"{FORGET}\n{CELLS[0]}", *CELLS[1:]).page
    show = page.get_by_role("button", name="Show the answer")
    show.wait_for(timeout=WAIT)
    page.locator(".jp-CodeCell").nth(1).get_by_role("radio").nth(PREDICTION.right).click()
    says(page, 1).get_by_text("Noted:").wait_for(timeout=WAIT)
    show.click()
    says(page, 2).get_by_text("and so it is").wait_for(timeout=WAIT)
    assert not show.is_visible()


def test_a_restarted_kernel_is_told_and_the_answer_comes_back(open_notebook: OpenNotebook) -> None:
    page = open_notebook(*CELLS).page
    options = page.locator(".jp-CodeCell").nth(0).get_by_role("radio")
    options.nth(QUIZ.right).click()
    says(page, 0).get_by_text("Right.").wait_for(timeout=WAIT)
    page.click("#jp-MainMenu >> text=Kernel")
    page.click('[data-command="kernelmenu:restart"]')
    page.click(".jp-Dialog .jp-mod-accept")
    page.wait_for_selector(
        ".course-quiz-notice:has-text('Run this cell again') >> nth=0", timeout=WAIT
    )
    assert "Right." in says(page, 0).inner_text()
    page.wait_for_selector("#jp-main-statusbar >> text=| Idle", timeout=WAIT)
    page.locator(".jp-CodeCell .jp-InputArea-editor").first.click()
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(
        ".jp-CodeCell >> nth=0 >> .course-quiz:has(.course-quiz-notice[hidden])", timeout=WAIT
    )
    assert "Right." in says(page, 0).inner_text()
    assert options.nth(QUIZ.right).get_attribute("aria-checked") == "true"
