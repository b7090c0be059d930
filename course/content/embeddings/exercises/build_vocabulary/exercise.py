"""embeddings.build_vocabulary: the numbers of the tokens."""

from __future__ import annotations

from course.checking.exercise import Case, Exercise, tags

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
)
