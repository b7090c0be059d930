"""embeddings.sinusoidal_positions: a wave for each pair of columns."""

from __future__ import annotations

from course.checking.exercise import Case, Exercise, Remark, tags, traps
from course.content.embeddings.exercises import waves


def _sinusoidal_cases(seed: int) -> list[Case]:
    def case(length: int, d_model: int, says: str, *names: str) -> Case:
        return Case((length, d_model), says, {"length": length, "D": d_model}, tags(*names))

    odd = "an odd d_model"
    return [
        case(2, 4, "2 positions of width 4"),
        case(3, 6, "3 positions of width 6"),
        case(1, 4, "a single position", "a single position"),
        case(4, 2, "width 2", "d_model 2"),
        case(5, 1, "width 1", odd, "d_model 1"),
        case(5, 3, "width 3", odd),
        case(6, 7, "width 7", odd),
        case(7, 9, "width 9", odd),
        case(8, 8, "as many positions as columns", "as many positions as columns"),
        case(16, 12, "16 positions of width 12"),
        case(64, 32, "64 positions of width 32"),
        case(64, 33, "64 positions of width 33", odd),
        case(10, 128, "width 128"),
    ]


EXERCISE = Exercise(
    id="embeddings.sinusoidal_positions",
    signature="(length, d_model)",
    minutes=20,
    difficulty=2,
    cases=_sinusoidal_cases,
    finds=waves.finds,
    axes=(("position", "column"),),
    remarks=(
        Remark(
            "float32-whatever-the-default",
            Case((3, 4), "3 positions of width 4"),
            traps.other_dtype,
            "The result is float32 even where torch's default dtype is another (`dtype=torch.float32` and "
            "`.float()` fix it). After `torch.set_default_dtype(torch.float64)` a model's weights are float64, "
            "and this table is the one tensor that does not fit. `torch.get_default_dtype()` says which is the default.",
            default_dtype="float64",
        ),
    ),
)
