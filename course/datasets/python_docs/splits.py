"""Split documents by source, and take out of one split what stands in another.

All the text of a module or topic goes to one split. That alone leaks: docstrings are copied from module
to module, and topics contain one another. So a paragraph is kept once, and a training paragraph that
nearly equals one of validation or test is removed.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

__all__ = ["SHARES", "SPLITS", "assign", "near_duplicates", "shingles", "words_of"]

SPLITS = ("test", "validation", "train")
SHARES = {"test": 0.15, "validation": 0.10}
SHINGLE = 5  # words
ALIKE = 0.5  # share of the shorter paragraph's shingles


def assign(sizes: Mapping[str, int], group: Callable[[str], str]) -> dict[str, str]:
    """Return the split of each source.

    In each group the sources are put in the order of their names' SHA-256. In this order each goes to
    test if it still fits into test's share of the group's characters, otherwise to validation if it
    still fits there, otherwise to training.

    Args:
        sizes: characters of each source.
        group: the group of a source; each group gets its own shares.

    >>> chosen = assign({f"module{i}": 100 for i in range(20)}, lambda source: "all")
    >>> sorted(Counter(chosen.values()).items())
    [('test', 3), ('train', 15), ('validation', 2)]
    """
    members = defaultdict(list)
    for source in sorted(sizes, key=_hash):
        members[group(source)].append(source)
    split = {}
    for sources in members.values():
        whole = sum(sizes[source] for source in sources)
        room = {name: share * whole for name, share in SHARES.items()}
        for source in sources:
            name = next((name for name in room if sizes[source] <= room[name]), "train")
            split[source] = name
            if name in room:
                room[name] -= sizes[source]
    return split


def _hash(source: str) -> str:
    return hashlib.sha256(source.encode()).hexdigest()


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a text in lower case, without punctuation."""
    return tuple(re.findall(r"[^\W_]+", text.lower()))


def shingles(text: str) -> set[tuple[str, ...]]:
    """Return all runs of `SHINGLE` words of a text; of a shorter text its words.

    >>> len(shingles("Return the name of the file."))
    2
    """
    words = words_of(text)
    return {words[i : i + SHINGLE] for i in range(max(1, len(words) - SHINGLE + 1))}


def near_duplicates(texts: Sequence[str], others: Iterable[str]) -> set[int]:
    """Return the indices of `texts` that nearly equal one of `others`.

    Two texts nearly equal each other if they share at least `ALIKE` of the shingles of the one that has
    fewer.

    Source: Broder 1997, "On the resemblance and containment of documents" (containment).

    >>> near_duplicates(["Return the name of the file.", "Something else."], ["Return the name of the folder."])
    {0}
    """
    own = [shingles(text) for text in texts]
    having: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for index, parts in enumerate(own):
        for part in parts:
            having[part].append(index)
    found: set[int] = set()
    for other in others:
        parts = shingles(other)
        shared = Counter(index for part in parts for index in having.get(part, ()))
        for index, count in shared.items():
            if count >= ALIKE * min(len(parts), len(own[index])):
                found.add(index)
    return found
