"""What the files of a run say about it: how far it is, how it ended, whose it is."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from course.training.places import Places, is_busy
from course.training.settings import Settings

__all__ = [
    "Checkpoint",
    "free_folder",
    "read_checkpoint",
    "read_weights",
    "settings_of",
    "wait_for_orphan",
]

_PATIENCE = 5.0  # seconds that a child may need to save after its kernel's end


@dataclass(frozen=True)
class Checkpoint:
    """The facts of a checkpoint: updates made, and learning rates set while it was trained."""

    step: int
    seconds: float
    changes: list[tuple[int, float]]
    age: float  # seconds since it was written


def read_checkpoint(path: Path) -> Checkpoint | None:
    """Return the facts of a checkpoint; None where there is none, or a damaged one."""
    try:
        with safe_open(path, framework="pt") as file:
            facts: Any = json.loads((file.metadata() or {})["facts"])
        changes = [(int(step), float(rate)) for step, rate in facts.get("changes", [])]
        age = max(0.0, time.time() - path.stat().st_mtime)
        return Checkpoint(int(facts["step"]), float(facts.get("seconds", 0.0)), changes, age)
    except (OSError, SafetensorError, ValueError, TypeError, KeyError, AttributeError):
        return None


def read_weights(path: Path) -> dict[str, Tensor]:
    """Return the model's state dict in a checkpoint.

    Raises:
        OSError, SafetensorError: it is missing or damaged.
    """
    with safe_open(path, framework="pt") as file:
        names = [name for name in file.keys() if name.startswith("model.")]  # noqa: SIM118
        return {name.removeprefix("model."): file.get_tensor(name) for name in names}


def settings_of(places: Places, note: str = "run") -> Settings | None:
    """Return the settings that a run's note holds; None where it has none."""
    try:
        return Settings(**places.note(note)["settings"])
    except (KeyError, TypeError):
        return None


def free_folder(folder: Path) -> Path:
    """Return the folder, or one beside it while another training writes there."""
    wait_for_orphan(folder)
    name, number = folder.name, 2
    while is_busy(folder):
        folder, number = folder.with_name(f"{name}-{number}"), number + 1
    return folder


def wait_for_orphan(folder: Path) -> bool:
    """Wait for the child of a kernel that has ended: it saves and ends too. Return whether it is free."""
    deadline = time.monotonic() + _PATIENCE
    while is_busy(folder):
        if time.monotonic() > deadline or _lives(Places(folder).note("run").get("kernel")):
            return False
        time.sleep(0.05)
    return True


def _lives(pid: Any) -> bool:
    if not isinstance(pid, int):
        return False
    if os.name == "nt":
        return True  # os.kill would end it
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
