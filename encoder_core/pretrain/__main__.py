"""`python -m encoder_core.pretrain TEXT FOLDER`: pretrain a BERT on a folder of text files."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import get_args

from encoder_core.pretrain.presets import PRESETS, Preset
from encoder_core.pretrain.pretraining import Pretraining, run_pretraining
from encoder_core.training.devices import Precision

_EXAMPLES = """
To try it, on two cores in a few minutes:
    python -m encoder_core.pretrain my-texts runs/tiny --preset tiny

It goes on where it stopped when it is called again with the same arguments: after Ctrl-C, after kill -9, after a
crash. Several processes on one machine share each update:
    torchrun --standalone --nproc-per-node 8 -m encoder_core.pretrain my-texts runs/base --preset base-8

runs/tiny/log.jsonl has the figures; TensorBoard reads the folder too where `pip install tensorboard` was run. At the
end runs/tiny/model has config.json, model.safetensors and vocab.txt, which from_pretrained("runs/tiny/model") and
transformers read.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return 0 when the training is finished, 130 when it was interrupted, 1 after an error."""
    options = _parser().parse_args(argv)
    given = {field.name: getattr(options, field.name) for field in fields(Preset)}
    size = replace(
        PRESETS[options.preset],
        **{name: value for name, value in given.items() if value is not None},
    )
    plan = Pretraining(
        options.text, options.folder, size,
        vocabulary=options.vocabulary, device=options.device, precision=options.precision,
        seed=options.seed, compile=options.compile, log_every=options.log_every,
        evaluate_every=options.evaluate_every, checkpoint_every=options.checkpoint_every,
        told=lambda text: print(text, flush=True),
    )  # fmt: skip
    try:
        run = run_pretraining(plan)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0 if run.complete else 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m encoder_core.pretrain",
        description=(__doc__ or "").partition(": ")[2],
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "text", type=Path, help="a folder of .txt, .md, .rst or .jsonl files (or .gz of them)"
    )
    parser.add_argument(
        "folder", type=Path, help="where the vocabulary, the checkpoint, the log and the model go"
    )
    about = "; ".join(f"{name}: {preset.about}" for name, preset in PRESETS.items())
    parser.add_argument("--preset", choices=PRESETS, default="tiny", help=about)
    parser.add_argument(
        "--vocabulary",
        type=Path,
        help="a vocab.txt; one is trained on the text where it is not given",
    )
    parser.add_argument(
        "--device", default="auto", help="cpu, cuda, cuda:1, mps; default the fastest there is"
    )
    parser.add_argument("--precision", choices=get_args(Precision), default="auto")
    parser.add_argument(
        "--compile", action="store_true", help="compile the encoder: slow to start, faster on a GPU"
    )
    parser.add_argument("--seed", type=int, default=0)
    for name, default in (("log", 50), ("evaluate", 500), ("checkpoint", 500)):
        parser.add_argument(f"--{name}-every", type=int, default=default, metavar="UPDATES")
    sizes = parser.add_argument_group("in place of the preset's")
    for field in fields(Preset):
        if field.name != "about":
            kind = float if field.name in ("learning_rate", "masked") else int
            sizes.add_argument(f"--{field.name.replace('_', '-')}", type=kind, metavar="N")
    parser.set_defaults(about=None)
    return parser


if __name__ == "__main__":
    sys.exit(main())
