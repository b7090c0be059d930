"""Read an image more than once, as it is and as other hands would have written it, and average the readings.

Source: Krizhevsky, Sutskever and Hinton 2012, "ImageNet Classification with Deep Convolutional Neural
Networks", section 4.1 (the mean over ten views of an image).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from course.content.vision_and_speech.experiments.images import recipe
from course.content.vision_and_speech.experiments.images.distort import distort
from course.content.vision_and_speech.experiments.images.model import prepare
from course.datasets.digits.corpus import load

__all__ = ["HANDS", "evaluate", "read_often"]

HANDS = 8  # distorted versions beside the image; on forms of training and validation, held out in turn, they helped


@torch.no_grad()
def read_often(net: nn.Module, images: Tensor, hands: int = HANDS) -> Tensor:
    """Return the mean `(N, 10)` of the probabilities for images `(N, 8, 8)` and `hands` distorted versions of each.

    The same images give the same versions. The model is in eval mode.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        versions = [images, *(distort(images) for _ in range(hands))]
    readings = [net(prepare(each)).softmax(dim=-1) for each in versions]  # 1 + hands of (N, 10)
    return torch.stack(readings).mean(dim=0)


def evaluate(net: nn.Module, split: str, name: str = "validation") -> dict[str, float]:
    """Return what `recipe.evaluate` does, and the share of right answers of `read_often`, "read often"."""
    images, labels = recipe.part(load(split), name)
    right = read_often(net, images).argmax(dim=-1) == labels
    return {**recipe.evaluate(net, split, name), "read often": float(right.double().mean())}
