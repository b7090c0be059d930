"""From a recording and its changes to what the encoder reads in it, frame by frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from course.labs.faults import InvalidSetting
from course.labs.settings_lab import check_whole
from course.system.threads import one_thread
from encoder_core.inspect.recording import record
from encoder_core.models.modes import evaluating
from encoder_core.models.speech import ctc_collapse
from encoder_core.multihead import MultiheadAttention

__all__ = ["Clip", "Listener", "Result", "Run", "Selection", "Settings", "stretch"]

SLOWEST, FASTEST = 0.7, 1.4
QUIET = 40  # dB of signal over noise, from where on there is none
LOUDEST = -5  # dB: as much noise as there may be
LONGEST = 5.0  # seconds of a recording of the microphone
MOST = 12.0  # seconds that the encoder reads
NONE, SPOKEN = -1, -2  # as numbers of clips: no second one; the microphone
_SILENT = 1e-8

Floats = NDArray[np.float32]
Clip = tuple[str, Tensor, Sequence[str]]  # name, signal (samples,) between -1 and 1, the words said


@dataclass(frozen=True)
class Settings:
    """What is computed.

    Attributes:
        clip: the number of the clip, or `SPOKEN`.
        then: the number of a clip that follows it without a gap; `NONE` for no clip.
        speed: how many times as fast it is played, which raises the voice as well.
        noise: the signal's power over that of white noise, in dB; from `QUIET` on there is no noise.
        cut_from: where the silenced stretch begins, in seconds of what is heard.
        cut_to: where it ends; nothing is silenced if that is not later.
        take: which recording of the microphone this is: it grows with each.
    """

    clip: int = 0
    then: int = NONE
    speed: float = 1.0
    noise: int = QUIET
    cut_from: float = 0.0
    cut_to: float = 0.0
    take: int = 0


@dataclass(frozen=True)
class Selection:
    """Which frame of the encoder, layer and head are looked at."""

    frame: int = 0
    layer: int = 0
    head: int = 0


@dataclass(frozen=True)
class Run:
    """Frames in a row whose likeliest id is the same word.

    Attributes:
        word: its id.
        first: its first frame.
        last: its last frame.
        surest: the frame in which the word is likeliest, the first of several.
        probability: the word's there.
    """

    word: int
    first: int
    last: int
    surest: int
    probability: float


@dataclass(frozen=True)
class Result:
    """What is seen.

    Attributes:
        signal: `(samples,)`, what is heard.
        energies: `(N, bands)`, log10, a row every `hop` seconds.
        probabilities: `(F, V)`, of each id in each frame of the encoder.
        runs: the words of the best path.
        text: the ids that are read.
        said: the words that are said; empty where nobody knows them.
        attention: `(layers, H, F, F)`; None where the model has no `MultiheadAttention`.
        pitch: seconds between two frames of the encoder.
        seconds: how long it is.
        trimmed: whether more than `MOST` seconds were given.
    """

    signal: Floats
    energies: Floats
    probabilities: Floats
    runs: tuple[Run, ...]
    text: tuple[int, ...]
    said: tuple[str, ...]
    attention: Floats | None
    pitch: float
    seconds: float
    trimmed: bool

    def run_at(self, frame: int) -> int | None:
        """The number of the run that a frame belongs to; None for a blank."""
        for number, run in enumerate(self.runs):
            if run.first <= frame <= run.last:
                return number
        return None


class Listener:
    """A model, its clips and the recording of the microphone.

    Raises:
        ValueError: there is no clip, or a clip is no signal `(samples,)`.
    """

    def __init__(
        self, model: nn.Module, clips: Sequence[Clip], names: Sequence[str], blank: int, rate: int
    ) -> None:
        if not clips:
            raise ValueError("Give at least one clip: (name, signal, words).")
        for name, signal, _ in clips:
            if signal.dim() != 1:
                raise ValueError(
                    f"The clip {name!r} should be a signal (samples,); it is {tuple(signal.shape)}."
                )
        self.model, self.clips, self.names, self.blank, self.rate = (
            model, tuple(clips), tuple(names), blank, rate,
        )  # fmt: skip
        self._recordable = any(isinstance(each, MultiheadAttention) for each in model.modules())
        self.spoken: Tensor | None = None  # the last recording of the microphone, and it alone

    def word(self, number: int) -> str:
        """The word of an id."""
        return self.names[number] if number < len(self.names) else f"id {number}"

    # What is heard

    def check(self, asked: Settings) -> None:
        """Say in a sentence which setting is invalid.

        Raises:
            InvalidSetting: the first that is.
        """
        check_whole(asked, {"noise": (LOUDEST, QUIET, "Signal over noise")})
        for name in ("clip", "then"):
            number = getattr(asked, name)
            allowed = (SPOKEN,) if name == "clip" else (NONE,)
            if number not in allowed and not (
                isinstance(number, int) and 0 <= number < len(self.clips)
            ):
                raise InvalidSetting(
                    f"There is no clip {number}; there are 0 to {len(self.clips) - 1}."
                )
        if asked.clip == SPOKEN and self.spoken is None:
            raise InvalidSetting("There is no recording yet: press “Record”.")
        if not SLOWEST <= asked.speed <= FASTEST:
            raise InvalidSetting(f"The speed must be from {SLOWEST:g} to {FASTEST:g}.")
        for name in ("cut_from", "cut_to"):
            if not 0 <= getattr(asked, name) <= MOST:
                raise InvalidSetting(f"A cut lies between 0 and {MOST:g} s.")

    def heard(self, asked: Settings) -> tuple[Tensor, tuple[str, ...], bool]:
        """The signal after all changes, the words said, and whether it was too long."""
        signal, said = self._clip(asked.clip)
        if asked.then != NONE:
            other, more = self._clip(asked.then)
            signal, said = torch.cat([signal, other]), (*said, *more)
        signal = stretch(signal, asked.speed)
        most = round(MOST * self.rate)
        trimmed, signal = len(signal) > most, signal[:most]
        signal = _with_noise(signal, asked.noise)
        first, last = (round(at * self.rate) for at in (asked.cut_from, asked.cut_to))
        if last > first:
            signal = signal.clone()
            signal[first:last] = 0
        return signal, said, trimmed

    def _clip(self, number: int) -> tuple[Tensor, tuple[str, ...]]:
        if number == SPOKEN:
            assert self.spoken is not None
            return self.spoken, ()
        _, signal, said = self.clips[number]
        return signal.float(), tuple(said)

    # What is read

    @one_thread()
    @torch.inference_mode()
    def listen(self, asked: Settings) -> Result:
        """Make the changes and read what is left.

        Raises:
            InvalidSetting: a setting is invalid.
        """
        self.check(asked)
        signal, said, trimmed = self.heard(asked)
        front: Any = self.model.front_end
        if len(signal) < front.size:
            raise InvalidSetting("The recording is shorter than one frame.")
        logits, attention = self._read(signal)
        energies = front(signal[None])[0].numpy()
        probabilities = logits.softmax(dim=-1).numpy()
        best = probabilities.argmax(axis=-1).tolist()
        seconds = len(signal) / self.rate
        return Result(
            signal.numpy(), energies, probabilities, find_runs(best, probabilities, self.blank),
            tuple(ctc_collapse(best, self.blank)), said, attention,
            _pitch(len(energies), len(best), front.hop / self.rate), seconds, trimmed,
        )  # fmt: skip

    def _read(self, signal: Tensor) -> tuple[Tensor, Floats | None]:
        """The logits `(F, V)` and the attention `(layers, H, F, F)` of one signal."""
        samples = torch.tensor([len(signal)])
        with evaluating(self.model):
            if not self._recordable:
                logits, lengths = self.model(signal[None], samples)
                return logits[0, : int(lengths[0])].float(), None
            with record(self.model) as recording:
                logits, lengths = self.model(signal[None], samples)
        frames = int(lengths[0])
        maps = torch.stack([each[0, :, :frames, :frames].float() for each in recording.attention])
        return logits[0, :frames].float(), maps.numpy()


def stretch(signal: Tensor, speed: float) -> Tensor:
    """Play a signal `(samples,)` so many times as fast: fewer samples, and a higher voice.

    The spectrum is cut or filled with zeros, so that what is above half of the rate does not come back lower.

    >>> stretch(torch.zeros(8000), 0.8).shape
    torch.Size([10000])
    """
    count = round(len(signal) / speed)
    if count == len(signal) or not len(signal):
        return signal
    spectrum = torch.fft.rfft(signal)[: count // 2 + 1]
    stretched: Tensor = torch.fft.irfft(spectrum, n=count) * (count / len(signal))
    return stretched


def _with_noise(signal: Tensor, decibels: int) -> Tensor:
    """Add white noise, the same each time, of so many dB less power than the signal."""
    power = float(signal.square().mean()) if len(signal) else 0.0
    if decibels >= QUIET or power < _SILENT:
        return signal
    noise = torch.randn(len(signal), generator=torch.Generator().manual_seed(0))
    mixed: Tensor = (signal + noise * (power / 10 ** (decibels / 10)) ** 0.5).clamp(-1, 1)
    return mixed


def find_runs(best: Sequence[int], probabilities: Floats, blank: int) -> tuple[Run, ...]:
    """The words of a path `(F,)` with their frames, given `(F, V)`; what CTC merges is one run."""
    runs = []
    for word, frames in groupby(range(len(best)), key=lambda frame: best[frame]):
        own = list(frames)
        surest = max(own, key=lambda frame: probabilities[frame, word])
        runs.append(Run(word, own[0], own[-1], surest, float(probabilities[surest, word])))
    return tuple(run for run in runs if run.word != blank)


def _pitch(rows: int, frames: int, hop: float) -> float:
    """Seconds between two frames: the convolutions keep every second row, and every fourth, and so on."""
    shorter = 2 ** round(np.log2(max(1, rows) / max(1, frames)))
    return float(shorter * hop)
