"""The stack lab's walks, packed for the front end."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from course.labs.drawing import PanelData
from course.labs.packing import pack, signed_codes
from course.labs.plotting import Series, plot_panel
from course.labs.stack.compute import Floats, Walk
from course.labs.stack.settings import Selection

_PRETRAINED, _KEPT = 1, 2  # styles of lines; "this stack" has the first


def panels(walks: Sequence[Walk], chosen: Selection, key: Hashable) -> list[PanelData]:
    """All panels for what is chosen.

    Args:
        walks: the encoders that are drawn, this stack first.
        chosen: a selection within them.
        key: changes whenever the walks do.
    """
    at = (chosen.encoder, chosen.layer_shown)
    of_gradient = (chosen.encoder, max(0, chosen.layer_shown - 1))
    return [
        _lines("gradients", walks, key, of_gradient, first=1, y=_decades(walks, "gradients", 4)),
        _lines("similarity", walks, key, at),
        _lines("norms", walks, key, at, y=_decades(walks, "norms", 2)),
        _cosines(walks[chosen.encoder], chosen, key),
    ]


def _decades(walks: Sequence[Walk], name: str, least: int) -> dict[str, Any]:
    """A logarithmic axis of whole decades, at least so many: what is level must look level."""
    numbers = np.concatenate([getattr(walk, name) for walk in walks])
    known = np.log10(numbers[np.isfinite(numbers) & (numbers > 0)].astype(np.float64))
    low, high = (known.min(), known.max()) if len(known) else (0.0, 0.0)
    missing = max(0.0, least - (high - low)) / 2
    low, high = np.floor(low - missing), np.ceil(high + missing)
    return {"least": float(10.0**low), "most": float(10.0**high)}


def _lines(
    name: str,
    walks: Sequence[Walk],
    key: Hashable,
    at: tuple[int, int],
    first: int = 0,
    **axes: dict[str, Any],
) -> PanelData:
    """One measure of all encoders, layer by layer."""
    series = []
    for walk in walks:
        numbers: Floats = getattr(walk, name)
        x = np.arange(first, first + len(numbers))
        y = np.where(np.isfinite(numbers), numbers, np.nan)
        other = _KEPT if walk.name.startswith("kept: ") else _PRETRAINED
        style = 0 if walk.name == "this stack" else other
        series.append(Series(walk.name, x, y, "both", style=style))
    return plot_panel(name, series, key, at, **axes)


def _cosines(walk: Walk, chosen: Selection, key: Hashable) -> PanelData:
    """How alike the tokens are after the chosen layer."""

    def data() -> dict[str, bytes]:
        cosines = walk.cosines[chosen.layer_shown]
        codes = signed_codes(cosines, 1.0, 16)
        codes[~np.isfinite(cosines)] = 2**16 - 1
        return {"cells": pack(codes, 16)}

    after = f"after layer {chosen.layer_shown}" if chosen.layer_shown else "before the first layer"
    meta: dict[str, Any] = {
        "caption": f"{walk.name[0].upper()}{walk.name[1:]}, {after}: how alike its tokens are",
        "row_labels": list(walk.labels),
        "column_labels": list(walk.labels),
        "bits": 16,
        "scale": "signed",
        "limit": 1.0,
        "chosen": [chosen.row, chosen.column],
    }
    return PanelData("cosines", meta, (key, chosen.encoder, chosen.layer_shown), data)
