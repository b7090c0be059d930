"""What a killed or ended preparation leaves behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from course.setup import runner

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and flock are POSIX")

CHILD = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
PARENT = """
import signal, sys
from pathlib import Path
from course.setup import runner
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests may run under nohup, which ignores it
with runner.ended_by_signals(), runner.locked(Path(sys.argv[1]), lambda: None):
    runner.run([sys.executable, "-c", sys.argv[2]], lambda line: print(line, flush=True))
"""


def start(lock: Path) -> tuple[subprocess.Popen[str], int]:
    """A process under the lock, and the id of the one that it runs."""
    command = [sys.executable, "-c", PARENT, str(lock), CHILD]
    parent = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert parent.stdout is not None
    return parent, int(parent.stdout.readline())


def test_the_next_run_waits_for_the_installer_of_a_killed_one(tmp_path: Path) -> None:
    parent, child = start(tmp_path / "lock")
    parent.kill()
    parent.wait()
    waited: list[bool] = []

    def end_child() -> None:
        waited.append(True)
        os.kill(child, signal.SIGKILL)

    with runner.locked(tmp_path / "lock", end_child):
        pass
    assert waited == [True]


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_an_ended_run_ends_its_installer(tmp_path: Path, name: str) -> None:
    parent, _ = start(tmp_path / "lock")
    parent.send_signal(getattr(signal, name))
    assert parent.wait(60) != 0  # it waits for its child, which the signal ended
    waited: list[bool] = []
    with runner.locked(tmp_path / "lock", lambda: waited.append(True)):
        pass
    assert waited == []
