"""The search lab as a widget: settings in, drawings out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from course.datasets import passages
from course.labs.drawing import Drawing
from course.labs.faults import InvalidSetting
from course.labs.own_functions import OwnFunctionsLab
from course.labs.search.challenges import TASKS
from course.labs.search.compute import Nearest, Rankings, Selection, Settings, Shelf
from course.labs.search.form import form
from course.labs.search.reading import LONGEST_PATH, Reading
from course.labs.search.view import in_lines, panels, still, summary

EXAMPLES = (
    "wait until all threads are done",
    "copy a file and keep its permissions",
    "compress a file",
    "erase a folder",
    "RFC 3986",
)
NO_FOLDER = "Type the path of a folder first, such as ~/notes."


class SearchLab(OwnFunctionsLab):
    """Ask, and see the best passages by meaning beside the best by words, with each key press.

    Args:
        index: what is searched; Python's documentation by default, embedded at the first use.
        nearest: your own exact search, `(query (Q, D), documents (N, D), count)` to similarities and
            indices `(Q, count)`.
        examples: questions to choose from.
        name: what `index` is called.
        **settings: how the lab starts; any of `text`, `shown` (passages of each ranking), `passage` (the
            number of the one that is looked at) and `shelf` (0; folders of your own follow once they are read).

    Raises:
        ValueError: a setting is invalid; the text says why.
        TypeError: there is no such setting.
    """

    tasks = TASKS

    def __init__(
        self,
        index: passages.Index | None = None,
        *,
        nearest: Nearest | None = None,
        examples: Sequence[str] = EXAMPLES,
        name: str = "Python's documentation",
        **settings: Any,
    ) -> None:
        self._lock = threading.RLock()  # held while what is shown is changed or sent
        self._reading: Reading | None = None
        self._folder = ""
        self._pressed: set[str] = set()
        self._examples = tuple(examples)
        self._shelves = [Shelf(passages.load() if index is None else index, name)]
        super().__init__({"nearest": nearest}, Settings(self._examples[0]), Selection(), settings)

    def compute(self, asked: Settings, own: bool) -> Rankings:
        """Answer the question both ways."""
        if asked.shelf not in range(len(self._shelves)):
            raise InvalidSetting("A folder of your own has to be read first: “Read this folder”.")
        nearest = self.functions(own).get("nearest")
        return self._shelves[asked.shelf].rank(asked, nearest)

    def fit(self, result: Rankings, chosen: Selection) -> Selection:
        """The chosen passage, as long as it is shown."""
        shown = {row for row, _ in (*result.by_meaning, *result.by_words)}
        return chosen if chosen.passage in shown else Selection()

    def read_folder(self, folder: str) -> Reading:
        """Read and embed the text files of a folder, and search them from then on.

        It goes on in a thread; the `wait` of what is returned waits for its end.

        Raises:
            ValueError: no folder is named.
        """
        if not folder.strip():
            raise ValueError(NO_FOLDER)
        with self._lock:
            self._folder = folder
            self._begin()
            reading = self._reading
            self.redraw()
        assert reading is not None
        return reading

    def form(self) -> dict[str, Any]:
        """The controls and panels."""
        return form(self._examples)

    def drawing(self) -> Drawing:
        """What should be seen now."""
        rankings: Rankings = self.shown()
        return Drawing(
            values={
                **self.settings,
                "folder": self._folder,
                "example": "",
                "reading": self._reading is not None,
            },
            choices={"shelf": self._shelf_choices()},
            panels=panels(rankings, self._looked_at(), self._reading, self._number),
            summary=summary(rankings, self.whose()),
            notice=self._notice,
        )

    def _shelf_choices(self) -> list[list[Any]]:
        return [
            [number, f"{shelf.name} ({len(shelf):,} passages)"]
            for number, shelf in enumerate(self._shelves)
        ]

    def still(self) -> dict[str, str]:
        """A picture, and words, for places without a front end."""
        with self._lock:
            rankings: Rankings = self.shown()
            told = summary(rankings, self.whose())
            lines = [repr(self), in_lines(rankings), told, self._notice]
            return {
                "text/plain": "\n".join(filter(None, lines)),
                "image/svg+xml": still(rankings, told),
            }

    def close(self) -> None:
        """Close the lab in all its views, and end a reading."""
        with self._lock:
            if self._reading is not None:
                self._reading.stop()
                self._reading = None
            super().close()

    def _handle_custom_msg(self, content: dict[str, Any], buffers: list[Any]) -> None:
        with self._lock:
            super()._handle_custom_msg(content, buffers)

    def _looked_at(self) -> int:
        chosen: int = self._chosen.passage
        return chosen if chosen >= 0 else int(self._result.by_meaning[0][0])

    # The learner's own folder

    def apply(self, changes: Mapping[str, Any]) -> None:
        """Take in what was moved, then what was pressed; how a reading ended was seen by now."""
        self._pressed = set()
        if self._reading is not None and self._reading.ended:
            self._reading = None
        super().apply(changes)
        if "stop" in self._pressed and self._reading is not None:
            self._reading.stop()
        if "begin" in self._pressed:
            self._begin()

    def _begin(self) -> None:
        if self._reading is not None:
            self._reading.stop()
            self._reading = None
        folder = self._folder.strip()
        if not folder:
            self._notice = NO_FOLDER
            return
        self._reading = Reading(folder, self._on_reading)
        self._reading.start()

    def _on_reading(self, reading: Reading) -> None:
        """Show how far it is; at its end search what was read. Called by the reading's thread."""
        with self._lock:
            if reading is not self._reading:
                return  # another one has begun, or the lab is closed
            if reading.shelf is not None:
                self._shelves.append(reading.shelf)
                super().apply({"shelf": len(self._shelves) - 1})
            elif reading.failed:
                self._notice = reading.words
            self.redraw()
            if reading.ended:
                self._output.renew()

    # What the controls do that set nothing themselves

    def _name_folder(self, folder: Any) -> None:
        self._folder = str(folder or "")[:LONGEST_PATH]

    def _press_begin(self, _: Any) -> None:
        self._pressed.add("begin")

    def _press_stop(self, _: Any) -> None:
        self._pressed.add("stop")

    def _take_example(self, text: Any) -> None:
        if text:
            self._asked = replace(self._asked, text=str(text))

    actions: ClassVar[Mapping[str, Callable[[Any, Any], None]]] = {
        "folder": _name_folder,
        "begin": _press_begin,
        "stop": _press_stop,
        "example": _take_example,
    }
