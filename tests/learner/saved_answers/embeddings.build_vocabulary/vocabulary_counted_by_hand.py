# Exercise: embeddings.build_vocabulary
# Passed:   2026-11-29T07:00:03Z
# Course:   0.1.0
# Your own answer: use("embeddings.build_vocabulary") runs it wherever the course needs it.
# ----------------------------------------
import re


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


build_vocabulary = vocabulary_counted_by_hand
