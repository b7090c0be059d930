"""A run is started, paused, stepped, killed, resumed and branched, and its weights stay the same."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from course.training import Session, Trained, resumable, train, workers
from tests.sampled import NIGHT
from tests.training import toys

SETTINGS = replace(toys.SETTINGS, steps=60)
LONG = replace(toys.SETTINGS, steps=20_000)
ROOT = Path(__file__).resolve().parents[2]
forked = pytest.mark.skipif(not workers.forks(), reason="a training runs in a thread here")


def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.002)


def same(one: nn.Module, other: nn.Module) -> bool:
    a, b = one.state_dict(), other.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def run(training: Any = None, settings: Any = SETTINGS, **options: Any) -> Session:
    return Session(training or toys.training(), settings, **options)


@pytest.fixture(params=["child", "thread"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    if request.param == "thread":
        monkeypatch.setenv(workers.IN_THREAD, "1")
    elif not workers.forks():
        pytest.skip("a training runs in a thread here")
    threads = torch.get_num_threads()
    yield request.param
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """An undisturbed run."""
    folder = tmp_path_factory.mktemp("straight")
    return run(folder=folder / "run").result(cache=False)


@pytest.mark.usefixtures("kind")
def test_a_run_goes_to_its_end() -> None:
    session = run()
    assert (session.state, session.step, session.total) == ("ready", 0, 60)
    session.start()
    session.wait(60)
    assert session.state == "finished", session.message
    assert [record.step for record in session.records] == list(range(1, 61))
    assert session.moments.steps[0] == 0 and session.moments.steps[-1] == 60  # noqa: PT018
    assert set(session.records[-1].layer_norms) == {"inner", "norm", "outer"}
    trained = session.result()
    assert trained.metrics.keys() == trained.test.keys() == {"error"}
    assert session.records[-1].metrics == trained.metrics
    assert same(trained.model, session.moments.model(60))


@pytest.mark.usefixtures("kind")
def test_pause_step_and_resume_change_nothing(straight: Trained) -> None:
    session = run()
    session.advance(3)
    until(lambda: session.state == "paused" and session.step == 3)
    session.advance()
    until(lambda: session.state == "paused" and session.step == 4)
    assert session.moments.steps[-1] == 4
    assert len(session.records) == 4
    session.resume()
    session.wait(60)
    assert same(session.result(cache=False).model, straight.model)


@pytest.mark.usefixtures("kind")
def test_a_running_training_pauses_and_stops() -> None:
    session = run(settings=LONG)
    session.start()
    until(lambda: session.step > 5)
    session.pause()
    until(lambda: session.state == "paused")
    step = session.step
    time.sleep(0.1)
    assert session.step == step
    session.stop()
    until(lambda: session.state == "stopped")
    assert "Stopped after update" in session.message
    session.close()


def test_a_failure_is_explained_and_leaves_the_last_update() -> None:
    def loss(model: nn.Module, batch: Any) -> Any:
        if not model.training:
            return None
        calls.append(1)
        if len(calls) == 20:
            raise ZeroDivisionError("no such luck")
        return toys.loss(model, batch)

    calls: list[int] = []
    session = run(toys.training(loss=loss))
    session.start()
    session.wait(60)
    assert session.state == "failed"
    assert "ZeroDivisionError: no such luck" in session.message
    assert "test_session.py, line" in session.message
    assert session.step == 19


def test_a_model_that_can_not_be_built_is_a_failure() -> None:
    def build(settings: Any) -> nn.Module:
        raise TypeError("no model today")

    session = run(toys.training(build=build))
    session.start()
    assert session.state == "failed"
    assert "TypeError: no model today" in session.message
    with pytest.raises(RuntimeError, match="no model today"):
        session.result()


def test_few_runs_are_kept(course_home: Path) -> None:
    for seed in range(9):
        session = run(settings=replace(SETTINGS, steps=6, seed=seed))
        session.start()
        session.wait(60)
        session.close()
    assert len(list((course_home / "trainings" / "tests.toy").iterdir())) == 6


def test_a_rate_set_in_a_running_training_is_repeated_where_it_took_effect() -> None:
    session = run(settings=replace(SETTINGS, steps=600))
    session.start()
    until(lambda: session.step > 20)
    session.set_rate(2e-2)
    assert session.rate == 2e-2
    session.wait(60)
    assert len(session.changes) == 1
    other = session.branch(500)
    other.start()
    other.wait(60)
    assert same(other.result().model, session.result().model)


def test_the_notebooks_own_random_numbers_stay(straight: Trained) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    run(settings=replace(SETTINGS, steps=9, warmup=0)).result()
    assert torch.equal(torch.rand(3), expected)


@forked
def test_a_killed_training_is_noticed_and_resumed() -> None:
    session = run(settings=replace(LONG, steps=1500))
    session.start()
    until(lambda: session.step > 20)
    os.kill(session._watch.worker.pid, signal.SIGKILL)  # type: ignore[union-attr, attr-defined]
    until(lambda: session.state == "failed")
    assert "SIGKILL" in session.message
    session.advance(2)
    until(lambda: session.state == "paused")
    assert [record.step for record in session.records] == list(range(1, session.step + 1))
    session.close()


@forked
def test_a_training_that_is_asked_to_end_saves_first() -> None:
    """As ipykernel asks all children when it is restarted."""
    session = run(settings=LONG)
    session.start()
    until(lambda: session.step > 20)
    os.kill(session._watch.worker.pid, signal.SIGTERM)  # type: ignore[union-attr, attr-defined]
    until(lambda: session._watch is None)
    assert session.state == "paused"
    assert run(settings=LONG).step == session.step


@forked
def test_what_it_prints_goes_to_a_file_and_an_exit_is_a_failure() -> None:
    def loss(model: nn.Module, batch: Any) -> Any:
        print("hello from the loss")
        sys.exit("enough")

    session = run(toys.training(loss=loss))
    session.start()
    session.wait(60)
    until(lambda: session.state == "failed")
    assert "enough" in session.message
    assert "hello from the loss" in session.places.output.read_text()


@forked
@pytest.mark.slow
def test_a_training_that_hangs_is_ended_when_it_is_stopped() -> None:
    def loss(model: nn.Module, batch: Any) -> Any:
        while True:
            time.sleep(0.01)

    session = run(toys.training(loss=loss))
    session.start()
    time.sleep(0.5)
    session.stop()
    until(lambda: session.state == "stopped", 30.0)
    assert "did not answer" in session.message


def test_a_later_kernel_finds_the_run(straight: Trained) -> None:
    session = run()
    session.advance(25)
    until(lambda: session.state == "paused")
    session.close()
    later = resumable(toys.training())
    assert later is not None
    assert (later.state, later.step) == ("paused", 25)
    assert "Resumed from update 25 of 60, saved 0 s ago." in later.message
    assert [record.step for record in later.records] == list(range(1, 26))
    assert later.moments.steps[-1] == 25
    later.start()
    later.wait(60)
    assert same(later.result(cache=False).model, straight.model)
    assert resumable(toys.training()) is None


def test_other_code_begins_anew() -> None:
    session = run()
    session.advance(5)
    until(lambda: session.state == "paused")
    session.close()
    assert resumable(toys.training(key="2")) is None
    later = run(toys.training(key="2"))
    assert (later.state, later.step, later.records) == ("ready", 0, [])
    assert "other code" in later.message


@pytest.mark.parametrize("step", [0, 20, 60])
def test_a_branch_without_changes_gives_the_same_weights(step: int, straight: Trained) -> None:
    session = run()
    session.start()
    session.wait(60)
    if step == 60:
        with pytest.raises(ValueError, match="leaves nothing to train"):
            session.branch(60)
        return
    other = session.branch(step)
    assert (other.state, other.step, len(other.records)) == ("ready", step, step)
    other.start()
    other.wait(60)
    assert other.state == "finished", other.message
    assert same(other.result().model, straight.model)
    assert [r.loss for r in other.records] == [r.loss for r in session.records]


def test_a_branch_repeats_the_rates_that_were_set() -> None:
    session = run()
    session.advance(10)
    until(lambda: session.state == "paused")
    session.set_rate(3e-2)
    session.resume()
    session.wait(60)
    assert session.records[10].learning_rate > 2 * session.records[9].learning_rate
    other = session.branch(30)
    other.start()
    other.wait(60)
    assert same(other.result().model, session.result().model)
    changed = session.branch(30, learning_rate=1e-4)
    changed.start()
    changed.wait(60)
    assert [r.loss for r in changed.records[:30]] == [r.loss for r in session.records[:30]]
    assert changed.records[30].learning_rate < 1e-4
    assert not same(changed.result().model, session.result().model)


@pytest.mark.parametrize(
    ("step", "changes", "said"),
    [(3, {"d_model": 16}, "can't change"), (30, {}, "an update that was made"), (3, {"dropout": 2}, "dropout")],
    ids=["shape", "not yet", "wrong"],
)  # fmt: skip
def test_a_branch_that_can_not_be(step: int, changes: dict[str, Any], said: str) -> None:
    session = run()
    session.advance(5)
    until(lambda: session.state == "paused")
    with pytest.raises(ValueError, match=said):
        session.branch(step, **changes)
    session.close()


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="does not divide"):
        run(settings=replace(SETTINGS, nhead=3))


def test_subscribers_hear_of_what_is_new() -> None:
    session, heard = run(), []
    unsubscribe = session.subscribe(lambda: heard.append(session.step))
    session.start()
    session.wait(60)
    until(lambda: bool(heard) and heard[-1] == 60)
    unsubscribe()


def test_two_sessions_of_the_same_settings_keep_apart() -> None:
    one = run(settings=LONG)
    one.start()
    until(lambda: one.step > 3)
    other = run(settings=LONG)
    assert other.folder != one.folder
    assert other.state == "ready"
    one.close()


def test_an_interrupt_pauses_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    session = run(settings=LONG)
    session.start()
    until(lambda: session.step > 3)
    threading.Timer(0.3, signal.raise_signal, (signal.SIGINT,)).start()
    session.wait(30)
    assert session.interrupted
    assert session.state == "paused"
    assert "Interrupted: the training is paused at update" in capsys.readouterr().out
    session.close()


KERNEL = """
import sys, time
from dataclasses import replace
from course.training import Session
from tests.training import toys
session = Session(toys.training(), replace(toys.SETTINGS, steps=100000))
session.start()
while session.step < 10:
    assert session.state == "running", session.message
    time.sleep(0.01)
print(session._watch.worker.pid, flush=True)
time.sleep(60)
"""


@forked
@pytest.mark.slow
def test_the_child_saves_and_ends_when_its_kernel_dies() -> None:
    kernel = subprocess.Popen(
        [sys.executable, "-c", KERNEL], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert kernel.stdout is not None
    child = int(kernel.stdout.readline())
    kernel.kill()
    kernel.wait()

    def gone() -> bool:
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            return True
        state = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0]
        return state == "Z"

    until(gone, 10.0)
    later = resumable(toys.training())
    assert later is not None
    assert later.step >= 10


@forked
@pytest.mark.slow
def test_a_fork_from_a_busy_kernel_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forked from another thread than the main one, while a third multiplies with two threads."""
    done = threading.Event()

    def multiply() -> None:
        torch.set_num_threads(2)
        while not done.is_set():
            torch.randn(300, 300) @ torch.randn(300, 300)

    def train_a_few() -> None:
        for seed in range(12):
            session = run(settings=replace(SETTINGS, steps=8, seed=seed))
            session.start()
            session.wait(60)
            states.append(session.state)

    states: list[str] = []
    before = torch.get_num_threads()
    busy, trains = threading.Thread(target=multiply), threading.Thread(target=train_a_few)
    busy.start()
    trains.start()
    trains.join()
    done.set()
    busy.join()
    torch.set_num_threads(before)
    assert states == ["finished"] * 12


@forked
@pytest.mark.slow
def test_kills_at_random_moments_change_nothing() -> None:
    settings = replace(toys.SETTINGS, steps=800)
    expected = run(settings=settings).result()

    def slow(model: nn.Module, batch: Any) -> Tensor:
        time.sleep(
            0.005
        )  # at least four seconds in all, however fast the machine: the kills meet it
        return toys.loss(model, batch)

    session = run(toys.training(loss=slow), replace(settings, more={"again": True}))
    kills = 0
    moments = random.Random(0)
    for _ in range(10 if NIGHT else 4):
        session.start()
        time.sleep(moments.uniform(0.05, 1.0))
        watch = session._watch
        if watch is None:  # finished, since this process had to wait for many seconds
            break
        os.kill(watch.worker.pid, signal.SIGKILL)  # type: ignore[attr-defined]
        kills += 1
        watch.join(10)
    session.start()
    session.wait(120)
    assert kills
    assert same(session.result(cache=False).model, expected.model)
    assert [record.step for record in session.records] == list(range(1, 801))


def test_train_returns_the_result_and_leaves_no_run(straight: Trained, course_home: Path) -> None:
    trained = train(toys.training(), SETTINGS, progress=False)
    assert not trained.from_cache
    assert same(trained.model, straight.model)
    assert not list((course_home / "trainings" / "tests.toy").iterdir())
