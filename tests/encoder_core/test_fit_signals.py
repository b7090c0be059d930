"""SIGTERM: the training saves, and the process ends as its parent expects it to."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from safetensors import safe_open

from encoder_core.training.interrupts import Interrupts

pytestmark = [
    pytest.mark.slow,  # each waits for a process
    pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to catch"),
]
SCRIPT = Path(__file__).with_name("signals_script.py")
ROOT = Path(__file__).parents[2]


@contextmanager
def training(
    checkpoint: Path, handling: str = "default", place: str = "main", processes: int = 1
) -> Iterator[subprocess.Popen[str]]:
    """Start the script; end it, and its group, whatever happens in the test."""
    launcher = [sys.executable]
    if processes > 1:
        launcher += ["-m", "torch.distributed.run", f"--nproc-per-node={processes}"]
        launcher += ["--master-addr=127.0.0.1", "--master-port=0", "--rdzv-backend=c10d"]
        launcher += ["--rdzv-endpoint=127.0.0.1:0", "--local-addr=127.0.0.1"]
    process = subprocess.Popen(
        [*launcher, str(SCRIPT), str(checkpoint), handling, place],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": ""},
    )  # fmt: skip
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def wait_for(process: subprocess.Popen[str], word: str, lines: int = 1) -> set[int]:
    """Read until that many processes have said a word; return their ids."""
    assert process.stdout is not None
    found: set[int] = set()
    said = ""
    for line in process.stdout:
        said += line
        if line.startswith(word):
            found.add(int(line.split()[-1]))
        if len(found) == lines:
            return found
    raise AssertionError(said)


def end(process: subprocess.Popen[str]) -> str:
    """Wait for its end; return what it printed since."""
    assert process.stdout is not None
    printed = process.stdout.read()
    process.wait()
    return printed


def saved_step(path: Path) -> int:
    with safe_open(path, "pt") as file:
        return int(json.loads(file.metadata()["facts"])["step"])


def assert_saved(path: Path) -> None:
    assert saved_step(path) >= 3
    assert os.listdir(path.parent) == [path.name]  # no lock, nothing unfinished


def test_sigterm_saves_and_the_parent_sees_it(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with training(path) as process:
        wait_for(process, "ready")
        process.terminate()
        printed = end(process)
    assert process.returncode == -signal.SIGTERM
    assert "printed before" in printed
    assert "after" not in printed
    assert_saved(path)


@pytest.mark.parametrize(
    ("handling", "code", "after"),
    [("return", 0, True), ("exit", 7, False)],
)
def test_a_handler_of_the_callers_is_called_once_all_is_saved(
    tmp_path: Path, handling: str, code: int, after: bool
) -> None:
    path = tmp_path / "run"
    with training(path, handling) as process:
        wait_for(process, "ready")
        process.terminate()
        printed = end(process)
    assert process.returncode == code
    assert printed.count("handler of SIGTERM") == 1
    assert ("after, interrupted=True" in printed) == after
    assert_saved(path)


def test_an_ignored_sigterm_stays_ignored(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with training(path, "ignore") as process:
        wait_for(process, "ready")
        process.terminate()
        for _ in range(5):  # it goes on
            wait_for(process, "ready")
        process.send_signal(signal.SIGINT)
        printed = end(process)
    assert process.returncode == 0
    assert "after, interrupted=True" in printed


def test_sigint_ends_the_training_and_not_the_process(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with training(path) as process:
        wait_for(process, "ready")
        process.send_signal(signal.SIGINT)
        printed = end(process)
    assert process.returncode == 0
    assert "after, interrupted=True" in printed
    assert_saved(path)


@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGINT])
def test_a_second_sigterm_does_not_wait_for_the_update(
    tmp_path: Path, first: signal.Signals
) -> None:
    path = tmp_path / "run"
    with training(path, place="slow") as process:
        wait_for(process, "update")
        process.send_signal(first)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1)  # the update goes on
        process.terminate()
        printed = end(process)  # long before the update's end
    assert process.returncode == -signal.SIGTERM
    assert "after" not in printed
    assert os.listdir(tmp_path) == []  # no update was made


def test_in_a_thread_sigterm_ends_the_process_as_ever(tmp_path: Path) -> None:
    with training(tmp_path / "run", place="thread") as process:
        wait_for(process, "ready")
        process.terminate()
        end(process)
    assert process.returncode == -signal.SIGTERM
    with training(tmp_path / "run") as process:  # its lock ended with it
        wait_for(process, "ready")


@pytest.mark.slow
@pytest.mark.parametrize("who", ["torchrun", "one process"])
def test_under_torchrun_all_processes_stop_at_one_update_and_end(tmp_path: Path, who: str) -> None:
    path = tmp_path / "run"
    with training(path, processes=2) as process:
        ids = wait_for(process, "ready")  # the first process reports
        os.kill(process.pid if who == "torchrun" else ids.pop(), signal.SIGTERM)
        printed = end(process)
    assert process.returncode != 0
    assert "after" not in printed
    assert_saved(path)


def test_a_caller_in_between_gets_the_signal_too() -> None:
    """A training inside of another's callback: both save, and then the handler of before is called."""
    came: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: came.append(number))
    try:
        with Interrupts() as outer:
            with Interrupts() as inner:
                signal.raise_signal(signal.SIGTERM)
                assert outer.asked is None
            assert inner.asked == outer.asked == signal.SIGTERM
            assert came == []
        assert came == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_shield_holds_back_the_second_signal_only_while_it_lasts() -> None:
    done: list[str] = []
    with pytest.raises(KeyboardInterrupt), Interrupts() as interrupts:  # noqa: PT012
        with interrupts.shield():
            with interrupts.shield():
                for _ in range(3):
                    signal.raise_signal(signal.SIGINT)
                done.append("inner")
            done.append("outer")
        done.append("not reached")
    assert done == ["inner", "outer"]
    assert interrupts.asked == signal.SIGINT


def test_a_process_that_its_own_signal_cannot_end_exits(monkeypatch: pytest.MonkeyPatch) -> None:
    """As process 1 of a container: the system gives it no default action."""
    raised: list[Any] = []
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        with pytest.raises(SystemExit) as caught, Interrupts() as interrupts:  # noqa: PT012
            interrupts.ask(signal.SIGTERM)
            monkeypatch.setattr(signal, "raise_signal", raised.append)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert caught.value.code == 128 + signal.SIGTERM
    assert raised == [signal.SIGTERM]
