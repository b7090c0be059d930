"""What a training asks of the parts that a learner may have written."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Iterable, Mapping
from types import ModuleType

from torch import nn

from course.training.sources import code_of
from encoder_core.models.text_encoder import TextEncoder

__all__ = ["any_is_the_learners", "fitting_positions", "key_of", "whose", "whose_parts"]


def whose(part: object) -> str:
    """Tell whether a part is the learner's own or the reference that stands in for it."""
    return "the reference's" if getattr(part, "__course_reference__", False) else "yours"


def whose_parts(parts: Mapping[str, object]) -> dict[str, str]:
    """Tell it of each part that is given, by name: for `Training.parts`."""
    return {name: whose(part) for name, part in parts.items() if part is not None}


def any_is_the_learners(parts: Mapping[str, object]) -> bool:
    """Whether a reference is worth comparing with."""
    return "yours" in whose_parts(parts).values()


def key_of(modules: Iterable[ModuleType], parts: Iterable[object], *data: bytes) -> str:
    """Hash what a finished training depends on beside its settings: its modules, the parts, the data."""
    sources = [inspect.getsource(module) for module in modules]
    sources += [code_of(part) for part in parts]
    sources += [hashlib.sha256(each).hexdigest() for each in data]
    return hashlib.sha256("\0".join(sources).encode()).hexdigest()[:16]


def fitting_positions(layer: Callable[..., nn.Module] | None) -> str:
    """Choose a trainable bias of the scores, where a layer takes a mask of numbers; else sines."""
    if layer is None:
        return "relative"
    try:
        TextEncoder(8, 8, 2, 1, 8, positions="relative", layer=layer)
    except ValueError:
        return "sinusoidal"
    return "relative"
