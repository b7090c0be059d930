"""embeddings.wordpiece: greedy longest match."""

from __future__ import annotations

from course.checking.exercise import Case, Exercise, tags
from course.content.embeddings.exercises.wordpiece import search as cuts

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
)
