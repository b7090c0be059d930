"""The translation lab as a widget: settings in, drawings out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from course.labs.drawing import Drawing
from course.labs.faults import UnreadableSetting
from course.labs.quoting import quoted
from course.labs.settings_lab import SettingsLab
from course.labs.translation.challenges import TASKS
from course.labs.translation.compute import (
    SHOWN,
    Characters,
    Forced,
    Reader,
    Result,
    Selection,
    Settings,
)
from course.labs.translation.form import form
from course.labs.translation.view import panels, still, summary
from course.system.markup import printable
from encoder_core.models.encoder_decoder import EncoderDecoder

EXAMPLES = (
    "Thursday, March 6, 1997",
    "Wednesday, December 24, 2031",
    "April 23 – May 14, 1970",
    "May 29, 10:39 PM",
    "27,803 horsepower",
    "Switzerland, Singapore, Spain, or Lithuania",
)
OTHER_PHRASE = "Monday, October 12, 2020"


class TranslationLab(SettingsLab):
    """Watch a phrase being translated: where each step looks, and what another memory or token changes.

    Args:
        model: an `EncoderDecoder` that translates.
        source: the characters that it reads.
        target: those that it writes; by default the same.
        answers: right translations by phrase, such as those of a data set.
        language: of the translation, as in HTML, such as "zh"; chooses the letters' forms.
        examples: phrases to choose from.
        longest: steps at most; by default some more than the longest answer has.
        **settings: how the lab starts; any of `text`, `beam`, `forced` (steps, from 1, with their
            tokens), `memory` ("own", "other", "characters shuffled", "vectors shuffled", "zeros"),
            `other` (the other phrase), `since` (the step, from 1, from which on that memory is
            looked at), and `step`, `place`, `layer`, `head`, `candidate`, `node` (what is looked
            at, from 0; layer or head -1 is the mean).

    Raises:
        ValueError: a setting is invalid; the text says why.
        TypeError: there is no such setting.
    """

    tasks = TASKS

    def __init__(
        self,
        model: EncoderDecoder,
        source: Characters,
        target: Characters | None = None,
        *,
        answers: Mapping[str, str] | None = None,
        language: str = "",
        examples: Sequence[str] = EXAMPLES,
        longest: int | None = None,
        **settings: Any,
    ) -> None:
        self.reader = Reader(model, source, target, answers, longest)
        self._examples, self._language = tuple(examples), language
        start = Settings(self._examples[0], other=OTHER_PHRASE)
        self.begin(start, Selection(), settings)
        self._follow_step(settings)
        super().__init__()

    def compute(self, asked: Settings, own: bool) -> Result:
        """Translate."""
        return self.reader.read(asked)

    def fit(self, result: Result, chosen: Selection) -> Selection:
        """The nearest of all that can be looked at."""

        def within(at: int, count: int, least: int = 0) -> int:
            return min(max(at, least), count - 1)

        step = within(chosen.step, len(result.made.tokens))
        return Selection(
            step,
            within(chosen.place, result.made.weights.shape[-1]),
            within(chosen.layer, self.reader.layers, -1),
            within(chosen.head, self.reader.heads, -1),
            within(chosen.candidate, min(SHOWN, len(result.order(step)))),
            within(chosen.node, len(result.made.tree.nodes)),
        )

    def read(self, name: str, value: Any) -> Any:
        """Read a setting; what is forced may come as a dict or as lists."""
        if name != "forced":
            return value
        pairs = value.items() if isinstance(value, Mapping) else value
        try:
            found = dict(pairs)
        except (TypeError, ValueError):
            found = {None: None}
        if not all(type(step) is int and isinstance(token, str) for step, token in found.items()):
            raise UnreadableSetting("What is forced must be steps with their tokens: {5: '年'}.")
        return tuple(sorted(found.items()))

    def other_alone(self) -> tuple[int, ...]:
        """The other phrase's own translation."""
        asked = self._made_from[0]
        return self.reader.read(Settings(asked.other, beam=asked.beam)).made.tokens

    def written(self) -> str:
        """The translation as it is seen."""
        return self.reader.text(self.shown().made.tokens)

    def form(self) -> dict[str, Any]:
        """The controls and panels."""
        reader = self.reader
        return form(self._examples, reader.layers, reader.heads, reader.longest)

    def drawing(self) -> Drawing:
        """What should be seen now."""
        result, asked = self.shown(), self._made_from[0]
        return Drawing(
            values={
                **self.settings,
                "forced": [list(each) for each in self._asked.forced],
                "any_forced": bool(self._asked.forced),
                "example": "",
            },
            panels=panels(result, asked, self._chosen, self.reader, self._language, self._number),
            summary=summary(result, asked, self._chosen, self.reader, _unknown(result)),
            notice=self._notice or _unknown(result),
        )

    def still(self) -> dict[str, str]:
        """A picture, and words, for places without a front end."""
        result, asked = self.shown(), self._made_from[0]
        told = summary(result, asked, self._chosen, self.reader, _unknown(result))
        return {
            "text/plain": "\n".join(filter(None, [repr(self), told, self._notice])),
            "image/svg+xml": still(result, asked, self._chosen, self.reader, told),
        }

    # What is moved together, and what the buttons do

    def apply(self, changes: Mapping[str, Any]) -> None:
        """Take in what was moved; another phrase has nothing forced, and the tree follows the step."""
        if "text" in changes and changes["text"] != self._asked.text:
            changes = {"forced": [], **changes}
        before = self._number
        super().apply(changes)
        nodes = self.shown().made.tree.nodes
        if "node" in changes and self._number == before:
            self._chosen = replace(self._chosen, step=nodes[self._chosen.node].step - 1)
        elif self._number == before and "step" not in changes:
            changes = {**changes, "node": None}  # the tree stays where it is
        self._follow_step(changes)

    def set(self, **settings: Any) -> None:
        """Change settings from Python; what belongs to the step follows it."""
        super().set(**settings)
        self._follow_step(settings)
        self.redraw()

    def _follow_step(self, given: Mapping[str, Any]) -> None:
        """Choose what belongs to the step: the heaviest place, the token and the tree's node there."""
        result = self.shown()
        made, chosen = result.made, self._chosen
        token, path = made.tokens[chosen.step], made.tree.path(made.tree.best)
        order = result.order(chosen.step)[:SHOWN].tolist()
        weights = result.looks(chosen.layer, chosen.head)[chosen.step]  # (S,)
        natural = {
            "place": int(weights.argmax()),
            "candidate": order.index(token) if token in order else 0,
            "node": path[min(chosen.step, len(path) - 1)],
        }
        new = {name: value for name, value in natural.items() if name not in given}
        self._chosen = self.fit(result, replace(chosen, **new))

    def _force(self, row: Any) -> None:
        """Write a row of the table at the chosen step; what was forced after it is released."""
        pressed = isinstance(row, bool) or not isinstance(row, int)
        place = self._chosen.candidate if pressed else row
        result, step = self.shown(), self._chosen.step
        order = result.order(step)
        if 0 <= place < min(SHOWN, len(order)):
            self._hold([(step + 1, self._token(int(order[place])))], until=step + 1)

    def _follow(self, _: Any) -> None:
        tree = self.shown().made.tree
        tokens = tree.tokens(self._chosen.node)
        self._hold([(i + 1, self._token(each)) for i, each in enumerate(tokens)], until=0)

    def _hold(self, forced: Sequence[tuple[int, str]], until: int) -> None:
        earlier: Forced = tuple(each for each in self._asked.forced if each[0] < until)
        self._asked = replace(self._asked, forced=(*earlier, *forced))

    def _token(self, number: int) -> str:
        return self.reader.target.tokens[number]

    def _release(self, _: Any) -> None:
        self._asked = replace(self._asked, forced=())

    def _from_here(self, _: Any) -> None:
        self._asked = replace(self._asked, since=self._chosen.step + 1)

    def _take_example(self, text: Any) -> None:
        if text:
            self._asked = replace(self._asked, text=str(text), forced=())

    actions: ClassVar[Mapping[str, Callable[[Any, Any], None]]] = {
        "force": _force,
        "follow": _follow,
        "release": _release,
        "from_here": _from_here,
        "example": _take_example,
    }


def _unknown(result: Result) -> str:
    """Which characters the model does not know, in a sentence."""
    found = (*result.unknown, *result.other_unknown)
    if not found:
        return ""
    named = ", ".join(quoted(printable(each)) for each in dict.fromkeys(found))
    return f"The model doesn't know {named}: no training text has it, and it reads a sign for “unknown”."
