"""The feed-forward lab's arrays, packed for the front end, and its still picture."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from course.labs.drawing import PanelData
from course.labs.feed_forward.compute import Shown
from course.labs.feed_forward.neurons import Excitement
from course.labs.feed_forward.settings import Selection, Settings
from course.labs.pieces import Piece, tokens_panel
from course.labs.plotting import Series, plot_panel
from course.labs.quoting import quoted
from course.labs.still_plots import Box, document, pieces, plot, words

STRONGEST, WORDS = 10, 24


def curves(shown: Shown) -> list[Series]:
    """The neurons' parts, the curve, the network's line and where its neurons begin."""
    parts = [Series("", shown.x, ramp, faint=True, aside=True) for ramp in shown.ramps]
    at = np.interp(shown.kinks, shown.x, shown.output)
    return [
        *parts,
        Series("the curve", shown.fit.x, shown.fit.target, "points", style=1, aside=True, size=3),
        Series("the network", shown.x, shown.output, style=0),
        Series("a neuron begins", shown.kinks, at, "points", style=2, aside=True),
    ]


def panels(
    shown: Shown, asked: Settings, chosen: Selection, words_of: Excitement, key: Hashable
) -> list[PanelData]:
    """All panels for what is chosen."""
    losses = shown.fit.losses
    line = Series("error", np.arange(len(losses)), np.maximum(losses, 1e-9))
    answers = shown.reading.answers[chosen.layer][:, chosen.neuron].numpy()  # (S,)
    limit = max(2.0, round(float(np.abs(answers).max()) + 0.005, 2))
    named = f"layer {chosen.layer}, neuron {chosen.neuron}"
    of_token = strongest(shown, chosen)
    numbers, found = [number for number, _ in of_token], excited(words_of, chosen)
    return [
        plot_panel("curve", curves(shown), key, (asked.width + 1, len(shown.x) // 2)),
        plot_panel("loss", [line], (key, "loss"), (0, asked.step), y=decades(line.y)),
        tokens_panel(
            "tokens",
            sentence(shown, chosen),
            (key, chosen),
            chosen.token,
            shades=answers,
            scale="signed",
            limit=limit,
            caption=f"How strongly each token excites {named}",
        ),
        tokens_panel(
            "neurons",
            [Piece(str(number), value) for number, value in of_token],
            (key, chosen),
            numbers.index(chosen.neuron),
            shades=[value for _, value in of_token],
            limit=limit,
            caption=f"Layer {chosen.layer}: what {quoted(shown.reading.tokens[chosen.token])} excites most"
            + (f"; and neuron {chosen.neuron}" if len(numbers) > STRONGEST else ""),
        ),
        tokens_panel(
            "words",
            found,
            (chosen.layer, chosen.neuron),
            shades=[piece.number for piece in found],
            limit=max(2.0, found[0].number),
            caption=f"What excites {named} most in {len(words_of.tokens):,} tokens of real text",
        ),
    ]


def sentence(shown: Shown, chosen: Selection) -> list[Piece]:
    """The sentence's tokens with the chosen neuron's answers."""
    column = shown.reading.answers[chosen.layer][:, chosen.neuron].tolist()
    return [
        Piece(token, round(value, 2), continues=token.startswith("##"))
        for token, value in zip(shown.reading.tokens, column, strict=True)
    ]


def strongest(shown: Shown, chosen: Selection) -> list[tuple[int, float]]:
    """The neurons of the layer that answer to the chosen token most, and how much.

    The chosen one comes last where it is not among them, so that it can always be seen.
    """
    answers = shown.reading.answers[chosen.layer][chosen.token]  # (F,)
    numbers = answers.topk(min(STRONGEST, len(answers))).indices.tolist()
    if chosen.neuron not in numbers:
        numbers.append(chosen.neuron)
    return [(number, round(float(answers[number]), 2)) for number in numbers]


def decades(heights: ArrayLike) -> dict[str, float]:
    """A logarithmic axis from one power of ten to another."""
    known = np.log10(np.asarray(heights))
    return {
        "least": float(10.0 ** np.floor(known.min())),
        "most": float(10.0 ** np.ceil(known.max())),
    }


def excited(words_of: Excitement, chosen: Selection) -> list[Piece]:
    """The strongest places of the real text."""
    found = words_of.strongest(chosen.layer, chosen.neuron, WORDS)
    return [Piece(word, round(value, 2)) for word, value in found]


def still(shown: Shown, chosen: Selection, words_of: Excitement, title: str) -> str:
    """An SVG for places without a front end; the same input gives the same text."""
    rows: Sequence[tuple[str, Sequence[Piece]]] = (
        (f"Layer {chosen.layer}, neuron {chosen.neuron}: its answers", sentence(shown, chosen)),
        ("What excites it most in real text", excited(words_of, chosen)),
    )
    parts = [words(8, 18, title), plot(Box(60, 60, 420, 220), curves(shown), "x", "FFN(x)")]
    y = 340.0
    for told, row in rows:
        drawn, height = pieces(Box(8, y + 10, 700, 0), row)
        parts += [words(8, y, told, bold=True), drawn]
        y += height + 40
    return document(720, y, title, parts)
