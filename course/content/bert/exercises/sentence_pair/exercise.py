"""bert.sentence_pair: two texts in one input, and which token belongs to which."""

from __future__ import annotations

from course.checking.exercise import Case, Exercise, tags
from course.content.bert.exercises.sentence_pair import search

CLS, SEP = 101, 102


def _texts(first: int, second: int) -> tuple[list[int], list[int]]:
    """Ids of two texts that have none in common: each tells its text and place."""
    return [11 + place for place in range(first)], [61 + place for place in range(second)]


def _cases(seed: int) -> list[Case]:
    def case(says: str, first: int, second: int, most: int, *names: str) -> Case:
        size = first + second + 3
        cut = "a pair that is too long" if size > most else "a pair that fits"
        sizes = {"first": first, "second": second, "max_length": most}
        names = (cut, *names, *(["an empty text"] if not first * second else []))
        names = (*names, *(["a pair of just max_length"] if size == most else []))
        return Case((*_texts(first, second), CLS, SEP, most), says, sizes, tags(*names))

    others = ([5, 5, 5], [5, 5], 1, 5, 7)
    twice = ([7, 8, 9, 7], [5, 6], 1, 2, 8)
    return [
        case("texts of 3 and 2 tokens, room for 20", 3, 2, 20),
        case("texts of 3 and 2 tokens, room for just these", 3, 2, 8),
        case("texts of 2 and 4 tokens, room for 8: one too many", 2, 4, 8, "a longer second text"),
        case("texts of 5 and 2 tokens, room for 8: two too many", 5, 2, 8, "a longer first text"),
        case("two texts of 3 tokens, room for 8: one too many", 3, 3, 8, "two texts of one length"),
        case("two texts of 4 tokens, room for 8: three too many", 4, 4, 8, "two texts of one length"),
        case("texts of 7 and 3 tokens, room for 8: five too many", 7, 3, 8, "a longer first text"),
        case("texts of 2 and 9 tokens, room for 6: eight too many", 2, 9, 6, "a longer second text"),
        Case(twice, "a first text that ends as it begins, one too many",
             {"first": 4, "second": 2, "max_length": 8},
             tags("a pair that is too long", "a longer first text", "a token that stands twice")),
        case("an empty second text", 4, 0, 10),
        case("an empty first text, the second too long", 0, 6, 7, "a longer second text"),
        case("two empty texts", 0, 0, 3, "two empty texts"),
        case("room for the special tokens alone", 4, 3, 3, "room for no text"),
        case("texts of 60 and 30 tokens, room for 64", 40 + seed % 5, 30, 64, "a longer first text"),
        Case(others, "ids that are sep_id themselves", {"first": 3, "second": 2, "max_length": 7},
             tags("a pair that is too long", "ids that are sep_id themselves")),
    ]  # fmt: skip


EXERCISE = Exercise(
    id="bert.sentence_pair",
    signature="(first, second, cls_id, sep_id, max_length)",
    minutes=15,
    difficulty=2,
    cases=_cases,
    finds=search.search,
    axes=((), ()),
    results=("ids", "type ids"),
)
