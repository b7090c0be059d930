"""What of BLEU an answer gets right: one part at a time, in texts where only that part differs from 1."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from course.checking.exercise import Case

Bleu = Callable[[list[list[str]], list[list[str]]], Any]


def search(function: Bleu, failed: Sequence[Case]) -> list[str]:
    """Sentences on the first part that is wrong."""
    return []
