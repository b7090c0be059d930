"""What it costs that `check` tries an answer in a child process: the same checks in this process beside it.

    python benchmarks/check_isolation.py [--rounds 7] [--write]

For each exercise its model solution and one of its listed mistakes are checked in both ways, in one
process, in random order, after both ways ran once. A round's ratio compares two checks of the same answer
that ran close to one another; the table gives medians over the rounds. Computing time is that of this
process and of the child together; the clock's time depends on what else the machine does.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ["COURSE_HOME"] = tempfile.mkdtemp()

from course.checking import check  # noqa: E402
from course.checking.exercise import build  # noqa: E402
from course.content import exercises  # noqa: E402
from course.sandbox import isolated  # noqa: E402

MISTAKES = 1  # of each exercise
WAYS = ("in a child", "in this process")
Times = tuple[float, float]  # clock, computing; in milliseconds


def answers(exercise_id: str) -> dict[str, Callable[..., Any]]:
    """The model solution, as if a learner had written it, and mistakes."""
    exercise = exercises.get(exercise_id)
    picked = random.Random(exercise_id).sample(
        exercise.mistakes, min(MISTAKES, len(exercise.mistakes))
    )
    made = {mistake.id: exercise.mistaken(mistake) for mistake in picked}
    return {"model": build(exercise_id, exercise.model_source), **made}


def timed(exercise_id: str, answer: Callable[..., Any], way: str) -> Times:
    """One check."""
    os.environ[isolated.IN_PROCESS] = "0" if way == WAYS[0] else "1"
    clock, computing = time.perf_counter(), _computed()
    check(exercise_id, answer)
    return 1000 * (time.perf_counter() - clock), 1000 * (_computed() - computing)


def _computed() -> float:
    return sum(os.times()[:4]) if sys.platform != "linux" else _precise()


def _precise() -> float:
    import resource

    both = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in both)


def measured(exercise_id: str, rounds: int) -> list[tuple[str, list[tuple[Times, Times]]]]:
    """For each answer the rounds' times, in a child and in this process."""
    found = []
    for name, answer in answers(exercise_id).items():
        for way in WAYS:
            timed(exercise_id, answer, way)
        pairs = []
        for _ in range(rounds):
            order = random.sample(WAYS, 2)
            times = {way: timed(exercise_id, answer, way) for way in order}
            pairs.append((times[WAYS[0]], times[WAYS[1]]))
        found.append((name, pairs))
    return found


def processor() -> str:
    """What the machine computes with."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"


def row(name: str, pairs: list[tuple[Times, Times]]) -> str:
    """A line of the table."""
    cells = [name]
    for what in (0, 1):
        child, here = (statistics.median(pair[way][what] for pair in pairs) for way in (0, 1))
        ratio = statistics.median(one[what] / other[what] for one, other in pairs)
        cells += [f"{here:.0f}", f"{child:.0f}", f"{ratio:.2f}"]
    return "| " + " | ".join(cells) + " |"


def report(rounds: int) -> str:
    """The whole table."""
    rows: dict[str, list[str]] = {"right": [], "wrong": []}
    every: dict[str, list[list[tuple[Times, Times]]]] = {"right": [], "wrong": []}
    load = os.getloadavg()[0]
    for exercise_id in exercises.ids():
        for name, pairs in measured(exercise_id, rounds):
            kind = "right" if name == "model" else "wrong"
            every[kind].append(pairs)
            rows[kind].append(row(exercise_id + ("" if kind == "right" else f", {name}"), pairs))
            print(rows[kind][-1], flush=True)
    lines = [
        "# What the child process costs a check",
        "",
        "Made by `benchmarks/check_isolation.py`: whole checks in milliseconds, medians.",
        f"CPU: {processor()}, {os.cpu_count()} cores. Load average (1 minute) before and after: "
        f"{load:.1f} and {os.getloadavg()[0]:.1f}. Python {platform.python_version()}.",
    ]
    for kind, text in rows.items():
        lines += [
            "",
            f"## {kind.capitalize()} answers",
            "",
            *summary(every[kind]),
            "",
            *_HEAD,
            *text,
        ]
    return "\n".join(lines) + "\n"


_HEAD = (
    "| answer | clock: here | in a child | ratio | computing: here | in a child | ratio |",
    "|---|---|---|---|---|---|---|",
)


def summary(every: list[list[tuple[Times, Times]]]) -> list[str]:
    """The medians over all answers, and the ratio of the sums."""
    said = []
    for what, name in ((0, "Clock"), (1, "Computing")):
        ratios = [statistics.median(a[what] / b[what] for a, b in pairs) for pairs in every]
        more = [statistics.median(a[what] - b[what] for a, b in pairs) for pairs in every]
        sums = [
            sum(statistics.median(p[way][what] for p in pairs) for pairs in every) for way in (0, 1)
        ]
        said.append(
            f"{name}: the median of the ratios is {statistics.median(ratios):.2f}, of the differences "
            f"{statistics.median(more):.0f} ms; all checks together take {sums[0] / sums[1]:.2f} times as long."
        )
    return ["  \n".join(said)]


def main() -> None:
    """Measure, print, and with --write keep the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    text = report(arguments.rounds)
    print(text)
    if arguments.write:
        (ROOT / "benchmarks" / "results" / "check_isolation.md").write_text(text)


if __name__ == "__main__":
    main()
