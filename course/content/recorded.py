"""What trainings reached with several seeds on a named machine, to be shown beside the learner's own run.

`benchmarks/applications.py` writes these recordings, one file each:

    <chapter>/recorded/<name>.json   {"title": ..., "rows": {row: {"settings": ..., "key": ..., "runs": [...]}}}

A run has a seed (none for a baseline, which draws nothing), the figures of each split, its seconds, and the
machine: processor, threads, torch and the date.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from course import content

__all__ = ["Recording", "Row", "Spread", "recording"]

_COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


class Spread(NamedTuple):
    """The median of several runs, and the lowest and highest of them."""

    median: float
    low: float
    high: float

    def text(self, form: str = "{:.3f}") -> str:
        """Return "0.331 (0.329 to 0.334)"; of equal ends the median alone.

        >>> Spread(0.331, 0.329, 0.334).text("{:.1%}")
        '33.1% (32.9% to 33.4%)'
        """
        median, low, high = (form.format(number) for number in self)
        return median if low == high else f"{median} ({low} to {high})"


@dataclass(frozen=True)
class Row:
    """The runs of one training, or the one run of a baseline."""

    runs: tuple[Mapping[str, Any], ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    key: str = ""

    @property
    def seeds(self) -> list[int]:
        """The seeds, in their order; none of a baseline."""
        return sorted(run["seed"] for run in self.runs if run["seed"] is not None)

    def spread(self, split: str, figure: str) -> Spread:
        """Return the median, the lowest and the highest of a figure, such as "accuracy" on "test"."""
        values = [run[split][figure] for run in self.runs]
        return Spread(statistics.median(values), min(values), max(values))

    def seconds(self) -> float:
        """Return the median of the seconds that a run took."""
        return float(statistics.median(run["seconds"] for run in self.runs))

    def machines(self) -> list[str]:
        """Return each machine of the runs once, such as "AMD EPYC, one thread, torch 2.13.0"."""
        return list(dict.fromkeys(map(_machine, self.runs)))


@dataclass(frozen=True)
class Recording:
    """All that is recorded under one name."""

    title: str
    rows: Mapping[str, Row]

    @property
    def machine(self) -> str:
        """Where it was recorded: "three seeds on AMD EPYC, one thread, torch 2.13.0, 2026-11-29"."""
        trained = [row for row in self.rows.values() if row.seeds]
        machines = dict.fromkeys(name for row in trained for name in row.machines())
        counts = sorted({len(row.seeds) for row in trained})
        dates = sorted({run["date"] for row in trained for run in row.runs})
        number = " to ".join(_count(count) for count in dict.fromkeys((counts[0], counts[-1])))
        days = " to ".join(dict.fromkeys((dates[0], dates[-1])))
        noun = "seed" if counts[-1] == 1 else "seeds"
        return f"{number} {noun} on {' and on '.join(machines)}, {days}"

    def text(self, split: str, rows: Iterable[str] | None = None, **figures: str) -> str:
        """Describe each row, or some, in a line: medians and ranges, each figure in its own form.

        Print `recording("bert.masked-words").text("test", accuracy="right {:.1%}")`.
        """
        names = list(self.rows if rows is None else rows)
        width = max(map(len, names))
        lines = []
        for name in names:
            row, parts = self.rows[name], []
            for figure, form in figures.items():
                before, brace, rest = form.partition("{")
                parts.append(before + row.spread(split, figure).text(brace + rest))
            lines.append(f"{name:{width}}  {', '.join(parts)}")
        return "\n".join(lines)


def recording(name: str, *, folder: Path | None = None) -> Recording:
    """Read a recording by its chapter and name, such as "bert.masked-words".

    Raises:
        FileNotFoundError: nothing is recorded under this name.
    """
    facts = json.loads(path(name, folder=folder).read_text(encoding="utf-8"))
    rows = {
        row: Row(tuple(entry["runs"]), entry.get("settings", {}), entry.get("key", ""))
        for row, entry in facts["rows"].items()
    }
    return Recording(facts["title"], rows)


def path(name: str, *, folder: Path | None = None) -> Path:
    """Return the file of a recording."""
    chapter, _, own = name.partition(".")
    return (folder or content.FOLDER) / chapter / "recorded" / f"{own}.json"


def _machine(run: Mapping[str, Any]) -> str:
    threads = run["threads"]
    many = "one thread" if threads == 1 else f"{_count(threads)} threads"
    return f"{run['processor']}, {many}, torch {run['torch'].partition('+')[0]}"


def _count(number: int) -> str:
    return _COUNTS[number] if number < len(_COUNTS) else str(number)
