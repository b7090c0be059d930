"""Each control of the attention lab takes its keys, and the pictures that follow from it change."""

from __future__ import annotations

import pytest

from tests.browser.conftest import OpenNotebook
from tests.browser.desk import Watched
from tests.browser.test_attention_lab import CELL, LAB, drawn, pixels, wait_beyond

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def shared_lab(open_for_the_module: OpenNotebook) -> Watched:
    """One page with one lab, as each test only moves something."""
    watched = open_for_the_module(CELL)
    drawn(watched.page)
    return watched


@pytest.mark.parametrize(
    ("where", "key", "changes"),
    [
        ("[data-panel=weights] canvas", "ArrowUp", ["weights", "values"]),
        ("[data-panel=weights] canvas", "ArrowRight", ["weights", "values"]),
        ("[data-panel=weights] canvas", "Space", ["heads", "weights", "values"]),
        ("[data-panel=heads] canvas", "ArrowDown", ["heads", "weights", "values"]),
        ("[data-panel=heads] canvas", "Space", ["heads"]),
        ("input[type=range]", "ArrowRight", ["heads", "weights", "values"]),
        ("input[type=checkbox] >> nth=0", "Space", ["heads", "weights", "values"]),
        ("input[type=text] >> nth=0", "x", ["heads", "weights", "values"]),
        ("label:text-is('Layer') + select", "ArrowDown", ["heads", "weights", "values"]),
        ("label:text-is('Mask') + select", "c", ["heads", "weights", "values"]),
        ("label:text-is('[PAD] tokens') + input", "ArrowUp", ["heads", "weights", "values"]),
    ],
)
def test_a_key_changes_the_picture(
    shared_lab: Watched, where: str, key: str, changes: list[str]
) -> None:
    page = shared_lab.page
    before, number = {name: pixels(page, name) for name in changes}, drawn(page)
    cell = page.evaluate("() => document.querySelectorAll('.jp-Cell.jp-mod-active').length")
    control = page.locator(f"{LAB} {where}")
    control.focus()
    page.keyboard.press(key)
    wait_beyond(page, number)
    for name in changes:
        assert pixels(page, name) != before[name], name
    # JupyterLab took the key for nothing of its own: the focus is where it was.
    assert control.evaluate("(node) => node === document.activeElement")
    assert cell == page.evaluate("() => document.querySelectorAll('.jp-Cell.jp-mod-active').length")
    assert shared_lab.errors == []
