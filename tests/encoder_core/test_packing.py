"""No work on padding: packed batches give the numbers of padded ones, and gradients too."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from encoder_core.attention import AttentionStrategy, scaled_dot_product_attention
from encoder_core.encoder import TransformerEncoderLayer
from encoder_core.fast.layouts import TransposedLinear
from encoder_core.fast.packing import encode_layers, pack
from encoder_core.fast.prepacked import prepack
from encoder_core.inspect.recording import attention_function, patch, record
from encoder_core.masks import causal_mask, padding_mask
from encoder_core.models.bert import Bert, BertConfig
from encoder_core.models.modernbert import ModernBert, ModernBertConfig
from tests.close import assert_close

BERT = BertConfig(
    vocab_size=99,
    d_model=16,
    nhead=4,
    num_layers=2,
    dim_feedforward=24,
    dropout=0.0,
    attention_dropout=0.0,
)
MODERN = ModernBertConfig(99, 16, 4, 24, (None, 2, 1), padding_idx=0)


def models() -> list[Bert | ModernBert]:
    return [Bert(BERT, seed=1).double().eval(), ModernBert(MODERN, seed=1).double().eval()]


lengths = st.lists(st.integers(0, 7), min_size=1, max_size=6)


@given(lengths=lengths, extra=st.integers(0, 3), left=st.booleans())
def test_packing_and_unpacking_undo_one_another(lengths: list[int], extra: int, left: bool) -> None:
    padding = padding_mask(torch.tensor(lengths), max(lengths) + extra)
    padding = padding.flip(1) if left else padding
    packing = pack(padding)
    assert packing is not None
    x = torch.randn(*padding.shape, 3)
    packed = packing.pack(x)
    assert packed.shape == (1, sum(lengths), 3)
    assert torch.equal(packing.unpack(packed), x.masked_fill(padding[..., None], 0))
    assert sum(count * length for count, length in packing.groups) == sum(lengths)
    assert [length for _, length in packing.groups] == sorted({n for n in lengths if n})
    heads = torch.randn(len(lengths), 2, padding.shape[1], 3)
    again = packing.unpack_heads(packing.pack_heads(heads))
    assert torch.equal(again, heads.masked_fill(padding[:, None, :, None], 0))


@given(lengths=lengths.filter(any), extra=st.integers(0, 3), left=st.booleans())
def test_packed_encoders_equal_padded_ones(lengths: list[int], extra: int, left: bool) -> None:
    padding = padding_mask(torch.tensor(lengths), max(lengths) + extra)
    for model in models():
        blocked = padding.flip(1) if left else padding
        ids = torch.randint(1, 99, padding.shape)
        assert_close(
            model(ids, padding_mask=blocked, packed=True),
            model(ids, padding_mask=blocked, packed=False),
        )


@pytest.mark.parametrize("index", [0, 1])
def test_gradients_are_the_same_on_both_paths(index: int) -> None:
    padding = padding_mask(torch.tensor([5, 0, 2, 5, 7, 2]))
    ids = torch.randint(1, 99, padding.shape)
    gradients = []
    for packed in (False, True):
        model = models()[index].train()
        model(ids, padding_mask=padding, packed=packed).pow(2).sum().backward()
        gradients.append({name: p.grad for name, p in model.named_parameters()})
    assert_close(gradients[1], gradients[0])


def test_only_real_tokens_are_computed() -> None:
    model = Bert(BERT, seed=0)
    seen: list[torch.Size] = []
    for layer in model.layers:
        layer.linear1.register_forward_hook(lambda m, i, o: seen.append(i[0].shape))
    padding = padding_mask(torch.tensor([3, 8, 1]))
    ids = torch.randint(1, 99, padding.shape)
    model(ids, padding_mask=padding, packed=True)
    assert seen == [(1, 12, 16)] * 2
    seen.clear()
    model(ids, padding_mask=padding)  # by itself, since half of it is padding
    model(ids, padding_mask=padding, packed=False)
    model(ids, padding_mask=padding_mask(torch.tensor([8, 8, 7])))  # not worth its while
    assert seen == [(1, 12, 16)] * 2 + [(3, 8, 16)] * 4


def test_attention_never_sees_padding_nor_another_text() -> None:
    shapes: list[tuple[int, ...]] = []

    def function(
        query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        assert mask is None
        shapes.append(tuple(query.shape))
        return scaled_dot_product_attention(query, key, value)

    model = Bert(BERT, seed=0)
    padding = padding_mask(torch.tensor([3, 8, 3, 1]))
    with attention_function(model, function):
        model(torch.randint(1, 99, padding.shape), padding_mask=padding, packed=True)
    assert shapes == [(1, 4, 1, 4), (2, 4, 3, 4), (1, 4, 8, 4)] * 2


@pytest.mark.parametrize("index", [0, 1])
def test_a_mask_for_all_texts_is_kept(index: int) -> None:
    model = models()[index]
    padding = padding_mask(torch.tensor([3, 8, 5]))
    ids = torch.randint(1, 99, padding.shape)
    for mask in (causal_mask(8), torch.randn(8, 8, dtype=torch.float64)):
        outputs = [model(ids, None, padding, mask, packed=packed) for packed in (True, False)]
        assert_close(*outputs)
        assert not torch.allclose(outputs[0], model(ids, None, padding))


def test_what_cannot_be_packed_is_computed_padded() -> None:
    model = models()[0]
    ids = torch.randint(1, 99, (2, 4))
    holes = torch.tensor([[False, True, False, True], [False, False, False, True]])
    each = torch.rand(2, 4, 4) < 0.3
    right = padding_mask(torch.tensor([2, 4]))
    assert pack(holes) is None
    assert pack(right, each) is None
    assert pack(right.flip(1), causal_mask(4)) is None
    for padding, mask in ((holes, None), (right, each), (right.flip(1), causal_mask(4))):
        outputs = [model(ids, None, padding, mask, packed=packed) for packed in (True, False)]
        assert torch.equal(*outputs)


@pytest.mark.parametrize("packed", [True, False, None])
def test_masks_of_another_shape_are_refused_on_every_path(packed: bool | None) -> None:
    ids, padding = torch.randint(1, 99, (2, 4)), padding_mask(torch.tensor([1, 2]), 4)
    for model in models():
        for wrong in (padding[:1], padding[:, :3], padding[0]):
            with pytest.raises(ValueError, match=r"expected \(B, S\) = \(2, 4\)"):
                model(ids, None, wrong, packed=packed)
        for shape in ((3, 3), (5, 5), (4, 2)):
            with pytest.raises(ValueError, match=r"expected \(L, S\) = \(4, 4\)"):
                model(ids, None, padding, torch.zeros(shape, dtype=torch.bool), packed=packed)
        with pytest.raises(TypeError, match="mask == 0"):
            model(ids, None, padding.long(), packed=packed)


@pytest.mark.parametrize("index", [0, 1])
def test_recordings_and_patches_are_those_of_the_padded_path(index: int) -> None:
    model = models()[index]
    padding = padding_mask(torch.tensor([3, 7, 3, 1]))
    ids = torch.randint(1, 99, padding.shape)
    seen = []
    for packed in (False, True):
        with record(model) as recording:
            model(ids, padding_mask=padding, packed=packed)
        seen.append(recording)
    real = ~padding
    both = (real[:, None, :, None] & real[:, None, None, :]).expand(4, 4, 7, 7)
    for padded, packed_ in zip(seen[0].attention, seen[1].attention, strict=True):
        assert_close(packed_[both], padded[both])
        assert not packed_[~both].any()
    for padded, packed_ in zip(seen[0].hidden_states, seen[1].hidden_states, strict=True):
        assert_close(packed_[real], padded[real])
    other = torch.randn(4, 7, 4, dtype=torch.float64)
    with patch(model, {(0, 1): other, (1, 3): 0.0}):
        outputs = [model(ids, padding_mask=padding, packed=packed) for packed in (True, False)]
    assert_close(*outputs)
    assert not torch.allclose(outputs[0], model(ids, padding_mask=padding))


def test_weights_of_a_packed_batch_stand_where_its_texts_do() -> None:
    padding = padding_mask(torch.tensor([3, 0, 5, 1]), 6).flip(1)  # before the texts
    model, x = models()[0], torch.randn(4, 6, 16, dtype=torch.float64)
    with record(model) as padded:
        model.encode(x, padding, packed=False)
    with record(model) as packed:
        model.encode(x, padding, packed=True)
    for one, other in zip(padded.attention, packed.attention, strict=True):
        assert_close(other, one.masked_fill(padding[:, None, :, None], 0))
    with record(model) as nothing:
        model.encode(x, torch.ones_like(padding), packed=True)
    assert not nothing.attention[0].any()


def test_dropout_falls_in_packed_training_and_stops_in_evaluation() -> None:
    model = Bert(BertConfig(**{**vars(BERT), "dropout": 0.3}), seed=0)
    padding = padding_mask(torch.tensor([3, 8]))
    ids = torch.randint(1, 99, padding.shape)
    first, second = (model(ids, padding_mask=padding, packed=True) for _ in range(2))
    assert not torch.allclose(first, second)
    model.eval()
    first, second = (model(ids, padding_mask=padding, packed=True) for _ in range(2))
    assert torch.equal(first, second)


def test_a_batch_of_padding_alone_gives_zeros_on_both_paths() -> None:
    for model in models():
        ids, padding = torch.ones(2, 3, dtype=torch.long), torch.ones(2, 3, dtype=torch.bool)
        for packed in (True, False):
            hidden = model(ids, padding_mask=padding, packed=packed)
            assert torch.equal(hidden, torch.zeros(2, 3, 16, dtype=torch.float64))


def test_stacks_of_torchs_kind_can_be_packed_too() -> None:
    layers = [TransformerEncoderLayer(8, 2, 16).eval() for _ in range(2)]
    x, padding = torch.randn(3, 5, 8), padding_mask(torch.tensor([5, 2, 3]))
    one, other = (encode_layers(layers, x, padding, packed=packed) for packed in (True, False))
    assert_close(one[~padding], other[~padding])


def test_masks_beside_a_plan_are_refused() -> None:
    layer, padding = TransformerEncoderLayer(8, 2, 16).eval(), padding_mask(torch.tensor([2, 1]))
    packing = pack(padding)
    assert packing is not None
    x = packing.pack(torch.randn(2, 2, 8))
    for masks in ({"is_causal": True}, {"src_mask": causal_mask(3)}):
        with pytest.raises(ValueError, match="masked by its plan"):
            layer(x, strategy=packing, **masks)


def test_a_checkpointed_layer_packs_in_the_backward_pass_too() -> None:
    layer = TransformerEncoderLayer(8, 2, 16, dropout=0.0)
    padding = padding_mask(torch.tensor([5, 2, 3]))
    packing = pack(padding)
    assert packing is not None
    x = torch.randn(3, 5, 8, requires_grad=True)
    gradients = []
    for run in (layer, partial(checkpoint, layer, use_reentrant=False)):
        made = run(packing.pack(x), strategy=packing)
        gradients.append(torch.autograd.grad(made.square().sum(), [x, *layer.parameters()]))
    assert_close(gradients[1], gradients[0])


class Halves:
    """A strategy that packs nothing: each half of a text attends to itself alone."""

    def attend(self, step: Any, *qkv: Any) -> tuple[Tensor, None]:
        *parts, mask, _ = qkv
        halves = zip(*(x.chunk(2, dim=2) for x in parts), strict=True)
        return torch.cat([step(*half, mask, False)[0] for half in halves], dim=2), None

    def unpack(self, x: Tensor) -> Tensor:
        return x

    unpack_heads = pack_heads = unpack


def test_a_strategy_of_the_readers_own_decides_who_attends_together() -> None:
    layer, x = TransformerEncoderLayer(8, 2, 16).eval(), torch.randn(3, 6, 8)
    blocked = torch.ones(6, 6, dtype=torch.bool)
    blocked[:3, :3] = blocked[3:, 3:] = False
    strategy: AttentionStrategy = Halves()
    assert_close(layer(x, strategy=strategy), layer(x, blocked))
    with torch.inference_mode():
        prepack(layer, TransposedLinear, TransposedLinear)
        assert_close(layer(x, strategy=strategy), layer(x, blocked))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_equals_the_cpu() -> None:
    padding = padding_mask(torch.tensor([3, 8, 3, 1]))
    ids = torch.randint(1, 99, padding.shape)
    for model in models():
        expected = model(ids, padding_mask=padding, packed=False)
        there = model.cuda()
        for packed in (True, False):
            hidden = there(ids.cuda(), padding_mask=padding.cuda(), packed=packed)
            assert_close(hidden.cpu(), expected)
