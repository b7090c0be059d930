"""Which Python environment the course uses: the active one, or its own in `.venv/`."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from course.setup import ROOT

STAMP = "encoder-course.json"
# What venv makes before it writes pyvenv.cfg: it may have been stopped there.
_SKELETON = {"bin", "include", "lib", "lib64", "Include", "Lib", "Scripts", "encoder-course.log"}


@dataclass(frozen=True)
class Machine:
    """What the bootstrap asks of the machine and of the Python that runs it."""

    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    prefix: Path = Path(sys.prefix)
    base_prefix: Path = Path(sys.base_prefix)
    executable: Path = Path(sys.executable)
    system: str = platform.system()  # "Linux", "Darwin" or "Windows"
    architecture: str = platform.machine()


@dataclass(frozen=True)
class Environment:
    """A Python environment, made or not yet made."""

    prefix: Path
    python: Path
    kind: str  # "own": the course's .venv, which it may make and mend; else "venv" or "conda"

    @property
    def own(self) -> bool:
        """Whether the course made it, or would."""
        return self.kind == "own"

    @property
    def stamp(self) -> Path:
        """The file that says what was installed; written first as "preparing", last as "ready"."""
        return self.prefix / STAMP

    @property
    def log(self) -> Path:
        """All that the installer said."""
        return self.prefix / "encoder-course.log"

    @property
    def lock(self) -> Path:
        """The file that keeps two preparations from running at once."""
        if self.own:
            return self.prefix.with_name(self.prefix.name + ".lock")
        return self.prefix / "encoder-course.lock"


def find(root: Path = ROOT, machine: Machine | None = None) -> Environment:
    """The active venv or conda environment, or the course's own.

    Conda's base environment is active in every terminal of many people who never chose it, and
    breaking it breaks conda: it counts as none.
    """
    machine = machine or Machine()
    own = root / ".venv"
    candidates: list[tuple[Path, Path, str]] = []
    if machine.prefix != machine.base_prefix:
        candidates.append((machine.prefix, machine.executable, "venv"))
    if active := machine.environ.get("VIRTUAL_ENV"):
        candidates.append((Path(active), python_in(Path(active), "venv", machine.system), "venv"))
    conda = machine.environ.get("CONDA_PREFIX")
    if conda and machine.environ.get("CONDA_DEFAULT_ENV") != "base":
        candidates.append((Path(conda), python_in(Path(conda), "conda", machine.system), "conda"))
    for prefix, python, kind in candidates:
        if _same(prefix, own):
            break
        if python.exists():
            return Environment(prefix, python, kind)
    return Environment(own, python_in(own, "venv", machine.system), "own")


def python_in(prefix: Path, kind: str, system: str) -> Path:
    """Where an environment of this kind keeps its Python on this system."""
    if system == "Windows":
        return prefix / "python.exe" if kind == "conda" else prefix / "Scripts" / "python.exe"
    return prefix / "bin" / "python"


def write_stamp(
    environment: Environment, state: str, digest: str, extras: Iterable[str], root: Path
) -> None:
    """Note what is being installed (`state` "preparing") or has been ("ready"), whole or not at all."""
    content = {"state": state, "digest": digest, "extras": sorted(extras), "root": str(root)}
    temporary = environment.stamp.with_suffix(".new")
    temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    os.replace(temporary, environment.stamp)


def read_stamp(environment: Environment) -> dict[str, object]:
    """What the stamp says; empty where there is none that can be read."""
    try:
        content = json.loads(environment.stamp.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def prepared_extras(environment: Environment, digest: str, root: Path) -> frozenset[str] | None:
    """The extras that a finished preparation of this very state of the course put there, or None."""
    stamp = read_stamp(environment)
    extras = stamp.get("extras")
    finished = stamp.get("state") == "ready" and stamp.get("digest") == digest
    if not finished or stamp.get("root") != str(root) or not isinstance(extras, list):
        return None
    return frozenset(str(extra) for extra in extras) if environment.python.exists() else None


def path_file(purelib: Path, root: Path) -> None:
    """Let both packages be imported from anywhere, by a .pth file.

    Python before 3.13 reads such files in the system's own encoding; a line of code, in ASCII,
    says the same in every encoding.
    """
    line = str(root)
    if not line.isascii():
        line = f"import sys; sys.path.append({line!a})"
    (purelib / "encoder_course.pth").write_text(line + "\n", encoding="ascii")


def free_gigabytes(path: Path) -> float:
    """What is free on the disk on which a path really lies, or would: links and mounts count."""
    place = Path(os.path.realpath(path))
    while not os.path.lexists(place) and place != place.parent:
        place = place.parent
    return shutil.disk_usage(place).free / 1e9


def in_the_way(prefix: Path) -> str:
    """What is wrong with the place of the course's own environment, in one sentence; or nothing.

    Making an environment empties its folder: one that holds something else is left alone.
    """
    if prefix.is_symlink() and not prefix.exists():
        return (
            f"{prefix} is a link to {os.readlink(prefix)}, which is missing: "
            "bring that folder back, or remove the link, and run this again."
        )
    if not prefix.exists():
        return ""
    if not prefix.is_dir():
        return f"{prefix} is a file and no environment: move it away and run this again."
    names = {path.name for path in prefix.iterdir()}
    if "pyvenv.cfg" in names or STAMP in names or names <= _SKELETON:
        return ""
    return (
        f"{prefix} holds files and is no environment ({min(names - _SKELETON)} for one): "
        "move it away and run this again."
    )


def _same(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)
