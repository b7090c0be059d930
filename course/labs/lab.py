"""What all labs share: the widget that talks to the front end, and the messages between them.

From the front end, as custom messages:

- ``{"type": "ready", "view"}``: a view is there; it is sent everything. No buffer is sent before:
  Colab drops those of a widget's creation, and without a front end nobody listens.
- ``{"type": "change", "view", "request", "changes": {name: value}}``: controls were moved. A view
  has one request under way at most and merges what is moved meanwhile: the latest wins.
- ``{"type": "still", "view"}``: the learner has paused; the still picture that a saved notebook keeps
  is brought up to date.
- ``{"type": "gone", "view"}``: a view was removed; with the last one the lab lets go of its arrays.

To the front end, with buffers: ``{"type": "draw", "view", "request", "drawn", "values", "panels",
"summary", "notice"}`` and, where they changed, ``choices``, ``labels``, ``allowed`` and ``refused``;
the answer to ``ready`` carries the ``form`` (see `course.labs.attention.form` for one) and what is ``changed`` from
the lab's defaults, and goes ``to`` that view alone.
A panel's entry holds its description, and in ``data`` the numbers of its buffers if they changed.
The answer to ``ready`` also has the lab's tasks in ``challenges``: ``[{"id", "asks", "hint"}, ...]``, each
that is reached with its ``why``. When a task is reached, ``{"type": "challenges", "challenges"}`` follows
the drawing, with all of them.

A view that opens while Python is busy, with the rest of the notebook say, must not stay empty until
Python has time for it. So the state that a widget is created with, and opened again with, holds
one such message in ``first``, its buffers as base64 text; the answer to ``ready`` replaces it.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from typing import Any, ClassVar

import anywidget
import traitlets
from IPython import get_ipython

from course.labs.cells import Place, current_place
from course.labs.challenges import Challenges, Tasks
from course.labs.colours import COLOURS, SCALES
from course.labs.drawing import Drawing, Sent
from course.labs.front import front_end
from course.system.outputs import Output
from course.system.threads import collected_later

SENDING = 0.002  # seconds: time enough to hand an answer on


class Lab(anywidget.AnyWidget):
    """A live explorer. A lab defines `form`, `apply`, `drawing`, `still` and `rest`.

    `tasks` are what a learner may solve by playing in it; `challenges` says how they stand.

    Making a lab anew in the same notebook cell closes the one that the cell made before: it can
    no longer be seen, and would be kept and sent again whenever the notebook is opened.
    """

    _esm, _css = front_end()

    # Made when it is asked for, so that it is never older than the moment of opening.
    first = traitlets.Dict().tag(sync=True, to_json=lambda _, lab: lab.first_message())

    tasks: ClassVar[Tasks] = Tasks("", ())

    _made: ClassVar[dict[str, tuple[Place, list[Lab]]]] = {}

    def __init__(self) -> None:
        self._views: set[str] = set()
        self._sent = Sent()
        self._drawn = 0
        self._state: list[Any] = []
        self._form: dict[str, Any] = {}  # as it was last sent
        self.challenges = Challenges(self.tasks)
        self._output = Output(self._live_bundle, self.still)
        super().__init__()
        self._replace_earlier()

    # What a lab is

    def form(self) -> dict[str, Any]:
        """The controls and panels, as JSON; read once for each view. Colours are added to it."""
        raise NotImplementedError

    def changed(self) -> list[str]:
        """The settings that are not as the lab begins by itself: none of them is folded away."""
        return []

    def apply(self, changes: Mapping[str, Any]) -> None:
        """Take in what was moved; the next drawing's notice says what is wrong with it."""
        raise NotImplementedError

    def drawing(self) -> Drawing:
        """What should be seen now."""
        raise NotImplementedError

    def seen(self) -> Drawing:
        """The drawing as it is sent."""
        return self.drawing()

    def still(self) -> dict[str, str]:
        """The lab for places without a front end: MIME types and their data."""
        raise NotImplementedError

    def rest(self) -> None:
        """Let go of what can be made again; nobody is looking."""

    # The conversation

    def _handle_msg(self, msg: dict[str, Any]) -> None:
        """Take a message; the name is ipywidgets', which would hide exceptions from tests."""
        data = msg["content"]["data"]
        if data.get("method") != "custom":
            super()._handle_msg(msg)
            return
        try:
            self._handle_custom_msg(data.get("content", {}), msg.get("buffers", []))
        except Exception:
            shell = get_ipython()
            if shell is None:
                raise
            shell.showtraceback()

    def _handle_custom_msg(self, content: dict[str, Any], buffers: list[Any]) -> None:
        """Answer the front end; the name is ipywidgets'."""
        kind, view = content.get("type"), str(content.get("view"))
        if kind == "ready":
            self._views.add(view)
            self._greet(view)
        elif kind == "gone":
            self._views.discard(view)
            if not self._views:
                self.rest()
        elif kind == "still":
            self._output.renew()
        elif kind == "change":
            self._views.add(view)
            self._answer(content, view)

    def _answer(self, content: dict[str, Any], view: str) -> None:
        with collected_later():
            self._answer_now(content, view)
            # Another thread sends the answer, and a collection would not let it for tens of ms.
            time.sleep(SENDING)
            self._look_for_reached()

    def _answer_now(self, content: dict[str, Any], view: str) -> None:
        request = {"view": view, "request": content.get("request")}
        try:
            self.apply(content.get("changes", {}))
            drawing = self.seen()
        except BaseException as error:
            # A fault of the lab's own, or an interrupt: the view must not wait for ever.
            told = f"The lab failed with {type(error).__name__}: {error}"
            self.send({"type": "draw", "panels": [], "notice": told, **request})
            raise
        self._draw(drawing, request)

    def _greet(self, view: str) -> None:
        """Send everything to a new view; what the others hold is the same already."""
        self._sent = Sent()
        content, buffers = self._everything(self._sent)
        self.send({**content, "to": view}, buffers)

    def _everything(self, sent: Sent) -> tuple[dict[str, Any], list[bytes]]:
        drawing = self.seen()
        content, buffers = sent.message(drawing)
        self._form = self.form()
        form = {"scales": SCALES, "colours": COLOURS, **self._form}
        head = {"type": "draw", "drawn": self._state_number(drawing), "form": form}
        tasks = {"challenges": self.challenges.content()} if self.tasks.challenges else {}
        return {**head, **tasks, "changed": self.changed(), **content}, buffers

    def first_message(self) -> dict[str, Any]:
        """What a view shows before Python has answered it: a message as JSON alone."""
        content, buffers = self._everything(Sent())
        return {**content, "buffers": [base64.b64encode(data).decode() for data in buffers]}

    def _draw(self, drawing: Drawing, extra: Mapping[str, Any] | None = None) -> None:
        content, buffers = self._sent.message(drawing)
        number = self._state_number(drawing)
        self.send({"type": "draw", "drawn": number, **(extra or {}), **content}, buffers)

    def _state_number(self, drawing: Drawing) -> int:
        """A number that grows with each state of the panels, and stays while they stay."""
        state = [(panel.name, panel.key, panel.meta) for panel in drawing.panels]
        if state != self._state:
            self._state, self._drawn = state, self._drawn + 1
        return self._drawn

    def redraw(self) -> None:
        """Send what changed to the views that there are, after a change from Python."""
        if self._views and self.form() == self._form:
            self._draw(self.seen())
        else:
            for view in self._views:
                self._greet(view)
        self._look_for_reached()

    def _look_for_reached(self) -> None:
        """Tell which tasks are reached by now, after the picture: it must not wait for them."""
        if self.challenges.look(self) and self._views:
            self.send({"type": "challenges", "challenges": self.challenges.content()})

    # Being shown, being closed

    def _ipython_display_(self, **_: Any) -> None:
        """Show the still picture, and the live view in its place where there is a front end."""
        self._output.show()

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """The live view and the still picture in one bundle, for whoever asks for one."""
        return {**self._live_bundle(**kwargs), **self.still()}, {}

    def _live_bundle(self, **kwargs: Any) -> dict[str, Any]:
        live: Any = super()._repr_mimebundle_(**kwargs) or {}
        return dict(live[0] if isinstance(live, tuple) else live)

    def _replace_earlier(self) -> None:
        place = self._close_earlier()
        if place is not None:
            self._made[place.cell][1].append(self)

    @classmethod
    def _close_earlier(cls) -> Place | None:
        """Close the labs that this cell made when it ran before; return where it is."""
        place = current_place()
        if place is None:
            return None
        earlier, made = cls._made.get(place.cell, (place, []))
        if earlier != place:  # the cell is run again
            cls._made[place.cell] = (place, [])
            for lab in made:
                lab.close()
        else:
            cls._made[place.cell] = (place, made)
        return place

    def close(self) -> None:
        """Close the lab in all its views, and let go of its arrays."""
        self._views = set()  # not cleared: a lab whose settings were refused has none yet
        self.rest()
        super().close()
