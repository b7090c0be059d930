"""Which tokens of real text excite a neuron of an encoder's feed-forward networks.

A neuron is a column of W1 with the row of W2 that belongs to it: the first is compared with each
token's vector, the second is what is added where they fit.

Source: Geva, Schuster, Berant and Levy 2021, "Transformer Feed-Forward Layers Are Key-Value
Memories", sections 2 and 3.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from course.datasets.texts import language_reference
from course.system.threads import one_thread
from encoder_core.models.bert import Bert
from encoder_core.models.modernbert import ModernBert
from encoder_core.text.encodings import Encoding

__all__ = ["Excitement", "excite", "paragraphs", "switched_off"]


class Tokenizer(Protocol):
    """What cuts a text into tokens, such as `WordPiece`."""

    def encode(self, text: str, /) -> Encoding:
        """Return a text's tokens, special ones included."""


@functools.cache
def _reference() -> tuple[str, ...]:
    """The paragraphs of prose in Python's own language reference, as `help()` carries it."""
    pieces = re.split(r"\n\s*\n", "\n\n".join(language_reference()))
    flat = (re.sub(r"\s+", " ", piece).strip() for piece in pieces)
    return tuple(sorted({piece for piece in flat if _is_prose(piece)}))


def _is_prose(piece: str) -> bool:
    long_enough = 80 < len(piece) < 500
    return long_enough and piece[0].isupper() and "::=" not in piece and ">>>" not in piece


def paragraphs(count: int) -> list[str]:
    """Real text that every Python carries: `count` paragraphs of its language reference.

    They are taken at even distances from all of them, in alphabetical order, so that each call
    gives the same; which ones there are depends on the version of Python.

    >>> all(len(text) > 80 for text in paragraphs(5))
    True
    """
    found = _reference()
    step = max(1, len(found) // count)
    return list(found[::step][:count])


@dataclass(frozen=True)
class Excitement:
    """How strongly every token of some texts excites every neuron of every layer.

    Attributes:
        tokens: the T tokens of all texts, one after the other, `[CLS]` and `[SEP]` left out.
        texts: for each token the number of its text.
        places: for each token its place in its text, `[CLS]` being 0.
        answers: for each layer `(T, F)`, what comes out of the activation.
    """

    tokens: tuple[str, ...]
    texts: tuple[int, ...]
    places: tuple[int, ...]
    answers: tuple[Tensor, ...]

    def strongest(self, layer: int, neuron: int, count: int = 10) -> list[tuple[str, float]]:
        """The tokens that excite one neuron most, with its answers, the strongest first."""
        return [(self.tokens[i], value) for i, value in self._top(layer, neuron, count)]

    def in_context(
        self, layer: int, neuron: int, encodings: Sequence[Sequence[str]], count: int = 5
    ) -> list[str]:
        """The strongest tokens, each within its neighbours: `... it is [not] possible ...`."""
        found = []
        for i, value in self._top(layer, neuron, count):
            text, place = encodings[self.texts[i]], self.places[i]
            before, after = text[max(1, place - 5) : place], text[place + 1 : place + 5]
            found.append(f"{value:5.2f}  {' '.join(before)} [{text[place]}] {' '.join(after)}")
        return found

    def different_words(self, layer: int, count: int = 20) -> Tensor:
        """For each neuron, `(F,)`: how many different tokens are among its strongest `count`."""
        top = self.answers[layer].topk(count, dim=0).indices.T  # (F, count)
        words = [len({self.tokens[i] for i in row}) for row in top.tolist()]
        return torch.tensor(words)

    def _top(self, layer: int, neuron: int, count: int) -> Iterator[tuple[int, float]]:
        column = self.answers[layer][:, neuron]  # (T,)
        values, indices = column.topk(min(count, len(column)))
        return zip(indices.tolist(), values.tolist(), strict=True)


def excite(model: Bert | ModernBert, tokenizer: Tokenizer, texts: Sequence[str]) -> Excitement:
    """Send texts through an encoder and keep what its neurons answer.

    Args:
        model: an encoder in evaluation mode.
        tokenizer: its tokenizer.
        texts: what it reads; of one that is longer than its positions, the beginning.

    Returns:
        The answers, without those to `[CLS]` and `[SEP]`.
    """
    most = model.config.max_length
    answers: list[list[Tensor]] = [[] for _ in model.layers]
    kept = [_keep(layer, answers[number]) for number, layer in enumerate(model.layers)]
    tokens: list[str] = []
    places: list[tuple[int, int]] = []
    try:
        with one_thread(), torch.no_grad():
            for number, text in enumerate(texts):
                encoding = tokenizer.encode(text)
                # Tokens that the tokenizer adds have no part of the text.
                own = [i for i, (start, end) in enumerate(encoding.offsets[:most]) if end > start]
                model(torch.tensor([encoding.ids[:most]]))
                for of_layer in answers:
                    of_layer[-1] = of_layer[-1][own]  # (S, F) -> (tokens of the text, F)
                tokens += [encoding.tokens[place] for place in own]
                places += [(number, place) for place in own]
    finally:
        for handle in kept:
            handle.remove()
    numbers, at = zip(*places, strict=True)
    return Excitement(tuple(tokens), numbers, at, tuple(torch.cat(part) for part in answers))


def _keep(layer: Any, answers: list[Tensor]) -> Any:
    """Note what stands between the two linear maps of a layer, whenever it is called."""

    def note(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        answers.append(inputs[0][0])  # (1, S, F) -> (S, F)

    return _second_map(layer).register_forward_pre_hook(note)


def _second_map(layer: Any) -> nn.Linear:
    """Return the map that brings a layer's neurons back to d_model numbers."""
    second: nn.Linear = getattr(layer, "feed_forward", layer).linear2
    return second


@contextmanager
def switched_off(model: Bert, layer: int, neurons: int | Sequence[int]) -> Iterator[None]:
    """Let neurons of a layer answer 0, whatever they are asked, within the `with`."""
    chosen = [neurons] if isinstance(neurons, int) else list(neurons)

    def silence(module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        answers = inputs[0].clone()
        answers[..., chosen] = 0.0
        return (answers,)

    handle = _second_map(model.layers[layer]).register_forward_pre_hook(silence)
    try:
        yield
    finally:
        handle.remove()
