"""What a lab tells of the settings that differ from its defaults, so that none is folded away unseen."""

from __future__ import annotations

from course import labs
from tests.labs.front import Front


def changed(lab: labs.PositionLab) -> list[str]:
    """What the answer to "ready" tells."""
    told: list[str] = Front(lab).ready().last["changed"]
    return told


def test_defaults_are_not_changed() -> None:
    assert changed(labs.PositionLab()) == []
    assert changed(labs.PositionLab(kind="sinusoidal", position=8)) == []


def test_given_settings_and_selections_are() -> None:
    assert changed(labs.PositionLab(length=32, other=5)) == ["length", "other"]


def test_settings_moved_since_are() -> None:
    lab = labs.PositionLab()
    lab.set(d_model=32)
    assert changed(lab) == ["d_model"]
