"""What the first half of chapter 07 shows in small, each in a second or two on one CPU core.

`Counts` guesses the next word of Python's documentation from the two words before it: a distribution to choose from.
`Speller` is an encoder-decoder that reads a word as one token and writes its letters: place t of what it writes can be
compared with place t of the word, with the true letters before it or with its own.
"""

from __future__ import annotations

import functools
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from course import datasets
from course.system.threads import one_thread
from encoder_core import EncoderDecoder, generate_greedy

__all__ = ["BOS", "EOS", "PAD", "Counts", "Speller", "counts", "drawn"]

PAD, BOS, EOS = range(3)  # of both
WORDS = 4000  # the most frequent ones; a sentence is counted without the others


def _sentences() -> Iterator[list[str]]:
    """The sentences of the training part of Python's documentation, as lower-case words."""
    for passage in datasets.load("python-docs").train:
        for sentence in re.split(r"(?<=[.!?:;])\s+|\n", passage.text.lower()):
            words = re.findall(r"[a-z_]+(?:'[a-z]+)?", sentence)
            if 4 <= len(words) <= 30:
                yield words


class Counts:
    """The next word from the two before it, by counting; pairs and single words stand in where these are rare.

    Attributes:
        words: the vocabulary: padding, begin, end, then words.
    """

    def __init__(self, sentences: Iterable[Sequence[str]]) -> None:
        sentences = list(sentences)
        frequent = Counter(word for sentence in sentences for word in sentence)
        self.words = ["[PAD]", "[BOS]", "[EOS]", *(word for word, _ in frequent.most_common(WORDS))]
        self._number = {word: number for number, word in enumerate(self.words)}
        self._after: defaultdict[tuple[int, ...], Counter[int]] = defaultdict(Counter)
        single: Counter[int] = Counter()
        for sentence in sentences:
            known = [self._number[word] for word in sentence if word in self._number]
            ids = [BOS, BOS, *known, EOS]
            for place in range(2, len(ids)):
                for length in (1, 2):
                    self._after[tuple(ids[place - length : place])][ids[place]] += 1
                single[ids[place]] += 1
        alone = torch.full((len(self.words),), 0.1)  # (V,)
        alone[list(single)] += torch.tensor(list(single.values()), dtype=torch.float32)
        alone[[PAD, BOS]] = 0.0
        self._alone = alone / alone.sum()

    def encode(self, text: str) -> list[int]:
        """`[BOS]` and the ids of the words of `text`; KeyError for a word that was not counted."""
        return [BOS, *(self._number[word] for word in text.lower().split())]

    def text(self, ids: Sequence[int]) -> str:
        """The words of these ids, `[BOS]` left out."""
        return " ".join(self.words[number] for number in ids if number != BOS)

    def next_logits(self, ids: Sequence[int]) -> Tensor:
        """The logarithms `(V,)` of the next word's probabilities.

        The counts after one word, then after two, each take the weight that the number of its different
        continuations leaves (Witten-Bell smoothing).
        """
        padded = [BOS, *ids]
        p = self._alone
        for length in (1, 2):
            found = self._after.get(tuple(padded[-length:]))
            if found:
                different, total = len(found), found.total()
                p = p * different  # a new tensor
                p[list(found)] += torch.tensor(list(found.values()), dtype=p.dtype)
                p = p / (total + different)
        return p.log()

    def after(self, text: str, *, end: bool = True) -> Callable[[list[int]], Tensor]:
        """A model `(ids) -> (V,)` of what follows `text`: the ids, without their `[BOS]`, stand behind it.

        With `end=False` the text can't end: `[EOS]` has the logit -inf.
        """
        begun = self.encode(text)

        def next_logits(ids: list[int]) -> Tensor:
            logits = self.next_logits(begun + ids[1:])
            if not end:
                logits[EOS] = -torch.inf
            return logits

        return next_logits


def drawn(logits: Tensor, generator: torch.Generator) -> Tensor:
    """Draw a token from logits `(V,)`, and return logits by which it is the likeliest."""
    token = torch.multinomial(torch.softmax(logits, dim=-1), 1, generator=generator)
    return torch.zeros_like(logits).scatter(0, token, 1.0)


@functools.cache
def counts() -> Counts:
    """The counts on Python's documentation."""
    return Counts(_sentences())


class Speller:
    """A small encoder-decoder that spells the most frequent long words of Python's documentation.

    Attributes:
        words: what it learns to spell.
        sources: ids `(N, 1)`: each word is one token of the encoder.
        letters: ids `(N, T)`: what is to be written, `[EOS]` behind it, then padding.
    """

    def __init__(self, words: int = 200, seed: int = 0) -> None:
        frequent = Counter(word for sentence in _sentences() for word in sentence)
        fitting = (word for word, _ in frequent.most_common() if re.fullmatch("[a-z]{6,11}", word))
        self.words = [word for word, _ in zip(fitting, range(words), strict=False)]
        self.length = max(map(len, self.words)) + 1  # T
        self.letters = self._rows(
            [3 + ord(letter) - ord("a") for letter in word] for word in self.words
        )
        self.sources = 29 + torch.arange(words).unsqueeze(1)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.model = EncoderDecoder(
                29 + words, 48, 4, 1, 1, 96, dropout=0.0, positions="relative"
            )

    def _rows(self, texts: Iterable[Sequence[int]]) -> Tensor:
        """Ids `(N, T)`: each text, `[EOS]`, padding."""
        rows = [[*text, EOS][: self.length] for text in texts]
        return torch.tensor([row + [PAD] * (self.length - len(row)) for row in rows])

    def train(self, reads: Callable[[Tensor, Tensor], Tensor], updates: int = 250) -> list[float]:
        """Train, and return the loss of every update.

        `reads(sources, letters)` makes the decoder's input `(B, T)` of a batch of `(B, 1)` and `(B, T)`.
        """
        generator = torch.Generator().manual_seed(0)
        optimiser = torch.optim.AdamW(self.model.parameters(), lr=5e-3)
        losses = []
        with one_thread():
            for update in range(updates):
                for group in optimiser.param_groups:
                    group["lr"] = 5e-3 * min(1.0, (update + 1) / 20) * (1 - update / updates)
                rows = torch.randint(len(self.words), (32,), generator=generator)
                sources, letters = self.sources[rows], self.letters[rows]
                logits = self.model(sources, reads(sources, letters))  # (B, T, V)
                loss = F.cross_entropy(logits.flatten(0, 1), letters.flatten(), ignore_index=PAD)
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                losses.append(loss.item())
        return losses

    @torch.no_grad()
    def likeliest(self, reads: Tensor) -> Tensor:
        """The likeliest letter `(N, T)` at each place of every word, after these letters `(N, T)`."""
        with one_thread():
            found: Tensor = self.model(self.sources, reads).argmax(dim=-1)
        return found

    def write(self, sources: Tensor) -> Tensor:
        """What it writes by itself, letter by letter: ids `(B, T)`."""
        with one_thread():
            return self._rows(generate_greedy(self.model, sources, BOS, EOS, self.length))

    def word(self, ids: Tensor) -> str:
        """The letters of a row `(T,)` up to its end; "·" for what is no letter."""
        row = ids.tolist()
        row = row[: row.index(EOS)] if EOS in row else row
        return "".join(chr(ord("a") + i - 3) if 3 <= i < 29 else "·" for i in row)
