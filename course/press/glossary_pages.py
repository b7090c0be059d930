"""The glossary as a markdown page: two indexes, then each term under its own heading."""

from __future__ import annotations

from collections.abc import Sequence

from course import content
from course.content import manuscript
from course.press.glossary import PAGE, Term

__all__ = ["page"]

_TITLE = (
    "# Glossary\n\n"
    "Every term of the course in English and Chinese, with one exact sentence. The terms stand under "
    "the chapters that explain them, in the order in which they are met there; the two lists lead to "
    "them by name. In JupyterLab, Ctrl+F finds a term in either language, and the table of contents "
    "at the left shows all of them."
)


def page(found: Sequence[Term]) -> str:
    """The text of the glossary's file; empty where there are no terms."""
    if not found:
        return ""
    made = [_TITLE, _english(found), _chinese(found)]
    for chapter in dict.fromkeys(term.chapter for term in found):
        made.append(f"## {_title(chapter)}\n\nThe chapter: [{chapter}.ipynb]({chapter}.ipynb)")
        made += [_entry(term) for term in found if term.chapter == chapter]
    return "\n\n".join(made) + "\n"


def _entry(term: Term) -> str:
    """A heading that holds the English term alone: JupyterLab makes the link's target of it."""
    return f"### {term.en}\n\n**{term.zh}**\n\n{term.says}"


def _english(found: Sequence[Term]) -> str:
    ordered = sorted(found, key=lambda term: term.en.casefold())
    rows = [f"| {_link(term, term.en)} | {term.zh} | {term.chapter[:2]} |" for term in ordered]
    head = ["## By English name", "", "| term | 中文 | chapter |", "|---|---|---|"]
    return "\n".join([*head, *rows])


def _chinese(found: Sequence[Term]) -> str:
    """In the order of Unicode, which for Han characters is that of their radicals and strokes."""
    ordered = sorted(found, key=lambda term: term.zh)
    rows = [f"| {_link(term, term.zh)} | {term.en} | {term.chapter[:2]} |" for term in ordered]
    note = "In the order of radicals and strokes."
    head = [
        "## By Chinese name 按中文查找",
        "",
        note,
        "",
        "| 术语 | English | chapter |",
        "|---|---|---|",
    ]
    return "\n".join([*head, *rows])


def _link(term: Term, text: str) -> str:
    """With the file's name: a bare `#anchor` leads to the first such heading of any open document."""
    return f"[{text}]({PAGE}#{term.anchor})"


def _title(chapter: str) -> str:
    """A chapter's title, such as "02 Attention"."""
    if chapter in content.chapters():
        return manuscript.read(chapter)[0].source.partition("\n")[0].removeprefix("# ").strip()
    return chapter
