"""What can lie where the environment should be, and a disk without room: told as what it is."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from course.setup import SetupError, commands, doctor, prepare
from course.setup import environment as environments
from course.setup.environment import Environment, free_gigabytes, python_in


def own(root: Path) -> Environment:
    return Environment(root / ".venv", python_in(root / ".venv", "venv", "Linux"), "own")


def folder(path: Path) -> None:
    path.mkdir()
    (path / "thesis.txt").write_text("mine")


ODD: dict[str, tuple[Callable[[Path], object], str]] = {
    "file": (Path.touch, "is a file"),
    "dangling link": (lambda path: path.symlink_to("nowhere"), "a link to nowhere"),
    "somebody's folder": (folder, "thesis.txt"),
}


@pytest.mark.parametrize("kind", ODD)
def test_what_is_no_environment_is_named_and_left(kind, root, pretender, linux) -> None:
    make, said = ODD[kind]
    make(root / ".venv")
    with pytest.raises(SetupError, match=said):
        prepare.prepare(own(root), ["lab"], root, linux)
    assert not any("venv" in command for command in pretender.commands)


@pytest.mark.parametrize("left", [(), ("bin", "lib"), ("pyvenv.cfg", "notes")])
def test_what_venv_itself_left_is_made_anew(left, root, pretender, linux) -> None:
    (root / ".venv").mkdir()
    for name in left:
        (root / ".venv" / name).mkdir()
    assert prepare.prepare(own(root), ["lab"], root, linux)


def test_a_full_disk_is_blamed_before_venv_is(root, pretender, linux, monkeypatch) -> None:
    usage = SimpleNamespace(total=4e6, used=1e6, free=3e6)
    monkeypatch.setattr(environments.shutil, "disk_usage", lambda path: usage)
    pretender.fails["venv"] = ["Command '[... -m ensurepip --upgrade]' returned exit status 1"]
    with pytest.raises(SetupError, match=r"0\.0 GB left.*make room"):
        prepare.prepare(own(root), ["lab"], root, linux)


def test_another_fault_of_ensurepip_is_not_called_missing(
    root, pretender, linux, monkeypatch
) -> None:
    pretender.fails["venv"] = ["Error: Command '[... -m ensurepip]' returned exit status 1"]
    monkeypatch.setattr(prepare.importlib.util, "find_spec", lambda name: object())
    with pytest.raises(SetupError, match="installer failed with: Error"):
        prepare.prepare(own(root), ["lab"], root, linux)


def test_the_disk_is_the_one_behind_the_link(tmp_path: Path, monkeypatch) -> None:
    asked: list[Path] = []

    def usage(path: Path) -> SimpleNamespace:
        asked.append(path)
        return SimpleNamespace(free=5e9)

    monkeypatch.setattr(environments.shutil, "disk_usage", usage)
    (tmp_path / "other").mkdir()
    (tmp_path / ".venv").symlink_to(tmp_path / "other" / "not" / "yet")
    assert free_gigabytes(tmp_path / ".venv") == 5
    assert asked == [(tmp_path / "other").resolve()]


def test_a_lock_that_cannot_be_written_is_named(root, pretender, linux, monkeypatch) -> None:
    lock = own(root).lock

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system", str(lock))

    monkeypatch.setattr(prepare, "locked", refuse)
    with pytest.raises(SetupError, match=r"\.venv\.lock.*Read-only.*folder of your own"):
        prepare.prepare(own(root), ["lab"], root, linux)


def test_the_doctor_speaks_where_the_environments_python_does_not_run(
    tmp_path: Path, monkeypatch, capsys
) -> None:
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.write_text("not a program")
    python.chmod(0o755)
    broken = Environment(tmp_path, python, "venv")
    for module in (commands, doctor):
        monkeypatch.setattr(module, "find", lambda: broken)
    for name in ("python", "packages", "devices", "pretrained", "jupyter", "browser"):
        monkeypatch.setattr(doctor, name, lambda: iter(()))
    assert commands.main(["doctor"]) == 1
    said = capsys.readouterr().out
    assert "does not run" in said
    assert "deactivate" in said
