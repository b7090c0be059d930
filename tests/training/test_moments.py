"""Moments are thinned evenly, kept within bounds, and read while they are written."""

from __future__ import annotations

import itertools
import threading
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from course.training import moments as module
from course.training.kept_moments import KeptMoments
from course.training.moments import Moments
from course.training.published import Layout, Published
from tests.training import toys


def new_moments() -> Moments:
    return Moments(lambda: toys.training().fresh_model(toys.SETTINGS))


@given(st.lists(st.integers(1, 40), min_size=100, max_size=1200))
def test_every_step_has_a_moment_within_two_percent(strides: list[int]) -> None:
    """Beside those whose neighbours were published further apart than that."""
    moments, block = new_moments(), torch.zeros(64, dtype=torch.uint8)
    published = [0]
    for stride in strides:
        published.append(published[-1] + stride)
    for step in published:
        moments.add(step, block)
    kept = moments.steps
    assert len(kept) <= module.MOST
    assert kept[0] == 0 and kept[-1] == published[-1]  # noqa: PT018
    allowed = max(0.02 * published[-1], max(strides))
    assert all(abs(moments.nearest(step) - step) <= allowed for step in range(published[-1] + 1))


def test_gaps_grow_away_from_both_ends() -> None:
    moments, block = new_moments(), torch.zeros(64, dtype=torch.uint8)
    for step in range(3001):
        moments.add(step, block)
    steps = moments.steps
    gaps = [b - a for a, b in itertools.pairwise(steps)]
    assert gaps[-1] <= 3 and max(gaps[-3:]) < 0.01 * 3000  # noqa: PT018
    assert max(gaps) <= 0.04 * 3000


def test_bytes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BYTES", 1000)
    moments = new_moments()
    for step in range(200):
        moments.add(step, torch.zeros(100, dtype=torch.uint8))
    assert len(moments.steps) == 10


def test_a_model_of_a_moment_has_its_weights_and_buffers() -> None:
    training, moments = toys.training(), new_moments()
    other = training.fresh_model(toys.SETTINGS.changed(seed=8))
    with torch.no_grad():
        other.norm.running_mean.fill_(3.0)  # type: ignore[union-attr, operator]
    moments.add(7, moments.layout.pack(other.state_dict()))
    model = moments.model(7)
    assert moments.steps == [0, 7]
    assert not model.training
    for name, value in other.state_dict().items():
        assert torch.equal(model.state_dict()[name], value)
    assert moments.model(6) is model  # the nearest, kept ready


def test_tied_weights_are_kept_once() -> None:
    model = nn.ModuleDict({"a": nn.Embedding(10, 4), "b": nn.Linear(4, 10, bias=False)})
    model["b"].weight = model["a"].weight  # type: ignore[assignment]
    assert Layout.of(model.state_dict()).size == 192  # 160 bytes, rounded up to 64


def test_no_reader_sees_half_of_a_publication() -> None:
    layout = Layout.of({"a": torch.zeros(50_000), "b": torch.zeros(7, dtype=torch.int64)})
    published, done = Published(layout, threading.Lock()), threading.Event()

    def write() -> None:
        for step in range(1, 2000):
            state = {"a": torch.full((50_000,), float(step)), "b": torch.full((7,), step)}
            published.write(step, state)
        done.set()

    threading.Thread(target=write).start()
    seen, reads = 0, 0
    while not done.is_set():
        news = published.read(seen)
        if news is None:
            continue
        seen, step, block = news
        views, reads = layout.views(block), reads + 1
        assert bool((views["a"] == step).all()) and bool((views["b"] == step).all())  # noqa: PT018
    assert reads > 1


def test_a_lock_that_is_never_freed_stops_neither_side() -> None:
    layout, lock = Layout.of({"a": torch.zeros(3)}), threading.Lock()
    published = Published(layout, lock)
    lock.acquire()
    assert not published.write(1, {"a": torch.ones(3)})
    assert published.read() is None


def test_moments_come_back_from_their_file(tmp_path: Path) -> None:
    moments = new_moments()
    size = moments.layout.size
    for step in range(1, 300):
        moments.add(step, torch.full((size,), step % 251, dtype=torch.uint8))
    kept = KeptMoments(tmp_path)
    kept.keep(moments, now=True)
    for step in range(300, 500):
        moments.add(step, torch.full((size,), step % 251, dtype=torch.uint8))
    kept.keep(moments, now=True)
    found = dict(KeptMoments(tmp_path).read(size))
    assert sorted(found) == moments.steps
    assert all(torch.equal(block, moments.block(step)) for step, block in found.items())  # type: ignore[arg-type]
    assert (tmp_path / "moments.bin").stat().st_size <= module.MOST * size


def test_a_damaged_moment_is_left_out(tmp_path: Path) -> None:
    moments = new_moments()
    moments.add(5, moments.layout.pack(moments.template().state_dict()))
    KeptMoments(tmp_path).keep(moments, now=True)
    content = bytearray((tmp_path / "moments.bin").read_bytes())
    content[3] ^= 1  # of the moment 0, which has the first place
    (tmp_path / "moments.bin").write_bytes(content)
    assert [step for step, _ in KeptMoments(tmp_path).read(moments.layout.size)] == [5]
