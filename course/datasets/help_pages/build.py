"""Make the frozen pairs: `python -m course.datasets.help_pages.build ENGLISH CHINESE VERSION`.

ENGLISH and CHINESE are the folders `help/en-US` and `help/zh-CN` of an installed LibreOffice with its
help in both languages; in Debian the packages libreoffice-help-en-us and libreoffice-help-zh-cn. VERSION
is what the packages call themselves.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from pathlib import Path

from course.datasets.help_pages.corpus import TABLE, Pair
from course.datasets.help_pages.pages import paragraphs, worth_keeping
from course.datasets.python_docs.splits import SPLITS, assign, near_duplicates, words_of
from course.system import files

__all__ = ["pairs", "write"]


def pairs(english: Path, chinese: Path) -> list[Pair]:
    """Read all pages, split them, and take out of one split what stands in an earlier one.

    A page goes to one split whole. Much stands on several pages, so an English paragraph is kept once, and
    one of training that nearly equals one of validation or test is dropped.
    """
    found: dict[str, list[tuple[str, str]]] = {}
    for file in sorted(english.rglob("*.html")):
        page = file.relative_to(english)
        if (chinese / page).is_file():
            sides = [paragraphs(_text(folder / page)) for folder in (english, chinese)]
            if len(sides[0]) == len(sides[1]):
                name = page.with_suffix("").as_posix().removeprefix("text/")
                found[name] = [pair for pair in zip(*sides, strict=True) if worth_keeping(*pair)]
    sizes = {page: sum(len(text) for text, _ in pairs) for page, pairs in found.items()}
    split = assign(sizes, lambda page: page.partition("/")[0])
    kept: dict[tuple[str, ...], Pair] = {}
    for name in SPLITS:  # test, validation, train
        own = [
            Pair(name, page, *pair) for page in found if split[page] == name for pair in found[page]
        ]
        near = near_duplicates([pair.english for pair in own], [p.english for p in kept.values()])
        for index, pair in enumerate(own):
            if index not in near:
                kept.setdefault(words_of(pair.english), pair)
    return sorted(kept.values(), key=lambda pair: (pair.page, pair.english))


def _text(file: Path) -> str:
    return re.sub(r"\s+", " ", file.read_text(encoding="utf-8", errors="replace"))


def write(english: Path, chinese: Path, version: str) -> None:
    """Write the table: JSON lines, first its origin."""
    lines: list[object] = [{"version": version}, *pairs(english, chinese)]
    content = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    # no file name and no time in the header, so that the bytes are the same each time
    files.write(TABLE, gzip.compress(content.encode(), 9, mtime=0))
    print(f"{len(lines) - 1:,} pairs, packed {TABLE.stat().st_size:,} bytes: {TABLE}")


if __name__ == "__main__":
    write(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
