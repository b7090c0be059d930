"""Laid-out weights: the numbers of the layer as it is read, and never those of old weights."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from encoder_core.encoder import TransformerEncoder, TransformerEncoderLayer
from encoder_core.fast import fast_cpu, prepacked
from encoder_core.fast.fast_cpu import use_fast_cpu
from encoder_core.fast.layouts import BlockedLinear, Layout, TransposedLinear
from encoder_core.fast.prepacked import PrepackedLayer, prepack, undo_prepack
from encoder_core.inspect.recording import ablate, record
from encoder_core.masks import causal_mask, padding_mask
from encoder_core.multihead import MultiheadAttention
from encoder_core.pretrained.minilm import load_minilm
from tests.close import assert_close

PADDING = padding_mask(torch.tensor([5, 0, 2, 5, 7, 2]))
BLOCKED = pytest.param(
    BlockedLinear,
    marks=pytest.mark.skipif(not BlockedLinear.known(), reason="this torch has no such operations"),
)


@pytest.fixture(autouse=True, params=[BLOCKED, TransposedLinear])
def layout(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Layout:
    """A test must not depend on the machine's speed: one layout counts as faster, the rest not."""
    chosen: Layout = request.param
    monkeypatch.setattr(
        fast_cpu, "_try_layout", lambda layer, layout, *shape: (1e-7, 1.0 + (layout is chosen))
    )
    monkeypatch.setattr(fast_cpu, "_can_switch", lambda: False)
    return chosen


def stack(**options: Any) -> Any:
    layers = [TransformerEncoderLayer(16, 4, 24, **options).eval() for _ in range(2)]
    for parameter in nn.ModuleList(layers).parameters():
        nn.init.normal_(parameter, std=0.5)  # biases and norms too
    return TransformerEncoder.from_layers(layers)


@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("activation", ["relu", "gelu", torch.tanh])
def test_it_gives_the_numbers_of_the_layer_as_it_is_read(
    norm_first: bool, bias: bool, activation: object
) -> None:
    model = stack(norm_first=norm_first, bias=bias, activation=activation, dropout=0.3)
    x, future = torch.randn(6, 7, 16), causal_mask(7)
    calls: list[dict[str, Any]] = [{}, {"src_key_padding_mask": PADDING}, {"mask": future}, {"is_causal": True},
             {"src_key_padding_mask": PADDING, "packed": True},
             {"src_key_padding_mask": PADDING, "mask": future, "packed": True}]  # fmt: skip
    with torch.inference_mode():
        before = [model(x, **call) for call in calls]
        assert use_fast_cpu(model=model).layers == 2
        for call, expected in zip(calls, before, strict=True):
            assert_close(model(x, **call), expected)
            assert layers_that_serve(model) == 2
        assert_close(model(x[0]), before[0][0])
        assert model(x[:0]).shape == (0, 7, 16)


def layers_that_serve(model: nn.Module) -> int:
    """How many of its layers have laid-out weights at hand."""
    every = [module for module in model.modules() if isinstance(module, PrepackedLayer)]
    return sum(bool(layer.laid_out.linears) for layer in every)


def changed_by_a_step(model: Any) -> None:
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
    model(torch.randn(2, 3, 16)).square().sum().backward()
    optimizer.step()


def changed_by_hand(model: Any) -> None:
    """As in many a first training loop; torch does not count these writes."""
    model(torch.randn(2, 3, 16)).square().sum().backward()
    for parameter in model.parameters():
        parameter.data -= 0.1 * torch.sign(parameter.grad)


def changed_by_loading(model: Any) -> None:
    model.load_state_dict(stack().state_dict())


def changed_in_inference(model: Any) -> None:
    with torch.inference_mode():
        model.layers[1].linear2.weight[0] += 1


def replaced(model: Any) -> None:
    model.layers[0].linear1 = nn.Linear(16, 24)


def rebound(model: Any) -> None:
    weight = nn.Parameter(torch.randn(16, 16))
    model.layers[1].self_attn.out_proj.weight = weight


def patched(model: Any) -> None:
    model.layers[0].linear2.forward = lambda x: 2.0 * x[..., :16]


class Doubled(nn.Linear):
    def forward(self, input: Tensor) -> Tensor:
        return 2.0 * super().forward(input)


def turned_into_another(model: Any) -> None:
    model.layers[1].linear1.__class__ = Doubled


CHANGES = [changed_by_a_step, changed_by_hand, changed_by_loading, changed_in_inference,
           replaced, rebound, patched, turned_into_another]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_changed_weights_are_seen(change: Callable[[nn.Module], None]) -> None:
    model, x = stack(), torch.randn(3, 5, 16)
    use_fast_cpu(model=model)
    with torch.inference_mode():
        old = model(x)
    change(model)
    assert use_fast_cpu(enable=True).layers == 0  # without a model it changes none
    with torch.inference_mode():
        new = model(x)
        assert layers_that_serve(model) == 2 - (change is turned_into_another)
        use_fast_cpu(False, model)
        assert layers_that_serve(model) == 0
        assert_close(new, model(x))
    assert not torch.allclose(new, old, atol=1e-3)


def test_weights_lent_to_one_call_are_seen() -> None:
    """torch.func.functional_call lends its weights; those of the next call may take their memory."""
    model, x, weight = stack(), torch.randn(3, 5, 16), torch.randn(24, 16)
    plain = copy.deepcopy(model)
    use_fast_cpu(model=model)

    def called(one: nn.Module, scale: float) -> Tensor:
        lent = {"layers.0.linear1.weight": scale * weight}
        return torch.func.functional_call(one, lent, (x,))

    with torch.no_grad():
        came = [called(model, scale) for scale in range(5)]
        expected = [called(plain, scale) for scale in range(5)]
    for one, other in zip(came, expected, strict=True):
        assert_close(one, other)


def test_state_dict_gradients_training_and_copies_are_as_without() -> None:
    model, x = stack(), torch.randn(3, 5, 16)
    keys = list(model.state_dict())
    expected = torch.autograd.grad(model(x).square().sum(), list(model.parameters()))
    use_fast_cpu(model=model)
    with torch.inference_mode():
        model(x)
    assert list(model.state_dict()) == keys
    came = torch.autograd.grad(model(x).square().sum(), list(model.parameters()))
    for gradient, before in zip(came, expected, strict=True):
        assert torch.equal(gradient, before)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert [type(layer) for layer in other.layers] == [TransformerEncoderLayer] * 2
        assert [type(layer) for layer in model.layers] == [PrepackedLayer] * 2
        assert "laid_out" not in vars(other.layers[0])
        assert_close(other(x), model(x))


def test_what_it_must_not_stand_in_for_is_computed_as_before() -> None:
    model, x = stack(dropout=0.5), torch.randn(3, 5, 16)
    use_fast_cpu(model=model)
    with torch.no_grad():
        assert not torch.equal(model.train()(x), model(x))  # dropped
        model.eval().layers[0].dropout2.train()
        assert not torch.equal(model(x), model(x))
        assert layers_that_serve(model) == 1  # the other one
    model, plain = stack(), stack()
    plain.load_state_dict(model.state_dict())
    use_fast_cpu(model=model)
    with torch.no_grad():
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert torch.equal(model(x), plain(x))
        assert layers_that_serve(model) == 0
        seen: list[Tensor] = []
        model.layers[0].linear1.register_forward_hook(lambda m, i, o: seen.append(o))
        model(x)
        assert (len(seen), layers_that_serve(model)) == (1, 1)
        doubled = model.double()(x.double())
        assert_close(model.float()(x).double(), doubled, dtype=torch.float32)


def test_recordings_and_ablations_go_through_it() -> None:
    model, tokenizer = load_minilm()
    batch = tokenizer.batch(["two words", "and a few more of them"])
    inputs = batch.ids, batch.type_ids, batch.padding_mask
    seen = []
    for fast in (False, True):
        assert use_fast_cpu(fast, model).layers == 6 * fast
        with torch.inference_mode(), record(model) as recording:
            hidden = model(*inputs)
        with torch.inference_mode(), ablate(model, {(0, 3), (5, 11)}):
            seen.append([hidden, model(*inputs), *recording.attention, *recording.hidden_states])
    for plain, laid_out in zip(*seen, strict=True):
        assert_close(laid_out, plain)


def test_it_says_what_it_found(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    model = stack()
    said = f"{layout.name}, 2.00 times as fast, off by 1.0e-07"
    assert f"in 2 layers: for few tokens {said}; for many {said}." in str(use_fast_cpu(model=model))
    for (error, gain), words in (
        ((1e-3, 9.0), "they give other numbers here, by 1.0e-03"),
        ((float("nan"), 9.0), "they give other numbers here"),
        ((1e-7, 1.0), "not faster here (1.00 times)"),
    ):
        monkeypatch.setattr(fast_cpu, "_try_layout", lambda *asked, r=(error, gain): r)
        report = use_fast_cpu(model=model)
        assert report.layers == 0
        assert words in str(report)
        assert type(model.layers[0]) is TransformerEncoderLayer
    assert "none of this package's" in str(use_fast_cpu(model=stack().double()))
    with torch.inference_mode():
        uncounted = stack()
    assert use_fast_cpu(model=uncounted).layers == 0
    assert prepack(uncounted, layout, layout) == 0
    replaced = stack()
    assert prepack(replaced, layout, layout) == 2
    replaced.layers[0].linear1 = uncounted.layers[0].linear1
    with torch.inference_mode():
        assert replaced(torch.randn(1, 2, 16)).shape == (1, 2, 16)
    assert layers_that_serve(replaced) == 1


def test_few_tokens_and_many_are_served_by_what_suits_each(monkeypatch: pytest.MonkeyPatch) -> None:
    def few_alone(layer: object, layout: Layout, texts: int, tokens: int) -> tuple[float, float]:
        return 1e-7, 2.0 if layout is TransposedLinear and texts * tokens <= prepacked.FEW else 0.5

    monkeypatch.setattr(fast_cpu, "_try_layout", few_alone)
    model = stack()
    assert "for many none: they are not faster here (0.50" in str(use_fast_cpu(model=model))
    for tokens, serving in ((prepacked.FEW, 2), (prepacked.FEW + 1, 0)):
        use_fast_cpu(model=model)
        with torch.inference_mode():
            model(torch.randn(1, tokens, 16))
        assert layers_that_serve(model) == serving


def test_a_torch_without_the_operations_is_served_by_the_other_layout(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.undo()

    def missing(self: BlockedLinear, weight: Tensor, bias: Tensor | None) -> None:
        raise AttributeError("no such operation")

    monkeypatch.setattr(BlockedLinear, "__init__", missing)
    speedup, why = fast_cpu._judge_layout(stack().layers[0], BlockedLinear, 1, 4)
    assert (speedup, why) == (0.0, "oneDNN cannot compute them here (no such operation)")
    assert fast_cpu._judge_layout(stack().layers[0], TransposedLinear, 1, 4)[0] > 0


def test_both_ways_are_measured_on_the_layer_itself(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    layer = stack().layers[0]
    error, gain = fast_cpu._try_layout(layer, layout, 2, 5)
    assert 0 <= error < 1e-5
    assert gain > 0
    assert type(layer) is TransformerEncoderLayer
    monkeypatch.setattr(prepacked, "_norm", lambda x, *norm: 1.001 * x)
    assert fast_cpu._try_layout(layer, layout, 2, 5)[0] > 1e-4


def test_a_readers_own_subclasses_compute_as_they_say(layout: Layout) -> None:
    class Own(TransformerEncoderLayer):
        def forward(self, *args: Any, **named: Any) -> Tensor:
            return 2 * super().forward(*args, **named)

    class OwnNetwork(TransformerEncoderLayer):
        def _feed_forward(self, x: Tensor) -> Tensor:
            return x

    class OwnAttention(MultiheadAttention):
        def forward(self, *args: Any, **named: Any) -> Any:
            return -super().forward(*args, **named)[0], None

    attentive = stack()
    assert prepack(attentive, layout, layout) == 2
    attentive.layers[0].self_attn = OwnAttention(16, 4)
    x = torch.randn(2, 3, 16)
    with torch.inference_mode():
        served = attentive(x)
        assert layers_that_serve(attentive) == 1
        undo_prepack(attentive)
        assert_close(served, attentive(x))
    assert prepack(attentive, layout, layout) == 1
    for kind in (Own, OwnNetwork):
        model = TransformerEncoder.from_layers([kind(16, 4, 24).eval(), stack().layers[0]])
        with torch.inference_mode():
            expected = model(x)
            assert use_fast_cpu(model=model).layers == 1
            assert type(model.layers[0]) is kind
            assert_close(model(x), expected)


def test_files_and_shallow_copies_hold_plain_layers(layout: Layout, tmp_path: Path) -> None:
    model, x = stack(), torch.randn(2, 3, 16)
    heard: list[int] = []
    model.layers[0].register_forward_hook(lambda module, given, output: heard.append(1))
    prepack(model.layers[1], layout, layout)
    with torch.inference_mode():
        expected = model(x)
    prepack(model, layout, layout)
    with torch.inference_mode():
        assert_close(model(x), expected)  # with what was registered at the layer before
    assert heard == [1, 1]
    model.layers[0]._forward_hooks.clear()
    torch.save(model, tmp_path / "model.pt")
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        other = pickle.loads(pickle.dumps(model, protocol))
        assert [type(layer) for layer in other.layers] == [TransformerEncoderLayer] * 2
    for other in (torch.load(tmp_path / "model.pt", weights_only=False), copy.copy(model)):
        layers = other.layers if other.layers is not model.layers else map(copy.copy, other.layers)
        assert [type(layer) for layer in layers] == [TransformerEncoderLayer] * 2
    undo_prepack(model)
    assert [type(layer) for layer in model.layers] == [TransformerEncoderLayer] * 2
    with torch.inference_mode():
        assert_close(model(x), expected)
