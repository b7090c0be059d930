# Exercise: embeddings.build_vocabulary
# Passed:   2026-11-29T06:53:14Z
# Course:   0.1.0
# Your own answer: use("embeddings.build_vocabulary") runs it wherever the course needs it.
# ----------------------------------------
from collections import Counter
import re


def build_vocabulary(texts: list[str], size: int) -> dict[str, int]:
    """The number of each token: the five special ones, then the most frequent words."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    found = [word for text in texts for word in re.findall(r"\w+", text.lower())]
    counts = Counter(found)
    by_frequency = sorted(counts, key=lambda word: (-counts[word], word))
    tokens = [*special, *by_frequency][:size]
    return {token: number for number, token in enumerate(tokens)}
