"""From words to their neighbours, to a map, and to where analogies lead."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from course.labs.checkpoints import MINILM, checkpoint
from course.labs.embedding.words import GROUPS, Analogy, analogies, group, pieces, table, vector
from course.labs.own_functions import InvalidSetting, Own, OwnFailed, call_own, check_one_of
from course.labs.quoting import quoted
from course.system.threads import one_thread

Floats = NDArray[np.float32]
NEIGHBOURS = 10
ANSWERS = 6
_REMEMBERED = 500


@dataclass(frozen=True)
class Settings:
    """What is set in the embedding lab.

    Attributes:
        word: the word whose neighbours are shown.
        group: which words are on the map and make its axes.
        a: of the analogy a - b + c; this and the next two.
        b: what is taken away.
        c: what is added.
        exclude: whether a, b and c themselves are left out of the answers.
        checkpoint: the encoder whose table it is; MiniLM's if empty.
    """

    word: str = "king"
    group: str = "people"
    a: str = "king"
    b: str = "man"
    c: str = "woman"
    exclude: bool = True
    checkpoint: str = MINILM


@dataclass(frozen=True)
class Selection:
    """Nothing: what is chosen here are words, and they are settings."""


@dataclass(frozen=True)
class Map:
    """The plane of a group's words.

    Attributes:
        words: the group's words.
        middle: `(D,)`, their mean, of vectors of length 1.
        axes: `(2, D)`, the two directions in which they spread most.
        shares: of their variance along each.
    """

    words: tuple[str, ...]
    middle: Tensor
    axes: Tensor
    shares: tuple[float, float]

    def places(self, vectors: Tensor) -> Floats:
        """Where vectors `(N, D)` lie on the map, `(N, 2)`; they are brought to length 1 first."""
        rows = vectors / vectors.norm(dim=-1, keepdim=True)  # (N, D)
        places: Floats = ((rows - self.middle) @ self.axes.T).numpy()  # (N, 2)
        return places


Ranked = tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Found:
    """What the lab draws.

    Attributes:
        map: the plane.
        near: the chosen word's nearest others, with their similarities.
        answers: the words nearest to a - b + c, inputs left out or not as set.
        nearest: the very nearest one, inputs included.
        target: `(D,)`, a - b + c.
    """

    map: Map
    near: Ranked
    answers: Ranked
    nearest: tuple[str, float]
    target: Tensor


LONGEST = 40  # letters of a word; MiniLM's vocabulary has none longer than 18


def check_settings(asked: Settings) -> None:
    """Say in a sentence what cannot be.

    Raises:
        InvalidSetting: the first setting that cannot be.
    """
    check_one_of(asked.group, tuple(GROUPS), "The group")
    for name in ("word", "a", "b", "c"):
        word = getattr(asked, name)
        if not isinstance(word, str) or not word.strip():
            raise InvalidSetting("A word is missing: type one, and the picture follows.")
        if len(word.strip()) > LONGEST:
            raise InvalidSetting(f"A word has at most {LONGEST} letters; shorten it.")
        if vector(clean(word), asked.checkpoint) is None:
            cut = " ".join(pieces(word, asked.checkpoint))
            raise InvalidSetting(
                f"{quoted(word.strip())} is no whole word of the vocabulary of "
                f"{checkpoint(asked.checkpoint).short}, so it has no vector of its own; it is read as {cut}."
            )


def clean(word: str) -> str:
    """A word as the vocabulary has it."""
    return word.strip().lower()


class Similarities:
    """Compares vectors with the whole table, and remembers the rankings that it made."""

    def __init__(self, own: Own, source: str = MINILM) -> None:
        self._source, self._table = source, table(source)
        self._own: Callable[..., Any] | None = own.get("similarity")
        self._ranked: dict[tuple[str, ...], list[tuple[str, float]]] = {}
        self._scores: list[tuple[float, ...]] | None = None

    def to_all(self, vectors: Tensor) -> Tensor:
        """Similarities `(N, V)` of `(N, D)` with the table's words.

        Raises:
            OwnFailed: the learner's function raised, or returned something else.
        """
        with one_thread(), torch.no_grad():
            if self._own is None:
                cosines: Tensor = (
                    vectors / vectors.norm(dim=-1, keepdim=True) @ _normal(self._source).T
                )
                return cosines
            made = call_own("similarity", self._own, vectors.clone(), self._table.vectors)
        expected = (len(vectors), len(self._table.words))
        if not isinstance(made, Tensor) or tuple(made.shape) != expected:
            what = (
                f"the shape {tuple(made.shape)}"
                if isinstance(made, Tensor)
                else type(made).__name__
            )
            raise OwnFailed(f"Your similarity returned {what}; expected a tensor of {expected}.")
        if not bool(made.isfinite().all()):
            raise OwnFailed("Your similarity returned NaN or infinity.")
        return made.detach().float()

    def ranking(self, *words: str) -> list[tuple[str, float]]:
        """The words nearest to a word, or to a - b + c, with their similarities."""
        if words not in self._ranked:
            if len(self._ranked) > _REMEMBERED:
                self._ranked.clear()
            best = self.to_all(target(words, self._source)[None])[0].topk(NEIGHBOURS + 4)  # (V,)
            names = [self._table.words[i] for i in best.indices.tolist()]
            self._ranked[words] = list(zip(names, best.values.tolist(), strict=True))
        return self._ranked[words]

    def scores(self) -> list[tuple[float, ...]]:
        """For each of the `analogies` the rank of what is expected; see `rank_columns`."""
        if self._scores is None:
            known = analogies(self._source)
            wanted = [(each.a, each.b, each.c) for each in known]
            alone = [(each.c,) for each in known]
            both = [target(words, self._source) for words in [*wanted, *alone]]  # 2N of (D,)
            similar = self.to_all(torch.stack(both)) if known else torch.empty(0)  # (2N, V)
            self._scores = [
                (
                    rank(similar[i], each.expected, (each.a, each.b, each.c), self._source),
                    rank(similar[i], each.expected, (), self._source),
                    rank(
                        similar[len(known) + i],
                        each.expected,
                        (each.a, each.b, each.c),
                        self._source,
                    ),
                )
                for i, each in enumerate(known)
            ]
        return self._scores


def target(words: Sequence[str], source: str = MINILM) -> Tensor:
    """The vector of a word, or a - b + c of three, `(D,)`.

    Raises:
        KeyError: a word that has none.
    """
    found = [vector(word, source) for word in words]
    if any(each is None for each in found):
        raise KeyError(words)
    first, *others = [each for each in found if each is not None]
    return first - others[0] + others[1] if others else first


def rank(similar: Tensor, expected: str, left_out: Sequence[str], source: str = MINILM) -> float:
    """The place of a word by similarity `(V,)`, from 1, some words left out."""
    place = table(source).places[expected]
    nearer = {table(source).place(word) for word in left_out} - {None, place}
    above = similar > similar[place]  # (V,)
    return float(int(above.sum()) + 1 - sum(bool(above[i]) for i in nearer))


@lru_cache(maxsize=2)
def _normal(source: str = MINILM) -> Tensor:
    """The table's vectors at length 1, `(V, D)`."""
    vectors = table(source).vectors
    normal: Tensor = vectors / vectors.norm(dim=-1, keepdim=True)
    return normal


def nearest_to(word: str, left_out: Sequence[str], source: str = MINILM) -> str:
    """The word of the table with the largest cosine to a word, some left out.

    Raises:
        KeyError: the word has no vector.
    """
    with one_thread(), torch.no_grad():
        similar = _normal(source) @ target([word], source)  # (V,)
        best: list[int] = similar.topk(len(left_out) + 2).indices.tolist()
    words = (table(source).words[number] for number in best)
    return next(each for each in words if each not in (word, *left_out))


@lru_cache(maxsize=8)
def map_of(name: str, source: str = MINILM) -> Map:
    """Principal component analysis of a group's words, each vector at length 1.

    Source: Pearson 1901, "On Lines and Planes of Closest Fit to Systems of Points in Space".

    >>> sum(map_of("people").shares) < 0.5
    True
    """
    words = group(name, source)
    if len(words) < 3:
        raise InvalidSetting(
            f"Of the group {name} the vocabulary of {checkpoint(source).short} has {len(words)} words; a "
            "map needs three."
        )
    places = [table(source).place(word) for word in words]
    rows = _normal(source)[[place for place in places if place is not None]]  # (N, D)
    middle = rows.mean(dim=0)
    _, spread, axes = torch.linalg.svd(rows - middle, full_matrices=False)
    shares = (spread**2 / (spread**2).sum()).tolist()
    # The sign of an axis is nobody's choice; the first word lies to its left and below.
    signs = torch.where((rows[0] - middle) @ axes[:2].T > 0, -1.0, 1.0)  # (2,)
    return Map(words, middle, axes[:2] * signs[:, None], (shares[0], shares[1]))


def compute(asked: Settings, similarities: Similarities) -> Found:
    """Find neighbours and answers.

    Raises:
        InvalidSetting: the settings cannot be.
        OwnFailed: the learner's function failed.

    >>> compute(Settings("monday"), Similarities({})).near[0][0]
    'tuesday'
    """
    check_settings(asked)
    word, inputs = clean(asked.word), (clean(asked.a), clean(asked.b), clean(asked.c))
    near = [each for each in similarities.ranking(word) if each[0] != word][:NEIGHBOURS]
    ranking = similarities.ranking(*inputs)
    kept = [each for each in ranking if not (asked.exclude and each[0] in inputs)]
    return Found(
        map=map_of(asked.group, asked.checkpoint),
        near=tuple(near),
        answers=tuple(kept[:ANSWERS]),
        nearest=ranking[0],
        target=target(inputs, asked.checkpoint),
    )


def expected(asked: Settings) -> Analogy | None:
    """The analogy that is set, if it is one of those whose answer is expected."""
    inputs = (clean(asked.a), clean(asked.b), clean(asked.c))
    known = analogies(asked.checkpoint)
    return next((each for each in known if (each.a, each.b, each.c) == inputs), None)
