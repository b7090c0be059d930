"""The attention lab's arrays, packed for the front end: at most 20 KB an update, at any size.

The pictures of all heads share what the large ones leave: the more heads and tokens, the coarser
they are. The chosen head comes whole, with 16 bits a weight up to 64 tokens.
"""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
import torch
import torch.nn.functional as F

from course.labs.attention.compute import Arrays
from course.labs.attention.flow import Lines, drawn_heads, fit_lines, flow_panel
from course.labs.attention.measures import (
    SHOWN_NUMBERS,
    changes,
    entropies,
    row_steps,
    shown_numbers,
)
from course.labs.attention.settings import Selection
from course.labs.drawing import PanelData
from course.labs.packing import Bits, pack, pack_floats, signed_codes, weight_codes
from course.labs.quoting import quoted

MOST_BYTES = 20_000  # of an update
FOR_WORDS = 3_180  # of those, for the message's text: values, captions, summary
FOR_CHANGE = 200  # of what heads that are off change: what the words leave no room for
FOR_TOKEN = 8  # and for each token's label
LARGEST_PICTURE = 32  # the side of a small picture, in pixels
# The pictures' side before the flow gets more lines, and how many of a query it needs to go on.
SIDES_AND_LINES = ((10, 4), (8, 1), (6, 1), (4, 1))
SHOWN_DIMENSIONS = 32  # of each value, in the picture
SHOWN_VALUES = 32  # keys in the picture of the values; half as many in a long text
LONG = 64  # tokens


def panels(arrays: Arrays, chosen: Selection, key: Hashable) -> list[PanelData]:
    """All panels for what is chosen.

    Args:
        arrays: what was computed.
        chosen: a selection within it.
        key: changes whenever the arrays do.
    """
    shown = [
        heads_panel(arrays, chosen, key),
        weights_panel(arrays, chosen, key),
        flow_panel(arrays, chosen, flow_lines(arrays, chosen), key),
        row_panel(arrays, chosen, key),
        values_panel(arrays, chosen, key),
    ]
    if arrays.off:
        shown.append(change_panel(arrays, chosen, key))
    return shown


def head_bits(length: int) -> Bits:
    """How finely the chosen head's weights are sent, by the number of tokens."""
    return 16 if length <= LONG else 8 if length <= 96 else 4


def picture_side(arrays: Arrays, chosen: Selection) -> int:
    """The side of the heads' small pictures, in pixels: what the budget leaves."""
    length = len(arrays.tokens.labels)
    left = MOST_BYTES - _spent(arrays) - flow_lines(arrays, chosen).size
    most = np.sqrt(2 * max(left, 0) / (arrays.layers * arrays.heads))  # two pixels a byte
    return int(min(length, LARGEST_PICTURE, max(4, most)))


def flow_lines(arrays: Arrays, chosen: Selection) -> Lines:
    """The flow's lines: what the budget leaves beside small pictures of all heads."""
    length = len(arrays.tokens.labels)
    room = MOST_BYTES - _spent(arrays) - (FOR_CHANGE if arrays.off else 0)
    for least, enough in SIDES_AND_LINES:
        pictures = arrays.layers * arrays.heads * min(length, least) ** 2 // 2
        lines = fit_lines(length, chosen, room - pictures)
        fit = lines.size <= room - pictures and lines.heads == drawn_heads(chosen)
        if fit and lines.count >= min(enough, length):
            break
    return lines


def _spent(arrays: Arrays) -> int:
    """The bytes of an update without the small pictures and the flow."""
    length = len(arrays.tokens.labels)
    return (
        FOR_WORDS
        + FOR_TOKEN * length
        + length * length * head_bits(length) // 8  # the chosen head
        + 4 * (length + 1) * (3 + SHOWN_NUMBERS)  # the row
        + (shown_count(length) + 1) * min(arrays.head_dim, SHOWN_DIMENSIONS)  # the values
        + 4 * arrays.layers * arrays.heads  # entropies
    )


def shown_count(length: int) -> int:
    """How many keys the picture of the values has."""
    return min(length, SHOWN_VALUES if length <= LONG else SHOWN_VALUES // 2)


def heads_panel(arrays: Arrays, chosen: Selection, key: Hashable) -> PanelData:
    """Every layer and head as a small picture, with how spread its weights are."""
    side = picture_side(arrays, chosen)

    def data() -> dict[str, bytes]:
        seen = torch.from_numpy(np.where(arrays.blocked[:, None], np.float32(-1), arrays.weights))
        small = F.adaptive_max_pool2d(seen, side).numpy() if side < seen.shape[-1] else seen.numpy()
        codes = weight_codes(small, small < 0, 4)  # (N, H, side, side)
        return {
            "pictures": pack(codes.reshape(arrays.layers * arrays.heads, -1), 4),
            "numbers": pack_floats(entropies(arrays)),
        }

    meta = {
        "rows": arrays.layers,
        "columns": arrays.heads,
        "side": side,
        "chosen": [chosen.layer, chosen.head],
        "off": [list(head) for head in arrays.off],
    }
    return PanelData("heads", meta, (key, side), data)


def weights_panel(arrays: Arrays, chosen: Selection, key: Hashable) -> PanelData:
    """The chosen head's weights, whole."""
    bits = head_bits(len(arrays.tokens.labels))

    def data() -> dict[str, bytes]:
        weights = arrays.weights[chosen.layer, chosen.head]  # (L, L)
        return {"cells": pack(weight_codes(weights, arrays.blocked[chosen.layer], bits), bits)}

    meta = {
        "caption": f"Layer {chosen.layer}, head {chosen.head}: who looks at whom",
        "row_labels": "tokens",
        "column_labels": "tokens",
        "bits": bits,
        "scale": "weights",
        "limit": 1.0,
        "chosen": [chosen.query, chosen.key],
    }
    return PanelData("weights", meta, (key, chosen.layer, chosen.head), data)


def row_panel(arrays: Arrays, chosen: Selection, key: Hashable) -> PanelData:
    """One query's way from products to the weighted sum of values, as numbers."""
    first, last = shown_numbers(arrays, chosen)
    names = [f"v{subscript(i)}" for i in range(first, last)]
    query = arrays.tokens.labels[chosen.query]

    def data() -> dict[str, bytes]:
        return {"numbers": pack_floats(np.delete(row_steps(arrays, chosen), 1, axis=1))}

    meta = {
        "caption": f"The row of {quoted(query)}: from products to the weighted sum",
        "row_labels": "tokens",
        "foot_labels": ["sum"],
        "columns": [
            {"label": "q·k"},
            {"label": f"÷ {1 / arrays.factor:.3g}", "times": arrays.factor},
            {"label": "masked"},
            {"label": "weight", "digits": 3, "bar": 1.0},
            *({"label": name} for name in names),
        ],
        "chosen": chosen.key,
    }
    return PanelData("row", meta, (key, chosen.layer, chosen.head, chosen.query, first), data)


def subscript(number: int) -> str:
    """A number in small digits below the line: 12 is "₁₂"."""
    return "".join("₀₁₂₃₄₅₆₇₈₉"[int(digit)] for digit in str(number))


def shown_values(arrays: Arrays, chosen: Selection) -> list[int]:
    """The keys in the picture of the values: all, or those that weigh most, in their order."""
    row = arrays.weights[chosen.layer, chosen.head, chosen.query]  # (L,)
    heaviest = np.argsort(-row, kind="stable")[: shown_count(len(row))]
    return [int(i) for i in np.sort(heaviest)]


def values_panel(arrays: Arrays, chosen: Selection, key: Hashable) -> PanelData:
    """The values as coloured rows, and under them their weighted sum."""
    keys = shown_values(arrays, chosen)
    width = min(arrays.head_dim, SHOWN_DIMENSIONS)
    values = arrays.value[chosen.layer, chosen.head][keys, :width]  # (keys, width)
    mixed = arrays.mixed[chosen.layer, chosen.head, chosen.query, :width]  # (width,)
    limit = round(float(np.abs(values).max()) + 0.005, 2)
    some = "" if len(keys) == len(arrays.tokens.labels) else f"the {len(keys)} heaviest "
    part = "" if width == arrays.head_dim else f", the first {width} of {arrays.head_dim} numbers"

    def data() -> dict[str, bytes]:
        return {"cells": pack(signed_codes(np.vstack([values, mixed]), limit), 8)}

    weights = arrays.weights[chosen.layer, chosen.head, chosen.query]
    meta = {
        "caption": f"{some or 'the '}values{part}; below them their weighted sum".capitalize(),
        "row_labels": [
            *(f"{arrays.tokens.labels[i]} × {weights[i]:.2f}" for i in keys),
            "sum",
        ],
        "column_labels": ["" if i % 8 else str(i) for i in range(width)],
        "bits": 8,
        "scale": "signed",
        "limit": limit,
        "chosen": [
            keys.index(chosen.key) if chosen.key in keys else len(keys),
            min(chosen.dimension, width - 1),
        ],
    }
    return PanelData("values", meta, (key, chosen.layer, chosen.head, chosen.query), data)


def change_panel(arrays: Arrays, chosen: Selection, key: Hashable) -> PanelData:
    """What the heads that are switched off change in each token's output vector."""

    def data() -> dict[str, bytes]:
        return {"numbers": pack_floats(changes(arrays))}

    meta = {
        "row_labels": "tokens",
        "foot_labels": [],
        "columns": [
            {"label": "cosine with before", "digits": 3},
            {"label": "moved by (share of its length)", "digits": 3, "bar": 1.0},
        ],
        "chosen": chosen.query,
    }
    return PanelData("change", meta, key, data)
