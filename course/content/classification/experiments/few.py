"""Classifiers for few and for many labelled examples: logistic regression on TF-IDF, on MiniLM's vectors, both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from course.content.classification.experiments import vectors
from course.datasets import Dataset, Example

__all__ = ["Classifier", "Together", "minilm", "tf_idf", "together"]

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


@dataclass(frozen=True)
class Together:
    """Several classifiers; the mean of their probabilities decides."""

    members: tuple[Classifier, ...]

    def probabilities(self, examples: Sequence[Example]) -> np.ndarray:
        """Return `(N, C)` probabilities."""
        found = [member.probabilities(examples) for member in self.members]
        return np.asarray(np.mean(found, axis=0))

    def predicted(self, examples: Sequence[Example]) -> np.ndarray:
        """Return the `(N,)` classes with the largest probability."""
        return np.asarray(self.probabilities(examples).argmax(axis=-1))


def together(data: Dataset) -> Together:
    """Fit both classifiers, each by itself."""
    return Together((tf_idf(data), minilm(data)))


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
