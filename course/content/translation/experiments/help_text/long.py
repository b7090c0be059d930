"""A longer run, whose model comes with the course in float16, and how it is made again."""

from __future__ import annotations

import argparse
import functools
import hashlib
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from course.content.recorded import path
from course.content.translation.experiments.help_text import model, recipe, rows
from course.datasets.help_pages.corpus import version
from course.sandbox.guards import seeded
from course.system import files
from encoder_core.training.config import Record
from encoder_core.training.loop import fit

__all__ = [
    "ASKED",
    "CHECKPOINT",
    "SETTINGS",
    "facts",
    "key",
    "long_run",
    "main",
    "make",
    "scores",
    "write",
]

CHECKPOINT = path("translation.help_text").with_suffix(".safetensors")
SETTINGS: dict[str, Any] = {
    "d_model": 64,
    "nhead": 4,
    "num_layers": 2,
    "dim_feedforward": 128,
    "dropout": 0.1,
}
UPDATES = 1600
ASKED = (
    "Runs the macro and stops it after the next procedure.",
    "Inserts the currently selected table.",
    "Select the color of the separator line.",
)
TEXT = """help_text.safetensors: a small encoder-decoder that translates the help of LibreOffice from English to
Chinese. Chapter 08 loads it.

Made by    python -m course.content.translation.help_text {updates}
in         {updates:,} updates, {seconds:,} CPU-seconds, one thread, torch {torch}
settings   {settings}
data       the training split of the course's data set "libreoffice-help", {version}: Copyright 2000, 2010
           Oracle and LibreOffice contributors, Mozilla Public License 2.0 (the licence's text is in
           course/datasets/help_pages/LICENSE-MPL-2.0.txt). The dictionary in the file is counted in it.
numbers    float16; whole numbers int16
"""
_EVERY = 100  # updates between checkpoints


@functools.cache
def long_run() -> Any:
    """Return the model of the long run, in eval mode. Treat it as read-only."""
    with safe_open(str(CHECKPOINT), framework="pt") as file:
        state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    with seeded(0):
        net = model.build(**facts()["settings"], dictionary=False)
    net.load_state_dict(state)
    return net.eval()


def facts() -> dict[str, Any]:
    """Return how the long run was made: its `settings`, `updates` and CPU `seconds`."""
    with safe_open(str(CHECKPOINT), framework="pt") as file:
        found: dict[str, Any] = json.loads(file.metadata()["made"])
    return found


def key() -> str:
    """Return 16 digits that stand for the model."""
    return hashlib.sha256(CHECKPOINT.read_bytes()).hexdigest()[:16]


def scores(beam: int) -> dict[str, dict[str, float]]:
    """Score the long run on validation and test, as the other trainings are scored."""
    return {split: recipe.evaluate(long_run(), split, beam) for split in ("validation", "test")}


def make(updates: int, folder: Path, **settings: Any) -> tuple[Any, float]:
    """Train, going on from the checkpoint in `folder` where there is one.

    Returns the model in eval mode, and the CPU-seconds of all calls together.
    """
    with seeded(0):
        net = model.build(**settings)
    spent = folder / "seconds.txt"
    before = float(spent.read_text("utf-8")) if spent.exists() else 0.0
    start = time.process_time()

    def note(record: Record) -> None:
        spent.write_text(str(before + time.process_time() - start), "utf-8")
        print(f"{record.step} updates, loss {record.loss:.3f}", flush=True)

    fit(
        net, rows.groups(recipe.SIZE), recipe.loss, collate=recipe.collate, callback=note,
        checkpoint=folder / "training.safetensors", checkpoint_every=_EVERY, log_every=_EVERY,
        device="cpu", precision="float32", progress=False,
        **{**recipe.SETTINGS, "steps": updates},
    )  # fmt: skip
    return net.eval(), before + time.process_time() - start


def write(net: Any, made: dict[str, Any], file: Path = CHECKPOINT) -> None:
    """Write a model in float16 with how it was made and what it makes of `ASKED`, and a text that says so."""
    state = {name: tensor.contiguous() for name, tensor in narrow(net).items()}
    net.load_state_dict(state)
    made = {**made, "translated": list(zip(ASKED, recipe.translate(net, ASKED), strict=True))}
    files.write(file, save(state, {"made": json.dumps(made)}))
    text = TEXT.format(version=version(), torch=torch.__version__.partition("+")[0], **made)
    files.write(file.with_suffix(".txt"), text.encode())


def narrow(net: Any) -> dict[str, Tensor]:
    """Return the state dict of a model in float16, whole numbers in int16."""
    return {
        name: tensor.half() if tensor.is_floating_point() else tensor.to(torch.int16)
        for name, tensor in net.state_dict().items()
    }


def main() -> None:
    """Train and write the model."""
    parser = argparse.ArgumentParser(description=str(__doc__))
    parser.add_argument("updates", type=int, nargs="?", default=UPDATES)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "help_text")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    arguments.folder.mkdir(exist_ok=True)
    net, seconds = make(arguments.updates, arguments.folder, **SETTINGS)
    write(net, {"settings": SETTINGS, "updates": arguments.updates, "seconds": round(seconds)})
    print(f"{seconds:.0f} CPU-seconds; validation: {recipe.evaluate(net)}")
