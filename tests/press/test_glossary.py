"""The glossary: every entry is whole, and every chapter's terms are there, linked and listed."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from course import content
from course.content import manuscript
from course.press import glossary
from course.press import notebooks as press
from course.press.glossary import GlossaryError, Term
from course.press.glossary_pages import page
from tests.pressed import pages

CHAPTERS = content.chapters()
TERMS = glossary.terms()
ANCHORS = {term.anchor: term for term in TERMS}
LINK = re.compile(r"\[([^\]]+)\]\(glossary\.md#([^)]+)\)")
GOOD = '[[term]]\nen = "attention sink"\nzh = "注意力汇聚点"\nsays = "A token."\n'


def prose(chapter: str) -> list[str]:
    """A chapter's markdown, without its title cell, its table, its papers, headings and code."""
    cells = [c for c in manuscript.read(chapter)[1:] if c.kind == "markdown"]
    texts = [c.source for c in cells if c.id not in ("glossary", "papers")]
    for shape in (r"```.*?```", r"\$\$.*?\$\$", r"\$[^$\n]+\$", r"`[^`\n]+`", r"(?m)^#+ [^\n]*$"):
        texts = [re.sub(shape, " ", text, flags=re.S) for text in texts]
    return texts


def first_mention(chapter: str, term: Term) -> tuple[int, int] | None:
    """The cell and place where a chapter first says a term, in one word or several, linked or not."""
    name = re.compile(rf"(?<![\w-]){re.escape(term.en)}s?(?![\w-])", re.I)
    for number, text in enumerate(prose(chapter)):
        if found := name.search(
            re.sub(r"\]\([^)]*\)", lambda m: "]" + " " * (len(m[0]) - 1), text)
        ):
            return number, found.start()
    return None


def first_link(chapter: str, term: Term) -> tuple[int, int] | None:
    """The cell and place of the chapter's first link to a term; the title cell is before all."""
    if f"(glossary.md#{term.anchor})" in manuscript.read(chapter)[0].source:
        return -1, 0
    for number, text in enumerate(prose(chapter)):
        for found in LINK.finditer(text):
            if found[2] == term.anchor:
                return number, found.start(1)
    return None


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_chapter_lists_its_terms(chapter: str) -> None:
    assert len(glossary.of(chapter)) >= 5
    (cell,) = [c for c in manuscript.read(chapter) if c.id == "glossary"]
    assert glossary.MARKER in cell.source.split("\n")
    for folder, way in (("chapters", ""), ("solutions", "../chapters/")):
        page = json.loads(pages()[f"{folder}/{chapter}.ipynb"])
        (shown,) = ["".join(c["source"]) for c in page["cells"] if c["id"] == "glossary"]
        for term in glossary.of(chapter):
            link = f"{way}glossary.md#{term.anchor}"
            assert f"| [{term.en}]({link}) | {term.zh} |" in shown


def test_every_link_leads_to_a_heading_of_the_glossary() -> None:
    made = pages()
    headings = re.findall(r"(?m)^### (.+)$", made["chapters/glossary.md"])
    for path, text in made.items():
        fragments = re.findall(r"\(\S*glossary\.md#([^)]*)\)", text)
        assert fragments, path
        assert set(fragments) <= {heading.replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_what_a_chapter_links_to_is_there(chapter: str) -> None:
    text = "\n".join(c.source for c in manuscript.read(chapter) if c.kind == "markdown")
    linked = re.findall(r"\(glossary\.md(?:#([^)]*))?\)", text)
    assert set(linked) - {""} <= set(ANCHORS)  # "" is the glossary as a whole
    assert text.count("glossary.md#") == len(linked) - linked.count(""), "a link not closed"


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.en)
def test_a_term_is_linked_where_its_chapter_first_uses_it(term: Term) -> None:
    assert term.chapter in CHAPTERS, f"{term.chapter} has no manuscript"
    link, mention = first_link(term.chapter, term), first_mention(term.chapter, term)
    assert link is not None, f"{term.chapter} should link it: {term.link}"
    if mention is not None and not term.everyday:
        said = prose(term.chapter)[mention[0]][max(0, mention[1] - 40) :][:90]
        assert link <= mention, f"it is said, without a link, in {said!r}"


def test_no_two_terms_share_an_anchor() -> None:
    assert len(ANCHORS) == len(TERMS) == len({term.en.casefold() for term in TERMS})


def test_the_page_has_each_term_under_a_heading_of_its_own() -> None:
    text = pages()["chapters/glossary.md"]
    english, chinese, terms = re.split(r"(?m)^## (?=By|00)", text)[1:]
    entries = re.split(r"(?m)^### ", terms)
    assert [entry.partition("\n")[0] for entry in entries[1:]] == [term.en for term in TERMS]
    for term, entry in zip(TERMS, entries[1:], strict=True):
        assert term.zh in entry
        assert term.says in entry
        assert f"| [{term.en}](glossary.md#{term.anchor}) | {term.zh} |" in english
        assert f"| [{term.zh}](glossary.md#{term.anchor}) | {term.en} |" in chinese
    for chapter in {term.chapter for term in TERMS}:
        assert f"]({chapter}.ipynb)" in terms


def test_the_indexes_are_sorted() -> None:
    _, english, chinese = page(TERMS).partition("\n## 00")[0].split("\n## By")
    names = re.findall(r"^\| \[([^\]]+)\]", english, flags=re.M)
    assert names == sorted(names, key=str.casefold)
    names = re.findall(r"^\| \[([^\]]+)\]", chinese, flags=re.M)
    assert names == sorted(names)
    assert len(names) == len(TERMS)


@pytest.mark.parametrize("ends", ["\n", "\r\n"], ids=["unix", "windows"])
def test_a_changed_glossary_is_recognised(tmp_path: Path, ends: str) -> None:
    text = pages()["chapters/glossary.md"]
    path = tmp_path / "glossary.md"
    path.write_text(text, encoding="utf-8", newline=ends)
    assert not press.changed(path)
    for other in (text + "My own note.\n", text.replace("Every term", "All terms"), "", "\n<!--"):
        path.write_text(other, encoding="utf-8", newline=ends)
        assert press.changed(path)


def test_an_older_glossary_is_replaced_and_its_notebook_removed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = {"chapters/glossary.md": pages()["chapters/glossary.md"]}
    (tmp_path / "chapters").mkdir()
    old = page(TERMS[:9])
    (tmp_path / "chapters" / "glossary.md").write_text(
        old + press._signature(old), encoding="utf-8"
    )
    notebook = press._page("glossary", [press._cell("markdown", "title", "# Glossary")])
    (tmp_path / "chapters" / "glossary.ipynb").write_text(notebook, encoding="utf-8")
    assert press.check(made, tmp_path) == 1
    said = capsys.readouterr().out
    assert "chapters/glossary.md is not what the press makes; run" in said
    assert press.write(made, tmp_path) == 0
    assert "kept as" not in capsys.readouterr().out
    assert [path.name for path in (tmp_path / "chapters").iterdir()] == ["glossary.md"]
    assert press.check(made, tmp_path) == 0


REFUSED = {
    "no Chinese": (GOOD.replace('zh = "注意力汇聚点"\n', ""), "it has no `zh`"),
    "Chinese in English": (GOOD.replace("注意力汇聚点", "sink"), "holds no Chinese"),
    "empty": (GOOD.replace("A token.", ""), "`says` should be a text"),
    "a number": (GOOD.replace('"A token."', "3"), "`says` should be a text"),
    "no full stop": (GOOD.replace("A token.", "A token"), "full stop"),
    "two lines": (GOOD.replace('"A token."', '"""A\ntoken."""'), "one line"),
    "a bar": (GOOD.replace("A token", "A | token"), "no `|`"),
    "unknown field": (GOOD + 'de = "Senke"\n', "`de` is unknown"),
    "everyday": (GOOD + 'everyday = "yes"\n', "true or false"),
    "a sign": (GOOD.replace("attention sink", "sink (attention)"), "letters, digits"),
    "twice": (GOOD + GOOD.replace("attention sink", "Attention sink"), "has it too"),
    "a stray key": ('title = "x"\n' + GOOD, "nothing else"),
    "not TOML": ("[[term]\n", "not TOML"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_malformed_is_named(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, says = REFUSED[case]
    monkeypatch.setattr(content, "FOLDER", tmp_path)
    (tmp_path / "attention").mkdir()
    (tmp_path / "attention" / "terms.toml").write_text(text, encoding="utf-8")
    with pytest.raises(GlossaryError, match=r"course/content/attention/terms\.toml: ") as raised:
        glossary.terms()
    assert says in str(raised.value)


def test_the_press_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    chapter = tmp_path / "attention" / "chapter.py"
    chapter.parent.mkdir()
    shutil.copy(content.file("attention", "chapter.py"), chapter)
    monkeypatch.setattr(content, "FOLDER", tmp_path)
    monkeypatch.setattr(content, "CHAPTERS", ("attention",))
    assert press.main(["--check"]) == 1
    assert "has no terms; write it" in capsys.readouterr().err
    chapter.with_name("terms.toml").write_text("[[term]]", encoding="utf-8")
    assert press.main(["--check"]) == 1
    assert "it has no `en`" in capsys.readouterr().err
