"""The attention lab's arrays are what encoder_core computes, whatever is set."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from course.labs.attention.compute import compute
from course.labs.attention.measures import changes, row_steps
from course.labs.attention.settings import Painting, Selection, Settings
from course.labs.faults import InvalidSetting, OwnFailed
from course.labs.packing import pack_bits
from encoder_core.attention import scaled_dot_product_attention
from encoder_core.inspect.recording import ablate, record
from encoder_core.masks import causal_mask
from encoder_core.pretrained.minilm import load_minilm
from tests.close import assert_minilm_close as assert_close

TEXT = "Anna thanked Peter because he had helped her brother."
FRESH = {"encoder": "fresh", "heads": 4, "d_model": 32}


def bert_inputs(text: str = TEXT, pair: str | None = None) -> tuple[Tensor, Tensor]:
    encoding = load_minilm()[1].encode(text, pair)
    return torch.tensor([encoding.ids]), torch.tensor([encoding.type_ids])


@pytest.mark.parametrize("pair", ["", "Someone was grateful."])
def test_the_pretrained_encoder_is_minilm(pair: str) -> None:
    model, _ = load_minilm()
    with torch.no_grad(), record(model) as recording:
        hidden = model(*bert_inputs(TEXT, pair or None))
    arrays = compute(Settings(TEXT, pair=pair))
    assert_close(arrays.hidden, hidden[0].numpy())
    expected = torch.cat(recording.attention).numpy()
    assert_close(arrays.weights, expected)
    assert_close(arrays.mixed, torch.cat(recording.heads).numpy())


def test_a_causal_mask_is_berts() -> None:
    ids, type_ids = bert_inputs()
    with torch.no_grad():
        hidden = load_minilm()[0](ids, type_ids, mask=causal_mask(ids.shape[1]))
    arrays = compute(Settings(TEXT, mask="causal"))
    assert_close(arrays.hidden, hidden[0].numpy())
    assert not arrays.weights[..., arrays.blocked[0]].any()


def test_padding_that_is_blocked_changes_no_real_token() -> None:
    plain = compute(Settings(TEXT))
    real = plain.tokens.real
    masked = compute(Settings(TEXT, padding=5, mask="padding"))
    leaking = compute(Settings(TEXT, padding=5))
    assert masked.tokens.labels[real:] == ("[PAD]",) * 5
    assert_close(masked.hidden[:real], plain.hidden)
    assert not masked.weights[..., real:].any()
    assert np.abs(leaking.hidden[:real] - plain.hidden).max() > 0.01


def test_a_painted_mask_blocks_what_is_painted_and_nothing_else() -> None:
    length = len(compute(Settings(TEXT)).tokens.labels)
    blocked = np.zeros((length, length), dtype=bool)
    blocked[3, 1] = blocked[5] = True  # one cell, and a query that may look at nothing
    painting = Painting(length, pack_bits(blocked))
    arrays = compute(Settings(TEXT, mask="painted", painted=painting))
    assert np.array_equal(arrays.blocked[0], blocked)
    assert not arrays.weights[..., blocked].any()
    assert not arrays.mixed[:, :, 5].any()
    sums = np.delete(arrays.weights.sum(-1), 5, axis=-1)
    assert_close(sums, 1)
    assert np.isfinite(arrays.hidden).all()


@given(
    temperature=st.floats(0.1, 5),
    scaled=st.booleans(),
    mask=st.sampled_from(["none", "causal"]),
    heads=st.sampled_from([1, 2, 4, 8]),
)
@settings(max_examples=25, deadline=None)
def test_weights_are_the_softmax_of_the_scores_divided(
    temperature: float, scaled: bool, mask: str, heads: int
) -> None:
    fresh = {**FRESH, "heads": heads}
    arrays = compute(Settings(TEXT, temperature=temperature, scaled=scaled, mask=mask, **fresh))
    divided_by = temperature * (math.sqrt(32 / heads) if scaled else 1)
    scores = torch.from_numpy(arrays.query @ arrays.key.swapaxes(-1, -2)) / divided_by
    scores = scores.masked_fill(torch.from_numpy(arrays.blocked[0]), -torch.inf)
    assert_close(arrays.weights, scores.softmax(-1).numpy())
    assert_close(arrays.mixed, arrays.weights @ arrays.value)


def test_a_head_switched_off_is_encoder_cores_ablation() -> None:
    off = frozenset({(1, 3), (4, 0)})
    model, _ = load_minilm()
    with torch.no_grad(), ablate(model, set(off)):
        hidden = model(*bert_inputs())
    arrays = compute(Settings(TEXT, off=off))
    assert arrays.off == ((1, 3), (4, 0))
    assert_close(arrays.hidden, hidden[0].numpy())
    assert_close(arrays.hidden_all_on, compute(Settings(TEXT)).hidden)
    cosine, moved = changes(arrays).T
    now, before = torch.from_numpy(arrays.hidden), torch.from_numpy(arrays.hidden_all_on)
    expected = torch.cosine_similarity(now, before).numpy()
    assert_close(cosine, expected)
    apart = ((now - before).norm(dim=-1) / before.norm(dim=-1)).numpy()
    assert_close(moved, apart)  # float32, summed in another order
    assert moved.max() > 0.01


def test_heads_that_this_encoder_does_not_have_are_no_change() -> None:
    arrays = compute(Settings(TEXT, off=frozenset({(1, 9), (5, 0)}), **FRESH))
    assert arrays.off == ()
    np.testing.assert_array_equal(arrays.hidden, arrays.hidden_all_on)


def test_the_row_as_numbers_adds_up() -> None:
    arrays = compute(Settings(TEXT, mask="causal", temperature=2.0))
    chosen = Selection(layer=1, head=3, query=8, key=1, dimension=30)
    steps = row_steps(arrays, chosen)  # 28 is the last first number of 32 that has four
    products, divided, masked, weights = steps[:-1, :4].T
    assert_close(divided, products / (math.sqrt(32) * 2))
    assert (masked[9:] == -np.inf).all()
    np.testing.assert_array_equal(masked[:9], divided[:9])
    powers = np.exp(masked)
    assert_close(weights, powers / powers.sum())
    assert_close(steps[:-1, 4:], arrays.value[1, 3][:, 28:32])
    assert_close(steps[-1, 4:], weights @ steps[:-1, 4:])
    assert_close(steps[-1, 3], 1.0, dtype=torch.float32)


def test_fresh_weights_depend_on_the_seed_alone() -> None:
    first = compute(Settings(TEXT, **FRESH))
    again = compute(Settings(TEXT, **FRESH))
    deeper = compute(Settings(TEXT, layers=4, **FRESH))
    other = compute(Settings(TEXT, seed=1, **FRESH))
    np.testing.assert_array_equal(first.weights, again.weights)
    assert_close(deeper.weights[:2], first.weights)
    assert np.abs(other.weights - first.weights).max() > 0.01
    # Heads cut the same projections differently: joined, the queries of all heads are the same.
    two = compute(Settings(TEXT, **{**FRESH, "heads": 2}))
    joined = [arrays.query[0].swapaxes(0, 1).reshape(-1, 32) for arrays in (first, two)]
    assert_close(joined[0], joined[1])


def test_nothing_around_is_changed() -> None:
    model, _ = load_minilm()
    before = [layer.self_attn.attention for layer in model.layers]
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    torch.set_num_threads(2)
    try:
        compute(Settings(TEXT))
        compute(Settings(TEXT, seed=77, **FRESH))
        with pytest.raises(OwnFailed):
            compute(Settings(TEXT), lambda *_: 1 / 0)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)
    assert torch.equal(torch.rand(3), expected)
    assert [layer.self_attn.attention for layer in model.layers] == before


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ({"text": ""}, "no text"),
        ({"text": " \n\t"}, "no text"),
        ({"text": "word " * 127}, "129 tokens; the lab draws at most 128"),
        ({"text": "word " * 100, "padding": 32}, "134 tokens, 32 of them \\[PAD\\]"),
        ({"heads": 3}, "d_model = 256 is not divisible by 3 heads.*nearest.* is 255"),
        ({"heads": 16, "d_model": 4}, "nearest d_model that fits is 16"),
        ({"heads": 11, "d_model": 512}, "nearest d_model that fits is 506"),
        ({"heads": 0}, "number of heads must be a whole number from 1 to 16"),
        ({"heads": None}, "number of heads"),
        ({"d_model": 256.5}, "d_model must be a whole number"),
        ({"layers": 7}, "number of layers"),
        ({"seed": -1}, "seed"),
        ({"padding": 33}, "\\[PAD\\]"),
        ({"temperature": 0}, "temperature must be from 0.1 to 5"),
        ({"temperature": None}, "temperature must be a number"),
        ({"mask": "diagonal"}, "mask must be one of none, causal"),
        ({"device": "abacus"}, "device must be one of cpu"),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence(setting: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidSetting, match=sentence):
        compute(Settings(**{"text": TEXT, "encoder": "fresh", **setting}))


def test_the_longest_text_is_drawn() -> None:
    arrays = compute(Settings("word " * 126, **FRESH))
    assert arrays.weights.shape == (2, 4, 128, 128)


# The learner's own attention


def own(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Any:
    """A learner's: another style, and it changes what it is given."""
    query *= query.shape[-1] ** -0.5
    scores = torch.einsum("...ld,...sd->...ls", query, key)
    if mask is not None:
        scores[mask.expand_as(scores)] = -torch.inf
    weights = torch.nan_to_num(scores.softmax(-1))
    value.add_(0)
    key.zero_()
    return weights @ value, weights


@pytest.mark.parametrize(
    "change", [{}, {"mask": "causal"}, {"temperature": 0.5}, {"scaled": False}]
)
def test_ones_own_attention_gives_the_same_picture(change: dict[str, Any]) -> None:
    reference, mine = compute(Settings(TEXT, **change)), compute(Settings(TEXT, **change), own)
    for name in ("query", "key", "value", "weights", "mixed", "hidden"):
        assert_close(getattr(mine, name), getattr(reference, name))


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (lambda q, k, v, m: 1 / 0, "raised ZeroDivisionError in layer 0: division by zero"),
        (lambda q, k, v, m: q @ v, "Your attention raised RuntimeError in layer 0"),
        (
            lambda q, k, v, m: (_ for _ in ()).throw(NotImplementedError),
            "raised NotImplementedError",
        ),
        (lambda q, k, v, m: None, "returned NoneType; expected two tensors"),
        (lambda q, k, v, m: v, "returned Tensor; expected two tensors"),
        (lambda q, k, v, m: (v, v, v), "returned 3 things"),
        (lambda q, k, v, m: (v, [1]), "weights are of type list"),
        (lambda q, k, v, m: (v, v), r"weights have the shape \(1, 4, 12, 8\).*\(1, 4, 12, 12\)"),
        (lambda q, k, v, m: (q @ k.mT, q @ k.mT), "output have the shape"),
        (lambda q, k, v, m: (v * torch.nan, q @ k.mT), "output hold NaN"),
    ],
)
def test_an_attention_that_fails_is_told_of(function: Any, sentence: str) -> None:
    with pytest.raises(OwnFailed, match=sentence):
        compute(Settings(TEXT, **FRESH), function)


def test_an_attention_in_another_precision_is_taken() -> None:
    def doubled(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Any:
        return scaled_dot_product_attention(query.double(), key.double(), value.double(), mask)

    arrays = compute(Settings(TEXT, **FRESH), doubled)
    assert_close(arrays.weights, compute(Settings(TEXT, **FRESH)).weights)


@pytest.mark.gpu
@pytest.mark.parametrize("encoder", ["pretrained", "fresh"])
def test_the_same_on_cuda(encoder: str) -> None:
    change: dict[str, Any] = {"mask": "causal", "off": frozenset({(1, 3)}), "encoder": encoder}
    cpu, gpu = (compute(Settings(TEXT, device=device, **change)) for device in ("cpu", "cuda"))
    np.testing.assert_allclose(gpu.weights, cpu.weights, atol=1e-3)
    np.testing.assert_allclose(gpu.hidden, cpu.hidden, atol=1e-2)
    assert next(load_minilm()[0].parameters()).device.type == "cpu"
