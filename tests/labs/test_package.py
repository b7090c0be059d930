"""The labs' package: examples that run, and an import that costs nothing."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import subprocess
import sys

import pytest

from course import labs

MODULES = [module.name for module in pkgutil.walk_packages(labs.__path__, "course.labs.")]


@pytest.mark.parametrize("name", MODULES)
def test_examples_give_what_they_say(name: str) -> None:
    failed, _ = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert failed == 0


def test_importing_the_package_loads_no_widgets_and_no_torch() -> None:
    code = (
        "import sys; from course import labs; assert 'AttentionLab' in dir(labs); "
        "print(sorted({'torch', 'anywidget', 'numpy'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code]
    told = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=labs.__path__[0] + "/../.."
    )
    assert told.stdout.strip() == "[]"
    with pytest.raises(AttributeError, match="no attribute 'Attention'"):
        _ = labs.Attention
