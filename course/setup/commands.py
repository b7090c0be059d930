"""The commands of `python3 -m course`."""

from __future__ import annotations

import argparse
import io
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence

import course
from course.setup import ROOT, SetupError, requirements
from course.setup.environment import Environment, find
from course.setup.prepare import prepare
from course.setup.runner import ended_by_signals

_COMMANDS = ("lab", "test", "build", "dev", "status", "datasets", "reset", "doctor")
_EPILOG = """\
The first time, `python3 -m course` makes an environment in .venv/ and says beforehand what it will
fetch. Under an active venv or conda environment it uses that. It can be stopped at any moment and
run again. What you do is kept in .course/ (or the folder that COURSE_HOME names)."""


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    main = argparse.ArgumentParser(
        prog="python3 -m course",
        description="The Transformer encoder: build it, watch it work, use it.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    main.add_argument("--version", action="version", version=f"course {course.__version__}")
    commands = main.add_subparsers(dest="command", title="commands", metavar="command")

    lab = commands.add_parser(
        "lab",
        help="prepare what is needed and open JupyterLab (what happens without a command)",
        description="Prepare what is needed and open JupyterLab at the first chapter.",
        epilog="Any other option goes to JupyterLab, for example --port=8899.",
    )
    lab.add_argument("--no-browser", action="store_true", help="print the address to open, only")
    lab.add_argument("--prepare-only", action="store_true", help="prepare and open nothing")

    test = commands.add_parser(
        "test",
        help="run the tests",
        description="Run the tests; the last lines say what was skipped and why.",
        epilog="Any other argument goes to pytest, for example tests/checking or -k softmax.",
    )
    test.add_argument(
        "--quick", action="store_true", help="leave out what is slow, a browser, Colab's versions"
    )

    _add_smaller(commands)
    return main


def _add_smaller(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The commands that need no environment."""
    build = commands.add_parser(
        "build",
        help="make the notebooks from the manuscripts",
        description="Make chapters/ and solutions/ from course/content/.",
    )
    build.add_argument("--check", action="store_true", help="write nothing; name what differs")

    dev = commands.add_parser(
        "dev",
        help="write an exercise: dev new|check EXERCISE",
        description="Write the files of a new exercise, or try all that concerns one.",
    )
    dev.add_argument("what", choices=["new", "check"])
    dev.add_argument("exercise", help="such as attention.softmax")

    commands.add_parser("status", help="show what you have passed", description="Your progress.")
    commands.add_parser(
        "datasets",
        help="list the data sets",
        description="List the data sets: what is in each, how large it is, its licence.",
    )
    reset = commands.add_parser(
        "reset",
        help="forget your progress and answers, keeping a copy",
        description="Forget progress and saved answers; a copy of both is kept.",
    )
    reset.add_argument("--yes", action="store_true", help="do not ask")
    commands.add_parser(
        "doctor",
        help="look whether all that the course needs is there",
        description="Look at Python, packages, devices, folders; say what to do where one is amiss.",
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; its exit status."""
    for stream in (sys.stdout, sys.stderr):  # a path or a name may not fit the terminal's encoding
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or (
        arguments[0] not in _COMMANDS
        and arguments[0] not in ("-h", "--help", "--version")
        and arguments[0].startswith("-")
    ):
        arguments.insert(0, "lab")
    options, more = parser().parse_known_args(arguments)
    if more and options.command not in ("lab", "test"):
        parser().error(f"{options.command} does not know {' '.join(more)}")
    try:
        with ended_by_signals():
            status = _dispatch(options, more)
        if sys.stdout is not None:
            sys.stdout.flush()  # here, where a closed pipe can still be caught
        return status
    except SetupError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # `| head -1` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        print(f"\n{_cannot(options.command, error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. Run it again to go on from there.", file=sys.stderr)
        return 130


def _cannot(command: str, error: OSError) -> str:
    """One sentence for a file or folder that a command could not use, or for its output."""
    what = error.strerror or str(error) or type(error).__name__
    if error.filename is None:
        return f"`{command}` did not finish: {what}. Is there room where its output goes?"
    return (
        f"`{command}` did not finish because of {error.filename} ({what}): check who "
        "owns the folder and that it can be written, or name another in COURSE_HOME."
    )


def _dispatch(options: argparse.Namespace, more: list[str]) -> int:
    if options.command == "lab":
        return _lab(browser=not options.no_browser, only=options.prepare_only, more=more)
    if options.command == "test":
        return _test(quick=options.quick, more=more)
    if options.command == "build":
        from course.press import notebooks as press

        return press.main(["--check"] if options.check else [])
    if options.command == "doctor":
        return _doctor()
    if options.command == "dev":
        return _dev(options.what, options.exercise)
    if options.command == "datasets":
        from course import datasets

        print(datasets.available())
        return 0
    from course.setup import state

    return state.status() if options.command == "status" else state.reset(ask=not options.yes)


def _lab(*, browser: bool, only: bool, more: Sequence[str]) -> int:
    from course.setup import lab

    environment = find()
    prepare(environment, [requirements.LAB])
    if only:
        return 0
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    command = lab.command(environment, ROOT, browser=browser, more=more, as_root=as_root)
    chapter = lab.first_chapter() or "its launcher"
    print(f"Opening JupyterLab at {chapter}. Press Ctrl-C twice here to stop it.", file=sys.stderr)
    return _become(command, lab.environ(os.environ))


def _test(*, quick: bool, more: Sequence[str]) -> int:
    from course.setup import testing

    environment = find()
    prepare(environment, [requirements.LAB, requirements.TEST])
    return testing.run(environment, quick=quick, more=more)


def _dev(what: str, exercise: str) -> int:
    environment = find()
    prepare(environment, [requirements.LAB, requirements.TEST])
    command = [str(environment.python), "-m", "course.content.dev", what, exercise]
    return subprocess.call(command, cwd=ROOT)


def _doctor() -> int:
    try:
        environment = find()
        elsewhere = not _inside(environment) and _runs(environment)
    except OSError:  # a folder that cannot be looked into: the doctor names it
        elsewhere = False
    if elsewhere:
        return subprocess.call([str(environment.python), "-m", "course.setup.doctor"], cwd=ROOT)
    from course.setup import doctor

    return doctor.main()


def _runs(environment: Environment) -> bool:
    """Whether the environment's Python starts and is new enough."""
    code = "import sys; sys.exit(sys.version_info < (3, 11))"
    try:
        return subprocess.run([environment.python, "-c", code], capture_output=True).returncode == 0
    except OSError:
        return False


def _inside(environment: Environment) -> bool:
    return os.path.realpath(sys.prefix) == os.path.realpath(environment.prefix)


def _become(command: Sequence[str], environ: Mapping[str, str]) -> int:
    """Let a program take this one's place; on Windows, which cannot do that, wait for its end."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.chdir(ROOT)
    if os.name != "nt":
        os.execve(command[0], list(command), dict(environ))
    with subprocess.Popen(list(command), env=dict(environ)) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:  # it was sent to JupyterLab too, which asks what to do
                continue
