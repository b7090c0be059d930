"""Whisper: a speech encoder and a decoder that writes what was said. The article's pair, on sound.

The encoder reads 30 seconds as 3,000 frames of 80 mel bands; two convolutions halve them to 1,500 places. The
decoder is that of every encoder-decoder: a look at what is written, a look at the memory, a feed-forward network.

Source: Radford et al. 2022, "Robust Speech Recognition via Large-Scale Weak Supervision", section 2.2, and the code
published with it (the scaling of the log-mel energies, the bands by Slaney's formula).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from encoder_core.cache import KeyValueCache
from encoder_core.decoder import TransformerDecoder, TransformerDecoderLayer
from encoder_core.encoder import TransformerEncoder, TransformerEncoderLayer
from encoder_core.models.log_mel import frame, triangles

__all__ = ["Whisper", "WhisperConfig", "slaney_filters", "whisper_log_mel"]

RATE, SECONDS = 16_000, 30  # samples a second; what the encoder reads at once
_SIZE, _HOP = 400, 160  # samples of a frame, and between two
_BREAK = 1000.0  # Hz, below which Slaney's scale is linear
_STEP = math.log(6.4)  # from there to 6,400 Hz, in 27 steps


@dataclass(frozen=True)
class WhisperConfig:
    """The settings of a `Whisper`; the defaults are those of tiny.en."""

    vocab_size: int = 51_864  # V
    bands: int = 80
    d_model: int = 384  # D
    nhead: int = 6  # H
    num_layers: int = 4  # on each side
    max_frames: int = 1500  # places of the encoder
    max_length: int = 448  # tokens of the decoder


class Whisper(nn.Module):
    """Log-mel energies `(B, bands, N)` and written tokens `(B, T)` to logits `(B, T, V)`.

    The last projection is the decoder's token table. It has `encode`, `step` and `empty_cache` as `EncoderDecoder`
    has them, so that `generate_beam` and the like take it.

    >>> model = Whisper(WhisperConfig(vocab_size=20, bands=8, d_model=16, nhead=2, num_layers=1, max_frames=10))
    >>> memory, padding = model.encode(torch.randn(1, 8, 20))
    >>> memory.shape, model(torch.randn(1, 8, 20), torch.tensor([[3, 5]])).shape
    (torch.Size([1, 10, 16]), torch.Size([1, 2, 20]))
    """

    def __init__(self, config: WhisperConfig) -> None:
        super().__init__()
        self.config = config
        width, inner = config.d_model, 4 * config.d_model
        self.conv1 = nn.Conv1d(config.bands, width, kernel_size=3, padding=1)
        self.conv2 = nn.Conv1d(width, width, kernel_size=3, stride=2, padding=1)
        self.frame_positions = nn.Parameter(torch.zeros(config.max_frames, width))
        encoder_layer = TransformerEncoderLayer(
            width, config.nhead, inner, dropout=0.0, activation="gelu", norm_first=True
        )
        self.encoder = TransformerEncoder(encoder_layer, config.num_layers, nn.LayerNorm(width))
        self.embedding = nn.Embedding(config.vocab_size, width)
        self.token_positions = nn.Parameter(torch.zeros(config.max_length, width))
        decoder_layer = TransformerDecoderLayer(
            width, config.nhead, inner, dropout=0.0, activation="gelu", norm_first=True
        )
        self.decoder = TransformerDecoder(decoder_layer, config.num_layers, nn.LayerNorm(width))

    def embed(self, mel: Tensor) -> Tensor:
        """Return what goes into the encoder's first layer, `(B, N / 2, D)`."""
        x = F.gelu(self.conv1(mel))  # (B, D, N)
        x = F.gelu(self.conv2(x)).transpose(1, 2)  # (B, N / 2, D)
        return x + self.frame_positions[: x.shape[1]]

    def encode(self, mel: Tensor) -> tuple[Tensor, Tensor]:
        """Return the memory `(B, N / 2, D)`, and a mask `(B, N / 2)` that blocks none of it."""
        memory = self.encoder(self.embed(mel))
        return memory, torch.zeros(memory.shape[:2], dtype=torch.bool, device=memory.device)

    def forward(self, mel: Tensor, tokens: Tensor) -> Tensor:
        """Return the logits `(B, T, V)` of the token after each of `tokens` `(B, T)`."""
        memory, _ = self.encode(mel)
        x = self.embedding(tokens) + self.token_positions[: tokens.shape[1]]  # (B, T, D)
        return self._project(self.decoder(x, memory, tgt_is_causal=True))

    def empty_cache(self) -> KeyValueCache:
        """Return an empty cache for `step`."""
        return KeyValueCache.empty(self.config.num_layers)

    def step(
        self, tokens: Tensor, memory: Tensor, padding_mask: Tensor, cache: KeyValueCache
    ) -> Tensor:
        """Return the logits `(B, L, V)` after each of L new tokens, and add these to the cache."""
        start = cache.length
        x = self.embedding(tokens) + self.token_positions[start : start + tokens.shape[1]]
        return self._project(self.decoder.step(x, memory, cache))

    def _project(self, hidden: Tensor) -> Tensor:
        return F.linear(hidden, self.embedding.weight)  # (B, T, D) @ (D, V)


def slaney_filters(bands: int, size: int, rate: int) -> Tensor:
    """Make triangular filters `(size // 2 + 1, bands)`, each of the same area.

    Their centres are evenly spaced on a scale that is linear up to 1,000 Hz and logarithmic above.

    Source: Slaney 1998, "Auditory Toolbox", as `librosa.filters.mel` has it by default.
    """
    top = _to_mel(torch.tensor(rate / 2, dtype=torch.float64))
    edges = _to_hertz(torch.linspace(0, 1, bands + 2, dtype=torch.float64) * top)  # (M + 2,)
    area = 2 / (edges[2:] - edges[:-2])  # (M,)
    return (triangles(edges, size, rate) * area).float()


def _to_mel(hertz: Tensor) -> Tensor:
    above = 15 + 27 * torch.log(hertz.clamp(min=_BREAK) / _BREAK) / _STEP
    return torch.where(hertz < _BREAK, hertz * 3 / 200, above)


def _to_hertz(mel: Tensor) -> Tensor:
    above = _BREAK * torch.exp((mel - 15) * _STEP / 27)
    return torch.where(mel < 15, mel * 200 / 3, above)


def whisper_log_mel(signal: Tensor, bands: int = 80) -> Tensor:
    """Return the energies that Whisper reads, `(B, bands, 3000)`, of signals `(B, samples)` at 16 kHz.

    A signal is filled up with silence to 30 seconds, or cut there. Energies are logarithms to base 10; what is more
    than 8 below the loudest is raised to that, and the whole is brought near -1 to 1.
    """
    wanted = RATE * SECONDS
    signal = F.pad(signal.float(), (0, max(0, wanted - signal.shape[-1])))[..., :wanted]
    padded = F.pad(signal[:, None], (_SIZE // 2, _SIZE // 2), mode="reflect")[:, 0]
    frames = frame(padded, _SIZE, _HOP)[:, :-1] * torch.hann_window(_SIZE)  # (B, 3000, 400)
    power = torch.fft.rfft(frames, dim=-1).abs().square()  # (B, 3000, 201)
    energies = (power @ slaney_filters(bands, _SIZE, RATE)).clamp(min=1e-10).log10()
    loudest = energies.amax(dim=(1, 2), keepdim=True)
    scaled: Tensor = (torch.maximum(energies, loudest - 8) + 4) / 4
    return scaled.transpose(1, 2)  # (B, bands, 3000)
