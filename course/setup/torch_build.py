"""Which build of PyTorch to fetch, and how large it is.

On Linux the package index's own build of PyTorch brings several GB of CUDA libraries. Where there
is no NVIDIA GPU to use them, PyTorch's index of CPU builds has one of a twentieth of that.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import threading
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from course.setup import SetupError
from course.setup.environment import Machine

CPU_INDEX = "https://download.pytorch.org/whl/cpu"
_SECONDS = 5.0


@dataclass(frozen=True)
class Build:
    """The build of PyTorch that will be fetched."""

    what: str  # for people
    megabytes: int
    index: str | None = None  # where it comes from when that is not the package index
    folders: tuple[str, ...] = ()  # local folders in which the file was found


def choose(
    machine: Machine,
    version: str,
    has_gpu: Callable[[], bool],
    answers: Callable[[], bool],
    folders: Callable[[], list[str]],
) -> Build:
    """The build for this machine; the questions that take time are asked only when they matter.

    Raises:
        SetupError: for an Intel Mac, for which PyTorch makes no builds any more.
    """
    at_hand = tuple(folder for folder in folders() if wheels(Path(folder), version))
    if at_hand:
        return Build("PyTorch, from a file that is on this machine", 0, folders=at_hand)
    if machine.system == "Darwin" and machine.architecture == "x86_64":
        raise SetupError(
            f"PyTorch {version} has no build for Macs with an Intel processor: "
            "work in a conda environment made from environment.yml, or on Google Colab."
        )
    if machine.system != "Linux":
        return Build("PyTorch", 120)
    if has_gpu():
        return Build("PyTorch with CUDA, for this machine's NVIDIA GPU", 3500)
    if answers():
        return Build("PyTorch for the CPU, as no NVIDIA GPU was found", 200, index=CPU_INDEX)
    return Build(
        "PyTorch with CUDA, as the index of its CPU builds (download.pytorch.org) does not answer",
        3500,
    )


def wheels(folder: Path, version: str) -> list[str]:
    """The files of this version of PyTorch in a local folder."""
    try:
        names = [path.name for path in folder.iterdir()]
    except OSError:
        return []
    return [name for name in names if re.match(rf"torch-{re.escape(version)}[+-].*\.whl$", name)]


def find_links(environ: Mapping[str, str], pip_config: str) -> list[str]:
    """The local folders that pip was told to look in, by its configuration or its environment.

    Args:
        environ: the environment variables.
        pip_config: what `pip config list` prints.
    """
    found = environ.get("PIP_FIND_LINKS", "").split()
    for value in re.findall(r"\.find-links='(.*)'", pip_config):
        found += re.split(r"\\n|\s+", value)
    return [path for path in dict.fromkeys(found) if path and "://" not in path]


def has_nvidia_gpu() -> bool:
    """Whether the driver of an NVIDIA GPU is there and sees one."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return False
    try:
        answer = subprocess.run([tool, "-L"], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0 and "GPU" in answer.stdout


def cpu_index_answers() -> bool:
    """Whether PyTorch's index of CPU builds can be reached within a few seconds."""
    reached = threading.Event()

    def ask() -> None:
        request = urllib.request.Request(f"{CPU_INDEX}/torch/", method="HEAD")
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS):
                reached.set()
        except (OSError, ValueError):
            pass

    # A thread, because looking up a host's name has no time limit of its own.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(_SECONDS)
    return reached.is_set()
