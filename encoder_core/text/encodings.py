"""The output of a tokenizer: `Encoding` for one text, `Batch` for several, padded into tensors.

Source: the `tokenizers` library, whose `Encoding` has the same fields.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

__all__ = ["Batch", "Encoding", "encode_texts", "pad_encodings", "truncate"]


@dataclass(frozen=True)
class Encoding:
    """One text, or a pair, as token ids; every list has one entry per token.

    `type_ids` is 0 for the first text and 1 for the second. `offsets` are `[start, end)` in characters
    of the token's own text, and `(0, 0)` for `[CLS]` and `[SEP]` added by the tokenizer.
    """

    ids: list[int]
    tokens: list[str]
    type_ids: list[int]
    offsets: list[tuple[int, int]]

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Batch:
    """Encodings padded to one length S.

    `ids` and `type_ids` are int64 `(B, S)`; `padding_mask` is bool `(B, S)`, True at padding.
    `encodings` are not padded.
    """

    ids: Tensor
    type_ids: Tensor
    padding_mask: Tensor
    encodings: tuple[Encoding, ...] = ()

    def to(self, device: torch.device | str) -> Batch:
        """Copy the tensors to a device."""
        ids, type_ids = self.ids.to(device), self.type_ids.to(device)
        return Batch(ids, type_ids, self.padding_mask.to(device), self.encodings)


def encode_texts(
    encode: Callable[[str, str | None, int | None], Encoding],
    texts: Sequence[str],
    pairs: Sequence[str] | None = None,
    max_length: int | None = None,
) -> list[Encoding]:
    """Encode texts, or pairs, by a tokenizer's `encode`.

    Raises ValueError if `texts` is a string, or the number of `pairs` differs.
    """
    if isinstance(texts, str):  # a string is a sequence of one-letter texts too
        raise ValueError("batch takes a list of texts, got one string: pass [text].")
    if pairs is not None and len(pairs) != len(texts):
        raise ValueError(f"Got {len(texts)} texts and {len(pairs)} second texts.")
    seconds = [None] * len(texts) if pairs is None else list(pairs)
    both = zip(texts, seconds, strict=True)
    return [encode(text, pair, max_length) for text, pair in both]


def pad_encodings(encodings: Sequence[Encoding], padding: int) -> Batch:
    """Pad encodings on the right to the longest: tensors `(B, S)`.

    `padding` is the id of the padding token. Raises ValueError if there are no encodings.

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
    """Truncate one or two token lists, in place, to `room` tokens in total.

    The longer list is cut first, down to the length of the other; of an odd `room` it keeps the extra
    token. Raises ValueError if `room` is negative.

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
