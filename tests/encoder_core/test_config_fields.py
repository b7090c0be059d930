"""Every field that transformers writes into a config.json is honoured, harmless or refused.

The fields are those of the installed transformers' classes: a field that a later version adds fails here
until it is looked at.
"""

from __future__ import annotations

import dataclasses
import json
import math
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as T
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from encoder_core.models.bert import BertConfig
from encoder_core.pretrained import loading as L
from encoder_core.pretrained.checkpoints import CheckpointError
from encoder_core.pretrained.config_fields import DEMANDED, HARMLESS
from encoder_core.pretrained.families import FAMILIES, family_of
from tests.close import assert_close

BERT = {
    "vocab_size": 40,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 24,
    "max_position_embeddings": 30,
    "pad_token_id": 1,
}
SMALL: dict[str, dict[str, Any]] = {
    "bert": BERT,
    "roberta": BERT,
    "xlm-roberta": BERT,
    "distilbert": {
        "vocab_size": 40, "dim": 16, "n_layers": 2, "n_heads": 4, "hidden_dim": 24,
        "max_position_embeddings": 30, "pad_token_id": 1,
    },
    "modernbert": {
        **BERT, "num_hidden_layers": 3, "local_attention": 4, "bos_token_id": 0, "cls_token_id": 0,
        "eos_token_id": 2, "sep_token_id": 2,
        "layer_types": ["full_attention", "sliding_attention", "sliding_attention"],
    },
}  # fmt: skip
families = pytest.mark.parametrize("family", FAMILIES)

# One or several other values for every field. What they do is either the same here as there, or refused.
OTHERS: dict[str, list[Any]] = {
    "transformers_version": ["4.8.2"],
    "architectures": [["GPT2LMHeadModel"], ["SomethingElse"]],
    "output_hidden_states": [True],
    "output_attentions": [True],
    "return_dict": [False],
    "dtype": ["float32"],
    "chunk_size_feed_forward": [1],
    "is_encoder_decoder": [True],
    "id2label": [{"0": "A", "1": "B", "2": "C"}],
    "label2id": [{"A": 0, "B": 1, "C": 2}],
    "problem_type": ["regression"],
    "vocab_size": [41],
    "hidden_size": [32, 20],
    "dim": [32],
    "num_hidden_layers": [1, 3],
    "n_layers": [1, 3],
    "num_attention_heads": [2, 8],
    "n_heads": [2, 8],
    "intermediate_size": [32],
    "hidden_dim": [32],
    "hidden_act": ["relu", "silu", "swish", "gelu_python", "gelu_new", "gelu_pytorch_tanh", "quick_gelu",
                   "gelu_fast", "tanh", "mish", "linear", "gelu_10"],
    "max_position_embeddings": [25, 50],
    "type_vocab_size": [1, 3],
    "initializer_range": [1.0],
    "initializer_cutoff_factor": [3.0],
    "layer_norm_eps": [1e-2, 0.5],
    "norm_eps": [1e-2, 0.5],
    "pad_token_id": [0, 3, None],
    "use_cache": [False],
    "is_decoder": [True],
    "add_cross_attention": [True],
    "bos_token_id": [5],
    "eos_token_id": [6],
    "cls_token_id": [5],
    "sep_token_id": [6],
    "tie_word_embeddings": [False],
    "_name_or_path": ["elsewhere"],
    "model_type": ["bert", "roberta", "xlm-roberta", "distilbert", "modernbert", "gpt2", "electra"],
    "sinusoidal_pos_embds": [True],
    "layer_types": [["sliding_attention"] * 3, ["full_attention"] * 3, ["full_attention"] * 2,
                    ["linear_attention"] * 3],
    "rope_parameters": [
        {"full_attention": {"rope_type": "default", "rope_theta": 50.0}},
        {"sliding_attention": {"rope_type": "default", "rope_theta": 50.0}},
        {"full_attention": {"rope_type": "linear", "rope_theta": 50.0, "factor": 4.0}},
        {"rope_type": "default", "rope_theta": 50.0},
    ],
    "local_attention": [2, 6, 7, 128],
    "classifier_pooling": ["mean"],
    "deterministic_flash_attn": [True],
    "sparse_prediction": [True],
    "sparse_pred_ignore_index": [-1],
    **{name: [True] for name in ("norm_bias", "attention_bias", "mlp_bias", "classifier_bias")},
    "decoder_bias": [False],
    **{name: [0.5] for name in (
        "hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout", "dropout",
        "attention_dropout", "qa_dropout", "seq_classif_dropout", "embedding_dropout", "mlp_dropout")},
}  # fmt: skip
OTHERS["activation"] = OTHERS["hidden_activation"] = OTHERS["classifier_activation"] = OTHERS[
    "hidden_act"
]

# Fields that later or earlier versions, or somebody's program, write; transformers understands some of them.
WRITTEN_ELSEWHERE: list[tuple[str, dict[str, Any]]] = [
    ("bert", {"position_embedding_type": "relative_key"}),
    ("bert", {"position_embedding_type": "relative_key_query"}),
    ("roberta", {"position_embedding_type": "relative_key"}),
    ("bert", {"pruned_heads": {"0": [1]}}),
    ("bert", {"per_layer_config": {"0": {"num_attention_heads": 2}}}),
    ("bert", {"per_layer_config": {"0": {"hidden_act": "relu"}}}),
    ("bert", {"cross_attention_hidden_size": 8}),
    ("bert", {"directionality": "uni"}),
    ("bert", {"auto_map": {"AutoModel": "modeling_jina.JinaBertModel"}}),
    ("bert", {"embedding_size": 8}),
    ("bert", {"torch_dtype": "float16"}),
    ("bert", {"gradient_checkpointing": True, "output_past": True}),
    ("distilbert", {"is_decoder": True}),
    ("distilbert", {"tie_weights_": True}),
    ("modernbert", {"global_rope_theta": 30.0, "local_rope_theta": 20.0}),
    ("modernbert", {"global_attn_every_n_layers": 2, "layer_types": None}),
    ("modernbert", {"sliding_window": 2}),
    ("modernbert", {"sliding_window": 1}),
    ("modernbert", {"rope_scaling": {"rope_type": "linear", "factor": 2.0}}),
    ("modernbert", {"head_dim": 8}),
    ("modernbert", {"layer_norm_eps": 0.5, "position_embedding_type": "absolute"}),
    ("modernbert", {"hidden_act": "relu"}),
    ("modernbert", {"rope_theta": 50.0}),
    ("modernbert", {"partial_rotary_factor": 0.5}),
]  # fmt: skip


def class_of(family: str) -> type[T.PreTrainedConfig]:
    return T.CONFIG_MAPPING[family]


def fields_of(family: str) -> set[str]:
    """Every field that transformers writes for a family, and every one that its class declares."""
    config = class_of(family)()
    return set(config.to_dict()) | {field.name for field in dataclasses.fields(type(config))}


def save(folder: Path, family: str, kind: type, changes: dict[str, Any]) -> Any:
    """Write a checkpoint whose config.json says `changes`, and return transformers' reading of it, or None."""
    told = {"model_type": family, "dtype": "float32", **SMALL[family], **changes}
    (folder / "config.json").write_text(json.dumps(told))
    try:
        torch.manual_seed(0)
        config = T.AutoConfig.from_pretrained(folder)
        config._attn_implementation = "eager"
        model = kind.from_config(config).float().eval()
    except Exception:  # not even transformers takes it: ours must refuse it
        _weights(folder, T.AutoModelForMaskedLM, SMALL[family] | {"model_type": family})
        return None
    _draw(model)
    model.save_pretrained(folder)
    (folder / "config.json").write_text(json.dumps(told))
    return model


def _draw(model: nn.Module) -> None:
    for name, parameter in model.named_parameters():
        nn.init.normal_(parameter, std=0.4)
        if name.lower().endswith("norm.weight"):
            parameter.data += 1


def _weights(folder: Path, kind: type, told: dict[str, Any]) -> None:
    content = (folder / "config.json").read_text()
    model = kind.from_config(class_of(told["model_type"])(**told))
    _draw(model)
    model.save_pretrained(folder)
    (folder / "config.json").write_text(content)


def outcome(folder: Path, family: str, changes: dict[str, Any]) -> str:
    """Hold that both encoders give the same numbers and both heads too, or that ours is refused by name."""
    theirs = save(folder, family, T.AutoModelForMaskedLM, changes)
    ids = torch.randint(4, 40, (3, 17), generator=torch.Generator().manual_seed(1))
    message = ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ours = L.masked_lm_from_pretrained(folder)
            encoder = L.from_pretrained(folder)
    except CheckpointError as error:
        message = str(error)
    if message:
        about = [*changes, "model type", "do not fit", "not tied", "num_attention_heads", "n_heads"]
        assert any(name in message for name in about), message
        return "refused"
    assert theirs is not None, f"transformers refuses {changes}, and we take it"
    theirs.config.return_dict = True
    with torch.no_grad():
        base = getattr(theirs, theirs.base_model_prefix)(ids, return_dict=True).last_hidden_state
        assert_close(encoder(ids), base, terms=2048)
        assert_close(ours(ids), theirs(ids, return_dict=True).logits, terms=2048)
    return "the same"


@families
def test_every_field_of_transformers_is_looked_at_here(family: str) -> None:
    fields = fields_of(family)
    assert fields - set(OTHERS) == set(), (
        "a new field: give it another value in OTHERS, and decide on it"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # the warning of a field that is not known
        config = class_of(family)(**SMALL[family]).to_dict()
        assert family_of(config).config(json.loads(json.dumps(config)))


@pytest.mark.parametrize(
    ("family", "field", "value"),
    [
        pytest.param(family, field, value, id=f"{family}-{field}-{i}")
        for family in FAMILIES
        for field in sorted(fields_of(family) & set(OTHERS))
        if (family, field) != ("distilbert", "model_type")  # its sizes have other names
        for i, value in enumerate(OTHERS[field])
    ],
)
def test_another_value_gives_the_numbers_of_transformers_or_is_refused(
    family: str, field: str, value: Any, tmp_path: Path
) -> None:
    outcome(tmp_path, family, {field: value})


@pytest.mark.parametrize(("family", "changes"), WRITTEN_ELSEWHERE)
def test_fields_of_other_programs_give_the_numbers_of_transformers_or_are_refused(
    family: str, changes: dict[str, Any], tmp_path: Path
) -> None:
    outcome(tmp_path, family, changes)


@pytest.mark.parametrize(
    ("family", "changes"),
    [
        (family, {name: value})
        for family in FAMILIES
        for name, value in (
            ("is_decoder", True),
            ("is_decoder", 1),
            ("add_cross_attention", True),
            ("is_encoder_decoder", True),
            ("position_embedding_type", "relative_key"),
            ("pruned_heads", {"0": [1]}),
            ("quantization_config", {"bits": 4}),
            ("architectures", ["GPT2LMHeadModel"]),
            ("auto_map", {"AutoModel": "code.Model"}),
            ("per_layer_config", {"0": {"hidden_act": "relu"}}),
        )
    ],
)
def test_a_configuration_that_means_another_model_is_refused_by_name(
    family: str, changes: dict[str, Any]
) -> None:
    with pytest.raises(CheckpointError, match=rf"config\.json: {next(iter(changes))} "):
        family_of({"model_type": family}).config({"model_type": family, **SMALL[family], **changes})


@pytest.mark.parametrize("family", FAMILIES)
def test_harmless_fields_are_taken_without_a_word(family: str) -> None:
    told = {"model_type": family, **SMALL[family], **dict.fromkeys(HARMLESS, "anything")}
    allowed = {name: values[0] for name, (values, _) in DEMANDED.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert family_of(told).config({**told, **allowed}) == family_of(told).config(
            {"model_type": family, **SMALL[family]}
        )


def test_a_field_that_nobody_reads_is_told() -> None:
    with pytest.warns(UserWarning, match=r"config\.json: rescale_embeddings: unknown"):
        FAMILIES["bert"].config({**BERT, "rescale_embeddings": True})


@families
def test_what_is_left_out_has_the_value_that_transformers_gives_it(family: str) -> None:
    ours, theirs = FAMILIES[family].config({}), class_of(family)()
    names = {
        "vocab_size": "vocab_size", "d_model": "hidden_size", "nhead": "num_attention_heads",
        "padding_idx": "pad_token_id", "std": "initializer_range",
    }  # fmt: skip
    if family == "modernbert":
        names |= {
            "dim_feedforward": "intermediate_size", "max_length": "max_position_embeddings",
            "activation": "hidden_activation", "head_activation": "classifier_activation",
            "layer_norm_eps": "norm_eps", "norm_bias": "norm_bias", "attention_bias": "attention_bias",
            "feed_forward_bias": "mlp_bias", "head_bias": "classifier_bias",
            "output_bias": "decoder_bias", "embedding_dropout": "embedding_dropout",
            "attention_dropout": "attention_dropout", "feed_forward_dropout": "mlp_dropout",
        }  # fmt: skip
        assert ours.windows == tuple(
            64 if kind == "sliding_attention" else None for kind in theirs.layer_types
        )
        rope = theirs.rope_parameters
        assert ours.global_base == rope["full_attention"]["rope_theta"]
        assert ours.local_base == rope["sliding_attention"]["rope_theta"]
    else:
        assert isinstance(ours, BertConfig)
        assert ours.num_layers == theirs.num_hidden_layers
        first = theirs.pad_token_id + 1 if ours.positions_after_padding else 0
        assert ours.max_length == theirs.max_position_embeddings - first
        assert ours.segments == getattr(theirs, "type_vocab_size", 0)
        assert ours.layer_norm_eps == getattr(theirs, "layer_norm_eps", 1e-12)
    for name, other in names.items():
        assert getattr(ours, name) == getattr(theirs, other), name


BAD = [
    None,
    True,
    "x",
    "",
    -1,
    0,
    1.5,
    math.nan,
    math.inf,
    -0.1,
    10**30,
    2**31,
    [],
    {},
    [1],
    {"a": 1},
]


@families
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_no_value_of_any_field_brings_another_error(family: str) -> None:
    names = [
        *fields_of(family),
        *DEMANDED,
        "head_dim",
        "auto_map",
        "global_rope_theta",
        "sliding_window",
    ]
    for name in names:
        for value in BAD:
            told = {"model_type": family, **SMALL[family], name: value}
            with pytest.raises(CheckpointError):
                L.encoder_from_weights(told, {})


@families
@pytest.mark.filterwarnings("ignore::UserWarning")
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_no_configuration_brings_another_error(family: str, data: st.DataObject) -> None:
    values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
        ),
        max_leaves=6,
    )
    names = st.sampled_from(sorted(fields_of(family)))
    changes = data.draw(st.dictionaries(names, values, max_size=5))
    with pytest.raises(CheckpointError):
        L.encoder_from_weights({**SMALL[family], "model_type": family, **changes}, {})


@pytest.mark.parametrize(
    "told", [[], None, "bert", {"model_type": ["bert"]}, {"model_type": {}}, {}]
)
def test_what_is_no_configuration_is_refused(told: Any) -> None:
    with pytest.raises(CheckpointError):
        L.encoder_from_weights(told, {})
