"""The settings of an encoder of the BERT family.

Source: Devlin et al. 2019, "BERT: Pre-training of Deep Bidirectional Transformers".
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["BertConfig"]


@dataclass(frozen=True)
class BertConfig:
    """The settings of a `Bert`; the defaults are those of BERT-base.

    Args:
        vocab_size: V, rows of the token table.
        d_model: D, the size of every token's vector.
        nhead: H, heads in each layer; D must be divisible by it.
        num_layers: layers.
        dim_feedforward: F, the width inside of the feed-forward networks.
        max_length: the longest input, in tokens.
        segments: kinds of segment; 0 for none (DistilBERT).
        padding_idx: the id of padding.
        positions_after_padding: count positions from `padding_idx + 1` (RoBERTa).
        dropout: on the embeddings and on what each sublayer adds.
        attention_dropout: on the attention weights.
        activation: of the feed-forward networks, `"gelu"` or `"relu"`.
        head_activation: of the masked-language-model head; None is `activation`. RoBERTa's head is
            GELU whatever its networks have.
        layer_norm_eps: added to the variance in every normalisation.
        pooler: whether there is a projection of the first token (see `Bert.pool`).
        std: standard deviation of the initial weights.

    Source: Devlin et al. 2019, section 3 (BERT-base) and appendix A.2 (dropout, activation).

    >>> BertConfig(d_model=384, dim_feedforward=1536, num_layers=6).nhead
    12
    """

    vocab_size: int = 30522
    d_model: int = 768
    nhead: int = 12
    num_layers: int = 12
    dim_feedforward: int = 3072
    max_length: int = 512
    segments: int = 2
    padding_idx: int = 0
    positions_after_padding: bool = False
    dropout: float = 0.1
    attention_dropout: float = 0.1
    activation: str = "gelu"
    layer_norm_eps: float = 1e-12
    pooler: bool = False
    std: float = 0.02
    head_activation: str | None = None
