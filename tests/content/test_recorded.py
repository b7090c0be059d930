"""The recordings that travel with the course: whole, of today's settings, and told with their machine."""

from __future__ import annotations

import importlib.util
import json
import math
import sys
from pathlib import Path
from typing import Any

import pytest

from course import content
from course.content import recorded
from course.content.recorded import Spread, recording

FOUND = sorted(content.FOLDER.glob("*/recorded/*.json"))


def run(seed: int | None, accuracy: float, **more: Any) -> dict[str, Any]:
    machine = {"processor": "A CPU", "threads": 1, "torch": "2.13.0+cpu", "date": "2026-01-02"}
    figures = {"validation": {"accuracy": accuracy}, "seconds": 9.0}
    return {"seed": seed, **figures, **machine, **more}


def test_a_recording_tells_medians_ranges_and_the_machine(tmp_path: Path) -> None:
    runs = [run(0, 0.3), run(1, 0.5, date="2026-01-05"), run(2, 0.4)]
    rows = {"a model": {"runs": runs}, "counts": {"runs": [run(None, 0.25, processor="old")]}}
    file = recorded.path("bert.toy", folder=tmp_path)
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"title": "Toy", "rows": rows}))
    found = recording("bert.toy", folder=tmp_path)
    assert found.rows["a model"].seeds == [0, 1, 2]
    assert found.rows["a model"].spread("validation", "accuracy") == Spread(0.4, 0.3, 0.5)
    assert found.machine == (
        "three seeds on A CPU, one thread, torch 2.13.0, 2026-01-02 to 2026-01-05"
    )
    assert found.text("validation", accuracy="right {:.0%}").splitlines() == [
        "a model  right 40% (30% to 50%)",
        "counts   right 25%",
    ]
    with pytest.raises(FileNotFoundError):
        recording("bert.nothing", folder=tmp_path)


@pytest.mark.parametrize("file", FOUND, ids=lambda file: f"{file.parts[-3]}.{file.stem}")
def test_every_recording_names_its_machine_and_has_finite_figures(file: Path) -> None:
    found = recording(f"{file.parts[-3]}.{file.stem}")
    assert " on " in found.machine
    splits = {frozenset(run) & {"validation", "test"} for run in _runs(found)}
    assert len(splits) == 1, "each run has the same splits"
    for run in _runs(found):
        for split in splits.copy().pop():
            assert all(math.isfinite(value) for value in run[split].values())


def _runs(found: recorded.Recording) -> list[Any]:
    return [run for row in found.rows.values() for run in row.runs]


def test_rows_and_seeds_are_merged_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = importlib.util.spec_from_file_location(
        "applications", Path(__file__).parents[2] / "benchmarks" / "applications.py"
    )
    assert spec is not None
    assert spec.loader is not None
    applications = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "applications", applications)
    monkeypatch.setattr(sys, "path", sys.path.copy())
    spec.loader.exec_module(applications)
    monkeypatch.setattr(content, "FOLDER", tmp_path)
    (tmp_path / "bert").mkdir()
    trained: list[tuple[str, int]] = []

    def rows(key: str = "k") -> dict[str, Any]:
        def row(name: str) -> Any:
            def train(seed: int) -> Any:
                trained.append((name, seed))
                return applications.Run({"validation": {"accuracy": seed / 10}, "test": {}}, 1.0)

            return applications.Row(train, {"steps": 3}, key)

        return {"one": row("one"), "two": row("two")}

    def application(**how: Any) -> Any:
        forms = {"accuracy": ("right", "{:.1f}")}
        counts = {"counts": {"validation": {"accuracy": 0.5}, "test": {}}}
        return applications.Application(
            "bert.toy", "Toy", forms, lambda: rows(**how), lambda: counts
        )

    work, toy = applications.work, application()
    work(toy, "two", [1], True, False)
    work(toy, "one; two", [1, 0], True, False)
    assert trained == [("two", 1), ("one", 1), ("one", 0), ("two", 0)], "none is repeated"
    work(toy, None, [0], True, False)
    found = recording("bert.toy")
    assert list(found.rows) == ["counts", "one", "two"], "baselines first, then as they are listed"
    assert [found.rows[name].seeds for name in found.rows] == [[], [0, 1], [0, 1]]
    assert found.rows["two"].spread("validation", "accuracy") == Spread(0.05, 0.0, 0.1)
    assert "| one | 0.1 (0.0 to 0.1) | 0, 1 | 1 |" in applications.table(toy, found, "validation")
    work(application(key="changed"), "one", [1], True, False)
    found = recording("bert.toy")
    assert [found.rows[name].seeds for name in found.rows] == [[], [1], [0, 1]]
