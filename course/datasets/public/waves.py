"""Read a WAV file's bytes at the course's rate, with the standard library's `wave`."""

from __future__ import annotations

import io
import wave

import numpy as np
from numpy.typing import NDArray

from course.datasets.spoken_digits.build import resample
from course.datasets.spoken_digits.card import RATE

__all__ = ["read_wav", "to_samples"]


def read_wav(content: bytes, rate: int = RATE) -> NDArray[np.float64]:
    """Return the signal of a WAV file, `(samples,)` between -1 and 1, its channels averaged, at `rate`.

    Raises ValueError if it is no WAV file of 8- or 16-bit samples; says what it is.
    """
    try:
        with wave.open(io.BytesIO(content)) as file:
            channels, width, own = file.getnchannels(), file.getsampwidth(), file.getframerate()
            frames = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise ValueError(f"no WAV file that can be read: {error or 'it ends too early'}") from error
    frames = frames[: len(frames) // (channels * width) * channels * width]  # whole frames alone
    if width == 2:
        signal = np.frombuffer(frames, "<i2") / 32768
    elif width == 1:  # unsigned, 128 is silence
        signal = (np.frombuffer(frames, np.uint8) - 128.0) / 128
    else:
        raise ValueError(f"a WAV file of {8 * width}-bit samples, where 8 or 16 were expected")
    mono: NDArray[np.float64] = signal.reshape(-1, channels).mean(axis=1)
    if not len(mono):
        raise ValueError("a WAV file without a single sample")
    return mono if own == rate else resample(mono, own, rate)


def to_samples(signal: NDArray[np.floating]) -> bytes:
    """Return a signal as 16-bit samples; what is beyond -1 or 1 is cut."""
    return np.round(32767 * signal.clip(-1, 1)).astype("<i2").tobytes()
