"""pyproject.toml, constraints.txt and environment.yml agree."""

from __future__ import annotations

import importlib.metadata
import re
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from course.setup import SetupError, requirements
from course.setup.requirements import LAB, TEST, normal

ROOT = Path(__file__).resolve().parents[2]
CONDA_NAMES = {"pytorch": "torch"}  # where conda-forge calls a package by another name
PYTHONS = ["3.11.2", "3.12.0", "3.13.0", "3.14.0"]  # 3.11.2 is Debian 12's


def test_every_requirement_says_why_it_is_there() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    tables = text[text.index("dependencies = [") : text.index("[project.scripts]")]
    lines = [line for line in tables.splitlines() if line.startswith('    "')]
    assert len(lines) == len(requirements.requirements([LAB, TEST, "speech"]))
    assert [line for line in lines if not re.search(r'",\s+# \w.{10,}', line)] == []


def test_every_requirement_has_a_tested_version_within_its_range() -> None:
    pins = requirements.pins()
    for line in requirements.requirements([LAB, TEST]):
        wanted = Requirement(line)
        assert wanted.specifier.contains(pins[normal(line)]), line


def test_colab_s_versions_are_within_the_ranges() -> None:
    lines = (ROOT / "tests" / "colab" / "constraints.txt").read_text().splitlines()
    colab = dict(line.split("==") for line in lines if "==" in line) | {"torch": "2.11.0"}
    for line in requirements.requirements():
        wanted = Requirement(line)
        if wanted.name in colab:
            assert wanted.specifier.contains(colab[wanted.name]), line


def test_the_tested_versions_name_versions_and_nothing_else() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    names = [line.split("==")[0] for line in lines if not line.startswith("#")]
    assert len(names) == len({normal(name) for name in names}) > 100
    for line in lines:
        assert line.startswith("#") or re.fullmatch(r"[\w.-]+==\d[\w.]*", line), line
    assert not [name for name in names if "nvidia" in name or "cuda" in name]


@pytest.mark.parametrize("python", PYTHONS)
def test_the_tested_versions_run_on_every_python_that_is_admitted(python: str) -> None:
    refused = []
    for name, version in requirements.pins().items():
        try:
            found = importlib.metadata.metadata(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # not installed here; the next test sees to it that most are
        if found["Version"].partition("+")[0] == version and found["Requires-Python"]:
            admitted = SpecifierSet(found["Requires-Python"]).contains(python)
            refused += [] if admitted else [f"{name} {version}: {found['Requires-Python']}"]
    assert refused == []


def test_the_tested_versions_are_the_ones_that_are_tested() -> None:
    different = {}
    for line in requirements.requirements([LAB, TEST]):
        name = normal(line)
        there = importlib.metadata.version(name).partition("+")[0]
        if there != requirements.pins()[name]:
            different[name] = there
    assert different == {}


def test_conda_s_environment_has_the_same_packages_and_ranges() -> None:
    conda = yaml.safe_load((ROOT / "environment.yml").read_text())
    plain = [entry for entry in conda["dependencies"] if isinstance(entry, str)]
    (nested,) = [entry for entry in conda["dependencies"] if isinstance(entry, dict)]
    python = next(entry for entry in plain if entry.startswith("python>"))
    assert python == f"python{requirements.project()['project']['requires-python']}"

    listed = [entry for entry in plain if entry not in (python, "pip")] + nested["pip"]
    there = {}
    for entry in listed:
        wanted = Requirement(entry)
        there[CONDA_NAMES.get(wanted.name, wanted.name)] = str(wanted.specifier)
    ours = [Requirement(line) for line in requirements.requirements([LAB])]
    assert there == {wanted.name: str(wanted.specifier) for wanted in ours}
    assert conda["channels"][0] == "conda-forge"


@pytest.mark.parametrize(
    ("line", "name"),
    [("Jupyter_Core>=5", "jupyter-core"), ("gt-all==0.1", "gt-all"), ("a.b [x] ; y", "a-b")],
)
def test_names_in_their_normal_form(line: str, name: str) -> None:
    assert normal(line) == name


def test_a_requirement_without_a_name_is_an_error() -> None:
    with pytest.raises(ValueError, match="name of a package"):
        normal(">=5")


def test_the_digest_follows_the_requirements_only(root: Path) -> None:
    before = requirements.digest(root)
    pyproject = root / "pyproject.toml"
    pyproject.write_text(pyproject.read_text() + "\n# a remark\n")
    assert requirements.digest(root) == before
    pyproject.write_text(pyproject.read_text().replace('"numpy>=2.0"', '"numpy>=2.1"'))
    assert requirements.digest(root) != before


def test_without_the_repository_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="clone the repository"):
        requirements.requirements(root=tmp_path)
