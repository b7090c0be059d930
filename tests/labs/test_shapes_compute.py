"""The shape tracer's steps: they are the encoder's own, and so are their lines of code."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course.labs.faults import InvalidSetting, OwnFailed
from course.labs.shapes.code import LINES, find
from course.labs.shapes.settings import Settings
from course.labs.shapes.steps import KINDS, POST, PRE
from course.labs.shapes.trace import Trace, compute
from encoder_core.encoder import TransformerEncoderLayer
from encoder_core.inspect.recording import record
from encoder_core.models.bert import Bert, BertConfig
from encoder_core.models.text_encoder import TextEncoder
from encoder_core.pretrained.minilm import load_minilm, sentence_embedding
from tests.close import assert_minilm_close as assert_close

ROOT = Path(__file__).resolve().parents[2]
TEXTS = ("The bank of the river was green.", "Money in the bank.")
FRESH: dict[str, Any] = {"encoder": "fresh", "d_model": 12, "heads": 3, "dim_feedforward": 20}


def numbers(trace: Trace, kind: str, layer: int | None = None) -> Any:
    (found,) = [s.numbers for s in trace.steps if s.kind == kind and s.layer == layer]
    return found


# Code


@pytest.mark.parametrize("name", LINES)
def test_every_line_is_found_where_it_stands(name: str) -> None:
    found = find(LINES[name])
    lines = (ROOT / found.file).read_text(encoding="utf-8").split("\n")
    assert lines[found.number - 1].strip() == found.text
    assert found.file.startswith("encoder_core/")
    assert not found.text.startswith(("#", '"""', "Returns"))


def test_every_step_has_lines_and_every_line_a_step() -> None:
    used = {name for kind in KINDS.values() for name in kind.code}
    assert used | {"pre1", "pre2"} == set(LINES)
    assert [name for name, kind in KINDS.items() if not kind.code] == ["own.embedded"]
    for kind in KINDS.values():
        assert kind.says.endswith(".")
        assert not kind.source or kind.source in KINDS


def test_a_line_that_is_gone_is_no_line() -> None:
    from dataclasses import replace

    with pytest.raises(LookupError, match="stands in 0 lines of scores"):
        find(replace(LINES["scores"], part="no such thing"))
    with pytest.raises(LookupError, match="stands in 2 lines of split_heads"):
        find(replace(LINES["heads.cut"], part="# (B, "))


# Steps


def test_the_steps_are_what_minilm_computes() -> None:
    trace = compute(Settings(*TEXTS))
    model, tokenizer = load_minilm()
    batch = tokenizer.batch(list(TEXTS))
    with record(model) as recording, torch.no_grad():
        model(batch.ids, batch.type_ids, batch.padding_mask, packed=False)
    real = ~batch.padding_mask.numpy()
    for layer in range(6):
        weights, heads = recording.attention[layer], recording.heads[layer]
        assert_close(numbers(trace, "softmax", layer), weights)
        assert_close(numbers(trace, "weighted", layer), heads)
        hidden = recording.hidden_states[layer + 1].numpy()
        assert_close(numbers(trace, "norm2", layer)[real], hidden[real])
    assert_close(numbers(trace, "unit"), sentence_embedding(list(TEXTS)).numpy())
    embedded = recording.hidden_states[0].numpy()
    assert_close(numbers(trace, "bert.norm"), embedded)
    assert trace.remark == ""


@pytest.mark.parametrize("norm_first", [False, True])
def test_the_steps_are_what_a_fresh_encoder_computes(norm_first: bool) -> None:
    trace = compute(Settings(*TEXTS, **FRESH, norm_first=norm_first, layers=3, seed=4))
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(4)
        encoder = TextEncoder(
            30522, 12, 3, 3, 20, norm_first=norm_first, activation="relu", dropout=0.0
        )
    batch = load_minilm()[1].batch(list(TEXTS))
    hidden = encoder(batch.ids, batch.padding_mask).detach().numpy()
    real = ~batch.padding_mask.numpy()
    last = numbers(trace, "final") if norm_first else numbers(trace, "norm2", 2)
    assert_close(last[real], hidden[real])
    assert trace.remark == ""
    kinds = [step.kind for step in trace.steps if step.layer == 1]
    assert kinds == list(PRE if norm_first else POST)


def test_shapes_are_what_the_axes_say() -> None:
    for settings in (Settings(*TEXTS), Settings(TEXTS[0], "", **FRESH), Settings(*TEXTS, **FRESH)):
        trace = compute(settings)
        for step in trace.steps:
            named = tuple(trace.sizes[letter] for letter in KINDS[step.kind].axes.split())
            assert step.numbers.shape == named, step.kind
    assert trace.sizes == {"B": 2, "S": 10, "D": 12, "H": 3, "Dh": 4, "3D": 36, "F": 20}


def test_nobody_looks_at_padding() -> None:
    trace = compute(Settings(*TEXTS))
    assert trace.labels[1][-3:] == ("[PAD]",) * 3
    assert trace.padding[1].tolist() == [False] * 7 + [True] * 3
    assert np.isneginf(numbers(trace, "mask", 0)[1, :, :, 7:]).all()
    assert (numbers(trace, "softmax", 0)[1, :, :, 7:] == 0).all()
    assert np.isfinite(numbers(trace, "mask", 0)[0]).all()
    alone = compute(Settings(TEXTS[1], ""))
    assert_close(numbers(trace, "unit")[1], numbers(alone, "unit")[0])


# The learner's own


class Own(nn.Module):
    """A layer with torch's weights, written another way; it says nothing of its heads."""

    def __init__(self, d_model: int, nhead: int, norm_first: bool, gelu: bool = False) -> None:
        super().__init__()
        self.inner = TransformerEncoderLayer(
            d_model, nhead, 20, norm_first=norm_first, activation="gelu" if gelu else "relu"
        )

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:
        return self.inner.state_dict()

    def forward(
        self, src: Tensor, src_mask: Any = None, src_key_padding_mask: Any = None
    ) -> Tensor:
        return self.inner(src, src_mask, src_key_padding_mask) * 1.0


class Stack(nn.Module):
    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)


@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("gelu", [False, True])
def test_ones_own_layers_are_traced_however_they_are_written(norm_first: bool, gelu: bool) -> None:
    model = Stack(Own(12, 3, norm_first, gelu), Own(12, 3, norm_first, gelu))
    trace = compute(Settings(*TEXTS, encoder="own"), model)
    assert (trace.remark, trace.heads, trace.name) == ("", 3, "your Stack")
    x = torch.from_numpy(numbers(trace, "own.embedded"))
    model.eval()
    padding = torch.from_numpy(trace.padding)
    for layer in model.layers:
        x = layer(x, src_key_padding_mask=padding)
    last = numbers(trace, "residual2" if norm_first else "norm2", 1)
    assert_close(last[~trace.padding], x.detach().numpy()[~trace.padding])


def test_torchs_own_encoder_is_traced() -> None:
    layer = nn.TransformerEncoderLayer(12, 3, 20, batch_first=True, norm_first=True)
    model = nn.TransformerEncoder(layer, 2, norm=nn.LayerNorm(12), enable_nested_tensor=False)
    trace = compute(Settings(*TEXTS, encoder="own"), model)
    assert trace.remark == ""
    assert model.training  # left as it was
    assert all(layer.training for layer in model.layers)
    x = torch.from_numpy(numbers(trace, "own.embedded"))
    expected = model.eval()(x, src_key_padding_mask=torch.from_numpy(trace.padding))
    real = ~trace.padding
    assert_close(numbers(trace, "final")[real], expected.detach().numpy()[real])


def test_a_bert_of_ones_own_keeps_its_embeddings() -> None:
    config = BertConfig(
        vocab_size=30522, d_model=12, nhead=3, num_layers=1, dim_feedforward=20, max_length=64
    )
    model = Bert(config, seed=1).eval()
    trace = compute(Settings(*TEXTS, encoder="own"), model)
    expected = sentence_embedding(list(TEXTS), model, load_minilm()[1]).numpy()
    assert_close(numbers(trace, "unit"), expected)


def test_a_layer_that_gives_something_else_is_told_and_goes_on() -> None:
    class Doubled(TransformerEncoderLayer):
        def forward(self, *args: Any, **kwargs: Any) -> Tensor:
            return 2 * super().forward(*args, **kwargs)

    model = Stack(TransformerEncoderLayer(12, 3, 20), Doubled(12, 3, 20), Doubled(12, 3, 20))
    trace = compute(Settings(*TEXTS, encoder="own"), model)
    assert trace.remark.startswith("Layer 1 of your Stack does not give what these steps give: ")
    assert "differs by 0.5 of its largest number" in trace.remark
    last = torch.from_numpy(numbers(trace, "norm2", 2)) * 2
    pooled = last[0].mean(0)
    assert_close(numbers(trace, "unit")[0], F.normalize(pooled, dim=0))


class Raising(TransformerEncoderLayer):
    def forward(self, *_: Any, **__: Any) -> Tensor:
        raise ValueError("not yet")


class Flat(TransformerEncoderLayer):
    def forward(self, src: Tensor, *_: Any, **__: Any) -> Tensor:
        return src[:, 0]


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        (nn.Linear(2, 2), "no nn.ModuleList called layers"),
        (Stack(), "no nn.ModuleList called layers"),
        (Stack(nn.Linear(2, 2)), r"layer 0 has no self_attn\.in_proj_weight"),
        (Stack(Raising(12, 3, 20)), "layer 0 raised ValueError: not yet"),
        (Stack(Flat(12, 3, 20)), re.escape("returned (2, 12); expected (2, 10, 12)")),
    ],
)
def test_a_model_that_cannot_be_traced_is_told(model: nn.Module, sentence: str) -> None:
    with pytest.raises(OwnFailed, match=sentence):
        compute(Settings(*TEXTS, encoder="own"), model)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"text": ""}, "There is no text"),
        ({"text": "word " * 60}, "62 tokens; the lab draws at most 48"),
        ({"encoder": "bert"}, "one of pretrained, fresh, own"),
        ({"encoder": "own"}, "no encoder of your own here"),
        ({"encoder": "fresh", "heads": 5}, "not divisible by 5 heads"),
        ({"encoder": "fresh", "layers": 9}, "from 1 to 6"),
        ({"norm_first": 2}, "norm_first must be True or False"),
    ],
)
def test_what_cannot_be_is_told(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidSetting, match=sentence):
        compute(Settings(**change))
