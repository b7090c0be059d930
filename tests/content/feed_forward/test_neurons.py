"""Which tokens excite a neuron: read, ranked, and switched off."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from course.labs.feed_forward import neurons
from encoder_core import load_minilm
from tests.close import assert_minilm_close as assert_close

TEXTS = ["The bridge is not safe.", "It is safe, she said."]


@pytest.fixture(scope="module")
def excitement() -> neurons.Excitement:
    return neurons.excite(*load_minilm(), TEXTS)


def test_paragraphs_are_prose_and_the_same_each_time() -> None:
    found = neurons.paragraphs(30)
    assert found == neurons.paragraphs(30)
    assert len(set(found)) == 30
    assert all(80 < len(text) < 500 and ">>>" not in text for text in found)


def test_answers_are_what_stands_between_the_two_maps(excitement: neurons.Excitement) -> None:
    model, tokenizer = load_minilm()
    assert len(excitement.tokens) == sum(len(tokenizer.encode(t).ids) - 2 for t in TEXTS)
    assert [a.shape for a in excitement.answers] == [(len(excitement.tokens), 1536)] * 6
    seen = []
    handle = model.layers[2].linear1.register_forward_hook(lambda m, i, o: seen.append(o))
    with torch.no_grad():
        model(torch.tensor([tokenizer.encode(TEXTS[1]).ids]))
    handle.remove()
    expected = F.gelu(seen[0][0, 1:-1])
    assert_close(excitement.answers[2][-len(expected) :], expected)


def test_the_strongest_come_first_with_their_neighbours(excitement: neurons.Excitement) -> None:
    (first, value), *rest = excitement.strongest(3, 318, 4)
    assert first == "not"
    assert all(value >= other for _, other in rest)
    encodings = [load_minilm()[1].encode(text).tokens for text in TEXTS]
    line = excitement.in_context(3, 318, encodings, 1)[0]
    assert line == f"{value:5.2f}  the bridge is [not] safe . [SEP]"


def test_different_words_are_counted_by_neuron(excitement: neurons.Excitement) -> None:
    counted = excitement.different_words(0, count=3)
    assert counted.shape == (1536,)
    for neuron in (0, 700):
        strongest = excitement.strongest(0, neuron, 3)
        assert counted[neuron] == len({word for word, _ in strongest})


def test_a_neuron_that_is_switched_off_answers_nothing_and_comes_back() -> None:
    model, tokenizer = load_minilm()
    ids = torch.tensor([tokenizer.encode(TEXTS[0]).ids])
    layer = model.layers[3]
    x = torch.randn(1, 5, 384, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        before, hidden = layer._feed_forward(x), model(ids)
        with neurons.switched_off(model, 3, 318):
            within = layer._feed_forward(x)
            inner = layer.activation(layer.linear1(x))[..., 318:319]  # (1, S, 1)
            assert_close(before - within, inner * layer.linear2.weight[:, 318])
            assert not torch.allclose(model(ids), hidden, atol=1e-3)
        with neurons.switched_off(model, 3, range(1536)):
            assert_close(layer._feed_forward(x), layer.linear2.bias.expand_as(x))
        assert torch.equal(layer._feed_forward(x), before)


def test_reading_leaves_no_hook_behind_even_when_it_fails() -> None:
    model, tokenizer = load_minilm()
    with pytest.raises(TypeError):
        neurons.excite(model, tokenizer, [None])  # type: ignore[list-item]
    assert all(not layer.linear2._forward_pre_hooks for layer in model.layers)
