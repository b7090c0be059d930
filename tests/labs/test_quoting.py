"""Tokens in sentences: those from right to left are isolated, and no lab quotes one by hand."""

import re
from pathlib import Path

import pytest
from hypothesis import given

import course.labs
from course.labs.quoting import quoted
from tests.typed import TYPED

FILES = [  # a form's templates are filled in by the front end
    path
    for path in sorted(Path(course.labs.__path__[0]).glob("**/*.py"))
    if path.name not in ("form.py", "quoting.py")
]
NOT_TYPED = ("asked.curve", "known.expected", "known.c")


@pytest.mark.parametrize("word", ["שלום", "مرحبا", "a\u202eb"])
def test_a_word_from_right_to_left_is_isolated(word: str) -> None:
    assert quoted(word) == f"“\u2068{word}\u2069”"


@given(TYPED)
def test_nothing_in_a_token_ends_its_isolation(text: str) -> None:
    said = quoted(text)
    assert said[0] + said[-1] == "“”"
    if said[1:2] == "\u2068":
        assert said[-2] == "\u2069"
        assert not re.search("[\u2066-\u2069]", said[2:-2])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_token_is_quoted_by_hand(path: Path) -> None:
    found = re.findall(r"“\{([^{}]*)\}”", path.read_text(encoding="utf-8"))
    assert set(found) <= set(NOT_TYPED)
