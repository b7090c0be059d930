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
#
# Given images `(B, C, height, width)` and the side of a patch in pixels, return the patches of each image as a sequence of vectors, `(B, N, C * patch * patch)`.
#
# ```
#   an image with one channel, 4 x 6 pixels       patch = 2 gives N = 2 * 3 = 6
#
#      0   1 |  2   3 |  4   5                    patch 0    0   1   6   7
#      6   7 |  8   9 | 10  11                    patch 1    2   3   8   9
#     -------+--------+--------                   patch 2    4   5  10  11
#     12  13 | 14  15 | 16  17                    patch 3   12  13  18  19
#     18  19 | 20  21 | 22  23                    patch 4   14  15  20  21
#                                                 patch 5   16  17  22  23
# ```
#
# - The patches follow one another as words do on a page: row by row, each row from left to right.
# - Each patch is flattened as `(C, patch, patch)`: all of its first channel, row by row, then all of its second channel.
# - Where height or width is not a multiple of `patch`, raise a `ValueError` whose message names the sizes. No pixel may be lost.
# - Images need not be square, and have any number of channels.
#
# *A tiny case.* An image of 2 x 2 pixels with two channels, `[[0, 1], [2, 3]]` and `[[4, 5], [6, 7]]`: with `patch = 2` it is one patch, `[0, 1, 2, 3, 4, 5, 6, 7]`; with `patch = 1` it is four, `[0, 4]`, `[1, 5]`, `[2, 6]`, `[3, 7]`.


# %% id="patchify-exercise" exercise="vision.patchify"
def patchify(images: Tensor, patch: int) -> Tensor:
    """Cut images (B, C, height, width) into N patches: (B, N, C * patch * patch)."""
    ### BEGIN SOLUTION
    batch, channels, height, width = images.shape
    if height % patch or width % patch:
        raise ValueError(
            f"{height} x {width} pixels cannot be cut into patches of {patch} x {patch}"
        )
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
#
# Undo `patchify`: given the patches `(B, N, C * patch * patch)` and the height and width of the images, return the images `(B, C, height, width)`.
#
# ```
#   patches   (B, N, C * patch * patch)
#   split     (B, rows, columns, C, patch, patch)       N is rows * columns
#
#                    the rows within a patch move behind the rows of patches,
#                    the columns within a patch behind the columns of patches
#
#   moved     (B, C, rows, patch, columns, patch)
#   joined    (B, C, height, width)                     height is rows * patch
# ```
#
# - `N` is `(height // patch) * (width // patch)`, and both sides are multiples of `patch`: nothing need be checked.
# - The number of channels follows from the length of a patch.
# - What a network has computed for each patch can be put together in the same way, so gradients must pass.
#
# *A tiny case.* The patches `[0, 1, 4, 5]` and `[2, 3, 6, 7]` with `patch = 2`, `height = 2` and `width = 4` are the image `[[0, 1, 2, 3], [4, 5, 6, 7]]`.


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
#
# Given signals `(B, samples)`, return their frames `(B, N, size)`: frame n holds the `size` samples from sample `n * hop` on.
#
# ```
#   signal    0   1   2   3   4   5   6   7        size = 4, hop = 2: N = 3
#
#   frame 0  [0   1   2   3]
#   frame 1          [2   3   4   5]
#   frame 2                  [4   5   6   7]
#   frame 3                          [6   7        incomplete: dropped
# ```
#
# - Nothing is padded: a frame that the signal does not fill is dropped. A signal shorter than `size` has no frame at all, and the result is `(B, 0, size)`.
# - Frames overlap where `hop` is smaller than `size`. Where it is larger, the samples between two frames are in neither of them.
# - `size` and `hop` are at least 1.
#
# *A tiny case.* Five samples `0 1 2 3 4` with `size = 3` and `hop = 2`: the frames `[0, 1, 2]` and `[2, 3, 4]`. With four samples there is the first one alone, with two there is none.


# %% id="frame-exercise" exercise="speech.frame"
def frame(signal: Tensor, size: int, hop: int) -> Tensor:
    """Cut signals (B, samples) into overlapping frames: (B, N, size)."""
    ### BEGIN SOLUTION
    count = max(0, (signal.shape[1] - size) // hop + 1)  # N, whole frames alone
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
#
# Given the ids of a path, one for each frame, and the id of the blank, return the text that the path spells, as a list of ids.
#
# ```
#   path             h   h   -   e   -   l   l   -   l   o   o      - is the blank
#   repeats merged   h       -   e   -   l       -   l   o
#   blanks removed   h           e       l           l   o
# ```
#
# - Merge first: a blank between two equal letters keeps both.
# - `blank` may be any id, not 0 alone. A path may be empty, or hold nothing but blanks.
# - The path itself stays as it is.
#
# *A tiny case.* With `blank = 0` the path `[3, 3, 0, 3, 4]` spells `[3, 3, 4]`.


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
#
# Given the log probabilities of one recording, `(N, V)`, and the ids of its text, T of them, return a scalar tensor: `-log p`, where p is the sum of the probabilities of all paths that spell the text. The probability of a path is the product of the probabilities of its ids, one in each frame.
#
# There are too many paths to list, so the sum is made frame by frame. Write a blank before, between and after the letters: these are the 2 T + 1 states. A path begins in one of the first two states and ends in one of the last two. From one frame to the next it stays, goes on to the next state, or skips a blank between two letters that differ:
#
# ```
#   the text  h e l l o                            from one frame to the next
#
#   states   -  h  -  e  -  l  -  l  -  o  -       stay    - to -,  h to h
#            0  1  2  3  4  5  6  7  8  9 10       next    - to h,  h to -
#                                                  skip    h to e,  but not l to l
#   a path     h  h  -  e  l  -  l  o  o
#   in state   1  1  2  3  5  6  7  9  9           9 or 10 is where it may end
# ```
#
# Let `alpha[s]` be the log of the probability of all beginnings of paths that are in state s in this frame. In the next frame, `alpha[s]` is the log of the sum over the states that lead to s (`logsumexp` of their alphas), plus the log probability that this frame gives to the letter of s.
#
# - Two equal letters need a blank between them: the skip is not allowed there.
# - Stay with logarithms. A product of many probabilities is 0 in a computer long before it is 0 in truth.
# - The target has no blank in it, may be empty (then one path is left, of blanks alone), and `blank` may be any id.
# - Where the frames are too few for the text, no path spells it: p is 0, and the loss is `inf`. No gradient is asked for there.
# - Everywhere else a training must be able to use the gradient. `logsumexp` of nothing but `-inf` has a gradient of NaN, so leave out the states that no path has reached.
# - `log_probs` is float32 or float64, with at least one frame. `F.ctc_loss` computes the same for a batch; here you write what it does inside.
#
# *A tiny case.* Two frames, three ids that are all equally likely, `blank = 0`. The target `[1]` is spelled by the paths `1 1`, `1 0` and `0 1`, three of nine: the loss is `-log(3/9)`, about 1.10. The target `[1, 2]` has the path `1 2` alone, and the loss is `-log(1/9)`, about 2.20. The target `[1, 1]` would need three frames: the loss is `inf`.


# %% id="ctc-loss-exercise" exercise="speech.ctc_loss"
def ctc_loss(log_probs: Tensor, target: list[int], blank: int) -> Tensor:
    """-log p of a text, summed over all its paths: log_probs (N, V), one recording -> ()."""
    ### BEGIN SOLUTION
    states = [blank]  # a blank before, between and after the letters: 2 T + 1 states
    for letter in target:
        states += [letter, blank]
    alpha = {0: log_probs[0, blank]}  # log p of all ways into each state that can be reached
    if target:
        alpha[1] = log_probs[0, target[0]]
    for row in log_probs[1:]:
        before, alpha = alpha, {}
        for s, letter in enumerate(states):
            ways = [s, s - 1]  # stay, or come from the state before
            if letter != blank and letter != states[s - 2]:
                ways.append(s - 2)  # past a blank, between two letters that differ
            reached = [before[way] for way in ways if way in before]
            if reached:
                alpha[s] = torch.stack(reached).logsumexp(dim=0) + row[letter]
    ends = [alpha[s] for s in (len(states) - 1, len(states) - 2) if s in alpha]
    if not ends:  # too few frames for the text: p is 0
        return log_probs.new_tensor(math.inf)
    return -torch.stack(ends).logsumexp(dim=0)
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
#
# Given what was written and what was spoken, each a list of texts and each text a list of words, return the word error rate, a float: the number of errors in all texts, divided by the number of words spoken.
#
# ```
#   spoken      the   cat   sat   on    the   mat
#   written     the   cut   sat         the   mat   too
#                      |           |                 |
#                   changed     missing          too many      3 errors / 6 words
# ```
#
# - The errors of a text are the fewest words that must be changed, added or removed to turn what was written into what was spoken. Each of them counts 1.
# - Sum the errors of all texts and the words of all texts, then divide once.
# - Text i of `written` belongs to text i of `spoken`. Either may be empty, but at least one word was spoken in all.
# - The rate can be larger than 1: with many words too many there are more errors than words.
#
# The fewest errors between the first i words written and the first j words spoken follow from three smaller cases: `i - 1` and `j - 1`, where the last two words are the same or one is changed; `i - 1` and `j`, where the last word written is too many; `i` and `j - 1`, where the last word spoken is missing.
#
# *A tiny case.* Written `a b` and `x`, spoken `a c d` and nothing: b is changed and d is missing in the first text, x is too many in the second: 3 errors, 3 words spoken, a rate of 1.


# %% id="word-error-rate-exercise" exercise="speech.word_error_rate"
def word_error_rate(written: list[list[str]], spoken: list[list[str]]) -> float:
    """Words changed, missing and too many, of all texts together, divided by the words spoken."""
    ### BEGIN SOLUTION
    errors = 0
    for ours, theirs in zip(written, spoken):
        row = list(range(len(theirs) + 1))  # nothing written: each word so far is missing
        for i, word in enumerate(ours, start=1):
            before, row = row, [i]  # nothing spoken: each word so far is too many
            for j, other in enumerate(theirs, start=1):
                changed = before[j - 1] + (word != other)
                too_many, missing = before[j] + 1, row[j - 1] + 1
                row.append(min(changed, too_many, missing))
        errors += row[-1]
    return errors / sum(len(theirs) for theirs in spoken)
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
