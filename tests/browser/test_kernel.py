"""What a lab does when the kernel behind it is restarted, dies or is interrupted."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.conftest import OpenNotebook

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LAB = "[data-lab=attention]"
CELL = "from course import labs\nlab = labs.AttentionLab(text='the cat sat on the mat')\nlab"
TELLS = "print('root' if lab.settings['scaled'] else 'no root')"
DIES = "import os\nif 'ran' in globals():\n    os.kill(os.getpid(), 9)\nran = True"
WAITS = "import time\nif 'ran' in globals():\n    time.sleep(300)\nran = True"
WAIT = 60_000


def open_lab(open_notebook: OpenNotebook, *more: str) -> Any:
    page = open_notebook(CELL, *more).page
    page.wait_for_selector(f"{LAB}[data-drawn]", timeout=WAIT)
    return page


def wait_for_notice(page: Any, words: str) -> None:
    page.wait_for_selector(f"{LAB} .course-lab-notice:has-text('{words}')", timeout=WAIT)


def restart(page: Any) -> None:
    page.click("#jp-MainMenu >> text=Kernel")
    page.click('[data-command="kernelmenu:restart"]')
    page.click(".jp-Dialog .jp-mod-accept")


def run_cell(page: Any, number: int) -> None:
    page.locator(".jp-CodeCell .jp-InputArea-editor").nth(number).click()
    page.keyboard.press("Control+Enter")


def picture(page: Any) -> str:
    return str(page.locator(f"{LAB} canvas").first.evaluate("(node) => node.toDataURL()"))


def assert_told_and_brought_back(page: Any, goes: Any) -> None:
    """Let the kernel go by `goes(page)`; what is set after that is there when the cell runs again.

    So is what the pictures are compared with.
    """
    root = page.get_by_label("divide by √dₖ")
    page.get_by_role("button", name="Compare with this").click()
    before = picture(page)
    goes(page)
    wait_for_notice(page, "Run this cell again")
    assert picture(page) == before
    root.uncheck()
    assert page.locator(f"{LAB} .course-lab-notice").is_visible()
    page.wait_for_selector("#jp-main-statusbar >> text=| Idle", timeout=WAIT)
    run_cell(page, 0)
    page.wait_for_selector(f"{LAB}:has(.course-lab-notice[hidden])", timeout=WAIT)
    assert not root.is_checked()
    compared = page.locator(f"{LAB} .course-lab-differs")
    compared.filter(has_text="Compared with what was kept: divide by √dₖ").wait_for(timeout=WAIT)
    assert (
        page.locator(f"{LAB} .course-lab-compared:visible").first.inner_text() != "Nothing differs."
    )
    run_cell(page, 1)
    page.locator(".jp-CodeCell").nth(1).locator("pre:text('no root')").wait_for(timeout=WAIT)
    assert page.locator(LAB).count() == 1


def test_a_restarted_kernel(open_notebook: OpenNotebook) -> None:
    assert_told_and_brought_back(open_lab(open_notebook, TELLS), restart)


def test_a_kernel_that_dies(open_notebook: OpenNotebook) -> None:
    def die(page: Any) -> None:
        run_cell(page, 2)
        page.wait_for_selector(".jp-Dialog >> text=It will restart automatically", timeout=WAIT)
        page.keyboard.press("Escape")
        page.wait_for_selector(".jp-Dialog", state="hidden", timeout=WAIT)

    page = open_lab(open_notebook, TELLS, DIES)
    page.locator(".jp-CodeCell").nth(1).locator("pre:text('root')").wait_for(timeout=WAIT)
    page.wait_for_selector("#jp-main-statusbar >> text=| Idle", timeout=WAIT)
    assert_told_and_brought_back(page, die)


def test_an_interrupted_kernel(open_notebook: OpenNotebook) -> None:
    page = open_lab(open_notebook, WAITS)
    page.wait_for_selector("#jp-main-statusbar >> text=| Idle", timeout=WAIT)
    run_cell(page, 1)
    page.wait_for_selector("#jp-main-statusbar >> text=| Busy", timeout=WAIT)
    page.click("#jp-MainMenu >> text=Kernel")
    page.click('[data-command="kernelmenu:interrupt"]')
    page.wait_for_selector("text=KeyboardInterrupt", timeout=WAIT)
    drawn = page.get_attribute(LAB, "data-drawn")
    page.get_by_label("divide by √dₖ").uncheck()
    page.wait_for_selector(f"{LAB}:not([data-drawn='{drawn}'])", timeout=WAIT)
    assert not page.locator(f"{LAB} .course-lab-notice").is_visible()


BOX = """import torch
from course.datasets.passages import Index, Passage, SearchBox
few = [Passage('one', 'the first text'), Passage('two', 'the second text')]
SearchBox(Index(few, torch.nn.functional.normalize(torch.ones(2, 384))), 'anything')"""


def test_a_search_box_whose_kernel_goes_says_so_and_comes_back(open_notebook: OpenNotebook) -> None:
    page = open_notebook(BOX).page
    asks = page.locator(".course-box input")
    asks.wait_for(timeout=WAIT)
    page.wait_for_selector("#jp-main-statusbar >> text=| Idle", timeout=WAIT)
    before = page.locator(".course-box [role=status]").inner_text()
    asks.fill("something else")
    page.wait_for_function(
        "(before) => document.querySelector('.course-box [role=status]').innerText !== before",
        arg=before,
        timeout=WAIT,
    )
    restart(page)
    page.wait_for_selector(".course-box-notice:has-text('Run this cell again')", timeout=WAIT)
    asks.fill("and another")
    assert page.locator(".course-box-notice").is_visible()
    page.wait_for_selector("#jp-main-statusbar >> text=| Idle", timeout=WAIT)
    run_cell(page, 0)
    page.wait_for_selector(".course-box:has(.course-box-notice[hidden])", timeout=WAIT)
    assert page.locator(".course-box").count() == 1
