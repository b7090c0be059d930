"""The attention lab's arrays, packed for the front end: at most 20 KB an update, at any size.

The pictures of all heads share what the large ones leave: the more heads and tokens, the coarser
they are. The chosen head comes whole, with 16 bits a weight up to 64 tokens.
"""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
import torch
import torch.nn.functional as F

from course.labs.attention.compute import Arrays, Floats
from course.labs.attention.settings import Selection
from course.labs.drawing import PanelData
from course.labs.packing import Bits, pack, pack_floats, signed_codes, weight_codes

MOST_BYTES = 20_000  # of an update
FOR_WORDS = 4_500  # of those, for the message's text: values, labels, summary
LARGEST_PICTURE = 32  # the side of a small picture, in pixels
SHOWN_NUMBERS = 4  # of each value, in the table
SHOWN_DIMENSIONS = 32  # of each value, in the picture
SHOWN_VALUES = 32  # keys in the picture of the values


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
        row_panel(arrays, chosen, key),
        values_panel(arrays, chosen, key),
    ]
    if arrays.off:
        shown.append(change_panel(arrays, chosen, key))
    return shown


def head_bits(length: int) -> Bits:
    """How finely the chosen head's weights are sent, by the number of tokens."""
    return 16 if length <= 64 else 8 if length <= 96 else 4


def picture_side(arrays: Arrays) -> int:
    """The side of the heads' small pictures, in pixels: what the budget leaves."""
    length = len(arrays.tokens.labels)
    large = length * length * head_bits(length) // 8
    row = 4 * (length + 1) * (4 + SHOWN_NUMBERS) + 8 * length
    values = (min(length, SHOWN_VALUES) + 1) * min(arrays.head_dim, SHOWN_DIMENSIONS)
    count = arrays.layers * arrays.heads
    left = (MOST_BYTES - FOR_WORDS - large - row - values - 4 * count) / count  # bytes a picture
    return int(min(length, LARGEST_PICTURE, max(4, np.sqrt(2 * max(left, 0)))))


def heads_panel(arrays: Arrays, chosen: Selection, key: Hashable) -> PanelData:
    """Every layer and head as a small picture, with how spread its weights are."""
    side = picture_side(arrays)

    def data() -> dict[str, bytes]:
        seen = torch.from_numpy(np.where(arrays.blocked, np.float32(-1), arrays.weights))
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
    return PanelData("heads", meta, key, data)


def entropies(arrays: Arrays) -> Floats:
    """How spread each head's weights are: the mean entropy of its rows in nats, `(N, H)`."""
    weights = arrays.weights[:, :, : arrays.tokens.real].clip(min=0)  # (N, H, real, L)
    logs = np.log(np.where(weights > 0, weights, 1))
    entropy: Floats = -(weights * logs).sum(-1).mean(-1)  # (N, H)
    return entropy


def weights_panel(arrays: Arrays, chosen: Selection, key: Hashable) -> PanelData:
    """The chosen head's weights, whole."""
    bits = head_bits(len(arrays.tokens.labels))

    def data() -> dict[str, bytes]:
        weights = arrays.weights[chosen.layer, chosen.head]  # (L, L)
        return {"cells": pack(weight_codes(weights, arrays.blocked, bits), bits)}

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
        return {"numbers": pack_floats(row_steps(arrays, chosen))}

    meta = {
        "caption": f"The row of “{query}”: from products to the weighted sum",
        "row_labels": "tokens",
        "foot_labels": ["sum"],
        "columns": [
            {"label": "q·k"},
            {"label": f"÷ {1 / arrays.factor:.3g}"},
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


def shown_numbers(arrays: Arrays, chosen: Selection) -> tuple[int, int]:
    """Which numbers of the values the table shows: from the first to before the last."""
    count = min(SHOWN_NUMBERS, arrays.head_dim)
    first = min(chosen.dimension, arrays.head_dim - count)
    return first, first + count


def row_steps(arrays: Arrays, chosen: Selection) -> Floats:
    """The chosen query's row, step by step.

    Returns:
        `(L + 1, 4 + shown)`: for each key the product, the product scaled, the same with `-inf`
        where blocked, the weight, and the first shown numbers of its value. In the last row the
        sum of the weights and of weight times value; NaN where a sum means nothing.
    """
    query, keys, values, weights = (
        getattr(arrays, name)[chosen.layer, chosen.head]
        for name in ("query", "key", "value", "weights")
    )
    first, last = shown_numbers(arrays, chosen)
    length = len(arrays.tokens.labels)
    steps = np.full((length + 1, 4 + last - first), np.nan, dtype=np.float32)
    steps[:length, 0] = keys @ query[chosen.query]  # (L, Dh) @ (Dh,) -> (L,)
    steps[:length, 1] = steps[:length, 0] * arrays.factor
    steps[:length, 2] = np.where(arrays.blocked[chosen.query], -np.inf, steps[:length, 1])
    steps[:length, 3] = weights[chosen.query]
    steps[:length, 4:] = values[:, first:last]
    steps[length, 3] = weights[chosen.query].sum()
    steps[length, 4:] = arrays.mixed[chosen.layer, chosen.head, chosen.query, first:last]
    return steps


def shown_values(arrays: Arrays, chosen: Selection) -> list[int]:
    """The keys in the picture of the values: all, or those that weigh most, in their order."""
    row = arrays.weights[chosen.layer, chosen.head, chosen.query]  # (L,)
    heaviest = np.argsort(-row, kind="stable")[:SHOWN_VALUES]
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


def changes(arrays: Arrays) -> Floats:
    """How each token's output differs from that with all heads on.

    Returns:
        `(L, 2)`: the cosine of the two vectors, and the length of their difference as a share of
        the vector's length with all heads on.
    """
    now, before = arrays.hidden, arrays.hidden_all_on  # (L, D) each
    lengths = np.linalg.norm(before, axis=-1).clip(min=1e-12)  # (L,)
    cosine = (now * before).sum(-1) / (lengths * np.linalg.norm(now, axis=-1).clip(min=1e-12))
    return np.stack([cosine, np.linalg.norm(now - before, axis=-1) / lengths], axis=-1)
