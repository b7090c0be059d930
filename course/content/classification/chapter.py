# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown] id="title"
# # 06 Text classification

# %% id="setup"
import math

import torch
import torch.nn.functional as F
from torch import Tensor

from course import check, use

# %% [markdown] id="masked-mean-text"
# ### Exercise 1: `masked_mean`
# *Difficulty 1 of 3, about 10 minutes. Hints: `hint("classification.masked_mean")`*
#
# Average the vectors of each text's real tokens. `padding_mask` is True at padding, as everywhere in this course.
#
# ```
#      hidden               padding_mask            masked mean
#   (B, S, D)                  (B, S)                  (B, D)
#        D                       S                       D
#    ┌───────┐─┐           ┌───┬───┬───┐            ┌─────────┐
#  S │  h_1  │ │         B │ F │ F │ T │     →    B │ m_1 … m_D │  one row a text
#    │  h_2  │ │           │ F │ F │ F │            └─────────┘
#    │ [PAD] │ │           └───┴───┴───┘
#    └───────┘ │
# ```
#
# Padding may stand anywhere in a row, not only at its end. Every number in `hidden` is finite, at padding too. A row that is all padding gives zeros.
#
# *A tiny case.* Three tokens $(1, 4)$, $(3, 0)$ and padding $(8, 8)$: the mean is $(2, 2)$. With the padding counted it would be $(4, 4)$.

# %% id="masked-mean-example"
tiny_hidden = torch.tensor([[[1.0, 4.0], [3.0, 0.0], [8.0, 8.0]]])  # (B, S, D) = (1, 3, 2)
tiny_padding = torch.tensor([[False, False, True]])  # (B, S)
tiny_mean = torch.tensor([[2.0, 2.0]])  # (B, D)
assert (1 + 3) / 2 == tiny_mean[0, 0]

# %% id="masked-mean-exercise" exercise="classification.masked_mean"
def masked_mean(hidden: Tensor, padding_mask: Tensor) -> Tensor:
    """The mean (B, D) over the real tokens of hidden (B, S, D); zeros where there is none."""
    ### BEGIN SOLUTION
    real = ~padding_mask.unsqueeze(-1)  # (B, S, 1)
    total = hidden.masked_fill(~real, 0.0).sum(dim=1)  # (B, S, D) -> (B, D)
    return total / real.sum(dim=1).clamp(min=1)  # (B, D) / (B, 1)
    ### END SOLUTION


# %% id="masked-mean-check"
check("classification.masked_mean", masked_mean)

# %% id="masked-mean-use"
masked_mean = use("classification.masked_mean")

# %% [markdown] id="confusion-matrix-text"
# ### Exercise 2: `confusion_matrix`
# *Difficulty 1 of 3, about 10 minutes. Hints: `hint("classification.confusion_matrix")`*
#
# Count how often each class was taken for each. The rows are the **actual** classes, the columns the **predicted** ones.
#
# ```
#   predicted (N,)                        predicted
#   ┌───────────────┐                    0   1   2
#   │ 0  2  1  …    │                 ┌───┬───┬───┐
#   └───────────────┘              0  │ · │   │   │
#   actual (N,)          →  actual 1  │   │ · │ n │   n examples of class 1 were taken for 2
#   ┌───────────────┐              2  │   │   │ · │
#   │ 0  1  1  …    │                 └───┴───┴───┘
#   └───────────────┘                int64 (classes, classes)
# ```
#
# Both inputs hold whole numbers from 0 to `classes` − 1 (int64). A class may be missing in either of them or in both, and there may be no example at all: the matrix always has `classes` rows and columns.
#
# *A tiny case.* Actual $0, 1, 1, 2, 2, 2$ and predicted $0, 1, 2, 2, 2, 1$: row 1 is $(0, 1, 1)$, since one of the two examples of class 1 was recognised and the other was taken for class 2.

# %% id="confusion-matrix-example"
tiny_predicted = torch.tensor([0, 1, 2, 2, 2, 1])
tiny_actual = torch.tensor([0, 1, 1, 2, 2, 2])
tiny_counts = torch.tensor([[1, 0, 0], [0, 1, 1], [0, 1, 2]])  # rows actual, columns predicted
assert tiny_counts.sum() == len(tiny_actual)

# %% id="confusion-matrix-exercise" exercise="classification.confusion_matrix"
def confusion_matrix(predicted: Tensor, actual: Tensor, classes: int) -> Tensor:
    """Counts (classes, classes), int64: rows actual, columns predicted, from (N,) and (N,)."""
    ### BEGIN SOLUTION
    pairs = actual * classes + predicted  # (N,): a number of its own for each pair of classes
    counts = torch.bincount(pairs, minlength=classes * classes)  # (classes * classes,)
    return counts.reshape(classes, classes)
    ### END SOLUTION


# %% id="confusion-matrix-check"
check("classification.confusion_matrix", confusion_matrix)

# %% id="confusion-matrix-use"
confusion_matrix = use("classification.confusion_matrix")

# %% [markdown] id="macro-f1-text"
# ### Exercise 3: `macro_f1`
# *Difficulty 2 of 3, about 10 minutes. Hints: `hint("classification.macro_f1")`*
#
# For each class let $t$ be the number of examples that were rightly given it. Its precision is $t$ over the number of examples that were *predicted* to have the class, its recall $t$ over the number that *have* it, and F1 is their harmonic mean, which comes to
#
# $$F_1 = \frac{2t}{\text{predicted} + \text{actual}}$$
#
# Return the mean of all classes' F1, as a Python `float`. All `classes` count alike, however many examples they have; a class that is neither predicted nor present counts as 0.
#
# ```
#   counts (C, C)            per class (C,)              float
#   ┌───────────┐     right: the diagonal
#   │ rows      │     predicted: sums of the columns  →  mean of 2 · right / (predicted + actual)
#   │  actual   │     actual: sums of the rows
#   └───────────┘
# ```
#
# *A tiny case.* With the six examples above: class 0 has $F_1 = 2 \cdot 1 / (1 + 1) = 1$, class 1 $2 \cdot 1 / (2 + 2) = 0.5$, class 2 $2 \cdot 2 / (3 + 3) = 0.67$. The mean is $0.722$.

# %% id="macro-f1-example"
tiny_f1 = (1 + 2 * 1 / (2 + 2) + 2 * 2 / (3 + 3)) / 3
assert math.isclose(tiny_f1, 0.722, abs_tol=1e-3)

# %% id="macro-f1-exercise" exercise="classification.macro_f1"
def macro_f1(predicted: Tensor, actual: Tensor, classes: int) -> float:
    """The mean over all classes of F1 = 2 right / (predicted + actual), from (N,) and (N,)."""
    ### BEGIN SOLUTION
    counts = confusion_matrix(predicted, actual, classes)  # (C, C), rows actual
    right = counts.diagonal()  # (C,)
    both = counts.sum(dim=0) + counts.sum(dim=1)  # (C,): predicted as the class, and of the class
    f1 = 2 * right / both.clamp(min=1)  # (C,); 0 / 1 for a class that is in neither
    return f1.mean().item()
    ### END SOLUTION


# %% id="macro-f1-check"
check("classification.macro_f1", macro_f1)

# %% id="macro-f1-use"
macro_f1 = use("classification.macro_f1")

# %% [markdown] id="ece-text"
# ### Exercise 4: `expected_calibration_error`
# *Difficulty 3 of 3, about 20 minutes. Hints: `hint("classification.expected_calibration_error")`*
#
# Sort the examples by their confidence, the largest probability, into `bins` bins of equal width. Bin $b$, counted from 0, holds the confidences with $b < \text{confidence} \cdot \text{bins} \le b + 1$. In each bin compare the mean confidence with the accuracy, and average the gaps, each weighted with the bin's share of the examples:
#
# $$\text{ECE} = \sum_b \frac{n_b}{N} \, \bigl| \text{accuracy}_b - \text{confidence}_b \bigr|$$
#
# ```
#   probabilities (N, C)      confidence (N,)   right (N,)          bins            float
#   ┌───────────────┐           ┌──────┐         ┌─────┐      ┌───┬───┬───┬───┐
#   │ .7  .2  .1    │     →     │  .7  │         │  1  │  →   │   │   │ · │   │  →   Σ n_b/N · |gap|
#   │ …             │           │  …   │         │  …  │      └───┴───┴───┴───┘
#   └───────────────┘           └──────┘         └─────┘      0                1
# ```
#
# An empty bin adds nothing. There is at least one example; each row of `probabilities` sums to 1, and no two of its largest are equal. Return a Python `float`.
#
# *A tiny case.* Two bins; three examples with confidences $0.9$, $0.7$ and $0.8$ lie in the upper bin, two of them right: accuracy $2/3$, mean confidence $0.8$, gap $0.133$. One with $0.4$ lies in the lower one and is right: gap $0.6$. The error is $\frac34 \cdot 0.133 + \frac14 \cdot 0.6 = 0.25$.

# %% id="ece-example"
tiny_probabilities = torch.tensor(
    [[0.9, 0.1, 0.0], [0.2, 0.7, 0.1], [0.1, 0.1, 0.8], [0.4, 0.3, 0.3]]
)
tiny_labels = torch.tensor([0, 1, 0, 0])  # the third is wrong
assert math.isclose(3 / 4 * abs(2 / 3 - 0.8) + 1 / 4 * abs(1 - 0.4), 0.25)

# %% id="ece-exercise" exercise="classification.expected_calibration_error"
def expected_calibration_error(probabilities: Tensor, labels: Tensor, bins: int) -> float:
    """The mean gap between accuracy and confidence, in bins of confidence; from (N, C) and (N,)."""
    ### BEGIN SOLUTION
    confidence, predicted = probabilities.max(dim=-1)  # (N,) each
    right = (predicted == labels).to(confidence.dtype)  # (N,)
    place = (confidence * bins).ceil() - 1  # (N,): the number of the bin
    error = 0.0
    for b in range(bins):
        inside = place == b  # (N,)
        if inside.any():
            gap = right[inside].mean() - confidence[inside].mean()
            error += inside.sum().item() / len(labels) * gap.abs().item()
    return error
    ### END SOLUTION


# %% id="ece-check"
check("classification.expected_calibration_error", expected_calibration_error)

# %% id="ece-use"
expected_calibration_error = use("classification.expected_calibration_error")

# %% [markdown] id="nearest-text"
# ### Exercise 5: `nearest`
# *Difficulty 2 of 3, about 10 minutes. Hints: `hint("classification.nearest")`*
#
# For each query find the `count` documents with the largest cosine similarity, best first. Return the similarities and the documents' indices.
#
# ```
#   query (Q, D)     documents (N, D)      similarities, indices (Q, count) each
#   ┌─────────┐        ┌─────────┐              best →
#   │   q_1   │   ·    │   d_0   │      →     ┌─────┬─────┐     ┌───┬───┐
#   └─────────┘        │   …     │            │ .91 │ .64 │     │ 7 │ 2 │
#                      └─────────┘            └─────┴─────┘     └───┴───┘
# ```
#
# The vectors have any length from $10^{-6}$ on; a vector of zeros has the similarity 0. `count` is at most $N$. Documents with equal similarities may stand in any order.
#
# *A tiny case.* The query $(1, 1)$ and the documents $(3, 0)$, $(0.5, 0.5)$, $(-1, 0)$: the cosines are $0.71$, $1$ and $-0.71$. The best two are documents 1 and 0.

# %% id="nearest-example"
tiny_query = torch.tensor([[1.0, 1.0]])
tiny_documents = torch.tensor([[3.0, 0.0], [0.5, 0.5], [-1.0, 0.0]])
tiny_best = torch.tensor([[1.0, math.sqrt(0.5)]])
assert math.isclose(3 / (math.sqrt(2) * 3), tiny_best[0, 1], rel_tol=1e-6)

# %% id="nearest-exercise" exercise="classification.nearest"
def nearest(query: Tensor, documents: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Cosines and indices (Q, count) of the documents (N, D) nearest to each query (Q, D)."""
    ### BEGIN SOLUTION
    query = F.normalize(query, dim=-1)  # (Q, D), rows of length 1; zeros stay zeros
    documents = F.normalize(documents, dim=-1)  # (N, D)
    similarities = query @ documents.T  # (Q, D) @ (D, N) -> (Q, N)
    best = similarities.topk(count, dim=-1)
    return best.values, best.indices  # (Q, count) each
    ### END SOLUTION


# %% id="nearest-check"
check("classification.nearest", nearest)

# %% id="nearest-use"
nearest = use("classification.nearest")

# %% [markdown] id="tf-idf-text"
# ### Exercise 6: `tf_idf`
# *Difficulty 2 of 3, about 15 minutes. Hints: `hint("classification.tf_idf")`*
#
# Weight the words of each text: a word counts more the more often it stands in this text, and less the more texts it stands in. From the counts $c$ of $V$ words in $N$ texts:
#
# $$\text{idf}_v = \ln \frac{1 + N}{1 + N_v} + 1 \qquad w_{nv} = c_{nv} \cdot \text{idf}_v$$
#
# where $N_v$ is the number of texts that hold word $v$; then scale each text's row to length 1. A text without any word stays zeros.
#
# ```
#   counts (N, V)          idf (V,)           weights (N, V)
#   ┌───────────┐        ┌───────────┐        ┌───────────┐
#   │ 2  0  1   │   ×    │ 1  1.4  2 │   →    │ .7  0  .7 │   each row of length 1
#   │ …         │        └───────────┘        └───────────┘
#   └───────────┘
# ```
#
# *A tiny case.* Two texts, three words: counts $(1, 1, 0)$ and $(2, 0, 0)$. Word 0 stands in both, so its idf is $\ln\frac33 + 1 = 1$; word 1 in one: $\ln\frac32 + 1 = 1.405$. The first row, $(1, 1.405, 0)$, has length $1.725$: $(0.580, 0.815, 0)$. The second is $(1, 0, 0)$.

# %% id="tf-idf-example"
tiny_words = torch.tensor([[1.0, 1.0, 0.0], [2.0, 0.0, 0.0]])  # (N, V) = (2, 3)
rare = math.log(3 / 2) + 1
assert math.isclose(rare / math.hypot(1, rare), 0.815, abs_tol=1e-3)

# %% id="tf-idf-exercise" exercise="classification.tf_idf"
def tf_idf(counts: Tensor) -> Tensor:
    """Weights (N, V), each row of length 1 or zeros, from the counts (N, V) of V words in N texts."""
    ### BEGIN SOLUTION
    texts = (counts > 0).sum(dim=0).to(counts.dtype)  # (V,): how many texts hold each word
    idf = torch.log((1 + len(counts)) / (1 + texts)) + 1  # (V,)
    weights = counts * idf  # (N, V)
    length = weights.norm(dim=-1, keepdim=True)  # (N, 1)
    return weights / length.masked_fill(length == 0, 1.0)
    ### END SOLUTION


# %% id="tf-idf-check"
check("classification.tf_idf", tf_idf)

# %% id="tf-idf-use"
tf_idf = use("classification.tf_idf")
