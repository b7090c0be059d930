# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown] id="title"
# # 03 The feed-forward network
#
# > The bridge is **not** safe.
#
# In chapter 02 the tokens looked at one another. Now each of them is alone. Between one look and the next, every token's vector goes through a small network of its own, the [feed-forward network](glossary.md#feed-forward-network): no other token can be seen there, and the same weights serve all of them. It is the plainest part of an encoder, two matrices with an activation between them, and it holds more parameters than anything else in a layer: you will count how many. What are they for?
#
# One answer can be seen. Somewhere in MiniLM there is a number that grows large at *not*, at *no*, at *cannot*, at the *t* of *don't*. You will meet it, among 9,216 of its kind, when the model has read a few thousand words.
#
# **When you are through, you can**
#
# - write the feed-forward network from memory, with the shape at each step, and count its parameters;
# - say what it can do to a token and what it cannot, and show both by experiment;
# - say what the activation is for, and choose between ReLU, GELU and a gate with reasons;
# - read the two matrices as keys and values, and find out what a neuron answers to;
# - say what dropout does in training, why what is left grows, and what `model.eval()` has to do with it.
#
# **You need** Python, a little PyTorch, and chapter 02: its `multi_head` comes back.
#
# **Time** About two hours: five exercises, 60 minutes by our count, and about 60 minutes to read, run and play.

# %% id="setup"
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course import check, explain, figures, hint, labs, predict, quiz, use
from course.labs.feed_forward import neurons
from encoder_core import load_minilm, sentence_embedding

# %% id="where-we-are"
figures.encoder("feed_forward")

# %% [markdown] id="formula-section"
# ## 1 The formula
#
# $$\mathrm{FFN}(x) = \max(0,\; x W_1 + b_1)\, W_2 + b_2$$
#
# Read it from the inside. $x$ is one token's vector with $D$ numbers (`d_model`). $W_1$ and $b_1$ make $F$ numbers of it (`dim_feedforward`), usually four times as many: the [inner layer](glossary.md#inner-layer). $\max(0, \cdot)$ sets those that are negative to 0: the [activation](glossary.md#activation), here a [ReLU](glossary.md#ReLU). $W_2$ and $b_2$ bring the $F$ numbers back to $D$, so that the result can be added to $x$ (chapter 04) and be sent into the next layer.
#
# One of the $F$ numbers of the inner layer is called a [neuron](glossary.md#neuron). Here are the real sizes:

# %% id="load-minilm"
model, tokenizer = load_minilm()
layer = model.layers[3]
for name in ("linear1", "linear2"):
    linear = getattr(layer, name)
    print(name, "weight", tuple(linear.weight.shape), "bias", tuple(linear.bias.shape))

# %% [markdown] id="formula-note"
# $D = 384$, and $F = 1536 = 4 \cdot 384$. PyTorch keeps a linear map as (outputs, inputs) and computes $x W^\top + b$; the formula has rows times columns, so its $W_1$ is `linear1.weight.T`, $(D, F)$. Mind the difference in the exercise: it keeps to the formula.

# %% [markdown] id="article-formula"
# > **In the article** (4.2): "$W_1$、$b_1$：第一层神经网络的权重和偏置" (*the weights and bias of the first layer of the neural network*), and "$x$：输入向量" (*the input vector*).
# >
# > Three things to know, so that you can write the code. The two layers are the two halves of **one** network; they have nothing to do with the first and the second layer of the encoder. Each encoder layer has a $W_1$ and a $W_2$ of its own. And $x$ is one token's vector, not the text: the formula is applied to each token, with the same weights for all. What the formula doesn't show is the width: $W_1$ is $D \times F$, $W_2$ is $F \times D$. (The article's 3.2 says it is fed "加权后的词向量", *the weighted word vectors*, that is what attention gives. Between the two there are a residual connection and a layer norm: chapter 04.)

# %% [markdown] id="ffn-text"
# ### Exercise 1: `ffn`
# *Difficulty 1 of 3, about 10 minutes. Hints: `hint("feed_forward.ffn")`*
#
# The formula as a function, for one token, for a batch of sentences or for anything in between: `x` is $(\dots, D)$, with any number of axes in front, none included.
#
# ```
#       x             w1, b1            inner             w2, b2           output
#   (..., D)      (D, F), (F,)        (..., F)        (F, D), (D,)        (..., D)
#
#       D                F                F                 D                 D
#    ┌─────┐        ┌─────────┐      ┌─────────┐         ┌─────┐           ┌─────┐
#  S │     │   ·  D │         │  → S │ max(0,·)│    ·  F │     │    →    S │     │
#    └─────┘        └─────────┘      └─────────┘         │     │           └─────┘
#                                                        └─────┘
# ```
#
# *A tiny case.* $x = (1, -2)$ with $W_1 = \begin{pmatrix} 1 & 0 & 2 \\ 0 & 1 & 1 \end{pmatrix}$ and $b_1 = (1, 1, 1)$ gives the inner layer $(2, -1, 1)$, bent $(2, 0, 1)$. With $W_2 = \begin{pmatrix} 1 & 0 \\ 5 & 5 \\ 0 & 3 \end{pmatrix}$ and $b_2 = (0, 1)$ the output is $(2, 4)$. The second neuron is silent, so its row $(5, 5)$ is not added.

# %% id="ffn-example"
tiny_x = torch.tensor([[1.0, -2.0]])  # (S, D) = (1, 2)
tiny_w1 = torch.tensor([[1.0, 0.0, 2.0], [0.0, 1.0, 1.0]])  # (D, F) = (2, 3)
tiny_w2 = torch.tensor([[1.0, 0.0], [5.0, 5.0], [0.0, 3.0]])  # (F, D) = (3, 2)
tiny_b1, tiny_b2 = torch.ones(3), torch.tensor([0.0, 1.0])
tiny_output = torch.tensor([[2.0, 4.0]])  # (S, D) = (1, 2)

# %% id="ffn-exercise" exercise="feed_forward.ffn"
def ffn(x: Tensor, w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor) -> Tensor:
    """max(0, x W1 + b1) W2 + b2: x (..., D), w1 (D, F), b1 (F,), w2 (F, D), b2 (D,)."""
    ### BEGIN SOLUTION
    inner = x @ w1 + b1  # (..., D) @ (D, F) -> (..., F)
    inner = inner.clamp(min=0)
    return inner @ w2 + b2  # (..., F) @ (F, D) -> (..., D)
    ### END SOLUTION


# %% id="ffn-check"
check("feed_forward.ffn", ffn)

# %% id="ffn-use"
ffn = use("feed_forward.ffn")

# %% [markdown] id="ffn-try"
# The tiny case, and then against PyTorch. A `torch.nn.TransformerEncoderLayer` has these two maps inside, beside its attention and its norms; we give it random tokens and take its weights.

# %% id="ffn-run"
torch.testing.assert_close(ffn(tiny_x, tiny_w1, tiny_b1, tiny_w2, tiny_b2), tiny_output)

torch.manual_seed(0)
theirs = nn.TransformerEncoderLayer(64, nhead=4, dim_feedforward=256, batch_first=True)
one, two = theirs.linear1, theirs.linear2
weights = (one.weight.T, one.bias, two.weight.T, two.bias)
x = torch.randn(2, 7, 64)  # (B, S, D)
with torch.no_grad():
    difference = (ffn(x, *weights) - two(torch.relu(one(x)))).abs().max()
print(f"the formula and PyTorch's two maps differ by at most {difference:.0e}")

# %% [markdown] id="count-section"
# ## 2 How much of a layer?
#
# A linear map from $m$ to $n$ numbers has $m \cdot n$ weights and $n$ biases. So the network has $2DF + F + D$ parameters. How much is that of a whole layer? An encoder layer has the attention of chapter 02 (four maps from $D$ to $D$), this network, and two layer norms, each with a weight and a bias for every one of the $D$ numbers.

# %% id="share-predict"
predict("feed_forward.share")

# %% [markdown] id="count-text"
# ### Exercise 2: `count_parameters`
# *Difficulty 1 of 3, about 10 minutes. Hints: `hint("feed_forward.count_parameters")`*
#
# The number of parameters of one encoder layer, all biases and both layer norms included, from three whole numbers, as a whole number.
#
# *A tiny case.* $D = 2$, one head, $F = 3$: attention $4 \cdot (2 \cdot 2 + 2) = 24$, network $(2 \cdot 3 + 3) + (3 \cdot 2 + 2) = 17$, norms $2 \cdot (2 + 2) = 8$; together $49$.

# %% id="count-exercise" exercise="feed_forward.count_parameters"
def count_parameters(d_model: int, nhead: int, dim_feedforward: int) -> int:
    """Parameters of one encoder layer, with all biases and two layer norms."""
    ### BEGIN SOLUTION
    attention = 4 * (d_model * d_model + d_model)  # query, key, value, output
    first = d_model * dim_feedforward + dim_feedforward
    second = dim_feedforward * d_model + d_model
    feed_forward = first + second
    norms = 2 * (d_model + d_model)  # two layer norms, each with a weight and a bias
    return attention + feed_forward + norms
    ### END SOLUTION


# %% id="count-check"
check("feed_forward.count_parameters", count_parameters)

# %% id="count-use"
count_parameters = use("feed_forward.count_parameters")

# %% id="count-run"
assert count_parameters(2, 1, 3) == 49
print("                           layer   network   share")
shares = {}
for name, d, h, f in (
    ("MiniLM", 384, 12, 1536), ("BERT base", 768, 12, 3072), ("the paper", 512, 8, 2048)
):
    whole, network = count_parameters(d, h, f), 2 * d * f + f + d
    shares[name] = network / whole
    print(f"{name:10} D={d:4} F={f:4} {whole:10,} {network:9,}   {shares[name]:.1%}")

of_the_model = sum(parameter.numel() for parameter in layer.parameters())
print("MiniLM's layer 3, counted in the model itself:", f"{of_the_model:,}")

# %% id="share-explain"
explain("feed_forward.share")

# %% [markdown] id="count-note"
# The number of heads is nowhere in your formula: chapter 02 found why. And with $F = 4D$ the large terms are $4D^2$ for attention and $8D^2$ for the network: two thirds, at every width.
#
# Of the *model* it is less, because the table of chapter 01 has parameters too:

# %% id="count-model-run"
everything = sum(parameter.numel() for parameter in model.parameters())
networks = sum(
    parameter.numel()
    for each in model.layers
    for linear in (each.linear1, each.linear2)
    for parameter in linear.parameters()
)
tables = sum(parameter.numel() for parameter in model.embeddings.parameters())
print(f"MiniLM has {everything:,} parameters:", end=" ")
print(f"tables {tables / everything:.0%}, networks {networks / everything:.0%}")

# %% [markdown] id="alone-section"
# ## 3 Each token by itself
#
# The paper calls the network *position-wise*: applied "to each position separately and identically" (Vaswani et al., section 3.3). Two experiments show what that means, with your own functions. Attention is your `multi_head` of chapter 02, if it has passed there.

# %% id="alone-predict"
predict("feed_forward.one-token-changed")

# %% id="alone-run"
multi_head = use("attention.multi_head")
generator = torch.Generator().manual_seed(1)
tokens_x = torch.randn(1, 6, 64, generator=generator)  # (B, S, D)
attention = theirs.self_attn
projections = (
    attention.in_proj_weight, attention.in_proj_bias,
    attention.out_proj.weight, attention.out_proj.bias,
)

changed = tokens_x.clone()
changed[0, 2] += 1.0  # the third token becomes another one
with torch.no_grad():
    by_network = ffn(changed, *weights) - ffn(tokens_x, *weights)  # (1, S, D)
    by_attention = multi_head(changed, *projections, nhead=4) - multi_head(
        tokens_x, *projections, nhead=4
    )
by_network = by_network.norm(dim=-1)[0]  # (S,)
by_attention = by_attention.norm(dim=-1)[0]  # (S,)
figures.bars(
    [f"token {place}" for place in range(6)],
    {"feed-forward network": by_network, "attention": by_attention},
    y_title="how far the output moves", title="Token 2 is changed: whose output moves?",
)

# %% id="alone-explain"
explain("feed_forward.one-token-changed")

# %% [markdown] id="permute-text"
# The second experiment: shuffle the tokens. If each is treated by itself and alike, the outputs are the same, shuffled.

# %% id="permute-run"
shuffled = torch.tensor([3, 0, 5, 1, 4, 2])
with torch.no_grad():
    straight = ffn(tokens_x, *weights)
    of_shuffled = ffn(tokens_x[:, shuffled], *weights)
    one_by_one = torch.stack([ffn(token, *weights) for token in tokens_x[0]])  # (S, D)
same = torch.allclose(of_shuffled, straight[:, shuffled], atol=1e-6)
print("shuffled in, shuffled out:", same)
print("one token at a time:      ", torch.allclose(one_by_one, straight[0], atol=1e-6))

# %% [markdown] id="permute-note"
# To this network a sentence, a batch and a book are all the same: a set of vectors, each computed by itself. Attention moves information between tokens, as weighted sums of their values; each value is a linear map of one token. The feed-forward network moves nothing between tokens: it computes a nonlinear function of each token's vector. An encoder alternates the two.

# %% id="padding-quiz"
quiz("feed_forward.padding")

# %% [markdown] id="bend-section"
# ## 4 What the activation is for
#
# Leave the $\max(0, \cdot)$ out and see what remains:

# %% id="without-bend-quiz"
quiz("feed_forward.without-the-bend")

# %% id="without-bend-run"
w1, b1, w2, b2 = weights
with torch.no_grad():
    two_maps = (tokens_x @ w1 + b1) @ w2 + b2
    one_map = tokens_x @ (w1 @ w2) + (b1 @ w2 + b2)
print("two maps and one map agree:", torch.allclose(two_maps, one_map, atol=1e-5))
print(f"parameters: {w1.numel() + w2.numel():,} and {(w1 @ w2).numel():,}")

# %% [markdown] id="kinks-text"
# With ReLU, each neuron is a ramp: 0 on one side of a point, a straight line on the other. Let $D$ be 1, so that we can see it. A sum of ramps is a line with a kink for each neuron, and with enough kinks it follows any continuous curve (on an interval, as closely as one likes: the universal approximation theorem; Leshno et al., 1993, for nearly every activation). Three neurons by hand:

# %% id="kinks-run"
line = torch.linspace(-3, 3, 121).unsqueeze(-1)  # (121, 1): 121 "tokens" of width 1
keys = torch.tensor([[1.0, -1.0, 1.0]])  # w1, (D, F) = (1, 3)
starts = torch.tensor([0.0, 0.0, -1.5])  # b1: the kinks are at 0, 0 and 1.5
values = torch.tensor([[1.0], [1.0], [-2.0]])  # w2, (F, D) = (3, 1)
none = torch.zeros(1)  # b2
ramps = {}
for n in range(3):
    one_neuron = keys[:, n : n + 1], starts[n : n + 1], values[n : n + 1]
    ramps[f"neuron {n}"] = ffn(line, *one_neuron, none)[:, 0]  # (121,)
by_hand = ffn(line, keys, starts, values, none)[:, 0]  # (121,)
figures.lines(
    line[:, 0], {"their sum": by_hand, **ramps},
    x_title="x", y_title="FFN(x)", title="Three ramps and their sum",
)

# %% [markdown] id="kinks-note"
# *What to see:* neurons 0 and 1 make $|x|$ together; neuron 2 bends it down again from 1.5 on. $b_1$ says, with $W_1$, *where* a neuron begins, $W_2$ says *how much* it adds and in which direction. In the lab at the end of this chapter you let such a network learn a curve, and watch the kinks move.

# %% [markdown] id="activation-section"
# ## 5 Activations and their gradients
#
# ReLU was the paper's activation; BERT, MiniLM and most encoders since then have the [GELU](glossary.md#GELU) (Hendrycks and Gimpel, 2016). What a network learns by is the slope, so look at the slopes too:

# %% id="activations-run"
points = torch.linspace(-4, 4, 161, requires_grad=True)
activations = {
    "ReLU": torch.relu, "GELU": F.gelu, "SiLU": F.silu, "sigmoid": torch.sigmoid
}
curves = {name: function(points) for name, function in activations.items()}
slopes = {
    name: torch.autograd.grad(curve.sum(), points, retain_graph=True)[0]
    for name, curve in curves.items()
}
figures.lines(
    points.detach(), {name: curve.detach() for name, curve in curves.items()},
    x_title="x", y_title="activation", title="Four activations …",
)

# %% id="slopes-run"
figures.lines(
    points.detach(), slopes, x_title="x", y_title="slope", title="… and their gradients"
)

# %% [markdown] id="slopes-note"
# *What to see.* The sigmoid's slope is never above 1/4 and soon 0 on both sides: through twelve of them a gradient would shrink to less than a ten-millionth ($4^{-12} \approx 6 \cdot 10^{-8}$). ReLU's is 1 or 0: what is positive passes unhindered, and what is negative passes nothing. GELU's and SiLU's change smoothly, overshoot 1 a little, and are not 0 just below 0.
#
# The flat half of ReLU has a price. A neuron that is negative for every token gets no gradient at all, and no step changes its weights. It stays silent unless the layers below change what it reads: a [dead neuron](glossary.md#dead-neuron). Push some of them there with a bias and compare:

# %% id="dead-predict"
predict("feed_forward.dead")

# %% id="dead-run"
torch.manual_seed(0)
some_tokens = torch.randn(500, 32)
first = nn.Linear(32, 64)
with torch.no_grad():
    first.weight.copy_(torch.randn(64, 32) / math.sqrt(32))  # answers of unit scale
    first.bias.copy_(torch.tensor([0.0, -4.5]).repeat_interleave(32))  # half: down
second = nn.Linear(64, 32)
silent, share = {}, {}
for name in ("ReLU", "GELU"):
    first.zero_grad()
    second(activations[name](first(some_tokens))).square().mean().backward()
    sizes = first.weight.grad.norm(dim=1)  # (F,)
    silent[name] = (sizes == 0).sum().item()
    share[name] = (sizes[32:].mean() / sizes[:32].mean()).item()
    print(f"{name}: {silent[name]:2} of 64 neurons get no gradient;", end=" ")
    print(f"those pushed down get {share[name]:.2%} of what the others get")

# %% id="dead-explain"
explain("feed_forward.dead")

# %% [markdown] id="gelu-text"
# ### Exercise 3: `gelu`
# *Difficulty 1 of 3, about 10 minutes. Hints: `hint("feed_forward.gelu")`*
#
# ReLU asks a yes-or-no question: is $x$ above 0? GELU asks: what share of a standard normal's numbers lies below $x$? and keeps that share of it:
#
# $$\mathrm{GELU}(x) = x \, \Phi(x) \qquad\text{with}\qquad \Phi(x) = \tfrac12 \left(1 + \operatorname{erf}\frac{x}{\sqrt 2}\right)$$
#
# Write it for a tensor of any shape. (Some models use an approximation with a tanh. Write the exact one; `torch.erf` gives the erf.)
#
# *A tiny case.* Half of a standard normal lies below 0, 84.13 % below 1 and 15.87 % below −1. So GELU(0) = 0, GELU(1) = 0.8413 and GELU(−1) = −0.1587.

# %% id="gelu-exercise" exercise="feed_forward.gelu"
def gelu(x: Tensor) -> Tensor:
    """The exact GELU: each number times the share of a standard normal below it."""
    ### BEGIN SOLUTION
    below = (1 + torch.erf(x / math.sqrt(2))) / 2
    return x * below
    ### END SOLUTION


# %% id="gelu-check"
check("feed_forward.gelu", gelu)

# %% id="gelu-use"
gelu = use("feed_forward.gelu")

# %% [markdown] id="swap-text"
# Now put it into MiniLM in place of PyTorch's, in all six layers. And then, out of curiosity, a ReLU, which is nearly the same curve. How much does the model mind?

# %% id="swap-predict"
predict("feed_forward.relu-for-gelu")

# %% id="swap-run"
tiny_gelu = torch.tensor([0.0, 0.8413, -0.1587])
torch.testing.assert_close(
    gelu(torch.tensor([0.0, 1.0, -1.0])), tiny_gelu, atol=1e-4, rtol=0
)
texts = [
    "The bridge is safe.", "The bridge is not safe.",
    "A kitten naps on the couch.", "Interest rates rose again.",
]
copy, _ = load_minilm(fresh=True)  # one of our own, to change
original = sentence_embedding(texts)  # (4, D), vectors of length 1
kept = {}
for name, activation in (("your GELU", gelu), ("ReLU", torch.relu)):
    for each in copy.layers:
        each.activation = activation
    swapped = sentence_embedding(texts, copy, tokenizer)
    kept[name] = (swapped * original).sum(dim=-1)
    cosines = [f"{cosine:.4f}" for cosine in kept[name]]
    print(f"{name:9}: cosine with the model's own vector", *cosines)

# %% id="swap-explain"
explain("feed_forward.relu-for-gelu")

# %% [markdown] id="memory-section"
# ## 6 Keys and values
#
# Write the formula one neuron at a time. Let $k_n$ be the $n$-th **column** of $W_1$ and $v_n$ the $n$-th **row** of $W_2$, both of width $D$:
#
# $$\mathrm{FFN}(x) = \sum_{n=1}^{F} a(x \cdot k_n + b_{1n})\, v_n + b_2$$
#
# Each neuron compares the token with its *key* $k_n$ and adds its value $v_n$, as strongly as the key fits. Does that look familiar? It is attention's $\sum_j p_{ij} v_j$, with two differences: keys and values are **learned** and the same for every text, and what weighs them is an activation and not a softmax, so that many or none may answer. Geva et al. (2021) therefore call the feed-forward layers *key–value memories*. That the sum is the same thing:

# %% id="memory-run"
with torch.no_grad():
    by_neuron = b2
    for n in range(256):
        fits = torch.relu(tokens_x @ w1[:, n] + b1[n])  # (B, S)
        by_neuron = by_neuron + fits.unsqueeze(-1) * w2[n]  # (B, S, D)
    at_once = ffn(tokens_x, *weights)
print("the same:", torch.allclose(by_neuron, at_once, atol=1e-5))

# %% id="memory-quiz"
quiz("feed_forward.memory")

# %% [markdown] id="found-text"
# What do the keys of a trained model fit? Geva et al. looked for the texts that excite a neuron most. We do the same: MiniLM reads 150 paragraphs of Python's language reference, and we keep what every neuron of every layer answers to every token.

# %% id="excite-run"
read = neurons.paragraphs(150)
excitement = neurons.excite(model, tokenizer, read)
print(f"{len(excitement.tokens):,} tokens read; the text begins: {read[0][:50]} …")
print("answers of layer 3:", tuple(excitement.answers[3].shape), "= tokens, neurons")

# %% id="found-run"
for layer_number, neuron in ((3, 318), (1, 1184), (4, 1097), (2, 1042), (3, 112)):
    strongest = excitement.strongest(layer_number, neuron, 14)
    print(f"layer {layer_number}, neuron {neuron:4}:", *(word for word, _ in strongest))

# %% [markdown] id="found-note"
# *What to see.* Neuron 318 of layer 3 is the one from the beginning: it answers to *not*, to *no*, and to the *t* that is left of *don't*; *cannot* comes a little further down, with *without* and *empty*. (`don` is the rest of *don't*. By layer 3 a token knows its neighbours: attention has been there four times.) The next likes errors, and what is missing or *not* so; the third pairs, the fourth closing brackets, the last ends. The names are ours; the model was never given any. Here are the strongest places in their sentences:

# %% id="context-run"
encodings = [tokenizer.encode(text).tokens for text in read]
print(*excitement.in_context(3, 318, encodings, 8), sep="\n")

# %% [markdown] id="choose-text"
# **Before you believe it.** We chose these five among 9,216, because they can be read. So take some that nobody chose:

# %% id="chance-run"
drawn = torch.randint(1536, (6,), generator=torch.Generator().manual_seed(7)).tolist()
for neuron in drawn:
    strongest = excitement.strongest(3, neuron, 10)
    print(f"layer 3, neuron {neuron:4}:", *(word for word, _ in strongest))

# %% id="different-run"
different = [
    excitement.different_words(number).double().mean().item() for number in range(6)
]
generator = torch.Generator().manual_seed(0)
by_chance = 0.0
for _ in range(500):
    some_places = torch.randperm(len(excitement.tokens), generator=generator)[:20]
    by_chance += len({excitement.tokens[place] for place in some_places}) / 500
print(f"20 places drawn by chance hold {by_chance:.1f} different words")
figures.bars(
    [f"layer {number}" for number in range(6)], {"mean over 1536 neurons": different},
    y_title="different words",
    title="How many different words are among a neuron's strongest 20",
)

# %% [markdown] id="chance-note"
# Some can be read, some not at all; six are too few to say how many. A neuron need not be a concept of ours: a direction that means something may be spread over many of them, and one neuron may serve several. Geva et al. showed keys of a language model to people, who saw patterns in them: simple ones (a word that is repeated) in the lower layers, topics in the upper ones. Our bars fit in with the first half of that: the strongest places of a neuron hold fewer different words in layers 0 and 1 than in the later ones, and in all layers fewer than places drawn by chance. It is one model and one text.
#
# And chapter 02's habit: switch it off and measure. If neuron 318 carries *not*, sentences with and without *not* should come closer to each other without it. Compare with 30 neurons drawn by chance:

# %% id="ablate-run"
pairs = [
    ("The bridge is safe.", "The bridge is not safe."),
    ("The key fits the lock.", "The key does not fit the lock."),
    ("We can see the sea from here.", "We cannot see the sea from here."),
    ("There is milk in the fridge.", "There is no milk in the fridge."),
    ("She likes the soup.", "She does not like the soup."),
    ("The shop is open on Sundays.", "The shop is not open on Sundays."),
]
sentences = [sentence for pair in pairs for sentence in pair]
vectors = sentence_embedding(sentences)
whole_model = (vectors[0::2] * vectors[1::2]).sum(dim=-1).mean()
chance = torch.randint(1536, (30,), generator=torch.Generator().manual_seed(0)).tolist()
closer = []
for neuron in [318, *chance]:
    with neurons.switched_off(model, 3, neuron):
        vectors = sentence_embedding(sentences)
    without = (vectors[0::2] * vectors[1::2]).sum(dim=-1).mean()
    closer.append((without - whole_model).item())
larger = sum(abs(other) >= abs(closer[0]) for other in closer[1:])
print(f"cosine of a sentence and its negation: {whole_model:.3f}")
print(f"without neuron 318 it changes by {closer[0]:+.4f};")
others = closer[1:]
print(f"without one drawn by chance by {min(others):+.4f} to {max(others):+.4f},")
print(f"{larger} of 30 by as much as without 318")

plain = [sentence for sentence, _ in pairs]
other_word = [
    "The bridge is very safe.", "The key always fits the lock.",
    "We can often see the sea from here.", "There is some milk in the fridge.",
    "She also likes the soup.", "The shop is usually open on Sundays.",
]

untouched = sentence_embedding(plain + other_word)
with neurons.switched_off(model, 3, 318):
    with_318_off = sentence_embedding(plain + other_word)
before, after = ((v[:6] * v[6:]).sum(dim=-1).mean() for v in (untouched, with_318_off))
control = (after - before).item()
print(f"another word in the place of not, without 318: {control:+.4f}")

# %% [markdown] id="ablate-note"
# *What to see:* without this one neuron of 9,216 these six sentences and their negations come closer, about ten times as much as without any of the thirty; with *very*, *always* or *often* in the place of *not*, nothing moves. Here the name that we gave it holds: the model uses it to tell *safe* from *not safe*. (In chapter 02 the same kind of test went the other way: the head that "found Anna" could be switched off without loss.) It is not the whole story either, since the two vectors stay far from equal. (We tried all 1,536 of the layer: none moves them as much. The next, neuron 120, does half as much, and without it they part.)

# %% [markdown] id="gate-section"
# ## 7 Gates
#
# Many newer models (T5 1.1, LLaMA, ModernBERT among them) have a network with a [gate](glossary.md#gate). Two paths start from $x$; one goes through an activation and says, number by number, how much of the other passes (Shazeer, 2020, after the GLU of Dauphin et al., 2017):
#
# $$\mathrm{GEGLU}(x) = \big(\mathrm{GELU}(x W_\text{gate}) \odot x W_\text{up}\big)\, W_\text{down}$$
#
# $\odot$ multiplies number by number. There are no biases. With a sigmoid in place of the GELU it is the GLU, with the SiLU the SwiGLU.

# %% [markdown] id="geglu-text"
# ### Exercise 4: `geglu`
# *Difficulty 2 of 3, about 10 minutes. Hints: `hint("feed_forward.geglu")`*
#
# The formula, with the exact GELU (`gelu` is your own if it has passed).
#
# ```
#                    ┌─ · w_gate (D, F) ─ gelu ─┐
#    x (..., D) ─────┤                          ⊙ ── · w_down (F, D) ──→ (..., D)
#                    └─ · w_up   (D, F) ────────┘
#                                (..., F)
# ```
#
# *A tiny case.* $D = F = 1$, $x = 1$, $w_\text{gate} = 1$, $w_\text{up} = 2$, $w_\text{down} = 3$: the gate is GELU(1) = 0.8413, what it lets through $0.8413 \cdot 2$, the result $5.048$.

# %% id="geglu-exercise" exercise="feed_forward.geglu"
def geglu(x: Tensor, w_gate: Tensor, w_up: Tensor, w_down: Tensor) -> Tensor:
    """(gelu(x W_gate) * (x W_up)) W_down: x (..., D), (D, F) twice, w_down (F, D)."""
    ### BEGIN SOLUTION
    gate = gelu(x @ w_gate)  # (..., D) @ (D, F) -> (..., F)
    up = x @ w_up  # (..., F)
    return (gate * up) @ w_down  # (..., F) @ (F, D) -> (..., D)
    ### END SOLUTION


# %% id="geglu-check"
check("feed_forward.geglu", geglu)

# %% id="geglu-use"
geglu = use("feed_forward.geglu")

# %% [markdown] id="multiply-text"
# What is gained? A gate can **multiply**: two numbers of a token, $u$ and $v$, exactly, with two neurons. The first gives $\mathrm{GELU}(u) \cdot v = u\,\Phi(u)\,v$, the second $\mathrm{GELU}(-u) \cdot (-v) = u\,\Phi(-u)\,v$. Because $\Phi(u) + \Phi(-u) = 1$, their sum is $uv$.

# %% id="multiply-run"
unit = torch.ones(1, 1)
tiny_geglu = geglu(unit, unit, 2 * unit, 3 * unit)
torch.testing.assert_close(tiny_geglu, torch.tensor([[5.048]]), atol=1e-3, rtol=0)

generator = torch.Generator().manual_seed(0)
factors = torch.randn(5, 2, generator=generator)  # u and v of 5 tokens
w_gate = torch.tensor([[1.0, -1.0], [0.0, 0.0]])  # (D, F): u and -u
w_up = torch.tensor([[0.0, 0.0], [1.0, -1.0]])  # (D, F): v and -v
w_down = torch.tensor([[1.0, 0.0], [1.0, 0.0]])  # (F, D): their sum
multiplied = geglu(factors, w_gate, w_up, w_down)[:, 0]
print("geglu:", [f"{value:+.4f}" for value in multiplied])
print("u · v:", [f"{value:+.4f}" for value in factors.prod(dim=-1)])

# %% [markdown] id="multiply-note"
# A network with ReLU has to build a product of many ramps, and only on an interval. That is an argument, not a proof that gates are better in a model. Shazeer measured it, at the same number of parameters and operations: GEGLU and SwiGLU had the best perplexities, and "while the results are noisy" (his section 3.3), the gated networks were best on most of his tasks. His explanation, in full: "We offer no explanation as to why these architectures seem to work; we attribute their success, as all else, to divine benevolence."

# %% id="gate-quiz"
quiz("feed_forward.gate-parameters")

# %% id="two-thirds-run"
plain, gated = 2 * 768 * 3072, 3 * 768 * (3072 * 2 // 3)
print(f"W1 and W2 with F = 3072: {plain:,}; three matrices with F = 2048: {gated:,}")

# %% [markdown] id="dropout-section"
# ## 8 Dropout
#
# A network with millions of weights can learn a small data set by heart. [Dropout](glossary.md#dropout) (Srivastava et al., 2014) makes that harder: in training, every number is set to 0 with probability $p$, drawn again on each call. No neuron can rely on another being there. When the model is used nothing is dropped.
#
# Then training and use must agree on the mean. If a number $x$ stays with probability $1 - p$ and is 0 otherwise, its mean is $(1 - p)\,x$. So what is left is divided by $1 - p$; this is *inverted* dropout, and what PyTorch does. (The paper of 2014 divided nothing in training and multiplied the weights by $1 - p$ in use, which is the same in the mean.)
#
# $$\mathbb{E}[\text{output}] = p \cdot 0 + (1 - p) \cdot \frac{x}{1 - p} = x$$

# %% id="dropout-predict"
predict("feed_forward.what-is-left")

# %% [markdown] id="dropout-text"
# ### Exercise 5: `dropout`
# *Difficulty 3 of 3, about 20 minutes. Hints: `hint("feed_forward.dropout")`*
#
# - In training each number, by itself, becomes 0 with probability `p`; the others are divided by `1 - p`. With `p = 1` all become 0.
# - When not training, `x` comes back as it is.
# - For a `p` outside of $[0, 1]$ raise a `ValueError`, when not training too. 0 and 1 are allowed.
# - The draws come from torch's global generator (so no `generator=`, no numpy), so that `torch.manual_seed` repeats them.
#
# *A tiny case.* `dropout(torch.ones(4), 0.5, training=True)` holds zeros and twos, and about as many of each when you try it often; with `training=False` four ones.
#
# Your results are random, so the check looks at their distribution: the share of zeros, what is left, and whether numbers fall one by one or together.

# %% id="dropout-exercise" exercise="feed_forward.dropout"
def dropout(x: Tensor, p: float, training: bool) -> Tensor:
    """Inverted dropout of x; ValueError where p is no probability."""
    ### BEGIN SOLUTION
    if not 0 <= p <= 1:
        raise ValueError(f"p is a probability, from 0 to 1; it is {p}")
    if not training:
        return x
    dropped = torch.rand_like(x) < p  # True with probability p
    scale = 1 / (1 - p) if p < 1 else 0.0
    return x.masked_fill(dropped, 0.0) * scale
    ### END SOLUTION


# %% id="dropout-check"
check("feed_forward.dropout", dropout)

# %% id="dropout-use"
dropout = use("feed_forward.dropout")

# %% id="dropout-run"
torch.manual_seed(0)
some = torch.full((4, 12), 1.0)
figures.heatmap(
    dropout(some, 0.25, training=True), numbers=True, decimals=2,
    row_title="token", column_title="number of its vector",
    title="About a quarter falls, the rest grows",
)

# %% id="dropout-mean-run"
runs = [dropout(some[0], 0.25, training=True) for _ in range(4000)]
runs = torch.stack(runs)  # (4000, 12)
zeros = (runs == 0).double().mean()
print(f"largest {runs.max():.4f} = 1 / 0.75; share of zeros {zeros:.3f}")
print("means over 4000 calls:", [f"{mean:.2f}" for mean in runs.mean(dim=0)])

# %% id="dropout-explain"
explain("feed_forward.what-is-left")

# %% [markdown] id="eval-text"
# ### `train()` and `eval()`
#
# A module knows by its flag `training` which of the two it should do; `model.train()` and `model.eval()` set it in all of its parts, and a module that was just made is in training. Whoever forgets `eval()` gets a noisy model. Here is MiniLM, once each way, with the same texts twice. In training it drops a tenth ($p = 0.1$) of its embeddings, of the attention weights, and of what attention and the network hand out, in each layer:

# %% id="eval-run"
for each in copy.layers:
    each.activation = F.gelu  # section 5 had left ReLUs there
batch = tokenizer.batch(texts)
twice = {}
for name, mode in (("train()", copy.train), ("eval()", copy.eval)):
    mode()
    torch.manual_seed(0)
    with torch.no_grad():
        one_call, another = (
            copy(batch.ids, padding_mask=batch.padding_mask)[:, 0] for _ in range(2)
        )
    twice[name] = F.cosine_similarity(one_call, another, dim=-1)  # (B,)
    cosines = [f"{cosine:.4f}" for cosine in twice[name]]
    print(f"{name:8} cosine of [CLS] in two calls:", *cosines)

# %% id="eval-quiz"
quiz("feed_forward.no-grad")

# %% [markdown] id="article-dropout"
# > **In the article** (5): `self.dropout = nn.Dropout(dropout)` is made once and used in three places of the layer: on the attention's output, within the network after the activation, and on its output.
# >
# > Is that a fault? No. The module holds no weights and no mask, only `p`; each call draws again. Three modules with one `p` would do the same. In the network's line of its listing, `self.linear2(self.dropout(torch.relu(self.linear1(src))))`, you now know every word.

# %% [markdown] id="whole-section"
# ## 9 The whole part
#
# Now your pieces together, with MiniLM's weights: layer 3's network on what really goes into it. The layer's own result comes from a hook, so nothing is assumed.

# %% id="whole-run"
seen = {}
one, two = layer.linear1, layer.linear2
handles = [
    one.register_forward_hook(lambda module, inputs, output: seen.update(x=inputs[0])),
    two.register_forward_hook(lambda module, inputs, output: seen.update(y=output)),
]
with torch.no_grad():
    model(tokenizer.batch(["The bridge is not safe."]).ids)
    for handle in handles:
        handle.remove()
    inner = gelu(seen["x"] @ one.weight.T + one.bias)  # (1, S, F)
    output = inner @ two.weight.T + two.bias  # (1, S, D)
    ours = dropout(output, 0.1, training=False)
print(f"the result and MiniLM's differ by at most {(ours - seen['y']).abs().max():.0e}")
print(f"neuron 318 answers to “not” with {inner[0, 4, 318]:.2f},", end=" ")
print(f"to “bridge” with {inner[0, 2, 318]:.2f}")

# %% [markdown] id="lab-text"
# ## 10 The lab
#
# Move something and see at once what happens; every control works from the keyboard.
#
# Above, a network with $D = 1$ learns the curve in front of you, step by step; below, the neurons of MiniLM read a sentence. Five **tasks** stand under the lab: three for the curves (with few neurons, without kinks, without an activation), two for the neurons. The lab notices when you reach one and says what it shows; each has a hint.
#
# And look, with *wave*: start with 4 neurons and ReLU and count the kinks. Then 32. Then GELU: where have the kinks gone? Choose the step and watch *absolute value* being found.
#
# What you see is drawn with your own `ffn`, if it has passed.

# %% id="lab"
labs.FeedForwardLab(ffn=ffn, excitement=excitement)

# %% [markdown] id="recap"
# ## 11 Recap
#
# - $\max(0, xW_1 + b_1)W_2 + b_2$: from $D$ up to $F = 4D$, an activation, and down again to $D$.
# - Two thirds of a layer's parameters, whatever the width.
# - Each token by itself and all alike: change one token and one output moves; shuffle them and the outputs are shuffled.
# - Without the activation two maps are one. With ReLU, each neuron is a ramp, and sums of ramps can follow any curve.
# - ReLU has slope 1 or 0, and a neuron that is always negative stays silent. GELU is $x\,\Phi(x)$: nearly the same curve, but a trained model does not take one for the other.
# - A neuron is a key (a column of $W_1$) with a value (a row of $W_2$). Some answer to something that we can name, others don't; and what one answers to is not yet what the model needs it for.
# - A gate multiplies two paths; it has three matrices, so $F$ shrinks to two thirds.
# - Dropout: zeros with probability $p$, the rest divided by $1 - p$, drawn again each time; `eval()` turns it off.
#
# Close the notebook and write `ffn` on paper with the shape behind each line. Then the number of its parameters.

# %% [markdown] id="glossary"
# ### The chapter's terms
#
# <!-- glossary -->

# %% [markdown] id="papers"
# ### The papers
#
# - Vaswani, Shazeer, Parmar, Uszkoreit, Jones, Gomez, Kaiser, Polosukhin: *Attention Is All You Need*. NeurIPS 2017. [arXiv:1706.03762](https://arxiv.org/abs/1706.03762). Section 3.3 with equation (2); section 5.4 on dropout.
# - Geva, Schuster, Berant, Levy: *Transformer Feed-Forward Layers Are Key-Value Memories*. EMNLP 2021. [arXiv:2012.14913](https://arxiv.org/abs/2012.14913).
# - Hendrycks, Gimpel: *Gaussian Error Linear Units (GELUs)*. 2016. [arXiv:1606.08415](https://arxiv.org/abs/1606.08415).
# - Shazeer: *GLU Variants Improve Transformer*. 2020. [arXiv:2002.05202](https://arxiv.org/abs/2002.05202). Equations (5) and (6); its conclusions have the sentence quoted in section 7.
# - Dauphin, Fan, Auli, Grangier: *Language Modeling with Gated Convolutional Networks*. ICML 2017. [arXiv:1612.08083](https://arxiv.org/abs/1612.08083). The GLU.
# - Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov: *Dropout: A Simple Way to Prevent Neural Networks from Overfitting*. Journal of Machine Learning Research 15, 2014.
# - Leshno, Lin, Pinkus, Schocken: *Multilayer feedforward networks with a nonpolynomial activation function can approximate any function*. Neural Networks 6(6), 1993.
#
# **Next:** chapter 04, where attention and this network become a layer, and layers an encoder.
