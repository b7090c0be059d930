"""What installers say when they fail, and what the learner is told."""

from __future__ import annotations

import pytest

from course.setup import trouble

SAYINGS = [
    (
        "WARNING: Retrying (Retry(total=4, connect=None)) after connection broken by "
        "'NewConnectionError(': Failed to establish a new connection: [Errno -3] Temporary failure "
        "in name resolution')': /simple/numpy/\n"
        "ERROR: Could not find a version that satisfies the requirement numpy>=2.0 (from versions: none)\n"
        "ERROR: No matching distribution found for numpy>=2.0",
        "check the network",
    ),
    (
        "error: Failed to fetch: `https://example.org/simple/numpy/`\n  dns error",
        "check the network",
    ),
    ("ReadTimeoutError: Read timed out.", "check the network"),
    ("SSLError(SSLCertVerificationError: certificate verify failed: self-signed", "certificate"),
    (
        "ERROR: Could not install packages due to an OSError: [Errno 28] No space left",
        "disk is full",
    ),
    ("ERROR: [Errno 13] Permission denied: '/opt/env/lib'", "cannot be written"),
    (
        "ERROR: Could not find a version that satisfies the requirement torch==2.13.0 (from versions: )",
        "no build of torch",
    ),
    ("ERROR: ResolutionImpossible: for help visit", "conflict"),
    ("  × No solution found when resolving dependencies:", "conflict"),
    ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "damaged"),
    ("ERROR: Failed building wheel for debugpy", "could not be compiled"),
]


@pytest.mark.parametrize(("said", "answer"), SAYINGS)
def test_each_failure_has_its_sentence(said: str, answer: str) -> None:
    sentence = trouble.reason(said.splitlines(), 1, "3.11.2", "/env", 3)
    assert answer in sentence
    assert "{" not in sentence


def test_an_installer_that_was_stopped_for_want_of_memory() -> None:
    assert "memory" in trouble.reason(["Collecting torch"], -9, "3.11.2", "/env", 3)


def test_what_nobody_foresaw_is_quoted() -> None:
    said = ["Collecting torch", "ERROR: something new", "note: at the end"]
    assert trouble.reason(said, 1, "3.11.2", "/env", 3).endswith("ERROR: something new")
    assert "it said nothing" in trouble.reason([], 1, "3.11.2", "/env", 3)


def test_only_what_depends_on_the_versions_is_a_conflict() -> None:
    assert trouble.is_conflict(["ERROR: ResolutionImpossible: for help visit"])
    assert trouble.is_conflict(["ERROR: No matching distribution found for numpy==9.9"])
    unreached = ["Failed to establish a new connection: getaddrinfo failed"]
    assert not trouble.is_conflict([*unreached, "ERROR: ResolutionImpossible: for help visit"])
    assert not trouble.is_conflict(["ERROR: No space left on device"])
