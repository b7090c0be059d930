# Exercise: embeddings.wordpiece
# Passed:   2026-11-29T07:00:03Z
# Course:   0.1.0
# Your own answer: use("embeddings.wordpiece") runs it wherever the course needs it.
# ----------------------------------------
def wordpiece_for_else(word, vocabulary):
    pieces = []
    start = 0
    while start < len(word):
        for end in range(len(word), start, -1):
            piece = word[start:end] if start == 0 else "##" + word[start:end]
            if piece in vocabulary:
                pieces.append(piece)
                start = end
                break
        else:
            return ["[UNK]"]
    return pieces


wordpiece = wordpiece_for_else
