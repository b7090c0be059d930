"""Kernels forked from a process that has imported torch and the course, for tests that start many.

    with forked_kernels(preload="course.checking.entry"):
        KernelManager().start_kernel(...)

Each is an ipykernel in a process of its own, with the environment and folder that it was asked for; only what
the preloaded module imports and computes is in its memory already. A kernel whose environment has STARTED is
started by its command, as everywhere, and so are all where the system has no file descriptors of processes.

Run as a program, this is the process that forks.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
STARTED = "STARTED_BY_ITS_COMMAND"
LONGEST = 1 << 20  # bytes of a request: arguments and an environment


class Process:
    """A forked kernel's process, as whoever asked for it sees it: `subprocess.Popen`, but for the exit status."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._ends = os.pidfd_open(pid)

    def poll(self) -> int | None:
        """0 when it has ended, however that was; None before."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end."""
        if self.returncode is None and not select.select([self._ends], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired("a forked kernel", timeout or 0)
        self.returncode = 0
        return 0

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._ends, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)

    def __del__(self) -> None:
        os.close(self._ends)


@contextlib.contextmanager
def forked_kernels(preload: str) -> Iterator[None]:
    """Let jupyter_client, in this process, have its kernels forked from one that has imported `preload`."""
    if not hasattr(os, "pidfd_open"):
        yield
        return
    from jupyter_client.provisioning import local_provisioner

    start = local_provisioner.launch_kernel
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

    def launch(command: list[str], *, env: dict[str, str], cwd: str, **options: Any) -> Any:
        if STARTED in env:
            return start(command, env=env, cwd=cwd, **options)
        request = {"arguments": command[3:], "env": env, "cwd": str(cwd)}
        here.sendall(json.dumps(request).encode())
        return Process(int(here.recv(LONGEST)))

    program = [sys.executable, "-m", "tests.forked", str(there.fileno()), preload]
    number = there.fileno()
    forks = subprocess.Popen(program, cwd=ROOT, stdin=subprocess.DEVNULL, pass_fds=[number])
    there.close()
    local_provisioner.launch_kernel = launch
    try:
        yield
    finally:
        local_provisioner.launch_kernel = start
        here.close()
        forks.wait()


def main() -> None:
    """Import what is preloaded, then fork a kernel for each request, until nobody can ask for more."""
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # it is for the tests, which end this process by the line
    line = socket.socket(fileno=int(sys.argv[1]))
    import ipykernel.kernelapp  # noqa: F401

    importlib.import_module(sys.argv[2])
    from course.system import forking

    while request := line.recv(LONGEST):
        _reap()
        if forking.fork() == 0:
            os.setsid()  # before the answer: a kernel's whole group gets its signals
            line.send(str(os.getpid()).encode())
            line.close()
            run_kernel(**json.loads(request))
            return


def _reap() -> None:
    """Let go of kernels that have ended; whoever asked for them has their file descriptors by now."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass


def run_kernel(arguments: list[str], env: dict[str, str], cwd: str) -> None:
    """Be `python -m ipykernel_launcher` with these arguments."""
    import ipywidgets
    from ipykernel.kernelapp import IPKernelApp

    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(env, JPY_PARENT_PID=str(os.getppid()))
    os.chdir(cwd)
    sys.argv = ["ipykernel_launcher", *arguments]
    app = IPKernelApp.instance()
    app.initialize(arguments)
    ipywidgets.register_comm_target()  # done at its import, where that happens in a kernel
    app.start()


if __name__ == "__main__":
    main()
