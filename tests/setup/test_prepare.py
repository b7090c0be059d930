"""The preparation: its order, its repair, what it leaves alone, what it says."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from course.setup import SetupError, environment, installer, prepare, requirements
from course.setup.environment import Environment, Machine
from course.setup.runner import Progress, locked


class Heard(Progress):
    """Keeps what is said."""

    def __init__(self) -> None:
        super().__init__()
        self.live, self.lines = False, []

    def say(self, text: str) -> None:
        self.lines.append(text)

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


@pytest.fixture
def own(root: Path, linux: Machine) -> Environment:
    return environment.find(root, linux)


@pytest.fixture
def foreign(tmp_path: Path) -> Environment:
    python = tmp_path / "active" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    return Environment(tmp_path / "active", python, "conda")


def go(place: Environment, root: Path, linux: Machine, extras=("lab",)) -> tuple[bool, Heard]:
    heard = Heard()
    return prepare.prepare(place, extras, root, linux, heard), heard


def state(place: Environment) -> str:
    return json.loads(place.stamp.read_text())["state"]


def test_makes_the_environment_installs_and_notes_it(own, root, linux, pretender) -> None:
    did, heard = go(own, root, linux)
    assert did
    assert "venv" in pretender.commands[0]
    torch, rest = pretender.installs()
    assert torch == ["--no-deps", "--index-url", prepare.torch_build.CPU_INDEX, "torch==2.13.0"]
    assert rest == requirements.requirements(["lab"], root)
    assert pretender.constraints[1].splitlines() == [
        f"{name}=={version}" for name, version in requirements.pins(root).items()
    ]
    assert "-I" in pretender.commands[-1], "the last step tries the packages out"
    assert state(own) == "ready"
    assert (pretender.purelib / "encoder_course.pth").read_text() == f"{root}\n"
    assert "about 200 MB" in heard.text
    assert "about 250 MB" in heard.text


def test_does_nothing_the_second_time(own, root, linux, pretender) -> None:
    go(own, root, linux)
    before = len(pretender.commands)
    did, heard = go(own, root, linux)
    assert not did
    assert len(pretender.commands) == before
    assert heard.lines == []


def test_prepares_again_when_the_project_asks_for_something_else(
    own, root, linux, pretender
) -> None:
    go(own, root, linux)
    with (root / "constraints.txt").open("a") as file:
        file.write("another==1.0\n")
    assert go(own, root, linux)[0]


def test_prepares_again_when_the_folder_has_moved(own, root, linux, pretender, tmp_path) -> None:
    go(own, root, linux)
    moved = tmp_path / "moved"
    root.rename(moved)
    place = environment.find(moved, linux)
    assert go(place, moved, linux)[0]
    assert (pretender.purelib / "encoder_course.pth").read_text() == f"{moved}\n"


def test_adds_the_tests_packages_and_keeps_the_others(own, root, linux, pretender) -> None:
    go(own, root, linux, ["lab"])
    assert go(own, root, linux, ["lab", "test"])[0]
    assert not go(own, root, linux, ["lab"])[0]
    assert pretender.installs()[-1] == requirements.requirements(["lab", "test"], root)


def test_an_interrupted_preparation_is_repaired_by_the_next(
    own, root, linux, pretender, monkeypatch, tmp_path
) -> None:
    def interrupted(*args: object, **named: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(installer, "run", interrupted)
        with pytest.raises(KeyboardInterrupt):
            go(own, root, linux)
    assert state(own) == "preparing"

    half = tmp_path / "half-1.0.dist-info"
    half.mkdir()
    pretender.damaged = [str(half)]
    assert go(own, root, linux)[0]
    assert True in pretender.checked_files, "after an interruption every file is looked at"
    assert not half.exists(), "so that the installer puts the package there anew"
    assert state(own) == "ready"


@pytest.mark.parametrize("left", ["pyvenv.cfg", "bin/python", "bin/activate"])
def test_what_an_interrupted_venv_leaves_is_made_anew(own, root, linux, pretender, left) -> None:
    (own.prefix / left).parent.mkdir(parents=True)
    (own.prefix / left).touch()
    go(own, root, linux)
    assert "--clear" in pretender.commands[0]
    assert state(own) == "ready"


def test_its_own_environment_with_an_old_python_is_made_anew(own, root, linux, pretender) -> None:
    pretender.run(["venv", own.prefix], print)
    pretender.commands.clear()
    pretender.python = (3, 10, 0)
    make = pretender.run

    def run(command, on_line, environ=None) -> int:
        pretender.python = (3, 11, 2)
        return make(command, on_line, environ)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prepare, "run", run)
        go(own, root, linux)
    assert "--clear" in pretender.commands[0]
    assert state(own) == "ready"


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("ERROR: [Errno 28] No space left on device", "disk is full"),
        ("NewConnectionError: Temporary failure in name resolution", "could not be reached"),
    ],
)
def test_says_why_it_failed_and_is_not_ready(own, root, linux, pretender, said, answer) -> None:
    pretender.fails = {"safetensors": [said]}
    with pytest.raises(SetupError, match=answer) as caught:
        go(own, root, linux)
    assert str(own.log) in str(caught.value)
    assert said in own.log.read_text()
    assert state(own) == "preparing"


def test_goes_on_when_the_index_of_cpu_builds_breaks_off(own, root, linux, pretender) -> None:
    pretender.fails = {"--index-url": ["ERROR: connection reset"]}
    assert go(own, root, linux)[0]
    assert state(own) == "ready"


def test_takes_the_ranges_when_the_tested_versions_cannot_be_had(
    own, root, linux, pretender
) -> None:
    pretender.installed = {"torch": "2.13.0+cpu"}
    answers = [1, 0]

    def run(command, on_line, environ=None) -> int:
        status = answers.pop(0)
        pretender.run(command, on_line)
        on_line("ERROR: ResolutionImpossible: for help visit" if status else "")
        return status

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(installer, "run", run)
        _, heard = go(own, root, linux)
    assert "cannot all be had" in heard.text
    assert pretender.constraints[-1].splitlines() == ["torch==2.13.0"]


def test_packages_that_do_not_load_are_a_failure(own, root, linux, pretender) -> None:
    pretender.fails = {"-I": ["Traceback", "OSError: libgomp.so.1: cannot open shared object file"]}
    with pytest.raises(SetupError, match=r"do not load here \(OSError: libgomp"):
        go(own, root, linux)
    assert state(own) == "preparing"


def test_an_active_environment_keeps_what_it_has(foreign, root, linux, pretender) -> None:
    pretender.installed = {"numpy": "2.1.0", "torch": "2.9.0", "Jupyter_Core": "5.0"}
    _, heard = go(foreign, root, linux)
    assert "venv" not in [part for command in pretender.commands for part in command]
    (pins,) = pretender.constraints
    names = {line.split("==")[0] for line in pins.splitlines()}
    assert "plotly" in names
    assert names.isdisjoint({"numpy", "torch", "jupyter-core"})
    assert "stays as it is" in heard.text
    assert not (root / ".venv").exists()


def test_an_active_environment_with_an_old_python_is_refused(
    foreign, root, linux, pretender
) -> None:
    pretender.python = (3, 9, 1)
    with pytest.raises(SetupError, match=r"Python 3\.9\.1.*needs 3\.11.*deactivate"):
        go(foreign, root, linux)
    assert pretender.commands == []


def test_a_full_disk_is_said_beforehand(own, root, linux, pretender, monkeypatch) -> None:
    usage = type("Usage", (), {"free": 1_000_000_000})
    monkeypatch.setattr(prepare.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(SetupError, match=r"1\.0 GB left .* about 3 GB"):
        go(own, root, linux)
    assert pretender.installs() == []


def test_without_ensurepip_and_pip_it_says_what_to_install(
    own, root, linux, pretender, monkeypatch
) -> None:
    monkeypatch.setattr(prepare.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(prepare.shutil, "which", lambda name: f"/usr/bin/{name}")
    with pytest.raises(SetupError, match=r"sudo apt-get install python3\.\d+-venv"):
        go(own, root, linux)
    assert pretender.commands == []


def test_without_ensurepip_another_installer_will_do(
    own, root, linux, pretender, monkeypatch
) -> None:
    monkeypatch.setattr(prepare.importlib.util, "find_spec", lambda name: None)
    uv = prepare.Installer("uv", ("uv", "pip", "install"))
    monkeypatch.setattr(prepare.Installer, "find", lambda python, has_pip: uv)
    monkeypatch.setattr(prepare._Preparation, "_usable", lambda self: own.python.exists())
    original = pretender.run

    def run(command, on_line, environ=None) -> int:
        without = [part for part in command if part != "--without-pip"]
        assert len(without) == len(command) - ("venv" in command)
        return original(without, on_line, environ)

    monkeypatch.setattr(prepare, "run", run)
    assert go(own, root, linux)[0]


def test_two_at_once_one_waits_and_then_has_nothing_to_do(own, root, linux, pretender) -> None:
    heard, done = Heard(), threading.Event()

    def other() -> None:
        prepare.prepare(own, ["lab"], root, linux, heard)
        done.set()

    with locked(own.lock, waiting=lambda: None):
        thread = threading.Thread(target=other)
        thread.start()
        assert not done.wait(1.0), "the lock is held here"
        own.python.parent.mkdir(parents=True)
        own.python.touch()
        environment.write_stamp(own, "ready", requirements.digest(root), ["lab"], root)
    thread.join(30)
    assert done.is_set()
    assert heard.lines == ["Another preparation of this environment is running; waiting for it."]
    assert pretender.commands == []


def test_the_path_file_says_the_same_in_every_encoding(tmp_path: Path) -> None:
    prepare.path_file(tmp_path, Path("/home/Zoë/编码器"))
    line = (tmp_path / "encoder_course.pth").read_bytes().decode("ascii")
    path: list[str] = []
    exec(line.replace("sys.path", "path"), {"path": path})
    assert path == ["/home/Zoë/编码器"]
