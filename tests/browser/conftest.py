"""A JupyterLab for all browser tests, and for each test a notebook in a page that is watched."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import pytest

from tests.browser.more import begin_open
from tests.browser.server import ARGUMENTS, JupyterLab, jupyterlab, open_and_run, write_notebook

playwright = pytest.importorskip("playwright.sync_api")

# Console errors that JupyterLab itself causes.
HARMLESS = ("favicon", "ResizeObserver loop")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, chromium: str) -> Iterator[JupyterLab]:
    """A JupyterLab that serves an empty folder; nothing of the user's is touched."""
    folder = tmp_path_factory.mktemp("notebooks")
    with jupyterlab(folder, tmp_path_factory.mktemp("jupyter")) as running:
        yield running


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Any]:
    """A Chromium that can reach nothing but this machine; its microphone beeps, and is granted to whoever asks."""
    beeps = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    with playwright.sync_playwright() as play:
        started = play.chromium.launch(executable_path=chromium, args=[*ARGUMENTS, *beeps])
        yield started
        started.close()


class Watched:
    """A page, and what it said and asked for."""

    def __init__(self, page: Any, pictures: Path) -> None:
        self.page, self.pictures = page, pictures
        self.errors: list[str] = []
        self.outside: list[str] = []
        self.sent = 0  # messages to the kernel that move a control
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.errors.append(error.stack or str(error)))
        page.on("request", self._on_request)
        page.on("websocket", lambda socket: socket.on("framesent", self._on_frame))

    def _on_console(self, message: Any) -> None:
        text = f"{message.text} {message.location}"
        if message.type == "error" and not any(word in text for word in HARMLESS):
            self.errors.append(text)

    def _on_request(self, request: Any) -> None:
        address = urlparse(request.url)
        if address.scheme in ("http", "https", "ws", "wss") and address.hostname != "127.0.0.1":
            self.outside.append(request.url)

    def _on_frame(self, frame: Any) -> None:
        data = frame if isinstance(frame, bytes) else str(frame).encode()
        self.sent += b'"type": "change"' in data or b'"type":"change"' in data

    def picture(self, name: str) -> None:
        """Keep a screenshot, for a person to look at."""
        self.page.screenshot(path=str(self.pictures / f"{name}.png"))


OpenNotebook = Callable[..., Watched]


def at_rest(page: Any, look: Callable[[], Any]) -> Any:
    """What is seen once it stays: the first picture is drawn anew when the page is laid out."""
    now = look()
    for _ in range(60):
        page.wait_for_timeout(500)
        before, now = now, look()
        if now == before:
            return now
    raise AssertionError("the picture changes for ever")


@pytest.fixture
def open_notebook(
    server: JupyterLab, browser: Any, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[OpenNotebook]:
    """Opens a notebook of the given cells, runs it, and gives the page.

    After the test the page must have had no error, and asked nothing of another machine.
    Labs begin with all that they have, as `more` was opened before; without, as for a newcomer.
    COURSE_PICTURES names a folder where screenshots are kept.
    """
    opened: list[tuple[Any, Watched]] = []
    pictures = Path(os.environ.get("COURSE_PICTURES") or tmp_path)
    pictures.mkdir(parents=True, exist_ok=True)

    def open_it(
        *cells: str, width: int = 1400, height: int = 1500, dark: bool = False, more: bool = True
    ) -> Watched:
        name = f"{request.node.name.split('[')[0]}-{len(opened)}.ipynb"
        write_notebook(server.folder / name, *cells)
        context = browser.new_context(
            viewport={"width": width, "height": height}, accept_downloads=True
        )
        if more:
            begin_open(context)
        watched = Watched(context.new_page(), pictures)
        opened.append((context, watched))
        if dark:
            server.set_theme("JupyterLab Dark")
        open_and_run(watched.page, server, name)
        return watched

    yield open_it
    server.set_theme("JupyterLab Light")
    for context, _ in opened:
        context.close()
    server.shut_kernels()
    for _, watched in opened:
        assert watched.errors == []
        assert watched.outside == []
