"""stacking.token_similarity: how alike the tokens of a sentence are."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from course.checking.exercise import Case, Exercise, Landmark, Mistake, Remark, tags, traps
from course.checking.exercise.draw import Draw
from course.content.stacking.exercises import pairs


def _tokens(draw: Draw, *shape: int) -> Tensor:
    """Tokens with something in common, so that no mean is near 0, and of different lengths."""
    batch, length, d_model = shape
    common = 1.3 * draw.normal(batch, 1, d_model)
    lengths = 0.5 + 2.5 * torch.arange(length, dtype=torch.float64).reshape(1, -1, 1) / length
    return (draw.normal(*shape) + common) * lengths


def _case(
    draw: Draw,
    says: str,
    shape: tuple[int, int, int],
    padding: Tensor | None,
    *names: str,
    **more: Any,
) -> Case:
    hidden = more.pop("hidden", None)
    hidden = _tokens(draw, *shape) if hidden is None else hidden
    sizes = dict(zip("BSD", shape, strict=True))
    if padding is None:
        return Case((hidden,), says, sizes, tags("no padding mask", *names), **more)
    few = (~padding).sum(-1) < 2
    regions = {"sentences with fewer than two real tokens": few} if few.any() else {}
    args = (hidden, padding)
    return Case(args, says, sizes, tags("a padding mask", *names), regions=regions, **more)


def _padding(lengths: list[int], length: int) -> Tensor:
    return torch.arange(length) >= torch.tensor(lengths).unsqueeze(1)


def _cases(seed: int) -> list[Case]:
    draw = Draw(seed)
    zero = _tokens(draw, 2, 4, 3)
    zero[0, 1] = 0.0
    same = _tokens(draw, 2, 4, 5)
    same[0] = same[0, :1]  # every token the same
    same[1, 2] = same[1, 0]  # two of four
    opposite = draw.normal(1, 1, 4) * torch.tensor([[[1.0], [-2.0]]], dtype=torch.float64)
    exact = ("float64", "float32", "bfloat16")
    scattered = torch.tensor([[False, True, False, False, True], [True, False, False, True, False]])
    return [
        _case(
            draw,
            "1 sentence of 2 tokens, D = 3",
            (1, 2, 3),
            None,
            "two tokens",
            dtypes=("float64", "float32"),
        ),
        _case(draw, "2 sentences of 4 tokens, D = 5", (2, 4, 5), None),
        _case(
            draw, "3 sentences of 5 tokens, D = 5", (3, 5, 5), None, "as many tokens as features"
        ),
        _case(
            draw,
            "sentences of 5, 3 and 2 tokens, filled up to 5",
            (3, 5, 4),
            _padding([5, 3, 2], 5),
        ),
        _case(draw, "as many sentences as tokens", (4, 4, 3), _padding([4, 3, 2, 4], 4)),
        _case(draw, "padding between the tokens", (2, 5, 3), scattered, "padding in between"),
        _case(
            draw,
            "sentences of 3, 1 and 0 tokens",
            (3, 3, 4),
            _padding([3, 1, 0], 3),
            "fewer than two real tokens",
            dtypes=("float64", "float32"),
            differentiable=False,
        ),
        _case(
            draw,
            "a single token each",
            (2, 1, 4),
            None,
            "fewer than two real tokens",
            differentiable=False,
        ),
        _case(
            draw,
            "a token that is a zero vector",
            (2, 4, 3),
            None,
            "a zero vector",
            hidden=zero,
            dtypes=exact,
            differentiable=False,
        ),
        _case(
            draw,
            "tokens that are the same vector",
            (2, 4, 5),
            None,
            "equal tokens",
            hidden=same,
        ),
        _case(
            draw,
            "two tokens that point in opposite directions",
            (1, 2, 4),
            None,
            "two tokens",
            "opposite tokens",
            hidden=opposite,
        ),
        _case(
            draw,
            "vectors 100 times as long",
            (2, 3, 6),
            None,
            "long vectors",
            hidden=_tokens(draw, 2, 3, 6) * 100,
            dtypes=("float64", "float32"),
        ),
        _case(
            draw,
            "vectors with lengths near 0.01",
            (2, 3, 6),
            _padding([3, 2], 3),
            "short vectors",
            hidden=_tokens(draw, 2, 3, 6) * 0.01,
            dtypes=("float64", "float32"),
            differentiable=False,
        ),
        _case(draw, "2 sentences of 7 tokens, D = 16", (2, 7, 16), None, dtypes=("float32",)),
    ]


def _cosines(hidden: Tensor) -> Tensor:
    unit = F.normalize(hidden, dim=-1)
    return unit @ unit.mT


_UNIT = "unit = hidden / length.masked_fill(length == 0, 1.0)"
_COSINES = "cosines = unit @ unit.transpose(-2, -1)"
_COUNTS = "counts = ~torch.eye(hidden.shape[1], dtype=torch.bool, device=hidden.device)"
_MASKED = "counts = counts & real.unsqueeze(1) & real.unsqueeze(2)"
_RETURN = "return total / counts.sum(dim=(-2, -1)).clamp(min=1)"

EXERCISE = Exercise(
    id="stacking.token_similarity",
    signature="(hidden, padding_mask=None)",
    minutes=15,
    difficulty=2,
    cases=_cases,
    finds=pairs.finds,
    landmarks=(
        Landmark(
            "the mean over all pairs, each token with itself included",
            lambda h, mask=None: _cosines(h).mean((-2, -1)),
        ),
        Landmark(
            "the mean over the upper triangle with its diagonal: each token with itself included",
            lambda h, mask=None: (
                _cosines(h).triu().sum((-2, -1)) * 2 / (h.shape[1] * (h.shape[1] + 1))
            ),
        ),
        Landmark(
            "the mean similarity of each token with the mean of all",
            lambda h, mask=None: F.cosine_similarity(h, h.mean(1, keepdim=True), dim=-1).mean(1),
        ),
        Landmark(
            "the mean over neighbours only, padding included",
            lambda h, mask=None: F.cosine_similarity(h[:, :-1], h[:, 1:], dim=-1).mean(1),
        ),
        Landmark(
            "the smallest similarity, not the mean",
            lambda h, mask=None: _cosines(h).amin((-2, -1)),
        ),
        Landmark(
            "the largest similarity, not the mean",
            lambda h, mask=None: (_cosines(h) - 2 * torch.eye(h.shape[1])).amax((-2, -1)),
        ),
    ),
    mistakes=(
        Mistake(
            "each-token-with-itself",
            (
                (
                    _COUNTS,
                    _COUNTS.replace("~torch.eye", "torch.ones").replace(
                        "hidden.shape[1],", "hidden.shape[1], hidden.shape[1],"
                    ),
                ),
            ),
            "Each token is compared with itself too, which always gives 1.",
            "How many pairs of *different* tokens do 3 tokens make?",
        ),
        Mistake(
            "divided-by-all-pairs",
            (
                (
                    _RETURN,
                    "n = hidden.new_full((len(hidden),), hidden.shape[1]) if padding_mask is None else real.sum(-1)\n"
                    "    return total / (n * n).clamp(min=1)",
                ),
            ),
            "The sum over the pairs of different tokens is divided by n², which counts each token with itself.",
            "How many ordered pairs of different tokens do n tokens make?",
        ),
        Mistake(
            "divided-by-the-places",
            (
                (
                    _RETURN,
                    "places = hidden.shape[1]\n    return total / max(places * (places - 1), 1)",
                ),
            ),
            "The sum is divided by the number of pairs of places, padding included. Setting padding to zero vectors "
            "does the same: its pairs add 0, and are counted.",
            "How many real pairs does a short sentence have?",
        ),
        Mistake(
            "padding-made-zero-and-counted",
            (
                (
                    _RETURN,
                    "places = hidden.shape[1]\n"
                    "    kept = unit if padding_mask is None else unit.masked_fill(padding_mask.unsqueeze(-1), 0.0)\n"
                    "    total = (kept @ kept.transpose(-2, -1)).sum(dim=(-2, -1)) - places\n"
                    "    return total / (places * (places - 1))",
                ),
            ),
            "Padding is made zero vectors and still counted: for each place 1 is taken off (a zero vector gives 0 with "
            "itself), and the sum is divided by the pairs of places.",
            "How many real tokens does each sentence have, and how many pairs do they make?",
        ),
        Mistake(
            "half-of-the-pairs",
            ((".masked_fill(~counts, 0.0).sum", ".masked_fill(~counts, 0.0).triu(1).sum"),),
            "Only the pairs (i, j) with i < j are summed, and the sum is divided by all ordered pairs: half of what it "
            "should be.",
            "Is each pair counted as often below the fraction's line as above it?",
        ),
        Mistake(
            "twice-the-pairs",
            ((_RETURN, "return 2 * total / counts.sum(dim=(-2, -1)).clamp(min=1)"),),
            "The sum runs over the ordered pairs (i, j) and (j, i), and is divided by the unordered ones.",
            "Is each pair counted as often below the fraction's line as above it?",
        ),
        Mistake(
            "mask-ignored",
            ((_MASKED, "pass"),),
            "The padding mask is not used.",
            "Which tokens should not take part in any pair?",
        ),
        Mistake(
            "mask-turned-round",
            (("real = ~padding_mask", "real = padding_mask"),),
            "The mask is taken the other way round. Here True means padding.",
            "Which tokens are real: those where the mask is True or where it is False?",
        ),
        Mistake(
            "one-side-masked",
            ((_MASKED, "counts = counts & real.unsqueeze(2)"),),
            "Only one token of each pair has to be real: pairs of a real token with padding are counted.",
            "When does a pair count: if one of its tokens is real, or both?",
        ),
        Mistake(
            "either-is-enough",
            ((_MASKED, "counts = counts & (real.unsqueeze(1) | real.unsqueeze(2))"),),
            "A pair counts when one of its two tokens is real.",
            "When does a pair count: if one of its tokens is real, or both?",
        ),
        Mistake(
            "not-normalised",
            ((_UNIT, "unit = hidden"),),
            "These are dot products: the vectors were not divided by their lengths.",
            "What should become of the similarity when one vector gets twice as long?",
        ),
        Mistake(
            "divided-by-the-square",
            ((_UNIT, "unit = hidden / length.square().masked_fill(length == 0, 1.0)"),),
            "The vectors are divided by the square of their lengths.",
            "How long is a vector after it was divided by its length?",
        ),
        Mistake(
            "root-of-the-length",
            ((_UNIT, "unit = hidden / length.sqrt().masked_fill(length == 0, 1.0)"),),
            "The product of two vectors is divided by the root of the product of their lengths.",
            "How long should each vector be before the two are multiplied?",
        ),
        Mistake(
            "normalised-over-the-tokens",
            (("hidden.norm(dim=-1, keepdim=True)", "hidden.norm(dim=-2, keepdim=True)"),),
            "The lengths are taken over the tokens, for each feature, and not over the features of each token.",
            "Along which axis do the numbers of one token lie?",
        ),
        Mistake(
            "sum-of-absolute-values",
            (("hidden.norm(dim=-1,", "hidden.norm(p=1, dim=-1,"),),
            "The length is the sum of absolute values and not the root of the sum of squares.",
            "Which length makes the product of a vector with itself 1?",
        ),
        Mistake(
            "nan-without-a-pair",
            ((".clamp(min=1)", ""),),
            "With fewer than two real tokens there is no pair, and 0 / 0 is NaN.",
            "What should be divided by when there is nothing to count?",
        ),
        Mistake(
            "diagonal-taken-for-ones",
            (
                (
                    _RETURN,
                    "own = unit.square().sum(-1) - 1.0\n"
                    "    own = own if padding_mask is None else own.masked_fill(padding_mask, 0.0)\n"
                    "    return (total + own.sum(-1)) / counts.sum(dim=(-2, -1)).clamp(min=1)",
                ),
            ),
            "1 is taken off for each token's similarity with itself. A zero vector has the similarity 0 with itself too, "
            "so that 1 too much is taken off.",
            "What stands on the diagonal where the vector is zero?",
        ),
        Mistake(
            "one-without-a-pair",
            (
                (
                    _RETURN,
                    "pairs = counts.sum(dim=(-2, -1))\n"
                    "    return torch.where(pairs == 0, torch.ones_like(total), total / pairs.clamp(min=1))",
                ),
            ),
            "With fewer than two real tokens the result is 1; asked is 0.",
            "What does the exercise say of a sentence without any pair?",
        ),
        Mistake(
            "nan-at-a-zero-vector",
            ((_UNIT, "unit = hidden / length"),),
            "A zero vector is divided by its length 0, which makes NaN.",
            "Which similarity should a zero vector have with every other?",
        ),
        Mistake(
            "neighbours-only",
            (
                (
                    _COUNTS,
                    "near = torch.arange(hidden.shape[1], device=hidden.device)\n"
                    "    counts = (near.unsqueeze(0) - near.unsqueeze(1)).abs() == 1",
                ),
            ),
            "Only tokens that stand beside each other are compared.",
            "How many pairs do 4 tokens make?",
        ),
        Mistake(
            "with-the-first-only",
            (
                (
                    _COUNTS,
                    "counts = torch.zeros(hidden.shape[1], hidden.shape[1], dtype=torch.bool, device=hidden.device)\n"
                    "    counts[0, 1:] = True",
                ),
            ),
            "All tokens are compared with the first one only.",
            "How many pairs do 4 tokens make?",
        ),
        Mistake(
            "absolute-values",
            ((_COSINES, "cosines = (unit @ unit.transpose(-2, -1)).abs()"),),
            "The absolute values of the similarities are taken; opposite tokens then count as alike.",
            "What is the cosine of two vectors that point in opposite directions?",
        ),
        Mistake(
            "distance",
            ((_COSINES, "cosines = 1 - unit @ unit.transpose(-2, -1)"),),
            "This is the cosine distance, 1 - similarity.",
            "What should come out when all tokens are the same?",
        ),
        Mistake(
            "correlation",
            (
                (
                    "length = hidden.norm",
                    "hidden = hidden - hidden.mean(dim=-1, keepdim=True)\n    length = hidden.norm",
                ),
            ),
            "The mean of each vector is taken off first: that is the correlation, not the cosine.",
            "Is there a subtraction in the formula of the cosine?",
        ),
        Mistake(
            "features-compared",
            ((_COSINES, "cosines = unit.transpose(-2, -1) @ unit"),),
            "The product compares features with one another, (D, D), and not tokens, (S, S).",
            "Which shape should a table of all pairs of tokens have?",
        ),
        Mistake(
            "mean-of-the-batch",
            (
                (_RETURN, _RETURN + "\n    return result.mean()"),
                ("return total / counts", "result = total / counts"),
            ),
            "The sentences of the batch are averaged into one number; asked is one for each.",
            "How many results do 3 sentences have?",
        ),
        Mistake(
            "sum-for-mean",
            ((_RETURN, "return total"),),
            "The similarities are summed and not averaged.",
            "Should a longer sentence give a larger number?",
        ),
        Mistake(
            "one-result-a-token",
            (
                (".sum(dim=(-2, -1))  # (B,)", ".sum(dim=-1)"),
                (_RETURN, "return total / counts.sum(dim=-1).clamp(min=1)"),
            ),
            "There is one result for each token, (B, S); asked is one for each sentence, (B,).",
            "Over which axes does a mean of all pairs run?",
        ),
        Mistake(
            "cut-from-the-gradient",
            ((_UNIT, "unit = hidden.detach() / length.detach().masked_fill(length == 0, 1.0)"),),
            "The result is cut off from the hidden states (`detach`, `.data`, `no_grad` or `.item()`).",
            "Which line leaves PyTorch's record of the computation?",
        ),
        Mistake(
            "table-on-the-cpu",
            ((", device=hidden.device)", ")"),),
            "The table of pairs is made on the CPU, wherever the hidden states are.",
            "Which argument puts a new tensor where `hidden` is?",
        ),
    ),
    hints=(
        "Bring each token's vector to length 1; then a matrix product gives the cosines of all pairs at once. Of these, "
        "take the mean of those that count.",
        "hidden (B, S, D) -> unit vectors (B, S, D) -> cosines (B, S, S); which pairs count: (B, S, S) bool; result (B,).",
        "u <- hidden over its lengths (1 where the length is 0)\nc <- u times u transposed\n"
        "count (i, j) if i is not j, and both are real\nreturn the sum of c where counted over the number counted (at least 1)",
        "counts = counts & real.unsqueeze(1) & real.unsqueeze(2)   # both tokens of a pair are real",
    ),
    axes=(("B",),),
    remarks=(
        Remark(
            "difference-of-sums",
            Case(
                (Draw(2).normal(2, 12, 1024),),
                "2 sentences of 12 tokens that have nothing in common",
            ),
            lambda came, wanted: traps.loses_digits(came, wanted, 0.04),
            "In exact arithmetic the square of the sum of all vectors minus the sum of their squares is the sum "
            "over the pairs. Where the tokens have little in common the two are nearly equal, and most of their "
            "digits cancel: in bfloat16 the result is then off by several per cent, where the mean over the "
            "table of cosines is off by one.",
            dtype="bfloat16",
        ),
    ),
)
