"""The same hostile answers in a real kernel, which outlives them; and one that is ended says so."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.manager import KernelManager

from tests.checking.hostile import BORROWS, HOSTILE, PRELUDE
from tests.forked import forked_kernels
from tests.sampled import thinned

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        sys.platform != "linux", reason="elsewhere answers run in the kernel itself"
    ),
]
HURRY = """
from course.sandbox import guards, isolated, marker
guards.SECONDS, isolated.GRACE, isolated.MEMORY, marker._WATCHDOG = 1.0, 0.5, 3 << 30, 5.0
"""
RIGHT = "print(check('attention.softmax', right).status)"


class Kernel:
    """A kernel of this Python, and what its cells print."""

    def __init__(self, home: Path, **environ: str) -> None:
        self.manager = KernelManager(kernel_name="python3")
        spec = self.manager.kernel_spec
        assert spec is not None
        spec.argv[0] = sys.executable
        paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        more = {"COURSE_HOME": str(home), "PYTHONPATH": paths, **environ}
        self.manager.start_kernel(env={**os.environ, **more}, cwd=str(home.parent))
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=120)
        self.run(PRELUDE + HURRY)

    def run(self, code: str, interrupt_after: float | None = None) -> str:
        """What a cell prints; an error ends in its name."""
        said: list[str] = []

        def hear(message: dict[str, Any]) -> None:
            content = message["content"]
            said.append(content.get("text") or content.get("ename") or "")

        if interrupt_after is not None:
            # What comes soon after an error a kernel would turn down, unless it is told not to.
            self.client.execute(code, stop_on_error=False)
            time.sleep(interrupt_after)
            self.manager.interrupt_kernel()
            reply = self.client.get_shell_msg(timeout=60)
            return str(reply["content"].get("ename"))
        self.client.execute_interactive(
            code, output_hook=hear, timeout=120, allow_stdin=False, stop_on_error=False
        )
        return "".join(said)

    def run_and_die(self, code: str) -> None:
        """Run a cell that ends the kernel."""
        self.client.execute(code)
        until = time.monotonic() + 120
        while self.manager.is_alive() and time.monotonic() < until:
            time.sleep(0.05)
        assert not self.manager.is_alive()

    def close(self) -> None:
        """End it."""
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module", autouse=True)
def forked() -> Iterator[None]:
    """Fork the kernels from a process that has imported torch and the course."""
    with forked_kernels("course.checking.entry"):
        yield


@pytest.fixture
def started(course_home: Path) -> Iterator[Any]:
    """Starts kernels that share one learner's folder, and ends them."""
    kernels: list[Kernel] = []

    def start(**environ: str) -> Kernel:
        kernels.append(Kernel(course_home, **environ))
        return kernels[-1]

    yield start
    for kernel in kernels:
        kernel.close()


def test_the_kernel_outlives_all_of_them(started: Any) -> None:
    kernel = started()
    pid = kernel.run("print(os.getpid())")
    # Each eighth by day; test_hostile.py tries each second of them alone, and every hang.
    for name, (source, words) in thinned(
        [one for one in HOSTILE.items() if one[0] not in BORROWS], 8
    ):
        cell = f"{source}\nreport = check('attention.softmax', softmax)\nprint(report.message)"
        said = kernel.run(cell)
        assert words in said, f"{name}: {said}"
        assert kernel.run(RIGHT).strip().endswith("passed"), name
    assert kernel.run("print(os.getpid())") == pid


def test_what_calls_its_own_reference_is_noticed_in_a_kernel(started: Any) -> None:
    kernel = started()
    for name, (source, words) in BORROWS.items():
        said = kernel.run(f"{source}\nprint(check('attention.softmax', softmax).message)")
        assert words in said, f"{name}: {said}"
    assert kernel.run(RIGHT).strip() == "passed"


def test_the_stop_button_ends_the_check_and_not_the_kernel(started: Any) -> None:
    kernel = started()
    cell = (
        "guards.SECONDS = 100.0\ndef softmax(x, dim):\n    return sum(range(10**12))\n"
        "check('attention.softmax', softmax)"
    )
    assert kernel.run(cell, interrupt_after=3.0) == "KeyboardInterrupt"
    assert kernel.run(RIGHT).strip() == "passed"
    left = (
        "import glob\nparents = [open(path).read().rpartition(')')[2].split()[1] "
        "for path in glob.glob('/proc/[0-9]*/stat')]\nprint(str(os.getpid()) in parents)"
    )
    assert kernel.run(left).strip() == "False"


def test_a_kernel_that_an_answer_ends_is_told_of_by_the_next(started: Any) -> None:
    kernel = started()
    cell = "def softmax(x, dim):\n    os.kill(os.getppid(), signal.SIGKILL)\n    time.sleep(100)\n"
    kernel.run_and_die(cell + "check('attention.softmax', softmax)")
    said = started().run(RIGHT)
    assert "The last kernel ended while it tried your answer to attention.softmax" in said
    assert said.strip().endswith("passed")
    assert "The last kernel" not in started().run(RIGHT)


def test_in_the_kernel_s_own_process_a_hang_ends_it_and_the_next_says_so(started: Any) -> None:
    alone = {"COURSE_CHECK_IN_PROCESS": "1"}
    kernel = started(**alone)
    assert kernel.run(
        "exec('def softmax(x, dim): exit()')\nprint(check('attention.softmax', softmax))"
    )
    kernel.run_and_die(
        "def softmax(x, dim):\n    return sum(range(10**12))\ncheck('attention.softmax', softmax)"
    )
    said = started(**alone).run(RIGHT)
    assert "had not come to an end" in said
    assert "in softmax, line 2" in said
    assert said.strip().endswith("passed")


def test_a_saved_answer_that_ends_the_kernel_is_set_aside(started: Any, course_home: Path) -> None:
    alone = {"COURSE_CHECK_IN_PROCESS": "1"}
    kernel = started(**alone)
    kernel.run(RIGHT)
    saved = course_home / "answers" / "attention.softmax.py"
    saved.write_text("import os\nos.kill(os.getpid(), 9)\n")
    fresh = started(**alone)
    fresh.run_and_die("use('attention.softmax')")
    said = started(**alone).run("use('attention.softmax')")
    assert "ran your saved answer to attention.softmax" in said
    assert "the reference, until yours has passed" in said
    assert not saved.exists()
