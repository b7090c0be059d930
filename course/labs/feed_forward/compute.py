"""From settings to what is drawn. Nothing here knows of widgets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from course.labs.faults import OwnFailed
from course.labs.feed_forward.fitting import ACTIVATIONS, Fit, fit
from course.labs.feed_forward.reading import Reading, read
from course.labs.feed_forward.settings import Settings, check_settings
from course.system.threads import one_thread

Network = Callable[..., Any]
FINE = 201  # places at which the network's curve is drawn


@dataclass(frozen=True)
class Shown:
    """What the lab draws.

    Attributes:
        fit: the network's whole way.
        x: `(FINE,)`, the places where it is drawn.
        output: `(FINE,)`, the network's curve at the chosen step.
        ramps: `(F, FINE)`, what each neuron adds to it.
        kinks: `(F,)`, where each neuron begins; NaN where that cannot be seen.
        reading: the sentence.
        own: whether the curve was computed by the learner's own function.
    """

    fit: Fit
    x: NDArray[np.float64]
    output: NDArray[np.float64]
    ramps: NDArray[np.float64]
    kinks: NDArray[np.float64]
    reading: Reading
    own: bool


def compute(settings: Settings, ffn: Network | None = None) -> Shown:
    """Train (or find trained) the small network, draw it, and read the sentence.

    Args:
        settings: what was set.
        ffn: the learner's own `(x, w1, b1, w2, b2) -> (P, 1)`, with x `(P, 1)`, w1 `(1, F)` and w2
            `(F, 1)`; it has a ReLU, so other activations are drawn without it.

    Raises:
        InvalidSetting: the settings cannot be; the text says why.
        OwnFailed: the learner's function raised or returned something else.

    >>> compute(Settings(width=2, text="So.")).ramps.shape
    (2, 201)
    """
    check_settings(settings)
    with one_thread():
        found = fit(settings.curve, settings.width, settings.activation, settings.seed)
    w1, b1, w2, b2 = found.at(settings.step)
    x = np.linspace(-1, 1, FINE)
    answers, _ = ACTIVATIONS[settings.activation](np.multiply.outer(x, w1) + b1)  # (FINE, F)
    ramps = (answers * w2).T  # (F, FINE)
    own = ffn is not None and settings.activation == "relu"
    output = _own(ffn, x, w1, b1, w2, b2) if ffn is not None and own else ramps.sum(axis=0) + b2
    with np.errstate(divide="ignore", invalid="ignore"):
        kinks = -b1 / w1
    seen = (np.abs(kinks) <= 1) & (settings.activation != "none")
    kinks = np.where(seen, kinks, np.nan)
    return Shown(found, x, output, ramps, kinks, read(settings.text, settings.checkpoint), own)


def _own(ffn: Network, x: Any, w1: Any, b1: Any, w2: Any, b2: Any) -> NDArray[np.float64]:
    """The curve by the learner's own function, `(FINE,)`."""
    parts = (x[:, None], w1[None], b1, w2[:, None], b2)  # (P, 1), (1, F), (F,), (F, 1), (1,)
    given = [torch.from_numpy(np.ascontiguousarray(part)).float() for part in parts]
    try:
        with torch.no_grad():
            result: Any = ffn(*given)
    except Exception as error:
        told = str(error).partition("\n")[0]
        raise OwnFailed(f"Your ffn raised {type(error).__name__}: {told}") from error
    if not isinstance(result, Tensor) or result.shape != (len(x), 1):
        came = tuple(result.shape) if isinstance(result, Tensor) else type(result).__name__
        raise OwnFailed(f"Your ffn should return a tensor ({len(x)}, 1); it returned {came}.")
    return result[:, 0].double().numpy()
