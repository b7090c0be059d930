"""A session that trains nothing: a test says what it has, and the theatre's views show it."""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

from course.training import Answer, HeadPicture, Record, Settings, Training

WORDS = ("list", "tuple", "set", "dict")


class Toy(nn.Module):
    """Four numbers: what it answers depends on them alone."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(4))


def toy_training(**changes: Any) -> Training:
    """A training of the toy; parts can be changed."""
    given: dict[str, Any] = {
        "name": "toy.words",
        "title": "A toy learns which word is missing",
        "settings": Settings(steps=300, d_model=8, nhead=2, warmup=10, more={"masking": 0.3}),
        "build": lambda _: Toy(),
        "data": (),
        "collate": list,
        "loss": lambda model, _: model.weight.sum(),
        "evaluate": lambda _: {"accuracy": 0.0},
        "figure": "accuracy",
        "baselines": {"most frequent": 0.25},
        "examples": answers,
        "head": look,
        "parts": {"EncoderLayer": "yours", "mask_tokens": "the reference's"},
    }
    return Training(**{**given, **changes})


def answers(model: nn.Module) -> list[Answer]:
    """Two examples; the model's first weight decides."""
    weight: Tensor = model.weight  # type: ignore[assignment]
    shares = torch.softmax(weight + torch.arange(4) * 0.1, 0).tolist()
    ranked = tuple(sorted(zip(WORDS, shares, strict=True), key=lambda pair: -pair[1]))
    return [
        Answer("a [MASK] of numbers", ranked[:3], "dict"),
        Answer("a [MASK] with keys", ranked[:3], "list"),
    ]


def look(model: nn.Module) -> HeadPicture:
    """Two layers of two heads at three tokens."""
    weight: Tensor = model.weight  # type: ignore[assignment]
    weights = torch.softmax(weight[:3].repeat(2, 2, 3, 1) + torch.eye(3) * 2, -1)
    return HeadPicture(("a", "[MASK]", "list"), weights)


class FakeMoments:
    """Kept moments: of update `step` the model's weights are step / 100."""

    def __init__(self) -> None:
        self.steps: list[int] = []
        self.asked: list[int] = []  # models that were asked for

    def nearest(self, step: int) -> int:
        return min(self.steps, key=lambda kept: abs(kept - step), default=0)

    def load(self, step: int, model: nn.Module) -> None:
        self.asked.append(step)
        with torch.no_grad():
            model.weight.copy_(torch.eye(4)[0] * step / 100)  # type: ignore[operator]


class FakeSession:
    """A session whose updates are made by `make`."""

    def __init__(self, training: Training, settings: Settings | None = None) -> None:
        self.training, self.settings = training, settings or training.settings
        self.state, self.message, self.seconds, self.compared = "ready", "", 0.0, ""
        self.step, self.total = 0, self.settings.steps
        self.records: list[Record] = []
        self.moments = FakeMoments()
        self.changes: list[tuple[int, float]] = []
        self.calls: list[tuple[Any, ...]] = []
        self.branches: list[FakeSession] = []
        self._heard_by: list[Callable[[], object]] = []

    def make(self, count: int = 1, loss: float | None = None, **metrics: float) -> None:
        """Make updates; the last one is measured."""
        for i in range(count):
            self.step += 1
            value = 4 * math.exp(-self.step / 80) if loss is None else loss
            measured = metrics if i == count - 1 else {}
            norms = {"embedding": 0.5, "layer 0": 1.5}
            self.records.append(
                Record(self.step, self.step / 50, value, 1e-3, 1.6, norms, dict(measured))
            )
            self.seconds = self.step / 50
        bisect.insort(self.moments.steps, self.step)
        self.tell()

    def tell(self) -> None:
        """Call all subscribers."""
        for callback in list(self._heard_by):
            callback()

    def become(self, state: str, message: str = "") -> None:
        """Change the state."""
        self.state, self.message = state, message
        self.tell()

    def subscribe(self, callback: Callable[[], object]) -> Callable[[], None]:
        self._heard_by.append(callback)
        return lambda: self._heard_by.remove(callback)

    @property
    def rate(self) -> float:
        return self.changes[-1][1] if self.changes else self.settings.learning_rate

    @property
    def listeners(self) -> int:
        """How many listen."""
        return len(self._heard_by)

    def start(self) -> None:
        self.calls.append(("start",))
        self.become("running")

    def pause(self) -> None:
        self.calls.append(("pause",))
        self.become("paused")

    def advance(self, count: int = 1) -> None:
        self.calls.append(("advance", count))
        self.state = "paused"
        self.make(count)

    def stop(self) -> None:
        self.calls.append(("stop",))
        self.become("stopped")

    def close(self, seconds: float = 15.0) -> None:
        self.calls.append(("close",))

    def reset(self) -> None:
        self.calls.append(("reset",))

    def set_rate(self, rate: float) -> None:
        self.calls.append(("set_rate", rate))
        self.changes.append((self.step, rate))

    def branch(self, step: int, **changes: Any) -> FakeSession:
        self.calls.append(("branch", step, changes))
        other = FakeSession(self.training, self.settings.changed(**changes))
        other.records, other.step = self.records[:step], step
        other.moments.steps = [step]
        self.branches.append(other)
        return other

    def result(self) -> SimpleNamespace:
        self.calls.append(("result",))
        self.state = "running"
        self.make(self.total - self.step, accuracy=0.9)
        self.become("finished")
        return SimpleNamespace(from_cache=False, name="trained")
