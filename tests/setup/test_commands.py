"""The commands: what they start, print and refuse."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from course import learner
from course.content import manuscript
from course.learner import lab_tasks
from course.setup import SetupError, commands, doctor, lab, state, testing
from course.setup.environment import Environment

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def place(tmp_path: Path) -> Environment:
    return Environment(tmp_path / "env", tmp_path / "env" / "bin" / "python", "own")


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, place: Environment) -> list[tuple]:
    """What would be prepared and started."""
    calls: list[tuple] = []
    monkeypatch.setattr(commands, "find", lambda: place)
    monkeypatch.setattr(commands, "prepare", lambda env, extras: calls.append(("prepare", extras)))
    monkeypatch.setattr(commands, "_become", lambda command, env: calls.append((command, env)) or 0)
    run = lambda env, quick, more: calls.append(("test", quick, more)) or 0  # noqa: E731
    monkeypatch.setattr(testing, "run", run)
    return calls


def test_without_a_command_it_opens_jupyterlab(started: list[tuple], place: Environment) -> None:
    assert commands.main([]) == 0
    assert started[0] == ("prepare", ["lab"])
    command, environ = started[1]
    assert command[:3] == [str(place.python), "-m", "jupyterlab"]
    assert "--ServerApp.ip=127.0.0.1" in command
    assert "--no-browser" not in command
    assert not [part for part in command if "token" in part or "password" in part]
    assert environ["JUPYTER_CONFIG_PATH"].split(os.pathsep)[0] == str(lab.SETTINGS)


def test_options_without_a_command_are_the_lab_s(started: list[tuple]) -> None:
    assert commands.main(["--no-browser", "--port=8899"]) == 0
    assert started[1][0][-2:] == ["--no-browser", "--port=8899"]


def test_preparing_only_opens_nothing(started: list[tuple]) -> None:
    assert commands.main(["lab", "--prepare-only"]) == 0
    assert started == [("prepare", ["lab"])]


def test_the_tests_need_their_packages(started: list[tuple]) -> None:
    assert commands.main(["test", "--quick", "tests/setup", "-k", "softmax"]) == 0
    assert started == [
        ("prepare", ["lab", "test"]),
        ("test", True, ["tests/setup", "-k", "softmax"]),
    ]


def test_what_went_wrong_is_one_sentence_and_a_failure(monkeypatch, capsys) -> None:
    def fails(*args: object) -> None:
        raise SetupError("The disk is full.")

    monkeypatch.setattr(commands, "prepare", fails)
    assert commands.main(["lab", "--prepare-only"]) == 1
    assert capsys.readouterr().err.strip() == "The disk is full."


def test_stopping_it_says_how_to_go_on(monkeypatch, capsys) -> None:
    def stopped(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "prepare", stopped)
    assert commands.main(["lab"]) == 130
    assert "Run it again" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["status", "--all"], ["nonsense"]])
def test_what_it_does_not_know_is_an_error(arguments: list[str], capsys) -> None:
    with pytest.raises(SystemExit) as caught:
        commands.main(arguments)
    assert caught.value.code == 2
    assert arguments[-1] in capsys.readouterr().err


def test_help_names_every_command() -> None:
    text = commands.parser().format_help()
    assert all(f"    {name} " in text for name in ("lab", "test", "build", "status", "reset"))


def test_build_runs_the_press(monkeypatch) -> None:
    from course.press import notebooks as press

    asked: list[list[str]] = []
    monkeypatch.setattr(press, "main", lambda argv: asked.append(argv) or 3)
    assert commands.main(["build", "--check"]) == 3
    assert asked == [["--check"]]


def test_the_first_chapter_is_the_first_notebook(tmp_path: Path) -> None:
    assert lab.first_chapter(tmp_path) is None
    (tmp_path / "chapters").mkdir()
    for name in ("02_attention", "00_start_here", "01_embeddings"):
        (tmp_path / "chapters" / f"{name}.ipynb").touch()
    assert lab.first_chapter(tmp_path) == Path("chapters/00_start_here.ipynb")


def test_jupyterlab_starts_at_the_first_chapter(tmp_path: Path, place: Environment) -> None:
    (tmp_path / "chapters").mkdir()
    (tmp_path / "chapters" / "02_attention.ipynb").touch()
    command = lab.command(place, tmp_path, browser=True, more=[], as_root=True)
    assert "--LabApp.default_url=/lab/tree/chapters/02_attention.ipynb" in command
    assert f"--ServerApp.root_dir={tmp_path}" in command
    assert "--allow-root" in command


def test_the_learner_s_own_jupyter_settings_stay_in_reach(course_home: Path) -> None:
    environ = lab.environ({"JUPYTER_CONFIG_PATH": "/mine", "HOME": "/home/me"})
    assert environ["JUPYTER_CONFIG_PATH"].split(os.pathsep) == [str(lab.SETTINGS), "/mine"]
    assert environ["HOME"] == "/home/me"
    assert environ["JUPYTERLAB_WORKSPACES_DIR"] == str(course_home / "workspaces")


def test_jupyterlab_sends_each_message_at_once(monkeypatch) -> None:
    """An answer must not wait until the browser has acknowledged the message before it."""
    loader = pytest.importorskip("traitlets.config.loader")
    channels = pytest.importorskip("jupyter_server.services.kernels.connection.channels")
    folder = lab.environ({})["JUPYTER_CONFIG_PATH"]
    config = loader.PyFileConfigLoader("jupyter_server_config.py", folder).load_config()
    connection = config.ServerApp.kernel_websocket_connection_class
    assert issubclass(connection, channels.ZMQChannelsWebsocketConnection)
    done: list[object] = []
    handler = SimpleNamespace(set_nodelay=done.append)
    monkeypatch.setattr(connection, "websocket_handler", handler)
    monkeypatch.setattr(channels.ZMQChannelsWebsocketConnection, "connect", lambda _: "connected")
    assert connection.__new__(connection).connect() == "connected"
    assert done == [True]


def test_quick_leaves_out_what_is_slow() -> None:
    quick = testing.arguments(quick=True, more=[])
    assert quick[quick.index("-m") + 1] == "not slow and not browser and not colab"
    assert quick[-1] == "tests"
    whole = testing.arguments(quick=False, more=[])
    assert "-m" not in whole
    assert whole[-1] == "tests"


def test_particular_tests_are_run_alone() -> None:
    arguments = testing.arguments(quick=False, more=["tests/setup/test_commands.py::x", "-k", "y"])
    assert "tests" not in arguments
    assert arguments[-3:] == ["tests/setup/test_commands.py::x", "-k", "y"]


def test_status_counts_what_was_passed(capsys) -> None:
    name = manuscript.exercise_ids("attention")[0]
    count = len(manuscript.exercise_ids("attention"))
    learner.record_check(name, "failed", ["wrong"], "not so")
    learner.record_check(name, "passed", [], "right")
    learner.count_hint(name)
    assert commands.main(["status"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert f"02 attention: 1 of {count} passed" in lines
    (line,) = [line for line in lines if name in line]
    assert line.split() == [name, "passed", "2", "tries", "1", "hint"]
    assert "labs: 0 tasks reached" in lines
    lab_tasks.note("stack", "one")
    assert commands.main(["status"]) == 0
    told = capsys.readouterr().out
    assert "labs: 1 task reached" in told.splitlines()
    assert "trainings" not in told


def test_reset_forgets_and_keeps_a_copy(course_home: Path, capsys) -> None:
    name = manuscript.exercise_ids("attention")[0]
    learner.record_check(name, "passed", [], "right")
    learner.save_answer(name, "def softmax(x, dim):\n    return x\n")
    lab_tasks.note("stack", "one")
    (course_home / "quiz.json").write_text("{}")
    (course_home / "workspaces").mkdir()
    weights = course_home / "trainings" / "bert" / "run.safetensors"
    weights.parent.mkdir(parents=True)
    weights.write_bytes(bytes(2_000_000))
    weights.with_name("state.safetensors").hardlink_to(weights)  # as `training.states` keeps it
    assert commands.main(["status"]) == 0
    assert f"Your trainings take 2.0 MB in {course_home / 'trainings'};" in capsys.readouterr().out
    assert commands.main(["reset", "--yes"]) == 0
    assert "The trainings take 2.0 MB of it; delete" in capsys.readouterr().out
    assert not weights.exists()
    assert learner.progress() == {}
    assert learner.load_answer(name) is None
    assert (course_home / "workspaces").exists()
    (kept,) = (course_home / "kept").iterdir()
    assert (kept / "progress.json").exists()
    assert (kept / "quiz.json").exists()
    assert (kept / "labs.json").exists()
    assert lab_tasks.count() == 0
    assert "def softmax" in (kept / "answers" / f"{name}.py").read_text()
    assert commands.main(["reset", "--yes"]) == 0
    assert "nothing to forget" in capsys.readouterr().out


def test_reset_asks_first(course_home: Path, monkeypatch) -> None:
    learner.record_check(manuscript.exercise_ids("attention")[0], "passed", [], "right")
    monkeypatch.setattr(state.sys, "stdin", type("Terminal", (), {"isatty": lambda self: True})())
    monkeypatch.setattr("builtins.input", lambda question: "n")
    assert commands.main(["reset"]) == 1
    assert len(learner.progress()) == 1
    monkeypatch.setattr("builtins.input", lambda question: "yes")
    assert commands.main(["reset"]) == 0
    assert learner.progress() == {}


def test_reset_without_a_terminal_changes_nothing() -> None:
    learner.record_check(manuscript.exercise_ids("attention")[0], "passed", [], "right")
    assert commands.main(["reset"]) == 1
    assert len(learner.progress()) == 1


def test_the_doctor_finds_this_environment_well() -> None:
    found = {one.what: one for look in (doctor.python, doctor.packages) for one in look()}
    assert found["torch"].remedy == ""
    assert found["Python"].said.endswith(sys.prefix)
    (weights,) = doctor.pretrained()
    assert (weights.remedy, "SHA-256 as published" in weights.said) == ("", True)


def test_the_doctor_says_what_to_do(monkeypatch, tmp_path, capsys) -> None:
    def missing(name: str) -> str:
        raise doctor.importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(doctor.importlib.metadata, "version", missing)
    monkeypatch.setattr(doctor, "MINILM_SHA256", "0" * 64)
    monkeypatch.setenv("COURSE_CHROMIUM", "/nowhere/chromium")
    assert doctor.main() == 1
    said = capsys.readouterr().out
    assert "run `python3 -m course`" in said
    assert "force-reinstall" in said
    assert "COURSE_CHROMIUM" in said


def test_the_doctor_does_not_fall_ill(monkeypatch) -> None:
    def ill() -> None:
        raise RuntimeError("no CUDA driver")
        yield

    (finding,) = doctor._safely(ill)
    assert finding.said == "RuntimeError: no CUDA driver"
    assert finding.remedy


def test_a_folder_that_cannot_be_written_is_found(monkeypatch) -> None:
    def refused(dir: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(doctor.tempfile, "TemporaryFile", refused)
    (finding,) = doctor.folder()
    assert "COURSE_HOME" in finding.remedy


def test_the_command_line_works_from_the_root() -> None:
    command = [sys.executable, "-m", "course", "--help"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "doctor" in answer.stdout


def test_all_tests_share_the_cores_and_particular_ones_do_not() -> None:
    assert "-n" not in testing.arguments(quick=False, more=[], cores=1)
    for quick, processes in ((True, "2"), (False, "3")):
        spread = testing.arguments(quick=quick, more=[], cores=2)
        assert spread[spread.index("-n") + 1] == processes
    assert "-n" not in testing.arguments(quick=False, more=["tests/setup"], cores=2)
