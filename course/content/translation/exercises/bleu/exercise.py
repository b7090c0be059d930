"""translation.bleu: how many n-grams of the translations stand in the references."""

from __future__ import annotations

from course.checking.exercise import Case, Exercise, Remark, tags
from course.content.translation.exercises import corpora
from course.content.translation.exercises.bleu import search


def _case(says: str, *pairs: str, joined: str = " ", names: tuple[str, ...] = ()) -> Case:
    """`pairs` are "candidate | reference", cut into words at spaces (or at `joined`)."""
    sides = [[corpora.words(side, joined) for side in pair.split("|")] for pair in pairs]
    candidates, references = [one for one, _ in sides], [other for _, other in sides]
    ours, theirs = sum(map(len, candidates)), sum(map(len, references))
    shared, _ = corpora.counts(candidates, references, 4)
    names = (*names, "one sentence" if len(pairs) == 1 else "several sentences")
    if ours != theirs:
        names = (
            *names,
            "more words than the references"
            if ours > theirs
            else "fewer words than the references",
        )
    else:
        names = (*names, "as many words as the references")
    names = (*names, *([] if all(shared) else ["a score of 0"]))
    names = (*names, *([] if all(candidates) else ["an empty candidate"]))
    names = (*names, *(["a repeated n-gram"] if corpora.repeats(candidates, 4) else []))
    names = (
        *names,
        *(
            ["a candidate of fewer than four words"]
            if any(0 < len(c) < 4 for c in candidates)
            else []
        ),
    )
    sizes = {"candidates": ours, "references": theirs, "sentences": len(pairs)}
    return Case((candidates, references), says, sizes, tags(*names))  # fmt: skip


def _cases(seed: int) -> list[Case]:
    drawn = corpora.drawn(
        seed, ["the", "a", "cat", "dog", "sat", "ran", "on", "by", "mat", "and"], 7, (4, 13)
    )
    return [
        _case("six words, the last of them another", "the cat sat on the mat|the cat sat on the rug"),
        _case("a translation that is its reference", "the cat sat on the mat|the cat sat on the mat"),
        _case("two words fewer than the reference", "the cat sat on a mat|the cat sat on a mat in spring"),
        _case("three words more than the reference", "the cat sat on a mat and was glad|the cat sat on a mat"),
        _case("a word too often", "the the the cat sat on the mat|the cat sat on the mat"),
        _case("a pair of words too often", "a b a b c d e a b|a b c d e x y z w"),
        _case("a pair of words often in both", "a b a b a b c d|a b a b c d a b"),
        _case("a word more often in the reference", "a b c d e f|a a b c d e a"),
        _case("two sentences, one with a word of its own", "he reads a long book now|he reads a long book now",
              "she sees the old red house|she sees the old house"),
        _case("two sentences, one without four words in a row", "he reads a long book now|he reads a long book now",
              "she likes old houses|she sees red houses"),
        _case("three sentences, one shorter and one longer than its reference",
              "it rains in the old town|it rains in the old town today", "we go home by train at ten|we go home by train",
              "i see a green tree there|i see a green tree there"),
        _case("a candidate of three words among longer ones", "yes , please|yes , please",
              "give me the other book today|give me the other book"),
        _case("an empty candidate among others", "|nothing was said", "give me the other book|give me the other book"),
        _case("an empty reference", "a few words|", "give me the other book|give me the other book"),
        _case("n-grams of another sentence's reference", "a b c d e|v w x y z", "v w x y z|a b c d e",
              "one two three four five|one two three four five"),
        _case("the same words in another order", "mat the on sat cat the|the cat sat on the mat"),
        _case("three words in a row and not four", "a b c x d e f|a b c y d e f"),
        _case("sentences of three words", "a b c|a b c", "d e f|d e f"),
        _case("no word in common", "a b c d e|v w x y z"),
        _case("empty candidates alone", "|a b c d", "|e f g h"),
        _case("no sentences"),
        _case("words that differ in a capital", "The cat sat on the Mat now|the cat sat on the mat now"),
        _case("words that give the same text without spaces", "a bc d e f g h|ab c d e f g h"),
        _case("four words alike at the end", "x y a b c d|v w a b c d"),
        _case("one word fewer in a long text", "a b c d e f g h i j k l|a b c d e f g h i j k l m"),
        _case("characters in place of words", "3月6日星期四|3月5日星期四", joined=""),
        _case("seven sentences of up to thirteen words", *drawn),
    ]  # fmt: skip


EXERCISE = Exercise(
    id="translation.bleu",
    signature="(candidates, references)",
    minutes=25,
    difficulty=2,
    cases=_cases,
    finds=search.search,
    remarks=(
        Remark(
            "joined-with-spaces",
            Case(
                (
                    [["New", "York City", "is", "large", "and", "loud"]],
                    [["New York", "City", "is", "large", "and", "loud"]],
                ),
                "words with a space in them",
            ),
            lambda came, wanted: abs(came - wanted) > 1e-9,
            "The score is right as long as no word has a space in it. With spaces between its words, the pair "
            '"New" and "York City" is the same string as "New York" and "City"; a tuple of words keeps them apart.',
        ),
    ),
)
