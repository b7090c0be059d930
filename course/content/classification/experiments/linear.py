"""Linear classifiers: words weighted by TF-IDF, and logistic regression on any features.

Sources: Sparck Jones 1972, "A statistical interpretation of term specificity" (idf); Salton and Buckley
1988, "Term-weighting approaches in automatic text retrieval" (tf-idf, vectors of length 1); Liu and
Nocedal 1989 (L-BFGS).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["LogisticRegression", "TfIdf", "macro_f1", "score"]

_WORD = re.compile(r"[a-z_]{2,}")


class TfIdf:
    """Turn texts into vectors of word weights, `(N, words)`, each of length 1.

    A word weighs `(1 + log count) * (log(texts / texts with it) + 1)`; pairs of neighbouring words
    count as words. Words in fewer than `fewest` training texts are left out.
    """

    def __init__(self, texts: Sequence[str], fewest: int = 2) -> None:
        having = Counter(word for text in texts for word in set(_words(text)))
        kept = sorted(word for word, count in having.items() if count >= min(fewest, len(texts)))
        self.columns = {word: column for column, word in enumerate(kept)}
        counts = torch.tensor([having[word] for word in kept], dtype=torch.float32)
        self.idf = torch.log((1 + len(texts)) / (1 + counts)) + 1  # (words,)

    def __call__(self, texts: Sequence[str]) -> Tensor:
        """Return the vectors `(N, words)`; a text without a known word gets zeros."""
        vectors = torch.zeros(len(texts), len(self.columns))
        for row, text in enumerate(texts):
            for word, count in Counter(_words(text)).items():
                if word in self.columns:
                    vectors[row, self.columns[word]] = 1 + math.log(count)
        return F.normalize(vectors * self.idf, dim=1)


def _words(text: str) -> list[str]:
    words = _WORD.findall(text.lower())
    return words + [f"{first} {second}" for first, second in pairwise(words)]


class LogisticRegression:
    """A linear layer trained to the end, by L-BFGS, on features `(N, D)` and labels `(N,)`.

    Args:
        strength: C; the smaller, the smaller the weights are kept. The loss is
            `sum of cross entropies + |weights|^2 / (2 C)`, as in scikit-learn.
        standardise: bring each feature to mean 0 and variance 1 first, by the training features.
    """

    def __init__(
        self,
        features: Tensor,
        labels: Tensor,
        classes: int,
        strength: float = 1.0,
        standardise: bool = False,
    ) -> None:
        shape = features.shape[1]
        self.mean = features.mean(dim=0) if standardise else torch.zeros(shape)
        spread = features.std(dim=0).clamp(min=1e-6) if standardise else torch.ones(shape)
        self.scale = 1 / spread
        self.weight = torch.zeros(classes, shape, requires_grad=True)
        self.bias = torch.zeros(classes, requires_grad=True)
        x = (features - self.mean) * self.scale
        optimizer = torch.optim.LBFGS(
            [self.weight, self.bias], max_iter=200, history_size=10, line_search_fn="strong_wolfe"
        )

        def closure() -> Tensor:
            optimizer.zero_grad()
            loss = F.cross_entropy(F.linear(x, self.weight, self.bias), labels, reduction="sum")
            loss = (loss + self.weight.square().sum() / (2 * strength)) / len(x)
            loss.backward()  # type: ignore[no-untyped-call]
            return loss

        with torch.enable_grad():
            optimizer.step(closure)  # type: ignore[no-untyped-call]

    @torch.no_grad()
    def __call__(self, features: Tensor) -> Tensor:
        """Return logits `(N, classes)` for features `(N, D)`."""
        return F.linear((features - self.mean) * self.scale, self.weight, self.bias)


def score(logits: Tensor, labels: Tensor) -> dict[str, float]:
    """Score logits `(N, classes)` against labels `(N,)`: accuracy and macro-F1."""
    predicted = logits.argmax(dim=1)
    return {
        "accuracy": (predicted == labels).double().mean().item(),
        "macro_f1": macro_f1(predicted, labels, logits.shape[1]),
    }


def macro_f1(predicted: Tensor, labels: Tensor, classes: int) -> float:
    """Return the mean over the classes of F1, `2 hits / (predicted + actual)`; 0 for an unseen class."""
    hits = torch.bincount(labels[predicted == labels], minlength=classes).double()
    made = torch.bincount(predicted, minlength=classes) + torch.bincount(labels, minlength=classes)
    return (2 * hits / made.clamp(min=1)).mean().item()
