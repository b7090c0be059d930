"""The installers that the bootstrap can use: uv where it is on the PATH, else pip."""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from course.setup.runner import Progress, run

_LARGE = 20.0  # megabytes; a download of this size is worth a line of its own
_PIP_THAT_REACHES_OUT = (22, 3)  # the first pip with --python


@dataclass(frozen=True)
class Installer:
    """How to install into one environment."""

    name: str  # "uv" or "pip"
    command: tuple[str, ...]  # up to and including "install"

    @classmethod
    def find(cls, python: Path, has_pip: bool) -> Installer | None:
        """The quickest installer at hand: uv, the environment's own pip, or the pip out here."""
        if uv := shutil.which("uv"):
            return cls("uv", (uv, "pip", "install", "--python", str(python)))
        if has_pip:
            return cls("pip", (str(python), "-m", "pip", "install", *_PIP_OPTIONS))
        if _pip_here() >= _PIP_THAT_REACHES_OUT:
            pip = (sys.executable, "-m", "pip", "--python", str(python))
            return cls("pip", (*pip, "install", *_PIP_OPTIONS))
        return None

    def pip_config(self) -> str:
        """What pip was configured to do on this machine; uv does not read that by itself."""
        pip = self.command[: self.command.index("install")]
        command = [
            *(pip if self.name == "pip" else (sys.executable, "-m", "pip")),
            "config",
            "list",
        ]
        answer = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        return answer.stdout


_PIP_OPTIONS = ("--no-input", "--disable-pip-version-check", "--no-compile")


@dataclass
class Work:
    """An installation that is shown as it goes on; `lines`: what it said last."""

    installer: Installer
    progress: Progress
    log: TextIO
    environ: Mapping[str, str]
    lines: list[str] = field(default_factory=list)
    _seen: int = 0

    def install(
        self, wanted: Sequence[str], pins: Mapping[str, str], options: Sequence[str] = ()
    ) -> int:
        """Install these requirements, held to these versions; the installer's exit status."""
        self._seen = 0
        self.lines.clear()
        with tempfile.TemporaryDirectory() as folder:
            constraints = Path(folder) / "constraints.txt"
            lines = [f"{name}=={version}\n" for name, version in pins.items()]
            constraints.write_text("".join(lines), encoding="utf-8")
            command = [*self.installer.command, "-c", str(constraints), *options, *wanted]
            self.log.write("$ " + " ".join(command) + "\n")
            return run(command, self._hear, environ=self.environ)

    def _hear(self, line: str) -> None:
        self.lines.append(line)
        self.log.write(line + "\n")
        self.log.flush()
        if size := re.search(
            r"Downloading (\S+?)(?:-\d\S*)? \((\d[\d.]*) ?(kB|KiB|MB|MiB|GB|GiB)\)", line
        ):
            name, number, unit = size.groups()
            megabytes = float(number) * {"k": 0.001, "K": 0.001, "M": 1, "G": 1000}[unit[0]]
            self._fetched(f"fetching {name} ({megabytes:.0f} MB)", megabytes >= _LARGE)
        elif line.startswith("Collecting "):
            self._seen += 1
            name = re.split(r"[\s<>=!~;\[]", line.removeprefix("Collecting "))[0]
            self.progress.detail(f"{self._seen} packages looked at: {name}")
        elif line.startswith("Installing collected packages"):
            number = line.count(",") + 1
            self.progress.detail(f"installing {number} packages", milestone=True)
        elif match := re.match(r"(Resolved|Prepared|Installed) (\d+) packages", line):
            self.progress.detail(f"{match[1].lower()} {match[2]} packages", milestone=True)

    def _fetched(self, text: str, large: bool) -> None:
        self.progress.detail(text, milestone=large)


def installing_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for an installer: without settings that send packages elsewhere."""
    elsewhere = ("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_REQUIRE_VIRTUALENV")
    kept = {name: value for name, value in environ.items() if name not in elsewhere}
    return {**kept, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}


def _pip_here() -> tuple[int, ...]:
    """The version of the pip of the Python that runs this; () where it has none."""
    try:
        version = importlib.metadata.version("pip")
    except importlib.metadata.PackageNotFoundError:
        return ()
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])
