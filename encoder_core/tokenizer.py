"""WordPiece: words cut into the longest pieces that the vocabulary has, from left to right.

The same as the `tokenizers` library's, on the vocabularies of the BERT family. Cutting a text into
words comes before and has a file of its own, `words.py`.

Sources: Schuster and Nakajima 2012, "Japanese and Korean Voice Search", section 3 (the model); Wu
et al. 2016, "Google's Neural Machine Translation System", section 4.1; Devlin et al. 2019, the code
published with it (greedy longest match, `##`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from encoder_core.encodings import Batch, Encoding, pad_encodings, truncate
from encoder_core.words import split_words

__all__ = ["Batch", "Encoding", "WordPiece", "wordpiece"]

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


class WordPiece:
    """A tokenizer of the BERT family: text to ids and back.

    Args:
        vocabulary: ids by token. It must have `[PAD]`, `[UNK]`, `[CLS]` and `[SEP]`.
        lowercase: whether capitals become small letters ("uncased" models).
        strip_accents: whether letters lose their accents; None does as `lowercase` does.

    Raises:
        ValueError: a special token is not in the vocabulary.

    Source: Devlin et al. 2019, section 3, and the code published with it.

    >>> words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "play", "##ing", "you"]
    >>> tokenizer = WordPiece({word: i for i, word in enumerate(words)})
    >>> encoding = tokenizer.encode("You playing")
    >>> encoding.tokens
    ['[CLS]', 'you', 'play', '##ing', '[SEP]']
    >>> encoding.offsets[2:4], tokenizer.decode(encoding.ids)
    ([(4, 8), (8, 11)], 'you playing')
    """

    specials = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")

    def __init__(
        self,
        vocabulary: dict[str, int],
        *,
        lowercase: bool = True,
        strip_accents: bool | None = None,
    ) -> None:
        for token in self.specials[:4]:
            if token not in vocabulary:
                raise ValueError(f"The vocabulary has no {token}, which every text needs.")
        self.vocabulary = dict(vocabulary)
        self.lowercase = lowercase
        self.strip_accents = lowercase if strip_accents is None else strip_accents
        self.tokens = {number: token for token, number in self.vocabulary.items()}
        known = [re.escape(token) for token in self.specials if token in vocabulary]
        self._special = re.compile(f"({'|'.join(known)})")
        self._cut: dict[str, list[str]] = {}

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
            ValueError: a special token is not in the file.

        >>> from encoder_core.pretrained import minilm_folder
        >>> len(WordPiece.from_vocabulary_file(minilm_folder() / "vocab.txt").vocabulary)
        30522
        """
        lines = Path(path).read_text(encoding="utf-8").split("\n")
        tokens = [line.rstrip("\r") for line in (lines[:-1] if not lines[-1] else lines)]
        numbered = {token: number for number, token in enumerate(tokens)}
        return cls(numbered, lowercase=lowercase, strip_accents=strip_accents)

    def encode(self, text: str, pair: str | None = None, max_length: int | None = None) -> Encoding:
        """Turn a text, or a pair of texts, into what an encoder reads.

        Args:
            text: any text. Special tokens written in it, such as `[MASK]`, are those tokens.
            pair: a second text, segment 1.
            max_length: cut to so many tokens, special ones included; of a pair the longer text is
                cut first.

        Returns:
            `[CLS] text [SEP]` or `[CLS] text [SEP] pair [SEP]`.

        Raises:
            ValueError: `max_length` has no room for the special tokens.

        Source: Devlin et al. 2019, section 3 and figure 2.

        >>> from encoder_core.pretrained import load_minilm
        >>> load_minilm()[1].encode("Two", "words", max_length=5).type_ids
        [0, 0, 0, 1, 1]
        """
        parts = [self._pieces(text)] + ([] if pair is None else [self._pieces(pair)])
        if max_length is not None:
            truncate(parts, max_length - len(parts) - 1)
        sequence: list[Piece] = [("[CLS]", 0, 0)]
        type_ids = [0]
        for segment, part in enumerate(parts):
            sequence += [*part, ("[SEP]", 0, 0)]
            type_ids += [segment] * (len(part) + 1)
        return Encoding(
            ids=[self.vocabulary[token] for token, _, _ in sequence],
            tokens=[token for token, _, _ in sequence],
            type_ids=type_ids,
            offsets=[(start, end) for _, start, end in sequence],
        )

    def _pieces(self, text: str) -> list[Piece]:
        """Cut a text into pieces with their places, special tokens apart from the rest."""
        pieces: list[Piece] = []
        offset = 0
        for part in self._special.split(text):
            if self._special.fullmatch(part):
                pieces.append((part, offset, offset + len(part)))
            else:
                for word, places in split_words(part, self.lowercase, self.strip_accents):
                    begin = 0
                    for piece in self._cut_word(word):
                        length = len(piece.removeprefix("##")) if begin else len(piece)
                        end = len(word) if piece == "[UNK]" else begin + length
                        pieces.append((piece, offset + places[begin], offset + places[end - 1] + 1))
                        begin = end
            offset += len(part)
        return pieces

    def _cut_word(self, word: str) -> list[str]:
        """Cut a word, and remember how: most words come again."""
        if word not in self._cut:
            if len(self._cut) >= _REMEMBERED:
                self._cut.clear()
            whole = len(word) <= _MAX_LETTERS
            self._cut[word] = wordpiece(word, self.vocabulary) if whole else ["[UNK]"]
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

        >>> from encoder_core.pretrained import load_minilm
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
        return pad_encodings(encodings, self.vocabulary["[PAD]"])

    def decode(self, ids: Iterable[int], skip_special: bool = True) -> str:
        """Turn ids back into text, as far as that goes: capitals, accents and spaces are lost.

        Args:
            ids: token ids.
            skip_special: whether special tokens are left out.

        Returns:
            The text.

        Raises:
            KeyError: an id that the vocabulary does not have.

        >>> from encoder_core.pretrained import load_minilm
        >>> load_minilm()[1].decode([101, 2003, 2009, 1029, 102])
        'is it?'
        """
        tokens = [self.tokens[int(number)] for number in ids]
        kept = [token for token in tokens if not (skip_special and token in self.specials)]
        text = "".join(kept[:1])
        for token in kept[1:]:
            space = "" if token in _JOINED_LEFT or token.startswith("##") else " "
            text += space + token.removeprefix("##")
        return text
