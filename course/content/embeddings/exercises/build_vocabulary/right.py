"""Right answers to embeddings.build_vocabulary in other styles than the model solution's."""

import collections
import itertools
import re

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def vocabulary_loop(texts, size):
    counts = {}
    for text in texts:
        for word in re.findall(r"\w+", text.lower()):
            counts[word] = counts.get(word, 0) + 1
    pairs = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    vocabulary = {}
    for token in SPECIAL:
        vocabulary[token] = len(vocabulary)
    for word, _ in pairs:
        if len(vocabulary) >= size:
            break
        vocabulary[word] = len(vocabulary)
    return vocabulary


def vocabulary_two_sorts(texts, size):
    counts = collections.Counter(re.findall(r"\w+", "\n".join(texts).lower()))
    words = sorted(sorted(counts), key=counts.get, reverse=True)  # sorting is stable
    return dict(zip(SPECIAL + words, range(size), strict=False))


def vocabulary_most_common(texts, size):
    counts = collections.Counter()
    for text in texts:
        counts.update(match.group().lower() for match in re.finditer(r"\w+", text))
    ordered = collections.Counter(dict(sorted(counts.items()))).most_common(size - 5)
    result = dict(zip(SPECIAL, range(5), strict=True))
    result.update({word: place for place, (word, _) in enumerate(ordered, 5)})
    return result


def vocabulary_defaultdict(texts, size):
    counts = collections.defaultdict(int)
    for word in itertools.chain.from_iterable(re.split(r"\W+", t.lower()) for t in texts):
        if word:
            counts[word] += 1
    words = list(counts)
    words.sort()
    words.sort(key=lambda w: counts[w], reverse=True)
    return {w: i for i, w in enumerate((SPECIAL + words)[:size])}


def vocabulary_groups(texts, size):
    words = sorted(re.findall(r"\w+", " ".join(texts).lower()))
    groups = sorted((-len(list(group)), word) for word, group in itertools.groupby(words))
    tokens = itertools.chain(SPECIAL, (word for _, word in groups))
    return {token: number for number, token in zip(range(size), tokens, strict=False)}


def vocabulary_counted_by_hand(texts, size):
    counts = {}
    for text in texts:
        for word in re.findall(r"\w+", text.lower()):
            counts[word] = counts.get(word, 0) + 1
    words = sorted(counts)
    words.sort(key=counts.get, reverse=True)
    vocab = {}
    for token in ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]:
        if len(vocab) == size:
            break
        vocab[token] = len(vocab)
    return vocab


RIGHT = (
    vocabulary_loop,
    vocabulary_two_sorts,
    vocabulary_most_common,
    vocabulary_defaultdict,
    vocabulary_groups,
    vocabulary_counted_by_hand,
)
