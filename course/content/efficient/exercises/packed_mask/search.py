"""Who may look at whom, in one row of three texts and padding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from course.checking.exercise import Case

# Documents in a row, and the names of its places.
_ROWS: tuple[tuple[tuple[int, ...], tuple[str, ...]], ...] = (
    ((0, 0, 1), ("a1", "a2", "b1")),
    ((0, 0, 1, -1, -1), ("a1", "a2", "b1", "padding 1", "padding 2")),
    ((3, -1, 8, 3), ("a1", "padding", "b1", "a2")),
    ((3, 259, -1), ("a1", "b1", "padding")),
)


def search(function: Callable[..., Any], failed: Sequence[Case]) -> list[str]:
    """The first pair of places that it blocks wrongly, or lets through, and what the pair is."""
    for documents, names in _ROWS:
        row = torch.tensor([documents])
        came = function(row.clone())
        if (
            not isinstance(came, Tensor)
            or came.dtype != torch.bool
            or came.shape != (1, row.shape[1], row.shape[1])
        ):
            return []
        padding = row < 0
        other = row[:, :, None] != row[:, None, :]
        wanted = other | padding[:, :, None] | padding[:, None, :]
        if torch.equal(came, wanted):
            continue
        query, key = (came != wanted)[0].nonzero()[0].tolist()
        said = "is blocked" if bool(came[0, query, key]) else "is not blocked"
        return [
            f"in the row {list(documents)} the pair of query {names[query]} and key {names[key]} {said}, and should "
            f"{'not ' if said == 'is blocked' else ''}be: {_because(documents[query], documents[key], query == key)}"
        ]
    return _in_a_batch(function)


def _in_a_batch(function: Callable[..., Any]) -> list[str]:
    """What it does to one row where another one stands beside it; each by itself is right."""
    rows = [documents for documents, _ in _ROWS if len(documents) == 3]
    batch = torch.tensor(rows)
    came = function(batch.clone())
    real = batch >= 0
    same = batch[:, :, None] == batch[:, None, :]
    wanted = ~(same & real[:, :, None] & real[:, None, :])
    if not isinstance(came, Tensor) or came.dtype != torch.bool or came.shape != wanted.shape:
        return []
    if torch.equal(came, wanted):
        return []
    row, query, key = (came != wanted).nonzero()[0].tolist()
    said = "is blocked" if bool(came[row, query, key]) else "is not blocked"
    return [
        f"each row by itself is right; with {list(rows[0])} and {list(rows[1])} in one batch the pair of query {query} "
        f"and key {key} {said} in row {row}, and should {'not ' if said == 'is blocked' else ''}be: rows have nothing "
        "to do with one another"
    ]


def _because(query: int, key: int, itself: bool) -> str:
    if query < 0 or key < 0:
        which = "both are" if query < 0 and key < 0 else "one of them is"
        return f"{which} padding, which looks at nothing and is looked at by nobody" if not itself else (
            "padding doesn't look at itself either"
        )  # fmt: skip
    if itself:
        return "every real token looks at itself"
    return "both belong to one document" if query == key else "they belong to different documents"
