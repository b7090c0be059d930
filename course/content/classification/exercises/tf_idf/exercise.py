"""classification.tf_idf: words weighted by how rare they are, a row of length 1 for each text."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from course.checking.exercise import Case, Exercise, Landmark, tags
from course.checking.exercise.cases import FLAT, holding

_OF_SIZES = {
    "a single text": "N = 1",
    "a single word": "V = 1",
    "as many texts as words": "N = V; N > 1",
}


def _case(says: str, counts: Tensor, *names: str, **more: Any) -> Case:
    sizes = {"N": len(counts), "V": counts.shape[1]}
    names = (*names, *holding(_OF_SIZES, sizes))
    if (counts > 1).any():
        names = (*names, "words that stand several times in a text")
    if (counts.sum(0) == 0).any():
        names = (*names, "a word that stands in no text")
    empty = counts.sum(1, keepdim=True) == 0
    if empty.any():
        names = (*names, "a text without words")
        more["dtypes"] = ("float64", "float32", "bfloat16")  # F.normalize divides by 0 in float16
        more["regions"] = {"texts without words": empty}
    return Case((counts,), says, sizes, tags(*names), **FLAT | more)


def _table(rows: list[list[int]]) -> Tensor:
    return torch.tensor(rows).double()


def _drawn(seed: int, texts: int, words: int) -> Tensor:
    """(N, V): some words in nearly all texts and some in few, each text with a word at least."""
    generator = torch.Generator().manual_seed(7919 * seed + 77)
    rate = torch.linspace(0.1, 1.5, words).expand(texts, words)
    counts = torch.poisson(rate, generator=generator).double()
    counts[torch.arange(texts), torch.arange(texts) % words] += 1
    return counts


def _cases(seed: int) -> list[Case]:
    return [
        _case("two texts, three words", _table([[1, 1, 0], [2, 0, 0]])),
        _case("three texts, four words", _table([[3, 1, 0, 1], [1, 0, 2, 1], [1, 0, 0, 0]])),
        _case("each word once at most", _table([[1, 0, 1], [1, 1, 0], [1, 0, 0], [1, 0, 1]])),
        _case("a word in no text", _table([[2, 0, 1], [1, 0, 0]])),
        _case("a text without words", _table([[1, 2], [0, 0], [1, 0]])),
        _case("nothing but texts without words", _table([[0, 0, 0], [0, 0, 0]])),
        _case("a single text", _table([[4, 1, 2]])),
        _case("a single word", _table([[2], [0], [1]])),
        _case("as many texts as words", _table([[1, 2, 0], [0, 1, 1], [3, 0, 1]])),
        _case("a long text beside a short one", _table([[40, 9, 20], [0, 1, 1]])),
        _case("all words in all texts", _table([[1, 3], [2, 2], [5, 1]])),
        _case("12 drawn texts of 20 words", _drawn(seed, 12, 20)),
    ]


def _idf(counts: Tensor, smooth: int = 1) -> Tensor:
    texts = (counts > 0).sum(0).to(counts.dtype)
    return torch.log((smooth + len(counts)) / (smooth + texts)) + 1


EXERCISE = Exercise(
    id="classification.tf_idf",
    signature="(counts)",
    minutes=15,
    difficulty=2,
    cases=_cases,
    axes=(("N", "V"),),
    landmarks=(
        Landmark("the counts over their rows' sums", lambda c: c / c.sum(-1, True).clamp(min=1)),
        Landmark("1 where a word occurs, and 0", lambda c: (c > 0).to(c.dtype)),
        Landmark("the idf of each word", _idf),
        Landmark(
            "tf-idf of 1 + log of the counts (sublinear)",
            lambda c: F.normalize((1 + c.clamp(min=1).log()) * (c > 0) * _idf(c), dim=-1),
        ),
        Landmark(
            "the weights, each row divided by its largest",
            lambda c: (c * _idf(c)) / (c * _idf(c)).amax(-1, True).clamp(min=1e-9),
        ),
    ),
)
