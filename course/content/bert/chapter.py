# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown] id="title"
# # 05 BERT

# %% id="setup"
import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course import check, explain, figures, hint, predict, quiz, use

# %% id="mask-tokens-exercise" exercise="bert.mask_tokens"
def mask_tokens(
    ids: Tensor,
    special: Tensor,
    mask_id: int,
    vocab_size: int,
    probability: float = 0.15,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """Inputs and labels, both (B, S), from ids; special (B, S) bool, True = never chosen."""
    ### BEGIN SOLUTION
    def draw() -> Tensor:
        """A number from [0, 1) for each place."""
        return torch.rand(ids.shape, generator=generator, device=ids.device)

    chosen = (draw() < probability) & ~special  # (B, S)
    labels = ids.masked_fill(~chosen, -100)

    kind = draw()  # what becomes of a chosen place
    masked = chosen & (kind < 0.8)
    replaced = chosen & (kind >= 0.8) & (kind < 0.9)
    others = torch.randint(
        vocab_size, ids.shape, generator=generator, dtype=ids.dtype, device=ids.device
    )
    inputs = torch.where(replaced, others, ids.masked_fill(masked, mask_id))
    return inputs, labels
    ### END SOLUTION


# %% id="mask-tokens-check"
check("bert.mask_tokens", mask_tokens)

# %% id="mask-tokens-use"
mask_tokens = use("bert.mask_tokens")

# %% id="masked-lm-loss-exercise" exercise="bert.masked_lm_loss"
def masked_lm_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross entropy where labels (B, S) are not -100; logits (B, S, V); 0 without any."""
    ### BEGIN SOLUTION
    counts = labels != -100  # (B, S)
    log_p = torch.log_softmax(logits, dim=-1)  # (B, S, V)
    safe = labels.masked_fill(~counts, 0)  # gather needs an id everywhere
    picked = log_p.gather(-1, safe.unsqueeze(-1)).squeeze(-1)  # (B, S)
    total = picked.masked_fill(~counts, 0.0).sum()
    return -total / counts.sum().clamp(min=1)  # without any label: 0 / 1
    ### END SOLUTION


# %% id="masked-lm-loss-check"
check("bert.masked_lm_loss", masked_lm_loss)

# %% id="masked-lm-loss-use"
masked_lm_loss = use("bert.masked_lm_loss")

# %% id="perplexity-exercise" exercise="bert.perplexity"
def perplexity(logits: Tensor, labels: Tensor) -> Tensor:
    """exp of the mean loss where labels (B, S) are not -100; logits (B, S, V); 1 without any."""
    ### BEGIN SOLUTION
    return torch.exp(masked_lm_loss(logits, labels))
    ### END SOLUTION


# %% id="perplexity-check"
check("bert.perplexity", perplexity)

# %% id="perplexity-use"
perplexity = use("bert.perplexity")

# %% id="sentence-pair-exercise" exercise="bert.sentence_pair"
def sentence_pair(
    first: list[int], second: list[int], cls_id: int, sep_id: int, max_length: int
) -> tuple[list[int], list[int]]:
    """Ids [CLS] first [SEP] second [SEP], at most max_length, and their segments (0, then 1)."""
    ### BEGIN SOLUTION
    first, second = list(first), list(second)  # the caller's lists stay as they are
    while len(first) + len(second) + 3 > max_length:
        longer = first if len(first) > len(second) else second
        longer.pop()
    ids = [cls_id, *first, sep_id, *second, sep_id]
    type_ids = [0] * (len(first) + 2) + [1] * (len(second) + 1)
    return ids, type_ids
    ### END SOLUTION


# %% id="sentence-pair-check"
check("bert.sentence_pair", sentence_pair)

# %% id="sentence-pair-use"
sentence_pair = use("bert.sentence_pair")

# %% id="tied-logits-exercise" exercise="bert.tied_logits"
def tied_logits(hidden: Tensor, embedding_weight: Tensor, bias: Tensor) -> Tensor:
    """Logits (B, S, V) from hidden (B, S, D), the embedding table (V, D) and bias (V,)."""
    ### BEGIN SOLUTION
    return hidden @ embedding_weight.T + bias  # (B, S, D) @ (D, V) -> (B, S, V)
    ### END SOLUTION


# %% id="tied-logits-check"
check("bert.tied_logits", tied_logits)

# %% id="tied-logits-use"
tied_logits = use("bert.tied_logits")

# %% id="learning-rate-exercise" exercise="bert.learning_rate"
def learning_rate(step: int, warmup: int, total: int, peak: float) -> float:
    """From 0 up to peak at step == warmup, then down to 0 at total; 0 after it."""
    ### BEGIN SOLUTION
    if step < warmup:
        return peak * step / warmup
    return peak * max(0.0, (total - step) / (total - warmup))
    ### END SOLUTION


# %% id="learning-rate-check"
check("bert.learning_rate", learning_rate)

# %% id="learning-rate-use"
learning_rate = use("bert.learning_rate")

# %% id="clip-norm-exercise" exercise="bert.clip_norm"
def clip_norm(gradients: list[Tensor], max_norm: float) -> list[Tensor]:
    """The gradients, all times one factor: together they are at most max_norm long."""
    ### BEGIN SOLUTION
    squares = [gradient.square().sum() for gradient in gradients]
    norm = torch.stack(squares).sum().sqrt()  # of all numbers together
    scale = max_norm / norm.clamp(min=max_norm)  # 1 where they are short enough
    return [gradient * scale for gradient in gradients]
    ### END SOLUTION


# %% id="clip-norm-check"
check("bert.clip_norm", clip_norm)

# %% id="clip-norm-use"
clip_norm = use("bert.clip_norm")

# %% id="pseudo-log-likelihood-exercise" exercise="bert.pseudo_log_likelihood"
def pseudo_log_likelihood(
    ids: Tensor, special: Tensor, mask_id: int, model: Callable[[Tensor], Tensor]
) -> Tensor:
    """Sum of log p(token | all others), each masked in turn; ids (S,), model (N, S) -> (N, S, V)."""
    ### BEGIN SOLUTION
    places = (~special).nonzero().squeeze(-1)  # (N,)
    rows = torch.arange(len(places), device=ids.device)
    copies = ids.repeat(len(places), 1)  # (N, S)
    copies[rows, places] = mask_id  # a copy for each place, masked there alone
    log_p = torch.log_softmax(model(copies), dim=-1)  # (N, S, V)
    return log_p[rows, places, ids[places]].sum()
    ### END SOLUTION


# %% id="pseudo-log-likelihood-check"
check("bert.pseudo_log_likelihood", pseudo_log_likelihood)

# %% id="pseudo-log-likelihood-use"
pseudo_log_likelihood = use("bert.pseudo_log_likelihood")
