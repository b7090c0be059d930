"""Embeddings: lookup, the row of padding that stays zero, tied weights, the sum of the parts."""

from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from encoder_core.embeddings import (
    InputEmbedding,
    TokenEmbedding,
    initialise_embedding,
    lookup,
    one_hot_lookup,
)
from encoder_core.positions import LearnedPositions, SinusoidalPositions
from encoder_core.tied import TiedProjection
from tests.close import assert_close


@given(vocabulary=st.integers(1, 20), d_model=st.integers(1, 8), seed=st.integers(0, 99))
def test_lookup_equals_the_product_with_one_hot_rows(
    vocabulary: int, d_model: int, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randn(vocabulary, d_model, dtype=torch.float64, generator=generator)
    ids = torch.randint(0, vocabulary, (3, 5), generator=generator)
    grads = []
    for form in (lookup, one_hot_lookup):
        leaf = weight.clone().requires_grad_()
        assert_close(form(leaf, ids), weight[ids])
        form(leaf, ids).square().sum().backward()
        grads.append(leaf.grad)
    assert_close(grads[0], grads[1])


def test_case_13_padding_row_is_zero_after_every_initialisation() -> None:
    embedding = TokenEmbedding(6, 4, padding_idx=2)
    assert embedding.weight[2].eq(0).all()
    nn.init.normal_(embedding.weight)  # what undoes it elsewhere
    embedding.reset_parameters()
    assert embedding.weight[2].eq(0).all()
    initialise_embedding(embedding.weight, 0.5, padding_idx=2)
    assert embedding.weight[2].eq(0).all()
    assert embedding.weight[[0, 1, 3, 4, 5]].ne(0).all()


def test_case_13_padding_row_stays_zero_with_tied_weights_while_others_learn() -> None:
    torch.manual_seed(0)
    embedding = TokenEmbedding(6, 4, padding_idx=2, std=0.5)
    project = TiedProjection(embedding)
    before = embedding.weight.detach().clone()
    optimiser = torch.optim.AdamW([*embedding.parameters(), *project.parameters()], lr=0.1)
    ids = torch.tensor([[1, 3, 2], [5, 2, 2]])
    for _ in range(3):
        optimiser.zero_grad()
        F.cross_entropy(project(embedding(ids)).flatten(0, 1), ids.flatten()).backward()
        assert embedding.weight.grad is not None
        assert embedding.weight.grad[2].eq(0).all()
        optimiser.step()
    assert embedding.weight[2].eq(0).all()
    assert (embedding.weight - before)[[0, 1, 3, 4, 5]].abs().min() > 1e-3


def test_tied_projection_gives_the_same_logits_for_a_loaded_padding_row_that_is_not_zero() -> None:
    embedding = TokenEmbedding(6, 4, padding_idx=0)
    nn.init.normal_(embedding.weight)
    project = TiedProjection(embedding)
    nn.init.normal_(project.bias)  # type: ignore[arg-type]
    hidden = torch.randn(2, 3, 4)
    expected = hidden @ embedding.weight.T + project.bias
    assert_close(project(hidden), expected)


def test_tied_projections_logits_can_be_hooked() -> None:
    """A hook on a view that was written to crashes the process in torch 2.13: the logits are none."""
    project = TiedProjection(TokenEmbedding(6, 4, padding_idx=0))
    seen: list[torch.Tensor] = []
    logits = project(torch.randn(2, 3, 4))
    logits.register_hook(seen.append)
    logits.sum().backward()
    assert seen[0].eq(torch.ones(2, 3, 6)).all()


def test_tied_projection_gradients_equal_autograds_but_for_the_padding_row() -> None:
    embedding = nn.Embedding(5, 3, padding_idx=1, dtype=torch.float64)
    project = TiedProjection(embedding).double()
    hidden = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    upstream = torch.randn(4, 5, dtype=torch.float64)
    ours = torch.autograd.grad(
        (project(hidden) * upstream).sum(), [hidden, embedding.weight, project.bias]
    )
    plain = torch.autograd.grad(
        ((hidden @ embedding.weight.T + project.bias) * upstream).sum(),
        [hidden, embedding.weight, project.bias],
    )
    assert_close(ours[0], plain[0])
    assert_close(ours[2], plain[2])
    expected = plain[1].clone()
    expected[1] = 0
    assert_close(ours[1], expected)


def test_tied_projection_is_held_once_and_stays_tied_in_a_copy() -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = TokenEmbedding(5, 3)
            self.project = TiedProjection(self.embedding, bias=False)

    model = copy.deepcopy(Model())
    assert list(model.state_dict()) == ["embedding.weight"]
    with torch.no_grad():
        model.embedding.weight.fill_(1.0)
    assert_close(model.project(torch.ones(3)), torch.full((5,), 3.0))


@pytest.mark.parametrize("ids", [[[1, 5]], [[-1, 2]]])
def test_an_id_that_is_none_is_answered_with_a_sentence(ids: list[list[int]]) -> None:
    with pytest.raises(IndexError, match=rf"0 to 4; got ids from {ids[0][0]} to {ids[0][1]}\."):
        TokenEmbedding(vocab_size=5, d_model=4)(torch.tensor(ids))


def test_token_embedding_scale_gives_unit_variance() -> None:
    torch.manual_seed(0)
    embedding = TokenEmbedding(2000, 64, scale=True)
    assert embedding(torch.arange(2000)).std().item() == pytest.approx(1.0, abs=0.02)
    plain = TokenEmbedding(2000, 64)
    assert plain(torch.arange(2000)).std().item() == pytest.approx(0.02, abs=0.001)


def test_input_embedding_is_the_sum_of_its_parts() -> None:
    embed = InputEmbedding(10, 6, LearnedPositions(8, 6), segments=2, padding_idx=0, dropout=0.5)
    embed.eval()
    ids, types = torch.tensor([[3, 4, 0]]), torch.tensor([[0, 1, 1]])
    assert embed.segment is not None
    expected = (
        embed.token.weight[ids] + embed.segment.weight[types] + embed.positions.weight[:3]  # type: ignore[union-attr]
    )
    assert_close(embed(ids, types), expected)
    assert_close(embed(ids), embed(ids, torch.zeros_like(ids)))


def test_input_embedding_normalises_and_drops_where_asked() -> None:
    torch.manual_seed(0)
    embed = InputEmbedding(10, 64, SinusoidalPositions(64), norm=True, dropout=0.25)
    out = embed(torch.randint(0, 10, (8, 16)))
    assert out.eq(0).float().mean().item() == pytest.approx(0.25, abs=0.02)
    normal = embed.eval()(torch.randint(0, 10, (8, 16)))
    assert_close(normal.mean(-1), torch.zeros(8, 16), scale=normal.abs().max().item())


def test_input_embedding_refuses_segments_that_it_does_not_have() -> None:
    with pytest.raises(ValueError, match="segments=2"):
        InputEmbedding(10, 4)(torch.tensor([[1]]), torch.tensor([[0]]))
