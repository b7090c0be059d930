"""Numbers that stand beside one another show as many digits as their difference needs."""

import pytest
import torch

from course.checking import checks
from course.checking.exercise import build
from course.checking.exercise import wording as told
from course.checking.explain import pictures
from course.content import exercises


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (1.07401, 1.07399, ("1.07401", "1.07399")),
        (1.0, 2.0, ("1", "2")),
        (float("nan"), 2.0, ("nan", "2")),
        (0.5, 0.5, ("0.5", "0.5")),
        (1e-9, 2e-9, ("1e-09", "2e-09")),
    ],
)
def test_two_numbers_are_told_apart(one, other, expected):
    assert told.told_apart(one, other) == expected


def test_a_row_shows_the_digits_of_its_largest_difference():
    assert told.rows_told_apart([0.12345, 2.0], [0.12346, 2.0]) == ("0.12345, 2", "0.12346, 2")
    assert told.rows_told_apart([], []) == ("", "")


def test_tables_of_a_report_differ_where_the_results_do():
    want, came = torch.tensor([[[0.6086, 0.5]]] * 2, dtype=torch.float64)
    came[0, 0] += 1.2e-8
    shown = pictures.Shown("R", [("expected", want), ("yours", came), ("difference", came - want)])
    first, second = (line for line in shown.text().splitlines() if "[[0.6" in line)
    assert first.strip() != second.strip()
    assert "0.608600012" in shown._repr_html_()
    assert len(first) < 40


def test_equal_looking_numbers_are_never_set_against_one_another():
    """A softmax in single precision: what is told of it shows where its numbers differ."""
    source = "def scores(query, key):\n    return (query @ key.mT / math.sqrt(query.shape[-1])) * 1.00003\n"
    report = checks.judge(exercises.get("attention.scores"), build("attention.scores", source))
    tables = report.message.split("expected:\n")[1].split("difference:")[0].split("yours:\n")
    assert tables[0].strip() != tables[1].strip()
