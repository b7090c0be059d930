# Exercise: embeddings.wordpiece
# Passed:   2026-11-29T06:53:17Z
# Course:   0.1.0
# Your own answer: use("embeddings.wordpiece") runs it wherever the course needs it.
# ----------------------------------------
def wordpiece(word: str, vocabulary: set[str]) -> list[str]:
    """The word cut into pieces, always the longest that the vocabulary has."""
    pieces, start = [], 0
    while start < len(word):
        prefix = "##" if start > 0 else ""
        end = len(word)
        while end > start and prefix + word[start:end] not in vocabulary:
            end -= 1
        if end == start:
            return ["[UNK]"]
        pieces.append(prefix + word[start:end])
        start = end
    return pieces
