"""The tokenizer lab as a widget: settings in, drawings out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from course.labs.checkpoints import MINILM, fetch
from course.labs.drawing import Drawing
from course.labs.own_functions import OwnFunctionsLab
from course.labs.tokenizer.challenges import TASKS
from course.labs.tokenizer.compute import (
    SIZES,
    Cutter,
    Selection,
    Settings,
    Tokens,
    compute,
    cutter_of,
    history,
)
from course.labs.tokenizer.form import EXAMPLES, form
from course.labs.tokenizer.view import panels, step_of, still, summary


class TokenizerLab(OwnFunctionsLab):
    """See a text become tokens, with whole words or WordPiece, at any size of the vocabulary.

    Args:
        wordpiece: your own, `(word, vocabulary) -> pieces`, in place of the reference.
        download: whether a `checkpoint` that is not here may be fetched from the hub.
        **settings: how the lab starts; any of `text`, `kind` (`"wordpiece"`, `"words"`,
            `"minilm"`), `checkpoint` (an encoder of the BERT, RoBERTa, DistilBERT or ModernBERT
            family, whose tokenizer takes the place of MiniLM's: its folder, or its name on the
            hub), `size` (50 to 4000 entries), `corpus` (`"english"`, `"chinese too"`) and
            `piece` (which one is looked at).

    Raises:
        ValueError: a setting cannot be; the text says why.
        TypeError: there is no such setting, or `wordpiece` cannot be called.

    >>> TokenizerLab(text="A cat sat.", size=200)
    TokenizerLab(text='A cat sat.', size=200)
    """

    tasks = TASKS

    def __init__(
        self,
        wordpiece: Callable[..., Any] | None = None,
        *,
        download: bool = False,
        **settings: Any,
    ) -> None:
        self._cutters: dict[bool, Cutter] = {}
        if download:
            fetch(settings.get("checkpoint", MINILM))
        named = "checkpoint" in settings  # who names one wants to see it
        defaults = Settings(EXAMPLES[0], "minilm" if named else "wordpiece"), Selection()
        super().__init__({"wordpiece": wordpiece}, *defaults, settings)

    def _cutter(self, own: bool) -> Cutter:
        """The cutter with the learner's function or without; it remembers what it has cut."""
        return self._cutters.setdefault(own, cutter_of(self.functions(own)))

    def compute(self, asked: Settings, own: bool) -> Tokens:
        """Cut the text."""
        return compute(asked, self._cutter(own))

    def fit(self, result: Tokens, chosen: Selection) -> Selection:
        """The nearest piece that there is."""
        return Selection(min(max(chosen.piece, 0), max(len(result.tokens) - 1, 0)))

    def history(self) -> list[tuple[int, tuple[str, ...]]]:
        """How the chosen word is cut as the vocabulary grows."""
        tokens, (asked, own) = self.shown(), self._made_from
        if not tokens.tokens:
            return []
        number = tokens.tokens[self._chosen.piece].word
        if asked.by_checkpoint:
            cut = tuple(token.text for token in tokens.tokens if token.word == number)
            return [(tokens.pretrained, cut)]
        word = tokens.words[number]
        return history(word, asked, self._cutter(own))

    def form(self) -> dict[str, Any]:
        """The controls and panels."""
        return form(self._made_from[0].checkpoint)

    def drawing(self) -> Drawing:
        """What should be seen now."""
        tokens, asked, steps = self.shown(), self._made_from[0], self.history()
        piece = self._chosen.piece
        told = summary(asked, tokens, piece, steps)
        return Drawing(
            values={**self.settings, "example": "", "step": step_of(self._asked.size)},
            panels=panels(asked, tokens, piece, steps, self._number),
            summary=" ".join(filter(None, [told, self.whose()])),
            notice=self._notice,
        )

    def still(self) -> dict[str, str]:
        """A picture, and words, for places without a front end."""
        tokens, asked = self.shown(), self._made_from[0]
        told = summary(asked, tokens, self._chosen.piece, self.history())
        words = [repr(self), told, self.whose(), self._notice]
        return {
            "text/plain": "\n".join(filter(None, words)),
            "image/svg+xml": still(asked, tokens, told),
        }

    # What the slider, the examples and a point of the plots do

    def _take_step(self, step: Any) -> None:
        if isinstance(step, int):
            size = SIZES[min(max(step, 0), len(SIZES) - 1)]
            self._asked = replace(self._asked, size=size)

    def _take_example(self, text: Any) -> None:
        if text:
            self._asked = replace(self._asked, text=str(text))

    def _take_point(self, label: Any) -> None:
        if str(label).isdecimal():
            self._asked = replace(self._asked, size=int(label))

    actions: ClassVar[Mapping[str, Callable[[Any, Any], None]]] = {
        "step": _take_step,
        "example": _take_example,
        "point": _take_point,
    }
