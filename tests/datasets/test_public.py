"""Public sets, with small local files in the place of the hub's."""

from __future__ import annotations

import hashlib
import importlib
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
from huggingface_hub.errors import LocalEntryNotFoundError

from course.datasets.catalogue import load
from course.datasets.dataset import Example
from course.datasets.public import parquet
from course.datasets.public.fetch import NotHereError
from course.datasets.public.load import load_public
from course.datasets.public.sources import AG_NEWS, SOURCES, SST2, WIKITEXT_2, File, Source

Columns = dict[str, list[Any]]
NEWS: Columns = {"text": [f"News {i}." for i in range(100)], "label": [i % 4 for i in range(100)]}


class Hub:
    """A hub in a folder: what was asked of it, and whether its network is there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.online, self.breaks = True, 0
        self.asked: list[dict[str, Any]] = []

    def put(self, source: Source, contents: dict[str, Columns], write: Any) -> Source:
        """Put files there; the source with their sizes and sums."""
        files = {}
        for split, columns in contents.items():
            path = self.folder / source.files[split].path
            path.parent.mkdir(parents=True, exist_ok=True)
            write(path, columns)
            content = path.read_bytes()
            sha256 = hashlib.sha256(content).hexdigest()
            files[split] = File(source.files[split].path, len(content), sha256)
        return replace(source, **files)

    def download(self, repository: str, path: str, **settings: Any) -> str:
        self.asked.append({"repository": repository, "path": path, **settings})
        if settings["local_files_only"] or not self.online:
            raise LocalEntryNotFoundError("Please check your connection and try again.\nMore.")
        if self.breaks:
            self.breaks -= 1
            broken = self.folder / "broken"
            broken.write_bytes(b"half of")
            return str(broken)
        return str(self.folder / path)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    found = Hub(tmp_path)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", found.download)
    return found


def as_json(path: Path, columns: Columns) -> None:
    path.write_text(json.dumps(columns))


@pytest.fixture
def without_pyarrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of JSON in the place of Parquet, for an environment in which nothing reads that."""

    def read(path: Path, names: tuple[str, ...]) -> Columns:
        found = json.loads(path.read_text())
        return {name: found[name] for name in names}

    monkeypatch.setattr(parquet, "columns", read)


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.card.name)
def test_what_a_card_says_is_what_its_files_add_up_to(source: Source) -> None:
    assert source.card.size == sum(file.size for file in source.files.values())
    assert len(source.revision) == 40
    assert all(len(file.sha256) == 64 for file in source.files.values())
    assert source.card.download
    assert source.repository in source.card.origin
    assert (source.label is None) == (not source.card.classes)


@pytest.mark.usefixtures("without_pyarrow")
def test_a_set_without_validation_gets_some_of_its_training(hub: Hub) -> None:
    test = {"text": ["The test.", "  "], "label": [3, 1]}
    source = hub.put(AG_NEWS, {"train": NEWS, "test": test}, as_json)
    data = load_public(source, download=True)
    assert (len(data.train), len(data.validation)) == (95, 5)
    assert {e.text for e in (*data.train, *data.validation)} == set(NEWS["text"])
    assert data.test == (Example("The test.", 3, "ag_news test 0"),)
    assert data.classes == ("World", "Sports", "Business", "Sci/Tech")
    assert all(example.label == int(example.text[5:-1]) % 4 for example in data.train)
    assert "95 train, 5 validation, 1 test" in repr(data)
    assert load_public(source, download=True) == data
    asked = hub.asked[0]
    assert asked["revision"] == AG_NEWS.revision
    assert asked["repo_type"] == "dataset"
    assert not asked["force_download"]


@pytest.mark.usefixtures("without_pyarrow")
def test_text_without_labels_and_the_validation_split_as_test(hub: Hub) -> None:
    lines: Columns = {"text": ["", " = Title = \n", " Some words . \n"]}
    source = hub.put(WIKITEXT_2, dict.fromkeys(("train", "validation", "test"), lines), as_json)
    data = load_public(source, download=True)
    assert [example.text for example in data.validation] == ["= Title =", "Some words ."]
    assert {example.label for example in data.train} == {None}
    reviews = {"sentence": ["bad ", "good "], "label": [0, 1]}
    source = hub.put(SST2, {"train": reviews, "test": reviews}, as_json)
    assert [e.label for e in load_public(source, download=True).test] == [0, 1]


def test_without_being_asked_nothing_is_fetched_and_what_would_be_is_said(hub: Hub) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        load("ag_news")
    for part in (
        'datasets.load("ag_news", download=True)',
        "19.8 MB",
        "huggingface.co/datasets/fancyzhx/ag_news",
        "non-commercial",
    ):
        assert part in str(caught.value)
    assert all(asked["local_files_only"] for asked in hub.asked)


def test_without_a_network_one_sentence_says_so(hub: Hub) -> None:
    hub.online = False
    with pytest.raises(NotHereError, match=r"could not be fetched .* again\. Is there a network\?"):
        load("sst2", download=True)


@pytest.mark.usefixtures("without_pyarrow")
def test_a_broken_download_is_repeated_once(hub: Hub) -> None:
    source = hub.put(AG_NEWS, {"train": NEWS, "test": NEWS}, as_json)
    hub.breaks = 1
    assert len(load_public(source, download=True).test) == 100
    assert [asked["force_download"] for asked in hub.asked] == [False, True, False]
    hub.breaks = 2
    with pytest.raises(
        NotHereError, match=r"is broken: it should have [\d,]+ bytes .* has 7 bytes"
    ):
        load_public(source, download=True)


@pytest.mark.usefixtures("without_pyarrow")
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"text": ["a", None], "label": [0, 1]}, "in row 1 .* text is None, not a text"),
        ({"text": ["a", "b"], "label": [0, 7]}, "in row 1 .* label is 7, not a number from 0 to 3"),
        ({"text": ["a", "b"], "label": [0, -1]}, "label is -1"),
        ({"text": ["a", "b"], "label": [0, None]}, "label is None"),
    ],
)
def test_contents_that_changed_are_named(hub: Hub, changed: Columns, said: str) -> None:
    source = hub.put(AG_NEWS, {"train": changed, "test": NEWS}, as_json)
    with pytest.raises(ValueError, match=f"ag_news is not what it was: .*{said}"):
        load_public(source, download=True)


@pytest.mark.parametrize("library", ["pyarrow.parquet", "huggingface_hub"])
def test_a_missing_library_is_named(
    hub: Hub, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = hub.put(AG_NEWS, {"train": NEWS, "test": NEWS}, as_json)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises((ImportError, NotHereError), match="pip install "):
        load_public(source, download=True)


def test_parquet_files_are_read(hub: Hub, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow, which reads Parquet, is not installed")
    arrow, files = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")

    def write(path: Path, columns: Columns) -> None:  # the types of the hub's files
        types = {"text": arrow.string(), "label": arrow.int64()}
        arrays = {name: arrow.array(values, types[name]) for name, values in columns.items()}
        files.write_table(arrow.table(arrays), path)

    source = hub.put(AG_NEWS, {"train": NEWS, "test": NEWS}, write)
    data = load_public(source, download=True)
    assert [(example.text, example.label) for example in data.test] == [*zip(*NEWS.values())]  # noqa: B905
    renamed = hub.put(AG_NEWS, {"train": {"text": ["a"]}, "test": NEWS}, write)
    with pytest.raises(ValueError, match="has the columns text, and no label"):
        load_public(renamed, download=True)
    other = hub.put(AG_NEWS, {"train": NEWS, "test": NEWS}, as_json)
    with pytest.raises(ValueError, match=r"train-00000-of-00001.parquet can't be read: "):
        load_public(other, download=True)
