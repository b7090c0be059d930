"""The shape tracer's picture in words."""

from __future__ import annotations

import numpy as np

from course.labs.quoting import quoted
from course.labs.shapes.settings import Selection, Settings
from course.labs.shapes.steps import KINDS
from course.labs.shapes.trace import Trace
from course.labs.shapes.view import WORDS, code_of, picture, shape, source_of, within

_LETTERS = {
    "B": "texts",
    "S": "tokens",
    "D": "d_model",
    "3D": "three times d_model",
    "H": "heads",
    "Dh": "d_model / heads",
    "F": "dim_feedforward",
}


def summary(trace: Trace, chosen: Selection) -> str:
    """Where on its way the text is, and what is seen there.

    Args:
        trace: the walk.
        chosen: a selection within it.
    """
    step = trace.steps[chosen.step]
    axes = KINDS[step.kind].axes.split()
    letters = ", ".join(f"{axis} = {_LETTERS[axis]}" for axis in dict.fromkeys(axes))
    place = "" if step.layer is None else f"layer {step.layer}, "
    return " ".join(
        filter(
            None,
            [
                f"Step {chosen.step} of {len(trace.steps) - 1}: {place}{KINDS[step.kind].name}, "
                f"{shape(step)}; {letters}.",
                cell(trace, chosen),
                softmax_row(trace, chosen),
                cosine(trace, chosen),
            ],
        )
    )


def cell(trace: Trace, chosen: Selection) -> str:
    """The chosen number, and what it was in the step before where the two are alike in shape."""
    step = trace.steps[chosen.step]
    if step.kind in WORDS:
        label = trace.labels[chosen.item][chosen.row]
        number = int(trace.steps[0].numbers[chosen.item, chosen.row])
        return f"Position {chosen.row}: {quoted(label)}, number {number} of the vocabulary."
    seen = picture(trace, chosen.step, chosen)
    row, column = within(seen, chosen)
    value = float(seen.cells[row, column])
    if step.kind == "padding":
        what = "padding (True)" if np.isneginf(value) else "a token (False)"
        return f"{seen.rows[row]}, position {column}: {what}."
    to = KINDS[step.kind].axes.endswith("S S")
    place = quoted(seen.columns[column]) if to else f"number {seen.places[column]}"
    told = f"{quoted(seen.rows[row])}, {'key ' if to else ''}{place}: "
    source = source_of(trace, chosen.step)
    if source is not None:
        before = picture(trace, source, chosen)
        same = KINDS[trace.steps[source].kind].axes == KINDS[step.kind].axes
        if same and before.cells.shape == seen.cells.shape and before.places == seen.places:
            return f"{told}{_became(step.kind, float(before.cells[row, column]), value)}."
    return f"{told}{_value(value)}."


def _became(kind: str, before: float, value: float) -> str:
    """What a number was and is; of a residual, its two summands."""
    if kind.startswith("residual"):
        return (
            f"{_value(value - before)} that skipped the sub-layer + {_value(before)} from the "
            f"sub-layer = {_value(value)}"
        )
    return f"{_value(before)} becomes {_value(value)}"


def softmax_row(trace: Trace, chosen: Selection) -> str:
    """What a row of weights sums to, and where most of it goes."""
    if trace.steps[chosen.step].kind != "softmax":
        return ""
    seen = picture(trace, chosen.step, chosen)
    row, _ = within(seen, chosen)
    weights = seen.cells[row]
    most = int(weights.argmax())
    return (
        f"The row of {quoted(seen.rows[row])} sums to {weights.sum():.3f}; most of it, "
        f"{weights[most]:.2f}, goes to {quoted(seen.columns[most])}."
    )


def cosine(trace: Trace, chosen: Selection) -> str:
    """How alike the two texts' vectors are, at the end of the way."""
    step = trace.steps[chosen.step]
    if step.kind != "unit" or len(step.numbers) < 2:
        return ""
    alike = float(step.numbers[0] @ step.numbers[1])
    return f"The product of the two texts' vectors, their cosine, is {_value(alike)}."


def title(settings: Settings, trace: Trace) -> str:
    """Which encoder the picture is of."""
    size = trace.sizes
    whole = f"{trace.layers} layers" if trace.layers > 1 else "1 layer"
    return (
        f"A batch of {size['B']} through {trace.name}: {whole}, d_model {size['D']}, "
        f"{size['H']} heads of {size['Dh']}, dim_feedforward {size['F']}."
    )


def code(trace: Trace, chosen: Selection) -> list[str]:
    """The lines of code of the chosen step, for places without a front end."""
    return [f"{line['place']}: {line['text']}" for line in code_of(trace.steps[chosen.step])]


def _value(number: float) -> str:
    if np.isneginf(number):
        return "−∞"
    text = f"{number:.4f}" if abs(number) < 100 else f"{number:.1f}"
    return text.replace("-", "−")
