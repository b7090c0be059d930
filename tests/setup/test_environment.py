"""Which environment is used: the active one, or the course's own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from course.setup.environment import (
    Environment,
    Machine,
    find,
    prepared_extras,
    python_in,
    write_stamp,
)


def made(prefix: Path, kind: str = "venv", system: str = "Linux") -> Path:
    python = python_in(prefix, kind, system)
    python.parent.mkdir(parents=True, exist_ok=True)
    python.touch()
    return prefix


def test_none_active_the_course_has_its_own(tmp_path: Path, linux: Machine) -> None:
    place = find(tmp_path, linux)
    assert place == Environment(tmp_path / ".venv", tmp_path / ".venv/bin/python", "own")


def test_a_python_in_a_venv_uses_it(tmp_path: Path, linux: Machine) -> None:
    venv = made(tmp_path / "mine")
    place = find(tmp_path, replace(linux, prefix=venv, executable=venv / "bin/python"))
    assert (place.prefix, place.kind) == (venv, "venv")


def test_the_course_s_own_venv_counts_as_its_own(tmp_path: Path, linux: Machine) -> None:
    venv = made(tmp_path / ".venv")
    inside = replace(linux, prefix=venv, executable=venv / "bin/python")
    activated = replace(linux, environ={"VIRTUAL_ENV": str(venv)})
    assert find(tmp_path, inside).own
    assert find(tmp_path, activated).own


def test_an_activated_venv_is_used_whatever_python_asks(tmp_path: Path, linux: Machine) -> None:
    venv = made(tmp_path / "mine")
    place = find(tmp_path, replace(linux, environ={"VIRTUAL_ENV": str(venv)}))
    assert (place.python, place.kind) == (venv / "bin/python", "venv")


def test_what_is_left_of_a_removed_venv_is_passed_over(tmp_path: Path, linux: Machine) -> None:
    place = find(tmp_path, replace(linux, environ={"VIRTUAL_ENV": str(tmp_path / "gone")}))
    assert place.own


def test_an_active_conda_environment_is_used(tmp_path: Path, linux: Machine) -> None:
    conda = made(tmp_path / "envs" / "encoder", "conda")
    named = {"CONDA_PREFIX": str(conda), "CONDA_DEFAULT_ENV": "encoder"}
    place = find(tmp_path, replace(linux, environ=named))
    assert (place.python, place.kind) == (conda / "bin/python", "conda")


def test_conda_s_base_environment_is_left_alone(tmp_path: Path, linux: Machine) -> None:
    base = made(tmp_path / "conda", "conda")
    named = {"CONDA_PREFIX": str(base), "CONDA_DEFAULT_ENV": "base"}
    assert find(tmp_path, replace(linux, environ=named)).own


def test_a_venv_within_conda_wins(tmp_path: Path, linux: Machine) -> None:
    conda, venv = made(tmp_path / "conda", "conda"), made(tmp_path / "mine")
    machine = replace(
        linux,
        environ={"CONDA_PREFIX": str(conda), "CONDA_DEFAULT_ENV": "encoder"},
        prefix=venv,
        executable=venv / "bin/python",
    )
    assert find(tmp_path, machine).prefix == venv


@pytest.mark.parametrize(
    ("system", "kind", "where"),
    [
        ("Linux", "venv", "bin/python"),
        ("Darwin", "venv", "bin/python"),
        ("Darwin", "conda", "bin/python"),
        ("Windows", "venv", "Scripts/python.exe"),
        ("Windows", "conda", "python.exe"),
    ],
)
def test_where_python_is_on_each_system(system: str, kind: str, where: str) -> None:
    assert python_in(Path("env"), kind, system) == Path("env") / where


def test_windows_own_environment(tmp_path: Path, linux: Machine) -> None:
    place = find(tmp_path, replace(linux, system="Windows"))
    assert place.python == tmp_path / ".venv" / "Scripts" / "python.exe"


def test_the_lock_of_the_own_environment_survives_its_removal(tmp_path, linux) -> None:
    assert find(tmp_path, linux).lock == tmp_path / ".venv.lock"


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"state": "ready"}'])
def test_a_damaged_stamp_counts_as_none(tmp_path: Path, linux: Machine, damage: str) -> None:
    place = find(tmp_path, linux)
    made(place.prefix)
    write_stamp(place, "ready", "d", ["lab"], tmp_path)
    assert prepared_extras(place, "d", tmp_path) == {"lab"}
    place.stamp.write_text(damage)
    assert prepared_extras(place, "d", tmp_path) is None


def test_a_stamp_without_its_python_counts_as_none(tmp_path: Path, linux: Machine) -> None:
    place = find(tmp_path, linux)
    place.prefix.mkdir()
    write_stamp(place, "ready", "d", ["lab"], tmp_path)
    assert prepared_extras(place, "d", tmp_path) is None
