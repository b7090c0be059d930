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
    """An encoder with a masked-language-model head, whose last projection is its token table.

    The head of a `Bert` or `ModernBert` is set up by its config. Any other encoder, such as
    `TextEncoder`, gets a head with GELU; it is called with `padding_mask=` and `mask=`, as far as
    they are given, and returns `(B, S, D)`.

    Args:
        embedding: the token table `(V, D)`. Where not given, `encoder.embeddings.token` or
            `encoder.embedding.token`.

    Shapes: see `forward`. State-dict keys: `encoder.*` and `head.*`.

    Raises:
        TypeError: an encoder without such a table, and no `embedding`.

    >>> import torch
    >>> from encoder_core.models.text_encoder import TextEncoder
    >>> model = MaskedLM(TextEncoder(20, 8, nhead=2, num_layers=1))
    >>> model(torch.tensor([[5, 6, 0]])).shape
    torch.Size([1, 3, 20])
    """

    def __init__(self, encoder: nn.Module, embedding: nn.Embedding | None = None) -> None:
        super().__init__()
        self.encoder = encoder
        table = _token_table(encoder) if embedding is None else embedding
        if isinstance(encoder, ModernBert):
            modern = encoder.config
            self.head = MaskedLMHead(
                table,
                modern.head_activation,
                modern.layer_norm_eps,
                modern.head_bias,
                modern.norm_bias,
                modern.output_bias,
            )
        elif isinstance(encoder, Bert):
            bert = encoder.config
            activation = bert.head_activation or bert.activation
            self.head = MaskedLMHead(table, activation, bert.layer_norm_eps)
        else:
            self.head = MaskedLMHead(table)

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
        named = {"type_ids": type_ids, "padding_mask": padding_mask, "mask": mask}
        given = {name: value for name, value in named.items() if value is not None}
        hidden = self.encoder(ids, **given)  # (B, S, D)
        if where is not None:
            hidden = hidden[where]  # (N, D)
        logits: Tensor = self.head(hidden)
        return logits


def _token_table(encoder: nn.Module) -> nn.Embedding:
    """Find an encoder's token table where this package's encoders have it."""
    for name in ("embeddings", "embedding"):
        table = getattr(getattr(encoder, name, None), "token", None)
        if isinstance(table, nn.Embedding):
            return table
    raise TypeError(
        f"{type(encoder).__name__} has no token table in encoder.embeddings.token or "
        "encoder.embedding.token. Pass its nn.Embedding: MaskedLM(encoder, embedding=...)."
    )
