"""In which kinds of words a cut goes wrong, with the shortest word of each kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from course.checking.exercise import Case
from course.checking.exercise.wording import few
from course.content import exercises

Cut = Callable[[str, set[str]], Any]
Result = tuple[str, list[str], Any]  # the word, its pieces, what came
UNKNOWN = ["[UNK]"]


def finds(function: Cut, failed: Sequence[Case]) -> list[str]:
    """The kinds of what is wrong, where there are several: one input alone would mislead."""
    model = exercises.get("embeddings.wordpiece").model()
    results = []
    for case in failed:
        word, vocabulary = case.args
        came = function(word, set(vocabulary))
        if isinstance(came, list):
            results.append((word, model(word, set(vocabulary)), came))
    return _told(results)


def _told(results: Sequence[Result]) -> list[str]:
    lost = [r for r in results if r[1] != UNKNOWN and r[2] == UNKNOWN]
    kept = [r for r in results if r[1] == UNKNOWN and r[2] != UNKNOWN]
    other = [r for r in results if r[1] != UNKNOWN and r[2] != UNKNOWN]
    kinds = (
        ("gives [UNK] where there are pieces", lost),
        ("gives pieces where there should be [UNK]", kept),
        ("cuts elsewhere", other),
    )
    found = [(kind, some) for kind, some in kinds if some]
    if len(found) < 2:
        return []  # the smallest input shows it already
    return [f"it {kind}: {_example(some)}" for kind, some in found]


def _example(results: Sequence[Result]) -> str:
    word, wanted, came = min(results, key=lambda result: len(result[0]))
    short = word if len(word) <= 30 else f"{word[:20]}..."
    at = next((i for i, (a, b) in enumerate(zip(wanted, came, strict=False)) if a != b), 0)
    first = max(0, at - 2) if len(wanted) > 8 else 0
    return f"{short!r} should become {few(wanted, first)} and becomes {few(came, first)}"
