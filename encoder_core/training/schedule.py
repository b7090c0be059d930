"""The learning-rate schedule, and weight decay by parameter group.

Sources: Devlin et al. 2019, "BERT", appendix A.2 (linear warm-up, linear decay, weight decay
0.01; no decay on biases and LayerNorm in its code); Loshchilov and Hutter 2019, "Decoupled Weight
Decay Regularization", algorithm 2 (AdamW).
"""

from __future__ import annotations

from typing import Any

from torch import nn

__all__ = ["learning_rate", "parameter_groups"]


def learning_rate(step: int, warmup: int, total: int, peak: float) -> float:
    """Rise linearly from 0 to `peak` over `warmup` steps, then fall linearly to 0 at `total`.

    `step` counts the updates already made: with a warm-up the first update has rate 0. Raises
    ValueError unless 0 <= warmup < total.

    >>> [learning_rate(step, warmup=2, total=6, peak=1.0) for step in range(7)]
    [0.0, 0.5, 1.0, 0.75, 0.5, 0.25, 0.0]
    """
    if not 0 <= warmup < total:
        raise ValueError(f"Need 0 <= warmup < total, got warmup={warmup} and total={total}.")
    if step < warmup:
        return peak * step / warmup
    return peak * max(0.0, (total - step) / (total - warmup))


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Split the trainable parameters for `torch.optim.AdamW`: only those with two axes or more decay.

    A parameter shared by two modules appears once.

    >>> groups = parameter_groups(nn.Linear(2, 3), weight_decay=0.01)
    >>> [(len(group["params"]), group["weight_decay"]) for group in groups]
    [(1, 0.01), (1, 0.0)]
    """
    trainable = [p for p in model.parameters() if p.requires_grad]
    return [
        {"params": [p for p in trainable if p.dim() >= 2], "weight_decay": weight_decay},
        {"params": [p for p in trainable if p.dim() < 2], "weight_decay": 0.0},
    ]
