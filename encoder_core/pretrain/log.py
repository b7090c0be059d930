"""What a training says of itself: lines of JSON, and TensorBoard's files where that package is installed."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

__all__ = ["Log", "read_log"]


class Log:
    """A log in a folder: `log.jsonl`, and TensorBoard's event files beside it.

    Args:
        folder: there is one log in it.
        step: of the training that goes on; what is logged of later updates, which a killed process made
            and its checkpoint lacks, is taken out.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> log = Log(folder, step=0)
    >>> log.write(10, {"loss": 2.5})
    >>> read_log(folder)
    [{'step': 10, 'loss': 2.5}]
    """

    def __init__(self, folder: Path, step: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / "log.jsonl"
        kept = [line for line in read_log(folder) if line["step"] <= step]
        text = "".join(json.dumps(line) + "\n" for line in kept)
        self.file.write_text(text, encoding="utf-8")
        self.board = _board(folder, step)

    def write(self, step: int, numbers: dict[str, float]) -> None:
        """Add the numbers of an update."""
        with self.file.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, **numbers}) + "\n")
        if self.board is not None:
            for name, number in numbers.items():
                self.board.add_scalar(name, number, step)
            self.board.flush()

    def close(self) -> None:
        """Close TensorBoard's file."""
        if self.board is not None:
            self.board.close()


def read_log(folder: Path) -> list[dict[str, Any]]:
    """Return the lines of a folder's log, without a last one that was cut off."""
    file = folder / "log.jsonl"
    if not file.is_file():
        return []
    lines = file.read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines[:-1] if line]


def _board(folder: Path, step: int) -> Any:
    """Return TensorBoard's writer; None where the package `tensorboard` is not installed."""
    if importlib.util.find_spec("tensorboard") is None:
        return None
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder), purge_step=step + 1)
