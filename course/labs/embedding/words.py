"""The words whose vectors are compared, those that are on the map, and the analogies to try."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from torch import Tensor

from course.labs.checkpoints import MINILM, checkpoint
from course.labs.faults import InvalidSetting

COUNT = 12_000  # words that neighbours are sought among, the first of the vocabulary
FEWEST = 1_000
_BEGINS = ("Ġ", "▁")  # how a vocabulary of bytes or of pieces marks the beginning of a word

GROUPS = {
    "people": (
        "man woman boy girl king queen prince princess father mother son daughter brother sister "
        "uncle aunt husband wife actor actress waiter waitress doctor nurse teacher student "
        "lawyer soldier"
    ),
    "places": (
        "france paris germany berlin italy rome spain madrid england london japan tokyo china "
        "beijing russia moscow egypt cairo greece athens austria vienna french german italian "
        "spanish english japanese chinese russian greek"
    ),
    "verbs": (
        "walk walked walking jump jumped jumping run ran running swim swam swimming go went going "
        "see saw seeing eat ate eating write wrote writing think thought thinking sing sang singing"
    ),
    "animals and tools": (
        "dog dogs cat cats horse horses cow pig sheep bird birds fish lion tiger bear wolf mouse "
        "mice hammer saw knife axe drill shovel needle rope ladder engine wheel car bus train ship"
    ),
    "numbers and time": (
        "one two three four five six seven eight nine ten first second third monday tuesday "
        "wednesday thursday friday saturday sunday january february march april may june july "
        "year month week day hour minute"
    ),
}


@dataclass(frozen=True)
class Analogy:
    """`a` is to `b` as `expected` is to `c`: a - b + c should come near `expected`."""

    a: str
    b: str
    c: str
    expected: str

    def __str__(self) -> str:
        return f"{self.a} − {self.b} + {self.c} = {self.expected}"


ANALOGIES = tuple(
    Analogy(*line.split())
    for line in (
        "king man woman queen",
        "actor man woman actress",
        "uncle man woman aunt",
        "prince boy girl princess",
        "his he she her",
        "doctor man woman nurse",
        "father son daughter mother",
        "paris france germany berlin",
        "rome italy spain madrid",
        "german germany france french",
        "walked walk jump jumped",
        "swimming swim run running",
        "went go see saw",
        "bigger big small smaller",
        "best good bad worst",
        "dogs dog cat cats",
        "mice mouse house houses",
        "quickly quick happy happily",
    )
)


@dataclass(frozen=True)
class Table:
    """Words and their vectors `(V, D)`, as an encoder's token table has them."""

    words: tuple[str, ...]
    vectors: Tensor
    places: Mapping[str, int]

    def place(self, word: str) -> int | None:
        """Where a word stands among them."""
        return self.places.get(word)


@lru_cache(maxsize=2)
def _all_words(source: str) -> tuple[dict[str, int], Tensor]:
    """The id of each whole word of English letters, in lower case, and the table of all tokens.

    A vocabulary that has a word in both cases has two vectors for it; the one in lower case is taken.
    """
    one = checkpoint(source)
    marked = any(token.startswith(_BEGINS) for token in one.vocabulary)
    found: dict[str, int] = {}
    for token, number in one.vocabulary.items():
        word = token[1:] if marked and token.startswith(_BEGINS) else token
        whole = token.startswith(_BEGINS) if marked else True
        if whole and word.isascii() and word.isalpha() and len(word) > 1:
            if word.islower():
                found[word] = number
            else:
                found.setdefault(word.lower(), number)
    weight: Tensor = one.model.embeddings.token.weight.detach()
    return found, weight


@lru_cache(maxsize=2)
def table(source: str = MINILM) -> Table:
    """The words that neighbours are sought among: the first, and those that this lab names.

    Raises:
        InvalidSetting: the vocabulary has too few English words.
    """
    ids, weight = _all_words(source)
    if len(ids) < FEWEST:
        raise InvalidSetting(
            f"The vocabulary of {checkpoint(source).short} has {len(ids)} whole English words; this "
            f"lab needs at least {FEWEST}."
        )
    named = {word for words in GROUPS.values() for word in words.split()}
    named |= {word for each in ANALOGIES for word in (each.a, each.b, each.c, each.expected)}
    first = sorted(ids, key=ids.__getitem__)[:COUNT]
    words = (*first, *sorted(named & set(ids) - set(first)))
    places = {word: i for i, word in enumerate(words)}
    return Table(words, weight[[ids[word] for word in words]].clone(), places)


def vector(word: str, source: str = MINILM) -> Tensor | None:
    """A word's vector `(D,)`, of any whole word of the vocabulary; None where it is none."""
    ids, weight = _all_words(source)
    return weight[ids[word]] if word in ids else None


def pieces(word: str, source: str = MINILM) -> list[str]:
    """How the encoder's tokenizer cuts a word."""
    encoding = checkpoint(source).encode(word)
    pairs = zip(encoding.tokens, encoding.offsets, strict=True)
    return [token for token, (start, end) in pairs if end > start]


@lru_cache(maxsize=8)
def group(name: str, source: str = MINILM) -> tuple[str, ...]:
    """The words of a group that the vocabulary has, each once."""
    known = table(source).places
    return tuple(word for word in dict.fromkeys(GROUPS[name].split()) if word in known)


@lru_cache(maxsize=2)
def analogies(source: str = MINILM) -> tuple[Analogy, ...]:
    """Those of `ANALOGIES` whose words the vocabulary has; all of them, for MiniLM."""
    known = table(source).places
    return tuple(
        each for each in ANALOGIES if {each.a, each.b, each.c, each.expected} <= known.keys()
    )
