# Exercise: embeddings.wordpiece
# Passed:   2026-11-29T07:00:04Z
# Course:   0.1.0
# Your own answer: use("embeddings.wordpiece") runs it wherever the course needs it.
# ----------------------------------------
def wordpiece_startswith(word, vocabulary):
    out, rest = [], word
    while rest:
        mark = "##" if out else ""
        fitting = [
            p for p in vocabulary
            if p.startswith(mark) and p[len(mark) :] and rest.startswith(p[len(mark) :])
        ]  # fmt: skip
        if not fitting:
            return ["[UNK]"]
        best = max(fitting, key=len)
        out.append(best)
        rest = rest[len(best) - len(mark) :]
    return out


wordpiece = wordpiece_startswith
