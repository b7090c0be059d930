"""translation.chrf: how many of the characters' n-grams are shared with the references."""

from __future__ import annotations

from typing import Any

from course.checking.exercise import Case, Exercise, tags
from course.content.translation.exercises import corpora
from course.content.translation.exercises.chrf import search

_ORDER = 6


def _case(says: str, *pairs: str, beta: float | None = None, names: tuple[str, ...] = ()) -> Case:
    """`pairs` are "candidate|reference"."""
    candidates = [pair.split("|")[0] for pair in pairs]
    references = [pair.split("|")[1] for pair in pairs]
    bare, theirs = (["".join(text.split()) for text in side] for side in (candidates, references))
    names = (*names, "one sentence" if len(pairs) == 1 else "several sentences")
    names = (*names, *([f"beta = {beta:g}"] if beta is not None else []))
    names = (
        *names,
        *(["white space"] if bare != candidates or theirs != references else ["no white space"]),
    )
    names = (*names, *([] if all(bare) else ["an empty candidate"]))
    names = (
        *names,
        *(
            ["a text shorter than six characters"]
            if any(len(t) < _ORDER for t in bare + theirs)
            else []
        ),
    )
    names = (*names, *(["a repeated n-gram"] if corpora.repeats(bare, _ORDER) else []))
    fewer = any(len(r) < _ORDER and len(c) > len(r) for c, r in zip(bare, theirs, strict=True))
    names = (
        *names,
        *(["a reference shorter than six characters and than its candidate"] if fewer else []),
    )
    sizes = {"sentences": len(pairs)}
    args: tuple[Any, ...] = (candidates, references, *([] if beta is None else [beta]))
    return Case(args, says, sizes, tags(*names))  # fmt: skip


def _cases(seed: int) -> list[Case]:
    drawn = corpora.drawn(seed, list("abcdeabc d年月日"), 6, (2, 16), joined="")
    return [
        _case("seven characters, the last of them another", "weather|weathes"),
        _case("a translation that is its reference", "weather|weather"),
        _case("a candidate that is shorter", "weath|weather"),
        _case("a candidate that is longer", "weathering|weather"),
        _case("two dates that differ in a day", "1997年3月6日星期四|1997年3月5日星期三"),
        _case("white space in one of them", "a new day|anew day"),
        _case("tabs, newlines and wide spaces", "one\ttwo\nthree|one two\u3000three!"),
        _case("white space at the ends", "  the house |the horse"),
        _case("words in another order", "the old house stands|stands the old house"),
        _case("characters too often", "aaaaaaab|aaab"),
        _case("characters often in both", "abababab|abab ababab"),
        _case("two sentences, one worse than the other", "the weather|the weather", "a cat sits here|the dog was there"),
        _case("two sentences of very different lengths", "yes, please|yes please", "internationalisation is long|international is long"),
        _case("three characters each", "abc|abd"),
        _case("candidate and reference of three characters that are the same", "abc|abc"),
        _case("a reference of three characters, a candidate of nine", "abcdefghi|abc", "the weather|the weathers"),
        _case("a candidate of three characters, a reference of nine", "abc|abcdefghi", "the weather|the weathers"),
        _case("texts shorter than six characters alone", "年月|年月日", "abcd|abc"),
        _case("a reference shorter than its candidate, one alone", "abcdefghi|abcd"),
        _case("an empty candidate among others", "|the house", "a tree|a tree here"),
        _case("an empty reference among others", "the house|", "a tree|a tree here"),
        _case("empty candidates alone", "|abc", "|def"),
        _case("white space alone", "  |abc def", " |\t"),
        _case("no character in common", "abcdefg|hijklmn"),
        _case("no sentences"),
        _case("capitals and punctuation", "The House!|the house."),
        _case("n-grams of another sentence's reference", "abcdefg|mnopqrs", "mnopqrs|abcdefg", "xyzxyz|xyzxyz"),
        _case("a longer candidate, beta = 1", "weathering|weather", beta=1.0),
        _case("a shorter candidate, beta = 3", "weath|weather is fine", beta=3.0),
        _case("a shorter candidate, beta = 0.5", "weath|weather is fine", beta=0.5),
        _case("six sentences of up to sixteen characters", *drawn),
    ]  # fmt: skip


EXERCISE = Exercise(
    id="translation.chrf",
    signature="(candidates, references, beta=2.0)",
    minutes=15,
    difficulty=2,
    cases=_cases,
    finds=search.search,
)
