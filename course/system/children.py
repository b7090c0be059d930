"""Processes of their own that run the course's code."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).parents[2]


def environment(**more: str) -> dict[str, str]:
    """This process's environment, in which Python finds the course from any folder; and what is given.

    >>> environment(OMP_NUM_THREADS="1")["OMP_NUM_THREADS"]
    '1'
    """
    search = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).strip(os.pathsep)
    return {**os.environ, "PYTHONPATH": search, **more}
