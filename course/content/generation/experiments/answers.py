"""Questions about topics of Python's documentation, and docstrings without their summary: what to pick.

Nothing is written here: an answer and a summary are sentences of the text, chosen. Each question has one right
sentence, which was marked by hand before anything was measured. The right summary of a docstring is its
first sentence (PEP 257 asks for it), which is put among the others by chance.

Source: Rajpurkar et al. 2016, "SQuAD: 100,000+ Questions for Machine Comprehension of Text" (answers as parts
of a passage); Radev et al. 2004, "Centroid-based summarization of multiple documents" (the sentence nearest
to the mean).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import NamedTuple

from course import datasets
from course.content.generation.experiments.pairs import STOP_WORDS, split_words
from course.datasets.dataset import fixed_order

__all__ = ["Question", "Text", "overlap", "questions", "texts"]

TEXTS = 60
_SENTENCE = re.compile(r"(?<=\.)\s+(?=[A-Z])")

# A topic, a question in other words than the topic's, and how the sentence that answers it begins.
_ASKED = (
    (
        "assert",
        "Are the checks still made when Python runs optimized?",
        "The current code generator",
    ),
    ("assert", "May I give __debug__ another value?", 'Assignments to "__debug__"'),
    ("del", "In which order are several targets removed?", "Deletion of a target list"),
    ("del", "What happens when I delete a variable that does not exist?", "If the name is unbound"),
    (
        "global",
        "Can a parameter be global?",
        'Names listed in a "global" statement must not be defined',
    ),
    (
        "global",
        "May a function use the variable before that line?",
        'Names listed in a "global" statement must not be used',
    ),
    ("global", "Can a function change a module's variable without it?", "It would be impossible"),
    ("id-classes", "What do I call a variable that I never need?", 'The name "_" is often'),
    ("id-classes", "Why do two underscores in front change a name?", "Names in this category"),
    ("id-classes", "Where does the prompt keep the last result?", "Separately, the interactive"),
    ("lambda", "Can I write type hints in an anonymous function?", "Note that functions created"),
    ("raise", "How do I throw the same error again?", "If no expressions are present"),
    ("raise", "How do I say which error led to another one?", 'The "from" clause'),
    ("raise", "Which objects can be thrown?", "It must be either a subclass"),
    (
        "return",
        "What does a function give back without a value?",
        "If an expression list is present",
    ),
    ("return", "How does a generator end?", "In a generator function"),
    ("function", "Does the code inside run at once?", "The function definition does not execute"),
    ("function", "In what order do several wrappers work?", "Multiple decorators"),
    (
        "function",
        "When are standard values of arguments computed?",
        "Default parameter values are evaluated from",
    ),
    (
        "customization",
        "What makes the object before it is set up?",
        "Called to create a new instance",
    ),
    (
        "customization",
        "What if __new__ gives back an object of another type?",
        'If "__new__()" does not return',
    ),
    (
        "truth",
        "How does my class decide whether it counts as false?",
        "By default, an object is considered",
    ),
    ("debugger", "Can I look at a program after it has crashed?", "It also supports post-mortem"),
    (
        "debugger",
        "How do I stop in the code without an import?",
        "New in version 3.7: The built-in",
    ),
)


class Question(NamedTuple):
    """A question, the sentences of the topic that it is about, and which of them answers it."""

    text: str
    sentences: tuple[str, ...]
    right: int


class Text(NamedTuple):
    """The sentences of a docstring in an order by chance, and which of them was the first."""

    source: str
    sentences: tuple[str, ...]
    right: int


@functools.cache
def _documents() -> dict[str, tuple[str, ...]]:
    data = datasets.load("python-docs")
    found: dict[str, tuple[str, ...]] = {}
    for example in (*data.train, *data.validation, *data.test):
        cut = _cut(example.text)
        found[example.source] = (*found.get(example.source, ()), *cut)
    return found


def _cut(text: str) -> tuple[str, ...]:
    return tuple(s for paragraph in text.split("\n") for s in _SENTENCE.split(paragraph))


@functools.cache
def questions() -> tuple[Question, ...]:
    """Return the questions with their passages."""
    made = []
    for topic, text, begins in _ASKED:
        sentences = _documents()[f"topics/{topic}"]
        (right,) = [i for i, each in enumerate(sentences) if each.startswith(begins)]
        made.append(Question(text, sentences, right))
    return tuple(made)


@functools.cache
def texts() -> tuple[Text, ...]:
    """Return `TEXTS` docstrings of validation and test that have 4 to 10 sentences."""
    data = datasets.load("python-docs")
    made = []
    for example in fixed_order((*data.validation, *data.test), lambda example: example.text):
        sentences = _cut(example.text)
        if example.source.startswith("topics/") or not 4 <= len(sentences) <= 10:
            continue
        mixed = fixed_order(list(enumerate(sentences)), lambda pair: pair[1])
        order = [place for place, _ in mixed]
        made.append(Text(example.source, tuple(s for _, s in mixed), order.index(0)))
    return tuple(made[:TEXTS])


def overlap(asked: str, sentences: Sequence[str]) -> int:
    """Return the sentence that shares most words with a text, stop words not counted; the first of several."""
    words = set(split_words(asked)) - STOP_WORDS
    shared = [len(words & set(split_words(each))) for each in sentences]
    return shared.index(max(shared))
