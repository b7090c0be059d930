# Exercise: embeddings.build_vocabulary
# Passed:   2026-11-29T07:00:03Z
# Course:   0.1.0
# Your own answer: use("embeddings.build_vocabulary") runs it wherever the course needs it.
# ----------------------------------------
import collections
import re


SPECIAL = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']


def vocabulary_most_common(texts, size):
    counts = collections.Counter()
    for text in texts:
        counts.update(match.group().lower() for match in re.finditer(r"\w+", text))
    ordered = collections.Counter(dict(sorted(counts.items()))).most_common(size - 5)
    result = dict(zip(SPECIAL, range(5), strict=True))
    result.update({word: place for place, (word, _) in enumerate(ordered, 5)})
    return result


build_vocabulary = vocabulary_most_common
