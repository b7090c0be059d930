"""A real JupyterLab with a learner's folder of its own, and a real Chromium that looks at it."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.forked import STARTED

ROOT = Path(__file__).resolve().parents[2]
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
START_SECONDS = 90
UNFORKED = "unforked"  # the name of a kernel that is started by its command, as everywhere


class JupyterLab:
    """A running server: its address, its token, and the folder that it serves."""

    def __init__(self, folder: Path, port: int, token: str) -> None:
        self.folder, self.port, self.token = folder, port, token

    def address(self, notebook: str | None = None) -> str:
        """Where JupyterLab, or a notebook of the folder, opens in a workspace of its own."""
        base = f"http://127.0.0.1:{self.port}/lab/workspaces/{secrets.token_hex(4)}"
        return f"{base}{f'/tree/{notebook}' if notebook else ''}?token={self.token}"

    def set_theme(self, name: str) -> None:
        """Choose JupyterLab's theme, for pages opened from now on."""
        data = json.dumps({"raw": json.dumps({"theme": name})}).encode()
        self._ask("/lab/api/settings/@jupyterlab/apputils-extension:themes", "PUT", data)

    def shut_kernels(self) -> None:
        """End all kernels, so that none stays behind a closed page."""
        for session in json.loads(self._ask("/api/sessions")):
            self._ask(f"/api/sessions/{session['id']}", "DELETE")

    def _ask(self, path: str, method: str = "GET", data: bytes | None = None) -> bytes:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            data=data,
            method=method,
            headers={"Authorization": f"token {self.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return bytes(answer.read())

    def answers(self) -> bool:
        """Whether the server is there."""
        try:
            return b"started" in self._ask("/api/status")
        except OSError:
            return False


@contextmanager
def jupyterlab(folder: Path, home: Path, *, forked: bool = False) -> Iterator[JupyterLab]:
    """Serve `folder` with the project's own settings; nothing of the user's is read or written.

    With `forked`, kernels are forked (see `tests/forked.py`) and compute in one thread.
    """
    _write_spec(home / "data" / "kernels" / UNFORKED)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    lab = JupyterLab(folder, port, secrets.token_hex(16))
    command = [
        *(sys.executable, "-m", "tests.browser.jupyterlab_forking" if forked else "jupyterlab"),
        *("--no-browser", "--allow-root", "--expose-app-in-browser"),
        "--LanguageServerManager.autodetect=False",  # asks npm, and no test uses it
        "--KernelManager.shutdown_wait_time=0.4",  # s; a kernel needs 2 s to go by itself
        *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"),
        *(f"--IdentityProvider.token={lab.token}", f"--ServerApp.root_dir={folder}"),
    ]
    environment = {
        **os.environ,
        "COURSE_HOME": str(home / "course"),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "JUPYTER_CONFIG_PATH": str(ROOT / "course" / "setup" / "jupyter"),
        "PYTHONPATH": str(ROOT),
        **({"OMP_NUM_THREADS": "1"} if forked else {}),
    }
    with (home / "server.log").open("w") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        _wait_for(lab, process, home / "server.log")
        yield lab
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _write_spec(folder: Path) -> None:
    """Describe the kernel that is started for itself."""
    folder.mkdir(parents=True)
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": command, "display_name": UNFORKED, "language": "python", "env": {STARTED: "1"}}
    (folder / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")


def _wait_for(lab: JupyterLab, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if lab.answers():
            return
        if process.poll() is not None:
            break
        time.sleep(0.2)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()[-3000:]}")


def notebook(*cells: str) -> dict[str, Any]:
    """A notebook of code cells, with the metadata without which a dialog would ask for a kernel."""
    spec = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    return {
        "cells": [
            {
                "cell_type": "code",
                "execution_count": None,
                "id": f"cell-{i}",
                "metadata": {},
                "outputs": [],
                "source": source,
            }
            for i, source in enumerate(cells)
        ],
        "metadata": {"kernelspec": spec, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def write_notebook(path: Path, *cells: str) -> None:
    """Write a notebook of code cells to a file."""
    path.write_text(json.dumps(notebook(*cells)), encoding="utf-8")


def open_and_run(page: Any, lab: JupyterLab, name: str, timeout: float = 120_000) -> None:
    """Open a notebook and run all its cells through the menu."""
    page.goto(lab.address(name))
    page.wait_for_selector("#jp-main-statusbar >> text=| Idle", timeout=timeout)
    run_all(page)


def run_all(page: Any) -> None:
    """Run all cells of the open notebook through the menu."""
    page.click("text=Run >> nth=0")
    page.click('[data-command="runmenu:run-all"]')
