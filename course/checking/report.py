"""What a check says: as text that stands by itself, and with pictures in a notebook."""

from __future__ import annotations

import html
from dataclasses import dataclass, field

from course.checking.explain import pictures


@dataclass
class Comparison:
    """The learner's answer beside the model solution."""

    yours: str
    model: str

    def __repr__(self) -> str:
        return f"Yours:\n{self.yours.rstrip()}\n\nThe model solution:\n{self.model.rstrip()}"

    def _repr_html_(self) -> str:
        style = "flex:1 1 24em;min-width:0;overflow-x:auto"
        sides = "".join(
            f'<section style="{style}"><h5 style="margin:0.4em 0">{title}</h5>'
            f'<pre style="white-space:pre;word-break:normal">{html.escape(code)}</pre></section>'
            for title, code in (("Yours", self.yours), ("The model solution", self.model))
        )
        return f'<div style="display:flex;flex-wrap:wrap;gap:1em">{sides}</div>'


@dataclass
class Report:
    """The outcome of one check.

    `status` is "passed", "failed" or "not attempted"; `mistakes` holds the id of the one mistake that was
    recognised, or of the one pair, and is empty where none fits; `remarks` holds the ids of the traps
    that a passed submission has; `message` is all that the check says.
    """

    exercise: str
    status: str
    message: str
    mistakes: tuple[str, ...] = ()
    sections: list[tuple[str, str]] = field(default_factory=list, repr=False)  # (heading, text)
    shown: list[pictures.Shown] = field(default_factory=list, repr=False)
    comparison: Comparison | None = field(default=None, repr=False)
    remarks: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the submission is right."""
        return self.status == "passed"

    def compare(self) -> Comparison:
        """The answer beside the model solution; ValueError when nothing has been attempted."""
        if self.comparison is None:
            raise ValueError(f"there is no answer to {self.exercise} to compare yet")
        return self.comparison

    def __repr__(self) -> str:
        return self.message

    def _repr_html_(self) -> str:
        colour = {"passed": "#2a788e", "failed": "#b35806", "not attempted": "#757575"}[self.status]
        parts = [
            f'<div class="course-check" data-exercise="{html.escape(self.exercise)}" data-status="{self.status}" '
            f'style="border-left:4px solid {colour};padding:0.2em 0 0.2em 0.9em;margin:0.3em 0">'
        ]
        for number, (heading, text) in enumerate(self.sections):
            body = _paragraphs(text)
            if number == 0:
                parts.append(
                    f'<p style="margin:0.2em 0"><strong>{html.escape(heading)}</strong> {_inline(text)}</p>'
                )
            else:
                parts.append(
                    f'<p style="margin:0.5em 0 0"><strong>{html.escape(heading)}</strong></p>{body}'
                )
        parts.extend(picture._repr_html_() for picture in self.shown)
        if self.comparison is not None and self.passed:
            parts.append(
                "<details><summary>Your answer beside the model solution</summary>"
                f"{self.comparison._repr_html_()}</details>"
            )
        return "".join(parts) + "</div>"


def _inline(text: str) -> str:
    """Escaped text in which `code` is set as code."""
    pieces = html.escape(text).split("`")
    return "".join(
        piece if i % 2 == 0 else f"<code>{piece}</code>" for i, piece in enumerate(pieces)
    )


def _paragraphs(text: str) -> str:
    if any(line.startswith("  ") for line in text.splitlines()):
        return f'<pre style="margin:0.3em 0;white-space:pre-wrap">{html.escape(text)}</pre>'
    lines = text.splitlines()
    if len(lines) > 1:
        return (
            "<ul style='margin:0.2em 0'>"
            + "".join(f"<li>{_inline(line)}</li>" for line in lines)
            + "</ul>"
        )
    return f'<p style="margin:0.2em 0">{_inline(text)}</p>'


def as_text(sections: list[tuple[str, str]], shown: list[pictures.Shown]) -> str:
    """The whole report as plain text, pictures as numbers."""
    lines = []
    for number, (heading, text) in enumerate(sections):
        lines.append(f"{heading} {text}" if number == 0 else f"{heading}\n{_indented(text)}")
    lines.extend(picture.text() for picture in shown)
    return "\n".join(lines)


def _indented(text: str) -> str:
    return "\n".join(line if line.startswith("  ") else f"  {line}" for line in text.splitlines())
