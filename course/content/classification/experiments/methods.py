"""What each method reaches with 10, 50 and all labelled docstrings a class, for a seed.

The seed draws the examples, where there are few, and starts the trainings. The layers and the pooling are the
exercises' model solutions.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch

from course import datasets
from course.content import exercises
from course.content.classification import trainings
from course.content.classification.experiments import few
from course.content.classification.experiments.from_scratch import figures
from course.datasets import Dataset
from course.training import Settings, Training, train

__all__ = ["FITTED", "METHODS", "SIZES", "TRAINED", "data_of", "measure", "row_name", "training_of"]

SIZES = (10, 50, None)  # labelled docstrings a class; None is all of them

FITTED: dict[str, Callable[[Dataset], Any]] = {
    "TF-IDF": few.tf_idf,
    "frozen MiniLM": few.minilm,
    "TF-IDF and frozen MiniLM": few.together,
}


def _from_scratch(data: Dataset) -> Training:
    layer = exercises.get("stacking.EncoderLayer").model()
    masked_mean = exercises.get("classification.masked_mean").model()
    return trainings.docstring_classifier(layer, masked_mean, data)


TRAINED: dict[str, Callable[[Dataset], Training]] = {
    "from scratch": _from_scratch,
    "fine-tuned MiniLM": trainings.tuned_minilm,
}
METHODS = (*FITTED, *TRAINED)

# Fewer examples are learned in fewer updates.
_STEPS = {
    ("from scratch", 10): 100,
    ("from scratch", 50): 200,
    ("fine-tuned MiniLM", 10): 40,
    ("fine-tuned MiniLM", None): 150,
}


def row_name(method: str, per_class: int | None) -> str:
    """Name a method with a number of examples in a table, such as "10 a class: TF-IDF"."""
    return f"all: {method}" if per_class is None else f"{per_class} a class: {method}"


def data_of(per_class: int | None, seed: int) -> Dataset:
    """Return "docstring-families" with the examples that a seed draws."""
    data = datasets.load("docstring-families")
    return data if per_class is None else data.few(per_class, seed)


def training_of(method: str, per_class: int | None, seed: int) -> tuple[Training, Settings]:
    """Return the training of a method that has one, and its settings for a number of examples."""
    training = TRAINED[method](data_of(per_class, seed))
    steps = _STEPS.get((method, per_class), training.settings.steps)
    return training, training.settings.changed(seed=seed, steps=steps)


def measure(
    method: str, per_class: int | None, seed: int, *, cache: bool = False
) -> tuple[dict[str, dict[str, float]], float]:
    """Return a method's figures on validation and test, by split and name, and the seconds of its training."""
    if method in TRAINED:
        training, settings = training_of(method, per_class, seed)
        training.data[0]  # all docstrings' lower layers are computed here, not in the first update
        trained = train(training, settings, cache=cache, progress=False)
        return {"validation": trained.metrics, "test": trained.test}, trained.seconds
    data, began = data_of(per_class, seed), time.perf_counter()
    classifier = FITTED[method](data)
    seconds = time.perf_counter() - began
    found = {}
    for split in ("validation", "test"):
        examples = getattr(data, split)
        found[split] = figures(torch.from_numpy(classifier.predicted(examples)), examples)
    return found, seconds
