"""Numbers with units, and the cost lab's picture in words."""

from __future__ import annotations

from collections.abc import Sequence

from course.labs.cost.compute import Shown
from course.labs.cost.measuring import Measured, Measuring
from course.labs.cost.settings import KINDS, Settings, preset_of

Units = Sequence[tuple[float, str]]
FLOPS: Units = ((1e15, "PFLOP"), (1e12, "TFLOP"), (1e9, "GFLOP"), (1e6, "MFLOP"), (1e3, "kFLOP"))
BYTES: Units = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
SECONDS: Units = ((3600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))
_GATED = (
    "ModernBERT's gated network, three matrices of 768 x 1,152, counts as one of width 1,728; its local attention "
    "is not counted: here every layer sees all tokens."
)


def unit(most: float, units: Units) -> tuple[float, str]:
    """Return the largest unit that leaves the number at 1 or more; else the smallest.

    >>> unit(0.02, SECONDS)
    (0.001, 'ms')
    """
    return next((each for each in units if most >= each[0]), units[-1])


def digits(most: float) -> int:
    """Return the decimals that leave three digits of the largest number of a column."""
    return 2 if most < 100 else 1


def amount(number: float, units: Units) -> str:
    """Write a number with its unit and three significant digits.

    >>> amount(23_100_000_000, FLOPS), amount(0.000_012_3, SECONDS)
    ('23.1 GFLOP', '12.3 µs')
    """
    size, name = unit(number, units)
    return f"{_three(number / size)} {name}"


def _three(number: float) -> str:
    """Three significant digits, without an exponent."""
    for limit, decimals in ((10, 2), (100, 1)):
        if number < limit - 0.5 * 10.0**-decimals:
            return f"{number:.{decimals}f}"
    return f"{number:,.0f}"


def count(number: int, one: str) -> str:
    """Write a number of things.

    >>> count(1, "layer"), count(6, "layer")
    ('1 layer', '6 layers')
    """
    return f"{number:,} {one}" + "s" * (number != 1)


def summary(asked: Settings, shown: Shown, measured: Measured | None) -> str:
    """The picture in words."""
    passes = "Forward and backward" if asked.training else "Forward"
    told = [
        f"{passes} through {count(asked.layers, 'layer')} of d_model {asked.d_model:,} with {asked.heads} heads and "
        f"dim_feedforward {asked.dim_feedforward:,}, on {count(asked.batch, 'text')} of "
        f"{count(asked.length, 'token')}, attention {KINDS[asked.attention]}: "
        f"{amount(shown.operations, FLOPS)}, {amount(shown.bytes, BYTES)} moved, "
        f"{shown.parameters:,} parameters without embeddings.",
        f"{shown.machine.name or 'The machine'} computes {amount(shown.machine.peak, FLOPS)}/s and moves "
        f"{amount(shown.machine.bandwidth, BYTES)}/s, so this takes at least {amount(shown.seconds, SECONDS)}: "
        f"{shown.tokens / shown.seconds:,.0f} tokens/s.",
        f"The square of the length takes {shown.square_share:.0%} of the operations"
        + (
            f" and, from a length of {shown.crossover:,} on, more time than the rest."
            if shown.crossover
            else "."
        ),
        _limits(shown),
        memory(asked, shown),
        compared(asked, shown, measured) if measured else "",
        _GATED if preset_of(asked) == "modernbert-base" else "",
    ]
    return " ".join(filter(None, told))


def _limits(shown: Shown) -> str:
    waiting = shown.waits_for_memory()
    if not waiting:
        return "No part waits for memory."
    share = sum(map(shown.machine.seconds, waiting)) / shown.layer_seconds
    if len(waiting) == len(shown.costs):
        return "Every part waits for memory."
    names = "; ".join(cost.part for cost in waiting)
    return f"Waiting for memory, {share:.0%} of the time: {names}."


def memory(asked: Settings, shown: Shown) -> str:
    """The memory, in a sentence."""
    parts = [f"{amount(shown.memory.weights, BYTES)} of weights"]
    if asked.training:
        parts.append(f"{amount(shown.memory.training_state, BYTES)} of gradients and optimizer")
    scores = shown.memory.scores
    among = f", {amount(scores, BYTES)} of it scores" if scores else ", none of it scores"
    parts.append(f"{amount(shown.memory.activations, BYTES)} of activations{among}")
    return f"Memory: {amount(shown.memory.total, BYTES)}, " + "; ".join(parts) + "."


def compared(asked: Settings, shown: Shown, measured: Measured) -> str:
    """What was measured, beside the prediction."""
    seconds = asked.layers * measured.layer_seconds
    ratio = measured.layer_seconds / shown.layer_seconds
    share = share_of_peak(shown, measured)
    times = f"{ratio:.2f} times the predicted {amount(shown.seconds, SECONDS)}"
    return (
        f"Measured: {amount(seconds, SECONDS)}, {shown.tokens / seconds:,.0f} tokens/s "
        f"(a layer's median of {measured.runs} runs, times {asked.layers}): {times}, {share:.0%} of the peak."
    )


def share_of_peak(shown: Shown, measured: Measured) -> float:
    """Which share of the machine's peak a measured layer reached."""
    operations = sum(cost.operations for cost in shown.costs)
    return operations / measured.layer_seconds / shown.machine.peak


def predicted(shown: Shown) -> str:
    """What is predicted, in a line."""
    return (
        f"Predicted: at least {amount(shown.seconds, SECONDS)}, {shown.tokens / shown.seconds:,.0f} tokens/s; "
        f"{amount(shown.operations, FLOPS)}; {amount(shown.memory.total, BYTES)} of memory."
    )


def progress(measuring: Measuring, asked: Settings) -> str:
    """How far a measurement is."""
    other = "" if measuring.settings == asked else ", with the settings of when it was started"
    done = len(measuring.times)
    return f"Measuring a layer{other}: {count(done, 'run')} done" if done else f"Measuring{other}"
