"""Right answers to embeddings.wordpiece in other styles than the model solution's."""


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


def wordpiece_recursive(word, vocabulary, prefix=""):
    if not word:
        return []
    ends = [end for end in range(1, len(word) + 1) if prefix + word[:end] in vocabulary]
    if not ends:
        return ["[UNK]"]
    rest = wordpiece_recursive(word[ends[-1] :], vocabulary, "##")
    return rest if rest == ["[UNK]"] else [prefix + word[: ends[-1]], *rest]


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


def wordpiece_recursive_greedy(word, vocabulary, prefix=""):
    if not word:
        return []
    for end in range(len(word), 0, -1):
        piece = prefix + word[:end]
        if piece in vocabulary:
            rest = wordpiece_recursive_greedy(word[end:], vocabulary, "##")
            return ["[UNK]"] if rest == ["[UNK]"] else [piece, *rest]
    return ["[UNK]"]


RIGHT = (
    wordpiece_for_else,
    wordpiece_recursive,
    wordpiece_startswith,
    wordpiece_marked_rest,
    wordpiece_next,
    wordpiece_last_in_the_alphabet,
    wordpiece_recursive_greedy,
)
