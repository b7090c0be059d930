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
# Day, month and year, in another order and another script. Not one character of *March* stands on the right, and not one digit of the year is changed. This chapter trains the encoder-decoder of chapter 07 to write the right-hand side, looks at where it looks while it does, counts how often it is right, and takes it to places where it is wrong.
#
# **When you are through, you can**
#
# - train a translator with a smoothed loss, and say what the smoothing costs and gains;
# - read an alignment from cross-attention;
# - score translations with BLEU and chrF, and say what neither of them sees;
# - write a beam search, and say why a wider beam is not a better one;
# - tell what a model has learned from what it has seen, by asking for what it has not;
# - say what attention replaced, having built what stood there before.
#
# **You need** Python, a little PyTorch, and from the chapters before: the layer of 04, the loss of 05, the decoder of 07.
#
# **Time** About three hours: five exercises, 97 minutes by our count, and about 85 minutes to read, run and play. Sections 1 to 5 make a good first sitting, 6 to 8 a second, 9 to 11 a third; each can begin in a fresh kernel.

# %% id="setup"
import inspect
import math
from collections import Counter
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from course import check, datasets, explain, figures, hint, labs, predict, quiz, use
from course.content.recorded import recording
from course.content.translation import demonstrations, help_text, history, phrases
from course.content.translation.experiments import baselines, characters
from course.content.translation.experiments.history.fixed_vector import FixedVector
from course.training import train

LANGUAGE = "zh"  # or "ar", "de", "es", "fr", "he", "hi", "ja", "ko", "ru"

# %% [markdown] id="task-section"
# ## 1 What a translator is asked to do
#
# > **In the article** (6.3): "编码器可以用于将源语言文本转换为隐藏表示，然后将其输入到解码器中生成" (*the encoder can be used to convert the source-language text into a hidden representation, which is then fed into the decoder to generate*).
# >
# > Here the article breaks off, in the middle of its sentence. What is missing is short: 目标语言文本 (*the text in the target language*). What it leaves open fills this chapter. Nothing in the network knows what a language is: the encoder and decoder are those of chapter 07, and pairs of texts alone tell them that the second one is a translation. How do you know whether a translation is right? And why attention, when networks translated before there was any?
#
# A translator assigns a probability to every text $y$ of the target language, given a source $x$, token by token (chapter 07): $p(y \mid x) = \prod_t p(y_t \mid y_1, \dots, y_{t-1}, x)$.
#
# Open translation takes millions of pairs. We begin with a small world in which everything can be learned in a minute and checked to the last character: dates, intervals, times, amounts, sums of money and lists of places, as the Unicode locale data (CLDR) write them in each language.

# %% id="language"
data = datasets.load("cldr-phrases", language=LANGUAGE)
for name in ("date", "interval", "time", "amount", "money", "list"):
    kind = data.card.classes.index(name)
    phrase = next(each for each in data.test if each.label == kind)
    print(f"{name:9} {phrase.text:28} {phrase.target}")
print({split: len(getattr(data, split)) for split in ("train", "validation", "test")})

date = "Thursday, March 6, 1997"
known = {each.text: each.target for each in data.train}
translated = known[date]
print(f"{date} → {translated}: seen in training; {phrases.DATE}: {phrases.DATE in known}")

# %% [markdown] id="language-note"
# `LANGUAGE`, in the first cell, is yours to change; then run the chapter again from the top. The sentences below speak of Chinese. With `"ar"` or `"he"`, which are written from right to left, a text's *first* character is the one that stands furthest to the right; in tables and pictures below, characters stand in the order in which they are written.
#
# One thing to be honest about: our running example was drawn for training, by chance. So the model is judged by others, which it has never seen; *Friday, April 28, 1995* is one of them.
#
# What can be reached without a network? Two attempts: copy the phrase; or take the most similar phrase of the 22,000 in training, and give its translation.

# %% id="baselines-predict"
predict("translation.nearest-neighbour")

# %% id="baselines-run"
nearest = baselines.Nearest(list(known.items()))
some = [phrases.DATE, "26.9 kilograms", "Switzerland, Singapore, Spain, or Lithuania"]
for text, answer in zip(some, nearest(some)):
    print(f"{text:44} {answer}")
for name, reached in phrases.plain_baselines("test", LANGUAGE).items():
    print(f"{name:38} {reached['exact']:.1%} right to the last character")

# %% id="baselines-explain"
explain("translation.nearest-neighbour")

# %% [markdown] id="baselines-note"
# *What to see:* similar, fluent, and wrong. The number is another one, or the month, or a country. A date that is nearly right is a wrong date, so our measure is **exact match**: right to the last character, or not at all. (For open text that would be too strict; section 6 has the measures for it.)

# %% [markdown] id="tokens-section"
# ## 2 Tokens on both sides
#
# What is a token here? A table of words would need a row for `90,257.40`, and has none for the number that it did not see. Numbers are made of digits, so we take **characters**: each letter, digit, mark and Chinese character is a token.

# %% id="tokens-run"
table = characters.characters(LANGUAGE)
sides = {
    "English": {letter for each in data.train for letter in each.text},
    "the other side": {letter for each in data.train for letter in each.target},
}
for name, letters in sides.items():
    print(f"{name:14} {len(letters)} different characters")
print("on both sides:", "".join(sorted(set.intersection(*sides.values()))))
print(f"one table of {len(table)} tokens for both, with five that mark things")

# %% [markdown] id="table-note"
# One table or two? A token that stands on both sides can have one row for both, and then the decoder's output for `7` is, from the first update on, near to what the encoder reads as `7`: copying a digit has a head start. Vaswani et al. (2017, section 5.1) share one vocabulary between English and German as well. With two tables the output layer scores the target's tokens alone; they fit two languages that share nothing.
#
# Three of the marks do the work: *begin* stands in front of what the decoder reads, *end* says that a text is finished, on both sides, and *padding* fills a batch up.
#
# ```
#   encoder reads   T h u r s d a y ,   M a r c h   6 ,   1 9 9 7 END    (B, S)
#   decoder reads   BEGIN 1 9 9 7 年 3 月 6 日 星 期 四                    (B, T)
#   decoder writes  1 9 9 7 年 3 月 6 日 星 期 四 END                      (B, T)
# ```

# %% id="ids-run"
target = characters.batch(
    [characters.encode(text, LANGUAGE) for text in (translated, known["259 weeks"])]
)  # (B, T)
shift_right = use("generation.shift_right")  # yours, from chapter 07
print("the decoder writes", target.tolist(), sep="\n")
print("the decoder reads", shift_right(target, characters.BOS).tolist(), sep="\n")
print(f"begin {characters.BOS}, end {characters.EOS}, padding {characters.PAD}")

# %% id="tokens-quiz"
quiz("translation.characters")

# %% [markdown] id="smoothing-section"
# ## 3 Label smoothing
#
# The cross-entropy of chapter 05 asks for all: the loss is 0 when the right token has probability 1, and a softmax reaches that only with logits that differ without limit. So training goes on pushing them apart, long after every answer is right. Szegedy et al. (2016, section 7) ask for a little less. Of the target's probability a share $\varepsilon$ is spread evenly over all $V$ tokens:
#
# $$q_i = (1 - \varepsilon)\,[i = y] + \frac{\varepsilon}{V}, \qquad \text{loss} = -\sum_i q_i \log p_i$$
#
# where $[i = y]$ is 1 for the right token $y$ and 0 for every other. This is [label smoothing](glossary.md#label-smoothing). Vaswani et al. (2017, section 5.4) use $\varepsilon = 0.1$.

# %% [markdown] id="label-smoothed-loss-text"
# ### Exercise 1: `label_smoothed_loss`
# *Difficulty 1 of 3, about 12 minutes. Hints: `hint("translation.label_smoothed_loss")`*
#
# Given logits $(B, T, V)$ and targets $(B, T)$, return the mean over all tokens that are not padding of
#
# $$(1 - \varepsilon) \cdot (-\log p_y) + \varepsilon \cdot \frac{1}{V} \sum_{i=1}^{V} (-\log p_i), \qquad \varepsilon = \texttt{smoothing}$$
#
# ```
#   one place       token     0      1      2      3      target: 0
#                   p        1/2    1/4    1/8    1/8
#                   -log2 p   1      2      3      3
#                             │      └──────┬──────┘
#   of the target             1             │             x (1 - ε)
#   the mean over all V       └── 2.25 ─────┘             x ε
# ```
#
# - A place whose target is `pad_id` counts neither above nor below the line of the mean. `pad_id` need not be 0.
# - The mean is over the tokens of all sentences together: a long sentence counts more than a short one.
# - The share $\varepsilon$ is spread over all $V$ tokens, the target and the padding token among them. (PyTorch's `label_smoothing` does the same. The Annotated Transformer (Rush, 2018) spreads it over the other $V - 2$.)
#
# *A tiny case.* The place above with $\varepsilon = 0.4$: $0.6 \cdot \ln 2 + 0.4 \cdot 2.25 \ln 2 = 1.5 \ln 2 \approx 1.04$.


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

# %% [markdown] id="smoothing-text"
# Where does the loss want to go now? Take ten tokens. The nine wrong ones have logit 0, the right one has $z$. Plot the loss over $z$, without smoothing and with $\varepsilon = 0.1$.

# %% id="smoothing-predict"
predict("translation.smoothed-minimum")

# %% id="smoothing-run"
z = torch.linspace(0, 12, 241)  # what the right token has more than the others
logits = torch.zeros(241, 1, 10)  # (B, T, V), one token each
logits[:, 0, 1] = z
one = torch.ones(1, 1, dtype=torch.long)  # the right token is number 1; 0 is padding
losses = {
    f"smoothing {e}": [label_smoothed_loss(row[None], one, e, 0).item() for row in logits]
    for e in (0.0, 0.1)
}
q = torch.full((10,), 0.01)
q[1] = 0.91
entropy = -(q * q.log()).sum().item()
smoothed = torch.tensor(losses["smoothing 0.1"])
best = z[smoothed.argmin()].item()
print(f"lowest at z = {best:.2f}; ln 91 = {math.log(91):.2f}")
print(f"loss there {smoothed.min():.3f}; entropy of the target {entropy:.3f}")
print(f"without smoothing the loss at z = 12 is {losses['smoothing 0.0'][-1]:.5f}")
figures.lines(
    z, losses, x_title="logit of the right token, the others at 0", y_title="loss",
    title="Where the loss wants to go",
)

# %% id="smoothing-explain"
explain("translation.smoothed-minimum")

# %% [markdown] id="smoothing-note"
# *What to see:* the plain loss falls for ever. The smoothed one has a lowest point, where the model's distribution *is* the target: $p_y = 0.91$ and $0.01$ for each other token, so that $z = \ln(0.91 / 0.01) = \ln 91$. Beyond it, being surer costs. And the lowest loss isn't 0: it is the entropy of the target (chapter 02), $-\sum_i q_i \ln q_i$. A smoothed loss can't be compared with a plain one.
#
# Does it matter? A small network, 200 examples of five classes that overlap, and 4,000 new ones:

# %% id="certainty-run"
fitted = {e: demonstrations.fit(label_smoothed_loss, e) for e in (0.0, 0.1)}
for e, each in fitted.items():
    print(f"smoothing {e}: right {each.accuracy:.0%}, sure of it {each.certainty:.0%}, ", end="")
    print(f"-log p of the right class {each.nll:.2f}, largest logit {each.largest:.0f}")

# %% [markdown] id="certainty-note"
# *What to see:* without smoothing the network is right in four cases of five and is sure at 94 %: it is *badly calibrated*. With smoothing, its certainty is close to its share of right answers, and $-\log p$ of the right class is lower. The price is here, too: 3 points of accuracy. In translation it went the other way round: Vaswani et al. (2017, section 5.4) report a worse perplexity, "as the model learns to be more unsure", and better accuracy and BLEU. Müller, Kornblith and Hinton (2019) measure the calibration, also of translators.
#
# Certainty is what a beam search adds up (section 7). That is one reason to care.

# %% id="losses-quiz"
quiz("translation.losses-compared")

# %% [markdown] id="training-section"
# ## 4 A minute of training
#
# Everything is there. The encoder's layers are **your** `EncoderLayer` of chapter 04, the decoder looks at the memory through **your** `cross_attention` and reads what **your** `shift_right` makes (07), and the loss is **your** `label_smoothed_loss`; where an answer hasn't passed yet, the reference stands in. Two layers on each side, four heads, 64 numbers a token. In half of the batches several phrases stand in a row, one after another, and no layer looks far; section 8 says what both are for.

# %% id="training-parts"
training = phrases.phrase_translation(
    LANGUAGE,
    layer=use("stacking.EncoderLayer"),
    shift_right=shift_right,
    cross_attention=use("generation.cross_attention"),
    label_smoothed_loss=label_smoothed_loss,
)
for part, whose in training.parts.items():
    print(f"{part}: {whose}")
print(f"{sum(p.numel() for p in training.build(training.settings).parameters()):,} parameters")

# %% id="training-predict"
predict("translation.learned-first")

# %% id="training-theatre"
theatre = labs.TrainingTheatre(training)
theatre

# %% [markdown] id="training-theatre-note"
# Press **Start** (or run the next cell). Five phrases are translated again as the training goes on. All five are of the validation set, so none of them is ever trained on. Watch *how* they are wrong at first.

# %% id="training-result"
trained = theatre.result()  # waits for the end
model = trained.model
print(f"{trained.settings.steps:,} updates in {trained.seconds:.0f} s")
print(f"held-out phrases: {trained.test['exact']:.1%} right to the last character")
for answer in training.examples(model):
    written, probability = answer.guesses[0]
    print(f"{answer.prompt:44} {written} ({probability:.3f} a character)")

# %% id="training-explain"
explain("translation.learned-first")

# %% [markdown] id="training-note"
# *What to see:* first the form, then what fills it. After that the share of exact phrases goes up in a minute to nearly all of them. And look at the probabilities: 0.90 a character, for the easiest digit too. It is what the smoothed target asks for, $1 - 0.1 + 0.1 / V$, and no more.


# %% [markdown] id="training-recorded-text"
# The notebook trains with one seed. Recorded with three, and for other languages:

# %% id="training-recorded"
recorded = recording("translation.phrases")  # made by benchmarks/applications.py
print(f"Recorded, not trained here: {recorded.machine}")
some_rows = [
    name
    for name in ("as in the chapter", "German", "Japanese", "Arabic")
    if name in recorded.rows
]
print(recorded.text("test", some_rows, exact="held-out phrases {:.1%}"))


# %% [markdown] id="looks-section"
# ## 5 Where it looks
#
# The model writes 12 characters and the end, and before each of them every head of the decoder looks at the 23 characters of the source and its end. Which one was looked at for which is an [alignment](glossary.md#alignment). Nobody has given the model one: it has seen pairs of texts, and not which part belongs to which.

# %% id="looks-predict"
predict("translation.where-for-the-month")

# %% id="looks-run"
weights = phrases.looks(model, date, translated, LANGUAGE)  # (layers, H, T, S)
print(tuple(weights.shape), "layers, heads, written characters and END, read characters and END")
rows, columns = [*translated, "END"], [*date, "END"]
figures.heatmap(
    weights.mean(dim=(0, 1)), rows, columns, row_title="written", column_title="read",
    title="All heads of both layers, in the mean",
)

# %% [markdown] id="looks-mean-note"
# *What to see:* bright blocks, none of them on the diagonal: the year is read last and written first, the weekday the other way round. 年 and 日 have no partner in the English; the look goes to the end of what they close, the comma behind the day or the END behind the year.
#
# A mean of eight heads hides what each does. Which of them align? Numbers tell: where a number stands once in the source and once in the translation, the right place to look at is known, in every language. Over 300 phrases of validation, how much of its weight has each head on the digits of the number that is being written?

# %% id="heads-run"
pairs = [(each.text, each.target) for each in data.validation[:300]]
on_number, even = demonstrations.number_looks(model, pairs, LANGUAGE)
print(f"a head that looks everywhere alike would have {even:.2f}")
figures.by_head(on_number, title="Weight on the number that is being written")

# %% id="best-head-run"
layer, head = divmod(int(on_number.argmax()), on_number.shape[1])
aligner = weights[layer, head]  # (T, S)
for letter, row in zip(rows, aligner):
    place = int(row.argmax())
    before, after = date[max(0, place - 4) : place], date[place + 1 : place + 5]
    print(f"{letter:4} ← {before}[{columns[place]}]{after}")
figures.heatmap(
    aligner, rows, columns, row_title="written", column_title="read",
    title=f"Layer {layer}, head {head}: the best aligner",
)

# %% id="looks-explain"
explain("translation.where-for-the-month")

# %% [markdown] id="best-head-note"
# *What to see:* the second layer's heads have nearly all of their weight on the right number, where an even look would give a seventh. Digit after digit they step along the source; for 3 they jump back to *March*, for 四 to the first word. 星期 stands in every such date and needs no look of its own; heads are then wherever they do no harm. In the first layer most are busy with other things. And a single letter of *Thursday* is enough: the model need not read the word here, only tell it from six others, and the encoder has written into each letter where it stands.
#
# Does the look *matter*, or does it only look good? Let the model begin with one date, and give it the memory of another one behind each number (the bar shows where):

# %% id="swap-run"
for text in demonstrations.write_and_swap(model, date, "Sunday, October 13, 2024", LANGUAGE):
    print(text)

# %% [markdown] id="swap-note"
# *What to see:* what stands before the bar is of the first date, what follows is of the second. Month, day and weekday are read when they are written, and not before. Behind the 3 the two don't fit together, for the other month has two digits; how it goes on from there differs from training to training.

# %% id="looks-quiz"
quiz("translation.alignment-is-learned")

# %% [markdown] id="scores-section"
# ## 6 How good is a translation?
#
# (To begin a sitting here, in a fresh kernel, run the chapter's first code cell and the one below.)

# %% id="second-sitting"
data = datasets.load("cldr-phrases", language=LANGUAGE)
known = {each.text: each.target for each in data.train}
pairs = [(each.text, each.target) for each in data.validation[:300]]
table = characters.characters(LANGUAGE)
recorded = recording("translation.phrases")
trained = train(phrases.as_in_the_chapter(LANGUAGE))  # kept since the first sitting
model = trained.model

# %% [markdown] id="scores-text"
# Our phrases have one right translation. A sentence has many, and then exact match says nearly always no. Two measures compare a text with one that a person wrote, and give marks for what they share. Papers on translation report them, so you should know what they count.
#
# **[BLEU](glossary.md#BLEU)** (Papineni et al., 2002) asks: of the runs of $n$ words (*n-grams*) that were *written*, which share $p_n$ stands in the reference? For $n$ from 1 to 4, then the geometric mean. A run counts at most as often as it stands there: else *the the the* would be perfect. And since leaving words out costs no precision, a **brevity penalty** compares the lengths, $c$ written and $r$ expected:
#
# $$\text{BLEU} = \min\left(1, e^{1 - r/c}\right) \cdot (p_1\, p_2\, p_3\, p_4)^{1/4}$$

# %% [markdown] id="bleu-text"
# ### Exercise 2: `bleu`
# *Difficulty 2 of 3, about 25 minutes. Hints: `hint("translation.bleu")`*
#
# Given candidates and references, each a list of texts and each text a list of words, return the BLEU of the corpus, a float from 0 to 1.
#
# ```
#   reference    the  cat  sat  on  the  rug
#   candidate    the  cat  sat  on  the  mat      written   shared
#                ───────────────────────              6        5     p1 = 5/6
#                the cat, cat sat, sat on, ...        5        4     p2 = 4/5
#                the cat sat, ...                     4        3     p3 = 3/4
#                the cat sat on, ...                  3        2     p4 = 2/3
# ```
#
# - For each $n$ add up `written` and `shared` over all texts, then divide once. Each candidate is compared with its own reference.
# - An n-gram is shared at most as often as it stands in the reference.
# - Where a precision is 0, or no candidate is long enough for it, the score is 0. There is no smoothing.
# - $c$ and $r$ in the brevity penalty are the numbers of words of all candidates and of all references.
#
# *A tiny case.* The text above: both have six words, so the penalty is 1, and $(\frac56 \cdot \frac45 \cdot \frac34 \cdot \frac23)^{1/4} = (\frac13)^{1/4} \approx 0.76$.


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

# %% [markdown] id="damage-text"
# Six answers to *Thursday, March 6, 1997* (in Chinese, whatever your `LANGUAGE`), with characters as words:

# %% id="damage-run"
reference = "1997年3月6日星期四"
answers = {
    "right": reference,
    "one digit wrong": "1998年3月6日星期四",
    "another order": "星期四3月6日1997年",
    "no weekday": "1997年3月6日",
    "two characters too many": "是1997年3月6日星期四呢",
    "another date": "2004年5月1日星期一",
}
for name, text in answers.items():
    print(f"{name:24} {text:18} BLEU {100 * bleu([list(text)], [list(reference)]):5.1f}")

# %% [markdown] id="damage-note"
# *What to see:* the wrong year and the missing weekday get about the same marks. The third answer says the same as the first, in an order that nobody uses, and gets fewer. BLEU counts what is shared, and knows no meaning: a character of the year is worth no more than 日. The last one is 0, because no run of four is shared, and one factor 0 makes the mean 0.
#
# Now make one digit wrong in every held-out phrase that has a digit. The reader gets the wrong date or the wrong price each time.

# %% id="digit-predict"
predict("translation.one-digit")

# %% id="digit-run"
references = [each.target for each in data.test]
wrong_everywhere = demonstrations.one_digit_wrong(references)
wrong_at_times = demonstrations.one_digit_wrong(references, every=50)  # in 2 % of the phrases

expected = [list(text) for text in references]  # each character is a token
damaged = {"one digit in each": wrong_everywhere, "in 2 % of them": wrong_at_times}
for name, written in damaged.items():
    exact = sum(map(str.__eq__, written, references)) / len(references)
    score = bleu([list(text) for text in written], expected)
    print(f"{name:18} BLEU {100 * score:5.1f}, exact {exact:6.1%}")

# %% id="digit-explain"
explain("translation.one-digit")

# %% [markdown] id="corpus-text"
# *What to see:* a service that gets one price in fifty wrong has a BLEU of 99.5. For numbers, names and negations no measure of shared words replaces exact match.
#
# Three things about BLEU are easy to get wrong. Two can be shown with one text of three characters, and a right answer:

# %% id="corpus-run"
two = ["5英里", reference]  # "5 miles", and the date; both are right
alone = [bleu([list(text)], [list(text)]) for text in two]
print("each alone:", alone, "mean", sum(alone) / 2)
print("together:", bleu([list(text) for text in two], [list(text) for text in two]))

words = [text.split() for text in references]
print(f"right answers, split at spaces: {bleu(words, words):.2f}")
print(f"right answers, characters: {bleu(expected, expected):.2f}")

# %% [markdown] id="corpus-note"
# *What to see:*
#
# - **BLEU is of a corpus.** A text of three characters has no run of four, so alone it gets 0, however right. The counts of all texts are added up first, then divided. The mean of the sentences' BLEU is another number.
# - **BLEU is of tokens.** Chinese has no spaces, so `split()` makes one "word" of a phrase, and there are no runs of four. (In German this cell prints 1.00, since some phrases have four words.) Which tokens were counted changes the score by many points. Post (2018) asks everyone to say it, and wrote sacreBLEU, which computes BLEU with a named tokenisation; it takes each Chinese character alone.
# - **BLEU is of a test set.** A number without it says nothing: 41.8 on English to French is not better than 28.4 on English to German (both are one kind of model: Vaswani et al., 2017, table 2).
#
# **[chrF](glossary.md#chrF)** (Popović, 2015) needs no tokens: it counts runs of 1 to 6 *characters*, spaces left out. It takes precision *and* recall, where recall is the share of the reference's runs that was written, so that no brevity penalty is needed:
#
# $$\text{chrF} = (1 + \beta^2)\,\frac{P \cdot R}{\beta^2 P + R}, \qquad \beta = 2 \text{: recall counts more}$$

# %% [markdown] id="chrf-text"
# ### Exercise 3: `chrf`
# *Difficulty 2 of 3, about 15 minutes. Hints: `hint("translation.chrf")`*
#
# Given candidates and references, each a list of strings, return the chrF of the corpus, a float from 0 to 1.
#
# ```
#   reference  "ab d" ─► a b d   n = 1   a b d    n = 2   ab bd   n = 3   abd
#   candidate  "abc"  ─► a b c           a b c            ab bc           abc
#                        shared          2 of 3           1 of 2          0 of 1
# ```
#
# - Leave out all white space, not the space alone. Capitals and punctuation are characters like any other.
# - For $n$ from 1 to 6 add up over all pairs of texts what is shared (at most as often as it stands in the reference), what was written, and what was expected.
# - Where a reference is shorter than $n$ characters, leave the pair out for this $n$: there is nothing to compare with.
# - $P$ is the mean of the precisions and $R$ the mean of the recalls, over those $n$ for which something was written and something expected. One F score is made of the two means; where both are 0, or there are no $n$, it is 0.
#
# This is sacreBLEU's corpus chrF2, divided by 100.
#
# *A tiny case.* The texts above: the precisions are $\frac23, \frac12, 0$ and so are the recalls; for $n \ge 4$ there is nothing. $P = R = \frac7{18} \approx 0.39$, and so is chrF, whatever $\beta$ is.


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

# %% id="chrf-run"
for name, text in answers.items():
    both = bleu([list(text)], [list(reference)]), chrf([text], [reference])
    print(f"{name:24} BLEU {100 * both[0]:5.1f}  chrF {100 * both[1]:5.1f}")
print(f"one digit wrong in each phrase: chrF {100 * chrf(wrong_everywhere, references):.1f}")

# %% [markdown] id="chrf-note"
# *What to see:* chrF hardly minds the two characters too many, since all of the reference is there; BLEU, made of precision, does. Another date isn't quite 0 any more. And it is as blind to meaning as BLEU is. Both see only the surface; measures that compare meanings are made of pretrained encoders (COMET: Rei et al., 2020), and an encoder has its own blind spots (chapter 00).

# %% id="scores-quiz"
quiz("translation.which-score")

# %% [markdown] id="beam-section"
# ## 7 Beam search
#
# Chapter 07 has used beam search and drawn it. Now you write it. First, why greedy decoding isn't enough. Here is a model made by hand, small enough to be checked by eye. It has read *March 6*, and is more inclined to begin with the 6, as English readers of dates may. The numbers are the probability of all that stands on the way; ✗: dropped; ■: the end.

# %% id="greedy-tree-run"
two_dates = demonstrations.TwoDates()
print("greedy: one beginning is kept")
print(demonstrations.draw_tree(two_dates, beam=1, steps=5))

# %% [markdown] id="greedy-tree-note"
# *What to see:* greedy decoding takes the 6, which is likelier than the 3, and writes *6月3日*: June 3. Each step was the likeliest of those that were looked at.

# %% id="beam-predict"
predict("translation.beam-of-two")

# %% [markdown] id="beam-search-text"
# ### Exercise 4: `beam_search`
# *Difficulty 3 of 3, about 30 minutes. Hints: `hint("translation.beam_search")`*
#
# `next_logits` is as in chapter 07: it takes a list of ids that begins with `bos_id` and returns logits $(V,)$. Return the best text that a beam finds, a list of Python `int`.
#
# ```
#   beam = 2       step 1                  step 2
#                                     ┌─ a  .20   kept, live
#              ┌─ a  .50  kept, live ─┼─ b  .175
#   [BOS] ─────┤                      └─ ■  .125
#              ├─ b  .40  kept, live ─┬─ a  .02
#              └─ ■  .10              ├─ b  .02
#                                     └─ ■  .36   kept, finished
# ```
#
# - A *hypothesis* is a beginning that is kept. Each of at most `max_length` steps continues all live hypotheses by all tokens, and keeps the `beam` likeliest of all these continuations together, by the sum of log probabilities.
# - Those that end in `eos_id` (■) are finished: put them aside, and don't continue them. The others are live. The next step keeps `beam` continuations again, however many have finished. The search goes on until none is live.
# - At the end the finished hypotheses and those that were cut at `max_length` compete by
#
# $$\frac{\log p}{\left(\frac{5 + \text{length}}{6}\right)^{\texttt{length\_penalty}}}$$
#
# - The length counts `eos_id` where there is one, and not `bos_id`. The result is without both.
#
# *A tiny case.* The tree above with `max_length` 2: $b\,■$ is finished with $\ln 0.36 = -1.02$, $a\,a$ is cut with $\ln 0.20 = -1.61$. Both have length 2, so $b\,■$ wins and the result is $b$. Greedy decoding writes $a\,a$.


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

# %% id="beam-run"
for width in (1, 2, 3):
    ids = beam_search(two_dates.next_logits, demonstrations.BOS, demonstrations.EOS, width, 9)
    print(f"a beam of {width}: {two_dates.text(ids)}")
print(demonstrations.draw_tree(two_dates, beam=2, steps=5))

# %% id="beam-explain"
explain("translation.beam-of-two")

# %% [markdown] id="beam-note"
# *What to see:* with a width of 1 it *is* greedy decoding. With two, the 3 survives one step behind the 6, and that is enough: after it the model has hardly a doubt, 0.38 against 0.18.
#
# Now a model that knows our date, and hesitates: each next character has 0.82, and at every place it would stop with 0.10. Greedy decoding has no trouble with it. A beam of two?

# %% id="empty-predict"
predict("translation.empty")

# %% id="empty-run"
hesitant = demonstrations.Hesitant(reference)
found = {}
for width in (1, 2, 10):
    for alpha in (0.0, 0.6):
        ids = beam_search(
            hesitant.next_logits, demonstrations.BOS, demonstrations.EOS, width, 30, alpha
        )
        found[width, alpha] = hesitant.text(ids)
        print(f"a beam of {width:2}, length penalty {alpha}: “{found[width, alpha]}”")
print(f"log p of the whole date {12 * math.log(0.82):.2f}, of nothing {math.log(0.1):.2f}")
print(f"after the penalty       {12 * math.log(0.82) / (18 / 6) ** 0.6:.2f}, ", end="")
print(f"           {math.log(0.1) / (6 / 6) ** 0.6:.2f}")

# %% id="empty-explain"
explain("translation.empty")

# %% [markdown] id="empty-note"
# *What to see:* the beam finds what is likelier, and that is the empty text. The search made no error; the model did. Stahlberg and Byrne (2019) searched without any limit and found that for more than half of the sentences of a test set the empty text was the likeliest translation of a good model. With the small beams in use it stays out of sight: the search doesn't get there. Koehn and Knowles (2017, section 3.6) measured in eight language pairs that beyond some width translations get worse.
#
# So the width and the penalty are settings to be chosen, like a learning rate; Vaswani et al. (2017, section 6.1) took a beam of 4 and a penalty of 0.6. What does a beam do for our phrases?

# %% id="phrase-beams-run"
asked = data.validation[:400]
texts, right = [each.text for each in asked], [each.target for each in asked]
reached = {}
for width in (1, 4):
    written = phrases.translate(model, texts, LANGUAGE, beam=width)
    reached[width] = sum(map(str.__eq__, written, right)) / len(right)
    print(f"a beam of {width}: {reached[width]:.1%} of 400 phrases of validation are right")

# %% [markdown] id="phrase-beams-note"
# *What to see:* hardly a difference. The model is sure of nearly every character, and where it is wrong, it is wrong with certainty; then the right text is in no beam. Where there is more than one way to go on, as in the real text of section 10, a beam has more to do.

# %% [markdown] id="unseen-section"
# ## 8 What it has never seen
#
# The held-out phrases are right. Has the model learned the *rules*, or does it know 22,000 phrases so well that it fills their gaps? Those phrases can't tell: each differs from some training phrase by a digit or a name. Two more tests were kept apart for this question, and neither is like anything in training:
#
# - **decades**: dates of the 1950s and 1980s. No date of training has a year that begins with 195 or 198.
# - **lists**: five or six places. Lists of training have two to four.
#
# Begin with lists, and with the plainest way to learn them. The next cell trains a second model, on nothing but the lists of training (two to four places), one list in a row. It takes some ten seconds. Then it reads lists of two to six.

# %% id="lists-predict"
predict("translation.longer-lists")

# %% id="lists-run"
plain = train(demonstrations.lists_alone(LANGUAGE))
longer = datasets.load("cldr-phrases", language=LANGUAGE, test="lists").test
lists = [each for each in data.validation if each.label == data.card.classes.index("list")]
lists += longer[:160]
for places, written in demonstrations.list_lengths(plain.model, lists, LANGUAGE).items():
    counts = ", ".join(f"{n} places {times} times" for n, times in sorted(written.items()))
    print(f"{places} places read; written: {counts}")
for each, written in zip(
    longer[:3], phrases.translate(plain.model, [each.text for each in longer[:3]], LANGUAGE)
):
    print(f"\n{each.text}\n    {written}\n    {each.target}")

# %% id="lists-explain"
explain("translation.longer-lists")

# %% [markdown] id="lists-note"
# *What to see:* two, three and four places are right. Of five it makes four, of six too, and it makes them **well**: the names are of the list, the first one is first, the last one last, *and* or *or* stands where it should. What is missing are names of the middle.
#
# So it has not learned *translate a name, then the next one, until there is none left*. Where do its names come from? For lists of six:

# %% id="roles-run"
of_six = [each for each in longer if demonstrations.places_in(each.text, "en") == 6][:100]
roles = demonstrations.roles(plain.model, of_six, LANGUAGE)  # (4, 6)
figures.heatmap(
    roles, ["first written", "second", "third", "last"], [f"{n} of six" for n in range(1, 7)],
    numbers=True, title="Which of six places are written, where four are",
)

# %% [markdown] id="roles-note"
# *What to see:* it has learned **roles**: *the first*, *the last*, *the one before the last*, and *one in between*, for which it takes now this and now that. In lists of up to four, roles and the rule that we mean agree on every single training phrase. Nothing in the data could tell the model which of the two we meant. More of the same data couldn't, either.
#
# What could? Data on which the two disagree. No longer list is needed for it: put **several phrases in one row**, each with its END, on both sides. Now a row has several first names, several last ones, and any number in the middle; the only thing that still tells which name is due is *the one after the one just written*. Jia and Liang (2016) joined training examples in this way, two and more to one. And let no layer look far (6 characters to each side in the encoder, 4 back in the decoder), so that counting from the beginning of the row is no way out. **Your** model of section 4 was trained so in half of its batches.

# %% id="never-seen-predict"
predict("translation.never-seen")

# %% id="never-seen-run"
tests = {"exact": data.test, "lists": longer}
tests["decades"] = datasets.load("cldr-phrases", language=LANGUAGE, test="decades").test
for name, asked in tests.items():
    print(f"{name:8} {trained.test[name]:6.1%} of {len(asked):,} right to the last character")
for places, written in demonstrations.list_lengths(model, lists, LANGUAGE).items():
    counts = ", ".join(f"{n} places {times} times" for n, times in sorted(written.items()))
    print(f"{places} places read; written: {counts}")

# %% id="never-seen-explain"
explain("translation.never-seen")

# %% [markdown] id="name-looks-text"
# The looks show it, too. Take lists of six, and let either model read the *right* translation up to each name. Where do its heads look, in the mean, for the name that is due?

# %% id="name-looks-run"
of_six_names = {
    "one list a row": phrases.looks_at_names(plain.model, 6, LANGUAGE)[-1],
    "several phrases a row": phrases.looks_at_names(model, 6, LANGUAGE)[-1],
}  # (6, 6) each
figures.heads(
    torch.stack([*of_six_names.values()]), [f"{n}" for n in range(1, 7)], [*of_six_names],
    title="Rows: the name that is due; columns: the name that is looked at",
)

# %% [markdown] id="name-looks-note"
# *What to see:* the first model has a column, *the one before the last*, at which it looks in most of the middle. The second has a diagonal: the name after the one just written. One picture is roles, the other is order.

# %% [markdown] id="helps-text"
# Which of the two did it, the rows or the short look? Each was trained without the other, on everything:

# %% id="helps-recorded"
print(f"Recorded, not trained here: {recorded.machine}")
rows_of = ("neither", "no bound on the look", "one phrase a row", "as in the chapter")
print(
    recorded.text(
        "test", rows_of, exact="exact {:.1%}", decades="decades {:.1%}", lists="lists {:.1%}"
    )
)

# %% [markdown] id="helps-note"
# *What to see:* neither is enough. The rows alone teach some of the longer lists, the short look alone teaches more of them, and the two together nearly nine in ten. Each closes a way out that the other leaves open: in a row of several phrases a model that sees everything can still count from the last END on, and one with a short look, that reads one list a row, can still take any name from the middle.
#
# The decades need none of it: a year is copied digit by digit, each from its place. No year of training has a 5 or an 8 as its third digit, and that is no matter: the model knows both from other numbers, and copies one digit like another. What a test of "generalisation" shows depends on what the training data left open.

# %% [markdown] id="outside-text"
# And outside of everything: a date of another millennium, one before the calendar of the data begins, a wrong weekday, misspellings, a number in words.

# %% id="outside-run"
outside = [
    "Thursday, March 6, 3021",
    "Wednesday, July 4, 1776",
    "Sunday, March 6, 1997",
    "Thurday, Mrach 6, 1997",
    "one million euros",
]
for text, written in zip(outside, phrases.translate(model, outside, LANGUAGE)):
    print(f"{text:26} {written}")

# %% [markdown] id="outside-note"
# *What to see:* years are copied whatever they are, and the weekday is translated and not computed. *Mrach* is still nearer to *March* than to any other month. The last one is made of letters that it knows, in a form that it doesn't: it writes something all the same. A softmax always has a likeliest token, and nothing here says "I don't know this".

# %% [markdown] id="history-section"
# ## 9 History in three pictures
#
# (To begin a sitting here, in a fresh kernel, run the chapter's first code cell and the one below.)

# %% id="third-sitting"
data = datasets.load("cldr-phrases", language=LANGUAGE)
known = {each.text: each.target for each in data.train}
pairs = [(each.text, each.target) for each in data.validation[:300]]
table = characters.characters(LANGUAGE)
model = train(phrases.as_in_the_chapter(LANGUAGE)).model  # kept since the first sitting

# %% [markdown] id="history-text"
# Networks translated before there was a Transformer, and before there was attention. Within three years the way from what is read to what is written changed twice:
#
# ```
#              the encoder reads          it hands over      the decoder writes
#   2014       T ► h ► u ► ... ► 7        its last state     1 ► 9 ► 9 ► 7 ► 年
#   2015       T ◄► h ◄► u ◄► ... ◄► 7    all its states     1 ► 9 ► 9 ► 7 ► 年
#   2017       T  h  u  ...  7, at once   all its rows       1 9 9 7 年, at once*
# ```
#
# **2014: one vector.** A [recurrent network](glossary.md#recurrent-network) reads a token, changes its state, and reads the next. Its last state is all that a second network gets, and from it that one writes the translation (Cho et al., 2014a; Sutskever et al., 2014). The state has as many numbers for a word as for a page.
#
# **2015: attention.** Bahdanau et al. kept *all* states of the encoder, and let the decoder look at them before each step. A small network says how strongly at which ([additive attention](glossary.md#additive-attention)). In translation attention begins here, as an addition to recurrent networks.
#
# **2017: the Transformer.** Vaswani et al. kept the addition and left out the recurrent networks. (*: in training, where the true text is there from the start; writing goes one after the other in all three.)
#
# All three stand in this course in a few lines. Here is what is special about the first: the vector that `encode` returns is there at each step of `decode`, and nothing else of the source is.

# %% id="history-one-vector"
print(inspect.getsource(FixedVector.encode), inspect.getsource(FixedVector.decode), sep="\n")

# %% [markdown] id="additive-attention-text"
# ### Exercise 5: `additive_attention`
# *Difficulty 2 of 3, about 15 minutes. Hints: `hint("translation.additive_attention")`*
#
# A small network with a hidden layer of width $A$ scores each place $s$ of the memory for one query.
#
# $$e_s = v^\top \tanh(W_q\, q + W_m\, m_s), \qquad \alpha = \text{softmax}(e), \qquad c = \sum_s \alpha_s\, m_s$$
#
# ```
#   query  (B, Q) ──W_q──► (B, 1, A) ─┐
#                                     + ─► tanh ─► ·v ─► softmax ─► weights (B, S)
#   memory (B, S, M) ─W_m─► (B, S, A) ┘                                 │
#      └──────────────────────────────────── weighted sum ◄─────────────┘
#                                                 └─► context (B, M)
# ```
#
# - `w_query` is $(A, Q)$ and `w_memory` $(A, M)$, stored as in `torch.nn.Linear`.
# - `memory_padding_mask` $(B, S)$ is `True` at padding, which gets weight 0. Where a memory is all padding, its weights and its context are 0.
# - Return both: the context, then the weights.
#
# *A tiny case.* All widths 1, $W_q = W_m = 1$, $v = 2$, the query 0 and a memory of 0 and 1: the scores are $2 \tanh 0 = 0$ and $2 \tanh 1 = 1.523$, the weights $0.179$ and $0.821$, the context $0.821$.


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

# %% [markdown] id="history-live-text"
# Your function now trains inside the translator of 2015, for a few hundred updates. It takes about twice the time of the course's, for a reason worth a look: $W_m\, m_s$ is the same at every step of the decoder, so the course's computes it once for each source. (With `steps=1600` yours gets as far as the recorded one below. `history.KINDS` has the others, by name.)

# %% id="history-live"
of_2015 = history.attention_of(additive_attention)
tried = train(of_2015, of_2015.settings.changed(steps=200), progress=False)
print("additive_attention:", *of_2015.parts.values())
print(f"{tried.settings.steps} updates: {tried.metrics['exact']:.0%} of validation exactly right")

# %% [markdown] id="history-recorded-text"
# ### What reaches the decoder, and how far it goes
#
# All were trained on our phrases, with about 260,000 parameters, the same loss and the same optimizer. Is it fair to give them equal updates, or equal time? An update of the one vector costs half of what the others' cost. So that its result can't be blamed on too little training, we took equal time on one core, and it got twice the updates of attention.
#
# In the picture the width of a line is the weight of a look, while the right translation is written. (Of the Transformer: the mean of the last layer's heads.)

# %% id="history-picture"
figures.handover(
    [*history.DATE.write("en"), "END"],
    [*history.DATE.write("zh"), "END"],
    {
        "2014: one vector": None,
        "2015: attention": history.recorded_looks("attention"),
        "2017: Transformer": history.recorded_looks("Transformer"),
    },
    title="What reaches the decoder at each step",
)

# %% [markdown] id="history-picture-note"
# *What to see:* two networks that have little in common look at the same digits when they write them, and cross where the order turns. Nobody has told either. Where there is nothing to copy, as for 年 and 期, the recurrent decoder looks nowhere in particular: its state knows what comes next.

# %% id="history-predict"
predict("translation.which-falls")

# %% id="history-recorded"
of_history = recording("translation.history")
print(f"Recorded, not trained here: {of_history.machine}")
print("Right to the last character, on test:", of_history.text("test", exact="{:.1%}"), sep="\n")
bins = ("to 10", "11 to 20", "21 to 30", "over 30")  # characters of the source
over_length = figures.lines(
    range(len(bins)),
    {
        name: [row.spread("test", each).median for each in bins]
        for name, row in of_history.rows.items()
    },
    x_title="characters of the source",
    y_title="right",
    title="Right to the last character, by the length of the source",
)
over_length.update_xaxes(tickvals=list(range(len(bins))), ticktext=bins)

# %% id="history-lists"
print("columns:", "; ".join(of_history.rows))
for group in ("date", "interval", "time", "amount", "money", "list"):
    shares = (f"{row.spread('test', group).median:6.0%}" for row in of_history.rows.values())
    print(f"{group:22}", *shares)
for count in ("two", "three", "four", "five and six"):
    group = f"lists of {count}"
    shares = (f"{row.spread('test', group).median:6.0%}" for row in of_history.rows.values())
    print(f"{group:22}", *shares)
print(f"\n{history.SHOWN[-1].write('en')} → {history.SHOWN[-1].write('zh')}")
for name, row in of_history.rows.items():
    print(f"{name:28} {row.runs[0]['shown']['written'][-1]}")

# %% id="history-explain"
explain("translation.which-falls")

# %% [markdown] id="history-lists-note"
# *What to see:* one vector falls with the length of the source, as Cho et al. (2014b) found for sentences. The lists show that it is the length: they have the same words, and only the number of names differs. The list of four names that it writes begins and ends well, and repeats itself in between. Attention takes the fall away. Both networks are still recurrent; what is new is that the second may look back. (Longer lists than any of training are another matter: section 8.)
#
# Is 128 numbers too few? Four names out of 80 are 25 bits, and the vector could hold them; what the network doesn't learn in this time is to write name after name into one state without spoiling the last, and to read them out one by one. Sutskever et al. (2014, section 3) had 8,000 numbers, 384 million parameters and ten days on eight GPUs, and read the source **backwards**: the first words of both texts then stand close to each other. BLEU rose from 25.9 to 30.6, and below 35 words they found no fall at all. Here reading backwards is the second row.
#
# And the Transformer? On these phrases it adds nothing to attention. What it changes is not seen in such a table:

# %% id="history-costs-predict"
predict("translation.what-waits")

# %% id="history-costs"
lengths = (8, 16, 32, 64)
chains, seconds = history.chains(lengths), history.update_times(lengths)
for kind, size in history.sizes().items():
    print(f"{kind}, {size:,} parameters")
    for length, chain, second in zip(lengths, chains[kind], seconds[kind]):
        print(f"  {length:3} characters: {chain:5} operations in a row, {1000 * second:6.1f} ms")

# %% id="history-costs-explain"
explain("translation.what-waits")

# %% [markdown] id="history-costs-note"
# *What to see:* a recurrent network waits for itself at every character. The Transformer's chain has the same length for any text, so all places can be computed at once, by a processor that has room for it (Vaswani et al., 2017, table 1). Our single core has no such room, and its times grow for all of them. A graphics processor has, and that is the reason that Vaswani et al. (2017, section 1) give for leaving the recurrent networks out. (Writing is another matter: there each token waits for the one before in all three. Chapter 07's cache is about that.)

# %% id="history-quiz"
quiz("translation.what-attention-replaced")

# %% [markdown] id="real-section"
# ## 10 Real text
#
# So far each phrase had one right translation and some thirty forms. Now the real thing: LibreOffice's help, in English and in Chinese, paragraph by paragraph (MPL-2.0). Whole pages are held out, and what nearly equals a held-out paragraph was taken out of training, since a help repeats itself. (This section is English to Chinese, whatever your `LANGUAGE`.)

# %% id="real-data"
help_pairs = datasets.load("libreoffice-help")
print({split: len(getattr(help_pairs, split)) for split in ("train", "validation", "test")})
for text, each in zip(help_text.SHOWN, help_text.nearest_translations(help_text.SHOWN)):
    right_one = next(pair.target for pair in help_pairs.validation if pair.text == text)
    print(f"\n{text}\n    {right_one}\n    nearest in training: {each}")

# %% [markdown] id="real-text"
# Nobody would ask for exact match here. BLEU and chrF it is, with the tokens that sacreBLEU takes for Chinese; the nearest neighbour is the rival again. Eleven thousand pairs are very few: the Transformer of 2017 learned English to German from 4.5 million (Vaswani et al., 2017, section 5.1).
#
# What helps when there is so little? To begin with a dictionary. Nobody has one here, but pairs of texts make one by counting: which Chinese piece is there when *file* is there, and isn't when it isn't? Brown et al. (1993) share each Chinese word out among the English words beside it, by how likely they translate it, and count again with these shares. Four rounds of it take seconds:

# %% id="dictionary-run"
for word, likely in demonstrations.dictionary(["file", "table", "page", "Python"]).items():
    print(f"{word:8} {', '.join(f'{piece} {p:.2f}' for piece, p in likely)}")

# %% [markdown] id="dictionary-note"
# From this table come the first vectors of the model: pieces that translate each other begin side by side. And the table stands beside its scores (Arthur, Neubig and Nakamura, 2016): at each step the model chooses which piece to look up, and what the dictionary gives for it is added. So it starts with a dictionary in its hand, and a minute of training is left for what no dictionary can do, the order and the grammar.

# %% id="real-predict"
predict("translation.real-minute")

# %% id="real-recorded"
of_help = recording("translation.help_text")
print(f"Recorded, not trained here: {of_help.machine}")
print(of_help.text("test", bleu="BLEU {:.3f}", chrf="chrF {:.3f}"))

# %% id="real-explain"
explain("translation.real-minute")

# %% [markdown] id="real-note"
# *What to see:* the dictionary alone is far ahead of the neighbour. It writes Chinese words in English order, which nobody would call Chinese, and single words are what BLEU and chrF count first; the neighbour's sentence is good Chinese about something else. A minute of training adds little to the dictionary, and chrF doesn't even see that. So look at what it writes (validation, after a minute):
#
# | English | meant | the model | nearest neighbour |
# | --- | --- | --- | --- |
# | Inserts the currently selected table. | 插入当前选中的表格。 | 插入当前选中表格。 | 删除当前选中的列。 |
# | Select Show numbering. | 选择「显示编号」。 | 选择「显示编号」。 | 选择「显示历史」。 |
# | Press F6 to navigate to the Drawing bar. | 按下「F6」键导航至「绘图」栏。 | 按 F6 键浏览浏览的「绘图」栏上的「绘图」。 | |
# | You can only use the FileCopy statement to copy files that are not opened. | 只能使用 FileCopy 语句复制没有打开的文件。 | 只使用 FileCoppy 语句语句。 | |
# | % of total | 占总和的百分比 | 总%%%%%%为总%%%%%%。 | |
#
# The neighbour of the first *deletes* a *column*. The model's failures are of three kinds: it repeats itself, since it doesn't know what it has translated already; rare names fall to pieces; and clauses get lost, the *not* with them.

# %% [markdown] id="real-long-text"
# The model of a longer run travels with the course (1.3 megabytes, in half precision). It answers the three texts from above, greedily and with a beam of 4:

# %% id="real-long-run"
long_run, made = help_text.long_run(), help_text.long.facts()
print(f"{made['updates']:,} updates, {made['seconds']:,} CPU-seconds")
for beam in (1, 4):
    print(f"a beam of {beam}")
    for written in help_text.translate_help(long_run, help_text.SHOWN, beam=beam):
        print(f"    {written}")

# %% [markdown] id="real-long-note"
# *What to see:* many words are the right ones, and none of the three is a translation that you would print. *Without focus* and *after the next procedure* are lost or turned round: it knows the words of a sentence better than what they do to each other. The beam repeats less and leaves out more, as section 7 lets you expect.
#
# What would it take to be useful? More text, first of all. Koehn and Knowles (2017, section 3.2) compared networks with the phrase tables that came before them: with much text the networks won, and with little they were far behind. Sennrich and Zhang (2019) found much of that to be a matter of settings, and passed the tables with 100,000 words. Ours are 188,000 English words.
#
# > **In the article** (1.1): "这些模型通常包含数十亿甚至数万亿个参数，能够在各种任务中表现出惊人的能力" (*these models usually contain billions or even trillions of parameters and show astonishing abilities in all kinds of tasks*), with translation (翻译) among them.
# >
# > Billions are for models that do *all kinds of tasks*. A model that translates between two languages, and does nothing else, is much smaller: the two with which Vaswani et al. (2017, tables 2 and 3) passed all earlier models on English to German had 65 and 213 million parameters. Ours has well below one million, and its limit is less its size than its text.
#
# The training of a minute is here for you to watch, if you like. The notebook goes on without it.

# %% id="real-theatre"
labs.TrainingTheatre(help_text.as_in_the_chapter())

# %% id="real-quiz"
quiz("translation.useful")

# %% [markdown] id="lab-section"
# ## 11 The translation lab
#
# Everything of this chapter on one page. Type an English date, and step through its translation with the arrow keys: the lines show where the decoder looks, and they cross where the order turns. A click on a character of the distribution forces it, and the rest is written again from there. The beam's tree can be walked. And the memory can be exchanged, for another phrase's or for itself with its vectors shuffled, from any step on.

# %% id="lab"
labs.TranslationLab(model, table, answers={**known, **dict(pairs)}, language=LANGUAGE)

# %% id="lab-quiz"
quiz("translation.forced")

# %% [markdown] id="recap"
# ## Recap
#
# - A translator is the encoder-decoder of chapter 07, taught with pairs. Nothing in it knows of languages.
# - Label smoothing takes the target's last bit of certainty away: the logits get a finite goal, and the loss a floor, the target's entropy. The model is less sure, and better calibrated.
# - Which part of the source belongs to which character is learned without being taught: heads of the cross-attention look at it when it is written.
# - BLEU is the precision of runs of one to four tokens with a penalty for being short, of a whole corpus, for a named tokenisation. chrF counts runs of characters, with recall. Neither sees whether a number is right.
# - A beam keeps several beginnings. With a width of one it is greedy decoding, and too wide it finds texts that are likely and wrong, the empty one first.
# - A model learns a rule that fits its data, not the one that we mean. Where two rules fit all of them, only other data can decide: several phrases in a row make lists of any length.
# - One vector carries a short phrase, and not a long one. Attention was invented for what it couldn't carry; the Transformer dropped the recurrent networks because they make each place wait for the one before.
# - Real text has many right translations and far more words. A dictionary counted from the pairs is a good beginning; what is missing is text.

# %% [markdown] id="glossary"
# ### The chapter's terms
#
# <!-- glossary -->

# %% [markdown] id="papers"
# ### The papers
#
# - Vaswani, Shazeer, Parmar, Uszkoreit, Jones, Gomez, Kaiser, Polosukhin: *Attention Is All You Need*. NeurIPS 2017. [arXiv:1706.03762](https://arxiv.org/abs/1706.03762). Section 5.1 on the shared vocabulary, 5.4 on label smoothing, 6.1 with table 2 on results and beam.
# - Szegedy, Vanhoucke, Ioffe, Shlens, Wojna: *Rethinking the Inception Architecture for Computer Vision*. CVPR 2016. [arXiv:1512.00567](https://arxiv.org/abs/1512.00567). Section 7: label smoothing.
# - Rush: *The Annotated Transformer*. NLP-OSS 2018. [aclanthology.org/W18-2509](https://aclanthology.org/W18-2509).
# - Müller, Kornblith, Hinton: *When Does Label Smoothing Help?* NeurIPS 2019. [arXiv:1906.02629](https://arxiv.org/abs/1906.02629). Section 3: calibration, and beam search.
# - Papineni, Roukos, Ward, Zhu: *BLEU: a Method for Automatic Evaluation of Machine Translation*. ACL 2002. [aclanthology.org/P02-1040](https://aclanthology.org/P02-1040).
# - Popović: *chrF: character n-gram F-score for automatic MT evaluation*. WMT 2015. [aclanthology.org/W15-3049](https://aclanthology.org/W15-3049).
# - Post: *A Call for Clarity in Reporting BLEU Scores*. WMT 2018. [arXiv:1804.08771](https://arxiv.org/abs/1804.08771). sacreBLEU.
# - Rei, Stewart, Farinha, Lavie: *COMET: A Neural Framework for MT Evaluation*. EMNLP 2020. [arXiv:2009.09025](https://arxiv.org/abs/2009.09025).
# - Stahlberg, Byrne: *On NMT Search Errors and Model Errors: Cat Got Your Tongue?* EMNLP 2019. [arXiv:1908.10090](https://arxiv.org/abs/1908.10090). The empty translation.
# - Koehn, Knowles: *Six Challenges for Neural Machine Translation*. 2017. [arXiv:1706.03872](https://arxiv.org/abs/1706.03872). Section 3.2: little text; 3.6: wider beams.
# - Bahdanau, Cho, Bengio: *Neural Machine Translation by Jointly Learning to Align and Translate*. ICLR 2015. [arXiv:1409.0473](https://arxiv.org/abs/1409.0473). Section 3.1 and A.1.2: the attention of exercise 5; table 1.
# - Jia, Liang: *Data Recombination for Neural Semantic Parsing*. ACL 2016. [arXiv:1606.03622](https://arxiv.org/abs/1606.03622). Examples joined to one.
# - Cho, van Merriënboer, Gulcehre, Bahdanau, Bougares, Schwenk, Bengio: *Learning Phrase Representations using RNN Encoder-Decoder for Statistical Machine Translation*. EMNLP 2014 (2014a). [arXiv:1406.1078](https://arxiv.org/abs/1406.1078).
# - Cho, van Merriënboer, Bahdanau, Bengio: *On the Properties of Neural Machine Translation: Encoder-Decoder Approaches*. SSST-8, 2014 (2014b). [arXiv:1409.1259](https://arxiv.org/abs/1409.1259). The fall with the length of a sentence.
# - Sutskever, Vinyals, Le: *Sequence to Sequence Learning with Neural Networks*. NeurIPS 2014. [arXiv:1409.3215](https://arxiv.org/abs/1409.3215). Section 3.3: the source read backwards; 3.4: the sizes; 3.7 with figure 3: long sentences.
# - Brown, Della Pietra, Della Pietra, Mercer: *The Mathematics of Statistical Machine Translation: Parameter Estimation*. Computational Linguistics 19(2), 1993. [aclanthology.org/J93-2003](https://aclanthology.org/J93-2003). Section 4: Model 1.
# - Arthur, Neubig, Nakamura: *Incorporating Discrete Translation Lexicons into Neural Machine Translation*. EMNLP 2016. [arXiv:1606.02006](https://arxiv.org/abs/1606.02006). Section 3: a dictionary beside the scores.
# - Sennrich, Zhang: *Revisiting Low-Resource Neural Machine Translation: A Case Study*. ACL 2019. [arXiv:1905.11901](https://arxiv.org/abs/1905.11901).
