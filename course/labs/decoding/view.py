"""The decoding lab's arrays as panels, words and a still picture."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np

from course.labs.beams import Node
from course.labs.decoding.compute import (
    BY_TOP_K,
    BY_TOP_P,
    DEEPEST,
    KEPT,
    NEARLY_ALL,
    SHOWN,
    Reader,
    Result,
    Selection,
    Settings,
)
from course.labs.drawing import PanelData
from course.labs.packing import pack_floats
from course.labs.pieces import Piece, tokens_panel
from course.labs.plotting import Series, plot_panel
from course.labs.quoting import quoted
from course.labs.still_plots import Box, document, pieces, plot, words

_WHY = {BY_TOP_K: " · cut by top-k", BY_TOP_P: " · cut by top-p"}
GOES_ON = " …"
_TREE = 1  # the number of the series whose points can be chosen


def panels(
    result: Result, asked: Settings, chosen: Selection, reader: Reader, key: Hashable
) -> list[PanelData]:
    """Every panel as it should look now."""
    last = len(result.begun)
    return [
        tokens_panel("sentence", sentence(result, reader), key, last),
        _next(result, chosen, reader, key),
        plot_panel(
            "tree",
            tree(result, reader),
            key,
            (_TREE, chosen.node),
            y={"least": -asked.beam - 0.5, "most": 0.0, "ticks": _ranks(asked.beam)},
        ),
    ]


def _ranks(beam: int) -> list[list[Any]]:
    return [[-1 - rank, str(rank + 1)] for rank in range(beam)]


def sentence(result: Result, reader: Reader) -> list[Piece]:
    """The start and the tokens after it, each with the probability that it had."""
    tokens = reader.tokenizer.tokens
    made = [Piece(tokens[reader.bos_id], special=True)]
    for number, given in zip(result.begun, result.given.tolist(), strict=True):
        token = tokens[number]
        made.append(Piece(token, given, continues=token.startswith("##")))
    return made


def named(reader: Reader, number: int) -> str:
    """A token as the learner reads it."""
    token = reader.tokenizer.tokens[number]
    return f"{token} (the end)" if number == reader.eos_id else token


def _next(result: Result, chosen: Selection, reader: Reader, key: Hashable) -> PanelData:
    shown = result.order[:SHOWN].tolist()
    labels = [named(reader, i) + _WHY.get(int(result.cut[i]), "") for i in shown]
    numbers = np.array([[result.plain[i], result.drawn[i]] for i in shown], np.float32)
    meta = {
        "row_labels": labels,
        "foot_labels": ["all others"],
        "columns": [
            {"label": "the model", "digits": 3, "bar": 1.0},
            {"label": "drawn from", "digits": 3, "bar": 1.0},
        ],
        "chosen": chosen.candidate,
        "greyed": [row for row, i in enumerate(shown) if result.cut[i] != KEPT],
        "caption": f"The next token: {_left(result)}",
    }
    rest = 1.0 - numbers.sum(axis=0, keepdims=True)
    all_rows = np.concatenate([numbers, rest.clip(min=0)])
    return PanelData("next", meta, key, lambda: {"numbers": pack_floats(all_rows)})


def _left(result: Result) -> str:
    """How many tokens can be drawn; and how many of them nearly always are."""
    told = f"{result.kept:,} of {len(result.plain):,} can be drawn"
    if result.likely < result.kept:
        told += f", {result.likely:,} of them in {NEARLY_ALL:.0%} of all draws"
    return told


def tree(result: Result, reader: Reader) -> list[Series]:
    """Lines from each hypothesis to those that continue it, its places, and the winner's line."""
    nodes, gap = result.tree.nodes, float("nan")
    where = [(node.step, -1.0 - node.rank) for node in nodes]
    x, y = list[float](), list[float]()
    for node, (step, at) in zip(nodes, where, strict=True):
        before = where[node.parent] if node.parent >= 0 else (0, -1.0)
        x += [before[0], step, gap]
        y += [before[1], at, gap]
    labels = [_label(node, reader) for node in nodes]
    path = [(0, -1.0), *(where[node] for node in result.tree.path(result.tree.best))]
    return [
        Series("kept on the way", x, y, faint=True, aside=True),
        Series("", [a for a, _ in where], [b for _, b in where], "points", labels, style=1),
        Series(
            "the sentence that wins",
            [a for a, _ in path],
            [b for _, b in path],
            style=0,
            aside=True,
        ),
    ]


def _label(node: Node, reader: Reader) -> str:
    if node.token == reader.eos_id:
        return "■"
    return reader.tokenizer.tokens[node.token] + GOES_ON * node.cut


def summary(result: Result, asked: Settings, chosen: Selection, reader: Reader) -> str:
    """The picture in words."""
    best = ", ".join(
        f"{quoted(named(reader, i))} ({result.plain[i]:.2f})" for i in result.order[:3].tolist()
    )
    after = f"After {quoted(reader.words(result.begun))}" if result.begun else "At the start"
    mass = float(result.plain[result.cut == KEPT].sum())
    told = [f"{after} the likeliest tokens are {best}."]
    if result.kept < (result.plain > 0).sum():
        rules = [f"top-k {asked.top_k}"] if asked.top_k else []
        rules += [f"top-p {asked.top_p:g}"] if asked.top_p < 1 else []
        count = f"{result.kept:,} token" + ("s" if result.kept > 1 else "")
        told.append(
            f"With {' and '.join(rules)}, {count} can be drawn: {mass:.0%} of the probability."
        )
    node = result.tree.nodes[result.tree.best]
    ending = [*result.begun, *result.tree.tokens(result.tree.best)]
    won = reader.words([i for i in ending if i != reader.eos_id])
    told.append(
        f"A beam of {asked.beam} writes {quoted(won + GOES_ON * node.cut)} (log p {node.log_p:.1f})."
    )
    greedy = [i for i in (*result.begun, *result.greedy) if i != reader.eos_id]
    same = reader.words(greedy) == won
    cut = bool(result.greedy) and result.greedy[-1] != reader.eos_id
    other = _greedy(reader.words(greedy) + GOES_ON * cut)
    told.append("Greedy decoding writes the same." if same else other)
    if node.cut or cut:
        told.append(f"Where a sentence would go on (…), it is cut {DEEPEST} tokens ahead.")
    place = result.tree.nodes[chosen.node]
    told.append(
        f"Chosen in the tree: {quoted(named(reader, place.token))}, {place.step} ahead, rank "
        f"{place.rank + 1}, log p {place.log_p:.1f}."
    )
    return " ".join(told)


def _greedy(text: str) -> str:
    return f"Greedy decoding writes {quoted(text)}."


def still(result: Result, reader: Reader, label: str) -> str:
    """The sentence, the next token and the tree, as an SVG."""
    text, height = pieces(Box(10, 34, 800, 0), sentence(result, reader))
    top = 34 + height + 30
    parts = [words(10, 20, "The sentence so far", bold=True), text]
    parts.append(words(10, top, "The next token; grey: cut", bold=True))
    for row, i in enumerate(result.order[:SHOWN].tolist()):
        y, p = top + 12 + 20 * row, float(result.plain[i])
        fill = "#4477aa" if result.cut[i] == KEPT else "#bbbbbb"
        parts.append(words(150, y + 14, named(reader, i), "end"))
        parts.append(
            f'<rect x="158" y="{y + 3:g}" width="{max(160 * p, 1):.1f}" height="14" fill="{fill}"/>'
        )
        parts.append(words(164 + 160 * p, y + 14, f"{p:.3f}"))
    parts.append(words(400, top, "The beam as a tree", bold=True))
    parts.append(plot(Box(430, top + 40, 260, 200), tree(result, reader), "tokens ahead", "rank"))
    return document(860, top + 12 + 20 * SHOWN + 50, label, parts)
