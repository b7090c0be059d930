"""The cost lab's numbers as panels and as a still picture."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from course.labs.cost.compute import Shown
from course.labs.cost.measuring import Measured
from course.labs.cost.settings import Selection, Settings
from course.labs.cost.units import BYTES, FLOPS, SECONDS, amount, count, digits, unit
from course.labs.drawing import PanelData
from course.labs.packing import pack_floats
from course.labs.plotting import Series, plot_panel
from course.labs.still_plots import Box, document, plot, words

TICKS = [[4**power, f"{4**power:,}"] for power in range(1, 9)]
GIGA = 1e9


def parts(shown: Shown, chosen: Selection, key: Hashable) -> PanelData:
    """One row a part: its operations and bytes, and the two times of which the longer counts."""
    peak, bandwidth = shown.machine.peak, shown.machine.bandwidth
    counts = [(cost.operations, cost.bytes) for cost in shown.costs]
    rows = [(done, done / peak, moved / bandwidth, moved) for done, moved in counts]
    sums = tuple(map(sum, zip(*rows, strict=True)))
    flop, moved = unit(sums[0], FLOPS), unit(sums[3], BYTES)
    time = unit(max(sums[1:3]), SECONDS)
    numbers = np.array([*rows, sums]) / [flop[0], time[0], time[0], moved[0]]  # (parts + 1, 4)
    longest = float(numbers[:-1, 1:3].max())
    bars = (float(numbers[:-1, 0].max()), longest, longest, None)
    heads = (flop[1], f"compute {time[1]}", f"move {time[1]}", moved[1])
    columns = [
        {"label": label, "digits": digits(float(numbers[-1, i])), **({"bar": bar} if bar else {})}
        for i, (label, bar) in enumerate(zip(heads, bars, strict=True))
    ]
    meta = {
        "row_labels": [cost.part for cost in shown.costs],
        "foot_labels": ["the layer"],
        "columns": columns,
        "chosen": chosen.part,
        "caption": f"One layer, part by part: at least {amount(shown.layer_seconds, SECONDS)}",
    }
    return PanelData("parts", meta, key, lambda: {"numbers": pack_floats(numbers)})


def memory(shown: Shown, training: bool, key: Hashable) -> PanelData:
    """What is held at once."""
    held = shown.memory
    rows = {"weights": held.weights}
    if training:
        rows["gradients and optimizer"] = held.training_state
    rows["activations"] = held.activations
    rows["scores among them"] = held.scores
    size, name = unit(held.total, BYTES)
    numbers = np.array([*rows.values(), held.total], float)[:, None] / size  # (rows + 1, 1)
    meta = {
        "row_labels": list(rows),
        "foot_labels": ["together, scores counted once"],
        "columns": [{"label": name, "digits": digits(held.total / size), "bar": held.total / size}],
        "caption": f"Memory of {count(shown.layers, 'layer')}: {amount(held.total, BYTES)}",
    }
    return PanelData("memory", meta, key, lambda: {"numbers": pack_floats(numbers)})


def roofline(
    shown: Shown, chosen: Selection, measured: Measured | None, key: Hashable
) -> PanelData:
    """The machine's roof, with a dot for each part."""
    series = roof(shown, measured)
    part = shown.costs[chosen.part].part
    at = next(
        (i, s.labels.index(part)) for i, s in enumerate(series) if s.labels and part in s.labels
    )
    room = {"most": 2.5 * shown.machine.peak / GIGA}  # for the names above the roof
    told = f"Roofline: below {shown.machine.ridge:.3g} operations per byte a part waits for memory"
    return plot_panel("roofline", series, (key, measured), at, y=room, caption=told)


def roof(shown: Shown, measured: Measured | None) -> list[Series]:
    """The roof, the parts under each of its sides, and the whole layer as predicted and as measured."""
    machine = shown.machine
    xs = [cost.intensity for cost in shown.costs]
    ends = (min(*xs, machine.ridge) / 3, machine.ridge, max(*xs, machine.ridge) * 3)
    heights = [min(machine.peak, machine.bandwidth * x) / GIGA for x in ends]
    made = [Series("the roof", ends, heights, aside=True, style=0)]
    named = (("memory", "waits for memory", 1), ("compute", "waits for the processor", 2))
    for limit, name, style in named:
        there = [cost for cost in shown.costs if machine.limit(cost) == limit]
        if there:
            ys = [cost.operations / machine.seconds(cost) / GIGA for cost in there]
            labels = [cost.part for cost in there]
            x = [cost.intensity for cost in there]
            level = limit == "compute"
            made.append(Series(name, x, ys, "points", labels, style, size=4.5, above=level))
    if measured:
        operations = sum(cost.operations for cost in shown.costs)
        whole = operations / sum(cost.bytes for cost in shown.costs)
        y = operations / measured.layer_seconds / GIGA
        made.append(
            Series("the layer, measured", [whole], [y], "points", style=3, aside=True, size=6)
        )
    return made


def curve(asked: Settings, shown: Shown, measured: Sequence[Measured], key: Hashable) -> PanelData:
    """The time over the length, and what was measured of it."""
    series = lines(asked, shown, measured)
    point = [moment.length for moment in shown.curve].index(asked.length)
    marks = []
    if shown.crossover:
        marks = [{"axis": "x", "at": shown.crossover, "label": f"length = {shown.crossover:,}"}]
    room = {"most": 10 * shown.curve[-1].total}  # for the mark's words above the lines
    return plot_panel(
        "curve", series, (key, tuple(measured)), (0, point), marks=marks, x={"ticks": TICKS}, y=room
    )


def lines(asked: Settings, shown: Shown, measured: Sequence[Measured]) -> list[Series]:
    """Everything, the square and the rest; and points that were measured."""
    x = [moment.length for moment in shown.curve]
    labels = [f"{length:,}" for length in x]
    drawn: list[tuple[str, list[float], int]] = [
        ("predicted", [moment.total for moment in shown.curve], 0),
        ("attention to all pairs", [moment.square for moment in shown.curve], 1),
        ("everything else", [moment.rest for moment in shown.curve], 2),
    ]
    made = [
        Series(name, x, y, labels=labels, style=style, unwritten=True) for name, y, style in drawn
    ]
    if measured:
        at = [each.settings.length for each in measured]
        y = [asked.layers * each.layer_seconds for each in measured]
        names = [f"{length:,}" for length in at]
        made.append(Series("measured", at, y, "points", names, 3, size=5, unwritten=True))
    return made


def still(asked: Settings, shown: Shown, measured: Sequence[Measured], label: str) -> str:
    """The parts as bars of time, and the curve, as an SVG."""
    machine, bar = shown.machine, 200
    longest = max(map(machine.seconds, shown.costs))
    rows = [words(10, 20, "One layer, part by part: time", bold=True)]
    for i, cost in enumerate(shown.costs):
        y, seconds = 34 + 24 * i, machine.seconds(cost)
        waits = machine.limit(cost) == "memory"
        dash = ' stroke-dasharray="4 3"' if waits else ""
        fill = "#ffffff" if waits else "#4477aa"
        width = max(1.0, bar * seconds / longest)
        rows.append(words(150, y + 13, cost.part, "end"))
        rows.append(
            f'<rect x="158" y="{y}" width="{width:.1f}" height="16" fill="{fill}" stroke="#4477aa"{dash}/>'
        )
        rows.append(words(164 + width, y + 13, amount(seconds, SECONDS)))
    rows.append(words(10, 34 + 24 * len(shown.costs) + 20, "White, dashed: waits for memory"))
    drawn = plot(
        Box(500, 50, 220, 200),
        lines(asked, shown, measured),
        "tokens",
        "seconds, all layers",
        log_x=True,
        log_y=True,
    )
    return document(980, 310, label, [*rows, drawn])
