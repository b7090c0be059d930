"""The encoder on speech: log-mel frames, shortened by convolution, and CTC on top.

CTC lets an encoder alone write: it gives every frame a letter or a blank, and all ways of
stretching a text over the frames are summed in the loss.

Sources: Graves et al. 2006, "Connectionist Temporal Classification", sections 3 and 4; Dong et al.
2018, "Speech-Transformer", section 3 (strided convolutions before the encoder); Radford et al.
2022, "Whisper", section 2.2.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from encoder_core.masks import padding_mask
from encoder_core.models.log_mel import LogMel
from encoder_core.models.text_encoder import fresh_encoder
from encoder_core.positions import SinusoidalPositions

__all__ = ["SpeechEncoder", "ctc_collapse", "ctc_loss"]


def ctc_collapse(ids: list[int], blank: int = 0) -> list[int]:
    """Read a text off its frames: merge repeats, then drop blanks.

    Args:
        ids: one id for each frame.
        blank: the id that stands for nothing, and keeps double letters apart.

    Returns:
        The text's ids.

    Source: Graves et al. 2006, section 3.1 (the map B).

    >>> ctc_collapse([3, 3, 0, 3, 4, 4, 0], blank=0)
    [3, 3, 4]
    """
    kept = [id for place, id in enumerate(ids) if place == 0 or id != ids[place - 1]]
    return [id for id in kept if id != blank]


def ctc_loss(
    logits: Tensor, frames: Tensor, targets: Tensor, target_lengths: Tensor, blank: int = 0
) -> Tensor:
    """Sum over all ways to stretch each text over its frames; the negative logarithm of that.

    Args:
        logits: `(B, N, V)`.
        frames: `(B,)` integers, how many frames of each row are real.
        targets: `(B, T)` ids, none of them `blank`, padded with anything.
        target_lengths: `(B,)` integers, how many ids of each row are real.
        blank: the id that stands for nothing.

    Returns:
        The mean over the batch of the loss divided by the text's length. A text that does not fit
        into its frames has no finite loss and counts 0.

    Source: Graves et al. 2006, section 4, equations 8 and 12.

    >>> import torch
    >>> logits = torch.zeros(1, 2, 3)  # each of 3 ids equally likely in each of 2 frames
    >>> loss = ctc_loss(logits, torch.tensor([2]), torch.tensor([[1]]), torch.tensor([1]))
    >>> round(loss.exp().item(), 4)  # "1" can be 1 1, 1 blank or blank 1: 3 of 9 ways
    3.0
    """
    scores = logits.float().log_softmax(dim=-1).transpose(0, 1)  # (N, B, V), as F.ctc_loss wants
    return F.ctc_loss(scores, targets, frames, target_lengths, blank, zero_infinity=True)


class SpeechEncoder(nn.Module):
    """Log-mel frames, two convolutions, a pre-norm encoder, and logits for CTC.

    The convolutions shorten the sequence fourfold, from 10 to 40 ms a step, since attention costs
    the square of the length.

    Args:
        vocab_size: V, the blank included.
        d_model: D.
        nhead: H, a divisor of D.
        num_layers: how many layers, each initialised by itself.
        dim_feedforward: F; four times D where not given.
        front_end: turns signals into `(B, N, bands)`, with `.bands` and `.lengths`.
        dropout: on the embedded frames and in every layer.

    Shapes: signals `(B, samples)` and their lengths `(B,)` in samples to logits `(B, N', V)` and
    lengths `(B,)` in steps.

    Raises:
        ValueError: what the parts raise.

    Source: Dong et al. 2018, section 3; Graves et al. 2006, section 3.

    >>> import torch
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
    ) -> None:
        super().__init__()
        self.front_end = front_end or LogMel()
        self.norm = nn.LayerNorm(self.front_end.bands)
        self.conv1 = nn.Conv1d(self.front_end.bands, d_model, kernel_size=3, stride=2, padding=1)
        self.conv2 = nn.Conv1d(d_model, d_model, kernel_size=3, stride=2, padding=1)
        self.positions = SinusoidalPositions(d_model)
        self.dropout = nn.Dropout(dropout)
        self.encoder = fresh_encoder(
            num_layers, d_model, nhead, dim_feedforward or 4 * d_model, dropout
        )
        self.classifier = nn.Linear(d_model, vocab_size)

    def forward(self, signal: Tensor, samples: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Transcribe signals `(B, samples)`.

        Args:
            signal: `(B, samples)`, between -1 and 1, padded on the right with anything.
            samples: `(B,)` integers, how many samples of each are real; all where not given.

        Returns:
            Logits `(B, N', V)`, and how many steps of each row are real, `(B,)`. What is padding
            changes nothing in the real ones.

        Raises:
            ValueError: the signals are shorter than one frame.
        """
        if signal.shape[1] < self.front_end.size:
            raise ValueError(
                f"A signal must have at least one frame of {self.front_end.size} samples; got "
                f"{signal.shape[1]}. Pad it, and say in `samples` how many are real."
            )
        if samples is None:
            samples = signal.new_full((signal.shape[0],), signal.shape[1]).long()
        lengths = self.front_end.lengths(samples)  # (B,)
        x = self.norm(self.front_end(signal))  # (B, N, M)
        for conv in (self.conv1, self.conv2):
            # A convolution sees its neighbours: padding is set to zero, as beyond the edge.
            x = x.masked_fill(padding_mask(lengths, x.shape[1])[..., None], 0)  # (B, N, D)
            x = F.gelu(conv(x.transpose(1, 2))).transpose(1, 2)  # (B, N / 2, D)
            lengths = (lengths + 1) // 2
        blocked = padding_mask(lengths, x.shape[1])  # (B, N')
        hidden = self.encoder(self.dropout(self.positions(x)), src_key_padding_mask=blocked)
        return self.classifier(hidden), lengths
