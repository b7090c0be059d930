"""The cost lab as a widget: settings in, drawings out, and a layer that is timed on request."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

import torch

from course.labs.cost import view
from course.labs.cost.challenges import TASKS
from course.labs.cost.compute import Shown, compute
from course.labs.cost.form import form
from course.labs.cost.kinds import OwnBlocks
from course.labs.cost.machines import free_memory, machine_of
from course.labs.cost.measuring import Measured, Measuring, refusal
from course.labs.cost.settings import (
    LONG,
    PRESETS,
    Selection,
    Settings,
    check_settings,
    devices,
    preset_of,
    read_setting,
    steps,
)
from course.labs.cost.words import compared, predicted, progress, summary
from course.labs.drawing import Drawing, PanelData
from course.labs.settings_lab import SettingsLab
from encoder_core.inspect.machine import Machine

PROGRESS = 100  # parts of a measurement's bar


def _sizes(preset: object) -> dict[str, int]:
    """The sizes of a preset.

    Raises:
        ValueError: there is no such preset.
    """
    if preset not in PRESETS:
        raise ValueError(f"There is no preset {preset!r}; there are {', '.join(PRESETS)}.")
    return PRESETS[str(preset)]


class CostLab(SettingsLab):
    """See what an encoder costs, part by part, and measure whether that is so.

    Args:
        machine: what to predict with, such as `encoder_core.measure_machine()`, for the precision that the lab
            starts with; or one for each, by its name. What is missing is measured, in about half a second.
        device: `"cpu"` or `"cuda"`; the CPU if None.
        blockwise: attention in blocks, `(query, key, value, block)`, that is measured in place of the lab's own.
        **settings: how the lab starts; any of `batch`, `length`, `d_model`, `heads`, `dim_feedforward`, `layers`,
            `precision` (`"float32"`, `"bfloat16"`, `"float16"`), `attention` (`"explicit"`, `"blockwise"`,
            `"fused"`), `training`, `part` (a row of the table), and `preset` for a model's sizes (`"toy"`,
            `"minilm"`, `"bert-base"`, `"bert-large"`, `"modernbert-base"`).

    Raises:
        ValueError: a setting is invalid; the text says why.
        TypeError: there is no such setting.

    >>> CostLab(Machine(peak=50e9, bandwidth=5e9), length=512)
    CostLab(length=512)
    """

    tasks = TASKS

    def __init__(
        self,
        machine: Machine | Mapping[str, Machine] | None = None,
        device: str | None = None,
        blockwise: OwnBlocks | None = None,
        **settings: Any,
    ) -> None:
        self._lock = threading.RLock()  # held while what is shown is changed or sent
        self._threads = torch.get_num_threads()
        self._measured: dict[Settings, Measured] = {}  # by the settings of one layer
        self._measuring: Measuring | None = None
        self._blockwise = blockwise
        self._failed = ""
        self._refusal: tuple[int, str] = (-1, "")  # of the result with this number
        start = Settings(device=device or "cpu")
        if "preset" in settings:
            settings = {**_sizes(settings.pop("preset")), **settings}
        if isinstance(machine, Machine):
            machine = {settings.get("precision", start.precision): machine}
        self._given = {(start.device, name): one for name, one in (machine or {}).items()}
        self.begin(start, Selection(), settings)
        super().__init__()

    # What is predicted

    def machine(self, device: str, precision: str) -> Machine:
        """The machine that times are predicted for."""
        given = self._given.get((device, precision))
        return given or machine_of(device, precision, self._threads)

    def compute(self, asked: Settings, own: bool) -> Shown:
        """Count the costs."""
        check_settings(asked)
        return compute(asked, self.machine(asked.device, asked.precision))

    def fit(self, result: Shown, chosen: Selection) -> Selection:
        """The nearest part that there is."""
        return Selection(min(max(chosen.part, 0), len(result.costs) - 1))

    def read(self, name: str, value: Any) -> Any:
        """A length from the curve is a text."""
        return read_setting(name, value)

    def allowed(self) -> dict[str, list[int]]:
        """Sizes double; heads and widths fit each other."""
        return steps(self._asked)

    # What is measured

    @property
    def measurements(self) -> list[Measured]:
        """All that was measured, the oldest first; each of one layer."""
        return list(self._measured.values())

    def measure(self) -> Measured:
        """Time a layer with the settings of now, and wait for it.

        Raises:
            ValueError: it would take too long or too much memory; the text says what to change.
            RuntimeError: it failed, or was stopped.
        """
        refused = self._start()
        if refused:
            raise ValueError(refused)
        measuring = self._measuring
        assert measuring is not None
        measuring.wait()
        if measuring.result is None:
            raise RuntimeError(measuring.failure or "The measurement was stopped.")
        return measuring.result

    def _start(self) -> str:
        """Begin a measurement; returns why there is none."""
        with self._lock:
            shown, asked = self.shown(), replace(self._made_from[0], layers=1)
            refused = refusal(asked, shown.layer_seconds, free_memory(asked.device))
            self._refusal, self._failed = (self._number, refused), ""
            if not refused:
                self._stop()
                self._measuring = Measuring(
                    asked, self._threads, self._told_by_thread, self._blockwise
                )
                self._measuring.start()
            return refused

    def _stop(self) -> None:
        if self._measuring is not None:
            self._measuring.stop()
            self._measuring = None

    def _told_by_thread(self) -> None:
        """Show how far a measurement is, or what it found."""
        with self._lock:
            now = self._measuring
            if now is None:
                return
            if now.result is not None:
                self._measured[now.settings] = now.result
            self._failed = now.failure
            if not now.running:
                self._measuring = None
            self.redraw()
            ended = self._measuring is None
        if ended:
            self._output.renew()

    def _press(self, wanted: Any) -> None:
        """What the button does."""
        if wanted == "stop":
            self._stop()
        else:
            self._start()

    def _take_preset(self, name: Any) -> None:
        self._asked = replace(self._asked, **PRESETS.get(str(name), {}))

    def _take_long(self, _: Any) -> None:
        self._asked = replace(self._asked, **LONG)

    def _take_part(self, name: Any) -> None:
        """A dot of the roofline sends its part's name."""
        found = [i for i, cost in enumerate(self.shown().costs) if cost.part == name]
        self._chosen = Selection(*found[:1])

    actions: ClassVar[Mapping[str, Callable[[Any, Any], None]]] = {
        "preset": _take_preset,
        "long": _take_long,
        "at_part": _take_part,
    }

    # What the base class asks for

    def form(self) -> dict[str, Any]:
        """The controls and panels."""
        return form(devices())

    def drawing(self) -> Drawing:
        """What should be seen now."""
        with self._lock:
            shown, asked = self.shown(), self._made_from[0]
            measured = self._measured.get(replace(asked, layers=1))
            part = shown.costs[self._chosen.part].part
            return Drawing(
                values={**self.settings, "preset": preset_of(self._asked), "at_part": part},
                panels=[
                    self._stage(shown, asked, measured),
                    view.parts(shown, self._chosen, self._number),
                    view.memory(shown, asked.training, self._number),
                    view.curve(asked, shown, self._of_other_lengths(asked), self._number),
                    view.roofline(shown, self._chosen, measured, self._number),
                ],
                summary=summary(asked, shown, measured),
                notice=self._notice,
            )

    def _of_other_lengths(self, asked: Settings) -> list[Measured]:
        """What was measured with the same settings and any length."""
        one = replace(asked, layers=1)
        found = [
            each
            for each in self._measured.values()
            if replace(each.settings, length=one.length) == one
        ]
        return sorted(found, key=lambda each: each.settings.length)

    def _stage(self, shown: Shown, asked: Settings, measured: Measured | None) -> PanelData:
        now = self._measuring
        refused = self._refused_now(shown, asked)
        told = " ".join(filter(None, (predicted(shown), self._failed, refused)))
        found = compared(asked, shown, measured) if measured else ""
        button = {"name": "measure", "label": "Measure this", "sends": "start", "off": refused}
        runs = []
        if now is not None:
            button = {"name": "measure", "label": "Stop measuring", "sends": "stop"}
            words = progress(now, replace(asked, layers=1))
            done = round(PROGRESS * now.share)
            runs = [{"name": "", "words": words, "step": done, "total": PROGRESS}]
        said = "Measuring." if runs else found
        meta = {"parts": told, "recording": found, "runs": runs, "buttons": [button], "said": said}
        return PanelData("measure", meta, "", dict)

    def _refused_now(self, shown: Shown, asked: Settings) -> str:
        """Why these settings are not measured, looked up once for each result."""
        if self._refusal[0] != self._number:
            one = replace(asked, layers=1)
            told = refusal(one, shown.layer_seconds, free_memory(asked.device))
            self._refusal = (self._number, told)
        return self._refusal[1]

    def still(self) -> dict[str, str]:
        """A picture, and words, for places without a front end."""
        with self._lock:
            shown, asked = self.shown(), self._made_from[0]
            measured = self._measured.get(replace(asked, layers=1))
            told = summary(asked, shown, measured)
            drawn = view.still(asked, shown, self._of_other_lengths(asked), told)
            return {
                "text/plain": "\n".join(filter(None, [repr(self), told, self._notice])),
                "image/svg+xml": drawn,
            }

    # Shared with the thread that measures

    def apply(self, changes: Mapping[str, Any]) -> None:
        """Take in what was moved, then what was pressed."""
        pressed = {**changes}
        wanted = pressed.pop("measure", None)
        super().apply(pressed)
        if wanted is not None:
            self._press(wanted)

    def set(self, **settings: Any) -> None:
        """Change settings from Python; see `SettingsLab.set`."""
        with self._lock:
            super().set(**settings)

    def redraw(self) -> None:
        """Send what changed."""
        with self._lock:
            super().redraw()

    def _handle_custom_msg(self, content: dict[str, Any], buffers: list[Any]) -> None:
        with self._lock:
            super()._handle_custom_msg(content, buffers)

    def close(self) -> None:
        """Close the lab in all its views; a measurement ends."""
        with self._lock:
            self._stop()
            super().close()
