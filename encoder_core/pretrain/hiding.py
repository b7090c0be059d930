"""Hide the same number of tokens in every block, by draws that depend on the block and the update alone.

So the loss of an update is the same number however many processes share its blocks: each has as many hidden
tokens a block, and no mask depends on who draws it.

Source: Devlin et al. 2019, "BERT", section 3.1 and appendix A.1 (80 % masked, 10 % random, 10 % unchanged), with
an exact count in place of a probability.
"""

from __future__ import annotations

import torch
from torch import Tensor

from encoder_core.training.batches import step_seed
from encoder_core.training.masking import hide_chosen

__all__ = ["hide_tokens"]


def hide_tokens(
    ids: Tensor,
    special: Tensor,
    count: int,
    mask_id: int,
    vocab_size: int,
    seed: int,
    step: int,
    block: int,
) -> tuple[Tensor, Tensor]:
    """Hide `count` tokens of a block `(S,)`, and return inputs and labels `(S,)`, -100 where nothing is hidden.

    Fewer are hidden where fewer are not `special`, `(S,)` bool.

    >>> ids = torch.arange(10, 20)
    >>> inputs, labels = hide_tokens(ids, ids < 12, 3, mask_id=4, vocab_size=30, seed=0, step=5, block=7)
    >>> int((labels != -100).sum()), bool((labels[ids < 12] == -100).all())
    (3, True)
    """
    generator = torch.Generator().manual_seed(step_seed(seed, step, block))
    place = torch.rand(len(ids), generator=generator).masked_fill(special, 2.0)
    chosen = torch.zeros_like(special)
    chosen[place.topk(min(count, len(ids)), largest=False).indices] = True
    chosen &= ~special
    return hide_chosen(ids, chosen, mask_id, vocab_size, generator)
