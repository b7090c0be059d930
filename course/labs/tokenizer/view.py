"""The tokenizer lab's arrays as panels, words and a still picture."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from course.labs.checkpoints import MINILM, checkpoint
from course.labs.drawing import PanelData
from course.labs.pieces import Piece, tokens_panel
from course.labs.plotting import Series, plot_panel
from course.labs.quoting import quoted
from course.labs.still_plots import Box, document, pieces, plot, words
from course.labs.tokenizer.compute import LONGEST_WORD, SIZES, Settings, Tokens, vocabulary_of
from course.labs.tokenizer.form import CORPORA

_LABELS = [str(size) for size in SIZES]
_SERIES = {"wordpiece": "WordPiece", "words": "whole words"}

History = Sequence[tuple[int, tuple[str, ...]]]


def panels(
    asked: Settings, tokens: Tokens, chosen: int, history: History, key: Hashable
) -> list[PanelData]:
    """Every panel as it should look now; `chosen` is a place in the text's tokens."""
    word = tokens.words[tokens.tokens[chosen].word] if tokens.tokens else ""
    steps = history_pieces(asked, word, history, tokens)
    return [
        tokens_panel("pieces", text_pieces(tokens), key, chosen),
        tokens_panel(
            "history",
            steps,
            (key, word),
            _reached(steps, history, asked.size),
            caption=f"{quoted(word)} as the vocabulary grows",
        ),
        _plot("counts", 0, asked, tokens, key),
        _plot("unknown", 1, asked, tokens, key),
    ]


def text_pieces(tokens: Tokens) -> list[Piece]:
    """The text's tokens; an unknown word is written as it was, its id is that of [UNK]."""
    before = -1
    made = []
    for token in tokens.tokens:
        continues = token.word == before
        made.append(Piece(token.text, token.id, unknown=token.unknown, continues=continues))
        before = token.word
    return made


def history_pieces(asked: Settings, word: str, history: History, tokens: Tokens) -> list[Piece]:
    """Each size at which the word is cut anew, and its pieces then."""
    made = []
    for size, cut in history:
        made.append(Piece(f"from {size:,}", special=True, starts_line=True))
        if asked.by_checkpoint:
            ids = {token.text: token.id for token in tokens.tokens}
        else:
            ids = vocabulary_of(asked.kind, asked.corpus, size)
        for i, piece in enumerate(cut):
            unknown = piece == "[UNK]"
            text = word if unknown else piece
            made.append(Piece(text, ids[piece], unknown=unknown, continues=i > 0))
    return made


def _reached(steps: Sequence[Piece], history: History, size: int) -> int:
    """The place of the last step that a vocabulary of this size has reached."""
    places = [i for i, piece in enumerate(steps) if piece.starts_line]
    reached = [place for place, (least, _) in zip(places, history, strict=True) if least <= size]
    return reached[-1] if reached else 0


def _lines(tokens: Tokens, which: int) -> list[Series]:
    return [
        Series(
            name,
            SIZES,
            [count[which] for count in tokens.counts[kind]],
            "both",
            _LABELS,
            unwritten=True,
        )
        for kind, name in _SERIES.items()
    ]


def _plot(name: str, which: int, asked: Settings, tokens: Tokens, key: Hashable) -> PanelData:
    series = _lines(tokens, which)
    line = max(list(_SERIES).index(asked.kind) if asked.kind in _SERIES else 0, 0)
    pretrained = tokens.counts["minilm"][0][which]
    short = checkpoint(asked.checkpoint).short
    most = max(
        pretrained, *(max(count[which] for count in tokens.counts[kind]) for kind in _SERIES)
    )
    return plot_panel(
        name,
        series,
        key,
        (line, step_of(asked.size)),
        y={"most": 1.15 * max(most, 4)},
        marks=[
            {
                "axis": "y",
                "at": pretrained,
                "label": f"{short}'s {tokens.pretrained:,} entries: {pretrained}",
            }
        ],
    )


def step_of(size: int) -> int:
    """The place of the nearest of `SIZES`."""
    return min(range(len(SIZES)), key=lambda i: abs(SIZES[i] - size))


def summary(asked: Settings, tokens: Tokens, chosen: int, history: History) -> str:
    """The picture in words."""
    if asked.by_checkpoint:
        told = f"The tokenizer of {checkpoint(asked.checkpoint).short}"
    elif asked.kind == "minilm":
        told = "MiniLM's WordPiece"
    else:
        kind = "WordPiece" if asked.kind == "wordpiece" else "A vocabulary of whole words"
        told = f"{kind} trained on {CORPORA[asked.corpus]}"
    count, unknown = len(tokens.tokens), tokens.unknown
    if not count:
        return f"{told}, {tokens.entries:,} entries: this text has no words."
    missing = [quoted(_short(token.text)) for token in tokens.tokens if token.unknown]
    sentences = [
        f"{told}, {tokens.entries:,} entries: {_many(len(tokens.words), 'word')} as "
        f"{_many(count, 'token')}, {tokens.letters / count:.1f} characters a token.",
        f"{_many(unknown, 'token')} unknown: {', '.join(missing[:5])}{', …' * (unknown > 5)}."
        if unknown
        else "Nothing is unknown.",
    ]
    cut_here = asked.kind == "wordpiece" or asked.checkpoint == MINILM
    if (
        asked.kind != "words"
        and cut_here
        and any(len(word) > LONGEST_WORD for word in tokens.words)
    ):
        sentences.append(f"A word of more than {LONGEST_WORD} letters is unknown, as in BERT.")
    word = tokens.words[tokens.tokens[chosen].word]
    last = history[-1]
    sentences.append(f"With {last[0]:,} entries {quoted(_short(word))} is {_cut(last[1])}.")
    return " ".join(sentences)


def _short(word: str) -> str:
    return word if len(word) <= 40 else f"{word[:40]}…"


def _cut(pieces: Sequence[str]) -> str:
    return "unknown" if pieces == ("[UNK]",) else " ".join(pieces)


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def still(asked: Settings, tokens: Tokens, label: str) -> str:
    """The text in pieces and the tokens by size, as an SVG."""
    text, height = pieces(Box(10, 34, 800, 0), text_pieces(tokens))
    top = 34 + height + 46
    parts = [
        words(10, 20, "The text as tokens, each with its id", bold=True),
        text,
        words(10, top - 24, "Tokens by the size of the vocabulary", bold=True),
        plot(Box(50, top, 600, 150), _lines(tokens, 0), "entries", "tokens", log_x=True),
    ]
    return document(820, top + 200, label, parts)
