"""The surgery table as a widget: settings in, drawings out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from torch import nn

from course.labs.drawing import Drawing
from course.labs.faults import UnreadableSetting
from course.labs.settings_lab import SettingsLab
from course.labs.surgery.challenges import TASKS
from course.labs.surgery.compute import Effects, Selection, Settings, Table
from course.labs.surgery.form import form
from course.labs.surgery.view import panels, still, summary
from encoder_core.text.tokenizer import WordPiece

EXAMPLES = (
    "Return a list of tuples.",
    "If the file does not exist, an exception is raised.",
    "This method returns the number of bytes written.",
)
OTHER = "The socket was closed by the server."


class SurgeryTable(SettingsLab):
    """Cut heads, sublayers, neurons or tokens out of a trained model, and see what its answer loses.

    The question is a masked word, or the class of the sentence. Beside each effect stands what
    attention would have suggested.

    Args:
        model: returns logits for ids `(B, S)`: `(B, S, V)`, or `(B, C)` where it classifies. Its layers
            are `encoder_core`'s.
        tokenizer: the model's, with a `[MASK]`.
        classes: the names of the C classes, where it classifies.
        examples: sentences to choose from.
        longest: how many tokens the model takes.
        **settings: how the table starts; any of `text`, `place`, `replace`, `other`, `off`,
            `neurons_of`, and of `layer`, `head`.

    Raises:
        ValueError: a setting is invalid, or the model's parts can't be told apart.
        TypeError: there is no such setting.
    """

    tasks = TASKS

    def __init__(
        self,
        model: nn.Module,
        tokenizer: WordPiece,
        classes: Sequence[str] | None = None,
        *,
        examples: Sequence[str] = EXAMPLES,
        longest: int = 48,
        **settings: Any,
    ) -> None:
        self._table = Table(model, tokenizer, classes, longest)
        self._examples = tuple(examples)
        self.begin(Settings(self._examples[0], place=3, other=OTHER), Selection(), settings)
        super().__init__()

    def compute(self, asked: Settings, own: bool) -> Effects:
        """Cut every part by itself."""
        return self._table.operate(asked)

    def fit(self, result: Effects, chosen: Selection) -> Selection:
        """The nearest head that there is."""
        layers, heads = result.by_head.shape
        return Selection(min(max(chosen.layer, 0), layers - 1), min(max(chosen.head, 0), heads - 1))

    def read(self, name: str, value: Any) -> Any:
        """Read a setting; heads may come as lists of two numbers."""
        if name != "off":
            return value
        try:
            pairs = {(int(layer), int(head)) for layer, head in value}
        except (TypeError, ValueError):
            raise UnreadableSetting(
                "Heads that stay off are pairs of layer and head, such as [(0, 1)]."
            ) from None
        return tuple(sorted(pairs))

    def form(self) -> dict[str, Any]:
        """The controls and panels."""
        return form(self._table.shape[0], self._examples, self._table.classes is not None)

    def drawing(self) -> Drawing:
        """What should be seen now."""
        effects, asked, chosen = self.shown(), self._made_from[0], self._chosen
        place = {} if effects.place is None else {"place": effects.place}
        return Drawing(
            values={
                **self.settings,
                **place,
                "off": [list(pair) for pair in self._asked.off],
                "head_off": (chosen.layer, chosen.head) in self._asked.off,
                "example": "",
            },
            panels=panels(effects, asked, chosen, self._number),
            summary=summary(effects, asked, chosen),
            notice=self._notice,
        )

    def still(self) -> dict[str, str]:
        """A picture, and words, for places without a front end."""
        effects = self.shown()
        told = summary(effects, self._made_from[0], self._chosen)
        lines = [repr(self), told, self._notice]
        return {
            "text/plain": "\n".join(filter(None, lines)),
            "image/svg+xml": still(effects, told),
        }

    # What the controls do that set nothing themselves

    def _switch(self, off: Any) -> None:
        head = self._chosen.layer, self._chosen.head
        others = {*self._asked.off} - {head}
        self._asked = replace(self._asked, off=tuple(sorted(others | ({head} if off else set()))))

    def _all_on(self, _: Any) -> None:
        self._asked = replace(self._asked, off=())

    def _take_example(self, text: Any) -> None:
        if text:
            self._asked = replace(self._asked, text=str(text))

    actions: ClassVar[Mapping[str, Callable[[Any, Any], None]]] = {
        "head_off": _switch,
        "all_on": _all_on,
        "example": _take_example,
    }
