"""Formulas in questions: LaTeX between dollar signs, as MathML, which browsers show by themselves."""

from __future__ import annotations

import re
from functools import cache

_FORMULA = re.compile(r"\$([^$]+)\$")


def with_formulas(text: str) -> str:
    r"""HTML whose $...$ are MathML.

    >>> with_formulas("<i>$x$</i>")
    '<i><math xmlns="http://www.w3.org/1998/Math/MathML" display="inline"><mrow><mi>x</mi></mrow></math></i>'
    """
    return _FORMULA.sub(lambda found: _mathml(found.group(1)), text)


@cache
def _mathml(latex: str) -> str:
    from latex2mathml.converter import convert

    return str(convert(latex))


_SIGNS = {"cdot": "·", "times": "×", "pi": "π", "infty": "∞", "geq": "≥", "sqrt": "√"}


def in_words(text: str) -> str:
    r"""Text whose $...$ are written with letters and signs alone, for a line or a screen reader.

    >>> in_words(r"by $\sqrt{d_k}$, not $10^{-9}$")
    'by √(d_k), not 10^(-9)'
    """
    return _FORMULA.sub(lambda found: _line(found.group(1)), text)


def _line(latex: str) -> str:
    latex = re.sub(r"\\(?:text|operatorname)\{(\w+)\}", r"\1", latex)
    latex = re.sub(r"\\([a-z]+)", lambda found: _SIGNS.get(found.group(1), found.group(1)), latex)
    return re.sub(r"\{(\w)\}", r"\1", latex).replace("{", "(").replace("}", ")")
