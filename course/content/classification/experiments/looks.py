"""Whether the word that a classifier looks at most is the one that its answer hangs on, over many texts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from encoder_core.inspect.recording import record
from encoder_core.text.tokenizer import WordPiece

__all__ = ["Agreement", "compare", "of_words"]

LONGEST = 64  # tokens of a text that are read


@dataclass(frozen=True)
class Agreement:
    """Of so many texts, in how many the blank that changes the answer's logit most is at a given word.

    Attributes:
        texts: how many were compared.
        by_attention: in how many it is the word with the most attention.
        by_length: in how many it is the longest word, the first of several.
        by_chance: in how many a word drawn at random would be it, on average.
        against: in how many the blank at the word with the most attention raises the answer's logit.
    """

    texts: int
    by_attention: int
    by_length: int
    by_chance: float
    against: int


@torch.no_grad()
def of_words(model: nn.Module, tokenizer: WordPiece, text: str) -> tuple[Tensor, Tensor]:
    """Return how each word's blank changes the answer's logit, and the attention that it gets, `(words,)` each.

    The answer is the class that the model gives the whole text. A word is what spaces separate; blanked, all
    of its pieces are `[MASK]`. Its attention is the mean over all layers, heads and queries, of all its pieces
    together. Words behind the first 64 tokens are left out.

    Args:
        model: ids `(B, S)` to logits `(B, C)`, with `encoder_core`'s attention, in eval mode.
        tokenizer: the model's, with a `[MASK]`.
        text: at least one word.
    """
    line = " ".join(text.split())
    encoding = tokenizer.encode(line, max_length=LONGEST)
    ids = torch.tensor(encoding.ids)  # (S,)
    places = [line.count(" ", 0, start) for start, _ in encoding.offsets]
    word = torch.tensor(
        [
            at if end > start else -1
            for at, (start, end) in zip(places, encoding.offsets, strict=True)
        ]
    )  # (S,): which word a piece belongs to; -1 for [CLS] and [SEP]
    pieces = word == torch.arange(int(word.max()) + 1)[:, None]  # (words, S)
    blanked = ids.masked_fill(pieces, tokenizer.vocabulary["[MASK]"])  # (words, S)
    with record(model) as recording:
        intact: Tensor = model(ids[None])[0]  # (C,)
    weights = torch.stack([layer[0] for layer in recording.attention])  # (layers, H, S, S)
    received = weights.mean(dim=(0, 1, 2))  # (S,): over layers, heads and queries
    label = intact.argmax()
    changes: Tensor = model(blanked)[:, label] - intact[label]  # (words,)
    return changes, pieces.to(received.dtype) @ received


def compare(model: nn.Module, tokenizer: WordPiece, texts: Iterable[str]) -> Agreement:
    """Blank each word of each text, and count which words the answers hang on. The model is in eval mode."""
    count = by_attention = by_length = against = 0
    by_chance = 0.0
    for text in texts:
        changes, received = of_words(model, tokenizer, text)
        lengths = torch.tensor([len(word) for word in text.split()][: len(changes)])
        most, looked_at = int(changes.abs().argmax()), int(received.argmax())
        count += 1
        by_attention += looked_at == most
        against += int(changes[looked_at] > 0)
        by_length += int(lengths.argmax()) == most
        by_chance += 1 / len(changes)
    return Agreement(count, by_attention, by_length, by_chance, against)
