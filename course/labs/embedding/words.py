"""The words whose vectors are compared, those that are on the map, and the analogies to try."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from torch import Tensor

from encoder_core.pretrained.minilm import load_minilm

COUNT = 12_000  # words that neighbours are sought among, the first of MiniLM's vocabulary

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
    """Words and their vectors `(V, D)`, as MiniLM's token table has them."""

    words: tuple[str, ...]
    vectors: Tensor

    def place(self, word: str) -> int | None:
        """Where a word stands among them."""
        return _places().get(word)


@lru_cache(maxsize=1)
def _all_words() -> tuple[dict[str, int], Tensor]:
    """The id of each whole word of English letters, and the table of all tokens."""
    model, tokenizer = load_minilm()
    ids = {
        word: number
        for word, number in tokenizer.vocabulary.items()
        if word.isascii() and word.isalpha() and len(word) > 1
    }
    weight: Tensor = model.embeddings.token.weight.detach()
    return ids, weight


@lru_cache(maxsize=1)
def table() -> Table:
    """The words that neighbours are sought among: the first, and those that this lab names."""
    ids, weight = _all_words()
    named = {word for words in GROUPS.values() for word in words.split()}
    named |= {word for each in ANALOGIES for word in (each.a, each.b, each.c, each.expected)}
    first = sorted(ids, key=ids.__getitem__)[:COUNT]
    words = (*first, *sorted(named & set(ids) - set(first)))
    return Table(words, weight[[ids[word] for word in words]].clone())


@lru_cache(maxsize=1)
def _places() -> dict[str, int]:
    return {word: i for i, word in enumerate(table().words)}


def vector(word: str) -> Tensor | None:
    """A word's vector `(D,)`, of any whole word of the vocabulary; None where it is none."""
    ids, weight = _all_words()
    return weight[ids[word]] if word in ids else None


def pieces(word: str) -> list[str]:
    """How MiniLM's tokenizer cuts a word."""
    return load_minilm()[1].encode(word).tokens[1:-1]


@lru_cache(maxsize=8)
def group(name: str) -> tuple[str, ...]:
    """The words of a group that the vocabulary has, each once."""
    return tuple(word for word in dict.fromkeys(GROUPS[name].split()) if word in _places())
