"""From vectors back to tokens with the embedding table itself: tied weights.

Sources: Press and Wolf 2017, "Using the Output Embedding to Improve Language Models", section 3;
Vaswani et al. 2017, "Attention Is All You Need", section 3.4.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["TiedProjection"]


class TiedProjection(nn.Module):
    """Scores for every token of the vocabulary, with the embedding table as the projection.

    The table gets gradients from both of its uses. In `nn.Embedding`, `padding_idx` stops only
    those of the lookup: through a tied projection the row of padding learns after all, and
    drifts away from zero. Here that row is held still in both uses; its logit stays what it was.

    Args:
        embedding: the table to share, `(V, D)`; it is not registered a second time, so the state
            dict holds it once, under the embedding's own key.
        bias: add a learned bias for each token, `(V,)`, initially zero.

    Shapes: `(..., D)` to `(..., V)`.

    Source: Press and Wolf 2017, section 3; Vaswani et al. 2017, section 3.4.

    >>> import torch
    >>> from encoder_core.embeddings import TokenEmbedding
    >>> table = TokenEmbedding(vocab_size=5, d_model=4, padding_idx=0)
    >>> logits = TiedProjection(table)(torch.ones(2, 4))
    >>> logits.shape
    torch.Size([2, 5])
    """

    bias: nn.Parameter | None

    def __init__(self, embedding: nn.Embedding, bias: bool = True) -> None:
        super().__init__()
        self._shared = (embedding,)  # in a tuple, so that it is not a submodule of this one too
        if bias:
            self.bias = nn.Parameter(embedding.weight.new_zeros(embedding.num_embeddings))
        else:
            self.register_parameter("bias", None)

    def forward(self, hidden: Tensor) -> Tensor:
        """Score `(..., D)` against every row of the table: `(..., V)`."""
        (embedding,) = self._shared
        logits = F.linear(hidden, embedding.weight, self.bias)  # (..., D) @ (D, V) -> (..., V)
        padding = embedding.padding_idx
        if padding is not None:
            still = hidden @ embedding.weight[padding].detach()  # (...)
            if self.bias is not None:
                still = still + self.bias[padding]
            logits[..., padding] = still
        return logits
