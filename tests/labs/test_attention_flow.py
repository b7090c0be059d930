"""The flow's lines: which are sent, what they hold, and how many bytes they take."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from course import labs
from course.labs.attention.compute import Arrays, compute
from course.labs.attention.flow import (
    MOST_FLOW_BYTES,
    NONE,
    fit_lines,
    heaviest,
    output_shares,
    pack_lines,
)
from course.labs.attention.settings import Selection, Settings
from course.labs.colours import COLOURS
from tests.labs.front import Front
from tests.labs.test_attention_sizes import MOST, words
from tests.labs.test_panels import contrast

TEXT = "Anna asked Peter to wait at the bank because she had no money."


@pytest.fixture(scope="module")
def arrays() -> Arrays:
    """Two layers of four heads, causal."""
    return compute(Settings(TEXT, encoder="fresh", heads=4, d_model=32, mask="causal"))


def decoded(front: Front) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The keys and weights `(H, L, count)` of a front end's flow; NaN where blocked."""
    meta, data = front.panels["flow"], front.data["flow"]
    shape = len(meta["heads"]), len(front.labels["tokens"]), meta["count"]
    codes = np.frombuffer(data["weights"], np.uint8).reshape(shape).astype(np.float64)
    weights = np.where(codes == NONE, np.nan, (codes / 254) ** 2)
    if "keys" in data:
        return np.frombuffer(data["keys"], np.uint8).reshape(shape).astype(np.int64), weights
    return np.broadcast_to(np.arange(shape[1]), shape), weights


@pytest.mark.parametrize("mask", ["none", "causal"])
def test_all_weights_of_the_drawn_heads_arrive_where_they_fit(mask: str) -> None:
    lab = labs.AttentionLab(text=TEXT, layer=1, head=3, flow=(0, 3, 5), mask=mask)
    front = Front(lab).ready()
    keys, weights = decoded(front)
    expected = lab.shown().weights[1, [0, 3, 5]]
    blocked = np.broadcast_to(lab.shown().blocked[0], expected.shape)
    assert front.panels["flow"]["heads"] == [0, 3, 5]
    assert (keys == np.arange(keys.shape[-1])).all()
    assert (np.isnan(weights) == blocked).all()
    assert np.nanmax(np.abs(weights - expected)) < 0.005


def test_where_not_all_fit_the_heaviest_keys_of_each_query_do() -> None:
    lab = labs.AttentionLab(text=words(100), flow=(1, 3), mask="causal")
    front = Front(lab).ready()
    keys, weights = decoded(front)
    count = front.panels["flow"]["count"]
    every = np.where(lab.shown().blocked[0], -1, lab.shown().weights[1, [1, 3]])
    assert 1 <= count < 100
    assert (
        f"the heaviest {'line' if count == 1 else f'{count} lines'}"
        in (front.panels["flow"]["caption"])
    )
    taken = np.take_along_axis(every, keys, -1)
    assert (taken == -np.sort(-every, axis=-1)[..., :count]).all()
    assert (np.isnan(weights) == (taken < 0)).all()
    assert np.isnan(weights[:, 0, 1:]).all()  # the first token sees itself alone


def test_equal_weights_are_taken_in_their_order() -> None:
    assert heaviest(np.array([[0.2, 0.4, 0.2, 0.2]], np.float32), 3).tolist() == [[1, 0, 2]]


def test_shares_of_the_output_sum_to_one(arrays: Arrays) -> None:
    weights, values = arrays.weights[1], arrays.value[1]
    shares = output_shares(weights, values)
    np.testing.assert_allclose(shares.sum(-1), 1)
    output = torch.from_numpy(weights).double() @ torch.from_numpy(values).double()
    h, i, j = 2, 9, 4
    along = output[h, i] / output[h, i].norm()
    part = weights[h, i, j] * float(torch.from_numpy(values[h, j]).double() @ along)
    assert shares[h, i, j] == pytest.approx(part / float(output[h, i].norm()))
    assert (shares < 0).any()


def test_an_output_of_zero_has_no_shares() -> None:
    weights = np.array([[[0.5, 0.5], [1.0, 0.0]]], np.float32)
    values = np.array([[[1.0], [-1.0]]], np.float32)
    shares = output_shares(weights, values)
    assert np.isnan(shares[0, 0]).all()
    assert shares[0, 1].tolist() == [1, 0]


def test_shares_are_packed_within_their_limit(arrays: Arrays) -> None:
    chosen = Selection(layer=1, head=2, shares=True)
    lines = fit_lines(len(arrays.tokens.labels), chosen, 20_000)
    data = pack_lines(arrays, chosen, lines)
    limit = np.frombuffer(data["limit"], "<f4")[0]
    codes = np.frombuffer(data["shares"], np.uint8).astype(np.float64)
    told = ((2 * codes / 254) - 1) * limit
    shares = output_shares(arrays.weights[1, 2:3], arrays.value[1, 2:3])
    np.testing.assert_allclose(told, shares.reshape(-1), atol=limit / 254 + 1e-6)
    assert np.abs(shares).max() <= limit < np.abs(shares).max() + 0.011


@pytest.mark.parametrize("shares", [False, True])
@pytest.mark.parametrize("heads", range(1, 17))
def test_lines_fit_their_room_at_every_length(heads: int, shares: bool) -> None:
    chosen = Selection(flow=tuple(range(heads)), shares=shares)
    for length in range(1, 129):
        for room in (700, 3_000, 20_000):
            lines = fit_lines(length, chosen, room)
            least = length * (3 if shares else 2)
            assert lines.size <= max(min(room, MOST_FLOW_BYTES), least)
            assert 1 <= lines.count <= length
            assert lines.heads == chosen.flow[: len(lines.heads)] != ()
            whole = heads * length**2 * (2 if shares else 1)
            assert (whole > min(room, MOST_FLOW_BYTES)) or lines.count == length


@pytest.mark.parametrize("length", [3, 16, 33, 64, 96, 97, 128])
@pytest.mark.parametrize("heads", [1, 12, 16])
@pytest.mark.parametrize("shares", [False, True])
def test_updates_with_many_lines_are_small(length: int, heads: int, shares: bool) -> None:
    encoder: dict[str, Any] = {"encoder": "pretrained"}
    if heads != 12:
        encoder = {"encoder": "fresh", "heads": heads, "d_model": 64, "layers": 6}
    front = Front(labs.AttentionLab(text=words(5), **encoder)).ready()
    front.move(flow=list(range(heads)), shares=shares)
    for change in ({"text": words(length)}, {"temperature": 0.5}, {"layer": 0}, {"head": 99}):
        front.move(**change)
        assert front.size <= MOST, (change, front.size)
    assert front.panels["heads"]["side"] >= min(length, 4)
    meta = front.panels["flow"]
    drawn, left = len(meta["heads"]), heads - len(meta["heads"])
    lines = drawn * length * meta["count"]
    assert len(front.data["flow"]["weights"]) == lines
    assert len(front.data["flow"].get("shares", b"")) == (lines if shares else 0)
    assert (f"{left} more" in meta["caption"]) == (left > 0)


def test_of_heads_that_do_not_all_fit_the_chosen_one_is_drawn() -> None:
    chosen = Selection(head=11, flow=tuple(range(12)))
    assert fit_lines(128, chosen, 1_000).heads == (0, 1, 11)


def test_lines_are_sent_where_they_changed_alone() -> None:
    front = Front(labs.AttentionLab(text=TEXT, encoder="fresh")).ready()
    front.move(query=5)
    assert "flow" not in front.sent_last
    assert front.panels["flow"]["chosen"][0] == 5
    front.move(flow=[1, 2])
    assert front.sent_last == ["flow"]
    front.move(head=4)  # the lines are those of the heads 1 and 2 still
    assert "flow" not in front.sent_last
    front.move(shares=True)
    assert front.sent_last == ["flow"]
    front.move(temperature=2)
    assert "flow" in front.sent_last


def test_no_choice_is_the_chosen_head() -> None:
    lab = labs.AttentionLab(text=TEXT, encoder="fresh", heads=4, d_model=32, head=2)
    front = Front(lab).ready()
    assert (front.last["values"]["flow"], lab.settings["flow"]) == ([2], ())
    front.move(head=1)
    assert (front.panels["flow"]["heads"], lab.settings["flow"]) == ([1], ())
    front.move(flow=[3, 0, 3, 9])
    assert lab.settings["flow"] == (0, 3)
    front.move(flow=[1])
    assert lab.settings["flow"] == ()
    front.move(flow=[3, 0])
    front.move(heads=2)
    assert lab.settings["flow"] == (0,)
    front.move(flow=[])
    assert front.panels["flow"]["heads"] == [1]


@pytest.mark.parametrize("odd", ["all", 3, None, [1.5], [True], ["1"], {"head": 1}])
def test_an_odd_choice_of_heads_is_told(odd: Any) -> None:
    front = Front(labs.AttentionLab(text=TEXT, encoder="fresh")).ready()
    front.move(flow=[1, 2])
    assert "list of whole numbers" in front.move(flow=odd)["notice"]
    assert front.panels["flow"]["heads"] == [1, 2]
    with pytest.raises(ValueError, match="list of whole numbers"):
        labs.AttentionLab(text=TEXT, encoder="fresh", flow=odd)


# As colour-blind readers see colours (Machado, Oliveira and Fernandes 2009, severity 1)
SEEN_AS = {
    "by all cones": np.eye(3),
    "without red": [
        *([0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216]),
        [-0.003882, -0.048116, 1.051998],
    ],
    "without green": [
        *([0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413]),
        [-0.011820, 0.042940, 0.968881],
    ],
    "without blue": [
        *([1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602]),
        [0.004733, 0.691367, 0.303900],
    ],
}


def oklab(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ottosson's OKLab of linear RGB, `(n, 3)`."""
    cones = np.cbrt(
        linear.clip(0, 1)
        @ [
            [0.4122214708, 0.2119034982, 0.0883024619],
            [0.5363325363, 0.6806995451, 0.2817188376],
            [0.0514459929, 0.1073969566, 0.6299787005],
        ]
    )
    result: NDArray[np.float64] = cones @ [
        [0.2104542553, 1.9779984951, 0.0259040371],
        [0.7936177850, -2.4285922050, 0.7827717662],
        [-0.0040720468, 0.4505937099, -0.8086757660],
    ]
    return result


@pytest.mark.parametrize("seen", SEEN_AS)
@pytest.mark.parametrize("page", ["light", "dark"])
def test_the_heads_colours_are_told_apart(page: str, seen: str) -> None:
    colours = COLOURS[page]["heads"]
    rgb = np.array([[int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)] for c in colours])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    places = oklab(linear @ np.array(SEEN_AS[seen]).T)
    apart = np.linalg.norm(places[:, None] - places[None], axis=-1)
    assert apart[~np.eye(len(colours), dtype=bool)].min() >= 0.1


@pytest.mark.parametrize(("page", "paper"), [("light", "#ffffff"), ("dark", "#111111")])
def test_the_lines_colours_can_be_seen_on_the_page(page: str, paper: str) -> None:
    for colour in COLOURS[page]["heads"] + COLOURS[page]["signed"]:
        assert contrast(colour, paper) >= 3, colour
