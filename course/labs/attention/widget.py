"""The attention lab as a widget: settings in, drawings out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any

from course.labs.attention.compute import Arrays, compute
from course.labs.attention.form import EXAMPLES, form
from course.labs.attention.own import Attention, AttentionFailed
from course.labs.attention.settings import (
    Painting,
    Selection,
    Settings,
    check_settings,
    read_setting,
    write_setting,
)
from course.labs.attention.still import still
from course.labs.attention.telling import setting, summary
from course.labs.attention.view import panels, shown_values
from course.labs.drawing import Drawing
from course.labs.faults import InvalidSetting, in_time
from course.labs.lab import Lab
from encoder_core.attention import scaled_dot_product_attention

KEPT = " The picture stays as it was."
_SETTINGS = {field.name for field in fields(Settings)}
_SELECTION = {field.name for field in fields(Selection)}
_PADDING = 4  # tokens, where a padding mask is asked for and there are none


class AttentionLab(Lab):
    """See every head of an encoder at work on a text, and change what it does.

    Args:
        attention: your own attention, `(query, key, value, mask=None) -> (output, weights)`, in
            place of the reference: every layer and head then computes with it.
        **settings: how the lab starts; any of `text`, `pair`, `padding`, `encoder`
            (`"pretrained"` or `"fresh"`), `heads`, `d_model`, `layers`, `seed`, `temperature`,
            `scaled`, `mask`, `off`, `device`, and of `layer`, `head`, `query`, `key`.

    Raises:
        ValueError: a setting cannot be; the text says why.
        TypeError: there is no such setting, or `attention` cannot be called.

    >>> AttentionLab(text="A cat sat.", encoder="fresh", heads=2, d_model=16)
    AttentionLab(text='A cat sat.', encoder='fresh', heads=2, d_model=16)
    """

    def __init__(self, attention: Attention | None = None, **settings: Any) -> None:
        if attention is not None and not callable(attention):
            raise TypeError(
                f"attention must be a function (query, key, value, mask=None) -> (output, "
                f"weights), not {type(attention).__name__}."
            )
        self._attention = attention
        self._asked = Settings(text=EXAMPLES[0][0])
        self._chosen = Selection(layer=1, head=3, query=8, key=1)
        self._notice = ""
        self._number = 0  # of the arrays: grows whenever they change
        self._arrays: Arrays | None = None
        self._made_from: tuple[Settings, Attention]
        self._take(settings, strict=True)
        self._start()
        super().__init__()

    def _start(self) -> None:
        """The first picture. The learner's attention may fail; then the reference stands in."""
        try:
            self._compute()
        except AttentionFailed as error:
            self._notice = f"{error} Until it works, the picture shows the reference's attention."
            self._compute(scaled_dot_product_attention)

    # Settings

    @property
    def settings(self) -> dict[str, Any]:
        """What is set and chosen now, by name."""
        return {
            **{name: getattr(self._asked, name) for name in _SETTINGS},
            **{name: getattr(self._chosen, name) for name in _SELECTION},
        }

    def set(self, **settings: Any) -> None:
        """Change settings from Python; the names are those of the constructor.

        Raises:
            ValueError: a setting cannot be; nothing is changed then.
            TypeError: there is no such setting.
        """
        asked, chosen = self._asked, self._chosen
        try:
            self._take(settings, strict=True)
            self._compute()
        except Exception:
            self._asked, self._chosen = asked, chosen
            raise
        self._notice = ""
        self.redraw()

    def apply(self, changes: Mapping[str, Any]) -> None:
        """Take in what was moved in the front end; what cannot be becomes the notice."""
        self._notice = ""
        try:
            self._take(changes, strict=False)
            self._compute()
        except (InvalidSetting, AttentionFailed) as error:
            self._notice = f"{error}{KEPT}"

    def _take(self, changes: Mapping[str, Any], strict: bool) -> None:
        unknown = [name for name in changes if name not in _SETTINGS | _SELECTION | set(_ACTIONS)]
        if unknown and strict:
            known = ", ".join(sorted(_SETTINGS | _SELECTION))
            raise TypeError(f"There is no setting {unknown[0]!r}; there are {known}.")
        for name, value in changes.items():  # one by one, so that what was moved last holds
            if name in _SETTINGS:
                self._asked = replace(self._asked, **{name: read_setting(name, value)})
            elif name in _ACTIONS:
                _ACTIONS[name](self, value)
            elif name in _SELECTION and isinstance(value, int):
                self._chosen = replace(self._chosen, **{name: value})
        if changes.get("mask") == "padding" and not self._asked.padding:
            self._asked = replace(self._asked, padding=_PADDING)

    # Computing

    def _compute(self, attention: Attention | None = None) -> None:
        """Compute what is asked for, unless it is there already."""
        check_settings(self._asked)
        wanted = (self._asked, attention or self._attention or scaled_dot_product_attention)
        if self._arrays is None or wanted != self._made_from:
            own = None if wanted[1] is scaled_dot_product_attention else "attention"
            with in_time(own, AttentionFailed):
                self._arrays = compute(*wanted)
            self._made_from = wanted
            self._number += 1
        self._fit_selection()

    def _fit_selection(self) -> None:
        arrays = self._arrays
        if arrays is not None:
            size = (arrays.layers, arrays.heads, len(arrays.tokens.labels), arrays.head_dim)
            self._chosen = self._chosen.within(*size)

    def _shown(self) -> Arrays:
        """The arrays of the last picture, computed again where nobody was looking meanwhile."""
        if self._arrays is None:
            self._arrays = compute(*self._made_from)
            self._number += 1
        self._fit_selection()
        assert self._arrays is not None
        return self._arrays

    # What the base class asks for

    def form(self) -> dict[str, Any]:
        """The controls and panels."""
        return form()

    def drawing(self) -> Drawing:
        """What should be seen now."""
        arrays, chosen = self._shown(), self._chosen
        return Drawing(
            values=self._values(arrays),
            panels=panels(arrays, chosen, self._number),
            summary=summary(arrays, chosen),
            notice=self._notice,
            labels={"tokens": list(arrays.tokens.labels)},
            choices={
                "layer": [[i, str(i)] for i in range(arrays.layers)],
                "head": [[i, str(i)] for i in range(arrays.heads)],
                "query": "tokens",
                "key": "tokens",
            },
        )

    def _values(self, arrays: Arrays) -> dict[str, Any]:
        values = {**self.settings}
        del values["painted"], values["off"]
        values["example"] = ""
        values["head_off"] = (self._chosen.layer, self._chosen.head) in arrays.off
        values["some_off"] = bool(arrays.off)
        return values

    def still(self) -> dict[str, str]:
        """A picture, and words, for places without a front end."""
        arrays, title = self._shown(), setting(self._made_from[0], self._whose())
        words = [repr(self), title, summary(arrays, self._chosen), self._notice]
        pictures = still(arrays, self._chosen, title)
        return {"text/plain": "\n".join(filter(None, words)), **pictures}

    def rest(self) -> None:
        """Let go of the arrays; `drawing` makes them again."""
        self._arrays = None

    def _whose(self) -> str | None:
        """Whose attention the picture is computed with: use() may have handed out the reference."""
        reference = getattr(self._attention, "__course_reference__", False)
        name = self._own_name()
        return name and f"{'the reference' if reference else 'your own'} {name}"

    def _own_name(self) -> str | None:
        if self._attention is None:
            return None
        return getattr(self._attention, "__name__", type(self._attention).__name__)

    def __repr__(self) -> str:
        defaults = Settings(text="")
        shown = [f"attention={name}" for name in [self._own_name()] if name]
        for field in fields(Settings):
            value = getattr(self._asked, field.name)
            if value != getattr(defaults, field.name):
                shown.append(f"{field.name}={write_setting(value)}")
        return f"AttentionLab({', '.join(shown)})"

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

    def _choose_value(self, row: Any) -> None:
        if self._arrays is not None and isinstance(row, int):
            keys = shown_values(self._arrays, self._chosen)
            if 0 <= row < len(keys):
                self._chosen = replace(self._chosen, key=keys[row])


_ACTIONS: dict[str, Callable[[AttentionLab, Any], None]] = {
    "example": AttentionLab._take_example,
    "head_off": AttentionLab._switch_head,
    "all_on": AttentionLab._switch_all_on,
    "clear_mask": AttentionLab._clear_mask,
    "value_row": AttentionLab._choose_value,
}
