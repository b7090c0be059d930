"""What a lab folds away at first."""

from __future__ import annotations

from typing import Any

from tests.browser.everything import EVERY_NAME

WAIT = 60_000


def stored() -> dict[str, str]:
    """What a browser stores when a learner has opened "More" in each lab."""
    return {f"course-lab-more:{lab}": "open" for lab in EVERY_NAME}


def begin_open(page_or_context: Any) -> None:
    """Let labs remember that "More" was opened, as when a learner opened it before."""
    names = "".join(f"localStorage.setItem('{key}', '{value}');" for key, value in stored().items())
    page_or_context.add_init_script(f"try {{ {names} }} catch {{}}")


def open_more(page: Any, lab: str) -> None:
    """Open what a lab folds away, in all its views, by keyboard; what is open stays open."""
    page.wait_for_selector(f"[data-lab={lab}][data-drawn]", timeout=WAIT)
    for button in page.locator(f"[data-lab={lab}] .course-lab-more").all():
        if button.get_attribute("aria-expanded") == "false":
            button.focus()
            page.keyboard.press("Space")
