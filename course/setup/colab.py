"""The first cell of each chapter: finds the course, or on Google Colab installs it."""

from __future__ import annotations

import os

from course.setup import SetupError, requirements


def repository() -> str:
    """Where the project is published, as pip understands it; empty until it is.

    COURSE_REPOSITORY, where it is set, stands in for `[tool.course] repository` in pyproject.toml.
    """
    named = os.environ.get("COURSE_REPOSITORY")
    if named is not None:
        return named
    try:
        return str(requirements.project()["tool"]["course"]["repository"])
    except SetupError:
        return ""


REPOSITORY = repository()


def first_cell(repository: str) -> str:
    """The source of a notebook's first code cell.

    In a clone it finds the packages beside the notebook's folder, so that any Jupyter can run it.

    Args:
        repository: what `pip install` is given where the course is not there; empty: a sentence
            says what to do.
    """
    otherwise = (
        f'    %pip install -q "{repository}"'
        if repository
        else '    raise ModuleNotFoundError("Open this notebook in its folder in the project.")'
    )
    return "\n".join(
        [
            "# Finds the course, wherever this notebook runs.",
            "import sys",
            "from pathlib import Path",
            'sys.path += [str(p) for p in Path.cwd().parents if (p / "course/content").exists()]',
            "try:",
            "    import course",
            "except ModuleNotFoundError:",
            otherwise,
        ]
    )
