"""`python -m encoder_core.pretrain TEXT FOLDER`: pretrain a BERT on text."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

from encoder_core.pretrain.planning import PEAKS, plan_pretraining
from encoder_core.pretrain.presets import PRESETS, Preset, numbers_of
from encoder_core.pretrain.pretraining import Pretraining, run_pretraining
from encoder_core.training.devices import Precision

_EXAMPLES = """
To try it, on two cores in a few minutes:
    python -m encoder_core.pretrain my-texts runs/tiny --preset tiny

It goes on where it stopped when it is called again with the same arguments: after Ctrl-C, after kill -9, after a
crash. Several processes on one machine share each update under torchrun; with --shard they share the model too, which
need not fit on one device then. Presets, as whole commands:
{commands}

What a training will take, before it begins:
    python -m encoder_core.pretrain --dry-run --preset base-8 --peak 989 --share 0.4

runs/tiny/log.jsonl has the figures; TensorBoard reads the folder too where `pip install tensorboard` was run. At the
end runs/tiny/model has config.json, model.safetensors and vocab.txt, which from_pretrained("runs/tiny/model") and
transformers read.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return 0 when the training is finished, 130 when it was interrupted, 1 after an error."""
    parser = _parser()
    options = parser.parse_args(argv)
    try:
        if options.dry_run:
            print(
                plan_pretraining(
                    _size(options), options.devices, options.peak * 1e12, options.share
                )
            )
            return 0
        if options.folder is None:
            parser.error("Name the text and the folder that everything is written to.")
        run = run_pretraining(read_options(options))
    except (OSError, ValueError, ImportError, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0 if run.complete else 130


def read_options(options: argparse.Namespace) -> Pretraining:
    """Return what is to be trained, by the command's options."""
    return Pretraining(
        options.text, options.folder, _size(options),
        vocabulary=options.vocabulary, device=options.device, precision=options.precision,
        seed=options.seed, compile=options.compile, shard=options.shard, documents=options.documents,
        log_every=options.log_every,
        evaluate_every=options.evaluate_every, checkpoint_every=options.checkpoint_every,
        told=lambda text: print(text, flush=True),
    )  # fmt: skip


def _size(options: argparse.Namespace) -> Preset:
    given = {name: getattr(options, name) for name in numbers_of()}
    return replace(
        PRESETS[options.preset], **{n: value for n, value in given.items() if value is not None}
    )


def _parser() -> argparse.ArgumentParser:
    commands = "\n".join(f"    {preset.command}" for preset in PRESETS.values())
    parser = argparse.ArgumentParser(
        prog="python -m encoder_core.pretrain",
        description=(__doc__ or "").partition(": ")[2],
        epilog=_EXAMPLES.format(commands=commands),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "text",
        nargs="?",
        help="a folder of .txt, .md, .rst or .jsonl files (or .gz of them); or a public corpus, "
        "hub:OWNER/NAME or hub:OWNER/NAME/CONFIG, fetched into FOLDER by the datasets library",
    )
    add(
        "folder",
        nargs="?",
        type=Path,
        help="where the vocabulary, the checkpoint, the log and the model go",
    )
    about = "; ".join(f"{name}: {preset.about}" for name, preset in PRESETS.items())
    add("--preset", choices=PRESETS, default="tiny", help=about)
    add(
        "--vocabulary",
        type=Path,
        help="a vocab.txt; one is trained on the text where it is not given",
    )
    add("--documents", type=int, metavar="N", help="of a public corpus, the first so many")
    add("--device", default="auto", help="cpu, cuda, cuda:1, mps; default the fastest there is")
    add(
        "--precision",
        choices=get_args(Precision),
        default="auto",
        help="default bfloat16 on GPUs that have it",
    )
    add(
        "--compile",
        action="store_true",
        help="compile the layers: a minute more at the start, then faster on a GPU",
    )
    add(
        "--shard",
        action="store_true",
        help="under torchrun: share parameters, gradients and optimizer state",
    )
    add("--seed", type=int, default=0)
    for name, default in (("log", 50), ("evaluate", 500), ("checkpoint", 500)):
        add(f"--{name}-every", type=int, default=default, metavar="UPDATES")
    _add_plan(parser)
    sizes = parser.add_argument_group("in place of the preset's")
    for name, kind in numbers_of().items():
        sizes.add_argument(f"--{name.replace('_', '-')}", type=kind, metavar="N")
    return parser


def _add_plan(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("to plan").add_argument
    add(
        "--dry-run",
        action="store_true",
        help="print parameters, tokens, operations and hours, and train nothing",
    )
    add(
        "--devices",
        type=int,
        metavar="N",
        help="for the hours; default those of the preset's command",
    )
    known = ", ".join(f"{name.upper()} {peak / 1e12:.0f}" for name, peak in PEAKS.items())
    h200 = PEAKS["h200"] / 1e12
    add(
        "--peak",
        type=float,
        default=h200,
        metavar="TFLOPS",
        help=f"of a device, in bfloat16: {known}; default H200",
    )
    add(
        "--share",
        type=float,
        default=0.4,
        help="of the peak that is reached, from 0 to 1; default 0.4",
    )


if __name__ == "__main__":
    sys.exit(main())
