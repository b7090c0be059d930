"""The course's terms: their one source, each chapter's `terms.toml`.

    [[term]]
    en = "attention sink"
    zh = "注意力汇聚点"
    says = "A token that takes the weight of heads that have nothing to find."

A term stands in the file of the chapter that explains it. The press makes the chapter's table of it
and `chapters/glossary.md` of all; in the prose a term is linked where the chapter first uses it:
`[attention sink](glossary.md#attention-sink)`. Where a word is met in its everyday sense before that
(a *query* to a dictionary), its entry says `everyday = true`. Standard library only.

The glossary is a markdown file, because JupyterLab renders one as a whole and then scrolls to the
link's heading. In a notebook that is only being opened, it looks for the heading before any cell is
rendered, and stays at the top; a link to a cell's id scrolls seconds later and selects cells.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course import content

PAGE = "glossary.md"
MARKER = "<!-- glossary -->"

_EN = re.compile(r"[A-Za-z0-9][A-Za-z0-9'. -]*")
_HAN = re.compile(r"[\u4e00-\u9fff]")
_FIELDS = {"en": str, "zh": str, "says": str, "everyday": bool}


class GlossaryError(ValueError):
    """An entry that cannot be used: in which file, which entry, what to do."""

    def __init__(self, path: Path, entry: str, problem: str) -> None:
        super().__init__(f"{content.shown(path)}: {entry}: {problem}")


@dataclass(frozen=True)
class Term:
    """One term: its English and Chinese names, and what it is, in one sentence of markdown."""

    en: str
    zh: str
    says: str
    chapter: str  # "02_attention"
    everyday: bool = False

    @property
    def anchor(self) -> str:
        """What follows the # of a link: JupyterLab names a heading by its text, so case is kept."""
        return self.en.replace(" ", "-")

    @property
    def link(self) -> str:
        """The term in markdown, linked to its entry.

        >>> Term("attention sink", "注意力汇聚点", "A token.", "02_attention").link
        '[attention sink](glossary.md#attention-sink)'
        """
        return f"[{self.en}]({PAGE}#{self.anchor})"


def terms() -> list[Term]:
    """All terms, chapter by chapter, in the order in which the files have them.

    Raises:
        GlossaryError: a file or an entry is malformed, or a term stands twice.
    """
    found: dict[str, Term] = {}
    for chapter in content.chapters():
        path = content.file(chapter, "terms.toml")
        for term in read(path) if path.exists() else ():
            earlier = found.setdefault(term.en.casefold(), term)
            if earlier is not term:
                where = f"{content.shown(content.file(earlier.chapter, 'terms.toml'))} has it too"
                raise GlossaryError(path, repr(term.en), f"{where}; remove one of the two")
    return list(found.values())


def of(chapter: str) -> list[Term]:
    """The terms of one chapter, such as "02_attention"; none where it has no file yet."""
    return [term for term in terms() if term.chapter == chapter]


def read(path: Path) -> list[Term]:
    """The terms of one file; GlossaryError says what is malformed and what to do."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise GlossaryError(path, "the file", f"it is not TOML: {error}; mend it") from None
    entries = data.pop("term", [])
    if data or not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
        problem = "it should hold [[term]] entries and nothing else; remove the rest"
        raise GlossaryError(path, "the file", problem)
    return [_term(path, number, entry) for number, entry in enumerate(entries, start=1)]


def table(found: Sequence[Term]) -> str:
    """Terms as a markdown table: English, Chinese, one sentence."""
    rows = [f"| {term.link} | {term.zh} | {term.says} |" for term in found]
    return "\n".join(["| term | Chinese | in one sentence |", "|---|---|---|", *rows])


def fill(source: str, chapter: str) -> str:
    """A markdown cell with the chapter's table in the place of the line `<!-- glossary -->`.

    Raises:
        LookupError: the cell asks for a table and the chapter has no terms.
    """
    lines = source.split("\n")
    if MARKER not in lines:
        return source
    found = of(chapter)
    if not found:
        missing = f"{content.shown(content.file(chapter, 'terms.toml'))} has no terms"
        raise LookupError(f"{missing}; write it, or remove the line `{MARKER}`")
    return "\n".join(table(found) if line == MARKER else line for line in lines)


def _term(path: Path, number: int, entry: dict[str, Any]) -> Term:
    """An entry, held against the rules."""
    name = f"entry {number} ({entry.get('en', 'without a name')!r})"

    def refuse(problem: str) -> GlossaryError:
        return GlossaryError(path, name, problem)

    for field, kind in _FIELDS.items():
        if field not in entry:
            if kind is bool:
                continue
            raise refuse(f'it has no `{field}`; add `{field} = "..."`')
        if not isinstance(entry[field], kind) or entry[field] == "":
            what = "true or false" if kind is bool else "a text that is not empty"
            raise refuse(f"`{field}` should be {what}, and is {entry[field]!r}; mend it")
    for field in entry:
        if field not in _FIELDS:
            raise refuse(f"`{field}` is unknown; an entry has {', '.join(_FIELDS)}; remove it")
    en, zh, says = entry["en"].strip(), entry["zh"].strip(), entry["says"].strip()
    if not _EN.fullmatch(en):
        raise refuse("`en` becomes a link; use plain letters, digits, spaces and hyphens (-)")
    if not _HAN.search(zh):
        raise refuse(f"`zh` holds no Chinese: {zh!r}; add the Chinese term")
    if not says.endswith(".") or "\n" in says or re.search(r"(?<!\\)\|", says + zh):
        raise refuse("`says` should be one sentence on one line that ends in a full stop, no `|`")
    return Term(en, zh, says, content.chapter(path.parent.name), bool(entry.get("everyday", False)))
