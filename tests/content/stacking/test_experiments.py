"""The stacks that the chapter measures: built, walked, pulled and trained."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from course.content.stacking import experiments as stacking
from tests.close import assert_close


def test_a_block_with_both_is_torch_s_layer() -> None:
    for norm in ("post", "pre"):
        (block,) = stacking.stack(1, norm, d_model=16, nhead=2)
        theirs = nn.TransformerEncoderLayer(
            16, 2, 64, dropout=0.0, batch_first=True, norm_first=norm == "pre"
        )
        theirs.load_state_dict(
            {k.replace("attention.", "self_attn."): v for k, v in block.state_dict().items()}
        )
        x = torch.randn(2, 3, 16)
        assert_close(block(x), theirs(x))


def test_parts_can_be_left_out() -> None:
    x = torch.randn(2, 3, 16)
    (bare,) = stacking.stack(1, "none", residual=False, d_model=16, nhead=2)
    nn.init.zeros_(bare.linear2.weight)
    nn.init.zeros_(bare.linear2.bias)
    assert bare(x).abs().max() == 0, "nothing but what the network makes"
    bare.residual = True
    assert bare(x).abs().max() > 0
    with pytest.raises(ValueError, match="none, post, pre"):
        stacking.Block(16, 2, 64, "both")


@pytest.mark.parametrize("norm", ["post", "pre"])
def test_gradients_are_averaged_over_draws_of_first_weights(norm: str) -> None:
    x = torch.randn(2, 3, 64)
    draws = [stacking.gradients(stacking.stack(2, norm, seed=s), x, s) for s in range(8)]
    assert not torch.allclose(draws[0], draws[1], rtol=1e-3), "one draw is not like another"
    for count in (1, 3, 8):
        mean = sum(draws[:count]) / count
        assert_close(stacking.mean_gradients(2, norm, x, draws=count), mean)
    assert_close(stacking.mean_gradients(2, norm, x), sum(draws) / 8)  # as the chapter's title says


def test_a_seed_makes_a_stack_and_layers_differ() -> None:
    one, same, other = (stacking.stack(2, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(one[0].linear1.weight, same[0].linear1.weight)
    assert not torch.equal(one[0].linear1.weight, other[0].linear1.weight)
    assert not torch.equal(one[0].linear1.weight, one[1].linear1.weight)


def test_the_global_generator_is_left_alone() -> None:
    state = torch.get_rng_state()
    stacking.train(stacking.stack(1, d_model=16, nhead=2), d_model=16, steps=10)
    stacking.gradients(stacking.stack(1), torch.randn(1, 2, 64, generator=torch.Generator()))
    assert torch.equal(torch.get_rng_state(), state)


def test_a_walk_holds_the_input_and_every_output() -> None:
    layers, x = stacking.stack(3), torch.randn(1, 4, 64)
    states = stacking.walk(layers, x)
    assert states[0] is x
    assert_close(states[2], layers[1](layers[0](x)))
    assert len(states) == 4


def test_gradients_are_those_of_autograd() -> None:
    layers, x = stacking.stack(2), torch.randn(1, 4, 64)
    sizes = stacking.gradients(layers, x, seed=5)
    direction = torch.randn(1, 4, 64, generator=torch.Generator().manual_seed(5))
    direction = nn.functional.normalize(direction, dim=-1)
    (layers[1](layers[0](x)) * direction).sum().backward()
    for size, layer in zip(sizes, layers, strict=True):
        squares = [p.grad.square().sum() for p in layer.parameters() if p.dim() == 2]
        assert size == pytest.approx(torch.stack(squares).sum().sqrt().item(), rel=1e-4)


def test_the_task_can_be_answered_from_the_sequence() -> None:
    ids, answer = stacking.sequences(64, 12, torch.Generator().manual_seed(0))
    assert ids.shape == (64, 12)
    assert (ids[:, 0] == 2 * stacking.SYMBOLS).all()
    symbols = (ids >= stacking.SYMBOLS) & (ids < 2 * stacking.SYMBOLS)
    assert (symbols.sum(1) == 1).all()
    assert torch.equal(ids[symbols] - stacking.SYMBOLS, answer)
    assert len(answer.unique()) == stacking.SYMBOLS


def test_a_layer_that_wants_the_length_first_is_served() -> None:
    theirs = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.0)
    ours = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.0, batch_first=True)
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(2, 3, 16)
    assert_close(stacking.LengthFirst(theirs)(x), ours(x))


def test_training_reports_means_of_ten_steps_and_warms_up() -> None:
    def trained(**more: int) -> list[float]:
        layers = stacking.stack(1, "pre", d_model=16, nhead=2)
        return stacking.train(layers, d_model=16, **more)

    full, warm = trained(steps=25), trained(steps=25, warmup=25)
    assert len(full) == 3
    assert full[0] != warm[0]
    assert full == trained(steps=25), "the same each time"
