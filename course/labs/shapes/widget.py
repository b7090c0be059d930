"""The shape tracer as a widget: settings in, drawings out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from torch import nn

from course.labs.checkpoints import MINILM, checkpoint, fetch
from course.labs.drawing import Drawing
from course.labs.settings_lab import SettingsLab
from course.labs.shapes.challenges import TASKS
from course.labs.shapes.form import form
from course.labs.shapes.journey import first_step
from course.labs.shapes.settings import WIDEST, Selection, Settings
from course.labs.shapes.still import still
from course.labs.shapes.summary import code, summary, title
from course.labs.shapes.trace import Trace, compute
from course.labs.shapes.view import WORDS, panels, picture, rows_of, source_of


class ShapeTracer(SettingsLab):
    """Walk with a text through an encoder: each step with its shape, its numbers and its code.

    Args:
        model: your own encoder; it holds its layers in an `nn.ModuleList` called `layers`, each
            with the weights of `torch.nn.TransformerEncoderLayer`. Each layer's own output is
            compared with the steps', and goes on to the next.
        download: whether a `checkpoint` that is not here may be fetched from the hub.
        **settings: how the lab starts; any of `checkpoint` (an encoder of the BERT, RoBERTa or
            DistilBERT family in MiniLM's place: its folder, or its name on the hub), `text`,
            `second`, `encoder` (`"pretrained"`, `"fresh"` or `"own"`), `d_model`, `heads`,
            `layers`, `dim_feedforward`, `norm_first`, `seed`, and of `step` (or `station`: one of
            `"tokens"`, `"embedding"`, `"positions"`, `"attention"`, `"residual"`, `"norm"`,
            `"feed_forward"`, `"hidden"`), `head`, `item`, `row`, `column`, `first`.

    Raises:
        ValueError: a setting cannot be; the text says why.
        TypeError: there is no such setting, or `model` is no module.

    >>> ShapeTracer(text="A cat sat.", encoder="fresh", layers=1)
    ShapeTracer(text='A cat sat.', encoder='fresh', layers=1)
    """

    tasks = TASKS
    widest = WIDEST

    def __init__(
        self, model: nn.Module | None = None, *, download: bool = False, **settings: Any
    ) -> None:
        given: Any = model
        if given is not None and not isinstance(given, nn.Module):
            raise TypeError(f"model must be a torch.nn.Module, not {type(given).__name__}.")
        self._model = model
        station = settings.pop("station", None)
        self._order: tuple[tuple[str, int | None], ...] = ()  # the steps of the last walk
        asked = Settings() if model is None else Settings(encoder="own")
        if download:
            fetch(settings.get("checkpoint", MINILM))
        self.begin(asked, Selection(), settings)
        if station is not None:
            self._chosen = replace(self._chosen, step=first_step(self.shown().steps, station))
        super().__init__()

    def compute(self, asked: Settings, own: bool) -> Trace:
        """The walk; while the learner's own fails, the pretrained encoder's."""
        if own or asked.encoder != "own":
            return compute(asked, self._model)
        return compute(replace(asked, encoder="pretrained"))

    def fit(self, result: Trace, chosen: Selection) -> Selection:
        """The nearest step, head, text and cell that there are."""
        step = self._same_step(result, min(max(chosen.step, 0), len(result.steps) - 1))
        fitted = Selection(
            step=step,
            head=min(max(chosen.head, 0), result.heads - 1),
            item=min(max(chosen.item, 0), len(result.labels) - 1),
            row=min(max(chosen.row, 0), result.sizes["S"] - 1),
            column=max(chosen.column, 0),
            first=max(chosen.first, 0),
        )
        if result.steps[step].kind in WORDS:
            return fitted
        seen = picture(result, step, fitted)
        first = seen.places.start if len(seen.places) < seen.places.stop else fitted.first
        return replace(fitted, column=min(fitted.column, seen.cells.shape[1] - 1), first=first)

    def _same_step(self, result: Trace, step: int) -> int:
        """The step's place in another encoder, where it has one."""
        before, now = self._order, tuple((each.kind, each.layer) for each in result.steps)
        self._order = now
        if before and before != now and step < len(before) and before[step] in now:
            return now.index(before[step])
        return step

    def stand_in(self) -> str:
        """What is seen while the learner's own fails."""
        return "Until it works, the picture is MiniLM's."

    # What the base class asks for

    def form(self) -> dict[str, Any]:
        """The controls and panels."""
        return form(self._model is not None, checkpoint(self._made_from[0].checkpoint))

    def drawing(self) -> Drawing:
        """What should be seen now."""
        trace: Trace = self.shown()
        chosen = self._chosen
        outside = [[None, "–"]] if trace.steps[chosen.step].layer is None else []
        return Drawing(
            values=self._values(trace, chosen),
            panels=panels(trace, chosen, self._number),
            summary=f"{title(self._made_from[0], trace)} {summary(trace, chosen)}",
            notice=self._notice or trace.remark,
            labels={"steps": rows_of(trace)},
            choices={
                "layer": [*outside, *([i, str(i)] for i in range(trace.layers))],
                "head": [[i, str(i)] for i in range(trace.heads)],
                "item": [[i, f"text {i + 1}"] for i in range(len(trace.labels))],
            },
        )

    def _values(self, trace: Trace, chosen: Selection) -> dict[str, Any]:
        step = trace.steps[chosen.step]
        seen = "numbers" if source_of(trace, chosen.step) is None else "both"
        return {
            **self.settings,
            "layers": self._asked.layers,
            "layer": step.layer,
            "example": "",
            "seen": "words" if step.kind in WORDS else seen,
        }

    def still(self) -> dict[str, str]:
        """A picture, and words, for places without a front end."""
        trace: Trace = self.shown()
        heading = title(self._made_from[0], trace)
        words = [repr(self), heading, summary(trace, self._chosen), *code(trace, self._chosen)]
        told = "\n".join(filter(None, [*words, self._notice or trace.remark]))
        return {"text/plain": told, **still(trace, self._chosen, heading)}

    def own_name(self) -> str | None:
        """The learner's own encoder, for `repr`."""
        return None if self._model is None else f"model={type(self._model).__name__}"

    # What buttons and the like do

    def _take_example(self, pair: Any) -> None:
        if isinstance(pair, list) and len(pair) == 2:
            self._asked = replace(self._asked, text=str(pair[0]), second=str(pair[1]))

    def _forward(self, _: Any) -> None:
        self._chosen = replace(self._chosen, step=self._chosen.step + 1)

    def _back(self, _: Any) -> None:
        self._chosen = replace(self._chosen, step=max(0, self._chosen.step - 1))

    def _choose_layer(self, layer: Any) -> None:
        """The same step in another layer; from outside of the layers, the layer's first."""
        trace: Trace = self.shown()
        here = trace.steps[self._chosen.step]
        of_layer = [i for i, step in enumerate(trace.steps) if step.layer == layer]
        if not isinstance(layer, int) or not of_layer:
            return
        same = [i for i in of_layer if trace.steps[i].kind == here.kind]
        self._chosen = replace(self._chosen, step=(same or of_layer)[0])

    actions: ClassVar[Mapping[str, Any]] = {
        "example": _take_example,
        "forward": _forward,
        "back": _back,
        "layer": _choose_layer,
    }
