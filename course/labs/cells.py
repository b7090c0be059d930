"""Which notebook cell is running, where that can be told."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Place:
    """A notebook cell, and which of its runs this is."""

    cell: str
    run: str


def current_place() -> Place | None:
    """The cell that is running now; None outside of a notebook, or where it does not say.

    JupyterLab and Colab send the cell's id with its code.
    """
    if "IPython" not in sys.modules:
        return None
    shell: Any = sys.modules["IPython"].get_ipython()
    parent: Any = getattr(shell, "parent_header", None)
    if not isinstance(parent, dict):
        return None
    cell = parent.get("metadata", {}).get("cellId")
    run = parent.get("header", {}).get("msg_id")
    return Place(str(cell), str(run)) if cell and run else None
