"""Docstrings by family: the honest split, the one that leaks, and names that are hidden."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from course import datasets
from course.datasets import Dataset, docstring_families
from course.datasets.dataset import Example
from course.datasets.python_docs import snapshot
from course.datasets.python_docs.families import FAMILIES, family_of


def every(data: Dataset) -> list[Example]:
    return [*data.train, *data.validation, *data.test]


def test_the_card_is_true() -> None:
    data = datasets.load("docstring-families")
    assert data.card.examples == len(every(data)) == len({example.text for example in every(data)})
    assert data.card.size == snapshot.TABLE.stat().st_size
    assert f"Python {snapshot.origin().python}" in data.card.about
    assert data.classes == tuple(FAMILIES)
    for part in (data.train, data.validation, data.test):
        assert {example.label for example in part} == set(range(6))
    assert all(family_of(e.source) == data.classes[e.label] for e in every(data))  # type: ignore[index]


def test_modules_are_held_out_in_one_split_and_known_in_the_other() -> None:
    honest = datasets.load("docstring-families")
    leaking = datasets.load("docstring-families", split="random")
    assert sorted(every(honest)) == sorted(every(leaking))
    for name in ("train", "validation", "test"):
        one, other = (
            Counter(example.label for example in getattr(data, name)) for data in (honest, leaking)
        )
        assert one == other
    known = {example.source for example in honest.train}
    assert not known & {example.source for example in (*honest.validation, *honest.test)}
    known = {example.source for example in leaking.train}
    assert sum(example.source in known for example in leaking.test) > 0.9 * len(leaking.test)


def test_no_example_has_the_name_of_its_package() -> None:
    hidden = 0
    for example in every(datasets.load("docstring-families")):
        package = re.escape(example.source.partition(".")[0])
        assert not re.search(rf"(?<![^\W_]){package}(?![^\W_])", example.text, re.IGNORECASE)
        hidden += docstring_families.HIDDEN in example.text
        words = len(example.text.split())
        assert docstring_families.FEWEST_WORDS <= words <= docstring_families.MOST_WORDS
    assert hidden > 300


def test_families_have_no_module_in_common_and_all_their_modules_exist() -> None:
    packages = [package for family in FAMILIES.values() for package in family]
    assert len(packages) == len(set(packages))
    known = {document.source.partition(".")[0] for document in snapshot.documents()}
    assert set(packages) <= known


def test_an_unknown_split_is_explained() -> None:
    with pytest.raises(ValueError, match="'module', the honest one, or 'random'"):
        datasets.load("docstring-families", split="honest")
    with pytest.raises(TypeError):
        datasets.load("docstring-families", seed=3)
