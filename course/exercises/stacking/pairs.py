"""What the similarity of tokens is for two tokens at an angle, and which pairs of three count."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from course.exercises.embeddings import directions
from course.exercises.model import Case


def finds(function: Callable[[Tensor], Tensor], failed: Sequence[Case]) -> list[str]:
    """Sentences of two tokens first, whose mean is their one similarity; then one of three."""

    def of_two(a: Tensor, b: Tensor) -> Tensor:
        return function(torch.stack((a.expand_as(b), b), 1)).unsqueeze(0)

    told = directions.finds(of_two, failed)
    if told:
        return [f"in sentences of two tokens, {sentence}" for sentence in told]
    angles = map(math.radians, (0, 60, 90))
    hidden = torch.tensor([[[math.cos(t), math.sin(t)] for t in angles]]).double()
    cosines = (hidden @ hidden.mT)[0]
    each = [cosines[0, 1].item(), cosines[0, 2].item(), cosines[1, 2].item()]
    came, wanted = function(hidden).reshape(-1)[0].item(), sum(each) / 3
    if abs(came - wanted) < 1e-6:
        return []
    shown = ", ".join(f"{abs(cosine):.2f}" for cosine in each)
    return [
        f"of three tokens whose similarities are {shown}, the mean is {wanted:.2f}, and {came:.2f} came"
    ]
