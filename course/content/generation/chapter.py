# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown] id="title"
# # 07 Text generation

# %% id="setup"
import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course import check, datasets, explain, figures, hint, labs, predict, quiz, use

# %% [markdown] id="task-section"
# ## 1 What a generator is asked to do

# %% [markdown] id="attentions-section"
# ## 2 The decoder's two attentions

# %% [markdown] id="forcing-section"
# ## 3 Teacher forcing, and the shift

# %% [markdown] id="greedy-section"
# ## 4 One token after another: greedy decoding

# %% [markdown] id="sampling-section"
# ## 5 Sampling: temperature, top-k, nucleus

# %% [markdown] id="cache-section"
# ## 6 The key/value cache

# %% [markdown] id="keywords-section"
# ## 7 From keywords to a sentence

# %% [markdown] id="memory-section"
# ## 8 What the memory carries

# %% [markdown] id="beam-section"
# ## 9 Beam search

# %% [markdown] id="causal-section"
# ## 10 The same without an encoder

# %% [markdown] id="answers-section"
# ## 11 Answers and summaries cut from the text

# %% [markdown] id="lab-section"
# ## 12 The decoding lab

# %% [markdown] id="recap"
# ## Recap

# %% [markdown] id="glossary"
# ### The chapter's terms
#
# <!-- glossary -->

# %% [markdown] id="papers"
# ### The papers
#
# - Vaswani, Shazeer, Parmar, Uszkoreit, Jones, Gomez, Kaiser, Polosukhin: *Attention Is All You Need*. NeurIPS 2017. [arXiv:1706.03762](https://arxiv.org/abs/1706.03762). Section 3.1 and figure 1 on the decoder; 3.2.3 on its two attentions.
