"""The frozen pairs of English and Chinese: how a page is read, and that no split leaks into another."""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from pathlib import Path

from course import datasets
from course.datasets.help_pages import build, corpus
from course.datasets.help_pages.pages import paragraphs, worth_keeping
from course.datasets.python_docs.splits import near_duplicates

PAGE = """<html><head><script>var p = "<p>no</p>";</script></head><body>
<p dir="auto" class="howtogetheader">To access this command...</p>
<p class="paragraph">Choose <span class="switchinline"><span hidden="true" id="MACtext_1" class="MAC">
<span class="emph">Preferences</span></span><span hidden="true" id="defaulttext_1">Tools -&nbsp;Options</span></span>
and<br>press <b>OK</b> &amp; <img src="x.png">wait.</p>
<p class="code">PRINT a</p><div><p>Second one</div>
<pre><p>not this</p></pre></body></html>"""


def test_a_page_is_read_as_it_is_seen() -> None:
    assert paragraphs(PAGE) == [
        "",
        "Choose Tools - Options and press OK & wait.",
        "",
        "Second one",
        "",
    ]


def test_what_can_be_no_translation_is_left_out() -> None:
    assert worth_keeping("Select the page style.", "选择页面样式。")
    assert not worth_keeping("Select the page style.", "选择。")  # too short for what is said
    assert not worth_keeping("Groups the objects.", "选择希望用于尾注的页面样式和颜色。")
    assert not worth_keeping("Two words", "两个词")
    assert not worth_keeping("=A1 + B2 * 3 / 4", "计算总和")
    assert not worth_keeping("Select the page style.", "Select the page style.")


def test_pages_are_held_out_and_nothing_nearly_equal_is_in_training() -> None:
    data = datasets.load("libreoffice-help")
    splits = {"train": data.train, "validation": data.validation, "test": data.test}
    pages = defaultdict(set)
    for name, examples in splits.items():
        for example in examples:
            pages[example.source].add(name)
            assert worth_keeping(example.text, example.target)
    assert all(len(names) == 1 for names in pages.values())
    held_out = [example.text for example in (*data.validation, *data.test)]
    assert near_duplicates([example.text for example in data.train], held_out) == set()
    assert sum(map(len, splits.values())) == data.card.examples
    assert corpus.TABLE.stat().st_size == data.card.size
    assert corpus.version().startswith("7.4")
    assert "Mozilla Public License" in corpus.LICENCE.read_text()


def test_the_table_is_made_again_byte_by_byte(tmp_path: Path, monkeypatch) -> None:
    for language, text in (("en", "Select the page {}."), ("zh", "选择页面样式 {}。")):
        for number in range(30):
            page = tmp_path / language / "text" / "swriter" / f"{number}.html"
            page.parent.mkdir(parents=True, exist_ok=True)
            unlike = " ".join([f"word{number}"] * 5)
            said = f"{unlike} " if language == "en" else "词" * 5
            page.write_text(f"<p>{said}{text.format(number)}</p><p>Only here</p>")
    (tmp_path / "zh" / "text" / "swriter" / "3.html").write_text("<p>选择页面样式。</p>")
    monkeypatch.setattr(build, "TABLE", tmp_path / "pairs.jsonl.gz")
    build.write(tmp_path / "en", tmp_path / "zh", "1.0")
    made = (tmp_path / "pairs.jsonl.gz").read_bytes()
    build.write(tmp_path / "en", tmp_path / "zh", "1.0")
    assert (tmp_path / "pairs.jsonl.gz").read_bytes() == made
    first, *lines = map(json.loads, gzip.decompress(made).decode().splitlines())
    assert first == {"version": "1.0"}
    assert len(lines) == 29  # the page whose two sides have not as many paragraphs is left out
    assert {page for _, page, _, _ in lines} == {f"swriter/{n}" for n in range(30) if n != 3}
    assert {split for split, *_ in lines} == {"train", "validation", "test"}


def test_a_target_is_shown_beside_its_text() -> None:
    shown = datasets.load("libreoffice-help").show(2)
    assert repr(shown).count("-> ") == 2
    assert "<th" in shown._repr_html_()
    assert ">target</th>" in shown._repr_html_()
    assert ">target</th>" not in datasets.load("python-docs").show(2)._repr_html_()
