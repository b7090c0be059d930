"""An encoder with a linear classifier: one label per text, or one per token.

Source: Devlin et al. 2019, "BERT", sections 4.1 and 5.3, figure 4 (a) and (d).
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from encoder_core.models.pooling import Pooling, pooling_function

__all__ = ["SequenceClassifier", "TokenClassifier"]


class SequenceClassifier(nn.Module):
    """Classify each text: ids `(B, S)` to logits `(B, classes)`.

    `encoder` is called as `encoder(ids, padding_mask=..., **more)` and must return `(B, S, D)`, as
    `TextEncoder` and `Bert` do. Without a mask, ids equal to `encoder.padding_idx` are padding; a
    `Bert` has no such attribute, so pass the mask. Raises ValueError for an unknown `pooling`.

    >>> import torch
    >>> from encoder_core.models.text_encoder import TextEncoder
    >>> model = SequenceClassifier(TextEncoder(20, 8, nhead=2, num_layers=1), 8, classes=3)
    >>> model(torch.tensor([[5, 6, 0], [7, 8, 9]])).shape
    torch.Size([2, 3])
    """

    def __init__(
        self,
        encoder: nn.Module,
        d_model: int,
        classes: int,
        pooling: Pooling = "mean",
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.encoder, self.pool = encoder, pooling_function(pooling)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(d_model, classes)

    def forward(self, ids: Tensor, padding_mask: Tensor | None = None, **more: Any) -> Tensor:
        """Return logits `(B, classes)` for ids `(B, S)`."""
        padding_mask = _find_padding(self.encoder, ids, padding_mask)
        hidden = self.encoder(ids, padding_mask=padding_mask, **more)  # (B, S, D)
        logits: Tensor = self.classifier(self.dropout(self.pool(hidden, padding_mask)))
        return logits  # (B, classes)


class TokenClassifier(nn.Module):
    """Classify each token: ids `(B, S)` to logits `(B, S, classes)`.

    Train it with `F.cross_entropy(logits.flatten(0, 1), labels.flatten())`. Label padding, and every
    piece of a word but the first, with -100: `F.cross_entropy` ignores it.

    `encoder` is as in `SequenceClassifier`.
    """

    def __init__(
        self, encoder: nn.Module, d_model: int, classes: int, dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(d_model, classes)

    def forward(self, ids: Tensor, padding_mask: Tensor | None = None, **more: Any) -> Tensor:
        """Return logits `(B, S, classes)` for ids `(B, S)`."""
        padding_mask = _find_padding(self.encoder, ids, padding_mask)
        hidden = self.encoder(ids, padding_mask=padding_mask, **more)  # (B, S, D)
        logits: Tensor = self.classifier(self.dropout(hidden))  # (B, S, classes)
        return logits


def _find_padding(encoder: nn.Module, ids: Tensor, padding_mask: Tensor | None) -> Tensor | None:
    """Use the encoder's `padding_idx` if no mask is given, so that the pooling excludes padding too."""
    padding_idx = getattr(encoder, "padding_idx", None)
    return ids == padding_idx if padding_mask is None and padding_idx is not None else padding_mask
