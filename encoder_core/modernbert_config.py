"""The settings of a ModernBERT.

Source: Warner et al. 2024, "Smarter, Better, Faster, Longer: A Modern Bidirectional Encoder".
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ModernBertConfig"]


@dataclass(frozen=True)
class ModernBertConfig:
    """The settings of a `ModernBert`; the defaults are those of ModernBERT-base.

    Args:
        vocab_size: V, rows of the token table.
        d_model: D, the size of every token's vector.
        nhead: H, heads in each layer; D must be divisible by it.
        dim_feedforward: F, the width of the gate.
        windows: one entry a layer: how far a token sees to each side, or None for all the text.
        max_length: the longest input that it was trained with; nothing breaks beyond.
        padding_idx: the id of padding.
        global_base: the rotary base of layers that see all the text.
        local_base: the rotary base of layers with a window.
        activation: of the gate.
        head_activation: of the masked-language-model head.
        layer_norm_eps: added to the variance in every normalisation.
        norm_bias: whether normalisations have biases.
        attention_bias: whether attention's projections have biases.
        feed_forward_bias: whether the feed-forward network has biases.
        head_bias: whether the dense layer of the masked-language-model head has a bias.
        output_bias: whether that head adds a bias for each token of the vocabulary.
        embedding_dropout: on the embeddings.
        attention_dropout: on the attention weights and on what attention adds.
        feed_forward_dropout: on the gated product.
        std: standard deviation of the initial weights.

    Source: Warner et al. 2024, section 2.1 and table 4.

    >>> ModernBertConfig().windows[:4]
    (None, 64, 64, None)
    """

    vocab_size: int = 50368
    d_model: int = 768
    nhead: int = 12
    dim_feedforward: int = 1152
    windows: tuple[int | None, ...] = tuple(64 if i % 3 else None for i in range(22))
    max_length: int = 8192
    padding_idx: int = 50283
    global_base: float = 160000.0
    local_base: float = 10000.0
    activation: str = "gelu"
    head_activation: str = "gelu"
    layer_norm_eps: float = 1e-5
    norm_bias: bool = False
    attention_bias: bool = False
    feed_forward_bias: bool = False
    head_bias: bool = False
    output_bias: bool = True
    embedding_dropout: float = 0.0
    attention_dropout: float = 0.0
    feed_forward_dropout: float = 0.0
    std: float = 0.02
