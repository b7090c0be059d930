"""embeddings.cosine_similarity: every vector with every other."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from course.checking.exercise import (
    Case,
    Exercise,
    Landmark,
    Mistake,
    Remark,
    directions,
    tags,
    traps,
)
from course.checking.exercise.draw import Draw

_A = "    a = a / a.norm(dim=-1, keepdim=True).clamp(min=1e-12)"
_B = "    b = b / b.norm(dim=-1, keepdim=True).clamp(min=1e-12)"
_RESULT = "return a @ b.T"


def _cosine_cases(seed: int) -> list[Case]:
    draw = Draw(seed)

    def case(n: int, m: int, width: int, says: str, *names: str) -> Case:
        sizes = {"N": n, "M": m, "D": width}
        return Case((draw.normal(n, width), draw.normal(m, width)), says, sizes, tags(*names))

    zeros, others = draw.normal(3, 4), draw.normal(5, 4)
    zeros[1] = 0.0
    others[3] = 0.0
    short, also_short = draw.normal(3, 5), draw.normal(2, 5)
    short[0] *= 2e-6 / short[0].norm()
    also_short[1] *= 3e-6 / also_short[1].norm()
    long, also_long = 30 * draw.normal(2, 6), 20 * draw.normal(4, 6)
    same = draw.normal(4, 7)
    blank = torch.zeros(1, 4, dtype=torch.float64)
    return [
        case(2, 3, 2, "two vectors with three"),
        case(4, 3, 5, "four vectors with three"),
        case(1, 1, 3, "one vector with one", "one vector"),
        case(1, 4, 6, "one vector with four", "one vector"),
        case(5, 1, 2, "five vectors with one", "one vector"),
        case(3, 3, 4, "three with three", "as many in a as in b"),
        case(4, 2, 4, "as many vectors as numbers", "as many vectors as numbers"),
        case(6, 5, 1, "vectors of one number", "vectors of one number"),
        Case((long, also_long), "long vectors", {"N": 2, "M": 4, "D": 6}, tags("long vectors")),
        Case(
            (same, 3 * same[:2]),
            "the same directions",
            {"N": 4, "M": 2, "D": 7},
            tags("the same directions"),
        ),
        Case(
            (short, also_short),
            "very short vectors",
            {"N": 3, "M": 2, "D": 5},
            tags("very short vectors (is the number that guards against a length of 0 too large?)"),
            dtypes=("float64", "float32"),
            differentiable=False,
        ),
        Case(
            (zeros, others),
            "a zero vector on both sides",
            {"N": 3, "M": 5, "D": 4},
            tags("zero vectors"),
            dtypes=("float64", "float32", "bfloat16"),
            differentiable=False,
            regions={"places of zero vectors": ~(zeros.any(1, keepdim=True) & others.any(1))},
        ),
        Case(
            (blank, others[:2]),
            "a zero vector alone",
            {"N": 1, "M": 2, "D": 4},
            tags("zero vectors", "one vector"),
            dtypes=("float64", "float32", "bfloat16"),
            differentiable=False,
            regions={"places of zero vectors": torch.ones(1, 2, dtype=torch.bool)},
        ),
    ]


EXERCISE = Exercise(
    id="embeddings.cosine_similarity",
    signature="(a, b)",
    minutes=15,
    difficulty=2,
    cases=_cosine_cases,
    finds=directions.finds,
    landmarks=(
        Landmark("the Euclidean distance", lambda a, b: torch.cdist(a, b)),
        Landmark(
            "the distance on the unit sphere",
            lambda a, b: torch.cdist(F.normalize(a, dim=-1), F.normalize(b, dim=-1)),
        ),
        Landmark("the dot products, divided by D", lambda a, b: a @ b.T / a.shape[1]),
        Landmark("the scaled dot products of attention", lambda a, b: a @ b.T / a.shape[1] ** 0.5),
        Landmark("a softmax of the dot products", lambda a, b: (a @ b.T).softmax(-1)),
        Landmark(
            "a softmax of the similarities",
            lambda a, b: (F.normalize(a, dim=-1) @ F.normalize(b, dim=-1).T).softmax(-1),
        ),
    ),
    mistakes=(
        Mistake(
            "dot-product",
            ((_A + "  # (N, D), rows of length 1\n", ""), (_B + "  # (M, D)\n", "")),
            "These are plain dot products: long vectors count for more.",
            "What should the similarity of a vector with twice itself be?",
        ),
        Mistake(
            "b-not-scaled",
            ((_B + "  # (M, D)\n", ""),),
            "Only a is scaled to length 1; the length of b still counts.",
            "Which lengths does the formula divide by?",
        ),
        Mistake(
            "a-not-scaled",
            ((_A + "  # (N, D), rows of length 1\n", ""),),
            "Only b is scaled to length 1; the length of a still counts.",
            "Which lengths does the formula divide by?",
        ),
        Mistake(
            "nan-at-zero",
            ((".clamp(min=1e-12)", ""),),
            "A zero vector has length 0, and 0 / 0 is NaN.",
            "What is the similarity with a zero vector to be, and where does NaN come from?",
        ),
        Mistake(
            "epsilon-added",
            ((".clamp(min=1e-12)", ".add(1e-8)"),),
            "A small number is added to every length: very short vectors come out too short.",
            "Which lengths alone need protecting?",
        ),
        Mistake(
            "larger-epsilon-added",
            ((".clamp(min=1e-12)", ".add(1e-6)"),),
            "A small number (1e-6) is added to every length, which moves all results a little.",
            "Which lengths alone need protecting?",
        ),
        Mistake(
            "short-vectors-taken-for-zero",
            ((".clamp(min=1e-12)", ".clamp(min=1e-5)"),),
            "The smallest length that is divided by is too large: vectors of length 1e-6 should come out with length 1 too.",
            "How short may a vector be that is not zero?",
        ),
        Mistake(
            "product-of-lengths-clamped",
            (
                (
                    _A + "  # (N, D), rows of length 1\n",
                    "    lengths = a.norm(dim=-1, keepdim=True) * b.norm(dim=-1)\n",
                ),
                (_B + "  # (M, D)\n", ""),
                (_RESULT, "return a @ b.T / lengths.clamp(min=1e-8)"),
            ),
            "The product of two lengths is clamped at 1e-8: with two vectors of length 1e-6 it is 1e-12.",
            "How small can the product of two lengths be, if each is at least 1e-6?",
        ),
        Mistake(
            "epsilon-added-to-the-product",
            (
                (
                    _A + "  # (N, D), rows of length 1\n",
                    "    lengths = a.norm(dim=-1, keepdim=True) * b.norm(dim=-1)\n",
                ),
                (_B + "  # (M, D)\n", ""),
                (_RESULT, "return a @ b.T / (lengths + 1e-8)"),
            ),
            "A small number is added to the product of the lengths. It moves every result a little, and beside two vectors of length 1e-6 it is far larger than the product itself.",
            "How small can the product of two lengths be, if each is at least 1e-6, and which lengths alone need protecting?",
        ),
        Mistake(
            "one-zero-side-forgotten",
            ((_B, _B.replace(".clamp(min=1e-12)", "")),),
            "A zero vector in b has length 0, and 0 / 0 is NaN. In a it is taken care of.",
            "On which side may a zero vector stand?",
        ),
        Mistake(
            "squared",
            ((_RESULT, "return (a @ b.T) ** 2"),),
            "The similarities are squared, so that the sign is lost and all of them come closer to 0.",
            "What should two opposite vectors get: -1 or 1?",
        ),
        Mistake(
            "zero-like-everything",
            (
                (".clamp(min=1e-12)", ""),
                (_RESULT, "return (a @ b.T).nan_to_num(nan=1.0)"),
            ),
            "A zero vector gets the similarity 1 with everything. It has no direction; 0 is asked for.",
            "By what do you replace NaN?",
        ),
        Mistake(
            "pair-by-pair",
            (
                (_A, "    c = F.cosine_similarity(a, b, dim=-1)\n" + _A),
                (_RESULT, "return c"),
            ),
            "`F.cosine_similarity(a, b)` compares row i with row i alone. Asked is every row of a with every row of b.",
            "How many similarities are there between N vectors and M others?",
        ),
        Mistake(
            "columns-scaled",
            (("dim=-1", "dim=0"),),
            "The columns are scaled to length 1, not the rows.",
            "Along which axis does a vector lie?",
        ),
        Mistake(
            "one-length-for-all",
            (
                ("a.norm(dim=-1, keepdim=True)", "a.norm()"),
                ("b.norm(dim=-1, keepdim=True)", "b.norm()"),
            ),
            "All is divided by the length of the whole matrix.",
            "How many lengths have N vectors?",
        ),
        Mistake(
            "axis-lost",
            ((", keepdim=True", ""),),
            "The lengths (N,) are divided along the wrong axis: without keepdim=True they line up with the columns.",
            "Which shape must the lengths have so that each divides its own row?",
        ),
        Mistake(
            "squared-lengths",
            (("norm(dim=-1, keepdim=True)", "pow(2).sum(dim=-1, keepdim=True)"),),
            "It divides by the squares of the lengths: the root is missing.",
            "What is the length of the vector (3, 4)?",
        ),
        Mistake(
            "squared-length-of-b",
            ((_B, _B.replace("norm(dim=-1, keepdim=True)", "pow(2).sum(dim=-1, keepdim=True)")),),
            "b is divided by the squares of its lengths: there the root is missing.",
            "What is the length of the vector (3, 4)?",
        ),
        Mistake(
            "squared-length-of-a",
            ((_A, _A.replace("norm(dim=-1, keepdim=True)", "pow(2).sum(dim=-1, keepdim=True)")),),
            "a is divided by the squares of its lengths: there the root is missing.",
            "What is the length of the vector (3, 4)?",
        ),
        Mistake(
            "length-at-least-one",
            ((".clamp(min=1e-12)", ".clamp(min=1.0)"),),
            "Lengths below 1 are taken for 1, so that shorter vectors never reach their similarity.",
            "Which lengths alone must not be divided by?",
        ),
        Mistake(
            "sum-of-magnitudes",
            (("norm(dim=-1,", "norm(p=1, dim=-1,"),),
            "It divides by the sum of the magnitudes (the 1-norm), not by the length.",
            "What is the length of the vector (3, 4): 5 or 7?",
        ),
        Mistake(
            "sum-of-numbers",
            (("norm(dim=-1, keepdim=True).clamp(min=1e-12)", "sum(dim=-1, keepdim=True)"),),
            "It divides by the sum of each vector's numbers, not by its length.",
            "What is the length of the vector (3, -3)?",
        ),
        Mistake(
            "largest-number",
            (("norm(dim=-1, keepdim=True)", "abs().amax(dim=-1, keepdim=True)"),),
            "It divides by the largest magnitude in each vector, not by its length.",
            "What is the length of the vector (3, 4): 5 or 4?",
        ),
        Mistake(
            "turned",
            ((_RESULT, "return b @ a.T"),),
            "The axes are exchanged: (M, N).",
            "Which rows should row 0 of the result compare?",
        ),
        Mistake(
            "distance",
            ((_RESULT, "return 1 - a @ b.T"),),
            "This is the cosine distance, 1 minus the similarity.",
            "What should two vectors of the same direction get: 1 or 0?",
        ),
        Mistake(
            "angle",
            ((_RESULT, "return (a @ b.T).clamp(-1, 1).acos()"),),
            "This is the angle, not its cosine.",
            "What should two vectors of the same direction get: 1 or 0?",
        ),
        Mistake(
            "zero-to-one",
            ((_RESULT, "return (1 + a @ b.T) / 2"),),
            "The similarities are moved to the range from 0 to 1.",
            "What should two opposite vectors get: -1 or 0?",
        ),
        Mistake(
            "magnitude",
            ((_RESULT, "return (a @ b.T).abs()"),),
            "The sign is lost: opposite vectors count as equal.",
            "What should two opposite vectors get: -1 or 1?",
        ),
        Mistake(
            "no-negative-ones",
            ((_RESULT, "return (a @ b.T).clamp(min=0)"),),
            "Negative similarities are set to 0.",
            "What should two opposite vectors get: -1 or 0?",
        ),
        Mistake(
            "centred",
            (
                (
                    _A,
                    "    a = a - a.mean(dim=-1, keepdim=True)\n    b = b - b.mean(dim=-1, keepdim=True)\n"
                    + _A,
                ),
            ),
            "The mean of each vector is taken off first: this is the correlation.",
            "Does the formula of the cosine hold a mean?",
        ),
        Mistake(
            "with-itself",
            ((_RESULT, "return a @ a.T"),),
            "a is compared with itself; b plays no part.",
            "Where does b enter?",
        ),
        Mistake(
            "changes-its-input",
            (
                (_A, "    a /= a.norm(dim=-1, keepdim=True).clamp(min=1e-12)"),
                (_B, "    b /= b.norm(dim=-1, keepdim=True).clamp(min=1e-12)"),
            ),
            "It changes the caller's own vectors (`/=` does).",
            "What does the caller find in a after the call?",
        ),
        Mistake(
            "cut-from-the-gradient",
            ((_A, "    a, b = a.detach(), b.detach()\n" + _A),),
            "The result is cut off from the vectors (`detach`, `.data`, `no_grad`, `torch.tensor(...)` or numpy).",
            "Which line leaves PyTorch's record of the computation?",
        ),
        Mistake(
            "single-precision",
            ((_A, "    a, b = a.float(), b.float()\n" + _A),),
            "Everything is computed in float32, whatever came.",
            "Which dtype should the result have?",
        ),
    ),
    hints=(
        "Scale every vector to length 1; then the dot product is the cosine.",
        "a (N, D) and b (M, D), lengths (N, 1) and (M, 1); (N, D) @ (D, M) -> (N, M).",
        "a <- a / length of each row;  b <- b / length of each row (a length of 0 divides nothing: take a tiny number instead)\nreturn a times b transposed",
        "a / a.norm(dim=-1, keepdim=True).clamp(min=1e-12)",
    ),
    axes=(("N", "M"),),
    remarks=(
        Remark(
            "nan-gradient-at-a-zero-vector",
            Case(
                (
                    torch.tensor([[3.0, 4.0], [0.0, 0.0]], dtype=torch.float64),
                    torch.tensor([[1.0, 2.0], [0.0, 0.0]], dtype=torch.float64),
                ),
                "a zero vector on both sides",
            ),
            traps.not_finite,
            "For a zero vector it returns 0, but the gradient that flows back into that vector is NaN: the root "
            "of 0 has an infinite slope, and what is replaced after a division by 0 is replaced too late. "
            "Where a layer that is trained on such similarities gives one zero vector, all of its weights are "
            "NaN after the next step. `a.norm(...)` with a smallest length, before the division, avoids it.",
            mode="gradient",
        ),
    ),
)
