"""Judge one right answer in another style for every exercise; at night the model solutions themselves too."""

from __future__ import annotations

import sys

import torch

from course.checking import exercise as model
from course.checking.checks import judge
from course.content import exercises
from tests.sampled import NIGHT


def main(setting: str) -> int:
    """Print what was turned down; the exit status says whether anything was."""
    capability = setting.removeprefix("ATEN_CPU_CAPABILITY=").upper()
    if setting.startswith("ATEN_CPU_CAPABILITY"):
        assert torch.backends.cpu.get_cpu_capability() == capability
    failed, judged = 0, set()
    for exercise_id in exercises.ids():
        exercise = exercises.get(exercise_id)
        answers = [exercises.right_answers(exercise_id)[0]]
        if NIGHT:
            answers.append(model.build(exercise_id, exercise.model_source))
        for answer in answers:
            report = judge(exercise, answer)
            judged.add(exercise_id)
            if report.status != "passed":
                failed += 1
                print(f"{exercise_id}, {answer!r}:\n{report.message}")
    assert judged == set(exercises.ids())
    return int(failed > 0)


if __name__ == "__main__":
    torch.set_num_threads(1)
    sys.exit(main(sys.argv[1]))
