"""An encoder with a classifier on top: one label for the text, or one for each token.

Source: Devlin et al. 2019, "BERT", sections 4.1 and 5.3, figure 4 (a) and (d).
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from encoder_core.models.pooling import Pooling, pooling_function

__all__ = ["SequenceClassifier", "TokenClassifier"]


class SequenceClassifier(nn.Module):
    """One label for each text: encode, pool, drop, project.

    Args:
        encoder: called as `encoder(ids, padding_mask=..., **more)`, returns `(B, S, D)`:
            a `TextEncoder`, a `Bert`, or another.
        d_model: D.
        classes: how many labels there are.
        pooling: `"mean"`, `"first"` or `"max"`.
        dropout: on the pooled vector.

    Shapes: ids and padding mask `(B, S)` to logits `(B, classes)`.

    Raises:
        ValueError: an unknown pooling.

    Source: Devlin et al. 2019, section 4.1.

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
        """Score the labels for ids `(B, S)`: logits `(B, classes)`."""
        padding_mask = _find_padding(self.encoder, ids, padding_mask)
        hidden = self.encoder(ids, padding_mask=padding_mask, **more)  # (B, S, D)
        logits: Tensor = self.classifier(self.dropout(self.pool(hidden, padding_mask)))
        return logits  # (B, classes)


class TokenClassifier(nn.Module):
    """One label for each token: encode, drop, project.

    Train it with `F.cross_entropy(logits.flatten(0, 1), labels.flatten())`, with the label -100,
    which that function ignores, at padding and at every piece of a word but the first.

    Args:
        encoder: as in `SequenceClassifier`.
        d_model: D.
        classes: how many labels there are.
        dropout: on each token's vector.

    Shapes: ids and padding mask `(B, S)` to logits `(B, S, classes)`.

    Source: Devlin et al. 2019, section 5.3.

    >>> import torch
    >>> from encoder_core.models.text_encoder import TextEncoder
    >>> model = TokenClassifier(TextEncoder(20, 8, nhead=2, num_layers=1), 8, classes=3)
    >>> model(torch.tensor([[5, 6, 0], [7, 8, 9]])).shape
    torch.Size([2, 3, 3])
    """

    def __init__(
        self, encoder: nn.Module, d_model: int, classes: int, dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(d_model, classes)

    def forward(self, ids: Tensor, padding_mask: Tensor | None = None, **more: Any) -> Tensor:
        """Score the labels of every token of ids `(B, S)`: logits `(B, S, classes)`."""
        padding_mask = _find_padding(self.encoder, ids, padding_mask)
        hidden = self.encoder(ids, padding_mask=padding_mask, **more)  # (B, S, D)
        logits: Tensor = self.classifier(self.dropout(hidden))  # (B, S, classes)
        return logits


def _find_padding(encoder: nn.Module, ids: Tensor, padding_mask: Tensor | None) -> Tensor | None:
    """Use the encoder's own `padding_idx` where no mask came, so that pooling leaves it out too."""
    padding_idx = getattr(encoder, "padding_idx", None)
    return ids == padding_idx if padding_mask is None and padding_idx is not None else padding_mask
