"""The stack lab as a widget: settings in, drawings out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from course.labs.checkpoints import MINILM, checkpoint, fetch
from course.labs.drawing import Drawing
from course.labs.settings_lab import SettingsLab
from course.labs.stack.challenges import TASKS
from course.labs.stack.compute import Walk, compute
from course.labs.stack.form import form
from course.labs.stack.own import LayerClass, Similarity
from course.labs.stack.settings import WIDEST, Selection, Settings
from course.labs.stack.still import still
from course.labs.stack.summary import explain_unused, summary, title
from course.labs.stack.view import panels


class StackLab(SettingsLab):
    """See what depth does to gradients, to tokens and to the lengths of their vectors.

    Args:
        layer: your own encoder layer, a class `(d_model, nhead, dim_feedforward, dropout=0.1,
            norm_first=False)` that takes the state dict of `torch.nn.TransformerEncoderLayer`;
            the stack is then made of it, with the same weights as the reference's.
        similarity: your own `token_similarity`, `(hidden, padding_mask=None) -> (B,)`; the line of
            token similarity is then yours.
        download: whether a `checkpoint` that is not here may be fetched from the hub.
        **settings: how the lab starts; any of `checkpoint` (an encoder of the BERT, RoBERTa,
            DistilBERT or ModernBERT family in MiniLM's place: its folder, or its name on the
            hub), `text`, `depth`, `norm_first`, `residual`,
            `layer_norm`, `dropout`, `initialisation` (`"xavier"`, `"normal"` or `"large"`), `seed`,
            `d_model`, `heads`, `minilm`, and of `encoder`, `layer_shown`, `row`, `column`.

    Raises:
        ValueError: a setting cannot be; the text says why.
        TypeError: there is no such setting, or `layer` or `similarity` cannot be called.

    >>> StackLab(text="A cat sat.", depth=3, d_model=16, heads=2, residual=False)
    StackLab(text='A cat sat.', depth=3, residual=False, d_model=16, heads=2)
    """

    tasks = TASKS
    widest = WIDEST

    def __init__(
        self,
        layer: LayerClass | None = None,
        similarity: Similarity | None = None,
        *,
        download: bool = False,
        **settings: Any,
    ) -> None:
        parts: dict[str, Any] = {"layer": layer, "similarity": similarity}
        for name, given in parts.items():
            if given is not None and not callable(given):
                what = "a class" if name == "layer" else "a function"
                raise TypeError(f"{name} must be {what}, not {type(given).__name__}.")
        self._layer, self._similarity = layer, similarity
        self._kept: Walk | None = None
        asked = Settings(minilm="checkpoint" in settings)  # who names one wants to see it
        if download:
            fetch(settings.get("checkpoint", MINILM))
        self.begin(asked, Selection(), settings)
        super().__init__()

    def compute(self, asked: Settings, own: bool) -> list[Walk]:
        """The walks of this stack and, where asked for, of a pretrained encoder."""
        return compute(asked, self._layer, self._similarity) if own else compute(asked)

    def fit(self, result: Sequence[Walk], chosen: Selection) -> Selection:
        """The nearest encoder, layer and tokens that there are."""
        walks = self._walks(result)
        encoder = min(max(chosen.encoder, 0), len(walks) - 1)
        walk = walks[encoder]
        last = len(walk.labels) - 1
        return Selection(
            encoder=encoder,
            layer_shown=min(max(chosen.layer_shown, 0), walk.depth),
            row=min(max(chosen.row, 0), last),
            column=min(max(chosen.column, 0), last),
        )

    def stand_in(self) -> str:
        """What is seen while the learner's own fails."""
        return "Until it works, the picture is computed with this course's own parts."

    def _walks(self, result: Sequence[Walk]) -> list[Walk]:
        return [*result, self._kept] if self._kept is not None else list(result)

    # What the base class asks for

    def form(self) -> dict[str, Any]:
        """The controls and panels."""
        return form(checkpoint(self._made_from[0].checkpoint))

    def drawing(self) -> Drawing:
        """What should be seen now."""
        walks, chosen = self._walks(self.shown()), self._chosen
        values: dict[str, Any] = {**self.settings, "example": "", "has_kept": bool(self._kept)}
        return Drawing(
            values=values,
            panels=panels(walks, chosen, (self._number, id(self._kept))),
            summary=f"{self._title()} {summary(walks, chosen, self._made_from[0])}",
            notice=self._notice or self._unused_notice(),
        )

    def still(self) -> dict[str, str]:
        """A picture, and words, for places without a front end."""
        walks, chosen = self._walks(self.shown()), self._chosen
        words = [repr(self), self._title(), summary(walks, chosen, self._made_from[0])]
        pictures = still(walks[chosen.encoder], chosen, self._title())
        told = [*words, self._notice or self._unused_notice()]
        return {"text/plain": "\n".join(filter(None, told)), **pictures}

    def _title(self) -> str:
        parts = [_whose(part) for part in self._given().values() if part is not None]
        return title(self._made_from[0], " and ".join(parts) if self._own else None)

    def _unused_notice(self) -> str:
        if self._layer is None or not self._own:
            return ""
        name = _whose(self._layer)
        return explain_unused(self._made_from[0], name[0].upper() + name[1:])

    def _given(self) -> dict[str, Any]:
        return {"layer": self._layer, "similarity": self._similarity}

    def own_name(self) -> str | None:
        """The learner's own parts, for `repr`."""
        given = {name: _name(part) for name, part in self._given().items() if part is not None}
        return ", ".join(f"{name}={part}" for name, part in given.items()) or None

    # What buttons and the like do

    def _take_example(self, text: Any) -> None:
        if isinstance(text, str) and text:
            self._asked = replace(self._asked, text=text)

    def _choose_gradient(self, point: Any) -> None:
        if isinstance(point, int):
            self._chosen = replace(self._chosen, layer_shown=point + 1)

    def _keep(self, _: Any) -> None:
        walk: Walk = self.shown()[0]
        self._kept = replace(walk, name=f"kept: {self._brief()}")

    def _drop(self, _: Any) -> None:
        self._kept = None

    def _brief(self) -> str:
        """This stack in a few words, for the name of its lines."""
        now = self._made_from[0]
        place = "pre-norm" if now.norm_first else "post-norm"
        parts = [str(now.depth), place if now.layer_norm else "no norms"]
        parts += [] if now.residual else ["no residual"]
        parts += [now.initialisation]
        parts += [f"dropout {now.dropout:g}"] if now.dropout else []
        return ", ".join(parts)

    actions: ClassVar[Mapping[str, Any]] = {
        "example": _take_example,
        "gradient_of": _choose_gradient,
        "keep": _keep,
        "drop": _drop,
    }


def _name(part: Any) -> str:
    return str(getattr(part, "__name__", type(part).__name__))


def _whose(part: Any) -> str:
    """Whose it is: use() may have handed out the reference."""
    own = getattr(part, "__dict__", {}).get("__course_reference__", False)
    return f"{'the reference' if own else 'your own'} {_name(part)}"
