"""What is trained: the model, the data, the loss, and what a theatre shows of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from course.sandbox.guards import seeded
from course.training.settings import POSITIONS, Settings, problems

__all__ = ["Answer", "HeadPicture", "Training"]

_NAME = re.compile(r"[a-z0-9_]+(\.[A-Za-z0-9_]+)*")


@dataclass(frozen=True)
class Answer:
    """One held-out example, answered by the model of a moment.

    Attributes:
        prompt: as it is shown, such as "a list [MASK] tuples".
        guesses: best first, each with its probability.
        right: what belongs there.
    """

    prompt: str
    guesses: tuple[tuple[str, float], ...]
    right: str


@dataclass(frozen=True)
class HeadPicture:
    """The attention weights `(layers, H, S, S)` of a model at S tokens."""

    tokens: tuple[str, ...]
    weights: Tensor


@dataclass(frozen=True, kw_only=True)
class Training:
    """A training, without any running state.

    Attributes:
        name: such as "bert.masked_words"; names its folder and its cache.
        title: a sentence for the theatre's head.
        settings: the defaults.
        build: makes a fresh model; torch's generator is seeded with `settings.seed` before.
        data, collate, loss: as `encoder_core.training.loop.fit` takes them.
        evaluate: figures on the validation split; called in eval mode, without gradients.
        figure: which of them is drawn.
        baselines: name -> that figure.
        test: figures on the test split, read once, at the end.
        examples: the same few held-out examples, answered.
        head: the attention weights for one of them.
        parts: "EncoderLayer" -> "yours" or "the reference's".
        notes: setting -> a sentence about it.
        key: stands for code and data, such as a hash of both; a cached result of another key is not used.
        positions: the kinds that `settings.positions` may name.
        validate: what is wrong with `settings.more`: name -> a sentence.
        reference: builds a model of the same weights without the learner's layers; a theatre's training
            says at its start where the learner's is slower or gives something else.

    Raises:
        ValueError: a name that can't name a folder.
    """

    name: str
    title: str
    settings: Settings
    build: Callable[[Settings], nn.Module]
    data: Sequence[Any]
    collate: Callable[[list[Any]], Any]
    loss: Callable[[nn.Module, Any], Any]
    evaluate: Callable[[nn.Module], dict[str, float]]
    figure: str
    baselines: Mapping[str, float] = field(default_factory=dict)
    test: Callable[[nn.Module], dict[str, float]] | None = None
    examples: Callable[[nn.Module], Sequence[Answer]] | None = None
    head: Callable[[nn.Module], HeadPicture] | None = None
    parts: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    key: str = ""
    positions: tuple[str, ...] = POSITIONS
    validate: Callable[[Settings], dict[str, str]] | None = None
    reference: Callable[[Settings], nn.Module] | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f'A training\'s name is like "bert.masked_words"; got {self.name!r}.')

    def check(self, settings: Settings) -> dict[str, str]:
        """Return what is wrong with each setting, in a sentence; {} if all are valid."""
        found = problems(settings, self.positions)
        return found if found or self.validate is None else self.validate(settings)

    def fresh_model(self, settings: Settings) -> nn.Module:
        """Build the model with the weights that `settings.seed` draws; random states stay as they are."""
        with seeded(settings.seed):
            return self.build(settings)
