"""What is made of a model within `record`, `ablate` and their like is an untouched model: copies, files, clones."""

from __future__ import annotations

import copy
import gc
import io
import pickle
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.modules import module as modules

from encoder_core.attention import scaled_dot_product_attention
from encoder_core.encoder import TransformerEncoder, TransformerEncoderLayer
from encoder_core.fast.layouts import TransposedLinear
from encoder_core.fast.prepacked import prepack
from encoder_core.inspect.recording import ablate, attention_function, patch, record
from encoder_core.models.bert import Bert, BertConfig
from encoder_core.multihead import MultiheadAttention
from encoder_core.residual import get_clones
from tests.close import assert_close

IDS = torch.arange(1, 11).reshape(2, 5)


def hot(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    return scaled_dot_product_attention(query / 10, key, value, mask)


def through_a_file(model: nn.Module) -> nn.Module:
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    loaded: nn.Module = torch.load(file, weights_only=False)
    return loaded


WAYS: dict[str, Callable[[Any], Any]] = {
    "deepcopy": copy.deepcopy,
    "pickle": lambda model: pickle.loads(pickle.dumps(model)),
    "torch.save": through_a_file,
    "get_clones": lambda model: get_clones(model, 2)[1],
}
CONTEXTS: dict[str, Callable[[nn.Module], AbstractContextManager[Any]]] = {
    "record": record,
    "record, shapes": lambda model: record(model, shapes=True),
    "ablate": lambda model: ablate(model, {(0, 0), (1, 1)}),
    "patch": lambda model: patch(model, {(0, 1): 3.0}),
    "attention_function": lambda model: attention_function(model, hot),
}


@pytest.fixture
def model() -> Bert:
    config = BertConfig(vocab_size=99, d_model=16, nhead=2, num_layers=2, dim_feedforward=32)
    return Bert(config, seed=0).eval()


@pytest.fixture(autouse=True)
def nothing_listens_afterwards() -> Iterator[None]:
    yield
    assert not modules._has_any_global_hook()


def left_in(model: nn.Module) -> list[object]:
    kept: list[object] = []
    for part in model.modules():
        for name in vars(part):
            if name.endswith(("_hooks", "_with_kwargs", "_always_called")):
                kept += getattr(part, name).values()
        if isinstance(part, MultiheadAttention):
            kept += [*part.watchers, *part.changes, *part.functions]
            kept += [] if part.attention is None else [part.attention]
    return kept


@pytest.mark.parametrize("called", [False, True])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", CONTEXTS)
def test_a_copy_made_inside_is_neither_recorded_nor_changed(
    model: Bert, kind: str, way: str, called: bool
) -> None:
    expected = model(IDS)
    with CONTEXTS[kind](model) as given:
        if called:
            model(IDS)
        made = WAYS[way](model)
        assert left_in(made) == []
        seen = len(given.attention) if given is not None else 0
        assert torch.equal(made(IDS), expected)
        assert seen == (len(given.attention) if given is not None else 0)
    assert torch.equal(made(IDS), expected)
    assert torch.equal(model(IDS), expected)
    assert left_in(made) == left_in(model) == []


@pytest.mark.parametrize("kind", CONTEXTS)
def test_a_shallow_copy_of_an_attention_is_neither_recorded_nor_changed(kind: str) -> None:
    attention, x = MultiheadAttention(8, 2), torch.randn(2, 3, 8)
    other = {"ablate": {(0, 0)}, "patch": {(0, 1): 3.0}}.get(kind)
    context = {"ablate": ablate, "patch": patch}.get(kind)
    expected = attention(x, x, x)[0]
    with context(attention, other) if context else CONTEXTS[kind](attention):
        made = copy.copy(attention)
        assert left_in(made) == []
        assert torch.equal(made(x, x, x)[0], expected)
    with record(made) as recording:
        attention(x, x, x)
    assert recording.attention == []  # nor does it share what is watched with the first
    assert torch.equal(made(x, x, x)[0], expected)


def test_a_copy_made_in_the_middle_of_a_recorded_call_is_clean_too(model: Bert) -> None:
    made: list[nn.Module] = []
    with record(model) as recording:
        for way in (copy.deepcopy, through_a_file):
            handle = model.layers[1].linear1.register_forward_hook(
                _Copies(way, model, made), with_kwargs=True
            )
            model(IDS)
            handle.remove()
        kept = [*recording.attention]
        for one in made:
            one(IDS)
            assert left_in(one) == []
        assert all(a is b for a, b in zip(recording.attention, kept, strict=True))
    assert len(made) == 2


def test_a_function_that_was_set_for_good_goes_with_the_copy(model: Bert) -> None:
    for layer in model.layers:
        layer.self_attn.attention = hot
    expected = model(IDS)
    with attention_function(model, None):
        assert not torch.allclose(model(IDS), expected)
        made = copy.deepcopy(model)
    assert torch.equal(made(IDS), expected)
    assert torch.equal(model(IDS), expected)


@pytest.mark.parametrize("first", CONTEXTS)
@pytest.mark.parametrize("second", CONTEXTS)
def test_contexts_may_end_in_any_order(model: Bert, first: str, second: str) -> None:
    expected = model(IDS)
    one, other = ExitStack(), ExitStack()
    one.enter_context(CONTEXTS[first](model))
    other.enter_context(CONTEXTS[second](model))
    model(IDS)
    one.close()
    model(IDS)
    other.close()
    assert left_in(model) == []
    assert torch.equal(model(IDS), expected)


@pytest.mark.parametrize("kind", CONTEXTS)
def test_a_call_that_fails_leaves_nothing_and_the_next_one_is_recorded(
    model: Bert, kind: str
) -> None:
    expected = model(IDS)
    with CONTEXTS[kind](model):
        handle = model.layers[1].linear1.register_forward_hook(_fail)
        with pytest.raises(RuntimeError, match="on the way"):
            model(IDS)
        handle.remove()
        assert not [hook for part in model.modules() for hook in part._forward_hooks.values()]
    with pytest.raises(IndexError), CONTEXTS[kind](model):
        model(IDS + 1000)
    assert left_in(model) == []
    with record(model, shapes=True) as recording:
        with pytest.raises(IndexError):
            model(IDS + 1000)
        assert torch.allclose(model(IDS), expected, atol=1e-5)
        assert len(recording.attention) == 2
        assert len(recording.hidden_states) == 3


class _Copies:
    """A hook that copies the model that it stands in."""

    def __init__(self, way: Callable[[Any], Any], model: nn.Module, made: list[nn.Module]) -> None:
        self.way, self.model, self.made = way, model, made

    def __call__(self, module: nn.Module, *_: Any) -> None:
        module._forward_hooks.clear()  # not part of the copy
        module._forward_hooks_with_kwargs.clear()
        self.made.append(self.way(self.model))


def _fail(*_: Any) -> None:
    raise RuntimeError("on the way")


def test_a_context_that_cannot_begin_leaves_nothing() -> None:
    plain = nn.Sequential(nn.Linear(2, 2))
    for begin in CONTEXTS.values():
        with pytest.raises(ValueError, match="MultiheadAttention to record"):
            begin(plain).__enter__()
    assert left_in(plain) == []


def test_a_context_that_is_forgotten_ends_with_the_garbage(model: Bert) -> None:
    for begin in CONTEXTS.values():
        context = begin(model)
        context.__enter__()
        del context
        gc.collect()
    assert left_in(model) == []


def test_what_other_hooks_make_of_a_layers_output_is_recorded(model: Bert) -> None:
    handle = model.layers[0].register_forward_hook(lambda m, i, output: output + 1)
    with record(model) as recording:
        hidden = model(IDS)
        entered: list[Tensor] = []
        model.layers[1].register_forward_pre_hook(lambda m, inputs: entered.append(inputs[0]))
        model(IDS)
    handle.remove()
    assert_close(recording.hidden_states[1], entered[0])
    assert_close(recording.hidden_states[2], hidden)


def test_another_model_of_the_process_is_not_recorded(model: Bert) -> None:
    other = copy.deepcopy(model)
    with record(model, shapes=True) as recording:
        other(IDS)
        assert recording == type(recording)()
        with record(other) as second:
            other(IDS[:1])
    assert recording.attention == []
    assert [weights.shape[0] for weights in second.attention] == [1, 1]


def test_a_recorded_model_with_laid_out_weights_shows_every_shape() -> None:
    model = TransformerEncoder(TransformerEncoderLayer(8, 2, 16), 2).eval()
    x = torch.randn(2, 3, 8)
    assert prepack(model, TransposedLinear, TransposedLinear) == 2
    with torch.no_grad():
        expected = model(x)
        with record(model, shapes=True) as recording:
            assert_close(model(x), expected)
        seen: list[str] = []
        hook = modules.register_module_forward_hook(lambda m, i, o: seen.append(type(m).__name__))
        try:
            model(x)
        finally:
            hook.remove()
    assert {"layers.0.linear1", "layers.1.norm2"} <= {name for name, _, _ in recording.shapes}
    assert seen.count("LayerNorm") == 4  # whoever listens to all modules hears of each
