"""A damaged checkpoint is a CheckpointError that names the file and the weight, whatever the damage."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor, nn

from encoder_core.models.bert import Bert, BertConfig
from encoder_core.pretrained import checkpoints as C
from encoder_core.pretrained import loading as L
from encoder_core.pretrained.checkpoints import CheckpointError

CONFIG = {
    "model_type": "bert",
    "vocab_size": 9,
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "max_position_embeddings": 12,
}
NAMES = {
    "embeddings.token": "embeddings.word_embeddings",
    "embeddings.position": "embeddings.position_embeddings",
    "embeddings.segment": "embeddings.token_type_embeddings",
    "embeddings.norm": "embeddings.LayerNorm",
    "layers.0.self_attn.out_proj": "encoder.layer.0.attention.output.dense",
    "layers.0.norm1": "encoder.layer.0.attention.output.LayerNorm",
    "layers.0.linear1": "encoder.layer.0.intermediate.dense",
    "layers.0.linear2": "encoder.layer.0.output.dense",
    "layers.0.norm2": "encoder.layer.0.output.LayerNorm",
}
QUERY, KEY, VALUE = (f"encoder.layer.0.attention.self.{part}" for part in ("query", "key", "value"))


def weights() -> dict[str, Tensor]:
    """A small BERT's weights under the names of transformers."""
    model = Bert(BertConfig(9, 8, 2, 1, 16, 12), seed=0)
    state: dict[str, Tensor] = {}
    for name, tensor in model.state_dict().items():
        start, _, kind = name.rpartition(".")
        if kind.startswith("in_proj_"):
            for part, third in zip((QUERY, KEY, VALUE), tensor.chunk(3), strict=True):
                state[f"{part}.{kind.removeprefix('in_proj_')}"] = third.clone()
        else:
            state[f"{NAMES[start]}.{kind}"] = tensor.clone()
    return state


def test_the_small_checkpoint_is_whole() -> None:
    assert isinstance(L.encoder_from_weights(CONFIG, weights()), Bert)


TABLE, BIAS = "embeddings.word_embeddings.weight", "encoder.layer.0.output.dense.bias"


def with_value(value: float, dtype: torch.dtype = torch.float32) -> Tensor:
    tensor = torch.zeros(8, dtype=dtype)
    tensor[3] = value
    return tensor


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({TABLE: torch.ones(9, 8, dtype=torch.long)}, r"embeddings\.token\.weight is torch\.int64 and"),
        ({TABLE: torch.ones(9, 8, dtype=torch.uint8)}, r"embeddings\.token\.weight is torch\.uint8"),
        ({BIAS: torch.ones(8, dtype=torch.bool)}, r"layers\.0\.linear2\.bias is torch\.bool"),
        ({BIAS: torch.ones(8, dtype=torch.complex64)}, "is torch.complex64 and should be one of"),
        ({BIAS: torch.ones(8).to(torch.float8_e4m3fn)}, "is torch.float8_e4m3fn and should be one of"),
        ({BIAS: torch.ones(8).to(torch.float8_e5m2)}, "is torch.float8_e5m2 and should be one of"),
        ({BIAS: with_value(float("nan"))}, r"layers\.0\.linear2\.bias has NaN or infinity in it"),
        ({BIAS: with_value(float("inf"))}, r"layers\.0\.linear2\.bias has NaN or infinity in it"),
        ({BIAS: with_value(float("-inf"), torch.bfloat16)}, "has NaN or infinity in it"),
        ({BIAS: with_value(1e300, torch.float64)}, "has values too large for torch.float32"),
        ({BIAS: torch.ones(8, dtype=torch.long), TABLE: with_value(1)}, r"embeddings\.token\.weight is \(8,\)"),
        (
            {f"{x}.bias": torch.ones(8, dtype=torch.long) for x in (QUERY, KEY, VALUE)},
            r"layers\.0\.self_attn\.in_proj_bias is torch\.int64",
        ),
        ({f"{QUERY}.bias": torch.ones(8, dtype=torch.long)}, r"query\.bias is \(8,\) torch\.int64"),
        ({f"{QUERY}.bias": torch.ones(10), f"{KEY}.bias": torch.ones(6)}, r"query\.bias is \(10,\)"),
        ({f"{QUERY}.weight": torch.ones(2, 2, 2)}, r"query\.weight is \(2, 2, 2\)"),
        ({TABLE: None}, r"missing embeddings\.token\.weight"),
        ({f"{KEY}.bias": None}, r"missing layers\.0\.self_attn\.in_proj_bias"),
        ({BIAS: "ones"}, "is a str and should be a tensor"),
    ],
)  # fmt: skip
def test_weights_that_are_no_floating_numbers_are_refused_by_name(
    change: dict[str, Any], told: str
) -> None:
    state = {name: tensor for name, tensor in (weights() | change).items() if tensor is not None}
    with pytest.raises(CheckpointError, match=told):
        L.encoder_from_weights(CONFIG, state)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_floating_dtypes_are_read_into_float32(dtype: torch.dtype) -> None:
    state = {name: tensor.to(dtype) for name, tensor in weights().items()}
    model = L.encoder_from_weights(CONFIG, state)
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert torch.equal(model.embeddings.token.weight, state[TABLE].float())


def test_a_refused_weight_leaves_the_model_as_it_was_and_integer_buffers_keep_their_dtype() -> None:
    model = nn.BatchNorm1d(2)
    good = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    before = {name: tensor.clone() for name, tensor in good.items()}
    for change in (
        {"weight": torch.tensor([1.0, float("nan")])},
        {"num_batches_tracked": torch.tensor(1.0)},
    ):
        with pytest.raises(CheckpointError, match=next(iter(change))):
            C.load_weights(model, {**good, "bias": torch.ones(2), **change})
        assert all(torch.equal(model.state_dict()[name], before[name]) for name in before)
    C.load_weights(model, {**good, "num_batches_tracked": torch.tensor(7)})
    assert int(model.num_batches_tracked) == 7


@pytest.mark.parametrize(
    "change",
    [
        {"vocab_size": 2**31 - 1},
        {"hidden_size": 2**30},
        {"max_position_embeddings": 2**31 - 1},
        {"type_vocab_size": 2**31 - 1},
        {"intermediate_size": 2**31 - 1},
        {"num_hidden_layers": 2**31 - 1},
    ],
)
def test_settings_far_from_the_weights_take_no_memory(change: dict[str, int]) -> None:
    with pytest.raises(CheckpointError, match="do not fit Bert: "):
        L.encoder_from_weights(CONFIG | change, weights())
    modern = {**CONFIG, "pad_token_id": 0, **change, "model_type": "modernbert"}
    with (
        pytest.warns(UserWarning, match="type_vocab_size")
        if "type_vocab_size" in change
        else nullcontext(),
        pytest.raises(CheckpointError, match=r"do not fit ModernBert|num_hidden_layers"),
    ):
        L.encoder_from_weights(modern, weights())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    save_file(weights(), tmp_path / "model.safetensors")
    return tmp_path


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is not JSON"),
        (b'{"model_type": "bert"', "is not JSON"),
        (b"\xef\xbb\xbf{}", "byte-order mark"),
        ('{"model_type": "bert"}'.encode("utf-16"), "byte-order mark"),
        (b'{"model_type": "b\xe9rt"}', r"not UTF-8 \(byte 17\)"),
        (b"[]", "must hold a JSON object, .* holds a list"),
        (b"null", "holds a NoneType"),
        (b'"bert"', "holds a str"),
        (b"[" * 200_000, "cannot be read"),
        (b'{"a": ' + b"1" * 5000 + b"}", "cannot be read"),
        (b"\x00" * 9, "is not JSON"),
    ],
)
def test_what_is_no_json_object_names_the_file(folder: Path, content: bytes, told: str) -> None:
    (folder / "config.json").write_bytes(content)
    for load in (L.from_pretrained, L.masked_lm_from_pretrained):
        with pytest.raises(CheckpointError, match=rf"config\.json .*{told}"):
            load(folder)


@pytest.mark.parametrize(
    "dtype", ["F4", "F6_E2M3", "F8_E8M0", "F8_E4M3", "I64", "U64", "U16", "BOOL", "C64", "F99"]
)
def test_a_file_of_any_other_dtype_is_refused(tmp_path: Path, dtype: str) -> None:
    bits = {"F4": 4, "F6_E2M3": 6, "I64": 64, "U64": 64, "U16": 16, "C64": 64}.get(dtype, 8)
    header = {"dtype": dtype, "shape": [8], "data_offsets": [0, bits]}  # 8 values
    head = json.dumps({"bias": header}).encode()
    part = tmp_path / "model.safetensors"
    part.write_bytes(len(head).to_bytes(8, "little") + head + bytes(bits))
    model = nn.Linear(1, 8)
    with pytest.raises(
        CheckpointError, match=r"model\.safetensors|bias is torch.* and should be one of"
    ):
        C.load_weights(model, {"weight": torch.ones(8, 1), **C.read_weights(tmp_path)})


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)
@given(data=st.data())
def test_a_file_cut_or_changed_anywhere_brings_no_other_error(
    folder: Path, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(["config.json", "model.safetensors"]))
    whole = (folder / name).read_bytes()
    place = data.draw(st.integers(0, min(len(whole) - 1, 3000)))
    cut = data.draw(st.booleans())
    byte = data.draw(st.integers(0, 255))
    (folder / name).write_bytes(
        whole[:place] if cut else whole[:place] + bytes([byte]) + whole[place + 1 :]
    )
    try:
        L.from_pretrained(folder)
    except CheckpointError:
        pass
    finally:
        (folder / name).write_bytes(whole)


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "config.json").write_text(json.dumps(CONFIG))
    state = weights()
    names = sorted(state)
    places = {}
    for number, chosen in enumerate((names[:5], names[5:]), 1):
        file = f"model-{number:05}-of-00002.safetensors"
        save_file({name: state[name] for name in chosen}, inside / file)
        places.update(dict.fromkeys(chosen, file))
    save_file(state, tmp_path / "outside.safetensors")
    (inside / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
    return inside


def test_a_checkpoint_in_parts_loads(parts: Path) -> None:
    assert isinstance(L.from_pretrained(parts), Bert)


@pytest.mark.parametrize(
    ("index", "told"),
    [
        ({}, "weight_map must be an object"),
        ([], "must hold a JSON object"),
        ({"weight_map": []}, "weight_map must be an object"),
        ({"weight_map": {}}, "weight_map must be an object"),
        ({"weight_map": {"w": 1}}, "name of a .safetensors file for w, got 1"),
        ({"weight_map": {"w": None}}, "for w, got None"),
        ({"weight_map": {"w": "pytorch_model.bin"}}, "for w, got 'pytorch_model.bin'"),
        ({"weight_map": {"w": "absent.safetensors"}}, "w should be in 'absent.safetensors'"),
        ({"weight_map": {"w": "../outside.safetensors"}}, "no such file beside"),
        ({"weight_map": {"w": "x/../../outside.safetensors"}}, "no such file beside"),
        ({"weight_map": {"w": "..\\outside.safetensors"}}, "no such file beside"),
        ({"weight_map": {"w": "/outside.safetensors"}}, "no such file beside"),
        ({"weight_map": {"w": "model-00001-of-00002.safetensors"}}, "puts w in"),
    ],
)
def test_a_malformed_index_names_file_and_field(parts: Path, index: Any, told: str) -> None:
    (parts / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(CheckpointError, match=rf"index.*{told}"):
        L.from_pretrained(parts)


def test_an_absolute_path_in_an_index_is_refused(parts: Path) -> None:
    outside = str(parts.parent / "outside.safetensors")
    (parts / "model.safetensors.index.json").write_text(
        json.dumps({"weight_map": {TABLE: outside}})
    )
    with pytest.raises(CheckpointError, match="no such file beside"):
        L.from_pretrained(parts)


def test_a_weight_in_two_parts_and_a_part_that_is_gone_are_refused(parts: Path) -> None:
    second = parts / "model-00002-of-00002.safetensors"
    content = second.read_bytes()
    save_file(weights(), second)
    with pytest.raises(CheckpointError, match="in another part of the checkpoint"):
        L.from_pretrained(parts)
    second.write_bytes(content[:100])
    with pytest.raises(CheckpointError, match=r"00002\.safetensors is not a safetensors file"):
        L.from_pretrained(parts)
    second.unlink()
    with pytest.raises(CheckpointError, match="no such file beside"):
        L.from_pretrained(parts)


def test_two_biases_of_a_head_must_agree_and_an_untied_head_must_be_there() -> None:
    head = {
        "cls.predictions.transform.dense.weight": torch.eye(8),
        "cls.predictions.transform.dense.bias": torch.zeros(8),
        "cls.predictions.transform.LayerNorm.weight": torch.ones(8),
        "cls.predictions.transform.LayerNorm.bias": torch.zeros(8),
        "cls.predictions.bias": torch.zeros(9),
    }
    state = weights() | head
    L.masked_lm_from_weights(CONFIG, state | {"cls.predictions.decoder.bias": torch.zeros(9)})
    with pytest.raises(CheckpointError, match="two different output biases"):
        L.masked_lm_from_weights(CONFIG, state | {"cls.predictions.decoder.bias": torch.ones(9)})
    with pytest.raises(CheckpointError, match="tie_word_embeddings is False"):
        L.masked_lm_from_weights(CONFIG | {"tie_word_embeddings": False}, state)
    untied = {"cls.predictions.decoder.weight": state[TABLE].half()}
    with pytest.raises(CheckpointError, match="not tied"):
        L.masked_lm_from_weights(CONFIG, state | untied)


@pytest.mark.parametrize(
    "source", ["__main__", "a\x00b", "x" * 5000, "owner--x/name", "owner/na..me", "-a/b"]
)
def test_no_name_of_a_checkpoint_brings_another_error(source: str) -> None:
    with pytest.raises(FileNotFoundError):
        L.from_pretrained(source)
