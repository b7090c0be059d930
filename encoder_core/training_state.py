"""A training's whole state in one file of tensors, written so that no crash can spoil it.

The file is in the safetensors format, which holds numbers and text and cannot hold code: nothing
is unpickled when a training is resumed. It is written beside the old one and then takes its
place in one step, so that whatever happens, one whole checkpoint is there.

Source: the safetensors format; Python's documentation of `os.replace`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

__all__ = ["load_training", "save_training"]

_FORMAT = "encoder_core training 1"


def save_training(
    path: Path,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    facts: dict[str, Any],
) -> None:
    """Write model, optimizer and facts, in one atomic step.

    Args:
        path: the file; its folder is made where it is missing.
        model: its state dict is saved.
        optimizer: its state is saved, parameter by parameter.
        facts: whatever JSON can hold (step, settings, history).

    Raises:
        OSError: the disk is full, or the folder cannot be written to; the old file stays whole.

    >>> import tempfile
    >>> model = nn.Linear(2, 2)
    >>> optimizer = torch.optim.AdamW(model.parameters())
    >>> path = Path(tempfile.mkdtemp()) / "run.safetensors"
    >>> save_training(path, model, optimizer, {"step": 3})
    >>> load_training(path, model, optimizer)
    {'step': 3}
    """
    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": value for name, value in state.items()}
    # Each tensor gets memory of its own: safetensors refuses tied weights that share theirs.
    tensors = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    content = save(tensors, metadata={"format": _FORMAT, "facts": json.dumps(facts)})
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".unfinished")
    with unfinished.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(unfinished, path)


def load_training(
    path: Path,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    require: Callable[[dict[str, Any]], None] = lambda facts: None,
) -> dict[str, Any]:
    """Bring model and optimizer to the state in a file.

    Args:
        path: what `save_training` wrote.
        model: one with the same parameters; changed in place.
        optimizer: one over that model's parameters; changed in place.
        require: called with the facts before anything is changed; raises where they don't fit.

    Returns:
        The facts that were saved.

    Raises:
        ValueError: the file is of another kind, or a weight is missing, unexpected or of another
            shape; the message names it, and nothing has been changed.
        FileNotFoundError: there is no such file.
        IsADirectoryError: it is a folder.

    >>> load_training(Path("nowhere.safetensors"), nn.Linear(1, 1), None)
    Traceback (most recent call last):
    ...
    FileNotFoundError: No such file or directory: nowhere.safetensors
    """
    metadata, saved = _read(path)
    if metadata.get("format") != _FORMAT:
        raise ValueError(f"{path} is no checkpoint of a training: it was not written by fit.")
    weights = {n.removeprefix("model."): t for n, t in saved.items() if n.startswith("model.")}
    _require_same(path, model.state_dict(), weights)
    facts: dict[str, Any] = json.loads(metadata["facts"])
    require(facts)
    moments: dict[int, dict[str, Tensor]] = {}
    for name, tensor in saved.items():
        kind, _, rest = name.partition(".")
        if kind == "optimizer":
            index, _, what = rest.partition(".")
            moments.setdefault(int(index), {})[what] = tensor
    groups = optimizer.state_dict()["param_groups"]
    model.load_state_dict(weights)
    optimizer.load_state_dict({"state": moments, "param_groups": groups})
    return facts


def _read(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Read what a file says of itself, and all of its tensors."""
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; a checkpoint is a file: name one in it.")
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return file.metadata() or {}, tensors
    except SafetensorError as error:
        raise ValueError(
            f"{path} is no whole checkpoint ({error}). Start anew with another path, or delete it."
        ) from error


def _require_same(path: Path, expected: dict[str, Tensor], came: dict[str, Tensor]) -> None:
    """Name the first few weights that differ in name or shape."""
    problems = [f"{name} is missing" for name in expected.keys() - came.keys()]
    problems += [f"{name} is unexpected" for name in came.keys() - expected.keys()]
    problems += [
        f"{name} is {tuple(came[name].shape)} in the file and {tuple(t.shape)} in the model"
        for name, t in expected.items()
        if name in came and came[name].shape != t.shape
    ]
    if problems:
        shown = "; ".join(sorted(problems)[:5]) + (", and more" if len(problems) > 5 else "")
        raise ValueError(
            f"The checkpoint {path} is of another model: {shown}. Build the model as it was when "
            "the training began, or start anew with another path."
        )
