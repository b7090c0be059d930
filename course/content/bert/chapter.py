# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown] id="title"
# # 05 BERT
#
# > Return a new list containing all **[MASK]** from the iterable in ascending order.
#
# Which word is missing? *Items*, perhaps, or *elements*. Nobody labelled this sentence for you: the text itself holds the answer, and whoever covers one word has made an exercise. Cover words in enough text and you have more exercises than any team could write. [BERT](glossary.md#BERT) is the encoder of chapters 01 to 04, trained on this game. The sentence is the first that `help(sorted)` prints in Python, and it stays with you through the chapter.
#
# **When you are through, you can**
#
# - turn any text into a training task for an encoder: choose words, mask them, and take the loss in the right places;
# - say why 80 % of the chosen words become `[MASK]` and 20 % don't, and show what the 20 % do;
# - put two sentences into one input, and say why next-sentence prediction was dropped;
# - count what tied weights save, and write the schedule and the clipping that BERT's training starts with;
# - measure a model for masked words: by its perplexity, and by the score of a whole sentence;
# - say what changed from BERT to RoBERTa to ModernBERT, and what each change is worth by itself in a short training;
# - say what "self-supervised" and "language understanding" mean in numbers.
#
# **You need** Python, a little PyTorch, and from the earlier chapters: the special tokens and vocabulary of 01, the softmax of 02, the encoder of 04.
#
# **Time** About three hours: eight exercises, 100 minutes by our count, and about 85 minutes to read, run and play. Sections 1 to 6 make a good first sitting, 7 to 11 a second; each can begin in a fresh kernel.

# %% id="setup"
import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course import check, datasets, explain, figures, hint, labs, predict, quiz, use
from course.content.bert import demonstrations as bert
from course.content.bert.pretraining import masked_words, plain_baselines, recipe_changed
from course.content.bert.real import beside
from course.content.recorded import recording
from course.training import train
from encoder_core import Bert, BertConfig, MaskedLM, load_minilm

# %% [markdown] id="task-section"
# ## 1 What BERT is asked to do
#
# A language model that reads from left to right guesses each word from the words before it. GPT is trained so (Radford et al., 2018), and a causal mask (chapter 02) keeps the future out of sight. For an encoder that is a waste: in our sentence *from the iterable* says as much about the missing word as *containing all* does.
#
# But an encoder that sees both sides cannot be asked for the next word: it sees it. Devlin et al. (2019) ask for words that are **hidden** instead, and call it [masked language modelling](glossary.md#masked-language-modelling). Both sides stay in sight; the word itself does not.
#
# How much is the second side worth? We need no encoder to measure that. `bert.neighbours()` has counted which words stand side by side in the short sentences of Python's documentation. `from_left` guesses a word from the one before it; `from_both` from the one before and the one after. Each returns [logits](glossary.md#logit), a number for each word of its vocabulary, and a softmax makes probabilities of them; so does an encoder with an output layer.

# %% id="neighbours-run"
pairs = bert.neighbours()
sentence = "Return a new list containing all items from the iterable in ascending order."
ids = pairs.encode(sentence)  # (S,)
words = [pairs.words[number] for number in ids]
special = ids < len(bert.SPECIALS)  # (S,) bool: [CLS], [SEP], and the word that it does not know
print(*words)

for hidden in ("a", "all", "items", "iterable"):
    place = words.index(hidden)
    masked = ids.masked_fill(torch.arange(len(ids)) == place, bert.MASK)[None]  # (1, S)
    left = pairs.likeliest(pairs.from_left(masked)[0, place])
    both = pairs.likeliest(pairs.from_both(masked)[0, place])
    print(f"{hidden:9} from the left: {left:42} from both: {both}")

# %% [markdown] id="neighbours-note"
# *What to see:* after *containing* the likeliest word is *the*; between *containing* and *items* it is *all*. After *the* almost anything can follow, and there a neighbour on the right does not help either: one word is not a sentence. *Ascending* is not in the vocabulary of 2,500 entries, so it is `[UNK]` here. (BERT cuts such words into pieces: chapter 01.)
#
# Now in numbers. Hide words in 400 sentences that were not counted, and let both guess. The measure is the [perplexity](glossary.md#perplexity): between how many equally likely words a model hesitates. You write it in section 4.

# %% id="both-sides-predict"
predict("bert.both-sides")

# %% id="both-sides-run"
generator = torch.Generator().manual_seed(0)
held_out = pairs.held_out  # (N, S)
chosen = (torch.rand(held_out.shape, generator=generator) < 0.15) & (held_out > bert.MASK)
blanks = held_out.masked_fill(chosen, bert.MASK)
sides, right = {}, {}
for name, guess in (("left", pairs.from_left), ("both", pairs.from_both)):
    logits = guess(blanks)[chosen]  # (chosen, V)
    sides[name] = F.cross_entropy(logits, held_out[chosen]).exp().item()
    right[name] = (logits.argmax(dim=-1) == held_out[chosen]).float().mean().item()
    print(f"{name}: perplexity {sides[name]:.0f}, the right word comes first in {right[name]:.0%}")

# %% id="both-sides-explain"
explain("bert.both-sides")

# %% id="why-masked-quiz"
quiz("bert.why-masked")

# %% [markdown] id="article-self-supervised"
# > **In the article** (2.3): "它通过在海量文本数据上进行**自监督学习**，获得了强大的语言理解能力" (*by [self-supervised learning](glossary.md#self-supervised-learning) on massive text data it acquired a strong ability to understand language*).
# >
# > Self-supervised does not mean without labels: you have made labels with one line, `held_out[chosen]`. It means that nobody wrote them: they are a part of the text that was hidden. The loss is the ordinary [cross-entropy](glossary.md#cross-entropy) of a classifier, the negative logarithm of the probability that it gives to the right class, with as many classes as there are words. And the sentence leaves out what decides: *which* part is hidden. Hide the next word and you get GPT, hide some words in the middle and you get BERT; the text is the same.

# %% [markdown] id="masking-section"
# ## 2 Masking: 80, 10, 10
#
# BERT chooses 15 % of the tokens. Of the chosen ones
#
# - **80 %** become `[MASK]`: that is the task;
# - **10 %** become **another token**, drawn uniformly from the vocabulary;
# - **10 %** **stay** as they are.
#
# At each of them the model must say what stood there. The chosen places are the only ones at which it is asked.

# %% [markdown] id="mask-tokens-text"
# ### Exercise 1: `mask_tokens`
# *Difficulty 3 of 3, about 25 minutes. Hints: `hint("bert.mask_tokens")`*
#
# ```
#      ids        7   9  21   8  30   5         (B, S)
#      special    ·   ·   ·   ·   ·   ×         × = True, never chosen
#      chosen     ·   ×   ×   ·   ×   ·         each by itself
#                     │   │       │
#                    80% 10%     10%
#                     ▼   ▼       ▼
#      inputs     7   4  16   8  30   5         4: mask_id, 16: drawn
#      labels  -100   9  21 -100 30 -100        what stood there; -100: not asked
# ```
#
# - Every place that is not special is chosen **independently** with `probability`; what becomes of it is drawn independently, too.
# - The random id comes from all of `[0, vocab_size)`. It may be a special one, or by chance the old one.
# - Labels have the dtype of `ids` and are `-100` where nothing was chosen, the number that `F.cross_entropy` leaves out.
# - Every draw uses `generator` (`torch.rand(..., generator=generator)`), which is on the device of `ids`, or torch's global one where it is `None`. So a training can be repeated.
#
# *A tiny case.* Ids $7, 9$ with probability $0$: the inputs are $7, 9$ and the labels $-100, -100$. With probability $1$ the labels are $7, 9$, and each input is `mask_id` in 8 of 10 calls. The check calls your function on many tokens and judges the shares.


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

# %% id="mask-tokens-run"
one_row, is_special = ids[None], special[None]  # (1, S)
for seed in range(4):
    inputs, labels = mask_tokens(
        one_row,
        is_special,
        bert.MASK,
        len(pairs.words),
        generator=torch.Generator().manual_seed(seed),
    )
    print(" ".join(pairs.words[number] for number in inputs[0]))
    asked = [pairs.words[number] for number in labels[0][labels[0] != -100]]
    print("    asked:", ", ".join(asked) or "nothing")

# %% [markdown] id="mask-tokens-note"
# Each call makes another exercise from the same sentence; some ask nothing. BERT's own code masked its text before the training, in ten versions. RoBERTa draws new masks each time that a sentence is used (Liu et al., 2019, section 4.1): your function does that.
#
# Why are 20 % of the chosen words **not** masked? When the model is used later, no `[MASK]` is in its input. If it had been asked only at `[MASK]`, nothing in its training would say what its vectors at ordinary words are good for. So some ordinary words are asked about as well. But then why doesn't BERT leave all of those as they are?

# %% id="seen-word-predict"
predict("bert.seen-word")

# %% id="seen-word-run"
many = held_out.repeat(60, 1)  # (60 N, S)
inputs, labels = mask_tokens(
    many,
    many < len(bert.SPECIALS),
    bert.MASK,
    len(pairs.words),
    generator=torch.Generator().manual_seed(0),
)
asked, word = labels != -100, (many > bert.MASK) & (inputs != bert.MASK)
seen = asked & word  # asked, and the input shows a word
right_when_asked = (inputs == many)[seen].double().mean().item()
right_anywhere = (inputs == many)[word].double().mean().item()
print(f"asked, and a word is in sight: right in {right_when_asked:.0%}")
print(f"any word in sight:             right in {right_anywhere:.1%}")

# %% id="seen-word-explain"
explain("bert.seen-word")

# %% [markdown] id="shares-note"
# *What to see:* where the model is asked and sees a word, that word is right about half of the time. So neither copying nor distrust is good enough: the vector at every word must hold the word **and** what its neighbours make of it. The price is small, for nearly all words in sight are right.
#
# How much does it matter? Less than one would think. Devlin et al. (2019, appendix C.2, table 8) trained with other shares. Then they *fine-tuned* each model, that is, trained it further with labels for one task: MNLI, does the second sentence follow from the first, contradict it, or neither? 80/10/10 reached 84.2, and all `[MASK]` 84.3. Where BERT's vectors served as fixed features, to find names (NER), all `[MASK]` lost: 94.0 against 94.9. All random words did worse at both (83.6 and 94.6).

# %% id="why-stay-quiz"
quiz("bert.why-stay")

# %% [markdown] id="loss-section"
# ## 3 The loss, at the chosen places alone
#
# The encoder returns a vector for each token, an output layer turns it into logits $(B, S, V)$, and the loss is the mean cross-entropy over the places that have a label:
#
# $$L = -\frac{1}{|C|} \sum_{(b, s) \in C} \log p_{b,s}(y_{b,s}), \qquad C = \{(b, s) : y_{b,s} \neq -100\}$$
#
# ### Exercise 2: `masked_lm_loss`
# *Difficulty 2 of 3, about 15 minutes. Hints: `hint("bert.masked_lm_loss")`*
#
# ```
#    log p (B, S, V)        labels (B, S)
#    ┌──────────────┐         ┌──────┐
#  S │ ·   ·   ·  · │         │ -100 │
#    │ ·   ·  [·] · │         │   2  │ ──┐
#    │ ·   ·   ·  · │         │ -100 │   ├─►  minus the mean: one number, ()
#    │[·]  ·   ·  · │         │   0  │ ──┘
#    └──────────────┘         └──────┘
# ```
#
# `F.cross_entropy` may help, but read what its mean does when no place has a label: here the loss is then **0**, and gradients must still flow (all of them 0). In a small batch it may well happen that no word was chosen.
#
# *A tiny case.* Two words, logits $(0, \ln 3)$: their probabilities are $\frac14$ and $\frac34$. With the labels $1$ at one place and $-100$ at another the loss is $\ln \frac43 \approx 0.288$.


# %% id="masked-lm-loss-exercise" exercise="bert.masked_lm_loss"
def masked_lm_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy where labels (B, S) are not -100; logits (B, S, V); 0 without any."""
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

# %% id="masked-lm-loss-run"
tiny_logits = torch.tensor([[[0.0, math.log(3)], [5.0, -5.0]]])  # (B, S, V) = (1, 2, 2)
tiny_labels = torch.tensor([[1, -100]])
tiny_loss = masked_lm_loss(tiny_logits, tiny_labels)
torch.testing.assert_close(tiny_loss, torch.tensor(math.log(4 / 3)))
without = masked_lm_loss(tiny_logits, torch.full_like(tiny_labels, -100))
print(f"loss {tiny_loss:.3f}, without any label {abs(without.item()):.0f}")

# %% [markdown] id="everywhere-text"
# Why not ask at every place? That would give nearly seven times as many losses a sentence. Try it: a small BERT (one layer, 32 numbers wide, 300 words) trains twice from the same start and with the same batches, once with the loss at the `[MASK]`s and once with the loss at all places. Both are measured where it counts: at `[MASK]`s in sentences that were held out.

# %% id="loss-everywhere-predict"
predict("bert.loss-everywhere")

# %% id="loss-everywhere-run"
at_masks = {
    "loss at the masks": bert.loss_at_masks(everywhere=False),
    "loss everywhere": bert.loss_at_masks(everywhere=True),
}
figures.lines(
    range(0, 201, 25),
    at_masks,
    x_title="steps",
    y_title="loss at [MASK], held-out sentences",
    title="What a loss at all places is worth",
)

# %% id="loss-everywhere-explain"
explain("bert.loss-everywhere")

# %% [markdown] id="loss-everywhere-note"
# *What to see:* the loss everywhere is behind in every measurement after the start. At the words in sight the answer is in the input, so the model learns to copy it, and 85 % of the mean is about that. ELECTRA (Clark et al., 2020) makes every place worth asking: a second, small model puts plausible words where the masks would be, so that no word in sight can be trusted. Then even the plain question, which word stood here, pays at all places: in their table 5 (with a way to copy built in) it reached 84.3 on a set of language tasks, and 82.4 when asked at the replaced words alone. ELECTRA asks less, whether a word has been replaced, and reached 85.0.

# %% [markdown] id="perplexity-section"
# ## 4 Perplexity
#
# A loss of 5 says little to anyone. Its exponential does: $e^5 \approx 148$, so many words does the model hesitate between. A model that finds $n$ words equally likely has the loss $\ln n$ and the perplexity $n$.
#
# ### Exercise 3: `perplexity`
# *Difficulty 1 of 3, about 5 minutes. Hints: `hint("bert.perplexity")`*
#
# Return the perplexity at the labelled places, a tensor with a single number, from logits `(B, S, V)` and labels `(B, S)`. Without any label it is 1.
#
# *A tiny case.* The logits of exercise 2 give $e^{\ln 4/3} = \frac43$: the model hardly hesitates. Equal logits for 8 words give 8.


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

# %% id="perplexity-run"
torch.testing.assert_close(perplexity(tiny_logits, tiny_labels), torch.tensor(4 / 3))
labels = held_out.masked_fill(~chosen, -100)
for name, guess in (("left", pairs.from_left), ("both", pairs.from_both)):
    print(f"{name}: perplexity {perplexity(guess(blanks), labels):.0f}")

# %% id="perplexity-quiz"
quiz("bert.perplexity-of-eight")

# %% [markdown] id="perplexity-note"
# Two perplexities can be compared only where the vocabulary, the text and the hidden places are the same. Pieces of words are easier to guess than words, and a place between two known words easier than one among other masks.

# %% [markdown] id="pairs-section"
# ## 5 Two sentences in one input
#
# Many tasks are about two texts: a question and a paragraph, a claim and a source. BERT reads both in one input, so that attention runs between them from the first layer on. Two things tell them apart: the token `[SEP]`, and a [segment](glossary.md#segment) embedding that is added to every token, one vector for the first text and one for the second (chapter 04 met the table: MiniLM has one, too).

# %% [markdown] id="sentence-pair-text"
# ### Exercise 4: `sentence_pair`
# *Difficulty 2 of 3, about 15 minutes. Hints: `hint("bert.sentence_pair")`*
#
# ```
#    ids        [CLS]  a1  a2  [SEP]  b1  b2  b3  [SEP]
#    type ids     0    0   0     0    1   1   1     1
#               └──────── first ────┘└──── second ────┘
# ```
#
# The result has at most `max_length` places (3 or more), the three special tokens counted. Where the texts are too long, drop one token at a time from the end of the **longer** one; of two equally long, from the second. So a short question survives beside a long paragraph. Leave the caller's lists as they are.
#
# *A tiny case.* $(11, 12)$ and $(61, 62, 63)$ with room for 7: one token must go, the second text is the longer one, and $63$ falls: $(\text{CLS}, 11, 12, \text{SEP}, 61, 62, \text{SEP})$ with the types $(0, 0, 0, 0, 1, 1, 1)$.


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

# %% id="sentence-pair-run"
cut = sentence_pair([11, 12], [61, 62, 63], cls_id=1, sep_id=2, max_length=7)
assert cut == ([1, 11, 12, 2, 61, 62, 2], [0, 0, 0, 0, 1, 1, 1])

_, tokenizer = load_minilm()
following = "A custom key function can be supplied to customize the sort order."
first, second = (tokenizer.encode(text).ids[1:-1] for text in (sentence, following))
cls_id, sep_id = (tokenizer.vocabulary[token] for token in ("[CLS]", "[SEP]"))
pair_ids, type_ids = sentence_pair(first, second, cls_id, sep_id, max_length=128)
theirs = tokenizer.encode(sentence, following)
print("as the tokenizer:", (pair_ids, type_ids) == (theirs.ids, theirs.type_ids))
for token, kind in zip(theirs.tokens, type_ids):
    print(f"{token}:{kind}", end=" ")

# %% [markdown] id="next-sentence-text"
# ### Next-sentence prediction
#
# BERT's second task used such pairs. In half of them the second sentence really follows the first; in the other half it comes from anywhere in the corpus. The vector of `[CLS]` must say which: [next-sentence prediction](glossary.md#next-sentence-prediction).
#
# How hard is that? Forget encoders, and look only at **shared words**: call two sentences neighbours if they share more than a certain part of their long words. Python's documentation has pairs of neighbouring sentences; the other half comes from another topic of it. The threshold is chosen on half of the pairs and tried on the rest.

# %% id="shared-words-predict"
predict("bert.shared-words")

# %% id="shared-words-run"
by_shared_words = bert.shared_words()
for against, share in by_shared_words.items():
    print(f"neighbours against {against:21} {share:.0%} told apart")

# %% id="shared-words-explain"
explain("bert.shared-words")

# %% [markdown] id="next-sentence-note"
# *What to see:* about three of four pairs, by shared words alone. They tell the **topic**, and a sentence from anywhere has another one. Whether a sentence *follows* is another question: turn the pair round, and shared words know nothing.
#
# Liu et al. (2019, table 2) trained BERT-base without this task. With pairs of segments and next-sentence prediction they reached 84.0 on MNLI and 78.7 on SQuAD 2.0, which asks for the answer to a question in a paragraph (F1, of 100: how many words the given and the right answer share); with whole sentences of one document, and no such task, 84.7 and 79.7. Pairs of single sentences were worst, 82.9 and 76.2: short inputs teach little. So RoBERTa dropped the task and kept the long inputs. ALBERT (Lan et al., 2020) took what is left when the topic is the same on both sides: which of two neighbouring segments comes first.

# %% id="next-sentence-quiz"
quiz("bert.why-dropped")

# %% [markdown] id="tied-section"
# ## 6 Tied weights
#
# The output layer has a vector for each word of the vocabulary, and compares it with the hidden vector. The embedding table has a vector for each word as well. Press and Wolf (2017) use one for both: [tied weights](glossary.md#tied-weights). Then a word's row learns from both sides, where it is read and where it is the answer.
#
# ### Exercise 5: `tied_logits`
# *Difficulty 1 of 3, about 5 minutes. Hints: `hint("bert.tied_logits")`*
#
# ```
#    hidden (B, S, D)    embedding_weight (V, D)     logits (B, S, V)
#         D                      D                          V
#     ┌───────┐              ┌───────┐                ┌───────────┐
#   S │   h   │     ·      V │ word  │ ᵀ    →       S │ h · word  │ + bias
#     └───────┘              └───────┘                └───────────┘
# ```
#
# *A tiny case.* $h = (1, 2)$, a table with the rows $(3, 0)$, $(0, 1)$, $(1, 1)$ and the bias $(0, 0, 5)$: the logits are $3$, $2$, $8$.


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

# %% id="tied-logits-run"
tiny_table = torch.tensor([[3.0, 0.0], [0.0, 1.0], [1.0, 1.0]])  # (V, D)
tiny_hidden, tiny_bias = torch.tensor([[[1.0, 2.0]]]), torch.tensor([0.0, 0.0, 5.0])
assert tied_logits(tiny_hidden, tiny_table, tiny_bias).flatten().tolist() == [3, 2, 8]

# %% [markdown] id="table-share-text"
# How much does that save? BERT-base has 30,522 tokens and 768 numbers for each. Built on PyTorch's "meta" device, a model has shapes and no numbers, so that counting costs nothing:

# %% id="table-share-predict"
predict("bert.table-share")

# %% id="table-share-run"
with torch.device("meta"):
    base = MaskedLM(Bert(BertConfig()))  # the defaults are BERT-base's
parameters = sum(parameter.numel() for parameter in base.parameters())  # a shared one counts once
table = base.encoder.embeddings.token.weight.numel()
layers = sum(parameter.numel() for parameter in base.encoder.layers.parameters())
print(f"BERT-base with its output layer: {parameters:,} parameters")
print(f"the table: {table:,}, {table / parameters:.0%}; the twelve layers: {layers:,}")
print(f"without tying: {parameters + table:,}")

# %% id="table-share-explain"
explain("bert.table-share")

# %% [markdown] id="head-note"
# Between the last layer and the table BERT puts one more dense layer, a GELU and a layer norm (`encoder_core.MaskedLMHead`, and its original: Devlin's published code). So the hidden vector itself need not lie near the word's row.

# %% id="tied-quiz"
quiz("bert.tied-gradient")

# %% [markdown] id="start-section"
# ## 7 The first steps of a training
#
# (To begin a sitting here, in a fresh kernel, run the chapter's first code cell and the one below.)

# %% id="second-sitting"
pairs = bert.neighbours()
sentence = "Return a new list containing all items from the iterable in ascending order."
mask_tokens, masked_lm_loss = use("bert.mask_tokens"), use("bert.masked_lm_loss")

# %% [markdown] id="start-text"
# BERT was trained with Adam (Kingma and Ba, 2015): a million steps, a learning rate of $10^{-4}$ that **rises** over the first 10,000 steps and then falls to 0 (Devlin et al., appendix A.2). Why should it rise? Two reasons.
#
# The first is the place of the norm. In a fresh post-norm encoder, and BERT is one, the gradient of the last layers is large (chapter 04; Xiong et al., 2020). The second is Adam. It moves each parameter $\theta$ by the learning rate lr, times the running mean of its gradient, $\hat m$, divided by the root of the running mean of the gradient's square, $\hat v$ (a tiny $\varepsilon$ keeps 0 out of the denominator):
#
# $$\Delta\theta = -\text{lr} \cdot \frac{\hat m}{\sqrt{\hat v} + \varepsilon}$$
#
# In the first step both means hold one gradient, $\hat m = g$ and $\hat v = g^2$. What is $\hat m / \sqrt{\hat v}$ then? Take 2,000 parameters whose gradient is mostly noise: 0.1 plus a standard normal number, a new one in each step.

# %% id="first-step-predict"
predict("bert.first-step")

# %% id="first-step-run"
moved = {f"gradient {signal:g} ± 1": bert.adam_steps(signal) for signal in (0.1, 1.0)}
figures.lines(
    range(1, 201),
    moved,
    log_x=True,
    x_title="step",
    y_title="step length / learning rate",
    title="Adam's first steps are its longest",
)

# %% id="first-step-explain"
explain("bert.first-step")

# %% [markdown] id="first-step-note"
# *What to see:* the first step has the full length of one learning rate for **every** parameter, however small or noisy its gradient is: it is the sign of one batch. When the means have gathered some twenty gradients, the steps of the noisy parameters are a fifth as long. A [warm-up](glossary.md#warm-up) keeps the rate small as long as the steps know so little. Liu et al. (2020) trace it to the variance of $\hat v$ in the first steps.
#
# ### Exercise 6: `learning_rate`
# *Difficulty 1 of 3, about 10 minutes. Hints: `hint("bert.learning_rate")`*
#
# ```
#    peak ┤      ╱╲
#         │    ╱    ╲
#         │  ╱        ╲
#       0 ┼╱────┴───────╲──────►  step
#         0   warmup    total
# ```
#
# `step` counts the updates that are done, and `total` is larger than `warmup`. With `warmup = 0` the rate starts at `peak`; after `total` it is 0.
#
# *A tiny case.* A warm-up of 4 steps of 10, peak 2: step $1$ has $2 \cdot \frac14 = 0.5$, step $4$ has $2$, step $7$ has $2 \cdot \frac{3}{6} = 1$, step $10$ has $0$.


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

# %% id="learning-rate-run"
assert [learning_rate(step, 4, 10, 2.0) for step in (1, 4, 7, 10, 12)] == [0.5, 2.0, 1.0, 0.0, 0.0]
steps = range(0, 1_000_001, 10_000)
figures.lines(
    steps,
    {"BERT": [learning_rate(step, 10_000, 1_000_000, 1e-4) for step in steps]},
    x_title="step",
    y_title="learning rate",
    title="BERT's schedule: the warm-up is its first hundredth",
)

# %% [markdown] id="clip-norm-text"
# ### Exercise 7: `clip_norm`
# *Difficulty 2 of 3, about 10 minutes. Hints: `hint("bert.clip_norm")`*
#
# The other guard is [clipping](glossary.md#gradient-clipping). Now and then a batch has a gradient many times as long as usual, and one step along it undoes many. BERT's published code makes all gradients **together** at most 1 long. Read the numbers of all gradients as one long vector; if it is longer than `max_norm`, multiply everything by one factor, so that the direction stays.
#
# ```
#    gradients  (3, 4)   (4,)   ()
#                  └──────┼──────┘
#       norm = √(sum of all squares)     ()
#       factor = max_norm / norm         (), at most 1
#                  ┌──────┼──────┐
#    result     (3, 4)   (4,)   ()
# ```
#
# *A tiny case.* Gradients $(3)$ and $(4)$ are together 5 long. With `max_norm` 1 both are divided by 5: $(0.6)$ and $(0.8)$. With `max_norm` 10 they stay. (`nn.utils.clip_grad_norm_` does this in place and returns the norm; yours returns new tensors.)


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

# %% id="clip-norm-run"
three, four = torch.tensor([3.0]), torch.tensor([4.0])
shorter = [gradient.item() for gradient in clip_norm([three, four], 1.0)]
print("clipped to 1:", [round(number, 3) for number in shorter])
assert max(abs(a - b) for a, b in zip(shorter, (0.6, 0.8))) < 1e-5

# %% id="clip-quiz"
quiz("bert.clip-together")

# %% [markdown] id="sentence-section"
# ## 8 How likely is a whole sentence?
#
# A model that reads left to right gives each sentence a probability: the product of what it gives to each word. An encoder has no such order. But it can judge each word from all others. Salazar et al. (2020) mask one token at a time, and sum the logarithms of what the model gives to the tokens that stood there, the [pseudo-log-likelihood](glossary.md#pseudo-log-likelihood):
#
# $$\operatorname{PLL}(w) = \sum_i \log p(w_i \mid w_1, \dots, w_{i-1}, \text{[MASK]}, w_{i+1}, \dots, w_S)$$
#
# ### Exercise 8: `pseudo_log_likelihood`
# *Difficulty 3 of 3, about 15 minutes. Hints: `hint("bert.pseudo_log_likelihood")`*
#
# ```
#    ids (S,)                   copies (N, S)           log p (N, S, V)
#                          [CLS] [M]  b   c  [SEP]   →   log p(a) at 1  ┐
#    [CLS] a b c [SEP] →   [CLS]  a  [M]  c  [SEP]   →   log p(b) at 2  ├ sum ()
#                          [CLS]  a   b  [M] [SEP]   →   log p(c) at 3  ┘
# ```
#
# `special` `(S,)` says which tokens are not scored; where it leaves none, the score is 0. `model` takes ids `(N, S)` and returns logits `(N, S, V)`; call it with all copies at once, or with one at a time.
#
# *A tiny case.* Two words that a model gives $\frac12$ and $\frac14$, each from the other, score $\ln \frac12 + \ln \frac14 = -\ln 8 \approx -2.08$.


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

# %% id="pseudo-log-likelihood-run"
variants = [
    sentence,
    "Return a new list containing all from items the iterable in ascending order.",
    "Return a new list containing all items from the order in ascending iterable.",
]
scores = []
for text in variants:
    row = pairs.encode(text)
    score = pseudo_log_likelihood(row, row < len(bert.SPECIALS), bert.MASK, pairs.from_both)
    scores.append(score.item())
    print(f"{score:7.1f}  {text}")

# %% [markdown] id="pseudo-log-likelihood-note"
# *What to see:* two neighbours exchanged make the sentence far less likely. The third one is nonsense, and the counts like it a little better than the real one: each of its words fits the two words beside it, and they look no further. That is the gap that an encoder has to fill: in attention every word is one step away.
#
# (Compare scores of sentences of one length only: each further word adds another negative number.)

# %% id="whole-sentence-quiz"
quiz("bert.longer-sentence")

# %% [markdown] id="pretrain-section"
# ## 9 Pretrain a small BERT
#
# You have the parts of such a training: the masks, the loss, the tied output, a schedule, the clipping, and the measure. Now an encoder trains while you watch.
#
# Its text is the documentation of Python's language and standard library, cut into rows of 32 pieces from a [WordPiece](glossary.md#WordPiece) vocabulary of 2,000 (chapter 01). Whole modules are held out: of `json`, say, the model reads either everything in training or nothing.

# %% id="pretrain-data"
documentation = datasets.load("python-docs")
documentation.show(5)

# %% [markdown] id="pretrain-parts-text"
# The encoder is small: two layers, four heads, 64 numbers a token. Its layers are **your** `EncoderLayer` of chapter 04, if your answer passed there, and masks and loss are yours of this chapter; where an answer hasn't passed yet, the reference stands in.
#
# Two things give it a head start, and nothing of the held-out text is in them. Each piece's first vector already says which pieces stand near it (chapter 01: words with the same neighbours are alike). And half of the heads start with a look at the piece to the left, the other half to the right, by a bias on the attention scores that depends on the distance and is trained along.
#
# Some settings differ from BERT's, because the time is short; they were chosen on validation. 30 % of the pieces are chosen and not 15 %. The layers are pre-norm (chapter 04). The rate falls along a cosine after its warm-up. And Muon takes the place of Adam for the layers' matrices: it gives a matrix's step the same size in all directions (Jordan et al., 2024).

# %% id="pretrain-parts"
training = masked_words(
    layer=use("stacking.EncoderLayer"), mask_tokens=mask_tokens, masked_lm_loss=masked_lm_loss
)
for part, whose in training.parts.items():
    print(f"{part}: {whose}")
for baseline, reached in plain_baselines().items():
    print(
        f"{baseline:25} right {reached['accuracy']:.1%}, among the first five "
        f"{reached['top5']:.1%}, perplexity {reached['perplexity']:.0f}"
    )

# %% [markdown] id="pretrain-baselines-note"
# The second baseline knows up to two pieces on each side and has counted all of the training text. It takes no learning, only a table with a million entries. To beat it, the encoder has to see further than two pieces, or to notice that pieces are alike.

# %% id="least-sure-predict"
predict("bert.least-sure")

# %% id="pretrain-theatre"
theatre = labs.TrainingTheatre(training)
theatre

# %% [markdown] id="pretrain-theatre-note"
# Press **Start** (or run the next cell, which starts the training if you haven't). While it runs you can move the cursor back to any moment: the five sentences below are answered again by the model of that moment, and its heads are drawn. **Pause**, and change the learning rate; or branch from a moment and let two runs race.

# %% id="pretrain-result"
trained = theatre.result()  # waits for the end
print(f"{trained.settings.steps:,} updates in {trained.seconds:.0f} s")
for split, figures_of in (("validation", trained.metrics), ("test", trained.test)):
    print(
        f"{split:10}  right {figures_of['accuracy']:.1%}, among the first five "
        f"{figures_of['top5']:.1%}, perplexity {figures_of['perplexity']:.1f}"
    )

recorded = recording("bert.masked-words")  # made by benchmarks/applications.py
shown = {
    "accuracy": "right {:.1%}",
    "top5": "among the first five {:.1%}",
    "perplexity": "perplexity {:.1f}",
}
print(f"\nFor comparison, recorded on test: {recorded.machine}; median (lowest to highest)")
print(recorded.text("test", **shown))

# %% id="least-sure-explain"
explain("bert.least-sure")

# %% [markdown] id="pretrain-result-note"
# *What to see:* in accuracy the encoder comes level with the counts and no further; a table of everything that stood beside everything is a strong opponent where both have read only 330,000 pieces. In perplexity it is far ahead. Where the counts have never seen a piece between these neighbours they give it almost nothing, and a surprise is dear. The encoder knows which pieces are alike, not least from its first vectors, and hedges.
#
# On test the figures are a little lower than on validation: other modules, and some of the settings were chosen on validation. That is what a test split is for.

# %% [markdown] id="pretrain-lab-text"
# Now ask it yourself. Type a sentence, choose a token with the arrow keys, and blank it with the space bar. The slider goes back through the training.

# %% id="pretrain-lab"
labs.MaskedWordLab(theatre.moments, datasets.tokenizer())

# %% [markdown] id="pretrain-sentences-text"
# Exercise 8 can now judge with the trained encoder. First the three sentences of section 8: the real one, one with two neighbours exchanged, and the nonsense that the counts liked. Then eight **minimal pairs**: two sentences that differ in one word, and one of them is wrong. Nothing is trained for that question, so it measures what pre-training alone has brought. BLiMP (Warstadt et al., 2020) asks 67,000 such pairs about English grammar. In the last three of ours a noun stands between the two words that must agree.

# %% id="pretrain-sentences"
scored, liked = {}, {}
for name, score in bert.sentence_scorers(pseudo_log_likelihood, trained.model).items():
    scored[name] = [score(text) for text in variants]
    liked[name] = [score(good) > score(bad) for good, bad in bert.MINIMAL_PAIRS]
    print(f"{name}: the three sentences", *(f"{number:.1f}" for number in scored[name]))
    print(f"    the right one of {sum(liked[name])} of {len(bert.MINIMAL_PAIRS)} pairs", end=", ")
    print(f"of the last three {sum(liked[name][-3:])}")

# %% [markdown] id="pretrain-sentences-note"
# *What to see:* the encoder can hardly tell the real sentence from the nonsense, which the counts liked a little better. In the pairs the counts are ahead. Agreement of words side by side is what counts know best; what a noun in between hides, the encoder could see and has not learned in a minute from 330,000 pieces. A far lower perplexity is no better grammar. (Eight pairs are a taste and no measurement: one pair more or less is 12 %.)

# %% [markdown] id="pretrain-surgery-text"
# And look inside. The surgery table cuts out one head, one sublayer, one neuron after the other, and shows what the answer loses; beside it stands what the attention weights alone would have suggested. They often disagree: a head that looks sharply may say nothing that the answer needs.

# %% id="pretrain-surgery"
labs.SurgeryTable(labs.with_standard_layers(trained.model), datasets.tokenizer())

# %% [markdown] id="pretrain-positions"
# ### Where is the neighbour?
#
# How does the model find out that a piece's left neighbour is its left neighbour? Attention alone can't (chapter 01: without positions a sentence is a bag of words). Five kinds of positions train for 400 updates each, and nothing else differs:
#
# - **none**;
# - **learned**, BERT's: a table with a vector for each place, added to the token's;
# - **sinusoidal**, the Transformer's own;
# - **alibi**: a fixed penalty on the scores that grows with the distance, alike on both sides (Press et al., 2022);
# - **relative**: the same penalty at the start, but trainable for each head and each distance, left and right by themselves (Shaw et al., 2018, learn a vector for each distance; this is one number, as in T5).

# %% id="positions-predict"
predict("bert.which-positions")

# %% id="pretrain-positions-run"
kinds = ("none", "learned", "sinusoidal", "alibi", "relative")
found = {}
for kind in kinds:
    short = training.settings.changed(positions=kind, near=False, steps=400, warmup=40)
    found[kind] = train(training, short, progress=False).metrics["accuracy"]
    print(f"{kind:10} {found[kind]:.1%}")

# %% id="positions-explain"
explain("bert.which-positions")

# %% [markdown] id="pretrain-positions-note"
# *What to see:* in so short a time learned positions are worth nothing: they do as well as none, and the sines hardly better. A model with a table of places has to learn for **each pair** of places separately that 7 comes after 6 and 8 after 7. A bias by distance learns it once, for all places. ALiBi's fixed penalty gains a little: it knows near from far, and not left from right. Made trainable, it is worth far more.
#
# BERT had the time: a million updates of 256 sequences. Its successors count distances instead: [rotary positions](glossary.md#rotary-positions) in ModernBERT, a bias for each range of distances in T5, a vector for each distance in DeBERTa.

# %% [markdown] id="changes-section"
# ## 10 From BERT to RoBERTa to ModernBERT
#
# Since 2018 nearly every point of the recipe has changed. RoBERTa kept the network and changed the training (Liu et al., 2019, section 4); ModernBERT changed both (Warner et al., 2024, section 2):
#
# | | BERT | RoBERTa | ModernBERT |
# |---|---|---|---|
# | second task | next sentence | none | none |
# | masks | drawn once, ten versions of the text | fresh each time | fresh each time |
# | tokens masked | 15 % | 15 % | 30 % |
# | positions | learned, a vector for each place | the same | rotary |
# | layer norm | after the residual (post-norm) | the same | before the sublayer (pre-norm) |
# | feed-forward | GELU | the same | GEGLU (chapter 03) |
# | biases in the layers | yes | yes | none |
# | sequences in a batch | 256 | 8,000 | thousands |
#
# A new model changes many things at once, and its table of results has one line. What is each change worth **by itself**? `benchmarks/applications.py` has trained small models (two layers, 64 numbers a token) on the rows of section 9: with each change switched on in BERT's recipe, and with each taken back from ModernBERT's. Each had 400 updates of 16 rows with AdamW, which is Adam that also shrinks the weights a little; nothing else differs. For next-sentence prediction a row's second half is its own or that of another row, and `[CLS]` is asked which; every recipe answers the same validation questions.

# %% id="changes-predict"
predict("bert.which-change")

# %% id="changes-recorded"
changes = recording("bert.changes")
print(f"Recorded on validation: {changes.machine}")
one_by_one = [row for row in changes.rows if "rate" not in row]
print(
    changes.text(
        "validation", one_by_one, accuracy="right {:.1%}", perplexity="perplexity {:.0f}"
    )
)

# %% id="changes-explain"
explain("bert.which-change")

# %% [markdown] id="changes-note"
# *What to see:* one change outweighs the others, the positions. In BERT's recipe rotary positions or a trainable bias take a third off the perplexity; back in ModernBERT's, learned positions add two thirds. No other change moves BERT's recipe by more than 6 %: a bag of words gains nothing from a gate. So what a change is worth depends on **what stands beside it**. 15 % of the tokens masked instead of 30 % costs BERT 6 % and ModernBERT 16 %, and 40 % is as good as 30 % there: a model that knows the order can use twice as many answers. (Wettig et al., 2023, measured that for BERT-large, where 40 % was best.) Next-sentence prediction is answered like a coin in all recipes, and costs ModernBERT 9 %.
#
# Fresh masks matter little where a row is seen once at most. With a thirtieth of the text (the last two rows) each row is seen twenty times, and one set of masks is learned by heart: a perplexity above 3,000, far worse than knowing only how often each piece occurs (491). Fresh masks leave it at 634. RoBERTa's authors, with ten versions of a large text, found the two about alike.
#
# Larger batches: with as many updates four times the text is read, and the perplexity is halved. With as much text, in a quarter of the updates, it is a third higher. A large batch buys speed on many machines, not more from the same text.
#
# And not every new thing pays here. Without biases ModernBERT's recipe is 10 % worse than with them. At 768 numbers a token the biases are about a thousandth of a layer's weights; with 64 numbers and 400 updates they are a quick way to learn. (Each row is one training. Don't read differences of two or three per cent.)

# %% [markdown] id="changes-live-text"
# Run one yourself: any name from the table, with your masks and your loss. It takes some ten seconds; a training that you have run before comes from the cache.

# %% id="changes-live"
change = "BERT, a bias by distance"
tried = train(
    recipe_changed(change, mask_tokens=mask_tokens, masked_lm_loss=masked_lm_loss), progress=False
)
recorded_row = changes.rows[change].spread("validation", "perplexity")
print(f"{change}: perplexity {tried.metrics['perplexity']:.0f}")
print("recorded:", recorded_row.text("{:.0f}"))

# %% [markdown] id="warmup-text"
# ### Does post-norm need its warm-up?
#
# Section 7 gave two reasons for a warm-up, and the first was post-norm. Xiong et al. (2020) found that a post-norm Transformer without warm-up fails at rates at which a pre-norm one learns. Here is ModernBERT's recipe with post-norm, with and without a warm-up of 40 updates, and with pre-norm and none; at the recipe's rate and at higher ones.

# %% id="warmup-predict"
predict("bert.post-norm-warm-up")

# %% id="warmup-run"
kinds_of_norm = {
    "post-norm, warm-up": "ModernBERT, post-norm",
    "post-norm, no warm-up": "ModernBERT, post-norm, no warm-up",
    "pre-norm, no warm-up": "ModernBERT, pre-norm, no warm-up",
}
at_rates = {name: [] for name in kinds_of_norm}
for name, beginning in kinds_of_norm.items():
    for row in [beginning, *(f"{beginning}, rate {rate:g}" for rate in (0.01, 0.03))]:
        at_rates[name].append(changes.rows[row].spread("validation", "perplexity").median)
figures.lines(
    (0.003, 0.01, 0.03),
    at_rates,
    log_x=True,
    x_title="learning rate",
    y_title="perplexity after 400 updates",
    title="Recorded: the place of the norm, the warm-up and the rate",
)

# %% id="warmup-explain"
explain("bert.post-norm-warm-up")

# %% [markdown] id="warmup-note"
# *What to see:* not what the paper leads one to expect. Without a warm-up post-norm neither fails nor lags: at the rates 0.003 and 0.01 it ends within 2 % of post-norm with one. Pre-norm is ahead at both, by 4 % and by 7 %. At 0.03 all three fail, pre-norm too: a perplexity of about 476 is hardly better than knowing how often each piece occurs (491).
#
# Two layers are not the paper's six. That is the trouble with a small experiment: it shows what happens here, not that the paper is wrong. And these are single trainings: the 2 % may be chance, the 7 % and the failure hardly.

# %% [markdown] id="real-section"
# ## 11 A real BERT beside it
#
# The real one has the same parts: `masked_lm_from_pretrained` builds `encoder_core.MaskedLM` and fills it with published weights. Nothing is fetched unless you say so. With `fetch = True` the cell downloads [google-bert/bert-base-uncased](https://huggingface.co/google-bert/bert-base-uncased) from the Hugging Face hub, about 440 MB (Apache-2.0), once; after that it is in the hub's cache, and the cell uses it without a network. `name` may also be a folder that holds a checkpoint.

# %% id="real-bert"
fetch = False  # True: download about 440 MB, once
name = "google-bert/bert-base-uncased"
print(beside(trained.model, name, download=fetch))

# %% [markdown] id="real-note"
# > **In the article** (2.3): "海量文本数据" (*massive text data*).
# >
# > BERT's were the BooksCorpus with 800 million words and the English Wikipedia with 2,500 million (Devlin et al., section 3.1). RoBERTa's were 160 GB of text, ten times as much (Liu et al., section 3.2), and its layers are BERT-large's. What made it better? Their table 4 adds one change after the other. On BERT's own text, with new masks each time, larger batches, a larger vocabulary and no next-sentence prediction, MNLI rose from 86.6 to 89.0. Ten times the text made it 89.3, and five times the updates 90.2. The counts of section 1 have read about 130,000 words, the encoder of section 9 about 330,000 pieces. What a text doesn't say, no trick of this chapter gives to a model.

# %% [markdown] id="article-understanding"
# > **In the article** (2.3): "强大的语言理解能力" (*a strong ability to understand language*).
# >
# > What was measured? GLUE (Wang et al., 2019), nine tasks on sentences and pairs: is this review positive, does this sentence follow from that one, do these two say the same. On eight of them BERT-base reached a mean of 79.6 and BERT-large 82.1, where the best before them, a left-to-right GPT, had 75.1 (Devlin et al., table 1). That is the claim in numbers, and a large step. What does it leave open? McCoy, Pavlick and Linzen (2019) wrote pairs in which all words of the second sentence stand in the first and it still does not follow ("The doctor was paid by the actor" and "The doctor paid the actor"). A BERT with a high score on MNLI said "follows" to most of them: it had learned that shared words are a sign of it. You have seen above how far shared words go. A score is the answer to the questions of its test.

# %% id="understanding-quiz"
quiz("bert.what-glue-shows")

# %% [markdown] id="recap"
# ## Recap
#
# - BERT is an encoder trained to fill in words, with both sides in sight. The text gives the labels: self-supervised.
# - 15 % of the tokens are chosen; 80 % of these become `[MASK]`, 10 % another token, 10 % stay. Where the model is asked and sees a word, it is right half of the time, so it can neither copy nor ignore it.
# - The loss is taken at the chosen places alone; at the others the answer is in the input.
# - Perplexity is $e^{\text{loss}}$: between how many equally likely words a model hesitates.
# - `[CLS] first [SEP] second [SEP]` with segments 0 and 1. Next-sentence prediction can be answered by topic; RoBERTa dropped it and lost nothing.
# - Tied weights: the table is the output layer, and 21 % of BERT-base.
# - Adam's first steps follow the sign of one batch: warm up. Clip all gradients by one factor.
# - Each token masked in turn: the pseudo-log-likelihood scores a sentence.
#
# Close the notebook and write `mask_tokens` on paper, with the reason for each share. If that works, you have the chapter.

# %% [markdown] id="glossary"
# ### The chapter's terms
#
# <!-- glossary -->

# %% [markdown] id="papers"
# ### The papers
#
# - Devlin, Chang, Lee, Toutanova: *BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding*. NAACL 2019. [arXiv:1810.04805](https://arxiv.org/abs/1810.04805). Section 3.1 on both tasks; table 1; appendix A.2 on the training, C.2 with table 8 on the shares.
# - Liu, Ott, Goyal, Du, Joshi, Chen, Levy, Lewis, Zettlemoyer, Stoyanov: *RoBERTa: A Robustly Optimized BERT Pretraining Approach*. 2019. [arXiv:1907.11692](https://arxiv.org/abs/1907.11692). Section 3.2 on the data; 4.1 on masks that are drawn each time; table 2 on next-sentence prediction; table 4 on what each change brought.
# - Radford, Narasimhan, Salimans, Sutskever: *Improving Language Understanding by Generative Pre-Training*. 2018. GPT.
# - Lan, Chen, Goodman, Gimpel, Sharma, Soricut: *ALBERT: A Lite BERT for Self-supervised Learning of Language Representations*. ICLR 2020. [arXiv:1909.11942](https://arxiv.org/abs/1909.11942). Section 3.1 on the order of sentences.
# - Clark, Luong, Le, Manning: *ELECTRA: Pre-training Text Encoders as Discriminators Rather Than Generators*. ICLR 2020. [arXiv:2003.10555](https://arxiv.org/abs/2003.10555). Section 3.5 with table 5: a loss at all places.
# - Press, Wolf: *Using the Output Embedding to Improve Language Models*. EACL 2017. [arXiv:1608.05859](https://arxiv.org/abs/1608.05859). Tied weights.
# - Kingma, Ba: *Adam: A Method for Stochastic Optimization*. ICLR 2015. [arXiv:1412.6980](https://arxiv.org/abs/1412.6980). Algorithm 1.
# - Xiong, Yang, He, Zheng, Zheng, Xing, Zhang, Lan, Wang, Liu: *On Layer Normalization in the Transformer Architecture*. ICML 2020. [arXiv:2002.04745](https://arxiv.org/abs/2002.04745). Post-norm and its warm-up.
# - Liu, Jiang, He, Chen, Liu, Gao, Han: *On the Variance of the Adaptive Learning Rate and Beyond*. ICLR 2020. [arXiv:1908.03265](https://arxiv.org/abs/1908.03265). Why Adam wants a warm-up.
# - Jordan, Jin, Boza, You, Cesista, Newhouse, Bernstein: *Muon: An Optimizer for Hidden Layers in Neural Networks*. 2024. [kellerjordan.github.io/posts/muon](https://kellerjordan.github.io/posts/muon/).
# - Shaw, Uszkoreit, Vaswani: *Self-Attention with Relative Position Representations*. NAACL 2018. [arXiv:1803.02155](https://arxiv.org/abs/1803.02155). Section 3.2: distances that are clipped.
# - Press, Smith, Lewis: *Train Short, Test Long: Attention with Linear Biases Enables Input Length Extrapolation*. ICLR 2022. [arXiv:2108.12409](https://arxiv.org/abs/2108.12409). Section 3: ALiBi, made for a decoder, which sees one side alone.
# - Warner, Chaffin, Clavié, and others: *Smarter, Better, Faster, Longer: A Modern Bidirectional Encoder for Fast, Memory Efficient, and Long Context Finetuning and Inference*. 2024. [arXiv:2412.13663](https://arxiv.org/abs/2412.13663). ModernBERT; section 2.
# - Wettig, Gao, Zhong, Chen: *Should You Mask 15% in Masked Language Modeling?* EACL 2023. [arXiv:2202.08005](https://arxiv.org/abs/2202.08005).
# - Salazar, Liang, Nguyen, Kirchhoff: *Masked Language Model Scoring*. ACL 2020. [arXiv:1910.14659](https://arxiv.org/abs/1910.14659).
# - Warstadt, Parrish, Liu, Mohananey, Peng, Wang, Bowman: *BLiMP: The Benchmark of Linguistic Minimal Pairs for English*. TACL 2020. [arXiv:1912.00582](https://arxiv.org/abs/1912.00582).
# - Wang, Singh, Michael, Hill, Levy, Bowman: *GLUE: A Multi-Task Benchmark and Analysis Platform for Natural Language Understanding*. ICLR 2019. [arXiv:1804.07461](https://arxiv.org/abs/1804.07461).
# - McCoy, Pavlick, Linzen: *Right for the Wrong Reasons: Diagnosing Syntactic Heuristics in Natural Language Inference*. ACL 2019. [arXiv:1902.01007](https://arxiv.org/abs/1902.01007).
#
# **Next:** chapter 06, where an encoder's vectors sort whole texts.
