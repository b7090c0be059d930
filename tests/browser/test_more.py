"""A lab begins with its input and main pictures; the rest is a key away, and the input stays in sight."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.conftest import OpenNotebook
from tests.browser.everything import IMPORTS, LAB_CELLS, LAB_NAMES
from tests.browser.more import open_more
from tests.sampled import by_day

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WAIT = 60_000
MOST_CONTROLS, MOST_PANELS = 6, 3
LAB = "[data-lab=attention]"


def idle(page: Any, labs: tuple[str, ...]) -> None:
    for lab in labs:
        page.wait_for_selector(f"[data-lab={lab}][data-drawn]", timeout=WAIT)
    page.wait_for_selector("#jp-main-statusbar >> text=| Idle", timeout=WAIT)


def seen(page: Any, lab: str) -> tuple[int, int]:
    """How many controls and how many panels are seen."""
    controls = page.locator(f"[data-lab={lab}] .course-lab-control:visible").count()
    return controls, page.locator(f"[data-lab={lab}] .course-lab-panel:visible").count()


def is_painted(page: Any, query: str) -> bool:
    """Whether something is drawn on a canvas."""
    script = """(node) => { const { data } = node.getContext('2d').getImageData(0, 0, node.width, node.height);
        return data.some((value) => value > 0); }"""
    return bool(page.locator(query).evaluate(script))


@pytest.mark.parametrize(("width", "dark"), by_day([(700, True), (1400, False)], 1))
def test_every_lab_begins_with_little(open_notebook: OpenNotebook, width: int, dark: bool) -> None:
    watched = open_notebook(IMPORTS, *LAB_CELLS, width=width, height=9000, dark=dark, more=False)
    page = watched.page
    idle(page, LAB_NAMES)
    for lab in LAB_NAMES:
        controls, panels = seen(page, lab)
        assert 2 <= controls <= MOST_CONTROLS
        assert 1 <= panels <= MOST_PANELS
        watched.picture(f"more-{lab}-{width}-closed", f"[data-lab={lab}]")
        open_more(page, lab)
        watched.picture(f"more-{lab}-{width}-open", f"[data-lab={lab}]")
        more_controls, more_panels = seen(page, lab)
        assert more_controls > controls
        assert more_panels >= panels
        for canvas in page.locator(f"[data-lab={lab}] canvas:visible").all():
            assert canvas.bounding_box()["width"] > 100


def test_more_is_remembered_and_draws_what_was_folded(open_notebook: OpenNotebook) -> None:
    page = open_notebook(
        "from course import labs", "labs.AttentionLab()", height=1800, more=False
    ).page
    idle(page, ("attention",))
    more = page.locator(f"{LAB} .course-lab-more")
    values = f"{LAB} [data-panel=values] canvas"
    assert more.get_attribute("aria-expanded") == "false"
    assert not is_painted(page, values)
    open_more(page, "attention")
    assert more.get_attribute("aria-expanded") == "true"
    assert is_painted(page, values)
    page.locator(LAB).evaluate("(node) => node.setAttribute('data-was-there', '')")
    page.locator(".jp-CodeCell").last.locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("[data-was-there]", state="detached", timeout=WAIT)
    page.wait_for_selector(f"{LAB} .course-lab-more[aria-expanded=true]", timeout=WAIT)
    idle(page, ("attention",))
    assert is_painted(page, values)
    page.locator(f"{LAB} .course-lab-more").click()
    assert not page.locator(values).is_visible()


def test_what_was_given_is_not_folded_away(open_notebook: OpenNotebook) -> None:
    cells = (
        "from course import labs",
        "labs.AttentionLab(mask='causal')",
        "labs.StackLab(depth=3)",
    )
    page = open_notebook(*cells, height=4000, more=False).page
    idle(page, ("attention", "stack"))
    assert page.get_by_label("Mask", exact=True).is_visible()
    stack = page.locator("[data-lab=stack] .course-lab-more")
    assert stack.get_attribute("aria-expanded") == "false"


@pytest.mark.parametrize(("width", "height"), by_day([(700, 450), (1400, 700)], 1))
def test_the_input_stays_in_sight(open_notebook: OpenNotebook, width: int, height: int) -> None:
    """700 by 450 is a screen of 1400 by 900 at 200 % zoom."""
    watched = open_notebook(
        "from course import labs", "labs.AttentionLab()", width=width, height=height, more=False
    )
    page = watched.page
    idle(page, ("attention",))
    panel = page.locator(f"{LAB} [data-panel=weights] canvas")
    page.evaluate(
        f"""() => document.querySelector("{LAB} [data-panel=weights] canvas").scrollIntoView()"""
    )
    page.wait_for_timeout(500)
    watched.picture(f"sticky-{width}")
    main = page.locator(f"{LAB} .course-lab-main").bounding_box()
    notebook = page.locator(".jp-WindowedPanel-outer").bounding_box()
    canvas = panel.bounding_box()
    assert notebook["y"] - 1 <= main["y"] < notebook["y"] + 10  # at the top of what is seen
    assert main["y"] + main["height"] <= canvas["y"] + 1  # above the picture that was scrolled to
    assert main["height"] < 60
    page.locator(f"{LAB} .course-lab-main input").fill("Nobody saw it.")
    summary = page.locator(f"{LAB} .course-lab-summary", has_text="saw")
    summary.wait_for(timeout=WAIT)
