"""What is known of each update: a line of JSON in the run's folder, read while it is written."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from course.system import files

__all__ = ["Record", "RecordReader", "RecordWriter", "keep_records", "read_records"]

MOST = 20_000  # records of a run; a longer one notes every second update, or fewer


@dataclass(frozen=True)
class Record:
    """One update, or the mean over a few.

    Attributes:
        step: updates so far.
        seconds: of training so far, evaluations and pauses left out.
        loss: mean over the updates since the last record.
        learning_rate: of the latest update.
        gradient_norm: of the latest update, before clipping.
        layer_norms: layer -> the norm of its gradient.
        metrics: the figures of `evaluate`, where it was called, and what the loss returned beside the loss.
    """

    step: int
    seconds: float
    loss: float
    learning_rate: float
    gradient_norm: float
    layer_norms: dict[str, float] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)


_FIELDS = tuple(entry.name for entry in fields(Record))


def _line(record: Record) -> str:
    return json.dumps(asdict(record), separators=(",", ":")) + "\n"


def _parsed(line: bytes) -> Record | None:
    """A line's record; None where the line is damaged."""
    try:
        entry: Any = json.loads(line)
        record = Record(**entry)
        float(record.loss), float(record.seconds), dict(record.metrics), dict(record.layer_norms)
        return record if type(record.step) is int else None
    except (ValueError, TypeError, RecursionError):
        return None


class RecordWriter:
    """Appends records to a file; `flush` makes them visible, so that one write serves several."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._waiting: list[Record] = []

    def add(self, record: Record) -> None:
        """Keep the record until the next `flush`."""
        self._waiting.append(record)

    def flush(self) -> None:
        """Write what is waiting; where that fails, it waits on."""
        if not self._waiting:
            return
        try:
            with self._path.open("ab", buffering=0) as file:
                file.write("".join(map(_line, self._waiting)).encode())
        except OSError:
            return
        self._waiting.clear()


class RecordReader:
    """Reads what another process appends, whole lines alone."""

    def __init__(self, path: Path, *, at_end: bool = False) -> None:
        self._path, self._offset = path, 0
        if at_end:
            self.news()

    def news(self) -> list[Record]:
        """Return the records written since the last call."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                content = file.read()
        except OSError:
            return []
        whole = content[: content.rfind(b"\n") + 1]
        self._offset += len(whole)
        return [record for line in whole.splitlines() if (record := _parsed(line)) is not None]


def read_records(path: Path) -> list[Record]:
    """Return a file's records in the order of their steps; of two of one step, the later."""
    by_step = {record.step: record for record in RecordReader(path).news()}
    return [by_step[step] for step in sorted(by_step)]


def keep_records(path: Path, records: Iterable[Record]) -> None:
    """Replace the file's records by these.

    Raises:
        OSError: it can't be written.
    """
    files.write(path, "".join(map(_line, records)))
