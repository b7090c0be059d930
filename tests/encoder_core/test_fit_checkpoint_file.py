"""The checkpoint's file: matched by names, held by one training, written whole, read with care."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from encoder_core.pretrained.checkpoints import CheckpointError
from encoder_core.training import lock as training_lock
from encoder_core.training.config import History, Record
from encoder_core.training.lock import lock_checkpoint
from encoder_core.training.loop import fit
from encoder_core.training.state import save_training

ROOT = Path(__file__).parents[2]
DATA = [
    (torch.randn(4, generator=torch.Generator().manual_seed(i)), torch.tensor([float(i % 3)]))
    for i in range(23)
]
SETTINGS: dict[str, Any] = {
    "device": "cpu", "progress": False, "steps": 12, "batch_size": 5, "log_every": 1,
    "learning_rate": 1e-2,
}  # fmt: skip


def make(inner: int = 4, frozen: int | None = None, bias: bool = False) -> nn.Sequential:
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(4, inner, bias), nn.Linear(inner, 4, bias), nn.Linear(4, 1, bias)
    )
    if frozen is not None:
        model[frozen].weight.requires_grad_(False)
    return model


def loss(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    return F.mse_loss(model(batch[0]), batch[1])


def train(model: nn.Module, path: Path | None = None, **options: Any) -> History:
    return fit(model, DATA, loss, checkpoint=path, **{**SETTINGS, **options})


def half(record: Record) -> bool:
    return record.step >= 6


def states(model: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


def assert_equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert one.keys() == other.keys()
    for name in one:
        assert torch.equal(one[name], other[name]), name


def read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    with safe_open(path, "pt") as file:
        return load_file(path), dict(file.metadata())


# Which parameters are trained ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inner", "before", "now", "message"),
    [
        (4, 0, 1, r"1\.weight was trained and is frozen; 0\.weight was frozen and is trained"),
        (4, 0, None, r"parameters: 0\.weight was frozen and is trained\. Set requires_grad"),
        (6, 0, None, r"0\.weight was frozen and is trained"),
        (4, None, 0, r"0\.weight was trained and is frozen"),
        (6, None, 2, r"2\.weight was trained and is frozen"),
    ],
)
def test_other_trained_parameters_are_refused_by_name(
    tmp_path: Path, inner: int, before: int | None, now: int | None, message: str
) -> None:
    path = tmp_path / "run"
    train(make(inner, before), path, callback=half)
    model = make(inner, now)
    untouched, content = states(model), path.read_bytes()
    with pytest.raises(CheckpointError, match=message):
        train(model, path)
    assert_equal(states(model), untouched)
    assert path.read_bytes() == content


@pytest.mark.parametrize("frozen", [None, 0, 1, 2])
def test_the_same_trained_parameters_go_on_to_the_same_numbers(
    tmp_path: Path, frozen: int | None
) -> None:
    path, whole, resumed = tmp_path / "run", make(frozen=frozen), make(frozen=frozen)
    expected = train(whole)
    train(make(frozen=frozen), path, callback=half)
    assert train(resumed, path).records == expected.records
    assert_equal(states(resumed), states(whole))


def test_state_stands_by_name(tmp_path: Path) -> None:
    path = tmp_path / "run"
    train(make(frozen=1, bias=True), path)
    tensors, told = read(path)
    names = ["0.weight", "2.weight", "0.bias", "1.bias", "2.bias"]
    assert json.loads(told["trained"]) == names
    parts = ("exp_avg", "exp_avg_sq", "step")
    kept = {name for name in tensors if name.startswith("optimizer.")}
    assert kept == {f"optimizer.{name}.{part}" for name in names for part in parts}


def by_number(path: Path) -> None:
    """Turn a checkpoint into one as it was written before: state by number."""
    tensors, told = read(path)
    names = json.loads(told["trained"])
    old = {}
    for key, tensor in tensors.items():
        if key.startswith("optimizer."):
            name, _, what = key.removeprefix("optimizer.").rpartition(".")
            key = f"optimizer.{names.index(name)}.{what}"
        old[key] = tensor
    save_file(old, path, {"format": "encoder_core training 1", "facts": told["facts"]})


@pytest.mark.parametrize("frozen", [None, 1])
def test_an_older_checkpoint_by_number_goes_on(tmp_path: Path, frozen: int | None) -> None:
    path, whole, resumed = tmp_path / "run", make(6, frozen, True), make(6, frozen, True)
    expected = train(whole)
    train(make(6, frozen, True), path, callback=half)
    by_number(path)
    assert train(resumed, path).records == expected.records
    assert_equal(states(resumed), states(whole))


@pytest.mark.parametrize(("before", "now"), [(None, 0), (0, None), (2, 0)])
def test_an_older_checkpoint_that_does_not_fit_is_refused(
    tmp_path: Path, before: int | None, now: int | None
) -> None:
    path = tmp_path / "run"
    train(make(6, before), path, callback=half)
    by_number(path)
    model = make(6, now)
    untouched = states(model)
    with pytest.raises(CheckpointError, match=r"AdamW's state"):
        train(model, path)
    assert_equal(states(model), untouched)


def test_a_model_of_another_dtype_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run"
    train(make(), path, callback=half)
    with pytest.raises(
        CheckpointError, match=r"0\.weight is torch\.float32 in the file and torch\.float64 in"
    ):
        fit(make().double(), DATA, loss, checkpoint=path, **SETTINGS)


# One training at a time ------------------------------------------------------------------------

HOLDER = """
import os, sys, time
from pathlib import Path
from encoder_core.training.lock import lock_checkpoint
with lock_checkpoint(Path(sys.argv[1])):
    if sys.argv[2] == "child" and os.fork() == 0:
        os.close(1)
        time.sleep(60)
        os._exit(0)
    print(os.getpid(), flush=True)
    time.sleep(60)
"""


def hold(path: Path, how: str = "alone") -> subprocess.Popen[str]:
    """Start a process that holds the lock, and wait until it does."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path), how], stdout=subprocess.PIPE, text=True,
        cwd=ROOT, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline().strip() == str(process.pid)
    return process


def test_a_second_training_is_told_who_has_the_checkpoint_and_changes_nothing(
    tmp_path: Path,
) -> None:
    path, model = tmp_path / "run", make()
    before = states(model)
    holder = hold(path)
    try:
        with pytest.raises(
            RuntimeError, match=rf"Another training \(process {holder.pid} on .*Wait for its end"
        ) as caught:
            train(model, path)
        assert str(path) in str(caught.value)
        assert_equal(states(model), before)
        assert os.listdir(tmp_path) == ["run.lock"]
    finally:
        os.killpg(holder.pid, signal.SIGKILL)
        holder.communicate()
    assert train(model, path).resumed_at == 0  # the lock ended with its process
    assert os.listdir(tmp_path) == ["run"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_forked_child_does_not_hold_the_lock_of_a_killed_parent(tmp_path: Path) -> None:
    path = tmp_path / "run"
    holder = hold(path, "child")
    try:
        with pytest.raises(RuntimeError, match="Another training"):
            train(make(), path)
        holder.kill()
        holder.communicate()
        train(make(), path)
    finally:
        os.killpg(holder.pid, signal.SIGKILL)


def test_two_trainings_of_one_process_do_not_share_a_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "run"

    def again(record: Record) -> None:
        with pytest.raises(RuntimeError, match=f"process {os.getpid()} "):
            train(make(), path)
        train(make(), tmp_path / "another", steps=1)

    assert len(train(make(), path, steps=2, callback=again).records) == 2
    assert os.listdir(path.parent) == ["run"]


def test_whoever_comes_first_trains_and_nobody_is_harmed(tmp_path: Path) -> None:
    """Many at once, again and again: the file is removed while others open it."""
    path = tmp_path / "run"
    inside, most, turns, refused = 0, 0, 0, 0
    guard = threading.Lock()

    def work() -> None:
        nonlocal inside, most, turns, refused
        for _ in range(60):
            try:
                with lock_checkpoint(path):
                    with guard:
                        inside += 1
                        most = max(most, inside)
                        turns += 1
                    time.sleep(0.001)
                    with guard:
                        inside -= 1
            except RuntimeError:
                with guard:
                    refused += 1
                time.sleep(0.0005)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
    assert turns > 0
    assert turns + refused == 360
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("ends", ["error", "interrupt", "whole"])
def test_the_lock_is_let_go_however_a_training_ends(tmp_path: Path, ends: str) -> None:
    path = tmp_path / "run"

    def callback(record: Record) -> None:
        if record.step == 3 and ends == "error":
            raise ValueError("something")
        if record.step == 3 and ends == "interrupt":
            signal.raise_signal(signal.SIGINT)

    if ends == "error":
        with pytest.raises(ValueError, match="something"):
            train(make(), path, callback=callback)
    else:
        train(make(), path, callback=callback)
    assert os.listdir(tmp_path) == ["run"]
    assert not training_lock._held


def test_where_a_file_system_has_no_locks_the_training_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(descriptor: int) -> bool:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(training_lock, "_try_lock", none)
    assert train(make(), tmp_path / "run").resumed_at == 0
    assert train(make(), tmp_path / "run").resumed_at == 12


def test_what_a_killed_training_left_is_cleared_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "run"
    ours = ["run.unfinished", "run.0123456789abcdef.unfinished"]
    others = ["run.2", "run.2.0123456789abcdef.unfinished", "unfinished", "run.notes.unfinished"]
    for name in (*ours, *others):
        (tmp_path / name).write_text(name)
    train(make(), path)
    assert sorted(os.listdir(tmp_path)) == sorted(["run", *others])


# Writing ---------------------------------------------------------------------------------------


def test_two_that_write_at_once_do_not_write_into_one_another(tmp_path: Path) -> None:
    """Without a lock, as on a file system that has none."""
    path, models = tmp_path / "run", [make(), make()]
    with torch.no_grad():
        models[1][0].weight.fill_(3)
    errors: list[BaseException] = []

    def write(model: nn.Module) -> None:
        optimizer = torch.optim.AdamW(model.parameters())
        try:
            for _ in range(50):
                save_training(path, model, optimizer, {})
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(model,)) for model in models]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    saved = read(path)[0]["model.0.weight"]
    assert any(torch.equal(saved, model[0].weight) for model in models)
    assert os.listdir(tmp_path) == ["run"]


LIMITED = """
import sys
from tests.encoder_core.test_fit_checkpoint_file import *
path = Path(sys.argv[1])
try:
    train(make(400), path)
except OSError as error:
    print(type(error).__name__, error.errno, error)
"""


def test_a_write_that_the_system_refuses_names_the_file_and_leaves_the_old_one(
    tmp_path: Path,
) -> None:
    resource = pytest.importorskip("resource", reason="the system limits no file's size")
    path = tmp_path / "run"
    train(make(400), path, callback=half)
    before = path.read_bytes()
    limit = len(before) // 2

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(path)], capture_output=True, text=True, cwd=ROOT,
        # Without bytecode, which the limit would cut off for all that import it later.
        preexec_fn=limited, env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        check=False,
    )  # fmt: skip
    assert done.stdout.startswith(f"OSError {errno.EFBIG} "), done.stdout + done.stderr
    assert f"The checkpoint could not be written (File too large). An earlier one is intact. Make room there, or choose another place: '{path}'" in done.stdout  # fmt: skip  # noqa: E501
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["run"]


def test_a_full_disk_names_the_file_and_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, model = tmp_path / "run", make()
    train(model, path, callback=half)
    before = path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"No space left on device.*Make room") as caught:
        train(make(), path)
    monkeypatch.undo()
    assert caught.value.errno == errno.ENOSPC
    assert caught.value.filename == str(path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["run"]
    assert train(model, path).resumed_at == 6


def test_an_interrupt_while_a_checkpoint_is_written_leaves_nothing_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run"
    train(make(), path, callback=half)
    calls = 0

    def interrupted(descriptor: int) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(make(), path, checkpoint_every=3)
    assert os.listdir(tmp_path) == ["run"]
    assert json.loads(read(path)[1]["facts"])["step"] == 9  # saved on the way out


@pytest.mark.parametrize("place", ["file/run", "file/deep/run"])
def test_a_place_that_cannot_be_is_refused_before_training(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("no folder")
    model = make()
    before = states(model)
    with pytest.raises(OSError, match="The checkpoint could not be written") as caught:
        train(model, tmp_path / place)
    assert caught.value.filename == str(tmp_path / place)
    assert_equal(states(model), before)


# Reading ---------------------------------------------------------------------------------------

REMOVED = object()
EDITS: list[tuple[str, Any, str]] = [
    ("step", REMOVED, "step is missing"),
    ("step", "3", "step must be int, got str"),
    ("step", 3.5, "step must be int, got float"),
    ("step", True, "step must be int, got bool"),
    ("step", -1, "must not be negative"),
    ("step", 13, "step is 13 of 12"),
    ("settings", REMOVED, "settings is missing"),
    ("settings", [1], "settings must be dict, got list"),
    ("settings", {}, "batch_size was None and is 5"),
    ("scaler", REMOVED, "scaler is missing"),
    ("scaler", None, "scaler must be dict, got NoneType"),
    ("scaler", {"scale": 2.0}, r"scaler\.growth_factor must be int or float, got NoneType"),
    ("records", REMOVED, "records is missing"),
    ("records", {}, "records must be list"),
    ("records", [3], r"records\[0\] must be dict, got int"),
    ("records", [{"step": 1}], r"records\[0\]\.epoch is missing"),
    ("rate", "fast", "rate must be int or float, got str"),
    ("norm", None, "norm must be int or float"),
    ("sums", [], "sums must be dict"),
    ("sums", {"loss": "1"}, r"sums\.loss must be int or float"),
    ("sums", {"loss": 1.0}, "sums must hold"),
    ("counted", 2, "sums must hold"),
    ("unreported", True, "sums hold no update"),
    ("counted", 1.0, "counted must be int"),
    ("unreported", 1, "unreported must be bool, got int"),
]


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    path = tmp_path / "run"
    train(make(), path, callback=half)
    return path


def assert_refused(path: Path, message: str) -> None:
    model = make()
    before = states(model)
    with pytest.raises(CheckpointError, match=message) as caught:
        train(model, path)
    assert str(path) in str(caught.value)
    assert_equal(states(model), before)
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize(("field", "value", "message"), EDITS)
def test_a_field_that_is_missing_or_of_another_type_is_named(
    damaged: Path, field: str, value: Any, message: str
) -> None:
    tensors, told = read(damaged)
    facts = json.loads(told["facts"])
    if value is REMOVED:
        del facts[field]
    else:
        facts[field] = value
    save_file(tensors, damaged, {**told, "facts": json.dumps(facts)})
    assert_refused(damaged, message)


@pytest.mark.parametrize("key", ["step", "epoch", "loss", "learning_rate", "gradient_norm"])
def test_a_records_field_is_named(damaged: Path, key: str) -> None:
    tensors, told = read(damaged)
    for value in ("x", None, REMOVED):
        facts = json.loads(told["facts"])
        facts["records"][2][key] = value
        if value is REMOVED:
            del facts["records"][2][key]
        save_file(tensors, damaged, {**told, "facts": json.dumps(facts)})
        assert_refused(damaged, rf"records\[2\]\.{key} (is missing|must be)")
    facts = json.loads(told["facts"])
    facts["records"][2]["more"] = 1
    save_file(tensors, damaged, {**told, "facts": json.dumps(facts)})
    assert_refused(damaged, r"records\[2\]\.more is unexpected")


@pytest.mark.parametrize("name", ["facts", "trained"])
@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "is missing"),
        ("", "is not JSON"),
        ('{"step": 3', "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("9" * 5000, "is not JSON"),
        ("3", "must be (dict|list), got int"),
        ("null", "must be (dict|list), got NoneType"),
    ],
)
def test_json_that_is_none_is_named(
    damaged: Path, name: str, text: str | None, message: str
) -> None:
    tensors, told = read(damaged)
    del told[name]
    save_file(tensors, damaged, told if text is None else {**told, name: text})
    assert_refused(damaged, f"{name} {message}")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("optimizer.0.weight.exp_avg", None, r"exp_avg of 0\.weight is missing"),
        ("optimizer.0.weight.step", None, r"step of 0\.weight is missing"),
        ("optimizer.0.weight.exp_avg", "optimizer.9.weight.exp_avg", r"state of 9\.weight"),
        ("optimizer.0.weight.exp_avg", "optimizer.exp_avg", "state of , which is not a trained"),
        ("optimizer.2.weight.exp_avg", "optimizer.0.weight.exp_avg", r"0\.weight is \(1, 4\) in"),
        ("model.0.weight", None, r"0\.weight is missing"),
    ],
)
def test_tensors_that_are_missing_or_misplaced_are_named(
    damaged: Path, old: str, new: str | None, message: str
) -> None:
    tensors, told = read(damaged)
    tensor = tensors.pop(old)
    if new is not None:
        tensors[new] = tensor
    save_file(tensors, damaged, told)
    assert_refused(damaged, message)


def test_a_file_cut_off_anywhere_is_refused(damaged: Path) -> None:
    whole = damaged.read_bytes()
    for length in (0, 1, 7, 8, 9, 100, len(whole) // 2, len(whole) - 1):
        damaged.write_bytes(whole[:length])
        assert_refused(damaged, "not a complete checkpoint")


def test_a_scaler_that_the_device_has_no_use_for_is_passed_over(damaged: Path) -> None:
    """A training that began on a GPU in float16 goes on where there is none."""
    tensors, told = read(damaged)
    facts = json.loads(told["facts"])
    facts["scaler"] = torch.amp.GradScaler("cpu").state_dict()
    save_file(tensors, damaged, {**told, "facts": json.dumps(facts)})
    assert train(make(), damaged).resumed_at == 6


def test_a_link_stays_a_link_to_the_file_that_is_written(tmp_path: Path) -> None:
    link, file = tmp_path / "link.safetensors", tmp_path / "there" / "file.safetensors"
    file.parent.mkdir()
    link.symlink_to(file)
    train(make(), link)
    assert link.is_symlink()
    assert read(file)[0]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CheckpointError, match="is a pipe or a device"):
        train(make(), tmp_path / "pipe")
