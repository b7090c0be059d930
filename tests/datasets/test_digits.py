"""The handwritten digits: the forms that their labels tell of, the two splits, and how they are drawn."""

from __future__ import annotations

from difflib import SequenceMatcher
from importlib import resources
from itertools import pairwise

import pytest
import torch

from course import datasets
from course.datasets.digits.card import CARD, FORMS
from course.datasets.digits.corpus import Digits, load


def test_each_form_has_the_same_digits_in_the_same_order() -> None:
    data = load()
    labels = [each.label for each in (*data.train, *data.validation, *data.test)]
    forms = [labels[start:end] for start, end in pairwise(FORMS)]
    assert len(forms) == 14
    assert len(forms[0]) == 130
    for form in forms:
        blocks = SequenceMatcher(None, forms[0], form, autojunk=False).get_matching_blocks()
        assert sum(block.size for block in blocks) >= len(form) - 2
        assert len(form) >= 124


@pytest.mark.parametrize(
    ("split", "sizes"), [("writers", (1157, 130, 510)), ("random", (1198, 150, 449))]
)
def test_a_split_has_every_image_once(split: str, sizes: tuple[int, int, int]) -> None:
    data = datasets.load("digits", split=split)
    parts = (data.train, data.validation, data.test)
    assert tuple(map(len, parts)) == sizes
    assert sum(sizes) == len({each for part in parts for each in part}) == CARD.examples
    assert all({each.label for each in part} == set(range(10)) for part in parts)
    held_out = {each.source for each in data.test} & {each.source for each in data.train}
    assert len(held_out) == (0 if split == "writers" else 14)


def test_images_are_ink_on_paper() -> None:
    data = load()
    images, labels = data.tensors(data.test)
    assert images.shape == (510, 8, 8)
    assert labels.tolist() == [each.label for each in data.test]
    assert torch.equal(images[3], data.image(data.test[3]))
    assert images.min() == 0
    assert images.max() == 1
    assert torch.equal(16 * images, (16 * images).round())
    packed = resources.files("sklearn.datasets.data") / "digits.csv.gz"
    assert len(packed.read_bytes()) == CARD.size


def test_few_examples_are_of_many_writers() -> None:
    few = load().few(10)
    assert isinstance(few, Digits)
    assert len(few.train) == 100
    assert len({each.source for each in few.train}) == 9


def test_examples_are_shown_with_their_images() -> None:
    shown = load().show(10)
    assert [each.label for each in shown.examples] == list(range(10))
    lines = repr(shown).splitlines()
    assert [line.split() for line in lines if line[:1].isdigit()] == [list("01234"), list("56789")]
    assert max(map(len, lines)) <= 92
    assert any("@@" in line for line in lines)
    assert shown._repr_html_().count("<svg") == 10


def test_an_unknown_split_is_named() -> None:
    with pytest.raises(ValueError, match="'writers', whole forms held out"):
        load(split="ordered")
