"""Text of any size as one file of token ids on the disk, of which a training reads what it needs.

The file holds nothing but ids, two bytes each (four where the vocabulary is larger): the tokens of every
document and a separator after each. Beside it stands what it was made of, so that it is made once.

Source: Liu et al. 2019, "RoBERTa", section 4.2 ("FULL-SENTENCES": blocks are filled with whole documents, one
after the other, with a separator between them).
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from encoder_core.text.tokenizer import WordPiece

__all__ = ["Blocks", "documents", "text_files", "write_token_file"]

_KINDS = (".txt", ".md", ".rst", ".jsonl")
_FIELD = "text"  # of a line of a .jsonl file
_AT_ONCE = 1 << 20  # ids that are kept before they are written


def text_files(folder: Path | str) -> list[Path]:
    """Return the text files below a folder, in a fixed order: .txt, .md, .rst, .jsonl, each also as .gz.

    Raises:
        FileNotFoundError: there is no such folder, or no text in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is not a folder. Name one with text files in it.")
    found = [p for p in sorted(folder.rglob("*")) if p.is_file() and _kind(p) in _KINDS]
    if not found:
        known = ", ".join(_KINDS)
        raise FileNotFoundError(f"{folder} has no text: no file that ends in {known} (or .gz).")
    return found


def _kind(file: Path) -> str:
    return Path(file.stem).suffix if file.suffix == ".gz" else file.suffix


def documents(files: Iterable[Path]) -> Iterator[str]:
    """Read documents one after the other, without holding a file in memory.

    A document ends at an empty line; in a .jsonl file each line is one, with its text in "text".

    Raises:
        ValueError: a line of a .jsonl file has no such text; names file and line.
    """
    for file in files:
        opened = gzip.open if file.suffix == ".gz" else open
        with opened(file, "rt", encoding="utf-8", errors="replace") as lines:
            yield from _json_lines(file, lines) if _kind(file) == ".jsonl" else _paragraphs(lines)


def _json_lines(file: Path, lines: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(lines, 1):
        try:
            text = json.loads(line)[_FIELD]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f'{file}, line {number}, should be {{"{_FIELD}": "..."}}: {error!r:.80}'
            ) from None
        yield str(text)


def _paragraphs(lines: Iterable[str]) -> Iterator[str]:
    paragraph: list[str] = []
    for line in lines:
        if line.strip():
            paragraph.append(line.strip())
        elif paragraph:
            yield " ".join(paragraph)
            paragraph = []
    if paragraph:
        yield " ".join(paragraph)


def write_token_file(
    path: Path,
    files: Sequence[Path],
    tokenizer: WordPiece,
    hold_out: int = 100,
    told: Callable[[str], object] = lambda text: None,
) -> tuple[Path, Path]:
    """Write the tokens of all files, and return the files of training and of validation.

    Every `hold_out`-th document is for validation. Files that were made of the same texts, by their sizes and
    times, with the same vocabulary are kept. `told` is called with a sentence now and then.
    """
    kept = path.with_suffix(".train.bin"), path.with_suffix(".validation.bin")
    facts_file = path.with_suffix(".json")
    facts = _facts(files, tokenizer, hold_out)
    if all(each.is_file() for each in (*kept, facts_file)):
        if json.loads(facts_file.read_text(encoding="utf-8")) == facts:
            return kept
        facts_file.unlink()
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = _dtype(len(tokenizer.vocabulary))
    end = tokenizer.vocabulary[tokenizer.separator]
    buffers: tuple[list[int], list[int]] = [], []
    total = 0
    with kept[0].open("wb") as training, kept[1].open("wb") as validation:
        for number, text in enumerate(documents(files)):
            which = int(number % hold_out == hold_out - 1)
            buffers[which].extend([*tokenizer.encode(text).ids[1:-1], end])
            if len(buffers[which]) >= _AT_ONCE:
                total += len(buffers[which])
                np.array(buffers[which], kind).tofile((training, validation)[which])
                buffers[which].clear()
                told(f"{total:,} tokens")
        for buffer, file in zip(buffers, (training, validation), strict=True):
            np.array(buffer, kind).tofile(file)
            file.flush()
            os.fsync(file.fileno())
    facts_file.write_text(json.dumps(facts), encoding="utf-8")  # last: now the files are whole
    return kept


def _facts(files: Sequence[Path], tokenizer: WordPiece, hold_out: int) -> dict[str, object]:
    about = [[str(file), file.stat().st_size, file.stat().st_mtime_ns] for file in files]
    words = json.dumps([tokenizer.lowercase, sorted(tokenizer.vocabulary.items())])
    return {
        "files": about,
        "vocabulary": hashlib.sha256(words.encode()).hexdigest(),
        "hold_out": hold_out,
    }


def _dtype(size: int) -> type[np.unsignedinteger]:
    return np.uint16 if size <= 1 << 16 else np.uint32


class Blocks:
    """The blocks of a token file, each `(length,)` int64: a first token, then what stands in the file.

    No place of a block is padding, and each token of the file is in one block, but for a rest at the end that
    fills none. The file is mapped into memory: what is read takes room, and not what there is.

    Args:
        path: written by `write_token_file`.
        length: tokens of a block, the first one included.
        first: the id that every block begins with.
        vocab_size: of the tokenizer that wrote the file.

    Raises:
        ValueError: there is not one whole block in the file.
        IndexError: in `[index]`, there is no block of that number.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "few.bin"
    >>> np.arange(10, 19, dtype=np.uint16).tofile(file)
    >>> blocks = Blocks(file, length=5, first=2, vocab_size=100)
    >>> len(blocks), blocks[1].tolist()
    (2, [2, 14, 15, 16, 17])
    """

    def __init__(self, path: Path, length: int, first: int, vocab_size: int) -> None:
        self.length, self.first = length, first
        kind = _dtype(vocab_size)
        room = path.stat().st_size // np.dtype(kind).itemsize
        self.count = room // (length - 1)
        if not self.count:
            raise ValueError(
                f"{path} has {room} tokens, which do not fill a block of {length}. Take more text, or "
                "shorter blocks."
            )
        self._tokens: NDArray[np.unsignedinteger] = np.memmap(path, kind, mode="r")

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Tensor:
        if not 0 <= index < self.count:
            raise IndexError(f"There are {self.count} blocks; got {index}.")
        start = index * (self.length - 1)
        part = self._tokens[start : start + self.length - 1].astype(np.int64)
        return torch.from_numpy(np.concatenate([[self.first], part]))
