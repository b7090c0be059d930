"""Which packages the course needs: read from pyproject.toml and constraints.txt, and nowhere else."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from course.setup import ROOT, SetupError

LAB, TEST = "lab", "test"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def project(root: Path = ROOT) -> dict[str, Any]:
    """The contents of pyproject.toml.

    Raises:
        SetupError: where the packages were installed without their repository.
    """
    try:
        return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SetupError(
            "This is the course's package without its notebooks: "
            "clone the repository and run `python3 -m course` in it."
        ) from None


def requirements(extras: Iterable[str] = (), root: Path = ROOT) -> list[str]:
    """The requirements of a notebook and of these extras, as pip understands them."""
    table = project(root)["project"]
    found = list(table["dependencies"])
    for extra in extras:
        found += table["optional-dependencies"][extra]
    return found


def pins(root: Path = ROOT) -> dict[str, str]:
    """The exact versions that were tested, by normalised name."""
    lines = (root / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {normal(name): version.strip() for name, version in pairs}


def normal(requirement: str) -> str:
    """The name of a requirement in its normal form: `Jupyter_Core>=5` is `jupyter-core`."""
    match = _NAME.match(requirement.strip())
    if match is None:
        raise ValueError(f"{requirement!r} does not begin with the name of a package")
    return re.sub(r"[-_.]+", "-", match.group()).lower()


def digest(root: Path = ROOT) -> str:
    """A digest of all that decides what is installed; another digest means: prepare again."""
    table = project(root)["project"]
    wanted = [table["dependencies"], table["optional-dependencies"], pins(root)]
    return hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()[:16]
