"""The measurements that the chapter shows: right, repeatable, and leaving nothing behind."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from course.content.attention.experiments import recurrent
from course.content.attention.experiments.recurrent import (
    KINDS,
    LastToken,
    gradient_by_distance,
    longest_chain,
    recall,
)
from course.system import measure


def test_operations_are_those_of_the_matrix_products() -> None:
    linear = nn.Linear(7, 5)
    assert measure.operations(linear, torch.ones(3, 7)) == 2 * 3 * 7 * 5
    assert measure.operations(torch.relu, torch.ones(3, 7)) == 0


def test_seconds_passes_arguments_on_and_leaves_threads_as_they_were() -> None:
    before, calls = torch.get_num_threads(), []

    def note(*args: int, **kwargs: int) -> None:
        calls.append((args, kwargs, torch.get_num_threads(), torch.is_grad_enabled()))

    assert measure.seconds(note, 1, two=2) >= 0
    assert set(map(str, calls)) == {str(((1,), {"two": 2}, 1, False))}
    assert torch.get_num_threads() == before
    assert torch.is_grad_enabled()


@pytest.mark.parametrize("kind", KINDS)
def test_the_answer_depends_on_the_first_token_alone_where_it_could_be_learned(kind: str) -> None:
    ids, answer = recurrent._sequences(64, 9, torch.Generator().manual_seed(0))
    assert torch.equal(ids[:, 0] - recurrent.SYMBOLS, answer)
    assert ids[:, 1:].max() < recurrent.SYMBOLS <= ids[:, 0].min()
    assert LastToken(kind)(ids).shape == (64, recurrent.SYMBOLS)


def test_an_unknown_kind_is_told_in_a_sentence() -> None:
    with pytest.raises(ValueError, match="recurrent, gated recurrent, attention"):
        LastToken("convolution")


def test_nothing_of_the_global_state_moves() -> None:
    torch.manual_seed(3)
    threads, expected = torch.get_num_threads(), torch.get_rng_state().clone()
    recall("recurrent", 3, steps=2)
    gradient_by_distance("gated recurrent", 5)
    assert torch.equal(torch.get_rng_state(), expected)
    assert torch.get_num_threads() == threads


def test_the_same_seed_gives_the_same_number() -> None:
    assert recall("attention", 4, steps=20) == recall("attention", 4, steps=20)


def test_next_to_the_question_all_three_learn_it() -> None:
    assert all(recall(kind, 2) > 0.95 for kind in KINDS)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_far_away_only_attention_learns_it(seed: int) -> None:
    assert recall("attention", 32, seed=seed) > 0.9
    assert recall("recurrent", 32, seed=seed) < 0.3
    assert recall("gated recurrent", 32, seed=seed) < 0.3


@pytest.mark.slow
def test_with_more_steps_the_gated_one_gets_further() -> None:
    assert recall("gated recurrent", 16, steps=100) < 0.3
    assert recall("gated recurrent", 16, steps=800) > 0.9


def test_the_recurrent_gradient_falls_by_a_factor_a_step_and_that_of_attention_does_not() -> None:
    slopes = {kind: gradient_by_distance(kind) for kind in KINDS}
    assert all(len(slope) == 39 for slope in slopes.values())
    assert slopes["recurrent"][29] < 1e-6 * slopes["recurrent"][0]
    assert slopes["gated recurrent"][29] < 1e-4 * slopes["gated recurrent"][0]
    assert slopes["attention"].max() < 2 * slopes["attention"].min()
    assert (slopes["recurrent"] < slopes["gated recurrent"])[10:].all()
    logarithms = slopes["recurrent"].log()
    assert torch.corrcoef(torch.stack([torch.arange(39.0), logarithms]))[0, 1] < -0.99, (
        "a straight line"
    )


def test_the_chain_grows_with_the_length_in_recurrence_only() -> None:
    assert longest_chain("attention", 4) == longest_chain("attention", 64)
    for kind in KINDS[:2]:
        four, eight, twelve = (longest_chain(kind, n) for n in (4, 8, 12))
        assert twelve - eight == eight - four > 0


def test_the_depth_of_a_graph_is_its_longest_way() -> None:
    x = torch.ones(2, requires_grad=True)
    short = x * 2
    long = ((x + 1).exp() + 1).exp()
    accumulate_mul_add = 3
    assert recurrent._depth((short + 1).grad_fn) == accumulate_mul_add
    assert recurrent._depth((short + long).grad_fn) == 6
