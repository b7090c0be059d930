"""Which hypotheses an answer continues in each step, and which one it takes in the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from course.checking.exercise import Case
from course.content.translation.exercises.beam_search import toy

_SHOWN = 4  # hypotheses that a sentence lists


def search(function: Callable[..., Any], failed: Sequence[Case]) -> list[str]:
    """Sentences on the first step that continues other hypotheses than it should, else on the choice in the end."""
    case = min(failed, key=lambda one: (one.sizes["max_length"], one.sizes["beam"]))
    drawn, bos_id, eos_id, beam, most, *penalty = case.args
    model = toy.model(drawn, eos_id)
    walk = toy.walk(model, bos_id, eos_id, beam, most, *penalty)
    asked: list[tuple[int, ...]] = []

    def noted(ids: Any) -> Tensor:
        if isinstance(ids, list) and all(isinstance(token, int) for token in ids):
            asked.append(tuple(ids))
        return model(ids)

    about = f"with bos_id {bos_id}, eos_id {eos_id} and a beam of {beam},"
    try:
        result = function(noted, bos_id, eos_id, beam, most, *penalty)
    except Exception:
        return []
    if not asked and most:
        return ["it never calls next_logits"]
    begins = next((ids for ids in asked if ids[:1] != (bos_id,)), None)
    if begins is not None:
        return [
            f"{about} it hands next_logits {list(begins)}; all that the model is given begins with bos_id"
        ]
    for step, live in enumerate(walk.asked):
        said = _step(step, live, [ids for ids in asked if len(ids) == step + 1], eos_id, beam)
        if said:
            return [f"{about} {said}"]
    steps = len(walk.asked)
    late = next((ids for ids in asked if len(ids) > steps), None)
    if late is not None:
        why = "no hypothesis is live" if steps < most else "max_length is reached"
        return [f"{about} it continues {list(late)} after step {steps}, when {why}"]
    said = _choice(walk, result, eos_id, most, *penalty)
    return [f"{about} {said}"] if said else []


def _step(
    step: int,
    live: Sequence[toy.Hypothesis],
    came: Sequence[tuple[int, ...]],
    eos_id: int,
    beam: int,
) -> str:
    """What is wrong with the hypotheses that step + 1 continues; nothing where they are the live ones."""
    wanted = [one.ids for one in live]
    listed = ", ".join(f"{list(one.ids)} (log p {one.log_p:.3f})" for one in live[:_SHOWN])
    listed += ", ..." if len(live) > _SHOWN else ""
    are = f"the live ones are {listed}" if len(live) > 1 else f"the only live one is {listed}"
    if not came:
        return f"it stops before step {step + 1}, although hypotheses are live: {are}"
    other = next((ids for ids in came if ids not in wanted), None)
    if other is not None and step and eos_id in other[1:]:
        return f"it continues {list(other)} in step {step + 1}, which has ended: {are}"
    if other is not None:
        return f"it continues {list(other)} in step {step + 1}, which is not live: {are}"
    left = next((ids for ids in wanted if ids not in came), None)
    if left is not None:
        return f"it doesn't continue {list(left)} in step {step + 1}: {are}"
    return ""


def _choice(walk: toy.Walk, result: Any, eos_id: int, most: int, *penalty: float) -> str:
    """How the hypotheses compete in the end, and which one the answer took; nothing where it is the best."""
    best = walk.best(*penalty)
    ranked = sorted(walk.finished + walk.cut, key=lambda one: -one.score(*penalty))

    def told(one: toy.Hypothesis) -> str:
        how = "ended" if one in walk.finished else f"cut after {most} tokens"
        return f"{list(one.ids)} ({how}, log p {one.log_p:.3f}, score {one.score(*penalty):.3f})"

    def written(one: toy.Hypothesis) -> list[int]:
        return list(one.ids[1:-1] if one in walk.finished else one.ids[1:])

    if result == written(best):
        return ""
    said = f"it continues the right hypotheses; the best is {told(best)}, so that {written(best)} is the result"
    taken = [one for one in ranked if written(one) == result and one != best]
    return (
        f"{said}, and it takes {told(taken[0])}" if taken else f"{said}, and it returns {result!r}"
    )
