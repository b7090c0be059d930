"""A tokenizer of single characters, with the interface of `WordPiece`.

Source: none; every character of the text is one token.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from encoder_core.text.encodings import Batch, Encoding, encode_texts, pad_encodings, truncate

__all__ = ["CharacterTokenizer"]


class CharacterTokenizer:
    """Text to the ids of its characters and back, without loss for characters it knows.

    Args:
        characters: the known characters; their ids follow those of the special tokens, in order.

    Raises:
        ValueError: one of `characters` is not a single character, or is there twice.

    >>> tokenizer = CharacterTokenizer.from_texts(["a cab", "你好"])
    >>> encoding = tokenizer.encode("a 好z")
    >>> encoding.tokens
    ['[CLS]', 'a', ' ', '好', '[UNK]', '[SEP]']
    >>> encoding.offsets[1:4], tokenizer.decode(encoding.ids, skip_special=False)
    ([(0, 1), (1, 2), (2, 3)], '[CLS]a 好[UNK][SEP]')
    """

    specials: tuple[str, ...] = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")

    def __init__(self, characters: Iterable[str]) -> None:
        self.vocabulary = {token: number for number, token in enumerate(self.specials)}
        for character in characters:
            if len(character) != 1 or character in self.vocabulary:
                raise ValueError(f"Characters must be single and different, got {character!r}.")
            self.vocabulary[character] = len(self.vocabulary)
        self.tokens = {number: token for token, number in self.vocabulary.items()}
        self.padding, self.unknown, self.first, self.separator = self.specials[:4]

    @classmethod
    def from_texts(
        cls, texts: Iterable[str], size: int | None = None, min_count: int = 1
    ) -> CharacterTokenizer:
        """Make a tokenizer of the characters of texts, the most frequent first, ties by code point.

        `size` limits the vocabulary, special tokens included. Raises ValueError if it has no room for
        those.
        """
        if size is not None and size < len(cls.specials):
            raise ValueError(f"size={size} has no room for {len(cls.specials)} special tokens.")
        counts = Counter(character for text in texts for character in text)
        kept = sorted(c for c, count in counts.items() if count >= min_count)
        kept.sort(key=lambda character: -counts[character])
        return cls(kept if size is None else kept[: size - len(cls.specials)])

    def __len__(self) -> int:
        return len(self.vocabulary)

    def encode(self, text: str, pair: str | None = None, max_length: int | None = None) -> Encoding:
        """Encode a text, or a pair: `[CLS] text [SEP]`, then `pair [SEP]`.

        `max_length` counts the special tokens; see `encodings.truncate` for what is cut. Raises
        ValueError if it has no room for them.
        """
        parts = [list(enumerate(part)) for part in ([text] if pair is None else [text, pair])]
        if max_length is not None:
            truncate(parts, max_length - 1 - len(parts))
        tokens, type_ids, offsets = [self.first], [0], [(0, 0)]
        for number, part in enumerate(parts):
            tokens += [c if c in self.vocabulary else self.unknown for _, c in part]
            tokens.append(self.separator)
            offsets += [*((place, place + 1) for place, _ in part), (0, 0)]
            type_ids += [number] * (len(part) + 1)
        return Encoding([self.vocabulary[token] for token in tokens], tokens, type_ids, offsets)

    def batch(
        self,
        texts: Sequence[str],
        pairs: Sequence[str] | None = None,
        max_length: int | None = None,
    ) -> Batch:
        """Encode texts, or pairs, and pad them to the longest: tensors `(B, S)`.

        Raises ValueError if `texts` is a string or empty, or the number of `pairs` differs.
        """
        return self.pad(encode_texts(self.encode, texts, pairs, max_length))

    def pad(self, encodings: Sequence[Encoding]) -> Batch:
        """Pad encodings to the longest of them."""
        return pad_encodings(encodings, self.vocabulary[self.padding])

    def decode(self, ids: Iterable[int], skip_special: bool = True) -> str:
        """Turn ids into text. Raises KeyError for an id that is not in the vocabulary."""
        tokens = [self.tokens[int(number)] for number in ids]
        return "".join(t for t in tokens if not (skip_special and t in self.specials))
