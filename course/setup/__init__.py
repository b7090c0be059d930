"""Everything around the course: its environment, JupyterLab, the tests, Colab. Standard library only."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The root of the repository, or the folder that holds the packages where they are installed."""


class SetupError(Exception):
    """What went wrong and what to do about it, in one sentence for the learner."""
