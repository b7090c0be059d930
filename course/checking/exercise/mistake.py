"""A mistake: an edit of the model solution, with a sentence that explains it and a question that leads on."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

Edit = tuple[str, str]


@dataclass(frozen=True)
class Mistake:
    """A mistake that people really make, written as an edit of the model solution.

    `edits` are (old, new) pairs of source text, applied in order, each to every place where `old`
    stands; where `new` is empty, whole lines are cut out with their ends. `says` explains the mistake to
    the person who made it; `asks` is a question that leads on without giving the answer away. `wrapped`
    is code that calls the solution as `itself` and stands in its place (`generated.py`).
    """

    id: str
    edits: tuple[Edit, ...]
    says: str
    asks: str
    within: str = ""  # the exercise whose solution it edits, where that is another one
    wrapped: str = ""

    def applied_to(self, source: str) -> str:
        """The source with this mistake in it; ValueError where the edit finds nothing to change."""
        for old, new in self.edits:
            if old not in source:
                raise ValueError(
                    f"mistake {self.id!r} finds no {old!r} in the source it should edit"
                )
            if not new:
                source = re.sub(rf"^{re.escape(old)}\n", "", source, flags=re.MULTILINE)
            source = source.replace(old, new)
        return source + self._wrapping(source) if self.wrapped else source

    def _wrapping(self, source: str) -> str:
        """The code behind the solution that gives its name to a wrong version of it."""
        definition = ast.parse(source).body[-1]
        if not isinstance(definition, ast.FunctionDef):
            raise ValueError(f"mistake {self.id!r} wraps a function, and the solution is none")
        name = definition.name
        return f"\n\n\n{self.wrapped.replace('itself', f'_{name}_itself').replace('NAME', name)}"
