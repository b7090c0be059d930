"""The package as a whole: lazy, complete, documented, and every example runs."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch

import encoder_core

ROOT = Path(encoder_core.__file__).parent
FILES = sorted(path for path in ROOT.rglob("*.py") if path.stem not in ("__init__", "__main__"))


def test_importing_the_package_loads_none_of_its_files_and_not_even_torch() -> None:
    code = (
        "import sys, encoder_core\n"
        "loaded = [name for name in sys.modules if name.startswith(('encoder_core.', 'torch'))]\n"
        "print(loaded)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT.parent, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


def test_every_name_of_the_table_is_public_where_it_is_said_to_live() -> None:
    for file, names in encoder_core._FILES.items():
        module = importlib.import_module(f"encoder_core.{file}")
        for name in names:
            assert name in module.__all__, f"{name} is not in {file}.__all__"
            assert getattr(encoder_core, name) is getattr(module, name)
    assert set(encoder_core.__all__) <= set(dir(encoder_core))
    # Such a name would hide the file, where it is or under the name that it had.
    files = {path.stem for path in FILES if path.parent == ROOT} | set(encoder_core._MOVED)
    assert not set(encoder_core.__all__) & files
    assert len(encoder_core.__all__) == sum(map(len, encoder_core._FILES.values()))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        encoder_core.nothing  # noqa: B018


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_public_name_has_a_docstring_and_the_examples_run(path: Path) -> None:
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    module = importlib.import_module(f"encoder_core.{name}")
    results = doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert results.failed == 0
    for name in module.__all__:
        value = getattr(module, name)
        if isinstance(value, type | type(doctest.testmod)):  # not a type alias or a constant
            assert value.__doc__, f"{path.stem}.{name} has no docstring"


PUBLIC = [(file, name) for file, names in encoder_core._FILES.items() for name in names]


@pytest.mark.parametrize(("file", "name"), PUBLIC)
def test_docstrings_give_shapes_errors_and_sources(file: str, name: str) -> None:
    value = getattr(encoder_core, name)
    value = inspect.unwrap(value) if callable(value) else value
    if not isinstance(value, type | type(inspect.unwrap)):
        assert name[0].isupper()  # a type alias or a constant
        return
    text, head = inspect.getdoc(value) or "", sys.modules[value.__module__].__doc__ or ""
    lacks = []
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(value)))):
        if isinstance(node, ast.FunctionDef):
            said = text + (ast.get_docstring(node) or "")
            lacks += [f"the {error} of {node.name}" for error in raised(node) if error not in said]
    if isinstance(value, type):
        computes = issubclass(value, torch.nn.Module)
        text += (inspect.getdoc(value.forward) or "") if computes else ""
    else:
        computes = "Tensor" in str(inspect.signature(value).return_annotation)
    if computes:
        lacks += [] if "shape" in text.lower() or "`(" in text else ["its shapes"]
        lacks += [] if "Source" in text + head else ["a source"]
    assert not lacks


def raised(function: ast.FunctionDef) -> set[str]:
    """The names of the exceptions that a function's own lines raise."""
    raises = (node.exc for node in ast.walk(function) if isinstance(node, ast.Raise))
    made = (exc.func if isinstance(exc, ast.Call) else exc for exc in raises)
    return {exc.id for exc in made if isinstance(exc, ast.Name) and exc.id[0].isupper()}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_functions_fit_on_a_screen(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0  # type: ignore[operator]
            assert lines <= 40, f"{node.name} has {lines} lines"
