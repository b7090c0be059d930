# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown] id="title"
# # 04 Stacking
#
# You have attention, which lets tokens look at each other, and a feed-forward network, which thinks about each of them alone. An encoder is these two, one on top of the other, again and again. Why, then, can't you put them on top of each other?
#
# Because it does not work. Two or three bare layers make all tokens of a sentence the same, and from the top of twelve next to nothing of a gradient reaches the bottom. Two small inventions around each part change that: a sum, the [residual connection](glossary.md#residual-connection), and a rescaling, [layer normalisation](glossary.md#layer-normalisation). The article's text doesn't name either, and its code has only one of them. In this chapter you take them out, watch what breaks, and put them back; and at its end the encoder that reads your sentence is made of functions that you have written, from the first word to the last vector.
#
# **When you are through, you can**
#
# - write an encoder layer from memory, and say where its norms stand and where dropout falls;
# - say what residuals and norms are for, and show it by a measurement;
# - tell pre-norm from post-norm, and say why one of them needs a warm-up;
# - find what is wrong in a listing, what is missing without a word, and what only looks like a fault;
# - load a real model's weights into an encoder of your own.
#
# **You need** chapters 01 to 03, or at least their recaps: where an earlier exercise is not done yet, ours stands in.
#
# **Time** About three hours: six exercises, 105 minutes by our count, and about 75 minutes to read, run and play. Sections 1 to 6 make a good first sitting, 7 to 12 a second; each can begin in a fresh kernel.

# %% id="setup"
import copy
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course import check, explain, figures, hint, labs, predict, quiz, use
from course.content.stacking import experiments as stacking
from encoder_core import load_minilm, record, sentence_embedding, split_words

# %% id="where-we-are"
figures.encoder("stacking")

# %% [markdown] id="bare-section"
# ## 1 One on top of the other
#
# Take the sentence of chapter 02, give each token a random vector (as an untrained table does), and send it through layers that are nothing but attention and a feed-forward network, each with random weights. `stacking.stack` builds such layers, with their parts in or out; `stacking.walk` keeps what comes out of each. Here is how alike the tokens are, each with each, before the first layer and after the first three:

# %% id="bare-run"
model, tokenizer = load_minilm()
sentence = "Anna asked Peter to wait at the bank because she had no money."
encoding = tokenizer.encode(sentence)
tokens = encoding.tokens
table = torch.randn(len(tokens), 64, generator=torch.Generator().manual_seed(0))
x = table[None]  # (B, S, D) = (1, 16, 64): a random vector for each token

bare = stacking.stack(12, norm="none", residual=False)
states = stacking.walk(bare, x)  # 13 times (1, S, D)
unit = [F.normalize(state[0], dim=-1) for state in states[:4]]
figures.heads(
    torch.stack([one @ one.T for one in unit]), tokens, per_row=4,
    titles=["input", "after layer 1", "after layer 2", "after layer 3"],
    title="Cosine of every two tokens: bare layers (bright is 1)",
)

# %% [markdown] id="bare-note"
# *What to see:* after two layers the sixteen tokens are one. Attention takes means; with random weights they are nearly plain means; and a mean of means has nothing left of what was different. No later layer can bring back what is gone. That is [over-smoothing](glossary.md#over-smoothing). Dong, Cordonnier and Loukas (2021) proved that attention alone does it doubly exponentially fast, in whatever way its weights are chosen within bounds.
#
# And nothing can learn to do better, because the gradient dies on its way down:

# %% id="bare-gradient-run"
by_layer = stacking.gradients(bare, x)  # of each layer's matrices: its norm
figures.lines(
    range(1, 13), {"bare layers": by_layer}, log_y=True,
    x_title="layer", y_title="size of its gradient",
    title="A random error sent back through twelve bare layers",
)

# %% [markdown] id="bare-gradient-note"
# *What to see:* a straight line on this scale, falling by orders of magnitude towards the first layer: the chain rule multiplies one factor a layer, and here they are below 1. It is the picture of the recurrent network in chapter 02, turned from time to depth.

# %% [markdown] id="residual-section"
# ## 2 The sum
#
# The remedy is older than the Transformer. He et al. (2016) found that a plain network of 56 layers did worse than one of 20, even on the examples that it was trained on. Then they let each part compute not the new $x$ but what to **add** to it, and the deeper network was the better one:
#
# $$x \leftarrow x + f(x)$$
#
# Look at its derivative: $\frac{\partial}{\partial x}(x + f(x)) = I + \frac{\partial f}{\partial x}$. Whatever $f$ does, even if it does nothing at all, the $I$ lets the gradient through. And what was different in two tokens is still there in the sum, unless $f$ undoes it. Read it as a [residual stream](glossary.md#residual-stream): a vector for each token runs from the input to the output, and every part of every layer reads from it and adds to it.

# %% id="residual-quiz"
quiz("stacking.why-a-sum")

# %% id="sum-run"
summed = stacking.stack(12, norm="none", residual=True)
figures.lines(
    range(1, 13),
    {"bare": by_layer, "with the sum": stacking.gradients(summed, x)}, log_y=True,
    x_title="layer", y_title="size of its gradient",
    title="The sum lets the gradient through …",
)

# %% [markdown] id="sum-note"
# *What to see:* the gradient no longer vanishes: it is larger in the first layer than in the last. But all of it is far too large, hundreds of times the gradient of the last bare layer. For a sum has a price. Each part adds to the stream, nothing takes away, so the numbers in it grow; and the larger what comes in, the larger what a part adds.

# %% id="growth-run"
normed = stacking.stack(12, norm="post", residual=True)
sizes = {
    "the sum alone": [state.std().item() for state in stacking.walk(summed, x)],
    "the sum, and a norm": [state.std().item() for state in stacking.walk(normed, x)],
}
figures.lines(
    range(13), sizes, log_y=True, x_title="layers passed", y_title="standard deviation",
    title="… and lets the numbers grow",
)

# %% [markdown] id="norm-section"
# ## 3 The norm
#
# So something has to bring the vectors back to a known size. Ba, Kiros and Hinton (2016): take **each token's vector by itself**, subtract its mean, divide by its standard deviation. Then let the network choose another scale and another centre for each feature, if it wants them, by a learned weight $\gamma$ and bias $\beta$:
#
# $$\operatorname{LayerNorm}(x) = \frac{x - \mu}{\sqrt{\sigma^2 + \varepsilon}} \odot \gamma + \beta \qquad \mu = \frac1D \sum_i x_i \qquad \sigma^2 = \frac1D \sum_i (x_i - \mu)^2$$
#
# The small $\varepsilon$ keeps a constant vector from being divided by 0. The variance is the *biased* one: divided by $D$, not $D - 1$.

# %% [markdown] id="layer-norm-text"
# ### Exercise 1: `layer_norm`
# *Difficulty 1 of 3, about 10 minutes. Hints: `hint("stacking.layer_norm")`*
#
# ```
#     x (..., D)         μ, σ² (..., 1)        result (..., D)
#   ┌───────────┐           ┌───┐           ┌───────────┐
# S │ a token   │     →     │ · │     →     │ (x−μ)/√…  │ · weight (D,)
#   └───────────┘           └───┘           └───────────┘     + bias (D,)
# ```
#
# Any number of axes may stand in front. Don't call `F.layer_norm` (the check would let you; you would miss the point). Don't change `x`: the sum still needs it.
#
# *A tiny case.* $x = (1, 3)$: the mean is $2$, the variance $\frac{1 + 1}{2} = 1$, so normalised it is $(-1, 1)$. With the weight $(2, 3)$ and the bias $(10, 20)$: $(8, 23)$.

# %% id="layer-norm-example"
tiny_x = torch.tensor([[1.0, 3.0]])
tiny_weight, tiny_bias = torch.tensor([2.0, 3.0]), torch.tensor([10.0, 20.0])
tiny_normed = torch.tensor([[8.0, 23.0]])
assert tiny_normed[0].tolist() == [-1 * 2 + 10, 1 * 3 + 20]

# %% id="layer-norm-exercise" exercise="stacking.layer_norm"
def layer_norm(x: Tensor, weight: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    """Each vector of x (..., D) to mean 0, variance 1; times weight, plus bias (D,)."""
    ### BEGIN SOLUTION
    mean = x.mean(dim=-1, keepdim=True)  # (..., 1)
    variance = (x - mean).square().mean(dim=-1, keepdim=True)  # (..., 1)
    normalised = (x - mean) / torch.sqrt(variance + eps)  # (..., D)
    return normalised * weight + bias
    ### END SOLUTION


# %% id="layer-norm-check"
check("stacking.layer_norm", layer_norm)

# %% id="layer-norm-use"
layer_norm = use("stacking.layer_norm")

# %% id="layer-norm-run"
found = layer_norm(tiny_x, tiny_weight, tiny_bias)
torch.testing.assert_close(found, tiny_normed, rtol=1e-4, atol=1e-4)

norm = model.layers[0].norm1  # a real one, of MiniLM
hidden = torch.randn(2, 5, 384)
ours = layer_norm(hidden, norm.weight, norm.bias, norm.eps)
print("equal to MiniLM's own:", torch.allclose(ours, norm(hidden), atol=1e-5))
low, high = norm.weight.min().item(), norm.weight.max().item()
print(f"its eps {norm.eps:.0e}, its weights from {low:.2f} to {high:.2f}")

# %% id="layer-norm-quiz"
quiz("stacking.norm-of-what")

# %% [markdown] id="layer-norm-note"
# What is lost? The length of a vector and its mean: normalised, every token lies on a sphere of radius $\sqrt D$ (before $\gamma$ and $\beta$). Multiply $x$ by 100, and the norm gives the same. What is kept is the direction of what is left when the mean is off, and it is all that attention and the network get to read. A simpler kin, [RMS normalisation](glossary.md#RMS-normalisation) (Zhang and Sennrich, 2019), leaves the mean alone and only divides by the root of the mean square; many newer models use it.

# %% [markdown] id="place-section"
# ## 4 Before or after?
#
# Two parts, a sum and a norm, go around each [sub-layer](glossary.md#sub-layer) (the attention is one, the network the other). In which order?
#
# ```
#        post-norm (Vaswani et al. 2017)             pre-norm (most models today)
#
#   x ──┬── sublayer ──(+)── norm ──►          x ──┬── norm ── sublayer ──(+)──►
#       └───────────────┘                          └───────────────────────┘
# ```
#
# [Post-norm](glossary.md#post-norm), the paper's and BERT's: $\operatorname{norm}(x + f(x))$. Every sum is normalised, so the stream has the same size everywhere; but the path from top to bottom runs through every norm. [Pre-norm](glossary.md#pre-norm): $x + f(\operatorname{norm}(x))$. Each part reads a normalised copy, and the stream itself is touched by nothing but sums. It grows from layer to layer, far less than with the sum alone, and needs one more norm at its very end.

# %% [markdown] id="residual-text"
# ### Exercise 2: `residual`
# *Difficulty 1 of 3, about 10 minutes. Hints: `hint("stacking.residual")`*
#
# The two pictures as one function. `sublayer` and `norm` are functions from `(..., D)` to `(..., D)`; call each **once**: a sub-layer is expensive, and with dropout it gives something else each time. Don't write into `x`.
#
# *A tiny case.* With $x = 3$, a sub-layer that doubles and a "norm" that subtracts 1: pre-norm gives $3 + 2 \cdot (3 - 1) = 7$, post-norm $(3 + 2 \cdot 3) - 1 = 8$.

# %% id="residual-exercise" exercise="stacking.residual"
def residual(
    x: Tensor,
    sublayer: Callable[[Tensor], Tensor],
    norm: Callable[[Tensor], Tensor],
    norm_first: bool,
) -> Tensor:
    """x + sublayer(norm(x)) or norm(x + sublayer(x)); each is called once."""
    ### BEGIN SOLUTION
    if norm_first:
        return x + sublayer(norm(x))
    return norm(x + sublayer(x))
    ### END SOLUTION


# %% id="residual-check"
check("stacking.residual", residual)

# %% id="residual-use"
residual = use("stacking.residual")

# %% id="residual-run"
three = torch.tensor([3.0])
doubled, less_one = (lambda h: 2 * h), (lambda h: h - 1)
pre, post = (residual(three, doubled, less_one, first) for first in (True, False))
print(f"pre-norm {pre.item():.0f}, post-norm {post.item():.0f}")
assert (pre.item(), post.item()) == (7, 8)

# %% id="residual-where-quiz"
quiz("stacking.direct-path")

# %% [markdown] id="alike-section"
# ## 5 How alike are the tokens?
#
# The pictures of section 1 show it; now a number for it, so that stacks can be compared.
#
# ### Exercise 3: `token_similarity`
# *Difficulty 2 of 3, about 15 minutes. Hints: `hint("stacking.token_similarity")`*
#
# The mean cosine over all pairs of **different**, **real** tokens of a text:
#
# $$\frac{1}{n(n-1)} \sum_{i \neq j} \cos(h_i, h_j), \qquad \cos(a, b) = \frac{a \cdot b}{\lVert a \rVert \, \lVert b \rVert}$$
#
# ```
#   hidden (B, S, D)    cosines (B, S, S)     result (B,)
#                         ┌────────────┐
#                         │ ×  ·  ·  × │
#                         │ ·  ×  ·  × │   →   one mean a text
#                         │ ·  ·  ×  × │
#                         │ ×  ×  ×  × │   × does not count: a token with itself,
#                         └────────────┘     and padding (here the last token)
# ```
#
# `padding_mask` is `(B, S)`, True at padding, or `None`. A zero vector has the similarity 0 with everything. A text with fewer than two real tokens has no pair: 0.
#
# *A tiny case.* Three tokens $(1, 0)$, $(2, 0)$, $(0, 5)$: the first two point the same way (1), the third is at right angles to both (0, 0). The mean of the three pairs is $\frac13$. With the third as padding: $1$.

# %% id="token-similarity-example"
tiny_tokens = torch.tensor([[[1.0, 0.0], [2.0, 0.0], [0.0, 5.0]]])  # (1, 3, 2)
tiny_padding = torch.tensor([[False, False, True]])
assert (1 + 0 + 0) / 3 == 1 / 3

# %% id="token-similarity-exercise" exercise="stacking.token_similarity"
def token_similarity(hidden: Tensor, padding_mask: Tensor | None = None) -> Tensor:
    """Mean cosine (B,) over the pairs of different real tokens of hidden (B, S, D)."""
    ### BEGIN SOLUTION
    length = hidden.norm(dim=-1, keepdim=True)  # (B, S, 1)
    unit = hidden / length.masked_fill(length == 0, 1.0)  # a zero vector stays zero
    cosines = unit @ unit.transpose(-2, -1)  # (B, S, D) @ (B, D, S) -> (B, S, S)

    counts = ~torch.eye(hidden.shape[1], dtype=torch.bool, device=hidden.device)
    counts = counts.expand(cosines.shape)  # (S, S) -> (B, S, S): none with itself
    if padding_mask is not None:
        real = ~padding_mask
        counts = counts & real.unsqueeze(1) & real.unsqueeze(2)  # (B, S, S)
    total = cosines.masked_fill(~counts, 0.0).sum(dim=(-2, -1))  # (B,)
    return total / counts.sum(dim=(-2, -1)).clamp(min=1)  # without a pair: 0 / 1
    ### END SOLUTION


# %% id="token-similarity-check"
check("stacking.token_similarity", token_similarity)

# %% id="token-similarity-use"
token_similarity = use("stacking.token_similarity")

# %% id="token-similarity-run"
torch.testing.assert_close(token_similarity(tiny_tokens), torch.tensor([1 / 3]))
of_two = token_similarity(tiny_tokens, tiny_padding)
torch.testing.assert_close(of_two, torch.tensor([1.0]))
print("the random input:", f"{token_similarity(x).item():.3f}")

# %% [markdown] id="alike-text"
# Now the question of section 1, measured. Which of the two inventions keeps the tokens apart?

# %% id="alike-predict"
predict("stacking.what-keeps-apart")

# %% id="alike-run"
kinds = {
    "bare": {"norm": "none", "residual": False},
    "norms only": {"norm": "post", "residual": False},
    "sums only": {"norm": "none", "residual": True},
    "both, post-norm": {"norm": "post", "residual": True},
    "both, pre-norm": {"norm": "pre", "residual": True},
}
alike = {
    name: [
        token_similarity(state).item()
        for state in stacking.walk(stacking.stack(12, **parts), x)
    ]
    for name, parts in kinds.items()
}
figures.lines(
    range(13), alike, x_title="layers passed", y_title="mean cosine of two tokens",
    title="How alike sixteen random tokens become (untrained layers)",
)

# %% id="alike-explain"
explain("stacking.what-keeps-apart")

# %% [markdown] id="alike-note"
# *What to see:* without the sum, norms or not, all tokens are one after two layers. With it they draw together layer by layer, most slowly in pre-norm: the sum does not stop the smoothing, it slows it, because in each layer the mean is only *added* to what the token was. How fast depends on the first weights: with BERT's small ones a part adds so little that the tokens hardly draw together at all (the lab has both). In a trained encoder it is the training that decided how alike they become:

# %% id="alike-minilm-run"
with torch.no_grad(), record(model) as recording:
    model(torch.tensor([encoding.ids]))
of_minilm = [token_similarity(state).item() for state in recording.hidden_states]
print("MiniLM, layer by layer:", *(f"{value:.2f}" for value in of_minilm))

# %% [markdown] id="depth-section"
# ## 6 What depth does to learning
#
# Pre-norm or post-norm: does it matter? First the gradients at the start of training, layer by layer. (The pre-norm stack with its last norm.)

# %% id="gradients-run"
gradients = {
    f"{norm}-norm": stacking.mean_gradients(24, norm, x) for norm in ("post", "pre")
}
figures.lines(
    range(1, 25), gradients, x_title="layer", y_title="size of its gradient",
    title="Gradients of 24 untrained layers, the mean of eight draws",
)

# %% id="top-layer-run"
print("size of the last layer's gradient, the mean of eight draws of first weights")
for depth in (6, 12, 24):
    by_norm = (stacking.mean_gradients(depth, norm, x) for norm in ("post", "pre"))
    post, pre = (by_layer[-1] for by_layer in by_norm)
    print(f"  {depth:2} layers:  post-norm {post:5.1f}   pre-norm {pre:5.1f}")

# %% [markdown] id="gradients-note"
# *What to see:* in neither stack do the gradients vanish or explode; compare the scale with the figures of sections 1 and 2. In the first layer the two are of about the same size; from there to the last they part. With post-norm the last layer's gradient is as large in a deep stack as in a shallow one. With pre-norm it is smaller the deeper the stack is: each layer adds to the stream, so the last layer's part of the sum is smaller.
#
# Xiong et al. (2020) derived this: at initialisation, the gradient of the last layer does not depend on the number of layers $N$ in post-norm, and falls as $1/\sqrt{N}$ in pre-norm. They conclude that post-norm's last layers get gradients too large for a large learning rate at the start. Whether that stops a training, gradients alone can't show; a training can.
#
# A small task shows it. Eight symbols, one of which stands somewhere among noise; at the first token the stack must say which. Twelve layers, 60 steps, a high learning rate. Once the post-norm stack gets a [warm-up](glossary.md#warm-up): its rate rises from 0 to the full one over the 60 steps.

# %% id="training-predict"
predict("stacking.which-one-learns")

# %% id="training-run"
curves = {  # each point is the mean of ten steps
    "post-norm": stacking.train(stacking.stack(12, "post")),
    "post-norm, warm-up": stacking.train(stacking.stack(12, "post"), warmup=60),
    "pre-norm": stacking.train(stacking.stack(12, "pre")),
}
figures.lines(
    range(10, 61, 10), curves, x_title="steps", y_title="loss (guessing: 2.08)",
    title="Finding one symbol among noise, twelve layers",
)

# %% id="training-explain"
explain("stacking.which-one-learns")

# %% [markdown] id="training-note"
# *What to see:* the same network, the same data, the same rate. Post-norm without a warm-up sits at guessing; with one it learns; pre-norm learns without, after a few wild steps. (With eight draws of weights and data, it is so in all eight for the two that learn, and in seven for the one that doesn't; in the eighth it begins to learn at the very end.) The paper (section 5.3) and BERT begin with a warm-up; Xiong et al. found that without one such a model trains badly, and that pre-norm can do without. Most deep models since are pre-norm. Post-norm is not wrong: BERT is post-norm, its large form with 24 layers, and so is MiniLM, which you have been using all along.

# %% [markdown] id="layer-section"
# ## 7 The layer
#
# (To begin a sitting here, in a fresh kernel, run the chapter's first two code cells and the one below.)

# %% id="second-sitting"
model, tokenizer = load_minilm()
sentence = "Anna asked Peter to wait at the bank because she had no money."
tokens = tokenizer.encode(sentence).tokens
residual, token_similarity = use("stacking.residual"), use("stacking.token_similarity")

# %% [markdown] id="layer-text"
# You have all the parts. The encoder layer of the paper (figure 1, left):
#
# ```
#   src (B, S, D)
#    │
#    ├── self_attn (weights dropped ①) ── dropout ② ──(+)── norm1 ──┐
#    └─────────────────────────────────────────────────┘            │
#    ┌───────────────────────────────────────────────── (B, S, D) ──┘
#    │
#    ├─ linear1 ─ ReLU ─ dropout ③ ─ linear2 ─ dropout ④ ─(+)─ norm2 ─► (B, S, D)
#    │     (B, S, F)                 (B, S, D)             │
#    └─────────────────────────────────────────────────────┘
# ```
#
# This is post-norm. In pre-norm, `norm1` stands before `self_attn` and `norm2` before `linear1`, both to the right of the fork, so that what goes around is not normalised.
#
# Dropout falls in four places: on the attention weights ①, on the attention's output ②, after the activation ③, after `linear2` ④; always on what is added, never on the stream. (The paper, section 5.4, names ② and ④; torch's layer has all four, and so has yours.)

# %% [markdown] id="encoder-layer-text"
# ### Exercise 4: `EncoderLayer`
# *Difficulty 3 of 3, about 35 minutes. Hints: `hint("stacking.EncoderLayer")`*
#
# A class this time, of modules, so that it can be trained and saved. It must load the [state dict](glossary.md#state-dict) of `nn.TransformerEncoderLayer(..., batch_first=True)` and then compute the same. So its parts need torch's names:
#
# | in `__init__` | what | holds |
# |---|---|---|
# | `self.self_attn` | `nn.MultiheadAttention(d_model, nhead, ...)` | `in_proj_weight`, `in_proj_bias`, `out_proj` |
# | `self.linear1`, `self.linear2` | `nn.Linear` | the network, $D \to F \to D$ |
# | `self.norm1`, `self.norm2` | `nn.LayerNorm(d_model)` | the attention's, the network's |
#
# In `forward`, use your `residual`: twice. Its `sublayer` is a function of `x` alone; what else it needs (the masks, the modules) it can see when you define it inside of `forward`. Dropout is an `nn.Dropout(dropout)`, which drops in training and not in evaluation; the bare function `F.dropout` doesn't know the mode unless you tell it. And keep `norm_first` for `forward`.
#
# Three things about `nn.MultiheadAttention` that cost people hours:
#
# - it takes the length first, unless it is made with `batch_first=True`;
# - it has a dropout of its own, for ①: `dropout=dropout`;
# - it returns two things, output and weights; asked for weights (that is the default), it gives NaN where a token may look at nothing. With `need_weights=False` its heads give zeros there, so that `out_proj.bias` is left, as in your `multi_head` of chapter 02.
#
# Its arguments for masks are `attn_mask` `(S, S)` and `key_padding_mask` `(B, S)`; True means blocked, as here. The activation is ReLU.
#
# *A tiny case.* If everything that the two parts add is 0 (all their weights are 0), a pre-norm layer gives back its input, and a post-norm layer gives it normalised twice.

# %% id="encoder-layer-exercise" exercise="stacking.EncoderLayer"
class EncoderLayer(nn.Module):
    """Attention and feed-forward (ReLU), each with dropout, residual and norm.

    Its state dict has the names of nn.TransformerEncoderLayer's.
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int,
        dropout: float = 0.1,
        norm_first: bool = False,
    ) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.self_attn = nn.MultiheadAttention(
            d_model, nhead, dropout=dropout, batch_first=True
        )
        self.linear1 = nn.Linear(d_model, dim_feedforward)
        self.linear2 = nn.Linear(dim_feedforward, d_model)
        self.norm1 = nn.LayerNorm(d_model)
        self.norm2 = nn.LayerNorm(d_model)
        self.dropout = nn.Dropout(dropout)  # without weights: one serves all places
        self.norm_first = norm_first
        ### END SOLUTION

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
    ) -> Tensor:
        """(B, S, D) from src (B, S, D); src_mask (S, S) and padding (B, S) block."""
        ### BEGIN SOLUTION
        def attend(x: Tensor) -> Tensor:
            attended, _ = self.self_attn(
                x, x, x, attn_mask=src_mask, key_padding_mask=src_key_padding_mask,
                need_weights=False,  # with weights, a row without a free key is NaN
            )
            return self.dropout(attended)  # (B, S, D)

        def feed_forward(x: Tensor) -> Tensor:
            inner = self.dropout(torch.relu(self.linear1(x)))  # (B, S, F)
            return self.dropout(self.linear2(inner))  # (B, S, D)

        x = residual(src, attend, self.norm1, self.norm_first)
        return residual(x, feed_forward, self.norm2, self.norm_first)
        ### END SOLUTION


# %% id="encoder-layer-check"
check("stacking.EncoderLayer", EncoderLayer)

# %% id="encoder-layer-use"
EncoderLayer = use("stacking.EncoderLayer")

# %% [markdown] id="encoder-layer-try"
# Held against torch's own, with its weights, in both forms, with padding and a causal mask:

# %% id="encoder-layer-run"
torch.manual_seed(0)
batch = torch.randn(3, 5, 8)
causal = torch.ones(5, 5, dtype=torch.bool).triu(1)
padding = torch.tensor([[False] * 5, [False] * 3 + [True] * 2, [False] * 4 + [True]])
for norm_first in (False, True):
    theirs = nn.TransformerEncoderLayer(
        8, 2, 16, batch_first=True, norm_first=norm_first
    )
    mine = EncoderLayer(8, 2, 16, norm_first=norm_first)
    mine.load_state_dict(theirs.state_dict())
    mine.eval(), theirs.eval()
    gap = mine(batch, causal, padding) - theirs(batch, causal, padding)
    name = "pre-norm" if norm_first else "post-norm"
    print(f"{name:9}  largest difference to torch's layer: {gap.abs().max():.0e}")

# %% id="layer-order-quiz"
quiz("stacking.what-crosses-tokens")

# %% [markdown] id="article-layer"
# > **In the article** (2.4): "它通常由多个Transformer层堆叠而成，每个Transformer层都包含自注意力机制和前馈神经网络" (*it is usually a stack of several Transformer layers, each of which contains a self-attention mechanism and a feed-forward network*).
# >
# > True, and section 3.2 lists the same steps. But a layer of these two alone is the bare one of section 1. What makes the stacking possible, the sum and the norm, is named nowhere in the article's text.

# %% [markdown] id="stack-section"
# ## 8 The stack
#
# An encoder is $N$ such layers, each with weights **of its own**. The usual way to get them: make one layer and copy it. Python's module `copy`, imported above, has two ways to copy; only one of them also copies what is inside.
#
# ### Exercise 5: `get_clones`
# *Difficulty 1 of 3, about 10 minutes. Hints: `hint("stacking.get_clones")`*
#
# ```
#   module ── copy ──► nn.ModuleList( clone 0, clone 1, …, clone count−1 )
# ```
#
# Each [clone](glossary.md#clone) has the module's values, its buffers, the same parameters frozen or trained (`requires_grad`), and is in the mode in which the module is, training or evaluation; none shares anything with another, or with the module itself, which stays as it is.
#
# *A tiny case.* Three clones of `nn.Linear(2, 2)`, which has 6 parameters, have 18 together. If yours have 6, ask yourself how many modules there are.

# %% id="get-clones-exercise" exercise="stacking.get_clones"
def get_clones(module: nn.Module, count: int) -> nn.ModuleList:
    """`count` copies of a module that share nothing with it or with one another."""
    ### BEGIN SOLUTION
    return nn.ModuleList([copy.deepcopy(module) for _ in range(count)])
    ### END SOLUTION


# %% id="get-clones-check"
check("stacking.get_clones", get_clones)

# %% id="get-clones-use"
get_clones = use("stacking.get_clones")

# %% id="get-clones-run"
one_layer = EncoderLayer(64, 4, 256)
shared = nn.ModuleList([one_layer] * 6)
own = get_clones(one_layer, 6)
for name, layers in (("[layer] * 6", shared), ("get_clones", own)):
    count = sum(p.numel() for p in layers.parameters())
    print(f"{name:12} {len(layers)} layers, {count:7} parameters")

# %% [markdown] id="clones-note"
# `[layer] * 6` is six times the same object. Nothing complains, it even trains; but what one layer learns all others do, and the six gradients are added up in one set of weights. (It can be done on purpose: Universal Transformers repeat one layer because a step that is repeated suits what they should learn, ALBERT saves memory. By accident it is a fault that no error tells you.)

# %% id="clones-predict"
predict("stacking.clones-after-a-step")

# %% id="clones-run"
trial = get_clones(EncoderLayer(64, 4, 256, dropout=0.0), 3)
before = [layer.linear1.weight.detach().clone() for layer in trial]
stacking.train(trial, steps=10)
after = [layer.linear1.weight.detach() for layer in trial]
for name, weights in (("before", before), ("after ten steps", after)):
    print(f"{name:15} layers 0 and 1 equal: {torch.equal(weights[0], weights[1])}")

# %% id="clones-explain"
explain("stacking.clones-after-a-step")

# %% [markdown] id="clones-start-note"
# So clones part by themselves, and did so in the very first step. Still, all of them start at the same random point, which is one draw where there should be six; in torch's `nn.TransformerEncoder` it is just so (pytorch issue 86274), and whoever trains from scratch with it should initialise the layers again. The models of `encoder_core` build each layer by itself.

# %% [markdown] id="article-section"
# ## 9 The article's listing
#
# Now you can read the code of the article's section 5 with other eyes. Here it is as it stands, letter by letter. Before you go on: what does it lack?

# %% id="listing" tags=["teaching", "article"]
import torch
import torch.nn as nn

class TransformerEncoderLayer(nn.Module):
    def __init__(self, d_model, nhead, dim_feedforward, dropout=0.1):
        super(TransformerEncoderLayer, self).__init__()
        self.self_attn = nn.MultiheadAttention(d_model, nhead, dropout=dropout)
        self.linear1 = nn.Linear(d_model, dim_feedforward)
        self.dropout = nn.Dropout(dropout)
        self.linear2 = nn.Linear(dim_feedforward, d_model)

    def forward(self, src, src_mask=None, src_key_padding_mask=None):
        src2 = self.self_attn(src, src, src, attn_mask=src_mask,
                              key_padding_mask=src_key_padding_mask)[0]
        src = src + self.dropout(src2)
        src2 = self.linear2(self.dropout(torch.relu(self.linear1(src))))
        src = src + self.dropout(src2)
        return src

class TransformerEncoder(nn.Module):
    def __init__(self, encoder_layer, num_layers, norm=None):
        super(TransformerEncoder, self).__init__()
        self.layers = _get_clones(encoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm

    def forward(self, src, mask=None, src_key_padding_mask=None):
        output = src

        for mod in self.layers:
            output = mod(output, src_mask=mask, src_key_padding_mask=src_key_padding_mask)

        if self.norm is not None:
            output = self.norm(output)

        return output

def _get_clones(module, N):
    return nn.ModuleList([copy.deepcopy(module) for i in range(N)])

# %% [markdown] id="listing-fails"
# **What fails.** The listing imports `torch` and `torch.nn`. This chapter has imported `copy` as well, so take that away for a moment, as the listing would find it:

# %% id="listing-fails-run"
globals().pop("copy", None)
try:
    TransformerEncoder(TransformerEncoderLayer(8, 2, 16), num_layers=2)
except NameError as error:
    print(f"NameError: {error}")
import copy

encoder_of_the_listing = TransformerEncoder(TransformerEncoderLayer(8, 2, 16), 2).eval()
shape = encoder_of_the_listing(torch.randn(3, 5, 8)).shape
print("with `import copy` it runs:", tuple(shape))

# %% [markdown] id="listing-silent"
# This is the kind of fault that does no harm: it says what it is, and one line mends it. The others say nothing.
#
# **What is missing without a word.** Give it a batch the way this course does, `(B, S, D)`: three texts of five tokens. Then change the *second* text, and look at the first:

# %% id="listing-batch-predict"
predict("stacking.other-text")

# %% id="listing-batch-run"
texts = torch.randn(3, 5, 8)
changed = texts.clone()
changed[1] += 1.0
with torch.no_grad():
    first, other = (encoder_of_the_listing(given)[0] for given in (texts, changed))
print(f"the first text's output changes by up to {(first - other).abs().max():.2f}")

within = texts.clone()
within[0, 4] += 1.0  # the last token of the first text
with torch.no_grad():
    moved = (encoder_of_the_listing(within)[0, :4] - first[:4]).abs().max()
print(f"its own last token moves its other tokens by {moved:.2f}")

# %% id="listing-batch-explain"
explain("stacking.other-text")

# %% [markdown] id="listing-batch-note"
# `nn.MultiheadAttention` was made without `batch_first=True` and takes the first axis for the length. So token 0 of the first text attends to token 0 of the second and third, and never to its own sentence. The shape that comes out is right, and no error is raised. A padding mask `(B, S)` would be refused as having the wrong shape, unless $B = S$.
#
# Then the norms. torch's layer has twelve entries in its state dict; the listing's has eight:

# %% id="listing-norms-run"
theirs = set(nn.TransformerEncoderLayer(8, 2, 16).state_dict())
print("missing:", *sorted(theirs - set(TransformerEncoderLayer(8, 2, 16).state_dict())))

# %% [markdown] id="listing-nan-text"
# And a text that is padding only, as the last batch of an epoch sometimes has it. (Now with the length first, as the listing wants it.)

# %% id="listing-nan-run"
length_first = texts.transpose(0, 1)  # (B, S, D) -> (S, B, D)
one_empty = torch.tensor([[False] * 5, [False] * 5, [True] * 5])  # (B, S)
output = encoder_of_the_listing(length_first, src_key_padding_mask=one_empty)
print("NaN in the texts:", output.isnan().any(dim=-1).any(dim=0).tolist())
output[:, 0].sum().backward()  # a loss of the first text alone, which has no NaN
gradient = encoder_of_the_listing.layers[0].self_attn.in_proj_weight.grad
print("NaN in the gradient of the first layer:", gradient.isnan().any().item())

# %% [markdown] id="listing-nan-note"
# One empty text, and its NaN reaches the weights of the whole model, even through a loss that doesn't look at it: in the backward pass 0 times NaN is NaN.
#
# **What it does to training.** The task of section 6, twelve layers of the listing, three times the rate: as it stands, given `(B, S, D)`; and turned, so that it gets its length first and only the norms are missing.

# %% id="listing-training-predict"
predict("stacking.listing-training")

# %% id="listing-training-run"
torch.manual_seed(0)
as_it_stands = _get_clones(TransformerEncoderLayer(64, 4, 256, dropout=0.0), 12)
turned = nn.ModuleList(map(stacking.LengthFirst, copy.deepcopy(as_it_stands)))
of_the_listing = {
    "as it stands": stacking.train(as_it_stands, steps=40, rate=6e-3),
    "length first, no norms": stacking.train(turned, steps=40, rate=6e-3),
}
figures.lines(
    range(10, 41, 10), of_the_listing, log_y=True,
    x_title="steps", y_title="loss (guessing: 2.08)",
    title="The listing, trained: twelve layers",
)

# %% id="listing-training-explain"
explain("stacking.listing-training")

# %% [markdown] id="listing-training-note"
# *What to see:* the first steps throw both of them to losses dozens of times above guessing, for nothing holds the numbers in the stream. As it stands, it then comes down towards guessing and no further: the answer stands in its own sentence, where it doesn't look. With the length first it could learn. Whether it does at this rate, and when, differs from one draw of first weights to the next; the stack with norms, which you will mend below, bears this rate. At a third of the rate, or with two layers, the turned one learns as well (in 15 of 16 draws), and you might never miss the norms: that is what makes theirs a silent fault. The wrong axis is not mended by any rate.
#
# **What only looks like a fault.** The one `self.dropout` serves in three places. A dropout module has no weights and keeps nothing; each call draws again:

# %% id="listing-dropout-run"
torch.manual_seed(0)
dropout = nn.Dropout(0.5)
for _ in range(2):
    print(*dropout(torch.ones(12)).tolist())

# %% [markdown] id="listing-dropout-note"
# So it is as good as three modules of the same rate. (The fourth place, on the weights, is inside of `nn.MultiheadAttention`, which gets `dropout=dropout`.) Nor is it a fault that `_get_clones` stands below the class that calls it: names are looked up when they are needed; nor `super(TransformerEncoderLayer, self)`, an older way to write `super()`. And `norm=None` in the stack is right for post-norm layers, which end with a norm already; a pre-norm stack must be given one.

# %% id="listing-quiz"
quiz("stacking.which-is-no-fault")

# %% [markdown] id="repair-text"
# ### Exercise 6: `repair`
# *Difficulty 3 of 3, about 25 minutes. Hints: `hint("stacking.repair")`*
#
# Mend it. You start from the listing's layer; `norm_first` was added to its arguments and does nothing yet. When you are done, it must do all that `EncoderLayer` must: load torch's state dict, take `(B, S, D)`, compute the same in both forms, no NaN where a token may look at nothing. Mend what is wrong, and leave what is not. Don't copy your `EncoderLayer`: keep the listing's lines, in their order, and see how few changes it takes.
#
# *A tiny case* is the one of exercise 4: where nothing is added, pre-norm gives back its input.

# %% id="repair-exercise" exercise="stacking.repair"
class repair(nn.Module):
    """The article's TransformerEncoderLayer, mended."""

    ### BEGIN SOLUTION
    def __init__(self, d_model, nhead, dim_feedforward, dropout=0.1,
                 norm_first=False):
        super().__init__()
        self.self_attn = nn.MultiheadAttention(
            d_model, nhead, dropout=dropout, batch_first=True
        )
        self.linear1 = nn.Linear(d_model, dim_feedforward)
        self.dropout = nn.Dropout(dropout)
        self.linear2 = nn.Linear(dim_feedforward, d_model)
        self.norm1 = nn.LayerNorm(d_model)
        self.norm2 = nn.LayerNorm(d_model)
        self.norm_first = norm_first

    def forward(self, src, src_mask=None, src_key_padding_mask=None):
        x = self.norm1(src) if self.norm_first else src
        src2 = self.self_attn(x, x, x, attn_mask=src_mask,
                              key_padding_mask=src_key_padding_mask,
                              need_weights=False)[0]
        src = src + self.dropout(src2)
        if not self.norm_first:
            src = self.norm1(src)
        x = self.norm2(src) if self.norm_first else src
        src2 = self.linear2(self.dropout(torch.relu(self.linear1(x))))
        src = src + self.dropout(src2)
        if not self.norm_first:
            src = self.norm2(src)
        return src
    ### GIVEN
    # def __init__(self, d_model, nhead, dim_feedforward, dropout=0.1,
    #              norm_first=False):
    #     raise NotImplementedError  # mend what follows, then delete this line
    #     super().__init__()
    #     self.self_attn = nn.MultiheadAttention(d_model, nhead, dropout=dropout)
    #     self.linear1 = nn.Linear(d_model, dim_feedforward)
    #     self.dropout = nn.Dropout(dropout)
    #     self.linear2 = nn.Linear(dim_feedforward, d_model)
    #
    # def forward(self, src, src_mask=None, src_key_padding_mask=None):
    #     src2 = self.self_attn(src, src, src, attn_mask=src_mask,
    #                           key_padding_mask=src_key_padding_mask)[0]
    #     src = src + self.dropout(src2)
    #     src2 = self.linear2(self.dropout(torch.relu(self.linear1(src))))
    #     src = src + self.dropout(src2)
    #     return src
    ### END SOLUTION


# %% id="repair-check"
check("stacking.repair", repair)

# %% id="repair-use"
repair = use("stacking.repair")

# %% id="repair-run"
torch.manual_seed(0)
mended = get_clones(repair(64, 4, 256, dropout=0.0, norm_first=True), 12)
of_the_listing["mended, pre-norm"] = stacking.train(mended, steps=40, rate=6e-3)
figures.lines(
    range(10, 41, 10), of_the_listing, log_y=True,
    x_title="steps", y_title="loss (guessing: 2.08)",
    title="The listing, as it stands and mended",
)

# %% [markdown] id="repair-note"
# *What to see:* the mended stack, too, is thrown above guessing in its first steps. Then its norms hold, and after thirty steps it hardly errs. A few changed lines make the difference between the three curves.

# %% [markdown] id="article-code"
# > **In the article** (5): "`_get_clones` 函数用于复制多个相同的模块" (*the function `_get_clones` serves to copy several identical modules*).
# >
# > Identical at the start, and not for longer than one step. The explanation of the layer, "包含自注意力机制和前馈神经网络" (*contains self-attention and a feed-forward network*), is right about what is there; what the code lacks, it doesn't tell.

# %% [markdown] id="lab-section"
# ## 10 The lab
#
# A stack with all its switches: depth, norm before or after, the sum, dropout, the first weights; gradients, token similarity and the lengths of the vectors, layer by layer, at each key press. The layer and the similarity are your own where they have passed and the reference's until then; the line above the pictures says which.

# %% id="stack-lab"
labs.StackLab(
    layer=use("stacking.EncoderLayer"), similarity=use("stacking.token_similarity"),
    text=sentence,
)

# %% [markdown] id="stack-lab-try"
# Five **tasks** stand under the lab; it notices when you reach one, says what it shows, and has a hint for each. Keep the lines of one stack ("Keep these lines") beside the next, and ask yourself:
#
# 1. **Without the sum**, does the norm help against tokens that become one? Does it help the gradient?
# 2. **Without the norm**, how much longer do the vectors get a layer?
# 3. **Pre-norm and post-norm**, at 6 and at 24 layers: what does each do to the gradient of the last layer, and to the lengths?
# 4. **The first weights.** With `large` ones, what does post-norm make of the gradient, and what pre-norm? With the small ones of BERT, what is left of the difference between the two?
# 5. **MiniLM beside it.** Does a trained encoder look like an untrained one in the similarity of its tokens? In its gradients?

# %% [markdown] id="own-section"
# ## 11 An encoder of your own
#
# Four chapters, and all the parts. Put them together: no `nn.TransformerEncoder`, no `nn.MultiheadAttention` that computes, no `tokenizer.encode`. From chapter 01 the pieces of words, the batch and its padding, the table; from 02 attention; from 03 the network; from this one the norm, the residual, the clones. Where an exercise has not passed, the reference serves; each line says which.

# %% id="own-parts"
wordpiece, pad_batch = use("embeddings.wordpiece"), use("embeddings.pad_batch")
lookup, multi_head = use("embeddings.lookup"), use("attention.multi_head")
ffn, gelu = use("feed_forward.ffn"), use("feed_forward.gelu")
layer_norm, residual = use("stacking.layer_norm"), use("stacking.residual")
get_clones = use("stacking.get_clones")

# %% [markdown] id="own-layer-text"
# The layer. torch's modules only **hold** the numbers here, under torch's names, so that a state dict can be loaded; what computes is yours. Compare `forward` with the drawing of section 7.

# %% id="own-layer" tags=["teaching"]
class OwnLayer(nn.Module):
    def __init__(self, d_model, nhead, dim_feedforward, activation="relu", eps=1e-5):
        super().__init__()
        self.self_attn = nn.MultiheadAttention(d_model, nhead)
        self.linear1 = nn.Linear(d_model, dim_feedforward)
        self.linear2 = nn.Linear(dim_feedforward, d_model)
        self.norm1 = nn.LayerNorm(d_model, eps=eps)
        self.norm2 = nn.LayerNorm(d_model, eps=eps)
        self.nhead, self.activation = nhead, activation

    def attend(self, x, blocked):
        held = self.self_attn
        w_out, b_out = held.out_proj.weight, held.out_proj.bias
        return multi_head(
            x, held.in_proj_weight, held.in_proj_bias, w_out, b_out, self.nhead, blocked
        )

    def feed_forward(self, x):
        w1, b1 = self.linear1.weight.T, self.linear1.bias  # (D, F), (F,)
        w2, b2 = self.linear2.weight.T, self.linear2.bias  # (F, D), (D,)
        if self.activation == "relu":
            return ffn(x, w1, b1, w2, b2)
        return gelu(x @ w1 + b1) @ w2 + b2

    def forward(self, src, src_key_padding_mask=None):
        blocked = None
        if src_key_padding_mask is not None:
            blocked = src_key_padding_mask[:, None, None, :]  # (B, S) -> (B, 1, 1, S)

        def attend(x):
            return self.attend(x, blocked)

        def norm1(x):
            return layer_norm(x, self.norm1.weight, self.norm1.bias, self.norm1.eps)

        def norm2(x):
            return layer_norm(x, self.norm2.weight, self.norm2.bias, self.norm2.eps)

        x = residual(src, attend, norm1, norm_first=False)
        return residual(x, self.feed_forward, norm2, norm_first=False)


class OwnStack(nn.Module):
    def __init__(self, layer, num_layers):
        super().__init__()
        self.layers = get_clones(layer, num_layers)

    def forward(self, src, src_key_padding_mask=None):
        for layer in self.layers:
            src = layer(src, src_key_padding_mask)
        return src

# %% [markdown] id="own-torch-text"
# First against torch's own encoder, six layers with random weights, in double precision, on a batch with padding:

# %% id="own-torch-run"
torch.manual_seed(0)
pattern = nn.TransformerEncoderLayer(64, 4, 256, batch_first=True)
theirs = nn.TransformerEncoder(pattern, 6, enable_nested_tensor=False).double().eval()
own_stack = OwnStack(OwnLayer(64, 4, 256), 6).double()
print(own_stack.load_state_dict(theirs.state_dict()))

given = torch.randn(3, 5, 64, dtype=torch.float64)
expected = theirs(given, src_key_padding_mask=padding)
gap = (own_stack(given, padding) - expected)[~padding].abs().max().item()
print(f"largest difference at real tokens: {gap:.0e}")
assert gap < 1e-6

# %% [markdown] id="own-torch-note"
# *What to see:* every name in torch's state dict has found its place, and what comes out of six layers is torch's to some fifteen digits, which is all that double precision has. You have rebuilt `nn.TransformerEncoder`.

# %% [markdown] id="own-minilm-text"
# Now a real one. MiniLM is six such layers with GELU in the place of ReLU, an $\varepsilon$ of $10^{-12}$, and three tables that are summed and normalised before the first layer: for the token, for its place, for the segment (always 0 here). Its weights, your code:

# %% id="own-encoder" tags=["teaching"]
class OwnEncoder(nn.Module):
    def __init__(self, pretrained):
        super().__init__()
        config = pretrained.config
        self.embeddings = pretrained.embeddings  # three tables and a norm
        sizes = config.d_model, config.nhead, config.dim_feedforward
        layer = OwnLayer(*sizes, activation="gelu", eps=1e-12)
        self.stack = OwnStack(layer, config.num_layers)
        self.stack.layers.load_state_dict(pretrained.layers.state_dict())

    def forward(self, ids, padding_mask=None):
        tables = self.embeddings
        x = lookup(tables.token.weight, ids)  # (B, S) -> (B, S, D)
        x = x + tables.position.weight[: ids.shape[1]] + tables.segment.weight[0]
        x = layer_norm(x, tables.norm.weight, tables.norm.bias, 1e-12)
        return self.stack(x, padding_mask)

# %% id="own-minilm-run"
encoder = OwnEncoder(model).eval()
questions = [
    sentence,
    "A woman without cash wanted her friend to stay outside for a while.",
    "How do I sort a list of numbers in Python?",
]
pieces_known = set(tokenizer.vocabulary)
number_of = tokenizer.vocabulary
numbers = []
for text in questions:
    cut = [wordpiece(word.text, pieces_known) for word in split_words(text)]
    numbers.append([number_of[piece] for piece in ("[CLS]", *sum(cut, []), "[SEP]")])
ids, padding_mask = pad_batch(numbers, pad_id=0)  # (B, S), (B, S)

with torch.no_grad():
    hidden = encoder(ids, padding_mask)  # (B, S, D): your hidden representation
    theirs = model(ids, padding_mask=padding_mask)
real = ids != 0  # number 0 is [PAD]
print("hidden representation:", tuple(hidden.shape))
print(f"largest difference to MiniLM: {(hidden - theirs)[real].abs().max():.0e}")
own_size = sum(parameter.numel() for parameter in encoder.parameters())
print(f"numbers in your encoder: {own_size:,}")

# %% [markdown] id="own-embedding-text"
# And a vector for each sentence: the mean over its real tokens, brought to length 1, as MiniLM was trained. Yours beside what the library's `sentence_embedding` gives, tokenizer and all:

# %% id="own-embedding-run"
totals = (hidden * real[..., None]).sum(dim=1)  # (B, S, D) -> (B, D)
yours = F.normalize(totals / real.sum(dim=1, keepdim=True), dim=-1)
library = sentence_embedding(questions)
print("a vector for each sentence:", tuple(yours.shape))
print(f"largest difference to the library's: {(yours - library).abs().max():.0e}")
assert (yours - library).abs().max() < 1e-4
figures.heatmap(
    yours @ yours.T, ["Anna", "a woman", "Python"], ["Anna", "a woman", "Python"],
    numbers=True, title="Cosines of three sentences, by your encoder",
)

# %% [markdown] id="own-note"
# *What to see.* The first two sentences share hardly a word and tell one story: their cosine is above 0.4. The third has to do with neither: its cosines are about 0. And the vectors are the library's to six places: what comes out of your encoder is what comes out of MiniLM.
#
# Stay here for a moment. This is a real encoder, with 22.6 million real weights (chapter 03 counted 22.7: MiniLM's file has a pooler on top, which sentence vectors don't use). You gave it a text, and got what it means as numbers; and every operation on the way is one that you have written, or can read in four chapters. Put three sentences of your own into `questions` and run the last two cells again.

# %% [markdown] id="hidden-section"
# ## 12 What comes out
#
# > **In the article** (3.3): "经过多个Transformer层的编码后，最终得到输入文本的隐藏表示" (*after encoding by several Transformer layers, we finally get the hidden representation of the input text*).
# >
# > The [hidden representation](glossary.md#hidden-representation) is **one vector for each token**, `(B, S, D)`, of the same shape as what went into the first layer: *she* still has a vector of her own, and it now holds something of the sentence. It is not yet one vector for the text; that takes one more step (the mean above; chapter 06 compares others). And "finally" is a choice: each layer's output is a representation, and for many questions about language a middle layer's is the better one (Liu et al., 2019).

# %% id="shape-quiz"
quiz("stacking.what-comes-out")

# %% [markdown] id="tracer-text"
# ## 13 The whole way
#
# To close, walk through it. The tracer takes a text through **your** encoder, step by step: each with its shape, its numbers, and the line of `encoder_core` that does the same. What each of your layers gives is held against these steps, and goes on to the next. The boxes are those of the picture with which each chapter began; the arrow keys go from box to box, and Play goes all the way by itself until you press a key. Four **tasks** under it lead to the steps that matter most.

# %% id="shape-tracer"
labs.ShapeTracer(model=encoder, text=sentence)

# %% [markdown] id="recap"
# ## Recap
#
# - Attention and a feed-forward network alone can't be stacked: all tokens become alike, and the gradient dies.
# - The residual connection, $x + f(x)$, lets the gradient through and slows the smoothing (it does not stop it); alone, it lets the numbers grow.
# - Layer normalisation brings each token's vector, by itself, to mean 0 and variance 1, then scales and shifts each feature.
# - Post-norm, $\operatorname{norm}(x + f(x))$, is the original and wants a warm-up; pre-norm, $x + f(\operatorname{norm}(x))$, trains without one and ends with one more norm.
# - A layer is two residuals. Dropout falls on what is added, never on the stream.
# - A stack has $N$ layers with weights of their own: deep copies, not `[layer] * N`.
# - The article's listing lacks `import copy`, the norms and `batch_first`, and gives NaN for an empty text; its one dropout is fine. Only the first says so.
# - Out comes a vector for each token, in the shape in which they came in.
#
# Close the notebook and write an encoder layer on paper, with the shape behind each line. Then its `__init__`. If that works, you can read most of what is published about Transformers.

# %% [markdown] id="glossary"
# ### The chapter's terms
#
# <!-- glossary -->

# %% [markdown] id="papers"
# ### The papers
#
# - Vaswani, Shazeer, Parmar, Uszkoreit, Jones, Gomez, Kaiser, Polosukhin: *Attention Is All You Need*. NeurIPS 2017. [arXiv:1706.03762](https://arxiv.org/abs/1706.03762). Section 3.1 and figure 1 on the layer; 5.3 on the warm-up; 5.4 on dropout.
# - He, Zhang, Ren, Sun: *Deep Residual Learning for Image Recognition*. CVPR 2016. [arXiv:1512.03385](https://arxiv.org/abs/1512.03385). The sum.
# - Ba, Kiros, Hinton: *Layer Normalization*. 2016. [arXiv:1607.06450](https://arxiv.org/abs/1607.06450). Section 3.
# - Xiong, Yang, He, Zheng, Zheng, Xing, Zhang, Lan, Wang, Liu: *On Layer Normalization in the Transformer Architecture*. ICML 2020. [arXiv:2002.04745](https://arxiv.org/abs/2002.04745). Pre-norm, post-norm, and why one needs the warm-up.
# - Dong, Cordonnier, Loukas: *Attention Is Not All You Need: Pure Attention Loses Rank Doubly Exponentially with Depth*. ICML 2021. [arXiv:2103.03404](https://arxiv.org/abs/2103.03404).
# - Zhang, Sennrich: *Root Mean Square Layer Normalization*. NeurIPS 2019. [arXiv:1910.07467](https://arxiv.org/abs/1910.07467).
# - Devlin, Chang, Lee, Toutanova: *BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding*. NAACL 2019. [arXiv:1810.04805](https://arxiv.org/abs/1810.04805).
# - Dehghani, Gouws, Vinyals, Uszkoreit, Kaiser: *Universal Transformers*. ICLR 2019. [arXiv:1807.03819](https://arxiv.org/abs/1807.03819). One layer's weights, used again and again.
# - Lan, Chen, Goodman, Gimpel, Sharma, Soricut: *ALBERT: A Lite BERT for Self-supervised Learning of Language Representations*. ICLR 2020. [arXiv:1909.11942](https://arxiv.org/abs/1909.11942). The same, in BERT.
# - Liu, Gardner, Belinkov, Peters, Smith: *Linguistic Knowledge and Transferability of Contextual Representations*. NAACL 2019. [arXiv:1903.08855](https://arxiv.org/abs/1903.08855). Which layers serve which question.
# - Glorot, Bengio: *Understanding the difficulty of training deep feedforward neural networks*. AISTATS 2010. The first weights of the untrained stacks here.
#
# **Next:** chapter 05, where an encoder of this kind is trained on text: masked words, and what it learns from them.
