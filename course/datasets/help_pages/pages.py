"""Paragraphs of LibreOffice's help pages, as a reader sees them. Standard library only."""

from __future__ import annotations

import re
from html.parser import HTMLParser

__all__ = ["paragraphs", "worth_keeping"]

_NO_TEXT = {"script", "style", "pre"}
_NO_END = {"br", "img", "input", "hr", "meta", "link", "wbr"}
_NO_PROSE = re.compile(r"code|howtogetheader|youtube")  # classes of paragraphs
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
FEWEST_WORDS, MOST_WORDS = 3, 60
# Characters of Chinese to a word of English. Outside of it one side says more than the other: pages were
# edited in one language alone, and their paragraphs no longer belong together.
FEWEST_SIGNS, MOST_SIGNS = 0.7, 3.5


def paragraphs(page: str) -> list[str]:
    """Return the paragraphs of a page, also those that are no prose, in their order.

    A page holds words for several systems and programs, of which a browser shows one; those that it shows
    on Linux are kept.
    """
    reader = _Reader()
    reader.feed(page)
    return reader.found


def worth_keeping(english: str, chinese: str) -> bool:
    """Whether two paragraphs are prose and may be translations of each other.

    >>> worth_keeping("Select the page style.", "选择页面样式。")
    True
    >>> worth_keeping("Copy these three files.", "三")
    False
    """
    words, signs = len(english.split()), len(_CHINESE.findall(chinese))
    latin = sum(letter.isascii() and letter.isalpha() for letter in english)
    return (
        not english.startswith("Title is:")  # what a link to a film says
        and FEWEST_WORDS <= words <= MOST_WORDS
        and FEWEST_SIGNS * words <= signs <= MOST_SIGNS * words
        and 2 * latin > len(english)
    )


class _Reader(HTMLParser):
    """Collects the paragraphs; keeps the open elements, each with whether its text is left out."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._open: list[tuple[str, bool]] = []
        self._parts: list[str] | None = None  # of the paragraph that is read
        self._prose = True

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _NO_END:
            self.handle_data(" ")
            return
        given = dict(attrs)
        # Of what is for one system or program alone, only the default is not hidden from a reader.
        elsewhere = "hidden" in given and not (given.get("id") or "").startswith("default")
        self._open.append((tag, elsewhere or tag in _NO_TEXT))
        if tag == "p":
            self._parts = []
            self._prose = not _NO_PROSE.search(given.get("class") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag not in (name for name, _ in self._open):
            return
        closed = ""
        while closed != tag:
            closed, _ = self._open.pop()
            if closed == "p" and self._parts is not None:
                text = re.sub(r"\s+", " ", "".join(self._parts)).strip()
                self.found.append(text if self._prose else "")
                self._parts = None

    def handle_data(self, data: str) -> None:
        if self._parts is not None and not any(out for _, out in self._open):
            self._parts.append(data)
