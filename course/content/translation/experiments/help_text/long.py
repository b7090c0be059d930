"""A longer run, whose model comes with the course in float16, and how it is made again."""

from __future__ import annotations

import argparse
import functools
import json
import resource
import tempfile
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from course.content.recorded import path
from course.content.translation.experiments.help_text import model, recipe, rows
from course.sandbox.guards import seeded
from course.system import files
from encoder_core.training.loop import fit

__all__ = ["CHECKPOINT", "LONG", "long_run", "main", "make"]

CHECKPOINT = path("translation.help_text").with_suffix(".safetensors")
LONG: dict[str, Any] = {
    "d_model": 64,
    "nhead": 4,
    "num_layers": 2,
    "dim_feedforward": 128,
    "dropout": 0.1,
}
UPDATES = 7000


@functools.cache
def long_run() -> Any:
    """Return the model of the long run, in eval mode. Treat it as read-only."""
    with safe_open(str(CHECKPOINT), framework="pt") as file:
        settings = json.loads(file.metadata()["settings"])
        state = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
    with seeded(0):
        net = model.build(**settings, vectors=False)
    net.load_state_dict(state)
    return net.eval()


def make(updates: int, folder: Path, **settings: Any) -> Any:
    """Train, going on from the checkpoint in `folder` where there is one; return the model."""
    settings = {**LONG, **settings}
    with seeded(0):
        net = model.build(**settings)
    fit(
        net, rows.groups(recipe.SIZE), recipe.loss, collate=recipe.collate,
        checkpoint=folder / "help_text.safetensors", checkpoint_every=100, log_every=100,
        callback=lambda record: print(record.step, f"{record.loss:.3f}", flush=True),
        device="cpu", precision="float32", progress=False,
        **{**recipe.SETTINGS, "steps": updates},
    )  # fmt: skip
    return net.eval()


def write(net: Any, settings: dict[str, Any], file: Path = CHECKPOINT) -> None:
    """Write a model in float16, with the settings that it is built with."""
    state: dict[str, Tensor] = {n: t.half().contiguous() for n, t in net.state_dict().items()}
    files.write(file, save(state, {"settings": json.dumps(settings)}))


def main() -> None:
    """Train, write the model, and print what it reaches."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("updates", type=int, nargs="?", default=UPDATES)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "help_text")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    arguments.folder.mkdir(exist_ok=True)
    write(make(arguments.updates, arguments.folder), LONG)
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_utime:.0f} CPU-seconds")
    net = long_run()
    print("validation", recipe.evaluate(net))
