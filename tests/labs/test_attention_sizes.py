"""An update takes at most 20 KB, whatever is set; bytes are the same on every machine."""

from __future__ import annotations

from typing import Any

import pytest

from course import labs
from tests.labs.front import Front

MOST = 20_000


def words(count: int) -> str:
    """A text of so many tokens, the two special ones included."""
    known = ["the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog", "while", "we"]
    return " ".join(known[i % len(known)] for i in range(count - 2))


@pytest.mark.parametrize("length", [3, 16, 32, 48, 64, 65, 96, 97, 128])
@pytest.mark.parametrize(
    "encoder",
    [
        {"encoder": "pretrained"},
        {"encoder": "fresh", "heads": 8, "d_model": 256, "layers": 2},
        {"encoder": "fresh", "heads": 16, "d_model": 64, "layers": 6},
        {"encoder": "fresh", "heads": 1, "d_model": 512, "layers": 1},
    ],
)
def test_every_update_is_small(length: int, encoder: dict[str, Any]) -> None:
    front = Front(labs.AttentionLab(text=words(5), **encoder)).ready()
    changes: list[dict[str, Any]] = [
        {"text": words(length)},
        {"temperature": 0.5},
        {"mask": "causal"},
        {"layer": 0, "head": 0, "head_off": True},
        {"query": length - 1},
        {"head": 99},
    ]
    for change in changes:
        answer = front.move(**change)
        assert answer["notice"] == ""
        assert front.size <= MOST, (change, front.size)
    assert len(front.labels["tokens"]) == length
    assert front.panels["heads"]["side"] >= min(length, 8)


def test_the_usual_updates_are_smaller_still() -> None:
    lab = labs.AttentionLab(text=words(32), encoder="fresh", heads=8, d_model=256, layers=2)
    front = Front(lab).ready()
    front.move(temperature=2)
    assert front.size < 16_000
    assert front.panels["heads"]["side"] == 32  # every weight of every head is seen
    assert front.panels["weights"]["bits"] == 16
    front.move(head=3)
    assert front.size < 8_000
    front.move(query=7)
    assert front.size < 6_000


def test_a_chinese_text_fits_too() -> None:
    front = Front(labs.AttentionLab()).ready()
    front.move(text="我喜欢学习语言因为语言很有意思" * 8)
    assert front.last["notice"] == ""
    assert front.size <= MOST
