"""The pretraining command: no token lost or read twice, killed or shared or not, and a model that others read."""

from __future__ import annotations

import gzip
import json
import os
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from encoder_core import (
    PRESETS,
    Blocks,
    Log,
    MaskedLM,
    WordPiece,
    documents,
    fetch_corpus,
    from_pretrained,
    hide_tokens,
    masked_lm_from_pretrained,
    matmul_peak,
    plan_pretraining,
    read_log,
    save_masked_lm,
    scaled_dot_product_attention,
    text_files,
    tokenizer_from_pretrained,
    training_flops,
    write_token_file,
)
from encoder_core.models.bert import Bert, BertConfig
from encoder_core.pretrain import pretraining
from encoder_core.pretrain.__main__ import main
from encoder_core.pretrain.presets import Preset
from tests.close import assert_close
from tests.encoder_core.pretrain_script import SIZES
from tests.sampled import NIGHT, at_night

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("pretrain_script.py")
BATCH, STEPS, EVERY = 6, 50, 3  # as in SIZES
TEXT = "the cat sat on a mat while rain fell and bells rang over old red roofs"
WORDS = TEXT.split()


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of each kind, 400 documents in all."""
    folder, draw = tmp_path_factory.mktemp("text"), random.Random(0)
    some = [" ".join(draw.choices(WORDS, k=draw.randint(3, 12))) for _ in range(400)]
    (folder / "a.txt").write_text("\n\n".join(some[:200]))
    (folder / "deeper").mkdir()
    lines = "".join(json.dumps({"text": each}) + "\n" for each in some[200:300])
    (folder / "deeper" / "b.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    (folder / "c.md").write_text("\n \n".join(some[300:]))
    (folder / "picture.png").write_bytes(b"no text")
    return folder


@pytest.fixture(scope="module")
def whole(text: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    assert main([str(text), str(folder), *SIZES.split()]) == 0
    return folder


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model" / "model.safetensors")


def assert_same(one: Path, other: Path) -> None:
    ours, theirs = weights(one), weights(other)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_text_is_read_document_by_document_in_a_fixed_order(text: Path, tmp_path: Path) -> None:
    files = text_files(text)
    assert [file.name for file in files] == ["a.txt", "c.md", "b.jsonl.gz"]
    read = list(documents(files))
    assert len(read) == 400
    assert all(set(each.split()) <= set(WORDS) for each in read)
    (tmp_path / "bad.jsonl").write_text('{"text": "one"}\n{"words": "two"}\n')
    with pytest.raises(ValueError, match=r'bad.jsonl, line 2, should be \{"text": "..."\}'):
        list(documents(text_files(tmp_path)))
    with pytest.raises(FileNotFoundError, match="is not a folder"):
        text_files(tmp_path / "nothing")
    (tmp_path / "bad.jsonl").unlink()
    with pytest.raises(FileNotFoundError, match="has no text"):
        text_files(tmp_path)


def test_every_token_is_in_one_block(text: Path, tmp_path: Path) -> None:
    tokenizer = WordPiece({word: i for i, word in enumerate([*WordPiece.specials, *WORDS])})
    training, validation = write_token_file(
        tmp_path / "ids", text_files(text), tokenizer, hold_out=10
    )
    texts = list(documents(text_files(text)))
    ends = tokenizer.vocabulary["[SEP]"]
    for file, own in (
        (training, [each for i, each in enumerate(texts) if i % 10 != 9]),
        (validation, texts[9::10]),
    ):
        expected = [i for each in own for i in (*tokenizer.encode(each).ids[1:-1], ends)]
        assert np.fromfile(file, np.uint16).tolist() == expected
        blocks = Blocks(file, length=17, first=2, vocab_size=len(tokenizer.vocabulary))
        joined = [i for number in range(len(blocks)) for i in blocks[number][1:].tolist()]
        assert joined == expected[: len(joined)]
        assert 0 <= len(expected) - len(joined) < 16
        assert {int(blocks[number][0]) for number in range(len(blocks))} == {2}
    before = training.stat().st_mtime_ns
    write_token_file(tmp_path / "ids", text_files(text), tokenizer, hold_out=10)
    assert training.stat().st_mtime_ns == before  # made once
    write_token_file(tmp_path / "ids", text_files(text), tokenizer, hold_out=5)
    assert np.fromfile(validation, np.uint16).size > 0
    assert training.stat().st_mtime_ns != before  # and again where it would be another one
    with pytest.raises(ValueError, match="do not fill a block of 100000"):
        Blocks(training, 100_000, 2, 100)
    with pytest.raises(IndexError):
        Blocks(training, 17, 2, 100)[10**6]


def test_as_many_tokens_are_hidden_in_every_block_whoever_asks() -> None:
    ids = torch.arange(5, 45)
    special = ids % 8 == 0
    kinds: Counter[str] = Counter()
    for block in range(300):
        inputs, labels = hide_tokens(ids, special, 6, 4, 1000, seed=1, step=2, block=block)
        hidden = labels != -100
        assert int(hidden.sum()) == 6
        assert not (hidden & special).any()
        assert inputs[~hidden].equal(ids[~hidden])
        assert labels[hidden].equal(ids[hidden])
        for shown, real in zip(inputs[hidden].tolist(), ids[hidden].tolist(), strict=True):
            kinds["mask" if shown == 4 else "same" if shown == real else "random"] += 1
    # 1,800 draws: three standard deviations are 0.03.
    assert abs(kinds["mask"] / 1800 - 0.8) < 0.03
    assert abs(kinds["random"] / 1800 - 0.1) < 0.03
    again = hide_tokens(ids, special, 6, 4, 1000, seed=1, step=2, block=0)
    other = hide_tokens(ids, special, 6, 4, 1000, seed=1, step=3, block=0)
    assert again[1].equal(hide_tokens(ids, special, 6, 4, 1000, seed=1, step=2, block=0)[1])
    assert not again[1].equal(other[1])
    few = hide_tokens(ids[:3], torch.tensor([True, True, False]), 6, 4, 1000, 1, 2, 0)
    assert int((few[1] != -100).sum()) == 1


def test_an_update_counts_the_products_that_torch_counts() -> None:
    from torch.utils.flop_counter import FlopCounterMode

    config = BertConfig(vocab_size=50, d_model=16, nhead=2, num_layers=2, dim_feedforward=40, max_length=12,
                        dropout=0.0, attention_dropout=0.0)  # fmt: skip
    # The counter does not know the fused attention of every device; this one is plain products.
    model = MaskedLM(Bert(config, seed=0, attention=scaled_dot_product_attention))
    ids = torch.randint(5, 50, (3, 12))
    where = torch.zeros(3, 12, dtype=torch.bool)
    where[:, :4] = True
    with FlopCounterMode(display=False) as counter:
        model(ids, where=where)
    expected = training_flops(36, 12, 16, 2, 40, 50, predicted=4 / 12) // 3  # forward alone
    counted = counter.get_total_flops()
    padding_row = 2 * 12 * 16  # the tied row that is held still, computed by itself
    assert abs(counted - expected) <= padding_row, (counted, expected)
    assert matmul_peak(torch.device("cpu"), torch.float32, size=64, rounds=1) > 0


def test_the_model_is_what_transformers_reads(whole: Path) -> None:
    from transformers import BertForMaskedLM

    ours = masked_lm_from_pretrained(whole / "model")
    theirs = BertForMaskedLM.from_pretrained(whole / "model", attn_implementation="eager").eval()
    tokenizer = tokenizer_from_pretrained(whole / "model")
    ids = tokenizer.batch(["the cat sat on a mat"]).ids
    with torch.no_grad():
        assert_close(ours(ids), theirs(ids).logits)
    assert from_pretrained(whole / "model").config.max_length == 24
    words = [line for line in (whole / "vocab.txt").read_text().split("\n") if line]
    assert words == sorted(tokenizer.vocabulary, key=tokenizer.vocabulary.__getitem__)
    with pytest.raises(TypeError, match="this is a Linear"):
        save_masked_lm(whole, MaskedLM(torch.nn.Linear(2, 2), torch.nn.Embedding(3, 2)), tokenizer)


def test_it_learns_and_says_so(whole: Path) -> None:
    lines = read_log(whole)
    assert [line["step"] for line in lines] == list(range(1, STEPS + 1))
    assert lines[-1]["loss"] < lines[0]["loss"]
    assert lines[24]["validation_loss"] > lines[49]["validation_loss"]
    assert all(line["tokens_per_second"] > 0 for line in lines)


def test_no_block_is_lost_or_read_twice_however_often_it_is_interrupted(
    text: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error in the midst of an update, seven times: what an update read counts once it was made."""
    draw, read, made = random.Random(3), [], Counter[int]()
    blocks = pretraining._Numbered.__getitem__

    def interrupted(self: Any, index: int) -> Any:
        if draw.random() < 0.02 and len(errors) < 7:
            errors.append(index)
            raise OSError("the disk is gone for a moment")
        read.append(index)
        return blocks(self, index)

    report = pretraining._Hiding.report

    def counted(self: Any, record: Any) -> None:
        made.update(read)
        read.clear()
        report(self, record)

    errors: list[int] = []
    monkeypatch.setattr(pretraining._Numbered, "__getitem__", interrupted)
    monkeypatch.setattr(pretraining._Hiding, "report", counted)
    folder, codes = tmp_path / "run", []
    while not codes or codes[-1]:
        read.clear()
        codes.append(main([str(text), str(folder), *SIZES.split()]))
    assert len(errors) == 7
    assert codes == [1] * 7 + [0]
    count = len(Blocks(folder / "tokens.train.bin", 24, 2, 120))
    epochs = STEPS // -(-count // BATCH)
    assert epochs >= 1
    assert set(made) == set(range(count))
    assert set(made.values()) <= {epochs, epochs + 1}
    assert_same(whole, folder)
    assert [line["step"] for line in read_log(folder)] == list(range(1, STEPS + 1))


def run_script(*arguments: object, torchrun: int = 0) -> str:
    command = [sys.executable, str(SCRIPT)]
    if torchrun:
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone",
                   f"--nproc-per-node={torchrun}", str(SCRIPT)]  # fmt: skip
    done = subprocess.run(
        [*command, *map(str, arguments)], capture_output=True, text=True, timeout=300, cwd=ROOT, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_killed_at_random_moments_it_ends_with_the_same_weights(text: Path, tmp_path: Path) -> None:
    assert int(run_script(text, tmp_path / "straight", 0, 1)) == 0
    assert int(run_script(text, tmp_path / "killed", 10 if NIGHT else 4, 1)) >= 1
    assert_same(tmp_path / "straight", tmp_path / "killed")


@at_night  # by day the sharded run, and tests/encoder_core/test_training.py's many processes
@pytest.mark.skipif(sys.platform == "win32", reason="torchrun needs a system with fork")
def test_two_processes_have_the_losses_of_one(text: Path, whole: Path, tmp_path: Path) -> None:
    said = run_script(text, tmp_path / "two", -STEPS, 0, torchrun=2)
    assert "2 processes on cpu" in said
    one, two = read_log(whole), read_log(tmp_path / "two")
    assert len(one) == len(two) == STEPS
    for alone, shared in zip(one, two, strict=True):
        assert abs(alone["loss"] - shared["loss"]) < 1e-4


def assert_close_runs(one: Path, other: Path) -> None:
    """The same losses, and weights of the same names, but for the order in which gradients are added up."""
    ours, theirs = read_log(one), read_log(other)
    assert len(ours) == len(theirs) == STEPS
    for alone, shared in zip(ours, theirs, strict=True):
        assert abs(alone["loss"] - shared["loss"]) < 1e-4
        assert abs(alone["gradient_norm"] - shared["gradient_norm"]) < 1e-4
    for name in ("training.safetensors", "model/model.safetensors"):
        mine, its = load_file(one / name), load_file(other / name)
        assert mine.keys() == its.keys()
        for key in mine:
            assert float((its[key] - mine[key]).abs().max()) < 1e-4, key


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="torchrun needs a system with fork")
def test_sharded_it_has_the_losses_of_one_process_and_goes_on_in_three(
    text: Path, whole: Path, tmp_path: Path
) -> None:
    said = run_script(text, tmp_path / "run", -20, 0, "--shard", torchrun=2)
    held = [int(line.split()[1]) for line in said.splitlines() if line.startswith("held ")]
    state = load_file(whole / "training.safetensors")
    numbers = 4 * sum(tensor.numel() for tensor in state.values() if tensor.dim())
    counters = 4 * sum(tensor.dim() == 0 for tensor in state.values())  # AdamW's steps, everywhere
    assert sum(held) == numbers + 2 * counters
    assert max(held) < 0.55 * (numbers + counters)
    assert read_log(tmp_path / "run")[-1]["step"] == 20
    said = run_script(text, tmp_path / "run", -STEPS, 0, "--shard", torchrun=3)
    assert "Going on after update 20" in said
    assert_close_runs(whole, tmp_path / "run")


@at_night
@pytest.mark.skipif(sys.platform == "win32", reason="torchrun needs a system with fork")
def test_compiled_it_has_the_same_losses_and_checkpoints(
    text: Path, whole: Path, tmp_path: Path
) -> None:
    run_script(text, tmp_path / "run", -10, 0, "--compile")
    run_script(text, tmp_path / "run", -20, 0)
    run_script(text, tmp_path / "run", -STEPS, 0, "--compile", "--shard", torchrun=2)
    assert_close_runs(whole, tmp_path / "run")


def test_without_a_compiler_it_says_so(
    text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(x: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("\nInvalidCxxCompiler: No working C++ compiler found\nmore\nlines")

    monkeypatch.setattr(torch, "compile", lambda function: fail)
    assert main([str(text), str(tmp_path / "run"), *SIZES.split(), "--compile"]) == 1
    said = capsys.readouterr().err
    assert "does not work here on cpu: InvalidCxxCompiler: No working C++ compiler found" in said
    assert "g++ or clang++" in said
    assert "lines" not in said


@pytest.mark.parametrize("name", ["tiny", "small"])
def test_a_plan_counts_what_a_training_has(name: str) -> None:
    size = PRESETS[name]
    plan = plan_pretraining(size, devices=2, peak=1e12, share=0.5)
    config = BertConfig(size.vocab_size, size.d_model, size.nhead, size.num_layers, size.dim_feedforward,
                        max_length=size.length)  # fmt: skip
    model = MaskedLM(Bert(config))
    assert plan.parameters == sum(p.numel() for p in model.parameters())
    assert plan.tokens == size.steps * size.batch_size * size.length
    assert plan.state_bytes == 16 * plan.parameters
    assert plan.hours == pytest.approx(plan.flops / (2 * 0.5e12) / 3600)
    assert plan.flops_per_token * plan.tokens == pytest.approx(plan.flops)
    twice = plan_pretraining(size, devices=4, peak=1e12, share=0.5)
    assert twice.hours == pytest.approx(plan.hours / 2)


def test_a_plan_refuses_what_is_out_of_range() -> None:
    with pytest.raises(ValueError, match="preset must be one of tiny, small, base"):
        plan_pretraining("huge")
    for wrong in ({"devices": 0}, {"peak": 0.0}, {"share": 1.5}):
        with pytest.raises(ValueError, match="Need devices >= 1"):
            plan_pretraining("base", **wrong)


def test_the_command_prints_its_plan(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--dry-run", "--preset", "base-8", "--peak", "989", "--share", "0.4"]) == 0
    plan = plan_pretraining("base-8", devices=8, peak=989e12, share=0.4)
    said = capsys.readouterr().out
    assert said == f"{plan}\n"
    assert f"{plan.parameters:,} parameters" in said
    assert "8 devices of 989 TFLOP/s, at 40%" in said
    assert main(["--dry-run", "--share", "2"]) == 1
    with pytest.raises(SystemExit):
        main(["--preset", "tiny"])
    assert "Name the text and the folder" in capsys.readouterr().err


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_each_preset_names_a_command_that_the_parser_reads(preset: Preset) -> None:
    from encoder_core.pretrain.__main__ import _parser, read_options

    words = preset.command.split()
    options = _parser().parse_args(words[words.index("encoder_core.pretrain") + 1 :])
    assert read_options(options).size == preset
    assert ("torchrun" in words) == (preset.devices > 1)
    assert preset.devices == 1 or f"--nproc-per-node {preset.devices}" in preset.command
    assert preset.batch_size % preset.devices == 0


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's settings")
def test_kept_memory_is_not_fetched_from_the_system_again() -> None:
    program = """
import resource, torch
from encoder_core import keep_memory

def pages():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(4):
        torch.ones(4_000_000)  # 16 MB are 3,906 pages of 4 KB
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

pages()
given_back = pages()
if keep_memory():
    pages()
    print(given_back, pages())
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    if not done.stdout:
        pytest.skip("the C library is not glibc")
    given_back, kept = map(int, done.stdout.split())
    assert given_back >= 4 * 3900 // 512  # a huge page is 512 of them
    assert kept < given_back // 4


class Hub:
    """Stands for the `datasets` library: streams rows, or fails as without a network."""

    def __init__(self, rows: list[dict[str, str]] | None) -> None:
        self.rows, self.asked = rows, list[Any]()

    def load_dataset(self, path: str, name: str | None, *, split: str, streaming: bool) -> Any:
        self.asked.append((path, name, split, streaming))
        if self.rows is None:
            raise ConnectionError("Couldn't reach the hub\nand more")
        return iter(self.rows)


def test_a_public_corpus_is_streamed_once_when_asked_for(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = random.Random(1)
    some = [" ".join(draw.choices(WORDS, k=9)) for _ in range(600)]
    hub = Hub([{"text": each} for text in some for each in ("", f" {text}\n")])
    monkeypatch.setitem(sys.modules, "datasets", hub)
    given = [*SIZES.split(), "--steps=6", "--documents=550"]
    assert main(["hub:Owner/set/part", str(tmp_path / "run"), *given]) == 0
    assert hub.asked == [("Owner/set", "part", "train", True)]
    monkeypatch.setitem(
        sys.modules, "datasets", Hub(None)
    )  # no network any more, and no need of it
    place = fetch_corpus("hub:Owner/set/part", tmp_path / "run", 550)
    assert list(documents(text_files(place))) == some[:550]
    assert (tmp_path / "run" / "model" / "model.safetensors").is_file()


def test_a_corpus_that_cannot_be_fetched_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = (
        ("hub:alone", Hub([]), "A corpus is named hub:OWNER/NAME"),
        ("hub:a/b", None, "install: pip install datasets"),
        ("hub:a/b", Hub(None), "from huggingface.co/datasets: Couldn't reach the hub Is there a"),
        ("hub:a/b", Hub([{"words": "x"}]), 'has no column "text"'),
        ("hub:a/b/c", Hub([{"text": " "}]), "has no text in its split train"),
    )
    for name, hub, expected in cases:
        monkeypatch.setitem(sys.modules, "datasets", hub)  # None: as if it were not installed
        assert main([name, str(tmp_path / "run")]) == 1
        said = capsys.readouterr().err
        assert expected in said, said
    assert not list(tmp_path.rglob("*.gz"))  # what is half there doesn't pass for the corpus


def test_what_a_killed_process_logged_too_much_is_taken_out(tmp_path: Path) -> None:
    log = Log(tmp_path, 0)
    for step in range(1, 8):
        log.write(step, {"loss": float(step)})
    log.file.write_text(log.file.read_text() + '{"step": 8, "lo')  # killed while it wrote
    Log(tmp_path, 4).write(5, {"loss": 0.5})
    assert [line["loss"] for line in read_log(tmp_path)] == [1.0, 2.0, 3.0, 4.0, 0.5]


def test_the_command_says_what_is_wrong(
    text: Path, whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "no"), str(tmp_path / "run")]) == 1
    assert "is not a folder" in capsys.readouterr().err
    assert main([str(text), str(whole), *SIZES.split(), "--learning-rate=1"]) == 1
    assert "learning_rate was 0.002 and is 1.0" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    told = capsys.readouterr().out
    unbroken = "".join(told.split())  # argparse breaks lines, at hyphens too
    assert all(preset.about.replace(" ", "") in unbroken for preset in PRESETS.values())
    assert all(preset.command in told for preset in PRESETS.values())
