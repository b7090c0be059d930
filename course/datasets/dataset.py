"""A data set: its card, and its examples in training, validation and test. Standard library only."""

from __future__ import annotations

import hashlib
import html
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar

__all__ = ["Card", "Dataset", "Example", "Printed", "fixed_order"]

_WIDTH = 92  # columns of a notebook's output
_LETTERS = 240  # of an example that `show` prints


class Example(NamedTuple):
    """A text, and what a model should make of it: a class, or another text.

    Attributes:
        text: what is read.
        label: the index of its class; None where there are no classes.
        source: where the text is from.
        target: the text to be written, such as a translation; empty where there is none.
    """

    text: str
    label: int | None
    source: str
    target: str = ""


@dataclass(frozen=True)
class Card:
    """What is known of a data set before it is read."""

    name: str
    about: str  # one sentence
    origin: str  # where it is from
    licence: str
    examples: int  # in all splits together
    size: int  # bytes that are shipped with the course, or downloaded
    classes: tuple[str, ...] = ()
    download: bool = False  # read from the network, and only with `download=True`

    def __str__(self) -> str:
        how = "to download" if self.download else "here already"
        lines = [
            f"{self.name}: {self.about}",
            f"{self.examples:,} examples, {megabytes(self.size)} {how}. Licence: {self.licence}.",
            f"From {self.origin}.",
        ]
        if self.classes:
            lines.append(f"Classes: {', '.join(self.classes)}.")
        wrapped = (textwrap.wrap(line, _WIDTH - 2) for line in lines)
        return "\n  ".join(line for part in wrapped for line in part)


@dataclass(frozen=True)
class Dataset:
    """A data set; its training, validation and test examples are tuples of `Example`."""

    card: Card
    train: tuple[Example, ...]
    validation: tuple[Example, ...]
    test: tuple[Example, ...]

    @property
    def name(self) -> str:
        """The name by which `load` finds it."""
        return self.card.name

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes; `classes[example.label]` is an example's."""
        return self.card.classes

    def __repr__(self) -> str:
        sizes = (f"{len(getattr(self, name)):,} {name}" for name in ("train", "validation", "test"))
        return f"{self.card}\n  Here: {', '.join(sizes)}."

    def show(self, count: int = 10) -> Printed:
        """Show training examples: the same ones each time, of each class in turn.

        Raises ValueError if `count` is not positive.
        """
        if count < 1:
            raise ValueError(f"count={count}: show at least one example, such as show(10).")
        return Printed(self, tuple(_in_turn(self.train)[:count]))

    def few(self, per_class: int, seed: int = 0) -> Dataset:
        """Return a copy with at most `per_class` training examples a class, drawn at random.

        A larger number with the same seed adds examples to those of a smaller one. Raises ValueError if
        the data set has no classes or `per_class` is not positive.
        """
        if not self.classes:
            raise ValueError(f"{self.name} has no classes to take {per_class} examples of.")
        if per_class < 1:
            raise ValueError(f"per_class={per_class}: take at least one example of each class.")
        chosen = fixed_order(self.train, lambda example: example.text, seed)
        kept = [
            example
            for label in range(len(self.classes))
            for example in [e for e in chosen if e.label == label][:per_class]
        ]
        return replace(self, train=tuple(kept))


@dataclass(frozen=True)
class Printed:
    """Examples of a data set as a notebook shows them."""

    dataset: Dataset
    examples: tuple[Example, ...]

    def __repr__(self) -> str:
        return "\n".join("\n".join([*self._lines(example), ""]) for example in self.examples)

    def _lines(self, example: Example) -> list[str]:
        shown = textwrap.shorten(example.text.replace("\n", " / "), _LETTERS, placeholder=" ...")
        target = textwrap.shorten(example.target, _LETTERS, placeholder=" ...")
        after = textwrap.wrap(f"-> {target}", _WIDTH) if target else []
        return [*textwrap.wrap(shown, _WIDTH), *after, f"    {' | '.join(self._from(example))}"]

    def _from(self, example: Example) -> list[str]:
        label = [] if example.label is None else [self.dataset.classes[example.label]]
        return [*label, example.source]

    def _repr_html_(self) -> str:
        """The same for a notebook: text, class and source in a table."""
        targets = any(example.target for example in self.examples)
        classes = ["class"] if self.dataset.classes else []
        heads = ["text", *(["target"] if targets else []), *classes, "source"]
        rows = ["".join(f'<th scope="col" style="text-align: left">{head}</th>' for head in heads)]
        for example in self.examples:
            texts = (example.text, example.target) if targets else (example.text,)
            shown = (textwrap.shorten(text, _LETTERS, placeholder=" ...") for text in texts)
            cells = [html.escape(cell) for cell in (*shown, *self._from(example))]
            rows.append("".join(f'<td style="text-align: left">{cell}</td>' for cell in cells))
        body = "".join(f"<tr>{row}</tr>" for row in rows)
        return f'<table style="max-width: 60em">{body}</table>'


def _in_turn(examples: Sequence[Example]) -> list[Example]:
    """Put examples in a fixed order in which the classes take turns."""
    seen: dict[int | None, int] = {}
    turns: list[tuple[int, int, Example]] = []
    for example in fixed_order(examples, lambda example: example.text):
        turn = seen[example.label] = seen.get(example.label, -1) + 1
        turns.append((turn, -1 if example.label is None else example.label, example))
    return [example for _, _, example in sorted(turns, key=lambda row: row[:2])]


T = TypeVar("T")


def fixed_order(items: Sequence[T], key: Callable[[T], str], seed: int = 0) -> list[T]:
    """Shuffle by the SHA-256 of `key`: the same order on every machine, whatever else is in the list."""
    return sorted(items, key=lambda item: hashlib.sha256(f"{seed}:{key(item)}".encode()).digest())


def megabytes(size: int) -> str:
    """Return a number of bytes in words: `1.5 MB`."""
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.0f} kB"
