"""Makes and mends the environment: what `python3 -m course` does before it opens anything.

The order makes it safe to stop at any moment and to run it again: the stamp says "preparing"
before the first change and "ready" after the last; what lies between is looked at afresh.
"""

from __future__ import annotations

import errno
import importlib.util
import shutil
import sys
from collections.abc import Collection, Iterable
from pathlib import Path

from course.setup import ROOT, SetupError, requirements, torch_build, trouble
from course.setup.environment import (
    Environment,
    Machine,
    free_gigabytes,
    in_the_way,
    path_file,
    prepared_extras,
    write_stamp,
)
from course.setup.installer import Installer, Work, installing_environ
from course.setup.look import Probe, look
from course.setup.runner import Progress, locked, run

GIGABYTES = {False: 3, True: 9}  # of disk, without and with CUDA
_TO_BEGIN = 0.1  # for venv and pip alone; a broken environment may hold the rest of the room
_IMPORTS = {
    requirements.LAB: "torch, numpy, ipywidgets, anywidget, plotly, safetensors, jupyterlab",
    requirements.TEST: "pytest, nbval, hypothesis, playwright",
}
# Python compiles what it imports for the first time. What torch imports late, by itself, is compiled
# now, so that no cell waits for it; a torch without one of these runs as well.
_LATE = """import contextlib
with contextlib.suppress(Exception): import torch._dynamo, torch.distributed.tensor"""


def prepare(
    environment: Environment,
    extras: Iterable[str],
    root: Path = ROOT,
    machine: Machine | None = None,
    progress: Progress | None = None,
) -> bool:
    """Put these extras' packages into the environment; False where they were there already.

    Raises:
        SetupError: says in one sentence why it failed and what to do.
    """
    digest, wanted = requirements.digest(root), frozenset(extras)
    there = prepared_extras(environment, digest, root)
    if there is not None and wanted <= there:
        return False
    work = _Preparation(environment, root, machine or Machine(), progress or Progress())
    try:
        with locked(environment.lock, waiting=work.wait):
            there = prepared_extras(environment, digest, root)  # another process may have done it
            if there is not None and wanted <= there:
                return False
            work.do(wanted | (there or frozenset()), digest)
    except OSError as error:
        raise SetupError(_unwritable(error, environment)) from error
    return True


def _unwritable(error: OSError, environment: Environment) -> str:
    """One sentence for a file that the preparation could not write, named as it is."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        prefix = str(environment.prefix)
        return trouble.reason([str(error)], 1, "", prefix, GIGABYTES[False])
    return (
        f"{error.filename or environment.prefix} cannot be used ({error.strerror or error}): check "
        "who owns it and its folder; a course that lies in a read-only place has to be copied to a "
        "folder of your own."
    )


class _Preparation:
    """One run of the preparation, under the lock."""

    def __init__(
        self, environment: Environment, root: Path, machine: Machine, progress: Progress
    ) -> None:
        self.environment, self.root = environment, root
        self.machine, self.progress = machine, progress

    def wait(self) -> None:
        self.progress.say("Another preparation of this environment is running; waiting for it.")

    def do(self, extras: Collection[str], digest: str) -> None:
        again = self.environment.stamp.exists()
        if self.environment.own and not self._usable():
            self._make()
        probe = look(self.environment, check_files=self.environment.own and again)
        self._check_python(probe)
        write_stamp(self.environment, "preparing", digest, extras, self.root)
        for folder in probe.damaged:  # so that the installer puts the package there anew
            shutil.rmtree(folder, ignore_errors=True)
        self._install(probe, extras)
        path_file(probe.purelib, self.root)
        with self.progress.step("Trying it out"):
            self._try_out(extras)
        write_stamp(self.environment, "ready", digest, extras, self.root)
        self.progress.say("The environment is ready.")

    def _usable(self) -> bool:
        """Whether .venv/ is whole, has a Python that runs and will do, and a way to install."""
        if not self.environment.python.with_name("activate").exists():  # venv writes it last
            return False
        try:
            probe = look(self.environment, check_files=False)
        except SetupError:
            return False
        if probe.python < (3, 11):
            return False
        return probe.pip or Installer.find(self.environment.python, has_pip=False) is not None

    def _make(self) -> None:
        prefix, version = self.environment.prefix, sys.version.split()[0]
        if wrong := in_the_way(prefix):
            raise SetupError(wrong)
        self._check_space(_TO_BEGIN)
        self.progress.say(f"Making an environment for the course in {prefix} (Python {version}).")
        has_ensurepip = importlib.util.find_spec("ensurepip") is not None
        if not has_ensurepip and Installer.find(self.environment.python, has_pip=False) is None:
            raise SetupError(missing_venv(sys.version_info[:2]))
        command = [sys.executable, "-m", "venv", "--clear", str(prefix)]
        lines: list[str] = []
        with self.progress.step("Making it"):
            status = run(command + ([] if has_ensurepip else ["--without-pip"]), lines.append)
        if status != 0:
            self._check_space(_TO_BEGIN)  # a full disk too makes the step with ensurepip fail
            if "ensurepip is not available" in "\n".join(lines):
                raise SetupError(missing_venv(sys.version_info[:2]))
            raise SetupError(self._why(lines, status, version))

    def _check_space(self, need: float) -> None:
        """Raise SetupError where the environment's disk has fewer gigabytes left."""
        free = free_gigabytes(self.environment.prefix)
        if free < need:
            raise SetupError(
                f"The disk of {self.environment.prefix} has {free:.1f} GB left and the course needs "
                f"about {max(need, GIGABYTES[False])} GB: make room and run this again."
            )

    def _check_python(self, probe: Probe) -> None:
        if probe.python < (3, 11):
            raise SetupError(
                f"The active environment {self.environment.prefix} has Python {probe.version}, and "
                "the course needs 3.11 or newer: leave it (`deactivate`) and run this again."
            )

    def _install(self, probe: Probe, extras: Collection[str]) -> None:
        kept = {} if self.environment.own else probe.installed
        pins = {
            name: version
            for name, version in requirements.pins(self.root).items()
            if name not in {requirements.normal(one) for one in kept}
        }
        installer = Installer.find(self.environment.python, probe.pip)
        if installer is None:
            raise SetupError(missing_venv(probe.python[:2]))
        build = None
        if "torch" not in {requirements.normal(name) for name in probe.installed}:
            build = self._choose_torch(pins["torch"], installer)
        self._announce(probe, build, extras)
        with self.environment.log.open("w", encoding="utf-8") as log:
            work = Work(installer, self.progress, log, installing_environ(self.machine.environ))
            if build and (build.index or build.folders):
                pins["torch"] = self._install_torch(work, build, pins["torch"])
            wanted = requirements.requirements(sorted(extras), self.root)
            with self.progress.step("The packages"):
                status = work.install(wanted, pins, places(build))
            if status != 0 and self.environment.own and trouble.is_conflict(work.lines):
                self.progress.say(
                    "The tested versions cannot all be had for this Python; "
                    "taking the newest that the course admits."
                )
                with self.progress.step("The packages"):
                    status = work.install(wanted, {"torch": pins["torch"]}, places(build))
        if status != 0:
            why = self._why(work.lines, status, probe.version, build)
            raise SetupError(f"{why} (All that was said: {self.environment.log})")

    def _install_torch(self, work: Work, build: torch_build.Build, version: str) -> str:
        """Install the chosen build by itself; the version to hold on to, such as 2.13.0+cpu.

        It goes without its dependencies, which the index of CPU builds has in part only. Should it
        fail, the version is returned as it came, and PyTorch comes with the other packages.
        """
        index = ["--index-url", build.index] if build.index else []
        with self.progress.step("PyTorch"):
            work.install([f"torch=={version}"], {}, ["--no-deps", *index, *places(build)])
        return look(self.environment, check_files=False).installed.get("torch", version)

    def _why(
        self, lines: list[str], status: int, version: str, build: torch_build.Build | None = None
    ) -> str:
        gigabytes = GIGABYTES[bool(build and build.megabytes > 1000)]
        return trouble.reason(lines, status, version, str(self.environment.prefix), gigabytes)

    def _choose_torch(self, version: str, installer: Installer) -> torch_build.Build:
        return torch_build.choose(
            self.machine,
            version,
            torch_build.has_nvidia_gpu,
            torch_build.cpu_index_answers,
            lambda: torch_build.find_links(self.machine.environ, installer.pip_config()),
        )

    def _announce(
        self, probe: Probe, build: torch_build.Build | None, extras: Collection[str]
    ) -> None:
        """Say beforehand what will be fetched, how much it is, and where it goes."""
        say, megabytes = self.progress.say, 250 + 90 * (requirements.TEST in extras)
        if self.environment.own:
            say("The course's packages go into .venv/; nothing outside of this folder is changed.")
        else:
            say(
                f"The active {self.environment.kind} environment {self.environment.prefix} is used: "
                "what it has and the course can work with stays as it is, what is missing is added."
            )
        if probe.damaged:
            say(f"{len(probe.damaged)} packages are incomplete and will be put there anew.")
        if build:
            size = f", about {build.megabytes} MB" if build.megabytes else ""
            say(f"To fetch: {build.what}{size};")
            say(
                f"          JupyterLab, a small pretrained encoder and the rest, about {megabytes} MB."
            )
            self._check_space(GIGABYTES[build.megabytes > 1000])
        else:
            say("To fetch: only what is missing.")

    def _try_out(self, extras: Collection[str]) -> None:
        """Import the packages that matter: an installation can be complete and still not run."""
        modules = ", ".join(_IMPORTS[extra] for extra in sorted(extras) if extra in _IMPORTS)
        lines: list[str] = []
        # Isolated (-I), so that it does not matter where this is started.
        code = f"import {modules}, course, encoder_core\n{_LATE}"
        status = run([self.environment.python, "-I", "-c", code], lines.append)
        if status != 0:
            last = next((line for line in reversed(lines) if line.strip()), f"status {status}")
            raise SetupError(
                f"The packages are installed but do not load here ({last}): remove the folder "
                f"{self.environment.prefix} and run this again."
                if self.environment.own
                else f"The packages are installed but do not load here ({last}): leave the "
                "environment (`deactivate`) and run this again, so that the course makes its own."
            )


def missing_venv(version: tuple[int, ...]) -> str:
    """What to install where Python lacks the means to make an environment."""
    name = f"python{version[0]}.{version[1]}-venv"
    if shutil.which("apt-get"):
        return (
            "This Python cannot make environments, because Debian and Ubuntu keep that in a "
            f"package of its own: run `sudo apt-get install {name}` and then this again."
        )
    return (
        "This Python has neither ensurepip nor pip: install your system's packages for "
        f"Python {version[0]}.{version[1]}'s venv and pip, or uv, and run this again."
    )


def places(build: torch_build.Build | None) -> list[str]:
    """The installer's options for the local folders in which the build was found."""
    return [
        part for folder in (build.folders if build else ()) for part in ("--find-links", folder)
    ]
