"""embeddings.rotary: vectors turned by their positions."""

from __future__ import annotations

import torch
from torch import Tensor

from course.checking.exercise import Case, Exercise, Landmark, Mistake, tags
from course.checking.exercise.draw import Draw
from course.content.embeddings.exercises import waves

_EXPONENT = "torch.arange(0, d_head, 2, dtype=dtype, device=x.device) / d_head"
_PAIRS = "a, b = x[..., 0::2], x[..., 1::2]"
_TURNED = "torch.stack((a * cos - b * sin, a * sin + b * cos), dim=-1)"
_RETURN = "return turned.flatten(-2).to(x.dtype)"


def _rotary_cases(seed: int) -> list[Case]:
    draw = Draw(seed)

    def case(
        shape: tuple[int, ...],
        positions: Tensor,
        says: str,
        *names: str,
        base: float | None = None,
        dtypes: tuple[str, ...] = (),
    ) -> Case:
        sizes = dict(zip(("Dh", "S", "H", "B"), reversed(shape), strict=False))
        args = (draw.normal(*shape), positions)
        return Case(
            args if base is None else (*args, base), says, sizes, tags(*names), dtypes=dtypes
        )

    each = torch.tensor([[0, 1, 2], [5, 3, 0]])
    of_batch = torch.tensor([[[0, 4, 2, 6, 1]], [[3, 3, 9, 0, 7]]])
    between = torch.tensor([0.5, 2.25, 7.75, 3.0], dtype=torch.float64)
    return [
        case((2, 2), torch.tensor([0, 1]), "two tokens, one pair"),
        case((3, 4), torch.arange(3), "three tokens, two pairs"),
        case((2, 1, 6), torch.tensor([5]), "one token at position 5", "positions not from 0"),
        case((4, 8), torch.tensor([7, 2, 2, 11]), "positions in any order", "positions not from 0"),
        case((2, 5, 6), torch.arange(5), "a batch", "a batch axis"),
        case((2, 3, 4, 10), torch.arange(4) + 3, "a batch and heads", "a batch and heads"),
        case((4, 4, 4, 4), torch.arange(4), "all sizes 4", "sizes that are all the same"),
        case((2, 3, 8), each, "positions of each text", "positions (B, S)"),
        case((2, 3, 5, 4), of_batch, "positions (B, 1, S)", "positions (B, 1, S)"),
        case((3, 6), torch.arange(3) + 1, "base 100", "another base", base=100.0),
        case((2, 4, 8), torch.arange(4) + 2, "base 500000", "another base", base=500000.0),
        case((4, 6), between, "positions between whole numbers", "floating positions"),
        case(
            (3, 8),
            torch.tensor([257, 301, 399]),
            "positions around 300",
            "positions above 256",
            dtypes=("float64", "bfloat16", "float16"),
        ),
        case(
            (3, 6),
            torch.tensor([2049, 4095, 5001]),
            "positions around 4000",
            "positions above 2048",
            dtypes=("float64", "bfloat16", "float16"),
        ),
        case(
            (2, 4),
            torch.tensor([69999, 70001]),
            "positions around 70000",
            "positions above 65504",
            dtypes=("float64", "bfloat16", "float16"),
        ),
        case((5, 4), torch.zeros(5, dtype=torch.int64), "position 0 for all", "position 0 alone"),
    ]


def _half(x: Tensor, positions: Tensor, base: float = 10000.0) -> Tensor:
    """The other pairing: x[i] with x[i + Dh/2]."""
    width = x.shape[-1]
    rates = base ** -(torch.arange(0, width, 2, dtype=torch.float64) / width)
    angle = positions.double().unsqueeze(-1) * rates
    a, b = x.double().chunk(2, -1)
    return torch.cat((a * angle.cos() - b * angle.sin(), a * angle.sin() + b * angle.cos()), -1)


EXERCISE = Exercise(
    id="embeddings.rotary",
    signature="(x, positions, base=10000.0)",
    minutes=30,
    difficulty=3,
    cases=_rotary_cases,
    finds=waves.turns,
    landmarks=(
        Landmark("x itself, not turned at all", lambda x, positions, base=1e4: x.double()),
        Landmark(
            "turned by the other pairing, x[i] with x[i + Dh/2], and the angles negative",
            lambda x, positions, base=1e4: _half(x, -positions, base),
        ),
    ),
    mistakes=(
        Mistake(
            "half-with-half",
            (
                (_PAIRS, "a, b = x.chunk(2, dim=-1)"),
                (_TURNED, "torch.cat((a * cos - b * sin, a * sin + b * cos), dim=-1)"),
                (_RETURN, "return turned.to(x.dtype)"),
            ),
            "The pairs are (x[i], x[i + Dh/2]), the first half with the second, as in Hugging Face's `rotate_half`. Here neighbours are a pair, as in the paper.",
            "With which number is x[0] turned together?",
        ),
        Mistake(
            "neighbours-put-into-halves",
            (
                (_TURNED, "torch.cat((a * cos - b * sin, a * sin + b * cos), dim=-1)"),
                (_RETURN, "return turned.to(x.dtype)"),
            ),
            "Neighbours are turned, but the results are put one half after the other (`cat`) instead of taking turns.",
            "Which two places of the result belong to the first pair?",
        ),
        Mistake(
            "halves-put-into-neighbours",
            ((_PAIRS, "a, b = x.chunk(2, dim=-1)"),),
            "The first half is turned with the second, and the results are put into neighbouring places.",
            "Which two places of x belong to the first pair?",
        ),
        Mistake(
            "angles-laid-out-for-halves",
            (
                (
                    _RETURN,
                    "both = torch.cat((angle, angle), dim=-1)\n    quarter = torch.stack((-b, a), dim=-1).flatten(-2)\n    return (x * both.cos() + quarter * both.sin()).to(x.dtype)",
                ),
            ),
            "Neighbours are turned, but their angles are laid out for halves (`cat((angle, angle))`, `repeat`): the two numbers of a pair get different angles.",
            "Which angles stand at the places 0 and 1 of cat((angle, angle)), and which should?",
        ),
        Mistake(
            "added-not-turned",
            ((_TURNED, "torch.stack((a + sin, b + cos), dim=-1)"),),
            "Sine and cosine are added to the vector, as sinusoidal positions are. Here the vector is turned.",
            "What should the length of a vector be after the turn?",
        ),
        Mistake(
            "the-other-way-round",
            ((_TURNED, "torch.stack((a * cos + b * sin, b * cos - a * sin), dim=-1)"),),
            "The vectors are turned by -t: the signs of the two sines are exchanged.",
            "Where does (1, 0) go when it is turned by a small positive angle: up or down?",
        ),
        Mistake(
            "both-signs-minus",
            ((_TURNED, "torch.stack((a * cos - b * sin, a * sin - b * cos), dim=-1)"),),
            "The second number has a minus where there should be a plus: this is a mirror and not a turn.",
            "What should come of (0, 1) at position 0?",
        ),
        Mistake(
            "both-signs-plus",
            ((_TURNED, "torch.stack((a * cos + b * sin, a * sin + b * cos), dim=-1)"),),
            "The first number has a plus where there should be a minus: this doesn't keep the length.",
            "What is the length of (1, 1) before and after?",
        ),
        Mistake(
            "sine-and-cosine-exchanged",
            (("cos, sin = angle.cos(), angle.sin()", "cos, sin = angle.sin(), angle.cos()"),),
            "Sine and cosine are exchanged.",
            "What should come of a vector at position 0?",
        ),
        Mistake(
            "numbers-not-mixed",
            ((_TURNED, "torch.stack((a * cos, b * sin), dim=-1)"),),
            "Each number is multiplied by a cosine or a sine, but the two of a pair don't mix.",
            "Which numbers does the first one of a turned pair consist of?",
        ),
        Mistake(
            "without-the-two",
            ((_EXPONENT, _EXPONENT.replace("/ d_head", "/ (2 * d_head)")),),
            "The exponent is i / Dh: the 2 is missing, and the planes turn faster than they should.",
            "What is the exponent of the last pair of a wide vector, nearly -1 or nearly -1/2?",
        ),
        Mistake(
            "twice-the-exponent",
            ((_EXPONENT, _EXPONENT.replace("/ d_head", "/ (d_head // 2)")),),
            "The exponent is twice what it should be: 2i is divided by the number of pairs, Dh / 2, instead of by Dh.",
            "What is the exponent of the last pair of a wide vector, nearly -1 or nearly -2?",
        ),
        Mistake(
            "faster-and-faster",
            (("base**-exponent", "base**exponent"),),
            "The exponent is positive: later pairs turn faster instead of slower.",
            "Which pair should turn most slowly?",
        ),
        Mistake(
            "base-left-out",
            (("base**-exponent", "10000.0**-exponent"),),
            "The base is 10000, whatever the argument says.",
            "Where does `base` enter?",
        ),
        Mistake(
            "all-pairs-alike",
            (("base**-exponent", "base ** -(0 * exponent)"),),
            "All pairs turn by the same angle, the position itself.",
            "How does the angle of pair i depend on i?",
        ),
        Mistake(
            "positions-left-out",
            (("positions.to(dtype)", "torch.arange(x.shape[-2], dtype=dtype, device=x.device)"),),
            "The positions 0, 1, 2, ... are used, whatever came in `positions`.",
            "At which position does a token stand when `positions` is [5]?",
        ),
        Mistake(
            "positions-of-one-axis",
            (("positions.to(dtype).unsqueeze(-1)", "positions.to(dtype).reshape(-1, 1)"),),
            "The positions are taken for a single axis (`reshape(-1, 1)` and `torch.outer` do that). They may be (B, 1, S), a row for each text of a batch.",
            "Which shape has positions[..., None] when positions is (B, 1, S)?",
        ),
        Mistake(
            "positions-made-whole",
            (("positions.to(dtype)", "positions.long().to(dtype)"),),
            "The positions are made whole numbers. They may be floating, such as 2.25.",
            "By which angle is the first pair turned at position 0.5?",
        ),
        Mistake(
            "counted-from-one",
            (("positions.to(dtype)", "(positions.to(dtype) + 1)"),),
            "The positions are moved by one.",
            "By which angle is a token at position 0 turned?",
        ),
        Mistake(
            "whole-turns",
            (("positions.to(dtype)", "(2 * math.pi * positions.to(dtype))"),),
            "The angles are multiplied by 2 pi. The formula has no pi.",
            "By how many radians is the first pair turned at position 1?",
        ),
        Mistake(
            "angles-in-the-dtype-of-x",
            (("torch.float64 if x.dtype == torch.float64 else torch.float32", "x.dtype"),),
            "The angles are computed in the dtype of x. In half precision neighbouring positions above 256 (bfloat16) or 2048 (float16) become the same.",
            "In which dtype are the angles asked for?",
        ),
        Mistake(
            "angles-in-float32",
            (("torch.float64 if x.dtype == torch.float64 else torch.float32", "torch.float32"),),
            "The angles are float32 also where x is float64.",
            "In which dtype are the angles asked for?",
        ),
        Mistake(
            "result-in-float32",
            ((".to(x.dtype)", ""),),
            "In half precision the result comes out as float32: the angles' dtype wins.",
            "Which dtype should the result have?",
        ),
        Mistake(
            "on-the-cpu",
            ((", device=x.device", ""),),
            "The exponents are made on the CPU; on a GPU the product would fail.",
            "Which argument of torch.arange says where its result lives?",
        ),
        Mistake(
            "changes-its-input",
            (
                (
                    _RETURN,
                    "y = x.detach()\n    y[..., 0::2], y[..., 1::2] = (part.to(x.dtype) for part in turned.detach().unbind(-1))\n    return turned.flatten(-2).to(x.dtype)",
                ),
            ),
            "It writes the turned numbers into the caller's own x.",
            "What does the caller find in x after the call?",
        ),
        Mistake(
            "first-number-overwritten",
            (
                (
                    _TURNED,
                    "torch.stack((a * cos - b * sin, (a * cos - b * sin) * sin + b * cos), dim=-1)",
                ),
            ),
            "The second number is computed with the new first number, not with the old one.",
            "Which a stands in the second formula: the one before the turn or the one after?",
        ),
        Mistake(
            "first-pair-only",
            (("base**-exponent", "torch.where(exponent == 0, 1.0, 0.0).to(dtype)"),),
            "Only the first pair is turned.",
            "By which angle is the second pair turned at position 1?",
        ),
        Mistake(
            "heads-after-tokens",
            (
                (
                    "positions.to(dtype).unsqueeze(-1) * base**-exponent",
                    "(positions.to(dtype).unsqueeze(-1) * base**-exponent).unsqueeze(-2)",
                ),
            ),
            "x is taken for (B, S, H, Dh), with the heads after the tokens. Here the tokens stand just before Dh.",
            "Which axis of x is S?",
        ),
        Mistake(
            "pairs-not-joined",
            ((_RETURN, "return turned.to(x.dtype)"),),
            "The pairs are left in an axis of their own: (..., S, Dh / 2, 2).",
            "Which shape is asked for?",
        ),
        Mistake(
            "cut-from-the-gradient",
            ((_PAIRS, "x = x.detach()\n    " + _PAIRS),),
            "The result is cut off from x (`detach`, `.data`, `no_grad`, `torch.tensor(...)` or numpy).",
            "Which line leaves PyTorch's record of the computation?",
        ),
    ),
    hints=(
        "Each pair of neighbours is a point in a plane, and is turned by its own angle. The first pair turns fastest.",
        "exponents 2i / Dh (Dh / 2,); angles (..., S, 1) * (Dh / 2,) -> (..., S, Dh / 2); a and b (..., S, Dh / 2); stacked (..., S, Dh / 2, 2); flattened (..., S, Dh).",
        "angle[s, i] <- positions[s] * base ** (-2i / Dh), in float32 or float64\na <- x at the even places, b <- x at the odd places\nfirst <- a cos - b sin;  second <- a sin + b cos\nlet first and second take turns again; back to the dtype of x",
        "torch.stack((a * cos - b * sin, a * sin + b * cos), dim=-1).flatten(-2)",
    ),
    axes=(("S", "Dh"),),
)
