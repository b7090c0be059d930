"""Train a WordPiece vocabulary: start from letters and repeatedly merge the most frequent pair.

Google's trainer was never published; the paper merges the pair that raises the likelihood most.
This one, like the `tokenizers` library's, merges the most frequent pair, as byte-pair encoding
does.

Sources: Sennrich, Haddow and Birch 2016, "Neural Machine Translation of Rare Words with Subword
Units", section 3.2, algorithm 1; Schuster and Nakajima 2012, section 3 (WordPiece).
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from itertools import pairwise

from encoder_core.text.tokenizer import WordPiece
from encoder_core.text.words import split_words

__all__ = ["count_words", "train_wordpiece"]

Pair = tuple[str, str]


def count_words(
    texts: Iterable[str], *, lowercase: bool = True, strip_accents: bool | None = None
) -> Counter[str]:
    """Count the words of texts, split as a `WordPiece` with these settings splits them.

    >>> count_words(["To be, or not to be"]).most_common(2)
    [('to', 2), ('be', 2)]
    """
    strip = lowercase if strip_accents is None else strip_accents
    return Counter(word.text for text in texts for word in split_words(text, lowercase, strip))


def train_wordpiece(
    texts: Iterable[str] | Counter[str],
    vocab_size: int,
    *,
    lowercase: bool = True,
    strip_accents: bool | None = None,
    limit_alphabet: int = 1000,
    min_count: int = 2,
    on_merge: Callable[[str, int], None] | None = None,
) -> WordPiece:
    """Train a tokenizer.

    Its vocabulary is `[PAD] [UNK] [CLS] [SEP] [MASK]`, then the letters, then the merged pieces in
    the order of the merges.

    Args:
        texts: the texts, or their `count_words` with the same settings.
        vocab_size: special tokens included; fewer entries where no pair is left to merge.
        lowercase: see `WordPiece`.
        strip_accents: see `WordPiece`.
        limit_alphabet: number of letters, the most frequent; words with others are unknown.
        min_count: do not merge pairs that occur less often.
        on_merge: called with each new piece and the count of its pair.

    Raises:
        ValueError: `vocab_size` is less than the number of special tokens.

    >>> tokenizer = train_wordpiece(["low low low low lower lower newest newest widest"], 30)
    >>> tokenizer.encode("lowest").tokens
    ['[CLS]', 'low', '##est', '[SEP]']
    """
    if vocab_size < len(WordPiece.specials):
        raise ValueError(f"vocab_size={vocab_size} has no room for {len(WordPiece.specials)}.")
    if not isinstance(texts, Counter):
        texts = count_words(texts, lowercase=lowercase, strip_accents=strip_accents)
    words = _spell(texts, limit_alphabet)
    letters: Counter[str] = Counter()
    for pieces, count in words:
        letters.update({piece: count * pieces.count(piece) for piece in set(pieces)})
    room = vocab_size - len(WordPiece.specials)
    kept = sorted(letters, key=lambda piece: (-letters[piece], piece))[:room]
    kept.sort(key=lambda piece: (piece.startswith("##"), piece))
    vocabulary = {piece: number for number, piece in enumerate([*WordPiece.specials, *kept])}
    if len(kept) == len(letters):
        _merge(words, vocabulary, vocab_size, min_count, on_merge)
    return WordPiece(vocabulary, lowercase=lowercase, strip_accents=strip_accents)


def _spell(counts: Counter[str], limit_alphabet: int) -> list[tuple[list[str], int]]:
    """Split each word into letters, `##` before all but the first; drop words with rare letters."""
    letters: Counter[str] = Counter()
    for word, count in counts.items():
        for letter in word:
            letters[letter] += count
    kept = set(sorted(letters, key=lambda letter: (-letters[letter], letter))[:limit_alphabet])
    return [
        ([word[0], *(f"##{letter}" for letter in word[1:])], count)
        for word, count in sorted(counts.items())
        if word and kept.issuperset(word)
    ]


def _merge(
    words: list[tuple[list[str], int]],
    vocabulary: dict[str, int],
    vocab_size: int,
    min_count: int,
    on_merge: Callable[[str, int], None] | None,
) -> None:
    """Merge the most frequent pair until the vocabulary is full; ties go to the older pieces.

    Counts are updated in place: a merge changes only the words that hold the pair. Heap entries may
    be out of date; those are pushed again with the current count when they are popped.
    """
    counts: Counter[Pair] = Counter()
    holders: defaultdict[Pair, set[int]] = defaultdict(set)
    for index, (pieces, count) in enumerate(words):
        for pair in pairwise(pieces):
            counts[pair] += count
            holders[pair].add(index)

    def entry(pair: Pair) -> tuple[int, int, int, Pair]:
        return -counts[pair], vocabulary[pair[0]], vocabulary[pair[1]], pair

    heap = [entry(pair) for pair in counts]
    heapq.heapify(heap)
    while len(vocabulary) < vocab_size and heap:
        negative, _, _, pair = heapq.heappop(heap)
        if -negative != counts[pair]:
            if counts[pair] > 0:
                heapq.heappush(heap, entry(pair))
            continue
        if counts[pair] < min_count:
            break
        new = pair[0] + pair[1].removeprefix("##")
        if on_merge is not None:
            on_merge(new, counts[pair])
        vocabulary.setdefault(new, len(vocabulary))
        for changed in _join(words, holders.pop(pair), pair, new, counts, holders):
            heapq.heappush(heap, entry(changed))


def _join(
    words: list[tuple[list[str], int]],
    indices: set[int],
    pair: Pair,
    new: str,
    counts: Counter[Pair],
    holders: defaultdict[Pair, set[int]],
) -> set[Pair]:
    """Merge a pair in the words that hold it; return the pairs whose count grew."""
    grown: set[Pair] = set()
    for index in indices:
        pieces, count = words[index]
        before = Counter(pairwise(pieces))
        place = 0
        while place < len(pieces) - 1:
            if (pieces[place], pieces[place + 1]) == pair:
                pieces[place : place + 2] = [new]
            place += 1
        after = Counter(pairwise(pieces))
        for changed in before.keys() | after.keys():
            counts[changed] += count * (after[changed] - before[changed])
            if after[changed] > before[changed]:
                holders[changed].add(index)
                grown.add(changed)
    return grown
