"""What a report draws: the kinds of a result, sources side by side, and any text as valid markup."""

import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.checking import answers, check, checks, wire
from course.checking.exercise import build
from course.checking.explain.plain import listed
from course.checking.report import Comparison, Kinds, Report, as_text
from course.content import exercises
from tests.typed import TYPED, fits_a_notebook


@pytest.fixture(autouse=True)
def forgotten():
    answers.forget()
    yield
    answers.forget()


def returning(exercise_id: str, what: str):
    """The model solution with another last line, which gets its result as `out`."""
    head, _, result = exercises.get(exercise_id).model_source.rstrip().rpartition("return ")
    return build(exercise_id, f"{head}out = {result}\n    return {what}\n")


@pytest.mark.parametrize(
    ("exercise_id", "what", "rows"),
    [
        ("attention.causal_mask", "out.float()", ["dtype  bool      float32"]),
        ("attention.softmax", "out.double()", ["dtype  float32   float64"]),
        ("attention.softmax", "out.unsqueeze(0)", ["shape  (2, 3)    (1, 2, 3)"]),
        ("embeddings.lookup", "out[:0]", ["shape  (1, 2, 2)  (0, 2, 2)"]),
    ],
)
def test_a_wrong_kind_is_a_table_and_no_pictures(exercise_id, what, rows):
    report = check(exercise_id, returning(exercise_id, what))
    assert report.status == "failed"
    for row in rows:
        assert row in report.message
    page = report._repr_html_()
    assert page.count("<svg") == 0
    assert page.count("<table") == 1
    assert "difference" not in report.message


def test_exchanged_axes_are_a_table_and_the_numbers():
    report = check("attention.softmax", returning("attention.softmax", "out.transpose(-1, -2)"))
    assert "shape  (2, 3)    (3, 2)" in report.message
    assert report._repr_html_().count("<svg") == 2


def test_a_table_of_kinds_survives_the_way_out_of_the_child():
    rows = [("dtype", "bool", "float32"), ("shape", "(2,)", "(2, 1)")]
    exercise = exercises.get("attention.causal_mask")
    report = checks.make_report(
        exercise, "failed", [("Not yet:", "")], (), [Kinds("The mask:", rows)]
    )
    (again,) = wire.unpacked(wire.packed(report)).shown
    assert again == Kinds("The mask:", rows)


def test_long_lines_wrap_side_by_side():
    page = Comparison("x = " + "1 + " * 200, "def f(): ...")._repr_html_()
    assert page.count("white-space:pre-wrap;overflow-wrap:anywhere") == 2
    assert "flex-wrap:wrap" in page


@given(TYPED, TYPED)
def test_any_text_gives_valid_markup(text, other):
    sections = [("Not yet:", text), ("What was found", other), (text, f"{text}\n  {other}")]
    shown = [Kinds(text, [("dtype", text, other)])]
    comparison = Comparison(text, other)
    report = Report("a.b", "passed", as_text(sections, shown), (), sections, shown, comparison)
    for page in (report._repr_html_(), comparison._repr_html_()):
        ElementTree.fromstring(page)
        fits_a_notebook(page)
    for plain in (repr(report), repr(comparison)):
        fits_a_notebook(plain)


@given(st.sampled_from(["<script>alert(1)</script>", "]]>", "\ud800", "\x00", "`<b>`"]))
def test_a_string_of_the_learners_that_reaches_a_report_is_harmless(text):
    source = f"def causal_mask(length):\n    raise ValueError({text!r})\n"
    report = check("attention.causal_mask", build("attention.causal_mask", source))
    page = report._repr_html_()
    fits_a_notebook(page)
    fits_a_notebook(report.message)
    assert "<script" not in page
    assert "<b>" not in page


def test_a_sentence_begins_with_a_capital_and_a_name_of_the_code_stays_as_it_is() -> None:
    sentences = ("the keys are right", "n = 1: no token", "bos_id is lost", "")
    begun = [checks._capital(sentence) for sentence in sentences]
    assert begun == ["The keys are right", "n = 1: no token", "bos_id is lost", ""]
    assert listed(["the keys"]) == "the keys"
    assert listed(["the keys", "the values"]) == "the keys and the values"
    assert listed(["a", "b", "c"]) == "a, b and c"
