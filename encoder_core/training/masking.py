"""Masked language modelling: hide tokens, and measure how well a model fills them in.

Source: Devlin et al. 2019, "BERT", section 3.1, task 1, and appendix A.1 (15 %; of those 80 % masked,
10 % random, 10 % unchanged).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = [
    "MaskedBatch",
    "hide_chosen",
    "mask_collate",
    "mask_tokens",
    "masked_lm_loss",
    "perplexity",
]

_IGNORED = -100  # the label of positions that are not predicted, as in torch's cross entropy


def mask_tokens(
    ids: Tensor,
    special: Tensor,
    mask_id: int,
    vocab_size: int,
    probability: float = 0.15,
    generator: torch.Generator | None = None,
    *,
    at_least_one: bool = False,
) -> tuple[Tensor, Tensor]:
    """Choose positions, hide their tokens, and return inputs and labels, both in the shape of `ids`.

    Each position is chosen independently with `probability`; of the chosen ones 80 % become
    `mask_id`, 10 % a random id and 10 % stay. Labels are -100 where nothing was chosen.

    Args:
        ids: integers `(..., S)`.
        special: bool in the shape of `ids`, True where a position is never chosen, such as `[CLS]`
            and padding.
        generator: draws everything, on the device of `ids`; None for torch's.
        at_least_one: choose one position of each row that would have none, unless all are special.

    >>> ids = torch.arange(5, 25)[None]  # (1, S)
    >>> inputs, labels = mask_tokens(ids, ids < 7, mask_id=4, vocab_size=25, probability=1.0)
    >>> labels[0, :4].tolist(), bool((inputs == 4).any())
    ([-100, -100, 7, 8], True)
    """
    place = torch.rand(ids.shape, device=ids.device, generator=generator)
    chosen = (place < probability) & ~special
    if at_least_one and ids.shape[-1]:
        lowest = place.masked_fill(special, 2.0).argmin(-1, keepdim=True)  # (..., 1)
        # Where any position of a row was chosen, the one with the lowest draw was.
        chosen = chosen.scatter(-1, lowest, True) & ~special
    return hide_chosen(ids, chosen, mask_id, vocab_size, generator)


def hide_chosen(
    ids: Tensor,
    chosen: Tensor,
    mask_id: int,
    vocab_size: int,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """Hide the `chosen` positions, bool in the shape of `ids`; return inputs and labels as `mask_tokens` does.

    >>> ids, all_of_them = torch.arange(5, 9), torch.ones(4, dtype=torch.bool)
    >>> hide_chosen(ids, all_of_them, mask_id=4, vocab_size=9)[1].tolist()
    [5, 6, 7, 8]
    """
    kind = torch.rand(ids.shape, device=ids.device, generator=generator)
    random = torch.randint(
        vocab_size, ids.shape, device=ids.device, dtype=ids.dtype, generator=generator
    )
    inputs = ids.masked_fill(chosen & (kind < 0.8), mask_id)
    inputs = torch.where(chosen & (kind >= 0.8) & (kind < 0.9), random, inputs)
    return inputs, ids.masked_fill(~chosen, _IGNORED)


def masked_lm_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the mean cross entropy over the positions whose label is not -100; 0 if there are none.

    Logits `(..., V)`, labels `(...)`.

    >>> logits = torch.zeros(1, 2, 4)
    >>> round(masked_lm_loss(logits, torch.tensor([[-100, 3]])).exp().item(), 4)
    4.0
    """
    chosen = labels != _IGNORED
    scores, targets = logits[chosen], labels[chosen].long()  # (N, V), (N,)
    # The sum of nothing is 0 with a gradient of zeros; its mean would be NaN.
    return F.cross_entropy(scores, targets, reduction="mean" if len(targets) else "sum")


def perplexity(logits: Tensor, labels: Tensor) -> Tensor:
    """Return exp of `masked_lm_loss`: the number of equally likely tokens that is as uncertain.

    Logits `(B, S, V)` and labels `(B, S)` to one number.

    >>> perplexity(torch.zeros(1, 2, 4), torch.full((1, 2), -100)).item()
    1.0
    """
    return masked_lm_loss(logits, labels).exp()


class MaskedBatch(NamedTuple):
    """Texts with hidden tokens, padded to one length S.

    `inputs` and `labels` are int64 `(B, S)`, labels -100 where nothing is predicted; `padding_mask` is
    bool `(B, S)`, True at padding.
    """

    inputs: Tensor
    labels: Tensor
    padding_mask: Tensor


def mask_collate(
    *,
    pad_id: int,
    mask_id: int,
    vocab_size: int,
    special_ids: Iterable[int],
    probability: float = 0.15,
    at_least_one: bool = False,
    generator: torch.Generator | None = None,
) -> Callable[[Sequence[Sequence[int]]], MaskedBatch]:
    """Return a function from id lists to a `MaskedBatch`, for the `collate` of `training.fit`.

    Tokens in `special_ids` and padding are never hidden. Without a `generator` the positions are
    drawn from torch's, which a training seeds for every update: they differ in every epoch and are
    the same in every run.

    >>> collate = mask_collate(pad_id=0, mask_id=4, vocab_size=9, special_ids=[2, 3], probability=1.0)
    >>> batch = collate([[2, 5, 6, 3], [2, 7, 3]])
    >>> batch.labels
    tensor([[-100,    5,    6, -100],
            [-100,    7, -100, -100]])
    >>> batch.padding_mask[1]
    tensor([False, False, False,  True])
    """
    never = torch.tensor(sorted(special_ids), dtype=torch.long)

    def collate(sequences: Sequence[Sequence[int]]) -> MaskedBatch:
        lengths = torch.tensor([len(sequence) for sequence in sequences])
        padding_mask = torch.arange(int(lengths.max())) >= lengths[:, None]  # (B, S)
        ids = torch.full(padding_mask.shape, pad_id)
        ids[~padding_mask] = torch.tensor(list(chain.from_iterable(sequences)), dtype=torch.long)
        special = torch.isin(ids, never) | padding_mask
        inputs, labels = mask_tokens(
            ids, special, mask_id, vocab_size, probability, generator, at_least_one=at_least_one
        )
        return MaskedBatch(inputs, labels, padding_mask)

    return collate
