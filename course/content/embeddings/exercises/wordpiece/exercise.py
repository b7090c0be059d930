"""embeddings.wordpiece: greedy longest match."""

from __future__ import annotations

from course.checking.exercise import Case, Exercise, Mistake, tags
from course.content.embeddings.exercises.wordpiece import search as cuts

_START = "    pieces, start = [], 0\n"
_INNER = """\
        while end > start and prefix + word[start:end] not in vocabulary:
            end -= 1
"""
_WHOLE_LOOP = """\
    while start < len(word):
        prefix = "##" if start > 0 else ""
        end = len(word)
        while end > start and prefix + word[start:end] not in vocabulary:
            end -= 1
        if end == start:
            return ["[UNK]"]
        pieces.append(prefix + word[start:end])
        start = end
"""
_BACKTRACKING = """\
    def cut(start):
        if start == len(word):
            return []
        prefix = "##" if start > 0 else ""
        for end in range(len(word), start, -1):
            if prefix + word[start:end] in vocabulary:
                rest = cut(end)
                if rest is not None:
                    return [prefix + word[start:end], *rest]
        return None

    found = cut(0)
    pieces = ["[UNK]"] if found is None else found
"""
_FEWEST = """\
    best = {0: []}
    for end in range(1, len(word) + 1):
        for start in range(end):
            piece = ("##" if start > 0 else "") + word[start:end]
            if piece in vocabulary and start in best:
                if end not in best or len(best[start]) + 1 < len(best[end]):
                    best[end] = [*best[start], piece]
    pieces = best.get(len(word), ["[UNK]"])
"""
_FROM_THE_RIGHT = """\
    end = len(word)
    while end > 0:
        start = 0
        while start < end and ("##" if start > 0 else "") + word[start:end] not in vocabulary:
            start += 1
        if start == end: return ["[UNK]"]
        pieces.insert(0, ("##" if start > 0 else "") + word[start:end])
        end = start
"""

_LETTERS = set("abcdefghijklmnopqrstuvwxyz") | {f"##{c}" for c in "abcdefghijklmnopqrstuvwxyz"}
_LONG = "words of more than ten letters"
_PLAY = {"play", "##ing", "##ed", "##s", "re", "##play", "un", "##aff", "##able", "##a", "[UNK]"}


def _wordpiece_cases(seed: int) -> list[Case]:
    def case(word: str, vocabulary: set[str], says: str, *names: str) -> Case:
        return Case((word, vocabulary), says, {"letters": len(word)}, tags(*names))

    return [
        case("ab", {"a", "##b"}, "two letters, two pieces"),
        case("playing", _PLAY, "a beginning and an end"),
        case("play", _PLAY, "a word that is in the vocabulary", "a whole word"),
        case("replayed", _PLAY, "three pieces", "three pieces"),
        case("unaffable", _PLAY, "a longer piece and a shorter one", "three pieces"),
        case("a", {"b", "##a"}, "one letter that only continues words", "an unknown beginning"),
        case("z", {"z"}, "one letter", "a whole word"),
        case("playx", _PLAY, "an unknown end", "an unknown end"),
        case("xplay", _PLAY, "an unknown beginning", "an unknown beginning"),
        case("unxable", _PLAY, "an unknown middle", "an unknown middle"),
        case("ing", _PLAY, "a word that only continues others", "an unknown beginning"),
        case(
            "playplay",
            {"play", "##ing"},
            "a beginning that does not continue words",
            "an unknown end",
        ),
        case(
            "abcd",
            {"abc", "ab", "##cd", "##c"},
            "a longest beginning that leads nowhere",
            "a dead end",
        ),
        case(
            "abcdef",
            {"abcd", "abc", "##def", "##e", "##f"},
            "more pieces than need be",
            "a longest beginning that costs pieces",
        ),
        case(
            "abcde",
            {"a", "ab", "##bcde", "##cd", "##de", "##c", "##e"},
            "a longest end that is no piece of the answer",
            "a longest end that misleads",
        ),
        case(
            "abcdef",
            {"abc", "##def", "##cdef", "##b", "a"},
            "a longest end that costs pieces",
            "a longest end that misleads",
        ),
        case("Play", _PLAY | {"##lay"}, "a capital that is not in it", "capitals"),
        case("iPhone", {"i", "##P", "##p", "##hone", "iphone"}, "a capital within", "capitals"),
        case("héros", {"h", "##é", "##ros", "hero", "##s", "##e"}, "an accent", "accents"),
        case("编码器", {"编", "码", "器", "##码", "##器"}, "three Chinese characters", "Chinese"),
        case("banana", {"ba", "##na", "b", "##a"}, "a piece twice", "a piece twice"),
        case("mississippi", _LETTERS, "letters alone", "a piece twice", _LONG),
        case("a" * 120, {"a", "##a", "##aa"}, "a word of 120 letters", "a piece twice", _LONG),
        case(
            "internationalisation",
            {"inter", "international", "##nation", "##al", "##isation", "##is", "##ation"},
            "pieces of many letters",
            "pieces of many letters",
            _LONG,
        ),
        case("word", set(), "an empty vocabulary", "an empty vocabulary"),
    ]


EXERCISE = Exercise(
    id="embeddings.wordpiece",
    signature="(word, vocabulary)",
    minutes=20,
    difficulty=2,
    cases=_wordpiece_cases,
    finds=cuts.finds,
    mistakes=(
        Mistake(
            "no-prefix",
            (('"##" if start > 0 else ""', '""'),),
            "Pieces within the word are looked up without ##.",
            "How is a piece that continues a word written in the vocabulary?",
        ),
        Mistake(
            "prefix-left-out",
            (("pieces.append(prefix + word[start:end])", "pieces.append(word[start:end])"),),
            "The pieces are found with ##, but come back without it.",
            "How would a reader of the result know which pieces belong together?",
        ),
        Mistake(
            "prefix-everywhere",
            (('"##" if start > 0 else ""', '"##"'),),
            "The first piece is looked up with ## too.",
            "Which piece of a word does not continue anything?",
        ),
        Mistake(
            "either-way",
            (
                (
                    "prefix + word[start:end] not in vocabulary",
                    "prefix + word[start:end] not in vocabulary and word[start:end] not in vocabulary",
                ),
            ),
            "A piece that stands without ## in the vocabulary is accepted within a word too.",
            "Does “play” being in the vocabulary allow “##play”?",
        ),
        Mistake(
            "shortest-first",
            (
                ("        end = len(word)\n", "        end = start + 1\n"),
                (
                    _INNER,
                    "        while end <= len(word) and prefix + word[start:end] not in vocabulary:\n            end += 1\n",
                ),
                ("if end == start:", "if end > len(word):"),
            ),
            "It takes the shortest piece that fits, not the longest.",
            "With which end does the search have to begin?",
        ),
        Mistake(
            "backtracks",
            ((_WHOLE_LOOP, _BACKTRACKING),),
            "Where the longest piece leads into a dead end, it goes back and tries a shorter one. Greedy means: never back.",
            "What comes of “abcd” when the longest beginning is “abc” and “##d” does not exist?",
        ),
        Mistake(
            "fewest-pieces",
            ((_WHOLE_LOOP, _FEWEST),),
            "It finds the cut with the fewest pieces. Asked is the greedy one: the longest piece first, whatever comes after.",
            "Which piece is chosen first, and what does the choice depend on?",
        ),
        Mistake(
            "from-the-right",
            ((_WHOLE_LOOP, _FROM_THE_RIGHT),),
            "It cuts from the right: the longest ending first.",
            "At which side of the word does the search begin?",
        ),
        Mistake(
            "keeps-what-it-found",
            (('return ["[UNK]"]', 'return [*pieces, "[UNK]"]'),),
            "The pieces found before the unknown part are kept. The whole word becomes one [UNK].",
            "How long is the result when some part cannot be matched?",
        ),
        Mistake(
            "unknown-letters-alone",
            (
                (
                    '            return ["[UNK]"]\n',
                    '            pieces.append("[UNK]")\n            start += 1\n            continue\n',
                ),
            ),
            "Only the letter that cannot be matched becomes [UNK], and the rest goes on.",
            "What becomes of the whole word when some part of it cannot be matched?",
        ),
        Mistake(
            "skips-what-is-unknown",
            (('            return ["[UNK]"]\n', "            start += 1\n            continue\n"),),
            "Letters that cannot be matched are skipped in silence.",
            "Could the text be told from the pieces?",
        ),
        Mistake(
            "stops-at-the-unknown",
            (('return ["[UNK]"]', "return pieces"),),
            "Where a part cannot be matched, it returns what it has so far.",
            "How is a word marked that cannot be cut?",
        ),
        Mistake(
            "stops-at-the-unknown-unless-it-comes-first",
            (('return ["[UNK]"]', 'return pieces or ["[UNK]"]'),),
            "Where a later part cannot be matched, it returns what it has so far. The whole word becomes one [UNK].",
            "What should “playx” give when nothing continues a word with x?",
        ),
        Mistake(
            "the-word-itself",
            (('return ["[UNK]"]', "return [word]"),),
            "A word that cannot be cut comes back as it is. It has no number then.",
            "Which token stands for what the vocabulary doesn't have?",
        ),
        Mistake(
            "unknown-not-in-a-list",
            (('return ["[UNK]"]', 'return "[UNK]"'),),
            "“[UNK]” comes back as a string and not in a list.",
            "Which type does the signature promise?",
        ),
        Mistake(
            "empty-when-unknown",
            (('return ["[UNK]"]', "return []"),),
            "A word that cannot be cut gives an empty list and is lost.",
            "Which token stands for what the vocabulary doesn't have?",
        ),
        Mistake(
            "lower-cased",
            ((_START, "    word = word.lower()\n" + _START),),
            "The word is put into lower case. Case is to be kept (whoever wants lower case does that before).",
            "What should happen to “Play” when only “play” is in the vocabulary?",
        ),
        Mistake(
            "whole-words-only",
            ((_START, '    if word not in vocabulary:\n        return ["[UNK]"]\n' + _START),),
            "A word that is not in the vocabulary as a whole becomes [UNK] at once.",
            "What are the pieces with ## for?",
        ),
        Mistake(
            "never-the-last-letter",
            (("        end = len(word)\n", "        end = len(word) - 1\n"),),
            "Every word becomes [UNK]: the search never reaches its last letter, or goes on to [UNK] after a piece was "
            "found (as the `else` of a `for` does when there is no `break`).",
            "Where does the longest piece that could fit end, and what happens once it is found?",
        ),
        Mistake(
            "mark-counted",
            (("        start = end\n", "        start += len(prefix + word[start:end])\n"),),
            "The search moves on by the length of the piece with its ##, which are no letters of the word: two letters "
            "are skipped after every piece but the first.",
            "How many letters of “unaffable” does the piece “##aff” take?",
        ),
        Mistake(
            "never-a-single-letter",
            (("if end == start:", "if end <= start + 1:"),),
            "Pieces of a single character are never tried: the search ends one step too early.",
            "What is the shortest piece that could fit?",
        ),
        Mistake(
            "two-pieces-at-most",
            (
                (_START, "    pieces, start = [], 0\n"),
                ("while start < len(word):", "while start < len(word) and len(pieces) < 2:"),
            ),
            "It stops after the second piece.",
            "When is the word used up?",
        ),
        Mistake(
            "framed",
            (("    return pieces", '    return ["[CLS]", *pieces, "[SEP]"]'),),
            "[CLS] and [SEP] are put around the word. They frame a whole text, not each word.",
            "What is the function given: a text or a word?",
        ),
        Mistake(
            "joined",
            (("    return pieces", '    return " ".join(pieces)'),),
            "The pieces come back joined in one string.",
            "Which type does the signature promise?",
        ),
        Mistake(
            "in-a-tuple",
            (("    return pieces", "    return tuple(pieces)"),),
            "The pieces come back in a tuple. Asked is a list.",
            "Which type does the signature promise?",
        ),
        Mistake(
            "backwards",
            (
                (
                    "pieces.append(prefix + word[start:end])",
                    "pieces.insert(0, prefix + word[start:end])",
                ),
            ),
            "The pieces come out in reverse order.",
            "At which end of the list does a new piece belong?",
        ),
        Mistake(
            "a-longest-word",
            ((_START, '    if len(word) > 100:\n        return ["[UNK]"]\n' + _START),),
            "Words of more than 100 letters become [UNK]. BERT's own code does that; here it is not asked for.",
            "Which words become [UNK], by the text of the exercise?",
        ),
        Mistake(
            "uses-pieces-up",
            (
                (
                    "        start = end\n",
                    "        vocabulary = vocabulary - {prefix + word[start:end]}\n        start = end\n",
                ),
            ),
            "A piece that was used once is not found a second time.",
            "How often may “##na” occur in “banana”?",
        ),
    ),
    hints=(
        "Begin with the longest beginning of the word that the vocabulary has, then go on with what is left, never back.",
        "word -> list of pieces; word[start:end] is the candidate, with ## in front of it unless start is 0.",
        'start <- 0\nwhile start is before the end of the word:\n    find the largest end for which the piece word[start:end] is in the vocabulary\n    none? return ["[UNK]"]\n    keep the piece; start <- end',
        "while end > start and prefix + word[start:end] not in vocabulary: end -= 1",
    ),
)
