# Exercise: embeddings.build_vocabulary
# Passed:   2026-11-29T07:00:03Z
# Course:   0.1.0
# Your own answer: use("embeddings.build_vocabulary") runs it wherever the course needs it.
# ----------------------------------------
import itertools
import re


SPECIAL = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']


def vocabulary_groups(texts, size):
    words = sorted(re.findall(r"\w+", " ".join(texts).lower()))
    groups = sorted((-len(list(group)), word) for word, group in itertools.groupby(words))
    tokens = itertools.chain(SPECIAL, (word for _, word in groups))
    return {token: number for number, token in zip(range(size), tokens, strict=False)}


build_vocabulary = vocabulary_groups
