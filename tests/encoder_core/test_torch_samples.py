"""PyTorch's own samples for its encoder, decoder and stack, run against ours: all equal.

The samples come from torch.testing._internal.common_modules, with which PyTorch tests itself.
Those of sequence-first input are run too: ours refuses `batch_first=False`, takes the sample the
other way round, and must give the same numbers.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from encoder_core import decoder, encoder
from tests.close import assert_close
from tests.sampled import thinned

OURS: dict[str, type[nn.Module]] = {
    "TransformerEncoderLayer": encoder.TransformerEncoderLayer,
    "TransformerEncoder": encoder.TransformerEncoder,
    "TransformerDecoderLayer": decoder.TransformerDecoderLayer,
}
# As many samples as PyTorch 2.13 has: fewer would mean that some were lost on the way.
AT_LEAST = {"TransformerEncoderLayer": 35, "TransformerEncoder": 35, "TransformerDecoderLayer": 67}
WITH_REFERENCE = {"TransformerEncoderLayer": 16, "TransformerDecoderLayer": 16}
TERMS = 4096  # two layers forward and back, with sums over batch, tokens and features
SETTINGS = [(t, d) for t in (True, False) for d in (torch.float32, torch.float64)]


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def samples(name: str, training: bool, dtype: torch.dtype) -> list[Any]:
    from torch.testing._internal import common_modules  # it takes three seconds

    make = getattr(common_modules, f"module_inputs_torch_nn_{name}")
    made: list[Any] = make(None, "cpu", dtype, requires_grad=True, training=training)
    return made


def sequence_first(sample: Any) -> bool:
    for pattern in sample.constructor_input.args:
        if isinstance(pattern, nn.TransformerEncoderLayer):
            return not pattern.self_attn.batch_first
    return not sample.constructor_input.kwargs.get("batch_first", False)


def build(name: str, sample: Any, dtype: torch.dtype) -> tuple[nn.Module, nn.Module]:
    """Theirs as the sample asks for; ours with the same arguments and their state dict."""
    arguments, options = sample.constructor_input.args, dict(sample.constructor_input.kwargs)
    theirs = getattr(nn, name)(*arguments, **options).to(dtype)
    if name == "TransformerEncoder":
        layer = arguments[0]
        ours = OURS[name](
            encoder.TransformerEncoderLayer(
                layer.self_attn.embed_dim,
                layer.self_attn.num_heads,
                layer.linear1.out_features,
                layer.dropout.p,
                layer.activation,
                norm_first=layer.norm_first,
                bias=layer.linear1.bias is not None,
            ),
            *arguments[1:],
        )
    else:
        if options.get("batch_first") is False:
            with pytest.raises(ValueError, match="batch-first"):
                OURS[name](*arguments, **options)
        ours = OURS[name](*arguments, **{**options, "batch_first": True})
    ours = ours.to(dtype)
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


def turned(sample: Any, x: Tensor) -> Tensor:
    """Give ours what it wants: the batch first, where the sample has the sequence first."""
    return x.transpose(0, 1) if sequence_first(sample) and x.dim() == 3 else x


def run(module: nn.Module, inputs: list[Tensor], masks: dict[str, Any]) -> list[Tensor]:
    """Output, and gradients at inputs and parameters."""
    leaves = [x.detach().clone().requires_grad_() for x in inputs]
    output = module(*leaves, **masks)
    targets = [*leaves, *module.parameters()]
    return [output, *torch.autograd.grad(output.square().sum(), targets)]


@pytest.mark.parametrize(("training", "dtype"), SETTINGS)
@pytest.mark.parametrize("name", list(OURS))
def test_every_sample_gives_equal_outputs_and_gradients(
    name: str, training: bool, dtype: torch.dtype
) -> None:
    chosen = samples(name, training, dtype)
    assert len(chosen) >= AT_LEAST[name]
    for sample in chosen:
        ours, theirs = (module.train(training) for module in build(name, sample, dtype))
        inputs, masks = list(sample.forward_input.args), sample.forward_input.kwargs
        expected = run(theirs, inputs, masks)
        came = run(ours, [turned(sample, x) for x in inputs], masks)
        for index in range(1 + len(inputs)):
            came[index] = turned(sample, came[index])
        for mine, yours in zip(came, expected, strict=True):
            scale = max(1.0, yours.abs().max().item())
            assert_close(mine, yours, terms=TERMS, scale=scale, msg=sample.desc)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", list(WITH_REFERENCE))
def test_every_sample_agrees_with_its_own_reference_function(name: str, training: bool) -> None:
    """The samples' reference functions: unbatched against batched, fast path against slow."""
    count = 0
    for sample in samples(name, training, torch.float64):
        reference: Callable[..., Tensor] | None = sample.reference_fn
        if reference is None or sequence_first(sample):
            continue
        ours, _ = build(name, sample, torch.float64)
        ours.train(training)
        inputs, masks = sample.forward_input.args, sample.forward_input.kwargs
        expected = reference(ours, *inputs, **masks)
        assert_close(ours(*inputs, **masks), expected)
        count += 1
    assert count >= WITH_REFERENCE[name]


def by_weights(
    module: nn.Module, names: tuple[str, ...], masks: dict[str, Any], *values: Tensor
) -> Tensor:
    """Run a module as a function of its inputs and then its parameters."""
    count = len(values) - len(names)
    state = dict(zip(names, values[count:], strict=True))
    output: Tensor = torch.func.functional_call(module, state, values[:count], masks)
    return output


@pytest.mark.slow
@pytest.mark.parametrize("name", list(WITH_REFERENCE))
def test_every_sample_passes_pytorchs_gradient_checks(name: str) -> None:
    for sample in thinned(samples(name, True, torch.float64), 3):
        ours, _ = build(name, sample, torch.float64)
        masks = sample.forward_input.kwargs
        inputs = tuple(turned(sample, x).detach() for x in sample.forward_input.args)
        inputs = tuple(x.requires_grad_() for x in inputs)
        weights = {n: p.detach().clone().requires_grad_() for n, p in ours.named_parameters()}

        call = partial(by_weights, ours, tuple(weights), masks)
        values = (*inputs, *weights.values())
        assert torch.autograd.gradcheck(call, values, fast_mode=True)
        with sdpa_kernel(SDPBackend.MATH):  # the only kernel with a second derivative
            assert torch.autograd.gradgradcheck(call, values, fast_mode=True)
