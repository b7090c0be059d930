"""The recordings that travel with the course: whole, of today's settings, and told with their machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from course import content
from course.content import recorded
from course.content.recorded import Row, Spread, recording

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
def test_every_recording_has_three_seeds_with_all_figures(file: Path) -> None:
    found = recording(f"{file.parts[-3]}.{file.stem}")
    assert found.machine
    splits = {frozenset(_figures(row)) for row in found.rows.values() if row.seeds}
    assert len(splits) == 1, "each row has the same figures"
    for name, row in found.rows.items():
        assert len(row.runs) == 1 if not row.seeds else row.seeds == [0, 1, 2], name


def _figures(row: Row) -> set[str]:
    return {f"{split}.{name}" for split in ("validation", "test") for name in row.runs[0][split]}
