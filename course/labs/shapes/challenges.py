"""The shape tracer's tasks."""

from __future__ import annotations

from typing import Any

from course.labs.challenges import Challenge, Tasks
from course.labs.shapes.settings import Selection, Settings
from course.labs.shapes.steps import KINDS
from course.labs.shapes.trace import Trace


def _pairs(lab: Any) -> bool:
    """The step shown has a number for each two tokens."""
    seen: tuple[Settings, Selection, Trace] = lab.pictured()
    _, chosen, trace = seen
    return KINDS[trace.steps[chosen.step].kind].axes.endswith("S S")


def _zero(lab: Any) -> bool:
    """The weight of a real token at padding is chosen."""
    seen: tuple[Settings, Selection, Trace] = lab.pictured()
    _, chosen, trace = seen
    step, padding = trace.steps[chosen.step], trace.padding[chosen.item]  # (S,)
    if step.kind != "softmax" or chosen.column >= len(padding):
        return False
    weight = float(step.numbers[chosen.item, chosen.head, chosen.row, chosen.column])
    return bool(padding[chosen.column]) and not bool(padding[chosen.row]) and weight == 0


def _most(lab: Any) -> bool:
    """The step shown has a number for each two tokens, and no step has more numbers."""
    seen: tuple[Settings, Selection, Trace] = lab.pictured()
    _, chosen, trace = seen
    sizes = [step.numbers.size for step in trace.steps]
    return _pairs(lab) and sizes[chosen.step] == max(sizes)


def _quadratic(lab: Any) -> bool:
    """A trained encoder's scores are more numbers than its tokens' vectors."""
    seen: tuple[Settings, Selection, Trace] = lab.pictured()
    asked, _, trace = seen
    size = trace.sizes
    return asked.encoder != "fresh" and trace.heads * size["S"] > size["D"]


TASKS = Tasks(
    "shapes",
    (
        Challenge(
            "pairs",
            "Find a step whose result has a number for every two tokens of a text.",
            "Its shape has S twice.",
            "Scores, mask and softmax alone have a number for every two tokens, a square for each head; "
            "by these weights the weighted sum then mixes the tokens. Everything else in a layer works "
            "on each token by itself.",
            _pairs,
        ),
        Challenge(
            "zero",
            "Choose a weight that is exactly 0: a real token's at [PAD].",
            "The step softmax, and the shorter one of two texts. A cell to the right, under [PAD].",
            "The step before set its score to −∞, and e to the power −∞ is 0, not only small. So "
            "however much padding a batch needs, it changes nothing in the other tokens.",
            _zero,
        ),
        Challenge(
            "most",
            "In a fresh encoder, make the scores the step with the most numbers of all, and choose it.",
            "The scores are H · S numbers for each token. Against them stand 3 · D of the in-projection "
            "and F of the feed-forward part. More heads, a longer text or a smaller F do it.",
            "With short texts the feed-forward part is usually the largest: it widens each token from D "
            "to F, four times D in MiniLM. The scores have no D, but S twice, and overtake it in long "
            "ones: in MiniLM beyond 128 tokens.",
            _most,
        ),
        Challenge(
            "quadratic",
            "In MiniLM or your own encoder, type a text so long that the scores are more numbers than the "
            "vectors of its tokens.",
            "There are H · S numbers for each token in the scores, and D in its vector.",
            "Twice the tokens are twice the vectors and four times the scores. With 12 heads and 384 "
            "numbers the two are equal at 32 tokens.",
            _quadratic,
        ),
    ),
)
