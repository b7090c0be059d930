"""The state of a training under way, and its updates; see `training.loop` for how to drive it.

Source: Loshchilov and Hutter 2019, "Decoupled Weight Decay Regularization" (AdamW); Pascanu et al.
2013, "On the difficulty of training recurrent neural networks" (clipping).
"""

from __future__ import annotations

import importlib
import math
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from encoder_core.pretrained.checkpoints import CheckpointError
from encoder_core.training.batches import Batches, step_seed
from encoder_core.training.config import (
    Control,
    History,
    Loss,
    Record,
    TrainingConfig,
    require_loss,
    require_rate,
)
from encoder_core.training.devices import choose_device, choose_precision, to_device
from encoder_core.training.distributed import average_gradients, join_processes, same_weights
from encoder_core.training.facts import require_facts
from encoder_core.training.gradients import clip_gradients, layers_of
from encoder_core.training.interrupts import Interrupts
from encoder_core.training.lock import lock_checkpoint
from encoder_core.training.optimizers import make_optimizer
from encoder_core.training.randomness import own_generator
from encoder_core.training.rollback import Rollback
from encoder_core.training.schedule import Rates
from encoder_core.training.sharding import require_shardable, reshard, shard_model
from encoder_core.training.state import load_training, save_training

__all__ = ["Run"]

# Settings that must match on resuming: they change the numbers.
_DECISIVE = ("batch_size", "learning_rate", "warmup", "weight_decay", "clip", "seed")

# Settings that older checkpoints do not name, with what they were.
_LATER = {"schedule": "linear", "optimizer": "adamw", "by_length": False, "rate_changes": []}

# Attributes that the checkpoint holds.
_STATE = ("step", "rate", "norm", "sums", "counted", "unreported", "seconds")


class Run:
    """A training under way; see `training.fit` for the arguments, `training.start_training` to make one.

    Attributes:
        step: updates so far.
        total: updates in all; with only `seconds` given, an estimate that changes.
        seconds: spent in updates so far, over all resumptions.
        rate: of the latest update.
        norm: of the latest update's gradient, before clipping.
        layer_norms: with `config.layer_norms`, the same by layer.
        history: see `History`.
        paused: whether a callback asked for a pause after the latest update.

    Raises:
        CheckpointError: in `resume`, the checkpoint has other settings.
        ValueError: settings that do not go together; see `sharding.require_shardable`.
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
        callback: Callable[[Record], bool | Control | None] | None = None,
        path: Path | None = None,
        interrupts: Interrupts | None = None,
        length: Callable[[Any], int] | None = None,
    ) -> None:
        self.data, self.loss, self.config, self.collate = data, loss, config, collate
        self.evaluate, self.callback, self.path = evaluate, callback, path
        self.interrupts = interrupts or Interrupts()  # not entered, so it notes nothing
        self._steps = config.total_steps(len(data))
        lengths = None if length is None else [length(example) for example in data]
        self.batches = Batches(len(data), config.batch_size, config.seed, lengths)
        self.by_length = length is not None
        self.device = choose_device(config.device)
        self.dtype = choose_precision(self.device, config.precision)
        self.processes = join_processes(self.device)
        self.sharded = config.shard and self.processes.count > 1
        self.model = self._placed(model)
        self.optimizer = make_optimizer(
            config.optimizer, self.model, config.weight_decay, config.learning_rate
        )
        self.rates = Rates(
            config.schedule, config.warmup, config.learning_rate, config.rate_changes
        )
        self.layers = layers_of(self.model) if config.layer_norms else None
        self.scaler = self._new_scaler()
        self.generator = torch.Generator()
        self.history = History()
        self.step = self.saved_at = 0
        self.stopped = self.paused = self.whole = False
        self.unreported = False  # whether the latest update still has to be reported
        self.rate = self.norm = self.seconds = 0.0
        self.layer_norms: dict[str, float] = {}
        self.sums: dict[str, float] = {}
        self.counted = 0
        self.bar: Any = None
        self._changed: float | None = None  # a rate that a callback on rank 0 asked for

    def _placed(self, model: nn.Module) -> nn.Module:
        """Move the model to the device, whole or this process's share of it."""
        if not self.sharded:
            model = model.to(self.device)
            same_weights(model, self.processes)
            return model
        require_shardable(self.dtype, _name(self.config.optimizer))
        same_weights(model, self.processes, self.device)
        shard_model(model, self.processes, self.device)
        return model

    def _new_scaler(self) -> torch.amp.GradScaler:
        return torch.amp.GradScaler(self.device.type, enabled=self.dtype == torch.float16)

    @property
    def total(self) -> int:
        """The number of updates in all; an estimate, if only seconds are given."""
        if self._steps is not None:
            return self._steps
        assert self.config.seconds is not None
        if self.seconds >= self.config.seconds:
            return self.step
        done = max(self.seconds / self.config.seconds, 1e-9) if self.step else 1e-9
        return max(self.step, self.config.warmup, math.ceil(self.step / done)) + 1

    @property
    def complete(self) -> bool:
        """Whether all updates are made, or the seconds used up."""
        limit = math.inf if self.config.seconds is None else self.config.seconds
        return self.seconds >= limit or (self._steps is not None and self.step >= self._steps)

    @property
    def finished(self) -> bool:
        """Whether to make no more updates: complete, stopped by the callback, or interrupted."""
        asked = self.processes.count == 1 and self.interrupts.asked is not None
        return self.complete or self.stopped or asked or self.history.interrupted

    def change_rate(self, peak: float) -> None:
        """Scale the schedule to a new peak, from the next update on.

        The change is part of the checkpoint. A training with it in `TrainingConfig.rate_changes`, as
        `(run.step, peak)`, gives the same weights. Call it between two updates. Raises ValueError
        unless `peak` is a finite number of at least 0.
        """
        require_rate(peak)
        self.rates.change(self.step, peak)
        self.saved_at = -1

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
        self.rates.made = [(step, rate) for step, rate in facts.get("changes", [])]
        self.saved_at = self.history.resumed_at = self.step
        self.history.records = [Record(**record) for record in facts["records"]]

    def _require(self, facts: dict[str, Any]) -> None:
        assert self.path is not None
        require_facts(self.path, facts)
        self._require_settings(facts)

    def _settings(self) -> dict[str, Any]:
        """Return the settings that change the numbers, as JSON has them."""
        config = self.config
        return {
            **{name: getattr(config, name) for name in _DECISIVE},
            "schedule": _name(config.schedule),
            "optimizer": _name(config.optimizer),
            "by_length": self.by_length,
            "rate_changes": [list(change) for change in self.rates.planned],
            "steps": self._steps,
            "examples": len(self.data),
        }

    def _require_settings(self, facts: dict[str, Any]) -> None:
        """Raise CheckpointError with the settings that differ from the checkpoint's."""
        before, now = {**_LATER, **facts["settings"]}, self._settings()
        made = [tuple(change) for change in facts.get("changes", [])]
        before["rate_changes"] = self._past_changes(before["rate_changes"], made, facts["step"])
        now["rate_changes"] = self._past_changes(now["rate_changes"], made, facts["step"])
        if self._continues(before.get("steps"), facts["step"]):
            before["steps"] = self._steps
        differ = [
            f"{n} was {before.get(n)} and is {now[n]}" for n in now if before.get(n) != now[n]
        ]
        if differ:
            raise CheckpointError(
                f"The checkpoint {self.path} belongs to a training with other settings: "
                f"{'; '.join(differ)}. Resume with those, or start over with another path."
            )
        if self._steps is not None and facts["step"] > self._steps:
            raise CheckpointError(
                f"The checkpoint {self.path} is damaged: step is {facts['step']} of {self._steps}."
            )

    def _continues(self, steps_before: int | None, step: int) -> bool:
        """Return whether a training that reached its end is to go on."""
        enough = self._steps is None or self._steps >= step
        return (steps_before is None or steps_before == step) and enough

    def _past_changes(self, planned: list[Any], made: list[Any], step: int) -> list[Any]:
        """Return the changes that the first `step` updates had; plans for later may differ."""
        rates = Rates("constant", 0, self.config.learning_rate, planned)
        rates.made = made
        return rates.changes(before=step)

    @contextmanager
    def environment(self, progress: bool) -> Iterator[None]:
        """Set train mode and fork a GPU's generator; at the end restore both, and save."""
        modes = {module: module.training for module in self.model.modules()}
        ended = False
        with self._bar(progress), self._fork():
            self.model.train()
            try:
                yield
                ended = True
            finally:
                for module, mode in modes.items():
                    module.training = mode
                # A process that fails can't put shares together: the others are elsewhere.
                if self.whole and self.step > self.saved_at and (ended or not self.sharded):
                    self.save()

    @contextmanager
    def _fork(self) -> Iterator[None]:
        """Restore the state of a GPU's generator at the end; on the CPU the run has its own."""
        if self.device.type != "cuda":
            yield
            return
        state = torch.cuda.get_rng_state(self.device)
        try:
            yield
        finally:
            torch.cuda.set_rng_state(state, self.device)

    def _seed(self) -> None:
        """Seed all draws of the next update."""
        seed = step_seed(self.config.seed, self.step, self.processes.rank)
        self.generator.manual_seed(seed)
        if self.device.type != "cpu":
            torch.manual_seed(seed)  # the device's generator; inside of own_generator, ours again

    @contextmanager
    def _bar(self, progress: bool) -> Iterator[None]:
        """Show progress on rank 0."""
        if not progress or not self.processes.main:
            yield
            return
        tqdm = importlib.import_module("tqdm.auto").tqdm  # slow to import
        shown = self.step - self.unreported
        with tqdm(total=self._steps, initial=shown, unit="step") as self.bar:
            yield

    def update(self) -> None:
        """Make one update: batch, loss, gradient, clipping, optimizer. Undo it if it fails.

        Raises FloatingPointError if the gradient is infinite or NaN, and RuntimeError if all updates
        are made.
        """
        if self.complete:
            raise RuntimeError(
                f"All {self.step} updates of this training are made; see run.finished."
            )
        before, step, began = Rollback(self.model), self.step, time.perf_counter()
        self.paused = False
        try:
            with own_generator(self.generator):
                norm, layer_norms, numbers = self._differentiate()
            with self.interrupts.shield():
                self.whole = False  # an error in the optimizer's step leaves half of an update
                self._apply()
                self._count(numbers)
                self.norm, self.layer_norms, self.step = norm, layer_norms, step + 1
                self.seconds += self._agree(time.perf_counter() - began)
                self.unreported = self.whole = True
        except BaseException:
            if self.step == step:
                with self.interrupts.shield():
                    before.restore()
                    self._forget_unscaling()
            raise
        self.optimizer.zero_grad(set_to_none=True)

    def _differentiate(self) -> tuple[float, dict[str, float], dict[str, float]]:
        """Compute the clipped gradient; return its norm, those of layers, the numbers to record."""
        rank, count = self.processes.rank, self.processes.count
        self._seed()
        chosen = self.batches(self.step)
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
        if not self.sharded:  # else each layer's are averaged on the way back
            average_gradients(self.model.parameters(), self.processes)
        self.scaler.unscale_(self.optimizer)
        norm, layer_norms = self._clip()
        return norm, layer_norms, self._average({**extra, "loss": loss}, share)

    def _clip(self) -> tuple[float, dict[str, float]]:
        """Clip the gradient, and refuse one that is not finite; return its norms before that."""
        norm, layer_norms = clip_gradients(self.model, self.config.clip, self.layers)
        if not math.isfinite(norm) and not self.scaler.is_enabled():
            raise FloatingPointError(
                f"The gradient of update {self.step + 1} is {norm}. The model is "
                "unchanged. Lower learning_rate, lengthen warmup, or look for a division by zero "
                "or a logarithm of zero in the loss."
            )
        return norm, layer_norms

    def _average(self, values: dict[str, Any], share: float) -> dict[str, float]:
        """Average the numbers to record over all processes."""
        plain = [float(v.detach() if isinstance(v, Tensor) else v) for v in values.values()]
        numbers = share * torch.tensor(plain, dtype=torch.float64)
        if self.processes.count > 1:
            numbers = numbers.to(self.device)
            torch.distributed.all_reduce(numbers)
            numbers /= self.processes.count
        return dict(zip(values, numbers.tolist(), strict=True))

    def _agree(self, elapsed: float) -> float:
        """Return rank 0's time, where a limit on it decides when all processes end."""
        if self.processes.count == 1 or self.config.seconds is None:
            return elapsed
        time_of_main = torch.tensor(elapsed, dtype=torch.float64, device=self.device)
        torch.distributed.broadcast(time_of_main, src=0)
        return float(time_of_main)

    def _apply(self) -> None:
        """Step the optimizer at the scheduled rate."""
        self.rate = self.rates.at(self.step, self.total)
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
        """Evaluate, record, call back and save, each when it is due; call it after each update."""
        with own_generator(self.generator):
            self._report()

    def _report(self) -> None:
        config, last = self.config, self.complete
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
        if not self.processes.main and not self.sharded:
            return {"": 0.0}  # recorded here too, so that all processes reset their sums
        self.model.eval()
        try:
            with self._undone_on_error(), torch.no_grad():
                return {name: float(value) for name, value in self.evaluate(self.model).items()}
        finally:
            self.model.train()
            reshard(self.model)

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
        record = Record(
            self.step, epoch, loss, self.rate, self.norm, metrics, self.seconds, self.layer_norms
        )
        with self.interrupts.shield():  # append the record and reset its sums together
            self.history.records.append(record)
            self.sums, self.counted, self.unreported = {}, 0, False
        if self.bar is not None:
            self.bar.set_postfix(loss=f"{loss:.4g}")
        if self.callback is not None and self.processes.main:
            with self._undone_on_error():
                self._obey(self.callback(record))

    def _obey(self, answer: bool | Control | None) -> None:
        """Do what a callback asked for."""
        control = answer if isinstance(answer, Control) else Control(stop=bool(answer))
        self.stopped, self.paused = control.stop, control.pause
        self._changed = control.learning_rate
        if control.learning_rate is not None:
            self.change_rate(control.learning_rate)

    def interrupted(self) -> bool:
        """Return whether to stop now, the same in all processes: a signal to one stops all.

        What a callback asked for is passed on to the other processes too.
        """
        asked = int(self.interrupts.asked or 0)
        if self.processes.count > 1:
            changed = -1.0 if self._changed is None else self._changed
            told = [asked, self.stopped, self.paused, changed]
            flags = torch.tensor(told, device=self.device, dtype=torch.float64)
            torch.distributed.all_reduce(flags, op=torch.distributed.ReduceOp.MAX)
            asked, self.stopped, self.paused = int(flags[0]), bool(flags[1]), bool(flags[2])
            if not self.processes.main and flags[3] >= 0:
                self.change_rate(float(flags[3]))
            self._changed = None
            if asked:
                self.interrupts.ask(signal.Signals(asked))
        self.history.interrupted = bool(asked) and not self.complete
        return bool(asked)

    def save(self, durable: bool = True) -> None:
        """Write the checkpoint, if there is one, on rank 0; see `save_training` for `durable`.

        Where the model is sharded, all processes call this.
        """
        if self.path is None or not (self.processes.main or self.sharded):
            return
        facts = {
            **{name: getattr(self, name) for name in _STATE},
            "changes": self.rates.made,
            "settings": self._settings(),
            "scaler": self.scaler.state_dict(),
            "records": [asdict(record) for record in self.history.records],
        }
        save_training(
            self.path, self.model, self.optimizer, facts, durable=durable, write=self.processes.main
        )
        if durable:
            self.saved_at = self.step


def _name(choice: Any) -> str:
    """Return a setting's name, for the checkpoint: of a function, where it is from."""
    if isinstance(choice, str):
        return choice
    return f"{getattr(choice, '__module__', '')}.{getattr(choice, '__qualname__', choice)}"
