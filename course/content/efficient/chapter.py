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
# > 32 sections of Python's documentation make a batch of 8,192 tokens. How many of them are text?
#
# The encoder of this course is right. This chapter makes it fast without changing what it says, and then asks what it takes to make it large. Two things accompany us: MiniLM, the encoder that you have known since chapter 00, and the documentation of Python, which it is to read.
#
# **When you are through, you can**
#
# - count what an encoder costs before you run it, and say whether computing or memory limits it;
# - compute attention over a text of any length without ever holding all of its scores;
# - leave out the work on padding, and let texts share a row without seeing each other;
# - say what fewer bits cost, and where they cost nothing;
# - say what ModernBERT changed for speed, and what each change is worth by itself;
# - train with several processes, and plan the pre-training of a BERT, with numbers.
#
# **You need** Python, a little PyTorch, and from the chapters before: the attention of 02, the layer of 04, the cache of 07.
#
# **Time** About three hours: six exercises, 87 minutes by our count, and about 90 minutes to read, run and play. Sections 1 to 4 make a good first sitting, 5 to 8 a second, 9 to 12 a third; each can begin in a fresh kernel.
#
# Every time below is measured on your machine, with one thread, while you watch. Other programs can only make it longer; so trust the order of magnitude, and run a cell again that surprises you.

# %% id="setup"
import math

import torch
import torch.nn.functional as F
from torch import Tensor

from course import check, explain, figures, hint, labs, measure, predict, quiz, use
from course.content.efficient import long_text, low_precision, modern, parts, processes, texts
from course.system.threads import one_thread
from encoder_core import TransformerEncoder, TransformerEncoderLayer, attention_function
from encoder_core import layer_costs, load_minilm, measure_machine, plan_pretraining, use_fast_cpu

model, tokenizer = load_minilm()
D, H, F_WIDTH = 384, 12, 1536  # of MiniLM: width, heads, width of the feed-forward network

# %% [markdown] id="count-section"
# ## 1 What a layer costs
#
# A computer spends its time in two ways: it computes, and it moves numbers. We count the computing first.
#
# Nearly all of it is products of matrices. A product of $(m, k)$ and $(k, n)$ has $m \cdot n$ results, each a sum of $k$ products: $k$ multiplications and $k$ additions (the first is added to zero). So it takes $2mkn$ floating-point operations, [FLOPs](glossary.md#FLOP).

# %% [markdown] id="attention-flops-text"
# ### Exercise 1: `attention_flops`
# *Difficulty 1 of 3, about 12 minutes. Hints: `hint("efficient.attention_flops")`*
#
# Return how many additions and multiplications the matrix products of one self-attention layer take, for a batch of $B$ texts of $S$ tokens at the width $D$. Count $2mkn$ for a product of $(m, k)$ and $(k, n)$.
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

# %% [markdown] id="parts-text"
# Your formula is one part of a layer. Here is the whole, for one text of 128 tokens. A **part** is one operation, as the layer runs it; the count behind this table is `encoder_core/inspect/costs.py`.

# %% id="parts-predict"
predict("efficient.most-work")

# %% id="parts-run"
costs = layer_costs(batch=1, length=128, d_model=D, nhead=H, dim_feedforward=F_WIDTH)
total = sum(cost.flops for cost in costs)
for cost in costs:
    share = cost.flops / total
    print(f"{cost.part:20} {cost.flops / 1e6:6.1f} million FLOPs in products  {share:5.1%}", end="")
    print(f"  {cost.parameters:9,} parameters")
parameters = sum(cost.parameters for cost in costs)
print(f"{'all':20} {total / 1e6:6.1f} million                          {parameters:16,}")

layer, x = model.layers[0], torch.randn(1, 128, D)
with attention_function(layer, use("attention.scaled_dot_product")):
    print(f"counted while it runs: {measure.operations(layer, x) / 1e6:.1f} million")
ours = attention_flops(1, 128, D)
print(f"attention by your formula: {ours / 1e6:.1f} million, {ours / total:.0%} of the layer")
print(f"2 x parameters x tokens: {2 * parameters * 128 / 1e6:.1f} million")

# %% id="parts-explain"
explain("efficient.most-work")

# %% [markdown] id="parts-note"
# *What to see:* torch counts the same while the layer runs. (We let it run with *your* attention of chapter 02, because torch's counter doesn't look into its own attention on a CPU.) At 128 tokens "the attention layer" is mostly not attention: it is products with weights. That gives the rule that the plans of section 12 stand on: **two operations for each parameter and token**, one to multiply, one to add. In training the backward pass takes twice as many again, since it computes two gradients for each product: of its input and of its weights. So six for each parameter and token (Kaplan et al., 2020, section 2.1).
#
# The rule leaves out what has no parameters: the scores, and the values that they weight. They grow with the square of the length.

# %% id="share-run"
lengths = [32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536]
square, sizes = {}, {"MiniLM": (D, H, F_WIDTH), "BERT-base": (768, 12, 3072)}
for name, (width, heads, inner) in sizes.items():
    square[name] = []
    for length in lengths:
        costs = layer_costs(1, length, width, heads, inner)
        products = sum(cost.flops for cost in costs)
        scores = sum(c.flops for c in costs if c.part in ("scores", "weighted values"))
        square[name].append(100 * scores / products)
figures.lines(
    lengths, square, log_x=True, x_title="tokens", y_title="% of the layer's FLOPs",
    title="What has no parameters: scores and weighted values",
)

# %% id="share-quiz"
quiz("efficient.half-way")

# %% [markdown] id="share-note"
# *What to see:* the share passes one half at $S = 6D$: then the $4 S^2 D$ operations of the square are as many as the $24 S D^2$ of the weights. For MiniLM that is at 2,304 tokens, for BERT-base at 4,608. At 128 tokens the square hardly counts; at 65,536 it is more than nine tenths.

# %% [markdown] id="machine-section"
# ## 2 What this machine can do
#
# Two rates describe a machine well enough: the operations a second that its arithmetic units do at best, the **peak**, and the bytes a second that travel between them and the memory, the **bandwidth**. Both can be measured, by a large product of matrices and by a copy of an array that is too large for the processor's caches, its small and fast memories.

# %% id="machine-run"
with one_thread():
    machine = measure_machine()
print(f"{machine.name}: {machine.peak / 1e9:,.0f} billion operations a second at best,")
print(f"{machine.bandwidth / 1e9:,.1f} billion bytes a second,")
print(f"so {machine.ridge:.1f} operations take as long as one byte")

# %% [markdown] id="roofline-text"
# So a number that is fetched from memory and used for one addition makes the arithmetic wait for a long time. What counts is how often a number is used once it is there: a part's [arithmetic intensity](glossary.md#arithmetic-intensity), its operations divided by the bytes that it moves. A part takes at least as long as its operations need at the peak, and at least as long as its bytes need at the bandwidth. Williams, Waterman and Patterson (2009) call the picture of this a [roofline](glossary.md#roofline).
#
# Take a batch of 8 texts of 128 tokens. The activation, GELU, is counted as five operations a number; the product before it, in which each number of its result is made, does $2D = 768$.

# %% id="gelu-predict"
predict("efficient.gelu")

# %% id="gelu-run"
x = torch.randn(8, 128, D)
seconds = parts.compared(layer, x)
costs = layer_costs(8, 128, D, H, F_WIDTH)
print(f"{'part':20} {'operations a byte':>17} {'limit':>8} {'at least':>9} {'measured':>9}")
for cost in costs:
    least, took = 1e3 * machine.seconds(cost), 1e3 * seconds[cost.part]
    print(f"{cost.part:20} {cost.intensity:17.1f} {machine.limit(cost):>8}", end="")
    print(f" {least:6.2f} ms {took:6.2f} ms")
ratio = seconds["activation"] / seconds["feed-forward 1"]
print(f"the activation takes {ratio:.0%} of the time of the product before it")
figures.bars(
    [cost.part for cost in costs],
    {
        "operations at the peak": [1e3 * cost.operations / machine.peak for cost in costs],
        "bytes at the bandwidth": [1e3 * cost.bytes / machine.bandwidth for cost in costs],
        "measured": [1e3 * seconds[cost.part] for cost in costs],
    },
    y_title="milliseconds", title="A layer of MiniLM, eight texts of 128 tokens",
)

# %% id="gelu-explain"
explain("efficient.gelu")

# %% [markdown] id="gelu-note"
# *What to see:* the products with weights come close to the peak; each number that they fetch serves hundreds of operations. Softmax, activation, norms and residuals have no products, and take many times more than their share of the operations: they wait for bytes, or for an exponential, which is counted as one operation and takes a processor several. (Where a bar of measured time is *shorter* than that of its bytes, the numbers were still in a cache, which is faster than the memory. A batch of this size fits into many.)
#
# Which is why speed has two recipes. For the large products: fewer of them (sections 5 and 9) or cheaper numbers (7). For all the rest: fewer trips to the memory (4 and 8).

# %% [markdown] id="square-section"
# ## 3 The square of the length
#
# Now let the text grow. Attention as chapter 02 wrote it, four heads of 32 numbers, beside one product with weights:

# %% id="square-run"
scaled_dot_product = use("attention.scaled_dot_product")  # yours, from chapter 02
linear = torch.nn.Linear(128, 512)
growing = [256, 512, 1024, 2048, 4096]
took = {"attention": [], "a product with weights": []}
for length in growing:
    q = torch.randn(1, 4, length, 32)
    took["attention"].append(1e3 * measure.seconds(scaled_dot_product, q, q, q))
    took["a product with weights"].append(1e3 * measure.seconds(linear, q.reshape(1, length, 128)))
for name, row in took.items():
    growth = " ".join(f"x {after / before:<5.1f}" for before, after in zip(row, row[1:]))
    print(f"{name:24} {row[0]:6.2f} ms at 256, then with each doubling {growth}")
figures.lines(
    growing, took, log_x=True, log_y=True, x_title="tokens", y_title="milliseconds",
    title="Twice the text",
)

# %% [markdown] id="square-note"
# *What to see:* twice the text is twice the work for the product, and four times for attention. Where attention's time jumps by more than four, its scores have outgrown a cache of your processor, and travel to the memory and back.
#
# > **In the article** (2.2): "它能够有效地建模长距离依赖关系，并具有良好的并行性" (*it can effectively model long-distance dependencies and parallelises well*).
# >
# > Both are true, for one and the same reason: each pair of tokens gets a score of its own, so no token is far from another and none has to wait. The article leaves out the bill. There are $S^2$ pairs, and the plain form writes all of their scores down.
#
# How long is that list? Twelve heads, four bytes a number:

# %% id="memory-run"
for length in (128, 512, 4096, 16384, 65536):
    size = H * length**2 * 4
    print(f"{length:6,} tokens: scores of one layer, one text {size / 1e9:9.3f} GB")

# %% id="memory-quiz"
quiz("efficient.what-runs-out")

# %% [markdown] id="blockwise-section"
# ## 4 Attention in blocks
#
# A row of attention's result is a mean of values, weighted by a softmax. Must all scores of the row be there before the first value can be added? The softmax seems to ask for it: it needs the largest score, so that no exponential overflows (chapter 02), and the sum of all exponentials.
#
# Let us try to do with less. One query, four keys with the scores 1, 3, 5 and 2 and, to keep it small, values of one number. We read two keys at a time, and remember three numbers only: the highest score so far, the sum of the exponentials so far, and the weighted sum of the values so far, both relative to that highest score.

# %% id="running-predict"
predict("efficient.higher-maximum")

# %% id="running-run"
row, values = torch.tensor([1.0, 3.0, 5.0, 2.0]), torch.tensor([10.0, 20.0, 30.0, 40.0])
highest, running, output = -math.inf, 0.0, 0.0
for start in (0, 2):
    some, theirs = row[start : start + 2], values[start : start + 2]
    higher = max(highest, some.max().item())
    shrink = math.exp(highest - higher)  # 0 at the first block, where nothing was summed
    weights = (some - higher).exp()
    running = running * shrink + weights.sum().item()
    output = output * shrink + (weights * theirs).sum().item()
    highest = higher
    print(f"scores {some.tolist()}: highest {highest:g}, shrink {shrink:.4f},", end=" ")
    print(f"sum {running:.4f}, weighted values {output:.4f}")
print(f"divided at the end: {output / running:.4f}")
print(f"all at once:        {(row.softmax(dim=0) * values).sum():.4f}")

# %% id="running-explain"
explain("efficient.higher-maximum")

# %% [markdown] id="running-note"
# *What to see:* nothing had to be kept of the first block but three numbers, and nothing is approximate. When the highest score rises from 3 to 5, all that was summed before was too large by $e^{5-3}$, in the sum and in the values alike; one multiplication sets both right. Milakov and Gimelshein (2018) found this [running softmax](glossary.md#running-softmax); Rabe and Staats (2021) used it for attention without a square of memory; and Dao et al. (2022) wrote it as FlashAttention, one *kernel*: a function compiled for the processor (not the kernel of a notebook). PyTorch's own attention has such kernels, for CPUs too.

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

# %% [markdown] id="serve-text"
# Now let it carry weight. `attention_function` puts it in the place of the attention in all six layers of MiniLM; blocks of 7 keys, so that the last one is not full:

# %% id="serve-run"
long_section = max(texts.sections(32), key=len)
ids = torch.tensor(texts.ids_of([long_section]))
with torch.no_grad(), one_thread():
    hidden_of_the_section = model(ids)
    with attention_function(model, lambda q, k, v, mask=None: blockwise_attention(q, k, v, 7)):
        in_blocks = model(ids)
largest = (hidden_of_the_section - in_blocks).abs().max()
print(f"{ids.shape[1]} tokens, largest difference {largest:.0e}")

# %% [markdown] id="limit-text"
# And a text that the plain form can't read. Each runs in a process of its own, which gets one gigabyte of memory: one head, and 16,384 tokens. The plain form needs 1.07 GB for the scores, and as much for the weights. (Only Linux keeps a process to such a limit. Elsewhere the plain form isn't tried.)

# %% id="limit-run"
LENGTH, LIMIT = 16_384, 1.0  # 65_536 and 2.0 take a minute or two; the plain form would need 34 GB

print("written out:", long_text.attend_alone("written", LENGTH, LIMIT))
print("in blocks:  ", long_text.attend_alone("blocks", LENGTH, LIMIT))

# %% [markdown] id="block-text"
# How large should a block be? Your function again, 4,096 tokens, from one key at a time to all at once. Beside it the form of chapter 02, and torch's own:

# %% id="block-run"
q, k, v = (torch.randn(1, 1, 4096, 32) for _ in range(3))
blocks = [16, 64, 256, 1024, 4096]
times = [1e3 * measure.seconds(blockwise_attention, q, k, v, block) for block in blocks]
plain = 1e3 * measure.seconds(scaled_dot_product, q, k, v)
fused = 1e3 * measure.seconds(F.scaled_dot_product_attention, q, k, v)
print(f"chapter 02's {plain:.0f} ms, yours at best {min(times):.0f} ms, torch's {fused:.0f} ms")
figures.lines(
    blocks,
    {"in blocks": times, "all scores at once": [plain] * 5, "torch's kernel": [fused] * 5},
    log_x=True, log_y=True, x_title="keys in a block", y_title="milliseconds",
    title="The same attention, 4,096 tokens",
)

# %% [markdown] id="block-note"
# *What to see:* a valley. Small blocks are many small products, between which Python has to start each operation; large ones leave the cache again. In the middle your function, which computes *more* (the corrections), can be faster than the plain form: what it saves are trips to the memory. `F.scaled_dot_product_attention` does the same in one [fused kernel](glossary.md#fused-kernel), a single compiled function which cuts the queries into blocks as well and never lets a score leave the processor. Dao et al. (2022) count the bytes, not the operations, and that is their point.
#
# Two things they had to add, which we leave out. A mask: blocked scores are $-\infty$ in their block, and a query with nothing to look at must not divide 0 by 0. And the backward pass: it computes the scores again instead of keeping them, since computing is cheaper than storing. As you wrote it, autograd keeps every block; in training your function saves no memory.
#
# What if the scores need a twist of your own, such as a bias for each distance? torch's `flex_attention` takes a small function from a score and its places to another score, and compiles a kernel for it. Compiling takes up to a minute and needs a C++ compiler (on a GPU: Triton), so it waits for you:

# %% id="flex-run"
COMPILE = False  # True: compile a kernel with a bias for each distance, and compare

if COMPILE:
    from torch.nn.attention.flex_attention import flex_attention

    kernel = torch.compile(flex_attention)
    slope = 0.1
    with torch.no_grad(), one_thread():
        biased = kernel(q, k, v, score_mod=lambda s, b, h, i, j: s - slope * (i - j).abs())
    places = torch.arange(4096)
    bias = -slope * (places[:, None] - places).abs()  # (S, S): what the kernel never writes down
    written = F.scaled_dot_product_attention(q, k, v, attn_mask=bias.float())
    print(f"largest difference {(biased - written).abs().max():.0e}")
else:
    print("not compiled")

# %% id="blockwise-quiz"
quiz("efficient.more-operations")

# %% [markdown] id="padding-section"
# ## 5 No work on padding
#
# (To begin a sitting here, in a fresh kernel, run the chapter's first code cell and the one below.)

# %% id="second-sitting"
attention_flops = use("efficient.attention_flops")
pad_batch = use("embeddings.pad_batch")  # yours, from chapter 01
sequences = texts.ids_of(texts.sections(32))

# %% [markdown] id="padding-text"
# Now to the batch from the top: 32 sections of the documentation, drawn at random, at most 256 tokens of each.

# %% id="padding-predict"
predict("efficient.share-of-padding")

# %% id="padding-run"
ids, padding = pad_batch(sequences, 0)  # (B, S), (B, S); [PAD] is token 0
lengths = sorted(map(len, sequences))
print("tokens of each text:", *lengths)
print(f"a batch of {tuple(ids.shape)}: {ids.numel():,} places, {sum(lengths):,} tokens;", end=" ")
print(f"{padding.float().mean():.1%} is padding")

# %% id="padding-explain"
explain("efficient.share-of-padding")

# %% [markdown] id="padding-note"
# The masks of chapter 02 keep padding from being *seen*. It is computed all the same: projected, multiplied, normalised, in every layer, and thrown away at the end.
#
# Where is a layer in need of rows and columns at all? Projections, feed-forward network and norms treat each token by itself and never ask which text it is from. So take the real tokens out, lay them end to end, and put them back where they are needed.

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

# %% [markdown] id="packed-text"
# With both, the feed-forward network of MiniLM's first layer, on the whole batch and on its tokens alone:

# %% id="packed-run"
layer = model.layers[0]
with torch.no_grad():
    x = model.embeddings(ids)  # (B, S, D)
    packed, indices = unpad(x, padding)  # (N, D)
    everywhere = layer.linear2(F.gelu(layer.linear1(x)))
    tokens_alone = repad(layer.linear2(F.gelu(layer.linear1(packed))), indices, *ids.shape)
    apart = (everywhere - tokens_alone)[~padding].abs().max()
print(f"{tuple(x.shape)} -> {tuple(packed.shape)}, largest difference at a real token {apart:.0e}")
slow = measure.seconds(lambda: layer.linear2(F.gelu(layer.linear1(x))))
fast = measure.seconds(lambda: layer.linear2(F.gelu(layer.linear1(unpad(x, padding)[0]))))
print(f"{1e3 * slow:.0f} ms with padding, {1e3 * fast:.0f} ms without, the copying counted")

# %% [markdown] id="packed-note"
# Attention does ask which text a token is from. `encoder_core.pack` therefore computes it text by text, in groups of the same length, and everything else once. (Zeng et al., 2022, group texts of similar length for BERT on GPUs.) Two of the six layers:

# %% id="encoder-run"
encoder = TransformerEncoder.from_layers(list(model.layers[:2]))
padded_seconds = measure.seconds(encoder, x, src_key_padding_mask=padding)
packed_seconds = measure.seconds(encoder, x, src_key_padding_mask=padding, packed=True)
with torch.no_grad():
    difference = encoder(x, src_key_padding_mask=padding)
    difference = difference - encoder(x, src_key_padding_mask=padding, packed=True)
print(f"{padded_seconds:.2f} s padded, {packed_seconds:.2f} s packed,", end=" ")
print(f"{padded_seconds / packed_seconds:.1f} times as fast;", end=" ")
print(f"largest difference at a real token {difference[~padding].abs().max():.0e}")

# %% [markdown] id="sorting-text"
# There is a cheaper trick: put texts of nearly the same length into one batch. 512 sections in batches of 32:

# %% id="sorting-run"
many = [len(each) for each in texts.ids_of(texts.sections(512, seed=1))]
for name, order in {"as drawn": many, "sorted by length": sorted(many)}.items():
    places = sum(32 * max(order[start : start + 32]) for start in range(0, 512, 32))
    share = 1 - sum(many) / places
    print(f"{name:16} {places:7,} places for {sum(many):,} tokens: {share:.0%} padding")

# %% id="sorting-quiz"
quiz("efficient.sorted-batches")

# %% [markdown] id="packed-rows-section"
# ## 6 Several texts in a row
#
# Training wants batches of one shape: as many tokens in each, so that each takes the same time and memory, and a compiled kernel fits them all. So [pack](glossary.md#packing): put several texts into one row, until it is full. A simple rule does: the longest text first, and each into the first row that has room. (Krell et al., 2021, who packed for BERT, take the emptiest row instead, and work on counts of lengths, so that millions of texts cost no more than thousands.)

# %% id="rows-run"
rows = texts.rows_of(many, room=256)
print(f"512 texts in {len(rows)} rows of 256: {sum(many) / (256 * len(rows)):.1%} of them full;")
print(f"one text a row: {sum(many) / (256 * 512):.1%}")
print("the fullest row has", max(map(len, rows)), "texts")

# %% [markdown] id="rows-note"
# But now a token sees the texts beside its own. A mask has to keep them apart.

# %% [markdown] id="packed-mask-text"
# ### Exercise 5: `packed_mask`
# *Difficulty 2 of 3, about 12 minutes. Hints: `hint("efficient.packed_mask")`*
#
# Where several short texts share a row, a token must see its own text alone. Given the number of the document at each place, return the mask of all pairs.
#
# ```
#     documents  0  0  1  -      key       0  0  1  -
#                        query  0          .  .  x  x      x = True = blocked
#                               0          .  .  x  x
#                               1          x  x  .  x
#                               -          x  x  x  x      - is -1, padding
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

# %% [markdown] id="mask-text"
# Three short sections in one row, with four places left over, and what a token may see (1 is blocked):

# %% id="mask-run"
short = [each for each in sequences if len(each) <= 11][:3]
row = torch.tensor([token for each in short for token in each] + [0] * 4)
documents = torch.tensor([n for n, each in enumerate(short) for _ in each] + [-1] * 4)
blocked = packed_mask(documents[None])  # (1, S, S)
names = [str(each) if each >= 0 else "-" for each in documents.tolist()]
figures.heatmap(
    blocked[0].float(), names, names, row_title="a token of text", column_title="sees text",
    title="1 where a token may not look",
)

# %% id="mask-predict"
predict("efficient.packed-alone")

# %% id="mask-alone-run"
with torch.no_grad():
    alone = model(torch.tensor(short[1])[None])[0]  # (S of the second text, D)
    place = slice(len(short[0]), len(short[0]) + len(short[1]))
    for name, mask in {"no mask": None, "your mask": blocked}.items():
        together = model(row[None], mask=mask)[0, place]
        print(f"{name:10} largest difference {(together - alone).abs().max():.2f}", end=", ")
        print(f"cosine similarity {F.cosine_similarity(together, alone).mean():.3f}")

    # Positions that begin again with each text: the embedding of each by itself.
    begun_again = torch.cat([model.embeddings(torch.tensor(each)[None]) for each in short], dim=1)
    hidden = begun_again  # (1, S, D), without the padding at the end
    apart = blocked[0, : hidden.shape[1], : hidden.shape[1]]
    for layer in model.layers:
        hidden = layer(hidden, src_mask=apart)
    print(f"your mask, positions that begin again: {(hidden[0, place] - alone).abs().max():.0e}")

# %% id="mask-explain"
explain("efficient.packed-alone")

# %% [markdown] id="mask-note"
# *What to see:* the mask is half of it. MiniLM adds a vector for each place, and the second text of a row stood at places that it never has by itself. With positions that begin again with each text, the row gives what each text gives alone. Relative and rotary positions (chapter 01) don't need this: they count distances, and distances within a text stay as they were.
#
# The mask of a row of 8,192 tokens has 67 million entries, nearly all of them *blocked*. A kernel that knows where the texts begin doesn't compute these blocks at all: `flex_attention` takes them as a block mask, FlashAttention as a list of lengths. ModernBERT trains so, with rows of several texts and no padding (Warner et al., 2024, section 2).
#
# Is it wrong to leave the mask out? RoBERTa's rows are cut from one stream of sentences that runs on over the ends of documents, with a separator and no mask (Liu et al., 2019, section 4.2), and so are those of our own command in section 11. Nothing but the training can then teach the model that a new text begins behind the separator, and we haven't measured how well it does. Of two teams that tried both ways with decoders, one found that the mask helps (Zhao et al., 2024); the other that it matters little in ordinary pre-training, and much in very long rows (Grattafiori et al., 2024, section 3.2).

# %% [markdown] id="precision-section"
# ## 7 Fewer bits
#
# A number in float32 has 32 bits: a sign, 8 for the exponent, which sets how large it may be, and 23 for the digits. Half as many bits travel twice as fast, and where a processor has units that multiply them, these are faster: seven times as fast on the Xeon of `benchmarks/results/pretraining.md`. But which 16?

# %% id="formats-run"
for dtype in (torch.float32, torch.bfloat16, torch.float16):
    info = torch.finfo(dtype)
    print(f"{str(dtype):15} {info.bits} bits, largest {info.max:.1e},", end=" ")
    print(f"next number after 1: 1 + {info.eps:.1e}")

# %% [markdown] id="formats-note"
# [bfloat16](glossary.md#bfloat16) keeps the range of float32 and gives up digits, two to three decimal ones are left. float16 keeps more digits and overflows at 65,504. Training took float16 first, with the loss multiplied so that small gradients don't vanish (Micikevicius et al., 2018); since processors have bfloat16, it is the usual choice.
#
# How much are two to three digits? Add 1 to a sum, a thousand times:

# %% id="sum-predict"
predict("efficient.thousand-ones")

# %% id="sum-run"
total = torch.zeros((), dtype=torch.bfloat16)
for _ in range(1000):
    total += 1
print(f"1 added 1,000 times: {total.item():g}; torch's sum of 1,000 ones", end=" ")
print(f"{torch.ones(1000, dtype=torch.bfloat16).sum().item():g}")
weight = torch.tensor(1.0, dtype=torch.bfloat16)
print(f"a weight of 1 after a step of 0.001: {(weight + 0.001).item():g}")

# %% id="sum-explain"
explain("efficient.thousand-ones")

# %% [markdown] id="sum-note"
# *What to see:* at 256 the next number is 258, and $256 + 1$ is rounded back to 256. (torch's own sum adds in float32 and rounds once, at the end; 1,000 happens to be a number that bfloat16 has.) This is what goes wrong in training and not in inference. A weight of 1 that moves by 0.001 does not move. So [mixed precision](glossary.md#mixed-precision) keeps the weights in float32, computes products in bfloat16, and adds up in float32: that is `torch.autocast`.
#
# In inference no weight has to move. MiniLM in bfloat16, judged by a search: 150 sections of the documentation, each looked for by its first twelve words, which are left out of it.

# %% id="bfloat16-run"
changed = low_precision.compare(low_precision.in_format(model, torch.bfloat16), bits=16)
print(f"similarity with the vectors of float32 {changed.similarity:.4f};", end=" ")
print(f"the same first hit in {changed.same_first:.0%} of the searches")
x = torch.randn(512, D)
weight = torch.randn(F_WIDTH, D)
single = measure.seconds(F.linear, x, weight)
half = measure.seconds(F.linear, x.bfloat16(), weight.bfloat16())
print(f"a product here: {1e3 * single:.2f} ms in float32, {1e3 * half:.2f} ms in bfloat16")

# %% [markdown] id="bfloat16-note"
# Whether bfloat16 is faster depends on your processor: it is where there are units for it, as in Intel's AMX, in AMD's processors from Zen 4 on and in NVIDIA's GPUs from 2020 on. Without them each number is widened first, and it is slower. The line above says which you have.
#
# And with eight bits? [Quantization](glossary.md#quantization) takes whole numbers from $-127$ to $127$, and a scale that says what one step is worth:
#
# $$w_{ij} \approx s_i \, q_{ij}, \qquad q_{ij} \in \{-127, \dots, 127\}$$

# %% [markdown] id="quantize-text"
# ### Exercise 6: `quantize`
# *Difficulty 2 of 3, about 15 minutes. Hints: `hint("efficient.quantize")`*
#
# Write a matrix in whole numbers of one byte each, with a scale for each row, so that `numbers * scale` is near `weight`.
#
# ```
#   weight (F, D)                 largest |w|    scale        numbers, int8 (F, D)
#    127.0   63.7  -20.3   0.4       127           1           127   64  -20    0
#     20.6 -254.0    0.8   100       254           2            10 -127    0   50
#                                               (F, 1)
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

# %% [markdown] id="scales-text"
# One scale for each row. Is that more than a detail? Your function on all matrices of MiniLM's layers, beside one scale for the whole matrix:

# %% id="scales-predict"
predict("efficient.one-scale")

# %% id="scales-run"
for name, function in {"a scale a row": quantize, "one scale": low_precision.whole_matrix}.items():
    changed = low_precision.compare(low_precision.quantized(model, function), bits=8)
    print(f"{name:14} {changed.megabytes:.1f} MB, similarity {changed.similarity:.3f},", end=" ")
    print(f"the same first hit in {changed.same_first:.0%} of the searches")
matrix = model.layers[0].linear1.weight
rows = matrix.abs().amax(dim=1)
print(f"largest weight of a row: the median {rows.median():.2f}, the largest {rows.max():.2f}")

# %% id="scales-explain"
explain("efficient.one-scale")

# %% [markdown] id="scales-note"
# *What to see:* a quarter of the memory, and a search that hardly notices, as long as each row has its own scale. With one for the whole matrix the largest weight of all decides for every row: where a row's own weights are ten times smaller, ten times fewer of the 255 steps are left for them. The same happens to activations, only worse: in large language models a few dimensions hold values up to twenty times those of the others, and Dettmers et al. (2022) compute these few in 16 bits and all the rest in 8.
#
# Here the numbers are turned back into float32 at once: the cell shows what eight bits do to a search, and counts the bytes that the whole numbers take. A kernel that multiplies whole numbers saves the memory, and time as well.

# %% [markdown] id="fewer-passes-section"
# ## 8 Fewer passes over memory
#
# What is left are the parts that wait for bytes, and what the processor's libraries do with products. Three things can be had without changing the model:
#
# - **Fused kernels** compute several parts while the numbers are on the chip. For attention you have seen it; norms with residuals, and an activation with the product before it, are others.
# - **`torch.compile`** writes such kernels itself, for what it finds in your code. It takes a while at the first call: worth it for hours of training, not for one sentence.
# - **A better library**, or weights laid out in the order in which it reads them. That is what `use_fast_cpu` looks for. It tries, measures speed *and* error, changes only what is faster and as exact, and says what it did:

# %% id="fast-cpu-run"
fast_model, _ = load_minilm(fresh=True)
few = torch.tensor(texts.ids_of(["The encoder reads a sentence of ordinary length."]))
with torch.no_grad(), one_thread():
    before, expected = measure.seconds(fast_model, few), fast_model(few)
    print(use_fast_cpu(model=fast_model))
    after, found = measure.seconds(fast_model, few), fast_model(few)
    use_fast_cpu(False, model=fast_model)  # as it was
print(f"one sentence: {1e3 * before:.1f} ms before, {1e3 * after:.1f} ms after;", end=" ")
print(f"largest difference {(expected - found).abs().max():.0e}")

# %% [markdown] id="fast-cpu-note"
# Your machine decides what is printed above. Published speeds are like that, too: a number without the processor, the shapes and the precision that it was measured with is no number. `benchmarks/results` has those of this course, with the same models in four other libraries beside them.
#
# The fourth thing changes no model either, and you have built it: the cache of chapter 07. A decoder that writes token $t$ has computed keys and values of all tokens before. Counted with your formula, for 256 tokens and attention alone:

# %% id="cache-run"
without = sum(attention_flops(1, t, D) for t in range(1, 257))
# With a cache: the projections of the new token, and its scores with all tokens so far.
with_cache = sum(8 * D * D + 4 * t * D for t in range(1, 257))
print(f"{without / 1e9:.1f} billion FLOPs without a cache, {with_cache / 1e9:.2f} billion with one")

# %% id="passes-quiz"
quiz("efficient.small-batch")

# %% [markdown] id="modernbert-section"
# ## 9 What ModernBERT changed
#
# (To begin a sitting here, in a fresh kernel, run the chapter's first code cell and the one below.)

# %% id="third-sitting"
with one_thread():
    machine = measure_machine()

# %% [markdown] id="modernbert-text"
# In 2024 Warner et al. rebuilt BERT with what had been learned in six years. Chapter 05 measured what each change is worth for *learning*. Here is what each is worth for *speed*, again one by one.
#
# **Windows.** Two layers of three see 64 tokens to each side; only every third sees all of the text. Beltagy et al. (2020) did so for long documents.

# %% id="windows-predict"
predict("efficient.windows")

# %% id="windows-run"
for length in (256, 1024, 4096):
    everything, nearby = modern.window_seconds(length)
    print(f"{length:5} tokens: {1e3 * everything:7.1f} ms, with a window {1e3 * nearby:6.1f} ms")
print("billions of FLOPs for one text, all layers:")
print(f"{'tokens':>6} {'BERT-base':>10} {'ModernBERT':>11} {'without windows':>16}")
for length in (128, 512, 2048, 8192):
    older, newer = modern.bert_base(length), modern.modernbert_base(length)
    unwindowed = modern.modernbert_base(length, windows=False)
    print(f"{length:6,} {older.billions:10.0f} {newer.billions:11.0f} {unwindowed.billions:16.0f}")

# %% id="windows-explain"
explain("efficient.windows")

# %% [markdown] id="windows-note"
# *What to see:* at 128 tokens a window saves nothing, since it covers the text. At 8,192 ModernBERT, with 22 layers, takes fewer operations than BERT-base would with 12.
#
# **Depth, and a gate.** ModernBERT-base is as wide as BERT-base, has nearly twice as many layers, and a narrower network in each:

# %% id="depth-run"
older, newer = modern.bert_base(512), modern.modernbert_base(512)
for name, size in {"BERT-base": older, "ModernBERT-base": newer}.items():
    print(f"{name:16} {size.layers} layers with {size.parameters / 1e6:.0f} million,", end=" ")
    print(f"{size.parameters / size.layers / 1e6:.1f} million parameters a layer")
gated, plain = 3 * 768 * 1152, 2 * 768 * 3072
print(f"weights of a feed-forward network: {gated / 1e6:.2f} million, {plain / 1e6:.2f} in BERT")
biases = 3072 + 768 + 4 * 768 + 2 * 768  # feed-forward, projections, norms
print(f"biases of a layer of BERT-base: {biases:,}, {biases / (older.parameters / 12):.2%} of it")

# %% [markdown] id="depth-note"
# | change | for speed | for learning (chapter 05) |
# | --- | --- | --- |
# | no padding | up to as many times faster as a batch has places for each token: see section 5 | nothing |
# | windows | at thousands of tokens much, below a hundred nothing | hardly felt in short texts |
# | fused attention | at hundreds of tokens and more | nothing |
# | a gate, and 1,152 for 3,072 | fewer weights a layer, spent on more layers | little by itself |
# | rotary positions | a few operations for each query and key, and no table | the largest change of all |
# | no biases | next to nothing: one parameter in a thousand | costs a small model something |
#
# So the fast parts and the parts that learn well are not the same parts. And the widths suit the machine: 768 and 1,152 are multiples of 128, and the units of a GPU multiply tiles of fixed sizes (Warner et al., 2024, section 2.1, after Anthony et al., 2024).

# %% id="modern-quiz"
quiz("efficient.depth")

# %% [markdown] id="cost-lab-section"
# ## 10 The cost lab
#
# All of this on one page. Choose a length, a batch, a width, a precision, a kind of attention: the bars say what each part costs, the roofline what it waits for, the curve where the square takes over. Then let it be measured, and compare; attention in blocks is measured with *your* function.

# %% id="cost-lab"
labs.CostLab({"float32": machine}, blockwise=use("efficient.blockwise_attention"))

# %% id="cost-lab-quiz"
quiz("efficient.bert-large-training")

# %% [markdown] id="processes-section"
# ## 11 From one process to many
#
# Where one device is too slow, many share the work. The simplest way is [data parallelism](glossary.md#data-parallelism): every process has the whole model and its own part of the batch; after the backward pass they average their gradients, so that all make the same step. In one process, by hand:

# %% id="average-run"
torch.manual_seed(0)
linear = torch.nn.Linear(16, 4)
x, target = torch.randn(8, 16), torch.randn(8, 4)
whole = torch.autograd.grad(F.mse_loss(linear(x), target), linear.weight)[0]
halves = [
    torch.autograd.grad(F.mse_loss(linear(x[part]), target[part]), linear.weight)[0]
    for part in (slice(0, 4), slice(4, 8))
]
print(f"mean of the halves' gradients: off by {(sum(halves) / 2 - whole).abs().max():.0e}")

# %% id="average-predict"
predict("efficient.unequal-parts")

# %% id="unequal-run"
parts_of_it = [slice(0, 2), slice(2, 8)]  # two examples for one process, six for the other
unequal = [
    torch.autograd.grad(F.mse_loss(linear(x[part]), target[part]), linear.weight)[0]
    for part in parts_of_it
]
weighted = (2 * unequal[0] + 6 * unequal[1]) / 8
print(f"the mean: off by {(sum(unequal) / 2 - whole).abs().max():.2f}", end=", ")
print(f"weighted by what each has: {(weighted - whole).abs().max():.0e}")

# %% id="average-explain"
explain("efficient.unequal-parts")

# %% [markdown] id="average-note"
# *What to see:* a mean of means is the mean only where all parts are equally large. In a masked language model they hardly ever are: each process hides another number of tokens. The same trap waits where one process adds up gradients of several small batches before a step.
#
# Now for real. `python -m encoder_core.pretrain` is this project's pre-training command: text files in; vocabulary, checkpoints, a log and a model out, which transformers reads. `torchrun` starts it several times and tells each copy who the others are. The smallest preset, one process and then two:

# %% id="torchrun-run"
print("torchrun --standalone --nproc-per-node 2", processes.COMMAND.format(steps=40))
runs = {count: processes.pretrain(count) for count in (1, 2)}
for count, run in runs.items():
    first, last, speed = run.losses[0], run.losses[-1], run.tokens_per_second
    print(f"processes: {count}; loss {first:.4f} -> {last:.4f}; {speed:,.0f} tokens a second")
apart_curves = max(abs(a - b) for a, b in zip(runs[1].losses, runs[2].losses))
print(f"largest difference between the two curves: {apart_curves:.0e}")
figures.lines(
    list(range(1, 41)),
    {f"{count} process{'es' * (count > 1)}": run.losses for count, run in runs.items()},
    x_title="update", y_title="loss", title="One training, shared or not",
)

# %% [markdown] id="torchrun-note"
# *What to see:* one curve. Sharing changes the time and not the training, as long as the whole batch is the same. (Two processes on a machine whose processors have other things to do gain little. On eight GPUs the same command is `torchrun --nproc-per-node 8`, and NVIDIA's library, NCCL, carries the gradients; on CPUs torch's Gloo does.)
#
# What has to be carried? Each update, every gradient: about twice 110 million numbers into and out of each device for BERT-base, whatever the batch. So large batches make sharing cheap.
#
# And when the model itself is too large? In training, a parameter takes 16 bytes: 4 for itself, 4 for its gradient and 8 for Adam's two averages; in mixed precision it is 16 again, with other parts (Rajbhandari et al., 2020, section 3). [Sharding](glossary.md#sharding) gives each process a part of all of these, and fetches a layer's weights from the others when it is the layer's turn.

# %% id="sharding-run"
for name, billions in {"BERT-base": 0.11, "BERT-large": 0.34, "7 B": 7.0, "70 B": 70.0}.items():
    gigabytes = 16 * billions
    print(f"{name:10} {gigabytes:7,.1f} GB on one device, {gigabytes / 8:6,.1f} on each of eight")

# %% [markdown] id="sharded-text"
# PyTorch does this in `torch.distributed.fsdp` (Zhao et al., 2023), and the command with one more word, `--shard`. The training from above once more, each of two processes holding half:

# %% id="sharded-run"
sharded = processes.pretrain(2, shard=True)
apart_sharded = max(abs(a - b) for a, b in zip(runs[1].losses, sharded.losses))
print(f"largest difference from one process's curve: {apart_sharded:.0e}", end="; ")
print(f"{sharded.tokens_per_second:,.0f} tokens a second")

# %% id="sharding-quiz"
quiz("efficient.sharding")

# %% [markdown] id="plan-section"
# ## 12 A BERT of your own: a plan with numbers
#
# > **In the article** (1.1): "近年来，随着计算能力的提升和数据量的爆炸式增长，大模型（Large Language Models，LLMs）在人工智能领域取得了显著的进展" (*in recent years, with growing computing power and an explosion of data, large models have made remarkable progress in artificial intelligence*).
# >
# > How much power, and how much data? For a model of this article's kind you can now work it out yourself.
#
# The recipe: operations a token (six for each parameter, and the square), times the tokens, divided by what the devices really do. The last is the uncertain one. A graphics processor comes near its peak in large products and nowhere else, so plans count with a **share of the peak**. What shares have been reached?
#
# - DeepSpeed (2020) trained BERT-large on a V100, whose peak is 125 trillion operations a second, at 64 trillion with texts of 128 tokens and at 53 with 512: 51 % and 42 %, with kernels written for it.
# - Portes et al. (2023) trained a plain BERT-base to compare with, at most 70,000 updates of 4,096 texts of 128 tokens. Their table 1 has its score after 11.5 hours on eight A100, whose peak is 312 trillion each: by our count at most 19 %.
# - On one thread of a CPU this project's command reached 82 % in float32, and 31 % of a higher peak in bfloat16 (`benchmarks/results/pretraining.md`).
#
# So 40 %, with which the next cell counts, has to be worked for, and half of it is no surprise. The thread of this machine is counted at 80 %.

# %% id="plan-predict"
predict("efficient.days-for-a-bert")

# %% id="plan-run"
H200 = 989e12  # operations a second in bfloat16, from NVIDIA's data sheet, without sparsity
recipes = {  # tokens that are read in training
    "BERT, 2018": 256 * (900_000 * 128 + 100_000 * 512),
    "MosaicBERT, 2023": 70_000 * 4096 * 128,
    "ModernBERT, 2024": 2_000_000_000_000,
}
per_token = 3 * modern.bert_base(128).billions * 1e9 / 128  # forward, and twice that backward
print(f"BERT-base: {per_token / 1e9:.2f} billion operations a token in training, without its head")
print("hours on H200s at 40 % of their peak:")
for name, tokens in recipes.items():
    work = tokens * per_token
    hours = work / (H200 * 0.4) / 3600
    years = work / (machine.peak * 0.8) / 3600 / 24 / 365
    print(f"{name:17} {tokens / 1e9:5,.0f} billion tokens: {hours:6,.1f} hours on one,", end=" ")
    print(f"{hours / 8:5,.1f} on eight; {years:8,.1f} years on one thread here")

# %% id="plan-explain"
explain("efficient.days-for-a-bert")

# %% [markdown] id="plan-note"
# *What to see:* the BERT of 2018, which took four days on sixteen TPU chips, Google's processors for networks (Devlin et al., 2019, appendix A.2), is less than a day on one device of 2024, if that reaches 40 %. Portes et al. (2023) report an average of 79.6 on GLUE's development sets after 1.13 hours on eight A100; Geiping and Goldstein (2023) asked what one ordinary card can do in one day, and came close to BERT. ModernBERT read about fifty times as many tokens as either of the first two. (All three rows count BERT-base's operations at 128 tokens, whatever was trained, so that they compare the tokens.)
#
# What is *not* in this plan: the text (clean, with a licence, and without the test sets in it), a few runs that fail, and the evaluation. And it says nothing of whether more tokens help. That is a question for experiments, such as chapter 05's.
#
# The command of section 11 makes such a plan for each of its presets, with the operations of the head and of the square counted, too (`--dry-run` prints it). Its preset for eight devices, which has MosaicBERT's batch, rate and number of updates:

# %% id="preset-run"
print(plan_pretraining("base-8", peak=H200, share=0.4))

# %% [markdown] id="commands-note"
# And in commands. Try each step on a CPU with the smallest preset before you rent anything:
#
# ```
# python -m encoder_core.pretrain my-texts runs/try --preset tiny
# python -m encoder_core.pretrain my-texts runs/base --preset base --compile
# torchrun --standalone --nproc-per-node 8 -m encoder_core.pretrain \
#     my-texts runs/base-8 --preset base-8 --compile
# ```
#
# Each prints its tokens a second and its share of the measured peak while it runs. It goes on where it stopped when it is called again, whatever ended it; no text is read twice or lost. (The presets for GPUs were planned and not run: no GPU was at hand.)

# %% [markdown] id="recap"
# ## Recap
#
# - Two operations for each parameter and token, six in training; and $4 S^2 D$ for a layer's scores and weighted values, which are half of the work at $S = 6D$.
# - A part waits for arithmetic or for memory. Its intensity, operations per byte, says which; products with weights are the first, nearly all else is the second.
# - A softmax can run: keep the highest score, the sum and the weighted values, and correct them when the highest rises. So no matrix of scores is ever needed.
# - Padding is computed like text. Without it, or with sorted batches, real batches cost a fraction.
# - Texts may share a row if a mask keeps them apart *and* their positions begin again.
# - Fewer bits: bfloat16 keeps the range and loses digits, so sums and weights of a training stay in float32. Eight bits with a scale for each row hardly changed what MiniLM finds.
# - A change that makes a model faster is worth something at a length, a batch and a machine. Measure it there.
# - Many processes average their gradients, weighted by what each has seen; sharding divides what each must hold.
# - A plan is tokens times operations divided by operations a second. The share of the peak is the number to measure.

# %% [markdown] id="glossary"
# ### The chapter's terms
#
# <!-- glossary -->

# %% [markdown] id="papers"
# ### The papers
#
# - Kaplan, McCandlish, Henighan, Brown, Chess, Child, Gray, Radford, Wu, Amodei: *Scaling Laws for Neural Language Models*. 2020. [arXiv:2001.08361](https://arxiv.org/abs/2001.08361). Section 2.1: operations for each parameter and token.
# - Williams, Waterman, Patterson: *Roofline: An Insightful Visual Performance Model for Multicore Architectures*. Communications of the ACM 52(4), 2009. [doi:10.1145/1498765.1498785](https://doi.org/10.1145/1498765.1498785).
# - Milakov, Gimelshein: *Online normalizer calculation for softmax*. 2018. [arXiv:1805.02867](https://arxiv.org/abs/1805.02867). Section 3: the running softmax.
# - Rabe, Staats: *Self-attention Does Not Need O(n²) Memory*. 2021. [arXiv:2112.05682](https://arxiv.org/abs/2112.05682).
# - Dao, Fu, Ermon, Rudra, Ré: *FlashAttention: Fast and Memory-Efficient Exact Attention with IO-Awareness*. NeurIPS 2022. [arXiv:2205.14135](https://arxiv.org/abs/2205.14135). Section 3: the kernel, and the scores computed again.
# - Zeng, Li, Wu, Liu, Liu, Yu, Ma: *Boosting Distributed Training Performance of the Unpadded BERT Model*. 2022. [arXiv:2208.08124](https://arxiv.org/abs/2208.08124).
# - Krell, Kosec, Perez, Fitzgibbon: *Efficient Sequence Packing without Cross-contamination: Accelerating Large Language Models without Impacting Performance*. 2021. [arXiv:2107.02027](https://arxiv.org/abs/2107.02027). Section 3.
# - Liu, Ott, Goyal, and others: *RoBERTa: A Robustly Optimized BERT Pretraining Approach*. 2019. [arXiv:1907.11692](https://arxiv.org/abs/1907.11692). Section 4.2: how rows are filled.
# - Zhao, Qu, Staniszewski, Tworkowski, Liu, Miłoś, Wu, Minervini: *Analysing The Impact of Sequence Composition on Language Model Pre-Training*. ACL 2024. [arXiv:2402.13991](https://arxiv.org/abs/2402.13991). Rows with and without a mask between texts.
# - Grattafiori et al.: *The Llama 3 Herd of Models*. 2024. [arXiv:2407.21783](https://arxiv.org/abs/2407.21783). Section 3.2: the mask.
# - Micikevicius, Narang, Alben, and others: *Mixed Precision Training*. ICLR 2018. [arXiv:1710.03740](https://arxiv.org/abs/1710.03740).
# - Dettmers, Lewis, Belkada, Zettlemoyer: *LLM.int8(): 8-bit Matrix Multiplication for Transformers at Scale*. NeurIPS 2022. [arXiv:2208.07339](https://arxiv.org/abs/2208.07339).
# - Beltagy, Peters, Cohan: *Longformer: The Long-Document Transformer*. 2020. [arXiv:2004.05150](https://arxiv.org/abs/2004.05150).
# - Warner, Chaffin, Clavié, and others: *Smarter, Better, Faster, Longer: A Modern Bidirectional Encoder for Fast, Memory Efficient, and Long Context Finetuning and Inference*. 2024. [arXiv:2412.13663](https://arxiv.org/abs/2412.13663). ModernBERT; section 2.
# - Anthony, Hatef, Narayanan, and others: *The Case for Co-Designing Model Architectures with Hardware*. 2024. [arXiv:2401.14489](https://arxiv.org/abs/2401.14489).
# - Rajbhandari, Rasley, Ruwase, He: *ZeRO: Memory Optimizations Toward Training Trillion Parameter Models*. SC 2020. [arXiv:1910.02054](https://arxiv.org/abs/1910.02054). Section 3: what a parameter takes.
# - Zhao, Gu, Varma, and others: *PyTorch FSDP: Experiences on Scaling Fully Sharded Data Parallel*. VLDB 2023. [arXiv:2304.11277](https://arxiv.org/abs/2304.11277).
# - DeepSpeed: *Microsoft DeepSpeed achieves the fastest BERT training time*. 2020. [github.com/deepspeedai/DeepSpeed](https://github.com/deepspeedai/DeepSpeed/blob/master/docs/_posts/2020-05-28-fastest-bert-training.md). Operations a second with BERT-large.
# - Devlin, Chang, Lee, Toutanova: *BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding*. NAACL 2019. [arXiv:1810.04805](https://arxiv.org/abs/1810.04805). Appendix A.2.
# - Portes, Trott, Havens, and others: *MosaicBERT: A Bidirectional Encoder Optimized for Fast Pretraining*. NeurIPS 2023. [arXiv:2312.17482](https://arxiv.org/abs/2312.17482). Section 3 with table 1: hours and scores.
# - Geiping, Goldstein: *Cramming: Training a Language Model on a Single GPU in One Day*. ICML 2023. [arXiv:2212.14034](https://arxiv.org/abs/2212.14034).
