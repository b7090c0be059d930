"""fit: it learns, it resumes to the same numbers, and no interrupt or crash loses anything."""

from __future__ import annotations

import io
import json
import math
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

from encoder_core.embeddings import TokenEmbedding
from encoder_core.encoder import TransformerEncoderLayer
from encoder_core.tied import TiedProjection
from encoder_core.training import state as training_state
from encoder_core.training.batches import batch_indices
from encoder_core.training.config import History, Record, TrainingConfig
from encoder_core.training.devices import choose_device, choose_precision, to_device
from encoder_core.training.interrupts import Interrupts
from encoder_core.training.loop import fit
from encoder_core.training.schedule import learning_rate, parameter_groups
from tests.close import assert_close
from tests.sampled import by_day

DATA = [torch.randn(3, 4, generator=torch.Generator().manual_seed(i)) for i in range(22)]
QUIET: dict[str, Any] = {"progress": False, "device": "cpu"}


class Model(nn.Module):
    """Dropout, so that random draws matter; a tied weight, so that sharing does."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = TransformerEncoderLayer(4, 2, 8, dropout=0.2)
        self.table = TokenEmbedding(4, 4, padding_idx=0, std=1.0)
        self.again = self.table

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x) @ self.table.weight


def make() -> Model:
    torch.manual_seed(1)
    return Model()


def loss(model: nn.Module, batch: Tensor) -> tuple[Tensor, dict[str, Any]]:
    error = (model(batch) - batch.flip(1)).square().mean()
    return error, {"rms": error.sqrt(), "size": len(batch)}


def train(model: nn.Module, **options: Any) -> History:
    settings = {"steps": 17, "batch_size": 5, "learning_rate": 1e-2, "warmup": 3, "log_every": 2}
    return fit(model, DATA, loss, **{**QUIET, **settings, **options})


def assert_same(one: nn.Module, other: nn.Module) -> None:
    for (name, a), (_, b) in zip(one.state_dict().items(), other.state_dict().items(), strict=True):
        assert torch.equal(a, b), name


# The numbers -----------------------------------------------------------------------------------


def test_it_learns_and_records() -> None:
    model = make()
    seen: list[Record] = []
    history = train(model, steps=400, callback=seen.append)
    assert history.records == seen
    assert [r.step for r in seen] == list(range(2, 401, 2))
    assert seen[4].epoch == pytest.approx(10 / 5)
    assert history.losses[-1] < 0.6 * history.losses[0]
    assert seen[0].metrics["size"] == 5
    assert not history.interrupted
    assert history.resumed_at == 0


def test_an_update_is_adamw_with_clipping_and_the_schedules_rate() -> None:
    ours, theirs = nn.Linear(4, 4).double(), nn.Linear(4, 4).double()
    theirs.load_state_dict(ours.state_dict())
    data = [x.double() for x in DATA]
    fit(
        ours, data, lambda m, x: m(x).square().sum(), steps=6, batch_size=4, learning_rate=0.1,
        warmup=2, weight_decay=0.3, clip=0.5, seed=9, **QUIET,
    )  # fmt: skip
    optimizer = torch.optim.AdamW(
        [{"params": [theirs.weight], "weight_decay": 0.3},
         {"params": [theirs.bias], "weight_decay": 0.0}]
    )  # fmt: skip
    for step in range(6):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, 2, 6, 0.1)
        batch = torch.stack([data[i] for i in batch_indices(22, 4, step, 9)])
        optimizer.zero_grad()
        theirs(batch).square().sum().backward()
        torch.nn.utils.clip_grad_norm_(theirs.parameters(), 0.5)
        optimizer.step()
    assert_close(ours.state_dict(), theirs.state_dict())


def test_records_hold_means_since_the_record_before() -> None:
    every, third = train(make(), log_every=1), train(make(), log_every=3)
    expected = [
        sum(every.losses[i : i + 3]) / len(every.losses[i : i + 3]) for i in range(0, 17, 3)
    ]
    assert third.losses == pytest.approx(expected)
    sizes = [record.metrics["size"] for record in every.records[:5]]
    assert sizes == [5, 5, 5, 5, 2]  # an epoch's last batch holds what is left


def test_the_recorded_loss_is_the_one_that_is_trained_on() -> None:
    def loss_with_another(model: nn.Module, batch: torch.Tensor) -> Any:
        return loss(model, batch)[0], {"loss": -1.0}

    ours, plain = make(), make()
    history = fit(ours, DATA, loss_with_another, steps=4, log_every=2, **QUIET)
    assert history.losses == fit(plain, DATA, loss, steps=4, log_every=2, **QUIET).losses


def test_same_seed_same_numbers_other_seed_others() -> None:
    one, other, third = make(), make(), make()
    torch.manual_seed(123)  # the state of the global generator does not matter
    first = train(one)
    torch.manual_seed(321)
    assert train(other).losses == first.losses
    assert_same(one, other)
    assert train(third, seed=1).losses != first.losses


def test_the_callers_generator_and_mode_are_as_they_were() -> None:
    model = make().eval()
    before = torch.get_rng_state()
    train(model)
    assert torch.equal(torch.get_rng_state(), before)
    assert not model.training
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@given(examples=st.integers(1, 40), batch_size=st.integers(1, 12), epoch=st.integers(0, 3))
def test_every_epoch_sees_every_example_once(examples: int, batch_size: int, epoch: int) -> None:
    steps = -(-examples // batch_size)
    seen = [batch_indices(examples, batch_size, epoch * steps + i, seed=3) for i in range(steps)]
    assert sorted(i for batch in seen for i in batch) == list(range(examples))
    assert max(map(len, seen)) <= batch_size


def test_evaluation_is_in_evaluation_mode_and_changes_no_number() -> None:
    modes: list[bool] = []

    def evaluate(model: nn.Module) -> dict[str, float]:
        modes.append(model.training or torch.is_grad_enabled())
        return {"draw": torch.rand(()).item()}

    plain, evaluated = make(), make()
    train(plain)
    history = train(evaluated, evaluate=evaluate, evaluate_every=5)
    assert modes == [False] * 4  # after 5, 10, 15 and the last
    assert [r.step for r in history.records if "draw" in r.metrics] == [5, 10, 15, 17]
    assert_same(plain, evaluated)


def test_a_callback_can_end_the_training() -> None:
    history = train(make(), callback=lambda record: record.step >= 6)
    assert history.records[-1].step == 6
    assert not history.interrupted


def test_frozen_parameters_stay() -> None:
    model = make()
    model.layer.linear1.requires_grad_(False)
    before = model.layer.linear1.weight.clone()
    train(model)
    assert torch.equal(model.layer.linear1.weight, before)


def test_bfloat16_keeps_the_weights_in_float32_and_learns() -> None:
    model, dtypes = make(), set()

    def watched(model: nn.Module, batch: Tensor) -> Tensor:
        output = model(batch)
        dtypes.add(output.dtype)
        return (output.float() - batch.flip(1)).square().mean()

    history = fit(
        model, DATA, watched, steps=200, learning_rate=1e-2, precision="bfloat16", **QUIET
    )
    assert dtypes == {torch.bfloat16}
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert history.losses[-1] < 0.9 * history.losses[0]


# Resuming ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("stop_at", [1, 5, 6, 16])
def test_resumed_after_an_interrupt_it_gives_the_very_same_numbers(
    tmp_path: Path, stop_at: int
) -> None:
    whole, broken, fresh = make(), make(), make()
    expected = train(whole)
    path = tmp_path / "folder" / "run.safetensors"

    def interrupting(model: nn.Module, batch: Tensor) -> tuple[Tensor, dict[str, Any]]:
        interrupting.calls += 1  # type: ignore[attr-defined]
        if interrupting.calls == stop_at:  # type: ignore[attr-defined]
            signal.raise_signal(signal.SIGINT)  # in the middle of an update
        return loss(model, batch)

    interrupting.calls = 0  # type: ignore[attr-defined]
    settings = {"steps": 17, "batch_size": 5, "learning_rate": 1e-2, "warmup": 3, "log_every": 2}
    first = fit(broken, DATA, interrupting, checkpoint=path, **settings, **QUIET)
    assert first.interrupted
    history = train(fresh, checkpoint=path)
    assert history.resumed_at == stop_at
    assert history.records == expected.records
    assert_same(fresh, whole)
    again = train(make(), checkpoint=path)  # a finished one has nothing left to do
    assert again.records == expected.records
    assert again.resumed_at == 17


def test_an_error_in_a_callback_or_the_data_loses_no_update(tmp_path: Path) -> None:
    path, model = tmp_path / "run.safetensors", make()

    def failing(record: Record) -> None:
        if record.step == 6:
            raise RuntimeError("the picture could not be drawn")

    with pytest.raises(RuntimeError, match="picture"):
        train(model, checkpoint=path, callback=failing)
    whole = make()
    expected = train(whole)
    history = train(model, checkpoint=path)
    assert history.resumed_at == 6
    assert history.records == expected.records
    assert_same(model, whole)


@pytest.mark.parametrize("fails_at", [4, 8, 17])
def test_an_error_in_an_evaluation_loses_no_record(tmp_path: Path, fails_at: int) -> None:
    path, seen = tmp_path / "run.safetensors", 0

    def evaluate(model: nn.Module) -> dict[str, float]:
        return {"held out": loss(model, torch.stack(DATA))[0].item()}

    def failing(model: nn.Module) -> dict[str, float]:
        nonlocal seen
        seen += 4
        if seen >= fails_at:
            raise RuntimeError("no data to evaluate on")
        return evaluate(model)

    whole, broken, resumed = make(), make(), make()
    expected = train(whole, evaluate=evaluate, evaluate_every=4, log_every=3)
    with pytest.raises(RuntimeError, match="no data"):
        train(broken, checkpoint=path, evaluate=failing, evaluate_every=4, log_every=3)
    history = train(
        resumed, checkpoint=path, evaluate=evaluate, evaluate_every=4, log_every=3, progress=True
    )
    assert history.resumed_at == fails_at
    assert history.records == expected.records
    assert_same(resumed, whole)


def test_a_second_interrupt_is_raised_but_never_in_the_middle_of_adamws_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, model = tmp_path / "run.safetensors", make()
    step = torch.optim.AdamW.step
    calls = 0

    def slow(self: torch.optim.AdamW, closure: Callable[[], float] | None = None) -> Any:
        nonlocal calls
        calls += 1
        if calls == 6:  # after the checkpoint of step 4
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
        return step(self, closure)

    monkeypatch.setattr(torch.optim.AdamW, "step", slow)
    with pytest.raises(KeyboardInterrupt):
        train(model, checkpoint=path, checkpoint_every=4)
    monkeypatch.undo()
    whole, resumed = make(), make()
    expected = train(whole)
    history = train(resumed, checkpoint=path)
    assert history.resumed_at == 6  # the step was made whole, and saved
    assert history.records == expected.records
    assert_same(resumed, whole)


def test_a_gradient_that_is_no_number_is_refused_before_it_does_harm(tmp_path: Path) -> None:
    path, model = tmp_path / "run.safetensors", make()
    count = 0

    def spoiled(model: nn.Module, batch: Tensor) -> Tensor:
        nonlocal count
        count += 1
        value = loss(model, batch)[0]
        return value * torch.nan if count == 4 else value

    with pytest.raises(FloatingPointError, match=r"update 4 is nan.*unchanged"):
        fit(model, DATA, spoiled, steps=9, checkpoint=path, **QUIET)
    assert all(p.isfinite().all() for p in model.parameters())
    with safe_open(path, "pt") as file:
        assert json.loads(file.metadata()["facts"])["step"] == 3


def run_script(*arguments: str, processes: int = 1) -> subprocess.CompletedProcess[str]:
    launcher = [sys.executable]
    if processes > 1:
        launcher += ["-m", "torch.distributed.run", f"--nproc-per-node={processes}"]
        launcher += ["--master-addr=127.0.0.1", "--master-port=0", "--rdzv-backend=c10d"]
        launcher += ["--rdzv-endpoint=127.0.0.1:0", "--local-addr=127.0.0.1"]
    root = Path(__file__).parents[2]
    script = Path(__file__).with_name("training_script.py")
    environment = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [*launcher, str(script), *arguments],
        capture_output=True, text=True, timeout=300, env=environment, cwd=root, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weights of a run of one process from beginning to end."""
    weights = tmp_path_factory.mktemp("undisturbed") / "weights.safetensors"
    assert run_script(str(weights), "-", "0").returncode == 0
    return weights


@pytest.mark.slow
def test_a_process_that_is_killed_goes_on_from_its_checkpoint(
    undisturbed: Path, tmp_path: Path
) -> None:
    path, resumed = str(tmp_path / "run.safetensors"), tmp_path / "resumed.safetensors"
    assert run_script(str(resumed), path, "10").returncode == -signal.SIGKILL
    assert not resumed.exists()
    assert run_script(str(resumed), path, "0").returncode == 0
    a, b = load_file(undisturbed), load_file(resumed)
    for name in a:
        assert torch.equal(a[name], b[name]), name


@pytest.mark.slow
@pytest.mark.parametrize("processes", by_day([3, 2], 1))
def test_many_processes_give_the_numbers_of_one(
    undisturbed: Path, tmp_path: Path, processes: int
) -> None:
    """22 examples in batches of 5: shares are unequal, and the last batch's 2 leave one idle."""
    if sys.platform == "win32":
        pytest.skip("torchrun on Windows is not supported by PyTorch's own builds")
    many = tmp_path / "many.safetensors"
    result = run_script(str(many), str(tmp_path / "run.safetensors"), "0", processes=processes)
    assert result.returncode == 0, result.stderr[-2000:]
    # A thread that outlives the group may abort the process at its end, now and then.
    assert result.stdout.count("threads left: []") == processes, result.stdout
    came, expected = load_file(many), load_file(undisturbed)
    # The softmax does not see the keys' bias: its gradient is rounding alone, of a gradient that is
    # clipped to length 1. AdamW divides it by its eps: each of 13 steps moves by that at most.
    keys, largest_step = slice(4, 8), 1e-2 / 1e-8
    name = "self_attn.in_proj_bias"
    assert_close(came[name][keys], expected[name][keys], scale=13 * largest_step)
    for biases in (came[name], expected[name]):
        biases[keys] = 0
    assert_close(came, expected)


# Checkpoints ------------------------------------------------------------------------------------


def test_a_checkpoint_of_other_settings_or_another_model_is_named_and_changes_nothing(
    tmp_path: Path,
) -> None:
    path = tmp_path / "run.safetensors"
    train(make(), checkpoint=path)
    model = make()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(ValueError, match=r"batch_size was 5 and is 6; .*seed was 0 and is 2"):
        train(model, checkpoint=path, batch_size=6, seed=2)
    with pytest.raises(ValueError, match=r"steps was 17 and is 16"):
        train(model, checkpoint=path, steps=16)
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])
    model.layer.linear1 = nn.Linear(4, 9)
    model.layer.extra = nn.Linear(1, 1)
    with pytest.raises(ValueError, match=r"layer.extra.bias is missing.*\(8,\) in the file"):
        train(model, checkpoint=path)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    path = tmp_path / "weights.safetensors"
    save_file({"weight": torch.ones(2)}, path)
    with pytest.raises(ValueError, match="not a training checkpoint"):
        train(make(), checkpoint=path)


def test_a_damaged_file_and_a_folder_are_refused_in_words(tmp_path: Path) -> None:
    path, model = tmp_path / "run.safetensors", make()
    train(model, checkpoint=path)
    whole = path.read_bytes()
    for content in (b"", b"abc", whole[:-40], whole[:40]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="not a complete checkpoint"):
            train(make(), checkpoint=path)
    with pytest.raises(IsADirectoryError, match="a checkpoint is a file"):
        train(make(), checkpoint=tmp_path)


def test_a_crash_while_writing_leaves_the_old_checkpoint_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.safetensors"
    model = nn.Linear(2, 2)
    optimizer = torch.optim.AdamW(model.parameters())
    training_state.save_training(path, model, optimizer, {"step": 1})
    before = path.read_bytes()

    class FullDisk(io.FileIO):
        def write(self, data: Any) -> int:
            super().write(bytes(data)[: len(data) // 2])
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "open", lambda self, mode: FullDisk(str(self), mode))
    with pytest.raises(OSError, match="No space left"):
        training_state.save_training(path, model, optimizer, {"step": 2})
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert training_state.load_training(path, model, optimizer) == {"step": 1}


def test_a_checkpoint_is_tensors_and_json_and_nothing_is_unpickled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("something was unpickled")

    path, model = tmp_path / "run.safetensors", make()
    train(model, checkpoint=path)
    for name in ("pickle.load", "pickle.loads", "pickle.Unpickler", "torch.load"):
        monkeypatch.setattr(name, refuse)
    train(make(), checkpoint=path)
    names = load_file(path)
    assert "model.layer.linear1.weight" in names
    assert "optimizer.layer.linear1.weight.exp_avg_sq" in names


# The parts --------------------------------------------------------------------------------------


@given(
    warmup=st.integers(0, 20), extra=st.integers(1, 50), peak=st.floats(1e-6, 10),
    step=st.integers(0, 80),
)  # fmt: skip
def test_learning_rate_rises_to_the_peak_and_falls_to_zero(
    warmup: int, extra: int, peak: float, step: int
) -> None:
    total = warmup + extra
    rate = learning_rate(step, warmup, total, peak)
    if step < warmup:
        assert rate == pytest.approx(peak * step / warmup)
    else:
        assert rate == pytest.approx(peak * max(0, total - step) / extra)
    assert learning_rate(warmup, warmup, total, peak) == peak
    assert learning_rate(total, warmup, total, peak) == 0


def test_learning_rate_equals_that_of_transformers() -> None:
    transformers = pytest.importorskip("transformers")
    optimizer = torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=0.3)
    schedule = transformers.get_linear_schedule_with_warmup(optimizer, 4, 11)
    for step in range(13):
        assert schedule.get_last_lr()[0] == pytest.approx(learning_rate(step, 4, 11, 0.3))
        optimizer.step(), schedule.step()


def test_parameter_groups_hold_each_parameter_once_and_spare_biases_and_norms() -> None:
    table = TokenEmbedding(7, 4)
    model = nn.ModuleDict(
        {"table": table, "tied": TiedProjection(table), "layer": TransformerEncoderLayer(4, 2, 8)}
    )
    decayed, spared = (group["params"] for group in parameter_groups(model, 0.1))
    assert len({id(p) for p in [*decayed, *spared]}) == len(decayed) + len(spared)
    assert len(decayed) + len(spared) == len(list(model.parameters()))
    names = {id(p): name for name, p in model.named_parameters()}
    assert all("bias" in names[id(p)] or "norm" in names[id(p)] for p in spared)
    assert all("bias" not in names[id(p)] and "norm" not in names[id(p)] for p in decayed)


def test_settings_are_checked_with_a_sentence() -> None:
    for options, message in [
        ({"steps": None}, "either steps or epochs"),
        ({"epochs": 2}, "either steps or epochs"),
        ({"warmup": 17}, "0 <= warmup < steps"),
        ({"batch_size": 0}, "at least 1"),
        ({"clip": -1.0}, "clip must be positive"),
        ({"clip": 0.0}, "clip must be positive"),
        ({"clip": math.nan}, "clip must be positive"),
        ({"precision": "float8"}, "must be one of"),
        ({"precision": "float16"}, "float16 needs CUDA"),
    ]:
        with pytest.raises(ValueError, match=message):
            train(make(), **options)
    with pytest.raises(ValueError, match="no examples"):
        fit(make(), [], loss, steps=1, **QUIET)
    with pytest.raises(TypeError, match="lr"):
        train(make(), lr=1.0)
    assert TrainingConfig(epochs=3, batch_size=5).total_steps(22) == 15


def test_what_is_no_loss_is_refused_before_the_model_changes() -> None:
    model = make()
    before = [p.clone() for p in model.parameters()]
    with pytest.raises(TypeError, match="got float"):
        fit(model, DATA, lambda model, batch: 1.0, steps=1, **QUIET)  # type: ignore[arg-type, return-value]
    with pytest.raises(ValueError, match=r"one number.*shape \(32,"):
        fit(model, DATA * 9, lambda model, batch: model(batch), steps=1, **QUIET)
    with pytest.raises(ValueError, match="has no gradient"):
        fit(model, DATA, lambda model, batch: model(batch).mean().detach(), steps=1, **QUIET)
    model.requires_grad_(False)
    with pytest.raises(ValueError, match="no parameter with requires_grad=True"):
        fit(model, DATA, lambda model, batch: model(batch).mean(), steps=1, **QUIET)
    for mine, was in zip(model.parameters(), before, strict=True):
        assert torch.equal(mine, was)


def test_devices_and_batches() -> None:
    assert choose_device("cpu") == torch.device("cpu")
    batch = {"a": [torch.ones(2), (torch.zeros(1), "text")], "b": 3}
    moved = to_device(batch, torch.device("meta"))
    assert moved["a"][0].device.type == "meta"
    assert moved["a"][1][0].device.type == "meta"
    assert moved["a"][1][1] == "text"
    assert moved["b"] == 3


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"),
    [
        (True, True, "cuda:1"),
        (True, False, "cuda:1"),
        (False, True, "mps"),
        (False, False, "cpu"),
    ],
)
def test_the_best_device_is_chosen_and_under_torchrun_one_for_each_process(
    monkeypatch: pytest.MonkeyPatch, cuda: bool, mps: bool, expected: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert choose_device("auto") == torch.device(expected)
    assert choose_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize(
    ("device", "native", "expected"),
    [
        ("cuda", True, torch.bfloat16),
        ("cuda", False, torch.float16),
        ("mps", True, torch.float32),
        ("cpu", True, torch.float32),
    ],
)
def test_precision_is_mixed_where_the_hardware_has_it(
    monkeypatch: pytest.MonkeyPatch, device: str, native: bool, expected: torch.dtype
) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: native)
    assert choose_precision(torch.device(device)) == expected
    assert choose_precision(torch.device(device), "bfloat16") == torch.bfloat16


def test_interrupts_outside_of_the_main_thread_catch_nothing() -> None:
    import threading

    results: list[Any] = []

    def work() -> None:
        with Interrupts() as interrupts:
            results.append(interrupts.asked)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert results == [None]


def test_a_progress_bar_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    train(make(), progress=True)
    assert "17/17" in capsys.readouterr().err


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16", "auto"])
def test_cuda_learns_and_resumes_to_the_same_numbers(tmp_path: Path, precision: str) -> None:
    options = {"device": "cuda", "precision": precision, "steps": 60}
    whole, broken = make(), make()
    expected = train(whole, **options)
    assert expected.losses[-1] < 0.95 * expected.losses[0]
    path = tmp_path / "run.safetensors"

    def failing(record: Record) -> None:
        if record.step == 30:
            raise RuntimeError("stop here")

    with pytest.raises(RuntimeError, match="stop here"):
        train(broken, checkpoint=path, callback=failing, **options)
    resumed = make()
    history = train(resumed, checkpoint=path, **options)
    assert history.resumed_at == 30
    assert history.losses == pytest.approx(expected.losses, rel=1e-5)
    assert_close(resumed.state_dict(), whole.state_dict())


def test_pythons_own_generator_goes_on_as_it_was() -> None:
    random.seed(4)
    expected = random.Random(4).random()
    train(make())
    assert random.random() == expected
