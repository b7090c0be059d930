"""What reads digits without a network: scikit-learn's classifiers, on the 64 pixels in a row."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC
from torch import Tensor

from course.content.vision_and_speech.experiments.images import recipe
from course.content.vision_and_speech.experiments.images.distort import distort
from course.datasets.digits.corpus import load

__all__ = ["METHODS", "fitted", "predicted", "score"]

COPIES = 9  # distorted ones of each image, beside the image
METHODS = ("logistic regression", "SVM", "SVM, distorted copies")


@functools.lru_cache(maxsize=16)
def fitted(
    method: str, split: str, per_class: int | None = None, seed: int = 0, mixed: bool = False
) -> Any:
    """Fit a classifier; C and gamma were chosen as the Transformer's settings were.

    Raises ValueError if there is no such method.
    """
    if method not in METHODS:
        raise ValueError(f"method={method!r}: take one of {', '.join(METHODS)}.")
    known = recipe.digits(split, per_class, seed)
    images = torch.stack([each.image for each in known])  # (N, 8, 8)
    labels = np.array([each.label for each in known])
    if "distorted" in method:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            images = torch.cat([images, *(distort(images) for _ in range(COPIES))])
        labels = np.tile(labels, COPIES + 1)
    if mixed:
        images = recipe.mix_pixels(images)
    model = LogisticRegression(max_iter=500) if method == METHODS[0] else SVC(C=10, gamma=0.3)
    return model.fit(images.flatten(1).numpy(), labels)


def predicted(classifier: Any, images: Tensor) -> Tensor:
    """Return the digits `(N,)` that a classifier reads in images `(N, 8, 8)`."""
    return torch.from_numpy(classifier.predict(images.flatten(1).numpy()))


def score(
    method: str, split: str, per_class: int | None = None, seed: int = 0, mixed: bool = False
) -> dict[str, dict[str, float]]:
    """Return a method's accuracy on validation and test."""
    classifier = fitted(method, split, per_class, seed, mixed)
    found = {}
    for name in ("validation", "test"):
        images, labels = recipe.part(load(split), name)
        read = predicted(classifier, recipe.mix_pixels(images) if mixed else images)
        found[name] = {"accuracy": float((read == labels).double().mean())}
    return found
