"""Validate the JSON in a training's checkpoint: step, settings, sums, records, scaler.

Source: RFC 8259 (JSON).
"""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any, NoReturn

from encoder_core.pretrained.checkpoints import CheckpointError
from encoder_core.training.config import Record

__all__ = ["parse_facts", "require_facts"]

_NUMBER = (int, float)

# The type of each field, and whether it is required.
_FIELDS: dict[str, tuple[type | tuple[type, ...], bool]] = {
    "step": (int, True),
    "settings": (dict, True),
    "scaler": (dict, True),
    "records": (list, True),
    "rate": (_NUMBER, False),
    "norm": (_NUMBER, False),
    "sums": (dict, False),
    "counted": (int, False),
    "unreported": (bool, False),
    "seconds": (_NUMBER, False),
    "changes": (list, False),
}
_RECORD: dict[str, type | tuple[type, ...]] = {
    "step": int,
    "epoch": _NUMBER,
    "loss": _NUMBER,
    "learning_rate": _NUMBER,
    "gradient_norm": _NUMBER,
    "metrics": dict,
}
_LATER: dict[str, type | tuple[type, ...]] = {"seconds": _NUMBER, "layer_norms": dict}  # optional
_SCALER = ("scale", "growth_factor", "backoff_factor", "growth_interval", "_growth_tracker")


def parse_facts(path: Path, text: str | None, name: str, kind: type) -> Any:
    """Parse the entry `name` of a checkpoint's header, which must be JSON of type `kind`.

    `text` is None if the entry is missing. Raises CheckpointError, with the path and the name, if it
    is missing, not JSON or of another type.

    >>> parse_facts(Path("run"), '{"step": 3', "facts", dict)
    Traceback (most recent call last):
    ...
    encoder_core.pretrained.checkpoints.CheckpointError: The checkpoint run is damaged: facts is not JSON (...
    """
    if text is None:
        _refuse(path, f"{name} is missing")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        _refuse(path, f"{name} is not JSON ({error})", error)
    _require_type(path, name, value, kind)
    return value


def require_facts(path: Path, facts: dict[str, Any]) -> None:
    """Raise CheckpointError, with path and field, if a field is missing, invalid or of another type.

    >>> require_facts(Path("run"), {"step": "3"})
    Traceback (most recent call last):
    ...
    encoder_core.pretrained.checkpoints.CheckpointError: The checkpoint run is damaged: step must be int, ...
    """
    for name, (kind, always) in _FIELDS.items():
        if name in facts:
            _require_type(path, name, facts[name], kind)
        elif always:
            _refuse(path, f"{name} is missing")
    if facts["step"] < 0 or facts.get("counted", 0) < 0:
        _refuse(path, f"step and counted must not be negative, got {facts['step']} and "
                f"{facts.get('counted', 0)}")  # fmt: skip
    sums = facts.get("sums", {})
    for name, value in sums.items():
        _require_type(path, f"sums.{name}", value, _NUMBER)
    if bool(facts.get("counted")) != bool(sums) or ("loss" in sums) != bool(sums):
        _refuse(path, "sums must hold the loss of the updates counted, and nothing without any")
    if facts.get("unreported") and not sums:
        _refuse(path, "unreported is true, and sums hold no update that could be reported")
    for place, change in enumerate(facts.get("changes", [])):
        _require_change(path, f"changes[{place}]", change)
    for name in _SCALER if facts["scaler"] else ():
        _require_type(path, f"scaler.{name}", facts["scaler"].get(name), _NUMBER)
    for place, record in enumerate(facts["records"]):
        _require_record(path, f"records[{place}]", record)


def _require_record(path: Path, name: str, record: Any) -> None:
    _require_type(path, name, record, dict)
    for key, kind in _RECORD.items():
        if key not in record:
            _refuse(path, f"{name}.{key} is missing")
        _require_type(path, f"{name}.{key}", record[key], kind)
    for key in record.keys() - {field.name for field in fields(Record)}:
        _refuse(path, f"{name}.{key} is unexpected")
    for key in _LATER.keys() & record.keys():
        _require_type(path, f"{name}.{key}", record[key], _LATER[key])
    for group in ("metrics", "layer_norms"):
        for key, value in record.get(group, {}).items():
            _require_type(path, f"{name}.{group}.{key}", value, _NUMBER)


def _require_change(path: Path, name: str, change: Any) -> None:
    """Refuse what is no pair of a step and a learning rate."""
    _require_type(path, name, change, list)
    if len(change) != 2:
        _refuse(path, f"{name} must be a step and a rate, got {len(change)} values")
    _require_type(path, f"{name}[0]", change[0], int)
    _require_type(path, f"{name}[1]", change[1], _NUMBER)


def _require_type(path: Path, name: str, value: Any, kind: type | tuple[type, ...]) -> None:
    kinds = kind if isinstance(kind, tuple) else (kind,)
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        wanted = " or ".join(k.__name__ for k in kinds)
        _refuse(path, f"{name} must be {wanted}, got {type(value).__name__}")


def _refuse(path: Path, what: str, cause: Exception | None = None) -> NoReturn:
    raise CheckpointError(
        f"The checkpoint {path} is damaged: {what}. Take an earlier copy, or start over with "
        "another path."
    ) from cause
