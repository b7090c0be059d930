"""Where a run is kept: one folder for each training and settings, in the learner's own.

<home>/trainings/<name>/<digest of the settings>/
run.json              what is trained: settings, key, the kernel that trains
run.safetensors       the checkpoint, written once a second
states/000420.safetensors   earlier checkpoints, at most 8
records.jsonl         a line for each update
moments.bin, moments.json   weights of earlier moments
output.txt            what the training's process printed
result.json, end.json       the figures of a finished run; how a run ended
<home>/trainings/cache/   results; see `cache`
"""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course import learner
from course.system import files
from course.training.settings import Settings
from course.training.task import Training
from encoder_core.training.lock import lock_checkpoint

__all__ = ["Places", "folder_of", "folders", "is_busy", "root", "tidy", "writable"]


_RUNS = 6  # of a training, kept in their folders


@dataclass(frozen=True)
class Places:
    """The files of one run."""

    folder: Path

    @property
    def checkpoint(self) -> Path:
        """The latest full state: weights and the optimizer's."""
        return self.folder / "run.safetensors"

    @property
    def states(self) -> Path:
        """The folder of earlier full states."""
        return self.folder / "states"

    @property
    def records(self) -> Path:
        """A line for each update."""
        return self.folder / "records.jsonl"

    @property
    def output(self) -> Path:
        """What the training's process printed."""
        return self.folder / "output.txt"

    def note(self, name: str) -> dict[str, Any]:
        """Return a small file's facts; {} where it is missing or damaged."""
        try:
            facts = json.loads(files.read(self.folder / f"{name}.json"))
        except (OSError, ValueError, RecursionError):
            return {}
        return facts if isinstance(facts, dict) else {}

    def write_note(self, name: str, facts: dict[str, Any]) -> None:
        """Write a small file; go on where that fails."""
        with contextlib.suppress(OSError, ValueError):
            files.write(
                self.folder / f"{name}.json", json.dumps(facts, indent=1, default=repr) + "\n"
            )

    def remove_note(self, name: str) -> None:
        """Remove a small file, if there is one."""
        with contextlib.suppress(OSError):
            (self.folder / f"{name}.json").unlink()

    def clear(self) -> None:
        """Remove the run."""
        shutil.rmtree(self.folder, ignore_errors=True)


def root() -> Path:
    """Return the folder of all runs and their results."""
    return learner.home() / "trainings"


def folder_of(training: Training, settings: Settings) -> Path:
    """Return the folder of a run with these settings; it need not exist."""
    return root() / training.name / settings.digest()


def folders(training: Training) -> Iterator[Path]:
    """Return the folders of a training's runs, the latest first."""
    with contextlib.suppress(OSError):
        found = [path for path in (root() / training.name).iterdir() if path.is_dir()]
        yield from sorted(found, key=_age, reverse=True)


def _age(folder: Path) -> float:
    """When a run was last written to, or its folder made: one without a file yet is no old one."""
    times = [0.0]
    with contextlib.suppress(OSError):
        times.append(folder.stat().st_mtime)
        times += [path.stat().st_mtime for path in folder.iterdir()]
    return max(times)


def tidy(training: Training, besides: Path) -> None:
    """Remove the runs of a training written longest ago, but for a few; leave those under way."""
    others = [folder for folder in folders(training) if folder != besides]
    for folder in others[_RUNS - 1 :]:
        if not is_busy(folder):
            shutil.rmtree(folder, ignore_errors=True)


def is_busy(folder: Path) -> bool:
    """Whether a training is writing into this folder now."""
    if not folder.exists():
        return False
    try:
        with lock_checkpoint(Places(folder).checkpoint):
            return False
    except RuntimeError:
        return True
    except OSError:
        return False


def writable(folder: Path) -> tuple[Path, str]:
    """Return the folder, made, or one that lasts as long as the kernel, with a sentence on why."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        files.write(folder / ".writable", "")
        (folder / ".writable").unlink()
    except OSError as error:
        other = Path(tempfile.mkdtemp(prefix="course-training-"))
        return other, (
            f"{folder} can't be written ({error.strerror or error}), so this run is kept only "
            "until the kernel ends. Make the folder writable, or name another in COURSE_HOME."
        )
    return folder, ""
