"""The attention lab in a real JupyterLab in a real Chromium, moved by keys and mouse."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest

from course.labs.attention.compute import compute
from course.labs.attention.settings import Settings
from tests.browser.conftest import OpenNotebook, at_rest
from tests.browser.desk import Watched
from tests.browser.more import begin_open
from tests.browser.server import ROOT, UNFORKED, JupyterLab, open_and_run
from tests.sampled import NIGHT, by_day

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LAB = "[data-lab=attention]"
CELL = "from course import labs\nlab = labs.AttentionLab()\nlab"
TEXT = "Anna thanked Peter because he had helped her brother."
WAIT = 60_000


def drawn(page: Any, lab: str = LAB) -> int:
    """Which state the lab has drawn; waits for the first."""
    page.wait_for_selector(f"{lab}[data-drawn]", timeout=WAIT)
    return int(page.get_attribute(lab, "data-drawn"))


def wait_beyond(page: Any, number: int) -> None:
    """Wait until the lab has drawn a later state."""
    page.wait_for_function(
        "([lab, number]) => Number(document.querySelector(lab).dataset.drawn) > number",
        arg=[LAB, number],
        timeout=WAIT,
    )


def pixels(page: Any, panel: str) -> str:
    """A canvas's picture, as text."""
    query = f"{LAB} [data-panel={panel}] canvas"
    return str(page.evaluate("(query) => document.querySelector(query).toDataURL()", query))


def readout(page: Any, panel: str) -> str:
    """The line under a picture."""
    return str(page.inner_text(f"{LAB} [data-panel={panel}] .course-lab-readout"))


def canvas(page: Any, panel: str) -> Any:
    return page.locator(f"{LAB} [data-panel={panel}] canvas")


def test_numbers_arrive_as_python_made_them(open_notebook: OpenNotebook) -> None:
    watched = open_notebook(CELL)
    page, arrays = watched.page, compute(Settings(TEXT))
    drawn(page)
    assert (
        readout(page, "weights") == f"query 8 “her”, key 1 “anna”: {arrays.weights[1, 3, 8, 1]:.3f}"
    )
    told = readout(page, "values").split("number 0: about ")[1].replace("−", "-")
    assert float(told) == pytest.approx(arrays.value[1, 3, 1, 0], abs=0.02)  # of 8 bits
    row = page.inner_text(f"{LAB} [data-panel=row] tbody tr.is-chosen").split("\t")
    product = float(arrays.query[1, 3, 8] @ arrays.key[1, 3, 1])
    assert row[0] == "anna"
    assert row[1] == f"{product:.2f}"
    assert row[4] == f"{arrays.weights[1, 3, 8, 1]:.3f}"
    box = canvas(page, "weights").bounding_box()
    page.mouse.move(box["x"] + box["width"] - 12, box["y"] + box["height"] - 50)  # last cell
    assert readout(page, "weights").startswith("query 11 “[SEP]”, key 11 “[SEP]”: ")
    assert readout(page, "weights").endswith(f"{arrays.weights[1, 3, 11, 11]:.3f}")
    watched.picture("attention-light")


def test_painting_with_the_mouse_and_with_keys(open_notebook: OpenNotebook) -> None:
    page = open_notebook(CELL, "lab.settings['painted']").page
    number = drawn(page)
    canvas(page, "weights").focus()
    page.keyboard.press("Space")
    wait_beyond(page, number)
    assert readout(page, "weights").endswith("blocked")
    assert page.locator(f"{LAB} label:text-is('Mask') + select").input_value() == "painted"
    assert "“anna” is blocked" in page.inner_text(f"{LAB} .course-lab-summary")
    # A drag blocks all that it crosses, and the answer from Python keeps it so.
    number = drawn(page)
    box = canvas(page, "weights").bounding_box()
    page.mouse.move(box["x"] + box["width"] - 20, box["y"] + box["height"] - 54)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 150, box["y"] + box["height"] - 54, steps=3)
    page.mouse.up()
    wait_beyond(page, number)
    page.wait_for_timeout(500)
    for back in (20, 60, 100, 140):
        page.mouse.move(box["x"] + box["width"] - back, box["y"] + box["height"] - 54)
        assert readout(page, "weights").endswith("blocked"), back
    number = drawn(page)
    page.click(f"{LAB} button:text-is('Unblock all')")
    wait_beyond(page, number)
    assert not readout(page, "weights").endswith("blocked")


def test_an_invalid_setting_keeps_the_picture(open_notebook: OpenNotebook) -> None:
    watched = open_notebook("from course import labs\nlabs.AttentionLab(encoder='fresh')")
    page = watched.page
    number = drawn(page)
    names = ("heads", "weights", "values")
    before = at_rest(page, lambda: {name: pixels(page, name) for name in names})
    heads = page.locator(f"{LAB} label:text-is('heads') + input")
    heads.fill("3")
    notice = page.locator(f"{LAB} .course-lab-notice")
    notice.wait_for(state="visible", timeout=WAIT)
    assert "d_model = 256 is not divisible by 3 heads" in notice.inner_text()
    assert {name: pixels(page, name) for name in before} == before
    assert drawn(page) == number
    watched.picture("attention-invalid")
    heads.fill("4")
    wait_beyond(page, number)
    assert not notice.is_visible()


def test_the_latest_request_wins_and_none_queues(
    open_notebook: OpenNotebook, server: JupyterLab
) -> None:
    waits = "import pathlib, time\nwhile not pathlib.Path('go-on').exists():\n    time.sleep(0.05)"
    watched = open_notebook(CELL, waits, "print('awake')")
    page = watched.page
    number = drawn(page)  # at once, although Python is busy with the second cell
    assert page.locator(".jp-CodeCell").last.inner_text().count("awake") == 1
    slider = page.locator(f"{LAB} input[type=range]")
    slider.focus()
    for _ in range(25):
        page.keyboard.press("ArrowRight")
    assert page.inner_text(f"{LAB} output") == "2.25"
    assert drawn(page) == number
    notice = page.locator(f"{LAB} .course-lab-notice")
    notice.wait_for(state="visible", timeout=WAIT)
    assert "Waiting for Python" in notice.inner_text()
    assert watched.sent == 1  # the first move; the others wait, the newest only
    (server.folder / "go-on").touch()
    notice.wait_for(state="hidden", timeout=WAIT)
    page.wait_for_timeout(1000)
    assert watched.sent == 2
    assert slider.input_value() == "2.25"
    assert slider.evaluate("(node) => node === document.activeElement")
    temperature = compute(Settings(TEXT, temperature=2.25)).weights[1, 3, 8, 1]
    assert readout(page, "weights").endswith(f"{temperature:.3f}")


@pytest.mark.parametrize("dark", by_day([True, False], 1))
def test_it_can_be_read_in_both_themes_and_on_narrow_screens(
    open_notebook: OpenNotebook, dark: bool
) -> None:
    theme = "dark" if dark else "light"
    watched = open_notebook(CELL, width=700, height=1400, dark=dark)
    page = watched.page
    drawn(page)
    page.click('.jp-SideBar [data-id="filebrowser"]')
    page.wait_for_timeout(800)
    width, room = page.evaluate(
        "(lab) => { const n = document.querySelector(lab); return [n.scrollWidth, n.clientWidth]; }",
        LAB,
    )
    assert width <= room
    ink = page.evaluate("(lab) => getComputedStyle(document.querySelector(lab)).color", LAB)
    lightness = [int(part) for part in ink[ink.index("(") + 1 : -1].split(",")[:3]]
    assert (min(lightness) > 150) if dark else (max(lightness) < 100)
    watched.picture(f"attention-narrow-{theme}")
    number = drawn(page)
    page.locator(f"{LAB} label:text-is('switch this head off')").click()
    wait_beyond(page, number)
    page.set_viewport_size({"width": 1400, "height": 1500})
    watched.picture(f"attention-{theme}")


def test_everything_has_a_name_and_keeps_its_keys(open_notebook: OpenNotebook) -> None:
    page = open_notebook(
        "from course import labs\nlabs.AttentionLab(encoder='fresh', off=[(0, 0)])"
    ).page
    drawn(page)
    bare = page.evaluate(
        """(lab) => [...document.querySelectorAll(`${lab} :is(input, select, button, canvas, [tabindex])`)]
          .filter((node) => node.getAttribute("data-lm-suppress-shortcuts") !== "true"
            || !(node.labels?.length || node.getAttribute("aria-label")
              || node.getAttribute("aria-labelledby") || node.textContent.trim()))
          .map((node) => node.outerHTML.slice(0, 120))""",
        LAB,
    )
    assert bare == []
    assert page.locator(f"{LAB} .course-lab-behind:visible").count() == 0
    page.click(f"{LAB} button:text-is('Numbers as tables')")
    tables = page.locator(f"{LAB} .course-lab-behind:visible table")
    assert tables.count() == page.locator(f"{LAB} canvas").count() == 4
    assert tables.nth(0).locator("tbody tr").count() == 2  # layers
    spoken = f"{LAB} .course-lab-spoken[aria-live=polite]"
    page.locator(spoken, has_text="looks most at").wait_for(state="attached", timeout=WAIT)


def test_the_picture_can_be_saved(open_notebook: OpenNotebook, tmp_path: Path) -> None:
    page = open_notebook(CELL).page
    drawn(page)
    with page.expect_download(timeout=WAIT) as waiting:
        page.click(f"{LAB} button:text-is('Save as picture')")
    path = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(path)
    data = path.read_bytes()
    assert path.name == "attention.png"
    assert data.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", data[16:24])
    assert width > 900
    assert height > 1500


def test_several_labs_a_reload_and_running_again_leave_nothing_behind(
    open_notebook: OpenNotebook,
) -> None:
    count = (
        "import ipywidgets\n"
        "made = [w for w in ipywidgets.widgets.widget._instances.values()\n"
        "        if type(w).__name__ == 'AttentionLab']\n"
        "print('labs', len(made), 'views', sum(len(w._views) for w in made),\n"
        "      'arrays', sum(w._result is not None for w in made))"
    )
    watched = open_notebook(CELL, "labs.AttentionLab(encoder='fresh')", count, afresh=True)
    page = watched.page
    page.wait_for_function(
        "() => document.querySelectorAll('[data-lab][data-drawn]').length === 2", timeout=WAIT
    )
    # Moving one leaves the other as it is.
    numbers = "() => [...document.querySelectorAll('[data-lab]')].map((n) => +n.dataset.drawn)"
    first, second = page.evaluate(numbers)
    page.locator(f"{LAB} input[type=range] >> nth=0").focus()
    page.keyboard.press("ArrowRight")
    wait_beyond(page, first)
    assert page.evaluate(numbers)[1] == second
    # Saved, and opened again: both come back from the kernel.
    page.click('jp-button[data-command="docmanager:save"]')
    page.wait_for_selector("#jp-main-dock-panel .lm-TabBar-tab:not(.jp-mod-dirty)", timeout=WAIT)
    page.reload()
    page.wait_for_function(
        "() => document.querySelectorAll('[data-lab][data-drawn]').length === 2", timeout=WAIT
    )
    # Run again: the labs that the cells made before are closed.
    page.click("text=Run >> nth=0")
    page.click('[data-command="runmenu:run-all"]')
    run_last_until(page, "labs 2 views 2 arrays 2")
    # Cleared away: the kernel lets go of what it had computed.
    page.click("text=Edit >> nth=0")
    page.click('[data-command="editmenu:clear-all"]')
    page.locator(LAB).first.wait_for(state="detached", timeout=WAIT)
    assert page.locator(LAB).count() == 0
    run_last_until(page, "labs 2 views 0 arrays 0")


def run_last_until(page: Any, words: str) -> None:
    """Run the last cell, again and again for half a minute, until it prints these words."""
    cell = page.locator(".jp-CodeCell").last
    for _ in range(30):
        cell.locator(".cm-content").click()
        page.keyboard.press("Control+Enter")
        page.wait_for_timeout(1000)
        said = cell.locator(".jp-OutputArea").inner_text()
        if words in said:
            return
    raise AssertionError(f"not {words!r}, but {said!r}")


def test_ones_own_attention_in_the_notebook(open_notebook: OpenNotebook) -> None:
    page = open_notebook(
        "import torch\nfrom course import labs\n"
        "def mine(query, key, value, mask=None):\n"
        "    if mask is not None:\n"
        "        raise ValueError('not yet')\n"
        "    weights = torch.full((*query.shape[:-1], key.shape[-2]), 1 / key.shape[-2])\n"
        "    return weights @ value, weights\n"
        "labs.AttentionLab(attention=mine)"
    ).page
    drawn(page)
    assert readout(page, "weights").endswith(": 0.083")
    before = at_rest(page, lambda: pixels(page, "weights"))
    page.locator(f"{LAB} label:text-is('Mask') + select").select_option("causal")
    notice = page.locator(f"{LAB} .course-lab-notice")
    notice.wait_for(state="visible", timeout=WAIT)
    assert "Your attention raised ValueError in layer 0: not yet" in notice.inner_text()
    assert pixels(page, "weights") == before


CHAPTER = ROOT / "chapters" / "02_attention.ipynb"


@pytest.mark.skipif(not CHAPTER.exists(), reason="chapter 02 is not pressed yet")
def test_the_chapters_labs_are_live(server: JupyterLab, browser: Any) -> None:
    """As a learner opens it: in a page of its own, with a kernel that is started for it."""
    name = "chapter.ipynb"
    notebook = json.loads(CHAPTER.read_text(encoding="utf-8"))
    notebook["metadata"]["kernelspec"]["name"] = UNFORKED
    if not NIGHT:  # what follows the lab runs in tests/notebooks
        ids = [cell["id"] for cell in notebook["cells"]]
        notebook["cells"] = notebook["cells"][: ids.index("lab") + 1]
    (server.folder / name).write_text(json.dumps(notebook), encoding="utf-8")
    page = browser.new_page(viewport={"width": 1400, "height": 1500})
    begin_open(page)
    watched = Watched(page)
    try:
        open_and_run(page, server, name)
        page.wait_for_selector(f"{LAB}[data-drawn]", state="attached", timeout=180_000)
        lab = page.locator(LAB).first
        lab.scroll_into_view_if_needed()
        number = drawn(page)
        page.locator(f"{LAB} [data-panel=weights] canvas").first.focus()
        page.keyboard.press("ArrowUp")
        wait_beyond(page, number)
        watched.picture("chapter")
    finally:
        page.close()
        server.shut_kernels()
    assert watched.errors == []
    assert watched.outside == []
