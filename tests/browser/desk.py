"""The one page of JupyterLab in which the tests' notebooks are opened, and what is watched of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from tests.browser.more import stored
from tests.browser.server import JupyterLab, run_all

# Errors that JupyterLab itself causes; and what anywidget says where the machine is so busy that a module takes
# two seconds to begin. A lab that never begins is never drawn, and each test waits for its labs. JupyterLab lists the
# kernels now and then, and its server fails at that while the one before is being ended.
HARMLESS = (
    "favicon",
    "ResizeObserver loop",
    "[anywidget] Failed to initialize model",
    "/api/kernels?",
)
LAUNCHER = ".jp-Launcher"
IDLE = "#jp-main-statusbar >> text=| Idle"
# In the page: close all that is open, unsaved or not, and ask nobody.
CLOSE = """() => {
  for (const widget of [...window.jupyterapp.shell.widgets("main")]) {
    if (widget.context) widget.context.model.dirty = false;
    widget.dispose();
  }
}"""
# In the page: bring it into the state of a newly opened one, then open a notebook and wait for its kernel.
OPEN = """async ([path, stored]) => {
  const { commands, shell } = window.jupyterapp;
  localStorage.clear();
  for (const [key, value] of Object.entries(stored)) localStorage.setItem(key, value);
  shell.expandLeft();
  const widget = await commands.execute("docmanager:open", { path, factory: "Notebook" });
  for (const other of [...shell.widgets("main")]) {
    if (other !== widget) other.dispose();
  }
  shell.activateById(widget.id);
  await widget.context.sessionContext.ready;
}"""


class Watched:
    """A page, and what it said and asked for. COURSE_PICTURES names a folder where screenshots are kept."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.errors: list[str] = []
        self.outside: list[str] = []
        self.sent = 0  # messages to the kernel that move a control
        self._listeners = {
            "console": self._on_console,
            "pageerror": self._on_error,
            "request": self._on_request,
            "websocket": self._on_socket,
        }
        for event, listener in self._listeners.items():
            page.on(event, listener)

    def look_away(self) -> None:
        """Note no more of what the page does."""
        for event, listener in self._listeners.items():
            self.page.remove_listener(event, listener)

    def _on_error(self, error: Any) -> None:
        self._note(error.stack or str(error))

    def _on_socket(self, socket: Any) -> None:
        socket.on("framesent", self._on_frame)

    def _on_console(self, message: Any) -> None:
        if message.type == "error":
            self._note(f"{message.text} {message.location}")

    def _note(self, error: str) -> None:
        if not any(words in error for words in HARMLESS):
            self.errors.append(error)

    def _on_request(self, request: Any) -> None:
        address = urlparse(request.url)
        if address.scheme in ("http", "https", "ws", "wss") and address.hostname != "127.0.0.1":
            self.outside.append(request.url)

    def _on_frame(self, frame: Any) -> None:
        data = frame if isinstance(frame, bytes) else str(frame).encode()
        self.sent += b'"type": "change"' in data or b'"type":"change"' in data

    def picture(self, name: str, part: str | None = None, **how: Any) -> None:
        """Keep a screenshot of the page or a part, for a person to look at, where one wants it."""
        if folder := os.environ.get("COURSE_PICTURES"):
            shown = self.page.locator(part) if part else self.page
            shown.screenshot(path=Path(folder) / f"{name}.png", **how)


class Desk:
    """A page of JupyterLab in which one notebook after the other is opened, run and closed.

    Opening the page takes longer than most tests, so it stays open. Each notebook has a kernel of its own, and
    finds the page as if it were opened for it: its size and storage, the mouse in a corner. The theme is chosen
    when the page is opened: after a change, JupyterLab at times told no more of its kernel.
    """

    def __init__(self, server: JupyterLab, browser: Any, dark: bool) -> None:
        self._server, self._browser = server, browser
        self._theme = f"JupyterLab {'Dark' if dark else 'Light'}"
        self._page: Any = None

    def open(
        self,
        path: Path,
        *,
        width: int = 1400,
        height: int = 1500,
        more: bool = True,
    ) -> Watched:
        """Open a notebook of the server's folder, and run all its cells through the menu."""
        page = self._page = self._page or self._fresh_page()
        page.set_viewport_size({"width": width, "height": height})
        page.mouse.move(0, 0)
        watched = Watched(page)
        page.evaluate(OPEN, [path.name, stored() if more else {}])
        page.wait_for_selector(IDLE, timeout=120_000)
        run_all(page)
        return watched

    def _fresh_page(self) -> Any:
        self._server.set_theme(self._theme)
        page = self._browser.new_context(accept_downloads=True).new_page()
        page.goto(self._server.address())
        page.wait_for_selector(LAUNCHER, timeout=120_000)
        themed = page.locator(f"body[data-jp-theme-name='{self._theme}']")
        themed.wait_for(state="attached", timeout=60_000)
        self._server.set_theme("JupyterLab Light")  # of pages that tests open by themselves
        return page

    def clear(self) -> None:
        """Close the notebook that is open, and end its kernel."""
        if self._page is not None:
            self._page.evaluate(CLOSE)
            self._page.wait_for_selector(LAUNCHER, timeout=60_000)  # it comes where nothing is open
            self._server.shut_kernels()

    def leave(self) -> None:
        """Close the page; the next notebook is opened in a new one."""
        if self._page is not None:
            self._page.context.close()
            self._server.shut_kernels()
        self._page = None
