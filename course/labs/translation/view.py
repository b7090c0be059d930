"""The translation lab's arrays as panels, words and a still picture."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from course.labs.controls import layer_and_head
from course.labs.drawing import PanelData
from course.labs.packing import pack, pack_floats, weight_codes
from course.labs.pieces import Piece, tokens_panel
from course.labs.plotting import Series, plot_panel
from course.labs.quoting import quoted
from course.labs.still_plots import Box, document, pieces, words
from course.labs.translation.compute import (
    OWN,
    SHOWN,
    Part,
    Reader,
    Result,
    Selection,
    Settings,
)
from course.system.markup import printable

END, SPACE = "■", "␣"
_TREE = 1  # the number of the series whose points can be chosen
_NAMED = 3  # characters that the summary names
WINDOW = 16  # steps of the tree that are seen at once


def panels(
    result: Result,
    asked: Settings,
    chosen: Selection,
    reader: Reader,
    language: str,
    key: Hashable,
) -> list[PanelData]:
    """Every panel as it should look now."""
    at = (key, chosen.layer, chosen.head)
    return [
        _texts(result, asked, chosen, reader, language, key),
        tokens_panel(
            "written",
            written(result, asked, reader),
            key,
            chosen.step,
            shades=[float("nan")] * len(result.made.tokens),
            direction="rtl" if leftwards(reader) else "ltr",
        ),
        _read(result, chosen, reader, at),
        _weights(result, chosen, reader, at),
        _flow(result, chosen, reader, at),
        _next(result, asked, chosen, reader, key),
        plot_panel(
            "tree",
            tree(result, reader),
            key,
            (_TREE, chosen.node),
            x=_window(result, chosen),
            y={"least": -asked.beam - 0.5, "most": 0.0, "ticks": _ranks(asked.beam)},
        ),
    ]


def _window(result: Result, chosen: Selection) -> dict[str, float]:
    """The steps of the tree that are seen: all, or those around the chosen place."""
    nodes = result.made.tree.nodes
    last = max(node.step for node in nodes)
    first = max(min(nodes[chosen.node].step - WINDOW // 2, last - WINDOW), 0)
    return {"least": first, "most": min(first + WINDOW, last) + 0.5}


def _ranks(beam: int) -> list[list[Any]]:
    return [[-1 - rank, str(rank + 1)] for rank in range(beam)]


def leftwards(reader: Reader) -> bool:
    """Whether the target is written from right to left: most of its letters are."""
    kinds = [unicodedata.bidirectional(name) for name in reader.target.vocabulary if len(name) == 1]
    return sum(kind in ("R", "AL") for kind in kinds) > 26


def named(reader: Reader, number: int) -> str:
    """A token of the translation as the learner reads it."""
    if number == reader.eos_id:
        return END
    return _visible(reader.target.tokens[number])


def _visible(token: str) -> str:
    """A token of blanks has none to see; a mark that stands on a letter gets a ring to stand on."""
    if token and not token.strip():
        return SPACE * len(token)
    return f"◌{token}" if token and unicodedata.combining(token[0]) else token


def written(result: Result, asked: Settings, reader: Reader) -> list[Piece]:
    """The translation's tokens, each with its probability."""
    forced = {step for step, _ in asked.forced}
    chances = result.made.chances
    names = [reader.target.tokens[number] for number in result.made.tokens]
    onward = rightwards(names) if leftwards(reader) else [False] * len(names)
    return [
        Piece(
            named(reader, number),
            float(chances[i, number]),
            special=number == reader.eos_id,
            unknown=i + 1 in forced,
            rightwards=onward[i],
        )
        for i, number in enumerate(result.made.tokens)
    ]


def rightwards(names: Sequence[str]) -> list[bool]:
    """Which tokens of a text from right to left stand from left to right with their neighbours.

    Digits and Latin letters do, and a sign or a blank between two of a kind. A simplification of the
    Unicode Standard Annex 9, rules W4 and N1.

    >>> rightwards(["م", "1", "0", ":", "1", "2", ",", " ", "k", "m"])
    [False, True, True, True, True, True, False, False, True, True]
    """
    kinds = [unicodedata.bidirectional(name[0]) if name else "" for name in names]
    digits, signs = ("EN", "AN"), ("CS", "ES")
    found = [kind in (*digits, "L") for kind in kinds]
    for i in range(1, len(kinds) - 1):
        around = kinds[i - 1], kinds[i + 1]
        if kinds[i] in signs and all(kind in digits for kind in around):
            found[i] = True
        if kinds[i] == "WS" and around == ("L", "L"):
            found[i] = True
    return found


def columns(result: Result, reader: Reader) -> list[str]:
    """The tokens that were read, of all parts."""
    return [name for part in result.parts for name in _names(part, reader)]


def _names(part: Part, reader: Reader) -> list[str]:
    unknown, end = (
        reader.source.vocabulary[name] for name in (reader.source.unknown, reader.source.separator)
    )
    seen = {unknown: "?", end: END}
    return [seen.get(i) or _visible(reader.source.tokens[i]) for i in part.ids]


def _read(result: Result, chosen: Selection, reader: Reader, key: Hashable) -> PanelData:
    pieces = read(result, chosen, reader)
    return tokens_panel(
        "read",
        pieces,
        (key, chosen.step),
        chosen.place,
        shades=[piece.number for piece in pieces],
        caption=f"Where step {chosen.step + 1} looks as it writes {_step(result, chosen, reader)}",
    )


def _step(result: Result, chosen: Selection, reader: Reader) -> str:
    return quoted(named(reader, result.made.tokens[chosen.step]))


def read(result: Result, chosen: Selection, reader: Reader) -> list[Piece]:
    """The tokens that were read, each with the weight that the chosen step gives it."""
    weights = result.looks(chosen.layer, chosen.head)[chosen.step]
    seen = result.made.seen[chosen.step]
    made = []
    for part, first in zip(result.parts, _firsts(result.parts), strict=True):
        for i, name in enumerate(_names(part, reader)):
            number = float(weights[first + i]) if seen[first + i] else float("nan")
            unknown, end = name == "?" and part.ids[i] == _unknown(reader), name == END
            made.append(
                Piece(name, number, special=end, unknown=unknown, starts_line=first > 0 and i == 0)
            )
    return made


def _unknown(reader: Reader) -> int:
    return reader.source.vocabulary[reader.source.unknown]


def _firsts(parts: Sequence[Part]) -> list[int]:
    """The column in which each part begins."""
    return [sum(len(part.ids) for part in parts[:i]) for i in range(len(parts))]


def _weights(result: Result, chosen: Selection, reader: Reader, key: Hashable) -> PanelData:
    def data() -> dict[str, bytes]:
        looks = result.looks(chosen.layer, chosen.head)  # (T, S)
        return {"cells": pack(weight_codes(looks, ~result.made.seen, 16), 16)}

    meta = {
        "caption": f"Cross-attention, {layer_and_head(chosen.layer, chosen.head)}: each step's weights",
        "row_labels": [named(reader, number) for number in result.made.tokens],
        "column_labels": columns(result, reader),
        "bits": 16,
        "scale": "weights",
        "limit": 1.0,
        "chosen": [chosen.step, chosen.place],
    }
    return PanelData("weights", meta, key, data)


def _flow(result: Result, chosen: Selection, reader: Reader, key: Hashable) -> PanelData:
    def data() -> dict[str, bytes]:
        looks = result.looks(chosen.layer, chosen.head)  # (T, S)
        return {"weights": pack(weight_codes(looks, ~result.made.seen, 8), 8)}

    labels, heads = columns(result, reader), layer_and_head(chosen.layer, chosen.head)
    meta = {
        "caption": f"The order turned round, {heads}: from each step to where it looks",
        "row_labels": [named(reader, number) for number in result.made.tokens],
        "column_labels": labels,
        "heads": [max(chosen.head, 0)],
        "count": len(labels),
        "shares": False,
        "chosen": [chosen.step, chosen.place],
    }
    return PanelData("flow", meta, key, data)


def _next(
    result: Result, asked: Settings, chosen: Selection, reader: Reader, key: Hashable
) -> PanelData:
    step = chosen.step
    shown = result.order(step)[:SHOWN].tolist()
    token = result.made.tokens[step]
    forced = step + 1 in {at for at, _ in asked.forced}
    mark = " · forced" if forced else " ✓"
    chances = result.made.chances[step]
    numbers = np.array([[chances[i]] for i in shown], np.float32)
    rest = np.array([[1.0 - numbers.sum()]], np.float32).clip(min=0)
    meta = {
        "row_labels": [_spelled(reader, i) + (mark if i == token else "") for i in shown],
        "foot_labels": ["all others"],
        "columns": [{"label": "probability", "digits": 3, "bar": 1.0}],
        "chosen": chosen.candidate,
        "caption": f"What the model would write in step {step + 1}; ✓ marks what stands there",
    }
    both = np.concatenate([numbers, rest])
    return PanelData("next", meta, (key, step), lambda: {"numbers": pack_floats(both)})


def _spelled(reader: Reader, number: int) -> str:
    """A token of a table's row: isolated, so that what stands beside it keeps its place."""
    if number == reader.eos_id:
        return f"{END} the end"
    name = quoted(reader.target.tokens[number])[1:-1]
    return f"{SPACE} a space" if name == " " else _visible(name)


def tree(result: Result, reader: Reader) -> list[Series]:
    """Lines from each hypothesis to those that continue it, its places, and the winner's line."""
    nodes, gap = result.made.tree.nodes, float("nan")
    places = [(node.step, -1.0 - node.rank) for node in nodes]
    x, y = list[float](), list[float]()
    for node, (step, at) in zip(nodes, places, strict=True):
        before = places[node.parent] if node.parent >= 0 else (0, -1.0)
        x += [before[0], step, gap]
        y += [before[1], at, gap]
    labels = [named(reader, node.token) for node in nodes]
    path = [(0, -1.0), *(places[node] for node in result.made.tree.path(result.made.tree.best))]
    return [
        Series("kept on the way", x, y, faint=True, aside=True),
        Series("", [a for a, _ in places], [b for _, b in places], "points", labels, style=1),
        Series(
            "the translation that wins",
            [a for a, _ in path],
            [b for _, b in path],
            style=0,
            aside=True,
        ),
    ]


# The texts


def _texts(
    result: Result,
    asked: Settings,
    chosen: Selection,
    reader: Reader,
    language: str,
    key: Hashable,
) -> PanelData:
    made = reader.text(result.made.tokens)
    told, right = verdict(result, reader)
    mine, exact = _differences(made, result.answer)
    rows = [_row("The phrase", [printable(asked.text.strip())], "en", _read_note(result))]
    rows.append(_row("The translation", mine, language, told, right))
    if result.answer is not None:
        rows.append(_row("The exact answer", exact, language, ""))
    if changed(asked):
        plain = reader.text(result.plain.tokens)
        note = "the same" if plain == made else ""
        rows.append(_row("Without your changes", _differences(plain, made)[0], language, note))
    node = result.made.tree.nodes[chosen.node]
    walked = reader.text(result.made.tree.tokens(chosen.node))
    note = f"up to step {node.step}, rank {node.rank + 1}, log p {_log(node.log_p)}"
    rows.append(_row("In the tree", [walked], language, note))
    return PanelData("texts", {"rows": rows, "caption": "The translation"}, 0, dict)


def _log(number: float) -> str:
    """A log-probability with a real minus."""
    return f"{number:.1f}".replace("-0.0", "0.0").replace("-", "−")


def _row(
    label: str, parts: list[str], language: str, note: str, right: bool | None = None
) -> dict[str, Any]:
    row: dict[str, Any] = {"label": label, "parts": parts, "language": language, "note": note}
    return row if right is None else {**row, "right": right}


def _read_note(result: Result) -> str:
    return "; ".join(
        f"from step {part.since + 1} on the decoder looks at {_memory(part)}"
        for part in result.parts
        if part.told
    )


def _memory(part: Part) -> str:
    return {"zeros": "zeros", "the other phrase's": "the other phrase's memory"}.get(
        part.told, f"this memory: {part.told}"
    )


def changed(asked: Settings) -> bool:
    """Whether something is forced or replaced."""
    return bool(asked.forced) or asked.memory != OWN


def verdict(result: Result, reader: Reader) -> tuple[str, bool | None]:
    """Whether the translation is right, in words; None where the right one is not known."""
    made, answer = reader.text(result.made.tokens), result.answer
    cut = result.made.tokens[-1] != reader.eos_id
    stopped = f"; stopped after {len(result.made.tokens)} steps" if cut else ""
    if answer is None:
        return f"the exact answer is not known: no phrase of the data set{stopped}", None
    if made == answer:
        return f"right: it is the exact answer{stopped}", True
    same = next(
        (i for i, (a, b) in enumerate(zip(made, answer, strict=False)) if a != b),
        min(len(made), len(answer)),
    )
    return f"wrong from character {same + 1} on{stopped}", False


def _differences(text: str, other: str | None) -> tuple[list[str], list[str]]:
    """Both texts cut into parts; those at odd places are not in the other."""
    if other is None or text == other:
        return [text], [text if other is None else other]
    mine, theirs = [""], [""]
    found = difflib.SequenceMatcher(None, text, other, autojunk=False).get_opcodes()
    for kind, a, b, c, d in found:
        _extend(mine, text[a:b], kind == "equal")
        _extend(theirs, other[c:d], kind == "equal")
    return mine, theirs


def _extend(parts: list[str], piece: str, same: bool) -> None:
    """Add a piece at an even place if it is the `same`, else at an odd one."""
    if not piece:
        return
    if (len(parts) % 2 == 1) == same:
        parts[-1] += piece
    else:
        parts.append(piece)


def summary(
    result: Result, asked: Settings, chosen: Selection, reader: Reader, unknown: str
) -> str:
    """The picture in words."""
    made = reader.text(result.made.tokens)
    phrase = quoted(printable(asked.text.strip()))
    told = [f"{phrase} becomes {quoted(made)}: {verdict(result, reader)[0]}."]
    if result.answer is not None and made != result.answer:
        told.append(f"The exact answer is {quoted(result.answer)}.")
    if unknown:
        told.append(unknown)
    told.append(looks(result, chosen, reader))
    told += _changes(result, asked, reader)
    if asked.beam > 1:
        greedy = reader.text(result.made.greedy)
        told.append(
            f"With a beam of {asked.beam} as with greedy decoding."
            if greedy == made
            else f"A beam of {asked.beam} found it; greedy decoding writes {quoted(greedy)}."
        )
    node = result.made.tree.nodes[chosen.node]
    walked = reader.text(result.made.tree.tokens(chosen.node))
    told.append(
        f"Chosen in the tree: {quoted(walked)}, step {node.step}, rank {node.rank + 1}, "
        f"log p {_log(node.log_p)}."
    )
    return " ".join(told)


def looks(result: Result, chosen: Selection, reader: Reader) -> str:
    """Where the chosen step looks, in a sentence."""
    step, weights = chosen.step, result.looks(chosen.layer, chosen.head)[chosen.step]
    labels = columns(result, reader)
    best = _heaviest(weights, result.made.seen[step])
    most = ", ".join(f"{i + 1} {quoted(labels[i])} ({weights[i]:.2f})" for i in best)
    number = result.made.tokens[step]
    return (
        f"Step {step + 1} writes {_step(result, chosen, reader)} "
        f"(probability {result.made.chances[step, number]:.2f}) and looks most at the characters "
        f"{most}: {layer_and_head(chosen.layer, chosen.head)}."
    )


def _heaviest(weights: NDArray[np.float32], seen: NDArray[np.bool_]) -> Iterable[int]:
    order = np.argsort(-np.where(seen, weights, -1.0), kind="stable")[:_NAMED]
    return [int(i) for i in order if seen[i]]


def _changes(result: Result, asked: Settings, reader: Reader) -> list[str]:
    told = []
    if asked.forced:
        named_steps = ", ".join(f"{quoted(token)} in step {step}" for step, token in asked.forced)
        told.append(f"Forced: {named_steps}.")
        late = [step for step, _ in asked.forced if step > len(result.made.tokens)]
        if late:
            told.append(f"The translation ends before step {late[0]}.")
    for part in result.parts:
        if part.told:
            told.append(f"From step {part.since + 1} on the decoder looks at {_memory(part)}.")
        if part.since >= len(result.made.tokens):
            told.append("The translation ends before that.")
    if told:
        plain = reader.text(result.plain.tokens)
        same = plain == reader.text(result.made.tokens)
        told.append(
            "That changes nothing in the text." if same else f"Without that it is {quoted(plain)}."
        )
    return told


def still(result: Result, asked: Settings, chosen: Selection, reader: Reader, label: str) -> str:
    """Both texts, the step's weights and the matrix, as an SVG."""
    text, height = pieces(Box(10, 34, 800, 0), written(result, asked, reader))
    top = 34 + height + 30
    parts = [words(10, 20, "What is written", bold=True), text]
    parts.append(words(10, top, f"Where step {chosen.step + 1} looks", bold=True))
    rounded = [
        Piece(p.text, round(p.number, 2), p.special, p.unknown, starts_line=p.starts_line)
        for p in read(result, chosen, reader)
    ]
    text, height = pieces(Box(10, top + 14, 800, 0), rounded)
    parts.append(text)
    top += 14 + height + 30
    labels, rows = columns(result, reader), [named(reader, i) for i in result.made.tokens]
    parts.append(
        words(10, top, f"Cross-attention, {layer_and_head(chosen.layer, chosen.head)}", bold=True)
    )
    looks_at = result.looks(chosen.layer, chosen.head)  # (T, S)
    side = min(18.0, 760 / max(len(labels), 1))
    for j, name in enumerate(labels):
        parts.append(words(50 + (j + 0.5) * side, top + 24, name, "middle"))
    for i, name in enumerate(rows):
        y = top + 32 + i * side
        parts.append(words(44, y + side / 2 + 4, name, "end"))
        for j in range(len(labels)):
            share = float(looks_at[i, j]) ** 0.5
            if share >= 0.05:
                parts.append(
                    f'<rect x="{50 + j * side:.1f}" y="{y:.1f}" width="{side:.1f}" '
                    f'height="{side:.1f}" fill="#1a1083" fill-opacity="{share:.2f}"/>'
                )
    return document(830, top + 32 + side * len(rows) + 14, label, parts)
