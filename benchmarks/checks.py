"""How long a learner waits for the report on a wrong answer.

    python benchmarks/checks.py [--of EXERCISE] [--each N] [--keep FILE] [--beside FILE] [--write]

Checks all wrong answers that the repository knows: each listed mistake, and the answers that no mistake is
(wrong.txt beside each exercise), each with `check` as in a notebook. The first check of an
exercise in a kernel computes the references too and is timed by itself, with the model solution. Times are
the clock's and the computing time of this process and its child; the ratio to a check of the model solution
does not depend on the machine. --keep saves every time and report, --beside compares with such a file.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ["COURSE_HOME"] = tempfile.mkdtemp()

from course.checking import check  # noqa: E402
from course.checking.exercise import build  # noqa: E402
from course.content import dev, exercises  # noqa: E402

SOON, LATEST = 2.0, 4.0  # seconds: at the 95th percentile, and at most
SLOWEST = 10


def wrong_answers(exercise_id: str) -> dict[str, Callable[..., Any]]:
    """All wrong answers to an exercise, ready to be checked."""
    exercise = exercises.get(exercise_id)
    found = {mistake.id: exercise.mistaken(mistake) for mistake in exercise.mistakes}
    for answer in dev.wrong_answers(exercise_id):
        found[f"unseen: {answer.name}"] = build(exercise_id, answer.source)
    return found


def timed(exercise_id: str, answer: Callable[..., Any]) -> dict[str, Any]:
    """One check: the clock's time, the computing time, and the report."""
    clock, computing = time.perf_counter(), _computed()
    report = check(exercise_id, answer)
    return {
        "clock": time.perf_counter() - clock,
        "computing": _computed() - computing,
        "status": report.status,
        "mistakes": list(report.mistakes),
        "message": report.message,
    }


def _computed() -> float:
    both = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in both)


def measured(exercise_id: str, every: int) -> dict[str, dict[str, Any]]:
    """Checks of an exercise's wrong answers, or each n-th, after two of the model solution."""
    right = build(exercise_id, exercises.get(exercise_id).model_source)
    times = {"first": timed(exercise_id, right), "model": timed(exercise_id, right)}
    for name, answer in list(wrong_answers(exercise_id).items())[::every]:
        times[name] = timed(exercise_id, answer)
        print(f"{times[name]['clock']:6.2f} s  {exercise_id}, {name}", flush=True)
    return times


def percentile(values: list[float], share: float) -> float:
    """The value below which this share of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _spread(seconds: list[float]) -> str:
    numbers = statistics.median(seconds), percentile(seconds, 0.95), max(seconds)
    return " | ".join(f"{number:.2f}" for number in numbers)


def _wrong(times: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {
        n: t for n, t in times.items() if n not in ("first", "model") and t["status"] != "passed"
    }


def said(every: dict[str, dict[str, dict[str, Any]]], before: dict[str, Any]) -> str:
    """The page of results."""
    wrong = {(e, n): t for e, times in every.items() for n, t in _wrong(times).items()}
    lines = [
        "# How long a report on a wrong answer takes",
        "",
        "Made by `benchmarks/checks.py`: wrong answers, each checked once, in seconds.",
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; "
        f"load average at the end {os.getloadavg()[0]:.1f}.",
        "",
        "| | answers | median | 95 % | longest | above 2 s | above 4 s |",
        "|---|---|---|---|---|---|---|",
    ]
    sets = [("before", {k: before[k[0]][k[1]] for k in wrong if k[1] in before.get(k[0], {})})]
    for when, times in [*(sets if before else []), ("now", wrong)]:
        for what in ("clock", "computing"):
            seconds = [t[what] for t in times.values()]
            late = (sum(s > limit for s in seconds) for limit in (SOON, LATEST))
            cells = [f"{when}, {what}", str(len(seconds)), _spread(seconds), *map(str, late)]
            lines.append("| " + " | ".join(cells) + " |")
    lines += [
        "",
        f"## The {SLOWEST} slowest",
        "",
        "| answer | clock | computing | before |",
        "|---|---|---|---|",
    ]
    for (exercise_id, name), t in sorted(wrong.items(), key=lambda x: -x[1]["clock"])[:SLOWEST]:
        was = before.get(exercise_id, {}).get(name, {}).get("clock")
        then = "" if was is None else f"{was:.2f}"
        lines.append(
            f"| {exercise_id}, {name} | {t['clock']:.2f} | {t['computing']:.2f} | {then} |"
        )
    lines += [
        "",
        "## By exercise",
        "",
        "`first` is the first check in a kernel, with the references; `model` the next check of the model",
        "solution. The ratio is the median wrong answer's computing time to the model solution's.",
        "",
        "| exercise | answers | first | model | median | 95 % | longest | ratio | longest before |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for exercise_id, times in every.items():
        seconds = [t["clock"] for t in _wrong(times).values()]
        ratio = statistics.median(t["computing"] for t in _wrong(times).values())
        ratio /= times["model"]["computing"]
        was = [t["clock"] for t in _wrong(before.get(exercise_id, {})).values()]
        lines.append(
            f"| {exercise_id} | {len(seconds)} | {times['first']['clock']:.2f} | {times['model']['clock']:.2f} "
            f"| {_spread(seconds)} | {ratio:.1f} | {f'{max(was):.2f}' if was else ''} |"
        )
    return "\n".join(lines) + "\n"


def changed(every: dict[str, Any], before: dict[str, Any]) -> Iterator[str]:
    """Which reports differ from those that were kept."""
    for exercise_id, times in every.items():
        for name, t in _wrong(times).items():
            was = before.get(exercise_id, {}).get(name)
            if was is not None and was["message"] != t["message"]:
                named = (
                    ""
                    if was["mistakes"] == t["mistakes"]
                    else f": {was['mistakes']} {t['mistakes']}"
                )
                yield f"another report: {exercise_id}, {name}{named}"


def main() -> None:
    """Measure, print, and with --write keep the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--of", action="append", help="an exercise; all, when none is given")
    parser.add_argument("--each", type=int, default=1, help="check only each n-th answer")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--beside", type=Path)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    before = json.loads(arguments.beside.read_text()) if arguments.beside else {}
    every = {one: measured(one, arguments.each) for one in arguments.of or exercises.ids()}
    if arguments.keep:
        arguments.keep.write_text(json.dumps(every))
    text = said(every, before)
    print(text, *changed(every, before), sep="\n")
    if arguments.write:
        (ROOT / "benchmarks" / "results" / "checks.md").write_text(text)


if __name__ == "__main__":
    main()
