"""Small files of notes in the learner's folder: JSON objects that are read, changed and written whole.

They are a help to the learner, so no trouble with them may stop anything; and none may cost what is
noted already.
"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

from course import learner
from course.system import files


def read(path: Path, *parts: str) -> dict[str, Any]:
    """What a file notes; a copy of a damaged one is kept, and an empty one goes on.

    Args:
        path: the file.
        parts: entries that must be objects where they are there, or the file is damaged.

    Raises:
        OSError: it can't be read at this moment, so it must not be written either.
    """
    try:
        kept = json.loads(files.read(path))
        if isinstance(kept, dict) and all(isinstance(kept.get(p, {}), dict) for p in parts):
            return kept
    except FileNotFoundError:
        return {}
    except (ValueError, RecursionError):
        pass
    with contextlib.suppress(OSError):
        learner.keep(path)
    return {}


def readable(path: Path, *parts: str) -> dict[str, Any]:
    """What a file notes; nothing, where it can't be read at this moment."""
    try:
        return read(path, *parts)
    except OSError:
        return {}


def write(path: Path, kept: dict[str, Any]) -> None:
    """Write the file whole.

    Raises:
        OSError: it can't be written.
        ValueError: a text that UTF-8 can't hold.
    """
    files.write(path, json.dumps(kept, indent=1, sort_keys=True) + "\n")
