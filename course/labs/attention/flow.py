"""The flow: a line from each word to the words it looks at, in one head or in several of a layer.

A line is a key and a weight, one byte each, and one more for the share of the output where that is
shown. Where all lines fit, they lie in the keys' order and need no key.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from course.labs.attention.compute import Arrays, Floats
from course.labs.attention.settings import Selection
from course.labs.drawing import PanelData
from course.labs.packing import pack, pack_floats, signed_codes, weight_codes

MOST_FLOW_BYTES = 6_000  # of an update
NONE = 255  # the code of a line that is not drawn, and of a share that does not exist


@dataclass(frozen=True)
class Lines:
    """Which lines fit.

    Attributes:
        heads: the heads that are drawn, of those that were asked for.
        count: how many keys of each query, the heaviest; L where all fit.
        size: how many bytes they take.
    """

    heads: tuple[int, ...]
    count: int
    size: int


def drawn_heads(chosen: Selection) -> tuple[int, ...]:
    """The heads that were asked for: those set, or the chosen one."""
    return chosen.flow or (chosen.head,)


def fit_lines(length: int, chosen: Selection, room: int) -> Lines:
    """Fit the lines into `room` bytes, at most `MOST_FLOW_BYTES`; a line a query always fits.

    >>> fit_lines(10, Selection(head=2), 6_000)
    Lines(heads=(2,), count=10, size=100)
    >>> fit_lines(128, Selection(head=2), 1_000)
    Lines(heads=(2,), count=3, size=768)
    """
    room = min(room, MOST_FLOW_BYTES)
    heads, more = drawn_heads(chosen), int(chosen.shares)
    if len(heads) * length * length * (1 + more) <= room:
        return Lines(heads, length, len(heads) * length * length * (1 + more))
    each = length * (2 + more)  # bytes for one line of each query of a head
    first = sorted(heads, key=lambda head: head != chosen.head)  # the chosen one before the others
    heads = tuple(sorted(first[: max(1, room // each)]))
    count = min(length, max(1, room // (each * len(heads))))
    return Lines(heads, count, each * len(heads) * count)


def heaviest(weights: Floats, count: int) -> NDArray[np.int64]:
    """The `count` heaviest keys of each query, heaviest first: `(..., L)` to `(..., count)`."""
    order: NDArray[np.int64] = np.argsort(-weights, axis=-1, kind="stable")[..., :count]
    return order


def output_shares(weights: Floats, values: Floats) -> NDArray[np.float64]:
    """Compute how much each weighted value adds to its query's output, along that output.

    With `o_i = sum_j w_ij v_j` this is `w_ij (v_j . o_i) / |o_i|^2`, which sums to 1 over j.

    Args:
        weights: `(H, L, L)`.
        values: `(H, L, Dh)`.

    Returns:
        `(H, L, L)`, NaN in the rows whose output is the zero vector.

    >>> output_shares(np.array([[[0.75, 0.25]]]), np.array([[[1.0], [-1.0]]]))
    array([[[ 1.5, -0.5]]])
    """
    weights, values = weights.astype(np.float64), values.astype(np.float64)
    output = weights @ values  # (H, L, Dh)
    squared = (output**2).sum(-1)[..., None]  # (H, L, 1)
    along = weights * (output @ values.swapaxes(-1, -2))  # (H, L, L)
    undefined = np.full_like(along, np.nan)
    shares: NDArray[np.float64] = np.divide(along, squared, out=undefined, where=squared > 0)
    return shares


def flow_panel(arrays: Arrays, chosen: Selection, lines: Lines, key: Hashable) -> PanelData:
    """The lines of the drawn heads of the chosen layer."""
    meta = {
        "caption": caption(chosen, lines, len(arrays.tokens.labels)),
        "row_labels": "tokens",
        "column_labels": "tokens",
        "heads": list(lines.heads),
        "count": lines.count,
        "shares": chosen.shares,
        "chosen": [chosen.query, chosen.key],
    }
    key = (key, chosen.layer, lines, chosen.shares)
    return PanelData("flow", meta, key, lambda: pack_lines(arrays, chosen, lines))


def pack_lines(arrays: Arrays, chosen: Selection, lines: Lines) -> dict[str, bytes]:
    """The lines' bytes, each `(H, L, count)`.

    Returns:
        `weights` (8-bit codes); `keys` where not all fit; where shares are shown, `shares` (8-bit
        codes) and `limit` (float32, the share that the highest code means).
    """
    length, heads = len(arrays.tokens.labels), list(lines.heads)
    weights = arrays.weights[chosen.layer, heads]  # (H, L, L)
    blocked = np.broadcast_to(arrays.blocked[chosen.layer], weights.shape)
    if lines.count < length:
        keys = heaviest(np.where(blocked, np.float32(-1), weights), lines.count)
    else:
        keys = np.broadcast_to(np.arange(length), weights.shape)
    kept = np.take_along_axis(weights, keys, -1)  # (H, L, count)
    data = {"weights": pack(weight_codes(kept, np.take_along_axis(blocked, keys, -1), 8), 8)}
    if lines.count < length:
        data["keys"] = keys.astype(np.uint8).tobytes()
    if chosen.shares:
        every = output_shares(weights, arrays.value[chosen.layer, heads])
        shares = np.take_along_axis(every, keys, -1)
        limit = largest(shares)
        codes = signed_codes(shares.astype(np.float32), limit)
        codes[np.isnan(shares)] = NONE
        data |= {"shares": pack(codes, 8), "limit": pack_floats(np.array([limit]))}
    return data


def largest(shares: NDArray[np.float64]) -> float:
    """The largest share without its sign, rounded up to two digits; at least 0.01."""
    known = np.abs(shares[~np.isnan(shares)])
    return max(0.01, float(np.ceil(100 * known.max(initial=0)) / 100))


def caption(chosen: Selection, lines: Lines, length: int) -> str:
    """Which heads are drawn, and what was left out."""
    numbers = ", ".join(map(str, lines.heads))
    head = f"head {numbers}" if len(lines.heads) == 1 else f"heads {numbers}"
    parts = [f"Layer {chosen.layer}, {head}: a line from each word to the words it looks at"]
    if lines.count < length:
        some = "line" if lines.count == 1 else f"{lines.count} lines"
        parts.append(f"of each word the heaviest {some} in each head")
    left = len(drawn_heads(chosen)) - len(lines.heads)
    if left:
        parts.append(f"{left} more {'head does' if left == 1 else 'heads do'} not fit")
    return "; ".join(parts)
