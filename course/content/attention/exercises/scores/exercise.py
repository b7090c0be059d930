"""attention.scores: the scaled scores."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from course.checking.exercise import Case, Exercise, Landmark, Mistake, tags
from course.checking.exercise.draw import Draw


def _scores_cases(seed: int) -> list[Case]:
    draw = Draw(seed)

    def case(
        says: str,
        lead: tuple[int, ...],
        length: int,
        source: int,
        d_head: int,
        *names: str,
        **more: Any,
    ) -> Case:
        args = (draw.normal(*lead, length, d_head), draw.normal(*lead, source, d_head))
        return Case(args, says, {"Dh": d_head, "L": length, "S": source}, tags(*names), **more)

    # Roots of 4, 9 and 16 are exact in float32: in float64 nobody fails for taking the root of a
    # float32 tensor. Roots that are not whole are tried in float32.
    return [
        case("two queries, three keys of width 4", (), 2, 3, 4, "no batch axis"),
        case("one sentence of 5 queries and 6 keys, width 9", (1,), 5, 6, 9),
        case(
            "a batch of 2, 3 heads, 5 queries, 7 keys, width 16",
            (2, 3),
            5,
            7,
            16,
            "a batch and heads",
        ),
        case("a batch of 3, 4 queries, 4 keys, width 4", (3,), 4, 4, 4, "as many queries as keys"),
        case(
            "two heads, 6 tokens, width 32",
            (1, 2),
            6,
            6,
            32,
            "a batch and heads",
            "the chapter's example",
            "as many queries as keys",
            dtypes=("float32",),
        ),
        case("a batch of 4, 4 queries, 4 keys, width 4", (4,), 4, 4, 4, "as many queries as keys"),
        case("a batch of 2, a single query, 5 keys, width 4", (2,), 1, 5, 4, "a single query"),
        case("a batch of 2, 4 queries, a single key, width 9", (2,), 4, 1, 9, "a single key"),
        case("five leading axes", (1, 2, 1, 2, 2), 3, 2, 9, "more leading axes"),
        case("a batch of 2, 3 queries, 5 keys, width 7", (2,), 3, 5, 7, dtypes=("float32",)),
    ]


EXERCISE = Exercise(
    id="attention.scores",
    signature="(query, key)",
    minutes=10,
    difficulty=1,
    cases=_scores_cases,
    landmarks=(
        Landmark(
            "the weights: a softmax has already been taken",
            lambda q, k: torch.softmax(q @ k.mT / math.sqrt(q.shape[-1]), -1),
        ),
        Landmark(
            "the cosine of query and key, which forgets their lengths",
            lambda q, k: _unit(q) @ _unit(k).mT,
        ),
        Landmark(
            "the cosine, scaled", lambda q, k: _unit(q) @ _unit(k).mT / math.sqrt(q.shape[-1])
        ),
        Landmark(
            "the scores of vectors whose mean was taken out",
            lambda q, k: (
                (q - q.mean(-1, True)) @ (k - k.mean(-1, True)).mT / math.sqrt(q.shape[-1])
            ),
        ),
        Landmark("the distances between queries and keys", lambda q, k: torch.cdist(q, k)),
        Landmark(
            "the distances between queries and keys, with a minus sign and divided by the root",
            lambda q, k: -torch.cdist(q, k) / math.sqrt(q.shape[-1]),
        ),
        Landmark(
            "the queries' products with one another", lambda q, k: q @ q.mT / math.sqrt(q.shape[-1])
        ),
        Landmark(
            "the keys' products with one another", lambda q, k: k @ k.mT / math.sqrt(q.shape[-1])
        ),
    ),
    mistakes=(
        Mistake(
            "not-scaled",
            ((" / math.sqrt(d_k)", ""),),
            "The products are not divided by the root of d_k.",
            "How does the variance of a dot product grow with the number of its terms?",
        ),
        Mistake(
            "divided-by-d",
            (("math.sqrt(d_k)", "d_k"),),
            "The products are divided by d_k and not by its square root.",
            "If a dot product has variance d_k, by what must it be divided to have variance 1?",
        ),
        Mistake(
            "multiplied-by-the-root",
            ((" / math.sqrt(d_k)", " * math.sqrt(d_k)"),),
            "The products are multiplied by the root of d_k instead of divided.",
            "Should the scores of wide heads come out larger or be brought back to size?",
        ),
        Mistake(
            "root-of-query-length",
            (("query.shape[-1]", "query.shape[-2]"),),
            "The root is that of the number of queries L and not of the width d_k.",
            "Over which axis does the dot product sum?",
        ),
        Mistake(
            "root-of-key-length",
            (("query.shape[-1]", "key.shape[-2]"),),
            "The root is that of the number of keys S and not of the width d_k.",
            "Over which axis does the dot product sum?",
        ),
        Mistake(
            "root-of-the-second-axis",
            (("query.shape[-1]", "query.shape[1]"),),
            "The root is that of axis 1, which is the width only where there is no batch. With a batch or heads it is "
            "their number, or that of the queries.",
            "Counted from the end, which axis of query is d_k, however many stand before it?",
        ),
        Mistake(
            "fixed-root",
            (("query.shape[-1]", "32"),),
            "The width is written into the code as 32: right for the model of this chapter alone.",
            "Which of the two inputs knows the width?",
        ),
        Mistake(
            "rounded-root",
            (("math.sqrt(d_k)", "int(math.sqrt(d_k))"),),
            "The root is rounded to a whole number, which is wrong for every width that is no square.",
            "What is the root of 32?",
        ),
        Mistake(
            "exchanged",
            (("query @ key.transpose(-2, -1)", "key @ query.transpose(-2, -1)"),),
            "Query and key are exchanged: the result is (S, L), a row for each key.",
            "Which comes first in (..., L, S), and whose index should run down the rows?",
        ),
        Mistake(
            "query-with-itself",
            (("key.transpose(-2, -1)", "query.transpose(-2, -1)"),),
            "The query is multiplied with itself; the key does not appear.",
            "What does each query ask, and whom?",
        ),
        Mistake(
            "reshaped-not-transposed",
            (
                (
                    "key.transpose(-2, -1)",
                    "key.reshape(*key.shape[:-2], key.shape[-1], key.shape[-2])",
                ),
            ),
            "`view` or `reshape` gives the key the shape of its transpose and leaves the numbers in their old order.",
            "Write down a (2, 3) matrix. Is its reshape to (3, 2) the same as its transpose?",
        ),
        Mistake(
            "transposed-axes-0-1",
            (("transpose(-2, -1)", "transpose(0, 1)"),),
            "The first two axes are exchanged, which is the transpose of a matrix alone; with a batch or heads it moves those.",
            "Counted from the end, which two axes hold the key's rows and columns, however many stand before them?",
        ),
        Mistake(
            "transposed-axes-1-2",
            (("transpose(-2, -1)", "transpose(1, 2)"),),
            "Axes 1 and 2 are exchanged, which works with one batch axis and not with none or with heads.",
            "Counted from the end, which two axes hold the key's rows and columns, however many stand before them?",
        ),
        Mistake(
            "t-of-everything",
            (("key.transpose(-2, -1)", "key.permute(*reversed(range(key.dim())))"),),
            "`.T` (or `permute` with every axis reversed) turns round all axes, the batch and the heads too.",
            "Which axes should stay where they are?",
        ),
        Mistake(
            "softmaxed",
            (("return query", "return softmax(query"), ("math.sqrt(d_k)", "math.sqrt(d_k), -1)")),
            "A softmax is already taken: these are weights and not scores.",
            "Can a score be negative?",
        ),
        Mistake(
            "cosine",
            (
                (
                    "return query",
                    "query, key = F.normalize(query, dim=-1), F.normalize(key, dim=-1)\n    return query",
                ),
            ),
            "Query and key are brought to length 1 first, so that a vector's length no longer counts.",
            "Which part of the formula makes the scores' size right instead?",
        ),
        Mistake(
            "cut-from-the-gradient",
            (("return query", "query, key = query.detach(), key.detach()\n    return query"),),
            "The result is cut off from its inputs (`detach`, `.data`, `no_grad` or numpy).",
            "Which line leaves PyTorch's record of the computation?",
        ),
        Mistake(
            "scaled-in-place",
            (
                ("return query", "query /= math.sqrt(d_k)\n    return query"),
                (" / math.sqrt(d_k)  #", "  #"),
            ),
            "`query /= ...` changes the caller's own tensor.",
            "What does the caller find in query after the call?",
        ),
    ),
    hints=(
        "Every query is compared with every key by a dot product. All of them at once are one matrix product; then "
        "bring the numbers back to unit size.",
        "query (..., L, Dh) times key turned to (..., Dh, S) gives (..., L, S). Count axes from the end: the "
        "function has to work with any number of axes before them.",
        "kT <- key with its last two axes exchanged\nproducts <- query @ kT\nreturn products / root of the last size of query",
        "query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])",
    ),
    axes=(("L", "S"),),
)


def _unit(x: Tensor) -> Tensor:
    return torch.nn.functional.normalize(x, dim=-1)
