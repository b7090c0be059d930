"""How the checkpoints of each family name their settings and weights.

`gamma` and `beta`, the names of a LayerNorm's weights in old checkpoints, and a prefix with the
model's name are understood.

Source: the `transformers` library, `modeling_bert.py`, `modeling_roberta.py`,
`modeling_distilbert.py` and `modeling_modernbert.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from encoder_core.models.bert import BertConfig
from encoder_core.models.modernbert import ModernBertConfig
from encoder_core.pretrained.checkpoints import CheckpointError
from encoder_core.pretrained.config_fields import Fields

__all__ = ["FAMILIES", "Family", "family_of"]

Settings = Mapping[str, Any]
Rules = list[tuple[str, str]]


@dataclass(frozen=True)
class Family:
    """How to read the checkpoints of one family.

    Args:
        config: converts a `config.json` to this package's config.
        names: rules for `checkpoints.rename_weights` that rename the encoder's weights.
        head: rules that rename the masked-language-model head's weights to `head.*`.
        other_heads: pattern of the weights of other pretraining heads, which are ignored.

    >>> FAMILIES["bert"].config({"hidden_size": 384}).d_model
    384
    """

    config: Callable[[Settings], BertConfig | ModernBertConfig]
    names: Rules
    head: Rules
    other_heads: str = r"^cls\.seq_relationship\."


# transformers' names of activations, and ours. `gelu_python` is exact too; the approximations
# (`gelu_new`, `gelu_fast`, `quick_gelu` ...) are other functions and refused.
_ACTIVATIONS = {
    "gelu": "gelu",
    "gelu_python": "gelu",
    "relu": "relu",
    "silu": "silu",
    "swish": "silu",
}


def _bert_config(settings: Settings) -> BertConfig:
    fields = Fields(settings)
    return _read_bert(fields, vocab_size=30522, padding_idx=0)


def _roberta_config(settings: Settings) -> BertConfig:
    return _read_roberta(settings, vocab_size=50265)


def _xlm_roberta_config(settings: Settings) -> BertConfig:
    return _read_roberta(settings, vocab_size=30522)


def _read_roberta(settings: Settings, vocab_size: int) -> BertConfig:
    """Read RoBERTa's settings: the first rows of its position table belong to padding."""
    fields = Fields(settings)
    config = _read_bert(fields, vocab_size, padding_idx=1)
    length = config.max_length - config.padding_idx - 1
    if length < 1:
        raise fields.wrong("max_position_embeddings", "more than pad_token_id + 1")
    return replace(config, max_length=length, positions_after_padding=True, head_activation="gelu")


def _read_bert(fields: Fields, vocab_size: int, padding_idx: int) -> BertConfig:
    vocab_size = fields.whole("vocab_size", vocab_size)
    config = BertConfig(
        vocab_size=vocab_size,
        d_model=fields.whole("hidden_size", 768),
        nhead=fields.whole("num_attention_heads", 12),
        num_layers=fields.whole("num_hidden_layers", 12, least=0),
        dim_feedforward=fields.whole("intermediate_size", 3072),
        max_length=fields.whole("max_position_embeddings", 512),
        segments=fields.whole("type_vocab_size", 2),
        padding_idx=fields.whole("pad_token_id", padding_idx, 0, vocab_size - 1),
        dropout=fields.number("hidden_dropout_prob", 0.1, most=1),
        attention_dropout=fields.number("attention_probs_dropout_prob", 0.1, most=1),
        activation=fields.one_of("hidden_act", "gelu", _ACTIVATIONS),
        layer_norm_eps=fields.number("layer_norm_eps", 1e-12),
        std=fields.number("initializer_range", 0.02),
    )
    _check_heads(fields, "num_attention_heads", config.d_model, config.nhead)
    _finish(fields)
    return config


def _distilbert_config(settings: Settings) -> BertConfig:
    fields = Fields(settings)
    vocab_size = fields.whole("vocab_size", 30522)
    config = BertConfig(
        vocab_size=vocab_size,
        d_model=_read_either(fields, "dim", "hidden_size", 768),
        nhead=_read_either(fields, "n_heads", "num_attention_heads", 12),
        num_layers=_read_either(fields, "n_layers", "num_hidden_layers", 6, least=0),
        dim_feedforward=fields.whole("hidden_dim", 3072),
        max_length=fields.whole("max_position_embeddings", 512),
        segments=0,
        padding_idx=fields.whole("pad_token_id", 0, 0, vocab_size - 1),
        dropout=fields.number("dropout", 0.1, most=1),
        attention_dropout=fields.number("attention_dropout", 0.1, most=1),
        activation=fields.one_of("activation", "gelu", _ACTIVATIONS),
        std=fields.number("initializer_range", 0.02),
    )
    _check_heads(fields, "n_heads", config.d_model, config.nhead)
    _finish(fields)
    return config


def _read_either(fields: Fields, name: str, other: str, default: int, least: int = 1) -> int:
    """Read a field that has two names in transformers; if both are given they must agree."""
    value = fields.whole(name, default, least)
    if fields.get(other) is None:
        return value
    if fields.get(name) is None:
        return fields.whole(other, default, least)
    if fields.get(other) != value:
        raise fields.wrong(other, f"{value}, as {name} is")
    return value


def _rotary_base(fields: Fields, kind: str, old: str, default: float) -> float:
    """Read a rotary base; older checkpoints store it in the field `old`."""
    parameters = fields.get("rope_parameters")
    base = fields.number(old, default)
    if parameters is None:
        return base
    known = ("full_attention", "sliding_attention")
    if not isinstance(parameters, Mapping) or not set(parameters) <= set(known):
        raise fields.wrong("rope_parameters", f"an object of {' and '.join(known)}")
    block = parameters.get(kind)
    if block is None:
        return base
    inner = Fields(block, f"{fields.source}: rope_parameters: {kind}")
    inner.one_of("type", "default", {"default": "default"})
    inner.one_of("rope_type", "default", {"default": "default"})
    base = inner.number("rope_theta", base)
    if not set(block) <= inner.read:
        raise fields.wrong("rope_parameters", "rope_type and rope_theta alone")
    return base


def _layer_kinds(fields: Fields) -> list[str]:
    """Return for each layer `"full_attention"` or `"sliding_attention"`."""
    layers = fields.whole("num_hidden_layers", 22, least=0, most=10_000)
    every = fields.whole("global_attn_every_n_layers", 3)
    kinds = fields.get("layer_types")
    if kinds is None:
        return ["sliding_attention" if i % every else "full_attention" for i in range(layers)]
    if not isinstance(kinds, list) or len(kinds) != layers:
        raise fields.wrong("layer_types", f"a list of {layers}, one for each of num_hidden_layers")
    for kind in kinds:
        if kind not in ("full_attention", "sliding_attention"):
            raise fields.wrong("layer_types", "of full_attention and sliding_attention")
    return kinds


def _modernbert_config(settings: Settings) -> ModernBertConfig:
    fields = Fields(settings)
    kinds = _layer_kinds(fields)
    window = fields.whole("local_attention", 128, least=2) // 2
    if fields.get("sliding_window") not in (None, window):
        raise fields.wrong("sliding_window", f"half of local_attention, {window}")
    vocab_size = fields.whole("vocab_size", 50368)
    config = ModernBertConfig(
        vocab_size=vocab_size,
        d_model=fields.whole("hidden_size", 768),
        nhead=fields.whole("num_attention_heads", 12),
        dim_feedforward=fields.whole("intermediate_size", 1152),
        windows=tuple(window if kind == "sliding_attention" else None for kind in kinds),
        max_length=fields.whole("max_position_embeddings", 8192),
        padding_idx=fields.whole("pad_token_id", 50283, 0, vocab_size - 1),
        global_base=_rotary_base(fields, "full_attention", "global_rope_theta", 160000.0),
        local_base=_rotary_base(fields, "sliding_attention", "local_rope_theta", 10000.0),
        activation=fields.one_of("hidden_activation", "gelu", _ACTIVATIONS),
        head_activation=fields.one_of("classifier_activation", "gelu", _ACTIVATIONS),
        layer_norm_eps=fields.number("norm_eps", 1e-5),
        norm_bias=fields.flag("norm_bias", False),
        attention_bias=fields.flag("attention_bias", False),
        feed_forward_bias=fields.flag("mlp_bias", False),
        head_bias=fields.flag("classifier_bias", False),
        output_bias=fields.flag("decoder_bias", True),
        embedding_dropout=fields.number("embedding_dropout", 0.0, most=1),
        attention_dropout=fields.number("attention_dropout", 0.0, most=1),
        feed_forward_dropout=fields.number("mlp_dropout", 0.0, most=1),
        std=fields.number("initializer_range", 0.02),
    )
    _check_heads(fields, "num_attention_heads", config.d_model, config.nhead, even=True)
    _finish(fields, read_by_none=("layer_norm_eps", "hidden_act"))
    return config


def _check_heads(fields: Fields, name: str, d_model: int, nhead: int, even: bool = False) -> None:
    """Require that the heads divide the width, into even parts with rotary positions."""
    if d_model % nhead or (even and d_model // nhead % 2):
        raise fields.wrong(name, f"a divisor of the width, {d_model}" + ", into even parts" * even)
    if fields.get("head_dim") not in (None, d_model // nhead):
        raise fields.wrong("head_dim", f"{d_model // nhead}, the width divided by the heads")
    if fields.get("embedding_size") not in (None, d_model):
        raise fields.wrong("embedding_size", f"{d_model}, the width of all layers")


# Prefixes of the classes in `architectures`.
_CLASSES = {
    "bert": ("Bert",),
    "roberta": ("Roberta", "XLMRoberta"),
    "xlm-roberta": ("XLMRoberta", "Roberta"),
    "distilbert": ("DistilBert",),
    "modernbert": ("ModernBert",),
}


def _finish(fields: Fields, read_by_none: tuple[str, ...] = ()) -> None:
    """Check `model_type`, `architectures` and `auto_map`, then the fields that no family reads."""
    kind = fields.get("model_type")
    named = fields.get("architectures") or []
    if not isinstance(named, list) or not all(isinstance(name, str) for name in named):
        raise fields.wrong("architectures", "a list of names of classes")
    begins = _CLASSES.get(kind, ())
    if begins and not all(name.startswith(begins) for name in named):
        raise fields.wrong("architectures", f"of {kind}: names that begin with {begins[0]}")
    code = fields.get("auto_map") or {}
    if not isinstance(code, Mapping) or {"AutoModel", "AutoModelForMaskedLM"} & set(code):
        raise fields.wrong("auto_map", "without a model: code in a checkpoint is not run")
    fields.flag("tie_word_embeddings", True)
    for name in read_by_none:
        fields.get(name)
    fields.finish()


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
    "xlm-roberta": Family(_xlm_roberta_config, _BERT, _ROBERTA_HEAD),
    "distilbert": Family(_distilbert_config, _DISTILBERT, _DISTILBERT_HEAD),
    "modernbert": Family(_modernbert_config, _MODERNBERT, _MODERNBERT_HEAD),
}


def family_of(settings: Settings) -> Family:
    """Return the family of a `config.json`.

    Raises CheckpointError for an unknown `model_type`, or if `settings` is not an object.
    """
    name = Fields(settings).get("model_type")
    if not isinstance(name, str) or name not in FAMILIES:
        known = ", ".join(FAMILIES)
        raise CheckpointError(f"Unknown model type {name!r:.80}; known are {known}.")
    return FAMILIES[name]
