"""The data set "docstring-families": which kind of library a docstring is from.

An example is a docstring of the snapshot, its first `MOST_WORDS` words; those with fewer than
`FEWEST_WORDS` are left out. Its class is the family of its module. Where a docstring has the name of its
own package, such as "asyncio" in asyncio.events, the name would give the answer away: it becomes `HIDDEN`.
"""

from __future__ import annotations

import functools
import re
from collections import defaultdict

from course.datasets.dataset import Card, Dataset, Example, fixed_order
from course.datasets.python_docs import snapshot
from course.datasets.python_docs.families import FAMILIES, family_of

__all__ = ["CARD", "load"]

FEWEST_WORDS = 8
MOST_WORDS = 60
HIDDEN = "NAME"
SPLITS = ("module", "random")

CARD = Card(
    name="docstring-families",
    about="Docstrings of the standard library of Python 3.11.7, and which family of modules each is from.",
    origin='the documents of "python-docs"; split="module" keeps all docstrings of a module in one split, '
    'split="random" does not, so that its test modules are known from training',
    licence="Python Software Foundation License 2 (python_docs/LICENSE-python.txt)",
    examples=4759,
    size=569_619,
    classes=tuple(FAMILIES),
)


@functools.cache
def load(split: str = "module") -> Dataset:
    """Return the data set with whole modules held out, or split at random, which leaks.

    Both splits have the same examples, and the same number of each class in training, validation and
    test. Raises ValueError if there is no such split.
    """
    if split not in SPLITS:
        raise ValueError(f"split={split!r}: take 'module', the honest one, or 'random'.")
    parts = _by_module()
    return Dataset(CARD, **(parts if split == "module" else _at_random(parts)))


def _by_module() -> dict[str, tuple[Example, ...]]:
    """Take each document's split from the snapshot."""
    found: dict[str, list[Example]] = {"train": [], "validation": [], "test": []}
    seen: set[str] = set()
    for document in snapshot.documents():
        family = family_of(document.source)
        text = _shown(document)
        if family and len(document.text.split()) >= FEWEST_WORDS and text not in seen:
            seen.add(text)
            label = CARD.classes.index(family)
            found[document.split].append(Example(text, label, document.source))
    return {name: tuple(examples) for name, examples in found.items()}


def _shown(document: snapshot.Document) -> str:
    """The beginning of a document on one line, without its package's name."""
    package = re.escape(document.source.partition(".")[0])
    text = " ".join(document.text.split()[:MOST_WORDS])
    return re.sub(rf"(?<![^\W_]){package}(?![^\W_])", HIDDEN, text, flags=re.IGNORECASE)


def _at_random(parts: dict[str, tuple[Example, ...]]) -> dict[str, tuple[Example, ...]]:
    """Deal the examples of each class out anew, as many to each split as it had."""
    every = fixed_order([e for part in parts.values() for e in part], lambda example: example.text)
    dealt: dict[str, list[Example]] = defaultdict(list)
    for label in range(len(CARD.classes)):
        own = iter([example for example in every if example.label == label])
        for name, part in parts.items():
            count = sum(example.label == label for example in part)
            dealt[name] += [next(own) for _ in range(count)]
    return {name: tuple(examples) for name, examples in dealt.items()}
