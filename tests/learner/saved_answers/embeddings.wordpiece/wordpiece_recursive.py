# Exercise: embeddings.wordpiece
# Passed:   2026-11-29T07:00:03Z
# Course:   0.1.0
# Your own answer: use("embeddings.wordpiece") runs it wherever the course needs it.
# ----------------------------------------
def wordpiece_recursive(word, vocabulary, prefix=""):
    if not word:
        return []
    ends = [end for end in range(1, len(word) + 1) if prefix + word[:end] in vocabulary]
    if not ends:
        return ["[UNK]"]
    rest = wordpiece_recursive(word[ends[-1] :], vocabulary, "##")
    return rest if rest == ["[UNK]"] else [prefix + word[: ends[-1]], *rest]


wordpiece = wordpiece_recursive
