"""The training theatre on a session that the test drives: what is sent, pressed, refused and kept."""

from __future__ import annotations

import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from course import labs
from course.labs.theatre import widget
from course.labs.theatre.curve import curve, figure_at, smoothed
from course.system.outputs import with_page
from course.training import Answer
from tests.labs.front import Front
from tests.labs.theatre.doubles import FakeSession, toy_training


@pytest.fixture
def session() -> FakeSession:
    return FakeSession(toy_training())


@pytest.fixture
def front(session: FakeSession) -> Iterator[Front]:
    lab: Any = labs.TrainingTheatre(session.training, session)  # type: ignore[arg-type]
    yield Front(lab).ready()
    lab.close()


def wait_for(seen: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not seen():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


def button(front: Front, name: str) -> dict[str, Any]:
    return next(each for each in front.panels["stage"]["buttons"] if each["name"] == name)


def test_only_what_is_new_is_sent(front: Front, session: FakeSession) -> None:
    front.move(go="go")
    session.make(100, accuracy=0.3)
    wait_for(lambda: front.lab.runs.main.sent == 100)  # type: ignore[attr-defined]
    session.make(5, accuracy=0.4)
    wait_for(lambda: len(front.data["curves"]["numbers"]) == 4 * (2 * 5 + 2))
    panels = [panel for content, _ in front.messages for panel in content["panels"]]
    chunks = [chunk for panel in panels if panel["name"] == "curves" for chunk in panel["chunks"]]
    chunk = chunks[-1]
    assert (chunk["from"], chunk["upto"], chunk["count"], chunk["measured"]) == (100, 105, 5, 1)
    numbers = np.frombuffer(front.data["curves"]["numbers"], "<f4")
    assert numbers[:5].tolist() == [101, 102, 103, 104, 105]
    assert numbers[10:].tolist() == [105, np.float32(0.4)]
    assert front.size < 20_000


def test_a_theatre_that_nobody_has_answered_sends_ever_less(
    session: FakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever reads a cell's messages only after its end finds the first thousand."""
    lab: Any = labs.TrainingTheatre(session.training, session)  # type: ignore[arg-type]
    lab._ticker.close()
    lab.first_message()
    now = lab._opened
    monkeypatch.setattr(widget.time, "monotonic", lambda: now)
    sent = 0
    for _ in range(20 * 1000):  # 1,000 s of news, 20 times a second
        now += 0.05
        sent += lab._unseen_may_be_told()
    assert 100 < sent < 700
    monkeypatch.undo()
    lab.close()


def test_a_figure_that_comes_late_is_sent() -> None:
    session = FakeSession(toy_training())
    session.make(10)
    late = session.records[7]
    late.metrics["accuracy"] = 0.5
    sent = curve(session.records, "accuracy", first=10, measured_after=0)
    assert (len(sent.steps), sent.at.tolist()) == (0, [8.0])
    assert figure_at(session.records, "accuracy", 7) is None


def test_the_moment_under_the_cursor_is_shown(front: Front, session: FakeSession) -> None:
    for _ in range(5):
        session.make(20, accuracy=0.1)
    front.move(cursor=42)
    wait_for(lambda: front.panels["answers"]["at"] == 40)
    assert front.panels["norms"]["caption"].endswith("at update 42")
    front.move(cursor=None)
    wait_for(lambda: front.panels["answers"]["at"] == 100)


def test_buttons_drive_the_session(front: Front, session: FakeSession) -> None:
    assert button(front, "go")["label"] == "Start"
    front.move(go="go")
    assert button(front, "go")["label"] == "Pause"
    assert button(front, "step")["off"]
    front.move(go="pause")
    assert button(front, "go")["label"] == "Go on"
    front.move(step=3)
    front.move(stop="stop")
    assert session.calls == [("start",), ("pause",), ("advance", 3), ("stop",)]


def test_a_branch_runs_beside_the_first(front: Front, session: FakeSession) -> None:
    session.make(50, accuracy=0.2)
    front.move(cursor=30)
    front.move(dropout=0.5)
    front.move(branch=True)
    assert ("branch", 30, {"dropout": 0.5}) in session.calls
    assert session.branches[0].calls == [("start",)]
    assert front.last["values"]["runs"] == 2
    assert "answers_b" in front.panels
    assert "B branches off after update 30" in front.last["notice"]


def test_the_rate_is_changed_and_marked(front: Front, session: FakeSession) -> None:
    session.make(50)
    front.move(learning_rate=0.02)
    assert ("set_rate", 0.02) not in session.calls
    front.move(rate_now=True)
    assert session.calls == [("set_rate", 0.02)]
    assert front.panels["curves"]["runs"][0]["marks"] == [[50, "rate 0.02"]]


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("nhead", 3, "nhead = 3 does not divide d_model = 8"),
        ("dropout", 1.5, "dropout"),
        ("learning_rate", None, "Learning rate must be a number"),
        ("learning_rate", -1, "learning_rate must be a positive"),
        ("steps", 2.5, "Updates must be a whole number"),
        ("positions", 3, "Positions must be a word"),
    ],
)
def test_a_refused_setting_is_told_at_its_control(
    front: Front, name: str, value: Any, told: str
) -> None:
    front.move(**{name: value})
    assert told in front.last["refused"][name]
    assert told in front.last["notice"]
    front.move(seed=7)
    assert front.last["values"]["seed"] == 7
    assert name in front.lab._draft.why  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "moved", [{"cursor": "x"}, {"cursor": -5}, {"layer": 99}, {"step": "a"}, {"go": 5}]
)
def test_a_hostile_message_breaks_nothing(
    front: Front, session: FakeSession, moved: dict[str, Any]
) -> None:
    session.make(5)
    front.move(**moved)
    assert not front.last["notice"]
    assert session.calls == []


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "\x00\ud800", "שלום", "a" * 5000])
def test_hostile_texts_give_a_valid_still_picture(text: str) -> None:
    training = toy_training(
        title=text, examples=lambda _: [Answer(text, ((text, 0.5),), text)], parts={text: text}
    )
    session = FakeSession(training)
    session.make(5, loss=float("nan"), accuracy=float("inf"))
    lab: Any = labs.TrainingTheatre(training, session)  # type: ignore[arg-type]
    still = with_page(lab.still())
    ElementTree.fromstring(still["image/svg+xml"])
    assert "<script" not in still["text/html"]
    lab.close()


def test_a_model_that_fails_is_told_and_leaves_the_rest(front: Front) -> None:
    def fails(_: Any) -> Any:
        raise ValueError("no such head")

    training = toy_training(head=fails)
    lab: Any = labs.TrainingTheatre(training, FakeSession(training))  # type: ignore[arg-type]
    other = Front(lab, "other").ready()
    assert "no such head" in other.last["notice"]
    assert other.panels["answers"]["examples"]
    lab.close()


def test_result_trains_to_the_end_and_the_still_picture_shows_it(
    front: Front, session: FakeSession
) -> None:
    lab: Any = front.lab
    assert lab.result().name == "trained"  # type: ignore[attr-defined]
    assert "Finished: update 300 of 300" in lab.still()["text/plain"]


def test_a_closed_theatre_listens_no_more(session: FakeSession) -> None:
    lab: Any = labs.TrainingTheatre(session.training, session)  # type: ignore[arg-type]
    assert session.listeners == 1
    lab.close()
    assert session.listeners == 0
    assert session.calls == []  # a session that was given goes on


def test_smoothing_ignores_what_is_no_number() -> None:
    assert smoothed([1, 2, 3], [1.0, float("nan"), 1.0], 5.0).tolist() == [1.0, 1.0, 1.0]
