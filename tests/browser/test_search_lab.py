"""The search lab in a real browser: typed, walked by keys, a folder read, and the kernel restarted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.conftest import OpenNotebook
from tests.browser.everything import IMPORTS, SEARCH

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LAB = "[data-lab=search]"
MEANING, WORDS = f"{LAB} [data-panel=by_meaning]", f"{LAB} [data-panel=by_words]"
WAIT = 60_000


def test_questions_a_folder_and_a_restart(open_notebook: OpenNotebook, tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("The train to Vienna leaves in the morning.")
    (tmp_path / "bread.txt").write_text("Bread is baked of flour, water and salt.")
    watched = open_notebook(f"{IMPORTS}\n{SEARCH}", more=False)
    page = watched.page
    page.wait_for_selector(f"{LAB}[data-drawn]", timeout=WAIT)
    question = page.get_by_label("Question", exact=True)
    question.fill("erase the folder")
    page.wait_for_selector(f"{MEANING} [role=option] >> nth=0 >> text=Remove a directory")
    assert page.locator(f"{WORDS} mark").all_inner_texts() == ["folder"]
    page.locator(f"{WORDS} [role=listbox]").focus()
    page.keyboard.press("Home")
    both = f"{LAB}:has([data-panel=by_meaning] [aria-selected=true]:has-text('Copy a file'))"
    page.wait_for_selector(f"{both} [data-panel=by_words] [aria-selected=true]", timeout=WAIT)
    assert page.locator(f"{MEANING} [aria-selected=true]").count() == 1
    folder = page.get_by_label("Your folder", exact=True)
    folder.fill(str(tmp_path / "missing"))
    page.get_by_role("button", name="Read this folder").click()
    page.wait_for_selector(f"{LAB} .course-lab-notice:has-text('is no folder')", timeout=WAIT)
    folder.fill(str(tmp_path))
    page.get_by_role("button", name="Read this folder").click()
    page.wait_for_selector(f"{LAB} [data-panel=reading] >> text=Read: 2 passages", timeout=WAIT)
    question.fill("travel by rail")
    page.wait_for_selector(f"{MEANING} [role=option] >> nth=0 >> text=Vienna", timeout=WAIT)
    watched.picture("search-folder")
    page.click("#jp-MainMenu >> text=Kernel")
    page.click('[data-command="kernelmenu:restart"]')
    page.click(".jp-Dialog .jp-mod-accept")
    page.wait_for_selector(
        f"{LAB} .course-lab-notice:has-text('Run this cell again')", timeout=WAIT
    )
    page.wait_for_selector("#jp-main-statusbar >> text=| Idle", timeout=WAIT)
    page.locator(".jp-CodeCell .jp-InputArea-editor").first.click()
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(
        f"{LAB} .course-lab-notice:has-text('has to be read first')", timeout=WAIT
    )
    assert question.input_value() == "travel by rail"
    assert folder.input_value() == str(tmp_path)
    assert page.locator(f"{MEANING} [role=option]").count() == 5
