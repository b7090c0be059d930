"""Checkpoints: what is read, what is refused, and that an error names the weight."""

from __future__ import annotations

import hashlib
import json
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from encoder_core.pretrained import checkpoints as C
from tests.close import assert_close


@pytest.fixture
def weights() -> dict[str, torch.Tensor]:
    return {"weight": torch.randn(3, 2), "bias": torch.randn(3)}


def test_a_file_a_folder_and_parts_are_read(
    tmp_path: Path, weights: dict[str, torch.Tensor]
) -> None:
    one, parts = tmp_path / "one", tmp_path / "parts"
    one.mkdir()
    parts.mkdir()
    save_file(weights, one / "model.safetensors")
    for name, tensor in weights.items():
        save_file({name: tensor}, parts / f"{name}.safetensors")
    index = {"weight_map": {name: f"{name}.safetensors" for name in weights}}
    (parts / "model.safetensors.index.json").write_text(json.dumps(index))
    for place in (one, one / "model.safetensors", str(one), parts):
        read = C.read_weights(place)
        assert sorted(read) == sorted(weights)
        assert all(torch.equal(read[name], weights[name]) for name in weights)


def test_an_index_cannot_point_out_of_its_folder(
    tmp_path: Path, weights: dict[str, torch.Tensor]
) -> None:
    save_file(weights, tmp_path / "outside.safetensors")
    inside = tmp_path / "inside"
    inside.mkdir()
    index = {"weight_map": {"weight": "../outside.safetensors"}}
    (inside / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(FileNotFoundError):
        C.read_weights(inside)


def test_the_digest_is_checked(tmp_path: Path, weights: dict[str, torch.Tensor]) -> None:
    path = tmp_path / "model.safetensors"
    save_file(weights, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert sorted(C.read_weights(path, sha256=digest)) == ["bias", "weight"]
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(C.CheckpointError, match=f"expected {digest}"):
        C.read_weights(path, sha256=digest)


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    class Harm:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (tmp_path / "harm",))  # type: ignore[return-value]

    for name in ("pytorch_model.bin", "model.pt"):
        (tmp_path / name).write_bytes(pickle.dumps(Harm()))
    with pytest.raises(FileNotFoundError, match="safetensors only"):
        C.read_weights(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(pickle.dumps(Harm()))
    with pytest.raises(C.CheckpointError, match="not a safetensors file"):
        C.read_weights(tmp_path)
    assert not (tmp_path / "harm").exists()


def test_missing_unexpected_and_misshapen_weights_are_named(
    weights: dict[str, torch.Tensor],
) -> None:
    model = nn.Linear(2, 3)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    for change, told in (
        ({"weight": None}, "missing weight"),
        ({"scale": torch.ones(1)}, "unexpected scale"),
        ({"bias": torch.ones(4)}, r"bias is \(4,\) and should be \(3,\)"),
        ({"bias": None, "offset": torch.ones(3)}, "missing bias; unexpected offset"),
    ):
        changed = {n: t for n, t in {**weights, **change}.items() if t is not None}
        with pytest.raises(C.CheckpointError, match=f"do not fit Linear: {told}"):
            C.load_weights(model, changed)
        assert all(torch.equal(model.state_dict()[n], before[n]) for n in before)
    C.load_weights(model, weights)
    assert torch.equal(model.weight, weights["weight"])


def test_a_model_keeps_its_dtype(weights: dict[str, torch.Tensor]) -> None:
    model = nn.Linear(2, 3).double()
    C.load_weights(model, {name: tensor.half() for name, tensor in weights.items()})
    assert model.weight.dtype == torch.float64
    assert_close(model.weight.half(), weights["weight"].half())


def test_renaming_refuses_to_lose_a_weight() -> None:
    state = {"a.gamma": torch.ones(1), "a.weight": torch.zeros(1)}
    with pytest.raises(C.CheckpointError, match=r"called a\.weight"):
        C.rename_weights(state, [(r"gamma$", "weight")])


def test_stacking_keeps_what_is_not_whole() -> None:
    state = {"a.query.weight": torch.ones(2, 2), "a.key.weight": torch.ones(2, 2)}
    assert C.stack_projections(state).keys() == state.keys()
