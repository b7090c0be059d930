"""Train in forked children that are killed with -9 at random moments, then to the end.

Called as `killed_script.py FOLDER KILLS SEED`; prints the number of children that were killed at work.
The last child writes the weights to `FOLDER/weights.safetensors`.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from encoder_core.embeddings import TokenEmbedding
from encoder_core.encoder import TransformerEncoder, TransformerEncoderLayer
from encoder_core.training.loop import start_training
from encoder_core.training.masking import mask_collate, masked_lm_loss

TEXTS = [[2, *range(5 + i % 9, 14 + i % 7), 3] for i in range(60)]
COLLATE = mask_collate(pad_id=0, mask_id=4, vocab_size=25, special_ids=[0, 2, 3])


class Filler(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = TokenEmbedding(25, 8)
        self.encoder = TransformerEncoder(TransformerEncoderLayer(8, 2, 16, dropout=0.2), 2)
        self.output = nn.Linear(8, 25)

    def forward(self, ids: Tensor) -> Tensor:
        scores: Tensor = self.output(self.encoder(self.embedding(ids)))
        return scores


def loss(model: nn.Module, batch: Any) -> Tensor:
    return masked_lm_loss(model(batch.inputs), batch.labels)


def train(folder: Path) -> None:
    torch.manual_seed(0)
    model, saved = Filler(), time.monotonic()
    with start_training(
        model, TEXTS, loss, collate=COLLATE, steps=1200, batch_size=8, device="cpu",
        checkpoint=folder / "run", checkpoint_every=10_000,
    ) as run:  # fmt: skip
        while not run.finished:
            run.update()
            run.report()
            if run.step == 500:
                run.change_rate(2e-3)
            if time.monotonic() - saved > 0.02:
                run.save(durable=False)
                saved = time.monotonic()
    save_file(model.state_dict(), folder / "weights.safetensors")


def fork(folder: Path) -> int:
    child = os.fork()
    if child == 0:
        train(folder)
        os._exit(0)
    return child


if __name__ == "__main__":
    torch.set_num_threads(1)
    moments, killed = random.Random(int(sys.argv[3])), 0
    for _ in range(int(sys.argv[2])):
        child = fork(Path(sys.argv[1]))
        time.sleep(moments.uniform(0.05, 0.6))
        os.kill(child, signal.SIGKILL)
        killed += os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert os.waitpid(fork(Path(sys.argv[1])), 0)[1] == 0
    print(killed)
