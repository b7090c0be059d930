"""The embedding lab as a widget: settings in, drawings out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from course.labs.checkpoints import MINILM, fetch
from course.labs.drawing import Drawing
from course.labs.embedding.challenges import TASKS
from course.labs.embedding.compute import Found, Selection, Settings, Similarities, compute
from course.labs.embedding.form import form
from course.labs.embedding.view import panels, still, summary
from course.labs.embedding.words import analogies
from course.labs.own_functions import OwnFunctionsLab


class EmbeddingLab(OwnFunctionsLab):
    """See where a pretrained model's word vectors lie: neighbours, a map, analogies.

    Args:
        similarity: your own, `(a (N, D), b (M, D)) -> (N, M)`, in place of cosines.
        download: whether a `checkpoint` that is not here may be fetched from the hub.
        **settings: how the lab starts; any of `checkpoint` (an encoder of the BERT, RoBERTa,
            DistilBERT or ModernBERT family in MiniLM's place: its folder, or its name on the
            hub), `word`, `group` (the words on the map), `a`, `b` and
            `c` (the analogy a - b + c), and `exclude` (leave them out of the answers).

    Raises:
        ValueError: a setting cannot be; the text says why.
        TypeError: there is no such setting, or `similarity` cannot be called.

    >>> EmbeddingLab(word="monday", group="numbers and time")
    EmbeddingLab(word='monday', group='numbers and time')
    """

    tasks = TASKS

    def __init__(
        self,
        similarity: Callable[..., Any] | None = None,
        *,
        download: bool = False,
        **settings: Any,
    ) -> None:
        self._similarities: dict[tuple[str, bool], Similarities] = {}
        if download:
            fetch(settings.get("checkpoint", MINILM))
        super().__init__({"similarity": similarity}, Settings(), Selection(), settings)

    def _similar(self, asked: Settings, own: bool) -> Similarities:
        source = asked.checkpoint
        if (source, own) not in self._similarities:
            self._similarities[source, own] = Similarities(self.functions(own), source)
        return self._similarities[source, own]

    def scores(self) -> list[tuple[float, ...]]:
        """The ranks of the analogies' answers, as they are shown."""
        return self._similar(*self._made_from).scores()

    def compute(self, asked: Settings, own: bool) -> Found:
        """Find neighbours and answers, and once the analogies' ranks."""
        similarities = self._similar(asked, own)
        similarities.scores()
        return compute(asked, similarities)

    def fit(self, result: Found, chosen: Selection) -> Selection:
        """All that is chosen here are settings."""
        return chosen

    def form(self) -> dict[str, Any]:
        """The controls and panels."""
        return form(self._made_from[0].checkpoint)

    def drawing(self) -> Drawing:
        """What should be seen now."""
        found, (asked, own) = self.shown(), self._made_from
        scores = self._similar(asked, own).scores()
        return Drawing(
            values={**self.settings, "example": ""},
            panels=panels(asked, found, scores, self._number),
            summary=" ".join(filter(None, [summary(asked, found, scores), self.whose()])),
            notice=self._notice,
        )

    def still(self) -> dict[str, str]:
        """A picture, and words, for places without a front end."""
        found, (asked, own) = self.shown(), self._made_from
        told = summary(asked, found, self._similar(asked, own).scores())
        words = [repr(self), told, self.whose(), self._notice]
        return {
            "text/plain": "\n".join(filter(None, words)),
            "image/svg+xml": still(asked, found, told),
        }

    # What a row of the tables does

    def _take_neighbour(self, row: Any) -> None:
        near = self.shown().near
        if isinstance(row, int) and 0 <= row < len(near):
            self._asked = replace(self._asked, word=near[row][0])

    def _take_example(self, number: Any) -> None:
        known = analogies(self._asked.checkpoint)
        if isinstance(number, int) and 0 <= number < len(known):
            each = known[number]
            self._asked = replace(self._asked, a=each.a, b=each.b, c=each.c)

    actions: ClassVar[Mapping[str, Callable[[Any, Any], None]]] = {
        "neighbour": _take_neighbour,
        "example": _take_example,
    }
