"""The front end: log-mel energies without what differs from recording to recording.

Two recordings of a word differ in loudness, and in what the microphone and the room let through: a
factor for each band, the same in all frames. In a logarithm a factor is a term, so the mean over the
frames takes it out.

Source: Atal 1974, "Effectiveness of Linear Prediction Characteristics of the Speech Wave for Automatic
Speaker Identification and Verification" (the mean over time taken out, of cepstra).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from encoder_core.masks import padding_mask
from encoder_core.models.log_mel import LogMel, frame

__all__ = ["EvenLogMel"]

Frame = Callable[[Tensor, int, int], Tensor]

QUIET = 4.0  # powers of ten below the loudest energy, under which all is silence
LOUD = 2.0  # frames whose loudest band is so near to the loudest energy are speech


class EvenLogMel(LogMel):
    """`LogMel`, and `even`, which takes loudness and tone out of whole utterances.

    Args:
        rate: samples per second.
        bands: number of mel bands.
        frame: cuts signals into frames, such as the learner's; `encoder_core`'s if None.
    """

    def __init__(self, rate: int, bands: int, *, frame: Frame | None = None) -> None:
        super().__init__(rate, bands)
        self.cut = frame

    def power(self, signal: Tensor) -> Tensor:
        """Return power spectra `(B, N, size // 2 + 1)` of signals `(B, samples)`."""
        frames = (self.cut or frame)(signal, self.size, self.hop)  # (B, N, size)
        spectra: Tensor = torch.fft.rfft(frames * self.window, dim=-1)  # (B, N, K), complex
        return spectra.abs().square()

    def energies(self, signal: Tensor) -> Tensor:
        """Return the energies `(B, N, bands)` of signals `(B, samples)`, without the logarithm."""
        return self.power(signal) @ self.filters

    def even(self, energy: Tensor, lengths: Tensor) -> Tensor:
        """Return log10 energies `(B, N, bands)`, in each utterance and band 0 in the mean over its speech.

        `energy` is `(B, N, bands)`, of which `lengths` `(B,)` frames are real.
        """
        x = torch.log10(energy.clamp(min=self.floor))
        padding = padding_mask(lengths, x.shape[1])[..., None]  # (B, N, 1)
        top = x.masked_fill(padding, -20.0).amax(dim=(1, 2), keepdim=True)  # (B, 1, 1)
        x = torch.maximum(x, top - QUIET)
        speech = (x.amax(dim=-1, keepdim=True) > top - LOUD) & ~padding  # (B, N, 1)
        total = (x * speech).sum(dim=1, keepdim=True)  # (B, 1, bands)
        return x - total / speech.sum(dim=1, keepdim=True).clamp(min=1)
