"""How long something may compute, and how long it may wait, on a machine that may be busy.

Computing time counts, not the clock: a busy machine turns no right answer down. What waits for a
processor is not asleep; Linux says how long a thread was neither running nor waiting for its turn.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

SECONDS = 3.8  # of computing that one call may take, so that its report is there within four
ASLEEP = 2  # times as long it may sleep
WAITING = 4  # ... where the system does not tell sleep from waiting for a processor
CLOCK = 16  # ... whatever it does
IDLE = 0.05  # the share of a processor below which a process rather waits than computes

_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


@dataclass(frozen=True)
class Moment:
    """What a process had used up at one moment, in seconds."""

    clock: float
    computed: float  # by all its threads
    awake: (
        float | None
    )  # its first thread on a processor or waiting for one; None where nobody says
    running: float = 0.0  # its first thread on a processor


def now() -> Moment:
    """This process, and the thread that asks, now."""
    clock, computed = time.monotonic(), time.process_time()
    return Moment(clock, computed, *_scheduled("/proc/thread-self/schedstat"))


def of_process(pid: int) -> Moment | None:
    """Another process now; None where it is gone, or /proc does not show it."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    computed = (int(fields[11]) + int(fields[12])) / _TICKS
    return Moment(time.monotonic(), computed, *_scheduled(f"/proc/{pid}/schedstat"))


def sleeps(pid: int) -> bool:
    """Whether a process sleeps just now, and neither runs, waits for a disk nor is held by a signal."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[:1] == [b"S"]
    except OSError:
        return False


def _scheduled(path: str) -> tuple[float | None, float]:
    try:
        with open(path, "rb") as file:
            running, queued = map(int, file.read().split()[:2])
    except (OSError, ValueError):
        return None, 0.0
    return (running + queued) / 1e9, running / 1e9


def used_up(start: Moment, end: Moment, seconds: float, grace: float = 0.0) -> bool:
    """Whether what went on between two moments has computed or slept for too long."""
    clock, computed = end.clock - start.clock, end.computed - start.computed
    if computed > seconds + grace or clock > CLOCK * seconds + grace:
        return True
    if start.awake is None or end.awake is None:
        return clock > WAITING * seconds + grace and computed < IDLE * clock
    asleep = clock - (end.awake - start.awake)
    elsewhere = computed - (end.running - start.running)  # by other threads, which it waits for
    return asleep > ASLEEP * seconds + grace and elsewhere < IDLE * clock
