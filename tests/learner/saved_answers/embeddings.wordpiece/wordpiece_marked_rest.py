# Exercise: embeddings.wordpiece
# Passed:   2026-11-29T07:00:04Z
# Course:   0.1.0
# Your own answer: use("embeddings.wordpiece") runs it wherever the course needs it.
# ----------------------------------------
def wordpiece_marked_rest(word, vocabulary):
    pieces = []
    while len(word) > 0:
        head = word
        least = 2 if pieces else 0
        while len(head) > least and head not in vocabulary:
            head = head[:-1]
        if len(head) == least:
            return ["[UNK]"]
        pieces.append(head)
        word = word[len(head) :]
        if word:
            word = "##" + word
    return pieces


wordpiece = wordpiece_marked_rest
