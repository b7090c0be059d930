"""embeddings.sinusoidal_positions: a wave for each pair of columns."""

from __future__ import annotations

from course.checking.exercise import Case, Exercise, Mistake, Remark, tags, traps
from course.content.embeddings.exercises import waves

_EXPONENT = "(2 * (column // 2) / d_model)"
_RESULT = "torch.where(column % 2 == 0, angle.sin(), angle.cos())"


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
    mistakes=(
        Mistake(
            "column-in-the-exponent",
            ((_EXPONENT, "(column / d_model)"),),
            "The exponent is column / d_model: sine and cosine of a pair then have different frequencies. Both have 2i.",
            "Which i have the columns 4 and 5?",
        ),
        Mistake(
            "without-the-two",
            ((_EXPONENT, "((column // 2) / d_model)"),),
            "The exponent is i / d_model: the 2 is missing, and the waves get only half as slow as they should.",
            "What is the exponent of the last column of a wide table, nearly 1 or nearly 1/2?",
        ),
        Mistake(
            "twice-the-exponent",
            ((_EXPONENT, "(4 * (column // 2) / d_model)"),),
            "The exponent is twice what it should be: where a counter already runs 0, 2, 4, ..., it is the 2i of the formula.",
            "What is the exponent of the columns 2 and 3 of a table of width 8?",
        ),
        Mistake(
            "power-before-division",
            (("10000 ** " + _EXPONENT, "10000 ** (2 * (column // 2)) / d_model"),),
            "`**` binds more tightly than `/`: only 2i stands in the exponent, and d_model divides what comes out.",
            "Where do brackets belong in 10000 ** 2i / d_model?",
        ),
        Mistake(
            "twice-the-column",
            ((_EXPONENT, "(2 * column / d_model)"),),
            "The exponent is 2 * column / d_model. The i of the formula counts pairs, not columns.",
            "Which i have the columns 4 and 5?",
        ),
        Mistake(
            "halves",
            (
                (_EXPONENT, "(2 * (column % ((d_model + 1) // 2)) / d_model)"),
                ("column % 2 == 0", "column < (d_model + 1) // 2"),
            ),
            "All sines stand first and all cosines after them. Here they take turns. Both ways are in use; the paper's is this one.",
            "What stands in column 1?",
        ),
        Mistake(
            "sine-and-cosine-exchanged",
            ((_RESULT, "torch.where(column % 2 == 0, angle.cos(), angle.sin())"),),
            "Sine and cosine are exchanged.",
            "What should position 0 have in column 0: sin 0 or cos 0?",
        ),
        Mistake(
            "sine-only",
            ((_RESULT, "angle.sin()"),),
            "There are sines in all columns.",
            "What stands in the odd columns?",
        ),
        Mistake(
            "parity-of-the-position",
            ((_RESULT, _RESULT.replace("column % 2", "position % 2")),),
            "Even positions get sines in all columns, odd ones cosines. It is the column that decides.",
            "What stands in column 1 of position 0?",
        ),
        Mistake(
            "cosine-only",
            ((_RESULT, "angle.cos()"),),
            "There are cosines in all columns.",
            "What stands in the even columns?",
        ),
        Mistake(
            "multiplied",
            (("position / 10000", "position * 10000"),),
            "The position is multiplied by the power of 10000: the waves get faster and faster instead of slower.",
            "Which column should change most slowly from one position to the next?",
        ),
        Mistake(
            "counted-from-one",
            (("torch.arange(length)", "torch.arange(1, length + 1)"),),
            "The positions begin with 1.",
            "What is the angle of the first token?",
        ),
        Mistake(
            "pairs-counted-from-one",
            ((_EXPONENT, "(2 * (column // 2 + 1) / d_model)"),),
            "The pairs are counted from 1.",
            "What is the exponent of column 0?",
        ),
        Mistake(
            "even-widths-only",
            (
                (
                    "return " + _RESULT,
                    "table = torch.zeros(length, d_model)\n    table[:, 0::2] = angle[:, 0::2].sin()\n    table[:, 1::2] = angle[:, 0::2].cos()\n    return table",
                ),
            ),
            "It fails for an odd d_model: there are more even columns than odd ones, by one.",
            "How many odd columns does a table of width 7 have?",
        ),
        Mistake(
            "last-sine-missing",
            (
                (
                    _RESULT,
                    f"torch.where(column < d_model - d_model % 2, {_RESULT}, 0.0)",
                ),
            ),
            "With an odd d_model the last column stays 0: it is a sine without its cosine, and is missing.",
            "How many sines has a table of width 7, and how many cosines?",
        ),
        Mistake(
            "rounded-width",
            ((_EXPONENT, "(2 * (column // 2) / (d_model + d_model % 2))"),),
            "An odd d_model is rounded up in the exponent. It should stand there as it is.",
            "By what is 2i divided when d_model is 7?",
        ),
        Mistake(
            "width-rounded-down",
            ((_EXPONENT, "(2 * (column // 2) / max(d_model - d_model % 2, 1))"),),
            "An odd d_model is rounded down in the exponent (2 * (d_model // 2)). It should stand there as it is.",
            "By what is 2i divided when d_model is 7?",
        ),
        Mistake(
            "width-minus-one",
            ((_EXPONENT, "(2 * (column // 2) / (d_model - 1))"),),
            "The exponent is divided by d_model - 1. The paper's formula has d_model.",
            "By what is 2i divided in the formula?",
        ),
        Mistake(
            "last-wave-at-the-base",
            ((_EXPONENT, "(2 * (column // 2) / max(d_model - 2, 1))"),),
            "The exponent is divided by d_model - 2, so that it reaches 1. tensor2tensor does that; the paper's formula has d_model.",
            "By what is 2i divided in the formula?",
        ),
        Mistake(
            "a-base-of-a-thousand",
            (("10000", "1000"),),
            "The base is 1000 and not 10000.",
            "How many zeros has the base?",
        ),
        Mistake(
            "a-base-of-a-hundred-thousand",
            (("10000", "100000"),),
            "The base is 100000 and not 10000.",
            "How many zeros has the base?",
        ),
        Mistake(
            "base-e",
            (("10000 ** ", "math.e ** "),),
            "The base is e: `exp(-2i / d_model)` lacks the factor log 10000.",
            "How is 10000 to the power x written with exp?",
        ),
        Mistake(
            "logarithm-to-base-10",
            (("10000 ** ", "math.exp(math.log10(10000.0)) ** "),),
            "`log10` stands where the natural logarithm belongs: exp(log10(10000) x) is not 10000 to the power x.",
            "Which logarithm does exp undo?",
        ),
        Mistake(
            "positions-from-0-to-1",
            (("torch.arange(length)", "torch.linspace(0, 1, length)"),),
            "The positions run from 0 to 1, so that each depends on how long the text is. They are 0, 1, 2, ...",
            "What is the angle of position 2 in column 0?",
        ),
        Mistake(
            "whole-turns",
            (("position / 10000", "2 * math.pi * position / 10000"),),
            "The angles are multiplied by 2 pi. The formula has no pi.",
            "How far apart in radians are two neighbouring positions in column 0?",
        ),
        Mistake(
            "in-degrees",
            (("position / 10000", "math.pi / 180 * position / 10000"),),
            "The angles are taken for degrees.",
            "In which unit do `sin` and `cos` take their angles?",
        ),
        Mistake(
            "whole-division",
            (("position / 10000", "position // 10000"),),
            "`//` rounds down: most angles become 0.",
            "Which division keeps the fraction?",
        ),
        Mistake(
            "no-slower-waves",
            ((" / 10000 ** " + _EXPONENT, " + 0 * column"),),
            "All columns have the same angle, the position itself.",
            "How should column 6 differ from column 0?",
        ),
        Mistake(
            "turned",
            (("return " + _RESULT, f"return {_RESULT}.T"),),
            "The axes are exchanged: (d_model, length).",
            "What should a row of the table belong to?",
        ),
        Mistake(
            "a-batch-axis",
            (("return " + _RESULT, f"return {_RESULT}.unsqueeze(0)"),),
            "The table has an extra axis of size 1 in front.",
            "Which shape is asked for?",
        ),
        Mistake(
            "batch-second",
            (("return " + _RESULT, f"return {_RESULT}.unsqueeze(1)"),),
            "The table has an extra axis of size 1 in the middle: (length, 1, d_model), as in PyTorch's old tutorial.",
            "Which shape is asked for?",
        ),
        Mistake(
            "computed-in-double-precision",
            (
                ("torch.arange(length)", "torch.arange(length, dtype=torch.float64)"),
                ("torch.arange(d_model)", "torch.arange(d_model, dtype=torch.float64)"),
            ),
            "The table is float64, as numpy computes. Asked is the default dtype.",
            "Which dtype has torch.zeros(1)?",
        ),
        Mistake(
            "double-precision",
            (("return " + _RESULT, f"return {_RESULT}.double()"),),
            "The table is float64. Asked is the default dtype.",
            "Which dtype has torch.zeros(1)?",
        ),
    ),
    hints=(
        "Column c belongs to the pair i = c // 2; both columns of a pair have the same angle, one its sine, the other its cosine.",
        "Positions (length, 1) divided by frequencies (d_model,) broadcast to angles (length, d_model).",
        "for every column c:  i <- c // 2\nangle[p, c] <- p / 10000 ** (2i / d_model)\nresult[p, c] <- sin where c is even, cos where c is odd",
        "angle = position / 10000 ** (2 * (column // 2) / d_model)",
    ),
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
