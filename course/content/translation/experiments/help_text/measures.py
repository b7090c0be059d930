"""BLEU and chrF of Chinese as they are published: sacrebleu's, with its tokens for Chinese.

Source: Post 2018, "A Call for Clarity in Reporting BLEU Scores" (sacrebleu; `tokenize="zh"`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from encoder_core.generation import scores

__all__ = ["figures", "tokens"]

_CHINESE = re.compile(
    "([\u3400-\u4db5\u4e00-\u9fbb\uf900-\ufa2d\ufa30-\ufa6a\ufa70-\ufad9\uff00-\uffef\u2e80-\u2eff"
    "\u3000-\u303f\u31c0-\u31ef\u2f00-\u2fdf\u2ff0-\u2fff\u3100-\u312f\u31a0-\u31bf\ufe10-\ufe1f"
    "\ufe30-\ufe4f\u2001-\u2a6d\u3200-\u33ff])"
)
_MARKS = (
    (re.compile(r"([\{-\~\[-\` -\&\(-\+\:-\@\/])"), r" \1 "),
    (re.compile(r"([^0-9])([\.,])"), r"\1 \2 "),
    (re.compile(r"([\.,])([^0-9])"), r" \1 \2"),
    (re.compile(r"([0-9])(-)"), r"\1 \2 "),
)


def tokens(text: str) -> list[str]:
    """Cut a text as its BLEU counts it: into Chinese characters, marks, and the words between them.

    >>> tokens("通过 Python 3.8 打开。")
    ['通', '过', 'Python', '3.8', '打', '开', '。']
    """
    text = _CHINESE.sub(r" \1 ", text.strip())
    for pattern, spaced in _MARKS:
        text = pattern.sub(spaced, text)
    return text.split()


def figures(written: Sequence[str], references: Sequence[str]) -> dict[str, float]:
    """Return the corpus BLEU and chrF of texts, each from 0 to 1."""
    return {
        "bleu": scores.corpus_bleu([*map(tokens, written)], [*map(tokens, references)]),
        "chrf": scores.chrf(written, references),
    }
