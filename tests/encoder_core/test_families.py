"""Every family of encoders equals transformers' on small random configurations."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as T
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from encoder_core.inspect.recording import record
from encoder_core.masks import padding_mask
from encoder_core.models.bert import Bert, BertConfig
from encoder_core.models.masked_lm import MaskedLM
from encoder_core.models.modernbert import ModernBert, ModernBertConfig
from encoder_core.pretrained import loading as L
from encoder_core.pretrained.checkpoints import CheckpointError
from tests.close import assert_close

SMALL = {
    "vocab_size": 99,
    "hidden_size": 32,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "intermediate_size": 37,
    "max_position_embeddings": 50,
    "pad_token_id": 1,
}


def _bert() -> T.PreTrainedConfig:
    return T.BertConfig(**SMALL)


def _roberta() -> T.PreTrainedConfig:
    return T.RobertaConfig(**SMALL)


def _distilbert() -> T.PreTrainedConfig:
    return T.DistilBertConfig(
        vocab_size=99, dim=32, n_layers=4, n_heads=4, hidden_dim=37, pad_token_id=1
    )


def _modernbert(**settings: Any) -> T.PreTrainedConfig:
    tokens = {"bos_token_id": 0, "cls_token_id": 0, "eos_token_id": 2, "sep_token_id": 2}
    return T.ModernBertConfig(**SMALL, **tokens, local_attention=4, **settings)


def _modernbert_with_biases() -> T.PreTrainedConfig:
    return _modernbert(
        norm_bias=True,
        attention_bias=True,
        mlp_bias=True,
        classifier_bias=True,
        decoder_bias=False,
        rope_parameters={
            "full_attention": {"rope_type": "default", "rope_theta": 500.0},
            "sliding_attention": {"rope_type": "default", "rope_theta": 70.0},
        },
    )


CONFIGS = [_bert, _roberta, _distilbert, _modernbert, _modernbert_with_biases]
configs = pytest.mark.parametrize("config", CONFIGS, ids=lambda f: f.__name__[1:])
Make = Callable[[], T.PreTrainedConfig]


def make(kind: type, config: T.PreTrainedConfig) -> Any:
    """One of `transformers`' models with no parameter at rest, and its padding row at zero."""
    config._attn_implementation = "eager"
    model = kind.from_config(config).eval()
    for name, parameter in model.named_parameters():
        nn.init.normal_(parameter, std=0.1)
        if name.endswith(("norm.weight", "LayerNorm.weight")):
            parameter.data += 1
    return model


def inputs(batch: int = 13, length: int = 11) -> tuple[Tensor, Tensor]:
    padding = padding_mask(torch.randint(1, length + 1, (batch,)), length)
    return torch.randint(2, 99, (batch, length)).masked_fill(padding, 1), padding


@configs
@pytest.mark.parametrize("packed", [False, True])
def test_encoders_equal_those_of_transformers(config: Make, packed: bool) -> None:
    theirs = make(T.AutoModel, config())
    ours = L.encoder_from_weights(theirs.config.to_dict(), theirs.state_dict())
    ids, padding = inputs()
    with torch.no_grad(), record(ours) as recording:
        hidden = ours(ids, padding_mask=padding, packed=packed)
        expected = theirs(ids, (~padding).long(), output_hidden_states=True, output_attentions=True)
    real = ~padding
    last = expected.last_hidden_state
    assert last[real].abs().max() > 0.2
    assert_close(hidden[real], last[real])
    assert not hidden[padding].any()
    if expected.get("pooler_output") is not None:
        assert_close(ours.pool(hidden), expected.pooler_output)
    assert len(recording.attention) == len(expected.attentions) == 4
    for weights, other in zip(recording.attention, expected.attentions, strict=True):
        both = (real[:, None, :, None] & real[:, None, None, :]).expand_as(weights)
        assert_close(weights[both], other[both])
    for state, other in zip(recording.hidden_states[:-1], expected.hidden_states, strict=False):
        assert_close(state[real], other[real])


@configs
def test_encoders_equal_those_of_transformers_without_padding(config: Make) -> None:
    theirs = make(T.AutoModel, config())
    ours = L.encoder_from_weights(theirs.config.to_dict(), theirs.state_dict())
    ids = torch.randint(2, 99, (3, 40))
    with torch.no_grad():
        assert_close(ours(ids), theirs(ids).last_hidden_state)


@configs
def test_masked_lm_equals_that_of_transformers(config: Make) -> None:
    theirs = make(T.AutoModelForMaskedLM, config())
    ours = L.masked_lm_from_weights(theirs.config.to_dict(), theirs.state_dict())
    ids, padding = inputs()
    with torch.no_grad():
        logits = ours(ids, padding_mask=padding)
        expected = theirs(ids, (~padding).long()).logits
        some = ours(ids, padding_mask=padding, where=ids == 7)
    real = ~padding
    assert_close(logits[real], expected[real])
    assert_close(some, expected[ids == 7])


@configs
def test_case_14_an_encoder_is_taken_out_of_a_masked_lm_and_the_tied_copy_may_be_absent(
    config: Make, tmp_path: Path
) -> None:
    theirs = make(T.AutoModelForMaskedLM, config())
    theirs.save_pretrained(tmp_path)
    saved = load_file(tmp_path / "model.safetensors")
    assert not any(name.endswith("decoder.weight") for name in saved)
    ours = L.masked_lm_from_pretrained(tmp_path)
    encoder = L.from_pretrained(tmp_path)
    ids, padding = inputs()
    with torch.no_grad():
        expected = theirs(ids, (~padding).long()).logits
        logits = ours(ids, padding_mask=padding)
        assert_close(logits[~padding], expected[~padding])
        assert torch.equal(
            encoder(ids, padding_mask=padding), ours.encoder(ids, padding_mask=padding)
        )


def small_modernbert(seed: int | None = 0) -> ModernBert:
    return ModernBert(ModernBertConfig(99, 8, 2, 12, (None, 1, None), padding_idx=1), seed=seed)


@pytest.mark.parametrize("packed", [True, False, None])
def test_case_05_padded_rows_of_a_modernbert_are_zero_on_every_path(packed: bool | None) -> None:
    model, (ids, padding) = small_modernbert().eval(), inputs()
    with_gradients = model(ids, padding_mask=padding, packed=False)
    with torch.inference_mode():
        hidden = model(ids, padding_mask=padding, packed=packed)
    assert not hidden[padding].any()
    assert_close(hidden, with_gradients)


@pytest.mark.slow
@configs
@pytest.mark.parametrize("packed", [False, None])
def test_the_compiler_takes_an_encoder_whole(config: Make, packed: bool | None) -> None:
    theirs = make(T.AutoModel, config())
    ours = L.encoder_from_weights(theirs.config.to_dict(), theirs.state_dict())
    ids, padding = inputs(3)
    compiled = torch.compile(ours, backend="eager", fullgraph=True)
    hidden = compiled(ids, padding_mask=padding, packed=packed)
    assert_close(hidden, ours(ids, padding_mask=padding, packed=False))


def test_case_08_every_layer_of_a_modernbert_is_initialised_afresh() -> None:
    model = small_modernbert()
    first, second, third = (layer.self_attn.in_proj_weight for layer in model.layers)
    assert len({p.data_ptr() for p in model.parameters()}) == len(list(model.parameters()))
    for one, other in ((first, second), (second, third), (first, third)):
        assert not torch.equal(one, other)


@pytest.mark.parametrize("seed", [0, None])
def test_case_13_the_row_of_padding_of_a_modernbert_is_zero_after_every_initialisation(
    seed: int | None,
) -> None:
    model = small_modernbert(seed)
    for _ in range(2):
        table = model.embeddings.token.weight
        assert not table[1].any()
        assert table[0].any()
        model.reset_parameters()


def test_case_13_with_tied_weights_the_row_of_padding_stays_as_it_is() -> None:
    config = ModernBertConfig(99, 8, 2, 12, (None, 1), padding_idx=1)
    model = MaskedLM(ModernBert(config, seed=0))
    ids, padding = inputs()
    model(ids, padding_mask=padding).square().sum().backward()
    gradient = model.encoder.embeddings.token.weight.grad
    assert gradient is not None
    assert not gradient[1].any()
    assert gradient[2:].any(dim=1).all()


def test_case_15_roberta_counts_from_after_padding_on_either_side() -> None:
    theirs = make(T.AutoModel, _roberta())
    ours = L.encoder_from_weights(theirs.config.to_dict(), theirs.state_dict())
    ids, padding = inputs()
    for batch, blocked in ((ids, padding), (ids.flip(1), padding.flip(1))):
        with torch.no_grad():
            expected = theirs(batch, (~blocked).long()).last_hidden_state
            hidden = ours(batch, padding_mask=blocked)
        assert_close(hidden[~blocked], expected[~blocked])
    assert ours.config.max_length == 48
    with pytest.raises(ValueError, match="49 tokens, but this model knows 48"):
        ours(torch.full((1, 49), 5))


@pytest.mark.parametrize("prefix", ["bert.", "roberta."])
def test_case_14_prefixes_and_old_names_load(prefix: str) -> None:
    theirs = make(T.AutoModel, _bert() if prefix == "bert." else _roberta())
    old = {
        prefix
        + name.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
            "LayerNorm.bias", "LayerNorm.beta"
        ): tensor
        for name, tensor in theirs.state_dict().items()
    }
    ours = L.encoder_from_weights(theirs.config.to_dict(), old)
    ids, _ = inputs()
    assert_close(
        ours(ids, packed=False)[:, :1],
        L.encoder_from_weights(theirs.config.to_dict(), theirs.state_dict())(ids)[:, :1],
    )


def test_a_missing_or_unexpected_weight_is_named(tmp_path: Path) -> None:
    theirs = make(T.AutoModelForSequenceClassification, _bert())
    theirs.save_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match=r"unexpected classifier\.\w+, classifier\.\w+\."):
        L.from_pretrained(tmp_path)
    assert L.from_pretrained(tmp_path, ignore=[r"^classifier\."]).config.pooler
    state = load_file(tmp_path / "model.safetensors")
    del state["bert.encoder.layer.2.output.dense.bias"]
    save_file(state, tmp_path / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"missing layers\.2\.linear2\.bias"):
        L.from_pretrained(tmp_path, ignore=[r"^classifier\."])


def test_a_head_is_made_where_and_as_the_encoder_is() -> None:
    config = BertConfig(vocab_size=9, d_model=8, nhead=2, num_layers=1, dim_feedforward=16)
    model = MaskedLM(Bert(config).double())
    assert {p.dtype for p in model.parameters()} == {torch.float64}
    assert model(torch.tensor([[1, 2]])).dtype == torch.float64


def test_an_untied_head_is_refused() -> None:
    theirs = make(T.AutoModelForMaskedLM, _bert())
    state = {name: tensor.clone() for name, tensor in theirs.state_dict().items()}
    state["cls.predictions.decoder.weight"] += 1
    with pytest.raises(CheckpointError, match="not tied"):
        L.masked_lm_from_weights(theirs.config.to_dict(), state)


def test_what_is_not_computed_here_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="Unknown model type 'gpt2'; known are bert, roberta"):
        L.encoder_from_weights({"model_type": "gpt2"}, {})
    settings = {**_bert().to_dict(), "position_embedding_type": "relative_key"}
    with pytest.raises(CheckpointError, match="relative_key"):
        L.encoder_from_weights(settings, {})
    rotary = {"full_attention": {"rope_type": "yarn"}}
    with pytest.raises(CheckpointError, match="yarn"):
        L.encoder_from_weights({"model_type": "modernbert", "rope_parameters": rotary}, {})
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "roberta"}))
    with pytest.raises(FileNotFoundError, match="safetensors only"):
        L.from_pretrained(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"neither vocab\.txt"):
        L.tokenizer_from_pretrained(tmp_path)


def test_old_settings_of_modernbert_are_understood() -> None:
    told = {"model_type": "modernbert", "num_hidden_layers": 4, "global_rope_theta": 5e3}
    config = L.family_of(told).config({**told, "global_attn_every_n_layers": 2})
    assert isinstance(config, ModernBertConfig)
    assert config.windows == (None, 64, None, 64)
    assert (config.global_base, config.local_base) == (5e3, 1e4)


def test_modernbert_is_initialised_reproducibly_layer_by_layer() -> None:
    config = ModernBertConfig(99, 32, 4, 24, (None, 2, 2), padding_idx=1)
    state = torch.random.get_rng_state()
    one, other = ModernBert(config, seed=3), ModernBert(config, seed=3)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert all(map(torch.equal, one.state_dict().values(), other.state_dict().values()))
    assert not torch.equal(one.layers[1].norm2.weight, one.layers[1].self_attn.in_proj_weight[0])
    assert not torch.equal(
        one.layers[0].self_attn.in_proj_weight, one.layers[1].self_attn.in_proj_weight
    )
    assert not one.embeddings.token.weight[1].any()
    assert [name for name, _ in one.named_parameters() if name.endswith("bias")] == []
    with pytest.raises(ValueError, match="no segments"):
        one(torch.ones(1, 2, dtype=torch.long), torch.ones(1, 2, dtype=torch.long))
