"""Results of finished trainings, so that a second notebook need not train again.

    <home>/trainings/cache/<key>.safetensors   the weights
    <home>/trainings/cache/<key>.json          figures, records, and the weights' SHA-256

The key stands for the training's code and data (`Training.key`), the code of encoder_core and of this
room, torch's version and the processor's instructions, the settings and the seed: a training with the
same key gives the same weights, bit by bit. A damaged entry is a miss.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

import encoder_core
from course.system import files
from course.training import places
from course.training.records import Record
from course.training.results import Trained
from course.training.settings import Settings
from course.training.task import Training

__all__ = ["cache_key", "find", "store"]

BYTES = 256 * 2**20


def cache_key(training: Training, settings: Settings) -> str:
    """Return 32 hexadecimal digits that stand for everything the weights depend on."""
    facts = {
        "name": training.name,
        "key": training.key,
        "settings": settings.as_json(),
        "code": code_digest(),
        "torch": torch.__version__,
        "processor": torch.backends.cpu.get_cpu_capability(),
    }
    text = json.dumps(facts, sort_keys=True, default=repr)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@functools.cache
def code_digest() -> str:
    """Return a hash of the sources of encoder_core and of this room."""
    digest = hashlib.sha256()
    for folder in (Path(encoder_core.__file__).parent, Path(__file__).parent):
        for path in sorted(folder.rglob("*.py")):
            digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def find(training: Training, settings: Settings) -> Trained | None:
    """Return the kept result of a training with these settings; None where there is none."""
    weights, notes = _paths(cache_key(training, settings))
    try:
        facts: Any = json.loads(files.read(notes))
        content = weights.read_bytes()
        if hashlib.sha256(content).hexdigest() != facts["sha256"]:
            return None
        model = training.fresh_model(settings)
        model.load_state_dict(load(content))
        records = [Record(**record) for record in facts["records"]]
        trained = Trained(
            model.eval(), settings, records, dict(facts["metrics"]), dict(facts["test"]), True,
            float(facts["seconds"]),
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError):
        return None
    for path in (weights, notes):
        with contextlib.suppress(OSError):
            os.utime(path)  # the least recently used is removed first
    return trained


def store(training: Training, trained: Trained) -> None:
    """Keep a result; go on where that fails."""
    weights, notes = _paths(cache_key(training, trained.settings))
    state = {name: t.contiguous().clone() for name, t in trained.model.state_dict().items()}
    content = save(state)
    facts = {
        "training": training.name,
        "settings": trained.settings.as_json(),
        "sha256": hashlib.sha256(content).hexdigest(),
        "metrics": trained.metrics,
        "test": trained.test,
        "seconds": trained.seconds,
        "records": [asdict(record) for record in trained.records],
    }
    with contextlib.suppress(OSError, ValueError):
        files.write(weights, content)
        files.write(notes, json.dumps(facts, default=repr) + "\n")
        _shrink()


def _paths(key: str) -> tuple[Path, Path]:
    folder = places.root() / "cache"
    return folder / f"{key}.safetensors", folder / f"{key}.json"


def _shrink() -> None:
    """Remove the results used longest ago, until the rest fits."""
    folder = places.root() / "cache"
    found = sorted(folder.glob("*.safetensors"), key=lambda path: path.stat().st_mtime)
    sizes = {path: path.stat().st_size for path in found}
    for path in found[:-1]:
        if sum(sizes.values()) <= BYTES:
            return
        del sizes[path]
        path.with_suffix(".json").unlink(missing_ok=True)
        path.unlink(missing_ok=True)
