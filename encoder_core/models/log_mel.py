"""The front end of a speech encoder: overlapping frames, their power spectrum, log-mel bands.

Sources: Davis and Mermelstein 1980, "Comparison of Parametric Representations for Monosyllabic
Word Recognition", section II (mel bands); O'Shaughnessy 1987, "Speech Communication", p. 150 (the
formula 2595 log10(1 + f / 700)); Radford et al. 2022, "Whisper", section 2.2 (25 ms windows every
10 ms, 80 bands).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["LogMel", "frame", "hertz_to_mel", "mel_filters", "mel_to_hertz", "triangles"]


def frame(signal: Tensor, size: int, hop: int) -> Tensor:
    """Cut a signal `(..., samples)` into overlapping frames `(..., N, size)`, a view.

    Frames start `hop` samples apart. An incomplete last frame is dropped: a signal shorter than `size`
    has N = 0. Raises ValueError if `size` or `hop` is less than 1.

    >>> frame(torch.arange(7), size=4, hop=2).tolist()
    [[0, 1, 2, 3], [2, 3, 4, 5]]
    """
    if size < 1 or hop < 1:
        raise ValueError(f"size and hop must be at least 1; got {size} and {hop}.")
    if signal.shape[-1] < size:
        return signal.new_empty(*signal.shape[:-1], 0, size)
    return signal.unfold(-1, size, hop)  # (..., N, size)


def hertz_to_mel(hertz: Tensor) -> Tensor:
    """Convert Hz to mels, of the same shape; equal steps in mels sound equal.

    >>> hertz_to_mel(torch.tensor([0.0, 1000.0])).round()
    tensor([   0., 1000.])
    """
    return 2595 * torch.log10(1 + hertz / 700)


def mel_to_hertz(mel: Tensor) -> Tensor:
    """Convert mels to Hz, of the same shape."""
    return 700 * (10 ** (mel / 2595) - 1)


def mel_filters(bands: int, size: int, rate: int) -> Tensor:
    """Make triangular filters `(size // 2 + 1, bands)` from a power spectrum to mel bands.

    Each filter rises from the centre of the band below to 1 at its own centre, and falls to 0 at the
    centre of the band above. Centres are equally spaced in mels, from 0 Hz to half of `rate` (Hz).
    With too many bands for the frame `size` (samples), low filters fall between two bins and are all
    0: 4 of 128 at 400 samples and 16 kHz. In the default dtype.

    Source: Davis and Mermelstein 1980, figure 1.
    """
    top = hertz_to_mel(torch.tensor(rate / 2, dtype=torch.float64))
    edges = mel_to_hertz(torch.linspace(0, 1, bands + 2, dtype=torch.float64) * top)  # (M + 2,)
    return triangles(edges, size, rate).to(torch.get_default_dtype())


def triangles(edges: Tensor, size: int, rate: int) -> Tensor:
    """Make filters `(size // 2 + 1, M)` that rise and fall between M + 2 `edges` in Hz, with 1 at each centre.

    Source: Davis and Mermelstein 1980, figure 1.
    """
    bins = torch.linspace(0, rate / 2, size // 2 + 1, dtype=torch.float64)[:, None]  # (K, 1)
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])  # (K, M)
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])  # (K, M)
    return torch.minimum(rising, falling).clamp(min=0)  # (K, M)


class LogMel(nn.Module):
    """Log10 energies in mel bands: signals `(B, samples)` to `(B, N, bands)`. No parameters.

    Args:
        rate: samples per second.
        bands: number of mel bands.
        size: samples in a frame; 25 ms by default.
        hop: samples between the starts of frames; 10 ms by default.
        floor: lower bound of the energy, so that silence has a logarithm.

    >>> LogMel(rate=16000)(torch.randn(2, 16000)).shape
    torch.Size([2, 98, 80])
    """

    window: Tensor
    filters: Tensor

    def __init__(
        self,
        rate: int = 16000,
        bands: int = 80,
        size: int | None = None,
        hop: int | None = None,
        floor: float = 1e-10,
    ) -> None:
        super().__init__()
        self.size, self.hop = size or rate * 25 // 1000, hop or rate // 100
        self.bands, self.floor = bands, floor
        # Rebuilt with the module, so not in its state dict.
        self.register_buffer("window", torch.hann_window(self.size), persistent=False)
        self.register_buffer("filters", mel_filters(bands, self.size, rate), persistent=False)

    def lengths(self, samples: Tensor) -> Tensor:
        """Return the number of whole frames for lengths in samples, `(B,)` to `(B,)`."""
        return ((samples - self.size) // self.hop + 1).clamp(min=0)

    def power(self, signal: Tensor) -> Tensor:
        """Return power spectra `(B, N, size // 2 + 1)` of signals `(B, samples)`, at least float32."""
        # float16 has too little range, and no FFT on the CPU.
        wide = torch.promote_types(signal.dtype, torch.float32)
        frames = frame(signal, self.size, self.hop) * self.window.to(wide)  # (B, N, size)
        if not frames.numel():  # too short for a frame; some transforms refuse an empty input
            return frames.new_empty(*frames.shape[:-1], self.size // 2 + 1)  # (B, 0, K)
        power: Tensor = torch.fft.rfft(frames, dim=-1).abs().square()  # (B, N, K)
        return power

    def forward(self, signal: Tensor) -> Tensor:
        """Return log10 energies `(B, N, bands)` of signals `(B, samples)`, in the signals' dtype."""
        power = self.power(signal)
        energy = (power @ self.filters.to(power.dtype)).clamp(min=self.floor)  # (B, N, M)
        return torch.log10(energy).to(signal.dtype)
