"""feed_forward.count_parameters: the parameters of one encoder layer."""

from __future__ import annotations

from course.checking.exercise import Case, Exercise, Landmark, tags
from course.content.feed_forward.exercises.count_parameters import search


def _count_cases(seed: int) -> list[Case]:
    sizes = [
        (4, 2, 8, "a width of 4, 2 heads, an inner width of 8"),
        (384, 12, 1536, "MiniLM's layer"),
        (512, 8, 2048, "the base model of Vaswani et al."),
        (768, 12, 3072, "BERT base"),
        (12, 3, 5, "an inner width below the width of the model"),
        (10, 1, 30, "a single head"),
        (6, 6, 7, "heads of width 1"),
        (5, 5, 5, "all sizes the same"),
        (64, 4, 100 + seed % 7, "an inner width that is no multiple of the width"),
        (1, 1, 1, "everything of size 1"),
    ]
    return [
        Case(
            (d_model, nhead, inner),
            says,
            {"D": d_model, "H": nhead, "F": inner},
            tags(*(["F other than 4 D"] if inner != 4 * d_model else [])),
        )
        for d_model, nhead, inner, says in sizes
    ]


EXERCISE = Exercise(
    id="feed_forward.count_parameters",
    signature="(d_model, nhead, dim_feedforward)",
    minutes=10,
    difficulty=1,
    cases=_count_cases,
    finds=search.finds,
    landmarks=(
        Landmark("the attention's parameters alone", lambda d, h, f: 4 * d * (d + 1)),
        Landmark("the feed-forward network's alone", lambda d, h, f: 2 * d * f + f + d),
        Landmark("the matrices' parameters alone", lambda d, h, f: 4 * d * d + 2 * d * f),
        Landmark("the bytes in float32", lambda d, h, f: 4 * _count(d, f)),
        Landmark("twice the parameters", lambda d, h, f: 2 * _count(d, f)),
    ),
)


def _count(d_model: int, inner: int) -> int:
    return 4 * d_model * (d_model + 1) + 2 * d_model * inner + inner + d_model + 4 * d_model
