"""After a failed update all state is as before it, and its checkpoint goes on as if unbroken."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from safetensors import safe_open
from torch import Tensor, nn

from encoder_core.training import run as training_run
from encoder_core.training.config import History, Record, TrainingConfig
from encoder_core.training.loop import fit
from encoder_core.training.rollback import Rollback
from encoder_core.training.run import Run

Batch = tuple[Tensor, Tensor]
FAILS_AT = 4


class Memory(nn.Module):
    """Buffers of all sorts: changed in place, replaced, grown, added, shared, constant, none."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("seen", torch.zeros(8))
        self.register_buffer("latest", torch.zeros(8))
        self.register_buffer("total", torch.zeros((), dtype=torch.long))
        self.register_buffer("log", torch.zeros(1, 8), persistent=False)
        self.register_buffer("nothing", None)
        self.register_buffer("scale", torch.ones(1).expand(8), persistent=False)  # no writing to it
        self.register_buffer("shared", self.seen)

    def forward(self, x: Tensor) -> Tensor:
        self.seen += x.detach().mean(0)  # in place
        self.latest = x.detach().mean(0)  # replaced
        self.total.data.add_(len(x))  # past autograd's count of changes
        self.log = torch.cat((self.log[-3:], x.detach()[:1]))  # replaced, and grows
        if not x.isfinite().all():
            self.nothing = x.detach()
            self.register_buffer("added", x.detach())
        return x + 0.1 * torch.tanh(self.seen + self.latest) * self.scale


DATA = [
    (torch.randn(4, generator=torch.Generator().manual_seed(i)), torch.tensor([float(i % 3)]))
    for i in range(23)
]
QUIET: dict[str, Any] = {
    "device": "cpu", "progress": False, "steps": 10, "batch_size": 5, "log_every": 1,
    "learning_rate": 1e-2,
}  # fmt: skip


def make() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(4, 8), nn.BatchNorm1d(8), Memory(), nn.Dropout(0.2),
        nn.utils.parametrizations.spectral_norm(nn.Linear(8, 1)),
    )  # fmt: skip


def loss(model: nn.Module, batch: Batch) -> Tensor:
    return F.mse_loss(model(batch[0]), batch[1])


def state(model: nn.Module) -> dict[str, Any]:
    """Everything of a model that can be seen, copied."""
    tensors = {name: p.detach().clone() for name, p in model.named_parameters()}
    for place, module in enumerate(model.modules()):
        for name, buffer in module._buffers.items():
            tensors[f"{place}.{name}"] = None if buffer is None else buffer.clone()
    return {**tensors, **{f"grad {name}": p.grad for name, p in model.named_parameters()}}


def assert_same(actual: dict[str, Any], expected: dict[str, Any]) -> None:
    assert actual.keys() == expected.keys()
    for name, value in expected.items():
        if value is None:
            assert actual[name] is None, name
        else:
            assert torch.equal(actual[name], value), name


class Fault:
    """Makes one thing go wrong at the `FAILS_AT`-th call."""

    def __init__(self, what: str) -> None:
        self.what, self.calls = what, 0

    def due(self, what: str) -> bool:
        self.calls += what == self.what.partition(":")[0]
        return what == self.what.partition(":")[0] and self.calls == FAILS_AT

    def collate(self, examples: list[Batch]) -> Batch:
        batch: Batch = torch.utils.data.default_collate(examples)
        if self.due("collate"):
            torch.manual_seed(7)
            raise RuntimeError("a file cannot be read")
        return batch

    def loss(self, model: nn.Module, batch: Batch) -> Any:
        if not self.due("loss"):
            return loss(model, batch)
        how = self.what.partition(":")[2]
        if how == "nan":
            return loss(model, (batch[0] * torch.nan, batch[1]))
        value = loss(model, batch)
        if how == "error":
            raise RuntimeError("out of memory, say")
        if how == "interrupts":
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
        if how == "two numbers":
            return value.repeat(2)
        if how == "metrics":
            return value, {"words": "are no number"}
        if how == "backward":
            value.register_hook(lambda gradient: 1 / 0)
            return value
        raise AssertionError(how)


FAULTS: dict[str, type[BaseException]] = {
    "collate": RuntimeError,
    "loss:nan": FloatingPointError,
    "loss:error": RuntimeError,
    "loss:interrupts": KeyboardInterrupt,
    "loss:two numbers": ValueError,
    "loss:metrics": ValueError,
    "loss:backward": ZeroDivisionError,
}


def train(model: nn.Module, fault: Fault | None = None, **options: Any) -> History:
    fault = fault or Fault("nothing")
    return fit(model, DATA, fault.loss, collate=fault.collate, **{**QUIET, **options})


@pytest.mark.parametrize("what", FAULTS)
def test_a_failed_update_leaves_all_as_it_was(tmp_path: Path, what: str) -> None:
    path, model, before = tmp_path / "run", make(), {}

    def remember(record: Record) -> None:
        before.clear()
        before.update(state(model))

    random_state = torch.get_rng_state()
    with pytest.raises(FAULTS[what]):
        train(model, Fault(what), checkpoint=path, callback=remember)
    assert_same(state(model), before)
    assert torch.equal(torch.get_rng_state(), random_state)

    with safe_open(path, "pt") as file:
        assert json.loads(file.metadata()["facts"])["step"] == FAILS_AT - 1
        assert json.loads(file.metadata()["facts"])["norm"] > 0
    whole = make()
    expected = train(whole)
    # `log` isn't saved, so the very model goes on, as one in a notebook does.
    history = train(model, checkpoint=path)
    assert history.resumed_at == FAILS_AT - 1
    assert history.records == expected.records
    assert_same(state(model), state(whole))


def test_a_gradient_from_before_the_training_comes_back_where_its_first_update_fails() -> None:
    model = make()
    loss(model, torch.utils.data.default_collate(DATA)).backward()
    before = {name: p.grad for name, p in model.named_parameters()}
    copies = {name: g.clone() for name, g in before.items() if g is not None}

    def fails(model: nn.Module, batch: Batch) -> Tensor:
        raise RuntimeError("at once")

    with pytest.raises(RuntimeError, match="at once"):
        fit(model, DATA, fails, **QUIET)
    for name, parameter in model.named_parameters():
        assert parameter.grad is before[name]
        assert torch.equal(parameter.grad, copies[name])  # type: ignore[arg-type]


@pytest.mark.parametrize("which", ["evaluate", "callback"])
def test_a_failed_evaluation_or_callback_leaves_no_trace_in_buffers(
    tmp_path: Path, which: str
) -> None:
    path, model = tmp_path / "run", make()
    fails = True

    def evaluate(model: nn.Module) -> dict[str, float]:
        value = float(loss(model, torch.utils.data.default_collate(DATA)))
        if fails and which == "evaluate":
            raise RuntimeError("no room")
        return {"held out": value}

    def callback(record: Record) -> None:
        if record.step == 6 and fails and which == "callback":
            model[2].seen += 5
            raise RuntimeError("no room")

    options: dict[str, Any] = {"evaluate": evaluate, "callback": callback, "evaluate_every": 6}
    with pytest.raises(RuntimeError, match="no room"):
        train(model, checkpoint=path, **options)
    fails = False
    whole = make()
    expected = train(whole, **options)
    history = train(model, checkpoint=path, **options)
    assert history.resumed_at == 6
    assert history.records == expected.records
    assert_same(state(model), state(whole))


def test_each_module_gets_back_the_mode_that_it_had() -> None:
    model = make()
    model[1].eval()
    model[3].eval()
    modes = [module.training for module in model.modules()]
    train(model, steps=2)
    assert [module.training for module in model.modules()] == modes

    def fails(model: nn.Module) -> dict[str, float]:
        raise RuntimeError("in evaluation mode")

    with pytest.raises(RuntimeError, match="evaluation mode"):
        train(model, steps=2, evaluate=fails)
    assert [module.training for module in model.modules()] == modes


def test_an_error_in_adamws_own_step_is_not_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, model = tmp_path / "run", make()
    step: Callable[..., Any] = torch.optim.AdamW.step
    calls = 0

    def failing(self: torch.optim.AdamW, closure: None = None) -> Any:
        nonlocal calls
        calls += 1
        if calls == 6:
            with torch.no_grad():
                self.param_groups[0]["params"][0].add_(1)  # half of an update
            raise MemoryError
        return step(self, closure)

    monkeypatch.setattr(torch.optim.AdamW, "step", failing)
    with pytest.raises(MemoryError):
        train(model, checkpoint=path, checkpoint_every=4)
    monkeypatch.undo()
    with safe_open(path, "pt") as file:
        assert json.loads(file.metadata()["facts"])["step"] == 4


def test_a_failed_update_of_a_run_can_be_made_again() -> None:
    """Also with a scaler, which refuses to unscale gradients a second time."""
    config = TrainingConfig(steps=3, batch_size=5, device="cpu")
    run, whole = (Run(make(), DATA, loss, config) for _ in range(2))
    for each in (run, whole):
        each.scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
        each.update()
    new = torch.amp.GradScaler("cpu", init_scale=2.0)
    run._new_scaler = lambda: new  # type: ignore[method-assign]
    run.loss = Fault("loss:metrics").loss
    for _ in range(FAILS_AT - 1):
        run.loss(run.model, torch.utils.data.default_collate(DATA))
    run.model.load_state_dict(whole.model.state_dict())
    run.model[2].log, whole.model[2].log = (torch.zeros(1, 8) for _ in range(2))
    with pytest.raises(ValueError, match="no number"):
        run.update()
    assert run.scaler.state_dict() == whole.scaler.state_dict()
    run.loss = loss
    run.update()
    whole.update()
    assert_same(state(run.model), state(whole.model))
    assert run.scaler.state_dict() == whole.scaler.state_dict()


def test_a_model_without_buffers_is_not_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    clones = 0
    clone = Tensor.clone

    def counted(self: Tensor, *arguments: Any, **options: Any) -> Tensor:
        nonlocal clones
        clones += 1
        return clone(self, *arguments, **options)

    monkeypatch.setattr(Tensor, "clone", counted)
    model = nn.Sequential(nn.Linear(4, 8), nn.LayerNorm(8), nn.Linear(8, 1))
    before = Rollback(model)
    assert clones == 0
    assert not before._buffers
    with_buffers = make()
    clones = 0
    Rollback(with_buffers)
    # mean, variance, batches; seen (once, though shared), latest, total, log, scale; _u, _v
    assert clones == 10
    assert training_run.Rollback is Rollback


def test_a_buffer_whose_shape_or_type_is_changed_in_place_comes_back() -> None:
    model = Memory()
    before = Rollback(model)
    seen, latest = model.seen, model.latest
    model.seen.resize_(3)
    model.latest.data = torch.ones(2, dtype=torch.float64)
    del model.total
    model.nothing = torch.ones(1)
    before.restore()
    assert model.seen is seen
    assert model.latest is latest
    assert_same(state(model), state(Memory()))
    assert list(model._buffers) == list(Memory()._buffers)
