# Exercise: embeddings.wordpiece
# Passed:   2026-11-29T07:00:04Z
# Course:   0.1.0
# Your own answer: use("embeddings.wordpiece") runs it wherever the course needs it.
# ----------------------------------------
def wordpiece_next(word, vocabulary):
    pieces, at = [], 0
    while at != len(word):
        mark = "##" * bool(at)
        ends = reversed(range(at + 1, len(word) + 1))
        end = next((end for end in ends if mark + word[at:end] in vocabulary), None)
        if end is None:
            return ["[UNK]"]
        pieces += [mark + word[at:end]]
        at = end
    return pieces


wordpiece = wordpiece_next
