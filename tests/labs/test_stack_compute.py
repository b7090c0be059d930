"""The stack lab's numbers: right, reproducible, and what theory says of depth."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course.labs.attention.encoders import embed_fresh, tokens_of
from course.labs.faults import InvalidSetting, OwnFailed
from course.labs.stack.compute import compute
from course.labs.stack.layers import stack_of, weights_of
from course.labs.stack.settings import Settings
from encoder_core.encoder import TransformerEncoderLayer
from encoder_core.inspect.recording import record
from encoder_core.pretrained.minilm import load_minilm
from tests.close import assert_minilm_close as assert_close

SMALL = {"text": "A cat sat on a mat.", "depth": 3, "d_model": 16, "heads": 2}
TOKENS = tokens_of(SMALL["text"], "", 0)  # type: ignore[arg-type]


def theirs(settings: Settings) -> list[nn.TransformerEncoderLayer]:
    """Torch's own layers with the lab's weights."""
    layers = []
    for number in range(settings.depth):
        layer = nn.TransformerEncoderLayer(
            settings.d_model,
            settings.heads,
            4 * settings.d_model,
            dropout=0.0,
            norm_first=settings.norm_first,
            batch_first=True,
        )
        layer.load_state_dict(weights_of(settings, number))
        layers.append(layer)
    return layers


@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("initialisation", ["xavier", "normal"])
def test_states_and_gradients_are_those_of_torchs_layers(
    norm_first: bool, initialisation: str
) -> None:
    settings = Settings(**SMALL, norm_first=norm_first, initialisation=initialisation)
    (walk,) = compute(settings)
    x = embed_fresh(TOKENS, 16, 0)
    layers, states = theirs(settings), [x]
    for layer in layers:
        states.append(layer(states[-1]))
    last = F.layer_norm(states[-1], (16,)) if norm_first else states[-1]
    generator = torch.Generator().manual_seed(0)
    direction = F.normalize(torch.randn(x.shape, generator=generator), dim=-1)
    (last * direction).sum(-1).mean().backward()
    for number, layer in enumerate(layers):
        slopes = [p.grad.flatten() for p in layer.parameters() if p.dim() == 2]  # type: ignore[union-attr]
        assert walk.gradients[number] == pytest.approx(float(torch.cat(slopes).norm()), rel=1e-3)
    for number, state in enumerate(states):
        assert walk.norms[number] == pytest.approx(
            float(state.detach().norm(dim=-1).mean()), rel=1e-4
        )
        pairs = F.cosine_similarity(state[0][:, None], state[0][None], dim=-1).detach().numpy()
        assert_close(walk.cosines[number], pairs)
        others = pairs[~np.eye(len(pairs), dtype=bool)]
        assert walk.similarity[number] == pytest.approx(others.mean(), abs=1e-4)


def test_without_residuals_tokens_become_alike_and_with_them_they_do_not() -> None:
    without = compute(Settings(residual=False))[0]
    assert without.similarity[0] < 0.3
    assert without.similarity[2:].min() > 0.99
    pre = compute(Settings(norm_first=True))[0]
    assert pre.similarity.max() < 0.7


def test_without_residuals_and_norms_small_weights_leave_nothing() -> None:
    bare = compute(Settings(residual=False, layer_norm=False, initialisation="normal"))[0]
    assert bare.norms[-1] < 1e-30
    assert 0 < bare.gradients.max() < 1e-30  # float64 sums: squares would be nothing in float32


def test_a_layer_norm_at_the_end_holds_the_length() -> None:
    post = compute(Settings())[0]
    np.testing.assert_allclose(post.norms[1:], np.sqrt(64), rtol=1e-3)
    pre = compute(Settings(norm_first=True))[0]
    assert pre.norms[-1] > 1.5 * pre.norms[0]


def test_large_weights_without_norms_overflow() -> None:
    walk = compute(Settings(initialisation="large", layer_norm=False))[0]
    assert np.isnan(walk.gradients).all()
    assert np.isfinite(walk.norms[0])
    assert not np.isfinite(walk.norms[-1])


def test_switching_parts_changes_no_weights() -> None:
    first = weights_of(Settings(**SMALL), 1)
    stack_of(Settings(**{**SMALL, "heads": 4}, residual=False, norm_first=True, dropout=0.5))
    again = weights_of(Settings(**SMALL), 1)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(
        first["linear1.weight"], weights_of(Settings(**SMALL), 2)["linear1.weight"]
    )
    deeper = compute(Settings(**{**SMALL, "depth": 5}))[0]
    assert_close(deeper.similarity[:4], compute(Settings(**SMALL))[0].similarity)


def test_initialisations_are_what_their_names_say() -> None:
    spread = {}
    for name in ("xavier", "normal", "large"):
        weight = weights_of(Settings(d_model=128, initialisation=name), 0)["linear1.weight"]
        spread[name] = float(weight.std())
    assert spread["xavier"] == pytest.approx((2 / (128 + 512)) ** 0.5, rel=0.02)
    assert spread["normal"] == pytest.approx(0.02, rel=0.02)
    assert spread["large"] == pytest.approx(1.0, rel=0.02)


def test_dropout_is_reproducible_and_leaves_the_generator_alone() -> None:
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    dropped = [compute(Settings(**SMALL, dropout=0.3))[0] for _ in range(2)]
    assert torch.equal(before, torch.random.get_rng_state())
    np.testing.assert_array_equal(dropped[0].similarity, dropped[1].similarity)
    assert not np.allclose(dropped[0].similarity, compute(Settings(**SMALL))[0].similarity)


def test_minilm_is_the_pretrained_encoder() -> None:
    walk = compute(Settings(**SMALL, minilm=True))[1]
    model, tokenizer = load_minilm()
    batch = tokenizer.batch([str(SMALL["text"])])
    with record(model) as recording, torch.no_grad():
        model(batch.ids, batch.type_ids, packed=False)
    for number, state in enumerate(recording.hidden_states):
        assert walk.norms[number] == pytest.approx(
            float(state.detach().norm(dim=-1).mean()), rel=1e-4
        )
    assert walk.depth == 6
    assert (walk.gradients > 0).all()
    assert all(parameter.grad is None for parameter in model.parameters())


# The learner's own


def test_in_bare_layers_the_gradient_dies_on_its_way_down() -> None:
    (bare,) = compute(Settings(residual=False, layer_norm=False))
    assert bare.gradients[0] < 1e-3 * bare.gradients[-1]
    assert (bare.gradients[:-1] < bare.gradients[1:]).mean() > 0.8


def test_biases_are_drawn_as_torchs_transformer_has_them() -> None:
    weights = weights_of(Settings(d_model=64), 0)
    torchs = nn.Transformer(64, 4, 1, 1, 256, batch_first=True).encoder.layers[0].state_dict()
    for name, drawn in torchs.items():
        if name.endswith("bias"):
            assert float(weights[name].std()) == pytest.approx(float(drawn.std()), rel=0.25), name
    normal = weights_of(Settings(initialisation="normal"), 0)
    assert not any(normal[name].any() for name in normal if name.endswith("bias"))


def test_ones_own_layers_are_made_once_and_give_the_same_each_time() -> None:
    made: list[nn.Module] = []

    class Counted(nn.TransformerEncoderLayer):
        def __init__(self, d_model: int, nhead: int, width: int, **kinds: Any) -> None:
            super().__init__(d_model, nhead, width, batch_first=True, **kinds)
            made.append(self)

    settings = replace(Settings(**SMALL), dropout=0.3)
    first = [compute(replace(settings, depth=depth), Counted)[0] for depth in (2, 3)]
    for layer in made:
        nn.init.ones_(layer.linear1.weight)  # the lab puts its own weights back
    again = [compute(replace(settings, depth=depth), Counted)[0] for depth in (2, 3)]
    assert len(made) == 3
    for walk, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(walk.cosines, other.cosines)
    compute(replace(settings, norm_first=True), Counted)
    assert len(made) == 6, "another form"


def test_ones_own_layer_is_what_runs() -> None:
    calls: list[tuple[Any, ...]] = []

    class Own(nn.TransformerEncoderLayer):
        def __init__(self, *sizes: int, dropout: float = 0.1, norm_first: bool = False) -> None:
            calls.append((*sizes, dropout, norm_first))
            super().__init__(*sizes, dropout=dropout, norm_first=norm_first, batch_first=True)

    settings = Settings(**SMALL, norm_first=True)
    own, reference = compute(settings, Own)[0], compute(settings)[0]
    assert calls == [(16, 2, 64, 0.0, True)] * 3
    np.testing.assert_allclose(own.gradients, reference.gradients, rtol=1e-3)
    assert_close(own.cosines, reference.cosines)
    compute(Settings(**SMALL, residual=False), Own)  # which no layer of one's own can leave out
    assert len(calls) == 3


class Shared(TransformerEncoderLayer):
    def forward(self, src: Tensor, *_: Any, **__: Any) -> Tensor:
        return super().forward(src)[:, :-1]


class Raising(TransformerEncoderLayer):
    def forward(self, src: Tensor, *_: Any, **__: Any) -> Tensor:
        raise ValueError("not yet")


class Nothing(TransformerEncoderLayer):
    def forward(self, src: Tensor, *_: Any, **__: Any) -> Any:
        return None


class Unmade:
    def __init__(self, *_: Any, **__: Any) -> None:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("layer", "sentence"),
    [
        (Shared, r"returned the shape \(1, 8, 16\); expected that of its input, \(1, 9, 16\)"),
        (Raising, r"raised in layer 1: ValueError: not yet\."),
        (Nothing, "returned NoneType; expected a tensor"),
        (Unmade, "could not be made: NotImplementedError"),
        (lambda *_, **__: 3, "of type int; expected a torch.nn.Module"),
        (lambda *_, **__: nn.Linear(2, 2), "does not take the weights of torch.nn"),
    ],
)
def test_a_layer_that_fails_is_told(layer: Any, sentence: str) -> None:
    with pytest.raises(OwnFailed, match=sentence):
        compute(Settings(**SMALL), layer)


def test_ones_own_similarity_is_drawn_and_compared() -> None:
    walk = compute(Settings(**SMALL), None, lambda hidden, padding_mask=None: hidden[:, 0, 0])[0]
    assert walk.similarity[0] == pytest.approx(float(embed_fresh(TOKENS, 16, 0)[0, 0, 0]))
    assert walk.differs is not None
    assert walk.differs > 0.1
    with pytest.raises(OwnFailed, match=r"raised: ValueError: no\."):
        compute(Settings(**SMALL), None, raising)
    with pytest.raises(OwnFailed, match=r"returned \(4, 9\); expected one number a text: \(4,\)"):
        compute(Settings(**SMALL), None, lambda hidden: hidden[..., 0])


def raising(hidden: Tensor) -> Tensor:
    raise ValueError("no")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"depth": 0}, "number of layers must be a whole number from 1 to 24"),
        ({"depth": 25}, "from 1 to 24"),
        ({"heads": 3}, "not divisible by 3 heads"),
        ({"d_model": 256}, "d_model must be a whole number from 4 to 128"),
        ({"dropout": 1}, "less than 1"),
        ({"dropout": "much"}, "a chance"),
        ({"initialisation": "he"}, "one of xavier, normal, large"),
        ({"residual": 1}, "residual must be True or False"),
        ({"text": " "}, "There is no text"),
        ({"text": "word " * 80}, "82 tokens; the lab draws at most 64"),
    ],
)
def test_what_cannot_be_is_told(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidSetting, match=sentence):
        compute(Settings(**{**SMALL, **change}))
