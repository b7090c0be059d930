"""The masked-word lab's arrays as panels, words and a still picture."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from course.labs.drawing import PanelData
from course.labs.masked_word.compute import Guesses, History
from course.labs.packing import pack_floats
from course.labs.pieces import Piece, tokens_panel
from course.labs.plotting import Series, plot_panel
from course.labs.quoting import quoted
from course.labs.still_plots import Box, document, pieces, words
from encoder_core.text.tokenizer import WordPiece

BLANK = "[MASK]"


def panels(
    guesses: Guesses,
    history: History | None,
    place: int,
    moment: int,
    tokenizer: WordPiece,
    key: Hashable,
) -> list[PanelData]:
    """Every panel as it should look now; `place` is the chosen token's."""
    drawn = [
        tokens_panel("pieces", sentence(guesses), key, place),
        _guesses(guesses, place, tokenizer, key),
    ]
    return drawn if history is None else [*drawn, _history(guesses, history, place, moment, key)]


def sentence(guesses: Guesses) -> list[Piece]:
    """The tokens as the model reads them; below each the probability of what was written."""
    made = []
    for place, token in enumerate(guesses.tokens):
        blank, special = guesses.asked[place], guesses.fixed[place]
        made.append(
            Piece(
                BLANK if blank else token,
                float("nan") if special else probability(guesses, place),
                special=special and not blank,
                unknown=blank,
                continues=token.startswith("##"),
            )
        )
    return made


def probability(guesses: Guesses, place: int) -> float:
    """How likely the model finds the token that was written."""
    return float(guesses.probabilities[place, guesses.ids[place]])


def _guesses(guesses: Guesses, place: int, tokenizer: WordPiece, key: Hashable) -> PanelData:
    best = guesses.best(place)
    written = guesses.ids[place] if not guesses.fixed[place] else -1
    labels = [tokenizer.tokens[i] + (" ✓" if i == written else "") for i, _ in best]
    numbers = np.array([[p] for _, p in best], np.float32)
    told = (
        f"at {quoted(guesses.tokens[place])}" if not guesses.fixed[place] else "at a special token"
    )
    meta = {
        "row_labels": labels,
        "foot_labels": [],
        "columns": [{"label": "probability", "digits": 3, "bar": 1.0}],
        "caption": f"What the model would put there: token {place}, {told}",
    }
    return PanelData("guesses", meta, (key, place), lambda: {"numbers": pack_floats(numbers)})


def _history(
    guesses: Guesses, history: History, place: int, moment: int, key: Hashable
) -> PanelData:
    line = Series(guesses.tokens[place], history.steps, history.probabilities[place], "both")
    most = float(history.probabilities[place].max())
    return plot_panel(
        "history", [line], (key, place), (0, moment), y={"most": max(1.1 * most, 0.05)}
    )


def summary(guesses: Guesses, place: int, tokenizer: WordPiece, moments: int) -> str:
    """The picture in words."""
    after = f"After {guesses.step:,} updates" if moments > 1 else "Here"
    best = guesses.best(place, 3)
    named = ", ".join(f"{quoted(tokenizer.tokens[i])} ({p:.2f})" for i, p in best)
    token = quoted(guesses.tokens[place])
    if guesses.fixed[place] and not guesses.asked[place]:
        return (
            f"{after} the model says at the special token {token}: {named}. Nobody asked it there."
        )
    if not guesses.asked[place]:
        return (
            f"{after} the model, which sees {token}, says there: {named}. Blank it to see what the "
            "words around it tell."
        )
    if guesses.fixed[place]:
        return f"{after} the model fills the blank with: {named}."
    rank = guesses.rank(place)
    return (
        f"{after} the model fills the blank with: {named}. {token}, which was written, has "
        f"{probability(guesses, place):.3f}: rank {rank:,} of {guesses.probabilities.shape[1]:,}."
    )


def still(guesses: Guesses, place: int, tokenizer: WordPiece, label: str) -> str:
    """The sentence, and the guesses at the chosen place, as an SVG."""
    text, height = pieces(Box(10, 34, 800, 0), sentence(guesses))
    top = 34 + height + 30
    parts = [words(10, 20, "The sentence as the model reads it", bold=True), text]
    parts.append(words(10, top, f"What the model would put at token {place}", bold=True))
    parts += _bars(guesses.best(place), tokenizer, top + 12)
    return document(820, top + 12 + 20 * len(guesses.best(place)) + 12, label, parts)


def _bars(best: Sequence[tuple[int, float]], tokenizer: WordPiece, top: float) -> list[str]:
    parts = []
    for row, (i, p) in enumerate(best):
        y = top + 20 * row
        parts.append(words(150, y + 14, tokenizer.tokens[i], "end"))
        parts.append(
            f'<rect x="158" y="{y + 3:g}" width="{max(400 * p, 1):.1f}" height="14" fill="#4477aa"/>'
        )
        parts.append(words(164 + 400 * p, y + 14, f"{p:.3f}"))
    return parts
