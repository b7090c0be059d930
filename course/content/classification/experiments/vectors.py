"""MiniLM's vectors of the data set "docstring-families": shipped, since 4,759 texts take a minute or two.

The file holds them as int8, each with its own scale: cosines between them and the exact vectors are
above 0.9999. It names the texts by a digest; where the data set has other texts, the vectors are computed
and kept in the learner's folder. `python3 -m course.content.classification.experiments.vectors` makes the file.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as as_bytes
from torch import Tensor

from course import datasets, learner
from course.datasets import Example
from course.system import files
from encoder_core import sentence_embedding
from encoder_core.pretrained.minilm import MINILM_SHA256

__all__ = ["of"]

MAX_LENGTH = 128  # tokens of a text that are read
FILE = Path(__file__).with_name("vectors.safetensors")


def of(examples: Sequence[Example]) -> Tensor:
    """Return the vectors `(N, 384)`, of length 1, of examples of "docstring-families", however split.

    Raises KeyError if a text is not one of the data set's.
    """
    rows, vectors = _table()
    return vectors[[rows[example.text] for example in examples]]


@functools.cache
def _table() -> tuple[dict[str, int], Tensor]:
    """Return all vectors, and the row of each text."""
    texts = _texts()
    digest = _digest(texts)
    own = learner.home() / "vectors" / f"docstring-families-{digest[:12]}.safetensors"
    for path in (FILE, own):
        vectors = _read(path, digest)
        if vectors is not None:
            break
    else:
        vectors = sentence_embedding(texts, batch_size=64, max_length=MAX_LENGTH)
        _write(own, vectors, digest)
    return {text: row for row, text in enumerate(texts)}, vectors


def _texts() -> list[str]:
    """Return all texts in an order that doesn't depend on the split."""
    data = datasets.load("docstring-families")
    return sorted({e.text for part in (data.train, data.validation, data.test) for e in part})


def _digest(texts: list[str]) -> str:
    """Return what the vectors depend on: the model, the length, the texts."""
    said = "\0".join([MINILM_SHA256, str(MAX_LENGTH), *texts])
    return hashlib.sha256(said.encode()).hexdigest()


def _read(path: Path, digest: str) -> Tensor | None:
    """Return the vectors in a file; None if it is missing, damaged, or of other texts."""
    try:
        with safe_open(path, framework="pt") as stored:
            if (stored.metadata() or {}).get("digest") != digest:
                return None
            vectors = stored.get_tensor("vectors").float()
    except (OSError, SafetensorError):
        return None
    return torch.nn.functional.normalize(vectors, dim=-1)


def _write(path: Path, vectors: Tensor, digest: str) -> None:
    """Write vectors as int8: the scale is left out, since all are scaled to length 1 again."""
    largest = vectors.abs().amax(dim=-1, keepdim=True)  # (N, 1)
    rounded = (127 * vectors / largest).round().to(torch.int8)  # (N, D)
    files.write(path, as_bytes({"vectors": rounded}, {"digest": digest}))


def main() -> None:
    """Make the shipped file."""
    texts = _texts()
    vectors = sentence_embedding(texts, batch_size=64, max_length=MAX_LENGTH)
    _write(FILE, vectors, _digest(texts))


if __name__ == "__main__":
    main()
