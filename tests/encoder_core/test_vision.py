"""Patches and the Vision Transformer, against loops and against transformers' ViT."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from encoder_core.models.vision import VisionTransformer, patchify, unpatchify
from encoder_core.training.loop import fit
from tests.close import assert_close


@given(
    batch=st.integers(0, 3), channels=st.integers(1, 3), rows=st.integers(1, 3),
    columns=st.integers(1, 4), patch=st.integers(1, 4),
)  # fmt: skip
def test_patchify_equals_a_loop_and_unpatchify_undoes_it(
    batch: int, channels: int, rows: int, columns: int, patch: int
) -> None:
    height, width = rows * patch, columns * patch
    images = torch.randn(batch, channels, height, width)
    patches = patchify(images, patch)
    assert patches.shape == (batch, rows * columns, channels * patch * patch)
    for row in range(rows):
        for column in range(columns):
            top, left = row * patch, column * patch
            expected = images[:, :, top : top + patch, left : left + patch].flatten(1)
            assert torch.equal(patches[:, row * columns + column], expected)
    assert torch.equal(unpatchify(patches, patch, height, width), images)


def test_sizes_that_do_not_fit_are_answered_with_a_sentence() -> None:
    with pytest.raises(ValueError, match=r"5 x 4 pixels .*2 x 2"):
        patchify(torch.randn(1, 3, 5, 4), 2)
    with pytest.raises(ValueError, match="has 4 patches of side 2, got 3"):
        unpatchify(torch.randn(1, 3, 12), 2, 4, 4)
    with pytest.raises(ValueError, match="cannot form an image"):
        unpatchify(torch.randn(1, 4, 13), 2, 4, 4)
    with pytest.raises(ValueError, match="pixels cannot be cut"):
        VisionTransformer(9, 4, 3, 8, 2)
    with pytest.raises(ValueError, match=r"3, 8, 8\); got \(1, 1, 8, 8\)"):
        VisionTransformer(8, 4, 3, 8, 2)(torch.randn(1, 1, 8, 8))


def test_features_equal_those_of_transformers_vit() -> None:
    transformers = pytest.importorskip("transformers")
    config = transformers.ViTConfig(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=4, intermediate_size=24,
        image_size=8, patch_size=4, layer_norm_eps=1e-6,
    )  # fmt: skip
    theirs = transformers.ViTModel(config, add_pooling_layer=False).eval()
    for parameter in theirs.parameters():
        nn.init.normal_(parameter, std=0.3)
    ours = VisionTransformer(8, 4, 0, 16, 4, 2, 24).eval()
    their_state = theirs.state_dict()
    state = {
        "class_token": their_state["embeddings.cls_token"],
        "positions": their_state["embeddings.position_embeddings"],
        "embed.weight": their_state["embeddings.patch_embeddings.projection.weight"].flatten(1),
        "embed.bias": their_state["embeddings.patch_embeddings.projection.bias"],
        "encoder.norm.weight": their_state["layernorm.weight"],
        "encoder.norm.bias": their_state["layernorm.bias"],
    }
    for index in range(2):
        state |= layer_of_theirs(their_state, index)
    ours.load_state_dict(state)
    images = torch.randn(3, 3, 8, 8)
    expected = theirs(images).last_hidden_state
    assert_close(ours.features(images), expected)
    assert_close(ours(images), expected[:, 0])
    with torch.no_grad():  # the comparison can fail: another order within a patch is another model
        ours.embed.weight.copy_(ours.embed.weight.view(16, 3, 4, 4).transpose(2, 3).reshape(16, 48))
    assert (ours.features(images) - expected).abs().max() > 0.01


def layer_of_theirs(state: dict[str, Tensor], index: int) -> dict[str, Tensor]:
    """One layer's weights under our names; found by their ends, which outlive renamings."""
    parts = [n for n in state if f"layer.{index}." in n or f"layers.{index}." in n]

    def find(*ends: str) -> Tensor:
        (name,) = [n for n in parts if n.endswith(ends)]
        return state[name]

    ours = {}
    for kind in ("weight", "bias"):
        projections = [
            find(f"attention.{x}.{kind}", f"attention.{x[0]}_proj.{kind}")
            for x in ("query", "key", "value")
        ]
        ours |= {
            f"self_attn.in_proj_{kind}": torch.cat(projections),
            f"self_attn.out_proj.{kind}": find(
                f"attention.output.dense.{kind}", f"attention.o_proj.{kind}"
            ),
            f"linear1.{kind}": find(f"intermediate.dense.{kind}", f"fc1.{kind}"),
            f"linear2.{kind}": find(f"{index}.output.dense.{kind}", f"fc2.{kind}"),
            f"norm1.{kind}": find(f"layernorm_before.{kind}"),
            f"norm2.{kind}": find(f"layernorm_after.{kind}"),
        }
    return {f"encoder.layers.{index}.{name}": tensor for name, tensor in ours.items()}


@pytest.mark.parametrize("pooling", ["first", "mean", "max"])
def test_shapes_for_every_pooling_and_oblong_grey_images(pooling: str) -> None:
    model = VisionTransformer((8, 12), 4, 5, 16, 4, channels=1, pooling=pooling)  # type: ignore[arg-type]
    assert model(torch.randn(2, 1, 8, 12)).shape == (2, 5)
    assert model.features(torch.randn(2, 1, 8, 12)).shape == (2, 6 + (pooling == "first"), 16)


def test_it_learns_where_the_light_is() -> None:
    torch.manual_seed(0)
    data = []
    for index in range(128):
        image = 0.3 * torch.randn(1, 8, 8)
        row, column = divmod(index % 4, 2)
        image[:, 4 * row + 1 : 4 * row + 3, 4 * column + 1 : 4 * column + 3] += 2
        data.append((image, torch.tensor(index % 4)))
    model = VisionTransformer(8, 4, 4, 16, 2, channels=1)

    def loss(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        return F.cross_entropy(model(batch[0]), batch[1])

    fit(model, data, loss, steps=80, learning_rate=3e-3, device="cpu", progress=False)
    images, labels = (torch.stack(x) for x in zip(*data, strict=True))
    assert (model.eval()(images).argmax(-1) == labels).float().mean() > 0.95
