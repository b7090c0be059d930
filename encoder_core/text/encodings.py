"""What a tokenizer makes: an encoded text, and a batch of them padded into tensors.

Source: the `tokenizers` library, whose `Encoding` has the same fields.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

__all__ = ["Batch", "Encoding", "pad_encodings", "truncate"]


@dataclass(frozen=True)
class Encoding:
    """One text, or a pair, as an encoder reads it; all lists have one entry for each token.

    Args:
        ids: the tokens' numbers.
        tokens: the tokens as text.
        type_ids: 0 for the first text, 1 for the second.
        offsets: where each token begins and ends in its own text, in characters; `(0, 0)` for
            special tokens that are not in the text.

    >>> len(Encoding([101, 102], ["[CLS]", "[SEP]"], [0, 0], [(0, 0), (0, 0)]))
    2
    """

    ids: list[int]
    tokens: list[str]
    type_ids: list[int]
    offsets: list[tuple[int, int]]

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Batch:
    """Encoded texts, padded to one length.

    Args:
        ids: `(B, S)` int64.
        type_ids: `(B, S)` int64, 0 or 1.
        padding_mask: `(B, S)` bool, True at padding.
        encodings: the texts one by one, without padding.

    >>> pad_encodings([Encoding([7], ["a"], [0], [(0, 1)])], padding=0).to("cpu").ids
    tensor([[7]])
    """

    ids: Tensor
    type_ids: Tensor
    padding_mask: Tensor
    encodings: tuple[Encoding, ...] = ()

    def to(self, device: torch.device | str) -> Batch:
        """Give the same batch on another device."""
        ids, type_ids = self.ids.to(device), self.type_ids.to(device)
        return Batch(ids, type_ids, self.padding_mask.to(device), self.encodings)


def pad_encodings(encodings: Sequence[Encoding], padding: int) -> Batch:
    """Pad on the right to the longest.

    Args:
        encodings: at least one.
        padding: the id of padding.

    Returns:
        Tensors of shape `(B, S)`.

    Raises:
        ValueError: there is no text.

    >>> one, two = Encoding([7], ["a"], [0], [(0, 1)]), Encoding([7, 8], ["a", "b"], [0, 0], [])
    >>> pad_encodings([one, two], padding=0).ids
    tensor([[7, 0],
            [7, 8]])
    """
    if not encodings:
        raise ValueError("A batch needs at least one text.")
    longest = max(len(encoding) for encoding in encodings)
    ids = torch.full((len(encodings), longest), padding)  # (B, S)
    type_ids = torch.zeros_like(ids)
    padding_mask = torch.ones_like(ids, dtype=torch.bool)
    for row, encoding in enumerate(encodings):
        length = len(encoding)
        ids[row, :length] = torch.tensor(encoding.ids, dtype=torch.long)
        type_ids[row, :length] = torch.tensor(encoding.type_ids, dtype=torch.long)
        padding_mask[row, :length] = False
    return Batch(ids, type_ids, padding_mask, tuple(encodings))


def truncate(parts: Sequence[list[Any]], room: int) -> None:
    """Cut one or two texts, in place: of two the longer one down to the other, then both.

    Args:
        parts: the texts' tokens. Where the room is odd the longer keeps one token more.
        room: how many tokens are left in all.

    Raises:
        ValueError: `room` is negative.

    >>> parts = [[1, 2, 3, 4], [5, 6]]
    >>> truncate(parts, room=3)
    >>> parts
    [[1, 2], [5]]
    """
    if room < 0:
        raise ValueError("max_length has no room for the special tokens.")
    *others, longest = sorted(parts, key=len)
    shorter = min(sum(len(part) for part in others), room // 2)
    for part in others:
        del part[max(shorter, room - len(longest)) :]
    del longest[max(room - shorter, 0) :]
