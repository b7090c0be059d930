"""The attention lab as a widget: settings in, drawings out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from course.labs.attention.challenges import TASKS
from course.labs.attention.compute import Arrays, compute
from course.labs.attention.flow import drawn_heads
from course.labs.attention.form import EXAMPLES, form
from course.labs.attention.own import Attention
from course.labs.attention.settings import (
    WIDEST,
    Painting,
    Selection,
    Settings,
    read_setting,
    write_setting,
)
from course.labs.attention.still import still
from course.labs.attention.summary import summary, title
from course.labs.attention.view import panels, shown_values
from course.labs.checkpoints import MINILM, checkpoint, fetch
from course.labs.drawing import Drawing
from course.labs.settings_lab import SettingsLab
from encoder_core.attention import scaled_dot_product_attention

_PADDING = 4  # tokens, where a padding mask is set and there are none


class AttentionLab(SettingsLab):
    """See every head of an encoder at work on a text, and change what it does.

    Args:
        attention: your own attention, `(query, key, value, mask=None) -> (output, weights)`, in
            place of the reference: every layer and head then computes with it.
        download: whether a `checkpoint` that is not here may be fetched from the hub.
        **settings: how the lab starts; any of `checkpoint` (an encoder of the BERT, RoBERTa,
            DistilBERT or ModernBERT family in MiniLM's place: its folder, or its name on the
            hub), `text`, `pair`, `padding`, `encoder`
            (`"pretrained"` or `"fresh"`), `heads`, `d_model`, `layers`, `seed`, `temperature`,
            `scaled`, `mask`, `off`, `device`, and of `layer`, `head`, `query`, `key`, `flow` (the
            heads whose lines are drawn; nothing is the chosen one), `shares`.

    Raises:
        ValueError: a setting is invalid; the text says why.
        TypeError: there is no such setting, or `attention` cannot be called.

    >>> AttentionLab(text="A cat sat.", encoder="fresh", heads=2, d_model=16)
    AttentionLab(text='A cat sat.', encoder='fresh', heads=2, d_model=16)
    """

    tasks = TASKS
    widest = WIDEST

    def __init__(
        self, attention: Attention | None = None, *, download: bool = False, **settings: Any
    ) -> None:
        if attention is not None and not callable(attention):
            raise TypeError(
                f"attention must be a function (query, key, value, mask=None) -> (output, "
                f"weights), not {type(attention).__name__}."
            )
        self._attention = attention
        asked, chosen = Settings(text=EXAMPLES[0][0]), Selection(layer=1, head=3, query=8, key=1)
        if download:
            fetch(settings.get("checkpoint", MINILM))
        self.begin(asked, chosen, settings)
        super().__init__()

    def compute(self, asked: Settings, own: bool) -> Arrays:
        """The arrays of every layer and head."""
        mine = self._attention if own else None
        return compute(asked, scaled_dot_product_attention if mine is None else mine)

    def fit(self, result: Arrays, chosen: Selection) -> Selection:
        """The nearest layer, head, tokens and number that there are."""
        length = len(result.tokens.labels)
        return chosen.within(result.layers, result.heads, length, result.head_dim)

    def stand_in(self) -> str:
        """What is seen while the learner's own fails."""
        return "Until it works, the picture shows the reference's attention."

    def read(self, name: str, value: Any) -> Any:
        """Convert the painted mask, the heads that are off and the temperature."""
        return read_setting(name, value)

    def write(self, value: Any) -> str:
        """Format a setting for `repr`, the same each time."""
        return write_setting(value)

    def _take(self, changes: Mapping[str, Any], strict: bool) -> None:
        super()._take(changes, strict)
        if changes.get("mask") == "padding" and not self._asked.padding:
            self._asked = replace(self._asked, padding=_PADDING)

    # What the base class asks for

    def form(self) -> dict[str, Any]:
        """The controls and panels."""
        return form(checkpoint(self._made_from[0].checkpoint))

    def drawing(self) -> Drawing:
        """What should be seen now."""
        arrays, chosen = self.shown(), self._chosen
        return Drawing(
            values=self._values(arrays),
            panels=panels(arrays, chosen, self._number),
            summary=summary(arrays, chosen),
            notice=self._notice,
            labels={"tokens": list(arrays.tokens.labels)},
            choices={
                "layer": [[i, str(i)] for i in range(arrays.layers)],
                "head": [[i, str(i)] for i in range(arrays.heads)],
                "flow": [[i, str(i)] for i in range(arrays.heads)],
                "query": "tokens",
                "key": "tokens",
            },
        )

    def _values(self, arrays: Arrays) -> dict[str, Any]:
        values = {**self.settings}
        del values["painted"], values["off"]
        values["flow"] = list(drawn_heads(self._chosen))
        values["example"] = ""
        values["head_off"] = (self._chosen.layer, self._chosen.head) in arrays.off
        values["some_off"] = bool(arrays.off)
        return values

    def still(self) -> dict[str, str]:
        """A picture, and words, for places without a front end."""
        arrays: Arrays = self.shown()
        heading = title(self._made_from[0], self._whose() if self._own else None)
        words = [repr(self), heading, summary(arrays, self._chosen), self._notice]
        pictures = still(arrays, self._chosen, heading)
        return {"text/plain": "\n".join(filter(None, words)), **pictures}

    def _whose(self) -> str | None:
        """Whose attention the picture is computed with: use() may have handed out the reference."""
        if self._attention is None:
            return None
        reference = getattr(self._attention, "__course_reference__", False)
        return f"{'the reference' if reference else 'your own'} {self._name()}"

    def _name(self) -> str:
        return str(getattr(self._attention, "__name__", type(self._attention).__name__))

    def own_name(self) -> str | None:
        """The learner's own attention, for `repr`."""
        return None if self._attention is None else f"attention={self._name()}"

    # What buttons and the like do

    def _take_example(self, value: Any) -> None:
        if isinstance(value, list) and len(value) == 2:
            self._asked = replace(self._asked, text=str(value[0]), pair=str(value[1]))

    def _switch_head(self, off: Any) -> None:
        here = frozenset({(self._chosen.layer, self._chosen.head)})
        kept = self._asked.off | here if off else self._asked.off - here
        self._asked = replace(self._asked, off=kept)

    def _switch_all_on(self, _: Any) -> None:
        self._asked = replace(self._asked, off=frozenset())

    def _clear_mask(self, _: Any) -> None:
        self._asked = replace(self._asked, painted=Painting())

    def _choose_flow(self, heads: Any) -> None:
        self._chosen = replace(self._chosen, flow=read_setting("flow", heads))

    def _choose_value(self, row: Any) -> None:
        if self._result is not None and isinstance(row, int):
            keys = shown_values(self._result, self._chosen)
            if 0 <= row < len(keys):
                self._chosen = replace(self._chosen, key=keys[row])

    actions: ClassVar[Mapping[str, Callable[[Any, Any], None]]] = {
        "example": _take_example,
        "head_off": _switch_head,
        "all_on": _switch_all_on,
        "clear_mask": _clear_mask,
        "value_row": _choose_value,
        "flow": _choose_flow,
    }
