# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown] id="title"
# # 06 Text classification
#
# Here is a line as documentation has them:
#
# > Copy a file to another place, and keep its permissions.
#
# Which part of a library does it belong to: files, networking, user interface? You know it at once. A classifier has to learn it from labelled examples, and with an encoder that was trained on a billion pairs of texts, far fewer are enough. How many fewer, when the encoder is worth nothing, and how you find out without fooling yourself: that is what this chapter is about.
#
# The line stays with you: you will pool its vectors, classify it, search for it, and take its words away one by one.
#
# **When you are through, you can**
#
# - turn the vectors of a text's tokens into one vector of fixed length, whatever the padding;
# - put a classifier on it, and say what its probabilities are worth;
# - hold out data so that the score says something about new texts: a [confusion matrix](glossary.md#confusion-matrix), [macro F1](glossary.md#macro-F1), [calibration](glossary.md#calibration);
# - search by meaning, label without training, and name three things that such vectors get wrong;
# - train an encoder from scratch, fine-tune a pretrained one, and say from how many labels on each is worth it;
# - say when a word count does as well as an encoder, and what a picture of attention doesn't explain.
#
# **You need** Python, a little PyTorch, and from the chapters before: tokens, the padding mask, attention weights.
#
# **Time** About two and three-quarter hours: six exercises, 75 minutes by our count, and about 85 minutes to read, run and play. Sections 1 to 4 make a good first sitting, 5 to 9 a second; each can begin in a fresh kernel.

# %% id="setup"
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course import check, datasets, explain, figures, hint, labs, passages, predict, quiz, use
from course.content.classification.experiments import calibration, few, heads, looks, vectors, words
from course.content.classification.trainings import baselines, docstring_classifier, tuned_minilm
from course.content.recorded import recording
from course.training import train
from encoder_core import load_minilm, sentence_embedding

# %% [markdown] id="how-it-works"
# Run the cells from top to bottom with Shift+Enter. Exercises, `check`, `hint`, `use`, `predict` and the **In the article** boxes work as in the chapters before.

# %% [markdown] id="pooling-section"
# ## 1 From token vectors to one vector
#
# MiniLM gives a vector for each token:

# %% id="tokens-run"
model, tokenizer = load_minilm()
text = "Copy a file to another place, and keep its permissions."
batch = tokenizer.batch([text])
with torch.no_grad():
    hidden = model(batch.ids)  # (B, S, D)
print(*batch.encodings[0].tokens)
print(tuple(hidden.shape))

# %% [markdown] id="pooling-note"
# Another text has another number of tokens. A classifier wants the same number of inputs each time, so the $S$ vectors have to become one. That is [pooling](glossary.md#pooling), and three ways are common:
#
# - **the first token.** BERT puts `[CLS]` before each text, and was trained to answer a question about the whole from its vector, next-sentence prediction (chapter 05; Devlin et al., 2019). It works where the model was trained to use it.
# - **the mean** of all tokens. MiniLM was trained with it, as the sentence encoders of Reimers and Gurevych (2019).
# - **the maximum** of each feature: it says whether something occurs anywhere, and no longer how often.
#
# An encoder is good with the pooling that it was trained with. Here are the cosines of our line with a paraphrase and with a sentence about bread:

# %% id="pooling-run"
paraphrase = "Duplicate a document, with the same access rights."
unrelated = "Where can I buy good bread?"
for pooling in ("first", "mean", "max"):
    ours, near, far = sentence_embedding([text, paraphrase, unrelated], pooling=pooling)
    print(f"{pooling:6} paraphrase {ours @ near:.2f}, unrelated {ours @ far:.2f}")

# %% [markdown] id="pooling-result"
# *What to see:* all three put the paraphrase first. With the mean, unrelated texts lie near 0; with the other two they stay above 0.5, since nobody trained those vectors to move apart.
#
# Now two texts of different lengths share a batch, so the shorter one is padded. What does `hidden.mean(dim=1)` return for it?

# %% id="padded-mean-predict"
predict("classification.padded-mean")

# %% id="padded-mean-run"
long_text = "Return a new dictionary " + "with the keys and values of both, " * 6
alone = tokenizer.batch([text])
together = tokenizer.batch([text, long_text])
with torch.no_grad():
    hidden_alone = model(alone.ids, padding_mask=alone.padding_mask)[0]  # (S, D)
    hidden_together = model(together.ids, padding_mask=together.padding_mask)  # (2, S', D)

    unmasked = model(together.ids)  # the mask forgotten altogether

real = len(hidden_alone)
gap = (hidden_together[0, :real] - hidden_alone).abs().max()
right_mean = hidden_alone.mean(dim=0)  # (D,)
print(f"real tokens: {real} of {hidden_together.shape[1]} places; they differ by at most {gap:.0e}")
for name, vectors_of_both in (("in the mean alone", hidden_together), ("everywhere", unmasked)):
    plain_mean = vectors_of_both[0].mean(dim=0)  # (D,)
    cosine = F.cosine_similarity(plain_mean, right_mean, dim=0)
    longer_by = plain_mean.norm() / right_mean.norm()
    print(f"mask forgotten {name:17} cosine {cosine:.2f}, {longer_by:.2f} times as long")

# %% id="padded-mean-explain"
explain("classification.padded-mean")

# %% [markdown] id="padded-mean-note"
# *What to see:* inside the encoder the mask does its work: the real tokens' vectors are the same, alone or in company. Our encoder sets the vectors at padding to 0, so a plain mean has the right direction and 0.28 of the right length; many others leave numbers there that mean nothing. Where the mask is missing in the encoder too, the text's vector points elsewhere. No error is raised, and the result depends on which other texts happen to be in the batch.

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
assert tiny_mean[0, 0] == (1 + 3) / 2

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

# %% id="masked-mean-run"
torch.testing.assert_close(masked_mean(tiny_hidden, tiny_padding), tiny_mean)
pooled = masked_mean(hidden_together, together.padding_mask)  # (2, S', D) -> (2, D)
print("as if alone:", torch.allclose(pooled[0], right_mean, atol=1e-5))

# %% [markdown] id="article-fixed-length"
# > **In the article** (6.1): "编码器可以用于将文本转换为固定长度的向量表示，然后将其输入到分类器中进行文本分类" (*the encoder can be used to turn a text into a vector of fixed length, which is then fed into a classifier for text classification*).
# >
# > Two steps are folded into one here. The encoder of sections 2.4 and 3.3 returns the 隐藏表示 (*hidden representation*), and that has one vector **per token**: $(S, D)$, longer for a longer text. The 固定长度 (*fixed length*) comes from the pooling after it: $(D,)$, whatever $S$ was. Fixed length is a convenience of the classifier, and it costs something. 384 numbers hold what a text is about, and not each of its words; section 5 shows what gets lost.

# %% id="fixed-length-quiz"
quiz("classification.fixed-length")

# %% [markdown] id="classifier-section"
# ## 2 A classifier on top
#
# The data: docstrings of Python's standard library, each with the family of its module. A package's own name is replaced by NAME, because it would give the answer away.

# %% id="load-data"
data = datasets.load("docstring-families")
data.show(6)

# %% [markdown] id="vectors-text"
# Their MiniLM vectors ship with the course, since computing 4,759 of them takes a minute or two. Compute three again and compare:

# %% id="vectors-run"
parts = (data.train, data.validation, data.test)
train_x, validation_x, test_x = (vectors.of(part) for part in parts)  # (N, D) each
train_y, validation_y, test_y = (torch.tensor([e.label for e in part]) for part in parts)
again = sentence_embedding([example.text for example in data.test[:3]], max_length=128)
print("train", tuple(train_x.shape), "test", tuple(test_x.shape))
least = (again * test_x[:3]).sum(dim=-1).min()
print(f"cosines with the vectors computed now: at least {least:.4f}")

# %% [markdown] id="linear-text"
# The [classification head](glossary.md#classification-head) is one linear layer: a row of weights and a bias for each class. It returns a [logit](glossary.md#logit) per class, and the softmax of chapter 02 makes probabilities of them:
#
# $$p = \operatorname{softmax}(x W^\top + b) \qquad \text{loss} = -\log p_{\text{label}}$$
#
# The loss, the [cross-entropy](glossary.md#cross-entropy), is the negative logarithm of the probability given to the right class: 0 for a sure and right answer, $\ln 6 = 1.79$ for six classes with equal probabilities. Only the head is trained here; MiniLM stays as it is, *frozen*. That is logistic regression with 384 inputs. The bars below show the six probabilities that the trained head gives our line.

# %% id="linear-run"
torch.manual_seed(0)
head = nn.Linear(384, len(data.classes))
optimizer = torch.optim.Adam(head.parameters(), lr=0.02)
for step in range(100):
    loss = F.cross_entropy(head(train_x), train_y)  # (N, C) and (N,) -> a single number
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 33 == 0:
        print(f"step {step:2}: loss {loss.item():.2f}")

with torch.no_grad():
    probabilities = head(test_x).softmax(dim=-1)  # (N, C)
    of_our_line = head(sentence_embedding(text)).softmax(dim=-1)  # (C,)
figures.bars(
    data.classes, {"probability": of_our_line}, y_title="probability", title=f"“{text}”"
)

# %% id="cross-entropy-quiz"
quiz("classification.cross-entropy")

# %% [markdown] id="evaluation-section"
# ## 3 Honest evaluation
#
# How good is it? Count the right answers on texts that took no part in training. That is easily said. The docstrings of one module resemble each other: the same author, the same nouns, often the same sentence with one word changed. If half of a module is in the training data, the other half isn't new. Our split keeps whole modules together; the usual one deals the docstrings out at random.

# %% id="leak-run"
at_random = datasets.load("docstring-families", split="random")
for name, split in (("whole modules", data), ("at random", at_random)):
    seen = {example.source for example in split.train}
    known = sum(example.source in seen for example in split.test) / len(split.test)
    print(f"{name:14} test examples from a module that is in training: {known:.0%}")

# %% id="leak-predict"
predict("classification.leak")

# %% id="leak-scores-run"
plain = few.tf_idf(data)  # word counts and logistic regression: section 6
plain_at_random = few.tf_idf(at_random)
accuracy = {}
for name, classifier, split in (
    ("whole modules", plain, data), ("at random", plain_at_random, at_random)
):
    labels = torch.tensor([example.label for example in split.test])
    guess = torch.from_numpy(classifier.predicted(split.test))  # (N,)
    accuracy[name] = (guess == labels).float().mean().item()
    print(f"{name:14} accuracy {accuracy[name]:.3f}")

# %% id="leak-explain"
explain("classification.leak")

# %% [markdown] id="leak-note"
# *What to see:* the same classifier, the same texts, and the random split reports 18 points more. They are points for recognising modules. A user who brings a new library doesn't get them. This is [data leakage](glossary.md#data-leakage): something in the training data gives the test away. Group what belongs together (author, patient, customer, document, module), and split by group.
#
# A second leak is you. Every setting that you choose by looking at the test score fits the test. So there are three parts: train on the first, choose on the validation part, read the test once.

# %% id="groups-quiz"
quiz("classification.groups")

# %% [markdown] id="confusion-note"
# ### Which mistakes?
#
# One number hides which classes are confused. Count all pairs.

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
#   actual (N,)          →  actual 1  │   │ · │ n │   n examples of class 1
#   ┌───────────────┐              2  │   │   │ · │   were taken for 2
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

# %% id="confusion-matrix-run"
assert torch.equal(confusion_matrix(tiny_predicted, tiny_actual, 3), tiny_counts)
predicted = probabilities.argmax(dim=-1)  # (N,)
counts = confusion_matrix(predicted, test_y, len(data.classes))
figures.heatmap(
    counts, data.classes, data.classes, row_title="actual", column_title="predicted",
    numbers=True, decimals=0, title="Frozen MiniLM with a linear head, test modules",
)

# %% [markdown] id="confusion-matrix-note"
# *What to see:* the diagonal holds the right ones. *Files and system* is the weakest row: most of its docstrings are taken for something else, often for *networking*, which also opens, reads and closes things.
#
# The accuracy is the diagonal's share. The classes have different sizes, so a classifier that is good at the large ones looks better than it is. Compare with the plainest answer, always the largest class, and count each class alike: that is [macro F1](glossary.md#macro-F1).

# %% [markdown] id="macro-f1-text"
# ### Exercise 3: `macro_f1`
# *Difficulty 2 of 3, about 10 minutes. Hints: `hint("classification.macro_f1")`*
#
# For each class let $t$ be the number of examples that have it and were given it. Its precision is $t$ over the number of examples that were *predicted* to have the class, its recall $t$ over the number that *have* it, and F1 is their harmonic mean, which comes to
#
# $$F_1 = \frac{2t}{\text{predicted} + \text{actual}}$$
#
# Return the mean of all classes' F1, as a Python `float`. All `classes` count alike, however many examples they have; a class that is neither predicted nor present counts as 0.
#
# ```
#   counts (C, C)            per class (C,)              float
#   ┌───────────┐     right: the diagonal
#   │ rows      │     predicted: sums of columns  →  mean of 2 · right
#   │  actual   │     actual: sums of rows                / (predicted + actual)
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

# %% id="macro-f1-run"
assert math.isclose(macro_f1(tiny_predicted, tiny_actual, 3), tiny_f1, rel_tol=1e-6)
largest = torch.bincount(train_y).argmax().expand_as(test_y)
for name, guess in (("always the largest class", largest), ("MiniLM and a head", predicted)):
    right = (guess == test_y).float().mean()
    print(f"{name:25} accuracy {right:.3f}, macro F1 {macro_f1(guess, test_y, 6):.3f}")

# %% id="macro-quiz"
quiz("classification.macro")

# %% [markdown] id="calibration-section"
# ## 4 What the probabilities are worth
#
# A spam filter hides a message at 0.99, a doctor orders a test at 0.1. Such thresholds mean something only if, of all answers given with a probability of 0.8, about 80 % are right. That is [calibration](glossary.md#calibration), and accuracy says nothing about it. Train the same head ten times as long. What happens to its *confidence*, the largest of the probabilities that it gives?

# %% id="calibration-predict"
predict("classification.trained-longer")

# %% id="calibration-run"
longer = heads.train(train_x, train_y, steps=1000)  # the loop of section 2, as a function
with torch.no_grad():
    probabilities_longer = longer(test_x).softmax(dim=-1)

shown = range(3, 10)  # bins from 0.3 to 1
of_each = {"perfectly calibrated": [(b + 0.5) / 10 for b in shown]}
for name, p in (("100 steps", probabilities), ("1,000 steps", probabilities_longer)):
    of_each[name] = calibration.accuracy_in_bins(p, test_y, 10)[0][3:]
    right = (p.argmax(dim=-1) == test_y).float().mean()
    print(f"{name:12} accuracy {right:.3f}, mean confidence {p.amax(dim=-1).mean():.3f}")
figures.lines(
    [(b + 0.5) / 10 for b in shown], of_each, x_title="confidence", y_title="accuracy",
    title="Reliability: accuracy in each bin of confidence",
)

# %% id="calibration-explain"
explain("classification.trained-longer")

# %% [markdown] id="calibration-note"
# *What to see:* the line of 1,000 steps runs far below the diagonal: where it says 0.85 it is right about half of the time. Guo et al. (2017) found the same in deep networks: the loss goes on falling when the last training examples are right, by making the logits larger. One remedy is *temperature scaling*: divide all logits by one number, chosen on validation data. It changes the confidence and no prediction.

# %% [markdown] id="ece-text"
# ### Exercise 4: `expected_calibration_error`
# *Difficulty 3 of 3, about 20 minutes. Hints: `hint("classification.expected_calibration_error")`*
#
# Sort the examples by their confidence, the largest probability, into `bins` bins of equal width. Bin $b$, counted from 0, holds the confidences with $b < \text{confidence} \cdot \text{bins} \le b + 1$. In each bin compare the mean confidence with the accuracy, and average the gaps, each weighted with the bin's share of the examples:
#
# $$\text{ECE} = \sum_b \frac{n_b}{N} \, \bigl| \text{accuracy}_b - \text{confidence}_b \bigr|$$
#
# ```
#   probabilities (N, C)   confidence, right (N,)         bins         float
#   ┌───────────────┐        ┌──────┐   ┌─────┐      ┌───┬───┬───┬───┐
#   │ .7  .2  .1    │   →    │  .7  │   │  1  │  →   │   │   │ · │   │  →  Σ n_b/N
#   │ …             │        │  …   │   │  …  │      └───┴───┴───┴───┘     · |gap|
#   └───────────────┘        └──────┘   └─────┘      0               1
# ```
#
# An empty bin adds nothing. There is at least one example; each row of `probabilities` sums to 1, and its largest number stands in it once. Return a Python `float`.
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

# %% id="ece-run"
assert math.isclose(
    expected_calibration_error(tiny_probabilities, tiny_labels, 2), 0.25, abs_tol=1e-6
)
for name, p in (("100 steps", probabilities), ("1,000 steps", probabilities_longer)):
    print(f"{name:12} calibration error {expected_calibration_error(p, test_y, 10):.3f}")

with torch.no_grad():
    errors = {
        t: F.cross_entropy(longer(validation_x) / t, validation_y).item() for t in (1, 2, 3, 4, 5)
    }
    temperature = min(errors, key=errors.get)  # chosen on validation
    cooled = (longer(test_x) / temperature).softmax(dim=-1)
of_cooled = expected_calibration_error(cooled, test_y, 10)
print(f"1,000 steps, logits divided by {temperature}: {of_cooled:.3f}")

# %% id="calibration-quiz"
quiz("classification.calibrated")

# %% [markdown] id="search-section"
# ## 5 Search, and labels without training
#
# (To begin a sitting here, in a fresh kernel, run the chapter's first code cell and the one below.)

# %% id="second-sitting"
model, tokenizer = load_minilm()
text = "Copy a file to another place, and keep its permissions."
batch = tokenizer.batch([text])
with torch.no_grad():
    hidden = model(batch.ids)  # (1, S, D)

data = datasets.load("docstring-families")
at_random = datasets.load("docstring-families", split="random")
train_x, test_x = vectors.of(data.train), vectors.of(data.test)
train_y, test_y = (torch.tensor([e.label for e in part]) for part in (data.train, data.test))
head = heads.train(train_x, train_y, steps=100)
masked_mean, macro_f1 = use("classification.masked_mean"), use("classification.macro_f1")

# %% [markdown] id="search-text"
# In chapter 00 a box answered questions from Python's documentation. By now you know all of it: tokens, layers, the mean over real tokens, a length of 1, and the row with the largest cosine.

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

# %% id="nearest-run"
torch.testing.assert_close(nearest(tiny_query, tiny_documents, 2)[0], tiny_best)
with torch.no_grad():
    asked = masked_mean(hidden, batch.padding_mask)  # (1, D), from section 1
similarities, found = nearest(asked, train_x, 4)
for similarity, row in zip(similarities[0], found[0]):
    example = data.train[row]
    print(f"{similarity:.2f}  {example.source:10} {example.text[:70]}")

# %% [markdown] id="box-note"
# ### By meaning, beside by words
#
# The box again, grown into a lab: your `nearest` over the 3,522 training docstrings, and beside it a search that knows nothing but words. It counts the words that question and docstring share, rare ones more ([TF-IDF](glossary.md#TF-IDF), which you build in section 6). Each key asks both.
#
# Before you type: which of the two answers *erase a folder*, if no docstring has the word *erase*? And which finds who follows *RFC 3986*, the standard for URLs? The three tasks below the lab ask for such cases.

# %% id="search-box"
shelf = [passages.Passage(example.source, example.text) for example in data.train]
index = passages.Index(shelf, train_x, [passage.text for passage in shelf])
labs.SearchLab(index, nearest=nearest, name="the training docstrings")

# %% [markdown] id="search-note"
# *What to see:* for each of the five examples the two rankings put different docstrings first. By words, *erase a folder* finds whatever else has a *folder*; by meaning, how a directory is removed. *RFC 3986* is a name: three docstrings have it, one of `urllib.parse` is first by words, and by meaning more than ten others come before it, the first five about some other RFC. A search by words fails where you say it differently, a search by meaning where a rare name decides, and the latter always has an answer, for nonsense too: look at the cosine before you believe it.
#
# Your own notes can be searched as well: name their folder and press “Read this folder”. The files are read and embedded on this machine, some dozens of passages a second, while you go on asking.

# %% [markdown] id="exact-index"
# Your search compares the query with **every** document: $N \cdot D$ multiplications, and exact. With a hundred million documents that is 38 billion multiplications a question, and one uses an approximate index: Faiss (Johnson, Douze and Jégou, 2019) sorts the vectors into cells and looks into a few, others walk along a graph of neighbours (HNSW, Malkov and Yashunin, 2020). They answer much faster and miss a near document now and then. For some thousand documents, as here, there is nothing to gain.
#
# ### Labels without training
#
# If a query can be compared with documents, it can be compared with *descriptions of classes*: the nearest one is the label. No example is needed, which is called [zero-shot classification](glossary.md#zero-shot-classification). Everything depends on the descriptions:

# %% id="zero-shot-run"
descriptions = {
    "the classes' names": list(data.classes),
    "a sentence": [f"This text is about {name}." for name in data.classes],
    "what is in them": [
        "threads, processes, locks and asynchronous tasks",
        "files, folders, paths and the operating system",
        "parsing, compiling, inspecting and debugging Python code",
        "sockets, HTTP, servers, URLs and electronic mail",
        "strings, numbers, dates, JSON, XML and CSV",
        "windows, buttons, menus, drawing and the terminal",
    ],
}
zero_shot = {}
for name, said in descriptions.items():
    labels = nearest(test_x, sentence_embedding(said), 1)[1][:, 0]  # (N,)
    zero_shot[name] = (labels == test_y).float().mean().item()
    print(f"{name:20} accuracy {zero_shot[name]:.3f}, macro F1 {macro_f1(labels, test_y, 6):.3f}")

# %% [markdown] id="zero-shot-note"
# *What to see:* better than always the largest class, worse than the trained head, and nine points between two ways of describing the same classes. (We wrote three, once, and show all of them. Choosing among thirty by the test score would be the second leak of section 3.)
#
# ### Where it fails
#
# MiniLM's training decided what is close in this space, and there, texts with the same topic belonged together. Guess what that does to a denial:

# %% id="fails-predict"
predict("classification.negation")

# %% id="fails-run"
pairs = [
    ("The film was great.", "The film was wonderful."),
    ("The film was great.", "The film was not great."),
    ("The film was not great.", "The film was terrible."),
    ("The dog bit the man.", "The man bit the dog."),
    ("Returns 3 items.", "Returns 30 items."),
    ("The film was great.", "I had bread for breakfast."),
]
cosines = [float(one @ other) for one, other in map(sentence_embedding, pairs)]
for (one, other), cosine in zip(pairs, cosines):
    print(f"{cosine:.2f}  {one} / {other}")

# %% id="fails-explain"
explain("classification.negation")

# %% [markdown] id="fails-note"
# *What to see:* who bit whom hardly matters to it, and a sentence stays close to its denial. So don't use such vectors to find contradictions, to check facts or to compare numbers. A classifier on top inherits this: what the vector doesn't separate, no linear layer can.

# %% id="fails-quiz"
quiz("classification.dog")

# %% [markdown] id="baseline-section"
# ## 6 Does the encoder earn its keep?
#
# The rival is decades older: count words, weight the rare ones up (Sparck Jones, 1972), put the same logistic regression on top. No order, no synonyms, no pretraining. The weights are called TF-IDF, term frequency times inverse document frequency; Salton and Buckley (1988) compared their variants.

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

# %% id="tf-idf-run"
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

some = [example.text for example in data.train[:200]]
by_hand = tf_idf(torch.from_numpy(CountVectorizer().fit_transform(some).toarray()).double())
of_sklearn = torch.from_numpy(TfidfVectorizer().fit_transform(some).toarray())
print("as in scikit-learn:", torch.allclose(by_hand, of_sklearn), tuple(by_hand.shape))

# %% [markdown] id="few-text"
# Both classifiers choose on the validation part how hard large weights are penalised (the regularisation). For 10 and 50 examples a class we draw three times. Who wins?

# %% id="few-predict"
predict("classification.few-labels")

# %% id="few-run"
reached = {"TF-IDF": [], "frozen MiniLM": []}
for per_class in (10, 50, None):
    draws = [data.few(per_class, seed) for seed in range(3)] if per_class else [data]
    for name, fit in (("TF-IDF", few.tf_idf), ("frozen MiniLM", few.minilm)):
        guesses = [torch.from_numpy(fit(one).predicted(data.test)) for one in draws]
        scores = [macro_f1(guess, test_y, 6) for guess in guesses]
        reached[name].append(sum(scores) / len(scores))
        print(f"{per_class or 'all':>3} a class  {name:14}", *(f"{score:.3f}" for score in scores))
figures.bars(
    ["10 a class", "50 a class", "all"], reached, y_title="macro F1",
    title="New modules: two representations under one classifier",
)

# %% id="few-explain"
explain("classification.few-labels")

# %% id="few-at-random-run"
labels_at_random = torch.tensor([example.label for example in at_random.test])
for name, fit in (("TF-IDF", few.tf_idf), ("frozen MiniLM", few.minilm)):
    guess = torch.from_numpy(fit(at_random).predicted(at_random.test))
    print(f"split at random, all: {name:14} macro F1 {macro_f1(guess, labels_at_random, 6):.3f}")

# %% [markdown] id="few-note"
# *What to see:* with ten examples a class MiniLM is ahead by far. Its vectors are close for texts that share no word, and TF-IDF has to see each word with a label first. With all examples the lead is gone: 3,522 docstrings teach a word count what it needs, and a vector of 384 numbers has thrown words away. And if the modules are known from training, the word count **wins**, by its memory for names.
#
# So: few labels, many ways to say a thing, new sources: take the encoder. Many labels and telling words: try the word count first. It is trained in a second, and its weights can be read. An encoder that doesn't beat it isn't worth its cost.

# %% id="baseline-quiz"
quiz("classification.baseline")

# %% [markdown] id="train-section"
# ## 7 Train the encoder too
#
# So far MiniLM stood still, and a head was trained on its vectors. There are two other ways. An encoder of random weights can learn all it knows from our labels: *from scratch*. Or MiniLM starts where it is and its layers move too: [fine-tuning](glossary.md#fine-tuning). Frozen or fine-tuned, an encoder that was trained on one task serves another; that is [transfer learning](glossary.md#transfer-learning), and from scratch is what you have without it.
#
# ### From scratch
#
# The encoder is small: two layers, four heads, 64 numbers a piece, 0.2 million weights. Its layers are **your** `EncoderLayer` of chapter 04 and its pooling is your `masked_mean`, where they have passed; the reference stands in otherwise.

# %% id="scratch-parts"
training = docstring_classifier(layer=use("stacking.EncoderLayer"), masked_mean=masked_mean)
for part, whose in training.parts.items():
    print(f"{part}: {whose}")
for name, figures_of in baselines(data, "test").items():
    accuracy_of, f1 = figures_of["accuracy"], figures_of["macro F1"]
    print(f"to beat: {name:24} accuracy {accuracy_of:.3f}, macro F1 {f1:.3f}")

# %% [markdown] id="scratch-recipe"
# 3,522 docstrings are few for 0.2 million weights. Trained plainly, the encoder soon knows them by heart and gets no better on new modules. Four means hold it back: in training 30 % of the pieces are hidden, as in chapter 05 but as mere noise; 30 % dropout; smoothed labels, which ask for 0.92 in place of 1; and an early end, after fewer than three passes. It also gets a start that needs no labels: each piece's first vector says which pieces stand near it in the documentation (chapter 05 again). Strictly speaking, that is a little transfer too.

# %% id="scratch-predict"
predict("classification.from-scratch")

# %% id="scratch-theatre"
theatre = labs.TrainingTheatre(training)
theatre

# %% [markdown] id="scratch-theatre-note"
# Press **Start**, or run the next cell. Beneath the curve our line and a few docstrings of other modules are classified again by the model of each moment, and the two baselines are drawn in as lines.

# %% id="scratch-result"
trained = theatre.result()  # waits for the end
print(f"{trained.settings.steps} updates in {trained.seconds:.0f} s")
for split, reached_on in (("validation", trained.metrics), ("test", trained.test)):
    print(
        f"{split:10}  accuracy {reached_on['accuracy']:.3f}, macro F1 {reached_on['macro F1']:.3f}"
    )

# %% id="scratch-explain"
explain("classification.from-scratch")

# %% [markdown] id="scratch-note"
# *What to see:* half a minute of training, and the encoder is about where the word count is after a second. It has found out which words speak for which family, and in two layers of attention it could have learned much more: what *not* does, which noun an adjective belongs to. But the labels don't ask for it, and 3,522 of them don't teach it. Read the answers under the curve: which word may have misled it, where it is wrong?

# %% [markdown] id="tuning-text"
# ### Fine-tuning
#
# Now MiniLM's upper two layers may move: 3.5 of its 22.7 million weights. The lower four stay, so what they return is computed once for each docstring. Two cautions keep the pretraining alive:
#
# - **The head starts as the frozen classifier's.** Random weights in the head would send large and meaningless gradients down into layers that were good. Kumar et al. (2022) found that this hurts most on new kinds of data, and new modules are that. Before its first update our model *is* the frozen classifier.
# - **A low learning rate**, $2 \cdot 10^{-4}$ with warm-up: a fifteenth of what the encoder from scratch took.
#
# With 50 docstrings a class it takes less than a minute:

# %% id="tuning-run"
few_labels = data.few(50)
tuned = train(tuned_minilm(few_labels), progress=False)
frozen = few.minilm(few_labels)
guess = torch.from_numpy(frozen.predicted(data.test))  # (N,)
right = (guess == test_y).float().mean()
print(f"frozen     accuracy {right:.3f}, macro F1 {macro_f1(guess, test_y, 6):.3f}")
print(f"fine-tuned accuracy {tuned.test['accuracy']:.3f}, macro F1 {tuned.test['macro F1']:.3f}")

# %% [markdown] id="tuning-note"
# *What to see:* the fine-tuned model gets more out of the same 300 docstrings than the frozen one. The vector of a text was made for finding texts alike; now it may give room to what tells these six families apart.

# %% [markdown] id="who-wins-text"
# ### Who wins when
#
# All of them, with 10, 50 and all docstrings a class. With three draws each, or three seeds, that takes about twenty minutes, so this table was made beforehand (`benchmarks/applications.py`). *TF-IDF and frozen MiniLM* averages the probabilities of the two classifiers, and nothing else.

# %% id="who-wins-run"
table = recording("classification.few")
print(f"test modules; {table.machine}; median (lowest to highest)")
print(table.text("test", **{"accuracy": "accuracy {:.3f}", "macro F1": "macro F1 {:.3f}"}))

# %% [markdown] id="who-wins-note"
# *What to see:* with 10 docstrings a class the pretrained encoder is far ahead of the word count, and fine-tuning adds nothing yet. The encoder from scratch stays near the word count at every size: both know only what these labels say. With 50 a class fine-tuning is worth its minute, and with all of them it is two points above the frozen MiniLM. There TF-IDF, the frozen MiniLM and the encoder from scratch are level, and the plain baseline wins, if you count the second that it takes. But the *average* of TF-IDF and the frozen MiniLM is four points above each, and above the fine-tuned one. They fail on different texts, since one knows which words go with which family and the other what words mean. With 10 a class the average is below MiniLM alone: there the word count has little to add but noise.

# %% id="transfer-quiz"
quiz("classification.transfer")

# %% [markdown] id="explanation-section"
# ## 8 What does the classifier look at?
#
# Back to our line. Two ways to ask which words made the head say *files and system*:
#
# - **Leave a word out** and see how far the logit of the class falls. That is an ablation, an experiment on the whole classifier.
# - **Look at attention:** what share of MiniLM's attention does each word get, over all layers, heads and queries?

# %% id="ablation-run"
files = data.classes.index("files and system")
lost = words.lost_without(text, head, files)  # (words,)
received = words.attention_received(text)  # (words,)
figures.bars(text.split(), {"logit lost without the word": lost}, y_title="logit", title="Left out")

# %% id="attention-run"
figures.bars(
    text.split(), {"share of attention": received}, y_title="share", title="Attention received"
)

# %% [markdown] id="ablation-note"
# *What to see:* without *Copy* or *file* the logit falls, as it should. Without *permissions* it **rises**: that word speaks for other classes. Attention gives *permissions* the largest share, and no sign. It says where vectors were mixed from, and not what they did to this class.
#
# One line proves nothing. Do it for fifteen test docstrings and compare the two orders of words:

# %% id="agreement-predict"
predict("classification.agreement")

# %% id="agreement-run"
short = [example for example in data.test if 9 <= len(example.text.split()) <= 13][::16]
agreement, same_first = [], 0
for example in short:
    label = int(head(sentence_embedding(example.text)).argmax())  # what the head says
    left_out = words.lost_without(example.text, head, label)
    looked_at = words.attention_received(example.text)
    agreement.append(words.rank_correlation(left_out, looked_at))
    same_first += int(left_out.argmax() == looked_at.argmax())
mean = sum(agreement) / len(agreement)
print(f"{len(short)} texts: mean rank correlation {mean:+.2f}; same first word in {same_first}")

# %% id="agreement-explain"
explain("classification.agreement")

# %% [markdown] id="agreement-note"
# *What to see:* the two orders agree a little. In six of fifteen texts the same word is first, where chance would give one or two; in three texts the orders run against each other. That is too little to read one off the other. Jain and Wallace (2019) found weak agreement in recurrent classifiers too, and could exchange the weights without changing the prediction: *Attention is not Explanation*. Wiegreffe and Pinter (2019) replied that weights found for one input aren't weights that a model would learn, and that much depends on what you call an explanation. Chapter 02 ended with the same advice: a picture of attention is a hypothesis. The experiment is to take something away.
#
# Leaving words out has limits too. A text with a hole is unlike any text that the model was trained on, two words that say the same hide each other, and removing *not* changes what the text says.

# %% [markdown] id="surgery-text"
# ### Ablation beside attention, in the encoder that you trained
#
# The first of these limits can be lifted. The encoder of section 7 learned with words hidden, so a blank is nothing new to it. And it is small enough to blank every word of many texts. For 139 short test docstrings: is the word with the most attention, over all layers, heads and queries, also the one whose blank changes the logit of the class most? A word drawn at random would be it in one text of eleven.

# %% id="surgery-predict"
predict("classification.most-attended")

# %% id="surgery-run"
classifier = labs.with_standard_layers(trained.model)  # the same weights; heads can be cut out
lines = [each.text for each in data.test if 6 <= len(each.text.split()) <= 20][::3]
decisive = looks.compare(classifier, datasets.tokenizer(), lines)
print(f"{decisive.texts} texts; the word whose blank changes the logit most is")
print(f"  the word with the most attention in {decisive.by_attention / decisive.texts:.0%}")
print(f"  the longest word                 in {decisive.by_length / decisive.texts:.0%}")
print(f"  a word drawn at random           in {decisive.by_chance / decisive.texts:.0%}")
against = decisive.against / decisive.texts
print(f"blanking the most attended word raises the logit in {against:.0%}")

# %% id="surgery-explain"
explain("classification.most-attended")

# %% [markdown] id="surgery-note"
# *What to see:* attention is a hint, several times better than a draw, and wrong about as often as right. And look at the last line: in about half of the texts the logit of the class *rises* when the word that is looked at most is blanked. That word spoke for another class, and the weights don't say so.
#
# Take a line apart yourself. The table blanks each piece and cuts out each head, with every key that you press; beside each effect stands what attention would have suggested. Look for a line in which the two part.

# %% id="surgery-table"
labs.SurgeryTable(
    classifier, datasets.tokenizer(), classes=data.classes, examples=(text, *lines[::40])
)

# %% [markdown] id="surgery-reading"
# An honest sentence about such a table names the experiment: “blanked, *file* takes so much of the probability”. “The model looks at *permissions*, and therefore” is a guess that the experiment next to it may refute. Nor is the experiment the whole story: a blank says what this answer needs while all other words stay, and not how the model got there.

# %% id="explanation-quiz"
quiz("classification.explanation")

# %% [markdown] id="recap"
# ## 9 Recap
#
# - Encoder, pooling, head: $(S, D) \to (D,) \to (C,)$. The fixed length comes from the pooling.
# - The mean must know the mask. A plain mean depends on the other texts in the batch, without an error.
# - The head is logistic regression: logits, softmax, cross-entropy.
# - Split by source. A random split measured how well modules are recognised, and reported 18 points too many.
# - The confusion matrix says which classes are mixed up, macro F1 counts all alike, and the calibration error says what a probability is worth.
# - The nearest vector is a search, and with descriptions of classes a classifier. Negation, order and numbers get lost.
# - Few labels: the encoder. Many labels and telling words: the word count is as good, and cheaper.
# - From scratch, an encoder learns from the labels which words speak for which class. Fine-tuning starts from what pretraining has taught: with a head that fits, and a low rate.
# - Two classifiers that fail on different texts are better together.
# - Attention shows where a model looked. What mattered, you find out by leaving it out.
#
# Close the notebook and write `masked_mean` and `nearest` on paper, with the shape behind each line.

# %% [markdown] id="glossary"
# ### The chapter's terms
#
# <!-- glossary -->

# %% [markdown] id="papers"
# ### The papers
#
# - Devlin, Chang, Lee, Toutanova: *BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding*. NAACL 2019. [arXiv:1810.04805](https://arxiv.org/abs/1810.04805). The first token's vector as the text's.
# - Reimers, Gurevych: *Sentence-BERT: Sentence Embeddings using Siamese BERT-Networks*. EMNLP-IJCNLP 2019. [arXiv:1908.10084](https://arxiv.org/abs/1908.10084). The mean, and a training that makes it useful; first token, mean and maximum compared.
# - Guo, Pleiss, Sun, Weinberger: *On Calibration of Modern Neural Networks*. ICML 2017. [arXiv:1706.04599](https://arxiv.org/abs/1706.04599). Reliability, the expected calibration error, temperature scaling.
# - Johnson, Douze, Jégou: *Billion-Scale Similarity Search with GPUs*. IEEE Transactions on Big Data, 2019; volume 7(3), 2021. [arXiv:1702.08734](https://arxiv.org/abs/1702.08734). Faiss.
# - Malkov, Yashunin: *Efficient and Robust Approximate Nearest Neighbor Search Using Hierarchical Navigable Small World Graphs*. IEEE TPAMI 42(4), 2020. [arXiv:1603.09320](https://arxiv.org/abs/1603.09320). HNSW.
# - Kumar, Raghunathan, Jones, Ma, Liang: *Fine-Tuning can Distort Pretrained Features and Underperform Out-of-Distribution*. ICLR 2022. [arXiv:2202.10054](https://arxiv.org/abs/2202.10054). First the head alone, then all of it.
# - Sparck Jones: *A Statistical Interpretation of Term Specificity and Its Application in Retrieval*. Journal of Documentation 28(1), 1972. Rare words count more.
# - Salton, Buckley: *Term-Weighting Approaches in Automatic Text Retrieval*. Information Processing & Management 24(5), 1988. TF-IDF and its variants.
# - Jain, Wallace: *Attention is not Explanation*. NAACL 2019. [arXiv:1902.10186](https://arxiv.org/abs/1902.10186).
# - Wiegreffe, Pinter: *Attention is not not Explanation*. EMNLP-IJCNLP 2019. [arXiv:1908.04626](https://arxiv.org/abs/1908.04626).
#
# **Next:** chapter 07, the decoder's half.
