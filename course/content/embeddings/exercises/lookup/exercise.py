"""embeddings.lookup: rows of a table."""

from __future__ import annotations

import torch

from course.checking.exercise import Case, Exercise, Landmark, Mistake, tags
from course.checking.exercise.draw import Draw
from course.content.embeddings.exercises.lookup import search

_ROWS = "weight[ids]"


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
    finds=search.finds,
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
    mistakes=(
        Mistake(
            "one-row-off",
            ((_ROWS, "weight[ids - 1]"),),
            "The row before the right one is taken (for id 0 the last row of all).",
            "Which row of the table belongs to the token with the number 0?",
        ),
        Mistake(
            "columns",
            ((_ROWS, "weight[:, ids]"),),
            "Columns of the table are taken, not rows.",
            "Which axis of weight (V, D) is the vocabulary?",
        ),
        Mistake(
            "table-turned",
            ((_ROWS, "weight.T[ids]"),),
            "The table is transposed first, so that columns are looked up and not rows.",
            "Which axis of weight (V, D) is the vocabulary?",
        ),
        Mistake(
            "numbers-of-the-flat-table",
            ((_ROWS, "torch.take(weight, ids)"),),
            "`take` counts through the table as if it were one long row, and gives a single number for each token.",
            "How many numbers should a token get: 1 or D?",
        ),
        Mistake(
            "one-number-a-token",
            ((_ROWS, "torch.gather(weight, 0, ids)"),),
            "`gather` takes a single number for each token, from the column where the token stands. A token should get its whole row.",
            "How many numbers should a token get: 1 or D?",
        ),
        Mistake(
            "flat",
            ((_ROWS, "weight[ids.reshape(-1)]"),),
            "All texts are run together in one axis: (B S, D).",
            "Which shape is asked for?",
        ),
        Mistake(
            "width-before-tokens",
            ((_ROWS, "weight[ids].transpose(1, 2)"),),
            "The axes are in the order (B, D, S).",
            "Which axis stands last in (B, S, D)?",
        ),
        Mistake(
            "tokens-first",
            ((_ROWS, "weight[ids].transpose(0, 1)"),),
            "The tokens stand before the batch: (S, B, D), as torch.nn without batch_first has it.",
            "Which axis stands first in (B, S, D)?",
        ),
        Mistake(
            "axes-of-size-one-lost",
            ((_ROWS, "weight[ids].squeeze()"),),
            "`squeeze()` drops every axis of size 1, also where B, S or D happens to be 1.",
            "Which shape has the result for a single text of a single token?",
        ),
        Mistake(
            "first-text-only",
            ((_ROWS, "weight[ids[0]]"),),
            "Only the first text is looked up.",
            "How many rows has ids?",
        ),
        Mistake(
            "mean-of-the-text",
            ((_ROWS, "weight[ids].mean(dim=1)"),),
            "The vectors of a text are averaged: one vector a text.",
            "How many vectors should a text of S tokens have?",
        ),
        Mistake(
            "sum-of-the-text",
            ((_ROWS, "weight[ids].sum(dim=1)"),),
            "The vectors of a text are summed: one vector a text.",
            "How many vectors should a text of S tokens have?",
        ),
        Mistake(
            "cut-from-the-gradient",
            ((_ROWS, "weight.detach()[ids]"),),
            "The result is cut off from the table (`detach`, `.data`, `.tolist()`, `torch.tensor(...)`, `no_grad` or `nn.Embedding.from_pretrained`, which freezes): it could never be trained.",
            "Which line leaves PyTorch's record of the computation?",
        ),
        Mistake(
            "a-parameter-of-its-own",
            ((_ROWS, "nn.Parameter(weight)[ids]"),),
            "`nn.Parameter(...)` begins a computation of its own: the gradient stops there and never reaches the table that was given.",
            "Which tensor should have a gradient in the end: the one that was given, or a new one?",
        ),
        Mistake(
            "padding-without-gradient",
            ((_ROWS, "F.embedding(ids, weight, padding_idx=0)"),),
            "padding_idx=0 gives the right numbers, but row 0 gets no gradient.",
            "Did the exercise say that the token 0 is padding?",
        ),
        Mistake(
            "padding-to-zero",
            ((_ROWS, "weight[ids].masked_fill((ids == 0).unsqueeze(-1), 0.0)"),),
            "The token 0 gets a vector of zeros instead of its row.",
            "Did the exercise say that the token 0 is padding?",
        ),
        Mistake(
            "one-hot-in-float32",
            ((_ROWS, "F.one_hot(ids, weight.shape[0]).float() @ weight"),),
            "The one-hot vectors are always float32; the table may be another dtype.",
            "Which dtype must both sides of a matrix product have?",
        ),
        Mistake(
            "one-hot-of-unknown-length",
            ((_ROWS, "F.one_hot(ids).to(weight.dtype) @ weight"),),
            "`F.one_hot(ids)` makes vectors as long as the largest id that occurs, not as the table has rows.",
            "How long is a one-hot vector over a vocabulary of V tokens?",
        ),
        Mistake(
            "one-hot-as-long-as-the-vectors",
            ((_ROWS, "F.one_hot(ids, weight.shape[1]).to(weight.dtype) @ weight"),),
            "The one-hot vectors have D places. There has to be one for each of the V rows of the table.",
            "How long is a one-hot vector over a vocabulary of V tokens?",
        ),
        Mistake(
            "one-hot-on-the-cpu",
            ((_ROWS, "torch.eye(weight.shape[0], dtype=weight.dtype)[ids.cpu()] @ weight"),),
            "The one-hot vectors are made on the CPU; on a GPU the product would fail.",
            "Which argument says where a new tensor lives?",
        ),
        Mistake(
            "scaled",
            ((_ROWS, "weight[ids] * math.sqrt(weight.shape[1])"),),
            "The vectors are multiplied by the root of D. The paper's model does that, in a step of its own; a look-up doesn't.",
            "Which numbers does row 0 of the table hold, and which came for the token 0?",
        ),
        Mistake(
            "length-one",
            ((_ROWS, "F.normalize(weight[ids], dim=-1)"),),
            "The vectors are scaled to length 1.",
            "Which numbers does row 0 of the table hold, and which came for the token 0?",
        ),
        Mistake(
            "changes-the-table",
            ((_ROWS, "F.embedding(ids, weight.detach(), max_norm=1.0) + 0.0 * weight[ids]"),),
            "`max_norm` scales the caller's own table, in place.",
            "What does the caller find in weight after the call?",
        ),
        Mistake(
            "each-token-once",
            ((_ROWS, "weight[ids.unique()]"),),
            "Each token is looked up once, in the order of the ids (`unique`).",
            "How many vectors should a text have in which a token stands twice?",
        ),
        Mistake(
            "in-order",
            ((_ROWS, "weight[ids.sort(dim=1).values]"),),
            "The tokens of each text are sorted.",
            "Which vector should stand in the place of the first token?",
        ),
    ),
    hints=(
        "Row number i of the table is the vector of token number i. Nothing is computed.",
        "weight (V, D) indexed with ids (B, S) gives (B, S, D): each number is replaced by its row.",
        "for every b, s:  result[b, s] <- weight[ids[b, s]]",
        "weight[ids]",
    ),
    axes=(("B", "S", "D"),),
)
