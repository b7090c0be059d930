# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown] id="title"
# # 07 Text generation
#
# > return copy string leading characters removed
#
# These are the keywords of a sentence from Python's documentation; its small words were dropped. You can write the sentence: *Return a copy of the string with leading characters removed.* The encoder of chapters 01 to 06 can't. It gives every keyword a vector that knows the others, and nothing in it writes. This chapter adds the half that writes, the [decoder](glossary.md#decoder), trains both together on that task, and asks at each step what the encoder's output is worth to it.
#
# **When you are through, you can**
#
# - draw a decoder layer with its two attentions, and say where queries, keys and values come from in each;
# - say what a decoder reads in training and what it reads when it writes, and measure what the difference does;
# - turn one distribution over the next token into a text in four ways, and say what each cuts away;
# - write one step with a key/value cache, and count what it saves and what it costs;
# - show what the encoder hands over, by taking it away;
# - say what encoder-decoders write today, and what is left to decoders alone.
#
# **You need** Python, a little PyTorch, and from the chapters before: multi-head attention and the masks of 02, the layer of 04, the loss of 05.
#
# **Time** About three and a half hours: six exercises, 103 minutes by our count, and about 100 minutes to read, run and play.

# %% id="setup"
import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course import check, datasets, explain, figures, hint, labs, measure, predict, quiz, use
from course.content.generation import demonstrations as generation
from course.content.generation import writing
from course.content.generation.experiments import answers
from course.content.generation.experiments import pairs as keyword_pairs
from course.content.generation.keywords import ORDERED, keyword_sentences, plain_baselines
from course.content.recorded import recording
from encoder_core import EncoderDecoder, generate_greedy, sentence_embedding

# %% [markdown] id="task-section"
# ## 1 What a generator is asked to do
#
# Given a source $x$, say our keywords, a generator assigns a probability to every text $y$. There are far too many texts to list. But the probability of a text is a product, one factor a token, and this is no approximation:
#
# $$p(y \mid x) = \prod_{t=1}^{T} p(y_t \mid y_1, \dots, y_{t-1}, x)$$
#
# So it is enough to answer one question again and again: **what comes next**, given the source and what has been written? A model that answers it is called *autoregressive*. Each answer is a softmax over the vocabulary, as in chapter 05; there both sides of the blank were in sight, here only the left side of the text, and all of the source.
#
# Vaswani et al. (2017) split the work. The encoder reads the source once. The decoder writes, and looks at what the encoder made of it before each token:
#
# ```
#  source (B, S) ──► encoder ──► memory (B, S, D) ───────┐
#                    once                                │ keys, values
#                                                        ▼
#  text so far ──► self-attention ──► cross-attention ──► feed-forward ──► logits
#  (B, T)           causal, (T, T)       (T, S)                          (B, T, V)
#                   └──────────── N layers, once a token ────────────┘
# ```
#
# The encoder's output is called the *memory* here, as in PyTorch. A model with random weights has all the shapes already:

# %% id="shapes-run"
torch.manual_seed(0)
untrained = EncoderDecoder(vocab_size=50, d_model=32, nhead=4).eval()
source = torch.tensor([[7, 8, 9, 10, 11], [12, 13, 14, 0, 0]])  # (B, S), 0 is padding
so_far = torch.tensor([[1, 20, 21], [1, 30, 31]])  # (B, T), begins with the id 1
memory, memory_padding = untrained.encode(source)
logits = untrained(source, so_far)
print("memory", tuple(memory.shape), "its padding", memory_padding.sum(dim=1).tolist())
print("logits", tuple(logits.shape), "one distribution after each token")

# %% [markdown] id="article-generation"
# > **In the article** (6.2): "编码器可以用于生成文本的隐藏表示，然后将其输入到解码器中生成新的文本" (*the encoder can be used to generate the text's hidden representation, which is then fed into the decoder to generate new text*).
# >
# > Two things are worth a closer look. What is *fed into* the decoder is its own text so far; the hidden representation stands beside it, and each layer looks at it. And the representation isn't one vector: it has one for **each token**, $(S, D)$, so that the decoder can look at another place for each word. (Early networks of this kind did hand over a single vector: Sutskever, Vinyals and Le, 2014. Cho et al. (2014) found what that costs long sentences, and chapter 08 shows it.)
# >
# > What is written this way today? Where one text, or one recording, becomes another: translation (NLLB Team, 2022), transcription (Whisper: Radford et al., 2022), summaries and other tasks put as text to text (BART: Lewis et al., 2020; T5: Raffel et al., 2020). Chat, programs and free text are written by decoders alone, such as Llama 3 (Grattafiori et al., 2024), for which source and text are one sequence. Section 10 trains one of these on our task, so that you can compare.

# %% id="handed-over-quiz"
quiz("generation.handed-over")

# %% [markdown] id="attentions-section"
# ## 2 The decoder's two attentions
#
# **Self-attention.** The text looks at itself, through a [causal mask](glossary.md#causal-mask) (chapter 02): place $t$ sees the places up to $t$. You have written that.
#
# **[Cross-attention](glossary.md#cross-attention).** The text looks at the source. Queries are made of the decoder's vectors, keys and values of the memory:
#
# $$Q = XW^Q, \qquad K = MW^K, \qquad V = MW^V \qquad\text{with } X: (T, D),\ M: (S, D)$$
#
# The weights are $(T, S)$: one row for each token that is written, one column for each that was read. There is no causal mask, since the source is there from the start. But the source may be padded, and padding must not be looked at.

# %% [markdown] id="cross-attention-text"
# ### Exercise 1: `cross_attention`
# *Difficulty 2 of 3, about 25 minutes. Hints: `hint("generation.cross_attention")`*
#
# ```
#  target (B, T, D)                     memory (B, S, D)
#       │ first third of w_in                │ second third     │ last third
#       ▼                                    ▼                  ▼
#  query (B, H, T, Dh)              key (B, H, S, Dh)    value (B, H, S, Dh)
#       └──────────► scores (B, H, T, S) ◄───┘                  │
#                        │ softmax over S, padding out          │
#                        └───────────► output ◄─────────────────┘
#                                  (B, H, T, Dh) ──► (B, T, D) ──► w_out, b_out
# ```
#
# - `w_in` $(3D, D)$ and `b_in` $(3D,)$ stack query, key and value, as in chapter 02's `multi_head`; `w_out` and `b_out` are the output projection.
# - `memory_padding_mask` $(B, S)$ is True at padding, or `None`.
# - Where a memory is all padding the heads give zeros, so that the text's rows are `b_out`. No NaN, and no NaN in the gradients.
#
# You may use functions that you have: `scaled_dot_product = use("attention.scaled_dot_product")`, for example.
#
# *A tiny case.* One head of width 1, $W^Q = W^K = W^V = W^O = 1$, biases 0. The target is $0$ and the memory $2, 4$: the scores are $0$ and $0$, the weights a half each, and the result is $3$. With the second one padding it is $2$.


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

# %% id="cross-attention-run"
one = torch.ones(1, 1)
tiny_target, tiny_memory = torch.zeros(1, 1, 1), torch.tensor([[[2.0], [4.0]]])
tiny = (tiny_target, tiny_memory, one.repeat(3, 1), torch.zeros(3), one, torch.zeros(1), 1)
second_is_padding = torch.tensor([[False, True]])
print("both:", cross_attention(*tiny).item())
print("the second is padding:", cross_attention(*tiny, second_is_padding).item())

layer = untrained.decoder.layers[0].multihead_attn  # the first layer's cross-attention
weights = (layer.in_proj_weight, layer.in_proj_bias, layer.out_proj.weight, layer.out_proj.bias)
x = torch.randn(2, 3, 32)  # (B, T, D), any vectors
with torch.no_grad():
    mine = cross_attention(x, memory, *weights, 4, memory_padding)
    theirs = layer(x, memory, memory, memory_padding)[0]
print("as in the model:", torch.allclose(mine, theirs, atol=1e-5))

# %% [markdown] id="permuted-text"
# Now shuffle the memory: the same vectors, in another order along $S$. What does cross-attention notice?

# %% id="permuted-predict"
predict("generation.memory-permuted")

# %% id="permuted-run"
order = torch.tensor([3, 0, 4, 2, 1])
with torch.no_grad():
    permuted = cross_attention(x, memory[:, order], *weights, 4, memory_padding[:, order])
permuted_gap = (permuted - mine).abs().max().item()
print(f"largest difference: {permuted_gap:.0e}")

# %% id="permuted-explain"
explain("generation.memory-permuted")

# %% [markdown] id="permuted-note"
# *What to see:* only rounding differs. The memory is a set of vectors to this attention. If the order of the source matters, and it does, the encoder must have written it into the vectors: with positions (chapter 01), and by letting each token see its neighbours. Section 8 takes the order of our keywords away and measures what is lost.

# %% [markdown] id="forcing-section"
# ## 3 Teacher forcing, and the shift
#
# How is such a model trained? Each text of the training set has $T$ tokens, so it asks $T$ questions: the first token after nothing, the second after the first, and so on. With the true tokens as the beginning of each, and a causal mask, **one pass** answers all of them. The decoder is never asked what it would have written itself: it is led by the hand, which Williams and Zipser (1989) called [teacher forcing](glossary.md#teacher-forcing).
#
# One thing must be right. At the place where token $t$ is to be written, the decoder may have read tokens up to $t - 1$. So its input is the text, **shifted right** by one place, with a token for "begin" in front:

# %% [markdown] id="shift-right-text"
# ### Exercise 2: `shift_right`
# *Difficulty 1 of 3, about 8 minutes. Hints: `hint("generation.shift_right")`*
#
# ```
#   targets, to be written    Return   a    copy    of   [EOS]     (B, T)
#                                ▲     ▲      ▲      ▲     ▲
#   decoder input             [BOS]  Return   a    copy    of      (B, T)
# ```
#
# The last target is never read: nothing is written after it. Padding needs no care, since the loss leaves it out. The result has the dtype of `targets`.
#
# *A tiny case.* Targets $5, 6, 2$ with `bos_id` $1$: the input is $1, 5, 6$.


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

# %% [markdown] id="speller-text"
# To see what this is good for, take a task that is as small as can be: **spelling**. An encoder-decoder (one layer each, 48 numbers wide) reads a word as a single token and writes its letters. It learns 200 words of Python's documentation by heart. Place 3 of what it writes can be compared with place 3 of the word, which no real sentence allows.
#
# First without the shift: the decoder's input is the letters themselves.

# %% id="unshifted-predict"
predict("generation.unshifted")

# %% id="unshifted-run"
unshifted = generation.Speller()
unshifted_losses = unshifted.train(lambda sources, letters: letters, updates=20)
print(f"loss {unshifted_losses[0]:.2f} at the start, {unshifted_losses[-1]:.2f} after 20 updates")
for row in unshifted.write(unshifted.sources[:3]):
    print("it writes", unshifted.word(row))

# %% id="unshifted-explain"
explain("generation.unshifted")

# %% [markdown] id="unshifted-note"
# *What to see:* the loss is 0.7 before any update, where guessing among 229 tokens alike would cost $\ln 229 = 5.4$. The answer stands in the input, and a model whose output layer is its embedding table hands it through. A dot is no letter: the model copies its input, `[BOS]`, again and again. A loss that is too good is a bug until you know better.
#
# Now with the shift.

# %% id="speller-run"
speller = generation.Speller()
forced_losses = speller.train(lambda sources, letters: shift_right(letters, generation.BOS))
letters, real = speller.letters, speller.letters != generation.PAD  # (N, T) both
forced = speller.likeliest(shift_right(letters, generation.BOS)) == letters  # after true letters
own_text = speller.write(speller.sources)  # (N, T)
free = own_text == letters  # after its own letters
print(f"loss {forced_losses[0]:.2f} at the start, {sum(forced_losses[-20:]) / 20:.2f} at the end")
print(f"right letters: {forced[real].float().mean():.0%} after the true ones before")
print(*(f"{speller.words[i]}: {speller.word(own_text[i])}" for i in range(0, 200, 25)), sep=", ")

# %% [markdown] id="exposure-text"
# Two letters of three, says the measure that training uses, and then it writes words like those of the last line. In training it has always read the true letters. When it writes, it reads its own. Look only at the places **after** a word's first wrong letter. With the true letters before them, it is right in some 70 %. And with its own?

# %% id="exposure-predict"
predict("generation.after-an-error")

# %% id="exposure-run"
wrong = ~forced & real
after_an_error = ((wrong.cumsum(dim=1) - wrong.long()) > 0) & real  # (N, T)
right_after_error = {
    "after true letters": forced[after_an_error].float().mean().item(),
    "after its own": free[after_an_error].float().mean().item(),
}
whole = [(kind | ~real).all(dim=1).float().mean().item() for kind in (forced, free)]
for name, share in right_after_error.items():
    print(f"{name:18} {share:.0%} right at the {after_an_error.sum()} places behind an error")
print(f"whole words right: {whole[0]:.1%} and {whole[1]:.1%}")
figures.lines(
    range(1, 9),
    {
        "after true letters": [forced[:, t][real[:, t]].float().mean().item() for t in range(8)],
        "after its own": [free[:, t][real[:, t]].float().mean().item() for t in range(8)],
    },
    x_title="place of the letter", y_title="share of right letters",
    title="The same model, led by the hand and alone",
)

# %% id="exposure-explain"
explain("generation.after-an-error")

# %% [markdown] id="exposure-note"
# *What to see:* the two lines begin together, at the first letter, which has nothing before it. Led by the hand, the model gets better towards the end of a word, since the true letters tell it which word it is. Alone, it does not recover: a wrong letter is a place that it never stood at in training. Ranzato et al. (2016) named this [exposure bias](glossary.md#exposure-bias).
#
# And a subtle point: the share of **whole words** is the same in both rows, exactly. Up to the first error both read the same letters. So exposure bias is about what comes after an error; how often there is a first one, teacher forcing measures well.

# %% id="whole-words-quiz"
quiz("generation.whole-words")

# %% [markdown] id="own-text-text"
# Why not train it on its own letters, then? Try it: the same model and 150 updates, once with the true letters as input, once with what it writes at that moment.

# %% id="own-text-run"
led, alone = generation.Speller(), generation.Speller()
ends = {
    "true letters": led.train(lambda sources, letters: shift_right(letters, generation.BOS), 150),
    "its own": alone.train(
        lambda sources, letters: shift_right(alone.write(sources), generation.BOS), 150
    ),
}
for (name, losses), model in zip(ends.items(), (led, alone)):
    samples = ", ".join(model.word(row) for row in model.write(model.sources[:5]))
    print(f"{name:13} loss {sum(losses[-20:]) / 20:.2f}; it writes {samples}")

# %% [markdown] id="own-text-note"
# *What to see:* on its own letters it learns little more than which letters are frequent. After a wrong beginning the right next letter is not defined at all: what should follow *tt* in *return*? And every update has to write a text first, one token after another. So training begins with teacher forcing. Bengio, Vinyals, Jaitly and Shazeer (2015) mix: more and more of the model's own tokens as training goes on. Ranzato et al. (2016) end with a loss on whole texts. The later the first error, the fewer tokens stand behind it, and the less either of them can gain.

# %% [markdown] id="greedy-section"
# ## 4 One token after another: greedy decoding
#
# A trained model answers "what comes next?" with logits. Something has to turn answers into a text, and that is not the model's business any more: it is called *decoding*, and there are many ways. The plainest takes the likeliest token each time.

# %% [markdown] id="greedy-decode-text"
# ### Exercise 3: `greedy_decode`
# *Difficulty 2 of 3, about 15 minutes. Hints: `hint("generation.greedy_decode")`*
#
# `next_logits` stands for any model: it takes the whole text so far, a list that begins with `bos_id`, and returns logits $(V,)$.
#
# ```
#   [BOS]                 ─► next_logits ─► argmax ─► Return
#   [BOS] Return          ─► next_logits ─► argmax ─► a
#   [BOS] Return a        ─► next_logits ─► argmax ─► copy
#     ...                                             [EOS]: stop
# ```
#
# - Stop at `eos_id`, or after `max_length` tokens, whichever is first. Neither `bos_id` nor `eos_id` is counted.
# - The result is a list of Python `int`, without `bos_id` and without `eos_id`.
#
# *A tiny case.* A model that likes 5 after 1, 6 after 5 and 2 after 6, with `bos_id` 1 and `eos_id` 2: the result is $5, 6$; with `max_length` 1 it is $5$.


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

# %% id="greedy-decode-run"
successor = {1: 5, 5: 6, 6: 2}
for most in (9, 1):
    print(greedy_decode(lambda ids: torch.eye(7)[successor[ids[-1]]], 1, 2, most))

# %% [markdown] id="counts-text"
# Our decoder isn't trained yet (section 7). To look at decoding by itself, a simpler model will do: **counts**. `counts` has read Python's documentation and guesses the next word from the two words before it. It knows no source; otherwise it answers the same question in the same form.

# %% id="counts-run"
counts = generation.counts()
for begun in ("return a", "return a list", "raises a"):
    p = torch.softmax(counts.next_logits(counts.encode(begun)), dim=-1)  # (V,)
    best = p.topk(5)
    pairs = zip(best.indices.tolist(), best.values.tolist())
    print(f"{begun:14} {', '.join(f'{counts.words[i]} {q:.2f}' for i, q in pairs)}")
continued = counts.after("return a")  # a function of ids: what follows "return a" and these
written = greedy_decode(continued, generation.BOS, generation.EOS, 24)
print("greedy: return a", counts.text(written))

# %% [markdown] id="loop-text"
# A short text, and a dull one. Now ask for a longer one: forbid the end, by giving `[EOS]` the logit $-\infty$.

# %% id="loop-predict"
predict("generation.greedy-loop")

# %% id="loop-run"
endless = counts.after("return a", end=False)
looped = greedy_decode(endless, generation.BOS, generation.EOS, 24)
print("return a", counts.text(looped))

# %% id="loop-explain"
explain("generation.greedy-loop")

# %% [markdown] id="loop-note"
# *What to see:* a loop. For this model it can't be otherwise: it looks at two words, so when two words come again, everything after them does. A Transformer sees all of its text, and yet large ones fall into loops as well when they are decoded greedily: each repetition makes the next one likelier (Holtzman et al., 2020, figure 4).
#
# A rough cure: let no $n$ tokens in a row stand there twice. Paulus, Xiong and Socher (2018) write summaries in this way, with $n = 3$.

# %% [markdown] id="no-repeat-ngram-text"
# ### Exercise 4: `no_repeat_ngram`
# *Difficulty 2 of 3, about 15 minutes. Hints: `hint("generation.no_repeat_ngram")`*
#
# Given the logits $(V,)$ of the next token and all `ids` so far, return the logits with $-\infty$ at each token that would complete $n$ tokens in a row which stand in `ids` already.
#
# ```
#   n = 3     ids   a  list  of  the  file  is  a  list  ?
#                   └─────┬────┘                └───┬──┘
#                         │                 the last n - 1
#                   they stood here, and "of" followed: "of" is blocked
# ```
#
# With $n = 1$ no token may come twice. Where fewer than $n$ tokens stand in `ids`, nothing is blocked. The other logits stay as they are.
#
# *A tiny case.* `ids` $1, 5, 6, 5$ and $n = 2$: after 5 came 6, so token 6 is blocked.


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

# %% id="no-repeat-ngram-run"
prompt = counts.encode("return a")[1:]  # these two may not be repeated either
for n in (2, 3, 4):
    written = greedy_decode(
        lambda ids, n=n: no_repeat_ngram(endless(ids), prompt + ids[1:], n),
        generation.BOS, generation.EOS, 24,
    )
    print(f"n = {n}:", counts.text(prompt + written))

# %% [markdown] id="no-repeat-ngram-note"
# *What to see:* no loop, and no sense either. The cure forbids a symptom. It also forbids what is right: a text about `os path join` could name it once only with $n = 3$.

# %% [markdown] id="sampling-section"
# ## 5 Sampling: temperature, top-k, nucleus
#
# The other way is to **draw** the next token from the distribution. Then every call writes another text, loops end, and a new danger is there: of 4,000 words, the 3,900 unlikely ones have little probability each, and a good deal together. Sooner or later one of them is drawn. So the distribution is changed before drawing. Three changes are common; here they are on the same two distributions.
#
# **[Temperature](glossary.md#temperature)** divides the logits by a number $\tau$ before the softmax:
#
# $$p_i \propto e^{z_i / \tau}$$
#
# $\tau = 1$ leaves all as it is, smaller ones sharpen, larger ones flatten.

# %% id="temperature-run"
flat, sure = (counts.next_logits(counts.encode(text)) for text in ("return a", "return a list"))
shown = flat.topk(10).indices  # (10,)
names = [counts.words[number] for number in shown.tolist()]
figures.bars(
    names,
    {
        f"temperature {t}": torch.softmax(flat / t, dim=-1)[shown]
        for t in (0.5, 1.0, 2.0)
    },
    y_title="probability", title="The next word after “return a”",
)

# %% id="temperature-quiz"
quiz("generation.temperature")

# %% id="temperature-samples-run"
generator = torch.Generator().manual_seed(0)
for t in (0.5, 1.0, 2.0):
    for _ in range(2):  # `drawn` makes the token that it draws the likeliest
        written = greedy_decode(
            lambda ids, t=t: generation.drawn(continued(ids) / t, generator),
            generation.BOS, generation.EOS, 16,
        )
        print(f"temperature {t}: return a", counts.text(written))

# %% [markdown] id="cut-text"
# *What to see:* at 2 the words have nothing to do with each other. Even at 1 the unlikely words, the *tail*, get in. Temperature silences the tail at a price: what makes unlikely words rarer makes the first words likelier still, until nearly the same text comes each time.
#
# **[Top-k](glossary.md#top-k)** keeps the $k$ likeliest tokens (Fan, Lewis and Dauphin, 2018). **[Nucleus sampling](glossary.md#nucleus-sampling)**, or *top-p*, keeps the likeliest tokens until their probabilities sum to $p$ (Holtzman et al., 2020). How many words make a nucleus of 0.8 after *return a*, and how many after *return a list*?

# %% id="nucleus-size-predict"
predict("generation.nucleus-size")

# %% [markdown] id="top-p-text"
# ### Exercise 5: `top_p`
# *Difficulty 3 of 3, about 20 minutes. Hints: `hint("generation.top_p")`*
#
# Return the logits $(\dots, V)$ with $-\infty$ at every token outside of the nucleus: the **smallest** set whose probability reaches $p$.
#
# ```
#   logits (..., V)         b     c     a     d       in their own order
#   sorted, softmax        .5    .3    .15   .05
#   sum before each        .0    .5    .8    .95
#   p = 0.6                stay  stay  out   out      .5 < .6, so the second stays
#   back in their order   b: z   c: z  a: -∞  d: -∞
# ```
#
# - The token with which the sum reaches $p$ stays. The likeliest always stays, even with $p = 0$.
# - What stays keeps its logit. Each distribution along the last axis is cut by itself.
# - Where tokens are equally likely at the border, any of them may stay.
#
# *A tiny case.* Logits $\ln 0.5, \ln 0.3, \ln 0.2$ and $p = 0.6$: the third becomes $-\infty$.


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

# %% id="top-p-run"
tiny_logits = torch.tensor([0.5, 0.3, 0.2]).log()
print(torch.softmax(top_p(tiny_logits, 0.6), dim=-1))

nucleus_sizes = {
    text: top_p(logits, 0.8).isfinite().sum().item()
    for text, logits in (("return a", flat), ("return a list", sure))
}
print("words in a nucleus of 0.8:", nucleus_sizes)

# %% id="nucleus-size-explain"
explain("generation.nucleus-size")

# %% id="cut-run"
bars, likeliest = {"all": [], "top-k, k = 5": [], "nucleus, p = 0.8": []}, []
for text, logits in (("a", flat), ("a list", sure)):
    shown = logits.topk(6).indices  # (6,)
    likeliest += [f"{text} {counts.words[number]}" for number in shown.tolist()]
    fifth = logits.topk(5).values[-1]
    cuts = (logits, logits.masked_fill(logits < fifth, -math.inf), top_p(logits, 0.8))
    for heights, cut in zip(bars.values(), cuts):
        heights += torch.softmax(cut, dim=-1)[shown].tolist()
figures.bars(likeliest, bars, y_title="probability", title="After “return a” and “return a list”")

# %% [markdown] id="cut-note"
# *What to see:* five is too few on the left and too many on the right. After *return a* top-k throws away 62 % of the probability and makes the rest 2.7 times as likely. After *return a list* it keeps words that are there by accident. The nucleus has the size that the distribution asks for. In a text, with the same generator:

# %% id="nucleus-samples-run"
generator = torch.Generator().manual_seed(0)
for p in (0.3, 0.8, 1.0):
    for _ in range(2):
        written = greedy_decode(
            lambda ids, p=p: generation.drawn(top_p(continued(ids), p), generator),
            generation.BOS, generation.EOS, 16,
        )
        print(f"p = {p}: return a", counts.text(written))

# %% [markdown] id="sampling-note"
# *What to see:* a small nucleus is close to greedy decoding, and goes in circles. With $p = 1$ nothing is cut, and sooner or later a word comes from nowhere. (The model's look of two words sets a limit that no way of decoding can lift.)
#
# Which way is the right one? That depends on whether the task has **one** right answer. For a translation or our keywords it nearly has: there the likeliest text is wanted, and section 9 looks for it with more care than greedy decoding does. For a story, the likeliest text is a dull one, and people don't write so: Holtzman et al. (2020) compare the probabilities of words that people chose with those of a [beam search](glossary.md#beam-search), and people surprise the model all the time.

# %% [markdown] id="cache-section"
# ## 6 The key/value cache
#
# To write token $t$, the decoder runs on `[BOS]` and the $t - 1$ tokens before it. They are the same as a moment ago, and behind a causal mask their vectors are the same too: nothing that comes later can change them. So everything about them has been computed already. What does the new token need of it? Their **keys and values**, in each layer; their queries have been answered. Keep these, and a step computes one token instead of all.

# %% id="cache-quiz"
quiz("generation.no-cache-in-an-encoder")

# %% [markdown] id="cached-step-text"
# ### Exercise 6: `cached_step`
# *Difficulty 3 of 3, about 20 minutes. Hints: `hint("generation.cached_step")`*
#
# One step of causal self-attention with a [cache](glossary.md#key-value-cache): the new token's vector and the old tokens' keys and values go in; out come the token's output, and keys and values of all.
#
# ```
#   x (B, 1, D) ──► query (B, H, 1, Dh) ──► scores (B, H, 1, T + 1) ──► output
#              ├──► key   (B, H, 1, Dh) ─┐        ▲                   (B, 1, D)
#              └──► value (B, H, 1, Dh) ─┤        │
#   past_key, past_value (B, H, T, Dh) ──┴─► (B, H, T + 1, Dh) ──► kept
# ```
#
# `w_in`, `b_in`, `w_out`, `b_out` are those of `multi_head`. At the first token the cache is empty, $T = 0$. The new token looks at itself, too.
#
# *A tiny case.* One head of width 1, all weights 1 and biases 0, the past values $4$ with key $0$, and $x = 0$: the scores are $0$ and $0$, the output is $2$, the keys $0, 0$ and the values $4, 0$.


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

# %% [markdown] id="cache-check-text"
# Does it compute the same? Six vectors, one after the other, beside causal self-attention of all six at once:

# %% id="cached-step-run"
self_attention = untrained.decoder.layers[0].self_attn
weights = (
    self_attention.in_proj_weight, self_attention.in_proj_bias,
    self_attention.out_proj.weight, self_attention.out_proj.bias,
)
x = torch.randn(1, 6, 32)  # (B, T, D)
key = value = torch.zeros(1, 4, 0, 8)  # (B, H, 0, Dh): nothing yet
outputs = []
with torch.no_grad():
    for t in range(6):
        output, key, value = cached_step(x[:, t : t + 1], key, value, *weights, 4)
        outputs.append(output)
    at_once = self_attention(x, x, x, is_causal=True)[0]  # (B, T, D)
cache_gap = (torch.cat(outputs, dim=1) - at_once).abs().max().item()
print(f"largest difference: {cache_gap:.0e}; the cache holds {tuple(key.shape)} keys")

# %% [markdown] id="cache-count-text"
# What does it save? Write 128 tokens with a whole decoder, without and with a cache. Without one, step $t$ sends $t$ tokens through all layers.

# %% id="cache-predict"
predict("generation.cache-tokens")

# %% id="cache-time-run"
tokens = 128
through = {"without": sum(range(1, tokens + 1)), "with": tokens}
model = EncoderDecoder(vocab_size=50, d_model=64, nhead=4).eval()
source = torch.arange(3, 11).unsqueeze(0)  # (1, S)
never = 50  # no token ends the text
texts = {}
run = {
    "without": lambda: texts.update(
        without=greedy_decode(
            lambda ids: model(source, torch.tensor([ids]))[0, -1], 1, never, tokens
        )
    ),
    "with": lambda: texts.update({"with": generate_greedy(model, source, 1, never, tokens)[0]}),
}
seconds = {name: measure.seconds(function) for name, function in run.items()}
for name in run:
    print(f"{name:8} a cache: {through[name]:5} tokens through the decoder, {seconds[name]:.2f} s")
print(f"with it {seconds['without'] / seconds['with']:.1f} times as fast")
print("the same text:", texts["with"] == texts["without"])

# %% id="cache-explain"
explain("generation.cache-tokens")

# %% [markdown] id="cache-note"
# *What to see:* the very same tokens, and far fewer computations. The time falls less than the count: one token at a time is work in small pieces, which processors like less than one large product. (Your machine prints its own ratio. The encoder ran again at each step without the cache, too; the memory's keys and values are the other thing that a cache keeps.)
#
# The price is space. A cache holds two vectors, key and value, for each token, layer and head. Llama 3 with 8 billion parameters has 32 layers, and 32 heads on 4,096 numbers, so heads of width 128 (Grattafiori et al., 2024, table 3). At two bytes a number:

# %% id="cache-size-run"
gibibytes = {
    heads: 2 * 32 * heads * 128 * 2 * 8192 / 2**30 for heads in (32, 8, 1)
}  # key and value, layers, heads, width, bytes, tokens
for heads, size in gibibytes.items():
    print(f"{heads:2} heads with keys and values of their own: {size:.2f} GiB for 8,192 tokens")

# %% [markdown] id="cache-size-note"
# With 32 heads a single conversation of 8,192 tokens would take 4 GiB. All of it has to be read from memory for every token, and reading, not computing, is what a step waits for. Shazeer (2019) let all heads share one key and one value. Ainslie et al. (2023) found a number in between that loses almost nothing; this Llama has 8 such groups for its 32 heads of queries.

# %% [markdown] id="keywords-section"
# ## 7 From keywords to a sentence
#
# Now an encoder and a decoder learn together. The task: someone notes `return copy string leading characters removed`, and the model writes the sentence of the documentation that these words are from. What has to be added are the words that carry the grammar: *a*, *of the*, *with*, and the full stop. The keywords are the sentence without articles, prepositions, conjunctions, auxiliary verbs and marks, so the text itself makes the examples, as in chapter 05. Whole modules and topics are held out.

# %% id="keywords-data"
documentation = keyword_pairs.pairs("train")
print({split: len(keyword_pairs.pairs(split)) for split in ("train", "validation", "test")})
for pair in documentation[:400:80]:
    print(f"{' '.join(pair.keywords)}\n    {' '.join(pair.sentence)}")

# %% [markdown] id="keywords-baselines-text"
# How good is a sentence? [BLEU](glossary.md#BLEU) compares it with the one that was meant: which shares of its single words, pairs, threes and fours stand there too? The geometric mean of the four shares is the score, and a penalty takes care of sentences that are too short (Papineni et al., 2002). You write it in chapter 08; here it is used. It is strict: *return the copy* for *return a copy* loses a word, two pairs and more.
#
# Three answers need no network: the keywords as they stand; the keywords and a full stop; the sentence of the most similar keywords in the training text.

# %% id="keywords-baselines"
for name, reached in plain_baselines("test").items():
    print(f"{name:33} BLEU {100 * reached['bleu']:4.1f}, exact {reached['exact']:.1%}")

# %% [markdown] id="keywords-parts-text"
# The encoder's layers are **your** `EncoderLayer` of chapter 04, the decoder looks at the memory through **your** `cross_attention`, and its input is made by **your** `shift_right`; where an answer hasn't passed yet, the reference stands in. There are two layers on each side, four heads, 64 numbers a token, and 300,000 parameters.
#
# Three things are set before the first update, from the training text alone, so that a minute is enough. Each piece's first vector says which pieces stand near it (chapter 01). The heads of the encoder begin with a look to the left and the right, those of the decoder with a look at the last two pieces. And the decoder's last look at the memory begins as a copy: what it finds is added to the vector from which the next piece is read.
#
# One thing is particular to the loss: small words and marks count double. Where *a* or *the* could stand, the model shares its guess between the two, and the next keyword alone may be likelier than either; greedy decoding would then leave the article out.

# %% id="keywords-parts"
training = keyword_sentences(
    layer=use("stacking.EncoderLayer"), shift_right=shift_right, cross_attention=cross_attention
)
for part, whose in training.parts.items():
    print(f"{part}: {whose}")

# %% id="keywords-predict"
predict("generation.what-is-learned-first")

# %% id="keywords-theatre"
theatre = labs.TrainingTheatre(training)
theatre

# %% [markdown] id="keywords-theatre-note"
# Press **Start** (or run the next cell). Five sets of keywords are answered again as the training goes on: the first two are of held-out topics, the others were made up for the course.

# %% id="keywords-result"
trained = theatre.result()  # waits for the end
print(f"{trained.settings.steps:,} updates in {trained.seconds:.0f} s")
for split, reached in (("validation", trained.metrics), ("test", trained.test)):
    print(f"{split:10}  BLEU {100 * reached['bleu']:.1f}, exact {reached['exact']:.1%}")
for answer in training.examples(trained.model):
    print(f"{answer.prompt}\n    {answer.guesses[0][0]}")

# %% id="keywords-explain"
explain("generation.what-is-learned-first")

# %% [markdown] id="keywords-result-note"
# *What to see:* the keywords are there, in their order, and most of the small words between them fit; read the five, and you find some that don't. And a sentence that is good need not be the one that was meant. *Return a copy of a string with ...* and *return a copy of the string with ...* are equally good, and one of them counts. So BLEU stops far below 100 on this task, for a person too: it measures how near, not how right. The baseline to beat is the modest one: the keywords and a full stop.

# %% [markdown] id="memory-section"
# ## 8 What the memory carries
#
# The decoder has seen none of the keywords. All that it knows of them is the memory, the encoder's output. So change the memory between encoder and decoder, and see what is left. First, exchange the memories of two inputs:

# %% id="swap-run"
model = trained.model
two = ("return copy string", "raise error value negative")
memory, padding = writing.read(model, *two)  # (B, S, D), (B, S)
for name, changed in (
    ("as it is", memory),
    ("swapped", memory.flip(0)),
    ("zero", torch.zeros_like(memory)),
):
    mask = padding.flip(0) if name == "swapped" else padding
    for keywords, words in zip(two, writing.write(model, changed, mask)):
        print(f"{name:9} {keywords:28} {' '.join(words)}")

# %% [markdown] id="swap-note"
# *What to see:* the decoder writes what the memory says, whoever's memory it is. Without one it writes the same for both: pieces that belong to no input.
#
# Now in numbers, over all of validation. Two of the changes are about **order**. One puts the memory's *rows* in another order, after the encoder; section 2 says what that does. The other puts the *keywords* in another order, before it.

# %% id="memory-predict"
predict("generation.keywords-shuffled")

# %% id="memory-run" tags=["teaching"]
def zero(memory: Tensor, padding: Tensor) -> tuple[Tensor, Tensor]:
    """No memory at all: every row is 0."""
    return torch.zeros_like(memory), padding


def swap(memory: Tensor, padding: Tensor) -> tuple[Tensor, Tensor]:
    """The memory of the input before it."""
    return memory.roll(1, 0), padding.roll(1, 0)


def shuffle_rows(memory: Tensor, padding: Tensor) -> tuple[Tensor, Tensor]:
    """The same rows in another order, with their padding."""
    generator = torch.Generator().manual_seed(0)
    order = torch.randperm(memory.shape[1], generator=generator)  # (S,)
    return memory[:, order], padding[:, order]


of_memory = {"as it is": trained.metrics["bleu"]}
for name, change in (("rows shuffled", shuffle_rows), ("swapped", swap), ("zero", zero)):
    of_memory[name] = writing.with_memory(model, change)
of_memory["keywords shuffled"] = writing.with_memory(model, lambda *given: given, in_order=False)
for name, bleu in of_memory.items():
    print(f"{name:18} BLEU {100 * bleu:5.1f}")

# %% id="memory-explain"
explain("generation.keywords-shuffled")

# %% [markdown] id="memory-note"
# *What to see:* the order of the rows is nothing to the decoder, to the last digit. The order of the *words* is in the rows all the same, because the encoder has written into each which words stand beside it. Shuffle the keywords before the encoder, and the decoder follows the new order. Another input's memory leaves little more than none.
#
# A model can be trained on shuffled keywords, too. It then has to find the order itself, from what it knows of the words: which of two nouns is the subject, and which keyword is still to come. In the same number of updates it learns a part of that. How much of it reaches the sentence depends on the decoding, so the same weights are scored three times: with greedy decoding; with a beam (section 9) that writes each keyword once; and with that beam and **counts**: how often does a piece follow the last four in the training text?

# %% id="shuffled-recorded"
recorded = recording("generation.keywords")  # made by benchmarks/applications.py
baseline = max(each["bleu"] for each in plain_baselines("test", in_order=False).values())
print(f"Recorded, not trained here: {recorded.machine}")
print(recorded.text("test", ("keywords shuffled", *ORDERED), bleu="BLEU {:.3f}"))
print(f"the most similar pair's sentence: BLEU {baseline:.3f}")

# %% [markdown] id="shuffled-note"
# *What to see:* the same weights write better sentences when the search knows that each keyword is due once: beginnings compete only with those that have written as much of the keywords, and a sentence ends when none is left (Hokamp and Liu, 2017). The counts, added to the network's log-probabilities (Gulcehre et al., 2015), help more. They read all sentences of the documentation's training part, where the pairs hold less than a third of its words; so part of what the network lacks is how words follow each other. Even so it is half the BLEU of keywords in order.

# %% id="memory-quiz"
quiz("generation.one-vector")

# %% [markdown] id="beam-section"
# ## 9 Beam search
#
# Greedy decoding takes the likeliest token and can't take it back. Beam search keeps the $k$ likeliest beginnings instead; at each step it continues all of them and keeps the $k$ likeliest of the results. You write it in chapter 08. As a tree, with $k = 3$ (in brackets $\log p$ up to there; ✗: dropped; …: goes on; ▶: on the way to the sentence that wins):

# %% id="tree-run"
print(writing.draw_tree(model, "return copy string leading characters removed", beam=3))

# %% [markdown] id="tree-note"
# *What to see:* a branch dies when $k$ others are likelier, and that can be a step before it would have been right. A beginning (a *hypothesis*, as it is called) with a bad word early has to be much better later.
#
# Each further token makes a text less likely, so short sentences win. A **length penalty** makes up for it: the log-probability is divided by $((5 + \text{length}) / 6)^\alpha$ (Wu et al., 2016, equation 14). What do wider beams bring, and what do they do to the length?

# %% id="beams-predict"
predict("generation.wider-beams")

# %% id="beams-run"
print("on 200 sentences of validation")
beams = {}
for beam, alpha in ((1, 0.0), (4, 0.0), (4, 0.6), (4, 2.0), (8, 2.0)):
    written = writing.search(model, beam, alpha)
    beams[beam, alpha] = writing.bleu_of(written), writing.beam_lengths(written)
    bleu, length = beams[beam, alpha]
    print(f"beam {beam}, alpha {alpha}: BLEU {100 * bleu:.1f}, {length:.0%} of the right length")
on_test = writing.bleu_of(writing.search(model, 4, 0.6, count=None, split="test"), "test")
print(f"all of test: BLEU {100 * on_test:.1f} with a beam of 4 and alpha 0.6, ", end="")
print(f"{100 * trained.test['bleu']:.1f} greedily")

# %% id="beams-explain"
explain("generation.wider-beams")

# %% [markdown] id="repeats-text"
# ### Repetition, measured
#
# Section 4 has shown the loop and one cure. How often does this model repeat itself? Count the sentences in which two words in a row occur twice. Three cures are beside greedy decoding: your `no_repeat_ngram`; a beam of 4; and the [repetition penalty](glossary.md#repetition-penalty), which makes every token that was already written less likely by a factor on its logit (Keskar et al., 2019). The paper divides every such logit; a negative one would become likelier, so libraries multiply it, and so do we.

# %% id="repeats-run" tags=["teaching"]
some = [pair.keywords for pair in keyword_pairs.pairs("validation")[:200]]
memory, padding = writing.read(model, *(" ".join(keywords) for keywords in some))


def penalised(logits: Tensor, ids: list[int]) -> Tensor:
    """Divide the positive logits of written tokens by 1.3, and multiply the negative ones."""
    changed = logits.clone()
    changed[ids] = torch.where(logits[ids] > 0, logits[ids] / 1.3, logits[ids] * 1.3)
    return changed


cures = {
    "what was meant": [pair.sentence for pair in keyword_pairs.pairs("validation")[:200]],
    "greedy": writing.write(model, memory, padding),
    "no pair twice": writing.write(
        model, memory, padding, lambda logits, ids: no_repeat_ngram(logits, ids, 2)
    ),
    "repetition penalty": writing.write(model, memory, padding, penalised),
    "a beam of 4": writing.search(model, 4),
    "greedy, no memory": writing.write(model, torch.zeros_like(memory), padding),
}
for name, written in cures.items():
    bleu = 100 * writing.bleu_of(written)
    print(f"{name:18} repeats {writing.repeats(written):4.0%}, BLEU {bleu:5.1f}")

# %% [markdown] id="repeats-note"
# *What to see:* the model repeats itself as rarely as the authors do, for it has learned from short sentences, and ends. The cures have nothing to cure here, and the penalty moves BLEU by a point or so, down in one training and up in another: it also hits *the* and *of*, which a sentence may need twice. Loops are a matter of open texts, whose end nothing announces (Holtzman et al., 2020), and of models that are not sure, as in section 4. (Without a memory the model has nothing to tell one input from another, and writes the same for all 200: in that row the share is none or all.)

# %% [markdown] id="causal-section"
# ## 10 The same without an encoder
#
# Section 1 named both kinds. Is the second one worse at this task? GPT put the parts of a task into one row with a delimiter between them, such as a question and a possible answer (Radford et al., 2018, section 3.3). Decoders read a prompt in the same way today.
#
# A decoder alone is an encoder with a causal mask. Nothing else is new: the keywords, `[SEP]` and the sentence stand in one row, each piece sees what is to its left, and the loss counts the pieces of the sentence.
#
# ```
#    encoder-decoder                     decoder alone
#
#    keywords ─► encoder ─► memory       keywords [SEP] sentence ─► causal layers
#                              │                        └── the loss is here
#    sentence ─► decoder ◄─────┘         no keyword sees those after it
# ```
#
# Five causal layers have as many parameters as two and two of the encoder-decoder. They were trained with the same text, the same number of updates and the same start.

# %% id="causal-predict"
predict("generation.decoder-alone")

# %% id="causal-recorded"
print(f"Recorded, not trained here: {recorded.machine}")
for name, row in recorded.rows.items():
    if name in ("encoder-decoder", "decoder alone"):
        bleu, exact = (row.spread("test", figure).text() for figure in ("bleu", "exact"))
        print(f"{name:16} BLEU {bleu} on test, exact {exact}")

# %% id="causal-explain"
explain("generation.decoder-alone")

# %% [markdown] id="causal-note"
# *What to see:* neither is better by more than three points, and which of the two is ahead depends on the seed and the split. Five layers of self-attention find in the row what two attentions find in row and memory. The article says that large models "usually" (通常, section 1.2) are encoder-decoders. What can be written does not decide that, and section 1 names models of either kind. A decoder alone needs one stack for every task, and gets a loss from each token of any text; an encoder reads its input in both directions, and once. Which of these counts more depends on the task and its size, and at this size it can't be seen.

# %% [markdown] id="answers-section"
# ## 11 Answers cut from the text
#
# > **In the article** (1.1): "自然语言处理：文本生成、翻译、问答、摘要" (*natural language processing: text generation, translation, question answering, summarisation*).
# >
# > Two of the four can do without a decoder. An answer or a summary can be **cut out** of a text, and then it is a choice, which an encoder makes. Nothing can be invented this way, and nothing can be put in other words.
#
# Here are 24 questions about topics of Python's documentation. Each is asked in words of its own, and one sentence of the topic answers it; which one was marked by hand before anything was measured. MiniLM (chapter 00) turns question and sentences into vectors, and the nearest sentence is the answer. The rival counts shared words.

# %% id="questions-predict"
predict("generation.answers-by-meaning")

# %% id="questions-run"
passages = {question.sentences for question in answers.questions()}
vectors = {sentences: sentence_embedding(list(sentences)) for sentences in passages}  # (N, D) each
asked_vectors = sentence_embedding([question.text for question in answers.questions()])  # (Q, D)
found = {"shared words": 0, "MiniLM, first": 0, "MiniLM, among three": 0, "chance": 0.0}
for question, vector in zip(answers.questions(), asked_vectors):
    nearest = (vectors[question.sentences] @ vector).topk(3).indices.tolist()
    found["shared words"] += answers.overlap(question.text, question.sentences) == question.right
    found["MiniLM, first"] += nearest[0] == question.right
    found["MiniLM, among three"] += question.right in nearest
    found["chance"] += 1 / len(question.sentences)
for name, count in found.items():
    print(f"{name:20} {count:4.1f} of {len(answers.questions())}")
for question in answers.questions()[1:10:4]:
    nearest = int((vectors[question.sentences] @ sentence_embedding(question.text)).argmax())
    print(f"\n{question.text}\n    {question.sentences[nearest][:90]}")

# %% id="questions-explain"
explain("generation.answers-by-meaning")

# %% [markdown] id="questions-note"
# *What to see:* the nearest sentence answers more questions than shared words do, and still a minority. All sentences of a topic are about the same thing, and nearness is about the thing. BERT was tuned for it: on SQuAD's passages it marks where the answer begins and ends (Devlin et al., 2019, section 4.2), with 100,000 examples to learn from (Rajpurkar et al., 2016).
#
# A summary in the same way: of a text's sentences take the one nearest to their mean (Radev et al., 2004). By convention a docstring begins with its summary (PEP 257). Take 60 docstrings, put their sentences in another order, and see whether the nearest to the mean is the one that the authors put first.

# %% id="summaries-run"
chosen = {"nearest to the mean": 0, "shares most words": 0, "chance": 0.0}
for text in answers.texts():
    each = sentence_embedding(list(text.sentences))  # (N, D)
    chosen["nearest to the mean"] += int((each @ each.mean(dim=0)).argmax()) == text.right
    whole = " ".join(text.sentences)
    chosen["shares most words"] += answers.overlap(whole, text.sentences) == text.right
    chosen["chance"] += 1 / len(text.sentences)
for name, count in chosen.items():
    print(f"{name:20} {count:4.1f} of {len(answers.texts())}")

# %% [markdown] id="summaries-note"
# *What to see:* no better than chance, and shared words are worse: they like long sentences. The middle of a text is what it speaks of most; a summary is what its author wants you to know first. That is in no sentence's nearness to the others. It has to be learned from summaries.

# %% [markdown] id="lab-section"
# ## 12 The decoding lab
#
# One distribution, and everything that can be done with it. Type keywords; a click on a token of the table, or Enter, takes it and goes on. *Temperature*, *top-k* and *top-p* grey out what they cut. The tree on the right is the beam from there on.

# %% id="lab"
labs.DecodingLab(model, datasets.tokenizer())

# %% id="lab-quiz"
quiz("generation.beam-or-draw")

# %% [markdown] id="recap"
# ## Recap
#
# - A text's probability is a product of next-token probabilities. The encoder reads once, the decoder answers "what comes next?" once a token.
# - Self-attention is causal and looks at the text so far; cross-attention takes queries from the text, keys and values from the memory, and knows no order.
# - Training reads the true text, shifted right: one pass for all places. Writing reads the model's own text, and after an error it is where it has never been.
# - Greedy decoding takes the likeliest token and can loop. Sampling draws; temperature sharpens or flattens, top-k and the nucleus cut the tail off.
# - Behind a causal mask nothing old changes, so keys and values can be kept: each step computes one token, for the price of the memory that they fill.
# - All that a decoder knows of the input is the memory: swap it, and it writes the other sentence. Its rows have no order; what they say has.
# - A beam keeps several beginnings, and needs a length penalty. It finds likelier sentences, which are not always better ones.
# - A decoder alone reads the input as the beginning of its text.
# - Answers and summaries can be cut out of a text by an encoder. Near in meaning is not yet an answer.
#
# Next comes [08 Machine translation](08_translation.ipynb): the same encoder-decoder, with a text in another language on the other side.

# %% [markdown] id="glossary"
# ### The chapter's terms
#
# <!-- glossary -->

# %% [markdown] id="papers"
# ### The papers
#
# - Vaswani, Shazeer, Parmar, Uszkoreit, Jones, Gomez, Kaiser, Polosukhin: *Attention Is All You Need*. NeurIPS 2017. [arXiv:1706.03762](https://arxiv.org/abs/1706.03762). Section 3.1 and figure 1 on the decoder; 3.2.3 on its two attentions.
# - Williams, Zipser: *A Learning Algorithm for Continually Running Fully Recurrent Neural Networks*. Neural Computation 1(2), 1989. Teacher forcing.
# - Bengio, Vinyals, Jaitly, Shazeer: *Scheduled Sampling for Sequence Prediction with Recurrent Neural Networks*. NIPS 2015. [arXiv:1506.03099](https://arxiv.org/abs/1506.03099).
# - Ranzato, Chopra, Auli, Zaremba: *Sequence Level Training with Recurrent Neural Networks*. ICLR 2016. [arXiv:1511.06732](https://arxiv.org/abs/1511.06732). Exposure bias.
# - Paulus, Xiong, Socher: *A Deep Reinforced Model for Abstractive Summarization*. ICLR 2018. [arXiv:1705.04304](https://arxiv.org/abs/1705.04304). Section 2.5: no trigram twice.
# - Fan, Lewis, Dauphin: *Hierarchical Neural Story Generation*. ACL 2018. [arXiv:1805.04833](https://arxiv.org/abs/1805.04833). Top-k sampling.
# - Holtzman, Buys, Du, Forbes, Choi: *The Curious Case of Neural Text Degeneration*. ICLR 2020. [arXiv:1904.09751](https://arxiv.org/abs/1904.09751). Nucleus sampling, section 3.1; the words of people beside those of a beam search; figure 4 on loops.
# - Shazeer: *Fast Transformer Decoding: One Write-Head is All You Need*. 2019. [arXiv:1911.02150](https://arxiv.org/abs/1911.02150). The cache, and heads that share it.
# - Ainslie, Lee-Thorp, de Jong, Zemlyanskiy, Lebrón, Sanghai: *GQA: Training Generalized Multi-Query Transformer Models from Multi-Head Checkpoints*. EMNLP 2023. [arXiv:2305.13245](https://arxiv.org/abs/2305.13245).
# - Grattafiori et al.: *The Llama 3 Herd of Models*. 2024. [arXiv:2407.21783](https://arxiv.org/abs/2407.21783). Decoder-only; table 3 on its sizes.
# - NLLB Team: *No Language Left Behind*. 2022. [arXiv:2207.04672](https://arxiv.org/abs/2207.04672). Encoder-decoder, for translation.
# - Radford et al.: *Robust Speech Recognition via Large-Scale Weak Supervision*. 2022. [arXiv:2212.04356](https://arxiv.org/abs/2212.04356). Whisper, encoder-decoder.
# - Lewis, Liu, Goyal, Ghazvininejad, Mohamed, Levy, Stoyanov, Zettlemoyer: *BART: Denoising Sequence-to-Sequence Pre-training for Natural Language Generation, Translation, and Comprehension*. ACL 2020. [arXiv:1910.13461](https://arxiv.org/abs/1910.13461).
# - Raffel et al.: *Exploring the Limits of Transfer Learning with a Unified Text-to-Text Transformer*. JMLR 2020. [arXiv:1910.10683](https://arxiv.org/abs/1910.10683). T5.
# - Radford, Narasimhan, Salimans, Sutskever: *Improving Language Understanding by Generative Pre-Training*. 2018. GPT; section 3.3 on tasks as one row.
# - Papineni, Roukos, Ward, Zhu: *BLEU: a Method for Automatic Evaluation of Machine Translation*. ACL 2002. [aclanthology.org/P02-1040](https://aclanthology.org/P02-1040).
# - Wu et al.: *Google's Neural Machine Translation System: Bridging the Gap between Human and Machine Translation*. 2016. [arXiv:1609.08144](https://arxiv.org/abs/1609.08144). Section 7, equation 14: the length penalty.
# - Hokamp, Liu: *Lexically Constrained Decoding for Sequence Generation Using Grid Beam Search*. ACL 2017. [arXiv:1704.07138](https://arxiv.org/abs/1704.07138). A beam for each number of words that have to be written.
# - Gulcehre, Firat, Xu, Cho, Barrault, Lin, Bougares, Schwenk, Bengio: *On Using Monolingual Corpora in Neural Machine Translation*. 2015. [arXiv:1503.03535](https://arxiv.org/abs/1503.03535). A second model's log-probabilities, added (shallow fusion).
# - Keskar, McCann, Varshney, Xiong, Socher: *CTRL: A Conditional Transformer Language Model for Controllable Generation*. 2019. [arXiv:1909.05858](https://arxiv.org/abs/1909.05858). The repetition penalty.
# - Devlin, Chang, Lee, Toutanova: *BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding*. NAACL 2019. [arXiv:1810.04805](https://arxiv.org/abs/1810.04805). Section 4.2 on SQuAD.
# - Rajpurkar, Zhang, Lopyrev, Liang: *SQuAD: 100,000+ Questions for Machine Comprehension of Text*. EMNLP 2016. [arXiv:1606.05250](https://arxiv.org/abs/1606.05250).
# - Radev, Jing, Styś, Tam: *Centroid-based summarization of multiple documents*. Information Processing and Management 40(6), 2004. The sentence nearest to the mean.
# - Sutskever, Vinyals, Le: *Sequence to Sequence Learning with Neural Networks*. NeurIPS 2014. [arXiv:1409.3215](https://arxiv.org/abs/1409.3215). The whole input in one vector.
# - Cho, van Merriënboer, Bahdanau, Bengio: *On the Properties of Neural Machine Translation: Encoder–Decoder Approaches*. SSST-8, 2014. [arXiv:1409.1259](https://arxiv.org/abs/1409.1259). What one vector costs long sentences.
