"""Whatever a person types, every still picture is XML and fits into a notebook's file."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given

from course import labs
from course.system.outputs import with_page
from tests.labs.front import Front
from tests.typed import TYPED, fits_a_notebook

TEXTS = {
    "TokenizerLab": ("text",),
    "AttentionLab": ("text",),
    "StackLab": ("text",),
    "FeedForwardLab": ("text",),
    "EmbeddingLab": ("word", "a", "b", "c"),
    "ShapeTracer": ("text",),
}
SMALL = {
    "AttentionLab": {"encoder": "fresh", "layers": 1, "heads": 2, "d_model": 8},
    "StackLab": {"depth": 1, "d_model": 8, "heads": 2},
}
HUGE = "<b>&\x00\ud800שלום " * 60_000  # 1 MB


def check_still(still: Mapping[str, str]) -> None:
    if "image/svg+xml" in still:
        ElementTree.fromstring(still["image/svg+xml"])
    page = with_page(still)
    for text in page.values():
        fits_a_notebook(text)
    assert "<script" not in page["text/html"]


@pytest.fixture(scope="module")
def fronts() -> dict[str, Front]:
    return {}


def front_of(fronts: dict[str, Front], name: str) -> Front:
    if name not in fronts:
        fronts[name] = Front(getattr(labs, name)(**SMALL.get(name, {}))).ready()
    return fronts[name]


@pytest.mark.parametrize("name", TEXTS)
@given(text=TYPED)
def test_what_is_typed_gives_a_valid_picture(
    fronts: dict[str, Front], name: str, text: str
) -> None:
    front = front_of(fronts, name)
    moved: dict[str, Any] = dict.fromkeys(TEXTS[name], text)
    answer = front.move(**moved)
    fits_a_notebook(answer["summary"])
    fits_a_notebook(answer["notice"])
    check_still(front.lab.still())


@pytest.mark.parametrize("name", TEXTS)
def test_a_megabyte_gives_a_small_valid_picture(fronts: dict[str, Front], name: str) -> None:
    front = front_of(fronts, name)
    front.move(**dict.fromkeys(TEXTS[name], HUGE))
    still = front.lab.still()
    check_still(still)
    assert sum(map(len, with_page(still).values())) < 2_000_000
