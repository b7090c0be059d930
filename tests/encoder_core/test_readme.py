"""The package's page: its map is complete, its names exist, its examples run, its links lead on."""

from __future__ import annotations

import contextlib
import doctest
import functools
import importlib
import io
import re
from pathlib import Path
from typing import Any

import pytest
import torch

import encoder_core

ROOT = Path(encoder_core.__file__).parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
CELL = r"([^|\n]*)\|"
ROW = re.compile(rf"^\| \[([\w/]+)\.py\]\(\1\.py\) \|{CELL}{CELL}{CELL}$", re.MULTILINE)
ROWS = [(file.replace("/", "."), *cells) for file, *cells in ROW.findall(TEXT)]


def names(cell: str) -> list[str]:
    """Whatever stands between backticks."""
    return re.findall(r"`([^`]+)`", cell)


def find(name: str) -> Any:
    """Find what a dotted name of torch means, with `nn` and `F` as everybody calls them."""
    full = re.sub(r"^F\.", "torch.nn.functional.", re.sub(r"^nn\.", "torch.nn.", name))
    try:
        return importlib.import_module(full)
    except ModuleNotFoundError:
        return functools.reduce(getattr, full.split(".")[1:], torch)


def test_the_map_has_every_file_once_and_no_other() -> None:
    files = [
        path.relative_to(ROOT)
        for path in ROOT.rglob("*.py")
        if path.stem not in ("__init__", "__main__")
    ]
    assert sorted(row[0] for row in ROWS) == sorted(
        ".".join(f.with_suffix("").parts) for f in files
    )


def test_the_map_has_every_name_of_the_package_beside_its_file() -> None:
    holds = {file: names(cell) for file, cell, _, _ in ROWS}
    for file, public in encoder_core._FILES.items():
        for name in public:
            assert name in holds[file], f"{name} is missing beside {file}.py"
    for file, cell_names in holds.items():
        module = importlib.import_module(f"encoder_core.{file}")
        assert [name for name in cell_names if name not in module.__all__] == []


def test_equivalents_in_torch_exist() -> None:
    equivalents = [name for row in ROWS for name in names(row[2])]
    assert len(equivalents) > 20
    for name in equivalents:
        assert find(name) is not None, name


def test_equivalents_in_transformers_exist() -> None:
    transformers = pytest.importorskip("transformers")
    equivalents = {name for row in ROWS for name in names(row[3])}
    assert len(equivalents) > 20
    assert equivalents - set(dir(transformers)) == set()  # dir loads none of its models


def test_links_lead_to_files_and_named_tests_exist() -> None:
    links = re.findall(r"\]\(([^)#]+)", TEXT)
    assert [link for link in links if not (ROOT / link).exists()] == []
    tests = re.findall(r"\((\.\./tests/\S+\.py)\)`::(\w+)`", TEXT)
    assert len(tests) == TEXT.count("`::")
    for path, name in tests:
        assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), f"{path}: {name}"


def test_examples_run_and_print_what_they_say() -> None:
    expected = re.findall(r"^print\(.*\)  # (.*)$", "".join(BLOCKS), re.MULTILINE)
    namespace: dict[str, Any] = {}
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            for block in BLOCKS:
                exec(compile(block, "encoder_core/README.md", "exec"), namespace)
    finally:
        encoder_core.use_fast_cpu(enable=False)
    came = printed.getvalue().splitlines()
    assert len(came) == len(expected) == 8
    for want, got in zip(expected, came, strict=True):
        same = doctest.OutputChecker().check_output(want, got, doctest.ELLIPSIS)
        assert same, f"the page says {want!r}, the example prints {got!r}"
