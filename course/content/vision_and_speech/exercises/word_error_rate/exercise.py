"""speech.word_error_rate: how many words must be changed, added or removed, for each word spoken."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from course.checking.exercise import Case, Exercise, tags

# Pairs "written|spoken", the errors, the words spoken, and why.
_PARTS: tuple[tuple[tuple[str, ...], int, int, str], ...] = (
    (("a b c|a b c",), 0, 3, "nothing is wrong"),
    (("a x c|a b c",), 1, 3, "a single word is changed, and that counts 1"),
    (("a b c x|a b c",), 1, 3, "a word is too many at the end, which counts 1"),
    (("a b|a b c",), 1, 3, "the last word is missing, which counts 1"),
    (("b c|a b c",), 1, 3, "the first word is missing, and the others are still right"),
    (("x a b c|a b c",), 1, 3, "a word is too many at the beginning, and the others are still right"),
    (("a c|a b c",), 1, 3, "a word in the middle is missing, and the others are still right"),
    (("a b a|b a b",), 2, 3, "the first word is too many and the last one is missing: 2 errors, not 3 changes"),
    (("b a|a b",), 2, 2, "words in another order are wrong"),
    (("a a b|a b",), 1, 2, "a word that is written twice and spoken once is too many once"),
    (("A b|a b",), 1, 2, "A and a are different words"),
    (("a b|a b c d", "x y|x y"), 2, 6, "the errors of both texts and the words of both are added up, then divided"),
    (("a b c d|a b c d", "x|y"), 1, 5, "the errors of both texts and the words of both are added up, then divided"),
    (("|a b", "c|c"), 2, 3, "where nothing is written, every word is missing"),
    (("a b|", "c|c"), 2, 1, "where nothing is spoken, every word is too many"),
    (("a b c d|x",), 4, 1, "one word is changed and three are too many"),
)  # fmt: skip


def _names(written: list[list[str]], spoken: list[list[str]], errors: int) -> Iterator[str]:
    ours, theirs = sum(map(len, written)), sum(map(len, spoken))
    yield "one text" if len(written) == 1 else "several texts"
    if ours == theirs:
        yield "as many words written as spoken"
    else:
        yield (
            "more words written than spoken" if ours > theirs else "fewer words written than spoken"
        )
    if all(len(one) == len(other) for one, other in zip(written, spoken, strict=True)):
        yield "texts that are as long as what was spoken"
    if not all(written):
        yield "a text in which nothing is written"
    if not all(spoken):
        yield "a text in which nothing is spoken"
    if errors == 0:
        yield "texts without an error"
    if errors > theirs:
        yield "more errors than words spoken"


def _errors(ours: list[str], theirs: list[str]) -> int:
    """The fewest errors, with the whole table."""
    table = [[i + j for j in range(len(theirs) + 1)] for i in range(len(ours) + 1)]
    for i in range(1, len(ours) + 1):
        for j in range(1, len(theirs) + 1):
            same = table[i - 1][j - 1] + (ours[i - 1] != theirs[j - 1])
            table[i][j] = min(same, table[i - 1][j] + 1, table[i][j - 1] + 1)
    return table[-1][-1]


def _cases(seed: int) -> list[Case]:
    choose = random.Random(seed)

    def case(says: str, *pairs: str) -> Case:
        """`pairs` are "written|spoken"."""
        sides = [[side.split() for side in pair.split("|")] for pair in pairs]
        written, spoken = [one for one, _ in sides], [other for _, other in sides]
        errors = sum(map(_errors, written, spoken))
        sizes = {
            "written": sum(map(len, written)),
            "spoken": sum(map(len, spoken)),
            "texts": len(pairs),
        }
        return Case((written, spoken), says, sizes, tags(*_names(written, spoken, errors)))

    def drawn(says: str, texts: int, most: int, words: str) -> Case:
        pairs = []
        for _ in range(texts):
            spoken = choose.choices(words.split(), k=choose.randint(3, most))
            written = list(spoken)
            for _ in range(choose.randint(0, 3)):
                place = choose.randrange(len(written) + 1)
                new = choose.choices(words.split(), k=choose.choice([0, 1, 1, 2]))
                written[place : place + choose.choice([0, 1])] = new
            pairs.append(f"{' '.join(written)}|{' '.join(spoken)}")
        return case(says, *pairs)

    digits = "zero one two three four five six seven eight nine"
    return [
        case("a text that is right", "the cat sat|the cat sat"),
        case("a word changed", "the cut sat on the mat|the cat sat on the mat"),
        case("a word missing", "the cat sat on mat|the cat sat on the mat"),
        case("a word too many", "the the cat sat on the mat|the cat sat on the mat"),
        case("the first word missing", "two three four five|one two three four five"),
        case("a word too many at the beginning", "well one two three|one two three"),
        case("one word changed, one missing and one too many", "the cut sat the mat too|the cat sat on the mat"),
        case("the first word at the end", "b c d e a|a b c d e"),
        case("two words exchanged", "on sat the mat|sat on the mat"),
        case("the words in reverse", "e d c b a|a b c d e"),
        case("every word another", "a b c|d e f"),
        case("one word, another spoken", "nine|five"),
        case("four words written, one of them spoken", "oh yes of course|yes"),
        case("five words written, another one spoken", "a b c d e|x"),
        case("nothing written", "|one two three"),
        case("nothing written in one text of two", "|one two three", "four five|four five"),
        case("nothing spoken in one text of two", "hm yes|", "four five six|four five six"),
        case("neither written nor spoken in one text of three", "|", "one|two", "three four|three four"),
        case("a short text that is wrong and a long one that is right", "a|b", "c d e f g h|c d e f g h"),
        case("one word missing in one text, one too many in the other", "a b|a b c", "d e f x|d e f"),
        case("errors that do not cancel, 2 too many and 2 missing", "a b x y|a b", "c d|c d e f"),
        case("two texts that are each other's", "one two three|four five six", "four five six|one two three"),
        case("a word repeated, spoken once", "no no no no|no"),
        case("a word written once, repeated when spoken", "no|no no no no"),
        case("a word too many that is also spoken later", "a b a c|a b c"),
        case("a shorter way than word by word", "a b a b a b|b a b a b a"),
        case("capitals", "The cat Sat|the cat sat"),
        case("words that share letters", "kitten sitting|sitten sittin on"),
        case("more ways than one to the fewest errors", "a c b d|a b c d e"),
        drawn("four texts of up to eight digits", 4, 8, digits),
        drawn("six texts of up to nine words, of three different ones", 6, 9, "a b c"),
        drawn("three texts of up to twelve words, of five different ones", 3, 12, "the cat and a dog"),
    ]  # fmt: skip


def _finds(function: Callable[..., Any], failed: Sequence[Case]) -> list[str]:
    """A sentence on the first of a few small texts whose rate is wrong."""
    for pairs, errors, words, because in _PARTS:
        sides = [[side.split() for side in pair.split("|")] for pair in pairs]
        told = " and ".join(f'"{p.split("|")[0]}" (spoken "{p.split("|")[1]}")' for p in pairs)
        wanted = errors / words
        many = f"{errors} error{'s' * (errors != 1)} / {words} word{'s' * (words != 1)} spoken"
        try:
            rate = function([one for one, _ in sides], [other for _, other in sides])
        except Exception as error:
            return [
                f"it raises {type(error).__name__} for {told}; it should return {many}: {because}"
            ]
        if not isinstance(rate, int | float):
            return []
        if not math.isclose(rate, wanted, rel_tol=1e-6, abs_tol=1e-9):
            own = _as_errors(rate, words)
            return [
                f"for {told} it returns {rate:.4g}{own} and should return {wanted:.4g}, {many}: {because}"
            ]
    return []


def _as_errors(rate: float, words: int) -> str:
    errors = rate * words
    whole = math.isfinite(errors) and math.isclose(errors, round(errors), abs_tol=1e-6)
    return (
        f", as for {round(errors)} error{'s' * (round(errors) != 1)},"
        if whole and words > 1
        else ""
    )


EXERCISE = Exercise(
    id="speech.word_error_rate",
    signature="(written, spoken)",
    minutes=20,
    difficulty=2,
    cases=_cases,
    finds=_finds,
)
