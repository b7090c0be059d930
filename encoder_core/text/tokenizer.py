"""WordPiece: words cut into the longest pieces that the vocabulary has, from left to right.

The same as the `tokenizers` library's, on the vocabularies of the BERT family. Cutting a text into
words comes before and has a file of its own, `words.py`.

Sources: Schuster and Nakajima 2012, "Japanese and Korean Voice Search", section 3 (the model); Wu
et al. 2016, "Google's Neural Machine Translation System", section 4.1; Devlin et al. 2019, the code
published with it (greedy longest match, `##`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from encoder_core.text.added_tokens import AddedToken, AddedTokens
from encoder_core.text.encodings import Batch, Encoding, pad_encodings, truncate
from encoder_core.text.words import join_letters, normalise_text

__all__ = ["Batch", "Encoding", "WordPiece", "read_vocabulary", "wordpiece"]

_MAX_LETTERS = 100  # a longer word is not cut, but unknown
_REMEMBERED = 200_000  # words, so that a long run does not fill the memory
_JOINED_LEFT = (".", "?", "!", ",")  # decode writes no space before these

Piece = tuple[str, int, int]  # the piece, and where it begins and ends in the text


def wordpiece(word: str, vocabulary: Iterable[str], unknown: str = "[UNK]") -> list[str]:
    """Cut a word into pieces: always the longest that the vocabulary has.

    Args:
        word: the word, not empty.
        vocabulary: the pieces, best as a dict or set; those that continue a word begin with `##`.
        unknown: what a word becomes that cannot be cut.

    Returns:
        The pieces, or `[unknown]` where some part of the word is not in the vocabulary.

    Source: Devlin et al. 2019, the code published with it (`WordpieceTokenizer.tokenize`).

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
    """Read a `vocab.txt`: one token a line, its id is the number of the line, from 0.

    Args:
        path: the file, in UTF-8.

    Returns:
        Ids by token.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not UTF-8, or begins with a byte-order mark.

    >>> from encoder_core.pretrained.minilm import minilm_folder
    >>> read_vocabulary(minilm_folder() / "vocab.txt")["[CLS]"]
    101
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


class WordPiece:
    """A tokenizer of the BERT family: text to ids and back.

    Args:
        vocabulary: ids by token. It must have the first four of `specials`.
        lowercase: whether capitals become small letters ("uncased" models).
        strip_accents: whether letters lose their accents; None does as `lowercase` does.
        chinese: whether each ideograph is a word.
        specials: what the tokens of padding, of unknown words, of the beginning, of the end and
            of blanks are called; the last may be missing from the vocabulary.
        added: texts that are one token each; one that is not in the vocabulary gets the next id.
            None is those of `specials` that the vocabulary has.

    Raises:
        ValueError: a special token is not in the vocabulary, or an added one has an id that is
            not its own.

    Source: Devlin et al. 2019, section 3, and the code published with it.

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
        self._whole = dict(vocabulary)  # what words are cut with
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
        """Give added tokens their ids."""
        numbers = dict(self._whole)
        largest = -1
        for token in self.added:
            number = numbers.setdefault(token.content, max(len(self._whole), largest + 1))
            largest = max(largest, number)
            if token.number not in (None, number):
                raise ValueError(
                    f"The added token {token.content!r} is said to have the id {token.number}, but "
                    f"by the vocabulary and those before it has {number}."
                )
        return numbers

    def _normalise(self, text: str) -> str:
        letters = normalise_text(text, self.lowercase, self.strip_accents, self.chinese)
        return "".join(letter for letter, _ in letters)

    @classmethod
    def from_vocabulary_file(
        cls, path: Path | str, *, lowercase: bool = True, strip_accents: bool | None = None
    ) -> WordPiece:
        """Read a `vocab.txt`: one token a line, its id is the number of the line, from 0.

        Args:
            path: the file, in UTF-8.
            lowercase: see the class.
            strip_accents: see the class.

        Returns:
            The tokenizer.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: a special token is not in the file, or it is not UTF-8.

        >>> from encoder_core.pretrained.minilm import minilm_folder
        >>> len(WordPiece.from_vocabulary_file(minilm_folder() / "vocab.txt").vocabulary)
        30522
        """
        numbered = read_vocabulary(path)
        return cls(numbered, lowercase=lowercase, strip_accents=strip_accents)

    def encode(self, text: str, pair: str | None = None, max_length: int | None = None) -> Encoding:
        """Turn a text, or a pair of texts, into what an encoder reads.

        Args:
            text: any text. Added tokens written in it, such as `[MASK]`, are those tokens.
            pair: a second text, segment 1.
            max_length: cut to so many tokens, special ones included; of a pair the longer text is
                cut first.

        Returns:
            `[CLS] text [SEP]` or `[CLS] text [SEP] pair [SEP]`.

        Raises:
            ValueError: `max_length` has no room for the special tokens.

        Source: Devlin et al. 2019, section 3 and figure 2.

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
        """Cut a text into pieces with their places, added tokens apart from the rest."""
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
        """Cut normalised text into pieces, added tokens apart from the rest."""
        for token, start, stop in added.split("".join(letter for letter, _ in letters)):
            if token is None:
                self._cut_words(letters[start:stop], offset, pieces)
            else:
                begin, end = letters[start][1], letters[stop - 1][1] + 1
                pieces.append((token.content, offset + begin, offset + end))

    def _cut_words(
        self, letters: Iterable[tuple[str, int]], offset: int, pieces: list[Piece]
    ) -> None:
        """Cut words into pieces, and append these with their places."""
        for word, places in join_letters(letters):
            cut = self._cut_word(word)
            begin = 0
            for piece in cut:
                length = len(piece.removeprefix("##")) if begin else len(piece)
                end = len(word) if cut == [self.unknown] else begin + length
                pieces.append((piece, offset + places[begin], offset + places[end - 1] + 1))
                begin = end

    def _cut_word(self, word: str) -> list[str]:
        """Cut a word, and remember how: most words come again."""
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
        """Encode N texts, or N pairs, and pad them to the longest.

        Args:
            texts: N texts.
            pairs: N second texts, or None.
            max_length: see `encode`.

        Returns:
            Tensors of shape `(N, S)`.

        Raises:
            ValueError: one text in place of a list; not as many pairs as texts.

        >>> from encoder_core.pretrained.minilm import load_minilm
        >>> load_minilm()[1].batch(["one", "two words"]).padding_mask
        tensor([[False, False, False,  True],
                [False, False, False, False]])
        """
        if isinstance(texts, str):  # a text is a sequence of texts too, of one letter each
            raise ValueError("batch takes a list of texts, and one text came: pass [text].")
        if pairs is not None and len(pairs) != len(texts):
            raise ValueError(f"{len(texts)} texts came with {len(pairs)} second texts.")
        seconds = [None] * len(texts) if pairs is None else list(pairs)
        both = zip(texts, seconds, strict=True)
        return self.pad([self.encode(text, pair, max_length) for text, pair in both])

    def pad(self, encodings: Sequence[Encoding]) -> Batch:
        """Pad encodings to the longest of them; see `encodings.pad_encodings`."""
        return pad_encodings(encodings, self.vocabulary[self.padding])

    def decode(self, ids: Iterable[int], skip_special: bool = True) -> str:
        """Turn ids back into text, as far as that goes: capitals, accents and spaces are lost.

        Args:
            ids: token ids.
            skip_special: whether special tokens are left out.

        Returns:
            The text.

        Raises:
            KeyError: an id that the vocabulary does not have.

        >>> from encoder_core.pretrained.minilm import load_minilm
        >>> load_minilm()[1].decode([101, 2003, 2009, 1029, 102])
        'is it?'
        """
        tokens = [self.tokens[int(number)] for number in ids]
        kept = [token for token in tokens if not (skip_special and token in self._skipped)]
        text = "".join(kept[:1])
        for token in kept[1:]:
            space = "" if token in _JOINED_LEFT or token.startswith("##") else " "
            text += space + token.removeprefix("##")
        return text
