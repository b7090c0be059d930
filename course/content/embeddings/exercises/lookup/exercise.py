"""embeddings.lookup: rows of a table."""

from __future__ import annotations

import torch

from course.checking.exercise import Case, Exercise, Landmark, tags
from course.checking.exercise.draw import Draw


def _lookup_cases(seed: int) -> list[Case]:
    draw = Draw(seed)

    def case(rows: int, width: int, ids: list[list[int]], says: str, *names: str) -> Case:
        sizes = {"V": rows, "D": width, "B": len(ids), "S": len(ids[0])}
        return Case((draw.normal(rows, width), torch.tensor(ids)), says, sizes, tags(*names))

    return [
        case(3, 2, [[2, 1]], "one text of two tokens", "one text"),
        case(6, 4, [[5, 1, 3], [2, 2, 4]], "two texts of three tokens", "a token twice"),
        case(7, 3, [[0, 6, 0, 2], [1, 0, 0, 5]], "ids of 0", "ids of 0", "a token twice"),
        case(9, 5, [[4], [3], [7]], "texts of one token", "texts of one token"),
        case(4, 1, [[3, 1], [2, 0]], "vectors of one number", "ids of 0"),
        case(5, 5, [[1, 2, 3, 4, 1], [4, 3, 2, 1, 4]], "as many rows as columns", "a token twice"),
        case(12, 3, [[1, 2, 1], [2, 3, 1]], "a table with many unused rows", "unused rows"),
        case(8, 6, [[3]], "a single token", "one text", "a single token"),
        case(50, 16, torch.randint(50, (4, 7), generator=draw.generator).tolist(), "four texts"),
    ]


EXERCISE = Exercise(
    id="embeddings.lookup",
    signature="(weight, ids)",
    minutes=5,
    difficulty=1,
    cases=_lookup_cases,
    landmarks=(
        Landmark(
            "the mean of each text's vectors, in every place",
            lambda w, i: w[i].mean(1, keepdim=True).expand(*i.shape, w.shape[1]),
        ),
        Landmark(
            "the first token's vector, in every place",
            lambda w, i: w[i[:, :1]].expand(*i.shape, w.shape[1]),
        ),
        Landmark(
            "the vectors, scaled to length 1",
            lambda w, i: torch.nn.functional.normalize(w[i], dim=-1),
        ),
        Landmark(
            "the first rows of the table, whatever the ids are",
            lambda w, i: w[: i.shape[1]].expand(*i.shape, w.shape[1]),
        ),
    ),
    axes=(("B", "S", "D"),),
)
