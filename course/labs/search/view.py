"""The search lab's rankings as panels, words and a still picture."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from course.datasets.passages import Passage, counted_words
from course.labs.drawing import PanelData
from course.labs.packing import pack_floats
from course.labs.pieces import Piece, tokens_panel
from course.labs.plotting import Series, plot_panel
from course.labs.quoting import quoted
from course.labs.search.compute import Rankings
from course.labs.search.reading import Reading
from course.labs.still_plots import INK, document, words
from course.system.markup import escape

LONGEST_TEXT = 900  # characters of a passage that are sent; a passage has about 100 words
PLOTTED = 40  # passages of each ranking
STILL_LINE = 62  # characters


def panels(
    rankings: Rankings, chosen: int, reading: Reading | None, key: Hashable
) -> list[PanelData]:
    """Every panel as it should look now; `chosen` is a passage's number."""
    return [
        _reading(reading),
        _words(rankings, chosen, key),
        _ranking("by_meaning", rankings, rankings.by_meaning, chosen, key),
        _ranking("by_words", rankings, rankings.by_words, chosen, key),
        _both(rankings, chosen, key),
        _added(rankings, chosen, key),
    ]


def _reading(reading: Reading | None) -> PanelData:
    meta: dict[str, Any] = {"parts": "", "recording": "", "runs": [], "buttons": [], "said": ""}
    if reading is not None:
        running = not reading.ended
        state = {"name": "The reading", "words": reading.words, "step": reading.done}
        meta |= {
            "parts": "" if not running else "Read and embedded here; nothing leaves this machine.",
            "runs": [{**state, "total": reading.total}],
            "buttons": [
                {
                    "name": "stop",
                    "label": "Stop",
                    "sends": "stop",
                    "off": "" if running else "The reading has ended.",
                }
            ],
            "said": f"Reading {reading.folder}." if running else reading.words,
        }
    return PanelData("reading", meta, 0, dict)


def _words(rankings: Rankings, chosen: int, key: Hashable) -> PanelData:
    added = rankings.added(chosen)
    pieces = [
        Piece(
            word.text,
            float(word.passages) if word.key else float("nan"),
            special=not word.key,
            unknown=bool(word.key) and not word.passages,
        )
        for word in rankings.words
    ]
    shades = np.array([added.get(word.key, np.nan) for word in rankings.words], np.float32)
    limit = float(np.nanmax(shades, initial=0.0)) or 1.0
    return tokens_panel("words", pieces, (key, chosen), None, shades, "weights", limit)


def _ranking(
    name: str,
    rankings: Rankings,
    found: Sequence[tuple[int, float]],
    chosen: int,
    key: Hashable,
) -> PanelData:
    keys = rankings.keys()
    entries = []
    for row, score in found:
        passage = rankings.passage(row)
        entries.append(
            {
                "id": row,
                "title": passage.title,
                "parts": parts(passage.text, keys),
                "score": score,
                "note": _elsewhere(rankings, row, name),
            }
        )
    count = len(rankings.shelf)
    empty = f"None of the {count:,} passages has a word of the question."
    meta = {"entries": entries, "chosen": chosen, "empty": "" if entries else empty}
    return PanelData(name, meta, key, dict)


def _elsewhere(rankings: Rankings, row: int, name: str) -> str:
    """Where a passage stands in the other ranking."""
    if name == "by_words":
        return f"no. {rankings.rank_by_meaning(row):,} by meaning"
    rank = rankings.rank_by_words(row)
    return "no shared word" if rank is None else f"no. {rank:,} by words"


def parts(text: str, keys: frozenset[str]) -> list[str]:
    """A passage's text in one line, cut at words of the question: those stand at odd places.

    >>> parts("Copy a  file.", frozenset({"file"}))
    ['Copy a ', 'file', '.']
    """
    line = " ".join(text.split())
    if len(line) > LONGEST_TEXT:
        line = f"{line[:LONGEST_TEXT]}…"
    found, end = [], 0
    for start, stop, word in counted_words(line):
        if word in keys:
            found += [line[end:start], line[start:stop]]
            end = stop
    return [*found, line[end:]]


def _both(rankings: Rankings, chosen: int, key: Hashable) -> PanelData:
    """The best passages by their two scores; those that only one ranking knows lie at the edges."""
    count = min(PLOTTED, len(rankings.shelf))
    best = [
        np.argpartition(-each, count - 1)[:count] for each in (rankings.cosines, rankings.scores)
    ]
    rows = np.union1d(best[0], best[1][rankings.scores[best[1]] > 0])
    labels = [called(rankings.passage(int(row))) for row in rows]
    series = [
        Series(
            "", rankings.scores[rows], rankings.cosines[rows], "points", labels,
            style=0, unwritten=True, size=3,
        ),
        Series(
            "chosen", [rankings.scores[chosen]], [rankings.cosines[chosen]], "points",
            [called(rankings.passage(chosen))], style=1, unwritten=True, size=6, aside=True,
        ),
    ]  # fmt: skip
    return plot_panel("both", series, (key, chosen))


def _added(rankings: Rankings, chosen: int, key: Hashable) -> PanelData:
    added = sorted(rankings.added(chosen).items(), key=lambda pair: -pair[1])
    numbers = [[rankings.shelf.words.texts_with(word), share] for word, share in added]
    total = [[float("nan"), float(rankings.scores[chosen])]]
    meta = {
        "row_labels": [word for word, _ in added],
        "foot_labels": ["together"],
        "columns": [{"label": "passages with it", "digits": 0}, {"label": "adds", "digits": 3}],
    }
    packed = np.array([*numbers, *total], np.float32)
    return PanelData("added", meta, (key, chosen), lambda: {"numbers": pack_floats(packed)})


def called(passage: Passage, most: int = 48) -> str:
    """A passage's name in a sentence: its title and how it begins."""
    begins = passage.text.split(maxsplit=most)[:most]  # as many words as letters: enough
    line = f"{passage.title}: {' '.join(begins)}"
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"


def summary(rankings: Rankings, whose: str) -> str:
    """The picture in words."""
    lines = [_first_by_meaning(rankings), _first_by_words(rankings)]
    if rankings.by_words:
        lines.append(f"Shown in both rankings: {rankings.in_both()}.")
        sharing, count = rankings.sharing(), len(rankings.shelf)
        lines.append(f"{sharing:,} of {count:,} passages share a word with the question.")
    nowhere = [quoted(word.text) for word in rankings.words if word.key and not word.passages]
    if nowhere and rankings.by_words:
        lines.append(f"In no passage: {', '.join(nowhere)}.")
    return " ".join(filter(None, [*lines, whose]))


def _first_by_meaning(rankings: Rankings) -> str:
    row, score = rankings.by_meaning[0]
    rank = rankings.rank_by_words(row)
    by_words = "it shares no word" if rank is None else f"by words it is no. {rank:,}"
    return f"First by meaning: {quoted(called(rankings.passage(row)))} ({score:.2f}); {by_words}."


def _first_by_words(rankings: Rankings) -> str:
    if not rankings.by_words:
        return f"None of the {len(rankings.shelf):,} passages has a word of the question."
    row, score = rankings.by_words[0]
    rank = rankings.rank_by_meaning(row)
    shared = [word for word, share in rankings.added(row).items() if share > 0]
    return (
        f"First by words: {quoted(called(rankings.passage(row)))} ({score:.2f}), which shares "
        f"{', '.join(map(quoted, shared))}; by meaning it is no. {rank:,}."
    )


def in_lines(rankings: Rankings) -> str:
    """Both rankings as plain text."""
    lines = [f"Question: {rankings.question}"]
    for title, found in (("By meaning", rankings.by_meaning), ("By words", rankings.by_words)):
        lines.append(f"{title}:")
        lines += [f"  {score:.2f}  {called(rankings.passage(row), 90)}" for row, score in found]
    return "\n".join(lines)


def still(rankings: Rankings, label: str) -> str:
    """Both rankings side by side as an SVG; words of the question are bold."""
    drawn = [words(10, 20, f"Question: {rankings.question}", bold=True)]
    columns = (
        (10, "By meaning: cosine of the MiniLM vectors", rankings.by_meaning),
        (470, "By words: TF-IDF", rankings.by_words),
    )
    for x, title, found in columns:
        drawn.append(words(x, 48, title, bold=True))
        for place, (row, score) in enumerate(found):
            y = 72 + 42 * place
            drawn.append(words(x, y, f"{place + 1}.  {score:.2f}  {rankings.passage(row).title}"))
            drawn.append(_marked(x + 18, y + 17, rankings.passage(row).text, rankings.keys()))
        if not found:
            drawn.append(words(x, 72, "No passage has a word of the question."))
    return document(930, 72 + 42 * len(rankings.by_meaning) + 4, label, drawn)


def _marked(x: float, y: float, text: str, keys: frozenset[str]) -> str:
    """The beginning of a passage with the question's words in bold."""
    line = " ".join(text.split())
    short = line if len(line) <= STILL_LINE else f"{line[:STILL_LINE]}…"
    spans = [
        f'<tspan font-weight="bold">{escape(part)}</tspan>' if place % 2 else escape(part)
        for place, part in enumerate(parts(short, keys))
    ]
    return f'<text x="{x:g}" y="{y:g}" fill="{INK}" xml:space="preserve">{"".join(spans)}</text>'
