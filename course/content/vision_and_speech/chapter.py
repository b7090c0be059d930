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
# - Radford et al.: *Robust Speech Recognition via Large-Scale Weak Supervision*. 2022. [arXiv:2212.04356](https://arxiv.org/abs/2212.04356). Whisper.
