# Exercise: embeddings.build_vocabulary
# Passed:   2026-11-29T07:00:03Z
# Course:   0.1.0
# Your own answer: use("embeddings.build_vocabulary") runs it wherever the course needs it.
# ----------------------------------------
import collections
import itertools
import re


SPECIAL = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']


def vocabulary_defaultdict(texts, size):
    counts = collections.defaultdict(int)
    for word in itertools.chain.from_iterable(re.split(r"\W+", t.lower()) for t in texts):
        if word:
            counts[word] += 1
    words = list(counts)
    words.sort()
    words.sort(key=lambda w: counts[w], reverse=True)
    return {w: i for i, w in enumerate((SPECIAL + words)[:size])}


build_vocabulary = vocabulary_defaultdict
