"""What the cells say that need a public set, where it is not on this machine."""

from __future__ import annotations

from course.datasets import Card
from course.datasets.dataset import megabytes

__all__ = ["missing"]


def missing(card: Card, error: Exception, *, download: bool) -> str:
    """Say why there is nothing to compute on: the set was not asked for, or can't be had or read."""
    if download or isinstance(error, ValueError):
        return f"Nothing was computed. {error}"
    return (
        f"{card.name} is not on this machine, and nothing was fetched. Set fetch = True to download it "
        f"({megabytes(card.size)}); that needs a network."
    )
