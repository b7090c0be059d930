"""Nothing leaves the machine: what would, while a notebook runs, is noticed and refused."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def host_asked_for(event: str, arguments: Any) -> str | None:
    """The host outside of this machine that an audit event is about; None where it is about none."""
    if event == "socket.getaddrinfo":
        host = arguments[0]
    elif event in ("socket.connect", "socket.sendto") and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    else:
        return None
    host = host.decode() if isinstance(host, bytes) else host
    if host in (None, "", "localhost", "::1", "0.0.0.0") or str(host).startswith("127."):
        return None
    return str(host)


# Runs in every Python of a notebook before anything else: what would leave the machine is written down and refused.
NO_NETWORK = f"""
from __future__ import annotations
import os
import sys


{inspect.getsource(host_asked_for)}

def _refuse(event, arguments):
    host = host_asked_for(event, arguments)
    if host is not None:
        with open(os.environ["COURSE_TEST_NETWORK"], "a") as file:
            file.write(f"{{event}} {{host}}\\n")
        raise OSError(f"no network in this test: {{event}} {{host}}")


sys.addaudithook(_refuse)
"""

_state = {"enforced": False, "hooked": False}
_asked: list[str] = []


@contextmanager
def enforced() -> Iterator[None]:
    """Refuse in this process what would leave the machine; it fails what asks for it, caught or not."""
    if not _state["hooked"]:  # a hook stays until the process ends
        sys.addaudithook(_refuse_here)
        _state["hooked"] = True
    _asked.clear()
    _state["enforced"] = True
    try:
        yield
    finally:
        _state["enforced"] = False
    assert _asked == [], "it would have left the machine"


def _refuse_here(event: str, arguments: Any) -> None:
    if not _state["enforced"] or not event.startswith("socket."):
        return
    host = host_asked_for(event, arguments)
    if host is not None:
        _asked.append(host)
        raise OSError(f"no network in this test: {event} {host}")
