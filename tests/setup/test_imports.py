"""The bootstrap stands on the standard library alone, and so does `import course`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# -I and -S: no site-packages, nothing from the environment variables or this folder.
CODE = """
import sys
sys.path.insert(0, {root!r})
import {module}
if {module!r} == "course.setup.commands":
    import course.setup.doctor, course.setup.lab, course.setup.state, course.setup.testing
known = sys.stdlib_module_names | {{"course", "__main__"}}
print(sorted({{name.partition(".")[0] for name in sys.modules}} - known))
print("socket" in sys.modules)
"""


@pytest.mark.parametrize(
    "module",
    [
        "course",
        "course.datasets",
        "course.learner",
        "course.content.manuscript",
        "course.press.notebooks",
        "course.setup.commands",
    ],
)
def test_needs_the_standard_library_alone(module: str) -> None:
    code = CODE.format(root=str(ROOT), module=module)
    answer = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True
    )
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.splitlines()[0] == "[]"


def test_importing_the_course_loads_no_network_module() -> None:
    code = CODE.format(root=str(ROOT), module="course")
    answer = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True
    )
    assert answer.stdout.splitlines() == ["[]", "False"]


def test_names_are_loaded_when_they_are_asked_for() -> None:
    code = (
        "import sys, course\n"
        "before = 'course.checking' in sys.modules\n"
        "from course import check\n"
        "print(before, check.__module__.startswith('course.checking'), callable(course.hint))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert answer.stdout.split() == ["False", "True", "True"]


def test_an_unknown_name_is_an_attribute_error() -> None:
    import course

    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = course.nothing
    assert set(course.__all__) <= set(dir(course))


def test_a_function_keeps_its_name_when_its_module_is_loaded(tmp_path: Path) -> None:
    # The import system binds the module course.quiz under the name that the function has.
    code = (
        "import sys, types\n"
        "module = types.ModuleType('course.quiz')\n"
        "module.quiz, module.predict = (lambda: 'asked'), (lambda: 'guessed')\n"
        "sys.modules['course.quiz'] = module\n"
        "import course\n"
        "course.quiz = module\n"  # as the import system does
        "from course import quiz, predict\n"
        "print(quiz(), predict())"
    )
    answer = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert answer.stdout.split() == ["asked", "guessed"], answer.stderr
