# Exercise: embeddings.build_vocabulary
# Passed:   2026-11-29T07:00:03Z
# Course:   0.1.0
# Your own answer: use("embeddings.build_vocabulary") runs it wherever the course needs it.
# ----------------------------------------
import collections
import re


SPECIAL = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']


def vocabulary_two_sorts(texts, size):
    counts = collections.Counter(re.findall(r"\w+", "\n".join(texts).lower()))
    words = sorted(sorted(counts), key=counts.get, reverse=True)  # sorting is stable
    return dict(zip(SPECIAL + words, range(size), strict=False))


build_vocabulary = vocabulary_two_sorts
