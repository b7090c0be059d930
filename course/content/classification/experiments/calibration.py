"""How often a classifier is right, by how sure it is."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["accuracy_in_bins"]


def accuracy_in_bins(probabilities: Tensor, labels: Tensor, bins: int) -> tuple[Tensor, Tensor]:
    """Return the accuracy in each bin of confidence and the number of examples in it, `(bins,)` each.

    Takes probabilities `(N, C)` and labels `(N,)`. The accuracy of an empty bin is NaN.
    """
    confidence, predicted = probabilities.max(dim=-1)  # (N,) each
    place = (confidence * bins).ceil().long().clamp(min=1) - 1
    count = torch.bincount(place, minlength=bins)
    right = torch.bincount(place[predicted == labels], minlength=bins)
    return right / count, count
