"""The reader of digits: `encoder_core`'s speech encoder on an even front end, and a rival without attention."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from course.content.vision_and_speech.experiments.speech.front import EvenLogMel, Frame
from course.datasets.spoken_digits.card import RATE, WORDS
from encoder_core.models.speech import SpeechEncoder

__all__ = ["BANDS", "BLANK", "ConvLayer", "DigitReader"]

BANDS = 40
BLANK = 0  # the digit d is symbol d + 1
_WIDTH = 7  # steps that a layer of the rival reads at once: 280 ms


class DigitReader(SpeechEncoder):
    """Signals of spoken digits to logits over the blank and ten words.

    Args:
        frame: cuts signals into frames; `encoder_core`'s if None.
        layer: makes the encoder's layers; `encoder_core`'s if None.
    """

    front_end: EvenLogMel

    def __init__(
        self,
        *,
        frame: Frame | None = None,
        layer: Callable[..., nn.Module] | None = None,
        **sizes: Any,
    ) -> None:
        more: dict[str, Any] = {} if layer is None else {"layer": layer}
        front_end = EvenLogMel(RATE, BANDS, frame=frame)
        super().__init__(len(WORDS) + 1, front_end=front_end, **sizes, **more)
        self.norm = nn.Identity()  # type: ignore[assignment]  # `even` has done it

    def forward(self, signal: Tensor, samples: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return logits `(B, N', 11)` and the number of real steps `(B,)`, of signals `(B, samples)`."""
        if samples is None:
            samples = signal.new_full((signal.shape[0],), signal.shape[1]).long()
        lengths = self.front_end.lengths(samples)  # (B,)
        return self.read(self.front_end.even(self.front_end.energies(signal), lengths), lengths)


class ConvLayer(nn.Module):
    """What an encoder layer is without attention: each step reads its neighbours by a convolution.

    Called and built as an encoder layer, and of about its size: a residual block, `(B, N, D)` to the same.
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int,
        dropout: float = 0.0,
        norm_first: bool = True,
    ) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(d_model)
        self.conv = nn.Conv1d(d_model, d_model, _WIDTH, padding=_WIDTH // 2)
        self.linear = nn.Linear(d_model, d_model)

    def forward(
        self, x: Tensor, src_mask: Tensor | None = None, src_key_padding_mask: Tensor | None = None
    ) -> Tensor:
        """Return `(B, N, D)`; padding `(B, N)` is not read."""
        y: Tensor = self.norm(x)
        if src_key_padding_mask is not None:
            y = y.masked_fill(src_key_padding_mask[..., None], 0)
        y = self.conv(y.transpose(1, 2)).transpose(1, 2)  # (B, N, D)
        changed: Tensor = self.linear(F.gelu(y))
        return x + changed
