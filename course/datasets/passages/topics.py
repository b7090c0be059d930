"""Passages from the language reference, in the form in which `help()` carries it."""

from __future__ import annotations

import itertools
import re
import textwrap

from course.datasets.passages.passage import Passage, cut

_RULE = re.compile(r"([*=~^\-])\1{2,}")
_SIGNATURE = re.compile(r"(?:(?:class|exception|coroutine|async) )*[\w.]+(?:\([^\n]*\)|\[[^\n]*\])")
_LIST_ITEM = re.compile(r"(\*|-|\d+\.) ")


# Long, and about what few ask: the debugger's commands, and the inner workings of classes.
_LEFT_OUT = ("debugger", "specialnames")


def topics() -> dict[str, str]:
    """The topics of `help()`, by name; none where this Python carries none."""
    try:
        from pydoc_data.topics import topics as found
    except ImportError:
        return {}
    return {name: text for name, text in found.items() if name not in _LEFT_OUT}


def topic_passages(found: dict[str, str]) -> list[Passage]:
    """The passages of all topics, each paragraph once.

    Topics contain one another ("compound" holds what "try" holds); the shortest keeps a paragraph.
    """
    seen: set[str] = set()
    passages = []
    for name in sorted(found, key=lambda name: (len(found[name]), name)):
        for heading, paragraphs in sections(found[name]):
            fresh = [p for p in paragraphs if _key(p) not in seen]
            seen.update(map(_key, fresh))
            for group in _described(fresh):
                passages += [Passage(heading, piece) for piece in cut(group)]
    return passages


def sections(text: str) -> list[tuple[str, list[str]]]:
    r"""The headings of a topic, each with its paragraphs; grammar rules are left out.

    >>> sections("Title\n*****\n\nThe first\nof them all.\n\nAnd this is another.\n")
    [('Title', ['The first\nof them all.', 'And this is another.'])]
    """
    lines = text.split("\n")
    found: list[tuple[str, list[str]]] = [("", [])]
    block: list[str] = []
    for line, following in itertools.zip_longest(lines, lines[1:], fillvalue=""):
        if _RULE.fullmatch(line.strip()):
            continue
        if line.strip() and _RULE.fullmatch(following) and len(following) >= len(line) - 1:
            _close(found, block)
            found.append((line.strip().replace('"', ""), []))
        elif line.strip():
            block.append(line)
        else:
            _close(found, block)
    _close(found, block)
    return [(heading, paragraphs) for heading, paragraphs in found if paragraphs]


def _close(found: list[tuple[str, list[str]]], block: list[str]) -> None:
    """Put the lines of a paragraph where they belong; code and items join what they go with."""
    if not block:
        return
    text = textwrap.dedent("\n".join(block))
    indented = block[0].startswith("   ")
    block.clear()
    if "::=" in text:
        return
    paragraphs = found[-1][1]
    is_code = indented and paragraphs and paragraphs[-1].rstrip().endswith(":")
    if is_code and not _LIST_ITEM.match(text):
        paragraphs[-1] += "\n\n" + textwrap.indent(text, "    ")
    elif paragraphs and _is_signature(paragraphs[-1]):
        paragraphs[-1] += "\n\n" + text
    elif len(text.split()) >= 4 or _is_signature(text):
        paragraphs.append(text)


def _described(paragraphs: list[str]) -> list[list[str]]:
    """Paragraphs in groups, each of which begins with a signature and says what it does."""
    groups: list[list[str]] = [[]]
    for paragraph in paragraphs:
        if _is_signature(paragraph.partition("\n\n")[0]):
            groups.append([])
        groups[-1].append(paragraph)
    return [group for group in groups if group]


def _is_signature(text: str) -> bool:
    """Whether a paragraph is "str.split(sep=None, maxsplit=-1)" or several such lines."""
    return all(_SIGNATURE.fullmatch(line.strip()) for line in text.split("\n"))


def _key(paragraph: str) -> str:
    return " ".join(paragraph.split())
