"""Batches of joined digits, each row as if another person spoke.

49 voices are few. So each row changes its voice before the model hears it:

- *pitch*: the sound is played faster or slower, which moves all frequencies (precomputed, at seven pitches);
- *vocal tract*: the frequency axis of the spectra is stretched, which moves the formants alone;
- *tempo*: frames are left out or repeated, with a mean of neighbours between them;
- *microphone*: a smooth curve over the bands, the same for all frames;
- *masks*: some bands and some frames are hidden.

Words are joined as energies: adding pauses to spectra costs less than making spectra of joined sounds.

Sources: Jaitly and Hinton 2013, "Vocal Tract Length Perturbation (VTLP) improves speech recognition",
section 3; Ko et al. 2015, "Audio Augmentation for Speech Recognition" (speed); Park et al. 2019,
"SpecAugment", section 2 (masks).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from course.content.vision_and_speech.experiments.speech.front import EvenLogMel, Frame
from course.content.vision_and_speech.experiments.speech.model import BANDS
from course.datasets.spoken_digits.build import resample
from course.datasets.spoken_digits.card import RATE
from course.datasets.spoken_digits.corpus import PAUSE, load
from encoder_core.models.log_mel import hertz_to_mel, mel_to_hertz, triangles

__all__ = ["CHANGED", "PLAIN", "Changes", "Rows", "Speaker", "collate", "speakers"]

_BEND = 3000.0  # Hz, above which the stretched axis bends back to half the rate
_STRETCHES = 21  # different ones
_GAPS = 0.1  # within an utterance the tempo changes so much from word to word


@dataclass(frozen=True)
class Changes:
    """How much a row differs from the recorded voices.

    Attributes:
        pitches: factors of the frequencies, of which each row has one.
        stretch: of the frequency axis: at most a factor exp(stretch), up or down.
        tempo: at most a factor exp(tempo).
        tilt: of the curve over the bands, in powers of ten.
        bands, frames: how many are hidden at most, twice.
        room: frames of a row at most.
        lengths: words of a row, from and to.
    """

    pitches: tuple[float, ...] = (0.7, 0.8, 0.9, 1.0, 1.12, 1.25, 1.45)
    stretch: float = 0.2
    tempo: float = 0.3
    tilt: float = 0.5
    bands: int = 6
    frames: int = 8
    room: int = 220
    lengths: tuple[int, int] = (1, 5)


CHANGED = Changes()
PLAIN = Changes(pitches=(1.0,), stretch=0.0, tempo=0.0, tilt=0.0, bands=0, frames=0)


class Speaker(NamedTuple):
    """A voice at a pitch: who speaks a row."""

    voice: int
    pitch: int


class Rows(NamedTuple):
    """A batch: frames `(B, N, bands)`, how many are real `(B,)`, words joined `(T,)`, words of each `(B,)`."""

    frames: Tensor
    lengths: Tensor
    words: Tensor
    counts: Tensor


@dataclass(frozen=True)
class Table:
    """The spectra `(F, K)` of all words one after the other; where each begins, and how many frames it has.

    `first` and `count` are `(pitches, voices, 10)`.
    """

    spectra: Tensor
    first: NDArray[np.int64]
    count: NDArray[np.int64]


@functools.lru_cache(maxsize=2)
def table(pitches: tuple[float, ...], frame: Frame | None = None) -> Table:
    """Compute the spectra of the training voices at each pitch."""
    data = load()
    front = EvenLogMel(RATE, BANDS, frame=frame)
    edge = front.size // 2
    signals = [data.signal(example) for example in data.train]  # voice by voice, zero to nine
    spectra = []
    for pitch in pitches:
        for signal in signals:
            if pitch != 1:
                slower = resample(signal.double().numpy(), RATE, round(RATE / pitch))
                signal = torch.from_numpy(slower).float()
            spectra.append(front.power(F.pad(signal, (edge, edge))[None])[0])  # (N, K)
    count = np.array([len(each) for each in spectra]).reshape(len(pitches), -1, 10)
    first = np.cumsum(count).reshape(count.shape) - count
    return Table(torch.cat(spectra), first, count)


def speakers(changes: Changes = CHANGED) -> tuple[Speaker, ...]:
    """Return every voice of training at every pitch."""
    voices = len(load().train) // 10
    return tuple(Speaker(v, p) for p in range(len(changes.pitches)) for v in range(voices))


def collate(
    chosen: Sequence[Speaker], changes: Changes = CHANGED, frame: Frame | None = None
) -> Rows:
    """Let each speaker say some digits; all that is random follows torch's generator."""
    draw = np.random.default_rng(int(torch.randint(2**62, ())))
    known = table(changes.pitches, frame)
    said = [_say(known, speaker, changes, draw) for speaker in chosen]
    lengths = torch.tensor([len(places) for places, _ in said])
    places = np.full((len(said), int(lengths.max())), -1.0)
    for row, (own, _) in zip(places, said, strict=True):
        row[: len(own)] = own
    spectra = _between(known.spectra, torch.from_numpy(places))  # (B, N, K)
    energy = spectra @ _stretched(changes.stretch)[draw.integers(_STRETCHES, size=len(said))]
    energy = _microphone(energy, changes.tilt, draw)  # (B, N, bands)
    frames = _hide(EvenLogMel(RATE, BANDS).even(energy, lengths), lengths, changes, draw)
    words = torch.tensor([word + 1 for _, digits in said for word in digits])
    return Rows(frames, lengths, words, torch.tensor([len(digits) for _, digits in said]))


def _say(
    known: Table, speaker: Speaker, changes: Changes, draw: np.random.Generator
) -> tuple[NDArray[np.float64], list[int]]:
    """Draw digits while there is room: places in the table, between two frames or -1 in a pause; the digits."""
    places: list[NDArray[np.float64]] = []
    digits: list[int] = []
    tempo, total = draw.uniform(-changes.tempo, changes.tempo), 0
    for digit in draw.integers(10, size=draw.integers(changes.lengths[0], changes.lengths[1] + 1)):
        at = speaker.pitch, speaker.voice, digit
        own = tempo + draw.uniform(-_GAPS, _GAPS) * bool(changes.tempo)
        count = max(4, round(known.count[at] * math.exp(own)))
        pause = int(draw.uniform(*PAUSE) * 100)  # frames
        total += pause + count
        if digits and total > changes.room:
            break
        word = known.first[at] + np.linspace(0, known.count[at] - 1, count)
        places += [np.full(pause, -1.0), word]
        digits.append(int(digit))
    return np.concatenate(places), digits


def _between(spectra: Tensor, places: Tensor) -> Tensor:
    """Read a table `(F, K)` at places `(B, N)` between its rows; 0 at -1."""
    below = places.clamp(min=0).long()
    share = (places.clamp(min=0) - below).float()[..., None]  # (B, N, 1)
    above = (below + 1).clamp(max=len(spectra) - 1)
    found = torch.lerp(spectra[below], spectra[above], share)  # (B, N, K)
    return found.masked_fill((places < 0)[..., None], 0)


@functools.lru_cache(maxsize=4)
def _stretched(most: float) -> Tensor:
    """Make the mel filters `(21, K, bands)` of vocal tracts from short to long."""
    front = EvenLogMel(RATE, BANDS)
    top = hertz_to_mel(torch.tensor(RATE / 2, dtype=torch.float64))
    edges = mel_to_hertz(torch.linspace(0, 1, BANDS + 2, dtype=torch.float64) * top)  # (bands + 2,)
    filters = []
    for factor in torch.linspace(-most, most, _STRETCHES).exp().tolist():
        bend = _BEND / max(factor, 1.0)
        slope = (RATE / 2 - factor * bend) / (RATE / 2 - bend)  # so that the top stays where it is
        moved = torch.where(edges <= bend, factor * edges, factor * bend + slope * (edges - bend))
        filters.append(triangles(moved, front.size, RATE).float())
    return torch.stack(filters)


def _microphone(energy: Tensor, tilt: float, draw: np.random.Generator) -> Tensor:
    """Give each row a smooth curve over the bands: a sum of four cosines, `tilt` powers of ten in size."""
    waves = torch.arange(1, 5)[:, None] * (torch.arange(BANDS) + 0.5) * math.pi / BANDS
    sizes = draw.standard_normal((len(energy), 4)) * [1.0, 0.7, 0.5, 0.4] * tilt
    curve = torch.from_numpy(sizes).float() @ waves.cos()  # (B, bands)
    return energy * 10 ** curve[:, None]


def _hide(x: Tensor, lengths: Tensor, changes: Changes, draw: np.random.Generator) -> Tensor:
    """Set two runs of bands and two of frames to 0 in each row."""
    _, frames, bands = x.shape
    for most, axis, real in (
        (changes.bands, 2, torch.full_like(lengths, bands)),
        (changes.frames, 1, lengths),
    ):
        for _ in range(2 if most else 0):
            size = torch.from_numpy(draw.integers(0, most + 1, len(x)))
            start = torch.from_numpy(draw.random(len(x))) * (real - size)
            places = torch.arange(bands if axis == 2 else frames)
            hidden = (places >= start[:, None]) & (places < (start + size)[:, None])
            x = x.masked_fill(hidden.unsqueeze(3 - axis), 0)
    return x
