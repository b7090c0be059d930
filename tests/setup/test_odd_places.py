"""Commands in odd surroundings: each ends with a sentence, none with a traceback."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from course.setup import commands, state

ROOT = Path(__file__).resolve().parents[2]
COURSE = f"{shlex.quote(sys.executable)} -m course"


def shell(line: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        line, shell=True, cwd=ROOT, env={**os.environ, **environ}, capture_output=True, text=True
    )


@pytest.mark.skipif(os.name == "nt", reason="the lines are for a POSIX shell")
@pytest.mark.parametrize(
    "line",
    [
        f"{COURSE} status | head -1",
        f"{COURSE} status >&-",
        f"{COURSE} status 2>&-",
        f"{COURSE} build --check | head -1",
        f"{COURSE} reset --yes",
        f"env -u HOME {COURSE} status",
        f"LC_ALL=C PYTHONUTF8=0 PYTHONIOENCODING=ascii {COURSE} status",
    ],
)
def test_no_command_ends_in_a_traceback(line: str, tmp_path: Path) -> None:
    answer = shell(line, COURSE_HOME=str(tmp_path / "ü注"))
    assert "Traceback" not in answer.stderr
    assert "Exception" not in answer.stderr


def test_a_reset_without_rights_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COURSE_HOME", str(tmp_path))
    (tmp_path / "progress.json").write_text("{}")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", str(tmp_path / "progress.json"))

    monkeypatch.setattr(state.os, "rename", refuse)
    assert commands.main(["reset", "--yes"]) == 1
    said = capsys.readouterr().err
    assert "progress.json" in said
    assert "Permission denied" in said


def test_a_reset_takes_what_killed_writes_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COURSE_HOME", str(tmp_path))
    (tmp_path / ".progress.json.123.tmp").write_text("{")
    assert state.reset(ask=False) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
def test_an_output_without_room_is_not_blamed_on_a_folder(tmp_path: Path) -> None:
    answer = shell(f"{COURSE} status >/dev/full", COURSE_HOME=str(tmp_path))
    assert answer.returncode == 1
    assert answer.stderr.strip() == (
        "`status` did not finish: No space left on device. Is there room where its output goes?"
    )
