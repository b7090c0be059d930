"""Masked language modelling: what is hidden, how often, and how the guesses are measured."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from encoder_core.training.loop import fit
from encoder_core.training.masking import mask_collate, mask_tokens, masked_lm_loss, perplexity


def texts(rows: int = 400, length: int = 100) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    ids = torch.randint(5, 1000, (rows, length), generator=generator)
    return ids, torch.rand(ids.shape, generator=generator) < 0.2


@pytest.mark.parametrize("probability", [0.15, 0.3])
def test_shares_are_those_of_the_paper(probability: float) -> None:
    ids, special = texts()
    before = ids.clone()
    inputs, labels = mask_tokens(ids, special, 4, 1000, probability)
    assert torch.equal(ids, before)
    chosen = labels != -100
    assert not (chosen & special).any()
    assert torch.equal(labels[chosen], ids[chosen])
    assert torch.equal(inputs[~chosen], ids[~chosen])
    free, count = int((~special).sum()), int(chosen.sum())

    def near(share: int, of: int, expected: float) -> None:
        deviation = math.sqrt(expected * (1 - expected) / of)
        assert abs(share / of - expected) < 6 * deviation

    near(count, free, probability)
    masked, same = chosen & (inputs == 4), chosen & (inputs == ids)
    near(int(masked.sum()), count, 0.8 + 0.1 / 1000)
    near(int(same.sum()), count, 0.1 + 0.1 / 1000)
    random = inputs[chosen & ~masked & ~same]
    assert int(random.min()) < 30  # special ids too
    assert int(random.max()) > 970
    near(int((random < 500).sum()), len(random), 0.5)


@pytest.mark.parametrize("dtype", [torch.int64, torch.int32])
def test_draws_use_the_generator_and_keep_the_dtype(dtype: torch.dtype) -> None:
    ids, special = texts(8)
    state = torch.get_rng_state()
    one, two = (
        mask_tokens(ids.to(dtype), special, 4, 1000, generator=torch.Generator().manual_seed(5))
        for _ in range(2)
    )
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(one[0], two[0])
    assert torch.equal(one[1], two[1])
    assert one[0].dtype == one[1].dtype == dtype


def test_every_or_no_position() -> None:
    ids, special = texts(8)
    inputs, labels = mask_tokens(ids, special, 4, 1000, 0.0)
    assert torch.equal(inputs, ids)
    assert (labels == -100).all()
    assert torch.equal(mask_tokens(ids, special, 4, 1000, 1.0)[1] != -100, ~special)


def test_at_least_one_is_chosen_wherever_one_can_be_and_evenly() -> None:
    ids = torch.full((6000, 4), 7)
    special = torch.tensor([[True, False, False, False]]).expand(6000, 4).clone()
    special[:10] = True
    _, labels = mask_tokens(ids, special, 4, 9, 0.01, at_least_one=True)
    chosen = labels != -100
    assert not (chosen & special).any()
    assert not chosen[:10].any()
    assert chosen[10:].any(-1).all()
    share = chosen[10:].double().mean(0)
    # Each of three positions: alone, or beside another that was chosen with 1 %.
    assert ((share[1:] - 1 / 3).abs() < 0.01 + 6 * math.sqrt(2 / 9 / 6000)).all()
    empty = torch.zeros(2, 0, dtype=torch.long)
    assert mask_tokens(empty, empty.bool(), 4, 9, at_least_one=True)[0].shape == (2, 0)


def test_the_loss_is_the_mean_over_labels_and_zero_with_a_gradient_without_any() -> None:
    logits = torch.randn(2, 5, 7, dtype=torch.float64, requires_grad=True)
    labels = torch.full((2, 5), -100)
    none = masked_lm_loss(logits, labels)
    none.backward()
    assert none.item() == 0
    assert torch.equal(logits.grad, torch.zeros_like(logits))
    assert perplexity(logits, labels).item() == 1
    labels[0, 1], labels[1, 4], labels[1, 0] = 3, 0, 6
    expected = -(
        logits.log_softmax(-1)[0, 1, 3] + logits.log_softmax(-1)[1, 4, 0]
        + logits.log_softmax(-1)[1, 0, 6]
    ) / 3  # fmt: skip
    assert masked_lm_loss(logits, labels).item() == pytest.approx(expected.item(), rel=1e-14)
    assert perplexity(logits, labels).item() == pytest.approx(expected.exp().item(), rel=1e-14)
    torch_loss = F.cross_entropy(logits.flatten(0, 1), labels.flatten())
    assert masked_lm_loss(logits, labels.int()).item() == pytest.approx(torch_loss.item())


def test_a_batch_is_padded_and_its_padding_never_hidden() -> None:
    collate = mask_collate(pad_id=1, mask_id=4, vocab_size=99, special_ids=[2, 3], probability=1.0)
    inputs, labels, padding_mask = collate([[2, 50, 3], [2, 51, 52, 53, 3], []])
    assert padding_mask.tolist() == [
        [False] * 3 + [True] * 2, [False] * 5, [True] * 5,
    ]  # fmt: skip
    assert (inputs[padding_mask] == 1).all()
    assert labels.tolist() == [
        [-100, 50, -100, -100, -100], [-100, 51, 52, 53, -100], [-100] * 5,
    ]  # fmt: skip


def test_a_training_with_masking_repeats_and_differs_between_epochs() -> None:
    data = [[2, 5 + i % 7, 6, 7, 8, 9, 3] for i in range(12)]
    seen: list[Tensor] = []

    def loss(model: nn.Module, batch: Any) -> Tensor:
        seen.append(batch.labels)
        return masked_lm_loss(model(batch.inputs), batch.labels)

    collate = mask_collate(
        pad_id=0, mask_id=4, vocab_size=12, special_ids=[0, 1, 2, 3], at_least_one=True
    )
    weights = []
    for _ in range(2):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Embedding(12, 4), nn.Linear(4, 12))
        fit(model, data, loss, epochs=3, batch_size=12, collate=collate, progress=False)
        weights.append(model[1].weight)
    assert torch.equal(*weights)
    assert torch.equal(seen[0], seen[3])
    assert not torch.equal(seen[0] != -100, seen[1] != -100)
