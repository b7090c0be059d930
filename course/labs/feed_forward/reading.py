"""What MiniLM's neurons answer to a sentence, and which words of real text excite them."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from torch import Tensor

from course.labs.faults import InvalidSetting
from course.labs.feed_forward.neurons import Excitement, excite, paragraphs
from encoder_core.pretrained.minilm import load_minilm

READ = 40  # paragraphs, where the caller brings no reading of their own


@dataclass(frozen=True)
class Reading:
    """A sentence and the neurons' answers to it.

    Attributes:
        tokens: S of them, `[CLS]` and `[SEP]` left out.
        answers: for each layer `(S, F)`, what comes out of the activation.
    """

    tokens: tuple[str, ...]
    answers: tuple[Tensor, ...]


@functools.lru_cache(maxsize=8)
def read(text: str) -> Reading:
    """Send a sentence through MiniLM.

    Raises:
        InvalidSetting: the sentence has no tokens, such as one of control characters.

    >>> read("It is not so.").tokens
    ('it', 'is', 'not', 'so', '.')
    """
    model, tokenizer = load_minilm()
    if len(tokenizer.encode(text)) <= 2:  # [CLS] and [SEP]
        raise InvalidSetting("The text has no tokens; type a few words.")
    found = excite(model, tokenizer, [text])
    return Reading(found.tokens, found.answers)


@functools.cache
def some_reading() -> Excitement:
    """The answers to a few paragraphs of real text; made once, in a few seconds."""
    return excite(*load_minilm(), paragraphs(READ))
