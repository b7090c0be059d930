"""Looks into an environment through its own Python."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from course.setup import SetupError
from course.setup.environment import Environment


@dataclass
class Probe:
    """What the environment's own Python tells of it."""

    python: tuple[int, int, int]
    pip: bool
    purelib: Path
    installed: dict[str, str]
    damaged: list[str] = field(default_factory=list)

    @property
    def version(self) -> str:
        """The version of Python, such as "3.12.1"."""
        return ".".join(map(str, self.python))


def look(environment: Environment, check_files: bool) -> Probe:
    """Ask the environment's own Python what is there.

    Raises:
        SetupError: where that Python does not run.
    """
    script = [str(Path(__file__).with_name("probe.py")), *(["--files"] if check_files else [])]
    command = [str(environment.python), "-I", *script]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        found = json.loads(answer.stdout)
    except (OSError, ValueError) as error:
        raise SetupError(
            f"The Python of the environment {environment.prefix} does not run: "
            "leave the environment (`deactivate`), or make it anew."
        ) from error
    major, minor, micro = found["python"]
    return Probe(
        python=(major, minor, micro),
        pip=found["pip"],
        purelib=Path(found["purelib"]),
        installed=found["installed"],
        damaged=found["damaged"],
    )
