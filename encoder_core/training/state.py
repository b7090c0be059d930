"""Save and load a training: model, optimizer and JSON facts in one safetensors file.

Loading runs no code from the file. A new file is written beside the old one and then replaces it in
one step, so that one complete checkpoint exists at any time. The optimizer's state is stored by
parameter name, so that it cannot be loaded into another parameter.

Source: the safetensors format; Python's documentation of `os.replace`.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from encoder_core.pretrained.checkpoints import CheckpointError
from encoder_core.training.facts import parse_facts
from encoder_core.training.optimizers import state_names
from encoder_core.training.sharding import gather_whole, shard_as

__all__ = ["load_training", "remove_unfinished", "save_training", "writing_error"]

_FORMAT = "encoder_core training 2"
_BY_NUMBER = "encoder_core training 1"  # older: the optimizer's state by parameter number


def save_training(
    path: Path,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    facts: dict[str, Any],
    *,
    durable: bool = True,
    write: bool = True,
) -> None:
    """Write model, optimizer and facts in one atomic step; make the folder if it is missing.

    `facts` holds what JSON can: step, settings, history. Raises OSError if the file cannot be written;
    the old file is intact, and nothing of the new one is left.

    With `durable` the content is on the disk before it replaces the old file. Without, the call does
    not wait for the disk: the end of the process loses nothing, but a crash of the whole machine
    within the next half minute or so can leave a file that is cut off, which `load_training` refuses.

    A sharded model is put together for it (see `sharding`): all processes call this, one with `write`.

    >>> import tempfile
    >>> model = nn.Linear(2, 2)
    >>> optimizer = torch.optim.AdamW(model.parameters())
    >>> path = Path(tempfile.mkdtemp()) / "run.safetensors"
    >>> save_training(path, model, optimizer, {"step": 3})
    >>> load_training(path, model, optimizer)
    {'step': 3}
    """
    trained = _names(model, optimizer)
    tensors = {}
    for name, value in _tensors(model, optimizer, trained):
        full = gather_whole(value.detach())
        if write:  # a copy: safetensors refuses tied weights, which share memory
            tensors[name] = full.cpu().contiguous().clone()
    if not write:
        return
    metadata = {"format": _FORMAT, "facts": json.dumps(facts), "trained": json.dumps(trained)}
    content = save(tensors, metadata=metadata)
    # A unique name, so that two writers do not share a file.
    unfinished = path.with_name(f"{path.name}.{secrets.token_hex(8)}.unfinished")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with unfinished.open("xb") as file:
            file.write(content)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        os.replace(unfinished, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise writing_error(path, error) from error
        raise


def _tensors(
    model: nn.Module, optimizer: torch.optim.Optimizer, trained: list[str]
) -> Iterator[tuple[str, Tensor]]:
    """Yield the tensors of a checkpoint with their names, in an order that all processes share."""
    for name, value in model.state_dict().items():
        yield f"model.{name}", value
    for index, state in optimizer.state_dict()["state"].items():
        for what, value in state.items():
            yield f"optimizer.{trained[index]}.{what}", value


def writing_error(path: Path, error: OSError) -> OSError:
    """Return an error like `error` that names the checkpoint which could not be written."""
    return OSError(
        error.errno,
        f"The checkpoint could not be written ({error.strerror or error}). An earlier one "
        "is intact. Make room there, or choose another place",
        str(path),
    )


def remove_unfinished(path: Path) -> None:
    """Remove the unfinished files of trainings killed while they wrote; call it with the lock held."""
    left = re.compile(re.escape(path.name) + r"(\.[0-9a-f]{16})?\.unfinished")
    with contextlib.suppress(OSError):  # a leftover does no harm
        for file in path.parent.iterdir():
            if left.fullmatch(file.name):
                file.unlink(missing_ok=True)


def _names(model: nn.Module, optimizer: torch.optim.Optimizer) -> list[str]:
    """Return the names of the optimizer's parameters, in its order."""
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    return [names.get(id(p), f"#{index}") for index, p in enumerate(parameters)]


def load_training(
    path: Path,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    require: Callable[[dict[str, Any]], None] = lambda facts: None,
) -> dict[str, Any]:
    """Load what `save_training` wrote into model and optimizer, in place; return the facts.

    `require` is called with the facts before anything is changed, and raises if they do not fit.

    Raises:
        CheckpointError: the file is of another kind or damaged, other parameters were trained, or a
            weight is missing, unexpected or of another shape or dtype. Nothing has been changed.
        FileNotFoundError: there is no such file.
        IsADirectoryError: it is a folder.
    """
    metadata, saved = _read(path)
    if metadata.get("format") not in (_FORMAT, _BY_NUMBER):
        raise CheckpointError(f"{path} is not a training checkpoint: fit did not write it.")
    weights = {n.removeprefix("model."): t for n, t in saved.items() if n.startswith("model.")}
    now = model.state_dict()
    _require_same(path, now, weights)
    trained = _names(model, optimizer)
    if metadata["format"] == _FORMAT:
        _require_trained(path, trained, parse_facts(path, metadata.get("trained"), "trained", list))
    facts: dict[str, Any] = parse_facts(path, metadata.get("facts"), "facts", dict)
    require(facts)
    kind = type(optimizer).__name__
    moments: dict[int, dict[str, Tensor]] = {}
    for key, tensor in saved.items():
        if key.startswith("optimizer."):
            name, _, what = key.removeprefix("optimizer.").rpartition(".")
            index = _find(trained, name, by_number=metadata["format"] == _BY_NUMBER)
            if index is None:
                raise CheckpointError(
                    f"The checkpoint {path} has {kind}'s state of {name}, which is not a trained "
                    "parameter of this model. Train those that were trained before, or start over "
                    "with another path."
                )
            moments.setdefault(index, {})[what] = tensor
    _require_moments(path, trained, optimizer, moments)
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    for index, state in moments.items():
        like = parameters[index]
        moments[index] = {n: shard_as(t, like) if t.dim() else t for n, t in state.items()}
    groups = optimizer.state_dict()["param_groups"]
    model.load_state_dict({name: shard_as(t, now[name]) for name, t in weights.items()})
    optimizer.load_state_dict({"state": moments, "param_groups": groups})
    return facts


def _find(trained: list[str], name: str, by_number: bool) -> int | None:
    """Return a parameter's index in the optimizer by its name, or by its number in older files."""
    if by_number:
        return int(name) if name.isdecimal() and int(name) < len(trained) else None
    return trained.index(name) if name in trained else None


def _require_trained(path: Path, now: list[str], before: list[Any]) -> None:
    """Name the parameters that are trained now and were not, or the reverse."""
    problems = [f"{name} was trained and is frozen" for name in before if name not in now]
    problems += [f"{name} was frozen and is trained" for name in now if name not in before]
    if problems:
        raise CheckpointError(
            f"The checkpoint {path} is of a training of other parameters: {_first(problems)}. Set "
            "requires_grad as it was, or load the weights alone and start over with another path."
        )


def _require_moments(
    path: Path,
    trained: list[str],
    optimizer: torch.optim.Optimizer,
    moments: dict[int, dict[str, Tensor]],
) -> None:
    """Name the first few parameters whose state in the file does not fit the optimizer."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    problems = []
    for index, state in moments.items():
        name, shape = trained[index], parameters[index].shape
        needed = state_names(optimizer, parameters[index])
        problems += [f"{what} of {name} is missing" for what in sorted(needed - state.keys())]
        problems += [
            f"{what} of {name} is {tuple(value.shape)} in the file and {tuple(shape)} in the model"
            for what, value in state.items()
            if needed and value.shape != (() if what == "step" else shape)
        ]
    if problems:
        raise CheckpointError(
            f"In the checkpoint {path} {type(optimizer).__name__}'s state does not fit the trained parameters: "
            f"{_first(problems)}. Train those that were trained before, or start over with "
            "another path."
        )


def _read(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Read a file's metadata and tensors."""
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; a checkpoint is a file: name one in it.")
    if path.exists() and not path.is_file():  # reading a pipe would wait for a writer
        raise CheckpointError(f"{path} is a pipe or a device; a checkpoint is a file.")
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return file.metadata() or {}, tensors
    except SafetensorError as error:
        raise CheckpointError(
            f"{path} is not a complete checkpoint ({error}). Start over with another path, or delete it."
        ) from error


def _require_same(path: Path, expected: dict[str, Tensor], saved: dict[str, Tensor]) -> None:
    """Name the first few weights that differ in name, shape or dtype."""
    problems = [f"{name} is missing" for name in expected.keys() - saved.keys()]
    problems += [f"{name} is unexpected" for name in saved.keys() - expected.keys()]
    problems += [
        f"{name} is {_kind(saved[name], t)} in the file and {_kind(t, saved[name])} in the model"
        for name, t in expected.items()
        if name in saved and (saved[name].shape, saved[name].dtype) != (t.shape, t.dtype)
    ]
    if problems:
        raise CheckpointError(
            f"The checkpoint {path} is of another model: {_first(sorted(problems))}. Build the "
            "model as it was when the training began, or start over with another path."
        )


def _kind(one: Tensor, other: Tensor) -> str:
    """Return a tensor's shape if it differs from the other's, else its dtype."""
    return str(tuple(one.shape) if one.shape != other.shape else one.dtype)


def _first(problems: list[str]) -> str:
    return "; ".join(problems[:5]) + (", and more" if len(problems) > 5 else "")
