"""Checkpoints: weights read from safetensors files, renamed, and loaded with nothing left over.

Only safetensors are read: the format is numbers and names alone, while unpickling a `.bin` or
`.pt` file runs whatever code its maker put there. A weight that is missing, left over or of
another shape is an error that names it.

Source: the safetensors format, https://huggingface.co/docs/safetensors.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

__all__ = ["CheckpointError", "load_weights", "read_weights", "rename_weights", "stack_projections"]

State = dict[str, Tensor]


class CheckpointError(ValueError):
    """A file that is not what it should be, or weights that do not fit the model."""


def read_weights(path: Path | str, sha256: str | None = None) -> State:
    """Read a safetensors file, or all parts of one that was cut into several.

    Args:
        path: a `.safetensors` file, or a folder that holds `model.safetensors` or
            `model.safetensors.index.json` with its parts.
        sha256: the digest that the one file must have, in hexadecimal; None checks nothing.

    Returns:
        The tensors by name, on the CPU, in the file's dtypes.

    Raises:
        FileNotFoundError: there is no such file.
        CheckpointError: the digest is another, or the file is no safetensors file.

    >>> import tempfile, safetensors.torch
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     safetensors.torch.save_file({"w": torch.ones(2)}, f"{folder}/model.safetensors")
    ...     read_weights(folder)
    {'w': tensor([1., 1.])}
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    state: State = {}
    for part in _parts(Path(path)):
        content = part.read_bytes()
        found = hashlib.sha256(content).hexdigest() if sha256 else None
        if found != sha256:
            raise CheckpointError(
                f"{part} is not the file that was expected: its SHA-256 is {found}, not {sha256}. "
                "Install it again, or fetch it again from where it is published."
            )
        try:
            state.update(load(content))
        except SafetensorError as error:
            raise CheckpointError(f"{part} is no safetensors file: {error}.") from error
    return state


def _parts(path: Path) -> list[Path]:
    """List the safetensors files that `path` stands for."""
    if path.is_file() and path.suffix == ".safetensors":
        return [path]
    index = path / "model.safetensors.index.json"
    if (path / "model.safetensors").is_file():
        return [path / "model.safetensors"]
    if index.is_file():
        names = json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()
        return [path / Path(name).name for name in sorted(set(names))]
    raise FileNotFoundError(
        f"No model.safetensors in {path}. Weights are read from safetensors only; a .bin or .pt "
        "file would have to be unpickled, which runs code from the file. Convert it first."
    )


def rename_weights(state: Mapping[str, Tensor], rules: Iterable[tuple[str, str]]) -> State:
    """Rename weights by regular expressions, each applied to every name in turn.

    Args:
        state: tensors by name.
        rules: pairs of a pattern and what stands in its place, as for `re.sub`.

    Returns:
        The same tensors under their new names.

    Raises:
        CheckpointError: two weights would get one name.

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
    """Stack each layer's query, key and value projections into one, as `torch.nn` keeps them.

    Args:
        state: tensors by name; `....query.weight` with its `key` and `value`, and their biases.

    Returns:
        The same with `....in_proj_weight` `(3D, D)` and `....in_proj_bias` `(3D,)` instead.

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
            stacked[f"{start}in_proj_{kind}"] = torch.cat([stacked.pop(part) for part in parts])
    return stacked


def load_weights(model: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Load weights into a model, all of them and no other; the model keeps its dtype and device.

    Args:
        model: the model, changed in place, but only where everything fits.
        state: tensors by the model's own names.

    Raises:
        CheckpointError: a weight is missing, left over, or of another shape; it names each.

    >>> load_weights(nn.Linear(2, 2), {"weight": torch.ones(2, 2), "scale": torch.ones(1)})
    Traceback (most recent call last):
    encoder_core.checkpoints.CheckpointError: The weights do not fit Linear: missing bias; ...
    """
    own = model.state_dict()
    missing = [name for name in own if name not in state]
    unexpected = [name for name in state if name not in own]
    shapes = [
        f"{name} is {tuple(state[name].shape)} and should be {tuple(own[name].shape)}"
        for name in own
        if name in state and own[name].shape != state[name].shape
    ]
    faults = [f"missing {', '.join(missing)}"] if missing else []
    faults += [f"unexpected {', '.join(unexpected)}"] if unexpected else []
    if faults or shapes:
        told = "; ".join(faults + shapes)
        raise CheckpointError(f"The weights do not fit {type(model).__name__}: {told}.")
    model.load_state_dict(state)
