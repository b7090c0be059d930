"""The feed-forward lab as a widget: settings in, drawings out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from course.labs.checkpoints import MINILM, fetch
from course.labs.drawing import Drawing
from course.labs.feed_forward.challenges import TASKS
from course.labs.feed_forward.compute import Network, Shown, compute
from course.labs.feed_forward.form import form
from course.labs.feed_forward.neurons import Excitement
from course.labs.feed_forward.reading import some_reading
from course.labs.feed_forward.settings import Selection, Settings
from course.labs.feed_forward.summary import explain_unused, summary, title
from course.labs.feed_forward.view import panels, still, strongest
from course.labs.settings_lab import SettingsLab


class FeedForwardLab(SettingsLab):
    """Watch a small feed-forward network learn a curve, and ask MiniLM's neurons.

    Args:
        ffn: your own `(x, w1, b1, w2, b2)`; the network's line is then drawn with it.
        excitement: what MiniLM's neurons answer to a text of your choice, from
            `course.labs.feed_forward.neurons.excite`; a few paragraphs are read where it is not given.
        download: whether a `checkpoint` that is not here may be fetched from the hub.
        **settings: how the lab starts; any of `checkpoint` (an encoder of the BERT, RoBERTa,
            DistilBERT or ModernBERT family in MiniLM's place: its folder, or its name on the
            hub), `curve` (`"wave"`, `"absolute value"`, `"step"`,
            `"bump"`, `"line"`), `width`, `activation` (`"relu"`, `"gelu"`, `"silu"`, `"tanh"`,
            `"none"`), `step`, `seed`, `text`, and of `layer`, `neuron`, `token`.

    Raises:
        ValueError: a setting cannot be; the text says why.
        TypeError: there is no such setting, or `ffn` cannot be called.

    >>> FeedForwardLab(width=4, activation="gelu", text="It is not so.")
    FeedForwardLab(width=4, activation='gelu', text='It is not so.')
    """

    tasks = TASKS

    def __init__(
        self,
        ffn: Network | None = None,
        excitement: Excitement | None = None,
        *,
        download: bool = False,
        **settings: Any,
    ) -> None:
        if ffn is not None and not callable(ffn):
            raise TypeError(f"ffn must be a function, not {type(ffn).__name__}.")
        self._ffn, self._excitement = ffn, excitement
        if download:
            fetch(settings.get("checkpoint", MINILM))
        self.begin(Settings(), Selection(), settings)
        super().__init__()

    @property
    def excitement(self) -> Excitement:
        """The answers to real text: those that were given, or to a few paragraphs."""
        source: str = self._made_from[0].checkpoint
        given = self._excitement if source == MINILM else None
        return given or some_reading(source)

    def compute(self, asked: Settings, own: bool) -> Shown:
        """The network at its step, and the sentence read."""
        return compute(asked, self._ffn if own else None)

    def fit(self, result: Shown, chosen: Selection) -> Selection:
        """The nearest layer, neuron and token that there are."""
        layers = result.reading.answers
        return Selection(
            layer=min(max(chosen.layer, 0), len(layers) - 1),
            neuron=min(max(chosen.neuron, 0), layers[0].shape[1] - 1),
            token=min(max(chosen.token, 0), len(result.reading.tokens) - 1),
        )

    def stand_in(self) -> str:
        """What is seen while the learner's own fails."""
        return "Until it works, the line is drawn with this course's own network."

    # What the base class asks for

    def form(self) -> dict[str, Any]:
        """The controls and panels."""
        return form(self._made_from[0].checkpoint)

    def drawing(self) -> Drawing:
        """What should be seen now."""
        shown, asked = self.shown(), self._made_from[0]
        told = f"{self._title()} {summary(shown, asked, self._chosen, self.excitement)}"
        return Drawing(
            values={**self.settings, "example": "", "found": ""},
            panels=panels(shown, asked, self._chosen, self.excitement, self._number),
            summary=told,
            notice=self._notice or self._unused_notice(),
        )

    def still(self) -> dict[str, str]:
        """A picture, and words, for places without a front end."""
        shown, asked = self.shown(), self._made_from[0]
        told = summary(shown, asked, self._chosen, self.excitement)
        words = [repr(self), self._title(), told, self._notice or self._unused_notice()]
        return {
            "text/plain": "\n".join(filter(None, words)),
            "image/svg+xml": still(shown, self._chosen, self.excitement, self._title()),
        }

    def _title(self) -> str:
        drawn = self._whose() if self._own and self._made_from[0].activation == "relu" else None
        return title(self._made_from[0], drawn)

    def _unused_notice(self) -> str:
        return explain_unused(self._made_from[0], self._whose() if self._own else None)

    def _whose(self) -> str | None:
        """Whose network draws the line: use() may have handed out the reference."""
        if self._ffn is None:
            return None
        own = getattr(self._ffn, "__course_reference__", False)
        return f"{'the reference' if own else 'your own'} {self._name()}"

    def _name(self) -> str:
        return str(getattr(self._ffn, "__name__", type(self._ffn).__name__))

    def own_name(self) -> str | None:
        """The learner's own network, for `repr`."""
        return f"ffn={self._name()}" if self._ffn is not None else None

    # What choices and pictures do

    def _take_example(self, text: Any) -> None:
        if isinstance(text, str) and text:
            self._asked = replace(self._asked, text=text)

    def _take_found(self, place: Any) -> None:
        if isinstance(place, str) and place:
            layer, neuron = map(int, place.split())
            self._chosen = replace(self._chosen, layer=layer, neuron=neuron)

    def _choose_nth(self, place: Any) -> None:
        if isinstance(place, int):
            numbers = [number for number, _ in strongest(self.shown(), self._chosen)]
            if 0 <= place < len(numbers):
                self._chosen = replace(self._chosen, neuron=numbers[place])

    actions: ClassVar[Mapping[str, Callable[..., None]]] = {
        "example": _take_example,
        "found": _take_found,
        "nth": _choose_nth,
    }
