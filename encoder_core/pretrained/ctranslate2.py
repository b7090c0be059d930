"""Read the weights of a CTranslate2 model: a plain list of names, shapes and numbers.

Source: CTranslate2's `python/ctranslate2/specs/model_spec.py` (`ModelSpec._serialize`, binary version 6).
"""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from encoder_core.pretrained.checkpoints import CheckpointError

__all__ = ["read_ctranslate2"]

_KINDS = (np.float32, np.int8, np.int16, np.int32, np.float16)  # by their number in the file
_VERSION = 6


def read_ctranslate2(path: Path | str, sha256: str | None = None) -> dict[str, Tensor]:
    """Return the tensors of a `model.bin` by name, in the shapes that it gives; those in half precision as float32.

    Raises:
        FileNotFoundError: there is no such file.
        CheckpointError: another digest than `sha256`, another version, or a file that ends too early.
    """
    content = Path(path).read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if sha256 is not None and found != sha256:
        raise CheckpointError(
            f"{path} has the SHA-256 {found}, expected {sha256}. Install it again."
        )
    try:
        return _Reader(content).tensors()
    except (struct.error, UnicodeDecodeError, IndexError, ValueError) as error:
        raise CheckpointError(
            f"{path} is no CTranslate2 model of version {_VERSION}: {error}"
        ) from error


class _Reader:
    """Takes number by number from the front."""

    def __init__(self, content: bytes) -> None:
        self.content, self.at = content, 0

    def number(self, kind: str) -> int:
        """Take an integer: `B`, `H` or `I` as in `struct`."""
        (found,) = struct.unpack_from(f"<{kind}", self.content, self.at)
        self.at += struct.calcsize(f"<{kind}")
        return int(found)

    def part(self, length: int) -> bytes:
        """Take so many bytes."""
        if self.at + length > len(self.content):
            raise ValueError("the file ends too early")
        self.at += length
        return self.content[self.at - length : self.at]

    def text(self) -> str:
        """Take a text, which ends in a zero byte."""
        return self.part(self.number("H"))[:-1].decode()

    def tensors(self) -> dict[str, Tensor]:
        """Read everything."""
        version = self.number("I")
        if version != _VERSION:
            raise ValueError(f"its version is {version}")
        self.text()  # the model's name
        self.number("I")  # and its revision
        found: dict[str, Tensor] = {}
        for _ in range(self.number("I")):
            name = self.text()
            shape = [self.number("I") for _ in range(self.number("B"))]
            kind = _KINDS[self.number("B")]
            values = np.frombuffer(self.part(self.number("I")), kind).reshape(shape)
            wide = values.astype(np.float32) if kind is np.float16 else values.copy()
            found[name] = torch.from_numpy(wide)
        return found
