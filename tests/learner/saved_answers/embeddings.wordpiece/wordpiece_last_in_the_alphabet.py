# Exercise: embeddings.wordpiece
# Passed:   2026-11-29T07:00:04Z
# Course:   0.1.0
# Your own answer: use("embeddings.wordpiece") runs it wherever the course needs it.
# ----------------------------------------
def wordpiece_last_in_the_alphabet(word, vocabulary):
    """Of beginnings of one word the last in the alphabet is the longest."""
    pieces, rest, mark = [], word, ""
    while rest:
        fitting = [p for p in vocabulary if p.startswith(mark) and rest.startswith(p[len(mark) :])]
        if not fitting:
            return ["[UNK]"]
        pieces.append(max(fitting))
        rest, mark = rest[len(pieces[-1]) - len(mark) :], "##"
    return pieces


wordpiece = wordpiece_last_in_the_alphabet
