"""What the general search and the exercises' own searches tell of wrong answers: shares and times.

    python3 -m benchmarks.searches new FOLDER     wrong answers in TOML files: exercise, source, must_name
    python3 -m benchmarks.searches unlisted       those that no mistake is (wrong.txt)
    python3 -m benchmarks.searches listed [STEP]  every STEP-th listed mistake, without its own entry

A telling is apt by this count when it names one of the words of `must_name`. Where there are none: the words
are those of the mistake's sentence that the exercise's other mistakes use rarely (listed); for unlisted ones
the share is of those of which anything more than "wrong numbers" is said.
"""

from __future__ import annotations

import json
import re
import statistics
import sys
import time
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

from course.checking import checks
from course.checking.exercise import build
from course.checking.explain import diagnosis, findings, first_step
from course.content import dev, exercises
from course.sandbox import guards

MODES = ("special searches only", "general only", "both", "neither")
EMPTY = ("right shape and wrong numbers", "numbers are wrong", "the largest difference is at")


def main() -> None:
    """Measure one set; its rows are printed, and kept as JSON lines beside the table."""
    kind, *rest = sys.argv[1:]
    guards.SECONDS = 1.0
    diagnosis.PAIR_SECONDS = 0.0
    sets: dict[str, Any] = {"new": _new, "unlisted": _unlisted, "listed": _listed}
    rows = []
    out = Path(f"searches-{kind}.jsonl")
    with out.open("w") as file:
        for answer in sets[kind](*rest):
            row = _measured(*answer)
            if row is not None:
                rows.append(row)
                file.write(json.dumps(row) + "\n")
                file.flush()
    _print(kind, rows)


def _new(folder: str) -> Iterator[tuple[str, str, str, list[str], bool]]:
    for path in sorted(Path(folder).glob("*.toml")):
        for entry in tomllib.loads(path.read_text())["wrong"]:
            yield entry["exercise"], entry["id"], entry["source"], entry["must_name"], False


def _unlisted() -> Iterator[tuple[str, str, str, list[str], bool]]:
    for exercise_id in exercises.ids():
        for answer in dev.wrong_answers(exercise_id):
            yield exercise_id, answer.name, answer.source, [], False


def _listed(step: str = "1") -> Iterator[tuple[str, str, str, list[str], bool]]:
    every = [(i, m) for i in exercises.ids() for m in exercises.get(i).mistakes]
    for exercise_id, mistake in every[:: int(step)]:
        exercise = exercises.get(exercise_id)
        others = [_words(m.says) for m in exercise.mistakes if m is not mistake]
        rare = [
            w for w in _words(mistake.says) if sum(w in other for other in others) < len(others) / 5
        ]
        yield exercise_id, mistake.id, exercise.mistaken_source(mistake), sorted(rare), True


def _words(text: str) -> set[str]:
    return {word[:6] for word in re.findall(r"[a-z_]{4,}", text.lower())}


def _measured(
    exercise_id: str, name: str, source: str, must: list[str], leave_out: bool
) -> dict[str, Any] | None:
    """What is said in each mode, of an answer whose values are wrong; None of any other."""
    exercise = exercises.get(exercise_id)
    kept = tuple(m for m in exercise.mistakes if not (leave_out and m.id == name))
    exercise = replace(exercise, mistakes=kept)
    try:
        answer = build(exercise_id, source)
        with guards.apart():
            trials = checks.tried(exercise, answer, 0)
            if not trials or not any(t.failed for t in trials):
                return None
            first = findings.smallest(trials)
            if first.difference is None or first.difference.kind != "values":
                return None
            if first.probe.mode == "gradient":
                return None
            named = diagnosis.explain(exercise, trials)
            row: dict[str, Any] = {"exercise": exercise_id, "name": name, "must": must}
            row["named"] = [m.id for m in named]
            for mode in MODES:
                special = exercise if mode in MODES[::2] else replace(exercise, finds=None)
                off = mock.patch.object(first_step, "describe", return_value=[])
                started = time.perf_counter()
                if mode in MODES[1:3]:
                    told = findings.describe(special, answer, trials)
                else:
                    with off:
                        told = findings.describe(special, answer, trials)
                spent = time.perf_counter() - started
                says = " ".join([m.says for m in named] + told)
                row[mode] = {"told": told, "apt": _apt(says, told, must, named), "seconds": spent}
            started = time.perf_counter()
            row["search"] = first_step.describe(exercise, answer, trials)
            row["search_seconds"] = time.perf_counter() - started
            return row
    except Exception as error:
        print("left out:", exercise_id, name, type(error).__name__, error, file=sys.stderr)
        return None


def _apt(says: str, told: list[str], must: list[str], named: Any) -> bool:
    if must:
        return any(word.lower() in says.lower() for word in must)
    return bool(named) or not all(any(empty in s for empty in EMPTY) for s in told)


def _print(kind: str, rows: list[dict[str, Any]]) -> None:
    print(f"| {kind}: {len(rows)} answers | told aptly | median | p95 |\n|---|---|---|---|")
    for mode in MODES:
        times = sorted(row[mode]["seconds"] for row in rows)
        apt = sum(row[mode]["apt"] for row in rows)
        median, p95 = statistics.median(times), times[int(0.95 * (len(times) - 1))]
        print(f"| {mode} | {apt} ({apt / len(rows):.0%}) | {median:.3f} s | {p95:.3f} s |")
    print("\n| exercise | answers |", " | ".join(MODES), "|\n|" + "---|" * (len(MODES) + 2))
    for exercise_id in dict.fromkeys(row["exercise"] for row in rows):
        own = [row for row in rows if row["exercise"] == exercise_id]
        counts = " | ".join(str(sum(row[mode]["apt"] for row in own)) for mode in MODES)
        print(f"| {exercise_id} | {len(own)} | {counts} |")
    times = sorted(row["search_seconds"] for row in rows)
    found = sum(bool(row["search"]) for row in rows)
    print(f"\nthe general search says something of {found} of {len(rows)}; median", end=" ")
    print(f"{statistics.median(times):.3f} s, p95 {times[int(0.95 * (len(times) - 1))]:.3f} s")


if __name__ == "__main__":
    main()
