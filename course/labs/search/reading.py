"""A folder of the learner's own, read and embedded in a thread, so that questions stay live."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from course.datasets.passages import Folder, Index, embed, read_folder
from course.labs.search.compute import Shelf
from course.system.threads import one_thread

BATCH = 8  # passages between two reports: a fraction of a second, so that Stop acts soon
PAUSE = 0.1  # seconds between two reports at least
LONGEST_PATH = 1_000  # characters


class _Stopped(Exception):
    """The learner has stopped the reading."""


class Reading:
    """One reading of a folder. What stands in it is read by the lab, and changed by its thread alone.

    Args:
        folder: the folder's path as the learner typed it.
        changed: called from the thread, with this reading, when there is something new to show.

    Attributes:
        words: how far it is, or how it ended.
        done: passages embedded so far.
        total: passages to embed; 0 until that is known.
        shelf: what was read, at the end.
        ended: whether it has ended, in whichever way.
        failed: whether it ended without a shelf.
    """

    def __init__(self, folder: str, changed: Callable[[Reading], None]) -> None:
        self.folder, self._changed = folder, changed
        self.words = "Looking for text files."
        self.done = self.total = 0
        self.shelf: Shelf | None = None
        self.ended = self.failed = False
        self._stop = threading.Event()
        self._told = 0.0
        self._thread = threading.Thread(target=self._run, daemon=True, name="search-lab-reading")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Have it end soon."""
        self._stop.set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for its end; False if it goes on after so many seconds."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self.words = self._read()
        except _Stopped:
            self.words, self.failed = "Stopped. What was searched before is searched on.", True
        except Exception as error:  # whatever is wrong with the files, the lab goes on
            self.words, self.failed = _explained(error, self.folder), True
        self.ended = True
        self._changed(self)

    def _read(self) -> str:
        """Read and embed; return how it went."""
        root = Path(self.folder).expanduser()
        if root.is_dir() and not os.access(root, os.R_OK | os.X_OK):
            raise PermissionError
        folder = read_folder(root, on_file=self._on_file)
        if not folder.passages:
            raise ValueError(_nothing(folder, self.folder))
        with one_thread():  # the others stay free for the questions
            vectors = embed(folder.passages, self._on_batch, BATCH)
        self.shelf = Shelf(Index(folder.passages, vectors), root.resolve().name or self.folder)
        return f"Read: {folder!r}."

    def _on_file(self, files: int, passages: int) -> None:
        self._report(f"Reading text files: {files:,} so far, {passages:,} passages.")

    def _on_batch(self, done: int, total: int) -> None:
        self.done, self.total = done, total
        self._report(f"Embedding: {done:,} of {total:,} passages.")

    def _report(self, words: str) -> None:
        if self._stop.is_set():
            raise _Stopped
        self.words = words
        now = time.monotonic()
        if now - self._told >= PAUSE:
            self._told = now
            self._changed(self)


def _nothing(folder: Folder, path: str) -> str:
    """Why a folder gave no passage."""
    blank = [f"{folder.files:,} without text"] if folder.files else []
    why = "; ".join([*blank, *folder.left_out()]) or "it has no files"
    kinds = (
        "Read are .txt, .md, .rst, the docstrings of .py and the text of .ipynb, up to 1 MB a file."
    )
    return f"{path}: there is no text to read in this folder ({why}). {kinds}"


def _explained(error: Exception, path: str) -> str:
    """What went wrong, in a sentence."""
    if isinstance(error, PermissionError):
        return f"{path}: the folder may not be read with your permissions."
    if isinstance(error, OSError) and not isinstance(error, NotADirectoryError):
        return f"{path}: the folder can't be read ({error.strerror or type(error).__name__})."
    if type(error) in (ValueError, NotADirectoryError):
        return str(error)
    return f"{path}: reading failed with {type(error).__name__}: {error}"
