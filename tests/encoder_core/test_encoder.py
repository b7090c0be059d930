"""What an encoder must keep: the cases where encoders are known to go wrong, and its laws."""

from __future__ import annotations

import copy
import inspect
import warnings
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode

from encoder_core import encoder as encoder_file
from encoder_core.attention import scaled_dot_product_attention
from encoder_core.decoder import TransformerDecoderLayer
from encoder_core.encoder import TransformerEncoder, TransformerEncoderLayer
from encoder_core.inspect.recording import record
from encoder_core.residual import get_clones, layer_norm, residual
from tests.close import assert_close

D, H, FF = 12, 3, 20


def make(layers: int = 2, norm_first: bool = False, **options: object) -> TransformerEncoder:
    built = [
        TransformerEncoderLayer(D, H, FF, norm_first=norm_first, **options)  # type: ignore[arg-type]
        for _ in range(layers)
    ]
    return TransformerEncoder.from_layers(built, nn.LayerNorm(D) if norm_first else None)


@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
def test_case_01_a_row_of_padding_only_is_finite_with_finite_gradients(
    norm_first: bool, training: bool, dtype: torch.dtype
) -> None:
    model = make(norm_first=norm_first).to(dtype).train(training)
    x = torch.randn(3, 4, D, dtype=dtype, requires_grad=True)
    padding = torch.tensor([[False] * 4, [True] * 4, [False, True, True, True]])
    output = model(x, src_key_padding_mask=padding)
    output.float().square().sum().backward()
    assert output.isfinite().all()
    for tensor in (x, *model.parameters()):
        assert tensor.grad is not None
        assert tensor.grad.isfinite().all()
    with torch.inference_mode():
        assert model(x, src_key_padding_mask=padding).isfinite().all()


def test_case_01_attention_adds_only_its_output_bias_to_a_fully_blocked_row() -> None:
    layer = TransformerEncoderLayer(D, H, FF).eval()
    nn.init.normal_(layer.self_attn.out_proj.bias)
    x = torch.randn(1, 4, D)
    blocked = torch.ones(4, 4, dtype=torch.bool)
    y = layer.norm1(x + layer.self_attn.out_proj.bias)
    expected = layer.norm2(y + layer.linear2(F.relu(layer.linear1(y))))
    assert_close(layer(x, src_mask=blocked), expected)


def test_case_02_every_path_gives_the_same_for_a_row_of_padding_only() -> None:
    model = make().eval()
    x, padding = torch.randn(2, 4, D), torch.tensor([[False] * 4, [True] * 4])
    fused = model(x, src_key_padding_mask=padding)
    for layer in model.layers:
        layer.self_attn.attention = scaled_dot_product_attention  # the explicit form
    assert_close(model(x, src_key_padding_mask=padding), fused)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_case_03_the_smallest_number_as_a_mask_blocks_in_half_precision(dtype: torch.dtype) -> None:
    model = make().to(dtype).eval()
    x = (8 * torch.randn(2, 5, D)).to(dtype)
    blocked = torch.tensor([[False] * 5, [False, False, True, True, True]])
    added = torch.zeros(2, 5, dtype=dtype).masked_fill(blocked, torch.finfo(dtype).min)
    expected = model(x, src_key_padding_mask=blocked)
    assert_close(model(x, src_key_padding_mask=added), expected)
    assert expected.isfinite().all()


def test_case_04_true_means_blocked_and_a_zero_one_float_mask_is_refused() -> None:
    model = make().eval()
    x = torch.randn(1, 4, D)
    changed = x.clone()
    changed[:, 3] += 1
    blocked = torch.tensor([[False, False, False, True]])
    kept = model(x, src_key_padding_mask=blocked)[:, :3]
    assert_close(model(changed, src_key_padding_mask=blocked)[:, :3], kept)
    assert (model(changed)[:, :3] - model(x)[:, :3]).abs().max() > 1e-3
    with pytest.raises(ValueError, match="only 0 and 1"):
        model(x, src_key_padding_mask=blocked.float())
    with pytest.raises(ValueError, match="only 0 and 1"):
        model(x, mask=torch.ones(4, 4).triu(1))
    with pytest.raises(TypeError, match="mask == 0"):
        model(x, src_key_padding_mask=blocked.long())


def test_case_06_dropout_stops_in_evaluation() -> None:
    model = make(dropout=0.5)
    x = torch.randn(2, 5, D)
    assert (model(x) - model(x)).abs().max() > 0.1
    without = make(dropout=0.0)
    without.load_state_dict(model.state_dict())
    assert_close(model.eval()(x), without(x))
    assert torch.equal(model(x), model(x))


def test_case_07_is_causal_never_replaces_a_mask() -> None:
    model = make().eval()
    x = torch.randn(2, 5, D)
    causal = torch.ones(5, 5, dtype=torch.bool).triu(1)
    other = torch.zeros(5, 5, dtype=torch.bool)
    other[:, 1] = True  # not causal
    assert_close(model(x, is_causal=True), model(x, mask=causal))
    assert_close(model(x, causal, is_causal=True), model(x, causal))
    assert_close(model(x, other, is_causal=True), model(x, causal | other))
    assert (model(x, other, is_causal=True) - model(x, causal)).abs().max() > 1e-3


def test_case_08_clones_start_alike_share_nothing_and_say_so() -> None:
    layer = TransformerEncoderLayer(D, H, FF)
    layer.norm1.weight.requires_grad_(False)
    layer.register_buffer("extra", torch.ones(2))
    model = TransformerEncoder(layer, 3)
    for one in model.layers:
        for mine, pattern in zip(
            [*one.parameters(), *one.buffers()],
            [*layer.parameters(), *layer.buffers()],
            strict=True,
        ):
            assert torch.equal(mine, pattern)
            assert mine.requires_grad == pattern.requires_grad
    pointers = [t.data_ptr() for t in [*model.parameters(), *layer.parameters()]]
    assert len(set(pointers)) == len(pointers)
    assert "same values" in (TransformerEncoder.__doc__ or "")
    assert get_clones(layer, 0) is not None
    assert len(get_clones(layer, 0)) == 0


def test_case_08_from_layers_keeps_layers_that_were_initialised_afresh() -> None:
    model = make(3)
    assert model.num_layers == 3
    first, second, third = (layer.linear1.weight for layer in model.layers)
    assert not torch.equal(first, second)
    assert not torch.equal(second, third)


def test_case_09_a_final_norm_is_applied_once_and_only_if_it_is_given() -> None:
    layer, norm = TransformerEncoderLayer(D, H, FF).eval(), nn.LayerNorm(D)
    nn.init.normal_(norm.weight)
    x = torch.randn(2, 4, D)
    assert_close(TransformerEncoder(layer, 1)(x), layer(x))
    assert_close(TransformerEncoder(layer, 1, norm)(x), norm(layer(x)))
    assert "normalised twice" in (TransformerEncoder.__doc__ or "")


class Shapes(TorchDispatchMode):
    """Notes the shape of every tensor that any operation makes."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[tuple[int, ...]] = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        result = func(*args, **(kwargs or {}))
        made = result if isinstance(result, (tuple, list)) else [result]
        self.seen |= {tuple(t.shape) for t in made if isinstance(t, Tensor)}
        return result


@pytest.mark.parametrize("training", [True, False])
def test_case_10_weights_are_never_built_unless_asked_for(training: bool) -> None:
    model, length = make(dropout=0.0).train(training), 17
    x, padding = torch.randn(2, length, D), torch.zeros(2, length, dtype=torch.bool)
    padding[1, 9:] = True
    with Shapes() as shapes:
        model(x, src_key_padding_mask=padding).sum().backward()
    assert (2, length, D) in shapes.seen
    assert not [shape for shape in shapes.seen if shape[-2:] == (length, length) and H in shape]
    with Shapes() as shapes:
        model.layers[0].self_attn(x, x, x, need_weights=True)
    assert (2, H, length, length) in shapes.seen


@pytest.mark.parametrize("no_gradients", [torch.no_grad, torch.inference_mode])
def test_case_11_hooks_run_on_every_path(no_gradients: type[torch.no_grad]) -> None:
    model = make(3).eval()
    seen: list[str] = []
    for name, module in model.named_modules():
        if isinstance(module, (nn.Linear, nn.LayerNorm)) and not name.endswith("out_proj"):
            module.register_forward_hook(lambda *_, name=name: seen.append(name))
    for layer in model.layers:
        layer.self_attn.register_forward_hook(lambda *_: seen.append("attention"))
    padding = torch.tensor([[False, False, True]])
    with no_gradients():
        model(torch.randn(1, 3, D), src_key_padding_mask=padding)
    assert len(seen) == 3 * 5
    assert seen.count("attention") == 3


def test_case_11_recording_sees_every_layer_and_changes_no_number() -> None:
    model = make(3).eval()
    x, padding = torch.randn(2, 4, D), torch.tensor([[False] * 4, [False, False, True, True]])
    expected = model(x, src_key_padding_mask=padding)
    with torch.inference_mode(), record(model) as recording:
        assert_close(model(x, src_key_padding_mask=padding), expected)
    assert [tuple(w.shape) for w in recording.attention] == [(2, H, 4, 4)] * 3
    assert all(w[1, ..., 2:].eq(0).all() for w in recording.attention)  # nobody sees padding
    assert_close(recording.hidden_states[0], x)
    assert_close(recording.hidden_states[-1], expected)
    assert len(recording.hidden_states) == 4


def test_case_05_no_option_warns_of_anything() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for norm_first in (False, True):
            layer = TransformerEncoderLayer(D, H, FF, norm_first=norm_first)
            model = TransformerEncoder(layer, 2, nn.LayerNorm(D), enable_nested_tensor=True).eval()
            padding = torch.tensor([[False, True, True]])
            with torch.inference_mode():
                model(torch.randn(1, 3, D), src_key_padding_mask=padding)


class ArticlesLayer(nn.Module):
    """The layer of the article's section 5, batch-first; it knows no `is_causal`."""

    def __init__(self, d_model: int, nhead: int, dim_feedforward: int, dropout: float = 0.1):
        super().__init__()
        self.self_attn = nn.MultiheadAttention(d_model, nhead, dropout=dropout, batch_first=True)
        self.linear1 = nn.Linear(d_model, dim_feedforward)
        self.dropout = nn.Dropout(dropout)
        self.linear2 = nn.Linear(dim_feedforward, d_model)

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
    ) -> Tensor:
        src2 = self.self_attn(
            src, src, src, attn_mask=src_mask, key_padding_mask=src_key_padding_mask
        )[0]
        src = src + self.dropout(src2)
        src2 = self.linear2(self.dropout(torch.relu(self.linear1(src))))
        return src + self.dropout(src2)


@pytest.mark.parametrize("norm", [None, nn.LayerNorm(D)])
def test_a_stack_takes_layers_of_the_articles_listing_and_of_torchs(norm: nn.Module | None) -> None:
    x, padding = torch.randn(2, 4, D), torch.tensor([[False] * 4, [False, False, True, True]])
    mask = torch.ones(4, 4, dtype=torch.bool).triu(1)
    for layer in (ArticlesLayer(D, H, FF), nn.TransformerEncoderLayer(D, H, FF, batch_first=True)):
        model = TransformerEncoder(layer.eval(), num_layers=2, norm=norm)
        expected = layer(layer(x, mask, padding), mask, padding)
        expected = expected if norm is None else norm(expected)
        assert_close(model(x, mask, padding), expected)


@pytest.mark.parametrize("kind", ["none", "padding", "causal", "both"])
def test_a_stack_of_torchs_takes_our_layers(kind: str) -> None:
    layer, norm, x = TransformerEncoderLayer(D, H, FF).eval(), nn.LayerNorm(D), torch.randn(2, 4, D)
    padding = torch.tensor([[False] * 4, [False, False, True, True]])
    masks = {
        "mask": torch.ones(4, 4, dtype=torch.bool).triu(1) if kind in ("causal", "both") else None,
        "src_key_padding_mask": padding if kind in ("padding", "both") else None,
    }
    theirs = nn.TransformerEncoder(layer, 2, norm, enable_nested_tensor=False)
    ours = TransformerEncoder(layer, 2, norm)
    assert_close(theirs(x, **masks), ours(x, **masks))


@given(seed=st.integers(0, 99), norm_first=st.booleans(), extra=st.integers(1, 6))
def test_case_16_padding_does_not_change_real_rows(seed: int, norm_first: bool, extra: int) -> None:
    torch.manual_seed(seed)
    model = make(norm_first=norm_first).double().eval()
    x = torch.randn(2, 4, D, dtype=torch.float64)
    padded = torch.cat((x, 100 * torch.randn(2, extra, D, dtype=torch.float64)), dim=1)
    mask = torch.arange(4 + extra).expand(2, -1) >= 4
    assert_close(model(padded, src_key_padding_mask=mask)[:, :4], model(x))


@given(
    seed=st.integers(0, 99), norm_first=st.booleans(), causal=st.booleans(),
    lengths=st.lists(st.integers(0, 6), min_size=1, max_size=5),
)  # fmt: skip
def test_packed_gives_the_numbers_and_gradients_of_padded_at_real_tokens(
    seed: int, norm_first: bool, causal: bool, lengths: list[int]
) -> None:
    torch.manual_seed(seed)
    model = make(norm_first=norm_first, dropout=0.0).double()
    padding = torch.arange(6) >= torch.tensor(lengths)[:, None]
    results = []
    for packed in (False, True, None):
        x = torch.randn(len(lengths), 6, D, dtype=torch.float64, generator=torch.Generator())
        x.requires_grad_()
        output = model(x, src_key_padding_mask=padding, is_causal=causal, packed=packed)
        assert output.shape == x.shape
        real = output[~padding]
        grads = torch.autograd.grad(real.square().sum(), [x, *model.parameters()])
        results.append([real, *grads])
    assert_close(results[1], results[0])
    assert_close(results[2], results[0])


def test_packed_does_no_work_on_padding() -> None:
    model = make(1)
    tokens: list[int] = []
    model.layers[0].linear1.register_forward_hook(lambda m, i, o: tokens.append(o[..., 0].numel()))
    padding = torch.arange(6) >= torch.tensor([[1], [2], [6]])
    for packed in (False, True, None):
        model(torch.randn(3, 6, D), src_key_padding_mask=padding, packed=packed)
    assert tokens[:2] == [18, 9]


@given(seed=st.integers(0, 99), length=st.integers(1, 8), norm_first=st.booleans())
def test_reordering_the_input_reorders_the_output(seed: int, length: int, norm_first: bool) -> None:
    torch.manual_seed(seed)
    model = make(norm_first=norm_first).double().eval()
    x, order = torch.randn(1, length, D, dtype=torch.float64), torch.randperm(length)
    assert_close(model(x[:, order]), model(x)[:, order])


@given(batch=st.integers(0, 4), length=st.integers(1, 6), nhead=st.sampled_from([1, 2, 3, 6]))
def test_sequences_of_a_batch_do_not_meet(batch: int, length: int, nhead: int) -> None:
    layer = TransformerEncoderLayer(D, nhead, FF).double().eval()
    x = torch.randn(batch, length, D, dtype=torch.float64)
    together = layer(x)
    assert together.shape == x.shape
    for index in range(batch):
        assert_close(layer(x[index]), together[index])


@given(seed=st.integers(0, 99), length=st.integers(2, 8))
def test_causal_encoding_of_a_prefix_is_the_prefix_of_the_encoding(seed: int, length: int) -> None:
    torch.manual_seed(seed)
    model = make().double().eval()
    x = torch.randn(2, length, D, dtype=torch.float64)
    whole = model(x, is_causal=True)
    assert_close(model(x[:, : length - 1], is_causal=True), whole[:, : length - 1])


@pytest.mark.parametrize("norm_first", [False, True])
def test_gradcheck_at_input_and_parameters(norm_first: bool) -> None:
    layer = TransformerEncoderLayer(
        4, 2, 5, dropout=0.0, activation=torch.tanh, norm_first=norm_first
    )
    layer = layer.double()
    padding = torch.tensor([[False, False, False], [False, True, True]])
    x = torch.randn(2, 3, 4, dtype=torch.float64, requires_grad=True)
    names = list(dict(layer.named_parameters()))

    def run(x: Tensor, *weights: Tensor) -> Tensor:
        state = dict(zip(names, weights, strict=True))
        output: Tensor = torch.func.functional_call(
            layer, state, (x,), {"src_key_padding_mask": padding}
        )
        return output

    weights = [p.detach().clone().requires_grad_() for p in layer.parameters()]
    assert torch.autograd.gradcheck(run, (x, *weights))
    with sdpa_kernel(SDPBackend.MATH):  # the only kernel with a second derivative
        assert torch.autograd.gradgradcheck(layer, (x,))


def test_inputs_and_masks_are_not_changed_and_need_not_be_contiguous() -> None:
    model = make().eval()
    base = torch.randn(D, 5, 2)
    x = base.permute(2, 1, 0)  # (B, S, D), not contiguous
    mask = torch.zeros(5, 5, dtype=torch.bool)
    before = base.clone()
    output = model(x, mask, torch.zeros(2, 5, dtype=torch.bool))
    assert torch.equal(base, before)
    assert not mask.any()
    assert_close(output, model(x.contiguous()))


def test_refusals_are_sentences() -> None:
    with pytest.raises(ValueError, match="batch-first throughout"):
        TransformerEncoderLayer(D, H, FF, batch_first=False)
    with pytest.raises(ValueError, match="12 is not divisible by num_heads=5"):
        TransformerEncoderLayer(D, 5, FF)
    with pytest.raises(ValueError, match="'relu', 'gelu'"):
        TransformerEncoderLayer(D, H, FF, activation="swoosh")
    layer = TransformerEncoderLayer(D, H, FF)
    with pytest.raises(ValueError, match=r"d_model=12; got \(2, 3, 7\)"):
        layer(torch.randn(2, 3, 7))
    with pytest.raises(ValueError, match=r"got \(2, 2, 3, 12\)"):
        layer(torch.randn(2, 2, 3, D))
    with pytest.raises(ValueError, match=r"key_padding_mask has shape \(2, 4\)"):
        layer(torch.randn(2, 3, D), src_key_padding_mask=torch.zeros(2, 4, dtype=torch.bool))


def test_a_model_can_be_copied_compiled_to_a_graph_and_moved() -> None:
    model = make().eval()
    x = torch.randn(2, 4, D)
    assert_close(copy.deepcopy(model)(x), model(x))
    exported = torch.export.export(model, (x,))
    assert_close(exported.module()(x), model(x))
    assert next(model.to(torch.float64).parameters()).dtype == torch.float64


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["none", "padding", "added", "causal"])
def test_the_compiler_takes_a_model_whole_whatever_the_mask(kind: str) -> None:
    model = make().eval()
    x, padding = torch.randn(2, 4, D), torch.tensor([[False, False, True, True], [True] * 4])
    masks: dict[str, Tensor | bool] = {
        "none": {},
        "padding": {"src_key_padding_mask": padding},
        "added": {"src_key_padding_mask": torch.zeros(2, 4).masked_fill(padding, -torch.inf)},
        "causal": {"is_causal": True},
    }[kind]
    compiled = torch.compile(model, backend="eager", fullgraph=True)
    assert_close(compiled(x, **masks), model(x, **masks))


def test_layer_norm_equals_torchs() -> None:
    x, weight, bias = torch.randn(3, 5, 7), torch.randn(7), torch.randn(7)
    assert_close(layer_norm(x, weight, bias), F.layer_norm(x, (7,), weight, bias))
    constant = torch.full((1, 7), 3.0)
    assert_close(layer_norm(constant, weight, bias), bias[None])
    assert_close(layer_norm(x, weight, bias, eps=0.5), F.layer_norm(x, (7,), weight, bias, eps=0.5))


def test_residual_calls_each_part_once_in_the_order_asked_for() -> None:
    calls: list[str] = []

    class Norm(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            calls.append("norm")
            return 2 * x

    def sublayer(x: Tensor) -> Tensor:
        calls.append("sublayer")
        return x + 1

    x = torch.tensor([3.0])
    assert residual(x, sublayer, Norm(), norm_first=True).item() == 3 + (6 + 1)
    assert residual(x, sublayer, Norm(), norm_first=False).item() == 2 * (3 + 4)
    assert calls == ["norm", "sublayer", "sublayer", "norm"]


@pytest.mark.parametrize("norm_first", [False, True])
def test_both_orders_written_out_equal_the_residual_form(norm_first: bool) -> None:
    x, memory = torch.randn(2, 4, D), torch.randn(2, 5, D)
    one = TransformerEncoderLayer(D, H, FF, norm_first=norm_first).eval()
    other = TransformerDecoderLayer(D, H, FF, norm_first=norm_first).eval()
    for norm in (one.norm1, one.norm2, other.norm1, other.norm2, other.norm3):
        nn.init.normal_(norm.bias)
    y = residual(x, lambda x: one.self_attn(x, x, x)[0], one.norm1, norm_first)
    assert_close(one(x), residual(y, one._feed_forward, one.norm2, norm_first))
    y = residual(x, lambda x: other.self_attn(x, x, x)[0], other.norm1, norm_first)
    look = partial(other.multihead_attn, key=memory, value=memory)
    y = residual(y, lambda y: look(y)[0], other.norm2, norm_first)
    assert_close(other(x, memory), residual(y, other._feed_forward, other.norm3, norm_first))


def test_the_articles_listing_and_ours_have_one_signature() -> None:
    layer = inspect.signature(TransformerEncoderLayer).parameters
    assert list(layer)[:4] == ["d_model", "nhead", "dim_feedforward", "dropout"]
    stack = inspect.signature(TransformerEncoder).parameters
    assert list(stack)[:3] == ["encoder_layer", "num_layers", "norm"]
    forward = inspect.signature(TransformerEncoder.forward).parameters
    assert list(forward)[1:4] == ["src", "mask", "src_key_padding_mask"]
    assert encoder_file.__all__ == ["TransformerEncoder", "TransformerEncoderLayer"]
