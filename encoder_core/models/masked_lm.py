"""Filling in blanks: the head that BERT is pretrained with, on top of any encoder by name.

Source: Devlin et al. 2019, section 3.1, task 1 (masked LM), and the code published with it
(`get_masked_lm_output`, the transform before the output); Press and Wolf 2017 (tied weights).
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from encoder_core.activations import activation_function
from encoder_core.models.bert import Bert
from encoder_core.models.modernbert import ModernBert
from encoder_core.tied import TiedProjection

__all__ = ["MaskedLM", "MaskedLMHead"]


class MaskedLMHead(nn.Module):
    """From hidden states to scores of every token of the vocabulary.

    Dense, activation, normalisation, and then the embedding table `(V, D)` itself as the last
    projection: it is shared, not copied.

    Shapes: `(..., D)` to `(..., V)`. State-dict keys: `dense.weight`, `dense.bias`, `norm.weight`,
    `norm.bias`, `output.bias`; not the table.
    """

    def __init__(
        self,
        embedding: nn.Embedding,
        activation: str = "gelu",
        layer_norm_eps: float = 1e-12,
        bias: bool = True,
        norm_bias: bool = True,
        output_bias: bool = True,
    ) -> None:
        super().__init__()
        d_model = embedding.embedding_dim
        at: dict[str, Any] = {"device": embedding.weight.device, "dtype": embedding.weight.dtype}
        self.dense = nn.Linear(d_model, d_model, bias=bias, **at)
        self.activation = activation_function(activation)
        self.norm = nn.LayerNorm(d_model, eps=layer_norm_eps, bias=norm_bias, **at)
        self.output = TiedProjection(embedding, bias=output_bias)
        nn.init.normal_(self.dense.weight, std=0.02)
        if bias:
            nn.init.zeros_(self.dense.bias)

    def forward(self, hidden: Tensor) -> Tensor:
        """Score `(..., D)` against the vocabulary: `(..., V)`."""
        scores: Tensor = self.output(self.norm(self.activation(self.dense(hidden))))
        return scores


class MaskedLM(nn.Module):
    """A `Bert` or `ModernBert` with its masked-language-model head, set up by its config.

    Shapes: see `forward`. State-dict keys: `encoder.*` and `head.*`.
    """

    def __init__(self, encoder: Bert | ModernBert) -> None:
        super().__init__()
        self.encoder = encoder
        if isinstance(encoder, ModernBert):
            modern = encoder.config
            self.head = MaskedLMHead(
                encoder.embeddings.token,
                modern.head_activation,
                modern.layer_norm_eps,
                modern.head_bias,
                modern.norm_bias,
                modern.output_bias,
            )
        else:
            bert = encoder.config
            self.head = MaskedLMHead(
                encoder.embeddings.token,
                bert.head_activation or bert.activation,
                bert.layer_norm_eps,
            )

    def forward(
        self,
        ids: Tensor,
        type_ids: Tensor | None = None,
        padding_mask: Tensor | None = None,
        mask: Tensor | None = None,
        *,
        where: Tensor | None = None,
    ) -> Tensor:
        """Score every token of the vocabulary at every place, or only where it matters.

        Args:
            ids: `(B, S)` int64, with `[MASK]` at the blanks. The masks are those of the encoder.
            where: `(B, S)` bool: compute only at these N places; the projection to the vocabulary
                is the most expensive part of all, and training needs it at one place in seven.

        Returns:
            Logits `(B, S, V)`, or `(N, V)` with `where`.
        """
        hidden = self.encoder(ids, type_ids, padding_mask, mask)  # (B, S, D)
        if where is not None:
            hidden = hidden[where]  # (N, D)
        logits: Tensor = self.head(hidden)
        return logits
