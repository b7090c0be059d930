"""What a lab hands over for drawing: panels of small descriptions and larger bytes.

The description of a panel is sent when it changed; its bytes only when their key changed, so that
choosing another row does not send the pictures again.

The kinds of panel that the front end draws. In the form every panel has `name`, `kind`, `label`, and may
have `column` (0 or 1), `help` and `show` (when it is seen). Then:

- ``grid``: many small square matrices in rows and columns, one chosen (every layer and head).
- ``matrix``: one large matrix with labelled rows and columns; a cell is chosen, or painted.
- ``table``: numbers in rows and columns; ``wide_labels`` gives the rows' labels room,
  ``roomy`` all rows. A column with
  ``times`` has no numbers of its own: they are the column's before it, times this. ``takes: name``
  gets a row's number at a click, or at Enter where the keys have chosen it; ``greyed`` lists rows.
- ``flow``: lines from rows (left) to columns (right), of one head or several;
  `course.labs.attention.flow` makes its data. In the form: ``sides``, what a row and a column is called.
- ``plot``: lines and points over two axes; `course.labs.plotting.plot_panel` makes its data.
  In the form: ``x`` and ``y`` (``{"label", "log", "whole", "least", "most", "ticks"}``, all but the
  label optional; ``ticks`` is ``[[number, text], ...]``), ``height``, ``widest``, ``equal`` (a unit
  is as long on both axes: maps, circles), ``legend`` (name even a single series), ``tells`` (the
  line below, of {series}, {label}, {i}, {x}, {y}), and, if a point can be chosen, either
  ``chooses: [name of the series' number or None, name of the point's number]`` or
  ``sends: name``, which then gets the point's label. Without either the keys only move the
  reading. In its description ``x`` and ``y`` may be given anew, and ``marks``
  (``[{"axis": "x", "at": 3.0, "label": "here"}]``).
- ``tokens``: a text in pieces with a number below each; `course.labs.pieces.tokens_panel` makes
  its data. In the form: ``digits`` of the numbers, ``number`` (what they are, for the table),
  ``tells`` (of {i}, {piece}, {value}), ``key`` (a line below that says what the pieces' borders
  mean, in place of the usual one), ``called`` (what ``unknown`` and ``special`` pieces are called),
  ``nameless`` (``tells`` for a piece without a number), ``chooses: name``, which gets the piece's place, and ``toggles:
  name``, a list of places that space puts the chosen piece on or takes it off.
- ``steps``: a list in words, one chosen, with words and code for the chosen one. In the form:
  ``chooses: name``, which gets the step's place. In its description ``rows`` (a text for each,
  tabs between its group, name and shape; or the name of a list of `labels`), ``chosen``, ``says``
  and ``code`` (``[{"text", "place"}, ...]``). It has no bytes.
- ``journey``: the same steps as stations, boxes in a row, one layer's at a time. In the form: ``chooses``
  as above and ``turns``, the name of the layer's value. Its description is made by
  `course.labs.shapes.view`. It has no bytes.
- ``passages``: a ranking of texts with their scores, one chosen. In the form: ``chooses``, which gets the
  chosen passage's number, and ``score``, what the score is called. In its description ``entries``,
  ``chosen`` and ``empty``, as `course.labs.search.view` makes them. It has no bytes.
- ``texts``: whole texts, each with a name, in the direction of its script. In its description ``rows``:
  ``{"label", "parts", "language", "note"}`` and, where that is known, whether it is ``right``; the parts
  at odd places are marked. It has no bytes.
- ``image``: a small image in patches, each with a number as its colour, one chosen. In the form:
  ``chooses``, which gets the patch's number, ``toggles``, the list that space puts it on or takes it
  off, ``tells`` (of {i}, {row}, {column}, {value}) and ``nothing``, the line where none is chosen. In its
  description ``side``, ``patch``, ``occluded``, ``order``, ``positions``, ``class_token``, ``scale`` and
  ``limit``; `course.labs.vision.view` makes it.
- ``sketch``: the same image, drawn on; ``sends: name`` gets all levels.
- ``patches``: the same image as a sentence of patches; a click puts one on the list or takes it off.

- ``sound``: a recording that can be played, its spectrogram, and what is read in it frame by frame. In the form:
  ``rate``, ``longest``, ``records``, ``hears`` and ``privacy``, as `course.labs.speech.form` has them. Its
  description and bytes are made by `course.labs.speech.view`: the samples are sent to a view that opens, and after
  a change when it asks for them.

In the form of a canvas, ``first`` is the number of the first row, column or piece in words; 0 by default.

`tests/browser/test_panels.py` has a small lab of both.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class PanelData:
    """One panel as it should look now.

    Attributes:
        name: the panel's name in the form.
        meta: its description, JSON, small.
        key: changes whenever the bytes do.
        data: makes the bytes by name; called only if they must be sent.
    """

    name: str
    meta: Mapping[str, Any]
    key: Hashable
    data: Callable[[], Mapping[str, bytes]]


@dataclass(frozen=True)
class Drawing:
    """Everything that the front end shows, apart from the form itself.

    Attributes:
        values: the controls' values by name, and other values that `show` conditions use.
        choices: for selects whose choices change: `[[value, label], ...]`, or a string that
            names a list of `labels`, whose entries are then the choices.
        labels: lists of words that panels and choices refer to by name, such as the tokens.
        panels: the panels.
        summary: the picture in words.
        notice: what the learner should know first, such as why a setting is invalid.
        refused: why the value of a control is invalid, by the control's name.
        allowed: the numbers that a control's steps lead to, by the control's name.
    """

    values: Mapping[str, Any]
    panels: Sequence[PanelData]
    summary: str
    notice: str = ""
    choices: Mapping[str, Any] = field(default_factory=dict)
    labels: Mapping[str, Sequence[str]] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    allowed: Mapping[str, list[int]] = field(default_factory=dict)


class Sent:
    """What the front end holds already, so that only what changed is sent."""

    def __init__(self) -> None:
        self._meta: dict[str, Mapping[str, Any]] = {}
        self._keys: dict[str, Hashable] = {}
        self._extras: dict[str, Any] = {}

    def message(self, drawing: Drawing) -> tuple[dict[str, Any], list[bytes]]:
        """Make the message and its buffers, and remember both as sent."""
        buffers: list[bytes] = []
        panels = [self._panel(panel, buffers) for panel in drawing.panels]
        content: dict[str, Any] = {
            "values": dict(drawing.values),
            "panels": [panel for panel in panels if panel is not None],
            "summary": drawing.summary,
            "notice": drawing.notice,
        }
        for name in ("choices", "labels"):
            now = getattr(drawing, name)
            before = self._extras.get(name, {})
            changed = {key: value for key, value in now.items() if before.get(key) != value}
            if changed:
                content[name] = changed
            self._extras[name] = dict(now)
        for name in ("refused", "allowed"):  # whole: what is no longer in it has gone
            now = dict(getattr(drawing, name))
            if self._extras.get(name, {}) != now:
                content[name] = now
            self._extras[name] = now
        return content, buffers

    def _panel(self, panel: PanelData, buffers: list[bytes]) -> dict[str, Any] | None:
        same_bytes = panel.name in self._keys and self._keys[panel.name] == panel.key
        if same_bytes and self._meta.get(panel.name) == panel.meta:
            return None
        self._meta[panel.name], self._keys[panel.name] = panel.meta, panel.key
        entry: dict[str, Any] = {"name": panel.name, **panel.meta}
        if not same_bytes:
            entry["data"] = {}
            for name, data in panel.data().items():
                entry["data"][name] = len(buffers)
                buffers.append(data)
        return entry
