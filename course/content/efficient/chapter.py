# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown] id="title"
# # 10 Faster and larger
#
# **When you are through, you can**
#
# - count what an encoder costs before you run it, and say what limits it;
# - compute attention over 65,536 tokens without ever holding their scores;
# - plan the pre-training of a BERT, with numbers.
#
# **You need** Python, a little PyTorch, and from the chapters before: the attention of 02, the layer of 04.
#
# **Time** About three hours: six exercises, 90 minutes by our count, and about 90 minutes to read, run and play.

# %% id="setup"
import math

import torch
import torch.nn.functional as F
from torch import Tensor

from course import check, explain, figures, hint, labs, predict, quiz, use

# %% [markdown] id="count-section"
# ## 1 What a layer costs

# %% [markdown] id="attention-flops-text"
# ### Exercise 1: `attention_flops`
# *Difficulty 1 of 3, about 12 minutes. Hints: `hint("efficient.attention_flops")`*
#
# Return how many additions and multiplications the matrix products of one self-attention layer take, for a batch of $B$ texts of $S$ tokens at the width $D$. A product of $(m, k)$ and $(k, n)$ has $m \cdot n$ entries, each the sum of $k$ products: count $2mkn$ [FLOPs](glossary.md#flop).
#
# ```
#                x  (B*S, D)
#     ┌───────────────┼───────────────┐
#     · W_q           · W_k           · W_v        3 x  (B*S, D) @ (D, D)
#     │ query         │ key           │ value
#     └──── scores ───┘               │            B x  (S, D) @ (D, S)
#             └────── weighted sum ───┘            B x  (S, S) @ (S, D)
#                          · W_o                   1 x  (B*S, D) @ (D, D)
# ```
#
# - The drawing shows one head. With $H$ heads each of the two middle products is $H$ products of the width $D_h = D / H$, which take as many operations together: the number of heads does not matter.
# - Count the matrix products alone: no bias, no scaling, no softmax.
# - Return a Python `int`; a float would lose digits above $2^{53}$.
#
# *A tiny case.* $B = 1$, $S = 3$, $D = 2$: a projection is $(3, 2) \cdot (2, 2)$, $2 \cdot 3 \cdot 2 \cdot 2 = 24$ operations, and four of them 96. The scores $(3, 2) \cdot (2, 3)$ take $2 \cdot 3 \cdot 2 \cdot 3 = 36$, the weighted sum $(3, 3) \cdot (3, 2)$ another 36. Together they are 168.


# %% id="attention-flops-exercise" exercise="efficient.attention_flops"
def attention_flops(batch: int, length: int, d_model: int) -> int:
    """Additions and multiplications in the matrix products of one self-attention layer."""
    ### BEGIN SOLUTION
    projections = 4 * 2 * batch * length * d_model * d_model  # query, key, value, output
    products = 2 * 2 * batch * length * length * d_model  # the scores, and the weighted values
    return projections + products
    ### END SOLUTION


# %% id="attention-flops-check"
check("efficient.attention_flops", attention_flops)

# %% id="attention-flops-use"
attention_flops = use("efficient.attention_flops")

# %% [markdown] id="machine-section"
# ## 2 What this machine can do

# %% [markdown] id="square-section"
# ## 3 The square of the length

# %% [markdown] id="blockwise-section"
# ## 4 Attention in blocks

# %% [markdown] id="blockwise-attention-text"
# ### Exercise 2: `blockwise_attention`
# *Difficulty 3 of 3, about 30 minutes. Hints: `hint("efficient.blockwise_attention")`*
#
# Compute softmax attention without a mask, $\text{softmax}(QK^\top / \sqrt{D_h})\,V$, and look at `block` keys at a time. All queries may stay together. Three things are kept from block to block, for each query:
#
# ```
#     key, value    ┌─ block 1 ─┬─ block 2 ─┬─ 3 ─┐     (the last may be shorter)
#                         │           │        │
#                      scores      scores   scores  (..., L, block)
#                         ▼           ▼        ▼
#     highest  -inf ────► m1 ───────► m2 ────► m3   (..., L, 1)   largest so far
#     total       0 ────► z1 ───────► z2 ────► z3   (..., L, 1)   sum of e^(s-m)
#     output      0 ────► o1 ───────► o2 ────► o3   (..., L, Dv)  sum of e^(s-m) v
#                            · e^(m1-m2)  · e^(m2-m3)        result: o3 / z3
# ```
#
# When a block raises the largest score from $m_1$ to $m_2$, what was summed up is too large: it holds $e^{s - m_1}$ where $e^{s - m_2}$ belongs. One factor, $e^{m_1 - m_2}$, corrects all of it.
#
# - `query` is $(\dots, L, D_h)$, `key` $(\dots, S, D_h)$, `value` $(\dots, S, D_v)$; the result is $(\dots, L, D_v)$. There is at least one key, and `block` may be larger than $S$.
# - Never hold more than $(\dots, L, \texttt{block})$ scores in one tensor, nor those of all blocks in a list. The check counts them.
# - Write it by hand: `F.scaled_dot_product_attention` is not allowed here.
# - Scores in the hundreds must not overflow, whichever block holds the largest.
#
# *A tiny case.* One query with the scores $0, \ln 2 \mid \ln 8$ in blocks of 2, and the values $1, 1 \mid 5$. After the first block $m = \ln 2$, the exponentials are $\frac12$ and $1$, so $z = o = \frac32$. The second block raises $m$ to $\ln 8$: the factor is $\frac{2}{8}$, so $z = \frac32 \cdot \frac14 + 1 = \frac{11}{8}$ and $o = \frac38 + 5 = \frac{43}{8}$. The result is $\frac{43}{11} \approx 3.91$. Without blocks it is $\frac{1 \cdot 1 + 2 \cdot 1 + 8 \cdot 5}{1 + 2 + 8}$, the same.


# %% id="blockwise-attention-exercise" exercise="efficient.blockwise_attention"
def blockwise_attention(query: Tensor, key: Tensor, value: Tensor, block: int) -> Tensor:
    """Attention of (..., L, Dh) over (..., S, Dh) and (..., S, Dv), `block` keys at a time: (..., L, Dv)."""
    ### BEGIN SOLUTION
    scale = 1 / math.sqrt(query.shape[-1])
    highest = torch.full_like(query[..., :1], -math.inf)  # (..., L, 1): the largest score so far
    total = torch.zeros_like(highest)  # (..., L, 1): the sum of exp(score - highest) so far
    output = query.new_zeros(*query.shape[:-1], value.shape[-1])  # (..., L, Dv): not yet divided
    for start in range(0, key.shape[-2], block):
        keys, values = key[..., start : start + block, :], value[..., start : start + block, :]
        scores = query @ keys.transpose(-2, -1) * scale  # (..., L, block)
        higher = torch.maximum(highest, scores.amax(dim=-1, keepdim=True))
        shrink = torch.exp(highest - higher)  # what was summed against a lower maximum counts less
        weights = torch.exp(scores - higher)  # (..., L, block)
        total = total * shrink + weights.sum(dim=-1, keepdim=True)
        output = output * shrink + weights @ values
        highest = higher
    return output / total
    ### END SOLUTION


# %% id="blockwise-attention-check"
check("efficient.blockwise_attention", blockwise_attention)

# %% id="blockwise-attention-use"
blockwise_attention = use("efficient.blockwise_attention")

# %% [markdown] id="padding-section"
# ## 5 No work on padding

# %% [markdown] id="unpad-text"
# ### Exercise 3: `unpad`
# *Difficulty 1 of 3, about 10 minutes. Hints: `hint("efficient.unpad")`*
#
# Lay the real tokens of a padded batch end to end, and note where each one stood.
#
# ```
#     x (B, S, D)     flat place       packed (N, D)     indices (N,)
#     a0 a1  ·  ·     0 1 2 3          a0                0
#     b0 b1 b2  ·     4 5 6 7          a1                1
#                                      b0                4
#                                      b1                5
#                                      b2                6
# ```
#
# - `padding_mask` is $(B, S)$, `True` at padding. Padding may stand anywhere in a row, and a row may be nothing but padding.
# - The tokens come text by text, each text's in their order.
# - `indices` are int64 and count places in $B \cdot S$: place $s$ of text $b$ is $b \cdot S + s$.
# - Return both: the tokens, then the indices. Where everything is padding, they are $(0, D)$ and $(0,)$.
#
# *A tiny case.* Two texts of three places, with the mask `[[False, True, True], [False, False, True]]`: three real tokens, with the indices 0, 3 and 4.


# %% id="unpad-exercise" exercise="efficient.unpad"
def unpad(x: Tensor, padding_mask: Tensor) -> tuple[Tensor, Tensor]:
    """The real tokens of x (B, S, D), and their places in B * S: (N, D), (N,)."""
    ### BEGIN SOLUTION
    indices = (~padding_mask).flatten().nonzero().squeeze(-1)  # (N,)
    return x.flatten(0, 1)[indices], indices
    ### END SOLUTION


# %% id="unpad-check"
check("efficient.unpad", unpad)

# %% id="unpad-use"
unpad = use("efficient.unpad")

# %% [markdown] id="repad-text"
# ### Exercise 4: `repad`
# *Difficulty 1 of 3, about 8 minutes. Hints: `hint("efficient.repad")`*
#
# Put packed tokens back: `packed[i]` belongs to place `indices[i]` of the $B \cdot S$ places, and all other places are zeros.
#
# ```
#     packed (N, D)   indices          flat (B*S, D)               (B, S, D)
#     a0              0
#     a1              1         0: a0  1: a1  2: 0   3: 0          a0 a1  0  0
#     b0              4    →    4: b0  5: b1  6: b2  7: 0     →    b0 b1 b2  0
#     b1              5
#     b2              6
# ```
#
# - `packed` is $(N, D)$, `indices` $(N,)$ int64, each place at most once. $N$ may be 0.
# - The result is $(\texttt{batch}, \texttt{length}, D)$ with the dtype of `packed`; `packed` stays as it is, and gradients flow back to it.
#
# *A tiny case.* The tokens 7, 8 and 9, of width 1, with the indices 0, 3 and 4 in two texts of three places give `[7, 0, 0]` and `[8, 9, 0]`.


# %% id="repad-exercise" exercise="efficient.repad"
def repad(packed: Tensor, indices: Tensor, batch: int, length: int) -> Tensor:
    """Put real tokens (N, D) back to their places, zeros elsewhere: (batch, length, D)."""
    ### BEGIN SOLUTION
    x = packed.new_zeros(batch * length, packed.shape[-1])  # (B * S, D)
    return x.index_copy(0, indices, packed).reshape(batch, length, packed.shape[-1])
    ### END SOLUTION


# %% id="repad-check"
check("efficient.repad", repad)

# %% id="repad-use"
repad = use("efficient.repad")

# %% [markdown] id="packed-rows-section"
# ## 6 Several texts in a row

# %% [markdown] id="packed-mask-text"
# ### Exercise 5: `packed_mask`
# *Difficulty 2 of 3, about 12 minutes. Hints: `hint("efficient.packed_mask")`*
#
# Where several short texts share a row, a token must see its own text alone. Given the number of the document at each place, return the mask of all pairs.
#
# ```
#     documents  0  0  1  -            key       0  0  1  -
#                              query  0          .  .  x  x      x = True = blocked
#                                     0          .  .  x  x
#                                     1          x  x  .  x
#                                     -          x  x  x  x      - is -1, padding
# ```
#
# - `documents` is $(B, S)$, whole numbers: 0 or more for a document, $-1$ at padding. The result is $(B, S, S)$ bool, the query first.
# - A document is all places of the row that have its number, wherever they stand: the numbers need not rise, need not be neighbours, and the parts of `[0, 1, 0]` that have the number 0 see each other. Rows don't see each other, whatever their numbers.
# - Padding is blocked as a key and as a query, from itself too. Its row of the mask is `True` throughout, and attention gives zeros there.
#
# *A tiny case.* `[[4, 4, 2]]`: tokens 0 and 1 see each other and themselves, token 2 sees itself. So the mask is `[[False, False, True], [False, False, True], [True, True, False]]`.


# %% id="packed-mask-exercise" exercise="efficient.packed_mask"
def packed_mask(documents: Tensor) -> Tensor:
    """What is blocked where texts share a row: documents (B, S), -1 at padding -> (B, S, S) bool."""
    ### BEGIN SOLUTION
    other = documents[:, :, None] != documents[:, None, :]  # (B, S, S): of another text
    padding = documents < 0  # (B, S)
    return other | padding[:, :, None] | padding[:, None, :]
    ### END SOLUTION


# %% id="packed-mask-check"
check("efficient.packed_mask", packed_mask)

# %% id="packed-mask-use"
packed_mask = use("efficient.packed_mask")

# %% [markdown] id="precision-section"
# ## 7 Fewer bits

# %% [markdown] id="quantize-text"
# ### Exercise 6: `quantize`
# *Difficulty 2 of 3, about 15 minutes. Hints: `hint("efficient.quantize")`*
#
# Write a matrix in whole numbers of one byte each, with a scale for each row, so that `numbers * scale` is near `weight`.
#
# ```
#     weight (F, D)                 largest |w|    scale        numbers, int8 (F, D)
#      127.0   63.7  -20.3   0.4       127           1           127   64  -20    0
#       20.6 -254.0    0.8   100       254           2            10 -127    0   50
#                                                 (F, 1)
# ```
#
# - `scale` is the largest absolute value of the row divided by 127, $(F, 1)$, with the dtype of `weight`. Each number is `weight / scale`, rounded to the nearest whole number.
# - All is symmetric: 0 stays 0, and $-127$ is the lowest number, though int8 also has $-128$.
# - A row of zeros has the numbers 0. Its scale is 0; any other finite one will do.
#
# An entry is off by half a step at most, so by $\text{scale} / 2$.
#
# *A tiny case.* The row $[-6.35, 2.0]$ has the scale $6.35 / 127 = 0.05$ and the numbers $-127$ and $40$.


# %% id="quantize-exercise" exercise="efficient.quantize"
def quantize(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Whole numbers from -127 to 127 and a scale a row: weight (F, D) -> int8 (F, D), scale (F, 1)."""
    ### BEGIN SOLUTION
    scale = weight.abs().amax(dim=-1, keepdim=True) / 127  # (F, 1)
    divisor = torch.where(scale == 0, torch.ones_like(scale), scale)  # a row of zeros stays zeros
    return (weight / divisor).round().to(torch.int8), scale
    ### END SOLUTION


# %% id="quantize-check"
check("efficient.quantize", quantize)

# %% id="quantize-use"
quantize = use("efficient.quantize")

# %% [markdown] id="fewer-passes-section"
# ## 8 Fewer passes over memory

# %% [markdown] id="modernbert-section"
# ## 9 What ModernBERT changed

# %% [markdown] id="cost-lab-section"
# ## 10 The cost lab

# %% [markdown] id="processes-section"
# ## 11 From one process to many

# %% [markdown] id="plan-section"
# ## 12 A BERT of your own: a plan with numbers

# %% [markdown] id="recap"
# ## Recap

# %% [markdown] id="glossary"
# ### The chapter's terms
#
# <!-- glossary -->

# %% [markdown] id="papers"
# ### The papers
#
# - Dao, Fu, Ermon, Rudra, Ré: *FlashAttention: Fast and Memory-Efficient Exact Attention with IO-Awareness*. NeurIPS 2022. [arXiv:2205.14135](https://arxiv.org/abs/2205.14135).
# - Milakov, Gimelshein: *Online normalizer calculation for softmax*. 2018. [arXiv:1805.02867](https://arxiv.org/abs/1805.02867).
# - Rabe, Staats: *Self-attention Does Not Need O(n²) Memory*. 2021. [arXiv:2112.05682](https://arxiv.org/abs/2112.05682).
