"""Read columns of a Parquet file with pyarrow, which the `datasets` library brings along."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

__all__ = ["MissingLibraryError", "columns"]


class MissingLibraryError(ImportError):
    """Nothing here reads Parquet; the sentence says what to install."""


def columns(path: Path, names: tuple[str, ...]) -> dict[str, list[Any]]:
    """Return columns by their names.

    Raises MissingLibraryError if pyarrow is not installed, ValueError if the file is no Parquet file or
    lacks a column.
    """
    try:
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise MissingLibraryError(
            "Public sets are Parquet files; to read them, install: pip install pyarrow "
            "(it comes with pip install datasets, too)."
        ) from None
    try:
        there = parquet.read_schema(path).names
        missing = [name for name in names if name not in there]
        if missing:
            raise ValueError(
                f"it has the columns {', '.join(there)}, and no {' or '.join(missing)}"
            )
        found: dict[str, list[Any]] = parquet.read_table(path, columns=list(names)).to_pydict()
    except (ValueError, OSError) as error:  # pyarrow's "not a Parquet file" is a ValueError
        raise ValueError(f"{path.name} can't be read: {error}.") from error
    return found
