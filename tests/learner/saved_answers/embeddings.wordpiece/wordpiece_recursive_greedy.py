# Exercise: embeddings.wordpiece
# Passed:   2026-11-29T07:00:04Z
# Course:   0.1.0
# Your own answer: use("embeddings.wordpiece") runs it wherever the course needs it.
# ----------------------------------------
def wordpiece_recursive_greedy(word, vocabulary, prefix=""):
    if not word:
        return []
    for end in range(len(word), 0, -1):
        piece = prefix + word[:end]
        if piece in vocabulary:
            rest = wordpiece_recursive_greedy(word[end:], vocabulary, "##")
            return ["[UNK]"] if rest == ["[UNK]"] else [piece, *rest]
    return ["[UNK]"]


wordpiece = wordpiece_recursive_greedy
