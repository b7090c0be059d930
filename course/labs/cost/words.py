"""The cost lab's picture in words."""

from __future__ import annotations

from course.labs.cost.compute import Shown
from course.labs.cost.measuring import Measured, Measuring
from course.labs.cost.settings import KINDS, Settings, preset_of
from course.labs.cost.units import BYTES, FLOPS, SECONDS, amount, count, percent

_GATED = (
    "ModernBERT's gated network, three matrices of 768 x 1,152, counts as one of width 1,728; its local attention "
    "is not counted: here every layer sees all tokens."
)


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
        f"The square of the length takes {percent(shown.square_share)} of the operations"
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
    return f"Waiting for memory, {percent(share)} of the time: {names}."


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
        f"(a layer's median of {measured.runs} runs, times {asked.layers}): {times}, {percent(share)} of the peak."
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
