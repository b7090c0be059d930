"""From a sentence with blanks to a model's guesses, at several moments of its training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from course.labs.sentences import cut_sentence
from course.labs.settings_lab import check_whole
from course.system.threads import one_thread
from encoder_core.text.tokenizer import WordPiece

__all__ = [
    "Guesses",
    "History",
    "Moments",
    "OneModel",
    "Reader",
    "Selection",
    "Settings",
    "thinned",
]

LONGEST = 300  # characters of the sentence
SHOWN = 10  # guesses
MOST_MOMENTS = 10  # on the slider; each costs one forward pass for the curve


class Moments(Protocol):
    """The models of a training's moments, by the number of updates."""

    @property
    def steps(self) -> Sequence[int]:
        """The updates after which there is a model, in order."""

    def model(self, step: int) -> nn.Module:
        """The model after so many updates, in eval mode; called with ids `(B, S)` it returns logits."""


class OneModel:
    """A model that has one moment only: the present."""

    steps: Sequence[int] = (0,)

    def __init__(self, model: nn.Module) -> None:
        self._model = model.eval()

    def model(self, step: int) -> nn.Module:
        """The model."""
        return self._model


@dataclass(frozen=True)
class Settings:
    """What is computed.

    Attributes:
        text: the sentence; `[MASK]` in it is a blank too.
        blanks: places of tokens that are blanked, `[CLS]` being 0.
        moment: which of the moments shown, from 0; -1 is the last.
    """

    text: str
    blanks: tuple[int, ...] = ()
    moment: int = -1


@dataclass(frozen=True)
class Selection:
    """Which token is looked at, by its place."""

    piece: int = 1


@dataclass(frozen=True)
class Guesses:
    """What the model of one moment says.

    Attributes:
        tokens: the sentence's tokens as they were written, S of them.
        ids: their ids.
        asked: S booleans, True where the model saw `[MASK]`.
        fixed: S booleans, True for special tokens and for `[MASK]` in the text: not the learner's to blank.
        probabilities: `(S, V)` float32.
        step: updates behind the model.
    """

    tokens: tuple[str, ...]
    ids: tuple[int, ...]
    asked: tuple[bool, ...]
    fixed: tuple[bool, ...]
    probabilities: NDArray[np.float32]
    step: int

    def best(self, place: int, count: int = SHOWN) -> list[tuple[int, float]]:
        """The likeliest ids at a place with their probabilities, best first."""
        row = self.probabilities[place]
        chosen = np.argsort(-row, kind="stable")[:count]
        return [(int(i), float(row[i])) for i in chosen]

    def rank(self, place: int) -> int:
        """The place of the token that was written among the guesses, from 1."""
        row = self.probabilities[place]
        return int((row > row[self.ids[place]]).sum()) + 1


@dataclass(frozen=True)
class History:
    """The probability of the token that was written, at each moment: `steps` and `(S, moments)`."""

    steps: tuple[int, ...]
    probabilities: NDArray[np.float32]


def thinned(steps: Sequence[int], most: int = MOST_MOMENTS) -> tuple[int, ...]:
    """At most so many of the steps, evenly spread, the first and the last among them.

    >>> thinned(range(0, 101, 10), 5)
    (0, 20, 50, 80, 100)
    """
    if len(steps) <= most:
        return tuple(steps)
    places = np.linspace(0, len(steps) - 1, most).round().astype(int)
    return tuple(steps[place] for place in dict.fromkeys(places.tolist()))


class Reader:
    """Reads sentences with the models of a training's moments.

    Args:
        moments: the models.
        tokenizer: theirs; it needs a `[MASK]`.
        longest: how many tokens they take, special ones included.

    Raises:
        ValueError: the tokenizer has no `[MASK]`, or there is no moment.
    """

    def __init__(self, moments: Moments, tokenizer: WordPiece, longest: int = 64) -> None:
        self.moments, self.tokenizer, self.longest = moments, tokenizer, longest
        if "[MASK]" not in tokenizer.vocabulary:
            raise ValueError("The tokenizer has no [MASK], so that nothing can be blanked.")
        if not moments.steps:
            raise ValueError("There is no model yet: the training has not made an update.")
        self.mask_id = tokenizer.vocabulary["[MASK]"]
        self.special = {tokenizer.vocabulary[name] for name in tokenizer.specials}
        self.steps = thinned(moments.steps)

    def step_of(self, moment: int) -> int:
        """The updates of a moment by its number; those beyond the ends are the ends."""
        return self.steps[moment if moment < 0 else min(moment, len(self.steps) - 1)]

    @one_thread()
    def read(self, asked: Settings) -> Guesses:
        """What the model of `asked.moment` says of each token.

        Raises:
            InvalidSetting: no text, a text that is too long, a moment that isn't there.
        """
        check_whole(asked, {"moment": (-1, len(self.steps) - 1, "The moment")})
        encoding = cut_sentence(asked.text, self.tokenizer, LONGEST, self.longest)
        tokens, ids = tuple(encoding.tokens), tuple(encoding.ids)
        fixed = tuple(i in self.special for i in ids)
        blanked = [place in asked.blanks and not fixed[place] for place in range(len(ids))]
        seen = tuple(blank or i == self.mask_id for blank, i in zip(blanked, ids, strict=True))
        step = self.step_of(asked.moment)
        probabilities = self._probabilities(step, ids, seen)
        return Guesses(tokens, ids, seen, fixed, probabilities.numpy(), step)

    def history(self, guesses: Guesses) -> History:
        """How likely the models of all moments found the tokens that were written."""
        places, written = torch.arange(len(guesses.ids)), torch.tensor(guesses.ids)
        rows = [
            self._probabilities(step, guesses.ids, guesses.asked)[places, written]
            for step in self.steps
        ]
        return History(self.steps, torch.stack(rows, dim=1).numpy())  # (S, moments)

    @torch.no_grad()
    def _probabilities(self, step: int, ids: Sequence[int], blank: Sequence[bool]) -> Tensor:
        """The model's probabilities `(S, V)` of a sentence with blanks."""
        seen = torch.tensor(ids).masked_fill(torch.tensor(blank), self.mask_id)  # (S,)
        logits: Tensor = self.moments.model(step)(seen.unsqueeze(0))  # (1, S, V)
        return logits[0].float().softmax(dim=-1)
