"""The masked-word lab as a widget: settings in, drawings out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from torch import nn

from course.labs.drawing import Drawing
from course.labs.faults import UnreadableSetting
from course.labs.masked_word.challenges import TASKS
from course.labs.masked_word.compute import (
    Guesses,
    History,
    Moments,
    OneModel,
    Reader,
    Selection,
    Settings,
)
from course.labs.masked_word.form import form
from course.labs.masked_word.view import panels, still, summary
from course.labs.settings_lab import SettingsLab
from encoder_core.text.tokenizer import WordPiece

EXAMPLES = (
    "Return a list of tuples.",
    "If the file does not exist, an exception is raised.",
    "This method returns the number of bytes written.",
    "The function takes two arguments.",
    "Raise an error if the value is negative.",
)


class MaskedWordLab(SettingsLab):
    """Type a sentence, blank any token by a key, and see what a model puts there.

    Args:
        model: a model that returns logits `(B, S, V)` for ids `(B, S)`, or the moments of a
            training (`steps`, and `model(step)`).
        tokenizer: the model's.
        examples: sentences to choose from.
        longest: how many tokens the model takes.
        **settings: how the lab starts; any of `text`, `blanks` (places of tokens, [CLS] being 0),
            `moment` (which one, from 0) and `piece` (which token is looked at).

    Raises:
        ValueError: a setting is invalid; the text says why.
        TypeError: there is no such setting.
    """

    tasks = TASKS

    def __init__(
        self,
        model: nn.Module | Moments,
        tokenizer: WordPiece,
        *,
        examples: Sequence[str] = EXAMPLES,
        longest: int = 64,
        **settings: Any,
    ) -> None:
        moments = OneModel(model) if isinstance(model, nn.Module) else model
        self._reader = Reader(moments, tokenizer, longest)
        self._examples = tuple(examples)
        self._curve: tuple[int, History | None] = (-1, None)
        start = Settings(self._examples[0], blanks=(3,))
        self.begin(start, Selection(3), settings)
        super().__init__()

    def compute(self, asked: Settings, own: bool) -> Guesses:
        """Let the model read the sentence."""
        return self._reader.read(asked)

    def fit(self, result: Guesses, chosen: Selection) -> Selection:
        """The nearest token that there is."""
        return Selection(min(max(chosen.piece, 0), len(result.tokens) - 1))

    def read(self, name: str, value: Any) -> Any:
        """Read a setting; blanks may come as a list."""
        if name != "blanks":
            return value
        if isinstance(value, str) or not all(type(place) is int for place in value):
            raise UnreadableSetting("The blanks must be places of tokens, such as [3].")
        return tuple(sorted(set(value)))

    def history(self) -> History | None:
        """How the probabilities grew; computed once for each sentence with its blanks."""
        guesses = self.shown()
        if len(self._reader.steps) < 2:
            return None
        if self._curve[0] != self._number:
            self._curve = self._number, self._reader.history(guesses)
        return self._curve[1]

    def alone(self) -> Guesses:
        """What the model says where nothing is blanked but the chosen token."""
        return self._reader.read(replace(self._made_from[0], blanks=(self._chosen.piece,)))

    def form(self) -> dict[str, Any]:
        """The controls and panels."""
        return form(self._reader.steps, self._examples)

    def drawing(self) -> Drawing:
        """What should be seen now."""
        guesses, place = self.shown(), self._chosen.piece
        steps = self._reader.steps
        moment = steps.index(guesses.step)
        return Drawing(
            values={
                **self.settings,
                "moment": moment,
                "blanks": list(self._asked.blanks),
                "example": "",
            },
            panels=panels(
                guesses, self.history(), place, moment, self._reader.tokenizer, self._number
            ),
            summary=summary(guesses, place, self._reader.tokenizer, len(steps)),
            notice=self._notice,
        )

    def still(self) -> dict[str, str]:
        """A picture, and words, for places without a front end."""
        guesses, place = self.shown(), self._chosen.piece
        told = summary(guesses, place, self._reader.tokenizer, len(self._reader.steps))
        lines = [repr(self), told, self._notice]
        return {
            "text/plain": "\n".join(filter(None, lines)),
            "image/svg+xml": still(guesses, place, self._reader.tokenizer, told),
        }

    # What the buttons and the examples do

    def _toggle(self, _: Any) -> None:
        place = self._chosen.piece
        blanks = {*self._asked.blanks} ^ {place}
        self._asked = replace(self._asked, blanks=tuple(sorted(blanks)))

    def _restore(self, _: Any) -> None:
        self._asked = replace(self._asked, blanks=())

    def _take_example(self, text: Any) -> None:
        if text:
            self._asked = replace(self._asked, text=str(text))

    actions: ClassVar[Mapping[str, Callable[[Any, Any], None]]] = {
        "blank": _toggle,
        "restore": _restore,
        "example": _take_example,
    }
