"""The state of a training under way, and its updates; `training.fit` drives it.

Source: Loshchilov and Hutter 2019, "Decoupled Weight Decay Regularization" (AdamW); Pascanu et al.
2013, "On the difficulty of training recurrent neural networks" (clipping).
"""

from __future__ import annotations

import importlib
import math
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from encoder_core.pretrained.checkpoints import CheckpointError
from encoder_core.training.batches import batch_indices, step_seed
from encoder_core.training.config import History, Loss, Record, TrainingConfig, require_loss
from encoder_core.training.devices import choose_device, choose_precision, to_device
from encoder_core.training.distributed import average_gradients, join_processes, same_weights
from encoder_core.training.facts import require_facts
from encoder_core.training.interrupts import Interrupts
from encoder_core.training.lock import lock_checkpoint
from encoder_core.training.rollback import Rollback
from encoder_core.training.schedule import learning_rate, parameter_groups
from encoder_core.training.state import load_training, save_training

__all__ = ["Run"]

# Settings that must match on resuming: they change the numbers.
_DECISIVE = ("batch_size", "learning_rate", "warmup", "weight_decay", "clip", "seed")

# Attributes that the checkpoint holds.
_STATE = ("step", "rate", "norm", "sums", "counted", "unreported")


class Run:
    """A training under way; see `training.fit` for the arguments.

    Raises:
        CheckpointError: in `resume`, the checkpoint has other settings.
        FloatingPointError: in `update`, the gradient is not finite.

    >>> def loss(model, batch): return model(batch).square().mean()
    >>> data = [torch.ones(1)] * 4
    >>> run = Run(nn.Linear(1, 1), data, loss, TrainingConfig(steps=2, device="cpu"))
    >>> run.update()
    >>> run.step, run.total
    (1, 2)
    """

    def __init__(
        self,
        model: nn.Module,
        data: Sequence[Any],
        loss: Loss,
        config: TrainingConfig,
        collate: Callable[[list[Any]], Any] = torch.utils.data.default_collate,
        evaluate: Callable[[nn.Module], dict[str, float]] | None = None,
        callback: Callable[[Record], bool | None] | None = None,
        path: Path | None = None,
        interrupts: Interrupts | None = None,
    ) -> None:
        self.data, self.loss, self.config, self.collate = data, loss, config, collate
        self.evaluate, self.callback, self.path = evaluate, callback, path
        self.interrupts = interrupts or Interrupts()  # not entered, so it notes nothing
        self.total = config.total_steps(len(data))
        self.device = choose_device(config.device)
        self.dtype = choose_precision(self.device, config.precision)
        self.processes = join_processes(self.device)
        self.model = model.to(self.device)
        same_weights(self.model, self.processes)
        groups = parameter_groups(model, config.weight_decay)
        fused = self.device.type == "cuda"
        self.optimizer = torch.optim.AdamW(groups, lr=config.learning_rate, fused=fused)
        self.scaler = self._new_scaler()
        self.history = History()
        self.step = self.saved_at = 0
        self.stopped = self.whole = False
        self.unreported = False  # whether the latest update still has to be reported
        self.rate = self.norm = 0.0
        self.sums: dict[str, float] = {}
        self.counted = 0
        self.bar: Any = None

    def _new_scaler(self) -> torch.amp.GradScaler:
        return torch.amp.GradScaler(self.device.type, enabled=self.dtype == torch.float16)

    def alone(self) -> AbstractContextManager[None]:
        """Lock the checkpoint, on rank 0; raise RuntimeError if another training is using it."""
        mine = self.path is not None and self.processes.main
        return lock_checkpoint(self.path) if self.path and mine else nullcontext()

    def resume(self) -> None:
        """Load the checkpoint if there is one.

        Raises CheckpointError, with the reason, if it is damaged or of another model or other settings.
        """
        self.whole = True
        if self.path is None or not self.path.exists():
            return
        facts = load_training(self.path, self.model, self.optimizer, self._require)
        if facts["scaler"]:  # empty if saved on another device
            self.scaler.load_state_dict(facts["scaler"])
        for name in _STATE:
            setattr(self, name, facts.get(name, getattr(self, name)))
        self.saved_at = self.history.resumed_at = self.step
        self.history.records = [Record(**record) for record in facts["records"]]

    def _require(self, facts: dict[str, Any]) -> None:
        assert self.path is not None
        require_facts(self.path, facts)
        self._require_settings(facts)

    def _settings(self) -> dict[str, Any]:
        settings = {name: getattr(self.config, name) for name in _DECISIVE}
        return {**settings, "steps": self.total, "examples": len(self.data)}

    def _require_settings(self, facts: dict[str, Any]) -> None:
        """Raise CheckpointError with the settings that differ from the checkpoint's."""
        before, now = facts["settings"], self._settings()
        differ = [
            f"{n} was {before.get(n)} and is {now[n]}" for n in now if before.get(n) != now[n]
        ]
        if differ:
            raise CheckpointError(
                f"The checkpoint {self.path} belongs to a training with other settings: "
                f"{'; '.join(differ)}. Resume with those, or start over with another path."
            )
        if facts["step"] > self.total:
            raise CheckpointError(
                f"The checkpoint {self.path} is damaged: step is {facts['step']} of {self.total}."
            )

    @contextmanager
    def environment(self, progress: bool) -> Iterator[None]:
        """Set train mode and fork torch's generators; at the end restore both, and save."""
        modes = {module: module.training for module in self.model.modules()}
        devices = [self.device] if self.device.type == "cuda" else []
        with self._bar(progress), torch.random.fork_rng(devices):
            self.model.train()
            try:
                yield
            finally:
                for module, mode in modes.items():
                    module.training = mode
                if self.whole and self.step > self.saved_at:
                    self.save()

    @contextmanager
    def _bar(self, progress: bool) -> Iterator[None]:
        """Show progress on rank 0."""
        if not progress or not self.processes.main:
            yield
            return
        tqdm = importlib.import_module("tqdm.auto").tqdm  # slow to import
        shown = self.step - self.unreported
        with tqdm(total=self.total, initial=shown, unit="step") as self.bar:
            yield

    def update(self) -> None:
        """Make one update: batch, loss, gradient, clipping, AdamW. Undo it if it fails.

        Raises FloatingPointError if the gradient is infinite or NaN.
        """
        before, step = Rollback(self.model), self.step
        try:
            norm, numbers = self._differentiate()
            with self.interrupts.shield():
                self.whole = False  # an error in the optimizer's step leaves half of an update
                self._apply()
                self._count(numbers)
                self.norm, self.step = norm, step + 1
                self.unreported = self.whole = True
        except BaseException:
            if self.step == step:
                with self.interrupts.shield():
                    before.restore()
                    self._forget_unscaling()
            raise
        self.optimizer.zero_grad(set_to_none=True)

    def _differentiate(self) -> tuple[float, dict[str, float]]:
        """Compute the clipped gradient; return its norm and the numbers to record."""
        rank, count = self.processes.rank, self.processes.count
        torch.manual_seed(step_seed(self.config.seed, self.step, rank))
        chosen = batch_indices(len(self.data), self.config.batch_size, self.step, self.config.seed)
        # Each process takes every count-th example. Gradients are averaged, so each loss is weighted
        # by its share; a process without examples computes one with weight 0.
        mine = chosen[rank::count]
        share = len(mine) * count / len(chosen)
        batch = to_device(self.collate([self.data[i] for i in mine or chosen[:1]]), self.device)
        with torch.autocast(self.device.type, self.dtype, self.dtype != torch.float32):
            result = self.loss(self.model, batch)
        loss, extra = result if isinstance(result, tuple) else (result, {})
        require_loss(loss)
        self.scaler.scale(loss * share).backward()  # type: ignore[no-untyped-call]
        average_gradients(self.model.parameters(), self.processes)
        self.scaler.unscale_(self.optimizer)
        return self._clip(), self._average({**extra, "loss": loss}, share)

    def _clip(self) -> float:
        """Clip the gradient, and refuse one that is not finite."""
        limit = math.inf if self.config.clip is None else self.config.clip
        norm = float(nn.utils.clip_grad_norm_(self.model.parameters(), limit))
        if not math.isfinite(norm) and not self.scaler.is_enabled():
            raise FloatingPointError(
                f"The gradient of update {self.step + 1} is {norm}. The model is "
                "unchanged. Lower learning_rate, lengthen warmup, or look for a division by zero "
                "or a logarithm of zero in the loss."
            )
        return norm

    def _average(self, values: dict[str, Any], share: float) -> dict[str, float]:
        """Average the numbers to record over all processes."""
        plain = [float(v.detach() if isinstance(v, Tensor) else v) for v in values.values()]
        numbers = share * torch.tensor(plain, dtype=torch.float64)
        if self.processes.count > 1:
            numbers = numbers.to(self.device)
            torch.distributed.all_reduce(numbers)
            numbers /= self.processes.count
        return dict(zip(values, numbers.tolist(), strict=True))

    def _apply(self) -> None:
        """Step AdamW at the scheduled rate."""
        config = self.config
        self.rate = learning_rate(self.step, config.warmup, self.total, config.learning_rate)
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate
        self.scaler.step(self.optimizer)
        self.scaler.update()

    def _count(self, numbers: dict[str, float]) -> None:
        """Add an update's numbers to the sums of the next record."""
        for name, number in numbers.items():
            self.sums[name] = self.sums.get(name, 0.0) + number
        self.counted += 1

    def _forget_unscaling(self) -> None:
        """Reset the scaler to its state before the update, in which no gradient was unscaled."""
        if self.scaler.is_enabled():
            state = self.scaler.state_dict()
            self.scaler = self._new_scaler()
            self.scaler.load_state_dict(state)

    def report(self) -> None:
        """Evaluate, record, call back and save, each when it is due."""
        config, last = self.config, self.step == self.total
        due = config.evaluate_every and self.step % config.evaluate_every == 0
        evaluation = self._evaluate() if self.evaluate and (due or last) else {}
        if self.step % config.log_every == 0 or last or evaluation:
            self._record(evaluation)
        self.unreported = False
        if self.bar is not None:
            self.bar.update()
        if self.step % config.checkpoint_every == 0 or last:
            self.save()

    def _evaluate(self) -> dict[str, float]:
        assert self.evaluate is not None
        if not self.processes.main:
            return {"": 0.0}  # recorded here too, so that all processes reset their sums
        self.model.eval()
        try:
            with self._undone_on_error(), torch.no_grad():
                return {name: float(value) for name, value in self.evaluate(self.model).items()}
        finally:
            self.model.train()

    @contextmanager
    def _undone_on_error(self) -> Iterator[None]:
        """Restore the buffers if a caller's function fails: a resumed training calls it again."""
        before = Rollback(self.model)
        try:
            yield
        except BaseException:
            with self.interrupts.shield():
                before.restore()
            raise

    def _record(self, evaluation: dict[str, float]) -> None:
        means = {name: total / self.counted for name, total in self.sums.items()}
        epoch = self.step / math.ceil(len(self.data) / self.config.batch_size)
        loss = means.pop("loss")
        metrics = {**means, **evaluation}
        record = Record(self.step, epoch, loss, self.rate, self.norm, metrics)
        with self.interrupts.shield():  # append the record and reset its sums together
            self.history.records.append(record)
            self.sums, self.counted, self.unreported = {}, 0, False
        if self.bar is not None:
            self.bar.set_postfix(loss=f"{loss:.4g}")
        if self.callback is not None and self.processes.main:
            with self._undone_on_error():
                self.stopped = bool(self.callback(record))

    def interrupted(self) -> bool:
        """Return whether to stop now, the same in all processes: a signal to one stops all."""
        asked = int(self.interrupts.asked or 0)
        if self.processes.count > 1:
            flags = torch.tensor([asked, self.stopped], device=self.device, dtype=torch.int32)
            torch.distributed.all_reduce(flags, op=torch.distributed.ReduceOp.MAX)
            asked, self.stopped = int(flags[0]), bool(flags[1])
            if asked:
                self.interrupts.ask(signal.Signals(asked))
        self.history.interrupted = bool(asked) and self.step < self.total
        return bool(asked)

    def save(self) -> None:
        """Write the checkpoint, if there is one, on rank 0."""
        if self.path is None or not self.processes.main:
            return
        facts = {
            **{name: getattr(self, name) for name in _STATE},
            "settings": self._settings(),
            "scaler": self.scaler.state_dict(),
            "records": [asdict(record) for record in self.history.records],
        }
        save_training(self.path, self.model, self.optimizer, facts)
        self.saved_at = self.step
