"""The shape tracer in a real JupyterLab in a real Chromium, moved by keys and mouse."""

from __future__ import annotations

from typing import Any

import pytest

from course.labs.shapes.settings import Settings
from course.labs.shapes.trace import compute
from tests.browser.conftest import OpenNotebook

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LAB = "[data-lab=shapes]"
CELL = "from course import labs\nlabs.ShapeTracer()"
WAIT = 60_000


def drawn(page: Any) -> int:
    page.wait_for_selector(f"{LAB}[data-drawn]", timeout=WAIT)
    return int(page.get_attribute(LAB, "data-drawn"))


def caption(page: Any, panel: str) -> str:
    return str(page.inner_text(f"{LAB} [data-panel={panel}] figcaption"))


def wait_for_step(page: Any, words: str) -> None:
    page.wait_for_selector(f"{LAB} [data-panel=steps] figcaption:text('{words}')", timeout=WAIT)


def test_a_text_walks_through_the_encoder(open_notebook: OpenNotebook) -> None:
    watched = open_notebook(CELL)
    page, trace = watched.page, compute(Settings())
    drawn(page)
    watched.picture("shapes-text")
    steps = page.locator(f"{LAB} [role=listbox]")
    assert steps.locator("[role=option]").count() == len(trace.steps)
    assert page.locator(f"{LAB} [data-panel=pieces]").is_visible()
    assert not page.locator(f"{LAB} [data-panel=after]").is_visible()
    # Forward by keys, fast; each step shows its code.
    steps.focus()
    for _ in range(16):
        page.keyboard.press("ArrowDown")
    wait_for_step(page, "Step 16 of 135. Layer 0: scores")
    assert steps.evaluate("(node) => node === document.activeElement")
    code = page.inner_text(f"{LAB} .course-lab-code")
    assert "encoder_core/attention.py, line " in code
    assert "key.transpose(-2, -1)" in code
    assert "(B, H, S, S) = (2, 12, 10, 10)" in page.inner_text(f"{LAB} .course-lab-says")
    assert page.locator(f"{LAB} [data-panel=after]").is_visible()
    assert not page.locator(f"{LAB} [data-panel=pieces]").is_visible()
    # On to the weights of another head of the padded text, in another layer.
    for _ in range(2):
        page.click(f"{LAB} button:text-is('Step forward ▶')")
        page.wait_for_timeout(300)
    wait_for_step(page, "Layer 0: softmax")
    page.locator(f"{LAB} label:text-is('Layer') + select").select_option("2")
    wait_for_step(page, "Layer 2: softmax")
    page.locator(f"{LAB} label:text-is('Head') + select").select_option("5")
    page.locator(f"{LAB} label:text-is('Text') + select").select_option("text 2")
    page.wait_for_selector(f"{LAB} figcaption:text('text 2, head 5')", timeout=WAIT)
    watched.picture("shapes-softmax")
    # A cell's number is the encoder's.
    canvas = page.locator(f"{LAB} [data-panel=after] canvas")
    number = drawn(page)
    canvas.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "([lab, number]) => Number(document.querySelector(lab).dataset.drawn) > number",
        arg=[LAB, number],
        timeout=WAIT,
    )
    (weights,) = [s.numbers for s in trace.steps if (s.kind, s.layer) == ("softmax", 2)]
    assert f"becomes {weights[1, 5, 2, 1]:.4f}" in page.inner_text(f"{LAB} .course-lab-summary")
    # The end: one vector a text.
    steps.focus()
    page.keyboard.press("End")
    wait_for_step(page, "sentence vector")
    page.wait_for_selector(f"{LAB} .course-lab-summary:text('their cosine, is')", timeout=WAIT)
    steps.locator("[role=option]").nth(130).click()
    wait_for_step(page, "Step 130 of 135")
    watched.picture("shapes-wide")


HERE = f"{LAB} .course-lab-station[aria-current]"


def test_stations_are_clicked_and_walked_by_keys(open_notebook: OpenNotebook) -> None:
    watched = open_notebook(CELL, width=1280, height=900)
    page = watched.page
    drawn(page)
    assert page.inner_text(HERE).startswith("cut into tokens")
    page.click(f"{LAB} .course-lab-station:has-text('self-attention')")
    wait_for_step(page, "Step 8 of 135. Layer 0: in-projection")
    page.keyboard.press("ArrowRight")
    wait_for_step(page, "Layer 0: residual")
    assert page.locator(HERE).evaluate("(node) => node === document.activeElement")
    for _ in range(5):  # beyond the layer's last station, into the next layer
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(150)
    wait_for_step(page, "Layer 1: in-projection")
    assert "layer 1 of layers 0 to 5" in page.inner_text(f"{LAB} .course-lab-layer")
    page.get_by_label("Next layer").click()
    wait_for_step(page, "Layer 2: in-projection")
    page.get_by_label("Layer before").click()
    wait_for_step(page, "Layer 1: in-projection")
    page.locator(HERE).focus()
    page.keyboard.press("PageDown")
    wait_for_step(page, "Layer 2: in-projection")
    page.keyboard.press("PageUp")
    wait_for_step(page, "Layer 1: in-projection")
    page.keyboard.press("ArrowDown")
    wait_for_step(page, "Layer 1: query")
    page.keyboard.press("ArrowUp")
    wait_for_step(page, "Layer 1: in-projection")
    page.keyboard.press("ArrowLeft")
    wait_for_step(page, "Layer 0: layer norm")
    # The list of steps moves the station too.
    page.locator(f"{LAB} [role=listbox]").focus()
    page.keyboard.press("End")
    wait_for_step(page, "Step 135 of 135")
    assert page.inner_text(HERE).startswith("one vector a text")
    watched.picture("shapes-journey")


def test_play_goes_on_until_a_key(open_notebook: OpenNotebook) -> None:
    page = open_notebook(CELL).page
    drawn(page)
    play = page.locator(f"{LAB} button:has-text('Play')")
    play.click()
    pause = page.locator(f"{LAB} button:has-text('Pause')")
    wait_for_step(page, "Step 2 of 135")
    assert pause.get_attribute("aria-pressed") == "true"
    page.locator(f"{LAB} [role=listbox]").focus()
    page.keyboard.press("Shift")
    play.wait_for(timeout=WAIT)
    step = caption(page, "steps")
    page.wait_for_timeout(2500)
    assert caption(page, "steps") == step


def test_who_wants_less_motion_goes_step_by_step(open_notebook: OpenNotebook) -> None:
    page = open_notebook(CELL, afresh=True).page
    page.emulate_media(reduced_motion="reduce")
    page.reload()
    # A reload shows the still picture until the cell runs again.
    page.locator(".jp-CodeCell .jp-InputArea-editor").first.click()
    page.keyboard.press("Control+Enter")
    drawn(page)
    following = page.locator(f"{LAB} button:has-text('Next step')")
    following.click()
    wait_for_step(page, "Step 1 of 135")
    page.wait_for_timeout(2500)
    assert caption(page, "steps").startswith("Step 1 of 135")
