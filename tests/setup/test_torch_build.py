"""Which build of PyTorch is fetched, and what is asked before it is chosen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from course.setup import SetupError, torch_build
from course.setup.environment import Machine


def never() -> bool:
    raise AssertionError("this question takes time and is not to be asked")


def choose(machine: Machine, has_gpu=never, answers=never, folders=()) -> torch_build.Build:
    return torch_build.choose(machine, "2.13.0", has_gpu, answers, lambda: list(folders))


def test_a_file_at_hand_wins_without_a_question(tmp_path: Path, linux: Machine) -> None:
    (tmp_path / "torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl").touch()
    build = choose(linux, folders=[str(tmp_path / "none"), str(tmp_path)])
    assert (build.folders, build.index, build.megabytes) == ((str(tmp_path),), None, 0)


@pytest.mark.parametrize("name", ["torch-2.12.0-cp311-any.whl", "torchvision-2.13.0-cp311.whl"])
def test_another_file_does_not_count(tmp_path: Path, linux: Machine, name: str) -> None:
    (tmp_path / name).touch()
    assert choose(linux, lambda: False, lambda: True, [str(tmp_path)]).folders == ()


def test_with_a_gpu_the_build_with_cuda(linux: Machine) -> None:
    build = choose(linux, lambda: True)
    assert build.index is None
    assert build.megabytes > 1000


def test_without_a_gpu_the_build_for_the_cpu(linux: Machine) -> None:
    build = choose(linux, lambda: False, lambda: True)
    assert build.index == torch_build.CPU_INDEX
    assert build.megabytes < 300


def test_without_that_index_it_says_how_much_it_will_be(linux: Machine) -> None:
    build = choose(linux, lambda: False, lambda: False)
    assert build.index is None
    assert build.megabytes > 1000
    assert "does not answer" in build.what


@pytest.mark.parametrize(("system", "chip"), [("Darwin", "arm64"), ("Windows", "AMD64")])
def test_elsewhere_the_index_s_own_build(linux: Machine, system: str, chip: str) -> None:
    build = choose(replace(linux, system=system, architecture=chip))
    assert build.index is None
    assert build.megabytes < 300


def test_an_intel_mac_is_told_so(linux: Machine) -> None:
    with pytest.raises(SetupError, match=r"Intel.*environment\.yml.*Colab"):
        choose(replace(linux, system="Darwin", architecture="x86_64"))


def test_reads_pip_s_folders_from_its_configuration_and_environment() -> None:
    config = (
        "global.cert='/etc/ssl/ca.crt'\n"
        "global.find-links='/srv/wheels'\n"
        ":env:.find-links='/opt/more\\nhttps://example.org/files'\n"
    )
    found = torch_build.find_links({"PIP_FIND_LINKS": "/mine /srv/wheels"}, config)
    assert found == ["/mine", "/srv/wheels", "/opt/more"]


def test_an_index_that_cannot_be_reached_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*args: object, **named: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(torch_build.urllib.request, "urlopen", refused)
    assert not torch_build.cpu_index_answers()


def test_a_driver_without_a_gpu_is_no_gpu(tmp_path: Path, monkeypatch) -> None:
    tool = tmp_path / "nvidia-smi"
    monkeypatch.setattr(torch_build.shutil, "which", lambda name: str(tool))
    for script, expected in [
        ("echo 'GPU 0: NVIDIA H200'", True),
        ("echo 'No devices were found'; exit 6", False),
        ("exit 9", False),
    ]:
        tool.write_text(f"#!/bin/sh\n{script}\n")
        tool.chmod(0o755)
        assert torch_build.has_nvidia_gpu() is expected
