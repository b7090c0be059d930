"""Other pretrained encoders in the labs: the weights that transformers computes, or a sentence why not."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as T
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from course.labs import (
    AttentionLab,
    EmbeddingLab,
    FeedForwardLab,
    ShapeTracer,
    StackLab,
    TokenizerLab,
)
from course.labs.checkpoints import checkpoint
from course.labs.faults import InvalidSetting
from encoder_core.pretrained.minilm import minilm_folder
from tests.close import assert_close
from tests.labs.front import Front

TEXT = "The animal didn't cross the street, because it was tired."
SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 40,
}
CONFIGS = {
    "bert": T.BertConfig(vocab_size=30522, **SIZES),
    "roberta": T.RobertaConfig(vocab_size=400, type_vocab_size=1, pad_token_id=1, max_position_embeddings=66, **SIZES),
    "distilbert": T.DistilBertConfig(vocab_size=30522, dim=32, n_layers=3, n_heads=4, hidden_dim=40),
    "modernbert": T.ModernBertConfig(
        vocab_size=400, pad_token_id=1, local_attention=8, global_attn_every_n_layers=3, **SIZES
    ),
}  # fmt: skip


def byte_level() -> Tokenizer:
    """A tokenizer as RoBERTa's: pieces of bytes, learned from a few words."""
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    words = Tokenizer(models.BPE(unk_token="<unk>"))
    words.normalizer = normalizers.NFC()
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = decoders.ByteLevel()
    from tokenizers.trainers import BpeTrainer

    letters = pre_tokenizers.ByteLevel.alphabet()
    trainer = BpeTrainer(vocab_size=400, special_tokens=special, initial_alphabet=letters)
    words.train_from_iterator([TEXT] * 3, trainer)
    words.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )  # fmt: skip
    return words


@pytest.fixture(scope="module", params=sorted(CONFIGS))
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of each family."""
    return written(str(request.param), tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture
def roberta(tmp_path: Path) -> Path:
    return written("roberta", tmp_path)


def written(family: str, where: Path) -> Path:
    """A small checkpoint with random weights, as transformers writes it."""
    folder = where / f"my-{family}"
    torch.manual_seed(0)
    model = T.AutoModel.from_config(CONFIGS[family])
    with torch.no_grad():
        for parameter in model.parameters():  # or all weights would be nearly the same
            parameter.mul_(4.0) if parameter.dim() > 1 else None
    model.save_pretrained(folder)
    if family in ("bert", "distilbert"):
        for name in ("vocab.txt", "tokenizer.json", "tokenizer_config.json"):
            if (minilm_folder() / name).is_file():
                (folder / name).write_bytes((minilm_folder() / name).read_bytes())
    else:
        words = T.PreTrainedTokenizerFast(
            tokenizer_object=byte_level(), pad_token="<pad>", unk_token="<unk>"
        )
        words.save_pretrained(folder)  # fmt: skip
    return folder


def theirs(folder: Path, ids: tuple[int, ...]) -> list[Any]:
    model = T.AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
    with torch.no_grad():
        return list(model(torch.tensor([ids]), output_attentions=True).attentions)  # (1, H, L, L)


def test_the_attention_lab_shows_the_weights_that_transformers_computes(folder: Path) -> None:
    lab = AttentionLab(checkpoint=folder, text=TEXT)
    arrays = lab.shown()
    for layer, expected in enumerate(theirs(folder, arrays.tokens.ids)):
        assert_close(torch.from_numpy(arrays.weights[layer]), expected[0], terms=32)
    assert folder.name in lab._repr_mimebundle_()[0]["text/plain"]
    assert lab.settings["checkpoint"] == str(folder)


def test_its_output_moves_when_a_head_is_off_and_masks_hold(folder: Path) -> None:
    lab = AttentionLab(checkpoint=folder, text=TEXT, mask="causal", off=[(2, 1)])
    arrays = lab.shown()
    ahead = np.triu(np.ones(arrays.weights.shape[-2:], bool), 1)
    assert not arrays.weights[..., ahead].any()
    assert np.abs(arrays.hidden - arrays.hidden_all_on).max() > 1e-3


def test_what_a_window_hides_is_shown_as_blocked(folder: Path) -> None:
    lab = AttentionLab(checkpoint=folder, text=TEXT, mask="padding", padding=2, layer=1)
    arrays = lab.shown()
    far = np.abs(np.subtract.outer(*[np.arange(len(arrays.tokens.labels))] * 2)) > 4
    windowed = "modernbert" in folder.name
    assert bool(arrays.blocked[1][far].all()) == windowed
    assert not arrays.blocked[0][:, : arrays.tokens.real].any()  # the first layer sees all the text
    assert not arrays.weights[np.broadcast_to(arrays.blocked[:, None], arrays.weights.shape)].any()
    assert "are not the softmax" not in lab.drawing().summary


def test_with_all_heads_on_it_gives_the_hidden_states_of_transformers(folder: Path) -> None:
    arrays = AttentionLab(checkpoint=folder, text=TEXT).shown()
    model = T.AutoModel.from_pretrained(folder).eval()
    with torch.no_grad():
        expected = model(torch.tensor([arrays.tokens.ids])).last_hidden_state[0]
    assert_close(torch.from_numpy(arrays.hidden), expected, terms=3 * 40)


def test_the_stack_lab_walks_through_it(folder: Path) -> None:
    lab = StackLab(checkpoint=folder, text=TEXT, depth=2)
    walk = lab.shown()[1]
    assert walk.name == folder.name
    assert lab.settings["minilm"]
    model = T.AutoModel.from_pretrained(folder).eval()
    ids = checkpoint(str(folder)).cut(TEXT, None).ids
    with torch.no_grad():
        states = model(torch.tensor([ids]), output_hidden_states=True).hidden_states
    norms = torch.stack([state[0].norm(dim=-1).mean() for state in states])
    # transformers' last state of a pre-norm encoder has been normed
    assert_close(torch.from_numpy(walk.norms[:3]), norms[:3], terms=32)
    assert np.isfinite(walk.gradients).all()
    assert (walk.gradients > 0).all()


def test_the_shape_tracer_walks_through_a_post_norm_one(folder: Path) -> None:
    if "modernbert" in folder.name:
        with pytest.raises(InvalidSetting, match="AttentionLab and StackLab show it"):
            ShapeTracer(checkpoint=folder)
        return
    lab = ShapeTracer(checkpoint=folder, text=TEXT, second="")
    trace = lab.shown()
    assert trace.name == folder.name
    ids = checkpoint(str(folder)).cut(TEXT, None).ids
    model = T.AutoModel.from_pretrained(folder).eval()
    with torch.no_grad():
        expected = model(torch.tensor([ids])).last_hidden_state
    last = [step.numbers for step in trace.steps if step.layer == 2][-1]
    assert_close(torch.from_numpy(last), expected, terms=3 * 40)
    lab.set(encoder="fresh")  # with the same tokens
    assert lab.shown().labels == trace.labels


def test_tokens_are_called_by_the_text_they_stand_for(folder: Path) -> None:
    made = checkpoint(str(folder)).cut("The street 雪.", None)
    assert made.tokens[1] in ("the", "The")
    assert "street" in "".join(made.tokens)
    assert not any("Ġ" in token or "æ" in token for token in made.tokens)


def test_what_it_is_is_said(folder: Path) -> None:
    about = checkpoint(str(folder)).about
    assert about.startswith(f"{folder.name}: 3 layers of 4 heads, d_model 32")
    assert ("rotary" in about) == ("modernbert" in folder.name)


def test_a_longer_text_than_the_encoder_has_positions_for_is_refused(roberta: Path) -> None:
    with pytest.raises(InvalidSetting, match="has positions for 64"):
        AttentionLab(checkpoint=roberta, text="street " * 70)


def test_the_feed_forward_lab_asks_its_neurons(folder: Path) -> None:
    lab = FeedForwardLab(checkpoint=folder, text=TEXT, layer=1, neuron=2)
    shown, one = lab.shown(), checkpoint(str(folder))
    encoding = one.cut(TEXT, None)
    inner: list[torch.Tensor] = []
    layer: Any = one.model.layers[1]
    second = getattr(layer, "feed_forward", layer).linear2
    handle = second.register_forward_pre_hook(lambda _, inputs: inner.append(inputs[0]))
    with torch.no_grad():
        one.model(torch.tensor([encoding.ids]))
    handle.remove()
    own = [i for i, (start, end) in enumerate(encoding.offsets) if end > start]
    assert shown.reading.tokens == tuple(encoding.tokens[i] for i in own)
    assert_close(shown.reading.answers[1], inner[0][0, own])
    form = lab.form()
    assert f"Neurons of my-{folder.name.partition('-')[2]}" in str(form)
    assert "layer 3, 318" not in str(form)  # what is known of MiniLM's neurons alone
    assert "layer 1" in lab.still()["text/plain"]


def test_the_tokenizer_lab_cuts_as_the_checkpoint_does(folder: Path) -> None:
    lab = TokenizerLab(checkpoint=folder, text=TEXT)
    tokens, encoding = lab.shown(), checkpoint(str(folder)).cut(TEXT, None)
    own = [i for i, (start, end) in enumerate(encoding.offsets) if end > start]
    assert [token.id for token in tokens.tokens] == [encoding.ids[i] for i in own]
    of_bytes = folder.name in ("my-roberta", "my-modernbert")  # these learned "'t" as one piece
    negation = "'t" if of_bytes else "' t"
    words = f"The animal didn {negation} cross the street , because it was tired ."
    assert tokens.words == tuple(words.split())
    assert [token.word for token in tokens.tokens] == sorted(t.word for t in tokens.tokens)
    assert f"of my-{folder.name.partition('-')[2]}" in str(lab.form())
    assert "The tokenizer of my-" in lab.still()["text/plain"]
    lab.set(kind="wordpiece")  # trained here, with the checkpoint's number of tokens beside it
    assert lab.shown().counts["minilm"] == tokens.counts["minilm"]


def test_a_sign_that_a_checkpoint_lacks_is_one_unknown_token(tmp_path: Path) -> None:
    lab = TokenizerLab(checkpoint=written("bert", tmp_path), text="a ꙮ b")
    found = lab.shown().tokens
    assert [(token.text, token.unknown) for token in found] == [
        ("a", False),
        ("ꙮ", True),
        ("b", False),
    ]


def test_the_embedding_lab_takes_the_checkpoints_vectors(folder: Path) -> None:
    if folder.name in ("my-roberta", "my-modernbert"):  # 400 entries
        with pytest.raises(ValueError, match="whole English words; this lab needs at least 1000"):
            EmbeddingLab(checkpoint=folder)
        return
    lab = EmbeddingLab(checkpoint=folder, word="monday")
    one = checkpoint(str(folder))
    table: Any = one.model.embeddings.token.weight.detach()
    names = {number: name for name, number in one.vocabulary.items()}
    cosines = torch.nn.functional.cosine_similarity(table[one.vocabulary["monday"]][None], table)
    order = [names[i] for i in cosines.argsort(descending=True).tolist()]
    near = [word for word, _ in lab.shown().near]
    assert near == sorted(near, key=order.index)
    assert "the other 30 directions" in str(lab.form())
    assert "Nearest to “monday”" in lab.still()["text/plain"]
    with pytest.raises(ValueError, match="no whole word of the vocabulary of my-"):
        lab.set(word="zzzz")


def test_what_is_no_checkpoint_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="neither a folder"):
        AttentionLab(checkpoint=str(tmp_path / "nothing"))
    with pytest.raises(ValueError, match="download"):
        AttentionLab(checkpoint="nobody/has-this")
    with pytest.raises(ValueError, match="folder or its name"):
        AttentionLab(checkpoint=3)


def test_without_the_package_that_reads_its_tokenizer_it_says_what_to_install(
    roberta: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(InvalidSetting, match="pip install tokenizers"):
        checkpoint(str(roberta))


def test_another_checkpoint_is_named_in_the_form_at_once(roberta: Path) -> None:
    front = Front(AttentionLab()).ready()
    front.lab.set(checkpoint=roberta)
    assert roberta.name in json.dumps(front.last["form"])
    assert front.lab.settings["checkpoint"] == str(roberta)
    front.lab.close()


@pytest.mark.parametrize("download", [False, True])
def test_what_the_hub_answers_is_told(monkeypatch: pytest.MonkeyPatch, download: bool) -> None:
    import huggingface_hub

    def no_such(*_: Any, **__: Any) -> str:
        raise OSError("404: no such repository\nand much more")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", no_such)
    with pytest.raises(ValueError, match=r"can.t be fetched: 404: no such repository$"):
        AttentionLab(checkpoint="nobody/has-this", download=download)
