"""Sizes of models and trainings, by name: one to try the command with, and those that were published.

Sources: Devlin et al. 2019, "BERT", section 3 and appendix A.2 (base: 12 layers, 768 wide, 1 M updates of 256
texts); Geiping and Goldstein 2023, "Cramming" (one GPU, one day); Portes et al. 2023, "MosaicBERT" (eight GPUs,
70,000 updates of 4,096 texts of 128 tokens, masking 30 %, peak rate 5e-4).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["PRESETS", "Preset"]


@dataclass(frozen=True)
class Preset:
    """A model and how it is trained.

    Attributes:
        about: what it is for, in a sentence.
        vocab_size: of the vocabulary that is trained where none is given.
        length: tokens of a block.
        batch_size: blocks of an update, over all processes.
        masked: the share of the tokens that is hidden.
    """

    about: str
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


PRESETS: Mapping[str, Preset] = {
    "tiny": Preset(
        "a few minutes on two cores: to see that everything works",
        d_model=64, nhead=4, num_layers=2, dim_feedforward=256, vocab_size=2000, length=64,
        batch_size=16, steps=2000, warmup=100, learning_rate=2e-3, masked=0.15,
    ),
    "small": Preset(
        "hours on a CPU, minutes on a GPU: a quarter of the width of BERT-base, a third of its depth",
        d_model=256, nhead=4, num_layers=4, dim_feedforward=1024, vocab_size=8000, length=128,
        batch_size=64, steps=20_000, warmup=1000, learning_rate=1e-3, masked=0.3,
    ),
    "base": Preset(
        "BERT-base on one GPU, with the batch and the rate of MosaicBERT",
        d_model=768, nhead=12, num_layers=12, dim_feedforward=3072, vocab_size=30_528, length=128,
        batch_size=1024, steps=70_000, warmup=4200, learning_rate=5e-4, masked=0.3,
    ),
    "base-8": Preset(
        "BERT-base on eight GPUs under torchrun, as MosaicBERT",
        d_model=768, nhead=12, num_layers=12, dim_feedforward=3072, vocab_size=30_528, length=128,
        batch_size=4096, steps=70_000, warmup=4200, learning_rate=5e-4, masked=0.3,
    ),
}  # fmt: skip
