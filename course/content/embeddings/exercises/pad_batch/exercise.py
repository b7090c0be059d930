"""embeddings.pad_batch: one tensor for texts of different lengths."""

from __future__ import annotations

from course.checking.exercise import Case, Exercise, tags


def _pad_cases(seed: int) -> list[Case]:
    def case(sequences: list[list[int]], pad_id: int, says: str, *names: str) -> Case:
        sizes = {"B": len(sequences), "S": max(map(len, sequences))}
        return Case((sequences, pad_id), says, sizes, tags(*names))

    return [
        case([[7], [8, 9]], 0, "two sequences"),
        case([[5, 6, 7], [8], [9, 4]], 1, "three sequences, pad_id 1", "a pad_id other than 0"),
        case([[3, 1], [4, 1, 5, 9]], 77, "pad_id 77", "a pad_id other than 0"),
        case([[5, 6, 7, 8, 9]], 2, "one sequence", "no padding"),
        case([[2, 3], [4, 5], [6, 7]], 9, "three sequences of one length", "no padding"),
        case([[], [6, 5]], 3, "an empty sequence first", "an empty sequence"),
        case([[4, 5, 6], [], [1]], 8, "an empty sequence between others", "an empty sequence"),
        case([[], []], 4, "nothing but empty sequences", "nothing but empty sequences"),
        case([[]], 4, "one empty sequence", "nothing but empty sequences"),
        case(
            [[9, 0, 5], [0], [6, 7, 8, 0, 0]],
            0,
            "texts that hold pad_id themselves",
            "texts that hold pad_id themselves",
        ),
        case([[3, 2, 2, 4], [2, 2]], 2, "pad_id within texts", "texts that hold pad_id themselves"),
        case([[70000, 2**40], [1, 2, 3]], 5, "large ids", "large ids"),
        case([[5, 1, 4, 2], [3, 9, 8], [7, 6], [1]], 11, "shorter and shorter"),
        case([[3, 4], list(range(2, 602))], 1, "a text of 600 tokens", "long texts"),
    ]


EXERCISE = Exercise(
    id="embeddings.pad_batch",
    signature="(sequences, pad_id)",
    minutes=15,
    difficulty=2,
    cases=_pad_cases,
    axes=(("B", "S"), ("B", "S")),
    results=("ids", "mask"),
)
