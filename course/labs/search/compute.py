"""From a question to two rankings of the same passages: by meaning and by words."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from course.datasets.passages import Index, Passage, WordIndex, counted_words
from course.labs.faults import InvalidSetting, OwnFailed
from course.labs.own_functions import call_own
from course.labs.settings_lab import check_whole
from course.system.threads import one_thread
from encoder_core.models.bert import Bert
from encoder_core.pretrained.minilm import load_minilm, sentence_embedding
from encoder_core.text.tokenizer import WordPiece

__all__ = ["Nearest", "Rankings", "Selection", "Settings", "Shelf", "Word"]

LONGEST = 200  # characters of a question
MOST_SHOWN = 10  # passages of a ranking

Nearest = Callable[[Tensor, Tensor, int], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Settings:
    """What is computed.

    Attributes:
        text: the question.
        shelf: what is searched: 0 for the passages given, from 1 on the learner's folders.
        shown: how many passages of each ranking.
    """

    text: str
    shelf: int = 0
    shown: int = 5


@dataclass(frozen=True)
class Selection:
    """Which passage is looked at, by its number on the shelf; -1 for the first by meaning."""

    passage: int = -1


@dataclass(frozen=True)
class Word:
    """One word of the question.

    Attributes:
        text: as it was typed.
        key: as it is counted; "" for a single letter, which isn't counted.
        passages: how many have it.
    """

    text: str
    key: str
    passages: int


class Shelf:
    """Passages that are searched, with both of their indexes.

    Args:
        index: the passages with their vectors.
        name: what the learner calls them.

    Raises:
        ValueError: there is no passage.
    """

    def __init__(self, index: Index, name: str) -> None:
        if not index.passages:
            raise ValueError("There is no passage to search.")
        self.index, self.name = index, name
        self.words = WordIndex(index.texts)  # of the same texts that the vectors are of

    def __len__(self) -> int:
        return len(self.index.passages)

    def rank(self, asked: Settings, nearest: Nearest | None = None) -> Rankings:
        """Answer a question both ways; `nearest` is the learner's own search by meaning.

        Raises:
            InvalidSetting: no question, one that is too long, a number of passages out of range.
            OwnFailed: the learner's function raised, or returned something else.
        """
        check_whole(asked, {"shown": (1, MOST_SHOWN, "The number of passages shown")})
        text = asked.text
        if not isinstance(text, str) or len(text) > LONGEST:
            raise InvalidSetting(f"A question may have at most {LONGEST} characters.")
        if not text.strip():
            raise InvalidSetting("There is no question yet. Type one, such as “copy a file”.")
        count = min(asked.shown, len(self))
        with one_thread():
            vector = sentence_embedding(text, *_minilm())  # (D,)
            cosines = self.index.vectors @ vector  # (N, D) @ (D,) -> (N,)
            if nearest is None:
                best = cosines.topk(count)
                similarities, found = best.values.tolist(), best.indices.tolist()
            else:
                similarities, found = self._own(nearest, vector, count)
        scores = self.words.scores(text)
        order = np.argsort(-scores, kind="stable")[:count]
        return Rankings(
            shelf=self,
            question=text,
            words=self._words(text),
            cosines=cosines.numpy(),
            scores=scores,
            by_meaning=tuple(zip(found, similarities, strict=True)),
            by_words=tuple((int(row), float(scores[row])) for row in order if scores[row] > 0),
        )

    def _own(self, nearest: Nearest, vector: Tensor, count: int) -> tuple[list[float], list[int]]:
        """What the learner's function finds, if it has the form of an answer."""
        returned: Any = call_own("nearest", nearest, vector[None], self.index.vectors, count)
        form = f"two tensors of the shape (1, {count}): similarities, and indices from 0 to {len(self) - 1}"
        try:
            similarities, found = (torch.as_tensor(part).detach().cpu() for part in returned)
        except (TypeError, ValueError, RuntimeError):
            raise OwnFailed(f"Your nearest should return {form}.") from None
        fits = similarities.shape == found.shape == (1, count) and not found.is_floating_point()
        if (
            not fits
            or found.dtype == torch.bool
            or not bool(((found >= 0) & (found < len(self))).all())
        ):
            raise OwnFailed(f"Your nearest should return {form}.")
        return similarities[0].tolist(), found[0].tolist()

    def _words(self, text: str) -> tuple[Word, ...]:
        counted = {start: key for start, _, key in counted_words(text)}
        found = []
        for start, piece in _pieces(text):
            key = counted.get(start, "")
            found.append(Word(piece, key, self.words.texts_with(key)))
        return tuple(found)


def _pieces(text: str) -> list[tuple[int, str]]:
    """The text's words, counted or not, and where each begins; punctuation is left out."""
    return [(match.start(), match.group()) for match in re.finditer(r"\w+", text)]


@cache
def _minilm() -> tuple[Bert, WordPiece]:
    """MiniLM, found once: `load_minilm` looks for its folder in every call, and a key press waits."""
    return load_minilm()


@dataclass(frozen=True, eq=False)
class Rankings:
    """Two rankings of one shelf.

    Attributes:
        shelf: what was searched, N passages.
        question: what was asked.
        words: its words in order.
        cosines: `(N,)`, by meaning.
        scores: `(N,)`, by words.
        by_meaning: the best passages' numbers with their similarities, best first.
        by_words: the same by words; only passages that share a word.
    """

    shelf: Shelf
    question: str
    words: tuple[Word, ...]
    cosines: NDArray[np.float32]
    scores: NDArray[np.float32]
    by_meaning: tuple[tuple[int, float], ...]
    by_words: tuple[tuple[int, float], ...]

    def passage(self, row: int) -> Passage:
        """The passage of a number."""
        return self.shelf.index.passages[row]

    def rank_by_meaning(self, row: int) -> int:
        """A passage's place by meaning, from 1."""
        return int((self.cosines > self.cosines[row]).sum()) + 1

    def rank_by_words(self, row: int) -> int | None:
        """A passage's place by words, from 1; None if it shares none."""
        score = self.scores[row]
        return int((self.scores > score).sum()) + 1 if score > 0 else None

    def sharing(self) -> int:
        """How many passages share a word with the question."""
        return int((self.scores > 0).sum())

    def in_both(self) -> int:
        """How many passages are in both rankings, as far as they are shown."""
        return len({row for row, _ in self.by_meaning} & {row for row, _ in self.by_words})

    def added(self, row: int) -> dict[str, float]:
        """What each word of the question adds to a passage's score by words."""
        return self.shelf.words.added(self.question, row)

    def keys(self) -> frozenset[str]:
        """The question's words, as they are counted."""
        return frozenset(word.key for word in self.words if word.key)
