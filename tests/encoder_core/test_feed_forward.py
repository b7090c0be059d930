"""Feed-forward networks: explicit forms, modules and transformers' implementations agree."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from encoder_core import activations
from encoder_core import feed_forward as ff
from tests.close import assert_close

DTYPES = [torch.float32, torch.float64, torch.bfloat16, torch.float16]


@pytest.mark.parametrize("dtype", DTYPES)
def test_explicit_activations_equal_the_fast_ones(dtype: torch.dtype) -> None:
    x = torch.linspace(-9, 9, 401, dtype=torch.float64).to(dtype)
    assert torch.equal(activations.relu(x), F.relu(x))
    assert_close(activations.gelu(x), F.gelu(x), terms=8)  # a square root, erf, a sum, products
    assert activations.gelu(x).dtype == dtype


def test_gelu_is_exact_not_the_tanh_form() -> None:
    x = torch.linspace(-4, 4, 101, dtype=torch.float64)
    assert (activations.gelu(x) - F.gelu(x, approximate="tanh")).abs().max() > 1e-4


@given(seed=st.integers(0, 99), width=st.integers(1, 9), d_model=st.integers(1, 7))
def test_feed_forward_module_equals_the_formula(seed: int, width: int, d_model: int) -> None:
    torch.manual_seed(seed)
    module = ff.FeedForward(d_model, width, dropout=0.0).double()
    x = torch.randn(2, 3, d_model, dtype=torch.float64)
    one, two = module.linear1, module.linear2
    expected = ff.feed_forward(x, one.weight.T, one.bias, two.weight.T, two.bias)
    assert_close(module(x), expected)


@pytest.mark.parametrize(("name", "function"), [("gelu", ff.geglu), ("silu", ff.swiglu)])
def test_gated_module_equals_the_formula(name: str, function: type(ff.geglu)) -> None:  # type: ignore[valid-type]
    module = ff.GatedFeedForward(5, 7, activation=name, dropout=0.0).double()
    x = torch.randn(2, 3, 5, dtype=torch.float64)
    gate, up = module.linear1.weight.chunk(2)  # (2F, D) -> (F, D) each
    assert_close(module(x), function(x, gate.T, up.T, module.linear2.weight.T))
    assert module.linear1.bias is None


def test_swiglu_equals_llamas_network() -> None:
    llama = pytest.importorskip("transformers.models.llama.modeling_llama")
    config = llama.LlamaConfig(hidden_size=6, intermediate_size=10, num_attention_heads=2)
    theirs, x = llama.LlamaMLP(config), torch.randn(3, 6)
    ours = ff.swiglu(
        x, theirs.gate_proj.weight.T, theirs.up_proj.weight.T, theirs.down_proj.weight.T
    )
    assert_close(ours, theirs(x))


def test_geglu_equals_modernberts_network() -> None:
    modern = pytest.importorskip("transformers.models.modernbert.modeling_modernbert")
    config = modern.ModernBertConfig(hidden_size=6, intermediate_size=10, mlp_dropout=0.0)
    theirs, x = modern.ModernBertMLP(config), torch.randn(3, 6)
    ours = ff.GatedFeedForward(6, 10, dropout=0.0)
    ours.load_state_dict({"linear1.weight": theirs.Wi.weight, "linear2.weight": theirs.Wo.weight})
    assert_close(ours(x), theirs(x))


@pytest.mark.parametrize("kind", [ff.FeedForward, ff.GatedFeedForward])
def test_dropout_falls_where_it_is_said_to(kind: type[ff.FeedForward]) -> None:
    x = torch.randn(400, 8)
    torch.manual_seed(0)
    module = kind(8, 16, dropout=0.3)
    assert module(x).eq(0).float().mean().item() == pytest.approx(0.3, abs=0.05)
    inner = kind(8, 16, dropout=0.0, activation_dropout=0.3)
    assert not inner(x).eq(0).any()
    assert (inner(x) - inner(x)).abs().max() > 0
    assert_close(inner.eval()(x), inner(x))
    with pytest.raises(ValueError, match="dropout probability"):
        kind(8, 16, dropout=1.5)


def test_each_token_goes_through_by_itself() -> None:
    module = ff.FeedForward(6, 12, "gelu").eval()
    x = torch.randn(2, 5, 6)
    together = module(x)
    for position in range(5):
        assert_close(module(x[:, position]), together[:, position])


@pytest.mark.parametrize("kind", [ff.FeedForward, ff.GatedFeedForward])
@pytest.mark.parametrize("dtype", DTYPES)
def test_modules_keep_the_dtype(kind: type[ff.FeedForward], dtype: torch.dtype) -> None:
    module = kind(4, 8, "gelu").to(dtype)
    assert module(torch.randn(3, 4, dtype=dtype)).dtype == dtype


def test_gradcheck() -> None:
    x = torch.randn(2, 4, dtype=torch.float64, requires_grad=True)
    for module in (
        ff.FeedForward(4, 6, torch.tanh, 0.0),
        ff.GatedFeedForward(4, 6, "silu", 0.0),
    ):
        assert torch.autograd.gradcheck(module.double(), x)
        weights = [w.detach().requires_grad_() for w in module.double().parameters()]
        names = list(dict(module.named_parameters()))
        assert torch.autograd.gradcheck(
            lambda *w, m=module, n=names: torch.func.functional_call(
                m, dict(zip(n, w, strict=True)), x.detach()
            ),
            weights,
        )


def test_activation_by_name_or_callable_and_the_sentence_for_others() -> None:
    assert activations.activation_function("relu") is F.relu
    assert activations.activation_function(torch.tanh) is torch.tanh
    with pytest.raises(ValueError, match="'relu', 'gelu', 'silu' or a callable, got 'swish7'"):
        activations.activation_function("swish7")
