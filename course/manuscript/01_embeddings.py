# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown] id="title"
# # 01 Embeddings

# %% id="setup"
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course import check, explain, figures, hint, labs, predict, quiz, use

# %% id="build-vocabulary-exercise" exercise="embeddings.build_vocabulary"
import re
from collections import Counter

SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def build_vocabulary(texts: list[str], size: int) -> dict[str, int]:
    """The number of each token: the five special ones, then the most frequent words."""
    ### BEGIN SOLUTION
    counts = Counter(word for text in texts for word in re.findall(r"\w+", text.lower()))
    by_frequency = sorted(counts, key=lambda word: (-counts[word], word))
    tokens = [*SPECIALS, *by_frequency][:size]
    return {token: number for number, token in enumerate(tokens)}
    ### END SOLUTION


# %% id="build-vocabulary-check"
check("embeddings.build_vocabulary", build_vocabulary)

# %% id="build-vocabulary-use"
build_vocabulary = use("embeddings.build_vocabulary")

# %% id="wordpiece-exercise" exercise="embeddings.wordpiece"
def wordpiece(word: str, vocabulary: set[str]) -> list[str]:
    """The word cut into pieces, always the longest that the vocabulary has."""
    ### BEGIN SOLUTION
    pieces, start = [], 0
    while start < len(word):
        prefix = "##" if start > 0 else ""
        end = len(word)
        while end > start and prefix + word[start:end] not in vocabulary:
            end -= 1
        if end == start:
            return ["[UNK]"]
        pieces.append(prefix + word[start:end])
        start = end
    return pieces
    ### END SOLUTION


# %% id="wordpiece-check"
check("embeddings.wordpiece", wordpiece)

# %% id="wordpiece-use"
wordpiece = use("embeddings.wordpiece")

# %% id="pad-batch-exercise" exercise="embeddings.pad_batch"
def pad_batch(sequences: list[list[int]], pad_id: int) -> tuple[Tensor, Tensor]:
    """Ids (B, S) int64, padded on the right, and the padding mask (B, S), True at padding."""
    ### BEGIN SOLUTION
    longest = max(len(sequence) for sequence in sequences)
    ids = torch.full((len(sequences), longest), pad_id, dtype=torch.int64)
    mask = torch.ones(len(sequences), longest, dtype=torch.bool)
    for row, sequence in enumerate(sequences):
        ids[row, : len(sequence)] = torch.tensor(sequence, dtype=torch.int64)
        mask[row, : len(sequence)] = False
    return ids, mask
    ### END SOLUTION


# %% id="pad-batch-check"
check("embeddings.pad_batch", pad_batch)

# %% id="pad-batch-use"
pad_batch = use("embeddings.pad_batch")

# %% id="lookup-exercise" exercise="embeddings.lookup"
def lookup(weight: Tensor, ids: Tensor) -> Tensor:
    """The vectors (B, S, D) of ids (B, S), out of the table weight (V, D)."""
    ### BEGIN SOLUTION
    return weight[ids]  # (V, D) at (B, S) -> (B, S, D)
    ### END SOLUTION


# %% id="lookup-check"
check("embeddings.lookup", lookup)

# %% id="lookup-use"
lookup = use("embeddings.lookup")

# %% id="cosine-similarity-exercise" exercise="embeddings.cosine_similarity"
def cosine_similarity(a: Tensor, b: Tensor) -> Tensor:
    """Every row of a (N, D) with every row of b (M, D): (N, M); with a zero vector, 0."""
    ### BEGIN SOLUTION
    a = a / a.norm(dim=-1, keepdim=True).clamp(min=1e-12)  # (N, D), rows of length 1
    b = b / b.norm(dim=-1, keepdim=True).clamp(min=1e-12)  # (M, D)
    return a @ b.T  # (N, D) @ (D, M) -> (N, M)
    ### END SOLUTION


# %% id="cosine-similarity-check"
check("embeddings.cosine_similarity", cosine_similarity)

# %% id="cosine-similarity-use"
cosine_similarity = use("embeddings.cosine_similarity")

# %% id="sinusoidal-positions-exercise" exercise="embeddings.sinusoidal_positions"
def sinusoidal_positions(length: int, d_model: int) -> Tensor:
    """The table (length, d_model): sine in the even columns, cosine in the odd ones."""
    ### BEGIN SOLUTION
    position = torch.arange(length).unsqueeze(1)  # (length, 1)
    column = torch.arange(d_model)  # (d_model,)
    angle = position / 10000 ** (2 * (column // 2) / d_model)  # (length, d_model)
    return torch.where(column % 2 == 0, angle.sin(), angle.cos())
    ### END SOLUTION


# %% id="sinusoidal-positions-check"
check("embeddings.sinusoidal_positions", sinusoidal_positions)

# %% id="sinusoidal-positions-use"
sinusoidal_positions = use("embeddings.sinusoidal_positions")

# %% id="rotary-exercise" exercise="embeddings.rotary"
def rotary(x: Tensor, positions: Tensor, base: float = 10000.0) -> Tensor:
    """Each pair of neighbours in x (..., S, Dh), turned by its position's angle."""
    ### BEGIN SOLUTION
    dtype = torch.float64 if x.dtype == torch.float64 else torch.float32
    exponent = torch.arange(0, x.shape[-1], 2, dtype=dtype, device=x.device) / x.shape[-1]
    angle = positions.to(dtype).unsqueeze(-1) * base**-exponent  # (..., S, Dh / 2)
    cos, sin = angle.cos(), angle.sin()
    a, b = x[..., 0::2], x[..., 1::2]  # (..., S, Dh / 2) each
    turned = torch.stack((a * cos - b * sin, a * sin + b * cos), dim=-1)  # (..., S, Dh / 2, 2)
    return turned.flatten(-2).to(x.dtype)  # (..., S, Dh)
    ### END SOLUTION


# %% id="rotary-check"
check("embeddings.rotary", rotary)

# %% id="rotary-use"
rotary = use("embeddings.rotary")
