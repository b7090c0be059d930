"""A published BERT beside the small one: read from a folder of the same format, or told why not."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from course.content.bert import real
from course.datasets import tokenizer


class Certain(nn.Module):
    """Gives every place the same logits: the piece 7 first."""

    def forward(self, ids: Tensor, where: Tensor) -> Tensor:
        return torch.nn.functional.one_hot(where.nonzero()[:, 0] * 0 + 7, 2000).float() * 9


@pytest.mark.slow
def test_a_checkpoint_of_transformers_answers_beside_the_small_one(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    words = tokenizer()
    torch.manual_seed(0)
    theirs = transformers.BertForMaskedLM(
        transformers.BertConfig(
            vocab_size=2000, hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
            intermediate_size=32, max_position_embeddings=64, initializer_range=0.5,
        )
    ).eval()  # fmt: skip
    theirs.save_pretrained(tmp_path)
    assert (tmp_path / "model.safetensors").is_file()
    (tmp_path / "vocab.txt").write_text("\n".join(words.vocabulary) + "\n", encoding="utf-8")

    said = real.beside(Certain(), tmp_path)
    lines = said.splitlines()
    assert lines[::3] == list(real.SENTENCES)
    for place, sentence in enumerate(real.SENTENCES):
        ids = torch.tensor([words.encode(sentence).ids])
        with torch.no_grad():
            logits = theirs(input_ids=ids).logits[0, ids[0] == words.vocabulary["[MASK]"]][0]
        five = [words.tokens[number] for number in logits.topk(5).indices.tolist()]
        found = lines[3 * place + 1].partition(f"{tmp_path}: ")[2]
        assert [pair.rpartition(" ")[0] for pair in found.split(", ")] == five
        assert lines[3 * place + 2].startswith(f"    the small one: {words.tokens[7]} 0.8")

    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-8])
    assert "can be read here" in real.beside(Certain(), tmp_path)


def test_what_is_not_there_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    said = real.beside(Certain(), "nobody/has-this")
    assert said.startswith("nobody/has-this is not on this machine, and nothing was fetched.")
    assert "fetch = True" in said
    said = real.beside(Certain(), "no name on the hub", download=True)
    assert "neither a folder with a config.json" in said
    with pytest.raises(ValueError, match=r"one \[MASK\]"):
        real.guesses(Certain(), tokenizer(), ["Nothing is hidden."])


def test_no_network_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    hub = pytest.importorskip("huggingface_hub")

    def unreachable(name: str, **how: object) -> str:
        raise hub.errors.LocalEntryNotFoundError("the network is down\nat length")

    monkeypatch.setattr(hub, "snapshot_download", unreachable)
    said = real.beside(Certain(), "google-bert/bert-base-uncased", download=True)
    assert said.startswith("No guesses of google-bert/bert-base-uncased: ")
    assert said.endswith("the hub can't be reached: the network is down")
