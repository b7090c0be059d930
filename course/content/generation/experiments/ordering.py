"""Sentences from shuffled keywords by a beam that writes each keyword once, with the help of counts.

A beam of whole sentences drops a beginning that is late with its keywords. Here beginnings compete only with those
that have written as many pieces of the keywords, and the sentence ends when none is left. To the network's
log-probability of a piece that of counted runs of five pieces may be added.

Sources: Hokamp and Liu 2017, "Lexically Constrained Decoding for Sequence Generation Using Grid Beam Search", section
3; Gulcehre et al. 2015, "On Using Monolingual Corpora in Neural Machine Translation", section 4.1 (the second model's
log-probability, added); Ney, Essen and Kneser 1994, "On structuring probabilistic dependences in stochastic language
modelling" (counts discounted by a constant).
"""

from __future__ import annotations

import functools
import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from course import datasets
from course.content.generation.experiments import training as recipe
from course.content.generation.experiments.pairs import (
    BOS,
    EOS,
    batch,
    encode,
    keywords_of,
    split_words,
    words,
)

__all__ = ["Counts", "evaluate", "free_pieces", "write"]

RUN = 5  # pieces
DISCOUNT = 0.75
SHARE = 0.7  # weight of the counts; chosen on validation
FREE_RUN = 4  # small words and marks in a row
_END = re.compile(r"(?<=\.)\s+(?=[A-Z])")  # of a sentence
_TOGETHER = 24  # inputs that are searched at once


class Counts:
    """Probabilities of a next piece from how often runs of up to `RUN` pieces occur in the training text.

    A run's count is lowered by `DISCOUNT`; what is taken away goes to the shorter run. At the end stands a uniform
    choice, so no probability is 0.
    """

    def __init__(self, rows: Sequence[Sequence[int]], size: int) -> None:
        self.size = size
        self.runs: Counter[tuple[int, ...]] = Counter()
        for row in rows:
            ids = (*[BOS] * (RUN - 1), *row)
            for end in range(RUN, len(ids) + 1):
                self.runs.update(ids[end - length : end] for length in range(1, RUN + 1))
        self.often: Counter[tuple[int, ...]] = Counter()  # how often something follows a run
        self.kinds: Counter[tuple[int, ...]] = Counter()  # and how many different pieces do
        for run, count in self.runs.items():
            self.often[run[:-1]] += count
            self.kinds[run[:-1]] += 1
        self._kept: dict[tuple[int, ...], float] = {}

    def probability(self, run: tuple[int, ...]) -> float:
        """Return the probability of the last piece of a run after those before it."""
        if not run:
            return 1 / self.size
        if run not in self._kept:
            shorter, before = self.probability(run[1:]), run[:-1]
            often = self.often[before]
            left = DISCOUNT * self.kinds[before] / often if often else 1.0
            own = max(self.runs[run] - DISCOUNT, 0.0) / often if often else 0.0
            self._kept[run] = own + left * shorter
        return self._kept[run]

    @classmethod
    @functools.cache
    def of_training_text(cls) -> Counts:
        """Count the sentences of the documentation's training split, of any length."""
        examples = datasets.load("python-docs").train
        paragraphs = (text for example in examples for text in example.text.split("\n"))
        sentences = (sentence for text in paragraphs for sentence in _END.split(text))
        rows = [encode(split_words(sentence)) for sentence in sentences]
        return cls(rows, len(datasets.tokenizer().vocabulary))


class Beginning(NamedTuple):
    """A beginning of a sentence: which input it is for, its pieces and score, and its row in the model's batch."""

    text: int
    ids: tuple[int, ...]
    score: float
    written: int = 0  # pieces of the keywords
    free: int = 0  # small words and marks since the last of them
    row: int = 0
    column: int = 0  # of its last piece


@functools.cache
def free_pieces() -> tuple[int, ...]:
    """Return the pieces that may be written at any time: stop words and marks, which keywords leave out."""
    vocabulary = datasets.tokenizer().vocabulary
    return tuple(
        number
        for token, number in vocabulary.items()
        if not keywords_of([token]) and (len(token) == 1 or token.isalpha())
    )


def write(
    model: Any, keywords: Sequence[Sequence[str]], counts: Counts | None = None, beam: int = 4
) -> list[list[str]]:
    """Write a sentence for each that has every piece of its keywords once. The model is in eval mode."""
    rows = [encode(each) for each in keywords]
    found: list[list[str]] = []
    for start in range(0, len(rows), _TOGETHER):
        found += map(words, _search(model, rows[start : start + _TOGETHER], counts, beam))
    return found


def evaluate(
    model: nn.Module, split: str = "validation", counted: bool = False
) -> dict[str, float]:
    """Score the sentences written for the shuffled keywords of a split, with the counts or without."""
    counts = Counts.of_training_text() if counted else None
    return recipe.score(write(model, recipe.inputs(split, in_order=False), counts), split)


@torch.no_grad()
def _search(
    model: Any, rows: Sequence[list[int]], counts: Counts | None, beam: int
) -> list[tuple[int, ...]]:
    memory, padding = model.encode(batch(rows))  # (B, S, D), (B, S)
    cache, weights = model.empty_cache(), recipe.small_words().log()  # (V,)
    columns, left = _columns(rows)  # (B, C): the pieces that an input allows, and how often
    live = [Beginning(text, (), 0.0, row=text) for text in range(len(rows))]
    best = [Beginning(text, (), -math.inf) for text in range(len(rows))]
    tokens = torch.full((len(rows), 1), BOS)
    for _ in range(2 * max(map(len, rows)) + 8):
        texts = torch.tensor([each.text for each in live])  # (R,)
        logits = model.step(tokens, memory[texts], padding[texts], cache)[:, -1]  # (R, V)
        # The loss counted small words more often; without that the network's guess at them is too high.
        log_p = (logits - weights).log_softmax(dim=-1).gather(1, columns[texts])  # (R, C)
        log_p = log_p.masked_fill(~_allowed(live, left), -torch.inf)
        grown = _grow(live, log_p, columns, counts, 2 * beam)
        for each in grown:
            if each.ids[-1] == EOS and each.score > best[each.text].score:
                best[each.text] = each
        live = _prune([each for each in grown if each.ids[-1] != EOS], best, beam)
        if not live:
            break
        chosen = torch.tensor([each.row for each in live])
        left = left[chosen]
        left[torch.arange(len(live)), torch.tensor([each.column for each in live])] -= 1
        tokens = torch.tensor([each.ids[-1:] for each in live])  # (R, 1)
        cache.reorder(chosen)
    return [each.ids[:-1] for each in best]


def _columns(rows: Sequence[list[int]]) -> tuple[Tensor, Tensor]:
    """List what each input allows, `(B, C)`, and how often: `EOS`, the free pieces, those of its keywords."""
    asked = [Counter(row[:-1]) for row in rows]
    widest = max(map(len, asked))
    first = [EOS, *free_pieces()]
    columns = [[*first, *each, *[EOS] * (widest - len(each))] for each in asked]
    left = [
        [*[math.inf] * len(first), *each.values(), *[0] * (widest - len(each))] for each in asked
    ]
    return torch.tensor(columns), torch.tensor(left)


def _allowed(live: Sequence[Beginning], left: Tensor) -> Tensor:
    """Return which pieces may follow, bool `(R, C)`: the sentence ends when no keyword is left."""
    allowed, size = left > 0, 1 + len(free_pieces())
    free = torch.tensor([each.free for each in live])  # (R,)
    allowed[:, 0] = (left[:, size:] <= 0).all(dim=1)
    allowed[:, 1:size] &= (free < FREE_RUN)[:, None]
    return allowed


def _grow(
    live: Sequence[Beginning], log_p: Tensor, columns: Tensor, counts: Counts | None, width: int
) -> list[Beginning]:
    """Continue each beginning with its `width` likeliest pieces; `log_p` is `(R, C)`."""
    values, places = (part.tolist() for part in log_p.topk(min(width, log_p.shape[1])))
    pieces, size = columns.tolist(), 1 + len(free_pieces())
    grown = []
    for row, each in enumerate(live):
        for value, column in zip(values[row], places[row], strict=True):
            if value == -math.inf:
                break
            ids = (*each.ids, pieces[each.text][column])
            if counts is not None:
                run = (*[BOS] * (RUN - len(ids)), *ids[-RUN:])
                value += SHARE * math.log(counts.probability(run))
            asked, free = (each.written + 1, 0) if column >= size else (each.written, each.free + 1)
            grown.append(Beginning(each.text, ids, each.score + value, asked, free, row, column))
    return grown


def _prune(grown: Sequence[Beginning], best: Sequence[Beginning], beam: int) -> list[Beginning]:
    """Keep the `beam` best of each input and number of pieces written; drop what can't win any more."""
    groups = defaultdict(list)
    for each in grown:
        if each.score > best[each.text].score:  # a score never rises
            groups[each.text, each.written].append(each)
    return [
        each
        for group in groups.values()
        for each in sorted(group, key=lambda each: -each.score)[:beam]
    ]
