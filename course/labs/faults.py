"""What can go wrong in a lab, each told in a sentence that the learner reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

SECONDS = (
    8.0  # of computing that an answer may take with the learner's own; a picture is live below 0.05
)


class InvalidSetting(ValueError):
    """A setting that cannot be; its text is the sentence that the learner reads."""


class UnreadableSetting(InvalidSetting):
    """A value that no control of ours sends: it is refused, and not kept to be tried again."""


class OwnFailed(RuntimeError):
    """A learner's own module or function raised, or gave something else; the text says what."""


class OwnTooSlow(OwnFailed):
    """A learner's own did not finish in time."""


@contextmanager
def in_time(own: str | None) -> Iterator[None]:
    """Stop what the learner's own does not finish; an interrupt of the kernel may not reach it.

    JupyterLab lets a widget's messages be answered by a thread of their own, which goes on when
    the kernel is interrupted.

    Args:
        own: what the learner gave is called; None where there is nothing, and so no limit.

    Raises:
        OwnTooSlow: the block has computed for `SECONDS`, or waited four times as long.

    >>> with in_time(None):
    ...     pass
    """
    if own is None:
        yield
        return
    from course.sandbox.guards import TimeLimit, time_limit

    try:
        with time_limit(SECONDS):
            yield
    except TimeLimit:
        raise OwnTooSlow(
            f"Your {own} was stopped after {SECONDS:g} seconds of computing: is there a loop that "
            "never ends? If it is only slow, ask for something smaller."
        ) from None
