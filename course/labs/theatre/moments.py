"""What the model of a moment answers to the held-out examples, and where its heads look."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from course.labs.faults import OwnFailed, in_time
from course.system.threads import one_thread

if TYPE_CHECKING:
    from torch import nn

    from course.training import Answer, Session, Training

KEPT = 64  # pictures, some kilobytes each: scrubbing back and forth computes nothing twice
LONGEST = 64  # tokens of a head's picture that are drawn


@dataclass(frozen=True)
class Head:
    """Where all heads look in one held-out text.

    Attributes:
        tokens: S of them.
        weights: `(layers, H, S, S)` from 0 to 1.
    """

    tokens: tuple[str, ...]
    weights: NDArray[np.float32]


@dataclass(frozen=True)
class Picture:
    """The model of one moment at work. `fault` says in a sentence what failed."""

    step: int
    answers: tuple[Answer, ...] = ()
    head: Head | None = None
    fault: str = ""


class Pictures:
    """The pictures of one run's moments; the newest `KEPT` are remembered."""

    def __init__(self, training: Training, session: Session) -> None:
        self._training, self._session = training, session
        self._made: OrderedDict[int, Picture] = OrderedDict()
        self._model: nn.Module | None = (
            None  # which takes on the weights of one moment after the other
        )
        self.seconds = float("inf")  # that the latest picture took

    def nearest(self, step: int | None) -> int:
        """The kept moment nearest to an update; the newest for None, 0 where there is none yet."""
        moments = self._session.moments
        steps = moments.steps
        if not steps:
            return 0
        return int(steps[-1] if step is None else moments.nearest(step))

    def known(self, step: int) -> Picture | None:
        """A picture that is there already."""
        return self._made.get(step)

    def make(self, step: int) -> Picture:
        """The picture of a kept moment; 0 is the untrained model where none is kept."""
        known = self._made.get(step)
        if known is None:
            began = time.monotonic()
            known = self._made[step] = self._compute(step)
            self.seconds = time.monotonic() - began
            while len(self._made) > KEPT:
                self._made.popitem(last=False)
        return known

    def _compute(self, step: int) -> Picture:
        """Answers and head by themselves: one that fails leaves the other."""
        training, faults = self._training, []
        answers: tuple[Answer, ...] = ()
        head: Head | None = None
        model: nn.Module | None = None
        for part in ("examples", "head"):
            ask = getattr(training, part)
            if ask is None:
                continue
            try:
                # One thread: the training has the other cores.
                with one_thread(), torch.no_grad(), in_time("model"):
                    if model is None:
                        model = self._model_of(step)
                    given = ask(model)
                    if part == "examples":
                        answers = tuple(given)
                    else:
                        head = _checked(given)
            except OwnFailed as error:
                faults.append(str(error))
            except Exception as error:
                told = f"{type(error).__name__}: {error}"
                faults.append(f"The model of update {step:,} fails in {part}: {told[:300]}")
        return Picture(step, answers, head, " ".join(dict.fromkeys(faults)))

    def _model_of(self, step: int) -> nn.Module:
        """The model of a kept moment; its next call changes it."""
        training, session = self._training, self._session
        if step not in session.moments.steps:
            return training.fresh_model(session.settings).eval()
        if self._model is None:
            self._model = training.fresh_model(session.settings).requires_grad_(False).eval()
        session.moments.load(step, self._model)
        return self._model


def _checked(head: Any) -> Head:
    """The picture as numpy, of the first `LONGEST` tokens.

    Raises:
        ValueError: the weights are not `(layers, H, S, S)` for the tokens.
    """
    tokens = tuple(map(str, head.tokens))
    weights = torch.as_tensor(head.weights).detach().float().cpu()
    if weights.dim() != 4 or weights.shape[2:] != (len(tokens), len(tokens)):
        raise ValueError(
            f"the heads' weights must be (layers, H, S, S) with S = {len(tokens)} tokens, "
            f"not {tuple(weights.shape)}"
        )
    kept = weights[..., :LONGEST, :LONGEST].contiguous().numpy()
    return Head(tokens[:LONGEST], kept)
