"""Models over layers that somebody else wrote: torch's and a learner's, with a table for each layer."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course.content import exercises, manuscript
from encoder_core.encoder import TransformerEncoder, TransformerEncoderLayer
from encoder_core.inspect.recording import record
from encoder_core.masks import causal_mask, padding_mask
from encoder_core.models.encoder_decoder import EncoderDecoder
from encoder_core.models.fresh import LayerMaker, fresh_encoder
from encoder_core.models.speech import SpeechEncoder
from encoder_core.models.text_encoder import TextEncoder
from encoder_core.models.vision import VisionTransformer
from encoder_core.relative import RelativeBias
from encoder_core.residual import residual
from tests.close import assert_close

D, H, S, FF = 16, 4, 6, 24
BIASES = ("alibi", "relative", "t5")
TORCHS = nn.TransformerEncoderLayer


class Learners(nn.Module):
    """As a learner writes it: neither activation nor epsilon, and masks handed on."""

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int,
        dropout: float = 0.1,
        norm_first: bool = False,
    ) -> None:
        super().__init__()
        self.self_attn = nn.MultiheadAttention(d_model, nhead, dropout=dropout, batch_first=True)
        self.linear1 = nn.Linear(d_model, dim_feedforward)
        self.linear2 = nn.Linear(dim_feedforward, d_model)
        self.norm1, self.norm2 = nn.LayerNorm(d_model), nn.LayerNorm(d_model)
        self.dropout, self.norm_first = nn.Dropout(dropout), norm_first

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
    ) -> Tensor:
        def attend(x: Tensor) -> Tensor:
            masks = {"attn_mask": src_mask, "key_padding_mask": src_key_padding_mask}
            attended: Tensor = self.dropout(self.self_attn(x, x, x, **masks, need_weights=False)[0])
            return attended

        def transform(x: Tensor) -> Tensor:
            output: Tensor = self.dropout(self.linear2(self.dropout(F.relu(self.linear1(x)))))
            return output

        if self.norm_first:
            src = src + attend(self.norm1(src))
            return src + transform(self.norm2(src))
        src = self.norm1(src + attend(src))
        normed: Tensor = self.norm2(src + transform(src))
        return normed


class OnlyBoolean(Learners):
    """Blocks by `masked_fill`, which takes no floating mask."""

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
    ) -> Tensor:
        src = src if src_mask is None else src + torch.zeros(2, 2).masked_fill(src_mask, 1).sum()
        return super().forward(src)


class ReadsAsBoolean(Learners):
    """Takes every number but 0 for "blocked"."""

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
    ) -> Tensor:
        blocked = None if src_mask is None else src_mask != 0
        return super().forward(src, blocked, src_key_padding_mask)


OUTSIDE: dict[str, LayerMaker] = {"torch.nn": TORCHS, "learner's": Learners}
outside = pytest.mark.parametrize("maker", OUTSIDE)


def pair(
    maker: str, positions: str, norm_first: bool
) -> tuple[TransformerEncoder, TransformerEncoder]:
    """The same weights and tables in layers from outside and in this package's."""
    theirs = fresh_encoder(
        2, D, H, FF, 0.0, norm_first=norm_first, positions=positions, layer=OUTSIDE[maker]
    ).double()
    ours = fresh_encoder(
        2, D, H, FF, 0.0, "relu", norm_first=norm_first, positions=positions
    ).double()
    for parameter in theirs.parameters():
        nn.init.normal_(parameter, std=0.4)
    state = {
        name.replace("position_biases.0", "layers.0.self_attn.position_bias").replace(
            "position_biases.1", "layers.1.self_attn.position_bias"
        ): value
        for name, value in theirs.state_dict().items()
    }
    ours.load_state_dict(state)
    return theirs, ours


CALLS: dict[str, dict[str, Any]] = {
    "no mask": {},
    "padding": {"src_key_padding_mask": padding_mask(torch.tensor([6, 4, 1]))},
    "causal": {"is_causal": True},
    "both": {
        "src_key_padding_mask": padding_mask(torch.tensor([6, 4, 1])),
        "mask": causal_mask(S),
    },
    "floating": {"mask": torch.linspace(-1, 1, S * S).reshape(S, S)},
    "by text": {"mask": torch.eye(S).bool().flip(1).expand(3, S, S)},
    "packed": {"src_key_padding_mask": padding_mask(torch.tensor([6, 4, 1])), "packed": True},
}


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("norm_first", [True, False])
@pytest.mark.parametrize("positions", BIASES)
@outside
def test_numbers_and_gradients_equal_those_of_this_packages_layers(
    maker: str, positions: str, norm_first: bool, training: bool
) -> None:
    theirs, ours = (model.train(training) for model in pair(maker, positions, norm_first))
    x = torch.randn(3, S, D, dtype=torch.float64)
    for call in CALLS.values():
        padding = call.get("src_key_padding_mask")
        real = torch.ones(3, S).bool() if padding is None else ~padding
        results = []
        for model in (theirs, ours):
            hidden = model(x, **call)[real]
            gradients = torch.autograd.grad(hidden.square().sum(), [*model.parameters()])
            named = dict(zip((n for n, _ in model.named_parameters()), gradients, strict=True))
            tables = [g for n, g in named.items() if n.endswith("table")]
            assert all(g.any() for g in tables)
            weights = [g for n, g in sorted(named.items()) if not n.endswith("table")]
            results.append((hidden, *tables, *weights))
        assert_close(results[0], results[1], terms=4096)
        with torch.no_grad():  # torch's fast path in eval mode
            assert_close(theirs(x, **call)[real], results[1][0])


@outside
def test_one_text_without_a_batch_has_its_bias_too(maker: str) -> None:
    theirs, ours = pair(maker, "relative", True)
    x = torch.randn(S, D, dtype=torch.float64)
    assert_close(theirs(x), ours(x))
    assert_close(theirs(x, causal_mask(S)), ours(x, causal_mask(S)))


@outside
def test_the_stack_holds_a_table_for_each_layer_and_copies_share_none(maker: str) -> None:
    stack = fresh_encoder(2, D, H, FF, positions="relative", layer=OUTSIDE[maker])
    names = [f"position_biases.{index}.table" for index in range(2)]
    assert set(names) <= set(stack.state_dict())
    assert torch.equal(stack.get_parameter(names[0]), RelativeBias(H).table)
    again = copy.deepcopy(stack)
    with torch.no_grad():
        stack.get_parameter(names[0]).add_(1)
    assert torch.equal(again.get_parameter(names[0]), stack.get_parameter(names[1]))
    plain = fresh_encoder(2, D, H, FF, layer=OUTSIDE[maker])
    assert set(plain.state_dict()) == set(fresh_encoder(2, D, H, FF).state_dict())
    with pytest.raises(ValueError, match="1 biases for 2 layers"):
        TransformerEncoder.from_layers(list(plain.layers), None, [RelativeBias(H)])


@pytest.mark.parametrize("positions", [*BIASES, "rotary"])
def test_layers_of_this_package_made_by_a_function_hold_their_positions(positions: str) -> None:
    without_bias = partial(TransformerEncoderLayer, bias=False)
    made = fresh_encoder(2, D, H, FF, positions=positions, layer=without_bias).eval()
    assert made.position_biases is None
    whole = fresh_encoder(2, D, H, FF, 0.1, "relu", positions=positions).eval()
    for parameter in whole.parameters():
        nn.init.zeros_(parameter)  # the biases that are missing
    whole.load_state_dict(made.state_dict(), strict=False)
    x = torch.randn(3, S, D)
    assert_close(made(x), whole(x))
    with record(made) as recording:
        made(x)
    assert len(recording.attention) == 2


def model_solution() -> LayerMaker:
    """The layer of the course's exercise, as a learner has it who solved it."""
    source = manuscript.solution("stacking.EncoderLayer")
    names: dict[str, Any] = {"torch": torch, "nn": nn, "Tensor": Tensor, "residual": residual}
    exec(source, names)
    made: LayerMaker = names["EncoderLayer"]
    return made


@pytest.mark.parametrize("place", range(8))
def test_right_answers_of_the_course_carry_a_table_or_say_why_not(place: int) -> None:
    answers = [model_solution(), *exercises.right_answers("stacking.EncoderLayer")]
    maker = answers[place % len(answers)]
    only_boolean = ("ByHand", "OneMaskOfBoth", "FusedAttention", "EinsumAttention")
    if getattr(maker, "__name__", "") in only_boolean:
        with pytest.raises(ValueError, match=r"gets them as a floating src_mask.*it raises"):
            fresh_encoder(2, D, H, FF, positions="relative", layer=maker)
        return
    theirs = fresh_encoder(2, D, H, FF, 0.0, positions="relative", layer=maker)
    ours = fresh_encoder(2, D, H, FF, 0.0, "relu", positions="relative")
    ours.load_state_dict(theirs.state_dict(), strict=False)  # but for the tables: both are ALiBi's
    x, padding = torch.randn(3, S, D), padding_mask(torch.tensor([6, 4, 1]))
    assert_close(theirs(x, None, padding)[~padding], ours(x, None, padding)[~padding])


def test_each_layer_starts_with_weights_of_its_own() -> None:
    for maker in OUTSIDE.values():
        first, second = fresh_encoder(2, D, H, FF, layer=maker).layers
        assert not torch.equal(first.linear1.weight, second.linear1.weight)


def test_an_activation_goes_to_layers_that_take_one_and_is_refused_by_others() -> None:
    theirs = fresh_encoder(1, D, H, FF, 0.0, "gelu", layer=TORCHS)
    ours = fresh_encoder(1, D, H, FF, 0.0)
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(3, S, D)
    assert_close(theirs(x), ours(x))
    assert_close(
        fresh_encoder(1, D, H, FF, layer_norm_eps=0.5, layer=TORCHS).layers[0].norm1.eps, 0.5
    )
    with pytest.raises(
        ValueError, match=r"Learners takes no activation=.*'gelu'.*Leave activation out"
    ):
        TextEncoder(20, D, H, 2, activation="gelu", layer=Learners)


@pytest.mark.parametrize("kind", BIASES)
def test_what_a_layer_cannot_take_is_refused_with_a_sentence(kind: str) -> None:
    for maker in OUTSIDE.values():
        with pytest.raises(ValueError, match="'rotary' turns queries and keys inside"):
            fresh_encoder(2, D, H, FF, positions="rotary", layer=maker)
    with pytest.raises(ValueError, match=r"OnlyBoolean gets.*\(B \* H, S, S\).*it raises .*Choose"):
        fresh_encoder(2, D, H, FF, positions=kind, layer=OnlyBoolean)
    with pytest.raises(ValueError, match=r"ReadsAsBoolean gets.*are not added to its scores"):
        fresh_encoder(2, D, H, FF, positions=kind, layer=ReadsAsBoolean)
    for maker in (OnlyBoolean, ReadsAsBoolean):
        assert (
            fresh_encoder(2, D, H, FF, positions="sinusoidal", layer=maker).position_biases is None
        )


def test_trying_a_layer_leaves_it_and_the_random_numbers_as_they_were() -> None:
    torch.manual_seed(1)
    plain = fresh_encoder(1, D, H, FF, layer=Learners)
    state = torch.get_rng_state()
    torch.manual_seed(1)
    biased = fresh_encoder(1, D, H, FF, positions="relative", layer=Learners)
    assert torch.equal(torch.get_rng_state(), state)
    assert biased.layers[0].training
    assert torch.equal(biased.layers[0].linear1.weight, plain.layers[0].linear1.weight)
    with torch.device("meta"):
        assert (
            fresh_encoder(1, D, H, FF, positions="relative", layer=TORCHS).position_biases
            is not None
        )


MODELS: dict[str, Callable[..., nn.Module]] = {
    "text": partial(TextEncoder, 20, D, H, 2),
    "translation": partial(EncoderDecoder, 20, D, H),
    "vision": partial(VisionTransformer, 8, 4, 3, D, H),
    "speech": partial(SpeechEncoder, 10, D, H),
}


@pytest.mark.parametrize("positions", ["sinusoidal", "learned", "none", *BIASES])
@pytest.mark.parametrize("name", MODELS)
@outside
def test_every_model_takes_the_layer_and_learns(maker: str, name: str, positions: str) -> None:
    model = MODELS[name](layer=OUTSIDE[maker], positions=positions)
    assert all(type(m) is OUTSIDE[maker] for m in model.get_submodule("encoder.layers"))
    inputs: dict[str, tuple[Tensor, ...]] = {
        "text": (torch.tensor([[5, 6, 7], [8, 9, 0]]),),
        "translation": (torch.tensor([[5, 6, 7], [8, 9, 0]]), torch.tensor([[1, 2], [1, 3]])),
        "vision": (torch.randn(2, 3, 8, 8),),
        "speech": (torch.randn(2, 4000),),
    }
    output = model(*inputs[name])
    output = output[0] if isinstance(output, tuple) else output
    output.square().sum().backward()
    for parameter_name, parameter in model.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert parameter.grad.isfinite().all(), parameter_name
