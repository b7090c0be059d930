"""What a check says: as text that stands by itself, and with pictures in a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from course.checking.explain import pictures
from course.system.markup import escape, printable


@dataclass
class Comparison:
    """The learner's answer beside the model solution."""

    yours: str
    model: str

    def __repr__(self) -> str:
        text = f"Yours:\n{self.yours.rstrip()}\n\nThe model solution:\n{self.model.rstrip()}"
        return printable(text)

    def _repr_html_(self) -> str:
        side = "flex:1 1 24em;min-width:0"
        code_style = "white-space:pre-wrap;overflow-wrap:anywhere;word-break:normal"
        sides = "".join(
            f'<section style="{side}"><h5 style="margin:0.4em 0">{title}</h5>'
            f'<pre style="{code_style}">{escape(code)}</pre></section>'
            for title, code in (("Yours", self.yours), ("The model solution", self.model))
        )
        return f'<div style="display:flex;flex-wrap:wrap;gap:1em">{sides}</div>'


@dataclass
class Kinds:
    """The dtype and the shape of a result, where one of them is wrong."""

    caption: str
    rows: list[tuple[str, str, str]]  # ("dtype", expected, the learner's)

    def text(self) -> str:
        """The table as text."""
        table = [("", "expected", "yours"), *self.rows]
        widths = [max(len(row[column]) for row in table) for column in range(2)]
        lines = [
            f"  {name:{widths[0]}}  {expected:{widths[1]}}  {yours}"
            for name, expected, yours in table
        ]
        return "\n".join([self.caption, *lines])

    def _repr_html_(self) -> str:
        cell = 'style="text-align:left;padding:0.1em 0.8em"'
        head = "".join(f'<th scope="col" {cell}>{name}</th>' for name in ("", "expected", "yours"))
        rows = "".join(
            f'<tr><th scope="row" {cell}>{escape(name)}</th>'
            f"<td {cell}>{escape(expected)}</td><td {cell}>{escape(yours)}</td></tr>"
            for name, expected, yours in self.rows
        )
        return (
            f'<div style="overflow-x:auto"><table style="margin:0.5em 0">'
            f'<caption style="text-align:left">{escape(self.caption)}</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
        )


Picture = pictures.Shown | Kinds


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
    shown: list[Picture] = field(default_factory=list, repr=False)
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
            f'<div class="course-check" data-exercise="{escape(self.exercise)}" data-status="{self.status}" '
            f'style="border-left:4px solid {colour};padding:0.2em 0 0.2em 0.9em;margin:0.3em 0">'
        ]
        for number, (heading, text) in enumerate(self.sections):
            body = _paragraphs(text)
            if number == 0:
                parts.append(
                    f'<p style="margin:0.2em 0"><strong>{escape(heading)}</strong> {_inline(text)}</p>'
                )
            else:
                parts.append(
                    f'<p style="margin:0.5em 0 0"><strong>{escape(heading)}</strong></p>{body}'
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
    pieces = escape(text).split("`")
    return "".join(
        piece if i % 2 == 0 else f"<code>{piece}</code>" for i, piece in enumerate(pieces)
    )


def _paragraphs(text: str) -> str:
    if any(line.startswith("  ") for line in text.splitlines()):
        return f'<pre style="margin:0.3em 0;white-space:pre-wrap;overflow-wrap:anywhere">{escape(text)}</pre>'
    lines = text.splitlines()
    if len(lines) > 1:
        return (
            "<ul style='margin:0.2em 0'>"
            + "".join(f"<li>{_inline(line)}</li>" for line in lines)
            + "</ul>"
        )
    return f'<p style="margin:0.2em 0">{_inline(text)}</p>'


def as_text(sections: list[tuple[str, str]], shown: Sequence[Picture]) -> str:
    """The whole report as plain text, pictures as numbers."""
    lines = []
    for number, (heading, text) in enumerate(sections):
        lines.append(f"{heading} {text}" if number == 0 else f"{heading}\n{_indented(text)}")
    lines.extend(picture.text() for picture in shown)
    return printable("\n".join(lines))


def _indented(text: str) -> str:
    return "\n".join(line if line.startswith("  ") else f"  {line}" for line in text.splitlines())
