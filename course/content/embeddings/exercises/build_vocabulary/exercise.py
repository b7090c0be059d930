"""embeddings.build_vocabulary: the numbers of the tokens."""

from __future__ import annotations

from course.checking.exercise import Case, Exercise, Mistake, tags

_FIND = 're.findall(r"\\w+", text.lower())'
_SORTED = "sorted(counts, key=lambda word: (-counts[word], word))"
_TOKENS = "[*special, *by_frequency][:size]"
_RESULT = "{token: number for number, token in enumerate(tokens)}"

_RHYME = [
    "The cat sat on the mat.",
    "The dog, the old dog, saw the cat!",
    "A cat saw a dog; A DOG SAW A CAT.",
]
_SCHOOL = [
    "École d'été: l'été dernier, l'école.",
    "Python 3 and Python 3.11; python_3, Ünïcode, naïve naïve Straße",
]


def _vocabulary_cases(seed: int) -> list[Case]:
    def case(texts: list[str], size: int, says: str, *names: str) -> Case:
        return Case((texts, size), says, {"V": size, "texts": len(texts)}, tags(*names))

    return [
        case(["b a b"], 9, "one text of two words", "a size above what there is"),
        case(["to be or not to be", "that is"], 8, "ties at the limit", "ties at the limit"),
        case(["Dog dog DOG cat Cat bird"], 7, "capitals", "capitals"),
        case(_RHYME, 10, "three sentences", "capitals", "punctuation", "several texts"),
        case(_RHYME, 100, "a size above what there is", "a size above what there is"),
        case(_SCHOOL, 12, "accents, digits and _", "accents and digits", "several texts"),
        case(_SCHOOL, 40, "all of the accents, digits and _", "accents and digits"),
        case(["w z y x"], 5, "no room for words", "no room for words"),
        case([], 6, "no text at all", "no text at all"),
        case(["", "...", "!"], 7, "texts without a word", "texts without a word"),
        case(
            ["x x x x x", "a b", "a b", "b a", "c"],
            7,
            "a word often in one text, others in several",
            "several texts",
        ),
        case(["end", "start end", "start"], 20, "words at the edges of texts", "several texts"),
        case(["the theme then the", "the"], 6, "words that begin alike"),
        case(["你好 世界", "你好，编码器"], 30, "Chinese", "Chinese"),
    ]


EXERCISE = Exercise(
    id="embeddings.build_vocabulary",
    signature="(texts, size)",
    minutes=15,
    difficulty=2,
    cases=_vocabulary_cases,
    mistakes=(
        Mistake(
            "case-kept",
            ((".lower()", ""),),
            "Capitals are kept, so that “The” and “the” are two words.",
            "What has to be done with the text before its words are counted?",
        ),
        Mistake(
            "split-at-spaces",
            ((_FIND, "text.lower().split()"),),
            "The text is cut at spaces alone: commas and points stay on the words.",
            "What does \\w+ match in “dog, the”?",
        ),
        Mistake(
            "in-order-of-appearance",
            ((_SORTED, "list(counts)"),),
            "The words stand in the order in which they appear, not by how often they do.",
            "Which words should be kept when there is no room for all?",
        ),
        Mistake(
            "ties-as-they-come",
            ((_SORTED, "[word for word, _ in counts.most_common()]"),),
            "Equally frequent words stand in the order in which they appear (`most_common` does that). They should be in alphabetical order.",
            "Which second criterion does the sorting need?",
        ),
        Mistake(
            "ties-backwards",
            ((_SORTED, "sorted(counts, key=lambda word: (counts[word], word), reverse=True)"),),
            "Equally frequent words come out in reverse alphabetical order: `reverse=True` turns both criteria round.",
            "How can the order of one criterion alone be turned round?",
        ),
        Mistake(
            "ties-by-length",
            ((_SORTED, "sorted(counts, key=lambda word: (-counts[word], len(word), word))"),),
            "Equally frequent words are ordered by their length first, and by the alphabet only then.",
            "Which comes first in a dictionary: “aardvark” or “b”?",
        ),
        Mistake(
            "rarest-first",
            (("-counts[word]", "counts[word]"),),
            "The rarest words come first.",
            "In which direction does `sorted` sort numbers?",
        ),
        Mistake(
            "alphabetical",
            ((_SORTED, "sorted(counts)"),),
            "The words are in alphabetical order; how often they occur plays no part.",
            "What comes first: the frequency or the alphabet?",
        ),
        Mistake(
            "specials-not-counted",
            ((_TOKENS, "[*special, *by_frequency[:size]]"),),
            "There are `size` words and the special tokens on top: 5 entries too many.",
            "How many entries may the vocabulary have in all?",
        ),
        Mistake(
            "no-special-tokens",
            ((_TOKENS, "by_frequency[:size]"),),
            "The special tokens are missing.",
            "Which tokens have the numbers 0 to 4?",
        ),
        Mistake(
            "special-tokens-last",
            ((_TOKENS, "[*by_frequency[: size - 5], *special]"),),
            "The special tokens stand at the end.",
            "Which number should [PAD] have, however many words there are?",
        ),
        Mistake(
            "unknown-before-padding",
            (('"[PAD]", "[UNK]"', '"[UNK]", "[PAD]"'),),
            "[PAD] and [UNK] are exchanged.",
            "Which of the two has the number 0?",
        ),
        Mistake(
            "four-special-tokens",
            ((', "[MASK]"', ""),),
            "[MASK] is missing.",
            "How many special tokens are there?",
        ),
        Mistake(
            "each-text-once",
            ((_FIND, 'set(re.findall(r"\\w+", text.lower()))'),),
            "A word counts once for each text in which it stands, however often it stands there.",
            "How often does “x” occur in the text “x x x”?",
        ),
        Mistake(
            "numbered-from-one",
            (("enumerate(tokens)", "enumerate(tokens, start=1)"),),
            "The numbers begin with 1.",
            "Which is the first row of a table in PyTorch?",
        ),
        Mistake(
            "numbers-to-tokens",
            (("{token: number for", "{number: token for"),),
            "The dictionary leads from numbers to tokens. Asked is the other direction.",
            "What is known, and what is looked up?",
        ),
        Mistake(
            "a-list",
            ((_RESULT, "tokens"),),
            "The result is the list of the tokens and not a dictionary with their numbers.",
            "Which type does the signature promise?",
        ),
        Mistake(
            "frequencies-as-numbers",
            ((_RESULT, "{token: counts[token] for token in tokens}"),),
            "The values are how often each token occurs, not its number.",
            "Which row of a table belongs to the token in place 7?",
        ),
        Mistake(
            "frequencies-of-words-as-numbers",
            (
                (
                    _RESULT,
                    "{token: counts.get(token, number) for number, token in enumerate(tokens)}",
                ),
            ),
            "The words have as their value how often they occur, and not the next number.",
            "Which row of a table belongs to the token in place 7?",
        ),
        Mistake(
            "never-cut",
            (("[:size]", ""),),
            "All words are kept, whatever `size` says.",
            "Where does `size` enter?",
        ),
        Mistake(
            "one-too-few",
            (("[:size]", "[: size - 1]"),),
            "There is one entry too few.",
            "How many elements has `tokens[:size]`?",
        ),
        Mistake(
            "one-word-too-few",
            (("[:size]", "[: max(size - 1, 5)]"),),
            "There is one word too few: with `size` entries in all, size - 5 of them are words.",
            "How many words fit into a vocabulary of size 7?",
        ),
        Mistake(
            "one-too-many",
            (("[:size]", "[: size + 1]"),),
            "There is one entry too many.",
            "How many elements has `tokens[:size]`?",
        ),
        Mistake(
            "latin-letters-only",
            (('r"\\w+"', 'r"[a-z]+"'),),
            "Only the letters a to z are words: digits and letters with accents are lost.",
            "What does \\w match that [a-z] doesn't?",
        ),
        Mistake(
            "letters-and-digits-of-ascii",
            (('r"\\w+"', 'r"[a-z0-9_]+"'),),
            "Letters with accents cut a word in two: [a-z0-9_] is \\w for ASCII only.",
            "What does \\w match that [a-z0-9_] doesn't?",
        ),
        Mistake(
            "letters-and-digits-without-the-underscore",
            (('r"\\w+"', 'r"[a-z0-9]+"'),),
            "Only a to z and 0 to 9 make words: letters with accents, other scripts and _ are lost.",
            "What does \\w match that [a-z0-9] doesn't?",
        ),
        Mistake(
            "an-empty-word",
            ((_FIND, 're.split(r"\\W+", text.lower())'),),
            "`re.split` gives an empty string where a text begins or ends with a sign, and '' is counted as a word.",
            "What does re.split make of “the mat.”?",
        ),
        Mistake(
            "apostrophes-kept",
            (('r"\\w+"', 'r"[\\w\']+"'),),
            "The apostrophe counts as a part of the word.",
            "Is the apostrophe matched by \\w?",
        ),
        Mistake(
            "two-letters-at-least",
            (('r"\\w+"', 'r"\\w\\w+"'),),
            "Words of one character are left out.",
            "How many characters does \\w+ need?",
        ),
        Mistake(
            "single-characters",
            (('r"\\w+"', 'r"\\w"'),),
            "The text is cut into single characters.",
            "What does the + in \\w+ say?",
        ),
        Mistake(
            "first-text-only",
            (("for text in texts", "for text in texts[:1]"),),
            "Only the first text is read.",
            "Over what does the outer loop run?",
        ),
        Mistake(
            "last-text-only",
            (("for text in texts", "for text in texts[-1:]"),),
            "Only the last text counts: the words are counted anew for each text.",
            "What is left of the first text's counts once the second has been read?",
        ),
        Mistake(
            "texts-glued",
            (("for text in texts", 'for text in ["".join(texts)]'),),
            "The texts are joined without a space: the last word of one grows together with the first of the next.",
            "What stands between two texts once they are joined?",
        ),
        Mistake(
            "rare-words-dropped",
            ((_SORTED, f"[word for word in {_SORTED} if counts[word] > 1]"),),
            "Words that occur only once are left out, though there may be room for them.",
            "What else than `size` limits the vocabulary?",
        ),
    ),
    hints=(
        "Three steps: count the words of all texts together, sort them, number them behind the special tokens.",
        "list of texts -> counts by word -> list of words, most frequent first -> list of at most `size` tokens -> token: number",
        "count the \\w+ matches of each text in lower case\nsort the words by (minus the count, the word)\ntokens <- special tokens, then the words; keep the first `size`\nnumber them from 0",
        "sorted(counts, key=lambda word: (-counts[word], word))",
    ),
)
