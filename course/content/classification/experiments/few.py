"""Two classifiers on few and on many labelled examples: TF-IDF and frozen MiniLM, logistic regression on both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from course.content.classification.experiments import vectors
from course.datasets import Dataset, Example

__all__ = ["Classifier", "minilm", "tf_idf"]

STRENGTHS = (1.0, 10.0, 100.0)  # of the fit: sklearn's C, the inverse of the penalty


@dataclass(frozen=True)
class Classifier:
    """A fitted classifier: `features` turns texts into rows, `model` gives their probabilities."""

    features: Callable[[Sequence[Example]], Any]
    model: LogisticRegression

    def probabilities(self, examples: Sequence[Example]) -> np.ndarray:
        """Return `(N, C)` probabilities."""
        return np.asarray(self.model.predict_proba(self.features(examples)))

    def predicted(self, examples: Sequence[Example]) -> np.ndarray:
        """Return the `(N,)` classes with the largest probability."""
        return np.asarray(self.model.predict(self.features(examples)))


def tf_idf(data: Dataset) -> Classifier:
    """Fit logistic regression to the TF-IDF of the words of the training texts."""
    counted = TfidfVectorizer().fit([example.text for example in data.train])
    return _best(data, lambda examples: counted.transform([example.text for example in examples]))


def minilm(data: Dataset) -> Classifier:
    """Fit logistic regression to MiniLM's vectors of the training texts; MiniLM stays as it is."""
    return _best(data, lambda examples: vectors.of(examples).numpy())


def _best(data: Dataset, features: Callable[[Sequence[Example]], Any]) -> Classifier:
    """Fit with each strength, and keep the one with the best accuracy on the validation examples."""
    train, validation = features(data.train), features(data.validation)
    labels = [example.label for example in data.train]
    wanted = [example.label for example in data.validation]
    models = [LogisticRegression(C=c, max_iter=500).fit(train, labels) for c in STRENGTHS]
    return Classifier(features, max(models, key=lambda model: model.score(validation, wanted)))
