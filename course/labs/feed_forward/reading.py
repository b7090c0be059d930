"""What a pretrained encoder's neurons answer to a sentence, and which words of real text excite them."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from torch import Tensor

from course.labs.checkpoints import MINILM, checkpoint
from course.labs.faults import InvalidSetting
from course.labs.feed_forward.neurons import Excitement, excite, paragraphs

READ = 40  # paragraphs, where the caller brings no reading of their own


@dataclass(frozen=True)
class Reading:
    """A sentence and the neurons' answers to it.

    Attributes:
        tokens: S of them, special ones such as `[CLS]` and `[SEP]` left out.
        answers: for each layer `(S, F)`, what comes out of the activation.
    """

    tokens: tuple[str, ...]
    answers: tuple[Tensor, ...]


@functools.lru_cache(maxsize=8)
def read(text: str, source: str = MINILM) -> Reading:
    """Send a sentence through MiniLM, or through the encoder at a source.

    Raises:
        InvalidSetting: the sentence has no tokens, such as one of control characters, or too many.

    >>> read("It is not so.").tokens
    ('it', 'is', 'not', 'so', '.')
    """
    one = checkpoint(source)
    encoding = one.encode(text)
    if not any(end > start for start, end in encoding.offsets):  # only [CLS] and [SEP]
        raise InvalidSetting("The text has no tokens; type a few words.")
    one.require_room(len(encoding))
    found = excite(one.model, one, [text])
    return Reading(found.tokens, found.answers)


@functools.lru_cache(maxsize=2)
def some_reading(source: str = MINILM) -> Excitement:
    """The answers to a few paragraphs of real text; made once, in a few seconds."""
    one = checkpoint(source)
    return excite(one.model, one, paragraphs(READ))
