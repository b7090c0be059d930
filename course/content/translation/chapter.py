# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown] id="title"
# # 08 Machine translation
#
# > Thursday, March 6, 1997 → 1997年3月6日星期四
#
# Day, month and year, in another order and another script. This chapter trains the encoder-decoder of chapter 07 to write the right-hand side, looks at where it looks, and counts how often it is right.
#
# **When you are through, you can**
#
# - train a translator with a smoothed loss, and say what the smoothing costs and gains;
# - score translations with BLEU and chrF, and say what neither sees;
# - search with a beam;
# - say what attention replaced, having built what stood there before.
#
# **You need** Python, a little PyTorch, and from the chapters before: the layer of 04, the loss of 05, the decoder of 07.
#
# **Time** About three hours: five exercises, 90 minutes by our count, and about 90 minutes to read, run and play.

# %% id="setup"
import math
from collections import Counter
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from course import check, datasets, explain, figures, hint, labs, predict, quiz, use

# %% [markdown] id="smoothing-section"
# ## 3 Label smoothing

# %% [markdown] id="label-smoothed-loss-text"
# ### Exercise 1: `label_smoothed_loss`
# *Difficulty 1 of 3, about 12 minutes. Hints: `hint("translation.label_smoothed_loss")`*


# %% id="label-smoothed-loss-exercise" exercise="translation.label_smoothed_loss"
def label_smoothed_loss(logits: Tensor, targets: Tensor, smoothing: float, pad_id: int) -> Tensor:
    """Mean loss of the tokens that are not padding: logits (B, T, V), targets (B, T) -> ()."""
    ### BEGIN SOLUTION
    log_p = logits.log_softmax(dim=-1)  # (B, T, V)
    nll = -log_p.gather(-1, targets.unsqueeze(-1)).squeeze(-1)  # (B, T)
    uniform = -log_p.mean(dim=-1)  # (B, T): the loss against a target that is spread evenly
    loss = (1 - smoothing) * nll + smoothing * uniform  # (B, T)
    return loss[targets != pad_id].mean()
    ### END SOLUTION


# %% id="label-smoothed-loss-check"
check("translation.label_smoothed_loss", label_smoothed_loss)

# %% id="label-smoothed-loss-use"
label_smoothed_loss = use("translation.label_smoothed_loss")

# %% [markdown] id="scores-section"
# ## 6 How good is a translation?

# %% [markdown] id="bleu-text"
# ### Exercise 2: `bleu`
# *Difficulty 2 of 3, about 25 minutes. Hints: `hint("translation.bleu")`*


# %% id="bleu-exercise" exercise="translation.bleu"
def bleu(candidates: list[list[str]], references: list[list[str]]) -> float:
    """Corpus BLEU-4 from 0 to 1, one reference for each candidate."""
    ### BEGIN SOLUTION
    def ngrams(words: list[str], n: int) -> Counter[tuple[str, ...]]:
        return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))

    log_precision = 0.0
    for n in range(1, 5):
        shared = total = 0
        for candidate, reference in zip(candidates, references):
            ours, theirs = ngrams(candidate, n), ngrams(reference, n)
            shared += sum((ours & theirs).values())  # each n-gram at most as often as there
            total += sum(ours.values())
        if shared == 0:
            return 0.0
        log_precision += math.log(shared / total) / 4
    written = sum(len(candidate) for candidate in candidates)
    expected = sum(len(reference) for reference in references)
    brevity = min(1.0, math.exp(1 - expected / written))
    return brevity * math.exp(log_precision)
    ### END SOLUTION


# %% id="bleu-check"
check("translation.bleu", bleu)

# %% id="bleu-use"
bleu = use("translation.bleu")

# %% [markdown] id="chrf-text"
# ### Exercise 3: `chrf`
# *Difficulty 2 of 3, about 15 minutes. Hints: `hint("translation.chrf")`*


# %% id="chrf-exercise" exercise="translation.chrf"
def chrf(candidates: list[str], references: list[str], beta: float = 2.0) -> float:
    """Corpus chrF from 0 to 1: character n-grams of 1 to 6, white space left out."""
    ### BEGIN SOLUTION
    def ngrams(text: str, n: int) -> Counter[str]:
        text = "".join(text.split())
        return Counter(text[i : i + n] for i in range(len(text) - n + 1))

    precisions, recalls = [], []
    for n in range(1, 7):
        shared = written = expected = 0
        for candidate, reference in zip(candidates, references):
            ours, theirs = ngrams(candidate, n), ngrams(reference, n)
            if theirs:  # else there is nothing to compare with
                shared += sum((ours & theirs).values())
                written += sum(ours.values())
                expected += sum(theirs.values())
        if written and expected:  # else no text is so long
            precisions.append(shared / written)
            recalls.append(shared / expected)
    if not precisions:
        return 0.0
    precision = sum(precisions) / len(precisions)
    recall = sum(recalls) / len(recalls)
    if precision + recall == 0:
        return 0.0
    return (1 + beta**2) * precision * recall / (beta**2 * precision + recall)
    ### END SOLUTION


# %% id="chrf-check"
check("translation.chrf", chrf)

# %% id="chrf-use"
chrf = use("translation.chrf")

# %% [markdown] id="beam-section"
# ## 7 Beam search

# %% [markdown] id="beam-search-text"
# ### Exercise 4: `beam_search`
# *Difficulty 3 of 3, about 30 minutes. Hints: `hint("translation.beam_search")`*


# %% id="beam-search-exercise" exercise="translation.beam_search"
def beam_search(
    next_logits: Callable[[list[int]], Tensor],
    bos_id: int,
    eos_id: int,
    beam: int,
    max_length: int,
    length_penalty: float = 0.6,
) -> list[int]:
    """The best of the hypotheses that a beam finds, without bos_id and eos_id."""
    ### BEGIN SOLUTION
    live: list[tuple[float, list[int]]] = [(0.0, [bos_id])]  # log p and ids of each hypothesis
    finished: list[tuple[float, list[int]]] = []
    for _ in range(max_length):
        continued = [
            (log_p + gain, [*ids, token])
            for log_p, ids in live
            for token, gain in enumerate(next_logits(ids).log_softmax(dim=-1).tolist())
        ]
        kept = sorted(continued, key=lambda hypothesis: -hypothesis[0])[:beam]
        finished += [hypothesis for hypothesis in kept if hypothesis[1][-1] == eos_id]
        live = [hypothesis for hypothesis in kept if hypothesis[1][-1] != eos_id]
        if not live:
            break

    def score(hypothesis: tuple[float, list[int]]) -> float:
        log_p, ids = hypothesis
        length = len(ids) - 1  # bos_id is not counted, eos_id is
        return log_p / ((5 + length) / 6) ** length_penalty

    ids = max(finished + live, key=score)[1]
    return ids[1:-1] if ids[-1] == eos_id else ids[1:]
    ### END SOLUTION


# %% id="beam-search-check"
check("translation.beam_search", beam_search)

# %% id="beam-search-use"
beam_search = use("translation.beam_search")

# %% [markdown] id="history-section"
# ## 9 History in three pictures

# %% [markdown] id="additive-attention-text"
# ### Exercise 5: `additive_attention`
# *Difficulty 2 of 3, about 15 minutes. Hints: `hint("translation.additive_attention")`*


# %% id="additive-attention-exercise" exercise="translation.additive_attention"
def additive_attention(
    query: Tensor,
    memory: Tensor,
    w_query: Tensor,
    w_memory: Tensor,
    v: Tensor,
    memory_padding_mask: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """The context (B, M) and the weights (B, S) of query (B, Q) over memory (B, S, M).

    w_query is (A, Q), w_memory (A, M), v (A,); memory_padding_mask (B, S) is True at padding.
    """
    ### BEGIN SOLUTION
    hidden = (query @ w_query.T).unsqueeze(1) + memory @ w_memory.T  # (B, S, A)
    scores = torch.tanh(hidden) @ v  # (B, S)
    empty = torch.zeros_like(scores[:, :1], dtype=torch.bool)  # (B, 1)
    if memory_padding_mask is not None:
        empty = memory_padding_mask.all(dim=-1, keepdim=True)
        scores = scores.masked_fill(memory_padding_mask & ~empty, -math.inf)  # no row of -inf alone
    weights = scores.softmax(dim=-1).masked_fill(empty, 0.0)  # (B, S)
    context = (weights.unsqueeze(1) @ memory).squeeze(1)  # (B, M)
    return context, weights
    ### END SOLUTION


# %% id="additive-attention-check"
check("translation.additive_attention", additive_attention)

# %% id="additive-attention-use"
additive_attention = use("translation.additive_attention")

# %% [markdown] id="recap"
# ## Recap

# %% [markdown] id="glossary"
# ### The chapter's terms
#
# <!-- glossary -->

# %% [markdown] id="papers"
# ### The papers
#
# - Vaswani, Shazeer, Parmar, Uszkoreit, Jones, Gomez, Kaiser, Polosukhin: *Attention Is All You Need*. NeurIPS 2017. [arXiv:1706.03762](https://arxiv.org/abs/1706.03762).
