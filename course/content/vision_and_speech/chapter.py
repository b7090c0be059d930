# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown] id="title"
# # 09 Vision and speech
#
# An encoder reads a sequence of vectors. Nothing in it says that they must be words.
#
# **When you are through, you can**
#
# - turn an image into a sequence of patches, and a sound into a sequence of frames;
# - train an encoder that reads digits, written and spoken;
# - say what CTC adds up, and compute it.
#
# **You need** Python, a little PyTorch, and from the chapters before: the layer of 04, the honest evaluation of 06.
#
# **Time** About three hours: seven exercises, 100 minutes by our count, and about 80 minutes to read, run and play.

# %% id="setup"
import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from course import check, datasets, explain, figures, hint, labs, predict, quiz, use

# %% [markdown] id="any-sequence-section"
# ## 1 Any sequence of vectors

# %% [markdown] id="patches-section"
# ## 2 An image is a sentence of patches

# %% [markdown] id="patchify-text"
# ### Exercise 1: `patchify`
# *Difficulty 1 of 3, about 12 minutes. Hints: `hint("vision.patchify")`*


# %% id="patchify-exercise" exercise="vision.patchify"
def patchify(images: Tensor, patch: int) -> Tensor:
    """Cut images (B, C, height, width) into N patches: (B, N, C * patch * patch)."""
    ### BEGIN SOLUTION
    batch, channels, height, width = images.shape
    if height % patch or width % patch:
        raise ValueError(f"{height} x {width} pixels cannot be cut into patches of {patch} x {patch}")
    rows, columns = height // patch, width // patch
    x = images.reshape(batch, channels, rows, patch, columns, patch)
    x = x.permute(0, 2, 4, 1, 3, 5)  # (B, rows, columns, C, patch, patch)
    return x.reshape(batch, rows * columns, channels * patch * patch)
    ### END SOLUTION


# %% id="patchify-check"
check("vision.patchify", patchify)

# %% id="patchify-use"
patchify = use("vision.patchify")

# %% [markdown] id="unpatchify-text"
# ### Exercise 2: `unpatchify`
# *Difficulty 2 of 3, about 12 minutes. Hints: `hint("vision.unpatchify")`*


# %% id="unpatchify-exercise" exercise="vision.unpatchify"
def unpatchify(patches: Tensor, patch: int, height: int, width: int) -> Tensor:
    """Put patches (B, N, C * patch * patch) together again: (B, C, height, width)."""
    ### BEGIN SOLUTION
    batch, _, size = patches.shape
    rows, columns, channels = height // patch, width // patch, size // (patch * patch)
    x = patches.reshape(batch, rows, columns, channels, patch, patch)
    x = x.permute(0, 3, 1, 4, 2, 5)  # (B, C, rows, patch, columns, patch)
    return x.reshape(batch, channels, height, width)
    ### END SOLUTION


# %% id="unpatchify-check"
check("vision.unpatchify", unpatchify)

# %% id="unpatchify-use"
unpatchify = use("vision.unpatchify")

# %% [markdown] id="training-vision-section"
# ## 3 A Vision Transformer

# %% [markdown] id="little-data-section"
# ## 4 Who wins on little data

# %% [markdown] id="looking-section"
# ## 5 What it looks at

# %% [markdown] id="frames-section"
# ## 6 A sound is a sentence of frames

# %% [markdown] id="frame-text"
# ### Exercise 3: `frame`
# *Difficulty 1 of 3, about 12 minutes. Hints: `hint("speech.frame")`*


# %% id="frame-exercise" exercise="speech.frame"
def frame(signal: Tensor, size: int, hop: int) -> Tensor:
    """Cut signals (B, samples) into overlapping frames: (B, N, size)."""
    ### BEGIN SOLUTION
    count = max(0, (signal.shape[1] - size) // hop + 1)  # N: whole frames alone
    starts = hop * torch.arange(count, device=signal.device)  # (N,)
    places = starts[:, None] + torch.arange(size, device=signal.device)  # (N, size)
    return signal[:, places]  # (B, N, size)
    ### END SOLUTION


# %% id="frame-check"
check("speech.frame", frame)

# %% id="frame-use"
frame = use("speech.frame")

# %% [markdown] id="ctc-section"
# ## 7 Letters without an alignment

# %% [markdown] id="ctc-collapse-text"
# ### Exercise 4: `ctc_collapse`
# *Difficulty 1 of 3, about 8 minutes. Hints: `hint("speech.ctc_collapse")`*


# %% id="ctc-collapse-exercise" exercise="speech.ctc_collapse"
def ctc_collapse(ids: list[int], blank: int) -> list[int]:
    """The text that a path spells: repeats merged, then blanks removed."""
    ### BEGIN SOLUTION
    merged = [id for place, id in enumerate(ids) if place == 0 or id != ids[place - 1]]
    return [id for id in merged if id != blank]
    ### END SOLUTION


# %% id="ctc-collapse-check"
check("speech.ctc_collapse", ctc_collapse)

# %% id="ctc-collapse-use"
ctc_collapse = use("speech.ctc_collapse")

# %% [markdown] id="ctc-loss-text"
# ### Exercise 5: `ctc_loss`
# *Difficulty 3 of 3, about 30 minutes. Hints: `hint("speech.ctc_loss")`*


# %% id="ctc-loss-exercise" exercise="speech.ctc_loss"
def ctc_loss(log_probs: Tensor, target: list[int], blank: int) -> Tensor:
    """-log p of a text, summed over all its paths: log_probs (N, V), one recording -> ()."""
    ### BEGIN SOLUTION
    states = [blank]  # a blank before, between and after the letters: S = 2 T + 1 states
    for letter in target:
        states += [letter, blank]
    minus_inf = log_probs.new_tensor(-math.inf)
    alpha = [minus_inf] * len(states)  # log p of all paths that are in state s after this frame
    for n, row in enumerate(log_probs):
        before = alpha
        alpha = []
        for s, letter in enumerate(states):
            ways = [before[s]]  # stay
            if s >= 1:
                ways.append(before[s - 1])  # from the state before
            if s >= 2 and letter != blank and letter != states[s - 2]:
                ways.append(before[s - 2])  # past a blank, between two letters that differ
            if n == 0:
                ways = [row.new_zeros(())] if s < 2 else [minus_inf]
            alpha.append(torch.stack(ways).logsumexp(dim=0) + row[letter])
    return -torch.stack(alpha[-2:]).logsumexp(dim=0)
    ### END SOLUTION


# %% id="ctc-loss-check"
check("speech.ctc_loss", ctc_loss)

# %% id="ctc-loss-use"
ctc_loss = use("speech.ctc_loss")

# %% [markdown] id="training-speech-section"
# ## 8 An encoder that reads spoken digits

# %% [markdown] id="word-error-rate-text"
# ### Exercise 6: `word_error_rate`
# *Difficulty 2 of 3, about 20 minutes. Hints: `hint("speech.word_error_rate")`*


# %% id="word-error-rate-exercise" exercise="speech.word_error_rate"
def word_error_rate(written: list[list[str]], spoken: list[list[str]]) -> float:
    """Words changed, missing and too many, of all texts together, divided by the words spoken."""
    ### BEGIN SOLUTION
    errors = 0
    for ours, theirs in zip(written, spoken):
        row = list(range(len(theirs) + 1))  # errors between no word and the first j
        for i, word in enumerate(ours, start=1):
            before, row = row, [i]
            for j, other in enumerate(theirs, start=1):
                changed = before[j - 1] + (word != other)
                row.append(min(changed, before[j] + 1, row[j - 1] + 1))
        errors += row[-1]
    return errors / sum(map(len, spoken))
    ### END SOLUTION


# %% id="word-error-rate-check"
check("speech.word_error_rate", word_error_rate)

# %% id="word-error-rate-use"
word_error_rate = use("speech.word_error_rate")

# %% [markdown] id="alignment-section"
# ## 9 Where in the sound is the word?

# %% [markdown] id="whisper-section"
# ## 10 A real speech encoder
#
# > **In the article** (1.2): "编码器负责将输入数据（例如文本、图像、语音）转换为隐藏表示，解码器则利用该隐藏表示生成输出数据。" (*The encoder is responsible for converting the input data, for example text, images or speech, into a hidden representation; the decoder uses this hidden representation to generate the output data.*)
# >
# > Whisper (Radford et al., 2022) is this sentence, trained on 680,000 hours of speech that had a transcript on the web. Its parts are known to you. The encoder reads log-mel frames through two convolutions, as the digit reader of section 8 does. In the place of CTC there is the decoder of chapter 07, which writes pieces of words and looks at the memory.
#
# | | the reader of digits | Whisper tiny.en |
# |---|---|---|
# | reads at once | as long as the recording is | always 30 s, filled up with silence |
# | a vector every | 40 ms | 20 ms, so 1,500 of them |
# | encoder | a few small layers | 4 layers, $D = 384$, $H = 6$ |
# | writes | a word or a blank at every frame | a piece of a word at every step of the decoder |
# | needs a decoder | no | yes: 4 layers |
#
# The weights are in a package of their own, 71 MB, which nothing installs unless you ask. **Without it every cell below runs too, and shows a recording.**

# %% id="whisper-begin"
from course.content.vision_and_speech import whisper

multi_head, word_error_rate = use("attention.multi_head"), use("speech.word_error_rate")
print(whisper.status())

# %% [markdown] id="whisper-transcripts-text"
# Five sentences of Jane Austen's *Sense and Sensibility*, read by a volunteer of LibriVox. No voice of section 8 was human; this one is.

# %% id="whisper-transcripts"
heard = whisper.transcripts()
for each in heard:
    print(f"spoken:  {each.spoken}\nwritten: {each.written}\n")

spoken = [whisper.plain_words(each.spoken) for each in heard]
written = [whisper.plain_words(each.written) for each in heard]
print(f"word error rate, by your function: {word_error_rate(written, spoken):.3f}")

# %% [markdown] id="whisper-transcripts-note"
# *What to see:* four errors. One is spelling (*mister*, *Mr.*). One is the reader's, who says *a more a amiable woman*; Whisper writes what was meant. Two are misheard: *ill disposed*. A word error rate counts them alike, which is why Radford et al. (section 3.2) bring both texts to one spelling before they count.

# %% [markdown] id="whisper-own-text"
# ### Your attention in its encoder
#
# Whisper's four layers hold their projections as chapter 02 stacked them: `in_proj_weight` $(3D, D)$ is your `w_in`. Its keys have no bias; in the stacked `b_in` $(3D,)$ the middle third is zeros. So your `multi_head` can take the place of what is there.

# %% id="whisper-own" tags=["teaching"]
class OwnAttention(torch.nn.Module):
    def __init__(self, held):
        super().__init__()
        self.held = held  # holds the weights; what computes is yours

    def forward(self, query, key, value, **options):
        held = self.held
        w_out, b_out = held.out_proj.weight, held.out_proj.bias
        output = multi_head(
            query, held.in_proj_weight, held.in_proj_bias, w_out, b_out, held.num_heads
        )
        return output, None  # no weights are asked for

# %% id="whisper-own-run"
compared = whisper.compare_attention(OwnAttention)
print("1,500 vectors of 384 numbers, computed twice")
print(f"largest difference {compared.gap:.0e}, largest number {compared.size:.1f}")
print("with its own attention: ", compared.before or "(no weights here: the numbers above are all)")
print("with your multi_head:   ", compared.after or "(no weights here)")

# %% [markdown] id="whisper-own-note"
# *What to see:* the difference is rounding in single precision, and the transcript is the same. (Without the package the encoder has random weights: its numbers agree, and it writes nothing.)

# %% [markdown] id="whisper-heads-text"
# ### What its encoder looks at
#
# Two guesses about the 24 heads, each with a number. A head looks at its **neighbourhood** if most of its weight is within 0.1 s. A head looks for the **same sound elsewhere** if what it looks at beyond 0.2 s has a spectrum like that of its own place: we weight the cosine similarity of the spectra with the attention. What chance gives is the mean similarity over all such pairs.

# %% id="whisper-heads-run"
found = whisper.find_self_heads()
figures.by_head(found.near, title="the share of a head's weight within 0.1 s", top=1).show()
figures.by_head(found.alike.clamp(min=0), title="likeness of what it looks at beyond 0.2 s").show()
print(f"likeness by chance: {found.chance:.2f}")

# %% id="whisper-maps-run"
for layer, head, weights in whisper.map_heads([(1, 2), (1, 5)]):
    title = f"layer {layer}, head {head}: “he was not an ill disposed young man”"
    top = weights.quantile(0.99).item()
    figures.heatmap(
        weights, title=title, top=top, row_title="query, 40 ms each", column_title="key"
    ).show()

# %% [markdown] id="whisper-heads-note"
# *What to see:* both kinds are there, in one layer side by side. Head 2 of layer 1 keeps 97 % of its weight within 0.1 s: its picture is a diagonal. Head 5 keeps 11 %; the rest goes to places of a similar spectrum (0.43, where chance gives −0.02), and its picture has blocks off the diagonal: stretches that look at other stretches. What this is good for, the number does not say.

# %% [markdown] id="whisper-reading-text"
# ### When was the word spoken?
#
# While the decoder writes a token, each of its 24 cross-attention heads looks somewhere in the 1,500 vectors of the memory. Nobody told it when which word was spoken: transcripts have no times. A head that finds it all the same must move forward in time as the sentence does. So correlate the number of a token with the place of the head's largest weight:

# %% id="whisper-orders-run"
orders = whisper.find_orders()
figures.by_head(orders.clamp(min=0), title="does it move forward with the text?", top=1).show()

# %% id="whisper-looks-run"
BEFORE, NOW = (0, 4), (2, 1)  # layer and head
for head in (BEFORE, NOW):
    looks = whisper.look_up(head)
    count = looks.weights.shape[1] // 5
    tenths = looks.weights[:, : 5 * count].unflatten(1, (count, 5)).sum(-1)  # (T, count)
    title = f"cross-attention, layer {head[0]}, head {head[1]}"
    figures.heatmap(
        tenths, looks.pieces, title=title, column_title="time, in tenths of a second"
    ).show()
for word, begin, end in whisper.word_times(looks)[:8]:
    print(f"{word:10} {begin:.2f} to {end:.2f} s")

# %% [markdown] id="whisper-looks-note"
# *What to see:* two staircases, and the correlation is 0.99 for both heads. Are both right about *when*? Their steps lie 0.2 s apart (the median). A correlation knows the order and nothing else. To know the time takes an experiment: **replace the stretch by silence, and listen again.** If a head was right about a word, this word is gone and the others stay.

# %% id="whisper-silence-predict"
predict("speech.silenced-word")

# %% id="whisper-silence-run"
print(f"{'':12} {heard[3].written}")
for word in ("amiable", "still", "respectable", "than"):
    silenced = whisper.silence(word, NOW)
    print(f"{word:12} {silenced.after}")

# %% id="whisper-silence-explain"
explain("speech.silenced-word")

# %% [markdown] id="whisper-silence-all-text"
# Now all 67 words of the five sentences, each by itself, with both heads. Which word is gone: the one that the head points at, the word before, or the word after? (This took minutes, so the cell always reads the recording.)

# %% id="whisper-silence-all"
for name, head in {"layer 0, head 4": BEFORE, "layer 2, head 1": NOW}.items():
    trials = whisper.silence_all(head)
    print(name)
    for offset, place in enumerate(("the word before", "the word itself", "the word after"), start=-1):
        gone, count = whisper.count_gone(trials, offset)
        print(f"    {place} is gone: {gone} of {count}")

# %% [markdown] id="whisper-silence-note"
# *What to see:* the head of layer 2 points at the word that is **about to be written**: silence there takes it away 53 times of 67. The head of layer 0 points at the word **before**, the one that was written last: 49 of 62. That is as it must be. A query of layer 0 is made of what is written so far; no layer has looked at the sound for it yet. Layers 1 and 2 know what layer 0 has found, and can look one word ahead. The two staircases are one step apart.
#
# Words that stay, such as *than*, are short, or follow from the rest: the decoder is a language model too (chapter 07). And silence is a coarse instrument. It takes the edges of the neighbours with it: where the head of layer 2 looks, the word after is gone 9 times of 62.

# %% id="whisper-quiz"
quiz("speech.two-staircases")

# %% [markdown] id="recap"
# ## Recap

# %% [markdown] id="glossary"
# ### The chapter's terms
#
# <!-- glossary -->

# %% [markdown] id="papers"
# ### The papers
#
# - Dosovitskiy et al.: *An Image is Worth 16x16 Words: Transformers for Image Recognition at Scale*. ICLR 2021. [arXiv:2010.11929](https://arxiv.org/abs/2010.11929).
# - Graves, Fernández, Gomez, Schmidhuber: *Connectionist Temporal Classification: Labelling Unsegmented Sequence Data with Recurrent Neural Networks*. ICML 2006. [doi:10.1145/1143844.1143891](https://doi.org/10.1145/1143844.1143891).
# - Radford et al.: *Robust Speech Recognition via Large-Scale Weak Supervision*. 2022. [arXiv:2212.04356](https://arxiv.org/abs/2212.04356). Whisper: section 2.2 with table 1 on the model, 3.2 on the word error rate.
