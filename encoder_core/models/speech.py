"""A speech encoder: log-mel frames, strided convolutions, Transformer layers, a CTC head.

CTC needs no decoder: each frame predicts a letter or a blank, and the loss sums over all
alignments of the text to the frames.

Sources: Graves et al. 2006, "Connectionist Temporal Classification", sections 3 and 4; Dong et al.
2018, "Speech-Transformer", section 3 (strided convolutions before the encoder); Radford et al.
2022, "Whisper", section 2.2.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from encoder_core.encoder import TransformerEncoderLayer
from encoder_core.masks import padding_mask
from encoder_core.models.fresh import LayerMaker, fresh_encoder
from encoder_core.models.log_mel import LogMel
from encoder_core.models.position_choice import read_positions

__all__ = ["SpeechEncoder", "ctc_collapse", "ctc_loss"]


def ctc_collapse(ids: list[int], blank: int = 0) -> list[int]:
    """Turn the ids of the frames into a text: merge repeats, then drop blanks.

    Source: Graves et al. 2006, section 3.1 (the map B).

    >>> ctc_collapse([3, 3, 0, 3, 4, 4, 0], blank=0)
    [3, 3, 4]
    """
    kept = [id for i, id in enumerate(ids) if i == 0 or id != ids[i - 1]]
    return [id for id in kept if id != blank]


def ctc_loss(
    logits: Tensor, frames: Tensor, targets: Tensor, target_lengths: Tensor, blank: int = 0
) -> Tensor:
    """Return the CTC loss, a scalar: the negative log-probability of the texts over all alignments.

    `logits` is `(B, N, V)`, of which `frames` `(B,)` are real in each row; `targets` is `(B, T)`
    without blanks, of which `target_lengths` `(B,)` are real. Each text's loss is divided by its
    length, then averaged over the batch. A text too long for its frames has infinite loss and counts
    as 0.

    Source: Graves et al. 2006, section 4, equations 8 and 12.

    >>> logits = torch.zeros(1, 2, 3)  # 3 equally likely ids in each of 2 frames
    >>> loss = ctc_loss(logits, torch.tensor([2]), torch.tensor([[1]]), torch.tensor([1]))
    >>> round(loss.exp().item(), 4)  # "1" is 1 1, 1 blank or blank 1: 3 of 9 alignments
    3.0
    """
    wide = torch.promote_types(logits.dtype, torch.float32)  # F.ctc_loss has no half precision
    scores = logits.log_softmax(dim=-1, dtype=wide).transpose(0, 1)  # (N, B, V)
    return F.ctc_loss(scores, targets, frames, target_lengths, blank, zero_infinity=True)


class SpeechEncoder(nn.Module):
    """Log-mel frames, two convolutions, a pre-norm encoder and a CTC head.

    Signals `(B, samples)` and their lengths `(B,)` to logits `(B, N', V)` and lengths `(B,)`. The
    convolutions shorten the sequence fourfold, from 10 to 40 ms per step: attention is quadratic in it.

    Args:
        vocab_size: V, which counts the blank.
        dim_feedforward: F; 4 D by default.
        front_end: maps signals to `(B, N, bands)` and has `size`, `bands` and `lengths`, as
            `LogMel` does.
        max_length: rows of the table of learned positions; 1500 steps are 60 seconds.
        positions: see `position_choice`.
        position_std: of learned positions at the start.
        layer: makes a layer; see `fresh_encoder`.

    >>> model = SpeechEncoder(vocab_size=30, d_model=16, nhead=2)
    >>> logits, lengths = model(torch.randn(2, 16000), torch.tensor([16000, 8000]))
    >>> logits.shape, lengths.tolist()
    (torch.Size([2, 25, 30]), [25, 12])
    """

    def __init__(
        self,
        vocab_size: int,
        d_model: int,
        nhead: int,
        num_layers: int = 2,
        dim_feedforward: int | None = None,
        *,
        front_end: LogMel | None = None,
        dropout: float = 0.1,
        max_length: int = 1500,
        positions: str = "sinusoidal",
        position_std: float = 0.5,
        layer: LayerMaker = TransformerEncoderLayer,
    ) -> None:
        super().__init__()
        self.front_end = front_end or LogMel()
        self.norm = nn.LayerNorm(self.front_end.bands)
        self.conv1 = nn.Conv1d(self.front_end.bands, d_model, kernel_size=3, stride=2, padding=1)
        self.conv2 = nn.Conv1d(d_model, d_model, kernel_size=3, stride=2, padding=1)
        self.positions = read_positions(positions).make_added(d_model, max_length, position_std)
        self.dropout = nn.Dropout(dropout)
        self.encoder = fresh_encoder(
            num_layers, d_model, nhead, dim_feedforward or 4 * d_model, dropout,
            positions=positions, layer=layer,
        )  # fmt: skip
        self.classifier = nn.Linear(d_model, vocab_size)

    def forward(self, signal: Tensor, samples: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return logits `(B, N', V)` and the number of real steps in each row, `(B,)`.

        `signal` is `(B, samples)`, between -1 and 1, padded on the right with anything; `samples` `(B,)`
        counts the real ones, all by default. Padding does not change the real steps. Raises ValueError
        if the signals are shorter than one frame.
        """
        if signal.shape[1] < self.front_end.size:
            raise ValueError(
                f"A signal must have at least one frame of {self.front_end.size} samples; got "
                f"{signal.shape[1]}. Pad it, and pass the number of real samples as `samples`."
            )
        if samples is None:
            samples = signal.new_full((signal.shape[0],), signal.shape[1]).long()
        return self.read(self.front_end(signal), self.front_end.lengths(samples))

    def read(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return what `forward` does, of the frames `(B, N, bands)` and the number of real ones `(B,)`."""
        x = self.norm(x)  # (B, N, M)
        for conv in (self.conv1, self.conv2):
            # A convolution reads its neighbours: zero the padding, as beyond the edge.
            x = x.masked_fill(padding_mask(lengths, x.shape[1])[..., None], 0)  # (B, N, D)
            x = F.gelu(conv(x.transpose(1, 2))).transpose(1, 2)  # (B, N / 2, D)
            lengths = (lengths + 1) // 2
        blocked = padding_mask(lengths, x.shape[1])  # (B, N')
        if self.positions is not None:
            x = self.positions(x)
        hidden = self.encoder(self.dropout(x), src_key_padding_mask=blocked)
        return self.classifier(hidden), lengths
