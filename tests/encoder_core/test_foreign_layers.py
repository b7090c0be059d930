"""Stacks over layers that are not this package's: `torch.nn`'s, and the reader's own that know less."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from encoder_core.cache import KeyValueCache
from encoder_core.decoder import TransformerDecoder, TransformerDecoderLayer
from encoder_core.encoder import TransformerEncoder, TransformerEncoderLayer
from encoder_core.fast.packing import Packing, encode_layers
from encoder_core.masks import additive_mask, block_future, causal_mask, local_mask, padding_mask
from tests.close import assert_close

B, S, D, H, FF = 2, 6, 16, 2, 32
PADDING = padding_mask(torch.tensor([S, 4]))


class OwnLayer(nn.Module):
    """As in the article: it knows no `is_causal`."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(D, H, batch_first=True)

    def forward(
        self, x: Tensor, src_mask: Tensor | None = None, src_key_padding_mask: Tensor | None = None
    ) -> Tensor:
        masks = {"attn_mask": src_mask, "key_padding_mask": src_key_padding_mask}
        output: Tensor = x + self.attention(x, x, x, **masks)[0]
        return output


class OwnDecoderLayer(nn.Module):
    """Masks by name, in another order than torch's, and no `is_causal`."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.MultiheadAttention(D, H, batch_first=True)
        self.second = nn.MultiheadAttention(D, H, batch_first=True)

    def forward(
        self,
        x: Tensor,
        memory: Tensor,
        tgt_key_padding_mask: Tensor | None = None,
        tgt_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
    ) -> Tensor:
        x = x + self.first(x, x, x, tgt_key_padding_mask, attn_mask=tgt_mask)[0]
        output: Tensor = (
            x + self.second(x, memory, memory, memory_key_padding_mask, attn_mask=memory_mask)[0]
        )
        return output


class Inherited(TransformerEncoderLayer):
    """A layer of ours with a `forward` that knows nothing of packing."""

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        if src_mask is not None:
            src_mask = src_mask.clone()
        return super().forward(src, src_mask, src_key_padding_mask)


def _torchs(norm_first: bool = False) -> nn.Module:
    return nn.TransformerEncoderLayer(D, H, FF, 0.0, batch_first=True, norm_first=norm_first)


ENCODERS = {
    "torch.nn": _torchs,
    "torch.nn, pre-norm": lambda: _torchs(norm_first=True),
    "own": OwnLayer,
    "inherited": lambda: Inherited(D, H, FF, 0.0),
    "ours": lambda: TransformerEncoderLayer(D, H, FF, 0.0),
}
DECODERS = {
    "torch.nn": lambda: nn.TransformerDecoderLayer(D, H, FF, 0.0, batch_first=True),
    "own": OwnDecoderLayer,
    "ours": lambda: TransformerDecoderLayer(D, H, FF, 0.0),
}
# Every query is left something to look at: where it is not, torch.nn's layers give NaN.
MASKS = {
    "alone": None,
    "local": local_mask(S, 2),
    "float": torch.linspace(-1, 1, S * S).reshape(S, S),
    "by head": (torch.arange(B * H * S * S).reshape(B * H, S, S) % 5 == 4) & ~torch.eye(S).bool(),
}
MODES = {
    "train": (True, True),
    "train, no_grad": (True, False),
    "eval": (False, True),
    "eval, no_grad": (False, False),  # torch's fast path
}


@contextmanager
def mode(model: nn.Module, name: str) -> Iterator[None]:
    training, gradients = MODES[name]
    model.train(training)
    with torch.set_grad_enabled(gradients):
        yield


@pytest.mark.parametrize("name", MODES)
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("padding", [None, PADDING, additive_mask(PADDING, torch.float32)])
@pytest.mark.parametrize("kind", ENCODERS)
def test_is_causal_blocks_the_future_beside_the_masks_in_every_encoder(
    kind: str, padding: Tensor | None, mask: str, name: str
) -> None:
    model, x, given = TransformerEncoder(ENCODERS[kind](), 2), torch.randn(B, S, D), MASKS[mask]
    whole = causal_mask(S) if given is None else additive_mask(given, x.dtype)
    if given is not None or (padding is not None and padding.is_floating_point()):
        whole = whole + additive_mask(causal_mask(S), x.dtype)
    if padding is not None and whole.is_floating_point():
        whole_padding = padding if padding.is_floating_point() else additive_mask(padding, x.dtype)
    else:
        whole_padding = padding
    with mode(model, name):
        actual = model(x, given, padding, is_causal=True)
        expected = model(x, whole, whole_padding)
        other = torch.cat((x[:, :-1], x[:, -1:] + 10), dim=1)
        changed = model(other, given, padding, is_causal=True)
    real = slice(None) if padding is None else ~PADDING
    assert actual.isfinite().all()
    assert_close(actual[real], expected[real])
    assert torch.equal(actual[0, :-1], changed[0, :-1])  # nobody saw the last token


@pytest.mark.parametrize("name", MODES)
@pytest.mark.parametrize("kind", ENCODERS)
def test_is_causal_holds_for_unbatched_input(kind: str, name: str) -> None:
    model, x = TransformerEncoder(ENCODERS[kind](), 2), torch.randn(S, D)
    with mode(model, name):
        actual, expected = model(x, is_causal=True), model(x, causal_mask(S))
        changed = model(torch.cat((x[:-1], x[-1:] + 10)), is_causal=True)
    assert_close(actual, expected)
    assert torch.equal(actual[:-1], changed[:-1])


@pytest.mark.parametrize("name", MODES)
@pytest.mark.parametrize("mask", ["alone", "local", "float", "by head"])
@pytest.mark.parametrize("batched", [True, False])
@pytest.mark.parametrize("kind", DECODERS)
def test_is_causal_blocks_the_future_beside_the_masks_in_every_decoder(
    kind: str, batched: bool, mask: str, name: str
) -> None:
    model, keys = TransformerDecoder(DECODERS[kind](), 2), S - 2
    tgt, memory = torch.randn(B, S, D), torch.randn(B, keys, D)
    if not batched:
        tgt, memory = tgt[0], memory[0]
    given = MASKS[mask]
    if mask == "by head" and not batched:
        given = given[:H]
    across = None if given is None else given[..., :keys]
    with mode(model, name):
        actual = model(tgt, memory, given, across, tgt_is_causal=True, memory_is_causal=True)
        expected = model(
            tgt,
            memory,
            block_future(given, (S, S)),
            block_future(across, (S, keys)),
        )
        plain = model(tgt, memory, given, across)
        far = torch.cat((tgt[..., :-1, :], tgt[..., -1:, :] + 10), dim=-2)
        late = torch.cat((memory[..., :-1, :], memory[..., -1:, :] + 10), dim=-2)
        changed = model(far, late, given, across, tgt_is_causal=True, memory_is_causal=True)
    assert_close(actual, expected)
    assert not torch.allclose(actual, plain)
    assert torch.equal(actual[..., : keys - 1, :], changed[..., : keys - 1, :])


@pytest.mark.parametrize("kind", ENCODERS)
@pytest.mark.parametrize("packed", [None, True, False])
@pytest.mark.parametrize("causal", [False, True])
def test_packing_gives_the_padded_numbers_with_every_layer(
    kind: str, packed: bool | None, causal: bool
) -> None:
    model, x = TransformerEncoder(ENCODERS[kind](), 2).eval(), torch.randn(B, S, D)
    expected = model(x, None, PADDING, is_causal=causal)
    actual = model(x, None, PADDING, is_causal=causal, packed=packed)
    assert_close(actual[~PADDING], expected[~PADDING])


def test_a_floating_mask_beside_boolean_padding_is_packed_with_our_layers() -> None:
    seen: list[object] = []
    model, x = TransformerEncoder(TransformerEncoderLayer(D, H, FF, 0.0), 2), torch.randn(B, S, D)
    for layer in model.layers:
        layer.register_forward_pre_hook(
            lambda m, i, named: seen.append(named.get("strategy")), with_kwargs=True
        )
    expected = model(x, MASKS["float"], PADDING)
    actual = model(x, MASKS["float"], PADDING, packed=True)
    assert [isinstance(mask, Packing) for mask in seen] == [False, False, True, True]
    assert_close(actual[~PADDING], expected[~PADDING])


def test_one_foreign_layer_among_ours_keeps_the_batch_padded() -> None:
    seen: list[object] = []
    layers = [TransformerEncoderLayer(D, H, FF).eval() for _ in range(3)]
    for layer in layers:
        layer.register_forward_hook(
            lambda m, i, named, o: seen.append(named.get("strategy")), with_kwargs=True
        )
    x = torch.randn(B, S, D)
    encode_layers(layers, x, PADDING, packed=True)
    assert all(isinstance(mask, Packing) for mask in seen)
    for other in (OwnLayer(), _torchs().eval(), Inherited(D, H, FF).eval()):
        seen.clear()
        encode_layers([layers[0], other, layers[2]], x, PADDING, packed=True)
        assert seen == [None, None]


def test_a_layer_of_the_readers_own_can_say_that_it_takes_a_strategy() -> None:
    class Takes(Inherited):
        takes_strategy = True

        def forward(self, src: Tensor, *masks: Any, strategy: Any = None, **named: Any) -> Tensor:
            seen.append(strategy)
            return TransformerEncoderLayer.forward(self, src, *masks, strategy=strategy, **named)

    seen: list[object] = []
    model, x = TransformerEncoder(Takes(D, H, FF, 0.0), 1), torch.randn(B, S, D)
    expected = model(x, None, PADDING)
    assert_close(model(x, None, PADDING, packed=True)[~PADDING], expected[~PADDING])
    assert isinstance(seen[1], Packing)


def test_a_layer_of_ours_takes_an_attention_that_knows_of_no_strategy() -> None:
    layer = TransformerEncoderLayer(D, H, FF, 0.0).eval()
    x, theirs = torch.randn(B, S, D), nn.MultiheadAttention(D, H, batch_first=True)
    theirs.load_state_dict(layer.self_attn.state_dict())
    expected = layer(x, src_key_padding_mask=PADDING)
    layer.self_attn = theirs
    assert_close(layer(x, src_key_padding_mask=PADDING)[~PADDING], expected[~PADDING])


@pytest.mark.parametrize("name", MODES)
@pytest.mark.parametrize("padding", [None, PADDING, torch.linspace(-2, 2, B * S).reshape(B, S)])
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("causal", [False, True])
def test_torchs_layers_and_ours_give_the_same_whatever_the_mask(
    causal: bool, mask: str, padding: Tensor | None, name: str
) -> None:
    layers = [_torchs(), TransformerEncoderLayer(D, H, FF, 0.0)]
    layers[1].load_state_dict(layers[0].state_dict())
    x, outputs = torch.randn(B, S, D), []
    for layer in layers:
        model = TransformerEncoder(layer, 2)
        with mode(model, name):
            outputs.append(model(x, MASKS[mask], padding, is_causal=causal))
    real = slice(None) if padding is None or padding.is_floating_point() else ~PADDING
    assert_close(outputs[0][real], outputs[1][real])


@pytest.mark.parametrize(
    "layer", [nn.TransformerEncoderLayer(D, H), nn.TransformerDecoderLayer(D, H)]
)
def test_layers_that_read_sequences_first_are_refused_with_a_sentence(layer: nn.Module) -> None:
    for stack in (TransformerEncoder, TransformerDecoder):
        with pytest.raises(ValueError, match="Make the layer with batch_first=True"):
            stack(layer, 2)
        with pytest.raises(ValueError, match="Make the layer with batch_first=True"):
            stack.from_layers([layer])


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("kind", ENCODERS)
def test_masks_that_would_mean_something_else_are_refused_whatever_the_layers(
    kind: str, packed: bool, causal: bool
) -> None:
    model, x = TransformerEncoder(ENCODERS[kind](), 1), torch.randn(B, S, D)
    how = {"is_causal": causal, "packed": packed}
    for masks in ((local_mask(S, 1).float(), None), (None, PADDING.float())):
        with pytest.raises(ValueError, match="holds only 0 and 1"):
            model(x, *masks, **how)
    for masks in ((local_mask(S, 1).int(), None), (None, PADDING.int())):
        with pytest.raises(TypeError, match="mask == 0"):
            model(x, *masks, **how)
    with pytest.raises((ValueError, RuntimeError, AssertionError)):
        model(x, local_mask(S - 1, 1), **how)


@pytest.mark.parametrize("kind", DECODERS)
def test_masks_that_would_mean_something_else_are_refused_in_the_decoder(kind: str) -> None:
    model, x = TransformerDecoder(DECODERS[kind](), 1), torch.randn(B, S, D)
    for name in ("tgt_mask", "memory_mask"):
        for causal in (False, True):
            how = {name: local_mask(S, 1).float(), "tgt_is_causal": causal}
            with pytest.raises(ValueError, match="holds only 0 and 1"):
                model(x, x, memory_is_causal=causal, **how)
    for name in ("tgt_key_padding_mask", "memory_key_padding_mask"):
        with pytest.raises(ValueError, match="holds only 0 and 1"):
            model(x, x, **{name: PADDING.float()})


def test_a_mask_of_another_length_beside_is_causal_is_answered_with_a_sentence() -> None:
    for layer in (TransformerEncoderLayer(D, H, FF), _torchs(), OwnLayer()):
        model = TransformerEncoder(layer, 1)
        for shape in ((S - 1, S), (S, S + 1), (B, S, S - 1), (S - 2,)):
            mask = torch.zeros(shape, dtype=torch.bool)
            with pytest.raises(ValueError, match=r"expected \(L, S\) = \(6, 6\)"):
                model(torch.randn(B, S, D), mask, is_causal=True)


def test_decoding_step_by_step_names_the_layer_that_cannot() -> None:
    x = torch.randn(B, 1, D)
    for layer in (nn.TransformerDecoderLayer(D, H, FF, batch_first=True), OwnDecoderLayer()):
        with pytest.raises(TypeError, match=f"{type(layer).__name__} takes no cache="):
            TransformerDecoder(layer, 1).step(x, x, KeyValueCache.empty(1))


@pytest.mark.slow
def test_a_floating_mask_means_the_same_over_torchs_layers_when_compiled() -> None:
    """A mode is hidden from what the compiler traces, and the fast path would take 0.5 for "blocked"."""
    encoder = TransformerEncoder(_torchs(), num_layers=2).eval()
    x = torch.randn(2, 5, D, generator=torch.Generator().manual_seed(0))
    mask = torch.linspace(-1.0, 1.0, 25).reshape(5, 5)
    compiled = torch.compile(encoder, backend="eager")
    with torch.no_grad():
        expected = encoder(x, mask=mask)
        assert_close(compiled(x, mask=mask), expected)
