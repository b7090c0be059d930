"""Text files in sections, each under a `## ` heading; whatever is malformed is named by file and line."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

__all__ = ["Entry", "TextError", "entries"]


class TextError(ValueError):
    """A text that cannot be read: which file and line, what is wrong, what to do."""

    def __init__(self, path: str, line: int, problem: str) -> None:
        super().__init__(f"{path}:{line}: {problem}")


@dataclass(frozen=True)
class Entry:
    """What stands under one `## ` heading."""

    part: str
    name: str
    line: int
    body: list[tuple[int, str]]  # with the numbers of the lines


def entries(text: str, path: str, parts: Collection[str] = ()) -> Iterator[Entry]:
    """What stands under each `## ` heading; `parts` are the `# ` headings above them, where there are any."""
    part, entry = "", None
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith("## "):
            if entry is not None:
                yield entry
            if parts and not part:
                raise TextError(
                    path, number, f"put `# {next(iter(parts))}` or another part above it"
                )
            entry = Entry(part, line[3:].strip(), number, [])
        elif parts and line.startswith("# "):
            if entry is not None:
                yield entry
            part, entry = line[2:].strip(), None
            if part not in parts:
                raise TextError(path, number, f"{part!r}: the parts are {', '.join(parts)}")
        elif entry is not None:
            entry.body.append((number, line))
        elif line.strip():
            raise TextError(path, number, "text before the first `## ` heading; move it below one")
    if entry is not None:
        yield entry
