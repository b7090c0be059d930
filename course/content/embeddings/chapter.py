# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown] id="title"
# # 01 Embeddings
#
# Read these two sentences:
#
# > The dog bit the man.
# > The man bit the dog.
#
# The same words, and a different story. An encoder multiplies and adds numbers; it has seen neither dogs nor letters. Before it can begin, three things must happen to a text: it is cut into tokens, each token becomes a vector, and each vector is told where it stands. That is this chapter. If the last step is left out, the two sentences above become **the same** to the model. You will see it happen.
#
# **When you are through, you can**
#
# - say why models read neither words nor letters but something in between, and cut a word as BERT does;
# - train such a vocabulary on text, and say what its size costs and gains;
# - make a batch of texts of different lengths, with its padding mask, and say what goes wrong without the mask;
# - explain what a vector of a word can know, where it learned it, and what it cannot know;
# - write sinusoidal and rotary positions from memory, and say how they differ from learned ones.
#
# **You need** Python, a little PyTorch, and chapter 00 for how exercises, hints and `use` work.
#
# **Time** About three and a quarter hours: seven exercises, 120 minutes by our count, and about 75 minutes to read, run and play. Sections 1 to 4 make a good first sitting, 5 to 7 a second, 8 to 12 a third; each can begin in a fresh kernel.

# %% id="setup"
import copy
import math
import re
import textwrap
from collections import Counter

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course import check, explain, figures, hint, labs, measure
from course import predict, quiz, texts, use
from course.content.embeddings import skipgram
from encoder_core import (
    count_words, load_minilm, record, sentence_embedding, split_words, train_wordpiece,
)

# %% id="where-we-are"
figures.encoder("embeddings")

# %% [markdown] id="words-section"
# ## 1 A list of words, and its holes
#
# A network computes with numbers. So the first idea is a list: collect the words of a text, give each a number. Such a list is a [vocabulary](glossary.md#vocabulary); what it gives numbers to are [tokens](glossary.md#token). Here they are words.
#
# Our text is Python's own documentation, which is installed with Python: the language reference that `help()` shows, and the docstrings of the standard library.

# %% id="texts-run"
reference, docstrings = texts.language_reference(), texts.docstrings()
print(f"language reference: {sum(map(len, reference)):9,} characters")
print(f"docstrings:         {sum(map(len, docstrings)):9,} characters")
print("one of them:", textwrap.shorten(docstrings[1500], 70, placeholder=" ..."))

# %% [markdown] id="vocabulary-text"
# ### Exercise 1: `build_vocabulary`
# *Difficulty 2 of 3, about 15 minutes. Hints: `hint("embeddings.build_vocabulary")`*
#
# Make the list. Five [special tokens](glossary.md#special-token) come first, always with the same numbers; you will meet each of them:
#
# | number | token | what it is for |
# |---|---|---|
# | 0 | `[PAD]` | fills up short texts (section 4) |
# | 1 | `[UNK]` | stands for whatever has no number |
# | 2 | `[CLS]` | begins a text |
# | 3 | `[SEP]` | ends it |
# | 4 | `[MASK]` | a blank to be filled in (training, chapter 05) |
#
# Then come the words: the text in lower case, and in it what the regular expression `\w+` matches (letters, digits and `_`, of any language). The most frequent word of all texts together comes first; equally frequent ones stand in alphabetical order, as Python sorts strings, so that everybody gets the same list. `size` is the number of entries in all, the special tokens included; it is at least 5. Where there are fewer words, the list is shorter. Return it as a dictionary that gives each token its number.
#
# *A tiny case.* In "to be or not to be", *be* and *to* occur twice, the others once.

# %% id="vocabulary-example"
tiny_texts = ["To be, or not", "to be."]
tiny_vocabulary = {
    "[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4,
    "be": 5, "to": 6, "not": 7,
}
assert len(tiny_vocabulary) == 8  # for size=8: "or" finds no room

# %% id="build-vocabulary-exercise" exercise="embeddings.build_vocabulary"
def build_vocabulary(texts: list[str], size: int) -> dict[str, int]:
    """The number of each token: the five special ones, then the most frequent words."""
    ### BEGIN SOLUTION
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    found = [word for text in texts for word in re.findall(r"\w+", text.lower())]
    counts = Counter(found)
    by_frequency = sorted(counts, key=lambda word: (-counts[word], word))
    tokens = [*special, *by_frequency][:size]
    return {token: number for number, token in enumerate(tokens)}
    ### END SOLUTION


# %% id="build-vocabulary-check"
check("embeddings.build_vocabulary", build_vocabulary)

# %% id="build-vocabulary-use"
build_vocabulary = use("embeddings.build_vocabulary")

# %% id="build-vocabulary-run"
assert build_vocabulary(tiny_texts, 8) == tiny_vocabulary
vocabulary = build_vocabulary(reference, 2000)
print(list(vocabulary)[:20])

text = "Unhashable dictionaries raise a TypeError; tokenizers and encoders don't."
words = re.findall(r"\w+", text.lower())
print([word if word in vocabulary else "[UNK]" for word in words])

# %% [markdown] id="build-vocabulary-note"
# There are the holes. What has no number becomes [`[UNK]`](glossary.md#unknown-token), and whatever it said is gone: to the model *tokenizers* and *encoders* are one and the same. Would a larger list help?
#
# Take **all** words of the language reference, however rare, and read the docstrings with them. They are written by the same people about the same language.

# %% id="holes-predict"
predict("embeddings.holes")

# %% id="holes-run"
read = [word for text in docstrings for word in re.findall(r"\w+", text.lower())]
sizes = [100, 300, 1000, 2000, 1_000_000]
known, kinds = [], []
for size in sizes:
    some = build_vocabulary(reference, size)
    known.append(sum(word in some for word in read) / len(read))
    kinds.append(sum(word in some for word in set(read)) / len(set(read)))

entries = [len(build_vocabulary(reference, size)) for size in sizes]
print(f"with all {entries[-1]:,} entries, {1 - known[-1]:.0%} of the words are unknown")
figures.lines(
    entries, {"of the running words": known, "of the different words": kinds},
    log_x=True, x_title="entries in the vocabulary",
    y_title="share that has a number",
    title="Words of the docstrings in vocabularies made from the reference",
)

# %% id="holes-explain"
explain("embeddings.holes")

# %% [markdown] id="holes-note"
# *What to see:* the first hundred words bring nearly half of the running text, the next thousands bring less and less. Word frequencies fall roughly as one over the rank (Zipf, 1949): a few words are everywhere, and most words are rare. So the list never ends. Each new text brings new names, compounds, typing errors, and each entry costs a row in a table (section 5).
#
# And some languages do not even write words. What does `\w+` find here?

# %% id="chinese-words-run"
chinese = "编码器把文本转换为向量。"  # The encoder turns a text into vectors.
print(re.findall(r"\w+", chinese))

# %% [markdown] id="chinese-words-note"
# One "word", the whole clause: Chinese puts no spaces between words. It would be in no list.
#
# The other end would be to number the letters: about a hundred cover nearly all of English, and nothing is ever unknown. But a text then has five times as many tokens, each of which says almost nothing, and the cost of attention grows with the square of their number (chapter 02). What lies between?

# %% [markdown] id="pieces-section"
# ## 2 Pieces of words
#
# Frequent words get numbers of their own. Rare words are put together from pieces that do have numbers: *encoders* from `en`, `##code`, `##rs`. The mark `##` says "continues a word", so that `##s` is not the word *s*. These are the pieces of [WordPiece](glossary.md#WordPiece) (Schuster and Nakajima, 2012), which BERT reads (Devlin et al., 2019) and with it our MiniLM. GPT and its relatives use [byte-pair encoding](glossary.md#byte-pair-encoding) (Sennrich et al., 2016), which marks the pieces differently; the idea is the same.
#
# How is a word cut, once the vocabulary of pieces is there? Greedily: take the longest beginning of the word that the vocabulary has, then the longest piece that continues from there, and so on. Never go back.
#
# ### Exercise 2: `wordpiece`
# *Difficulty 2 of 3, about 20 minutes. Hints: `hint("embeddings.wordpiece")`*
#
# ```
#    unaffable      vocabulary: un, ##aff, ##able, ##a, ...
#    └┘└─┘└──┘
#    un ##aff ##able
# ```
#
# Return the list of pieces, the `##` included. If at some point nothing fits, not even a single character, the **whole** word becomes `["[UNK]"]`, whatever was found before. Case is kept: whoever wants lower case does that before. The word is not empty, and does not itself begin with `##`.
#
# *A tiny case* is the picture. And one where being greedy goes wrong: with `ab`, `abc` and `##cd`, the word *abcd* could be cut into `ab ##cd`, but the longest beginning is `abc`, nothing continues it with *d*, and so the word is unknown.

# %% id="wordpiece-example"
tiny_pieces = {"un", "##aff", "##able", "##a", "ab", "abc", "##cd"}
tiny_cuts = {"unaffable": ["un", "##aff", "##able"], "abcd": ["[UNK]"]}

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

# %% [markdown] id="wordpiece-try"
# Now MiniLM's real vocabulary: the 30,522 pieces that Google published in 2018 with BERT, whose texts were English books and Wikipedia. Your function cuts as the model's own tokenizer does:

# %% id="wordpiece-run"
assert {word: wordpiece(word, tiny_pieces) for word in tiny_cuts} == tiny_cuts

model, tokenizer = load_minilm()
pieces_of_minilm = set(tokenizer.vocabulary)
for word in ("encoders", "tokenizers", "unhashable", "uncharacteristically", "pyhton"):
    print(f"{word:20}", *wordpiece(word, pieces_of_minilm))

sample = [word for word in sorted(set(read))[::50] if re.fullmatch("[a-z0-9]+", word)]
theirs = {word: tokenizer.encode(word).tokens[1:-1] for word in sample}
same = sum(wordpiece(word, pieces_of_minilm) == theirs[word] for word in sample)
print(f"{same} of {len(sample)} words are cut as MiniLM's tokenizer cuts them")

# %% [markdown] id="wordpiece-note"
# (Words with `_` were left out: the model's tokenizer first takes off accents and cuts at every sign, `_` too, and `\w+` doesn't. From here on `split_words` of `encoder_core` finds the words; it does as BERT does.)
#
# The pieces are not syllables and not meanings: `##has ##hab` is what was left over. Nor does a piece know its neighbours: it has one number, wherever it stands.

# %% id="greedy-quiz"
quiz("embeddings.greedy")

# %% [markdown] id="training-section"
# ## 3 Where the pieces come from
#
# Nobody writes them down. They are found in a text, by counting:
#
# 1. Begin with the letters. Every word is a row of letters: `l ##o ##w ##e ##r`.
# 2. Count all neighbouring pairs in the text. Join the most frequent pair into a new piece, everywhere.
# 3. Repeat until the vocabulary is as large as you want it.
#
# That is byte-pair encoding's training, and many WordPiece vocabularies are made by it too (Hugging Face's `WordPieceTrainer` is one for byte-pair encoding within). The program that made BERT's was not published with the model; by its paper it joins the pair that makes the text most likely, which weighs a pair's count against those of its parts. Train one on the language reference, and watch its first steps:

# %% id="training-run"
joined = []
trained = train_wordpiece(
    count_words(reference), 4000, on_merge=lambda *found: joined.append(found)
)
pieces = list(trained.vocabulary)  # special tokens, letters, pieces as they were found
print("first joined:", ", ".join(f"{piece} ({count:,})" for piece, count in joined[:9]))
print("last joined: ", ", ".join(f"{piece} ({count})" for piece, count in joined[-6:]))

# %% [markdown] id="training-note"
# Since each step only adds a piece, the first 500 entries *are* the vocabulary of size 500. So the same sentence can be cut at every size:

# %% id="sizes-run"
by_size = {size: set(pieces[:size]) for size in (150, 500, 1000, 2000, 4000)}
spelled = [word.text for word in split_words(text)]  # lower case, cut at signs too
for size, some in by_size.items():
    cut = [piece for word in spelled for piece in wordpiece(word, some)]
    line = f"{size:5} pieces, {len(cut):2} tokens: " + " ".join(cut)
    print(textwrap.fill(line, 100, subsequent_indent=" " * 25))

# %% [markdown] id="sizes-predict-text"
# More pieces, fewer tokens. MiniLM has 30,522 pieces, more than seven times as many as our largest. How many tokens will it need for this sentence?

# %% id="which-vocabulary-predict"
predict("embeddings.which-vocabulary")

# %% id="which-vocabulary-run"
theirs = [piece for word in spelled for piece in wordpiece(word, pieces_of_minilm)]
line = f"30522 pieces, {len(theirs):2} tokens: " + " ".join(theirs)
print(textwrap.fill(line, 100, subsequent_indent=" " * 25))

common = dict(count_words(docstrings[::10]).most_common(1000))
per_word = [
    sum(count * len(wordpiece(word, some)) for word, count in common.items())
    / sum(common.values())
    for some in by_size.values()
]
figures.lines(
    list(by_size), {"docstrings": per_word}, log_x=True,
    x_title="pieces in the vocabulary", y_title="tokens per word",
    title="A larger vocabulary makes shorter texts",
)

# %% id="which-vocabulary-explain"
explain("embeddings.which-vocabulary")

# %% [markdown] id="size-tradeoff"
# *What to see:* a trade. Each further piece makes the texts a little shorter, and costs a row in the model's table. Real models choose: BERT 30,522, RoBERTa 50,265, Llama 3 128,256, and the multilingual BERT (cased) 119,547.
#
# **Chinese too.** MiniLM's vocabulary comes from English text. BERT's tokenizer takes each Chinese character for a word of its own (so that no spaces are needed), and looks it up:

# %% id="chinese-pieces-run"
print("MiniLM:        ", *tokenizer.encode(chinese).tokens)

in_chinese = texts.jupyter_in_chinese() or (chinese, "请保存文本文件。", "重新启动编码器。")
trained_on_chinese = train_wordpiece(count_words(in_chinese), 2000)
print("trained here:  ", *trained_on_chinese.encode(chinese).tokens)
chinese_only = re.compile("[\u4e00-\u9fff]")
characters = [token for token in tokenizer.vocabulary if chinese_only.fullmatch(token)]
print(len(characters), "Chinese characters in MiniLM's vocabulary")

# %% [markdown] id="chinese-pieces-note"
# The second one was trained on the few messages that Jupyter shows in its Chinese translation: it has characters that MiniLM lacks, and lacks those that no message has. What it does not have is pieces of two characters, although very many Chinese words have two: whoever takes each character for a word first has nothing left to join. BERT's Chinese model works like that, with characters; SentencePiece (Kudo and Richardson, 2018) learns pieces across a text without cutting it into words before, spaces included, and is what multilingual models such as XLM-R and mT5 read. And GPT-2 begins with the 256 bytes instead of letters (Radford et al., 2019): then nothing at all can be unknown.

# %% id="chinese-characters-quiz"
quiz("embeddings.chinese-characters")

# %% [markdown] id="article-tokens"
# > **In the article** (3.1): "首先，将输入文本进行分词和词嵌入处理，将每个单词转换为相应的词向量" (*first, the input text is segmented into words and embedded: each word is turned into the corresponding word vector*).
# >
# > Three points to sharpen. What gets a vector is a **token**: a word, a piece, a sign, or one of the special tokens that the text doesn't even contain. "Corresponding" means: by its number alone, the same vector in every sentence; what the sentence does to it comes later, in the layers. And a step is missing: the **positions** (sections 8 to 11), without which the encoder would not know the order of what it reads.
#
# The lab cuts what you type, at any size of the vocabulary. Try your name, a word you have made up, a number, a line of code. Four **tasks** stand under it, and the lab notices when you reach one; the second asks for a word that a *larger* vocabulary cuts into *more* pieces (being greedy makes that possible).

# %% id="tokenizer-lab"
labs.TokenizerLab(wordpiece=use("embeddings.wordpiece"))

# %% [markdown] id="padding-section"
# ## 4 A batch: padding and its mask
#
# A GPU likes to work on many texts at once, in one rectangle of numbers. Texts have different lengths. So the short ones are filled up with `[PAD]`, and a boolean mask remembers which places are only filling: [padding](glossary.md#padding).
#
# ### Exercise 3: `pad_batch`
# *Difficulty 2 of 3, about 15 minutes. Hints: `hint("embeddings.pad_batch")`*
#
# ```
#    sequences         ids (B, S)        mask (B, S)
#    [7]               7  0  0           ·  ×  ×       × = True, padding
#    [8, 9, 4]    →    8  9  4           ·  ·  ·
#    []                0  0  0           ×  ×  ×       (here pad_id is 0)
# ```
#
# Two results: the ids as int64, filled up on the right with `pad_id` to the longest sequence, and the mask as bool. A place is padding because its sequence has ended, **not** because of the number that stands there: some models have no padding token and fill up with one that texts hold too. There is at least one sequence; any of them may be empty, even all (then both results have the shape $(B, 0)$, and the same dtypes as ever).
#
# *A tiny case* is the picture.

# %% id="pad-batch-example"
tiny_sequences = [[7], [8, 9, 4], []]
tiny_ids = torch.tensor([[7, 0, 0], [8, 9, 4], [0, 0, 0]])
tiny_mask = torch.tensor([[False, True, True], [False] * 3, [True] * 3])

# %% id="pad-batch-exercise" exercise="embeddings.pad_batch"
def pad_batch(sequences: list[list[int]], pad_id: int) -> tuple[Tensor, Tensor]:
    """Ids (B, S) int64, padded on the right, and the mask (B, S), True at padding."""
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

# %% [markdown] id="pad-batch-try"
# Take two sentences through all steps so far: words, pieces, the frame of `[CLS]` and `[SEP]`, numbers, one rectangle.

# %% id="pad-batch-run"
assert all(map(torch.equal, pad_batch(tiny_sequences, 0), (tiny_ids, tiny_mask)))

sentences = [
    "A short sentence.",
    "This one is longer, so the first is filled up until both have the same length.",
]
cuts = []
for sentence in sentences:
    words = [word.text for word in split_words(sentence)]
    cut = [piece for word in words for piece in wordpiece(word, pieces_of_minilm)]
    cuts.append(["[CLS]", *cut, "[SEP]"])
numbers = [[tokenizer.vocabulary[piece] for piece in cut] for cut in cuts]
ids, mask = pad_batch(numbers, pad_id=tokenizer.vocabulary["[PAD]"])
print(tuple(ids.shape), "ids, of which", mask.sum().item(), "are padding")
assert torch.equal(ids, tokenizer.batch(sentences).ids)  # as the tokenizer does it

# %% [markdown] id="padding-predict-text"
# Is the mask worth the trouble? Let MiniLM read the short sentence three times: alone; in the batch, with the mask; in the batch, without it.

# %% id="padding-unmasked-predict"
predict("embeddings.padding-unmasked")

# %% id="padding-unmasked-run"
length = len(numbers[0])
with torch.no_grad():
    alone = model(ids[:1, :length])  # (1, length, D)
    masked = model(ids, padding_mask=mask)[:1, :length]
    unmasked = model(ids)[:1, :length]

print(f"with the mask:    {(masked - alone).abs().max():.0e} is the largest difference")
print(f"without the mask: {(unmasked - alone).abs().max():.2f}")
bars = {"with the mask": masked, "without the mask": unmasked}
figures.bars(
    cuts[0],
    {name: F.cosine_similarity(x, alone, dim=-1)[0] for name, x in bars.items()},
    y_title="cosine with the token alone", title="The same tokens, read in a batch",
)

# %% id="padding-unmasked-explain"
explain("embeddings.padding-unmasked")

# %% id="pad-id-quiz"
quiz("embeddings.pad-id")

# %% [markdown] id="table-section"
# ## 5 A table of vectors
#
# (To begin a sitting here, in a fresh kernel, run the chapter's first two code cells and the one below.)

# %% id="second-sitting"
reference, docstrings = texts.language_reference(), texts.docstrings()
model, tokenizer = load_minilm()
sentences = [
    "A short sentence.",
    "This one is longer, so the first is filled up until both have the same length.",
]
build_vocabulary = use("embeddings.build_vocabulary")
ids = tokenizer.batch(sentences).ids
mask = ids == tokenizer.vocabulary["[PAD]"]

# %% [markdown] id="table-text"
# Numbers are names, not amounts: token 2000 is not twice token 1000. The simplest vector that says "token 3 of 5" and nothing else has a 1 in one place, a [one-hot vector](glossary.md#one-hot-vector):
#
# $$e_3 = (0, 0, 0, 1, 0)$$
#
# Multiply it with a matrix $W$ of shape $(V, D)$, and what comes out is row 3 of $W$, because all other rows are multiplied with 0. So a linear layer on one-hot vectors *is* a table with one row a token: the [embedding](glossary.md#embedding) table. Its rows are learned like all other weights.

# %% id="one-hot-run"
table = torch.tensor(  # (V, D) = (5, 2)
    [[0.1, 0.8], [-0.5, 0.3], [0.9, -0.2], [0.4, 0.4], [-0.7, -0.6]]
)
one_hot = F.one_hot(torch.tensor([3, 0, 3]), num_classes=5).float()  # (S, V)
figures.product(one_hot, table, one_hot @ table, names=("one-hot", "W", "vectors"))

# %% [markdown] id="lookup-text"
# ### Exercise 4: `lookup`
# *Difficulty 1 of 3, about 5 minutes. Hints: `hint("embeddings.lookup")`*
#
# Nobody multiplies by all those zeros. From the table `weight` $(V, D)$ and the numbers `ids` $(B, S)$, give each number its row: $(B, S, D)$. The result has to be differentiable with respect to the table, or it could never be trained.
#
# *A tiny case:* the picture above, with its three tokens as a batch of one text.

# %% id="lookup-example"
tiny_text = torch.tensor([[3, 0, 3]])  # (B, S) = (1, 3)
tiny_vectors = torch.tensor([[[0.4, 0.4], [0.1, 0.8], [0.4, 0.4]]])  # (B, S, D)

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

# %% [markdown] id="lookup-try"
# On MiniLM's own table. First its size, and what the long way would cost:

# %% id="lookup-run"
torch.testing.assert_close(lookup(table, tiny_text), tiny_vectors)

weight = model.embeddings.token.weight.detach()  # (V, D)
vectors = lookup(weight, ids)  # (B, S) -> (B, S, D)
for name, some in (("table", weight), ("ids", ids), ("vectors", vectors)):
    print(f"{name:8}", tuple(some.shape))

in_all = sum(parameter.numel() for parameter in model.parameters())
print(f"the table holds {weight.numel():,} of the model's {in_all:,} parameters")
long_way = F.one_hot(ids, len(weight)).float()  # (B, S, V)
operations = measure.operations(torch.matmul, long_way, weight)
print(f"the long way to the same vectors: {operations:,} operations")

# %% [markdown] id="which-rows-text"
# More than half of MiniLM is this table, and it computes nothing. Now train it a step: some loss is computed from the vectors of one short text. Which rows of the table will move?

# %% id="which-rows-predict"
predict("embeddings.which-rows")

# %% id="which-rows-run"
small = torch.randn(10, 4, generator=torch.Generator().manual_seed(0)).requires_grad_()
lookup(small, torch.tensor([[7, 2, 7, 5]])).sum().backward()
figures.heatmap(
    small.grad, row_title="token", numbers=True, decimals=0, signed=True,
    title="Gradient of the table after a text of the tokens 7, 2, 7, 5",
)

# %% id="which-rows-explain"
explain("embeddings.which-rows")

# %% [markdown] id="article-embedding"
# > **In the article** (2.1): "词嵌入（Word Embedding）是将单词映射到低维向量空间的技术。它能够捕捉单词的语义信息，使得机器能够更好地理解和处理文本数据" (*word embedding is a technique that maps words into a low-dimensional vector space; it can capture the semantic information of words, so that machines can better understand and process text*).
# >
# > "Low-dimensional" is meant against the one-hot vectors: 384 numbers instead of 30,522. "It can capture" is right with the stress on *can*: a fresh table is random and captures nothing, as section 7 shows. What it captures is what the training text and the training task put into it. And the table holds one vector a word, whatever the word means in this sentence.

# %% [markdown] id="similarity-section"
# ## 6 How alike are two vectors?
#
# Measure the angle between them, by its cosine: 1 for the same direction, 0 for a right angle, −1 for opposite directions. It is the dot product of the two, each scaled to length 1: the [cosine similarity](glossary.md#cosine-similarity).
#
# $$\cos(a, b) = \frac{a \cdot b}{\lVert a \rVert \, \lVert b \rVert}$$
#
# The length is left out on purpose: it says other things, in word vectors for example how often a word occurs, and in how many different surroundings (Schakel and Wilson, 2015).
#
# ### Exercise 5: `cosine_similarity`
# *Difficulty 2 of 3, about 15 minutes. Hints: `hint("embeddings.cosine_similarity")`*
#
# Every row of `a` $(N, D)$ with every row of `b` $(M, D)$: a matrix $(N, M)$. A zero vector has no direction; its similarity with everything is to be 0, not NaN. All others have a length of at least $10^{-6}$, and the result must not depend on it. (`F.cosine_similarity(a, b)` is something else: row by row, the first with the first, the second with the second.)
#
# *A tiny case:* $(3, 4)$ has length 5. With $(2, 0)$ it makes $\frac{3 \cdot 2}{5 \cdot 2} = 0.6$, with itself 1, with zero 0.

# %% id="cosine-example"
tiny_a = torch.tensor([[3.0, 4.0]])  # (N, D) = (1, 2)
tiny_b = torch.tensor([[2.0, 0.0], [3.0, 4.0], [0.0, 0.0]])  # (M, D) = (3, 2)
tiny_similarity = torch.tensor([[0.6, 1.0, 0.0]])  # (N, M) = (1, 3)

# %% id="cosine-similarity-exercise" exercise="embeddings.cosine_similarity"
def cosine_similarity(a: Tensor, b: Tensor) -> Tensor:
    """Every row of a (N, D) with every row of b (M, D): (N, M); 0 for a zero vector."""
    ### BEGIN SOLUTION
    a = a / a.norm(dim=-1, keepdim=True).clamp(min=1e-12)  # (N, D), rows of length 1
    b = b / b.norm(dim=-1, keepdim=True).clamp(min=1e-12)  # (M, D)
    return a @ b.T  # (N, D) @ (D, M) -> (N, M)
    ### END SOLUTION


# %% id="cosine-similarity-check"
check("embeddings.cosine_similarity", cosine_similarity)

# %% id="cosine-similarity-use"
cosine_similarity = use("embeddings.cosine_similarity")

# %% [markdown] id="neighbours-try"
# With it, ask MiniLM's table: which rows of all 30,522 are closest to that of a word?

# %% id="neighbours-run"
torch.testing.assert_close(cosine_similarity(tiny_a, tiny_b), tiny_similarity)

asked = ["monday", "three", "red", "bank", "python", "left", "##ing"]
rows = lookup(weight, torch.tensor([[tokenizer.vocabulary[word] for word in asked]]))[0]
similarity = cosine_similarity(rows, weight)  # (7, D), (V, D) -> (7, V)
nearest = similarity.topk(8).indices[:, 1:]  # (7, 7); the first is the word itself
for word, row in zip(asked, nearest.tolist(), strict=True):
    print(f"{word:7}", *(tokenizer.tokens[number] for number in row))

# %% [markdown] id="neighbours-note"
# Nobody told the table that Monday and Tuesday belong together. Note what else it thinks: *bank* is all money and no river, since there is only one row for both; *python* is a snake and a package manager at once; and near *left* stands *right*.

# %% id="cosine-length-quiz"
quiz("embeddings.cosine-length")

# %% [markdown] id="meaning-section"
# ## 7 Where the meaning comes from
#
# "You shall know a word by the company it keeps" (Firth, 1957). Words that stand in the same surroundings mean similar things, so a vector that is trained to *predict the surroundings* of its word will become similar for similar words. The smallest model that does just this is [skip-gram](glossary.md#skip-gram) (Mikolov et al., 2013): two tables, one for words, $w$, and one for neighbours, $n$. For each pair of words that stand at most five places apart,
#
# $$\text{loss} = -\log \sigma(w \cdot n) - \sum_{r} \log \sigma(-w \cdot r)$$
#
# make the product with the real neighbour $n$ large, and the products with a few words $r$ drawn at random small ([negative sampling](glossary.md#negative-sampling)). Nothing else: no grammar, no dictionary.
#
# Train it now, on all of the documentation. It takes some seconds.

# %% id="skipgram-run"
both = [*reference, *docstrings]
known_words = build_vocabulary(both, 2000)
running = [re.findall(r"\w+", text.lower()) for text in both]
running = [[known_words.get(word, 1) for word in words] for words in running]
centre, near = skipgram.pairs(running, len(known_words))
learned = skipgram.train(centre, near, len(known_words))
print(f"{len(centre):,} pairs")
print("mean loss of each pass:", *(f"{loss:.2f}" for loss in learned.loss))

# %% [markdown] id="opposites-text"
# Which word will stand closest to *true*?

# %% id="opposites-predict"
predict("embeddings.opposites")

# %% id="opposites-run"
names = list(known_words)
asked = ["true", "start", "left", "two", "tuple", "month", "thread", "socket"]
asked = [word for word in asked if word in known_words]
for when, own in (("before", learned.before), ("after", learned.after)):
    rows = lookup(own, torch.tensor([[known_words[word] for word in asked]]))[0]
    print(f"-- {when} training")
    nearest = cosine_similarity(rows, own).topk(6).indices[:, 1:]  # (N, V) -> (N, 5)
    for word, row in zip(asked, nearest.tolist(), strict=True):
        print(f"{word:7}", *(names[number] for number in row))

# %% id="opposites-explain"
explain("embeddings.opposites")

# %% [markdown] id="map-text"
# A map of some of them: from 64 dimensions down to the two in which these words differ most (principal components). A map is a shadow. What is close on it may be far apart in the other 62 dimensions, so check with the list before you believe it.

# %% id="map-run"
groups = {
    "containers": ["list", "tuple", "dict", "set", "sequence", "mapping"],
    "numbers": ["one", "two", "three", "four"],
    "time": ["day", "month", "year", "week", "hour", "minute"],
    "network": ["socket", "server", "client", "host", "port", "connection"],
    "files": ["file", "directory", "path", "filename", "folder"],
    "errors": ["error", "exception", "typeerror", "valueerror", "traceback"],
}
groups = {name: [w for w in some if w in known_words] for name, some in groups.items()}
chosen = [word for some in groups.values() for word in some]
of_map = learned.after[[known_words[word] for word in chosen]]  # (N, 64)
of_map = F.normalize(of_map, dim=1)
of_map = of_map - of_map.mean(dim=0)
directions = torch.linalg.svd(of_map, full_matrices=False).Vh[:2]  # (2, 64)
figures.points(
    of_map @ directions.T,  # (N, 64) @ (64, 2) -> (N, 2)
    chosen,
    [name for name, some in groups.items() for _ in some],
    x_title="first principal component", y_title="second principal component",
    title="Words of Python's documentation, by the company they keep",
)

# %% [markdown] id="analogy-text"
# **Do directions mean something?** The famous claim: *king* − *man* + *woman* lands at *queen*. Try it, on MiniLM's table, with care. For each question we ask three things: what is really nearest to the point; what is nearest when the three words of the question themselves are not allowed as answers (the rule in the papers, seldom mentioned); and what is nearest to the third word, without any arithmetic.

# %% id="analogy-run"
questions = """man king woman queen, man doctor woman doctor, he him she her,
france paris germany berlin, france paris italy rome, japan tokyo france paris,
italy italian germany german, big bigger small smaller, good better bad worse,
walk walked play played, dog dogs cat cats, car cars house houses,
one first two second"""
questions = [question.split() for question in questions.split(",")]
number = torch.tensor([[tokenizer.vocabulary[word] for word in q] for q in questions])
a, b, c, _ = lookup(weight, number).unbind(dim=1)  # (N, 4, D) -> 4 times (N, D)
places = cosine_similarity(b - a + c, weight)  # (N, V)
around_c = cosine_similarity(c, weight)  # (N, V)
allowed, around_c = (x.scatter(1, number[:, :3], -1) for x in (places, around_c))

print(f"{'a : b = c : ?':29} {'nearest':10} {'not a, b, c':12} near c alone")
for row, question in enumerate(questions):
    tops = [x[row].argmax().item() for x in (places, allowed, around_c)]
    found = [tokenizer.tokens[top] for top in tops]
    asks = f"{question[0]} : {question[1]} = {question[2]} : ?"
    print(f"{asks:29} {found[0]:10} {found[1]:12} {found[2]}")
right = [x.argmax(dim=1) == number[:, 3] for x in (places, allowed, around_c)]
print(f"as expected, of {len(questions)}:", *(some.sum().item() for some in right))

# %% [markdown] id="analogy-note"
# *What to see:* the point itself is nearly always nearest to a word of the question: *king* − *man* + *woman* is nearest to *king*. Only when those are forbidden does the answer come out, and in five of the eleven right answers the neighbourhood of the third word gives it without any arithmetic: *cats* is nearest to *cat* anyway. Such questions are no evidence of a common direction. Linzen (2016) and Rogers, Drozd and Li (2017) examined both; whoever shows you the queen without these two columns shows a part of the experiment.
#
# Thirteen questions that we chose are anecdotes. So take eight pairs of each of six relations, every pair with every other, 56 questions a relation, always with the rule. Guessing among the 30,519 words that are left would find none:

# %% id="relations-run"
relations = {
    "plural": """dog dogs cat cats car cars house houses book books tree trees
        river rivers king kings""",
    "comparative": """big bigger small smaller fast faster slow slower old older
        cheap cheaper strong stronger long longer""",
    "past": """walk walked play played ask asked open opened start started
        turn turned look looked call called""",
    "capital": """france paris germany berlin italy rome japan tokyo spain madrid
        russia moscow egypt cairo austria vienna""",
    "male, female": """man woman king queen he she brother sister father mother
        son daughter uncle aunt actor actress""",
    "opposite": """hot cold big small old young rich poor black white open closed
        early late high low""",
}
counted = {}
print(f"{'of 56 questions':16} arithmetic  neighbour alone")
for relation, words in relations.items():
    rows_of = [tokenizer.vocabulary[word] for word in words.split()]
    couples = list(zip(rows_of[::2], rows_of[1::2], strict=True))
    fours = [[*one, *two] for one in couples for two in couples if one != two]
    fours = torch.tensor(fours)  # (56, 4)
    a, b, c, _ = lookup(weight, fours).unbind(dim=1)  # (56, 4, D) -> 4 times (56, D)
    tops = [
        cosine_similarity(x, weight).scatter(1, fours[:, :3], -1).argmax(dim=1)
        for x in (b - a + c, c)
    ]
    counted[relation] = [(top == fours[:, 3]).sum().item() for top in tops]
    print(f"{relation:16} {counted[relation][0]:10}  {counted[relation][1]:15}")

# %% [markdown] id="relations-note"
# *What to see:* read each row as a difference. Plural: 56 of 56 both ways, so the arithmetic shows nothing. Comparative: 55, but 35 of them without arithmetic. For the past, the capitals, and man and woman the arithmetic finds much that the neighbourhood doesn't. Opposites it hardly finds. So in this table there are common directions for some relations, approximately, and hardly any for others; and eight pairs of each are still few.
#
# And the doctor? With the rule, the answer *cannot* be *doctor* again; without it, *doctor* is what comes nearest. Nissim, van Noord and van der Goot (2020) show how much of the prejudice that was reported of word vectors the rule itself had made. (Vectors do carry the habits of their texts. This experiment is just not the one that shows it.)

# %% id="one-vector-quiz"
quiz("embeddings.one-vector")

# %% [markdown] id="embedding-lab-text"
# The lab shows neighbours and analogies of MiniLM's table, with your `cosine_similarity`. Four **tasks** stand under it, among them words with two meanings and an analogy of your own. Write down what you expect before you look.

# %% id="embedding-lab"
labs.EmbeddingLab(similarity=use("embeddings.cosine_similarity"))

# %% [markdown] id="order-section"
# ## 8 Without positions the order is lost
#
# (To begin a sitting here, in a fresh kernel, run the chapter's first two code cells and the one below.)

# %% id="third-sitting"
model, tokenizer = load_minilm()
sentences = [
    "A short sentence.",
    "This one is longer, so the first is filled up until both have the same length.",
]
ids = tokenizer.batch(sentences).ids
mask = ids == tokenizer.vocabulary["[PAD]"]
lookup = use("embeddings.lookup")
cosine_similarity = use("embeddings.cosine_similarity")

# %% [markdown] id="order-text"
# Back to the dog. A look-up doesn't know where a token stands, and attention is a weighted mean over all tokens, in which no place counts more than another (chapter 02 shows this, and the feed-forward part works on each token by itself). So who tells the model the order?
#
# Take it away and see. MiniLM's table of positions, which section 10 looks at, is set to zero in a copy of the model. Then both models read the two sentences, and we compare the vectors of the whole sentences.

# %% id="word-order-predict"
predict("embeddings.word-order")

# %% id="word-order-run"
without_positions = copy.deepcopy(model)
with torch.no_grad():
    without_positions.embeddings.position.weight.zero_()

dog, man = "The dog bit the man.", "The man bit the dog."
for name, one in (("as it is", model), ("without positions", without_positions)):
    both_ways = sentence_embedding([dog, man], one, tokenizer)  # (2, D)
    print(f"{name:18} {cosine_similarity(both_ways[:1], both_ways[1:]).item():.6f}")

# %% id="word-order-explain"
explain("embeddings.word-order")

# %% [markdown] id="three-ways"
# So the [position](glossary.md#position) has to be put in. Three ways are in use, and the rest of the chapter builds them:
#
# - **sinusoidal**: a fixed pattern of waves is *added* to the token's vector (the first Transformer, 2017);
# - **learned**: a second table, with a row for each place, is *added* (BERT, MiniLM);
# - **rotary**: nothing is added; queries and keys are *turned*, by an angle that grows with the place (GPT-J in 2021; since then Llama, ModernBERT and many more).
#
# ## 9 Sinusoidal positions
#
# Number the places 0, 1, 2, … Just adding that number would not do: at place 500 it would drown the token. Each place needs a pattern of its own, of moderate size, and near places should have similar patterns. Think of a clock: the second hand tells near moments apart, the hour hand far ones. The [sinusoidal positions](glossary.md#sinusoidal-positions) are a row of such hands, each slower than the one before (Vaswani et al., 2017, section 3.5):
#
# $$P_{p,\,2i} = \sin\frac{p}{10000^{2i/D}} \qquad P_{p,\,2i+1} = \cos\frac{p}{10000^{2i/D}}$$
#
# $p$ is the place, and $i = 0, 1, 2, …$ counts the **pairs** of columns: the columns $2i$ and $2i+1$ are the two coordinates of one hand, and have the same angle.
#
# ### Exercise 6: `sinusoidal_positions`
# *Difficulty 2 of 3, about 20 minutes. Hints: `hint("embeddings.sinusoidal_positions")`*
#
# The table $(\text{length}, D)$: sine in the even columns, cosine in the odd ones. With $D$ odd the last cosine is missing, and the $D$ in the exponent is still the odd number. The dtype is PyTorch's default one, float32 unless somebody has changed it.
#
# *A tiny case.* Width 4 has two hands. The first turns by 1 radian a place, the second by $1 / 10000^{2/4} = 0.01$. Place 0 is $(0, 1, 0, 1)$, place 1 is $(\sin 1, \cos 1, \sin 0.01, \cos 0.01)$.

# %% id="sinusoidal-example"
tiny_positions = torch.tensor(
    [[0.0, 1.0, 0.0, 1.0], [math.sin(1), math.cos(1), math.sin(0.01), math.cos(0.01)]]
)

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

# %% id="sinusoidal-run"
torch.testing.assert_close(sinusoidal_positions(2, 4), tiny_positions)
figures.heatmap(
    sinusoidal_positions(40, 32), row_title="place", column_title="column", signed=True,
    title="Each row is a place; each pair of columns is a hand of the clock",
)

# %% id="slowest-wave-quiz"
quiz("embeddings.slowest-wave")

# %% [markdown] id="distance-text"
# How alike are two places? The product of their rows is
#
# $$P_p \cdot P_q = \sum_i \left( \sin p\theta_i \sin q\theta_i + \cos p\theta_i \cos q\theta_i \right) = \sum_i \cos\left((p - q)\,\theta_i\right)$$
#
# with $\theta_i = 10000^{-2i/D}$. It depends on the **distance** alone, not on where the two stand. Check it, and see how it falls:

# %% id="distance-run"
waves = sinusoidal_positions(128, 64)
products = waves @ waves.T / 32  # (128, 128); 32 hands, so each with itself makes 1
same_distance = [products.diagonal(k) for k in range(100)]
spread = max((some.max() - some.min()).item() for some in same_distance)
print(f"at the same distance, products differ by {spread:.0e} at most")
figures.heatmap(
    products[:48, :48], signed=True, row_title="place", column_title="place",
    title="Products of sinusoidal positions",
)

# %% [markdown] id="distance-note"
# *What to see:* stripes along the diagonal, so only the distance counts. And one more gift of the hands: to go $k$ places on, each hand is turned by $k\theta_i$, the same turn from wherever one starts. A linear map can do that, so "the token three places before me" is something that a query can ask for. (That was the paper's reason for this pattern.)
#
# ## 10 Learned positions
#
# Or leave it to training: a second table, one row a place, looked up with 0, 1, 2, … like tokens with their numbers: [learned positions](glossary.md#learned-positions). BERT does so, and so does MiniLM. What has it learned?

# %% id="learned-run"
of_places = model.embeddings.position.weight.detach()  # (512, D)
print(f"places: {len(of_places)}, so no text may have more tokens than that")

by_place = cosine_similarity(of_places[:96], of_places[:96])  # (96, 96)
by_wave = cosine_similarity(waves[:96], waves[:96])
distances = range(48)
figures.lines(
    distances,
    {
        "learned (MiniLM)": [by_place.diagonal(k).mean() for k in distances],
        "sinusoidal (64 columns)": [by_wave.diagonal(k).mean() for k in distances],
    },
    x_title="distance", y_title="mean cosine similarity",
    title="How the similarity of two places falls with their distance",
)

# %% [markdown] id="learned-note"
# *What to see:* nobody told MiniLM that place 7 is next to place 8. Training has made the rows of near places alike; the bumps are its own. But a learned table ends where training ended: there is no row 512. Sinusoidal positions can be computed for any place (whether a model that was trained on short texts *understands* them there is another question; mostly it doesn't, as Press et al. (2022) measured).
#
# ## 11 Rotary positions
#
# Both ways *add* the place to the token, and everything that follows has to sort out again which was which. [Rotary positions](glossary.md#rotary-positions) (Su et al., 2021) don't add. They go straight to where places matter, the product of a query with a key, and **turn** both before it, each by its own place.
#
# Take two numbers of the vector for a point $(a, b)$ in a plane, and turn it by the angle $t$:
#
# $$(a \cos t - b \sin t, \;\; a \sin t + b \cos t)$$
#
# If a query at place $p$ is turned by $p\theta$ and a key at place $q$ by $q\theta$, the angle between them changes by $(p-q)\theta$, and so their product depends on the contents and the **distance**. The length of both stays as it was.
#
# ### Exercise 7: `rotary`
# *Difficulty 3 of 3, about 30 minutes. Hints: `hint("embeddings.rotary")`*
#
# ```
#   x (..., S, Dh)     ( x0  x1 │ x2  x3 │ x4  x5 )   pairs of neighbours, (a, b)
#                           ↻        ↻        ↻
#   angle at place p       p·1      p·r      p·r²      with r = base^(-2/Dh),
#                                                      the same clock as before
# ```
#
# Turn each pair $(a, b) = (x_{2i}, x_{2i+1})$ by $t = \text{position} \cdot \text{base}^{-2i/D_h}$.
#
# - `x` is $(…, S, D_h)$, with $D_h$ even and any axes before; typically $(B, H, S, D_h)$.
# - `positions` is $(S,)$, whole or floating numbers, not always 0, 1, 2, …; or it broadcasts to $(…, S)$, such as $(B, 1, S)$ where each text of a batch has places of its own.
# - The angles are computed in float32 (in float64 where `x` is), also where `x` is in half precision: bfloat16 has no number between 256 and 258, and two neighbours would share a place. The result has the dtype of `x`.
#
# *A tiny case.* $(1, 0)$ at place 1 becomes $(\cos 1, \sin 1)$; at place 0 everything stays as it is.

# %% id="rotary-example"
tiny_x = torch.tensor([[1.0, 0.0], [1.0, 0.0]])  # (S, Dh) = (2, 2)
tiny_turned = torch.tensor([[1.0, 0.0], [math.cos(1), math.sin(1)]])  # at 0 and at 1

# %% id="rotary-exercise" exercise="embeddings.rotary"
def rotary(x: Tensor, positions: Tensor, base: float = 10000.0) -> Tensor:
    """Each pair of neighbours in x (..., S, Dh), turned by its position's angle."""
    ### BEGIN SOLUTION
    dtype = torch.float64 if x.dtype == torch.float64 else torch.float32
    d_head = x.shape[-1]
    exponent = torch.arange(0, d_head, 2, dtype=dtype, device=x.device) / d_head
    angle = positions.to(dtype).unsqueeze(-1) * base**-exponent  # (..., S, Dh / 2)
    cos, sin = angle.cos(), angle.sin()
    a, b = x[..., 0::2], x[..., 1::2]  # (..., S, Dh / 2) each
    turned = torch.stack((a * cos - b * sin, a * sin + b * cos), dim=-1)  # (..., 2)
    return turned.flatten(-2).to(x.dtype)  # (..., S, Dh)
    ### END SOLUTION


# %% id="rotary-check"
check("embeddings.rotary", rotary)

# %% id="rotary-use"
rotary = use("embeddings.rotary")

# %% [markdown] id="rotary-try"
# A query and a key, 32 numbers each, as in a head of MiniLM. The query stands four places after the key: at 7 and 3. Then move both by 100 places. What becomes of their product?

# %% id="moved-predict"
predict("embeddings.moved")

# %% id="moved-run"
torch.testing.assert_close(rotary(tiny_x, torch.arange(2)), tiny_turned)

random = torch.Generator().manual_seed(1)
query, key = torch.randn(2, 1, 32, generator=random).double()  # (1, 32) each
for p, q in ((7, 3), (107, 103), (7, 2), (3, 7)):
    turned = rotary(query, torch.tensor([p])), rotary(key, torch.tensor([q]))
    product, length = (turned[0] * turned[1]).sum(), turned[0].norm()
    print(f"query at {p:3}, key at {q:3}: {product:9.5f}   query's length {length:.5f}")

# %% id="moved-explain"
explain("embeddings.moved")

# %% [markdown] id="same-waves"
# It is the clock of section 9 again, once added, once used to turn. To see that they are the same, turn a vector of ones: its product with itself at another place is the sum of $2\cos((p-q)\theta_i)$, twice the curve of the sinusoidal positions. And the base decides how far the curve reaches:

# %% id="bases-run"
ones = torch.ones(256, 64)  # (S, Dh)
curves = {}
for base in (100.0, 10000.0, 500000.0):
    turned = rotary(ones, torch.arange(256), base)  # (256, 64)
    curves[f"base {base:g}"] = turned @ turned[0] / 64  # (256,)

assert torch.allclose(curves["base 10000"][:128], products[0], atol=1e-4)
figures.lines(
    range(256), curves, x_title="distance", y_title="product, 1 at distance 0",
    title="A vector of ones with itself, turned by rotary positions",
)

# %% [markdown] id="bases-note"
# *What to see:* with a small base all hands are fast, and after some places the curve is near 0 and tells nothing more; a large base leaves slow hands for long texts. That is why models for long texts raise it: Llama 3 to 500,000 (Grattafiori et al., 2024); ModernBERT, an encoder, to 160,000 in the layers that see the whole text (Warner et al., 2024).
#
# Two warnings from practice. **Which numbers make a pair?** The paper, GPT-J and Meta's own code for Llama take neighbours, as you did; ModernBERT, and what Hugging Face calls `rotate_half`, take $x_i$ with $x_{i + D_h/2}$. Each is right for weights that were made for it and wrong for the others, with no error message: for its version of Llama, Hugging Face had to put the rows of the matrices into another order. **And where?** Only queries and keys are turned, in every layer; the values are not.

# %% id="rotary-where-quiz"
quiz("embeddings.rotary-where")

# %% [markdown] id="position-lab-text"
# The position lab draws all three kinds with your functions. Move the base and watch the stripes; then look at a single pair being turned. Four **tasks** stand under the lab; the first is to find the distance at which the fastest pair is back where it began. (It never is, exactly: $2\pi$ is no whole number.)

# %% id="position-lab"
labs.PositionLab(
    rotary=use("embeddings.rotary"), sinusoidal=use("embeddings.sinusoidal_positions")
)

# %% [markdown] id="together-section"
# ## 12 All of it together
#
# What does MiniLM's first layer receive? The row of the token, plus the row of its place, plus the row of its segment (0 for a first text, 1 for a second one; we have only one), normalised (chapter 04). You have built every part. Put them together, from raw text, and compare with what the model itself computes:

# %% id="together-run"
embeddings = model.embeddings
tokens, places, segments = (
    part.weight.detach()
    for part in (embeddings.token, embeddings.position, embeddings.segment)
)
at = torch.arange(ids.shape[1]).expand_as(ids)  # (B, S): 0, 1, 2, ... in each row
first = torch.zeros_like(ids)  # (B, S): the first segment
x = lookup(tokens, ids) + lookup(places, at) + lookup(segments, first)  # (B, S, D)
norm = embeddings.norm
x = F.layer_norm(x, x.shape[-1:], norm.weight.detach(), norm.bias.detach(), norm.eps)

with torch.no_grad(), record(model) as recording:
    model(ids, padding_mask=mask)
real = recording.hidden_states[0]  # (B, S, D)
print(f"largest difference at a token: {(x - real)[~mask].abs().max():.0e}")

# %% [markdown] id="together-note"
# From letters to the door of the first layer, with your own functions. What happens behind that door, chapter 02 begins to tell.
#
# ## 13 Recap
#
# - A list of words has holes: most words are rare, and some languages write none. Pieces of words fill them; `[UNK]` is left for letters that were never seen.
# - WordPiece cuts greedily, the longest piece first. Its pieces come from joining the most frequent neighbours, over and over. The vocabulary's size trades rows of the table for the length of texts.
# - Texts of a batch are filled up, and the mask says which places are filling. Without it every token of a short text changes.
# - A table is a linear layer on one-hot vectors, done by looking up. Only the rows that were read get a gradient.
# - Vectors become alike for words in the same surroundings: synonyms, and opposites too. One row a token, whatever it means here; sums of directions hold here and there.
# - Without positions an encoder sees a bag of tokens. Sinusoidal: computed and added, products by distance. Learned: a table, added, which ends. Rotary: queries and keys turned, so that their product knows the distance.
#
# Close the notebook and write `sinusoidal_positions` and `rotary` on paper. If the exponents come out right, you have the chapter.

# %% [markdown] id="glossary"
# ### The chapter's terms
#
# <!-- glossary -->

# %% [markdown] id="papers"
# ### The papers
#
# - Schuster, Nakajima: *Japanese and Korean Voice Search*. ICASSP 2012. Section 3: the WordPiece model.
# - Sennrich, Haddow, Birch: *Neural Machine Translation of Rare Words with Subword Units*. ACL 2016. [arXiv:1508.07909](https://arxiv.org/abs/1508.07909). Section 3.2, algorithm 1: byte-pair encoding.
# - Kudo, Richardson: *SentencePiece: A simple and language independent subword tokenizer and detokenizer for Neural Text Processing*. EMNLP 2018. [arXiv:1808.06226](https://arxiv.org/abs/1808.06226).
# - Radford, Wu, Child, Luan, Amodei, Sutskever: *Language Models are Unsupervised Multitask Learners*. OpenAI 2019. Section 2.2: bytes instead of letters.
# - Devlin, Chang, Lee, Toutanova: *BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding*. NAACL 2019. [arXiv:1810.04805](https://arxiv.org/abs/1810.04805). Section 3 and figure 2: token, segment and position embeddings.
# - Zipf: *Human Behavior and the Principle of Least Effort*. Addison-Wesley 1949.
# - Firth: *A Synopsis of Linguistic Theory, 1930–1955*. In: Studies in Linguistic Analysis. Blackwell 1957.
# - Mikolov, Sutskever, Chen, Corrado, Dean: *Distributed Representations of Words and Phrases and their Compositionality*. NeurIPS 2013. [arXiv:1310.4546](https://arxiv.org/abs/1310.4546). Section 2.2, equation 4: skip-gram with negative sampling.
# - Levy, Goldberg: *Neural Word Embedding as Implicit Matrix Factorization*. NeurIPS 2014. What skip-gram comes to.
# - Linzen: *Issues in Evaluating Semantic Spaces Using Word Analogies*. RepEval 2016. [arXiv:1606.07736](https://arxiv.org/abs/1606.07736).
# - Rogers, Drozd, Li: *The (too Many) Problems of Analogical Reasoning with Word Vectors*. \*SEM 2017.
# - Nissim, van Noord, van der Goot: *Fair Is Better than Sensational: Man Is to Doctor as Woman Is to Doctor*. Computational Linguistics 46(2), 2020. [arXiv:1905.09866](https://arxiv.org/abs/1905.09866).
# - Schakel, Wilson: *Measuring Word Significance using Distributed Representations of Words*. 2015. [arXiv:1508.02297](https://arxiv.org/abs/1508.02297). What the length of a word's vector goes with.
# - Vaswani, Shazeer, Parmar, Uszkoreit, Jones, Gomez, Kaiser, Polosukhin: *Attention Is All You Need*. NeurIPS 2017. [arXiv:1706.03762](https://arxiv.org/abs/1706.03762). Section 3.4 on the table, 3.5 on positions.
# - Su, Lu, Pan, Murtadha, Wen, Liu: *RoFormer: Enhanced Transformer with Rotary Position Embedding*. 2021. [arXiv:2104.09864](https://arxiv.org/abs/2104.09864). Sections 3.2 to 3.4.
# - Press, Smith, Lewis: *Train Short, Test Long: Attention with Linear Biases Enables Input Length Extrapolation*. ICLR 2022. [arXiv:2108.12409](https://arxiv.org/abs/2108.12409).
# - Grattafiori et al.: *The Llama 3 Herd of Models*. 2024. [arXiv:2407.21783](https://arxiv.org/abs/2407.21783). The base of 500,000.
# - Warner et al.: *Smarter, Better, Faster, Longer: A Modern Bidirectional Encoder …* 2024. [arXiv:2412.13663](https://arxiv.org/abs/2412.13663). ModernBERT, and its two bases.
#
# **Next:** chapter 02, the one place where the tokens meet: attention.
