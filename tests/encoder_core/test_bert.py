"""BERT: equal to transformers', and right in the cases where encoders go wrong."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
import torch
import transformers as T
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from encoder_core.attention import scaled_dot_product_attention
from encoder_core.masks import causal_mask, padding_mask
from encoder_core.models.bert import Bert, BertConfig
from encoder_core.pretrained.checkpoints import rename_weights, stack_projections
from encoder_core.pretrained.families import FAMILIES
from encoder_core.pretrained.loading import encoder_from_weights
from tests.close import assert_close

SMALL = BertConfig(vocab_size=99, d_model=32, nhead=4, num_layers=3, dim_feedforward=37)


def their_model(**settings: object) -> T.BertModel:
    """`transformers`' BERT at the size of its own BertModelTester, with no parameter at rest."""
    small: dict[str, object] = {
        "vocab_size": 99,
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 37,
        "max_position_embeddings": 50,
        "type_vocab_size": 16,
        "initializer_range": 0.2,
    }
    model = T.BertModel(T.BertConfig(**{**small, **settings})).eval()
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.2)
    return model


def ours_from(theirs: T.BertModel) -> Bert:
    model = encoder_from_weights(theirs.config.to_dict(), theirs.state_dict())
    assert isinstance(model, Bert)
    return model


def inputs(batch: int = 13, length: int = 7) -> tuple[Tensor, Tensor, Tensor]:
    ids = torch.randint(1, 99, (batch, length))
    type_ids = torch.randint(0, 16, (batch, length))
    return ids, type_ids, padding_mask(torch.randint(1, length + 1, (batch,)), length)


@pytest.mark.parametrize("activation", ["gelu", "relu"])
@pytest.mark.parametrize("attn", ["eager", "sdpa"])
def test_equals_transformers_on_small_random_configurations(activation: str, attn: str) -> None:
    theirs = their_model(hidden_act=activation, attn_implementation=attn)
    ours = ours_from(theirs)
    ids, type_ids, padding = inputs()
    with torch.no_grad():
        expected = theirs(ids, attention_mask=(~padding).long(), token_type_ids=type_ids)
        hidden = ours(ids, type_ids, padding)
        alone = theirs(ids).last_hidden_state
    real = ~padding
    assert_close(hidden[real], expected.last_hidden_state[real])
    assert_close(ours.pool(hidden), expected.pooler_output)
    assert_close(ours(ids), alone)


def test_gradients_equal_those_of_transformers() -> None:
    theirs = their_model().double()
    ours = ours_from(theirs).double()
    ids, type_ids, padding = inputs()
    into = torch.randn(13, 7, 32, dtype=torch.float64).masked_fill(padding[..., None], 0)
    (ours(ids, type_ids, padding) * into).sum().backward()
    their_hidden = theirs(ids, (~padding).long(), type_ids).last_hidden_state
    (their_hidden * into).sum().backward()
    gradients = {name: parameter.grad for name, parameter in theirs.named_parameters()}
    given = {name: gradient for name, gradient in gradients.items() if gradient is not None}
    expected = stack_projections(rename_weights(given, FAMILIES["bert"].names))
    compared = 0
    for name, parameter in ours.named_parameters():
        if name.startswith("pooler"):
            continue
        assert parameter.grad is not None, name
        assert_close(parameter.grad, expected[name], msg=name)
        compared += 1
    assert compared == len(expected) == 29


@pytest.mark.parametrize("prefix", ["", "bert."])
def test_case_14_old_keys_and_prefixes_are_understood(prefix: str) -> None:
    theirs = their_model()
    old = {}
    for name, tensor in theirs.state_dict().items():
        name = name.replace("LayerNorm.weight", "LayerNorm.gamma")
        old[prefix + name.replace("LayerNorm.bias", "LayerNorm.beta")] = tensor
    old[f"{prefix}embeddings.position_ids"] = torch.arange(50)[None]
    assert any(name.endswith("gamma") for name in old)
    ours = encoder_from_weights(theirs.config.to_dict(), old)
    ids, _, _ = inputs()
    assert_close(ours(ids), theirs(ids).last_hidden_state)


@given(seed=st.integers(0, 99), length=st.integers(1, 9), extra=st.integers(0, 5))
def test_case_16_padding_does_not_change_real_rows(seed: int, length: int, extra: int) -> None:
    model = Bert(SMALL, seed=seed).eval().double()
    ids = torch.randint(1, 99, (2, length))
    padded = torch.cat([ids, torch.randint(0, 99, (2, extra))], dim=1)
    padding = padding_mask(torch.tensor([length, length]), length + extra)
    assert_close(model(padded, None, padding)[:, :length], model(ids))


def test_case_01_a_text_of_padding_alone_is_finite_with_finite_gradients() -> None:
    model = Bert(SMALL, seed=0)
    padding = torch.tensor([[True] * 4, [False] * 4])
    hidden = model(torch.randint(1, 99, (2, 4)), None, padding)
    assert hidden.isfinite().all()
    hidden.square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_case_05_padded_rows_are_the_same_on_every_path() -> None:
    model, (ids, _, padding) = Bert(SMALL, seed=0).eval(), inputs()
    with_gradients = model(ids, None, padding)
    explicit = Bert(SMALL, seed=0, attention=scaled_dot_product_attention).eval()
    with torch.inference_mode():
        for other, packed in itertools.product((model, explicit), (True, False, None)):
            hidden = other(ids, None, padding, packed=packed)
            assert hidden.shape == (13, 7, 32)
            assert not hidden[padding].any()
            assert_close(hidden, with_gradients)


def test_case_08_every_layer_is_initialised_afresh() -> None:
    model = Bert(SMALL, seed=0)
    first, second, third = (layer.self_attn.in_proj_weight for layer in model.layers)
    assert not torch.equal(first, second)
    assert not torch.equal(second, third)


def test_case_13_the_row_of_padding_is_zero_after_every_initialisation() -> None:
    model = Bert(SMALL, seed=0)
    assert not model.embeddings.token.weight[0].any()
    model.reset_parameters()
    assert not model.embeddings.token.weight[0].any()
    assert model.embeddings.token.weight[1:].any(dim=1).all()


def test_a_seed_gives_the_same_weights_and_leaves_the_global_generator_alone() -> None:
    state = torch.random.get_rng_state()
    one, other, third = Bert(SMALL, seed=7), Bert(SMALL, seed=7), Bert(SMALL, seed=8)
    assert torch.equal(torch.random.get_rng_state(), state)
    for name, tensor in one.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name]), name
    assert not torch.equal(one.embeddings.token.weight, third.embeddings.token.weight)
    torch.manual_seed(1)
    first = Bert(SMALL)
    torch.manual_seed(1)
    assert torch.equal(Bert(SMALL).embeddings.token.weight, first.embeddings.token.weight)


def test_initial_weights_have_the_spread_asked_for() -> None:
    model = Bert(BertConfig(vocab_size=500, d_model=64, nhead=4, num_layers=1, std=0.1), seed=0)
    for name, parameter in model.named_parameters():
        if parameter.dim() > 1 and parameter.numel() > 1000:
            assert 0.09 < parameter.std().item() < 0.11, name
        elif name.endswith("bias"):
            assert not parameter.any(), name


def test_a_mask_of_any_kind_joins_the_padding() -> None:
    model, (ids, _, padding) = Bert(SMALL, seed=0).eval(), inputs()
    causal = model(ids, None, padding, causal_mask(7))
    cut = model(ids[:, :4], None, padding[:, :4], causal_mask(4))
    assert_close(causal[:, :4], cut)
    added = torch.zeros(7, 7).masked_fill(causal_mask(7), -torch.inf)
    assert_close(model(ids, None, padding, added), causal)
    each = causal_mask(7).expand(13, 7, 7)
    assert_close(model(ids, None, padding, each), causal)


@pytest.mark.filterwarnings("ignore")  # of the tracer, that it is old
def test_a_trace_serves_other_padding_too() -> None:
    model, (ids, _, padding) = Bert(SMALL, seed=0).eval(), inputs()
    types = torch.zeros_like(ids)
    assert padding.float().mean() > 1 / 8  # so that the batch would be packed outside of a trace
    traced = torch.jit.trace(model, (ids, types, padding))
    other = padding_mask(torch.arange(13) % 7 + 1, 7)
    assert not torch.equal(other, padding)
    assert_close(traced(ids, types, other), model(ids, types, other, packed=False))


def test_a_vmap_over_texts_gives_each_its_own_gradient() -> None:
    model = Bert(replace(SMALL, dropout=0.0, attention_dropout=0.0), seed=0)
    ids, padding = (
        torch.tensor([[5, 6, 7], [8, 9, 0]]),
        torch.tensor([[False] * 3, [False, False, True]]),
    )
    weights = dict(model.named_parameters())

    def loss(weights: dict[str, Tensor], ids: Tensor, padding: Tensor) -> Tensor:
        masks = {"padding_mask": padding[None], "packed": False}
        output: Tensor = torch.func.functional_call(model, weights, (ids[None],), masks)
        return output.square().sum()

    each = torch.vmap(torch.func.grad(loss), (None, 0, 0))(weights, ids, padding)
    for row in range(2):
        alone = torch.autograd.grad(loss(weights, ids[row], padding[row]), list(weights.values()))
        mine = {name: gradients[row] for name, gradients in each.items()}
        assert_close(mine, dict(zip(weights, alone, strict=True)))


def test_what_cannot_be_is_said_in_a_sentence() -> None:
    model = Bert(SMALL, seed=0)
    with pytest.raises(ValueError, match="513 tokens, but this model knows 512"):
        model(torch.ones(1, 513, dtype=torch.long))
    with pytest.raises(ValueError, match="holds only 0 and 1"):
        model(torch.ones(1, 2, dtype=torch.long), None, torch.ones(1, 2))
    with pytest.raises(TypeError, match="pass mask == 0"):
        model(torch.ones(1, 2, dtype=torch.long), None, torch.ones(1, 2, dtype=torch.long))
    with pytest.raises(ValueError, match="not divisible"):
        Bert(BertConfig(d_model=30, nhead=4))
    with pytest.raises(ValueError, match="no pooler"):
        model.pool(torch.randn(1, 2, 32))
    bare = Bert(BertConfig(vocab_size=9, d_model=8, nhead=2, num_layers=1, segments=0))
    with pytest.raises(ValueError, match="no segments"):
        bare(torch.ones(1, 2, dtype=torch.long), torch.ones(1, 2, dtype=torch.long))


def test_dropout_falls_where_bert_has_it_and_only_in_training() -> None:
    model, (ids, _, padding) = Bert(SMALL, seed=0), inputs()
    assert torch.equal(model.eval()(ids, None, padding), model(ids, None, padding))
    assert not torch.equal(model.train()(ids, None, padding), model(ids, None, padding))
    still = Bert(BertConfig(**{**SMALL.__dict__, "dropout": 0.0, "attention_dropout": 0.0}), seed=0)
    assert torch.equal(still.train()(ids), still.eval()(ids))
    assert {layer.dropout.p for layer in model.layers} == {0.0}
    assert {layer.self_attn.dropout for layer in model.layers} == {0.1}


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_equals_the_cpu() -> None:
    model, (ids, _, padding) = Bert(SMALL, seed=0).eval(), inputs()
    expected = model(ids, None, padding)
    hidden = model.cuda()(ids.cuda(), None, padding.cuda()).cpu()
    assert_close(hidden, expected)
