"""The tokenizer lab's controls and panels, declared; the front end draws them."""

from __future__ import annotations

from typing import Any

from course.labs.checkpoints import MINILM, checkpoint
from course.labs.tokenizer.compute import LONGEST, SIZES
from course.labs.tokenizer.vocabularies import corpora

EXAMPLES = (
    "Tokenization splits unknown words into known pieces.",
    "def tokenize(text): return text.lower().split()",
    "Der Künstler trank in Zürich einen Café crème.",
    "我喜欢学习语言。 我打开一个新的文件。",
    "antidisestablishmentarianism, hippopotamus, pneumonia, zzzz",
    "The cat sat on the mat, and the cats sit on mats.",
)
KINDS = [["words", "whole words"], ["wordpiece", "WordPiece, trained here"]]
CORPORA = {
    "english": "Python's documentation",
    "chinese too": "the same and Jupyter's Chinese menus",
}
TRAINED = {"kind": ["words", "wordpiece"]}


def form(source: str = MINILM) -> dict[str, Any]:
    """The whole form, as JSON, with the tokenizer of the encoder at a source."""
    return {
        "lab": "tokenizer",
        "title": "Tokenizer lab",
        "groups": [_text(), _vocabulary(source)],
        "panels": [_pieces(), _history(), _counts(), _unknown()],
    }


def _text() -> dict[str, Any]:
    choices = [["", "choose one"], *([text, text] for text in EXAMPLES)]
    text = {"name": "text", "kind": "text", "label": "Text", "longest": LONGEST, "main": True}
    example = {"name": "example", "kind": "select", "label": "Examples", "choices": choices}
    return {"label": "Text", "wide": True, "controls": [text, example]}


def _vocabulary(source: str) -> dict[str, Any]:
    one = checkpoint(source)
    what = "WordPiece" if source == MINILM else "the tokenizer"
    kinds = [*KINDS, ["minilm", f"{what} of {one.short} ({len(one.vocabulary):,})"]]
    controls = [
        {"name": "kind", "kind": "select", "label": "Vocabulary of", "choices": kinds},
        {
            "name": "step",
            "sets": "size",
            "kind": "range",
            "label": "Entries",
            "least": 0,
            "most": len(SIZES) - 1,
            "step": 1,
            "shows": [f"{size:,}" for size in SIZES],
            "show": TRAINED,
        },
        {
            "name": "corpus",
            "more": True,
            "kind": "select",
            "label": "Trained on",
            "choices": [[name, CORPORA[name]] for name in corpora()],
            "show": TRAINED,
        },
    ]
    return {"label": "Vocabulary", "controls": controls}


def _pieces() -> dict[str, Any]:
    return {
        "name": "pieces",
        "kind": "tokens",
        "column": 0,
        "label": "The text as tokens, each with its id",
        "number": "id",
        "tells": "token {i}: “{piece}”, id {value}",
        "chooses": "piece",
        "help": (
            "Arrow keys or a click choose a token. “##” marks a piece that continues a word; the "
            "pieces of one word touch and share a colour."
        ),
    }


def _history() -> dict[str, Any]:
    return {
        "name": "history",
        "kind": "tokens",
        "column": 0,
        "label": "The chosen word as the vocabulary grows",
        "number": "id",
        "tells": "“{piece}” {value}",
        "key": "dashed: from how many entries on the word is cut so; framed: now · hatched: unknown",
    }


def _counts() -> dict[str, Any]:
    return _plot(
        "counts",
        "Tokens that this text takes, by the size of the vocabulary",
        "tokens",
        "More entries, fewer tokens: a longer table for a shorter text. (An unknown word is one "
        "token, so a tiny vocabulary has few.) A point chooses its size.",
    )


def _unknown() -> dict[str, Any]:
    unknown = _plot(
        "unknown",
        "Of those unknown",
        "unknown tokens",
        "What is unknown is lost: the model sees [UNK] whatever was written.",
    )
    return {**unknown, "more": True}


def _plot(name: str, label: str, counted: str, told: str) -> dict[str, Any]:
    return {
        "name": name,
        "kind": "plot",
        "column": 1,
        "label": label,
        "x": {"label": "entries", "log": True},
        "y": {"label": counted, "whole": True, "least": 0},
        "height": 150,
        "tells": f"{{series}}, {{x}} entries: {{y}} {counted}",
        "sends": "point",
        "help": told,
    }
