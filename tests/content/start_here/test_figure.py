"""The figure of the encoder: what is lit differs to the eye and in words, and stays in its frame."""

from __future__ import annotations

import json
import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from course import content, figures, labs
from course.content import manuscript
from course.figures.encoder_diagram import PARTS
from course.labs.shapes import journey

ROOT = Path(__file__).resolve().parents[3]
CHAPTERS = ("embeddings", "attention", "feed_forward", "stacking")
EVERYWHERE = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("highlight", [*CHAPTERS, "positions", "stack", None])
def test_it_is_well_formed_and_says_what_it_shows(highlight: str | None) -> None:
    figure = figures.encoder(highlight)
    root = ElementTree.fromstring(figure.svg())
    assert root.get("role") == "img"
    for line in repr(figure).splitlines():
        assert " ".join(line.split()) in str(root.get("aria-label"))
    assert figure.svg() == figures.encoder(highlight).svg()
    assert figure.svg() in figure._repr_html_()
    width, height = map(int, str(root.get("viewBox")).split()[2:])
    for box in root.iter(f"{EVERYWHERE}rect"):
        assert int(box.attrib["x"]) + int(box.attrib["width"]) <= width
        assert int(box.attrib["y"]) + int(box.attrib["height"]) <= height
    assert all(int(text.attrib["y"]) < height for text in root.iter(f"{EVERYWHERE}text"))


@pytest.mark.parametrize("highlight", [*CHAPTERS, "positions", "stack", "hidden", None])
def test_it_leads_to_its_station(highlight: str | None) -> None:
    figure = figures.encoder(highlight)
    lab = eval(figure.walk, {"labs": labs})
    here = next(
        one for one in journey.stations(lab.shown().steps) if one.first == lab.settings["step"]
    )
    assert here.name in figure.lit or highlight == "stack"
    assert figure.walk.replace('"', "&quot;") in figure._repr_html_().replace('"', "&quot;")


def test_each_box_links_to_the_section_that_walks_through_it() -> None:
    page = ElementTree.fromstring(f"<div>{figures.encoder()._repr_html_()}</div>")
    links = page.findall("div/a")
    assert len(links) == len(PARTS)
    assert str(links[3].get("title")).startswith("attention: each token")
    (target,) = {str(link.get("href")) for link in links}
    notebook, _, anchor = target.partition("#")
    cells = json.loads((ROOT / "chapters" / notebook).read_text("utf-8"))["cells"]
    texts = ["".join(cell["source"]) for cell in cells]
    (section,) = [i for i, text in enumerate(texts) if f"## {anchor.replace('-', ' ')}" in text]
    assert "labs.ShapeTracer(" in texts[section + 1]


def test_colab_has_no_links(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "google.colab", sys)
    assert "<a " not in figures.encoder()._repr_html_()


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_no_word_touches_a_box_that_it_does_not_belong_to(chapter: str) -> None:
    root = ElementTree.fromstring(figures.encoder(chapter).svg())
    boxes = [(part.left, part.left + part.width) for part in PARTS]
    for text in root.iter(f"{EVERYWHERE}text"):
        x, y, size = (int(text.attrib[name]) for name in ("x", "y", "font-size"))
        if not 98 <= y <= 174:  # not beside the boxes but above or below
            continue
        half = (
            len(str(text.text)) * size * (0.34 if text.get("font-weight") else 0.26)
        )  # DejaVu Sans
        for left, right in boxes:
            within = left < x - half and x + half < right
            assert within or x + half < left or right < x - half, text.text


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_lights_up_its_own_boxes(chapter: str) -> None:
    number = next(n[:2] for n in content.chapters() if n.endswith(f"_{chapter}"))
    root = ElementTree.fromstring(figures.encoder(chapter).svg())
    written = [t.text for t in root.iter(f"{EVERYWHERE}text") if t.get("font-weight") == "bold"]
    lit = [text for text in written if str(text).startswith("chapter ")]
    assert lit == [f"chapter {p.chapter}" for p in PARTS if p.chapter == number]
    marked = re.findall(r"^ -> .*chapter (\d\d):", repr(figures.encoder(chapter)), flags=re.M)
    assert set(marked) == {number}


def test_the_chapters_light_up_everything_together() -> None:
    lit = set().union(*(figures.encoder(chapter).lit for chapter in CHAPTERS))
    assert lit == figures.encoder().lit


@pytest.mark.parametrize("chapter", [n for n in content.chapters() if n[:2] in "01 02 03 04"])
def test_every_chapter_shows_where_it_is(chapter: str) -> None:
    topic = chapter.partition("_")[2]
    code = [cell.source for cell in manuscript.read(chapter) if cell.kind == "code"]
    assert f'figures.encoder("{topic}")' in code


def test_a_part_that_there_is_not_is_named_with_those_that_there_are() -> None:
    with pytest.raises(ValueError, match=r"no part 'decoder'; choose one of attention, embedding"):
        figures.encoder("decoder")
