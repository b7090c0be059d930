"""Make the frozen sounds: `python -m course.datasets.spoken_digits.build`.

Needs eSpeak NG on the path (in Debian the package espeak-ng). Version 1.51 gives the bytes that the course has.
"""

from __future__ import annotations

import io
import re
import subprocess
import wave
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from course.datasets.dataset import fixed_order
from course.datasets.recordings import compress, write_sounds
from course.datasets.spoken_digits.card import RATE, WORDS
from course.datasets.spoken_digits.corpus import TABLE
from encoder_core.models.log_mel import LogMel

__all__ = ["distance", "families", "resample", "split_of", "trim", "write"]

Signal = NDArray[np.float64]

# No person speaks so, or without a voice, or a variant changes nothing but the speed.
LEFT_OUT = re.compile(
    "Demonic|Tweaky|UniRobot|anikaRobot|announcer|croak|fast|robosoft.*|whisper.*|RicishayMax.*|Storm"
)
ALIKE = 0.25  # mean difference of two voices' log-mel energies: one of them is left out
NEAR = 0.35  # below it two voices go to the same split
HELD_OUT = {"test": 14, "validation": 8}  # voices
SCOTS = 8  # of the test's voices, again with another accent
SPEED = 160  # words a minute


def say(voice: str, word: str, accent: str) -> Signal:
    """Return what the synthesiser says, from -1 to 1, at `RATE`."""
    command = ["espeak-ng", "-v", f"{accent}+{voice}", "-s", str(SPEED), "--stdout", word]
    sound = subprocess.run(command, check=True, capture_output=True).stdout
    with wave.open(io.BytesIO(sound)) as file:
        rate = file.getframerate()
    samples = np.frombuffer(sound[44 : len(sound) // 2 * 2], np.int16)  # its header counts wrongly
    clip = trim(resample(samples / 32768, rate))
    equally_loud: Signal = 0.1 * clip / np.sqrt((clip**2).mean())
    return equally_loud


def resample(signal: Signal, rate: int, to: int = RATE) -> Signal:
    """Return a signal at another rate, what is above half of it cut off.

    >>> resample(np.sin(np.arange(100) / 5), 1000, 500).shape
    (50,)
    """
    count = round(len(signal) * to / rate)
    spectrum = np.fft.rfft(signal)
    kept = np.zeros(count // 2 + 1, complex)
    shared = min(len(kept), len(spectrum))
    kept[:shared] = spectrum[:shared]
    found: Signal = np.fft.irfft(kept, count) * count / len(signal)
    return found


def trim(signal: Signal, below: float = -55.0) -> Signal:
    """Cut silence off both ends: what is quieter than the loudest 10 ms by so many decibels, but for a rest."""
    short = RATE // 100
    loudness = np.convolve(np.abs(signal), np.ones(short) / short, "same")
    loud = np.nonzero(loudness > loudness.max() * 10 ** (below / 20))[0]
    return signal[max(0, loud[0] - short) : loud[-1] + 2 * short]


Energies = Sequence[torch.Tensor]  # of each digit (frames, bands)


def distance(one: Energies, other: Energies) -> float:
    """Return how far apart two voices are: the mean difference of log-mel energies, and of lengths."""
    apart = []
    for a, b in zip(one, other, strict=True):
        both = min(len(a), len(b))
        apart.append(float((a[:both] - b[:both]).abs().mean()) + abs(len(a) - len(b)) / 30)
    return sum(apart) / len(apart)


def families(voices: Mapping[str, Energies]) -> list[list[str]]:
    """Leave out voices that another one nearly equals, and join those that are near each other."""
    kept: list[str] = []
    for name in sorted(voices):
        if all(distance(voices[name], voices[each]) >= ALIKE for each in kept):
            kept.append(name)
    joined: list[list[str]] = []
    for name in kept:
        near = [
            group
            for group in joined
            if any(distance(voices[name], voices[each]) < NEAR for each in group)
        ]
        joined = [group for group in joined if group not in near]
        joined.append(sorted([name, *(each for group in near for each in group)]))
    return sorted(joined)


def split_of(groups: Sequence[Sequence[str]]) -> dict[str, str]:
    """Hold out whole families, drawn at random, the largest one excepted; all others are for training."""
    largest = max(groups, key=len)
    drawn = iter(fixed_order([group for group in groups if group is not largest], str))
    found = {name: "train" for group in groups for name in group}
    for split, count in HELD_OUT.items():
        while list(found.values()).count(split) < count:
            found |= dict.fromkeys(next(drawn), split)
    return found


def _variants() -> list[str]:
    listed = subprocess.run(
        ["espeak-ng", "--voices=variant"], check=True, capture_output=True, text=True
    ).stdout
    return [name for name in re.findall(r"!v/(\S+)", listed) if not LEFT_OUT.fullmatch(name)]


def _energies(clips: Sequence[Signal]) -> Energies:
    front = LogMel(RATE, bands=40)
    made = (front(torch.from_numpy(clip).float()[None])[0] for clip in clips)
    return [energies.clamp(min=-4) for energies in made]


def write() -> None:
    """Write the table: a line of JSON that says whose sounds follow, then the sounds."""
    said = {name: [say(name, word, "en-us") for word in WORDS] for name in set(_variants())}
    split = split_of(families({name: _energies(clips) for name, clips in said.items()}))
    test = sorted(name for name, where in split.items() if where == "test")
    rows = [(split[name], name, said[name]) for name in sorted(split)]
    for name in fixed_order(test, str)[:SCOTS]:
        clips = [say(name, word, "en-gb-scotland") for word in WORDS]
        rows.append(("accent", f"{name}, Scottish", clips))
    head = [[where, name, [len(clip) for clip in clips]] for where, name, clips in rows]
    size = write_sounds(
        TABLE, head, (compress(clip).tobytes() for _, _, clips in rows for clip in clips)
    )
    print(f"{len(rows)} voices, {size:,} bytes; {split}")


if __name__ == "__main__":
    write()
