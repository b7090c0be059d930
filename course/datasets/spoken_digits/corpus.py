"""The data set "spoken-digits": each example is a word, and `signal` gives its sound."""

from __future__ import annotations

import functools
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from course.datasets.dataset import Example
from course.datasets.recordings import Recordings, read_sounds
from course.datasets.spoken_digits.card import CARD, RATE, WORDS

__all__ = ["TABLE", "SpokenDigits", "Utterance", "load"]

TABLE = Path(__file__).parent / "digits.gz"
PAUSE = (0.02, 0.15)  # seconds between two digits, from and to


@dataclass(frozen=True)
class Utterance:
    """Several digits, spoken one after the other by one voice.

    Attributes:
        signal: `(samples,)`, float32 between -1 and 1.
        digits: what is said.
        voice: who says it.
    """

    signal: Tensor
    digits: tuple[int, ...]
    voice: str


@dataclass(frozen=True, repr=False)
class SpokenDigits(Recordings):
    """The data set; `example.label` is the digit, `example.source` the voice.

    Attributes:
        accent: digits by voices of the test with another accent than those of training.
    """

    accent: tuple[Example, ...] = ()

    def utterances(
        self, examples: Sequence[Example], count: int, lengths: tuple[int, int], seed: int = 0
    ) -> list[Utterance]:
        """Join digits, drawn at random, with short pauses into utterances of one voice each.

        Args:
            examples: whose digits are taken, such as `dataset.train`.
            count: of utterances.
            lengths: how many digits an utterance has at least and at most.
            seed: the same seed gives the same utterances.
        """
        by_voice: dict[str, list[Example]] = {}
        for example in examples:
            by_voice.setdefault(example.source, []).append(example)
        voices, draw = sorted(by_voice), random.Random(seed)
        found = []
        for _ in range(count):
            own = by_voice[draw.choice(voices)]
            chosen = draw.choices(own, k=draw.randint(*lengths))
            parts = []
            for example in chosen:
                parts += [torch.zeros(int(draw.uniform(*PAUSE) * RATE)), self.signal(example)]
            digits = tuple(WORDS.index(example.text) for example in chosen)
            found.append(Utterance(torch.cat(parts), digits, own[0].source))
        return found


@functools.cache
def load() -> SpokenDigits:
    """Return the data set."""
    head, sound = read_sounds(TABLE)  # the head is [[split, voice, [samples of each digit]], ...]
    splits: dict[str, list[Example]] = {"train": [], "validation": [], "test": [], "accent": []}
    codes: dict[tuple[str, str], bytes] = {}
    for split, voice, counts in head:
        for label, (word, samples) in enumerate(zip(WORDS, counts, strict=True)):
            codes[voice, word] = sound.read(samples)
            splits[split].append(Example(word, label, voice))
    train, validation, test, accent = map(tuple, splits.values())
    return SpokenDigits(CARD, train, validation, test, RATE, codes, accent)
