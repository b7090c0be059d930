# Exercise: embeddings.build_vocabulary
# Passed:   2026-11-29T07:00:03Z
# Course:   0.1.0
# Your own answer: use("embeddings.build_vocabulary") runs it wherever the course needs it.
# ----------------------------------------
import re


SPECIAL = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']


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


build_vocabulary = vocabulary_loop
