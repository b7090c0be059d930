"""Runs a chapter's cells that check and use answers in a copy of this process, which has the references already.

IPython runs the cells as it does in a kernel. What a kernel adds (it starts, and sends what is shown) is tested where
whole notebooks run: under nbval, in Colab's environment and in a browser.
"""

from __future__ import annotations

import faulthandler
import os
import select
import signal
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path

import nbformat
import torch
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from course.checking.explain import diagnosis
from course.sandbox import guards
from course.system import forking
from tests.notebooks.offline import NO_NETWORK
from tests.notebooks.states import CELL_SECONDS, Outcome, left_behind, run, variant


def run_checks(chapter: str, given: Mapping[str, str], folder: Path, home: Path) -> Outcome:
    """Run the chapter's checks with these sources typed in, as a kernel that has just started would."""
    text = variant(chapter, given, checks_alone=True)
    if not forking.possible():  # a copy could not compute here
        return run(text, folder, home)
    sources = [cell.source for cell in nbformat.reads(text, 4).cells if cell.cell_type == "code"]
    for exercise_id in given:  # computed here, every later copy has it
        with guards.apart():
            diagnosis.references(exercise_id)
    folder.mkdir(parents=True, exist_ok=True)
    log, network = folder / "output.txt", folder / "network.txt"
    environ = {"COURSE_HOME": str(home), "COURSE_TEST_NETWORK": str(network)}
    sys.stdout.flush()
    sys.stderr.flush()
    faulthandler.cancel_dump_traceback_later()  # pytest's: the copy would wait for its thread, which it does not have
    copy = forking.fork()
    if copy == 0:
        _live(sources, log, environ)
    status = _ended(copy)
    output = log.read_text(encoding="utf-8", errors="replace")
    return left_behind(os.waitstatus_to_exitcode(status), output, home, network)


def _ended(copy: int) -> int:
    """Wait for a copy, and for a hanging one not for ever; its status."""
    watched = os.pidfd_open(copy)
    if not select.select([watched], [], [], CELL_SECONDS)[0]:
        os.kill(copy, signal.SIGKILL)
    os.close(watched)
    return os.waitpid(copy, 0)[1]


def _live(sources: list[str], log: Path, environ: Mapping[str, str]) -> None:
    """What the copy does until it ends."""
    status = 1
    try:
        with log.open("w", encoding="utf-8", buffering=1) as output:
            for number in (1, 2):  # what children and libraries write, too
                os.dup2(output.fileno(), number)
            sys.stdout = sys.stderr = output
            os.environ.update(environ)
            exec(compile(NO_NETWORK, "<no network>", "exec"), {})
            torch.set_num_threads(1)
            status = int(not _all_run(sources))
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def _all_run(sources: list[str]) -> bool:
    """Whether all cells run, one after the other, in IPython."""
    quiet = Config(
        {"HistoryManager": {"enabled": False}, "InteractiveShell": {"colors": "NoColor"}}
    )
    shell = InteractiveShell.instance(config=quiet)
    return all(shell.run_cell(source, store_history=True).success for source in sources)
