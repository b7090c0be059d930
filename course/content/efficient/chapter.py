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
