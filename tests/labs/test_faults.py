"""The learner's own that does not come to an end: stopped, told, and the picture kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import torch

from course import labs
from course.labs import faults
from course.labs.lab import Lab
from encoder_core.attention import scaled_dot_product_attention
from tests.labs.front import Front

GIVEN_UP = 60  # seconds after which a function that nobody stops ends, so that its test fails


class Switch:
    """A function that works, or does not end before it gives up."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function, self.ends = function, True
        self.__name__ = "mine"

    def __call__(self, *args: Any) -> Any:
        until = time.monotonic() + GIVEN_UP
        while not self.ends and time.monotonic() < until:
            pass
        return self.function(*args)


def attention_lab(mine: Switch) -> Lab:
    return labs.AttentionLab(mine, encoder="fresh", heads=2, d_model=16)


def feed_forward_lab(mine: Switch) -> Lab:
    return labs.FeedForwardLab(ffn=mine)


def network(x: Any, w1: Any, b1: Any, w2: Any, b2: Any) -> Any:
    return torch.relu(x @ w1 + b1) @ w2 + b2


LABS = [
    (attention_lab, scaled_dot_product_attention, "attention", {"temperature": 2.0}),
    (feed_forward_lab, network, "ffn", {"width": 9}),
]


@pytest.mark.parametrize("on_its_own_thread", [False, True])
@pytest.mark.parametrize(("make", "function", "called", "moved"), LABS)
def test_what_never_ends_is_stopped_and_the_picture_stays(
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[Switch], Lab],
    function: Callable[..., Any],
    called: str,
    moved: dict[str, Any],
    on_its_own_thread: bool,
) -> None:
    mine = Switch(function)
    front = Front(make(mine)).ready()
    before = front.lab.drawing()
    monkeypatch.setattr(faults, "SECONDS", 0.3)
    mine.ends = False
    answer = threading.Thread(target=lambda: front.move(**moved))
    if on_its_own_thread:  # as in JupyterLab
        answer.start()
        answer.join(60)
    else:
        front.move(**moved)
    notice = front.last["notice"]
    assert notice.startswith(f"Your {called} was stopped after 0.3 seconds")
    assert notice.endswith("The picture stays as it was.")
    assert front.drawn() == []
    assert [panel.key for panel in front.lab.drawing().panels] == [
        panel.key for panel in before.panels
    ]
    # Mended, it computes again.
    mine.ends = True
    monkeypatch.setattr(faults, "SECONDS", 60.0)
    assert front.move(**moved)["notice"] == ""
    assert front.drawn()


def test_a_lab_can_be_made_of_what_never_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = Switch(scaled_dot_product_attention)
    mine.ends = False
    monkeypatch.setattr(faults, "SECONDS", 0.3)
    front = Front(attention_lab(mine)).ready()
    assert "Your attention was stopped" in front.last["notice"]
    assert "the picture shows the reference's attention" in front.last["notice"]
    # It is not waited for again, and the picture goes on with what stands in.
    monkeypatch.setattr(faults, "SECONDS", 5.0)
    assert "stopped after 0.3 seconds" in front.move(temperature=2.0)["notice"]
    assert "heads" in front.drawn()


# An invalid value leaves everything else live


def test_one_invalid_value_leaves_the_other_controls_live() -> None:
    front = Front(
        labs.AttentionLab(text="A cat sat.", encoder="fresh", heads=2, d_model=16)
    ).ready()
    answer = front.move(heads=3)
    assert set(answer["refused"]) == {"heads"}
    assert "16 is not divisible by 3 heads" in answer["refused"]["heads"]
    assert answer["values"]["heads"] == 3  # what was typed stays in its control
    before = front.data["heads"]
    answer = front.move(temperature=4.0)
    assert front.data["heads"] != before
    assert "not divisible by 3 heads" in answer["notice"]
    assert answer["values"]["heads"] == 3
    assert "refused" not in answer  # what did not change is not sent again
    answer = front.move(mask="causal")
    assert "heads" in front.drawn()
    assert front.lab.settings["heads"] == 2
    assert repr(front.lab).count("heads=2") == 1


def test_what_was_refused_is_taken_when_it_fits() -> None:
    front = Front(
        labs.AttentionLab(text="A cat sat.", encoder="fresh", heads=2, d_model=16)
    ).ready()
    front.move(heads=3)
    answer = front.move(d_model=24)
    assert answer["notice"] == ""
    assert answer["refused"] == {}
    assert front.lab.settings["heads"] == 3
    assert front.lab.settings["d_model"] == 24


def test_each_of_two_invalid_values_is_told_at_its_own_control() -> None:
    front = Front(labs.StackLab(text="A cat sat.", depth=2, d_model=16, heads=2)).ready()
    front.move(depth=99)
    answer = front.move(dropout=2.0)
    assert set(answer["refused"]) == {"depth", "dropout"}
    assert all(why in answer["notice"] for why in answer["refused"].values())
    answer = front.move(depth=3)
    assert set(answer["refused"]) == {"dropout"}
    assert front.lab.settings["depth"] == 3


def test_a_missing_word_leaves_map_and_analogy_live() -> None:
    front = Front(labs.EmbeddingLab()).ready()
    assert set(front.move(word="zzzzqq")["refused"]) == {"word"}
    answer = front.move(group="numbers and time")
    assert set(front.drawn()) & {"map"}
    assert answer["values"]["word"] == "zzzzqq"


def test_steps_lead_to_heads_and_widths_that_fit() -> None:
    front = Front(
        labs.AttentionLab(text="A cat sat.", encoder="fresh", heads=4, d_model=24)
    ).ready()
    allowed = front.last["allowed"]
    assert allowed["heads"] == [1, 2, 3, 4, 6, 8, 12]
    assert allowed["d_model"][:3] == [4, 8, 12]
    assert front.move(heads=6)["allowed"]["d_model"][:2] == [6, 12]


@pytest.mark.parametrize("name", ["text", "heads", "d_model", "temperature", "mask", "seed"])
@pytest.mark.parametrize("value", [None, "", "x", -1, 1e9, [], {}, True, "\ud800"])
def test_no_value_freezes_the_lab(name: str, value: Any) -> None:
    front = Front(
        labs.AttentionLab(text="A cat sat.", encoder="fresh", heads=2, d_model=16)
    ).ready()
    front.move(**{name: value})
    other = {"layers": 3} if name != "layers" else {"seed": 3}
    before = front.data["heads"]
    front.move(**other)
    assert front.data["heads"] != before
    assert front.lab.settings["layers"] == 3
