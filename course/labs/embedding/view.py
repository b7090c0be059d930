"""The embedding lab's findings as panels, words and a still picture."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from course.labs.drawing import PanelData
from course.labs.embedding.compute import Found, Settings, clean, expected
from course.labs.embedding.words import analogies, table, vector
from course.labs.packing import pack_floats
from course.labs.plotting import Series, plot_panel
from course.labs.quoting import quoted
from course.labs.still_plots import Box, document, plot, words

Scores = Sequence[tuple[float, ...]]


def panels(asked: Settings, found: Found, scores: Scores, key: Hashable) -> list[PanelData]:
    """Every panel as it should look now."""
    return [
        _map(asked, found, key),
        _ranked(
            "near",
            f"Nearest to {quoted(clean(asked.word))}, of {_count(asked)} words",
            [word for word, _ in found.near],
            [share for _, share in found.near],
            key,
        ),
        _ranked(
            "answers",
            f"Nearest to {_sum(asked)}",
            [_marked(word, asked) for word, _ in found.answers],
            [share for _, share in found.answers],
            key,
        ),
        _scores(asked, scores),
    ]


def _count(asked: Settings) -> str:
    """Return how many words there are, in thousands."""
    return f"{len(table(asked.checkpoint).words) // 1000 * 1000:,}"


def map_series(asked: Settings, found: Found) -> list[Series]:
    """The group's words, the chosen one's neighbours, the analogy, each word once."""
    word, inputs = clean(asked.word), [clean(each) for each in (asked.a, asked.b, asked.c)]
    near = [each for each, _ in found.near]
    answer = found.answers[0][0] if found.answers else ""
    mine = {word, *near, *inputs, answer}
    groups = [
        ("words of the map", [each for each in found.map.words if each not in mine], 5, 0),
        (f"nearest to {word}", [each for each in near if each not in {*inputs, answer}], 0, 1),
        ("chosen", [word] if word not in {*inputs, answer} else [], 3, 3),
        ("a, b, c", list(dict.fromkeys(inputs)), 1, 2),
        ("nearest to a − b + c", [answer] if answer and answer not in inputs else [], 2, 2),
    ]
    points = [_points(asked, found, *each) for each in groups if each[1]]
    return [_way(asked, found, inputs), *points]


def _points(
    asked: Settings, found: Found, name: str, shown: list[str], style: int, first: int
) -> Series:
    places = _places(asked, found, shown)
    x, y = places[:, 0], places[:, 1]
    size = 3 if style == 5 else 5
    return Series(name, x, y, "points", shown, style=style, first=first, size=size)


def _places(asked: Settings, found: Found, shown: Sequence[str]) -> NDArray[np.float32]:
    vectors = [vector(word, asked.checkpoint) for word in shown]
    return found.map.places(torch.stack([each for each in vectors if each is not None]))


def _way(asked: Settings, found: Found, inputs: Sequence[str]) -> Series:
    """From b to a, and the same step from c on; drawn at length 1, as all is on this map."""
    a, b, c = _places(asked, found, inputs)
    end = found.map.places(found.target[None])[0]
    gap = np.full(2, np.nan, np.float32)
    path = np.stack([b, a, gap, c, end])  # (5, 2)
    return Series("b → a, c → a − b + c", path[:, 0], path[:, 1], style=1, aside=True)


def _map(asked: Settings, found: Found, key: Hashable) -> PanelData:
    series = map_series(asked, found)
    word = clean(asked.word)
    chosen = next(
        (i, list(one.labels).index(word))
        for i, one in enumerate(series)
        if one.labels is not None and word in one.labels
    )
    first, second = found.map.shares
    return plot_panel(
        "map",
        series,
        key,
        chosen,
        caption=f"The map of {asked.group}: two axes hold {first + second:.0%} of the variance",
        x={"label": f"first axis: {first:.1%} of the variance", "pitch": 70},
        y={"label": f"second axis: {second:.1%}"},
    )


def _ranked(
    name: str, caption: str, labels: list[str], shares: list[float], key: Hashable
) -> PanelData:
    meta = {
        "caption": caption,
        "row_labels": labels,
        "foot_labels": [],
        "columns": [{"label": "similarity", "digits": 3, "bar": 1.0}],
        "chosen": -1,
    }
    return PanelData(name, meta, key, lambda: {"numbers": pack_floats(np.array(shares))})


def _marked(word: str, asked: Settings) -> str:
    inputs = {clean(asked.a), clean(asked.b), clean(asked.c)}
    known = expected(asked)
    if known is not None and word == known.expected:
        return f"{word} (expected)"
    return f"{word} (put in)" if word in inputs else word


def _scores(asked: Settings, scores: Scores) -> PanelData:
    known = expected(asked)
    meta = {
        "row_labels": [str(each) for each in analogies(asked.checkpoint)],
        "foot_labels": [],
        "columns": [
            {"label": "rank", "digits": 0},
            {"label": "inputs kept", "digits": 0},
            {"label": "c alone", "digits": 0},
        ],
        "chosen": -1 if known is None else analogies(asked.checkpoint).index(known),
    }
    key = tuple(scores)
    return PanelData("scores", meta, key, lambda: {"numbers": pack_floats(np.array(scores))})


def _sum(asked: Settings) -> str:
    return f"{clean(asked.a)} − {clean(asked.b)} + {clean(asked.c)}"


def summary(asked: Settings, found: Found, scores: Scores) -> str:
    """The picture in words."""
    near = ", ".join(f"{word} ({share:.2f})" for word, share in found.near[:3])
    first, second = found.map.shares
    sentences = [
        f"Nearest to {quoted(clean(asked.word))}: {near}.",
        f"The map's two axes hold {first:.1%} and {second:.1%} of the variance of its words.",
        _analogy(asked, found),
    ]
    known = expected(asked)
    if known is not None:
        place, kept, alone = scores[analogies(asked.checkpoint).index(known)]
        verdict = "holds" if place == 1 else "does not hold"
        sentences.append(
            f"The analogy {verdict}: “{known.expected}” comes at rank {place:.0f} with the inputs "
            f"left out, {kept:.0f} with them kept, and {alone:.0f} among the neighbours of "
            f"“{known.c}” alone."
        )
    return " ".join(sentences)


def _analogy(asked: Settings, found: Found) -> str:
    word, share = found.nearest
    inputs = {clean(asked.a), clean(asked.b), clean(asked.c)}
    told = f"{_sum(asked)} comes nearest to {quoted(word)} ({share:.2f})"
    if word not in inputs:
        return f"{told}, though the inputs were allowed."
    others = [each for each in found.answers if each[0] not in inputs]
    if not others:
        return f"{told}, which was put in."
    return f"{told}, which was put in; of the others {quoted(others[0][0])} ({others[0][1]:.2f}) is nearest."


def still(asked: Settings, found: Found, label: str) -> str:
    """The map and the nearest words, as an SVG."""
    title = f"The map of {asked.group}"
    series = [each for each in map_series(asked, found) if each.draws == "points"]
    parts = [
        words(10, 20, title, bold=True),
        plot(Box(50, 50, 520, 520), series, "first axis", "second axis"),
        words(620, 220, f"Nearest to {quoted(clean(asked.word))}", bold=True),
        *(
            words(620, 245 + 18 * i, f"{share:.3f}  {word}")
            for i, (word, share) in enumerate(found.near)
        ),
    ]
    return document(860, 620, label, parts)
