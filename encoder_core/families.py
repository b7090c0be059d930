"""Families of checkpoints: how Hugging Face's settings and names map to this package's.

A family tells how to read `config.json` and how the weights are called. Nothing here computes
anything. Old checkpoints call a normalisation's weights `gamma` and `beta`, and many put the name
of the model before every weight; both are understood.

Source: the `transformers` library, `modeling_bert.py`, `modeling_roberta.py`,
`modeling_distilbert.py` and `modeling_modernbert.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from encoder_core.bert_config import BertConfig
from encoder_core.checkpoints import CheckpointError
from encoder_core.modernbert_config import ModernBertConfig

__all__ = ["FAMILIES", "Family", "family_of"]

Settings = Mapping[str, Any]
Rules = list[tuple[str, str]]


@dataclass(frozen=True)
class Family:
    """How the checkpoints of one family are read.

    Args:
        config: makes our settings of theirs.
        names: rules that rename an encoder's weights, for `checkpoints.rename_weights`.
        head: rules that rename the masked-language-model head's weights to `head.*`.
        other_heads: a pattern of weights of other pretraining heads, which are left out.

    >>> FAMILIES["bert"].config({"hidden_size": 384}).d_model
    384
    """

    config: Callable[[Settings], BertConfig | ModernBertConfig]
    names: Rules
    head: Rules
    other_heads: str = r"^cls\.seq_relationship\."


def _bert_config(settings: Settings) -> BertConfig:
    kind = settings.get("position_embedding_type", "absolute")
    if kind != "absolute":
        raise CheckpointError(f"Positions of kind {kind!r} are not computed here, only 'absolute'.")
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
    )


def _roberta_config(settings: Settings) -> BertConfig:
    """Read RoBERTa's: its position table begins with rows that no real token uses."""
    padding_idx = settings.get("pad_token_id", 1)
    rows = settings.get("max_position_embeddings", 514)
    base = {"vocab_size": 50265, "layer_norm_eps": 1e-5, **settings, "pad_token_id": padding_idx}
    config = _bert_config({**base, "max_position_embeddings": rows - padding_idx - 1})
    return BertConfig(**{**vars(config), "positions_after_padding": True})


def _distilbert_config(settings: Settings) -> BertConfig:
    return BertConfig(
        vocab_size=settings.get("vocab_size", 30522),
        d_model=settings.get("dim", 768),
        nhead=settings.get("n_heads", 12),
        num_layers=settings.get("n_layers", 6),
        dim_feedforward=settings.get("hidden_dim", 3072),
        max_length=settings.get("max_position_embeddings", 512),
        segments=0,
        padding_idx=settings.get("pad_token_id", 0),
        dropout=settings.get("dropout", 0.1),
        attention_dropout=settings.get("attention_dropout", 0.1),
        activation=settings.get("activation", "gelu"),
        std=settings.get("initializer_range", 0.02),
    )


def _rotary_base(settings: Settings, kind: str, old: str, default: float) -> float:
    """Read a rotary base, which older checkpoints keep under another key."""
    told = (settings.get("rope_parameters") or {}).get(kind) or {}
    if told.get("rope_type", "default") != "default":
        raise CheckpointError(f"Rotary positions of type {told['rope_type']!r} are not known here.")
    base: Any = told.get("rope_theta", settings.get(old, default))
    return float(base)


def _modernbert_config(settings: Settings) -> ModernBertConfig:
    every = settings.get("global_attn_every_n_layers", 3)
    layers = settings.get("num_hidden_layers", 22)
    kinds = settings.get("layer_types")
    if kinds is None:
        kinds = ["sliding_attention" if i % every else "full_attention" for i in range(layers)]
    return ModernBertConfig(
        vocab_size=settings.get("vocab_size", 50368),
        d_model=settings.get("hidden_size", 768),
        nhead=settings.get("num_attention_heads", 12),
        dim_feedforward=settings.get("intermediate_size", 1152),
        windows=tuple(
            settings.get("local_attention", 128) // 2 if kind == "sliding_attention" else None
            for kind in kinds
        ),
        max_length=settings.get("max_position_embeddings", 8192),
        padding_idx=settings.get("pad_token_id", 50283),
        global_base=_rotary_base(settings, "full_attention", "global_rope_theta", 160000.0),
        local_base=_rotary_base(settings, "sliding_attention", "local_rope_theta", 10000.0),
        activation=settings.get("hidden_activation", "gelu"),
        head_activation=settings.get("classifier_activation", "gelu"),
        layer_norm_eps=settings.get("norm_eps", 1e-5),
        norm_bias=settings.get("norm_bias", False),
        attention_bias=settings.get("attention_bias", False),
        feed_forward_bias=settings.get("mlp_bias", False),
        head_bias=settings.get("classifier_bias", False),
        output_bias=settings.get("decoder_bias", True),
        embedding_dropout=settings.get("embedding_dropout", 0.0),
        attention_dropout=settings.get("attention_dropout", 0.0),
        feed_forward_dropout=settings.get("mlp_dropout", 0.0),
        std=settings.get("initializer_range", 0.02),
    )


_OLD_KEYS: Rules = [(r"\bgamma$", "weight"), (r"\bbeta$", "bias")]

_BERT: Rules = [
    *_OLD_KEYS,
    (r"^(bert|roberta)\.", ""),
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

_DISTILBERT: Rules = [
    *_OLD_KEYS,
    (r"^distilbert\.", ""),
    (r"^embeddings\.word_embeddings\.", "embeddings.token."),
    (r"^embeddings\.position_embeddings\.", "embeddings.position."),
    (r"^embeddings\.LayerNorm\.", "embeddings.norm."),
    (r"^transformer\.layer\.", "layers."),
    (r"\.attention\.q_lin\.", ".self_attn.query."),
    (r"\.attention\.k_lin\.", ".self_attn.key."),
    (r"\.attention\.v_lin\.", ".self_attn.value."),
    (r"\.attention\.out_lin\.", ".self_attn.out_proj."),
    (r"\.sa_layer_norm\.", ".norm1."),
    (r"\.ffn\.lin(\d)\.", r".linear\1."),
    (r"\.output_layer_norm\.", ".norm2."),
]

_MODERNBERT: Rules = [
    (r"^model\.", ""),
    (r"^embeddings\.tok_embeddings\.", "embeddings.token."),
    (r"\.attn\.Wqkv\.(weight|bias)$", r".self_attn.in_proj_\1"),
    (r"\.attn\.Wo\.", ".self_attn.out_proj."),
    (r"\.attn_norm\.", ".norm1."),
    (r"\.mlp_norm\.", ".norm2."),
    (r"\.mlp\.Wi\.", ".feed_forward.linear1."),
    (r"\.mlp\.Wo\.", ".feed_forward.linear2."),
    (r"^final_norm\.", "norm."),
]

_BERT_HEAD: Rules = [
    (r"^cls\.predictions\.transform\.dense\.", "head.dense."),
    (r"^cls\.predictions\.transform\.LayerNorm\.", "head.norm."),
    (r"^cls\.predictions\.bias$", "head.output.bias"),
    (r"^cls\.predictions\.decoder\.", "head.decoder."),
]
_ROBERTA_HEAD: Rules = [
    (r"^lm_head\.layer_norm\.", "head.norm."),
    (r"^lm_head\.bias$", "head.output.bias"),
    (r"^lm_head\.", "head."),
]
_DISTILBERT_HEAD: Rules = [
    (r"^vocab_transform\.", "head.dense."),
    (r"^vocab_layer_norm\.", "head.norm."),
    (r"^vocab_projector\.bias$", "head.output.bias"),
    (r"^vocab_projector\.", "head.decoder."),
]
_MODERNBERT_HEAD: Rules = [
    (r"^decoder\.bias$", "head.output.bias"),
    (r"^decoder\.", "head.decoder."),
]

FAMILIES: dict[str, Family] = {
    "bert": Family(_bert_config, _BERT, _BERT_HEAD),
    "roberta": Family(_roberta_config, _BERT, _ROBERTA_HEAD),
    "xlm-roberta": Family(_roberta_config, _BERT, _ROBERTA_HEAD),
    "distilbert": Family(_distilbert_config, _DISTILBERT, _DISTILBERT_HEAD),
    "modernbert": Family(_modernbert_config, _MODERNBERT, _MODERNBERT_HEAD),
}


def family_of(settings: Settings) -> Family:
    """Find the family that a `config.json` names.

    Args:
        settings: its content.

    Returns:
        The family.

    Raises:
        CheckpointError: a family that this package does not compute.

    >>> family_of({"model_type": "bert"}) is FAMILIES["bert"]
    True
    """
    name = settings.get("model_type")
    if name not in FAMILIES:
        known = ", ".join(FAMILIES)
        raise CheckpointError(f"The model type {name!r} is not known here; known are {known}.")
    return FAMILIES[name]
