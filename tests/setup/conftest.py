"""A machine that is only described, and an installer that only pretends."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from course.setup import installer, prepare
from course.setup.environment import Environment, Machine
from course.setup.installer import Installer
from course.setup.look import Probe

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Pretender:
    """Stands in for venv, pip and the environment's Python; remembers what it was asked to do."""

    purelib: Path
    commands: list[list[str]] = field(default_factory=list)
    constraints: list[str] = field(default_factory=list)
    checked_files: list[bool] = field(default_factory=list)
    installed: dict[str, str] = field(default_factory=dict)
    damaged: list[str] = field(default_factory=list)
    python: tuple[int, int, int] = (3, 11, 2)
    fails: dict[str, list[str]] = field(default_factory=dict)  # part of a command: what it says

    def run(self, command: Sequence[str | Path], on_line, environ=None) -> int:
        parts = [str(part) for part in command]
        self.commands.append(parts)
        if "-c" in parts and "install" in parts:
            self.constraints.append(Path(parts[parts.index("-c") + 1]).read_text())
        for part, lines in self.fails.items():
            if any(part in one for one in parts):
                for line in lines:
                    on_line(line)
                return 1
        if "venv" in parts:
            python = Path(parts[-1]) / "bin" / "python"
            python.parent.mkdir(parents=True, exist_ok=True)
            python.touch()
            python.with_name("activate").touch()
        return 0

    def look(self, environment: Environment, check_files: bool) -> Probe:
        self.checked_files.append(check_files)
        if not environment.python.exists():
            raise prepare.SetupError("does not run")
        damaged = self.damaged if check_files else []
        return Probe(self.python, True, self.purelib, dict(self.installed), damaged)

    def installs(self) -> list[list[str]]:
        """What was to be installed, call by call, without options."""
        calls = [command for command in self.commands if "install" in command]
        return [command[command.index("-c") + 2 :] for command in calls]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository that holds no more than what the preparation reads."""
    folder = tmp_path / "clone"
    folder.mkdir()
    for name in ("pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture
def pretender(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pretender:
    """Nothing is made and nothing fetched."""
    purelib = tmp_path / "purelib"
    purelib.mkdir()
    stand_in = Pretender(purelib)
    monkeypatch.setattr(prepare, "run", stand_in.run)
    monkeypatch.setattr(prepare, "look", stand_in.look)
    monkeypatch.setattr(installer, "run", stand_in.run)
    pip = Installer("pip", ("python", "-m", "pip", "install"))
    monkeypatch.setattr(prepare.Installer, "find", lambda python, has_pip: pip if has_pip else None)
    monkeypatch.setattr(prepare.torch_build, "has_nvidia_gpu", lambda: False)
    monkeypatch.setattr(prepare.torch_build, "cpu_index_answers", lambda: True)
    monkeypatch.setattr(Installer, "pip_config", lambda self: "")
    return stand_in


@pytest.fixture
def linux() -> Machine:
    """A Linux machine with no environment active."""
    usr = Path("/usr")
    return Machine({}, usr, usr, usr / "bin/python3", "Linux", "x86_64")
