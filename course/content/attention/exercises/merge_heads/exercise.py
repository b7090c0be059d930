"""attention.merge_heads: joining the heads again."""

from __future__ import annotations

from course.checking.exercise import Case, Exercise, tags
from course.checking.exercise.cases import holding
from course.checking.exercise.draw import Draw
from course.content.attention.exercises.heads import OF_HEADS


def _cases(seed: int) -> list[Case]:
    draw = Draw(seed)

    def case(says: str, batch: int, nhead: int, length: int, d_head: int) -> Case:
        sizes = {"B": batch, "S": length, "H": nhead, "Dh": d_head}
        args = (draw.normal(batch, nhead, length, d_head),)
        return Case(args, says, sizes, tags(*holding(OF_HEADS, sizes)))

    return [
        case("1 sequence, 2 heads, 2 tokens, width 3", 1, 2, 2, 3),
        case("2 sequences, 3 heads, 5 tokens, width 4", 2, 3, 5, 4),
        case("3 sequences, one head, 4 tokens, width 6", 3, 1, 4, 6),
        case("2 sequences, 5 heads, 3 tokens, width 1", 2, 5, 3, 1),
        case("1 sequence, 12 heads, 7 tokens, width 32", 1, 12, 7, 32),
        case("2 sequences, 4 heads, 4 tokens, width 4", 2, 4, 4, 4),
        case("2 sequences, 3 heads, one token, width 2", 2, 3, 1, 2),
    ]


EXERCISE = Exercise(
    id="attention.merge_heads",
    signature="(x)",
    minutes=10,
    difficulty=2,
    cases=_cases,
    axes=(("B", "S", "D"),),
)
