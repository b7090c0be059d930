"""A passage: a piece of documentation, short enough for one vector to stand for it."""

from __future__ import annotations

from dataclasses import dataclass

MOST_WORDS = 100  # about 150 tokens: one thought, and well within what MiniLM reads


@dataclass(frozen=True)
class Passage:
    """One passage: where it stands, as `help()` names it, and its text."""

    title: str
    text: str

    @property
    def embedded(self) -> str:
        """What the encoder is given: a docstring alone seldom says which function it is about."""
        return f"{self.title}: {' '.join(self.text.split())}"


def cut(paragraphs: list[str], most: int = MOST_WORDS) -> list[str]:
    r"""Join neighbouring paragraphs as long as they are together at most `most` words long.

    >>> cut(["one two", "three", "four five six"], most=3)
    ['one two\n\nthree', 'four five six']
    """
    pieces: list[str] = []
    length = most
    for paragraph in paragraphs:
        words = len(paragraph.split())
        if pieces and length + words <= most:
            pieces[-1] += "\n\n" + paragraph
            length += words
        else:
            pieces.append(paragraph)
            length = words
    return pieces
