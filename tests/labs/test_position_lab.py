"""The position lab: its tables, what turns, what it tells, and the learner's own functions."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from course import labs
from course.labs.position.compute import Selection, Settings, by_distance, compute
from course.labs.position.view import circle_series, panels
from encoder_core.positions import rotary, sinusoidal_positions
from encoder_core.pretrained.minilm import load_minilm
from tests.close import assert_close
from tests.labs.front import Front


@pytest.mark.parametrize("d_model", [2, 7, 64])
def test_the_sinusoidal_table_is_the_papers(d_model: int) -> None:
    made = compute(Settings(d_model=d_model, length=20, base=100), {})
    expected = sinusoidal_positions(20, d_model, 100.0)
    assert_close(made.table, expected)
    rows = expected / expected.norm(dim=-1, keepdim=True)
    assert_close(made.similarity, rows @ rows.T)


def test_the_learned_table_is_minilms() -> None:
    made = compute(Settings("learned", length=30), {})
    weight = load_minilm()[0].embeddings.position.weight.detach()
    np.testing.assert_array_equal(made.table, weight[:30])
    _, least, most = by_distance(made.similarity)
    assert (most - least).max() > 0.1  # not only the distance counts


@pytest.mark.parametrize("kind", ["sinusoidal", "rotary"])
def test_waves_are_alike_by_their_distance_alone(kind: str) -> None:
    made = compute(Settings(kind, d_model=32, length=40), {})
    mean, least, most = by_distance(made.similarity)
    assert_close(least, most)
    rates = 10000.0 ** (-np.arange(16) / 16)
    expected = np.cos(np.arange(40)[:, None] * rates).mean(axis=1)  # the mean of the pairs' cosines
    assert_close(mean, expected)


def test_a_turned_pair_keeps_its_length_and_moves_by_its_rate() -> None:
    made = compute(Settings("rotary", d_model=16, length=30), {})
    assert_close(np.linalg.norm(made.turned, axis=-1), 1)
    angles = np.arctan2(made.turned[..., 1], made.turned[..., 0])  # (pairs, P)
    for row, pair in enumerate(made.pairs):
        step = np.exp(1j * np.diff(angles[row]))
        assert_close(step, np.exp(1j * 10000.0 ** (-pair / 8)), dtype=torch.float32)


def test_the_chosen_positions_are_always_named() -> None:
    asked, chosen = Settings("rotary", length=30), Selection(position=11, other=21, column=5)
    table, similarity, *_ = panels(asked, compute(asked, {}), chosen, "key")
    assert table.meta["row_labels"][11] == similarity.meta["row_labels"][11] == "11"
    assert similarity.meta["column_labels"][21] == "21"
    assert table.meta["column_labels"][5] == "5"
    assert table.meta["row_labels"][7:10] == ["", "8", ""], "of the others only a few"


def test_each_pair_has_a_circle_of_its_own() -> None:
    made = compute(Settings("rotary", d_model=64), {})
    chosen = Selection(position=5, other=9)
    points = [series for series in circle_series(made, chosen) if series.draws == "points"]
    assert [series.name for series in points] == ["position 5", "position 9"]
    places = np.stack([np.asarray(points[0].x), np.asarray(points[0].y)], axis=-1)
    assert_close(np.linalg.norm(places, axis=-1), np.arange(1, 9), dtype=torch.float32)
    assert_close(places[0], [np.cos(5), np.sin(5)], dtype=torch.float32)


def test_without_positions_all_are_alike() -> None:
    front = Front(labs.PositionLab(kind="none", length=10)).ready()
    assert set(np.frombuffer(front.data["similarity"]["cells"], np.uint16)) == {65534}
    assert "cannot tell the order" in front.last["summary"]


def test_what_is_moved_is_answered() -> None:
    front = Front(labs.PositionLab(length=32)).ready()
    answer = front.move(position=31)
    assert set(front.drawn()) == {"table", "similarity", "circles", "distance", "waves"}
    assert front.sent_last == ["circles"]  # of the others only which cell is chosen
    assert "Positions 31 and 24 are 7 apart" in answer["summary"]
    assert front.move(distance=3)["values"]["other"] == 28
    assert front.move(position=2, distance=3)["values"]["other"] == 5
    assert front.move(pair=2)["values"]["column"] == 2 * 9  # the third of the pairs that are shown
    assert front.move(step=0)["values"]["base"] == 10
    assert front.move(length=4)["values"]["position"] == 2
    assert front.move(length=128, d_model=512)["notice"] == ""
    assert front.size < 45_000


def test_what_cannot_be_is_told_and_the_picture_stays() -> None:
    front = Front(labs.PositionLab(kind="rotary")).ready()
    answer = front.move(d_model=7)
    assert (
        "7 is odd: rotary positions turn pairs of numbers. The next that fits is 8."
        in answer["notice"]
    )
    assert answer["panels"] == []
    assert front.move(kind="sinusoidal")["notice"] == ""  # an odd width has a table
    with pytest.raises(ValueError, match="length must be a whole number from 2 to 128"):
        labs.PositionLab(length=1000)
    with pytest.raises(ValueError, match="must be one of none"):
        labs.PositionLab(kind="alibi")
    with pytest.raises(TypeError, match="rotary must be a function, not str"):
        labs.PositionLab(rotary="x")  # type: ignore[arg-type]


def test_the_learners_functions_compute() -> None:
    bases: list[float] = []

    def turn(x: torch.Tensor, positions: torch.Tensor, base: float = 10000.0) -> torch.Tensor:
        bases.append(base)
        return rotary(x, positions, base)

    def table(length: int, d_model: int) -> torch.Tensor:
        return torch.ones(length, d_model)

    front = Front(labs.PositionLab(rotary=turn, sinusoidal=table, kind="rotary", base=300)).ready()
    assert bases == [300.0]
    assert "Computed by your own turn and your own table." in front.last["summary"]
    front.move(kind="sinusoidal", step=6)  # base 10,000: what the learner's is made for
    assert front.panels["table"]["limit"] == 1.0
    assert set(np.frombuffer(front.data["similarity"]["cells"], np.uint16)) == {65534}
    assert repr(front.lab).startswith("PositionLab(rotary=turn, sinusoidal=table")


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (None, "returned NoneType; expected a tensor"),
        (torch.ones(3, 4), r"returned the shape (3, 4); expected (64, 64)"),
        (torch.full((64, 64), torch.nan), "returned NaN or infinity"),
    ],
)
def test_a_function_that_fails_is_told_and_the_reference_stands_in(made: object, told: str) -> None:
    lab = labs.PositionLab(rotary=lambda *_: made, kind="rotary")
    assert told in lab.still()["text/plain"]
    assert "the picture is the reference's" in lab.still()["text/plain"]


def test_the_still_picture_is_the_same_each_time() -> None:
    for kind in ("none", "sinusoidal", "learned", "rotary"):
        first, second = (labs.PositionLab(kind=kind).still() for _ in range(2))
        assert first == second
        assert "nan" not in first["image/svg+xml"]
