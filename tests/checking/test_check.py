"""check, use, hint, compare: what they return, show and remember."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch

from course import learner
from course.checking import answers, check, compare, hint, use
from course.checking.exercise import build
from course.checking.explain import pictures
from course.content import exercises
from course.sandbox import guards, isolated


@pytest.fixture(autouse=True)
def forgotten():
    answers.forget()
    yield
    answers.forget()


def test_unknown_exercise_names_near_ones():
    with pytest.raises(KeyError, match=r"attention\.softmax"):
        check("attention.sofmax", lambda x: x)


def test_a_report_of_a_failure():
    exercise = exercises.get("attention.scores")
    report = check("attention.scores", exercise.mistaken("not-scaled"))
    assert (report.passed, report.status, report.mistakes) == (False, "failed", ("not-scaled",))
    assert repr(report) == report.message
    for part in (
        "not divided by the root",
        "?",
        "smallest input",
        "query =",
        "expected",
        "yours",
        "difference",
    ):
        assert part in report.message
    page = report._repr_html_()
    assert page.count("<svg") == 3
    assert page.count('role="img"') == 3
    assert "aria-label" in page
    saved = learner.progress()["attention.scores"]
    assert saved.status == "failed"
    assert tuple(saved.mistakes) == ("not-scaled",)


def test_the_learner_s_own_line_is_shown():
    source = "def scores(query, key):\n    d_k = query.shape[-1]\n    return query @ key.transpose(-2, -1) / d_k\n"
    report = check("attention.scores", build("attention.scores", source))
    assert report.mistakes == ("divided-by-d",)


def test_a_report_of_a_success_compares_with_the_model():
    report = check("attention.softmax", exercises.get("attention.softmax").model())
    assert report.passed
    assert "model solution" in report._repr_html_()
    assert "largest" in repr(report.compare())
    assert "largest" in repr(compare("attention.softmax"))


def test_html_escapes_what_the_learner_wrote():
    def broken(x, dim):
        raise ValueError("<script>alert(1)</script>")

    assert "<script>" not in check("attention.softmax", broken)._repr_html_()


def test_use_gives_the_reference_until_the_answer_passes(capsys):
    reference = use("attention.softmax")
    assert "reference" in capsys.readouterr().out
    assert torch.equal(reference(torch.zeros(2, 2), -1), torch.full((2, 2), 0.5))

    def softmax(x, dim):
        return torch.softmax(x, dim).nan_to_num(0.0)

    check("attention.softmax", softmax)
    assert use("attention.softmax") is softmax
    assert "yours" in capsys.readouterr().out


def test_a_failed_try_takes_nothing_away():
    def softmax(x, dim):
        return torch.softmax(x, dim).nan_to_num(0.0)

    check("attention.softmax", softmax)
    check("attention.softmax", lambda x, dim: x)
    assert use("attention.softmax") is softmax


ANSWER = """
import torch
from course import check, use


def softmax(x, dim):
    return torch.softmax(x, dim).nan_to_num(0.0)  # in my own words

"""


def _in_new_python(code, tmp_path, name):
    path = tmp_path / name
    path.write_text(textwrap.dedent(code))
    root = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, str(path)], capture_output=True, text=True, check=True, env=environment
    )
    return done.stdout


def test_an_answer_survives_the_kernel(tmp_path):
    _in_new_python(ANSWER + "print(check('attention.softmax', softmax))", tmp_path, "one.py")
    saved = learner.home() / "answers" / "attention.softmax.py"
    assert "in my own words" in saved.read_text()
    out = _in_new_python(
        "import inspect\nfrom course import use\nf = use('attention.softmax')\nprint(inspect.getsource(f))",
        tmp_path,
        "two.py",
    )
    assert "yours" in out
    assert "in my own words" in out


def test_a_saved_answer_that_no_longer_passes_is_not_used(capsys):
    learner.save_answer("attention.softmax", "def softmax(x, dim):\n    return x\n")
    function = use("attention.softmax")
    assert "no longer passes" in capsys.readouterr().out
    assert torch.equal(function(torch.zeros(2, 2), -1), torch.full((2, 2), 0.5))


@pytest.mark.parametrize(
    "text", ["def softmax(x, dim:\n", "raise SystemExit\n", "softmax = 3\n", "", "\x00"]
)
def test_a_damaged_saved_answer_stops_nothing(text, capsys):
    learner.save_answer("attention.softmax", "softmax = 1")
    (learner.home() / "answers" / "attention.softmax.py").write_text(text)
    function = use("attention.softmax")
    assert torch.equal(function(torch.zeros(2, 2), -1), torch.full((2, 2), 0.5))


def test_hints_come_one_at_a_time_and_are_counted():
    texts = [hint("attention.scores") for _ in range(5)]
    assert [h.step for h in texts] == [1, 2, 3, 4, 4]
    assert learner.progress()["attention.scores"].hints == 4
    assert "sqrt" in repr(hint("attention.scores", step=4))
    assert learner.progress()["attention.scores"].hints == 4
    with pytest.raises(ValueError, match="1 to 4"):
        hint("attention.scores", step=9)
    assert "idea" in repr(hint("attention.softmax"))
    again = ["again for the next" in text._repr_html_() for text in texts]
    assert again == [True, True, True, False, False]
    for said in (repr(texts[-1]), texts[-1]._repr_html_()):
        assert "the last hint" in said
        assert "compare(" in said


@pytest.mark.parametrize("in_process", [False, True])
def test_an_answer_that_seeds_as_the_notebook_did_is_noticed(in_process, monkeypatch):
    if in_process:
        monkeypatch.setenv(isolated.IN_PROCESS, "1")

    def softmax(x, dim):
        torch.manual_seed(0)
        return torch.softmax(x, dim).nan_to_num(0.0)

    with guards.random_states_kept():
        torch.manual_seed(0)
        report = check("attention.softmax", softmax)
        assert torch.initial_seed() == 0
    assert not report.passed
    assert "seeds torch's random generator" in report.message


def test_a_report_is_the_same_each_time():
    exercise = exercises.get("attention.multi_head")
    first, second = (
        check(exercise.id, exercise.mistaken("mask-ignored")).message for _ in range(2)
    )
    assert first == second


def test_the_reference_is_not_taken_for_an_answer():
    report = check("attention.softmax", use("attention.softmax"))
    assert report.status == "not attempted"
    assert "reference" in report.message
    assert learner.load_answer("attention.softmax") is None


def test_torch_s_own_function_gets_no_notes():
    check("attention.merge_heads", torch.softmax)
    assert not hasattr(torch.softmax, "__course_exercise__")


def test_answers_that_are_built_on_one_another_come_to_an_end(capsys):
    for one, other in (("scores", "softmax"), ("softmax", "scores")):
        source = (
            f"from course import use\n{other} = use('attention.{other}')\n\n\n"
            f"def {one}(a, b):\n    return {other}(a, b)\n"
        )
        learner.save_answer(f"attention.{one}", source)
    function = use("attention.softmax")
    assert torch.equal(function(torch.zeros(2, 2), -1), torch.full((2, 2), 0.5))


def test_a_picture_shows_as_many_digits_as_the_difference_needs():
    want, came = torch.tensor([[-0.1700, 0.5]]), torch.tensor([[-0.1662, 0.5]])
    shown = pictures.Shown(
        "Q", [("expected", want), ("yours", came), ("difference", came - want)], "B", "D"
    )
    written = re.findall(r">([^<>]+)</text>", shown._repr_html_())
    assert written == ["-0.170", "0.500", "-0.166", "0.500", "0.004", "0.000"]
    empty = pictures.Shown("Q", [("expected", torch.zeros(2, 0))], "B", "D")
    assert "empty, (2, 0)" in empty._repr_html_()
    assert "<svg" not in empty._repr_html_()
