"""A public corpus from the Hugging Face hub, when asked for: streamed once into a file of the training's folder.

`hub:OWNER/NAME/CONFIG` names one, as in `hub:Salesforce/wikitext/wikitext-103-raw-v1`. What follows is the same as
with one's own texts, so a training that is started again needs no network.

Source: the documentation of the `datasets` library, "Stream".
"""

from __future__ import annotations

import gzip
import importlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

__all__ = ["HUB", "fetch_corpus"]

HUB = "hub:"
_FIELD, _EVERY = "text", 100_000


def fetch_corpus(
    name: str,
    folder: Path,
    documents: int | None = None,
    told: Callable[[str], object] = lambda text: None,
) -> Path:
    """Return a folder below `folder` with the corpus as a .jsonl.gz file, fetched where it is not there yet.

    Args:
        name: `hub:OWNER/NAME` or `hub:OWNER/NAME/CONFIG`; the split is "train", the column "text".
        documents: the first so many; None for all.
        told: called with a sentence now and then.

    Raises:
        ValueError: a name of another form; a corpus without texts.
        ImportError: the `datasets` library is not installed.
        OSError: the hub can't be reached, or does not have it.
    """
    parts = name.removeprefix(HUB).split("/")
    if not name.startswith(HUB) or len(parts) not in (2, 3) or not all(parts):
        raise ValueError(
            f"A corpus is named {HUB}OWNER/NAME or {HUB}OWNER/NAME/CONFIG; got {name!r}."
        )
    place = folder / "corpus" / "-".join([*parts, str(documents or "all")])
    file = place / "train.jsonl.gz"
    if not file.is_file():
        place.mkdir(parents=True, exist_ok=True)
        unfinished = file.with_suffix(".unfinished")
        _write(unfinished, _stream(name, parts, documents), told)
        os.replace(unfinished, file)
    return place


def _write(path: Path, texts: Iterator[str], told: Callable[[str], object]) -> None:
    with gzip.open(path, "wt", encoding="utf-8", compresslevel=1) as file:
        for number, text in enumerate(texts, 1):
            file.write(json.dumps({_FIELD: text}, ensure_ascii=False) + "\n")
            if number % _EVERY == 0:
                told(f"{number:,} documents fetched")


def _stream(name: str, parts: list[str], documents: int | None) -> Iterator[str]:
    """Yield the texts that are not empty, in the corpus's order."""
    try:
        library: Any = importlib.import_module("datasets")
    except ImportError:
        raise ImportError(
            f"To fetch {name}, install: pip install datasets. Your own texts need nothing."
        ) from None
    config, count = (parts[2] if len(parts) == 3 else None), 0
    try:
        rows = library.load_dataset("/".join(parts[:2]), config, split="train", streaming=True)
        for row in rows:
            if count == documents:
                return
            text = row[_FIELD]
            if text.strip():
                count += 1
                yield text.strip()
    except KeyError as error:
        raise ValueError(
            f'{name} has no column "{_FIELD}" ({error}). Choose a corpus that has one.'
        ) from error
    except Exception as error:  # what the hub's network libraries raise has no common class
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise OSError(
            f"{name} could not be fetched from huggingface.co/datasets: {reason} Is there a network, and is the name "
            "right? Your own texts need neither."
        ) from error
    if not count:
        raise ValueError(f"{name} has no text in its split train. Choose another corpus.")
