"""What a run of a training can be changed in, and what is wrong with a value."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from encoder_core.models.position_choice import POSITION_KINDS

__all__ = ["OPTIMIZERS", "POSITIONS", "SCHEDULES", "Settings", "problems"]

SCHEDULES = ("cosine", "linear", "constant")
OPTIMIZERS = ("adamw", "muon")
POSITIONS: tuple[str, ...] = POSITION_KINDS

# The least and the largest value: beyond them a laptop's memory or a learner's patience ends.
_WHOLE = {
    "steps": (1, 1_000_000),
    "batch_size": (1, 4096),
    "warmup": (0, 1_000_000),
    "d_model": (1, 1024),
    "nhead": (1, 64),
    "num_layers": (1, 24),
    "dim_feedforward": (1, 8192),
    "seed": (0, 2**63 - 1),
}
_LARGEST = 50_000_000  # weights of all layers; AdamW keeps four numbers for each


@dataclass(frozen=True)
class Settings:
    """The settings of one run; `more` holds what only this training has, such as `masking`.

    >>> Settings(steps=300).changed(learning_rate=1e-3).learning_rate
    0.001
    """

    steps: int = 1000
    batch_size: int = 32
    learning_rate: float = 3e-3
    warmup: int = 50
    schedule: str = "cosine"
    d_model: int = 64
    nhead: int = 4
    num_layers: int = 2
    dim_feedforward: int = 128
    dropout: float = 0.1
    positions: str = "sinusoidal"
    seed: int = 0
    weight_decay: float = 0.01
    clip: float | None = 1.0
    optimizer: str = "adamw"
    more: Mapping[str, Any] = field(default_factory=dict)

    def changed(self, **changes: Any) -> Settings:
        """Return these settings with some changed; a name in `more` is changed there.

        Raises:
            TypeError: a name that neither the settings nor `more` has.
        """
        own = {name: value for name, value in changes.items() if name in _NAMES}
        more = {name: value for name, value in changes.items() if name not in _NAMES}
        unknown = [name for name in more if name not in self.more]
        if unknown:
            known = ", ".join([*_NAMES[:-1], *self.more])
            raise TypeError(f"There is no setting {unknown[0]!r}; there are {known}.")
        if more:
            own["more"] = {**own.get("more", self.more), **more}
        return replace(self, **own)

    def arguments(self, **parts: Any) -> dict[str, Any]:
        """Return what a model is built with: its sizes, by PyTorch's names, and the parts that are not None.

        >>> Settings(nhead=2).arguments(layer=None)["nhead"]
        2
        """
        names = ("d_model", "nhead", "num_layers", "dim_feedforward", "dropout")
        sizes = {name: getattr(self, name) for name in names}
        return sizes | {name: part for name, part in parts.items() if part is not None}

    def as_json(self) -> dict[str, Any]:
        """Return the settings as JSON keeps them."""
        return {**asdict(self), "more": dict(self.more)}

    def digest(self) -> str:
        """Return 16 hexadecimal digits that stand for these settings."""
        text = json.dumps(self.as_json(), sort_keys=True, default=repr)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


_NAMES = tuple(entry.name for entry in fields(Settings))


def problems(settings: Settings, positions: tuple[str, ...] = POSITIONS) -> dict[str, str]:
    """Return what is wrong with each setting, in a sentence; {} if all are valid.

    >>> problems(Settings(d_model=64, nhead=5))["nhead"]
    'nhead = 5 does not divide d_model = 64: each head takes an equal share of it. Choose 1, 2, 4, 8, 16, 32 or 64.'
    """
    found: dict[str, str] = {}
    for name, sentence in _each(settings, positions):
        found.setdefault(name, sentence)
    if not found:
        found.update(_together(settings))
    return found


def _each(settings: Settings, positions: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """What is wrong with a setting by itself."""
    for name, (least, most) in _WHOLE.items():
        value = getattr(settings, name)
        if not _whole(value):
            yield name, f"{name} must be a whole number; got {value!r}."
        elif not least <= value <= most:
            yield name, f"{name} must be from {least:,} to {most:,}; got {value:,}."
    if not _number(settings.learning_rate) or not settings.learning_rate > 0:
        yield "learning_rate", _positive("learning_rate", settings.learning_rate)
    if settings.clip is not None and (not _number(settings.clip) or not settings.clip > 0):
        yield "clip", _positive("clip", settings.clip) + " None stands for no clipping."
    if not _number(settings.dropout) or not 0 <= settings.dropout < 1:
        yield (
            "dropout",
            (
                "dropout is the share of values that are set to 0: from 0 to below 1; "
                f"got {settings.dropout!r}."
            ),
        )
    if not _number(settings.weight_decay) or not settings.weight_decay >= 0:
        yield (
            "weight_decay",
            (f"weight_decay must be a finite number of at least 0; got {settings.weight_decay!r}."),
        )
    choices = {"schedule": SCHEDULES, "optimizer": OPTIMIZERS, "positions": positions}
    for name, allowed in choices.items():
        if getattr(settings, name) not in allowed:
            yield name, f"{name} must be {_or(allowed)}; got {getattr(settings, name)!r}."


def _together(settings: Settings) -> Iterator[tuple[str, str]]:
    """What is wrong with settings that are valid one by one."""
    d_model, heads = settings.d_model, settings.nhead
    if d_model % heads:
        divisors = [
            str(n) for n in range(1, min(d_model, _WHOLE["nhead"][1]) + 1) if not d_model % n
        ]
        yield (
            "nhead",
            (
                f"nhead = {heads} does not divide d_model = {d_model}: each head takes an equal share of it. "
                f"Choose {_or(divisors)}."
            ),
        )
    if settings.warmup >= settings.steps:
        yield (
            "warmup",
            (
                f"warmup = {settings.warmup:,} must be below steps = {settings.steps:,}: "
                "the rate would never reach its peak."
            ),
        )
    per_layer = 4 * d_model**2 + 2 * d_model * settings.dim_feedforward
    if settings.num_layers * per_layer > _LARGEST:
        yield (
            "num_layers",
            (
                f"{settings.num_layers} layers of {per_layer:,} weights are more than {_LARGEST:,}: "
                "lower num_layers, d_model or dim_feedforward."
            ),
        )


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _positive(name: str, value: Any) -> str:
    return f"{name} must be a positive, finite number; got {value!r}."


def _or(words: tuple[str, ...] | list[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else words[0]
