# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown] id="title"
# # 02 Attention
#
# Cover this sentence with your hand and let one word show:
#
# > Anna asked Peter to wait at the bank because **she** had no money.
#
# Who is *she*? From the word alone nobody can say. Take the hand away and you know at once, because you looked at the other words: at some more than at others. [Attention](glossary.md#attention) is that look, made of matrix products. It is the one place in an encoder where tokens see each other; everything else in it works on each token by itself.
#
# This sentence stays with you through the whole chapter. You will run it through the real vectors of a pretrained encoder, first by hand, then with functions of your own.
#
# **When you are through, you can**
#
# - write scaled dot-product and multi-head attention from memory, masks included, and say the shape at each step;
# - say why the products of queries and keys are divided by $\sqrt{d_k}$, and what breaks without it;
# - say what attention gives that a recurrent network doesn't, what it costs, and what it can't do at all;
# - read a picture of attention weights, and say what such a picture does not tell you.
#
# **You need** Python, a little PyTorch, and from chapter 01: tokens, their vectors, the padding mask.
#
# **Time** About three and a half hours: nine exercises, 120 minutes by our count, and about 90 minutes to read, run and play. Sections 1 to 5 make a good first sitting, 6 to 9 a second, 10 to 15 a third; each can begin in a fresh kernel.

# %% id="setup"
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course import check, explain, figures, hint, labs, measure, predict, quiz, use
from course.content.attention.experiments import compounds, heads, recurrent
from encoder_core import ablate, attention_function, load_minilm, record, sentence_embedding

# %% id="where-we-are"
figures.encoder("attention")

# %% [markdown] id="how-it-works"
# **How this chapter works.** Run the cells from top to bottom with Shift+Enter.
#
# - An *exercise* is a function with a hole in it. Fill it and run the `check` below it: it tells you what is wrong with an answer, not only that something is. Then `use` takes your function if it has passed, and ours until then, so you may go on at any time and come back later. What you write is what runs, in the rest of this chapter and in the later ones.
# - Besides the formula, every exercise asks for the same: any sizes, not only those of the example; the dtype and the device that come in; inputs left as they are; gradients that pass.
# - Stuck? `hint("attention.scores")` in any cell gives you one step at a time: the idea, the shapes, pseudo-code, the decisive line.
# - `predict` asks what you expect *before* a cell runs. A guess helps, also where it is wrong (chapter 00), so do guess.
# - **In the article** boxes look at the sentences of the article that this course follows, where they can be read in more than one way.

# %% [markdown] id="why-others"
# ## 1 Why a word needs the others
#
# Our model is [all-MiniLM-L6-v2](https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2): six layers with twelve [heads](glossary.md#head) each, vectors of 384 numbers. It was installed together with the course, so nothing is downloaded now. First the tokens.

# %% id="load-minilm"
model, tokenizer = load_minilm()
sentence = "Anna asked Peter to wait at the bank because she had no money."
tokens = tokenizer.encode(sentence).tokens
print(*(f"{place}:{token}" for place, token in enumerate(tokens)))

# %% [markdown] id="same-word"
# `[CLS]` and `[SEP]` frame the text; the model was trained with them, and section 13 shows what it uses them for.
#
# A table (chapter 01) gives each token its vector: a row for the token, a row for its place. The table knows no sentence. Take *bank* in two of them:

# %% id="same-word-predict"
predict("attention.same-word")

# %% id="same-word-run"
of_a_river = "Anna asked Peter to wait at the bank because the river was high."
with torch.no_grad(), record(model) as recording:
    model(tokenizer.batch([sentence, of_a_river]).ids)

bank = tokens.index("bank")
pairs = [hidden[:, bank] for hidden in recording.hidden_states]  # seven times (2, D)
print("equal before the first layer:", torch.equal(pairs[0][0], pairs[0][1]))

alike = [F.cosine_similarity(one, other, dim=0).item() for one, other in pairs]
figures.lines(
    range(7), {"bank beside bank": alike}, x_title="layers passed", y_title="cosine similarity",
    title="One word, two sentences: its two vectors part",
)

# %% id="same-word-explain"
explain("attention.same-word")

# %% [markdown] id="same-word-note"
# Up to *because* the sentences are the same, and still the vectors of *bank* part in the first layer: the words that come **after** it have reached it. That is what the B in BERT, *bidirectional*, is about. And they stay close, with a cosine above 0.9 after every layer: nothing in this curve is a switch from "money" to "river". (With similarities, look at differences; what counts as "close" is different in every model.)
#
# How do the words reach it? The first networks that translated whole sentences read them word by word and had to press all of it into one vector (Cho et al., 2014, among others). Bahdanau, Cho and Bengio (2015) let it look back at every word instead, and learn where to look. Vaswani et al. (2017) kept the looking and dropped the rest.

# %% [markdown] id="query-key-value"
# ## 2 Query, key, value
#
# A Python dictionary answers a query with the value of the **one** key that is equal to it. Attention is the soft form of that: it compares the query with **every** key, turns the comparisons into weights, and answers with the weighted mean of **all** values. Nothing in it is a jump, so it can be learned by gradient.
#
# Where do queries, keys and values come from? Each token's vector $x_i$ is multiplied with three learned matrices:
#
# $$q_i = x_i W^Q + b^Q \qquad k_i = x_i W^K + b^K \qquad v_i = x_i W^V + b^V$$
#
# - the **[query](glossary.md#query)** $q_i$: what token $i$ looks for,
# - the **[key](glossary.md#key)** $k_i$: what token $i$ offers to be found by,
# - the **[value](glossary.md#value)** $v_i$: what token $i$ hands over when it is found.
#
# Every token plays all three parts: that is [self-attention](glossary.md#self-attention). The rows $q_i$, one a token, make the matrix $Q$; so with $K$ and $V$.
#
# Take the real ones. In layer 1, head 3 (we count from 0) the *query, key, value* of our sentence look like this. Why just this head? Because it does something that can be seen; section 13 checks whether that was luck.

# %% id="qkv-real"
with torch.no_grad(), record(model) as recording:
    model(tokenizer.batch([sentence]).ids)

x = recording.hidden_states[1][0]  # (S, D): what goes into layer 1
attention = model.layers[1].self_attn
w_query, w_key, w_value = attention.in_proj_weight.detach().chunk(3)  # (3D, D) -> 3 times (D, D)
b_query, b_key, b_value = attention.in_proj_bias.detach().chunk(3)

head = slice(3 * 32, 4 * 32)  # head 3 has the columns 96 to 127
query = x @ w_query[head].T + b_query[head]  # (S, D) @ (D, Dh) -> (S, Dh)
key = x @ w_key[head].T + b_key[head]  # (S, Dh)
value = x @ w_value[head].T + b_value[head]  # (S, Dh)
for name, tensor in (("x", x), ("query", query), ("key", key), ("value", value)):
    print(f"{name:6}", tuple(tensor.shape))

# %% [markdown] id="qkv-note"
# `.T`, because PyTorch keeps a linear map as (outputs, inputs): `in_proj_weight` is $W^Q, W^K, W^V$, transposed and stacked. And the head works with 32 numbers of its own, not with all 384: $D_h = D / H = 384 / 12$. The paper calls this width $d_k$.

# %% id="how-many-queries-quiz"
quiz("attention.how-many-queries")

# %% [markdown] id="article-qkv"
# > **In the article** (4.1): "$Q$: 查询矩阵，表示当前词的语义信息" (*query matrix, represents the semantic information of the current word*); "$K$: 键矩阵，表示其他所有词的语义信息" (*key matrix, represents the semantic information of all other words*); "$V$: 值矩阵，表示其他所有词的实际值" (*value matrix, represents the actual values of all other words*).
# >
# > Read as a picture of one query at a time, this is a good start. To write code you need it sharper, in three points. There is no current word: $Q$ has a row for **every** token, and all are asked at once. $K$ and $V$ have a row for every token too, **the asking one included**: a token may attend to itself, and often does. And none of the three is the word's meaning as such: they are three different projections of the same vectors, which the formula doesn't show: $Q = XW^Q$, $K = XW^K$, $V = XW^V$. In this sense $V$ is no more "actual" than $K$. ($d_k$, "键矩阵的维度", *the dimension of the key matrix*, is the length of one key: the number of **columns** of $K$.)

# %% [markdown] id="scores-section"
# ## 3 Scores: how well does a key fit a query?
#
# The comparison is a dot product: $q_i \cdot k_j = \sum_c q_{ic} k_{jc}$ is large where both vectors are large in the same directions. Divided by a number that section 4 finds, it is the [score](glossary.md#score). Here are the products of the query of *she* with every key of the sentence:

# %% id="raw-scores-real"
she, anna, peter = tokens.index("she"), tokens.index("anna"), tokens.index("peter")
raw = key @ query[she]  # (S, Dh) @ (Dh,) -> (S,)
figures.bars(
    tokens, {"query of she": raw}, y_title="dot product",
    title="How each key fits the query of “she”",
)

# %% [markdown] id="raw-scores-note"
# *What to see:* the highest bars are the keys that *she* looks for. Below zero is no problem: the [softmax](glossary.md#softmax) makes a small weight of it. `[CLS]` stands high in many heads; we come back to it.

# %% id="symmetric-quiz"
quiz("attention.symmetric")

# %% id="symmetric-run"
print(f"she asks anna: product {query[she] @ key[anna]:6.2f}")
print(f"anna asks she: product {query[anna] @ key[she]:6.2f}")

# %% [markdown] id="article-correlation"
# > **In the article** (3.2): "计算每个词与其他所有词之间的相关性，并生成一个注意力矩阵" (*compute the correlation between each word and all other words, and produce an attention matrix*).
# >
# > "Relevance" (相关性 can be read so as well) fits better than "correlation": a correlation is symmetric, a score is not, as you have just seen. And it is not *one* matrix: each head of each layer makes its own. For our sentence MiniLM makes $6 \cdot 12 = 72$ of them.

# %% [markdown] id="root-section"
# ## 4 Why the root of $d_k$
#
# The paper (section 3.2.1, footnote 4) divides the dot products by $\sqrt{d_k}$, with an argument in one sentence. Follow it. Let the entries of $q$ and $k$ be independent with mean 0 and variance 1. Each product $q_c k_c$ then has mean 0 and variance 1, and the variances of independent terms add up:
#
# $$\operatorname{Var}(q \cdot k) = \sum_{c=1}^{d_k} \operatorname{Var}(q_c k_c) = d_k$$

# %% id="variance-predict"
predict("attention.growing-products")

# %% id="variance-run"
widths = [4, 16, 64, 256, 1024]
generator = torch.Generator().manual_seed(0)
queries = {d_k: torch.randn(500, d_k, generator=generator) for d_k in widths}
keys = {d_k: torch.randn(500, 16, d_k, generator=generator) for d_k in widths}
products = {  # 500 queries, each with 16 keys
    d_k: torch.einsum("nd,nsd->ns", queries[d_k], keys[d_k]) for d_k in widths
}

for d_k in widths:
    spread = products[d_k].std()
    print(f"d_k = {d_k:4}: standard deviation {spread:6.2f}, root of d_k {math.sqrt(d_k):5.2f}")

# %% id="variance-explain"
explain("attention.growing-products")

# %% [markdown] id="initial-variance-text"
# Is the variance 1 in a network that was just initialised? Send rows with variance 1 through projections that are drawn as PyTorch's modules and as BERT draw them, and let heads of three widths compare the results:

# %% id="initial-variance-run"
torch.manual_seed(0)
rows = torch.randn(2000, 384)
drawn = {  # the matrices of query and key
    "nn.MultiheadAttention": nn.MultiheadAttention(384, 12).in_proj_weight.chunk(3)[:2],
    "nn.Linear": (nn.Linear(384, 384).weight, nn.Linear(384, 384).weight),
    "BERT (normal, 0.02)": 0.02 * torch.randn(2, 384, 384),
}
variances, spreads = {}, {}
for name, (of_query, of_key) in drawn.items():
    q, k = rows[:1000] @ of_query.detach().T, rows[1000:] @ of_key.detach().T  # (1000, 384)
    variances[name] = q.var().item()
    spreads[name] = [
        (q[:, :d_k] @ k[:, :d_k].T / math.sqrt(d_k)).std().item() for d_k in (8, 32, 128)
    ]
    narrow_to_wide = " ".join(f"{spread:.2f}" for spread in spreads[name])
    print(f"{name:21} variance {variances[name]:.2f}, q·k / √d_k spreads by {narrow_to_wide}")

# %% [markdown] id="initial-variance-note"
# It is not 1 but $v$ = 0.50, 0.33 and 0.15. The argument needs only that it is the same for every $d_k$: then $\operatorname{Var}(q \cdot k) = d_k v^2$, and divided by $\sqrt{d_k}$ the product spreads by $v$ in a narrow head and in a wide one.

# %% [markdown] id="saturation"
# Why is a spread that grows bad? Because of what comes next. A softmax that is fed large numbers **[saturates](glossary.md#saturation)**: nearly all weight falls on the largest one, even if it is ahead by chance alone. Look at the largest of 16 weights; if all were equal, each would be 1/16.

# %% id="saturation-run"
largest = {"q·k as it is": [], "q·k / √d_k": []}
for d_k in widths:
    for name, scale in (("q·k as it is", 1.0), ("q·k / √d_k", math.sqrt(d_k))):
        p = torch.softmax(products[d_k] / scale, dim=-1)  # (500, 16)
        largest[name].append(p.amax(dim=-1).mean().item())
figures.lines(
    widths, largest, log_x=True, x_title="d_k", y_title="largest of 16 weights (mean)",
    title="Without the root the softmax saturates",
)

# %% [markdown] id="dead-gradient"
# A saturated softmax also stops learning. With weights $p$ its derivative is
#
# $$\frac{\partial p_i}{\partial s_j} = p_i (\delta_{ij} - p_j),$$
#
# and when one $p$ is nearly 1 and the others nearly 0, each of these products is nearly 0. Whatever the loss says about the weights, almost nothing of it reaches the scores, the queries and the keys. Here is the size of that matrix of derivatives:

# %% id="dead-gradient-run"
slopes = {"q·k as it is": [], "q·k / √d_k": []}
for d_k in widths:
    for name, scale in (("q·k as it is", 1.0), ("q·k / √d_k", math.sqrt(d_k))):
        p = torch.softmax(products[d_k] / scale, dim=-1)  # (500, 16)
        derivative = torch.diag_embed(p) - p.unsqueeze(-1) * p.unsqueeze(-2)  # (500, 16, 16)
        slopes[name].append(torch.linalg.matrix_norm(derivative).median().item())
figures.lines(
    widths, slopes, log_x=True, log_y=True, x_title="d_k", y_title="size of ∂p/∂s (median)",
    title="… and its gradient dies",
)

# %% [markdown] id="root-note"
# *What to see:* with the root, both curves are level: a wide head starts like a narrow one. Without it, the gradient falls by powers of ten. Dividing by $\sqrt{d_k}$ takes the width out of the variance again.
#
# How much does it matter later, when queries and keys are trained and no longer independent? The matrices could learn any scale by themselves. The root is about the start: it puts the softmax where it can still learn.

# %% id="root-quiz"
quiz("attention.why-the-root")

# %% [markdown] id="scores-text"
# ### Exercise 1: `scores`
# *Difficulty 1 of 3, about 10 minutes. Hints: `hint("attention.scores")`*
#
# All queries against all keys at once, divided by the root: one line of code, equation (1) of the paper without its softmax.
#
# ```
#     query               key                   scores
#  (..., L, Dh)       (..., S, Dh)           (..., L, S)
#
#       Dh                  Dh                     S
#    ┌──────┐            ┌──────┐            ┌───────────┐
#  L │  q_i │─┐        S │  k_j │─┐        L │   · s_ij  │   one row a query,
#    └──────┘ │          │      │ │          └───────────┘   one column a key
#             │          └──────┘ │                 ▲
#             └───────────────────┴── q_i·k_j / √Dh ─┘
# ```
#
# $L$ and $S$ may differ, and there may be any number of axes in front (`...`: batch, heads), so count the axes from the end.
#
# *A tiny case.* One query $(1, 0, 2, 1)$ and three keys $(2, 1, 0, 0)$, $(0, 3, 1, 2)$, $(-1, 0, -1, -1)$: the products are $2$, $4$, $-4$. $D_h$ is 4 and its root 2, so the scores are $1$, $2$, $-2$.

# %% id="scores-example"
tiny_query = torch.tensor([[1.0, 0.0, 2.0, 1.0]])  # (L, Dh) = (1, 4)
tiny_key = torch.tensor(  # (S, Dh) = (3, 4)
    [[2.0, 1.0, 0.0, 0.0], [0.0, 3.0, 1.0, 2.0], [-1.0, 0.0, -1.0, -1.0]]
)
tiny_scores = torch.tensor([[1.0, 2.0, -2.0]])  # (L, S) = (1, 3)
assert (1 * 0 + 0 * 3 + 2 * 1 + 1 * 2) / math.sqrt(4) == tiny_scores[0, 1]

# %% id="scores-exercise" exercise="attention.scores"
def scores(query: Tensor, key: Tensor) -> Tensor:
    """Scores (..., L, S), scaled by the root, from query (..., L, Dh) and key (..., S, Dh)."""
    ### BEGIN SOLUTION
    d_k = query.shape[-1]
    return query @ key.transpose(-2, -1) / math.sqrt(d_k)  # (..., L, Dh) @ (..., Dh, S) -> (..., L, S)
    ### END SOLUTION


# %% id="scores-check"
check("attention.scores", scores)

# %% id="scores-use"
scores = use("attention.scores")

# %% [markdown] id="scores-try"
# From here on `scores` is yours, if it has passed. First on the tiny case, then on the real sentence: every query against every key.

# %% id="scores-run"
torch.testing.assert_close(scores(tiny_query, tiny_key), tiny_scores)
figures.product(
    tiny_query, tiny_key.T / math.sqrt(4), tiny_scores, names=("query", "keyᵀ / √4", "scores")
)

# %% id="scores-real"
real_scores = scores(query, key)  # (S, S)
figures.heatmap(
    real_scores, tokens, tokens, signed=True, row_title="query", column_title="key",
    title="Scores of layer 1, head 3",
)

# %% [markdown] id="scores-real-note"
# *What to see:* the row of *she* is the bar chart from above, divided by $\sqrt{32}$. Compare it with the row of *had* next to it: its query asks for something else. And the picture is not symmetric.

# %% [markdown] id="softmax-section"
# ## 5 Softmax: from scores to weights
#
# Scores can be any numbers. To take a mean we need [weights](glossary.md#attention-weights): positive, with the sum 1. The softmax makes them, row by row:
#
# $$p_j = \frac{e^{s_j}}{\sum_{j'} e^{s_{j'}}}$$
#
# A score that is larger by 1 gets $e \approx 2.7$ times the weight, wherever the two stand. So only **differences** count:

# %% id="softmax-shift-quiz"
quiz("attention.softmax-shift")

# %% [markdown] id="softmax-trouble"
# Written down as it stands, the formula has two holes:

# %% id="softmax-trouble-run"
fine = torch.tensor([1.0, 2.0, 3.0])
large = fine + 100  # the same differences
print("fine:   ", torch.exp(fine) / torch.exp(fine).sum())
print("large:  ", torch.exp(large) / torch.exp(large).sum(), " since they are", torch.exp(large))

blocked = torch.full((3,), float("-inf"))  # a row in which no key may be looked at
print("blocked:", torch.softmax(blocked, dim=-1), " 0 / 0, in PyTorch's own softmax too")

# %% [markdown] id="softmax-text"
# ### Exercise 2: `softmax`
# *Difficulty 2 of 3, about 15 minutes. Hints: `hint("attention.softmax")`*
#
# Write a softmax along any axis `dim` that closes both holes: it neither overflows, nor makes NaN of a row of nothing but `-inf`. Such a row, a query that may look at no key, must give **zeros**. A NaN here would be carried by the next layers to every token that attends to this one, and by the loss to every weight.
#
# ```
#       x             along dim: largest, sum     softmax
#   (..., S)                 (..., 1)             (..., S)
#   ┌───────────┐              ┌───┐           ┌───────────┐
#   │ s_1 … s_S │      →       │ · │     →     │ p_1 … p_S │   sum 1, or all 0
#   └───────────┘              └───┘           └───────────┘
# ```
#
# *A tiny case.* The scores $0$, $\ln 2$, $\ln 5$ have the exponentials $1$, $2$, $5$ with the sum $8$, so the weights are $\frac18$, $\frac28$, $\frac58$. With $1000$ added to each, they are the same.

# %% id="softmax-example"
tiny_row = torch.tensor([0.0, math.log(2), math.log(5)])
tiny_weights = torch.tensor([1 / 8, 2 / 8, 5 / 8])
assert math.isclose(math.exp(tiny_row[2]) / sum(map(math.exp, tiny_row)), 5 / 8, rel_tol=1e-6)

# %% id="softmax-exercise" exercise="attention.softmax"
def softmax(x: Tensor, dim: int) -> Tensor:
    """Softmax of x along dim; a row that is -inf throughout gives zeros."""
    ### BEGIN SOLUTION
    largest = x.amax(dim=dim, keepdim=True)
    largest = largest.masked_fill(largest == float("-inf"), 0.0)  # -inf - -inf would be NaN
    exponentials = torch.exp(x - largest)
    total = exponentials.sum(dim=dim, keepdim=True)
    return exponentials / total.masked_fill(total == 0, 1.0)  # 0 / 1 instead of 0 / 0
    ### END SOLUTION


# %% id="softmax-check"
check("attention.softmax", softmax)

# %% id="softmax-use"
softmax = use("attention.softmax")

# %% id="softmax-run"
torch.testing.assert_close(softmax(tiny_row, dim=-1), tiny_weights)
torch.testing.assert_close(softmax(tiny_row + 1000, dim=-1), tiny_weights, rtol=1e-3, atol=1e-3)
print("blocked:", softmax(blocked, dim=-1))

weights = softmax(real_scores, dim=-1)  # (S, S), one row a query
print("each row sums to 1:", torch.allclose(weights.sum(dim=-1), torch.ones(len(tokens))))

# %% [markdown] id="other-pronoun"
# Now exchange one token and do all of it again: table, layer 0, projections, scores, softmax.

# %% id="other-pronoun-predict"
predict("attention.other-pronoun")

# %% id="other-pronoun-run"
with torch.no_grad(), record(model) as recording_he:
    model(tokenizer.batch([sentence.replace("she", "he")]).ids)
x_he = recording_he.hidden_states[1][0]
query_he = x_he @ w_query[head].T + b_query[head]
key_he = x_he @ w_key[head].T + b_key[head]
weights_he = softmax(scores(query_he, key_he), dim=-1)

figures.bars(
    tokens, {"she": weights[she], "he": weights_he[she]}, y_title="weight",
    title="Where “she”, and “he” in its place, attends to (layer 1, head 3)",
)

# %% id="other-pronoun-explain"
explain("attention.other-pronoun")

# %% [markdown] id="pronoun-note"
# One sentence proves nothing about a head, and a head nothing about the model. Keep both doubts; sections 13 and 14 take them up.

# %% [markdown] id="weighted-sum"
# ### The weighted sum
#
# The last step is the plainest. Each token's output is the mean of all values, with its row of weights:
#
# $$o_i = \sum_j p_{ij} v_j \qquad\text{or, for all tokens at once,}\qquad O = P V$$

# %% id="weighted-sum-run"
output_she = sum(weights[she, j] * value[j] for j in range(len(tokens)))  # (Dh,)
of_the_model = recording.heads[1][0, 3, she]
difference = (output_she - of_the_model).abs().max()
print(f"what the model itself computed differs by at most {difference:.0e}")

# %% id="hull-quiz"
quiz("attention.inside-the-hull")

# %% [markdown] id="article-values"
# > **In the article** (3.2): "将注意力矩阵与词向量相乘，得到加权后的词向量" (*multiply the attention matrix with the word vectors, to get weighted word vectors*).
# >
# > The formula in its section 4.1 has it exactly: the matrix is multiplied with the **values** $V$, which are word vectors only after a projection. Does the difference matter? In shape it does: here a word vector has 384 numbers, a value 32. In substance the sentence is nearer to the truth than it looks: everything after the softmax is linear, so you may take the mean of the word vectors first and project it afterwards (the bias comes through, because each row of weights sums to 1).

# %% id="article-values-run"
mean_then_project = (weights @ x) @ w_value[head].T + b_value[head]  # (S, D) -> (S, Dh)
project_then_mean = weights @ value  # (S, Dh)
print("the same:", torch.allclose(mean_then_project, project_then_mean, atol=1e-4))

# %% [markdown] id="masks-section"
# ## 6 Masks: who may not look where
#
# (To begin a sitting here, in a fresh kernel, run the chapter's first two code cells and the one below.)

# %% id="second-sitting"
model, tokenizer = load_minilm()
sentence = "Anna asked Peter to wait at the bank because she had no money."
tokens = tokenizer.encode(sentence).tokens
she = tokens.index("she")
with torch.no_grad(), record(model) as recording:
    model(tokenizer.batch([sentence]).ids)

x, attention = recording.hidden_states[1][0], model.layers[1].self_attn
w_query, w_key, w_value = attention.in_proj_weight.detach().chunk(3)
b_query, b_key, b_value = attention.in_proj_bias.detach().chunk(3)
head = slice(3 * 32, 4 * 32)
query = x @ w_query[head].T + b_query[head]
key = x @ w_key[head].T + b_key[head]
value = x @ w_value[head].T + b_value[head]

scores, softmax = use("attention.scores"), use("attention.softmax")
real_scores = scores(query, key)

# %% [markdown] id="masks-text"
# Some looks must be forbidden. The way is always the same: the score is set to $-\infty$ before the softmax, so that its weight is $e^{-\infty} = 0$ and takes no part in the sum. What is forbidden is written as a boolean tensor, the [mask](glossary.md#mask).
#
# - The **[padding mask](glossary.md#padding-mask)**: texts in a batch are filled up to one length. The fill has no meaning, and nothing may attend to it.
# - The **[causal mask](glossary.md#causal-mask)**: a model that predicts the next token must not see it. Encoders do without it; the decoders of chapter 07 live by it.
#
# In this course a mask says what is **blocked**: `True` means *may not be attended to*, as in `nn.MultiheadAttention` and `nn.TransformerEncoder`. Others say it the other way round: in `F.scaled_dot_product_attention`, `True` means *takes part*, and in Hugging Face's `attention_mask`, 1 is a real token. Nothing fails when the two are mixed up; the numbers are just wrong.

# %% [markdown] id="causal-text"
# ### Exercise 3: `causal_mask`
# *Difficulty 1 of 3, about 5 minutes. Hints: `hint("attention.causal_mask")`*
#
# Token $i$ may look at the tokens $0, …, i$: itself and what came before. Block the rest.
#
# ```
#            key 0  1  2
#           ┌─────────┐
#  query 0  │ ·  ×  × │      × = True, blocked
#        1  │ ·  ·  × │
#        2  │ ·  ·  · │      (length, length), bool
#           └─────────┘
# ```
#
# *A tiny case* is the picture: three tokens, three of nine cells blocked. For a length $n$ it is $n(n-1)/2$.

# %% id="causal-example"
tiny_causal = torch.tensor([[False, True, True], [False, False, True], [False, False, False]])
assert tiny_causal.sum() == 3 * 2 // 2

# %% id="causal-mask-exercise" exercise="attention.causal_mask"
def causal_mask(length: int) -> Tensor:
    """(length, length) bool, True where blocked: the future."""
    ### BEGIN SOLUTION
    return torch.ones(length, length, dtype=torch.bool).triu(diagonal=1)
    ### END SOLUTION


# %% id="causal-mask-check"
check("attention.causal_mask", causal_mask)

# %% id="causal-mask-use"
causal_mask = use("attention.causal_mask")

# %% id="causal-mask-run"
assert torch.equal(causal_mask(3), tiny_causal)
only_back = real_scores.masked_fill(causal_mask(len(tokens)), float("-inf"))
causal_weights = softmax(only_back, dim=-1)
figures.heatmap(
    causal_weights, tokens, tokens, row_title="query", column_title="key",
    title="Layer 1, head 3, forced to look back only",
)

# %% [markdown] id="causal-note"
# *What to see:* nothing above the diagonal, and a first row that has no choice: `[CLS]` sees itself alone. (The model was not trained like this. The picture shows the mask, not a model one would use.)

# %% [markdown] id="padding-text"
# ### Exercise 4: `padding_mask`
# *Difficulty 1 of 3, about 10 minutes. Hints: `hint("attention.padding_mask")`*
#
# From the lengths of the texts in a batch: which places are padding?
#
# ```
#   lengths (B,)          place 0  1  2  3
#     ┌───┐                   ┌────────────┐
#     │ 2 │       →           │ ·  ·  ×  × │      × = True, padding
#     │ 4 │                   │ ·  ·  ·  · │
#     │ 0 │                   │ ×  ×  ×  × │      (B, max_length), bool
#     └───┘                   └────────────┘
# ```
#
# *A tiny case* is the picture: the lengths $2, 4, 0$, filled up to $4$. A loop would do; a comparison of places with lengths, broadcast, is one line and works on any device.

# %% id="padding-example"
tiny_lengths = torch.tensor([2, 4, 0])
tiny_padding = torch.tensor([[False, False, True, True], [False] * 4, [True] * 4])
assert torch.equal(tiny_padding.sum(dim=1), 4 - tiny_lengths)

# %% id="padding-mask-exercise" exercise="attention.padding_mask"
def padding_mask(lengths: Tensor, max_length: int) -> Tensor:
    """(B, max_length) bool, True at padding, from lengths (B,)."""
    ### BEGIN SOLUTION
    positions = torch.arange(max_length, device=lengths.device)  # (S,)
    return positions >= lengths.unsqueeze(1)  # (S,) with (B, 1) -> (B, S)
    ### END SOLUTION


# %% id="padding-mask-check"
check("attention.padding_mask", padding_mask)

# %% id="padding-mask-use"
padding_mask = use("attention.padding_mask")

# %% [markdown] id="padding-mask-real"
# On a real batch: our sentence, and a short one that is filled up to its length. What happens to the short one when the mask is forgotten?

# %% id="padding-mask-run"
assert torch.equal(padding_mask(tiny_lengths, 4), tiny_padding)

batch = tokenizer.batch([sentence, "She had no money."])
lengths = torch.tensor([len(encoding) for encoding in batch.encodings])
padding = padding_mask(lengths, batch.ids.shape[1])  # (B, S)
with torch.no_grad():
    alone = model(tokenizer.batch(["She had no money."]).ids)[0]  # by itself: nothing to fill
    masked = model(batch.ids, padding_mask=padding)[1, : lengths[1]]
    forgotten = model(batch.ids)[1, : lengths[1]]
print("largest change of the short sentence's vectors")
print(f"  with the mask {(masked - alone).abs().max():.0e}")
print(f"  without it    {(forgotten - alone).abs().max():.0e}")

# %% [markdown] id="padding-mask-note"
# With the mask, a sentence comes out the same whatever it shares a batch with, up to rounding. Without it, the answer depends on the neighbours' length. No error tells you.

# %% id="mask-before-quiz"
quiz("attention.mask-before")

# %% [markdown] id="sdpa-text"
# ## 7 All of it in one function
#
# ### Exercise 5: `scaled_dot_product`
# *Difficulty 2 of 3, about 20 minutes. Hints: `hint("attention.scaled_dot_product")`*
#
# [Scaled dot-product attention](glossary.md#scaled-dot-product-attention), equation (1) of the paper, with a mask:
#
# $$\operatorname{Attention}(Q, K, V) = \operatorname{softmax}\!\left(\frac{Q K^\top}{\sqrt{d_k}}\right) V$$
#
# ```
#   query (..., L, Dh) ─┐
#                       ├─ scores ── mask ── softmax ──┬── weights (..., L, S)
#   key   (..., S, Dh) ─┘  (..., L, S)                 │
#                                                      @ ── output (..., L, Dv)
#   value (..., S, Dv) ────────────────────────────────┘
# ```
#
# Return both, the output first. `mask` is boolean, `True` where blocked, or `None`; it broadcasts to `(..., L, S)`. A query that may look at no key gets zeros; your softmax sees to that. Use your `scores` and `softmax`. Change none of the inputs: somebody else may need them.
#
# *A tiny case* with $D_h = 1$, so that the root is 1. The query $\ln 2$ meets the keys $0, 1, 2$: scores $0$, $\ln 2$, $2 \ln 2$, exponentials $1, 2, 4$, weights $\frac17, \frac27, \frac47$. With the values $7, 0, 14$ the output is $1 + 0 + 8 = 9$. With the last key blocked the weights are $\frac13, \frac23, 0$ and the output is $\frac73$.

# %% id="sdpa-example"
tiny_q, tiny_k = torch.tensor([[math.log(2)]]), torch.tensor([[0.0], [1.0], [2.0]])
tiny_v, tiny_mask = torch.tensor([[7.0], [0.0], [14.0]]), torch.tensor([[False, False, True]])
assert 7 * 1 / 7 + 0 * 2 / 7 + 14 * 4 / 7 == 9

# %% id="scaled-dot-product-exercise" exercise="attention.scaled_dot_product"
def scaled_dot_product(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Output (..., L, Dv) and weights (..., L, S); mask is True where attention is blocked."""
    ### BEGIN SOLUTION
    raw = scores(query, key)  # (..., L, S)
    if mask is not None:
        raw = raw.masked_fill(mask, float("-inf"))
    weights = softmax(raw, dim=-1)
    return weights @ value, weights  # (..., L, S) @ (..., S, Dv) -> (..., L, Dv)
    ### END SOLUTION


# %% id="scaled-dot-product-check"
check("attention.scaled_dot_product", scaled_dot_product)

# %% id="scaled-dot-product-use"
scaled_dot_product = use("attention.scaled_dot_product")

# %% id="sdpa-run"
tiny_output, _ = scaled_dot_product(tiny_q, tiny_k, tiny_v)
tiny_masked, _ = scaled_dot_product(tiny_q, tiny_k, tiny_v, tiny_mask)
torch.testing.assert_close(tiny_output, torch.tensor([[9.0]]))
torch.testing.assert_close(tiny_masked, torch.tensor([[7 / 3]]))

causal = causal_mask(len(tokens))
ours, _ = scaled_dot_product(query, key, value, causal)
theirs = F.scaled_dot_product_attention(  # note the ~
    query[None], key[None], value[None], attn_mask=~causal
)[0]
print("equal to PyTorch's:", torch.allclose(ours, theirs, atol=1e-5))

# %% id="two-conventions-quiz"
quiz("attention.two-conventions")

# %% [markdown] id="sdpa-in-minilm"
# Now let it carry weight. `attention_function` puts a function in the place of the attention in all six layers and twelve heads of MiniLM. If yours is right, nothing happens:

# %% id="sdpa-in-minilm-run"
with torch.no_grad():
    before = model(batch.ids, padding_mask=padding)
    with attention_function(model, scaled_dot_product):
        after = model(batch.ids, padding_mask=padding)
print(f"largest change in {before.numel()} numbers: {(after - before).abs().max():.0e}")

# %% [markdown] id="heads-section"
# ## 8 Many heads
#
# A token has one row of weights that sum to 1, and so one mean. But *she* needs more than one thing at once: the name it stands for, the verb it belongs to, the word before it. One mean would blend them. So the model runs several attentions side by side, **heads**, each with queries, keys and values of its own, and joins what they bring, which is [multi-head attention](glossary.md#multi-head-attention):
#
# $$\operatorname{MultiHead}(X) = \operatorname{Concat}(O_1, …, O_H)\, W^O + b^O \qquad O_h = \operatorname{Attention}(X W^Q_h + b^Q_h,\; X W^K_h + b^K_h,\; X W^V_h + b^V_h)$$
#
# (Vaswani et al., section 3.2.2, where the biases are left out.) Here are the twelve heads of layer 1 on our sentence:

# %% id="heads-picture"
figures.heads(
    recording.attention[1][0], tokens,
    title="Layer 1 of MiniLM, head by head (rows: queries, columns: keys; hover for tokens)",
)

# %% [markdown] id="heads-note"
# *What to see:* no two are alike. Diagonals beside the main one are heads that look at a neighbour; a bright first column is `[CLS]`, which many heads look at; head 3 is the one you know.
#
# Nobody computes twelve attentions one after the other. The matrices $W^Q_1, …, W^Q_H$ stand side by side in one $D \times D$ matrix; after one product the result is **split** into heads, all heads attend at once as if they were a batch, and their outputs are **merged**. The splitting is where people go wrong most often, so it has an exercise of its own.

# %% [markdown] id="split-text"
# ### Exercise 6: `split_heads`
# *Difficulty 2 of 3, about 15 minutes. Hints: `hint("attention.split_heads")`*
#
# Head $h$ gets the columns $h D_h, …, (h+1) D_h - 1$ of **every** token. Cut the last axis in two, then bring the heads in front of the tokens.
#
# ```
#   (B, S, D)                 (B, S, H, Dh)               (B, H, S, Dh)
#     ┌───────────────┐         ┌───────┬───────┐           head 0     head 1
#     │ a a a  b b b  │         │ a a a │ b b b │          ┌───────┐  ┌───────┐
#   S │ c c c  d d d  │    →    │ c c c │ d d d │    →     │ a a a │  │ b b b │
#     └───────────────┘         └───────┴───────┘          │ c c c │  │ d d d │
#           D = 6                 H = 2, Dh = 3            └───────┘  └───────┘
# ```
#
# Raise a `ValueError` that says what is wrong when $D$ is not a multiple of `nhead`.
#
# *A tiny case.* Two tokens, $D = 4$: $(0, 1, 2, 3)$ and $(4, 5, 6, 7)$. With two heads, head 0 gets $(0, 1)$ and $(4, 5)$, head 1 gets $(2, 3)$ and $(6, 7)$.

# %% id="split-example"
tiny_x = torch.arange(8.0).reshape(1, 2, 4)  # (B, S, D)
tiny_split = torch.tensor([[[[0.0, 1.0], [4.0, 5.0]], [[2.0, 3.0], [6.0, 7.0]]]])  # (B, H, S, Dh)
assert torch.equal(tiny_split[0, 1], tiny_x[0, :, 2:4])  # head 1: columns 2 and 3 of every token

# %% id="split-heads-exercise" exercise="attention.split_heads"
def split_heads(x: Tensor, nhead: int) -> Tensor:
    """(B, H, S, Dh) from x (B, S, D); ValueError when D % nhead is not 0."""
    ### BEGIN SOLUTION
    batch, length, d_model = x.shape
    if d_model % nhead != 0:
        raise ValueError(f"d_model ({d_model}) must be a multiple of nhead ({nhead})")
    x = x.reshape(batch, length, nhead, d_model // nhead)  # (B, S, H, Dh)
    return x.transpose(1, 2)  # (B, H, S, Dh)
    ### END SOLUTION


# %% id="split-heads-check"
check("attention.split_heads", split_heads)

# %% id="split-heads-use"
split_heads = use("attention.split_heads")

# %% id="split-run"
assert torch.equal(split_heads(tiny_x, 2), tiny_split)

all_queries = x @ w_query.T + b_query  # (S, D): all twelve heads in one product
by_head = split_heads(all_queries[None], 12)  # (1, S, D) -> (1, H, S, Dh)
print("head 3 has the query computed by hand:", torch.allclose(by_head[0, 3], query, atol=1e-5))

# %% id="split-quiz"
quiz("attention.split-by-view")

# %% [markdown] id="merge-text"
# ### Exercise 7: `merge_heads`
# *Difficulty 2 of 3, about 10 minutes. Hints: `hint("attention.merge_heads")`*
#
# The way back, so that `merge_heads(split_heads(x, H))` is `x` again: bring the tokens in front of the heads, then join the last two axes.
#
# ```
#     (B, H, S, Dh)              (B, S, H, Dh)               (B, S, D)
#    head 0     head 1
#   ┌───────┐  ┌───────┐       ┌───────┬───────┐         ┌───────────────┐
#   │ a a a │  │ b b b │       │ a a a │ b b b │         │ a a a  b b b  │
#   │ c c c │  │ d d d │   →   │ c c c │ d d d │    →    │ c c c  d d d  │
#   └───────┘  └───────┘       └───────┴───────┘         └───────────────┘
# ```
#
# If PyTorch complains that a tensor is not contiguous, ask yourself what a transpose does to the memory (nothing), and what a view needs.
#
# *A tiny case:* that of exercise 6, backwards. Head 0 with $(0, 1), (4, 5)$ and head 1 with $(2, 3), (6, 7)$ become the tokens $(0, 1, 2, 3)$ and $(4, 5, 6, 7)$.

# %% id="merge-heads-exercise" exercise="attention.merge_heads"
def merge_heads(x: Tensor) -> Tensor:
    """(B, S, D) from x (B, H, S, Dh), the inverse of split_heads."""
    ### BEGIN SOLUTION
    batch, nhead, length, d_head = x.shape
    x = x.transpose(1, 2)  # (B, S, H, Dh)
    return x.reshape(batch, length, nhead * d_head)  # (B, S, D)
    ### END SOLUTION


# %% id="merge-heads-check"
check("attention.merge_heads", merge_heads)

# %% id="merge-heads-use"
merge_heads = use("attention.merge_heads")

# %% id="merge-run"
assert torch.equal(merge_heads(tiny_split), tiny_x)
print("there and back:", torch.equal(merge_heads(by_head), all_queries[None]))

# %% [markdown] id="multi-head-text"
# ### Exercise 8: `multi_head`
# *Difficulty 3 of 3, about 25 minutes. Hints: `hint("attention.multi_head")`*
#
# Put it together. `w_in` `(3D, D)` and `b_in` `(3D,)` hold query, key and value stacked in this order, as `nn.MultiheadAttention.in_proj_weight` does; `w_out` `(D, D)` and `b_out` `(D,)` are the output projection. All weights are in PyTorch's form (outputs, inputs).
#
# ```
#  x (B, S, D) ─ w_in, b_in ─ (B, S, 3D) ─ in three ─ query, key, value (B, S, D)
#                                                       │ split_heads
#                                          three times (B, H, S, Dh)
#                                                       │ scaled_dot_product, mask
#                                                 (B, H, S, Dh)
#                                                       │ merge_heads
#  (B, S, D) ─ w_out, b_out ─────────────────────── (B, S, D)
# ```
#
# `mask` broadcasts to `(B, H, S, S)`. Where a query may look at nothing, its heads give zeros and what is left is `b_out`.
#
# *A tiny case.* Let `w_in` be zero: then all queries and keys are equal, so all weights are, and the output before `w_out` is the mean of the values, which are all `b_in`'s last third. With one token, $D = 2$, two heads, `b_in` $= (0, 0, 0, 0, 3, 5)$, `w_out` $= \begin{pmatrix} 1 & 0 \\ 1 & 1 \end{pmatrix}$ and `b_out` $= (0, 1)$ the output is $(3,\; 3 + 5 + 1) = (3, 9)$.

# %% id="multi-head-example"
tiny_in, tiny_in_bias = torch.zeros(6, 2), torch.tensor([0.0, 0.0, 0.0, 0.0, 3.0, 5.0])
tiny_out, tiny_out_bias = torch.tensor([[1.0, 0.0], [1.0, 1.0]]), torch.tensor([0.0, 1.0])
assert (tiny_out @ tiny_in_bias[4:] + tiny_out_bias).tolist() == [3.0, 9.0]

# %% id="multi-head-exercise" exercise="attention.multi_head"
def multi_head(
    x: Tensor,
    w_in: Tensor,
    b_in: Tensor,
    w_out: Tensor,
    b_out: Tensor,
    nhead: int,
    mask: Tensor | None = None,
) -> Tensor:
    """Self-attention (B, S, D) with nhead heads; w_in (3D, D) and b_in (3D,) stack query, key, value."""
    ### BEGIN SOLUTION
    projected = x @ w_in.T + b_in  # (B, S, D) @ (D, 3D) -> (B, S, 3D)
    query, key, value = projected.chunk(3, dim=-1)  # three times (B, S, D)
    query = split_heads(query, nhead)  # (B, H, S, Dh)
    key = split_heads(key, nhead)  # (B, H, S, Dh)
    value = split_heads(value, nhead)  # (B, H, S, Dh)
    output, _ = scaled_dot_product(query, key, value, mask)  # (B, H, S, Dh)
    return merge_heads(output) @ w_out.T + b_out  # (B, S, D)
    ### END SOLUTION


# %% id="multi-head-check"
check("attention.multi_head", multi_head)

# %% id="multi-head-use"
multi_head = use("attention.multi_head")

# %% [markdown] id="multi-head-real"
# With the weights of MiniLM's layer 1, in a batch with padding, this must be what the layer itself computes:

# %% id="multi-head-run"
tiny_result = multi_head(
    torch.randn(1, 1, 2), tiny_in, tiny_in_bias, tiny_out, tiny_out_bias, nhead=2
)
torch.testing.assert_close(tiny_result, torch.tensor([[[3.0, 9.0]]]))

w_in, b_in = attention.in_proj_weight.detach(), attention.in_proj_bias.detach()
w_out, b_out = attention.out_proj.weight.detach(), attention.out_proj.bias.detach()
with torch.no_grad(), record(model) as recording_batch:
    model(batch.ids, padding_mask=padding)
x_batch = recording_batch.hidden_states[1]  # (B, S, D)
blocked_keys = padding[:, None, None, :]  # (B, S) -> (B, 1, 1, S)
ours = multi_head(x_batch, w_in, b_in, w_out, b_out, nhead=12, mask=blocked_keys)
with torch.no_grad():
    theirs = attention(x_batch, x_batch, x_batch, key_padding_mask=padding)[0]
print("equal to the model's own layer:", torch.allclose(ours, theirs, atol=1e-5))

# %% [markdown] id="head-count-section"
# ### How many heads?

# %% id="head-count-predict"
predict("attention.head-count")

# %% id="head-count-run"
d_model, length = 384, len(tokens)
print("heads  width of one  parameters  operations  weights for our sentence")
for nhead in (1, 12, 48):
    parameters = sum(p.numel() for p in nn.MultiheadAttention(d_model, nhead).parameters())
    work = measure.operations(multi_head, x[None], w_in, b_in, w_out, b_out, nhead)
    width, counted = d_model // nhead, nhead * length * length
    print(f"{nhead:5}  {width:12}  {parameters:10}  {work:10}  {counted:24}")

# %% id="head-count-explain"
explain("attention.head-count")

# %% [markdown] id="head-count-note"
# The parameters are the same, the operations too; only the softmaxes grow with the heads. So what does one buy with more heads? More different looks a token: `nhead` weights rows instead of one. And what does one pay? Each head becomes narrower, and that limits what it can ask for. Written out, a head's score is a bilinear form of the two tokens' vectors (leaving out the biases),
#
# $$s_{ij} = \frac{1}{\sqrt{D_h}}\; x_i \,\underbrace{W^Q_h {W^K_h}^{\!\top}}_{D \times D}\, x_j^\top ,$$
#
# and that matrix is a product of a $D \times D_h$ with a $D_h \times D$ matrix: its rank is at most $D_h$. A head with a width of 1 can compare one feature only.

# %% id="rank-run"
form = w_query[head].T.double() @ w_key[head].double()  # (D, Dh) @ (Dh, D) -> (D, D)
print("the form of head 3:", tuple(form.shape), " rank", torch.linalg.matrix_rank(form).item())

# %% [markdown] id="rank-note"
# In the paper's own trials (table 3, rows A) one head did clearly worse than eight, and too many a little worse again. It is a trade; MiniLM's heads have 32 columns, those of BERT and of the paper 64.
#
# > **In the article** there are no heads in sections 3.2 and 4.1; they appear in its code, as `nhead`. Its formula is that of one head.

# %% [markdown] id="lab-section"
# ## 9 The lab
#
# Now play. The lab runs the whole of MiniLM with **your** `scaled_dot_product`, and draws again at each key press. Every control can be reached with Tab and moved with the arrow keys; the rarer ones, and two more pictures, stand under "More settings and pictures". "Compare with this", at the end, keeps what you see and draws all that follows as difference from it. The lines run from each query, on the left, to the keys it looks at, on the right: the thicker a line, the heavier its weight.

# %% id="lab"
labs.AttentionLab(
    attention=use("attention.scaled_dot_product"),
    text=sentence, layer=1, head=3, query=tokens.index("she"), key=tokens.index("anna"),
)

# %% [markdown] id="lab-try"
# Five **tasks** stand under the lab: find a head, turn a pronoun from one name to another, do without the root, leak to padding, switch a head off. The lab notices when you reach one and says what it shows; each has a hint. What a lab can't judge are these questions. Look at the numbers as well as at the colours.
#
# 1. **Another pronoun.** Change *she* to *he*, then exchange *Anna* and *Peter*. What does the row follow: a place, or the kind of name? Then call them *Alex* and *Robin*. Whom does the head take for *she* now? Exchange the two and see whether it keeps to the name or to the place.
# 2. **Temperature.** The scores of every layer are divided by it. Take *she* in layer 1, head 3 to 0.1 and then to 4: nearly a choice, nearly a plain mean. At 0.1 another token may be first than at 4. How can that be, when dividing all scores of a row by one number doesn't change their order? (Compare with layer 0, where it can't happen.)
# 3. **Causal.** Choose the causal mask, layer 0, and the row of *bank*: all that stands behind it is blocked, and every weight that is left grows. By the same factor? Why?
# 4. **Switch heads off.** Guess before you do the last task: what changes more, layer 0 head 2 (the sharpest picture of all) or layer 5 head 9 (a blur)? And without layer 1 head 3, which token moves most?

# %% [markdown] id="distance-section"
# ## 10 Far away, and all at once
#
# (To begin a sitting here, in a fresh kernel, run the chapter's first two code cells and the one below.)

# %% id="third-sitting"
model, tokenizer = load_minilm()
sentence = "Anna asked Peter to wait at the bank because she had no money."
tokens = tokenizer.encode(sentence).tokens
she = tokens.index("she")
with torch.no_grad(), record(model) as recording:
    model(tokenizer.batch([sentence]).ids)

x, attention = recording.hidden_states[1][0], model.layers[1].self_attn
w_query, w_key, w_value = attention.in_proj_weight.detach().chunk(3)
b_query, b_key, b_value = attention.in_proj_bias.detach().chunk(3)
head = slice(3 * 32, 4 * 32)
query = x @ w_query[head].T + b_query[head]
key = x @ w_key[head].T + b_key[head]
value = x @ w_value[head].T + b_value[head]

w_in, b_in = attention.in_proj_weight.detach(), attention.in_proj_bias.detach()
w_out, b_out = attention.out_proj.weight.detach(), attention.out_proj.bias.detach()
scaled_dot_product = use("attention.scaled_dot_product")
multi_head = use("attention.multi_head")

# %% [markdown] id="distance-text"
# Before the Transformer, text was read by recurrent networks: $h_t = f(x_t, h_{t-1})$, one token after another, with one vector $h$ to carry all that was read. Section 4 of the paper compares the two in three respects. You can measure each.
#
# **How far is far?** From the last token to the first, a recurrent network takes a step for every token on the way. Attention takes one. What does that do to learning? A small task: the first token is one of eight symbols, the rest is noise, and at the end the network must say which symbol it was. Three networks of one layer, width 32: a simple recurrent one, a gated one (GRU, which was made for such things), and one head of attention.

# %% id="distance-predict"
predict("attention.remember-the-first")

# %% id="distance-run"
sequence_lengths = [2, 4, 8, 16, 32]
right = {kind: [recurrent.recall(kind, n) for n in sequence_lengths] for kind in recurrent.KINDS}
figures.lines(
    sequence_lengths, right, log_x=True, x_title="tokens in the sequence", y_title="answers right",
    title="Saying at the end which symbol stood first (100 training steps each)",
)

# %% id="distance-explain"
explain("attention.remember-the-first")

# %% [markdown] id="distance-gradient"
# The reason can be measured before any training: how strongly does the last output depend on a token $d$ steps before it? The gradient through a recurrent network is a product of $d$ matrices, one for each step back, and with the usual start each of them shrinks it (Bengio, Simard and Frasconi, 1994).

# %% id="distance-gradient-run"
dependence = {kind: recurrent.gradient_by_distance(kind) for kind in recurrent.KINDS}
figures.lines(
    range(1, 40), dependence, log_y=True, x_title="steps back", y_title="size of the gradient",
    title="What reaches the last output from d steps back (untrained)",
)

# %% [markdown] id="distance-note"
# *What to see:* the recurrent lines fall by a factor a step: straight lines on this scale. The line of attention is level. It doesn't start high: with 40 tokens and equal weights each gets about 1/40 of the attention. But it gets the same at every distance, and training can raise it.
#
# **What must wait for what?** In the recurrent network $h_{32}$ can't begin before $h_{31}$ is done. In attention no token waits for another: any row can be computed alone. Ask for one row only, and then count the longest chain of operations that wait for one another, in the graph that PyTorch keeps for the gradient:

# %% id="parallel-run"
every_row, _ = scaled_dot_product(query, key, value)
one_row, _ = scaled_dot_product(query[she : she + 1], key, value)  # no other row is computed
print("row of she, computed alone:", torch.allclose(one_row[0], every_row[she], atol=1e-5))

for n in (8, 32, 128):
    chains = (f"{kind} {recurrent.longest_chain(kind, n)}" for kind in recurrent.KINDS)
    print(f"longest chain for {n:3} tokens: ", *chains, sep="  ")

# %% [markdown] id="parallel-time"
# What that is worth depends on your machine: a GPU with thousands of units can do all rows at once, a single CPU core can't, but still prefers one large product to many small ones. Yours, on one thread, forward only:

# %% id="parallel-time-run"
gru = nn.GRU(64, 64, batch_first=True)
self_attention = nn.MultiheadAttention(64, 4, batch_first=True)
for n in (32, 128, 512):
    text = torch.randn(8, n, 64)
    waiting = measure.seconds(gru, text)
    at_once = measure.seconds(self_attention, text, text, text, need_weights=False)
    print(f"{n:4} tokens: the GRU takes {waiting / at_once:5.1f} times as long as attention")

# %% [markdown] id="article-distance"
# (On one thread there is nothing to do at once. Where the advantage shrinks as the text grows, or is lost, you see the price: section 12.)
#
# > **In the article** (2.2): "它能够有效地建模长距离依赖关系，并具有良好的并行性" (*it can effectively model long-distance dependencies, and has good parallelism*).
# >
# > Both are true, and you have measured them. Four things belong beside them. The price of the short way is the square of the length (section 12). "Long" ends where the positions end that the model was trained with: MiniLM knows 512 places, and was tuned on texts cut to 128 tokens. That a token *can* be reached doesn't mean that it *is* used: models have been found to use the middle of a long context less than its ends (Liu et al., 2024). And the parallelism is over the tokens of a text that is there already; when text is generated, token still waits for token (chapter 07). The task above was kind to attention, too: the symbol could be told by what it was, not only by where it stood. Which brings us to places.

# %% [markdown] id="order-section"
# ## 11 It doesn't know the order
#
# Look at equation (1) once more. Where in it does a token's place appear?

# %% id="order-predict"
predict("attention.shuffled")

# %% id="order-run"
shuffled = torch.randperm(len(tokens), generator=torch.Generator().manual_seed(0))
straight = multi_head(x[None], w_in, b_in, w_out, b_out, nhead=12)
of_shuffled = multi_head(x[None, shuffled], w_in, b_in, w_out, b_out, nhead=12)
same = torch.allclose(of_shuffled, straight[:, shuffled], atol=1e-5)
print("attention of the shuffled rows is the attention of the rows, shuffled:", same)

# %% id="order-explain"
explain("attention.shuffled")

# %% [markdown] id="order-note"
# In symbols, for every permutation matrix $\Pi$: $\operatorname{MultiHead}(\Pi X) = \Pi \operatorname{MultiHead}(X)$. The rest of an encoder layer works on each token by itself, so the whole encoder is [equivariant](glossary.md#permutation-equivariance) too, and the mean of its outputs is the same for every order of the words. Without the positions of chapter 01 these two sentences would be one:

# %% id="order-minilm-run"
pair = tokenizer.batch(["The dog bit the man.", "The man bit the dog."])
with torch.no_grad():
    with_places = model(pair.ids).mean(dim=1)  # (2, S, D) -> (2, D)
    rows = model.embeddings.token(pair.ids) + model.embeddings.segment(pair.type_ids)  # no places
    without = model.encode(model.embeddings.norm(rows)).mean(dim=1)
for name, vectors in (("with positions", with_places), ("without", without)):
    print(f"{name:15} similarity {F.cosine_similarity(vectors[0], vectors[1], dim=0):.4f}")

one_word = sentence_embedding(["The dog bit the man.", "The dog saw the man."])  # (2, D)
print(f"for scale, “saw” in the place of “bit”: {one_word[0] @ one_word[1]:.4f}")

# %% [markdown] id="order-warning"
# Without positions the similarity is 1: the sentences are bags of words. With them it is 0.978: the order reaches the vector of the sentence and moves it a little. One other word moves it much more, here to 0.74. Of this pair MiniLM, which was made to find texts on the same subject, keeps little of who bit whom; section 14 has pairs of which it keeps more.

# %% id="causal-order-quiz"
quiz("attention.causal-order")

# %% [markdown] id="cost-section"
# ## 12 The cost grows with the square
#
# Each of $n$ queries meets each of $n$ keys. Count the multiplications and additions of one layer of width $D$: four projections of $n$ tokens, and two products with $n \times n$ weights,
#
# $$\underbrace{8\, n D^2}_{\text{projections}} + \underbrace{4\, n^2 D}_{\text{scores and sums}}$$
#
# (a multiplication with its addition counts as 2).

# %% id="cost-predict"
predict("attention.twice-as-long")

# %% id="cost-run"
texts = [64, 128, 256, 512, 1024]
projections, meetings = [], []
for n in texts:
    text = torch.zeros(1, n, 384)
    together = measure.operations(multi_head, text, w_in, b_in, w_out, b_out, nhead=12)
    projections.append(8 * n * 384**2)
    meetings.append(together - projections[-1])  # as counted, less what the projections take
    assert meetings[-1] == 4 * n**2 * 384
figures.lines(
    texts, {"projections": projections, "scores and sums": meetings}, log_x=True, log_y=True,
    x_title="tokens in the text", y_title="operations", title="One layer of width 384, counted",
)

# %% id="cost-explain"
explain("attention.twice-as-long")

# %% id="cost-share-run"
shares = {}
for n in (128, 512, 100_000):
    square, linear = 4 * n**2 * 384, 8 * n * 384**2
    feed_forward = 2 * 2 * n * 384 * 1536  # chapter 03: two products, 384 to 1536 and back
    shares[n] = square / (square + linear), square / (square + linear + feed_forward)
    of_attention, of_layer = shares[n]
    print(f"{n:6} tokens: the square is {of_attention:.0%} of attention, {of_layer:.0%} of a layer")

# %% [markdown] id="cost-note"
# *What to see:* one line rises twice as steeply as the other. They cross where $8nD^2 = 4n^2D$, at $n = 2D$. For MiniLM that is 768 tokens, more than it can read. At the 128 tokens that it was tuned on, the square is 14 % of attention's operations and 5 % of the whole layer's; at the 512 that it can read, 40 % and 18 %. With 100,000 tokens, a book, it would be nearly all.
#
# The weights also take room. Each is a number that has to be kept somewhere, unless the computation is arranged so that they never all exist at once; FlashAttention (Dao et al., 2022) and chapter 10 do that.

# %% id="cost-time-run"
for n in (128, 256, 512):
    text = torch.randn(1, n, 384)
    once = measure.seconds(multi_head, text, w_in, b_in, w_out, b_out, nhead=12)
    megabytes = 12 * n * n * 4 / 2**20  # heads, queries, keys, four bytes each
    print(f"{n:5} tokens: {megabytes:5.2f} MB of weights a layer, {1000 * once:6.1f} ms here")

# %% [markdown] id="looking-section"
# ## 13 What do the heads of a real model look at?
#
# A model with 72 heads makes 72 pictures a sentence, too many to look at. So first a number for each: is it sharp or blurred?
#
# ### Exercise 9: `entropy`
# *Difficulty 2 of 3, about 10 minutes. Hints: `hint("attention.entropy")`*
#
# The [entropy](glossary.md#entropy) of a row of weights,
#
# $$H(p) = -\sum_j p_j \ln p_j ,$$
#
# is 0 when one key has all the weight, and $\ln S$, the most it can be, when all $S$ keys have the same. $0 \ln 0$ counts as 0, which is its limit; a computer says NaN, unless you see to it. A row that is 0 throughout, as your softmax gives it to a query that may look at nothing, so has the entropy 0.
#
# ```
#   weights (..., L, S)            entropy (..., L)
#      ┌───────────┐                  ┌───┐
#    L │ p_1 … p_S │         →      L │ H │      one number a query
#      └───────────┘                  └───┘
# ```
#
# *A tiny case.* $(1, 0, 0, 0)$ has the entropy $0$; $(\frac14, \frac14, \frac14, \frac14)$ has $\ln 4$; $(\frac12, \frac14, \frac14, 0)$ has $\frac12 \ln 2 + \frac14 \ln 4 + \frac14 \ln 4 = \frac32 \ln 2$.

# %% id="entropy-example"
tiny_rows = torch.tensor([[1.0, 0.0, 0.0, 0.0], [0.25, 0.25, 0.25, 0.25], [0.5, 0.25, 0.25, 0.0]])
tiny_entropies = torch.tensor([0.0, math.log(4), 1.5 * math.log(2)])
by_hand = -(0.5 * math.log(0.5) + 2 * 0.25 * math.log(0.25))
assert math.isclose(tiny_entropies[2], by_hand, rel_tol=1e-6)

# %% id="entropy-exercise" exercise="attention.entropy"
def entropy(weights: Tensor) -> Tensor:
    """Entropy (..., L) in nats of each query's weights (..., L, S); 0 log 0 counts 0."""
    ### BEGIN SOLUTION
    safe = weights.masked_fill(weights == 0, 1.0)  # log 1 = 0
    return -(weights * torch.log(safe)).sum(dim=-1)  # (..., L, S) -> (..., L)
    ### END SOLUTION


# %% id="entropy-check"
check("attention.entropy", entropy)

# %% id="entropy-use"
entropy = use("attention.entropy")

# %% id="entropy-run"
torch.testing.assert_close(entropy(tiny_rows), tiny_entropies)

every_head = torch.cat(recording.attention)  # six times (1, H, S, S) -> (6, H, S, S)
blur = entropy(every_head).mean(dim=-1)  # (6, H, S) -> (6, H): the mean over the queries
most = math.log(len(tokens))
figures.by_head(blur, top=most, title=f"Entropy of each head on our sentence (at most {most:.2f})")

# %% id="entropy-quiz"
quiz("attention.low-entropy")

# %% [markdown] id="heads-real-text"
# *What to see:* layer 0 is blurred, with one exception; layers 1 and 2 are sharp; the last is blurred again. What are the sharp ones looking at? Ask it on more than one sentence. Here are eight; for each head we take the mean weight that falls on the token before, on the token after, and on `[CLS]`.

# %% id="positional-heads-run"
sentences = [
    sentence,
    "The dog that chased the cat was tired.",
    "She opened the window and looked at the sea.",
    "A small boat left the harbour before the storm.",
    "Nobody knew why the train had stopped in the night.",
    "The teacher gave the children their books back.",
    "When it rains, the river behind the house gets loud.",
    "He said that the museum would open again in spring.",
]
falls_on = {name: torch.zeros(6, 12) for name in ("the token before", "the token after", "[CLS]")}
for text in sentences:
    with torch.no_grad(), record(model) as recording_text:
        model(tokenizer.batch([text]).ids)
    w = torch.cat(recording_text.attention)  # (6, H, S, S)
    falls_on["the token before"] += w.diagonal(-1, dim1=-2, dim2=-1).mean(dim=-1) / len(sentences)
    falls_on["the token after"] += w.diagonal(1, dim1=-2, dim2=-1).mean(dim=-1) / len(sentences)
    falls_on["[CLS]"] += w[..., 1:, 0].mean(dim=-1) / len(sentences)

for name, share in falls_on.items():
    best = [divmod(place, 12) for place in share.flatten().topk(3).indices.tolist()]
    print(f"{name:16}", *(f"layer {i} head {h}: {share[i, h]:.2f}" for i, h in best), sep="  ")

# %% [markdown] id="positional-heads-note"
# One head of layer 0 looks at the token before it and at hardly anything else, one of layer 1 mostly at the next. Clark et al. (2019) found such heads in BERT. The third line is odd: why would head after head look at `[CLS]`? A softmax can't say "nothing": its weights sum to 1 even where there is nothing to find. So the model learns a place to put them that does no harm, a **[sink](glossary.md#attention-sink)** (Xiao et al., 2024; in BERT, Clark et al. saw `[SEP]` used like this). Section 14 shows why it does none.
#
# And the head with the pronoun? To test it fairly, everything else must be in balance: each name comes first and second, each pronoun refers to the first and to the second name, in several sentences. If the head went by place or by name, it would be right half of the time.

# %% id="pronoun-heads-run"
names = [("Anna", "Peter"), ("Mary", "John"), ("Susan", "Thomas"), ("Laura", "Paul")]
frames = [
    "{} asked {} to wait at the bank because {} had no money.",
    "{} met {} at the station after {} came home.",
    "{} wrote to {} before {} left the city.",
    "{} told {} that {} could not come to the market.",
    "{} saw {} in the garden when {} opened the door.",
]
fits = torch.zeros(6, 12)  # in how many sentences the fitting name has more weight than the other
trials = [
    (frame.format(first, second, pronoun), pronoun, fitting, other)
    for frame in frames
    for girl, boy in names
    for pronoun, fitting, other in (("she", girl, boy), ("he", boy, girl))
    for first, second in ((girl, boy), (boy, girl))
]
for text, pronoun, fitting, other in trials:
    encoding = tokenizer.encode(text)
    with torch.no_grad(), record(model) as recording_text:
        model(torch.tensor([encoding.ids]))
    row = torch.cat(recording_text.attention)[:, :, encoding.tokens.index(pronoun)]  # (6, H, S)
    on_fitting = row[..., encoding.tokens.index(fitting.lower())]  # (6, H)
    on_other = row[..., encoding.tokens.index(other.lower())]
    fits += on_fitting > on_other

figures.by_head(
    fits, decimals=0, top=len(trials),
    title=f"In how many of {len(trials)} sentences the pronoun looks more at the name that fits",
)

# %% [markdown] id="pronoun-heads-note"
# *What to see:* head 3 of layer 1 is not a fluke of one sentence, and layer 2 has two more like it. Most heads are near the half. And look at head 5 of layer 1, near zero: it looks at the *other* name nearly every time, which needs the same knowledge.
#
# A warning about method. With 72 heads and one sentence, some head will show whatever you hope for. Balance, more sentences, and a count of how many heads were tried are what makes a picture evidence.

# %% [markdown] id="not-explanation"
# ## 14 What attention pictures do not tell
#
# It is tempting to go on: "the model knows that *she* is Anna, you can see it in head 3". Four experiments on that temptation.
#
# **First: does the output depend on it?** Switch a head off (an [ablation](glossary.md#ablation): its output becomes zero) and measure how far the sentence's vector turns. All 72, one by one. Your guess from the lab:

# %% id="ablation-predict"
predict("attention.sharpest-head")

# %% id="ablation-run"
effect = heads.effect_of_each(sentences)  # (6, H), by a loop like that of the second experiment
place = 1 + (effect > effect[0, 2]).sum().item()
print(f"layer 0 head 2 is number {place} of 72 by effect")
figures.by_head(
    1000 * effect, decimals=1, top=20.0,
    title="1000 × (1 − cosine) of the sentence's vector, each head switched off",
)

# %% id="ablation-explain"
explain("attention.sharpest-head")

# %% [markdown] id="ablation-note"
# *What to see:* the last layer changes the vector most; what its heads write goes straight into it. (The colours stop at 20, or the last row would drown the rest.) Within a layer, is it the sharp heads that count? Compare ranks within each layer and take the mean of the six: +1 would say "the sharper, the more effect", −1 the opposite. Six rows of twelve are few, so see how often chance goes as far, when the effects of each layer are dealt to its heads at random. And since so many heads look at `[CLS]`, ask the same of the weight on it. Then all of it again on another kind of text:

# %% id="sharpness-run"
lines_of_code = [
    "for name in sorted(names): print(name)",
    "return [x * x for x in values if x > 0]",
    "with open(path, encoding='utf-8') as file: text = file.read()",
    "def area(width: float, height: float) -> float: return width * height",
    "raise ValueError(f'{size} is not a power of two')",
    "if not isinstance(other, Fraction): return NotImplemented",
    "import os, sys; sys.exit(os.EX_OK)",
    "counts[word] = counts.get(word, 0) + 1",
]
together = {}
for kind, some, change in (
    ("our sentences", sentences, effect),
    ("lines of Python", lines_of_code, heads.effect_of_each(lines_of_code)),
):
    sharpness, on_cls = heads.sharpness_and_sink(some)  # (6, H) each
    for what, share in (("sharpness", sharpness), ("weight on [CLS]", on_cls)):
        correlation, by_chance = measure.rank_correlation(share, change)
        together[kind, what] = correlation, by_chance
        print(f"{kind}, {what} and effect: {correlation:+.2f}; as far by chance: {by_chance:.1%}")

sharpness, on_cls = heads.sharpness_and_sink(sentences)
sharpest = on_cls.flatten()[sharpness.flatten().topk(18).indices]
in_all, of_sharp = (on_cls > 0.5).sum(), (sharpest > 0.5).sum()
print(f"more than half on [CLS]: {in_all} of 72 heads, {of_sharp} of the 18 sharpest")

# %% [markdown] id="sharpness-note"
# *What to see:* on our sentences the sharper heads do less, by tendency; on lines of Python that is weak enough for chance. The weight on `[CLS]` says more, on both: the more a head looks into the sink, the less it does. Most of the sharpest heads are of this kind. So a clear picture is no sign of importance, and here rather one of the sink.
#
# **Second: does the model use what the head "found"?** Before you ask which head does a thing, ask whether the model does it. If MiniLM's vector said who had no money, "Anna had no money." would come closer to our sentence than "Peter had no money." All sixteen variants:

# %% id="has-it-run"
variants = [trial for trial in trials if "money" in trial[0]]
leads = []
for text, _, fitting, other in variants:
    readings = [f"{name} had no money." for name in (fitting, other)]
    said, right_one, wrong_one = sentence_embedding([text, *readings])
    leads.append((said @ right_one - said @ wrong_one).item())
won = sum(lead > 0 for lead in leads)
of_coins = sum(math.comb(16, heads_up) for heads_up in range(won, 17)) / 2**16
print(f"right in {won} of {len(leads)}; 16 coins do as well in {of_coins:.0%} of all cases")

# %% [markdown] id="has-it-note"
# That is guessing, as far as sixteen sentences can tell. The head finds the right name in each of them, and the vector of the sentence doesn't show it: what a head finds need not arrive. Nor would it help to switch the head off now. Where there is no behaviour, none can be lost.
#
# So take one that the model has. It wasn't our first try: which of two things is red, who chased whom, what *is* and what *is not* so, none of this does MiniLM's vector tell better than guessing. But a *house boat* is a boat, and a *boat house* is a house, and that it does tell: two words, and their order decides. We wrote down thirty such pairs, each compound with a reading ("something that floats on water", "a building"), before we measured any, and kept them all. The *lead* of a pair is how much closer both compounds are to their own readings than to each other's. A model that is blind to the order gives both compounds one vector, so its lead is 0; one that guesses leads in 15 of 30.
#
# Which heads do it? By section 13's pictures, those that look at a neighbour: head 2 of layer 0 (the token before) and head 8 of layer 1 (the token after). That is a hypothesis, and it was there before the measurement. Switch off each head while the compounds are read (the readings' vectors stay as they were):

# %% id="behaviour-run"
meant = compounds.readings()  # (30, 2, D)
whole = compounds.order_leads(meant)  # (30,)
print(f"nothing off: the right order leads in {(whole > 0).sum()} of 30, by {whole.mean():.3f}")

lost = torch.zeros(6, 12)  # the share of the mean lead that goes with each head
for layer in range(6):
    for number in range(12):
        with ablate(model, {(layer, number)}):
            lost[layer, number] = 1 - compounds.order_leads(meant).mean() / whole.mean()
figures.heatmap(
    100 * lost, [f"layer {layer}" for layer in range(6)], column_title="head",
    signed=True, numbers=True, decimals=0, top=25.0,
    title="How much of the order's lead is lost, in %, each head switched off",
)

# %% [markdown] id="behaviour-pairs"
# Now both heads of the hypothesis at once. What to compare with? The two heads that find the pronoun's name, and twenty other pairs, drawn at random, of one head of layer 0 and one of layer 1:

# %% id="behaviour-pairs-run"
other_pairs = [((0, a), (1, b)) for a in range(12) for b in range(12) if a != 2 and b != 8]
drawn = torch.randperm(len(other_pairs), generator=torch.Generator().manual_seed(0))[:20]
without_pair = {}
for pair in [((0, 2), (1, 8)), ((1, 3), (2, 4)), *(other_pairs[number] for number in drawn)]:
    with ablate(model, set(pair)):
        without_pair[pair] = compounds.order_leads(meant)

of_neighbours, of_pronoun = list(without_pair.values())[:2]
for name, left in (("the neighbours' heads", of_neighbours), ("the pronoun's heads", of_pronoun)):
    print(
        f"without {name:21}  mean lead {left.mean():.3f}, above 0 in {(left > 0).sum()} of 30, "
        f"smaller than before in {(left < whole).sum()}"
    )
of_others = [left.mean().item() for left in list(without_pair.values())[2:]]
print(f"without 20 other pairs: mean lead from {min(of_others):.3f} to {max(of_others):.3f}")

# %% [markdown] id="behaviour-note"
# *What to see:* the model has this behaviour: 30 of 30. Without the two heads that look at neighbours a third of the lead is gone, and it is smaller in 29 of the 30 pairs; none of the twenty other pairs of heads takes nearly as much, and the pronoun's heads take nothing. Here the picture led to heads that the model uses for just this.
#
# It was not the whole story, either. Two thirds of the lead are left, and 29 of 30 pairs are still told apart: other heads carry the order too. One of them, head 1 of layer 3, is second of all 72, and no picture had pointed to it. And look where head 2 of layer 0 stands: in the middle of 72 in the first experiment, third in this one. What a head is for depends on what you ask.
#
# **Third: a weight is not a contribution.** What arrives at a token is weight × value, and values differ in length. Take head 7 of layer 2, one of those that section 13 found to look at `[CLS]` most:

# %% id="value-norm-run"
sink = model.layers[2].self_attn
with torch.no_grad():
    _, _, values = sink.project(*[recording.hidden_states[2]] * 3)  # (1, H, S, Dh)
w = recording.attention[2][0, 7, she]  # (S,)
brought = w * values[0, 7].norm(dim=-1)  # (S,)
figures.bars(
    tokens,
    {"weight": w, "share of what is brought: weight × length of value": brought / brought.sum()},
    y_title="share", title="Layer 2, head 7, query “she”",
)

# %% id="value-norm-all"
how_long = torch.zeros(6, 12)  # the value of [CLS], measured by the mean length of all others
for layer, hidden in enumerate(recording.hidden_states[:-1]):
    with torch.no_grad():
        _, _, values = model.layers[layer].self_attn.project(hidden, hidden, hidden)
    lengths = values[0].norm(dim=-1)  # (H, S)
    how_long[layer] = lengths[:, 0] / lengths[:, 1:].mean(dim=-1)
longest = how_long[on_cls > 0.5].max()
print(f"in all {in_all} heads that look at [CLS]: at most {longest:.2f} of the others' length")

# %% [markdown] id="value-norm-note"
# *What to see:* most of the weight is on `[CLS]`, and it brings next to nothing, because its value there is very short. So it is in all heads that give `[CLS]` more than half of their weight. That is how a sink does no harm, and it fits with what you saw above: the more a head looks there, the less changes without it. Kobayashi et al. (2020) therefore propose to look at the length of weight × value.
#
# **Fourth: other weights, same output.** A head's output has 32 numbers. With more than 33 tokens there are more weights than that, so different rows of weights must give the *same* output (Brunner et al., 2020). Here is one for *she* in a longer text, the eight sentences in a row. It begins with all weights equal, and is then corrected in turns until it is a row of weights, none negative, with the sum and the output of the real one.

# %% id="other-weights-run"
with torch.no_grad(), record(model) as recording_long:
    model(tokenizer.batch([" ".join(sentences)]).ids)
    _, _, long_value = attention.project(*[recording_long.hidden_states[1]] * 3)  # (1, H, S, Dh)
v = long_value[0, 3].double()  # (S, Dh)
p = recording_long.attention[1][0, 3, she].double()  # (S,)

fixed = torch.cat([v, torch.ones_like(v[:, :1])], dim=1)  # (S, Dh + 1): what gives output and sum
back = torch.linalg.pinv(fixed.T)  # (S, Dh + 1)
other_p = torch.full_like(p, 1 / len(p))
begun = 0.5 * (other_p - p).abs().sum()  # the share of the weight that lies elsewhere
for _ in range(3000):
    other_p = other_p.clamp(min=0)  # no negative weight
    other_p = other_p - back @ (fixed.T @ (other_p - p))  # the same output, the same sum
other_p = other_p.clamp(min=0)

moved, change = 0.5 * (other_p - p).abs().sum(), (other_p @ v - p @ v).abs().max()
print(f"{begun:.0%} of the weight lay elsewhere when all were equal")
print(f"{len(p)} tokens; the other weights sum to {other_p.sum():.6f}, none is negative")
print(f"{moved:.0%} of the weight lies elsewhere; the output differs by {change:.0e}")

# %% [markdown] id="other-weights-note"
# Two rows of weights, one output. (Less freedom is left than there could be: no weight may be negative. And another caution applies to all pictures beyond the first layer: the vector at *anna*'s place is by then a mixture of the whole sentence, and not the word.)
#
# Is attention explanation, then? Jain and Wallace (2019) showed in recurrent classifiers that weights often disagree with gradients, and that other weights can be found that leave the prediction nearly as it was. Wiegreffe and Pinter (2019) answered that this depends on what one calls an explanation: weights chosen for one input are not weights that a model would learn, and where a task needs attention at all, the learned ones were worth more than such others. What both leave you with is a habit: **a picture is a hypothesis; switch something off and measure.**

# %% id="what-a-picture-shows-quiz"
quiz("attention.what-a-picture-shows")

# %% [markdown] id="recap"
# ## 15 Recap
#
# - A token needs the others, and attention is the only place in an encoder where it meets them.
# - $Q = XW^Q$, $K = XW^K$, $V = XW^V$; every token asks, offers and hands over, to itself too.
# - Scores $QK^\top/\sqrt{d_k}$: without the root their spread grows with the width, the softmax saturates and its gradient dies.
# - Softmax of each row, the largest score taken off first; a row in which everything is blocked gives zeros.
# - A mask sets scores to $-\infty$ *before* the softmax. True means blocked, here; elsewhere it may mean the opposite.
# - Output $PV$: a mean of values. Heads do it side by side in slices of the width; their number changes no parameter, it trades looks against the rank of each.
# - One step between any two tokens, nothing waits: easy to train over distance, fast in parallel. The price: $n^2$ weights, and no sense of order without positions.
# - Weights are exact facts about one head, and hypotheses about the model. Ask whether the model has the behaviour at all; then ablate, beside heads that shouldn't matter.
#
# Close the notebook and write `multi_head` on paper, with the shape behind each line. If that works, you have the chapter.

# %% [markdown] id="glossary"
# ### The chapter's terms
#
# <!-- glossary -->

# %% [markdown] id="papers"
# ### The papers
#
# - Vaswani, Shazeer, Parmar, Uszkoreit, Jones, Gomez, Kaiser, Polosukhin: *Attention Is All You Need*. NeurIPS 2017. [arXiv:1706.03762](https://arxiv.org/abs/1706.03762). Section 3.2.1 with equation (1) and footnote 4 on the root; 3.2.2 on heads; 3.5 on positions; section 4 with table 1 on cost and path length; table 3, rows A, on the number of heads.
# - Bahdanau, Cho, Bengio: *Neural Machine Translation by Jointly Learning to Align and Translate*. ICLR 2015. [arXiv:1409.0473](https://arxiv.org/abs/1409.0473). Attention before the Transformer.
# - Bengio, Simard, Frasconi: *Learning Long-Term Dependencies with Gradient Descent Is Difficult*. IEEE Transactions on Neural Networks 5(2), 1994. Why the recurrent lines of section 10 fall.
# - Cho et al.: *Learning Phrase Representations using RNN Encoder–Decoder for Statistical Machine Translation*. EMNLP 2014. [arXiv:1406.1078](https://arxiv.org/abs/1406.1078). The GRU.
# - Clark, Khandelwal, Levy, Manning: *What Does BERT Look At? An Analysis of BERT's Attention*. BlackboxNLP 2019. [arXiv:1906.04341](https://arxiv.org/abs/1906.04341).
# - Jain, Wallace: *Attention is not Explanation*. NAACL 2019. [arXiv:1902.10186](https://arxiv.org/abs/1902.10186).
# - Wiegreffe, Pinter: *Attention is not not Explanation*. EMNLP-IJCNLP 2019. [arXiv:1908.04626](https://arxiv.org/abs/1908.04626).
# - Brunner, Liu, Pascual, Richter, Ciaramita, Wattenhofer: *On Identifiability in Transformers*. ICLR 2020. [arXiv:1908.04211](https://arxiv.org/abs/1908.04211).
# - Kobayashi, Kuribayashi, Yokoi, Inui: *Attention is Not Only a Weight: Analyzing Transformers with Vector Norms*. EMNLP 2020. [arXiv:2004.10102](https://arxiv.org/abs/2004.10102).
# - Haviv, Ram, Press, Izsak, Levy: *Transformer Language Models without Positional Encodings Still Learn Positional Information*. Findings of EMNLP 2022. [arXiv:2203.16634](https://arxiv.org/abs/2203.16634).
# - Xiao, Tian, Chen, Han, Lewis: *Efficient Streaming Language Models with Attention Sinks*. ICLR 2024. [arXiv:2309.17453](https://arxiv.org/abs/2309.17453).
# - Dao, Fu, Ermon, Rudra, Ré: *FlashAttention: Fast and Memory-Efficient Exact Attention with IO-Awareness*. NeurIPS 2022. [arXiv:2205.14135](https://arxiv.org/abs/2205.14135).
# - Liu, Lin, Hewitt, Paranjape, Bevilacqua, Petroni, Liang: *Lost in the Middle: How Language Models Use Long Contexts*. TACL 2024. [arXiv:2307.03172](https://arxiv.org/abs/2307.03172).
#
# **Next:** chapter 03, the other half of a layer: what happens to each token by itself, between one look at the others and the next.
