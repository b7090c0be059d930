"""Why an installation failed, in one sentence, from what the installer said."""

from __future__ import annotations

import re
from collections.abc import Sequence

_CONFLICT = r"resolutionimpossible|conflicting dependencies|no solution found"
_NO_SUCH_VERSION = (
    r"(no matching distribution found for|could not find a version that satisfies the "
    r"requirement|there is no version of|no wheels? .* for) (?P<package>[\w.\-]+)"
)

# The first pattern that fits wins: an installer that cannot reach its index also says, later,
# that it found no such package.
_CAUSES = (
    (
        r"no space left on device|errno 28|disk quota exceeded|not enough space on the disk",
        "The disk is full: the course needs about {gigabytes} GB; make room and run this again.",
    ),
    (
        r"certificate.verify.failed|sslerror|invalid peer certificate|self.signed certificate",
        "The package index could not be reached safely, because its certificate is not trusted "
        "here: behind a company's proxy, name its certificate in SSL_CERT_FILE and PIP_CERT.",
    ),
    (
        r"name resolution|name or service not known|nodename nor servname|getaddrinfo failed"
        r"|newconnectionerror|connection (refused|reset|aborted|broken)|timed out|proxyerror"
        r"|network is unreachable|max retries exceeded|dns error|error sending request"
        r"|failed to fetch|incompleteread",
        "The package index could not be reached, or the connection broke: check the network "
        "(and HTTPS_PROXY, if you are behind a proxy) and run this again; it goes on from there.",
    ),
    (
        r"permission denied|errno 13|access is denied|read-only file system",
        "The environment cannot be written: check who owns the folder {prefix}, "
        "and that no program holds files in it open.",
    ),
    (
        r"do not match the hashes|hash mismatch|bad magic number for file|badzipfile",
        "A download arrived damaged: run this again.",
    ),
    (
        _NO_SUCH_VERSION,
        "There is no build of {package} for this Python ({python}) on this system: "
        "use a Python from 3.11 to 3.14, 64 bits, or a conda environment from environment.yml.",
    ),
    (
        _CONFLICT,
        "The packages that are in this environment, or this Python ({python}), conflict with the "
        "course's: leave the environment (`deactivate`), so that the course makes its own.",
    ),
    (
        r"failed building wheel|failed to build|metadata-generation-failed|error: command .*gcc",
        "A package has no ready-made build for this Python ({python}) and could not be compiled: "
        "use a Python from 3.11 to 3.14, 64 bits.",
    ),
    (r"memoryerror", "The memory was not enough for the installation: close other programs."),
)


def is_conflict(lines: Sequence[str]) -> bool:
    """Whether the installer failed because some versions cannot be had, or not together."""
    pattern, _, _ = _cause(lines)
    return pattern in (_CONFLICT, _NO_SUCH_VERSION)


def _cause(lines: Sequence[str]) -> tuple[str, str, str]:
    """The pattern that fits, its sentence, and the package that it names; empty where none fits."""
    text = "\n".join(lines)
    for pattern, sentence in _CAUSES:
        if match := re.search(pattern, text, re.IGNORECASE):
            return pattern, sentence, match.groupdict().get("package", "")
    return "", "", ""


def reason(lines: Sequence[str], status: int, python: str, prefix: str, gigabytes: int) -> str:
    """One sentence for what the installer said before it ended with this exit status."""
    _, sentence, package = _cause(lines)
    if sentence:
        return sentence.format(package=package, python=python, prefix=prefix, gigabytes=gigabytes)
    if status in (-9, 137):
        return "The system stopped the installer, most likely for want of memory: close programs."
    errors = [line for line in lines if re.match(r"\s*(error|×)", line, re.IGNORECASE)]
    last = (errors or [line for line in lines if line.strip()] or ["it said nothing"])[-1].strip()
    return f"The installer failed with: {last}"
