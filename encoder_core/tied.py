"""From vectors back to tokens with the embedding table itself: tied weights.

Sources: Press and Wolf 2017, "Using the Output Embedding to Improve Language Models", section 3;
Vaswani et al. 2017, "Attention Is All You Need", section 3.4.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["TiedProjection"]


class TiedProjection(nn.Module):
    """Scores `(..., V)` for every token of the vocabulary, by the embedding table `(V, D)` itself.

    The table gets gradients from both of its uses. In `nn.Embedding`, `padding_idx` stops only
    those of the lookup: through a tied projection the row of padding would learn, and drift away
    from zero. Here that row is held still in both uses; its logit stays what it was.

    The table is not registered a second time: the state dict holds it once, under the embedding's
    own key. `bias` adds a learned number for each token, `(V,)`, initially zero.
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
        # In two axes: of a product in three, torch makes a view, and after the assignment below
        # a hook on such a view crashes the process (torch 2.13).
        rows = hidden.reshape(-1, hidden.shape[-1])  # (N, D)
        logits = F.linear(rows, embedding.weight, self.bias)  # (N, D) @ (D, V) -> (N, V)
        padding = embedding.padding_idx
        if padding is not None:
            still = rows @ embedding.weight[padding].detach()  # (N,)
            if self.bias is not None:
                still = still + self.bias[padding]
            logits[:, padding] = still
        return (
            logits if hidden.dim() == 2 else logits.view(*hidden.shape[:-1], len(embedding.weight))
        )  # (..., V)
