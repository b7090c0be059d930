"""Recording, ablating and patching: on every path, and gone without a trace afterwards."""

from __future__ import annotations

import pytest
import torch
import transformers as T
from torch import Tensor, nn
from torch.nn.modules.module import _global_forward_hooks, _global_forward_pre_hooks

from encoder_core.attention import fused_attention, scaled_dot_product_attention
from encoder_core.encoder import TransformerEncoder, TransformerEncoderLayer
from encoder_core.inspect import recording as R
from encoder_core.masks import padding_mask
from encoder_core.models.bert import Bert, BertConfig
from encoder_core.multihead import MultiheadAttention
from encoder_core.pretrained.minilm import load_minilm, minilm_folder
from tests.close import assert_close

CONFIG = BertConfig(vocab_size=99, d_model=32, nhead=4, num_layers=3, dim_feedforward=37)
IDS = torch.arange(1, 15).reshape(2, 7)
PADDING = padding_mask(torch.tensor([7, 4]))


@pytest.fixture
def model() -> Bert:
    return Bert(CONFIG, seed=0).eval()


def test_minilms_attention_and_states_equal_those_of_transformers() -> None:
    model, tokenizer = load_minilm()
    theirs = T.BertModel.from_pretrained(minilm_folder(), attn_implementation="eager").eval()
    batch = tokenizer.batch(["the bank of the river", "money in the bank, and some more"])
    with torch.no_grad(), R.record(model) as recording:
        model(batch.ids, batch.type_ids, batch.padding_mask)
        expected = theirs(
            batch.ids,
            (~batch.padding_mask).long(),
            batch.type_ids,
            output_attentions=True,
            output_hidden_states=True,
        )
    assert len(recording.attention) == 6
    assert len(recording.hidden_states) == 7
    real = ~batch.padding_mask
    for ours, other in zip(recording.attention, expected.attentions, strict=True):
        both = real[:, None, :, None].expand_as(ours)
        assert_close(ours[both], other[both])
    for ours, other in zip(recording.hidden_states, expected.hidden_states, strict=True):
        assert_close(ours[real], other[real])


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("mode", [torch.no_grad, torch.enable_grad, torch.inference_mode])
@pytest.mark.parametrize("function", [None, scaled_dot_product_attention])
@pytest.mark.parametrize("packed", [False, True])
def test_case_11_every_layer_is_seen_on_every_path(
    model: Bert, training: bool, mode: type[torch.no_grad], function: object, packed: bool
) -> None:
    with mode(), R.attention_function(model, function), R.record(model) as recording:  # type: ignore[arg-type]
        hidden = model.train(training)(IDS, None, PADDING, packed=packed)
    assert recording.names == [f"layers.{i}.self_attn" for i in range(3)]
    assert [tuple(w.shape) for w in recording.attention] == [(2, 4, 7, 7)] * 3
    assert [tuple(h.shape) for h in recording.heads] == [(2, 4, 7, 8)] * 3
    assert [tuple(h.shape) for h in recording.hidden_states] == [(2, 7, 32)] * 4
    assert torch.equal(recording.hidden_states[-1][~PADDING], hidden[~PADDING])
    for weights in recording.attention:
        real = (~PADDING)[:, None, :].expand(2, 4, 7)
        assert_close(weights.sum(-1)[real], torch.ones(int(real.sum())))
        assert not weights[1, :, :, 4:].any()


def test_the_encoder_of_torchs_kind_is_recorded_too() -> None:
    layer = TransformerEncoderLayer(8, 2, 16, norm_first=True)
    encoder = TransformerEncoder(layer, 3, nn.LayerNorm(8)).eval()
    x = torch.randn(2, 5, 8)
    with R.record(encoder) as recording:
        output = encoder(x)
    assert len(recording.attention) == 3
    assert recording.hidden_states[0] is x
    assert_close(encoder.norm(recording.hidden_states[-1]), output)


def test_a_recorded_call_gives_the_same_numbers_and_the_next_one_too(model: Bert) -> None:
    before = model(IDS, None, PADDING)
    with R.record(model):
        recorded = model(IDS, None, PADDING)
    assert_close(recorded, before)
    assert torch.equal(model(IDS, None, PADDING), before)


def test_when_off_nothing_is_left_behind_and_no_weights_are_built(
    model: Bert, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hooks() -> list[object]:
        kept: list[object] = [*_global_forward_hooks.values(), *_global_forward_pre_hooks.values()]
        for module in model.modules():
            kept += [*module._forward_hooks.values(), *module._forward_pre_hooks.values()]
            if isinstance(module, MultiheadAttention):
                kept += [*module.watchers, *module.changes, *module.functions]
                kept += [] if module.attention is None else [module.attention]
        return kept

    assert hooks() == []
    with (
        R.record(model, shapes=True),
        R.ablate(model, [(0, 0)]),
        R.attention_function(model, scaled_dot_product_attention),
    ):
        assert len(hooks()) == 1 + 3 + 1 + 3  # one hook for all, watchers, a change, functions
    assert hooks() == []
    with pytest.raises(IndexError), R.record(model), R.ablate(model, [(1, 1)]):
        model(torch.tensor([[1000]]))
    assert hooks() == []
    monkeypatch.setattr("encoder_core.attention.scaled_dot_product_attention", None)
    model(IDS)


def test_the_last_call_is_kept_and_shapes_where_asked(model: Bert) -> None:
    with R.record(model, shapes=True) as recording:
        model(IDS)
        model(IDS[:1, :3])
    assert [tuple(w.shape) for w in recording.attention] == [(1, 4, 3, 3)] * 3
    shapes = {name: (came, left) for name, came, left in recording.shapes}
    assert shapes["embeddings.token"] == ((1, 3), (1, 3, 32))
    assert shapes["layers.1.linear1"] == ((1, 3, 32), (1, 3, 37))
    assert shapes[""] == ((1, 3), (1, 3, 32))
    assert shapes["layers.2.self_attn"] == ((1, 3, 32), (1, 3, 32))


def test_parts_of_a_model_called_by_themselves_are_recorded_call_by_call(model: Bert) -> None:
    x = model.embeddings(IDS)
    with R.record(model) as recording:
        for rows in (2, 1):
            hidden = model.encode(x[:rows])
    assert [tuple(weights.shape) for weights in recording.attention] == [(1, 4, 7, 7)] * 3
    assert torch.equal(recording.hidden_states[-1], hidden)
    assert len(recording.hidden_states) == 4


def test_one_layer_used_three_times_is_recorded_three_times(model: Bert) -> None:
    model.layers[1] = model.layers[2] = model.layers[0]
    with R.record(model) as recording:
        for _ in range(2):
            model(IDS)
    assert recording.names == ["layers.0.self_attn"] * 3
    assert len(recording.hidden_states) == 4


def test_a_decoder_that_writes_token_by_token_is_recorded_step_by_step() -> None:
    from encoder_core.cache import KeyValueCache
    from encoder_core.decoder import TransformerDecoder, TransformerDecoderLayer

    decoder = TransformerDecoder(TransformerDecoderLayer(8, 2, 16), 2).eval()
    cache, memory = KeyValueCache.empty(2), torch.randn(1, 5, 8)
    with R.record(decoder, shapes=True) as recording:
        for _ in range(3):
            recording.shapes.clear()
            last = decoder.step(torch.randn(1, 1, 8), memory, cache)
    names = ["self_attn", "multihead_attn"]
    assert recording.names == [f"layers.{layer}.{name}" for layer in (0, 1) for name in names]
    assert [weights.shape[-1] for weights in recording.attention] == [3, 5, 3, 5]
    assert [tuple(state.shape) for state in recording.hidden_states] == [(1, 1, 8)] * 3
    assert torch.equal(recording.hidden_states[-1], last)
    assert ("layers.1", (1, 1, 8), (1, 1, 8)) in recording.shapes


def test_recorded_weights_carry_gradients(model: Bert) -> None:
    with R.record(model) as recording:
        model(IDS)
    (gradient,) = torch.autograd.grad(
        recording.attention[2].square().sum(), model.embeddings.token.weight
    )
    assert gradient.any()


def test_recordings_of_one_model_can_stand_inside_of_one_another(model: Bert) -> None:
    with R.record(model) as outer:
        with R.record(model) as inner:
            model(IDS)
        assert all(map(torch.equal, outer.attention, inner.attention))
        model(IDS[:1])
    assert inner.attention[0].shape[0] == 2
    assert outer.attention[0].shape[0] == 1


def test_ablating_a_head_takes_its_share_of_the_output_projection_away(model: Bert) -> None:
    attention = model.layers[1].self_attn
    x = torch.randn(2, 5, 32)
    with R.record(model), R.record(attention) as recording:
        whole, _ = attention(x, x, x)
    share = recording.heads[0][:, 2] @ attention.out_proj.weight[:, 16:24].T
    with R.ablate(model, {(1, 2)}):
        assert_close(attention(x, x, x)[0], whole - share)
    assert_close(attention(x, x, x)[0], whole)


@pytest.mark.parametrize("function", [None, scaled_dot_product_attention, fused_attention])
def test_ablation_holds_in_training_with_dropout_and_any_function(
    model: Bert, function: object
) -> None:
    every = {(layer, head) for layer in range(3) for head in range(4)}
    seen: list[Tensor] = []
    for layer in model.layers:
        layer.self_attn.out_proj.register_forward_hook(lambda m, i, o: seen.append(i[0]))
    model.train()
    if function is fused_attention:
        model.eval()  # without weights it cannot drop any
    with R.attention_function(model, function), R.ablate(model, every):  # type: ignore[arg-type]
        model(IDS)
    assert len(seen) == 3
    assert not any(heads.any() for heads in seen)


def test_patching_a_head_brings_another_calls_output_in(model: Bert) -> None:
    other = IDS.flip(1)
    with R.record(model) as there:
        model(other)
    heads = {(layer, head): there.heads[layer][:, head] for layer in range(3) for head in range(4)}
    with R.record(model) as recording, R.patch(model, {(0, 1): heads[0, 1]}):
        patched = model(IDS)
    assert not torch.allclose(patched, model(IDS))
    with R.patch(model, {(0, 1): recording.heads[0][:, 1]}):
        assert_close(model(IDS), model(IDS))
    x = model.embeddings(other)
    with R.patch(model, heads):  # with every head from there, only the residual stream is its own
        assert_close(model.encode(x), model(other))


def test_what_is_not_there_is_said_in_a_sentence(model: Bert) -> None:
    for heads in ([(3, 0)], [(0, 4)], [(-1, 0)]):
        with pytest.raises(ValueError, match="has 3 layers of 4 heads, both counted from 0"):
            R.ablate(model, heads).__enter__()
    with pytest.raises(ValueError, match=r"no encoder_core\.MultiheadAttention to record"):
        R.record(nn.Linear(2, 2)).__enter__()
    with (
        pytest.raises(TypeError, match="must return"),
        R.attention_function(model, fused_attention),
        R.record(model),
    ):
        model(IDS)
