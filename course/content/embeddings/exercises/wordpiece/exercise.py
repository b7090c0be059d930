"""embeddings.wordpiece: greedy longest match."""

from __future__ import annotations

from course.checking.exercise import Case, Exercise, tags
from course.content.embeddings.exercises.wordpiece import search as cuts

_LETTERS = set("abcdefghijklmnopqrstuvwxyz") | {f"##{c}" for c in "abcdefghijklmnopqrstuvwxyz"}
_PLAY = {"play", "##ing", "##ed", "##s", "re", "##play", "un", "##aff", "##able", "##a", "[UNK]"}


def _cases(seed: int) -> list[Case]:
    def case(word: str, vocabulary: set[str], says: str, *names: str) -> Case:
        if len(word) > 10:
            names = (*names, "words of more than ten letters")
        return Case((word, vocabulary), says, {"letters": len(word)}, tags(*names))

    def cut(word: str, pieces: str, says: str, *names: str) -> Case:
        return case(word, set(pieces.split()), says, *names)

    begins, ends, lured = "an unknown beginning", "an unknown end", "a longest end that misleads"
    costs, twice = "a longest beginning that costs pieces", "a piece twice"
    many = "pieces of many letters"
    no_piece = "a longest end that is no piece of the answer"
    most = "inter international ##nation ##al ##isation ##is ##ation"
    return [
        cut("ab", "a ##b", "two letters, two pieces"),
        case("playing", _PLAY, "a beginning and an end"),
        case("play", _PLAY, "a word that is in the vocabulary", "a whole word"),
        case("replayed", _PLAY, "three pieces", "three pieces"),
        case("unaffable", _PLAY, "a longer piece and a shorter one", "three pieces"),
        cut("a", "b ##a", "one letter that only continues words", begins),
        cut("z", "z", "one letter", "a whole word"),
        case("playx", _PLAY, ends, ends),
        case("xplay", _PLAY, begins, begins),
        case("unxable", _PLAY, "an unknown middle", "an unknown middle"),
        case("ing", _PLAY, "a word that only continues others", begins),
        cut("playplay", "play ##ing", "a beginning that does not continue words", ends),
        cut("abcd", "abc ab ##cd ##c", "a longest beginning that leads nowhere", "a dead end"),
        cut("abcdef", "abcd abc ##def ##e ##f", "more pieces than need be", costs),
        cut("abcde", "a ab ##bcde ##cd ##de ##c ##e", no_piece, lured),
        cut("abcdef", "abc ##def ##cdef ##b a", "a longest end that costs pieces", lured),
        case("Play", _PLAY | {"##lay"}, "a capital that is not in it", "capitals"),
        cut("iPhone", "i ##P ##p ##hone iphone", "a capital within", "capitals"),
        cut("héros", "h ##é ##ros hero ##s ##e", "an accent", "accents"),
        cut("编码器", "编 码 器 ##码 ##器", "three Chinese characters", "Chinese"),
        cut("banana", "ba ##na b ##a", twice, twice),
        case("mississippi", _LETTERS, "letters alone", twice),
        cut("a" * 120, "a ##a ##aa", "a word of 120 letters", twice),
        cut("internationalisation", most, many, many),
        case("word", set(), "an empty vocabulary", "an empty vocabulary"),
    ]


EXERCISE = Exercise(
    id="embeddings.wordpiece",
    signature="(word, vocabulary)",
    minutes=20,
    difficulty=2,
    cases=_cases,
    finds=cuts.finds,
)
