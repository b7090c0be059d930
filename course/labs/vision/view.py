"""The vision lab's arrays as panels and words."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from course.labs.controls import layer_and_head
from course.labs.drawing import PanelData
from course.labs.packing import pack_floats
from course.labs.quoting import quoted
from course.labs.vision.compute import (
    MOVED,
    OFF,
    SIDE,
    Reader,
    Result,
    Selection,
    Settings,
    shuffle,
)

NOTHING = "–"
_NAMED = 3  # patches that the summary names
LEAST_LIMIT = 0.1  # of the effects' colours: smaller ones stay pale


def panels(
    result: Result,
    asked: Settings,
    chosen: Selection,
    reader: Reader,
    names: Sequence[str],
    key: Hashable,
) -> list[PanelData]:
    """Every panel as it should look now."""
    ink = result.levels.astype(np.uint8)
    looks, _ = result.attention(chosen.layer, chosen.head, chosen.query)
    limit = max(LEAST_LIMIT, float(np.abs(result.effects).max()))
    plain = {"side": SIDE, "patch": reader.patch, "occluded": list(asked.occluded), "limit": 1.0}
    plain |= {"order": result.order.tolist(), "class_token": reader.has_class_token}
    plain |= {"positions": positions(result, asked, reader), "scale": "weights"}

    def panel(name: str, at: int, levels: NDArray[np.uint8], **more: Any) -> PanelData:
        heat: NDArray[np.float32] | None = more.pop("heat", None)
        sent = {"ink": levels.tobytes()} | ({} if heat is None else {"heat": pack_floats(heat)})
        meta = {**plain, "chosen": [0, at], **more}
        return PanelData(name, meta, tuple(sent.values()), lambda: sent)

    return [
        panel("sentence", chosen.patch, ink),
        panel("sketch", chosen.patch, ink, chosen=[0, 0], caption=drawing(asked, reader, names)),
        _answer(result, names, key),
        panel(
            "attention",
            chosen.query,
            ink,
            heat=looks,
            caption=looking(chosen, reader),
        ),
        panel(
            "effect",
            chosen.patch,
            ink,
            heat=_uncovered(result, asked),
            scale="signed",
            limit=limit,
            about=quoted(names[result.winner]),
            caption=f"Effect of occluding one patch on {quoted(names[result.winner])}",
        ),
        panel("read", -1, _as_read(result, reader), occluded=_hidden(result, asked)),
    ]


def _uncovered(result: Result, asked: Settings) -> NDArray[np.float32]:
    """The effects; NaN where a patch is occluded already."""
    effects = result.effects.copy()
    effects[list(asked.occluded)] = np.nan
    return effects


def _as_read(result: Result, reader: Reader) -> NDArray[np.uint8]:
    """The image that the patches make in the order in which they are read, `(64,)`."""
    image = torch.from_numpy(result.levels).reshape(1, 1, SIDE, SIDE)
    return shuffle(image, result.order, reader.patch).numpy().astype(np.uint8).reshape(-1)


def _hidden(result: Result, asked: Settings) -> list[int]:
    """The places at which occluded patches are read."""
    return [place for place, patch in enumerate(result.order.tolist()) if patch in asked.occluded]


def positions(result: Result, asked: Settings, reader: Reader) -> list[str] | None:
    """Which position each token gets, the class token's first; None where all is in order."""
    if asked.positions == OFF:
        own = [NOTHING] * reader.count
    elif not asked.shuffled:
        return None
    elif asked.positions == MOVED:
        own = [str(patch) for patch in result.order]
    else:
        own = [str(place) for place in range(reader.count)]
    return ["", *own] if reader.has_class_token else own


def drawing(asked: Settings, reader: Reader, names: Sequence[str]) -> str:
    """What is drawn, in words."""
    label = (
        "" if reader.labels is None else f", labelled {quoted(names[reader.labels[asked.example]])}"
    )
    if asked.pixels is None:
        return f"Example {asked.example}{label}"
    return (
        "Your drawing"
        if not any(asked.pixels)
        else f"Your drawing; it began as example {asked.example}"
    )


def who(chosen: Selection, reader: Reader) -> str:
    """Who looks, in words."""
    if chosen.query >= 0:
        return f"patch {chosen.query}"
    return "the class token" if reader.has_class_token else "the mean of all patches"


def looking(chosen: Selection, reader: Reader) -> str:
    """Whose attention it is, in words."""
    return f"Attention of {who(chosen, reader)}: {layer_and_head(chosen.layer, chosen.head)}"


def _answer(result: Result, names: Sequence[str], key: Hashable) -> PanelData:
    meta = {
        "row_labels": list(names),
        "foot_labels": [],
        "columns": [{"label": "probability", "digits": 3, "bar": 1.0}],
        "chosen": result.winner,
        "caption": f"The answer: {named(result.chances, names)}",
    }
    return PanelData("answer", meta, key, lambda: {"numbers": pack_floats(result.chances)})


def named(chances: NDArray[np.float32], names: Sequence[str]) -> str:
    """The likeliest class and its probability."""
    winner = int(chances.argmax())
    return f"{quoted(names[winner])}, probability {chances[winner]:.2f}"


def summary(
    result: Result, asked: Settings, chosen: Selection, reader: Reader, names: Sequence[str]
) -> str:
    """The picture in words."""
    told = [f"{drawing(asked, reader, names)}: the model answers {named(result.chances, names)}."]
    second = int(np.argsort(-result.chances, kind="stable")[min(1, len(names) - 1)])
    if round(float(result.chances[second]), 2) > 0 and second != result.winner:
        told.append(f"Next comes {quoted(names[second])} ({result.chances[second]:.2f}).")
    told += _changes(result, asked, names)
    looks, to_class = result.attention(chosen.layer, chosen.head, chosen.query)
    effects = _uncovered(result, asked)
    most = np.argsort(-looks, kind="stable")[:_NAMED].tolist()
    told.append(
        f"{_capital(who(chosen, reader))} looks most at "
        f"{_listed((i, f'{looks[i]:.2f}') for i in most)}: {layer_and_head(chosen.layer, chosen.head)}."
    )
    if reader.has_class_token:
        target = "itself" if chosen.query < 0 else "the class token"
        told.append(f"It gives {target} {to_class:.2f}.")
    known = np.argsort(np.nan_to_num(effects, nan=np.inf), kind="stable")
    lowest = [int(i) for i in known[:_NAMED] if round(float(effects[i]), 2) < 0]
    if lowest:
        told.append(
            "Occluded one at a time, the answer's probability falls most without "
            f"{_listed((i, f'−{-effects[i]:.2f}') for i in lowest)}; {_shared(most, lowest)}"
        )
    else:
        told.append(
            "No patch lowers the answer's probability by 0.01 when it is occluded by itself."
        )
    if asked.pixels is not None:
        told.append(_nearest(result, reader, names))
    return " ".join(told)


def _shared(most: Sequence[int], lowest: Sequence[int]) -> str:
    """How many patches of one list are in the other."""
    count = len({*most} & {*lowest})
    if len(lowest) == 1:
        return f"it is {'' if count else 'not '}among those with most attention."
    return f"{count or 'none'} of these {len(lowest)} {'is' if count < 2 else 'are'} among those with most attention."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _listed(patches: Iterable[tuple[int, str]]) -> str:
    pairs = [f"{number} ({told})" for number, told in patches]
    return f"patch{'es' if len(pairs) > 1 else ''} {', '.join(pairs)}"


def _changes(result: Result, asked: Settings, names: Sequence[str]) -> list[str]:
    """What the model does not see as it was drawn, and what it would answer else."""
    told = []
    if asked.occluded:
        several = len(asked.occluded) > 1
        which = ", ".join(map(str, asked.occluded))
        told.append(
            f"Patch{'es' if several else ''} {which} {'are' if several else 'is'} occluded."
        )
    if asked.shuffled:
        told.append(f"The patches are shuffled with seed {asked.seed}.")
    if asked.positions == OFF:
        told.append("No patch has a position.")
    elif asked.shuffled:
        takes = "moved along with its patch" if asked.positions == MOVED else "stays at its place"
        told.append(f"Each position {takes}.")
    if told:
        told.append(f"Whole and in order, the answer is {named(result.plain, names)}.")
    return told


def _nearest(result: Result, reader: Reader, names: Sequence[str]) -> str:
    number, distance = reader.nearest(result.levels)
    label = "" if reader.labels is None else f" ({quoted(names[reader.labels[number]])})"
    return (
        f"The nearest example is number {number}{label}, at a distance of {distance:.2f}; no example is "
        f"further than {reader.apart:.2f} from its nearest other one."
    )
