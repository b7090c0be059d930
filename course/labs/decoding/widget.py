"""The decoding lab as a widget: settings in, drawings out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from course.labs.beams import Tree
from course.labs.decoding.challenges import TASKS
from course.labs.decoding.compute import SHOWN, Reader, Result, Selection, Settings
from course.labs.decoding.form import form
from course.labs.decoding.view import panels, still, summary
from course.labs.drawing import Drawing
from course.labs.settings_lab import SettingsLab
from encoder_core.models.encoder_decoder import EncoderDecoder
from encoder_core.text.tokenizer import WordPiece

EXAMPLES = (
    "return copy string leading characters removed",
    "return value string object",
    "file not exist exception raised",
    "this method returns number bytes written",
    "default use value first argument",
)
ENDS = "The sentence ends here: take back a token, or start again."


class DecodingLab(SettingsLab):
    """Watch the next token's distribution: what each rule cuts away, and what a beam makes of it.

    Args:
        model: an `EncoderDecoder` that writes sentences.
        tokenizer: its tokenizer, of both sides.
        examples: keywords to choose from.
        **settings: how the lab starts; any of `text` (the keywords), `begun` (the sentence so far),
            `temperature`, `top_k`, `top_p`, `beam`, `length_penalty`, `candidate` (a row of the
            table) and `node` (a place in the tree).

    Raises:
        ValueError: a setting is invalid; the text says why.
        TypeError: there is no such setting.
    """

    tasks = TASKS

    def __init__(
        self,
        model: EncoderDecoder,
        tokenizer: WordPiece,
        *,
        examples: Sequence[str] = EXAMPLES,
        **settings: Any,
    ) -> None:
        self.reader = Reader(model, tokenizer)
        self._examples = tuple(examples)
        self._random = np.random.default_rng(0)
        self._ended = False
        self.begin(Settings(self._examples[0]), Selection(), settings)
        super().__init__()

    def compute(self, asked: Settings, own: bool) -> Result:
        """Compute the distribution and the tree."""
        return self.reader.read(asked)

    def fit(self, result: Result, chosen: Selection) -> Selection:
        """The nearest row and place that there are."""
        rows = min(SHOWN, len(result.order))
        return Selection(
            min(max(chosen.candidate, 0), rows - 1),
            min(max(chosen.node, 0), len(result.tree.nodes) - 1),
        )

    def narrower(self) -> Tree:
        """The tree of the same sentence without a length penalty."""
        asked, result = self._made_from[0], self.shown()
        return self.reader.tree(self.reader.source(asked.text), result.begun, asked.beam, 0.0)

    def form(self) -> dict[str, Any]:
        """The controls and panels."""
        return form(self._examples)

    def drawing(self) -> Drawing:
        """What should be seen now."""
        result, asked = self.shown(), self._made_from[0]
        return Drawing(
            values={**self.settings, "example": ""},
            panels=panels(result, asked, self._chosen, self.reader, self._number),
            summary=summary(result, asked, self._chosen, self.reader),
            notice=self._told(asked),
        )

    def still(self) -> dict[str, str]:
        """A picture, and words, for places without a front end."""
        result, asked = self.shown(), self._made_from[0]
        told = summary(result, asked, self._chosen, self.reader)
        return {
            "text/plain": "\n".join(filter(None, [repr(self), told, self._told(asked)])),
            "image/svg+xml": still(result, self.reader, told),
        }

    def _told(self, asked: Settings) -> str:
        """What is wrong with a setting; else that the sentence ended, or what is not read of the texts."""
        return self._notice or (ENDS if self._ended else self.reader.unread(asked))

    # What the buttons and the examples do

    def apply(self, changes: Mapping[str, Any]) -> None:
        """Take in what was moved; that the sentence ended is told once."""
        self._ended = False
        super().apply(changes)

    def _write(self, tokens: Sequence[int]) -> None:
        """Go on after these tokens; the end ends nothing that could not go on."""
        ends = self.reader.eos_id in tokens
        words = [i for i in tokens if i != self.reader.eos_id]
        begun = self.reader.words([*self.shown().begun, *words])
        self._ended = ends
        self._asked = replace(self._asked, begun=begun)
        self._chosen = Selection()

    def _take_candidate(self, row: Any) -> None:
        """Take a row of the table, or the chosen one where a button was pressed."""
        pressed = isinstance(row, bool) or not isinstance(row, int)
        place = self._chosen.candidate if pressed else row
        result = self.shown()
        if 0 <= place < min(SHOWN, len(result.order)):
            self._write([int(result.order[place])])

    def _draw_token(self, _: Any) -> None:
        drawn = self.shown().drawn.astype(np.float64)
        self._write([int(self._random.choice(len(drawn), p=drawn / drawn.sum()))])

    def _follow(self, _: Any) -> None:
        self._write(self.shown().tree.tokens(self._chosen.node))

    def _back(self, _: Any) -> None:
        begun = self.reader.words(self.shown().begun[:-1])
        self._asked = replace(self._asked, begun=begun)

    def _restart(self, _: Any) -> None:
        self._asked = replace(self._asked, begun="")

    def _take_example(self, text: Any) -> None:
        if text:
            self._asked = replace(self._asked, text=str(text), begun="")

    actions: ClassVar[Mapping[str, Callable[[Any, Any], None]]] = {
        "take": _take_candidate,
        "draw": _draw_token,
        "follow": _follow,
        "back": _back,
        "restart": _restart,
        "example": _take_example,
    }
