"""Every public name of every file can be imported from `encoder_core`, and no import loads more than it must."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import encoder_core

ROOT = Path(encoder_core.__file__).parent
FILES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in ROOT.rglob("*.py")
    if path.stem not in ("__init__", "__main__")
)
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("file", FILES)
def test_every_public_name_of_a_file_is_the_packages_too(file: str) -> None:
    module = importlib.import_module(f"encoder_core.{file}")
    assert module.__all__
    for name in module.__all__:
        assert getattr(encoder_core, name) is getattr(module, name), f"{file}.{name}"
        assert name in encoder_core.__all__
        assert name in dir(encoder_core)
    assert not set(module.__all__) & set(FILES), "a name like a file's would hide the file"


def test_the_package_has_no_name_twice_and_none_that_no_file_has() -> None:
    of_files = {
        name for file in FILES for name in importlib.import_module(f"encoder_core.{file}").__all__
    }
    assert sorted(of_files) == sorted(encoder_core.__all__)
    assert set(encoder_core._FILES) == set(FILES)


def test_functions_with_their_files_name_are_imported_from_the_file() -> None:
    for name in ("feed_forward", "residual", "rotary"):
        module = importlib.import_module(f"encoder_core.{name}")
        assert callable(getattr(module, name))
        assert f"`{name}`" in README or f"import {name}`" in README


def test_a_name_whose_file_needs_no_torch_loads_none() -> None:
    code = "import sys; from encoder_core import split_words; print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT.parent, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout.strip()) == (0, "False"), done.stderr


@pytest.mark.parametrize("old", sorted(encoder_core._MOVED))
def test_a_file_is_found_under_the_name_that_it_had(old: str) -> None:
    moved = importlib.import_module(f"encoder_core.{old}")
    assert moved is importlib.import_module(f"encoder_core.{encoder_core._MOVED[old]}")
    assert moved.__name__ == f"encoder_core.{encoder_core._MOVED[old]}"


def test_no_file_of_today_is_hidden_by_an_old_name() -> None:
    assert not set(encoder_core._MOVED) & {file.partition(".")[0] for file in FILES}
    for old in ("decoding", "words", "bert", "training_state", "rollback", "heads", "vision"):
        assert old in encoder_core._MOVED
