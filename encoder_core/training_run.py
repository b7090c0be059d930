"""The machinery of `training.fit`: one object that holds a training and makes its updates.

Source: Loshchilov and Hutter 2019, "Decoupled Weight Decay Regularization" (AdamW); Pascanu et al.
2013, "On the difficulty of training recurrent neural networks" (clipping).
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from encoder_core.batches import batch_indices, step_seed
from encoder_core.devices import choose_device, choose_precision, to_device
from encoder_core.distributed import average_gradients, join_processes, same_weights
from encoder_core.schedule import learning_rate, parameter_groups
from encoder_core.training import History, Loss, Record, TrainingConfig, require_loss
from encoder_core.training_state import load_training, save_training

__all__ = ["Run"]

# What must be the same for a resumed training to give the numbers of an unbroken one.
_DECISIVE = ("batch_size", "learning_rate", "warmup", "weight_decay", "clip", "seed")

# What of a run itself is kept in its checkpoint.
_STATE = ("step", "rate", "norm", "sums", "counted", "unreported")


class Run:
    """A training under way; see `training.fit` for the arguments.

    Raises:
        ValueError: in `resume`, other settings than those of the checkpoint.
        FloatingPointError: in `update`, a gradient that is not finite.

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
    ) -> None:
        self.data, self.loss, self.config, self.collate = data, loss, config, collate
        self.evaluate, self.callback, self.path = evaluate, callback, path
        self.total = config.total_steps(len(data))
        self.device = choose_device(config.device)
        self.dtype = choose_precision(self.device, config.precision)
        self.processes = join_processes(self.device)
        self.model = model.to(self.device)
        same_weights(self.model, self.processes)
        groups = parameter_groups(model, config.weight_decay)
        fused = self.device.type == "cuda"
        self.optimizer = torch.optim.AdamW(groups, lr=config.learning_rate, fused=fused)
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=self.dtype == torch.float16)
        self.history = History()
        self.step = self.saved_at = 0
        self.stopped = self.whole = False
        self.unreported = False  # whether the latest update still has to be reported
        self.rate = self.norm = 0.0
        self.sums: dict[str, float] = {}
        self.counted = 0
        self.bar: Any = None

    def resume(self) -> None:
        """Go on from the checkpoint, where there is one.

        Raises:
            ValueError: it is of another model or of other settings; the message names them.
        """
        self.whole = True
        if self.path is None or not self.path.exists():
            return
        facts = load_training(self.path, self.model, self.optimizer, self._require_settings)
        self.scaler.load_state_dict(facts["scaler"])
        for name in _STATE:
            setattr(self, name, facts.get(name, getattr(self, name)))
        self.saved_at = self.history.resumed_at = self.step
        self.history.records = [Record(**record) for record in facts["records"]]

    def _settings(self) -> dict[str, Any]:
        settings = {name: getattr(self.config, name) for name in _DECISIVE}
        return {**settings, "steps": self.total, "examples": len(self.data)}

    def _require_settings(self, facts: dict[str, Any]) -> None:
        """Name the settings that differ from those of the checkpoint."""
        before, now = facts["settings"], self._settings()
        differ = [f"{n} was {before[n]} and is {now[n]}" for n in now if before.get(n) != now[n]]
        if differ:
            raise ValueError(
                f"The checkpoint {self.path} belongs to a training with other settings: "
                f"{'; '.join(differ)}. Go on with those, or start anew with another path."
            )

    @contextmanager
    def environment(self, progress: bool) -> Iterator[None]:
        """Lend the model and torch's generators to the training; save and give back at its end."""
        mode = self.model.training
        devices = [self.device] if self.device.type == "cuda" else []
        with self._bar(progress), torch.random.fork_rng(devices):
            self.model.train()
            try:
                yield
            finally:
                self.model.train(mode)
                if self.whole and self.step > self.saved_at:
                    self.save()

    @contextmanager
    def _bar(self, progress: bool) -> Iterator[None]:
        """Show a bar in the process that shows."""
        if not progress or not self.processes.main:
            yield
            return
        tqdm = importlib.import_module("tqdm.auto").tqdm  # here, since importing it costs time
        shown = self.step - self.unreported
        with tqdm(total=self.total, initial=shown, unit="step") as self.bar:
            yield

    def update(self) -> None:
        """Make one update: batch, loss, gradient, clipping, AdamW.

        Raises:
            FloatingPointError: the gradient is infinite or NaN; nothing has been changed.
        """
        rank, count = self.processes.rank, self.processes.count
        torch.manual_seed(step_seed(self.config.seed, self.step, rank))
        chosen = batch_indices(len(self.data), self.config.batch_size, self.step, self.config.seed)
        # Each process takes every count-th example. Their gradients are averaged, so each loss is
        # weighted by its share; a process with nothing to do computes an example for nothing.
        mine = chosen[rank::count]
        share = len(mine) * count / len(chosen)
        batch = to_device(self.collate([self.data[i] for i in mine or chosen[:1]]), self.device)
        with torch.autocast(self.device.type, self.dtype, self.dtype != torch.float32):
            result = self.loss(self.model, batch)
        loss, extra = result if isinstance(result, tuple) else (result, {})
        require_loss(loss)
        self.optimizer.zero_grad(set_to_none=True)
        self.scaler.scale(loss * share).backward()  # type: ignore[no-untyped-call]
        average_gradients(self.model.parameters(), self.processes)
        self.scaler.unscale_(self.optimizer)
        self._clip()
        self.whole = False  # from here on an exception leaves a model that is not to be saved
        self._apply()
        self._count({"loss": loss, **extra}, share)
        self.unreported = self.whole = True

    def _clip(self) -> None:
        """Shorten the gradient where it is too long, and refuse one that is no number."""
        limit = math.inf if self.config.clip is None else self.config.clip
        self.norm = float(nn.utils.clip_grad_norm_(self.model.parameters(), limit))
        if not math.isfinite(self.norm) and not self.scaler.is_enabled():
            raise FloatingPointError(
                f"The gradient of update {self.step + 1} is {self.norm}. The model is as it was "
                "before it. Lower learning_rate, lengthen warmup, or look for a division by zero "
                "or a logarithm of zero in the loss."
            )

    def _apply(self) -> None:
        """Let AdamW change the weights."""
        config = self.config
        self.rate = learning_rate(self.step, config.warmup, self.total, config.learning_rate)
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.step += 1

    def _count(self, values: dict[str, Any], share: float) -> None:
        """Add this update's numbers to those that the next record averages."""
        plain = [float(v.detach() if isinstance(v, Tensor) else v) for v in values.values()]
        numbers = share * torch.tensor(plain, dtype=torch.float64)
        if self.processes.count > 1:
            numbers = numbers.to(self.device)
            torch.distributed.all_reduce(numbers)
            numbers /= self.processes.count
        for name, number in zip(values, numbers.tolist(), strict=True):
            self.sums[name] = self.sums.get(name, 0.0) + number
        self.counted += 1

    def report(self) -> None:
        """Evaluate, record, call back and save, each where it is due."""
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
            return {"": 0.0}  # a record is due here too, so that all processes count alike
        self.model.eval()
        with torch.no_grad():
            numbers = {name: float(value) for name, value in self.evaluate(self.model).items()}
        self.model.train()
        return numbers

    def _record(self, evaluation: dict[str, float]) -> None:
        means = {name: total / self.counted for name, total in self.sums.items()}
        epoch = self.step / math.ceil(len(self.data) / self.config.batch_size)
        loss = means.pop("loss")
        metrics = {**means, **evaluation}
        record = Record(self.step, epoch, loss, self.rate, self.norm, metrics)
        self.whole = False  # the record, and what it was made of, change together or not at all
        self.history.records.append(record)
        self.sums, self.counted, self.unreported = {}, 0, False
        self.whole = True
        if self.bar is not None:
            self.bar.set_postfix(loss=f"{loss:.4g}")
        if self.callback is not None and self.processes.main:
            self.stopped = bool(self.callback(record))

    def interrupted(self, asked: bool) -> bool:
        """Say whether to stop now, with all processes of one mind."""
        if self.processes.count > 1:
            flags = torch.tensor([asked, self.stopped], device=self.device, dtype=torch.int32)
            torch.distributed.all_reduce(flags, op=torch.distributed.ReduceOp.MAX)
            asked, self.stopped = (bool(flag) for flag in flags.tolist())
        self.history.interrupted = asked and self.step < self.total
        return asked

    def save(self) -> None:
        """Write the checkpoint, where one is asked for, in the process that saves."""
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
