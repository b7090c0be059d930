"""Read weights from safetensors files, rename them, and load them into a model without leftovers.

Only safetensors are read: unpickling a `.bin` or `.pt` file runs code from the file. A weight that
is missing, unexpected or of another shape raises an error that names it.

Source: the safetensors format, https://huggingface.co/docs/safetensors.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePath
from typing import Any

import torch
from torch import Tensor, nn

__all__ = [
    "CheckpointError",
    "load_weights",
    "read_json_object",
    "read_weights",
    "rename_weights",
    "stack_projections",
]

State = dict[str, Tensor]

_FLOATING = (torch.float64, torch.float32, torch.bfloat16, torch.float16)


class CheckpointError(ValueError):
    """A malformed file, or weights that do not fit the model."""


class _MissingPart(CheckpointError, FileNotFoundError):
    """A file that the index names is missing."""


def read_json_object(path: Path | str) -> dict[str, Any]:
    """Read a JSON file that holds an object.

    Raises FileNotFoundError, or CheckpointError (with the file's name) if it is not UTF-8, begins with
    a byte-order mark (forbidden by RFC 8259, section 8.1), is not JSON, or is not an object.
    """
    content = Path(path).read_bytes()
    if content.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise CheckpointError(f"{path} begins with a byte-order mark. Save it as UTF-8 without.")
    try:
        value = json.loads(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise CheckpointError(
            f"{path} is not UTF-8 (byte {error.start}). Fetch it again."
        ) from None
    except json.JSONDecodeError as error:
        raise CheckpointError(f"{path} is not JSON: {error}. Fetch it again.") from None
    except (RecursionError, ValueError) as error:  # too deep, or a number with too many digits
        raise CheckpointError(f"{path} cannot be read: {error}.") from None
    if not isinstance(value, dict):
        kind = type(value).__name__
        raise CheckpointError(f"{path} must hold a JSON object, {{...}}, but holds a {kind}.")
    return value


def read_weights(path: Path | str, sha256: str | None = None) -> State:
    """Read a safetensors file, or all parts of a sharded checkpoint, onto the CPU in the file's dtypes.

    Args:
        path: a `.safetensors` file, or a folder with `model.safetensors`, or with
            `model.safetensors.index.json` and its parts.
        sha256: digest of the file in hexadecimal, for a checkpoint of one file; None to skip.

    Returns:
        The tensors by name.

    Raises:
        FileNotFoundError: there is no such file.
        CheckpointError: wrong digest; not a safetensors file; a malformed index; a part that does not
            lie beside the index or lacks a weight.
    """
    state: State = {}
    for part, expected in _parts(Path(path)).items():
        content = part.read_bytes()
        found = hashlib.sha256(content).hexdigest() if sha256 else None
        if found != sha256:
            raise CheckpointError(
                f"{part} has the SHA-256 {found}, expected {sha256}. Install or fetch it again."
            )
        tensors = _parse(content, part)
        for name in expected:
            if name not in tensors:
                raise CheckpointError(
                    f"{part.parent}: the index puts {name} in {part.name}, but it is not there. "
                    "Fetch both files again."
                )
        for name in tensors:
            if name in state:
                raise CheckpointError(f"{name} is in {part} and in another part of the checkpoint.")
        state.update(tensors)
    return state


def _parse(content: bytes, part: Path) -> State:
    """Parse one safetensors file."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        return load(content)
    except SafetensorError as error:
        raise CheckpointError(f"{part} is not a safetensors file: {error}.") from error
    except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{part} holds a dtype or a shape that torch cannot make: {error}."
        ) from error


def _parts(path: Path) -> dict[Path, list[str]]:
    """Return the safetensors files at `path`, each with the weights that the index expects in it."""
    if path.is_file() and path.suffix == ".safetensors":
        return {path: []}
    index = path / "model.safetensors.index.json"
    if (path / "model.safetensors").is_file():
        return {path / "model.safetensors": []}
    if index.is_file():
        return _read_index(index)
    raise FileNotFoundError(
        f"No model.safetensors in {path}. Weights are read from safetensors only; a .bin or .pt "
        "file would have to be unpickled, which runs code from the file. Convert it first."
    )


def _read_index(index: Path) -> dict[Path, list[str]]:
    """Return the weights of each file; every file must lie beside the index."""
    places = read_json_object(index).get("weight_map")
    if not isinstance(places, dict) or not places:
        raise CheckpointError(
            f"{index}: weight_map must be an object of weights and their files, got {places!r:.80}."
        )
    parts: dict[Path, list[str]] = {}
    for weight, name in places.items():
        if not isinstance(name, str) or not name.endswith(".safetensors"):
            raise CheckpointError(
                f"{index}: weight_map must give the name of a .safetensors file for {weight}, "
                f"got {name!r:.80}."
            )
        part = index.parent / name
        if PurePath(name).name != name or "\\" in name or not part.is_file():
            raise _MissingPart(
                f"{index}: {weight} should be in {name!r}, but there is no such file beside the "
                "index. Fetch the checkpoint again."
            )
        parts.setdefault(part, []).append(weight)
    return dict(sorted(parts.items()))


def rename_weights(state: Mapping[str, Tensor], rules: Iterable[tuple[str, str]]) -> State:
    """Rename weights by regular expressions, pairs for `re.sub` that are applied in turn to every name.

    Raises CheckpointError if two weights get one name.

    >>> list(rename_weights({"a.gamma": torch.ones(1)}, [(r"gamma$", "weight")]))
    ['a.weight']
    """
    compiled = [(re.compile(pattern), replacement) for pattern, replacement in rules]
    renamed: State = {}
    for old, tensor in state.items():
        name = old
        for pattern, replacement in compiled:
            name = pattern.sub(replacement, name)
        if name in renamed:
            raise CheckpointError(f"Two weights of the checkpoint would be called {name}.")
        renamed[name] = tensor
    return renamed


def stack_projections(state: Mapping[str, Tensor]) -> State:
    """Stack the query, key and value projections of each layer into one, as `torch.nn` stores them.

    `*.query.weight`, `*.key.weight` and `*.value.weight` become `*.in_proj_weight` `(3D, D)`; biases
    become `*.in_proj_bias` `(3D,)`. Raises CheckpointError if the three differ in shape or dtype.

    >>> parts = {f"a.{x}.weight": torch.ones(2, 2) for x in ("query", "key", "value")}
    >>> {name: tuple(tensor.shape) for name, tensor in stack_projections(parts).items()}
    {'a.in_proj_weight': (6, 2)}
    """
    stacked = dict(state)
    for name in state:
        match = re.fullmatch(r"(.*\.)query\.(weight|bias)", name)
        if match is None:
            continue
        start, kind = match.groups()
        parts = [f"{start}{part}.{kind}" for part in ("query", "key", "value")]
        if all(part in state for part in parts):
            kinds = {(state[part].shape, state[part].dtype) for part in parts}
            if len(kinds) > 1:
                found = ", ".join(f"{part} is {_describe(state[part])}" for part in parts)
                raise CheckpointError(f"Three projections must be of one shape and dtype: {found}.")
            stacked[f"{start}in_proj_{kind}"] = torch.cat([stacked.pop(part) for part in parts])
    return stacked


def load_weights(model: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Load exactly these weights into a model, which keeps its dtype and device.

    Raises CheckpointError, and leaves the model unchanged, if a weight is missing, unexpected, of
    another shape or kind of dtype, or holds NaN or infinity; each is named.

    >>> load_weights(nn.Linear(2, 2), {"weight": torch.ones(2, 2), "scale": torch.ones(1)})
    Traceback (most recent call last):
    encoder_core.pretrained.checkpoints.CheckpointError: The weights do not fit Linear: missing bias; ...
    """
    own = model.state_dict()
    missing = [name for name in own if name not in state]
    unexpected = [name for name in state if name not in own]
    faults = [f"missing {', '.join(missing)}"] if missing else []
    faults += [f"unexpected {', '.join(unexpected)}"] if unexpected else []
    for name, tensor in own.items():
        fault = _misfit(state[name], tensor) if name in state else None
        faults += [f"{name} {fault}"] if fault else []
    if faults:
        details = "; ".join(faults)
        raise CheckpointError(f"The weights do not fit {type(model).__name__}: {details}.")
    model.load_state_dict(state)


def _misfit(given: Any, own: Tensor) -> str | None:
    """Return why a weight does not fit, or None if it does."""
    if not isinstance(given, Tensor):
        return f"is a {type(given).__name__} and should be a tensor"
    if given.shape != own.shape:
        return f"is {tuple(given.shape)} and should be {tuple(own.shape)}"
    if not own.is_floating_point():
        return None if given.dtype == own.dtype else f"is {given.dtype} and should be {own.dtype}"
    if given.dtype not in _FLOATING:
        known = ", ".join(str(dtype).removeprefix("torch.") for dtype in _FLOATING)
        return f"is {given.dtype} and should be one of {known}"
    if torch.isfinite(given.to(own.dtype)).all():
        return None
    if torch.isfinite(given).all():
        return f"has values too large for {own.dtype}"
    return "has NaN or infinity in it"


def _describe(tensor: Tensor) -> str:
    return f"{tuple(tensor.shape)} {tensor.dtype}"
