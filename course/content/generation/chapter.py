# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown] id="title"
# # 07 Text generation

# %% id="setup"
import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course import check, datasets, explain, figures, hint, labs, predict, quiz, use

# %% [markdown] id="task-section"
# ## 1 What a generator is asked to do

# %% [markdown] id="attentions-section"
# ## 2 The decoder's two attentions

# %% id="cross-attention-exercise" exercise="generation.cross_attention"
def cross_attention(
    target: Tensor,
    memory: Tensor,
    w_in: Tensor,
    b_in: Tensor,
    w_out: Tensor,
    b_out: Tensor,
    nhead: int,
    memory_padding_mask: Tensor | None = None,
) -> Tensor:
    """Let target (B, T, D) look at memory (B, S, D): (B, T, D); the mask (B, S) is True at padding."""
    ### BEGIN SOLUTION
    def heads(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """Project (B, N, D) and cut it into heads, (B, H, N, Dh)."""
        projected = x @ weight.T + bias  # (B, N, D)
        return projected.unflatten(-1, (nhead, -1)).transpose(1, 2)

    w_query, w_key, w_value = w_in.chunk(3)  # three times (D, D)
    b_query, b_key, b_value = b_in.chunk(3)  # three times (D,)
    query = heads(target, w_query, b_query)  # (B, H, T, Dh)
    key = heads(memory, w_key, b_key)  # (B, H, S, Dh)
    value = heads(memory, w_value, b_value)  # (B, H, S, Dh)

    scores = query @ key.transpose(-2, -1) / math.sqrt(key.shape[-1])  # (B, H, T, S)
    if memory_padding_mask is None:
        weights = torch.softmax(scores, dim=-1)
    else:
        padding = memory_padding_mask[:, None, None, :]  # (B, 1, 1, S)
        empty = padding.all(dim=-1, keepdim=True)  # (B, 1, 1, 1): nothing to look at
        scores = scores.masked_fill(padding & ~empty, float("-inf"))
        weights = torch.softmax(scores, dim=-1).masked_fill(empty, 0.0)
    output = (weights @ value).transpose(1, 2).flatten(2)  # (B, T, D)
    return output @ w_out.T + b_out
    ### END SOLUTION


# %% id="cross-attention-check"
check("generation.cross_attention", cross_attention)

# %% id="cross-attention-use"
cross_attention = use("generation.cross_attention")

# %% [markdown] id="forcing-section"
# ## 3 Teacher forcing, and the shift

# %% id="shift-right-exercise" exercise="generation.shift_right"
def shift_right(targets: Tensor, bos_id: int) -> Tensor:
    """What the decoder reads, (B, T), while it is trained to write targets (B, T)."""
    ### BEGIN SOLUTION
    begin = torch.full_like(targets[:, :1], bos_id)  # (B, 1)
    return torch.cat([begin, targets[:, :-1]], dim=1)  # (B, T)
    ### END SOLUTION


# %% id="shift-right-check"
check("generation.shift_right", shift_right)

# %% id="shift-right-use"
shift_right = use("generation.shift_right")

# %% [markdown] id="greedy-section"
# ## 4 One token after another: greedy decoding

# %% id="greedy-decode-exercise" exercise="generation.greedy_decode"
def greedy_decode(
    next_logits: Callable[[list[int]], Tensor], bos_id: int, eos_id: int, max_length: int
) -> list[int]:
    """The likeliest token at each step, until eos_id or max_length tokens; next_logits(ids) is (V,)."""
    ### BEGIN SOLUTION
    ids = [bos_id]
    while len(ids) - 1 < max_length:  # bos_id does not count
        token = int(next_logits(ids).argmax())
        if token == eos_id:
            break
        ids.append(token)
    return ids[1:]
    ### END SOLUTION


# %% id="greedy-decode-check"
check("generation.greedy_decode", greedy_decode)

# %% id="greedy-decode-use"
greedy_decode = use("generation.greedy_decode")

# %% id="no-repeat-ngram-exercise" exercise="generation.no_repeat_ngram"
def no_repeat_ngram(logits: Tensor, ids: list[int], n: int) -> Tensor:
    """The logits (V,) of what follows ids, -inf for each token that would repeat n tokens in a row."""
    ### BEGIN SOLUTION
    last = ids[len(ids) - n + 1 :] if n > 1 else []  # the n - 1 tokens that the next one joins
    blocked = [
        ids[start + n - 1]
        for start in range(len(ids) - n + 1)
        if ids[start : start + n - 1] == last
    ]
    where = torch.zeros_like(logits, dtype=torch.bool)  # (V,)
    where[blocked] = True
    return logits.masked_fill(where, float("-inf"))
    ### END SOLUTION


# %% id="no-repeat-ngram-check"
check("generation.no_repeat_ngram", no_repeat_ngram)

# %% id="no-repeat-ngram-use"
no_repeat_ngram = use("generation.no_repeat_ngram")

# %% [markdown] id="sampling-section"
# ## 5 Sampling: temperature, top-k, nucleus

# %% id="top-p-exercise" exercise="generation.top_p"
def top_p(logits: Tensor, p: float) -> Tensor:
    """Logits (..., V), -inf outside of the smallest set of tokens whose probability reaches p."""
    ### BEGIN SOLUTION
    ordered, order = logits.sort(dim=-1, descending=True)  # (..., V), the likeliest first
    probability = torch.softmax(ordered, dim=-1)
    before = probability.cumsum(dim=-1) - probability  # of all that are likelier
    outside = before >= p
    outside[..., 0] = False  # the likeliest stays, also for p = 0
    outside = torch.zeros_like(outside).scatter(-1, order, outside)  # in the tokens' own order
    return logits.masked_fill(outside, float("-inf"))
    ### END SOLUTION


# %% id="top-p-check"
check("generation.top_p", top_p)

# %% id="top-p-use"
top_p = use("generation.top_p")

# %% [markdown] id="cache-section"
# ## 6 The key/value cache

# %% id="cached-step-exercise" exercise="generation.cached_step"
def cached_step(
    x: Tensor,
    past_key: Tensor,
    past_value: Tensor,
    w_in: Tensor,
    b_in: Tensor,
    w_out: Tensor,
    b_out: Tensor,
    nhead: int,
) -> tuple[Tensor, Tensor, Tensor]:
    """Causal self-attention of one new token x (B, 1, D), with the keys and values of the T before it.

    past_key and past_value are (B, H, T, Dh). Returns the output (B, 1, D), and the keys and values
    of all T + 1 tokens, (B, H, T + 1, Dh).
    """
    ### BEGIN SOLUTION
    projected = x @ w_in.T + b_in  # (B, 1, 3D): of the new token alone
    query, key, value = (
        part.unflatten(-1, (nhead, -1)).transpose(1, 2) for part in projected.chunk(3, dim=-1)
    )  # (B, H, 1, Dh)
    key = torch.cat([past_key, key], dim=2)  # (B, H, T + 1, Dh)
    value = torch.cat([past_value, value], dim=2)  # (B, H, T + 1, Dh)
    scores = query @ key.transpose(-2, -1) / math.sqrt(key.shape[-1])  # (B, H, 1, T + 1)
    output = torch.softmax(scores, dim=-1) @ value  # (B, H, 1, Dh)
    return output.transpose(1, 2).flatten(2) @ w_out.T + b_out, key, value
    ### END SOLUTION


# %% id="cached-step-check"
check("generation.cached_step", cached_step)

# %% id="cached-step-use"
cached_step = use("generation.cached_step")

# %% [markdown] id="keywords-section"
# ## 7 From keywords to a sentence

# %% [markdown] id="memory-section"
# ## 8 What the memory carries

# %% [markdown] id="beam-section"
# ## 9 Beam search

# %% [markdown] id="causal-section"
# ## 10 The same without an encoder

# %% [markdown] id="answers-section"
# ## 11 Answers and summaries cut from the text

# %% [markdown] id="lab-section"
# ## 12 The decoding lab

# %% [markdown] id="recap"
# ## Recap

# %% [markdown] id="glossary"
# ### The chapter's terms
#
# <!-- glossary -->

# %% [markdown] id="papers"
# ### The papers
#
# - Vaswani, Shazeer, Parmar, Uszkoreit, Jones, Gomez, Kaiser, Polosukhin: *Attention Is All You Need*. NeurIPS 2017. [arXiv:1706.03762](https://arxiv.org/abs/1706.03762). Section 3.1 and figure 1 on the decoder; 3.2.3 on its two attentions.
