"""Families of checkpoints: how Hugging Face's settings and names map to this package's.

A family is a pair of functions: from `config.json` to our settings, and from a checkpoint's
weights to our names. Nothing here computes anything.

Source: the `transformers` library, `modeling_bert.py` and its siblings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from encoder_core.bert_config import BertConfig
from encoder_core.checkpoints import CheckpointError, rename_weights, stack_projections

__all__ = ["bert_config", "bert_weights"]

State = dict[str, Tensor]

# What any checkpoint may hold that is no weight: tables that only number the positions.
_NO_WEIGHTS = re.compile(r"(^|\.)position_ids$")

_OLD_KEYS = [(r"\bgamma$", "weight"), (r"\bbeta$", "bias")]

_BERT_NAMES = [
    *_OLD_KEYS,
    (r"^bert\.", ""),
    (r"^embeddings\.word_embeddings\.", "embeddings.token."),
    (r"^embeddings\.position_embeddings\.", "embeddings.position."),
    (r"^embeddings\.token_type_embeddings\.", "embeddings.segment."),
    (r"^embeddings\.LayerNorm\.", "embeddings.norm."),
    (r"^encoder\.layer\.", "layers."),
    (r"\.attention\.self\.", ".self_attn."),
    (r"\.attention\.output\.dense\.", ".self_attn.out_proj."),
    (r"\.attention\.output\.LayerNorm\.", ".norm1."),
    (r"\.intermediate\.dense\.", ".linear1."),
    (r"\.output\.dense\.", ".linear2."),
    (r"\.output\.LayerNorm\.", ".norm2."),
    (r"^pooler\.dense\.", "pooler."),
]


def bert_config(settings: Mapping[str, Any], weights: Mapping[str, Tensor]) -> BertConfig:
    """Read BERT's `config.json`.

    Args:
        settings: its content.
        weights: the checkpoint, under our names; it tells whether there is a pooler.

    Returns:
        Our settings.

    Raises:
        CheckpointError: a setting that this package does not compute.

    >>> bert_config({"hidden_size": 384, "num_hidden_layers": 6}, {}).d_model
    384
    """
    kind = settings.get("position_embedding_type", "absolute")
    if kind != "absolute":
        raise CheckpointError(
            f"Positions of the kind {kind!r} are not known here; only 'absolute'."
        )
    return BertConfig(
        vocab_size=settings.get("vocab_size", 30522),
        d_model=settings.get("hidden_size", 768),
        nhead=settings.get("num_attention_heads", 12),
        num_layers=settings.get("num_hidden_layers", 12),
        dim_feedforward=settings.get("intermediate_size", 3072),
        max_length=settings.get("max_position_embeddings", 512),
        segments=settings.get("type_vocab_size", 2),
        padding_idx=settings.get("pad_token_id", 0),
        dropout=settings.get("hidden_dropout_prob", 0.1),
        attention_dropout=settings.get("attention_probs_dropout_prob", 0.1),
        activation=settings.get("hidden_act", "gelu"),
        layer_norm_eps=settings.get("layer_norm_eps", 1e-12),
        std=settings.get("initializer_range", 0.02),
        pooler="pooler.weight" in weights,
    )


def bert_weights(state: Mapping[str, Tensor]) -> State:
    """Give a BERT checkpoint's weights our names, query, key and value stacked.

    Args:
        state: the checkpoint as it was read.

    Returns:
        The same weights; what only numbers the positions is left out.

    >>> import torch
    >>> list(bert_weights({"bert.encoder.layer.0.output.LayerNorm.gamma": torch.ones(2)}))
    ['layers.0.norm2.weight']
    """
    kept = {name: tensor for name, tensor in state.items() if not _NO_WEIGHTS.search(name)}
    return stack_projections(rename_weights(kept, _BERT_NAMES))
