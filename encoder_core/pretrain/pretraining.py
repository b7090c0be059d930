"""Pretrain a BERT on a folder of text, in one process or in several, and write what others can read.

Everything that decides a number is a function of the settings and the update's number: a training that is killed at
any moment and started again goes on with the same blocks, the same hidden tokens and the same weights.

Sources: Devlin et al. 2019, "BERT", section 3.1 (masked language model); Liu et al. 2019, "RoBERTa", section 4
(no next-sentence prediction, blocks filled with whole documents); Wettig et al. 2023, "Should You Mask 15% in
Masked Language Modeling?", section 3 (more than 15 %).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from encoder_core.inspect.machine import matmul_peak
from encoder_core.models.bert import Bert, BertConfig
from encoder_core.models.masked_lm import MaskedLM
from encoder_core.pretrain.corpus import HUB, fetch_corpus
from encoder_core.pretrain.hiding import hide_tokens
from encoder_core.pretrain.log import Log
from encoder_core.pretrain.memory import keep_memory
from encoder_core.pretrain.presets import Preset
from encoder_core.pretrain.throughput import training_flops
from encoder_core.pretrain.token_file import Blocks, documents, text_files, write_token_file
from encoder_core.pretrained.saving import save_masked_lm
from encoder_core.text.tokenizer import WordPiece, write_vocabulary
from encoder_core.text.wordpiece_training import count_words, train_wordpiece
from encoder_core.training.compiling import compile_layers
from encoder_core.training.config import Record
from encoder_core.training.devices import choose_device, choose_precision
from encoder_core.training.distributed import Processes, join_processes
from encoder_core.training.loop import start_training
from encoder_core.training.masking import masked_lm_loss
from encoder_core.training.run import Run
from encoder_core.training.sharding import gather_whole, held_bytes

__all__ = ["Pretraining", "run_pretraining"]

_HELD_OUT, _TOGETHER = 64, 16  # blocks of validation that are looked at, in all and at once
_TRAINED_ON = 200_000_000  # characters of text from which the vocabulary is counted

Numbered = tuple[int, Tensor]  # a block's number and its tokens


@dataclass(frozen=True)
class Pretraining:
    """What is trained, on what, and how.

    Attributes:
        text: a folder of text files, see `token_file.text_files`; or the name of a public corpus, `hub:OWNER/NAME`,
            see `corpus.fetch_corpus`.
        folder: where everything is written: vocabulary, tokens, checkpoint, log and, at the end, `model`.
        size: of the model and the training.
        documents: of a public corpus, the first so many; None for all.
        vocabulary: a `vocab.txt`; None to train one on the text.
        compile: compile the encoder's layers with `torch.compile`.
        shard: under torchrun, share parameters, gradients and optimizer state among the processes.
        told: called with what a person wants to know, line by line, in the first process.
    """

    text: Path | str
    folder: Path
    size: Preset
    vocabulary: Path | None = None
    device: str = "auto"
    precision: str = "auto"
    seed: int = 0
    compile: bool = False
    shard: bool = False
    documents: int | None = None
    log_every: int = 50
    evaluate_every: int = 500
    checkpoint_every: int = 500
    told: Callable[[str], object] = print


def run_pretraining(plan: Pretraining) -> Run:
    """Train to the end, or go on where the checkpoint in the folder stands.

    Under `torchrun` each process takes its share of each update's blocks; the first one writes.

    Raises:
        FileNotFoundError: there is no text, or no such vocabulary.
        ValueError: too little text for a block; settings that differ from the checkpoint's (`CheckpointError`).
        RuntimeError: `torch.compile` is asked for and does not work here.
    """
    device = choose_device(plan.device)
    processes = join_processes(device)
    if device.type == "cpu":
        keep_memory()  # for this process's life
    told = plan.told if processes.main else lambda text: None
    tokenizer, files = _prepare_once(plan, processes, told)
    size, words = plan.size, tokenizer.vocabulary
    first = words[tokenizer.first]
    training, validation = (Blocks(file, size.length, first, len(words)) for file in files)
    hide = _Hiding(plan, tokenizer)
    model = _model(plan, len(words), words[tokenizer.padding])
    if plan.compile:
        compile_layers(model.encoder, device)
    told(
        f"{len(training) * (size.length - 1):,} tokens of text in {len(training):,} blocks of {size.length}; "
        f"{sum(p.numel() for p in model.parameters()):,} parameters; {processes.count} "
        f"{'process' if processes.count == 1 else 'processes'} on {device}."
    )
    with start_training(
        model, _Numbered(training), _loss,
        steps=size.steps, batch_size=size.batch_size, learning_rate=size.learning_rate,
        warmup=size.warmup, seed=plan.seed, device=plan.device, precision=plan.precision,
        shard=plan.shard, collate=hide.next_batch, evaluate=lambda net: _evaluate(net, validation, hide),
        checkpoint=plan.folder / "training.safetensors", callback=hide.report,
        log_every=plan.log_every, evaluate_every=plan.evaluate_every,
        checkpoint_every=plan.checkpoint_every,
    ) as run:  # fmt: skip
        hide.begin(run, Log(plan.folder, run.step) if processes.main else None, device, told)
        _drive(run)
    hide.end()
    if run.complete:
        _save_model(plan, run, tokenizer)
        told(f"{plan.folder / 'model'} has the model as Hugging Face's files.")
    return run


def _save_model(plan: Pretraining, run: Run, tokenizer: WordPiece) -> None:
    """Write the trained model in the first process; all of them put a sharded one together."""
    state = {name: gather_whole(tensor.detach()) for name, tensor in run.model.state_dict().items()}
    if run.processes.main:
        words = tokenizer.vocabulary
        model = _model(plan, len(words), words[tokenizer.padding])
        model.load_state_dict(state)
        save_masked_lm(plan.folder / "model", model, tokenizer)


def _drive(run: Run) -> None:
    """Make all updates that are left, or those until a signal."""
    if run.unreported:
        run.report()
    while not run.complete:
        run.update()
        run.report()
        if run.interrupted():
            return


def _prepare_once(
    plan: Pretraining, processes: Processes, told: Callable[[str], object]
) -> tuple[WordPiece, tuple[Path, Path]]:
    """Prepare in the first process, and let the others find what it made."""
    made = _prepare(plan, told) if processes.main else None
    if processes.count > 1:
        torch.distributed.barrier()
    return made or _prepare(plan, told)


def _prepare(
    plan: Pretraining, told: Callable[[str], object]
) -> tuple[WordPiece, tuple[Path, Path]]:
    """Return the tokenizer and the token files, made where they are not there yet."""
    place = plan.text
    if str(place).startswith(HUB):
        place = fetch_corpus(str(place), plan.folder, plan.documents, told)
    texts = text_files(place)
    own = plan.folder / "vocab.txt"
    if plan.vocabulary is not None:
        tokenizer = WordPiece.from_vocabulary_file(plan.vocabulary)
    elif own.is_file():
        tokenizer = WordPiece.from_vocabulary_file(own)
    else:
        told(f"Training a vocabulary of {plan.size.vocab_size:,} pieces ...")
        tokenizer = train_wordpiece(count_words(_some(texts)), plan.size.vocab_size)
        plan.folder.mkdir(parents=True, exist_ok=True)
        write_vocabulary(own, tokenizer.vocabulary)  # a process killed here leaves no half of it
    return tokenizer, write_token_file(plan.folder / "tokens", texts, tokenizer, told=told)


def _some(texts: list[Path]) -> Any:
    """Yield documents, until there is enough text to count words."""
    room = _TRAINED_ON
    for text in documents(texts):
        yield text
        room -= len(text)
        if room < 0:
            return


def _model(plan: Pretraining, vocab_size: int, padding: int) -> MaskedLM:
    size = plan.size
    config = BertConfig(
        vocab_size=vocab_size, d_model=size.d_model, nhead=size.nhead, num_layers=size.num_layers,
        dim_feedforward=size.dim_feedforward, max_length=size.length, padding_idx=padding,
        dropout=0.0, attention_dropout=0.0,  # a text is hardly seen twice; and processes draw alike
    )  # fmt: skip
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(plan.seed)
        return MaskedLM(Bert(config, seed=plan.seed))


class _Numbered(Sequence[Numbered]):
    """The blocks with their numbers, from which their hidden tokens are drawn."""

    def __init__(self, blocks: Blocks) -> None:
        self.blocks = blocks

    def __len__(self) -> int:
        return len(self.blocks)

    def __getitem__(self, index: Any) -> Any:
        return index, self.blocks[index]


def _loss(model: nn.Module, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, dict[str, Any]]:
    """Return the loss at the hidden tokens, and the share of them that the model guesses."""
    inputs, labels = batch  # (B, S) each
    hidden = labels != -100
    logits, right = model(inputs, where=hidden), labels[hidden]  # (N, V), (N,)
    return masked_lm_loss(logits, right), {"accuracy": (logits.argmax(-1) == right).float().mean()}


def _evaluate(model: nn.Module, blocks: Blocks, hide: _Hiding) -> dict[str, float]:
    """Return loss and accuracy on blocks of validation, with the same tokens hidden each time."""
    device = next(model.parameters()).device
    sums = torch.zeros(2, dtype=torch.float64)
    numbered = [(number, blocks[number]) for number in range(min(len(blocks), _HELD_OUT))]
    for start in range(0, len(numbered), _TOGETHER):
        some = numbered[start : start + _TOGETHER]
        inputs, labels = hide.batch(some, step=-1)
        loss, more = _loss(model, (inputs.to(device), labels.to(device)))
        both = torch.tensor([float(loss), float(more["accuracy"])], dtype=torch.float64)
        sums += both * len(some) / len(numbered)
    return {"validation_loss": float(sums[0]), "validation_accuracy": float(sums[1])}


class _Hiding:
    """Makes batches of blocks with hidden tokens, and reports on the training that asks for them."""

    def __init__(self, plan: Pretraining, tokenizer: WordPiece) -> None:
        words = tokenizer.vocabulary
        self.plan, self.vocab_size = plan, len(words)
        self.special = torch.tensor([words[name] for name in tokenizer.specials if name in words])
        self.mask_id = words[tokenizer.specials[4]]
        self.count = max(1, round(plan.size.masked * (plan.size.length - 1)))
        self.run: Run | None = None
        self.log: Log | None = None
        self.told: Callable[[str], object] = print
        self.peak = 0.0
        self.held = 0  # bytes, once told
        self.before = (0, 0.0)  # step and seconds of the latest report

    def begin(
        self, run: Run, log: Log | None, device: torch.device, told: Callable[[str], object]
    ) -> None:
        """Note whose batches these are, and measure what the device can do."""
        self.run, self.log, self.told = run, log, told
        self.before = (run.step, run.seconds)
        if log is not None:
            self.peak = matmul_peak(device, choose_precision(device, self.plan.precision))  # type: ignore[arg-type]
            told(f"A large product runs at {self.peak / 1e9:,.0f} GFLOP/s here.")
            if run.step:
                told(f"Going on after update {run.step:,}.")

    def end(self) -> None:
        """Close the log."""
        if self.log is not None:
            self.log.close()

    def one(self, number: int, ids: Tensor, step: int) -> tuple[Tensor, Tensor]:
        """Hide tokens of a block `(S,)` for an update."""
        special = torch.isin(ids, self.special)
        return hide_tokens(
            ids, special, self.count, self.mask_id, self.vocab_size, self.plan.seed, step, number
        )

    def next_batch(self, blocks: list[Numbered]) -> tuple[Tensor, Tensor]:
        """Make inputs and labels `(B, S)` of the blocks of the update that is under way."""
        assert self.run is not None
        return self.batch(blocks, self.run.step)

    def batch(self, blocks: list[Numbered], step: int) -> tuple[Tensor, Tensor]:
        """Make inputs and labels `(B, S)` of blocks, with the hidden tokens of an update."""
        made = [self.one(number, ids, step) for number, ids in blocks]
        inputs, labels = zip(*made, strict=True)
        return torch.stack(inputs), torch.stack(labels)

    def _tell_memory(self) -> None:
        """Tell once, after the first update, what a process holds of a sharded model."""
        if self.run is not None and self.run.sharded and not self.held:
            self.held = held_bytes(self.run.model, self.run.optimizer)
            every = sum(p.numel() * p.element_size() for p in self.run.model.parameters())
            self.told(
                f"This process holds {self.held:,} bytes of parameters and optimizer state; a whole model has "
                f"{every:,} bytes of parameters alone."
            )

    def report(self, record: Record) -> None:
        """Log a record with the tokens a second and the share of the peak since the last one."""
        size, (step, seconds) = self.plan.size, self.before
        self.before = (record.step, record.seconds)
        tokens = (record.step - step) * size.batch_size * size.length
        taken = max(record.seconds - seconds, 1e-9)
        flops = training_flops(
            tokens, size.length, size.d_model, size.num_layers, size.dim_feedforward,
            self.vocab_size, self.count / size.length,
        )  # fmt: skip
        count = 1 if self.run is None else self.run.processes.count
        numbers = {
            "loss": record.loss, "learning_rate": record.learning_rate,
            "gradient_norm": record.gradient_norm, **record.metrics,
            "tokens_per_second": tokens / taken,
            "share_of_peak": flops / taken / (self.peak * count) if self.peak else 0.0,
        }  # fmt: skip
        if self.log is not None:
            self.log.write(record.step, numbers)
        self._tell_memory()
        held_out = record.metrics.get("validation_loss")
        self.told(
            f"{record.step:>8,} loss {record.loss:.3f}"
            + (f", held out {held_out:.3f}" if held_out is not None else "")
            + f", {numbers['tokens_per_second']:,.0f} tokens a second, "
            f"{numbers['share_of_peak']:.0%} of the peak"
        )
