"""Sizes of models and trainings, by name: one to try the command with, and those that were published.

Sources: Devlin et al. 2019, "BERT", section 3 and appendix A.2 (base: 12 layers, 768 wide, 1 M updates of 256
texts); Portes et al. 2023, "MosaicBERT" (eight GPUs, 70,000 updates of 4,096 texts of 128 tokens, masking 30 %,
peak rate 5e-4). The rate of large-8 is lower by our choice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

__all__ = ["PRESETS", "Preset", "numbers_of"]

_ALONE = "python -m encoder_core.pretrain TEXT FOLDER --preset "
_EIGHT = "torchrun --standalone --nproc-per-node 8 -m encoder_core.pretrain TEXT FOLDER --preset "


@dataclass(frozen=True)
class Preset:
    """A model and how it is trained.

    Attributes:
        about: what it is for, in a sentence.
        command: the whole command, with precision and compilation.
        devices: on which its command trains.
        vocab_size: of the vocabulary that is trained where none is given.
        length: tokens of a block.
        batch_size: blocks of an update, over all processes.
        masked: the share of the tokens that is hidden.
    """

    about: str
    command: str
    devices: int
    d_model: int
    nhead: int
    num_layers: int
    dim_feedforward: int
    vocab_size: int
    length: int
    batch_size: int
    steps: int
    warmup: int
    learning_rate: float
    masked: float


def numbers_of() -> dict[str, type[int] | type[float]]:
    """Return the names of a preset's sizes and rates, each with its type.

    >>> numbers_of()["d_model"], numbers_of()["masked"], "about" in numbers_of()
    (<class 'int'>, <class 'float'>, False)
    """
    kinds: dict[str, type[int] | type[float]] = {"int": int, "float": float}
    names = [field for field in fields(Preset) if field.name not in ("about", "command", "devices")]
    return {field.name: kinds[str(field.type)] for field in names}


PRESETS: Mapping[str, Preset] = {
    "tiny": Preset(
        "a few minutes on two cores: to see that everything works",
        f"{_ALONE}tiny", devices=1,
        d_model=64, nhead=4, num_layers=2, dim_feedforward=256, vocab_size=2000, length=64,
        batch_size=16, steps=2000, warmup=100, learning_rate=2e-3, masked=0.15,
    ),
    "small": Preset(
        "hours on a CPU, minutes on a GPU: a third of the width of BERT-base, a third of its depth",
        f"{_ALONE}small", devices=1,
        d_model=256, nhead=4, num_layers=4, dim_feedforward=1024, vocab_size=8000, length=128,
        batch_size=64, steps=20_000, warmup=1000, learning_rate=1e-3, masked=0.3,
    ),
    "base": Preset(
        "BERT-base on one GPU, with a quarter of the batch of MosaicBERT and its rate",
        f"{_ALONE}base --precision bfloat16 --compile", devices=1,
        d_model=768, nhead=12, num_layers=12, dim_feedforward=3072, vocab_size=30_528, length=128,
        batch_size=1024, steps=70_000, warmup=4200, learning_rate=5e-4, masked=0.3,
    ),
    "base-8": Preset(
        "BERT-base on eight GPUs under torchrun, as MosaicBERT",
        f"{_EIGHT}base-8 --precision bfloat16 --compile", devices=8,
        d_model=768, nhead=12, num_layers=12, dim_feedforward=3072, vocab_size=30_528, length=128,
        batch_size=4096, steps=70_000, warmup=4200, learning_rate=5e-4, masked=0.3,
    ),
    "large-8": Preset(
        "BERT-large on eight GPUs, each with an eighth of the model's and the optimizer's state",
        f"{_EIGHT}large-8 --precision bfloat16 --compile --shard", devices=8,
        d_model=1024, nhead=16, num_layers=24, dim_feedforward=4096, vocab_size=30_528, length=128,
        batch_size=4096, steps=70_000, warmup=4200, learning_rate=2e-4, masked=0.3,
    ),
}  # fmt: skip
