"""Opens JupyterLab at the course's first chapter."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from course import learner
from course.setup import ROOT
from course.setup.environment import Environment

SETTINGS = Path(__file__).with_name("jupyter")


def first_chapter(root: Path = ROOT) -> Path | None:
    """The first notebook of the course, relative to its root; None before any was made."""
    found = sorted((root / "chapters").glob("*.ipynb"))
    return found[0].relative_to(root) if found else None


def command(
    environment: Environment, root: Path, *, browser: bool, more: Sequence[str], as_root: bool
) -> list[str]:
    """The command that starts JupyterLab: on loopback, with its token, at the first chapter."""
    chapter = first_chapter(root)
    address = "/lab" if chapter is None else f"/lab/tree/{chapter.as_posix()}"
    return [
        str(environment.python),
        "-m",
        "jupyterlab",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.root_dir={root}",
        f"--LabApp.default_url={address}",
        # Neither looks on the network for extensions and newer versions.
        "--LabApp.extension_manager=readonly",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        # The address to open is printed at every level; the rest of the log is for developers.
        "--Application.log_level=WARN",
        *(["--allow-root"] if as_root else []),
        *([] if browser else ["--no-browser"]),
        *more,
    ]


def environ(base: Mapping[str, str]) -> dict[str, str]:
    """The settings that JupyterLab reads from its environment, the learner's own left as they are."""
    paths = [str(SETTINGS), *filter(None, [base.get("JUPYTER_CONFIG_PATH")])]
    return {
        **base,
        "JUPYTER_CONFIG_PATH": os.pathsep.join(paths),
        # This environment's kernel, not one of the same name in the learner's home.
        "JUPYTER_PREFER_ENV_PATH": "1",
        # The tabs that are open belong to the course, not to the learner's other work.
        "JUPYTERLAB_WORKSPACES_DIR": str(learner.home() / "workspaces"),
    }
