"""A JupyterLab for all browser tests, and for each test a notebook in a page that is watched."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.desk import Desk, Watched
from tests.browser.server import ARGUMENTS, JupyterLab, jupyterlab, write_notebook

playwright = pytest.importorskip("playwright.sync_api")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, chromium: str) -> Iterator[JupyterLab]:
    """A JupyterLab that serves an empty folder; nothing of the user's is touched."""
    folder = tmp_path_factory.mktemp("notebooks")
    with jupyterlab(folder, tmp_path_factory.mktemp("jupyter"), forked=True) as running:
        yield running


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Any]:
    """A Chromium that can reach nothing but this machine; its microphone beeps, and is granted to whoever asks."""
    beeps = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    with playwright.sync_playwright() as play:
        started = play.chromium.launch(executable_path=chromium, args=[*ARGUMENTS, *beeps])
        yield started
        started.close()


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


@pytest.fixture(scope="session")
def desks(server: JupyterLab, browser: Any) -> Iterator[list[Desk]]:
    """The pages in which all notebooks are opened that need none of their own: a light and a dark one."""
    shared = [Desk(server, browser, dark) for dark in (False, True)]
    yield shared
    for desk in shared:
        desk.leave()


def opening(
    desks: list[Desk], server: JupyterLab, browser: Any, request: pytest.FixtureRequest
) -> Iterator[OpenNotebook]:
    """Give `open_notebook`, and look at the pages afterwards."""
    used: set[Desk] = set()
    opened: list[Watched] = []
    failed = request.session.testsfailed

    def open_it(*cells: str, afresh: bool = False, dark: bool = False, **how: Any) -> Watched:
        name = Path(request.node.name).stem.split("[")[0]
        path = server.folder / f"{name}-{len(opened)}.ipynb"
        write_notebook(path, *cells)
        desk = Desk(server, browser, dark) if afresh else desks[dark]
        used.add(desk)
        opened.append(desk.open(path, **how))
        return opened[-1]

    yield open_it
    for watched in opened:
        watched.look_away()
    for desk in used:
        # What a failed test leaves is unknown.
        shared = desk in desks and request.session.testsfailed == failed
        desk.clear() if shared else desk.leave()
    for watched in opened:
        assert watched.errors == []
        assert watched.outside == []


@pytest.fixture
def open_notebook(
    desks: list[Desk], server: JupyterLab, browser: Any, request: pytest.FixtureRequest
) -> Iterator[OpenNotebook]:
    """Opens a notebook of the given cells, runs it, and gives the page.

    After the test the page must have had no error, and asked nothing of another machine.
    Labs begin with all that they have, as `more` was opened before; without, as for a newcomer.
    A test that reloads the page, or changes what outlives a notebook, asks for a page `afresh`.
    """
    yield from opening(desks, server, browser, request)


@pytest.fixture(scope="module")
def open_for_the_module(
    desks: list[Desk],
    server: JupyterLab,
    browser: Any,
    request: pytest.FixtureRequest,
) -> Iterator[OpenNotebook]:
    """The same, for a file whose tests share a notebook and open no other."""
    yield from opening(desks, server, browser, request)
