"""WordPiece: split each word greedily into the longest pieces in the vocabulary.

Equal to the `tokenizers` library on vocabularies of the BERT family.

Sources: Schuster and Nakajima 2012, "Japanese and Korean Voice Search", section 3 (the model); Wu
et al. 2016, "Google's Neural Machine Translation System", section 4.1; Devlin et al. 2019, the
published code (greedy longest match, `##`).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from encoder_core.text.added_tokens import AddedToken, AddedTokens
from encoder_core.text.encodings import Batch, Encoding, encode_texts, pad_encodings, truncate
from encoder_core.text.spacing import join_as_written
from encoder_core.text.words import join_letters, normalise_text

__all__ = ["Batch", "Encoding", "WordPiece", "read_vocabulary", "wordpiece", "write_vocabulary"]

_MAX_LETTERS = 100  # longer words are unknown
_REMEMBERED = 200_000  # words in the cache, so that a long run does not fill the memory
_JOINED_LEFT = (".", "?", "!", ",")  # decode writes no space before these

Piece = tuple[str, int, int]  # the piece, its start and its end in the text


def wordpiece(word: str, vocabulary: Iterable[str], unknown: str = "[UNK]") -> list[str]:
    """Split a word into the longest pieces in the vocabulary, from left to right.

    Pieces that continue a word begin with `##`. Returns `[unknown]` if any part of the word is not in
    the vocabulary. Pass a dict or a set: the loop tests membership only.

    >>> wordpiece("unaffable", {"un", "##aff", "##able", "##a"})
    ['un', '##aff', '##able']
    """
    pieces: list[str] = []
    start = 0
    while start < len(word):
        prefix = "##" if start else ""
        for end in range(len(word), start, -1):
            if prefix + word[start:end] in vocabulary:
                break
        else:
            return [unknown]
        pieces.append(prefix + word[start:end])
        start = end
    return pieces


def read_vocabulary(path: Path | str) -> dict[str, int]:
    """Read a `vocab.txt`: one token per line; its id is the line number, from 0.

    Raises FileNotFoundError, or ValueError if the file is not UTF-8 or begins with a byte-order mark.
    """
    content = Path(path).read_bytes()
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 (byte {error.start}). Fetch it again.") from None
    if text.startswith("\ufeff"):
        raise ValueError(f"{path} begins with a byte-order mark. Save it as UTF-8 without.")
    lines = text.split("\n")
    tokens = [line.rstrip("\r") for line in (lines[:-1] if not lines[-1] else lines)]
    return {token: number for number, token in enumerate(tokens)}


def write_vocabulary(path: Path, vocabulary: dict[str, int]) -> None:
    """Write a `vocab.txt`, a token a line in the order of the ids; whole, or not at all."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    tokens = sorted(vocabulary, key=vocabulary.__getitem__)
    unfinished.write_text("".join(f"{token}\n" for token in tokens), encoding="utf-8")
    os.replace(unfinished, path)


class WordPiece:
    """A tokenizer of the BERT family: text to ids and back.

    Args:
        vocabulary: ids by token; it must have the first four of `specials`.
        lowercase: lower-case the text ("uncased" models).
        strip_accents: None for the value of `lowercase`.
        chinese: make each ideograph a word.
        specials: the tokens for padding, unknown words, the start, the separator and the mask. The
            mask may be missing from the vocabulary.
        added: added tokens; those not in the vocabulary get the next free ids. None for the
            `specials` that are in the vocabulary.

    Raises:
        ValueError: a special token is missing from the vocabulary, or the `number` of an added token
            differs from its id.

    >>> words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "play", "##ing", "you"]
    >>> tokenizer = WordPiece({word: i for i, word in enumerate(words)})
    >>> encoding = tokenizer.encode("You playing")
    >>> encoding.tokens
    ['[CLS]', 'you', 'play', '##ing', '[SEP]']
    >>> encoding.offsets[2:4], tokenizer.decode(encoding.ids)
    ([(4, 8), (8, 11)], 'you playing')
    """

    specials: tuple[str, ...] = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")

    def __init__(
        self,
        vocabulary: dict[str, int],
        *,
        lowercase: bool = True,
        strip_accents: bool | None = None,
        chinese: bool = True,
        specials: Sequence[str] = specials,
        added: Sequence[AddedToken] | None = None,
    ) -> None:
        self.specials = tuple(specials)
        for token in self.specials[:4]:
            if token not in vocabulary:
                raise ValueError(f"The vocabulary has no {token}, which every text needs.")
        self.padding, self.unknown, self.first, self.separator = self.specials[:4]
        self.lowercase, self.chinese = lowercase, chinese
        self.strip_accents = lowercase if strip_accents is None else strip_accents
        self._whole = dict(vocabulary)  # the pieces of words, without the added tokens
        known = [AddedToken(name) for name in self.specials if name in vocabulary]
        self.added = known if added is None else list(added)
        self.vocabulary = self._number_added()
        self.tokens = {number: token for token, number in self.vocabulary.items()}
        self._skipped = {token.content for token in self.added if token.special}
        written = [token for token in self.added if not token.normalized]
        cleaned = [token for token in self.added if token.normalized]
        self._written = AddedTokens(written, str)
        self._cleaned = AddedTokens(cleaned, self._normalise) if cleaned else None
        self._cut: dict[str, list[str]] = {}

    def _number_added(self) -> dict[str, int]:
        """Assign ids to the added tokens, in order."""
        numbers = dict(self._whole)
        largest = -1
        for token in self.added:
            number = numbers.setdefault(token.content, max(len(self._whole), largest + 1))
            largest = max(largest, number)
            if token.number not in (None, number):
                raise ValueError(
                    f"The added token {token.content!r} has number={token.number}, but its id in the "
                    f"vocabulary is {number}."
                )
        return numbers

    def _normalise(self, text: str) -> str:
        letters = normalise_text(text, self.lowercase, self.strip_accents, self.chinese)
        return "".join(letter for letter, _ in letters)

    @classmethod
    def from_vocabulary_file(
        cls, path: Path | str, *, lowercase: bool = True, strip_accents: bool | None = None
    ) -> WordPiece:
        """Make a tokenizer from a `vocab.txt`; see `read_vocabulary` for its errors."""
        numbered = read_vocabulary(path)
        return cls(numbered, lowercase=lowercase, strip_accents=strip_accents)

    def encode(self, text: str, pair: str | None = None, max_length: int | None = None) -> Encoding:
        """Encode a text as `[CLS] text [SEP]`, or a pair as `[CLS] text [SEP] pair [SEP]`.

        Added tokens in the text, such as `[MASK]`, become those tokens. `max_length` counts the special
        tokens too; of a pair the longer text is cut first. Raises ValueError if `max_length` leaves no
        room for the special tokens.

        >>> from encoder_core.pretrained.minilm import load_minilm
        >>> load_minilm()[1].encode("Two", "words", max_length=5).type_ids
        [0, 0, 0, 1, 1]
        """
        parts = [self._pieces(text)] + ([] if pair is None else [self._pieces(pair)])
        if max_length is not None:
            truncate(parts, max_length - len(parts) - 1)
        sequence: list[Piece] = [(self.first, 0, 0)]
        type_ids = [0]
        for segment, part in enumerate(parts):
            sequence += [*part, (self.separator, 0, 0)]
            type_ids += [segment] * (len(part) + 1)
        return Encoding(
            ids=[self.vocabulary[token] for token, _, _ in sequence],
            tokens=[token for token, _, _ in sequence],
            type_ids=type_ids,
            offsets=[(start, end) for _, start, end in sequence],
        )

    def _pieces(self, text: str) -> list[Piece]:
        """Split a text into pieces with their spans."""
        pieces: list[Piece] = []
        for token, start, stop in self._written.split(text):
            if token is not None:
                pieces.append((token.content, start, stop))
                continue
            letters = normalise_text(
                text[start:stop], self.lowercase, self.strip_accents, self.chinese
            )
            if self._cleaned is None:
                self._cut_words(letters, start, pieces)
            else:
                self._cut_around(self._cleaned, list(letters), start, pieces)
        return pieces

    def _cut_around(
        self, added: AddedTokens, letters: list[tuple[str, int]], offset: int, pieces: list[Piece]
    ) -> None:
        """Split normalised text at the added tokens that are matched there."""
        for token, start, stop in added.split("".join(letter for letter, _ in letters)):
            if token is None:
                self._cut_words(letters[start:stop], offset, pieces)
            else:
                begin, end = letters[start][1], letters[stop - 1][1] + 1
                pieces.append((token.content, offset + begin, offset + end))

    def _cut_words(
        self, letters: Iterable[tuple[str, int]], offset: int, pieces: list[Piece]
    ) -> None:
        """Append the pieces of each word, with their spans."""
        for word, places in join_letters(letters):
            cut = self._cut_word(word)
            begin = 0
            for piece in cut:
                length = len(piece.removeprefix("##")) if begin else len(piece)
                end = len(word) if cut == [self.unknown] else begin + length
                pieces.append((piece, offset + places[begin], offset + places[end - 1] + 1))
                begin = end

    def _cut_word(self, word: str) -> list[str]:
        """Split a word, from the cache where it has been seen before."""
        if word not in self._cut:
            if len(self._cut) >= _REMEMBERED:
                self._cut.clear()
            short = len(word) <= _MAX_LETTERS
            self._cut[word] = (
                wordpiece(word, self._whole, self.unknown) if short else [self.unknown]
            )
        return self._cut[word]

    def batch(
        self,
        texts: Sequence[str],
        pairs: Sequence[str] | None = None,
        max_length: int | None = None,
    ) -> Batch:
        """Encode texts, or pairs, and pad them to the longest: tensors `(B, S)`.

        Raises ValueError if `texts` is a string or empty, or the number of `pairs` differs.

        >>> from encoder_core.pretrained.minilm import load_minilm
        >>> load_minilm()[1].batch(["one", "two words"]).padding_mask
        tensor([[False, False, False,  True],
                [False, False, False, False]])
        """
        return self.pad(encode_texts(self.encode, texts, pairs, max_length))

    def pad(self, encodings: Sequence[Encoding]) -> Batch:
        """Pad encodings to the longest of them."""
        return pad_encodings(encodings, self.vocabulary[self.padding])

    def decode(
        self, ids: Iterable[int], skip_special: bool = True, as_written: bool = False
    ) -> str:
        """Turn ids into text. Capitals, accents and the original spacing are lost.

        A space stands between two words, but before `.`, `?`, `!` and `,`, as Hugging Face's tokenizers
        write it. With `as_written` none stands where people mostly write none: between ideographs,
        inside of 3.5 or don't, at brackets. Both split into the same words.

        Raises KeyError for an id that is not in the vocabulary.

        >>> from encoder_core.pretrained.minilm import load_minilm
        >>> tokenizer = load_minilm()[1]
        >>> tokenizer.decode([101, 2003, 2009, 1029, 102])
        'is it?'
        >>> ids = tokenizer.encode("It's 3.5 (not 4)!").ids
        >>> tokenizer.decode(ids), tokenizer.decode(ids, as_written=True)
        ("it ' s 3. 5 ( not 4 )!", "it's 3.5 (not 4)!")
        """
        tokens = [self.tokens[int(number)] for number in ids]
        kept = [token for token in tokens if not (skip_special and token in self._skipped)]
        if as_written:
            return join_as_written(_whole_words(kept))
        text = "".join(kept[:1])
        for token in kept[1:]:
            space = "" if token in _JOINED_LEFT or token.startswith("##") else " "
            text += space + token.removeprefix("##")
        return text


def _whole_words(tokens: Iterable[str]) -> list[str]:
    """Join the pieces of each word."""
    words: list[str] = []
    for token in tokens:
        if token.startswith("##") and words:
            words[-1] += token[2:]
        else:
            words.append(token)
    return words
