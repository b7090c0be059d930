"""Positions added to the scores: the tables, and the same numbers on every path through attention."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from encoder_core.attention import fused_attention, scaled_dot_product_attention
from encoder_core.cache import LayerCache
from encoder_core.cached_attention import attend_to_past
from encoder_core.decoder import TransformerDecoderLayer
from encoder_core.encoder import TransformerEncoder, TransformerEncoderLayer
from encoder_core.fast.layouts import TransposedLinear
from encoder_core.fast.packing import encode_layers
from encoder_core.fast.prepacked import prepack
from encoder_core.inspect.recording import attention_function, record
from encoder_core.masks import causal_mask, padding_mask
from encoder_core.models.bert import Bert, BertConfig
from encoder_core.multihead import MultiheadAttention
from encoder_core.positions import Rotary, alibi_bias
from encoder_core.relative import AlibiBias, RelativeBias, T5Bias, spread_over_pairs, t5_buckets
from tests.close import assert_close

D, H, S, FF = 16, 4, 7, 24
PADDING = padding_mask(torch.tensor([7, 4, 1]))


def random_bias(nhead: int = H) -> RelativeBias:
    """A table whose numbers are all different, so that a distance taken for another shows."""
    bias = RelativeBias(nhead, max_distance=5)
    nn.init.normal_(bias.table, std=2.0)
    return bias


def random_t5(nhead: int = H) -> T5Bias:
    bias = T5Bias(nhead, buckets=8, max_distance=6)
    nn.init.normal_(bias.table, std=2.0)
    return bias


KINDS: dict[str, Callable[[], nn.Module]] = {
    "alibi": lambda: AlibiBias(H),
    "relative": random_bias,
    "t5": random_t5,
}
kinds = pytest.mark.parametrize("kind", KINDS)


def written_out(bias: nn.Module, length: int, keys: int, offset: int) -> Tensor:
    """Each number by itself: that of one query and one key, alone at their distance."""
    rows = [
        [bias(1, 1, offset + i - j)[:, 0, 0] for j in range(keys)]  # query at i - j, key at 0
        for i in range(length)
    ]
    return torch.stack([torch.stack(row) for row in rows]).permute(2, 0, 1)


# The tables


@given(
    length=st.integers(1, 9), keys=st.integers(1, 9), offset=st.integers(0, 9), kind=st.sampled_from([*KINDS])
)  # fmt: skip
def test_every_pair_gets_the_number_of_its_distance(
    length: int, keys: int, offset: int, kind: str
) -> None:
    bias = KINDS[kind]()
    assert torch.equal(bias(length, keys, offset), written_out(bias, length, keys, offset))


@pytest.mark.parametrize("sizes", [(0, 3), (3, 0), (0, 0), (1, 1)])
@kinds
def test_nothing_to_attend_from_or_to_has_an_empty_bias(kind: str, sizes: tuple[int, int]) -> None:
    assert KINDS[kind]()(*sizes).shape == (H, *sizes)


@pytest.mark.parametrize("nhead", [1, 3, 4])
@pytest.mark.parametrize("offset", [0, 5])
def test_the_table_starts_with_alibi_up_to_its_longest_distance(nhead: int, offset: int) -> None:
    expected = alibi_bias(nhead, 4, offset + 4, offset=offset)
    assert torch.equal(AlibiBias(nhead)(4, offset + 4, offset), expected)
    assert torch.equal(RelativeBias(nhead, max_distance=8)(4, offset + 4, offset), expected)
    clipped = RelativeBias(nhead, max_distance=2)(4, offset + 4, offset)
    assert_close(clipped, expected.clamp(min=2 * alibi_bias(nhead, 2)[:, :1, 1:]))


def test_left_and_right_are_told_apart_and_beyond_the_table_is_its_end() -> None:
    bias = RelativeBias(1, max_distance=2)
    with torch.no_grad():
        bias.table.copy_(torch.tensor([[-2.0, -1.0, 0.0, 1.0, 2.0]]))
    assert bias(4, 4)[0].tolist() == [[0, 1, 2, 2], [-1, 0, 1, 2], [-2, -1, 0, 1], [-2, -2, -1, 0]]
    assert bias(1, 5, offset=4)[0].tolist() == [[-2, -2, -2, -1, 0]]


def test_gradients_reach_the_number_of_each_distance() -> None:
    bias, weight = random_bias(), torch.randn(H, S, S)
    (bias(S, S) * weight).sum().backward()
    expected = torch.zeros(H, 11)
    for i in range(S):
        for j in range(S):
            expected[:, max(-5, min(5, j - i)) + 5] += weight[:, i, j]
    assert bias.table.grad is not None
    assert_close(bias.table.grad, expected)
    zero, by_alibi = RelativeBias(2, start="zero"), RelativeBias(2)
    assert not zero.table.any()
    before = by_alibi.table.clone()
    nn.init.ones_(by_alibi.table)
    by_alibi.reset_parameters()
    assert torch.equal(by_alibi.table, before)


@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize(("buckets", "far"), [(32, 128), (8, 6), (16, 100), (64, 500), (12, 40)])
def test_buckets_are_those_of_transformers(buckets: int, far: int, bidirectional: bool) -> None:
    distance = torch.arange(-1100, 1101)
    from transformers.models.t5.modeling_t5 import T5Attention

    theirs = T5Attention._relative_position_bucket(distance, bidirectional, buckets, far)
    assert torch.equal(t5_buckets(distance, buckets, far, bidirectional), theirs)


@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize(("length", "past"), [(6, 0), (150, 0), (1, 9), (3, 140)])
def test_t5_bias_is_that_of_transformers(length: int, past: int, bidirectional: bool) -> None:
    from transformers.models.t5.configuration_t5 import T5Config
    from transformers.models.t5.modeling_t5 import T5Attention

    config = T5Config(d_model=16, d_kv=4, num_heads=H, is_decoder=not bidirectional)
    theirs = T5Attention(config, has_relative_attention_bias=True, layer_idx=0)
    ours = T5Bias(H, bidirectional=bidirectional)
    assert not ours.table.any()
    with torch.no_grad():
        nn.init.normal_(theirs.relative_attention_bias.weight)
        ours.table.copy_(theirs.relative_attention_bias.weight.T)
    expected = theirs.compute_bias(length, past + length, past_seen_tokens=past)[0]
    assert torch.equal(ours(length, past + length, past), expected)
    ours.reset_parameters()
    assert not ours.table.any()


def test_what_cannot_be_a_table_is_refused() -> None:
    for wrong in ({"nhead": 0}, {"nhead": 2, "max_distance": 0}):
        with pytest.raises(ValueError, match="at least 1"):
            RelativeBias(**wrong)
    with pytest.raises(ValueError, match="'alibi' or 'zero', got 'one'"):
        RelativeBias(2, start="one")  # type: ignore[arg-type]
    for sizes in ((0,), (2, 2), (2, 9), (2, 32, 8), (2, 1, 9, False)):
        with pytest.raises(ValueError, match="2 buckets a side"):
            T5Bias(*sizes)


# In attention


def attention(kind: str = "relative", **options: Any) -> MultiheadAttention:
    made = MultiheadAttention(D, H, position_bias=KINDS[kind](), **options)
    for parameter in made.parameters():
        if parameter is not getattr(made.position_bias, "table", None):
            nn.init.normal_(parameter, std=0.5)
    return made


MASKS: dict[str, dict[str, Any]] = {
    "none": {},
    "padding": {"key_padding_mask": PADDING},
    "causal": {"is_causal": True},
    "blocked row": {"attn_mask": torch.eye(S).bool()[2:3].T.expand(S, S)},
    "float": {"attn_mask": torch.linspace(-1, 1, S * S).reshape(S, S), "key_padding_mask": PADDING},
    "all": {"key_padding_mask": PADDING, "attn_mask": torch.randn(3 * H, S, S) > 0.5},
}


@pytest.mark.parametrize("gradients", [True, False])
@pytest.mark.parametrize("masks", MASKS)
@kinds
def test_it_is_added_to_the_scores_beside_every_mask(
    kind: str, masks: str, gradients: bool
) -> None:
    model, x = attention(kind).double(), torch.randn(3, S, D, dtype=torch.float64)
    plain = copy.deepcopy(model)
    plain.position_bias = None
    bias = model.position_bias(S, S).double().repeat(3, 1, 1)  # type: ignore[misc]
    given = MASKS[masks].get("attn_mask")
    spread = torch.zeros(1) if given is None else given
    blocked = spread if spread.dtype == torch.bool else torch.zeros(1, dtype=torch.bool)
    added = torch.zeros(1) if spread.dtype == torch.bool else spread
    beside = (bias + added).masked_fill(blocked, -torch.inf)
    with torch.set_grad_enabled(gradients):
        expected = plain(x, x, x, **{**MASKS[masks], "attn_mask": beside}, need_weights=True)
        for need_weights in (False, True):
            actual = model(x, x, x, **MASKS[masks], need_weights=need_weights)
            assert_close(actual[0], expected[0])
        assert_close(actual[1], expected[1])


@kinds
def test_explicit_and_fused_agree_in_values_and_gradients_with_a_bias(kind: str) -> None:
    bias = KINDS[kind]().double()
    for mask in (None, PADDING[:, None, None], causal_mask(S), ~PADDING[:, None, None] & False):
        values = [torch.randn(3, H, S, 5, dtype=torch.float64, requires_grad=True) for _ in "qkv"]
        wanted = [*values, *bias.parameters()]
        results = []
        for attend in (scaled_dot_product_attention, fused_attention):
            output: Any = attend(*values, mask, bias=bias(S, S))
            output = output[0] if isinstance(output, tuple) else output
            results.append((output, *torch.autograd.grad(output.square().sum(), wanted)))
        assert_close(results[1], results[0])


def test_a_bias_has_a_second_derivative() -> None:
    bias, x = random_bias(2).double(), torch.randn(1, 2, 3, 4, dtype=torch.float64)

    def score(table: Tensor, x: Tensor) -> Tensor:
        return fused_attention(x, x, x, None, 0.0, functional_call(bias, {"table": table}, (3, 3)))

    table = bias.table.detach().requires_grad_()
    assert torch.autograd.gradcheck(score, (table, x.requires_grad_()))
    assert torch.autograd.gradgradcheck(score, (table, x))


@pytest.mark.filterwarnings("ignore:There is a performance drop")
@kinds
def test_a_bias_works_within_torch_func(kind: str) -> None:
    model, x = attention(kind), torch.randn(5, 3, S, D)
    parameters = dict(model.named_parameters())

    def loss(parameters: dict[str, Tensor], x: Tensor) -> Tensor:
        output: Tensor = functional_call(model, parameters, (x, x, x))[0].square().sum()
        return output

    by_sample = vmap(grad(loss), (None, 0))(parameters, x)
    one = grad(loss)(parameters, x[1])
    assert_close({name: g[1] for name, g in by_sample.items()}, one)


@pytest.mark.parametrize("need_weights", [False, True])
def test_weights_are_dropped_in_training_with_a_bias(need_weights: bool) -> None:
    model, x = attention(dropout=0.5), torch.randn(3, S, D)
    torch.manual_seed(1)
    dropped = model(x, x, x, need_weights=need_weights)[0]
    torch.manual_seed(1)
    q, k, v = model.project(x, x, x)
    assert model.position_bias is not None
    heads, _ = scaled_dot_product_attention(q, k, v, None, 0.5, model.position_bias(S, S))
    assert_close(dropped, model.out_proj(heads.transpose(1, 2).flatten(2)))
    assert not torch.allclose(dropped, model(x, x, x)[0], atol=1e-2)
    assert torch.equal(model.eval()(x, x, x)[0], model(x, x, x)[0])


@pytest.mark.parametrize("training", [True, False])
def test_recorded_weights_show_the_bias(training: bool) -> None:
    model, x = attention(dropout=0.3).train(training), torch.randn(3, S, D)
    with record(model) as recording:
        model(x, x, x, key_padding_mask=PADDING)
    with record(model) as without:
        model.position_bias, bias = None, model.position_bias
        model(x, x, x, key_padding_mask=PADDING)
    assert bias is not None
    both = without.attention[0].log() + bias(S, S)
    assert_close(recording.attention[0], both.softmax(dim=-1), terms=4096)


def test_a_function_from_outside_gets_the_bias_with_the_mask() -> None:
    model, x = attention().eval(), torch.randn(3, S, D)
    expected = model(x, x, x, key_padding_mask=PADDING)[0]
    seen = []

    def function(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Any:
        seen.append(mask)
        return scaled_dot_product_attention(q, k, v, mask)

    with attention_function(model, function):
        assert_close(model(x, x, x, key_padding_mask=PADDING)[0], expected)
        model(x, x, x)
    assert model.position_bias is not None
    assert torch.equal(seen[1], model.position_bias(S, S))
    assert torch.equal(seen[0] == -torch.inf, PADDING[:, None, None].expand(3, H, S, S))


@pytest.mark.parametrize("window", [1, 2])
def test_a_window_and_a_bias_go_together(window: int) -> None:
    model, x = attention(window=window), torch.randn(1, 40, D)
    expected = attention_without_window(model)(
        x, x, x, attn_mask=(torch.arange(40)[:, None] - torch.arange(40)).abs() > window
    )
    assert_close(model(x, x, x)[0], expected[0])


def attention_without_window(model: MultiheadAttention) -> MultiheadAttention:
    other = copy.deepcopy(model)
    other.window = None
    return other


def test_half_precision_keeps_its_dtype() -> None:
    model, x = attention().bfloat16(), torch.randn(3, S, D).bfloat16()
    assert model(x, x, x, PADDING)[0].dtype == torch.bfloat16
    with torch.autocast("cpu", torch.bfloat16):
        assert attention()(x.float(), x.float(), x.float(), PADDING)[0].dtype == torch.bfloat16


def test_a_bias_of_another_shape_is_refused() -> None:
    model, x = attention(), torch.randn(1, S, D)
    model.position_bias = RelativeBias(2)
    with pytest.raises(ValueError, match=r"shape \(2, 7, 7\); expected \(H, L, S\) = \(4, 7, 7\)"):
        model(x, x, x)


def test_state_dicts_hold_the_table_and_without_a_bias_are_as_before() -> None:
    plain = MultiheadAttention(D, H)
    assert [*plain.state_dict()] == [*nn.MultiheadAttention(D, H).state_dict()]
    assert set(attention().state_dict()) - set(plain.state_dict()) == {"position_bias.table"}
    assert set(attention("alibi").state_dict()) == set(plain.state_dict())


def test_copies_do_not_share_the_table_and_old_files_have_none() -> None:
    layer = TransformerEncoderLayer(D, H, FF)
    layer.self_attn.position_bias = random_bias()
    clones = TransformerEncoder(layer, 2).layers
    tables = [made.get_parameter("self_attn.position_bias.table") for made in clones]
    with torch.no_grad():
        tables[0].add_(1)
    assert not (tables[0] == tables[1]).any()
    assert torch.equal(tables[1], layer.get_parameter("self_attn.position_bias.table"))
    again = pickle.loads(pickle.dumps(attention()))
    assert isinstance(again.position_bias, RelativeBias)
    old = MultiheadAttention(D, H)
    del old.__dict__["position_bias"]
    assert copy.deepcopy(old).position_bias is None


# In layers and stacks


def stack(kind: str, **options: Any) -> TransformerEncoder:
    layers = [TransformerEncoderLayer(D, H, FF, **options) for _ in range(2)]
    for layer in layers:
        layer.self_attn.position_bias = KINDS[kind]()
    return TransformerEncoder.from_layers(layers)


@pytest.mark.parametrize("left", [False, True])
@kinds
def test_packed_batches_give_the_same_numbers_and_gradients(kind: str, left: bool) -> None:
    model, x = stack(kind, dropout=0.0).double(), torch.randn(3, S, D, dtype=torch.float64)
    padding = PADDING.flip(1) if left else PADDING
    results = []
    for packed in (False, True):
        hidden = model(x, None, padding, packed=packed)[~padding]
        gradients = torch.autograd.grad(hidden.square().sum(), [*model.parameters()])
        results.append((hidden, *gradients))
    assert_close(results[1], results[0])
    with record(model) as padded:
        model(x, None, padding)
    with record(model) as packed_too:
        model(x, None, padding, packed=True)
    for one, other in zip(padded.attention, packed_too.attention, strict=True):
        real = ~padding[:, None, :, None].expand_as(one)
        assert_close(other[real], one[real])
    dropping = stack(kind, dropout=0.4).double()
    assert encode_layers(dropping.layers, x, padding, packed=True).isfinite().all()


@kinds
def test_laid_out_weights_leave_the_bias_as_it_is(kind: str) -> None:
    model, x = stack(kind).eval(), torch.randn(3, S, D)
    with torch.inference_mode():
        expected = model(x, None, PADDING)
        assert prepack(model, few=TransposedLinear, many=TransposedLinear) == 2
        assert_close(model(x, None, PADDING), expected)
        packed = model(x, None, PADDING, packed=True)
        assert_close(packed[~PADDING], expected[~PADDING])
        for parameter in model.parameters():
            if parameter.shape[0] == H:  # the tables
                parameter.add_(torch.randn_like(parameter))
                changed = model(x, None, PADDING)
                assert not torch.allclose(changed, expected, atol=1e-2)


@pytest.mark.parametrize("positions", [*KINDS, "rotary"])
def test_steps_with_a_cache_count_from_its_end(positions: str) -> None:
    layer = TransformerDecoderLayer(D, H, FF).double().eval()
    if positions == "rotary":
        layer.self_attn.rotary = Rotary(D // H, base=10.0)
    else:
        layer.self_attn.position_bias = KINDS[positions]().double()
    x, cache = torch.randn(2, S, D, dtype=torch.float64), LayerCache()
    whole = layer.self_attn(x, x, x, is_causal=True)[0]
    parts = [attend_to_past(layer.self_attn, part, cache) for part in x.split((1, 3, 1, 2), dim=1)]
    assert_close(torch.cat(parts, dim=1), whole)
    memory, cache = torch.randn(2, 3, D, dtype=torch.float64), LayerCache()
    target = layer(x, memory, tgt_is_causal=True)
    steps = [layer(x[:, t : t + 1], memory, cache=cache) for t in range(S)]
    assert_close(torch.cat(steps, dim=1), target)


def test_bert_gives_each_layer_a_table_of_its_own_and_keeps_it_when_reset() -> None:
    config = BertConfig(99, D, H, 2, FF, dropout=0.0, attention_dropout=0.0)
    model = Bert(config, seed=0, position_bias=RelativeBias)
    tables = [layer.get_parameter("self_attn.position_bias.table") for layer in model.layers]
    assert tables[0] is not tables[1]
    model.reset_parameters()
    for table in tables:
        assert torch.equal(table, RelativeBias(H).table)
    plain = Bert(config, seed=0)
    assert [n for n in model.state_dict() if "position_bias" not in n] == [*plain.state_dict()]
    assert all(torch.equal(p, Bert(config, seed=0, position_bias=RelativeBias).state_dict()[n])
               for n, p in plain.state_dict().items())  # fmt: skip
    ids = torch.tensor([[5, 6, 7, 0]])
    packed = model(ids, padding_mask=ids == 0, packed=True)
    assert_close(packed, model(ids, padding_mask=ids == 0, packed=False))
    assert not torch.allclose(packed, plain(ids, padding_mask=ids == 0), atol=1e-3)


def test_pairs_are_laid_out_from_the_last_querys_row() -> None:
    line = torch.arange(5.0)[None]  # distances -1 to 3 of two queries and four keys
    assert spread_over_pairs(line, 2, 4).tolist() == [[[1, 2, 3, 4], [0, 1, 2, 3]]]
