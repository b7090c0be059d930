# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown] id="title"
# # 00 Start here
#
# Ask Python's own documentation a question, in your own words:
#
# > How do I find the three largest numbers of a list?
#
# In a minute from now a neural network on your machine will have read that documentation, well over a thousand passages of it, and will answer with the one that says how. Nobody gave it a list of synonyms or a search engine. It is an **[encoder](glossary.md#encoder)**, the thing that this course is about. You will build one, watch it work, and use it.
#
# **When you are through, you can**
#
# - say what goes into an encoder, what comes out, and what it can't do;
# - tell encoder-only, decoder-only and encoder–decoder models apart, and say which of them today's large models are;
# - work an exercise of this course, with its check, its hints, and your answer in use.
#
# **You need** Python, and to have seen PyTorch: what a tensor is, and what its shape says.
#
# **Time** About 45 minutes, with one exercise of 10 minutes.
#
# Run the cells from top to bottom with Shift+Enter.

# %% id="setup"
import torch
from torch import Tensor

from course import check, compare, explain, figures, hint, labs, passages
from course import doctor, predict, quiz, use
from encoder_core import load_minilm, sentence_embedding

# %% [markdown] id="first-minute"
# ## 1 The first minute
#
# The next cell reads. It takes the documentation that was installed with your Python, cuts it into passages, and lets the encoder make a vector of each. That takes about half a minute on two cores that have nothing else to do, once; then the vectors lie on your disk, and the next start takes no time. Nothing is downloaded, and nothing leaves your machine.

# %% id="load-index"
index = passages.load()
index

# %% [markdown] id="box-text"
# Now type. The box answers at every key; open the second and third passage with a click. Try *which day of the week is it?*, *join two paths*, *mean of some numbers*, then something of your own, in English: that is the language of the documentation, and nearly all that this encoder was trained on.

# %% id="search-box"
passages.SearchBox(index)

# %% [markdown] id="search-by-code"
# The same by code, with one passage as the answer:

# %% id="search-run"
found = index.search("Which day of the week is it?", count=1)
found

# %% [markdown] id="search-note"
# *What to see:* the best passage for the question in the box speaks of "the n largest elements in a dataset": *largest*, but no *three*, no *numbers*, no *list*. The two texts are found to fit because their vectors point in similar directions. That is [semantic search](glossary.md#semantic-search).
#
# The number beside each passage is its [cosine similarity](glossary.md#cosine-similarity) with the question: 1 for vectors that point the same way, 0 for vectors at a right angle.
#
# Is that better than comparing words? The usual way to compare them is BM25 (Robertson and Zaragoza, 2009): each word that the question and a passage share adds to the passage's score, a rare word more than a frequent one. Let both searches rank the same passages for three questions, each with the passage that answers it:

# %% id="both-searches-run"
texts = [passage.embedded for passage in index.passages]
answers = {
    "Which day of the week is it?": "calendar.weekday",
    "How do I find the three largest numbers of a list?": "heapq.nlargest",
    "How do I leave a loop early?": "The break statement",
}
heading = f"place of the answer among {len(texts)} passages"
print(f"{heading:50}  by meaning  by words")
for question, title in answers.items():
    rows = [i for i, passage in enumerate(index.passages) if passage.title == title]
    by_meaning = index.vectors @ sentence_embedding(question)  # (N, D) @ (D,) -> (N,)
    by_words = passages.bm25(question, texts)  # (N,)
    if rows:  # an installation may lack a passage
        places = [1 + (x > x[rows].max()).sum().item() for x in (by_meaning, by_words)]
        print(f"{question:50}  {places[0]:10}  {places[1]:8}")

# %% [markdown] id="both-searches-note"
# *What to see* (the places are those of Python 3.11's documentation): for the weekday the encoder has the answer first and BM25 eighth. The three largest numbers both find, the encoder first and BM25 second. The way out of a loop BM25 has third and the encoder thirteenth. So each finds something that the other misses. Which is better on the whole, three questions can't say. On 18 collections of texts, Thakur et al. (2021) found BM25 "a robust baseline"; searches that compare one vector for each text, as ours does, often did worse than other ways on texts unlike those they were trained on.
#
# And now ask something that the documentation doesn't answer:

# %% id="no-answer-run"
for question in ("What is the capital of France?", "How do I leave a loop early?"):
    found = index.search(question, count=3)
    print(question)
    for passage, similarity in zip(found.passages, found.similarities):
        print(f"  {similarity:.2f}  {passage.title}")

# %% [markdown] id="no-answer-note"
# *What to see:* there is always a best passage, even where none is about the question (on our Python, `str.capitalize` is among the three for France); similarities near 0.2 are a sign that nothing fits. But no number tells for sure: the second question *has* an answer in the documentation, the `break` statement, and what the encoder puts before it has similarities twice as high as those for France. They are passages about iterators, which have to do with loops and say nothing of leaving one. A search needs a person who reads.
#
# So what are these vectors, and where do they come from?

# %% [markdown] id="what-it-is"
# ## 2 What an encoder is, and what it is not
#
# The encoder is [all-MiniLM-L6-v2](https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2), a small [Transformer](glossary.md#Transformer). It was made in three steps that others took for us: in its [pretraining](glossary.md#pretraining) it learned to imitate a larger model of language; then every second of its twelve layers was taken out; and then it was trained on a billion pairs of texts to give those that belong together similar vectors. Here it is:

# %% id="load-minilm"
model, tokenizer = load_minilm()
count = sum(parameter.numel() for parameter in model.parameters())
print(f"{count / 1e6:.1f} million parameters, {len(model.layers)} layers")

text = "How do I find the three largest numbers of a list?"
tokens = tokenizer.encode(text).tokens
print(len(tokens), "tokens:", *tokens)

# %% [markdown] id="tokens-note"
# The text is cut into [tokens](glossary.md#token), here words and signs, with `[CLS]` and `[SEP]` around them (chapter 01). What comes out at the other end?

# %% id="what-comes-out-predict"
predict("start_here.what-comes-out")

# %% id="what-comes-out-run"
with torch.no_grad():
    hidden = model(tokenizer.batch([text]).ids)  # (B, S, D)
print("out come", tuple(hidden.shape), "numbers")

# %% id="what-comes-out-explain"
explain("start_here.what-comes-out")

# %% [markdown] id="hidden-note"
# These vectors are the [hidden representation](glossary.md#hidden-representation) of the text. "Hidden", because a user of a larger system never sees them; for us they are the whole result. One for each token, and each made in the light of all the others: the vector of *list* knows of *largest* and *numbers*.
#
# For the search, each text needs one vector, its [sentence embedding](glossary.md#sentence-embedding). The recipe is plain: the mean of the tokens' vectors, scaled to length 1.

# %% id="mean-run"
by_hand = hidden[0].mean(dim=0)  # (S, D) -> (D,)
by_hand = by_hand / by_hand.norm()
of_the_search = sentence_embedding(text)
print("the search's vector:", torch.allclose(by_hand, of_the_search, atol=1e-5))

sentences = [
    "How do I find the three largest numbers of a list?",
    "Which are the three biggest elements in this array?",
    "The largest of the three sisters made a list.",
    "Where can I buy good bread?",
]
vectors = sentence_embedding(sentences)  # (N, D), each of length 1
similarities = vectors @ vectors.T  # (N, D) @ (D, N) -> (N, N): the cosines
figures.heatmap(
    similarities, sentences, ["1", "2", "3", "4"], numbers=True, top=1.0,
    title="Cosine similarity of four sentences",
)

# %% [markdown] id="mean-note"
# *What to see:* of the words that matter the second sentence shares one with the first, *three*; the third shares *three*, *largest* and *list*. The second is nearer all the same. Not by far: words count too, and in a small encoder more than one would wish.
#
# An encoder is a function from a text to vectors. So it is **not**
#
# - a writer: what comes out are numbers. It can't say a single word, and the passages it "answers" with were there before;
# - an oracle: you can't ask it for a fact, only how near two texts are;
# - a judge: whether the passage *answers* the question, or is true, it doesn't know;
# - large: GPT-3, of 2020, has 175 billion parameters, 7,700 times as many. That is why this one can read a whole documentation on your machine in half a minute.

# %% id="not-a-writer-quiz"
quiz("start_here.not-a-writer")

# %% [markdown] id="families"
# ## 3 Encoder, decoder, or both?
#
# The Transformer of 2017 was built for translation and had two halves. The encoder read the English sentence; the [decoder](glossary.md#decoder) wrote the German one, token by token, looking back at its own words and over to what the encoder had made of the English (Vaswani et al., 2017). Soon people took the halves apart, and today there are three families:
#
# | family | who may look at whom | what it is good at | examples |
# |---|---|---|---|
# | [encoder-only](glossary.md#encoder-only-model) | every token at every token | reading: search, classification, labels, vectors | BERT (Devlin et al., 2019), ModernBERT (Warner et al., 2024), our MiniLM; for pictures ViT (Dosovitskiy et al., 2021), for speech wav2vec 2.0 (Baevski et al., 2020) |
# | [decoder-only](glossary.md#decoder-only-model) | each token at itself and what came before | writing: chat, programs, whatever can be put as "go on from here" | GPT-3 (Brown et al., 2020), Llama 3 (Grattafiori et al., 2024), DeepSeek-V3 (DeepSeek-AI, 2024), Qwen3 (Yang et al., 2025) |
# | [encoder–decoder](glossary.md#encoder-decoder-model) | the input at all of the input; the output at itself and what came before, and at all of the input | turning one sequence into another: translation, transcription | the original Transformer, T5 (Raffel et al., 2020), NLLB for 200 languages (NLLB Team, 2022), Whisper for speech (Radford et al., 2022) |
#
# The difference is who may look at whom, and that can be drawn. Three tokens of an input, three of an output; a dark cell is a look that is forbidden:

# %% id="families-run"
every = torch.ones(6, 6)
back = torch.ones(6, 6).tril()  # itself and what came before
both = back.clone()
both[:3, :3] = 1  # the encoder: the input looks at all of the input, before and behind
names = ["in 1", "in 2", "in 3", "out 1", "out 2", "out 3"]
families = ["encoder-only", "decoder-only", "encoder–decoder"]
figures.heads(
    torch.stack([every, back, both]), names, families,
    title="Who (row) may look at whom (column)", per_row=3,
)

# %% [markdown] id="families-note"
# *What to see:* the encoder's square is full. All of its text is there from the start, so each token may use what comes after it, too. In a decoder the upper triangle is closed: a token that is to be predicted must not be seen. The third picture has an open square at the upper left: that is the encoder inside of an encoder–decoder. (The picture shows who may look; in a real one the output looks at the input by an attention of its own, chapter 07.)

# %% id="bidirectional-quiz"
quiz("start_here.bidirectional")

# %% [markdown] id="article-architecture"
# > **In the article** (1.2): "大模型通常采用编码器-解码器架构" (*large models usually adopt the encoder–decoder architecture*).
# >
# > So it was in 2017, and in some families it still is. It is no longer so for what is called a [large language model](glossary.md#large-language-model) today: GPT-3, Llama 3, DeepSeek-V3 and Qwen3 are all decoder-only. Why did the encoder go? Two reasons are often given. A chat has no clean border between input and output: what was output is input in the next turn, and a decoder needn't compute it again. And one stack with one task, "predict the next token", is simple to train on any text. Which is better can be measured: Wang et al. (2022) compared the choices at equal cost and found that, straight after such training, the decoder-only model did best on tasks it had not seen, while an encoder–decoder that had learned by filling in blanks was ahead after a further training on many tasks. So it isn't that one is better; it depends on what follows.
# >
# > The article's **encoder** has not gone. It works where a text is read more often than written: in search engines, in the "retrieval" that looks up passages for a chat, in filters and classifiers. There a text needs one pass through a small model, and its vector can be kept. And models that can see often put one in front: in LLaVA (Liu et al., 2023) an encoder turns the picture into vectors, and a decoder-only model reads those as if they were words.
# >
# > Also in the article (1.1): "数十亿甚至数万亿个参数" (*billions or even trillions of parameters*). Both ends exist: GPT-3 has 175 billion. More than a trillion can be had when only a part of them is used for each token; the Switch Transformer (Fedus et al., 2022), with 1.6 trillion, is, of all things, an encoder–decoder.

# %% id="which-family-quiz"
quiz("start_here.which-family")

# %% [markdown] id="whole-encoder"
# ## 4 The whole of it
#
# Here is all that happens between your question and its vectors. Each chapter lights up its part of this picture:

# %% id="whole-encoder-figure"
figures.encoder()

# %% [markdown] id="whole-encoder-note"
# - [01 Embeddings](01_embeddings.ipynb): the text becomes tokens, the tokens become vectors, and their places are marked.
# - [02 Attention](02_attention.ipynb): each token gathers from the others what it needs. The heart of it.
# - [03 The feed-forward network](03_feed_forward.ipynb): each token is worked on by itself; most of a layer's parameters are here.
# - [04 Stacking](04_stacking.ipynb): the layer is put together and repeated. At its end you hold an encoder of functions that you wrote, give it MiniLM's weights, and get the same vectors as above.
#
# ($S$ is the number of tokens, $D$ the length of each vector: 384 here. You will meet $(S, D)$ on every page.)

# %% [markdown] id="how-it-works"
# ## 5 How an exercise works
#
# The search above chose its passage with a function of ours. Replace it by one of yours.
#
# - An *exercise* is a function with a hole: `raise NotImplementedError`. Write your lines in its place, and run the cell and those below it.
# - `check` tries your function on many inputs and tells you **what** is wrong, not only that something is. Try it: write `return 0` first, and read what it says.
# - Where a function returns floating numbers, `check` compares the gradients of its inputs too, because a network is trained by them. At a few points it asks for the value alone: a row of `-inf`, a weight of 0, a zero vector. An answer whose gradient is NaN there passes, with a remark that says where it would hurt.
# - Stuck? `hint("start_here.best_match")` in a cell of your own (**+** in the toolbar makes one) gives the idea; run it again for the shapes, then for pseudo-code, then for the decisive line.
# - `use` takes your function if it has passed, and ours until then, and says which. So you may go on at any time and come back later. What passes is saved, and serves the later chapters too.
# - Once it has passed, `compare("start_here.best_match")` lays your answer beside ours. The chapter with all answers stands in [solutions](../solutions/00_start_here.ipynb).
# - `predict` asks what you expect *before* a cell runs. In experiments of Richland, Kornell and Kao (2009), readers who had first guessed the answers, mostly wrong, later knew them better than readers who had spent that time on the text. So do guess.
# - **In the article** boxes look at the sentences of the article that this course follows.
# - Every term is linked to the [glossary](glossary.md), which has it in English and Chinese.

# %% [markdown] id="best-match-text"
# ### Exercise 1: `best_match`
# *Difficulty 1 of 3, about 10 minutes. Hints: `hint("start_here.best_match")`*
#
# A question has a vector `(D,)`; the passages have theirs as the rows of `(N, D)`. Which row has the largest cosine with the question?
#
# $$\cos(q, p) = \frac{q \cdot p}{\lVert q \rVert \, \lVert p \rVert}$$
#
# ```
#   question (D,)      passages (N, D)         similarities (N,)      index
#    ┌───────┐          ┌───────┐                  ┌─────┐
#    │   q   │          │  p_0  │                  │ cos │
#    └───────┘    ·     │  p_1  │        →         │ cos │     →        int
#                       │   …   │                  │  …  │
#                       └───────┘                  └─────┘
# ```
#
# Return its index, a Python `int`. There is at least one passage; of several with equal cosines, the first is asked for. A vector may be of any length from $10^{-6}$ on, and the result must not depend on it; a vector of zeros, which has no direction, has the similarity 0. As in every exercise: any sizes, any floating dtype, any device, and leave the inputs as they are.
#
# *A tiny case.* The question $(1, 1)$ and three passages. $(3, 0)$: product 3, cosine $3 / (\sqrt2 \cdot 3) \approx 0.71$. $(0.5, 0.5)$: product 1, cosine 1. $(0, 0)$: 0. The answer is 1, though passage 0 has the larger product.

# %% id="best-match-example"
tiny_question = torch.tensor([1.0, 1.0])
tiny_passages = torch.tensor([[3.0, 0.0], [0.5, 0.5], [0.0, 0.0]])
print("products:", tiny_passages @ tiny_question)

# %% id="best-match-exercise" exercise="start_here.best_match"
def best_match(question: Tensor, passages: Tensor) -> int:
    """The index of the row of passages (N, D) with the largest cosine with question."""
    ### BEGIN SOLUTION
    lengths = passages.norm(dim=-1)  # (N,); the question's length is common to all
    products = passages @ question  # (N, D) @ (D,) -> (N,)
    similarities = products / lengths.masked_fill(lengths == 0, 1.0)  # no 0 / 0
    return int(similarities.argmax())
    ### END SOLUTION


# %% id="best-match-check"
check("start_here.best_match", best_match)

# %% id="best-match-use"
best_match = use("start_here.best_match")

# %% [markdown] id="best-match-try"
# From here on `best_match` is yours, if it has passed. It now chooses in the search: the box asks it for the best passage, then for the best of the rest, and of those that are left then.

# %% id="best-match-run"
assert best_match(tiny_question, tiny_passages) == 1
passages.SearchBox(index, "mean of some numbers", best_match=best_match)

# %% id="length-quiz"
quiz("start_here.length")

# %% [markdown] id="labs-text"
# ## 6 A lab
#
# A *lab* is a live picture of a model at work. This one looks into the encoder while it reads: a row shows, for one token, how much it takes from each of the others. Chapter 02 explains all of it; for now, play.
#
# 1. Click the row of a word, or move with the arrow keys, and see where it looks.
# 2. Type another sentence. The picture follows each key.
# 3. Change layer and head: every head looks in a way of its own.
#
# Under a lab stand **tasks** to solve by playing; it notices when you reach one. Those of this lab belong to chapter 02.
#
# Every control can be reached with Tab, and *Numbers as tables* shows in words and numbers what the picture shows in colours.

# %% id="lab"
labs.AttentionLab()

# %% [markdown] id="environment"
# ## 7 Your machine
#
# What does the course find here?

# %% id="environment-run"
for look in (doctor.python, doctor.devices, doctor.pretrained, doctor.folder):
    for finding in look():
        print(f"{finding.what:20}{finding.said}")
print(f"{'PyTorch':20}{torch.__version__}")

# %% [markdown] id="environment-note"
# What it means:
#
# - **CPU.** All that you have to run is made for two cores. A chapter runs in less than a minute; chapter 05 trains an encoder for one more.
# - **GPU.** None is needed. Where one is listed (`cuda` or `mps`), the exercises are written so that your functions work there too.
# - **Versions.** The course is tested with the versions that it installs, and with those of Google Colab. `python3 -m course doctor` in a terminal looks at all of them and says what to do where one is amiss.
# - **Your folder** keeps what you have passed, your answers, and the vectors of this chapter. Delete it, and you begin from the start; `python3 -m course reset` does so and keeps a copy. `python3 -m course status` shows how far you are.

# %% [markdown] id="outlook"
# ## 8 Where it leads
#
# The article ends with what encoders are for, and this is where the course goes after chapter 04:
#
# - **Classification** (6.1): "编码器可以用于将文本转换为固定长度的向量表示" (*the encoder can turn a text into a vector of fixed length*), and a classifier takes it from there. You have seen just such a vector today, and chapter 06 puts it to use.
# - **Generation** (6.2) and **translation** (6.3): the article hands the hidden representation to a decoder. For translation and transcription that is how it is done; free text is written by decoder-only models today, as section 3 tells. In chapters 07 and 08 you build the decoder's half too, and see where the two meet.
# - **BERT** (2.3), in chapter 05: trained by filling in blanks, before your eyes.
# - Beyond the article: encoders that see and hear, and how they are made fast.
#
# Chapters 05 to 08 are there; those on vision, speech and speed are planned.

# %% [markdown] id="recap"
# ## 9 Recap
#
# - An encoder turns a text into vectors, one for each token, each made in the light of the whole text. It reads; it doesn't write.
# - The mean of these vectors stands for the text, and texts that mean alike have vectors that point alike: search, by meaning.
# - There is always a nearest passage. That it is nearest doesn't make it an answer, and a search by words finds some answers that the encoder misses.
# - Encoder-only, decoder-only, encoder–decoder: the difference is who may look at whom. Today's large language models are decoder-only; encoders do the reading.
# - `check` names the mistake, `hint` helps in four steps, `use` puts your answer to work.

# %% [markdown] id="glossary"
# ### The chapter's terms
#
# <!-- glossary -->

# %% [markdown] id="papers"
# ### The papers
#
# - Vaswani et al.: *Attention Is All You Need*. NeurIPS 2017. [arXiv:1706.03762](https://arxiv.org/abs/1706.03762). The Transformer; its figure 1 shows both halves.
# - Devlin, Chang, Lee, Toutanova: *BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding*. NAACL 2019. [arXiv:1810.04805](https://arxiv.org/abs/1810.04805). Encoder-only.
# - Warner et al.: *Smarter, Better, Faster, Longer: A Modern Bidirectional Encoder …* 2024. [arXiv:2412.13663](https://arxiv.org/abs/2412.13663). ModernBERT, encoder-only.
# - Wang, Wei, Dong, Bao, Yang, Zhou: *MiniLM: Deep Self-Attention Distillation …* NeurIPS 2020. [arXiv:2002.10957](https://arxiv.org/abs/2002.10957). How our encoder became small.
# - Reimers, Gurevych: *Sentence-BERT: Sentence Embeddings using Siamese BERT-Networks*. EMNLP 2019. [arXiv:1908.10084](https://arxiv.org/abs/1908.10084). One vector for a text, and why the mean.
# - Dosovitskiy et al.: *An Image is Worth 16x16 Words*. ICLR 2021. [arXiv:2010.11929](https://arxiv.org/abs/2010.11929). Encoder-only, for pictures.
# - Baevski, Zhou, Mohamed, Auli: *wav2vec 2.0*. NeurIPS 2020. [arXiv:2006.11477](https://arxiv.org/abs/2006.11477). Encoder-only, for speech.
# - Brown et al.: *Language Models are Few-Shot Learners*. NeurIPS 2020. [arXiv:2005.14165](https://arxiv.org/abs/2005.14165). GPT-3, decoder-only, 175 billion parameters.
# - Grattafiori et al.: *The Llama 3 Herd of Models*. 2024. [arXiv:2407.21783](https://arxiv.org/abs/2407.21783). Decoder-only.
# - DeepSeek-AI: *DeepSeek-V3 Technical Report*. 2024. [arXiv:2412.19437](https://arxiv.org/abs/2412.19437). Decoder-only.
# - Yang et al.: *Qwen3 Technical Report*. 2025. [arXiv:2505.09388](https://arxiv.org/abs/2505.09388). Decoder-only.
# - Raffel et al.: *Exploring the Limits of Transfer Learning with a Unified Text-to-Text Transformer*. JMLR 2020. [arXiv:1910.10683](https://arxiv.org/abs/1910.10683). T5, encoder–decoder.
# - NLLB Team: *No Language Left Behind*. 2022. [arXiv:2207.04672](https://arxiv.org/abs/2207.04672). Encoder–decoder, for translation.
# - Radford et al.: *Robust Speech Recognition via Large-Scale Weak Supervision*. 2022. [arXiv:2212.04356](https://arxiv.org/abs/2212.04356). Whisper, encoder–decoder.
# - Fedus, Zoph, Shazeer: *Switch Transformers: Scaling to Trillion Parameter Models*. JMLR 2022. [arXiv:2101.03961](https://arxiv.org/abs/2101.03961).
# - Wang et al.: *What Language Model Architecture and Pretraining Objective Work Best for Zero-Shot Generalization?* ICML 2022. [arXiv:2204.05832](https://arxiv.org/abs/2204.05832).
# - Robertson, Zaragoza: *The Probabilistic Relevance Framework: BM25 and Beyond*. Foundations and Trends in Information Retrieval 3(4), 2009. Search by words.
# - Thakur, Reimers, Rücklé, Srivastava, Gurevych: *BEIR: A Heterogeneous Benchmark for Zero-shot Evaluation of Information Retrieval Models*. NeurIPS 2021. [arXiv:2104.08663](https://arxiv.org/abs/2104.08663). BM25 beside encoders.
# - Richland, Kornell, Kao: *The Pretesting Effect: Do Unsuccessful Retrieval Attempts Enhance Learning?* Journal of Experimental Psychology: Applied 15(3), 2009. Why `predict` asks first.
# - Liu, Li, Wu, Lee: *Visual Instruction Tuning*. NeurIPS 2023. [arXiv:2304.08485](https://arxiv.org/abs/2304.08485). LLaVA.
#
# **Next:** chapter 01, from text to vectors.
