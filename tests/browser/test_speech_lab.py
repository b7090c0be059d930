"""The speech lab in a real browser: a recording walked through, played, changed, and spoken."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.browser.conftest import OpenNotebook
from tests.browser.everything import IMPORTS
from tests.browser.toy_speech import SPEECH

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LAB = "[data-lab=speech]"
WAIT = 60_000
# In the page: note the tracks of the microphone that were handed out.
TRACKS = """() => {
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  window.courseTracks = [];
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    const stream = await ask(wanted);
    window.courseTracks.push(...stream.getTracks());
    return stream;
  };
}"""
# In the page: note what a button says, however soon it says something else.
LABELS = """(button) => {
  window.courseLabels = [];
  const note = () => window.courseLabels.push(button.textContent);
  new MutationObserver(note).observe(button, { characterData: true, childList: true, subtree: true });
}"""
STATES = "() => window.courseTracks.map((track) => track.readyState)"


def drawn(page: Any) -> str:
    return str(page.get_attribute(LAB, "data-drawn"))


def follows(page: Any, changed: str) -> None:
    page.wait_for_function(
        "([lab, before]) => document.querySelector(lab).dataset.drawn !== before",
        arg=[LAB, changed],
        timeout=WAIT,
    )


def opened(open_notebook: OpenNotebook, *cells: str, **how: Any) -> Any:
    watched = open_notebook(IMPORTS, SPEECH, *cells, **how)
    watched.page.wait_for_selector(f"{LAB}[data-drawn]", timeout=WAIT)
    watched.page.wait_for_selector("#jp-main-statusbar >> text=| Idle", timeout=WAIT)
    return watched


@pytest.mark.parametrize("dark", [False, True])
def test_a_recording_is_walked_through_played_and_changed(
    open_notebook: OpenNotebook, dark: bool
) -> None:
    watched = opened(open_notebook, height=1500, dark=dark)
    page = watched.page
    theme = "dark" if dark else "light"
    watched.picture(f"speech-start-{theme}")
    canvas = page.locator(f"{LAB} [data-panel=sound] canvas")
    readout = page.locator(f"{LAB} [data-panel=sound] .course-lab-readout")
    canvas.focus()
    before = drawn(page)
    page.keyboard.press("ArrowRight")
    follows(page, before)
    assert readout.inner_text().startswith("frame 1, 0.06 s:")
    play = page.locator(f"{LAB} [data-press=play]")
    assert "Play" in play.inner_text()
    page.keyboard.press("Space")
    assert "Stop" in play.inner_text()
    page.wait_for_function(
        "(button) => button.textContent.includes('Play')", arg=play.element_handle(), timeout=WAIT
    )  # at the end of the sound, about a second later
    words = page.locator(f"{LAB} [data-panel=words] .course-lab-scroller")
    words.focus()
    before = drawn(page)
    page.keyboard.press("End")
    follows(page, before)
    assert "“middle”" in readout.inner_text()
    before = drawn(page)
    page.locator(f"{LAB} button:text-is('The word, or nothing')").click()
    follows(page, before)
    assert "Said is “low high middle”" in page.inner_text(f"{LAB} .course-lab-summary")
    watched.picture(f"speech-cut-{theme}")
    before = drawn(page)
    page.locator(f"{LAB} label:text-is('Speed') + input").focus()
    page.keyboard.press("ArrowLeft")
    follows(page, before)
    play.evaluate(LABELS)
    play.click()  # the samples of what is heard now are fetched first
    page.wait_for_function("() => window.courseLabels.length === 2", timeout=WAIT)
    assert page.evaluate("() => window.courseLabels") == ["■ Stop", "▶ Play"]
    page.locator(f"{LAB} button:text-is('Numbers as tables')").click()
    rows = page.locator(f"{LAB} [data-panel=sound] .course-lab-behind tbody tr")
    assert rows.count() > 20


def test_the_microphone_is_heard_by_the_kernel(open_notebook: OpenNotebook) -> None:
    watched = opened(open_notebook, height=1500, afresh=True)
    page = watched.page
    record = page.locator(f"{LAB} [data-press=record]")
    page.evaluate(TRACKS)
    assert "sent nowhere else" in page.inner_text(f"{LAB} [data-panel=sound]")
    before = drawn(page)
    record.click()
    page.wait_for_selector(f"{LAB} [data-press=record][aria-pressed=true]", timeout=WAIT)
    page.wait_for_timeout(1500)
    # On a busy machine the five seconds may be over, and another press would record again.
    record.evaluate("(button) => button.getAttribute('aria-pressed') === 'true' && button.click()")
    follows(page, before)
    chosen = page.locator(f"{LAB} label:text-is('Clip') + select")
    assert chosen.evaluate("(node) => node.selectedOptions[0].textContent") == "your recording"
    told = page.inner_text(f"{LAB} .course-lab-summary")
    watched.picture("speech-recorded")
    found = re.match(r"Your recording, ([\d.]+) s", told)
    assert found is not None
    assert 0.5 < float(found[1]) <= 5.0
    assert "read as" in told  # its beeps were heard: of silence nothing would be read
    assert page.evaluate(STATES) == ["ended"]  # the microphone is let go


def test_without_a_microphone_a_sentence_says_so(open_notebook: OpenNotebook) -> None:
    watched = opened(open_notebook, height=1500, afresh=True)
    page = watched.page
    record = page.locator(f"{LAB} [data-press=record]")
    state = page.locator(f"{LAB} [data-panel=sound] [role=status]")
    refuse = "() => { navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', '%s')); }"
    page.evaluate(refuse % "NotAllowedError")
    record.click()
    page.wait_for_function("(node) => node.textContent", arg=state.element_handle(), timeout=WAIT)
    assert "was refused" in state.inner_text()
    page.evaluate(refuse % "NotFoundError")
    record.click()
    page.wait_for_function(
        "(node) => node.textContent.startsWith('No microphone')", arg=state.element_handle()
    )
    assert record.get_attribute("aria-pressed") == "false"
