"""A kept result is the trained one, bit by bit, and never that of other code, data or settings."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from course.training import Session, cache, places, train
from course.training.results import Trained
from tests.training import toys

SETTINGS = replace(toys.SETTINGS, steps=12)
ROOT = Path(__file__).resolve().parents[2]


def same(one: nn.Module, other: nn.Module) -> bool:
    a, b = one.state_dict(), other.state_dict()
    return all(torch.equal(a[name], b[name]) for name in a)


def test_the_second_time_it_is_taken_from_the_cache() -> None:
    first = train(toys.training(), SETTINGS, progress=False)
    second = train(toys.training(), SETTINGS, progress=False)
    assert (first.from_cache, second.from_cache) == (False, True)
    assert same(first.model, second.model)
    assert first.records == second.records
    assert (first.metrics, first.test) == (second.metrics, second.test)
    assert not second.model.training
    again = train(toys.training(), SETTINGS, cache=False, progress=False)
    assert not again.from_cache
    assert same(again.model, second.model)


def test_other_code_data_seed_or_settings_miss(monkeypatch: pytest.MonkeyPatch) -> None:
    train(toys.training(), SETTINGS, progress=False)
    assert cache.find(toys.training(), SETTINGS) is not None
    assert cache.find(toys.training(key="other data"), SETTINGS) is None
    assert cache.find(toys.training(), replace(SETTINGS, seed=4)) is None
    assert cache.find(toys.training(), replace(SETTINGS, more={"masking": 0.3})) is None
    monkeypatch.setattr(cache, "code_digest", lambda: "other code")
    assert cache.find(toys.training(), SETTINGS) is None


@pytest.mark.parametrize("suffix", ["safetensors", "json"])
@pytest.mark.parametrize("damage", ["flip", "cut", "remove"])
def test_a_damaged_entry_is_a_miss(suffix: str, damage: str, course_home: Path) -> None:
    trained = train(toys.training(), SETTINGS, progress=False)
    (path,) = (course_home / "trainings" / "cache").glob(f"*.{suffix}")
    content = bytearray(path.read_bytes())
    content[len(content) // 2 if suffix == "safetensors" else 0] ^= 1
    if damage == "remove":
        path.unlink()
    else:
        path.write_bytes(content if damage == "flip" else content[: len(content) // 2])
    assert cache.find(toys.training(), SETTINGS) is None
    cache.store(toys.training(), trained)
    assert cache.find(toys.training(), SETTINGS) is not None


def test_the_cache_is_bounded(monkeypatch: pytest.MonkeyPatch, course_home: Path) -> None:
    trained = train(toys.training(), SETTINGS, progress=False)
    monkeypatch.setattr(cache, "BYTES", 3 * 2000)
    for seed in range(10, 20):
        cache.store(toys.training(), replace(trained, settings=replace(SETTINGS, seed=seed)))
    kept = list((course_home / "trainings" / "cache").glob("*.safetensors"))
    assert 1 <= len(kept) < 10
    assert sum(path.stat().st_size for path in kept) <= 6000
    assert cache.find(toys.training(), replace(SETTINGS, seed=19)) is not None


def test_another_training_may_begin_before_the_result_is_read(
    monkeypatch: pytest.MonkeyPatch, course_home: Path
) -> None:
    """The moment between a worker's end and the reading of its files belongs to its own `train`."""
    result = Session.result
    inner: list[Trained | None] = []

    def late(self: Session, *, cache: bool = True) -> Trained:
        if not inner:
            inner.append(None)  # only the first waits for another
            inner[0] = train(toys.training(), SETTINGS, cache=False, progress=False)
        return result(self, cache=cache)

    monkeypatch.setattr(Session, "result", late)
    outer = train(toys.training(), SETTINGS, cache=False, progress=False)
    assert inner[0] is not None
    assert same(outer.model, inner[0].model)
    assert not list((course_home / "trainings" / toys.training().name).iterdir())


def test_a_finished_run_whose_files_are_gone_says_so() -> None:
    session = Session(toys.training(), SETTINGS)
    session.finish()
    session.places.clear()
    with pytest.raises(RuntimeError, match=r"can't be read .* Another notebook .* train again"):
        session.result(cache=False)


@pytest.mark.slow
def test_two_processes_at_once_leave_one_good_entry() -> None:
    code = (
        "from dataclasses import replace\nfrom course.training import train\n"
        "from tests.training import toys\n"
        "train(toys.training(), replace(toys.SETTINGS, steps=12), progress=False)"
    )
    both = [subprocess.Popen([sys.executable, "-c", code], cwd=ROOT) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    found = cache.find(toys.training(), SETTINGS)
    assert found is not None
    assert same(found.model, train(toys.training(), SETTINGS, cache=False, progress=False).model)


def test_a_folder_that_was_just_made_is_not_taken_for_an_old_run(course_home: Path) -> None:
    """A run has no file in its folder before its process has begun."""
    training = toys.training()
    old, new = (course_home / "trainings" / training.name / name for name in ("old", "new"))
    for folder in (old, new):
        folder.mkdir(parents=True)
    os.utime(old, (1, 1))
    assert list(places.folders(training)) == [new, old]
    (old / "run.json").write_text("{}")
    os.utime(old / "run.json", (2, 2))
    os.utime(old, (1, 1))
    assert list(places.folders(training)) == [new, old]
