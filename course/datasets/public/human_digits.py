"""The digits that people speak: "free-spoken-digits", and those of "speech-commands"."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch

from course.datasets.dataset import Example, fixed_order
from course.datasets.public.archives import FREE_SPOKEN_DIGITS, SPEECH_COMMANDS, Archive
from course.datasets.public.download import changed, fetch_archive, members
from course.datasets.public.showing import Players
from course.datasets.public.waves import read_wav, to_samples
from course.datasets.recordings import Recordings, compress
from course.datasets.spoken_digits.card import RATE, WORDS
from course.datasets.spoken_digits.corpus import PAUSE, Utterance

__all__ = ["SPLITS", "HumanDigits", "load_free_spoken_digits", "load_speech_commands"]

SPLITS = ("takes", "speakers")
# Of the free spoken digits: with split="takes" the takes below the first number are test, then those below the
# second validation, as their makers have it (they have no validation).
_TEST, _VALIDATION = 5, 10
# With split="speakers": one speaker for validation, two for test, of whom one has an accent of another language.
_HELD_OUT = {"nicolas": "validation", "theo": "test", "yweweler": "test"}


class Take(NamedTuple):
    """A recording: which digit, who speaks, which of the speaker's recordings of it, the sound's codes."""

    digit: int
    speaker: str
    number: int
    codes: bytes


@dataclass(frozen=True, repr=False)
class HumanDigits(Recordings):
    """A data set of digits that people speak; `example.source` is the speaker and the take."""

    def speaker(self, example: Example) -> str:
        """Return who speaks an example."""
        return example.source.partition(",")[0]

    def utterances(
        self, examples: Sequence[Example], count: int, lengths: tuple[int, int], seed: int = 0
    ) -> list[Utterance]:
        """Join digits, drawn at random, with short pauses into utterances of one speaker each.

        Args: as those of "spoken-digits". Raises ValueError if there is no example.
        """
        by_speaker: dict[str, list[Example]] = {}
        for example in examples:
            by_speaker.setdefault(self.speaker(example), []).append(example)
        if not by_speaker:
            raise ValueError("There are no examples to join: take those of another split.")
        speakers, draw = sorted(by_speaker), random.Random(seed)
        found = []
        for _ in range(count):
            speaker = draw.choice(speakers)
            chosen = draw.choices(by_speaker[speaker], k=draw.randint(*lengths))
            parts = []
            for example in chosen:
                parts += [torch.zeros(int(draw.uniform(*PAUSE) * RATE)), self.signal(example)]
            digits = tuple(WORDS.index(example.text) for example in chosen)
            found.append(Utterance(torch.cat(parts), digits, speaker))
        return found

    def show(self, count: int = 10) -> Players:
        """Show training examples as `Dataset.show` does, each with a player."""
        examples = super().show(count).examples
        samples = [to_samples(self.signal(example).numpy()) for example in examples]
        return Players(self, examples, samples, self.rate)


def load_free_spoken_digits(*, split: str = "takes", download: bool = False) -> HumanDigits:
    """Return "free-spoken-digits", from this machine or, with `download=True`, from its makers.

    Raises NotHereError, or ValueError if there is no such split or the archive is not what it was.
    """
    if split not in SPLITS:
        raise ValueError(f"split={split!r}: take 'takes', each speaker known, or 'speakers'.")

    def split_of(take: Take) -> str:
        if split == "speakers":
            return _HELD_OUT.get(take.speaker, "train")
        held_out = "test" if take.number < _TEST else "validation"
        return held_out if take.number < _VALIDATION else "train"

    archive = FREE_SPOKEN_DIGITS
    path = fetch_archive(archive, download=download)
    takes = []
    for match, content in members(archive, path, r"recordings/(\d)_([a-z]+)_(\d+)\.wav$"):
        digit, speaker, number = match.groups()
        codes = _codes(archive, match.string, content)
        takes.append(Take(int(digit), speaker, int(number), codes))
    return _collect(archive, takes, split_of)


def load_speech_commands(*, download: bool = False) -> HumanDigits:
    """Return the digits of "speech-commands", from this machine or, with `download=True`, from their makers.

    To read the whole archive takes some minutes, and its digits about 300 MB of memory.

    Raises NotHereError, or ValueError if the archive is not what it was.
    """
    archive = SPEECH_COMMANDS
    path = fetch_archive(archive, download=download)
    named = "|".join(WORDS)
    pattern = rf"(?:^|/)(?:({named})/(\w+)_nohash_(\d+)\.wav|(validation|testing)_list\.txt)$"
    takes: list[Take] = []
    split_by_name: dict[str, str] = {}
    for match, content in members(archive, path, pattern):
        word, speaker, number, listed = match.groups()
        if listed:
            split = "validation" if listed == "validation" else "test"
            split_by_name |= dict.fromkeys(content.decode().split(), split)
        else:
            codes = _codes(archive, match.string, content)
            takes.append(Take(WORDS.index(word), speaker, int(number), codes))
    if {"validation", "test"} - set(split_by_name.values()):
        raise ValueError(changed(archive, "its validation_list.txt or testing_list.txt is missing"))

    def split_of(take: Take) -> str:
        name = f"{WORDS[take.digit]}/{take.speaker}_nohash_{take.number}.wav"
        return split_by_name.get(name, "train")

    return _collect(archive, takes, split_of)


def _codes(archive: Archive, name: str, content: bytes) -> bytes:
    try:
        return compress(read_wav(content)).tobytes()
    except ValueError as error:
        raise ValueError(changed(archive, f"{name} is {error}")) from error


def _collect(
    archive: Archive, takes: Sequence[Take], split_of: Callable[[Take], str]
) -> HumanDigits:
    parts: dict[str, list[Example]] = {"train": [], "validation": [], "test": []}
    codes = {}
    for take in takes:
        source = f"{take.speaker}, take {take.number}"
        example = Example(WORDS[take.digit], take.digit, source)
        codes[source, example.text] = take.codes
        parts[split_of(take)].append(example)
    # mixed, so that the first ones, which `show` and `few` take, are of many speakers
    mixed = (
        fixed_order(part, lambda each: f"{each.source} {each.text}") for part in parts.values()
    )
    train, validation, test = map(tuple, mixed)
    return HumanDigits(archive.card, train, validation, test, RATE, codes)
