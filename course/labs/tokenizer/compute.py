"""From a text and a vocabulary to tokens, and to how many they would be at other sizes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from course.labs.checkpoints import MINILM, checkpoint
from course.labs.own_functions import (
    InvalidSetting,
    Own,
    OwnFailed,
    call_own,
    check_one_of,
    check_whole,
)
from course.labs.tokenizer.vocabularies import (
    LARGEST,
    beginning,
    corpora,
    pretrained,
    trained,
    words_of,
)
from encoder_core.text.tokenizer import wordpiece
from encoder_core.text.words import split_words

TRAINED_HERE = ("wordpiece", "words")
KINDS = (*TRAINED_HERE, "minilm")
SIZES = (50, 70, 100, 140, 200, 280, 400, 560, 800, 1100, 1600, 2200, 3100, 4000)
LONGEST = 1000  # characters of the text
LONGEST_WORD = 100  # letters; longer words are unknown, as in BERT's tokenizer
_REMEMBERED = 50_000


@dataclass(frozen=True)
class Settings:
    """What is set in the tokenizer lab.

    Attributes:
        text: the text.
        kind: `"wordpiece"` or `"words"`, trained here, or `"minilm"`, MiniLM's own WordPiece, or
            the tokenizer of the checkpoint in its place.
        size: entries of the vocabulary, special tokens included; MiniLM's has its own.
        corpus: the text that the vocabulary is trained on.
        checkpoint: a pretrained encoder whose tokenizer takes the place of MiniLM's.
    """

    text: str
    kind: str = "wordpiece"
    size: int = 800
    corpus: str = "english"
    checkpoint: str = MINILM

    @property
    def by_checkpoint(self) -> bool:
        """Whether another encoder's tokenizer cuts the text, in the place of MiniLM's."""
        return self.kind == "minilm" and self.checkpoint != MINILM


@dataclass(frozen=True)
class Selection:
    """Which of the text's pieces is looked at, from 0."""

    piece: int = 0


@dataclass(frozen=True)
class Token:
    """A piece of the text: as written in the vocabulary, its id, and the word that it is of."""

    text: str
    id: int
    word: int
    unknown: bool


@dataclass(frozen=True)
class Tokens:
    """What the lab draws.

    Attributes:
        words: the text's words, as they were looked up.
        tokens: its pieces; an unknown word is one piece, with the word as its text.
        counts: by kind, for each of its sizes (`SIZES`; MiniLM has one), the tokens and the
            unknown ones among them that there would be.
        pretrained: how many entries the pretrained tokenizer has.
        entries: the vocabulary's entries.
        letters: of the text, without spaces.
    """

    words: tuple[str, ...]
    tokens: tuple[Token, ...]
    counts: Mapping[str, tuple[tuple[int, int], ...]]
    entries: int
    letters: int
    pretrained: int

    @property
    def unknown(self) -> int:
        """How many words are unknown."""
        return sum(token.unknown for token in self.tokens)


def check_settings(asked: Settings) -> None:
    """Say in a sentence what cannot be.

    Raises:
        InvalidSetting: the first setting that cannot be.
    """
    if not isinstance(asked.text, str):
        raise InvalidSetting("The text must be text.")
    if not asked.text.strip():
        raise InvalidSetting("There is no text: type something, and the picture follows.")
    if len(asked.text) > LONGEST:
        raise InvalidSetting(
            f"The text has {len(asked.text):,} characters; the lab shows at most {LONGEST:,}."
        )
    check_one_of(asked.kind, KINDS, "The kind")
    check_one_of(asked.corpus, tuple(corpora()), "The corpus")
    check_whole(asked, {"size": (SIZES[0], LARGEST, "The vocabulary's size")})


class Cutter:
    """Cuts words, and remembers how: while one types, all words but one stay as they are."""

    def __init__(self, own: Callable[..., object] | None = None) -> None:
        self._own = own
        self._cut: dict[tuple[str, str, str, int], tuple[str, ...]] = {}
        self._sets: dict[tuple[str, str, int], set[str]] = {}

    def cut(self, word: str, kind: str, corpus: str, size: int) -> tuple[str, ...]:
        """The pieces of a word, `("[UNK]",)` where it is unknown.

        Raises:
            OwnFailed: the learner's function raised, or returned no list of pieces.
        """
        if kind == "minilm":
            corpus, size = "", 0  # it has one vocabulary, whatever is set
        if kind != "words" and len(word) > LONGEST_WORD:
            return ("[UNK]",)
        place = (word, kind, corpus, size)
        if place not in self._cut:
            if len(self._cut) > _REMEMBERED:
                self._cut.clear()
            vocabulary = vocabulary_of(kind, corpus, size)
            if kind == "words":
                self._cut[place] = (word,) if word in vocabulary else ("[UNK]",)
            elif self._own is None:
                self._cut[place] = tuple(wordpiece(word, vocabulary))
            else:
                known = self._sets.setdefault((kind, corpus, size), set(vocabulary))
                self._cut[place] = self._ask(word, known)
        return self._cut[place]

    def _ask(self, word: str, known: set[str]) -> tuple[str, ...]:
        """The learner's pieces."""
        assert self._own is not None
        made = call_own("wordpiece", self._own, word, known)
        if not isinstance(made, list | tuple) or not all(isinstance(each, str) for each in made):
            raise OwnFailed(
                f"Your wordpiece returned {made!r:.80} for {word!r}; expected a list of texts."
            )
        foreign = [piece for piece in made if piece not in known]
        if foreign or not made:
            what = (
                f"the piece {foreign[0]!r}, which the vocabulary does not have"
                if foreign
                else "no piece"
            )
            raise OwnFailed(f"Your wordpiece returned {what}, for {word!r}.")
        return tuple(made)


def vocabulary_of(kind: str, corpus: str, size: int) -> dict[str, int]:
    """Ids by token."""
    if kind == "minilm":
        return beginning(pretrained(), len(pretrained()))
    return beginning(trained(corpus, size) if kind == "wordpiece" else words_of(corpus), size)


def words_in(text: str, kind: str) -> tuple[str, ...]:
    r"""The words that are looked up: `\w+` for whole words, BERT's for pieces."""
    if kind == "words":
        return tuple(re.findall(r"\w+", text.lower()))
    return tuple(word.text for word in split_words(text))


def compute(asked: Settings, cutter: Cutter) -> Tokens:
    """Cut the text.

    Raises:
        InvalidSetting: the settings cannot be.
        OwnFailed: the learner's function failed.

    >>> [token.text for token in compute(Settings("the 雪", "words", 100), Cutter()).tokens]
    ['the', '雪']
    """
    check_settings(asked)
    entries = size_of_pretrained(asked.checkpoint)
    kinds = KINDS if asked.checkpoint == MINILM else TRAINED_HERE
    counts = {kind: _counts(asked.text, kind, asked.corpus, cutter) for kind in kinds}
    if asked.checkpoint != MINILM:
        its_tokens = cut_by_checkpoint(asked.text, asked.checkpoint)[1]
        counts["minilm"] = ((len(its_tokens), sum(token.unknown for token in its_tokens)),)
    words, tokens = (
        cut_by_checkpoint(asked.text, asked.checkpoint)
        if asked.by_checkpoint
        else _cut_here(asked, cutter)
    )
    here = asked.kind != "minilm"
    return Tokens(
        words=words,
        tokens=tokens,
        counts=counts,
        entries=len(vocabulary_of(asked.kind, asked.corpus, asked.size)) if here else entries,
        letters=sum(not letter.isspace() for letter in asked.text),
        pretrained=entries,
    )


def _cut_here(asked: Settings, cutter: Cutter) -> tuple[tuple[str, ...], tuple[Token, ...]]:
    """Cut the text's words one by one, with a vocabulary trained here or with MiniLM's."""
    words = words_in(asked.text, asked.kind)
    vocabulary = vocabulary_of(asked.kind, asked.corpus, asked.size)
    tokens = []
    for number, word in enumerate(words):
        for piece in cutter.cut(word, asked.kind, asked.corpus, asked.size):
            unknown = piece == "[UNK]"
            shown = word if unknown else piece
            tokens.append(Token(shown, vocabulary[piece], number, unknown))
    return words, tuple(tokens)


def size_of_pretrained(source: str) -> int:
    """How many entries a pretrained tokenizer has."""
    return len(checkpoint(source).vocabulary)


@lru_cache(maxsize=4)
def cut_by_checkpoint(text: str, source: str) -> tuple[tuple[str, ...], tuple[Token, ...]]:
    """Cut a text as a checkpoint's tokenizer does, special tokens left out.

    A word begins after white space, and at every sign that is no letter or digit.
    """
    one = checkpoint(source)
    encoding = one.encode(text)
    unknown = {one.vocabulary.get(name) for name in ("[UNK]", "<unk>")}
    words: list[str] = []
    tokens: list[Token] = []
    end_before = -1
    for id_, label, (start, end) in zip(
        encoding.ids, encoding.tokens, encoding.offsets, strict=True
    ):
        if end == start:
            continue
        part = text[start:end]
        start += len(part) - len(part.lstrip())  # a token of bytes has the space before it
        joined = text[start - 1 : start + 1] if start else ""
        continues = start <= end_before and all(letter.isalnum() for letter in joined) and joined
        if continues or (tokens and start < end_before):  # or a part of one letter
            words[-1] += text[end_before:end]
        else:
            words.append(part.strip())
        end_before = max(end, end_before)
        shown = part.strip() if id_ in unknown else label
        tokens.append(Token(shown, id_, len(words) - 1, id_ in unknown))
    return tuple(words), tuple(tokens)


def _counts(text: str, kind: str, corpus: str, cutter: Cutter) -> tuple[tuple[int, int], ...]:
    """Tokens, and unknown ones, at each size."""
    words = words_in(text, kind)
    sizes = SIZES if kind != "minilm" else SIZES[:1]
    cuts = ([cutter.cut(word, kind, corpus, size) for word in words] for size in sizes)
    return tuple((sum(map(len, cut)), cut.count(("[UNK]",))) for cut in cuts)


def history(word: str, asked: Settings, cutter: Cutter) -> list[tuple[int, tuple[str, ...]]]:
    """How a word is cut at growing sizes: the sizes at which its pieces change, and those."""
    if asked.kind == "minilm":
        return [(len(pretrained()), cutter.cut(word, "minilm", asked.corpus, asked.size))]
    steps: list[tuple[int, tuple[str, ...]]] = []
    for size in SIZES:
        pieces = cutter.cut(word, asked.kind, asked.corpus, size)
        if not steps or steps[-1][1] != pieces:
            steps.append((size, pieces))
    return steps


def cutter_of(own: Own) -> Cutter:
    """A cutter with the learner's function, where there is one."""
    return Cutter(own.get("wordpiece"))
