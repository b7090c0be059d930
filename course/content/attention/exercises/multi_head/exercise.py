"""attention.multi_head: multi-head self-attention."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from course.checking.exercise import Case, Exercise, Landmark, Mistake, Remark, Undone, tags, traps
from course.checking.exercise.draw import Draw
from course.content.attention.exercises.multi_head import search
from course.content.attention.exercises.scaled_dot_product.exercise import plain_attention


def _multi_head_case(
    draw: Draw,
    says: str,
    sizes: tuple[int, int, int, int],
    mask: Tensor | None,
    *names: str,
    change: Callable[[tuple[Any, ...]], tuple[Any, ...]] | None = None,
    **more: Any,
) -> Case:
    batch, length, nhead, d_head = sizes
    d_model = nhead * d_head
    small = 1 / math.sqrt(d_model)  # so that what is projected has unit scale again
    args = (
        draw.normal(batch, length, d_model),
        draw.normal(3 * d_model, d_model) * small,
        draw.normal(3 * d_model) * 0.5,
        draw.normal(d_model, d_model) * small,
        draw.normal(d_model) * 0.5,
        nhead,
    )
    args = change(args) if change else args
    named = {"B": batch, "S": length, "H": nhead, "Dh": d_head, "D": d_model}
    if mask is None:
        return Case(args, says, named, tags("no mask", *names), **more)
    idle = (
        torch.broadcast_to(mask, (batch, nhead, length, length)).all(-1).all(1).unsqueeze(-1)
    )  # (B, S, 1)
    regions = {"rows of queries that may look at nothing": idle} if idle.any() else {}
    return Case((*args, mask), says, named, tags("a mask", *names), regions=regions, **more)


def _without_biases(args: tuple[Any, ...]) -> tuple[Any, ...]:
    x, w_in, b_in, w_out, b_out, nhead = args
    return x, w_in, b_in * 0, w_out, b_out * 0, nhead


def _without_queries(args: tuple[Any, ...]) -> tuple[Any, ...]:
    x, w_in, b_in, w_out, b_out, nhead = args
    thirds = torch.tensor([0.0, 1.0, 1.0], dtype=w_in.dtype).repeat_interleave(x.shape[-1])  # (3D,)
    return x, w_in * thirds[:, None], b_in * thirds, w_out, b_out, nhead


def _identity_out(args: tuple[Any, ...]) -> tuple[Any, ...]:
    x, w_in, b_in, w_out, b_out, nhead = args
    return x, w_in, b_in, torch.eye(x.shape[-1], dtype=w_out.dtype), b_out * 0, nhead


def _large_scores(args: tuple[Any, ...]) -> tuple[Any, ...]:
    x, w_in, b_in, w_out, b_out, nhead = args
    thirds = torch.tensor([60.0, 60.0, 1.0], dtype=w_in.dtype).repeat_interleave(x.shape[-1])
    return x, w_in * thirds[:, None], b_in * thirds, w_out, b_out, nhead


def _before_the_projection(result: Tensor, *args: Any) -> Tensor:
    """The heads' outputs (B, H, S, Dh) from which w_out and b_out make this result."""
    _, _, _, w_out, b_out, nhead, *_ = args
    joined: Tensor = torch.linalg.solve(w_out, (result - b_out).mT).mT  # (B, S, D)
    return joined.reshape(*joined.shape[:2], nhead, -1).transpose(1, 2)


def _multi_head_cases(seed: int) -> list[Case]:
    draw = Draw(seed)
    causal = torch.ones(5, 5, dtype=torch.bool).triu(1)
    padding = torch.arange(4) >= torch.tensor([4, 2, 1]).reshape(3, 1, 1, 1)
    blocked = draw.mask(2, 3, 4, 4)
    blocked[1, :, 2] = True  # in every head
    one_head = draw.mask(2, 3, 4, 4)
    one_head[0, 1, 3] = True  # in one head of three
    return [
        _multi_head_case(draw, "1 sentence of 2 tokens, 2 heads of width 1", (1, 2, 2, 1), None),
        _multi_head_case(draw, "2 sentences of 3 tokens, 2 heads of width 4", (2, 3, 2, 4), None),
        _multi_head_case(
            draw, "a causal mask (S, S), 3 heads", (2, 5, 3, 4), causal, "a causal mask"
        ),
        _multi_head_case(
            draw,
            "a padding mask (B, 1, 1, S), 2 heads of width 9",
            (3, 4, 2, 9),
            padding,
            "a padding mask",
        ),
        _multi_head_case(
            draw,
            "another mask for every head",
            (2, 6, 3, 4),
            draw.mask(2, 3, 6, 6),
            "a mask for every head",
        ),
        _multi_head_case(draw, "a single head of width 9", (2, 4, 1, 9), None, "a single head"),
        _multi_head_case(
            draw, "a mask (H, S, S)", (2, 4, 3, 4), draw.mask(3, 4, 4), "a mask with fewer axes"
        ),
        _multi_head_case(
            draw,
            "a mask (S, S) with as many tokens as sentences",
            (3, 3, 2, 4),
            draw.mask(3, 3),
            "a mask with fewer axes",
        ),
        _multi_head_case(draw, "a single token", (2, 1, 2, 4), None, "a single token"),
        _multi_head_case(
            draw, "all biases are 0", (2, 3, 2, 4), None, "biases of 0", change=_without_biases
        ),
        _multi_head_case(
            draw,
            "queries of 0, so that all keys get the same weight",
            (2, 3, 2, 4),
            None,
            "equal scores",
            change=_without_queries,
        ),
        _multi_head_case(
            draw,
            "an identity as output projection",
            (2, 3, 2, 4),
            None,
            "an identity as output projection",
            change=_identity_out,
        ),
        _multi_head_case(
            draw,
            "one query may look at nothing in every head",
            (2, 4, 3, 4),
            blocked,
            "a query that may look at nothing",
            differentiable=False,
        ),
        _multi_head_case(
            draw,
            "one query may look at nothing in one head",
            (2, 4, 3, 4),
            one_head,
            "a query that may look at nothing",
            differentiable=False,
        ),
        _multi_head_case(
            draw,
            "weights so large that the scores are in the thousands",
            (2, 4, 2, 4),
            None,
            "scores far apart",
            change=_large_scores,
            dtypes=("float64",),
            differentiable=False,
        ),
        _multi_head_case(
            draw,
            "scores in the thousands, and a mask",
            (3, 5, 2, 4),
            draw.mask(3, 1, 5, 5),
            "scores far apart",
            change=_large_scores,
            dtypes=("float64",),
            differentiable=False,
        ),
        _multi_head_case(draw, "5 heads of width 3", (2, 4, 5, 3), None, dtypes=("float32",)),
    ]


def _own_attention(scores: str, dim: int = -1) -> str:
    """A line that computes attention by hand, for mistakes inside of it."""
    return (
        f"raw = {scores}\n"
        '    raw = raw if mask is None else raw.masked_fill(mask, float("-inf"))\n'
        f"    output = softmax(raw, dim={dim}) @ value"
    )


_CALL = "output, _ = scaled_dot_product(query, key, value, mask)"
_CHUNK = "query, key, value = projected.chunk(3, dim=-1)"

EXERCISE = Exercise(
    id="attention.multi_head",
    signature="(x, w_in, b_in, w_out, b_out, nhead, mask=None)",
    minutes=25,
    difficulty=3,
    cases=_multi_head_cases,
    finds=search.finds,
    landmarks=(
        Landmark(
            "the result after a layer normalisation",
            lambda *args: torch.nn.functional.layer_norm(_whole(*args), args[0].shape[-1:]),
        ),
        Landmark(
            "the result with its negative numbers cut off", lambda *args: _whole(*args).relu()
        ),
        Landmark(
            "the heads' joined output, before the output projection",
            lambda x, wi, bi, wo, bo, n, mask=None: _heads(x, wi, bi, n, mask),
        ),
        Landmark(
            "attention with one head as wide as the model",
            lambda x, wi, bi, wo, bo, n, mask=None: (
                _heads(
                    x,
                    wi,
                    bi,
                    1,
                    None if mask is None or (mask.dim() > 2 and mask.shape[1] > 1) else mask,
                )
                @ wo.T
                + bo
            ),
        ),
        Landmark(
            "what comes without the mask",
            lambda x, wi, bi, wo, bo, n, mask=None: _heads(x, wi, bi, n, None) @ wo.T + bo,
        ),
        Landmark(
            "the values' projection alone, without attention",
            lambda x, wi, bi, wo, bo, n, mask=None: (x @ wi.T + bi).chunk(3, -1)[2] @ wo.T + bo,
        ),
        Landmark(
            "what comes without any bias",
            lambda x, wi, bi, wo, bo, n, mask=None: _heads(x, wi, bi * 0, n, mask) @ wo.T,
        ),
    ),
    mistakes=(
        Mistake(
            "without-input-bias",
            (("x @ w_in.T + b_in", "x @ w_in.T"),),
            "The bias b_in is not added.",
            "What makes a projection affine and not merely linear?",
        ),
        Mistake(
            "without-output-bias",
            ((" @ w_out.T + b_out", " @ w_out.T"),),
            "The bias b_out is not added.",
            "What should a query that may look at nothing receive in the end?",
        ),
        Mistake(
            "without-output-projection",
            (("merge_heads(output) @ w_out.T + b_out", "merge_heads(output)"),),
            "The output projection is missing: the heads stand side by side and never mix.",
            "Which step of the formula MultiHead = Concat(head_1, ..., head_h) W^O comes last?",
        ),
        Mistake(
            "output-weight-not-transposed",
            (("@ w_out.T", "@ w_out"),),
            "w_out is used without transposing it. It is stored as (out, in), as in torch.nn.Linear, which computes x W^T + b.",
            "Which axis of w_out belongs to the inputs?",
        ),
        Mistake(
            "input-weight-reshaped",
            (("w_in.T", "w_in.reshape(w_in.shape[1], w_in.shape[0])"),),
            "w_in is given the shape (D, 3D) by a reshape, which leaves its numbers in the old order.",
            "What is the difference between a reshape and a transpose of a (2, 3) matrix?",
        ),
        Mistake(
            "query-and-key-exchanged",
            ((_CHUNK, "key, query, value = projected.chunk(3, dim=-1)"),),
            "Query and key are taken in the wrong order.",
            "In which order does torch.nn.MultiheadAttention stack its three projections?",
        ),
        Mistake(
            "value-first",
            ((_CHUNK, "value, key, query = projected.chunk(3, dim=-1)"),),
            "The three projections are taken in the wrong order: value, key, query.",
            "In which order does torch.nn.MultiheadAttention stack its three projections?",
        ),
        Mistake(
            "key-and-value-exchanged",
            ((_CHUNK, "query, value, key = projected.chunk(3, dim=-1)"),),
            "Key and value are taken in the wrong order.",
            "In which order does torch.nn.MultiheadAttention stack its three projections?",
        ),
        Mistake(
            "thirds-interleaved",
            (
                (
                    _CHUNK,
                    "query, key, value = projected[..., 0::3], projected[..., 1::3], projected[..., 2::3]",
                ),
            ),
            "Every third column is taken for the query, instead of the first third of the columns.",
            "Which rows of w_in make the query: 0 to D - 1, or 0, 3, 6, ...?",
        ),
        Mistake(
            "thirds-within-each-head",
            (
                (
                    _CHUNK,
                    "pieces = projected.reshape(*x.shape[:2], nhead, -1).transpose(1, 2).chunk(3, dim=-1)",
                ),
                ("split_heads(query, nhead)", "pieces[0]"),
                ("split_heads(key, nhead)", "pieces[1]"),
                ("split_heads(value, nhead)", "pieces[2]"),
            ),
            "The heads are cut before query, key and value: each head takes a third of its own columns, as in some "
            "other models' layouts.",
            "Are the first D rows of w_in the query of all heads, or all that head 0 needs?",
        ),
        Mistake(
            "key-from-query",
            (
                (
                    "split_heads(key, nhead)",
                    "split_heads(query if query.dim() == 3 else projected.chunk(3, dim=-1)[0], nhead)",
                ),
            ),
            "The key is made of the query's projection.",
            "Which three tensors come out of the input projection?",
        ),
        Mistake(
            "value-from-key",
            (("split_heads(value, nhead)", "split_heads(projected.chunk(3, dim=-1)[1], nhead)"),),
            "The value is made of the key's projection.",
            "Which three tensors come out of the input projection?",
        ),
        Mistake(
            "one-wide-head",
            (
                ("query, nhead)", "query, 1)"),
                ("key, nhead)", "key, 1)"),
                ("value, nhead)", "value, 1)"),
            ),
            "There is one head as wide as the whole model.",
            "Where does nhead enter?",
        ),
        Mistake(
            "reshaped-not-split",
            (
                ("split_heads(query, nhead)", "query.reshape(x.shape[0], nhead, x.shape[1], -1)"),
                ("split_heads(key, nhead)", "key.reshape(x.shape[0], nhead, x.shape[1], -1)"),
                ("split_heads(value, nhead)", "value.reshape(x.shape[0], nhead, x.shape[1], -1)"),
            ),
            "A reshape straight to (B, H, S, Dh) mixes the tokens with one another.",
            "Which of your functions cuts the heads without mixing tokens?",
        ),
        Mistake(
            "heads-joined-by-reshape",
            (("merge_heads(output)", "output.reshape(x.shape)"),),
            "The heads are joined by a reshape alone, without moving them behind the tokens first.",
            "Which of your functions undoes split_heads?",
        ),
        Mistake(
            "mask-ignored",
            (("query, key, value, mask)", "query, key, value)"),),
            "The mask is not handed on.",
            "Where does the mask enter?",
        ),
        Mistake(
            "mask-turned-round",
            (("query, key, value, mask)", "query, key, value, None if mask is None else ~mask)"),),
            "The mask is taken the other way round. Here True means blocked (F.scaled_dot_product_attention says it the other way).",
            "What does True mean to the function that you hand the mask to?",
        ),
        Mistake(
            "scaled-by-model-width",
            (
                (
                    _CALL,
                    "output, _ = scaled_dot_product(query / math.sqrt(nhead), key, value, mask)",
                ),
            ),
            "The products are divided by the root of d_model and not of the width of one head.",
            "Over how many numbers does one head's dot product run?",
        ),
        Mistake(
            "not-scaled",
            ((_CALL, _own_attention("query @ key.transpose(-2, -1)")),),
            "The products are not divided by the root of the head's width.",
            "Which of your functions gives scores of the right size?",
        ),
        Mistake(
            "softmax-over-the-queries",
            ((_CALL, _own_attention("scores(query, key)", -2)),),
            "The softmax runs over the queries and not over the keys.",
            "Whose weights must sum to 1?",
        ),
        Mistake(
            "softmax-over-the-heads",
            ((_CALL, _own_attention("scores(query, key)", 1)),),
            "The softmax runs over the heads, so that the heads share the weight of one key among them.",
            "Along which axis of (B, H, S, S) must the weights sum to 1?",
        ),
        Mistake(
            "always-causal",
            (
                (
                    _CALL,
                    "future = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool, device=x.device).triu(1)\n"
                    "    " + _CALL.replace("mask)", "future if mask is None else mask | future)"),
                ),
            ),
            "The future is always blocked. That is a decoder's attention; here the mask that is given decides, and without one every token sees all.",
            "Who decides here what a token may look at?",
        ),
        Mistake(
            "own-token-blocked",
            (
                (
                    _CALL,
                    "own = torch.eye(x.shape[1], dtype=torch.bool, device=x.device)\n"
                    "    " + _CALL.replace("mask)", "own if mask is None else mask | own)"),
                ),
            ),
            "A token may not look at itself. In self-attention it may.",
            "Which keys may token 0 look at when there is no mask?",
        ),
        Mistake(
            "first-head-s-weights-for-all",
            (
                (
                    _CALL,
                    "_, weights = scaled_dot_product(query, key, value, mask)\n"
                    "    output = weights[:, :1] @ value",
                ),
            ),
            "Every head uses the first head's weights.",
            "How many rows of weights belong to one token when there are H heads?",
        ),
        Mistake(
            "mask-of-the-first-sentence",
            (
                (
                    _CALL,
                    "mask = mask[:1] if mask is not None and mask.dim() == 4 else mask\n    "
                    + _CALL,
                ),
            ),
            "The first sentence's mask is used for all of the batch.",
            "What belongs to the first axis of a mask (B, 1, 1, S)?",
        ),
        Mistake(
            "blocked-rows-without-bias",
            (
                (
                    "return merge_heads(output) @ w_out.T + b_out",
                    "joined = merge_heads(output)\n"
                    "    result = joined @ w_out.T + b_out\n"
                    "    return result.masked_fill((joined == 0).all(-1, keepdim=True), 0.0)",
                ),
            ),
            "A token that may look at nothing gets zeros at the very end. Its heads give zeros; the output projection still adds its bias.",
            "What is `0 @ w_out.T + b_out`?",
        ),
        Mistake(
            "bias-before-the-output-projection",
            (
                (
                    "return merge_heads(output) @ w_out.T + b_out",
                    "return (merge_heads(output) + b_out) @ w_out.T",
                ),
            ),
            "The output bias is added before the product with w_out, which then multiplies it too.",
            "What is the order of the two in `x W + b`?",
        ),
        Mistake(
            "query-without-bias",
            (
                (
                    _CHUNK,
                    _CHUNK + "\n    query = query - b_in.chunk(3)[0]",
                ),
            ),
            "The queries get no bias.",
            "Which part of b_in belongs to the queries?",
        ),
        Mistake(
            "nan-when-all-blocked",
            ((_CALL, _own_attention("scores(query, key)").replace("softmax(", "torch.softmax(")),),
            "A query that may look at nothing becomes NaN: torch.softmax of a row of -inf is 0 / 0.",
            "What should such a query receive, and which of your functions knows it?",
        ),
        Mistake(
            "finite-filler",
            ((_CALL, _own_attention("scores(query, key)").replace('float("-inf")', "-1e9")),),
            "Blocked scores get a large finite number, so that a query that may look at nothing attends to everything equally.",
            "What should a query receive that may look at nothing?",
        ),
        Mistake(
            "one-mask-for-all-heads",
            (
                (
                    "query, key, value, mask)",
                    "query, key, value, None if mask is None else mask.expand(x.shape[0], nhead, x.shape[1], x.shape[1])[:, :1])",
                ),
            ),
            "The first head's mask is used for all heads.",
            "To which shape does the mask broadcast?",
        ),
        Mistake(
            "attends-across-the-batch",
            (
                ("projected = x @", "x = x.transpose(0, 1)\n    projected = x @"),
                (
                    "return merge_heads(output) @ w_out.T + b_out",
                    "return (merge_heads(output) @ w_out.T + b_out).transpose(0, 1)",
                ),
            ),
            "The first axis is taken for the length and the second for the batch (as torch.nn does without batch_first), so that each token attends to the other sentences' tokens at its place.",
            "Which axis of x holds the tokens that may look at one another?",
        ),
        Mistake(
            "input-thirds-not-transposed",
            (
                (
                    "x @ w_in.T + b_in",
                    "torch.cat([x @ part for part in w_in.chunk(3)], dim=-1) + b_in",
                ),
            ),
            "The thirds of w_in are used without transposing them. They are stored as (out, in), as in torch.nn.Linear, which computes x W^T + b.",
            "Which axis of w_in belongs to the inputs?",
        ),
        Mistake(
            "nothing-projected",
            ((_CHUNK, "query, key, value = x, x, x"),),
            "x itself is taken for query, key and value; w_in and b_in are not used.",
            "Where do w_in and b_in enter?",
        ),
        Mistake(
            "value-not-projected",
            (("split_heads(value, nhead)", "split_heads(x, nhead)"),),
            "The values are x itself and not their projection (the article's wording, the attention matrix multiplied with the word vectors, suggests it).",
            "Which third of w_in makes the values?",
        ),
        Mistake(
            "bias-for-the-query-only",
            (
                (
                    "x @ w_in.T + b_in",
                    "x @ w_in.T + torch.cat([b_in.chunk(3)[0], torch.zeros_like(b_in[x.shape[-1] :])])",
                ),
            ),
            "Only the query gets its bias.",
            "How long is b_in, and for how many projections is it made?",
        ),
        Mistake(
            "bias-interleaved",
            (("x @ w_in.T + b_in", "x @ w_in.T + b_in.reshape(-1, 3).T.reshape(-1)"),),
            "Every third number of b_in is taken for the query's bias, instead of its first third.",
            "Which entries of b_in belong to the query: 0 to D - 1, or 0, 3, 6, ...?",
        ),
        Mistake(
            "output-bias-for-every-head",
            (("@ w_out.T + b_out", "@ w_out.T + nhead * b_out"),),
            "The output's bias is added once for each head.",
            "How often should b_out be added?",
        ),
        Mistake(
            "output-bias-twice",
            (("@ w_out.T + b_out", "@ w_out.T + b_out + b_out"),),
            "The output's bias is added twice.",
            "How often should b_out be added?",
        ),
        Mistake(
            "scaled-twice",
            (
                (
                    _CALL,
                    "output, _ = scaled_dot_product(query / math.sqrt(query.shape[-1]), key, value, mask)",
                ),
            ),
            "The products are divided by the root of the head's width twice.",
            "Does the function that you call scale already?",
        ),
        Mistake(
            "heads-interleaved",
            (
                (
                    "split_heads(query, nhead)",
                    "query.reshape(*x.shape[:2], -1, nhead).permute(0, 3, 1, 2)",
                ),
                (
                    "split_heads(key, nhead)",
                    "key.reshape(*x.shape[:2], -1, nhead).permute(0, 3, 1, 2)",
                ),
                (
                    "split_heads(value, nhead)",
                    "value.reshape(*x.shape[:2], -1, nhead).permute(0, 3, 1, 2)",
                ),
            ),
            "Every head takes each H-th column instead of a piece of neighbours.",
            "Which of your functions cuts the heads?",
        ),
        Mistake(
            "heads-woven-together",
            (("merge_heads(output)", "output.permute(0, 2, 3, 1).reshape(x.shape)"),),
            "On merging, the heads' numbers are woven into one another: the width stands before the heads.",
            "Should column 1 of the merged output come from head 0 or from head 1?",
        ),
        Mistake(
            "heads-in-reverse",
            (("merge_heads(output)", "merge_heads(output.flip(1))"),),
            "The heads are merged in reverse order.",
            "Which head's numbers come first in a row?",
        ),
        Mistake(
            "mask-turned",
            (
                (
                    "query, key, value, mask)",
                    "query, key, value, None if mask is None else mask.expand(x.shape[0], nhead, x.shape[1], x.shape[1]).transpose(-2, -1))",
                ),
            ),
            "Rows and columns of the mask are exchanged.",
            "Which axis of the mask belongs to the queries?",
        ),
        Mistake(
            "residual-added",
            (("return merge_heads", "return x + merge_heads"),),
            "The input is added to the result. The residual connection comes in chapter 04, outside of the attention.",
            "What is asked for: the attention, or the attention with what surrounds it?",
        ),
        Mistake(
            "normalised",
            (("projected = x @", "x = F.layer_norm(x, x.shape[-1:])\n    projected = x @"),),
            "The input is normalised first. Layer normalisation comes in chapter 04, outside of the attention.",
            "What is asked for: the attention, or the attention with what surrounds it?",
        ),
        Mistake(
            "mean-of-the-heads",
            (
                (
                    "merge_heads(output)",
                    "merge_heads(output.mean(dim=1, keepdim=True).expand_as(output))",
                ),
            ),
            "The heads are averaged instead of standing side by side.",
            "What would be the use of several heads if only their mean were kept?",
        ),
        Mistake(
            "cut-from-the-gradient",
            (("return merge_heads(output)", "return merge_heads(output.detach())"),),
            "What the heads compute is cut off from x and w_in (`detach`, `.data`, `no_grad`).",
            "Which parameters still get a gradient?",
        ),
    ),
    hints=(
        "Project once, cut into query, key and value, split each into heads, attend, merge, project again. Each step "
        "is a function that you have.",
        "x @ w_in.T + b_in is (B, S, 3D); its thirds are (B, S, D); split: (B, H, S, Dh); merged again: (B, S, D).",
        "p <- x w_in^T + b_in\nq, k, v <- the three thirds of p, each split into heads\no <- attention(q, k, v, mask)\nreturn merged(o) w_out^T + b_out",
        "query, key, value = (split_heads(part, nhead) for part in (x @ w_in.T + b_in).chunk(3, dim=-1))",
    ),
    axes=(("B", "S", "D"),),
    undone=(
        Undone(
            "before the output projection, head by head",
            _before_the_projection,
            ("B", "H", "S", "Dh"),
        ),
    ),
    clues=(
        (
            "a single head",
            "what several heads do is wrong: how they are split, which weights each uses, or how they are joined",
        ),
        (
            "a single token",
            "its weight is 1 whatever the scores are, so the values, the heads and the projections are right, and the scores, their scale, the mask or the softmax are not",
        ),
        (
            "biases of 0",
            "look at where b_in and b_out are added",
        ),
    ),
    clues_if_wrong=(
        (
            "a single token",
            "its weight is 1 whatever the scores are, so look first at the values (their third of w_in and b_in), "
            "at how heads are split and joined, at the output projection, and at what else is done to x or to "
            "the result",
        ),
    ),
    remarks=(
        Remark(
            traps.IDLE_QUERY,
            _multi_head_case(
                Draw(0),
                "one query may look at nothing",
                (1, 2, 1, 2),
                torch.tensor([[False, False], [True, True]]),
            ),
            traps.not_finite,
            traps.SAYS_OF_IDLE_QUERY,
            mode="gradient",
        ),
    ),
)


def _heads(x: Tensor, w_in: Tensor, b_in: Tensor, nhead: int, mask: Tensor | None) -> Tensor:
    batch, length, d_model = x.shape
    parts = (x @ w_in.T + b_in).chunk(3, -1)
    query, key, value = (
        part.reshape(batch, length, nhead, -1).transpose(1, 2) for part in parts
    )  # (B, H, S, Dh)
    return (
        plain_attention(query, key, value, mask)[0].transpose(1, 2).reshape(batch, length, d_model)
    )  # (B, S, D)


def _whole(
    x: Tensor,
    w_in: Tensor,
    b_in: Tensor,
    w_out: Tensor,
    b_out: Tensor,
    nhead: int,
    mask: Tensor | None = None,
) -> Tensor:
    return _heads(x, w_in, b_in, nhead, mask) @ w_out.T + b_out
