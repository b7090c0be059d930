"""Encoders of text built by name, pooling and classifiers."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from encoder_core.activations import activation_function
from encoder_core.decoder import TransformerDecoderLayer
from encoder_core.masks import additive_mask, causal_mask
from encoder_core.models.bert import Bert, BertConfig
from encoder_core.models.classification import SequenceClassifier, TokenClassifier
from encoder_core.models.encoder_decoder import EncoderDecoder
from encoder_core.models.masked_lm import MaskedLM
from encoder_core.models.modernbert import ModernBert, ModernBertConfig
from encoder_core.models.pooling import first_token, masked_max, masked_mean, pooling_function
from encoder_core.models.speech import SpeechEncoder
from encoder_core.models.text_encoder import TextEncoder, fresh_encoder
from encoder_core.models.vision import VisionTransformer
from encoder_core.positions import alibi_bias
from encoder_core.relative import T5Bias
from encoder_core.training.loop import fit
from tests.close import assert_close

POSITIONS = ("sinusoidal", "learned", "none", "rotary", "alibi", "relative", "t5")
MODELS = {
    "text": lambda **o: TextEncoder(20, 8, 2, 3, **o),
    "translation": lambda **o: EncoderDecoder(20, 8, 2, 3, 3, **o),
    "vision": lambda: VisionTransformer(8, 4, 3, 8, 2, 3),
    "speech": lambda: SpeechEncoder(10, 8, 2, 3),
}


@pytest.mark.parametrize("name", list(MODELS))
def test_case_08_every_model_built_by_name_initialises_each_layer_afresh(name: str) -> None:
    model = MODELS[name]()
    stacks = [m for m in model.modules() if isinstance(m, nn.ModuleList) and len(m) == 3]
    assert stacks
    for stack in stacks:
        for part in ("linear1.weight", "linear2.weight", "self_attn.in_proj_weight"):
            weights = [layer.get_parameter(part) for layer in stack]
            assert not torch.equal(weights[0], weights[1])
            assert not torch.equal(weights[1], weights[2])


@pytest.mark.parametrize("name", ["text", "translation"])
def test_case_09_no_model_normalises_twice(name: str) -> None:
    for norm_first in (True, False):
        model = MODELS[name](norm_first=norm_first)
        for stack in [m for m in (model.encoder, getattr(model, "decoder", None)) if m]:
            assert (stack.norm is not None) == norm_first
    assert isinstance(fresh_encoder(1, 8, 2, 16).norm, nn.LayerNorm)


@pytest.mark.parametrize("positions", [*POSITIONS, "sinusoidal+relative"])
@pytest.mark.parametrize("norm_first", [True, False])
def test_case_16_padding_does_not_change_real_tokens(positions: str, norm_first: bool) -> None:
    model = TextEncoder(20, 8, 2, 2, positions=positions, norm_first=norm_first).double().eval()
    ids = torch.tensor([[5, 6, 7], [8, 9, 10]])
    padded = F.pad(ids, (0, 4))
    expected = model(ids)
    assert_close(model(padded)[:, :3], expected)
    noise = padded.masked_fill(padded == 0, 3)
    assert_close(model(noise, padding_mask=padded == 0)[:, :3], expected)


@pytest.mark.parametrize("kind", POSITIONS)
def test_only_positions_tell_an_encoder_the_order(kind: str) -> None:
    ids, order = torch.tensor([[5, 6, 7, 8]]), torch.tensor([2, 0, 3, 1])
    model = TextEncoder(20, 8, 2, 2, positions=kind, padding_idx=None).double().eval()
    for layer in model.encoder.layers if kind == "t5" else ():  # which starts without an order
        nn.init.normal_(layer.self_attn.position_bias.table)
    difference = (model(ids[:, order]) - model(ids)[:, order]).abs().max().item()
    assert (difference < 1e-9) == (kind == "none")


def test_unknown_positions_are_refused() -> None:
    for wrong in ("rotatory", "", "none+relative", "relative+"):
        with pytest.raises(ValueError, match="sinusoidal, learned, none, rotary, alibi, relative"):
            TextEncoder(20, 8, 2, 2, positions=wrong)
    with pytest.raises(ValueError, match=r"joins two of one sort: .*'alibi', 'relative'"):
        TextEncoder(20, 8, 2, 2, positions="alibi+relative")


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("kind", [*POSITIONS, "rotary+alibi"])
def test_text_encoders_take_a_mask_beside_the_padding(kind: str, packed: bool) -> None:
    model = TextEncoder(20, 8, 2, 2, positions=kind).double().eval()
    ids, changed = (
        torch.tensor([[5, 6, 7, 8], [9, 4, 0, 0]]),
        torch.tensor([[5, 6, 7, 3], [9, 4, 0, 0]]),
    )
    future = causal_mask(4)
    hidden = model(ids, None, future, packed=packed)
    assert_close(
        hidden[ids != 0], model(ids, ids == 0, additive_mask(future, torch.float64))[ids != 0]
    )
    assert_close(model(changed, mask=future, packed=packed)[0, :3], hidden[0, :3])
    assert_close(model(ids[:, :2], mask=future[:2, :2])[0], hidden[0, :2])
    assert not torch.allclose(model(ids, packed=packed)[0, :3], hidden[0, :3])


def test_only_the_chosen_positions_are_built() -> None:
    torch.manual_seed(3)
    short = TextEncoder(20, 8, 2, 2, max_length=4)
    torch.manual_seed(3)
    assert_close(short.state_dict(), TextEncoder(20, 8, 2, 2, max_length=512).state_dict())
    for kind in ("sinusoidal", "none", "rotary", "alibi"):
        assert [*TextEncoder(20, 8, 2, 2, positions=kind).state_dict()] == [*short.state_dict()]
    relative = TextEncoder(20, 8, 2, 2, positions="relative").encoder.layers
    tables = [layer.get_parameter("self_attn.position_bias.table") for layer in relative]
    assert tables[0] is not tables[1]
    assert torch.equal(relative[0].self_attn.position_bias(5, 5), alibi_bias(2, 5))


def test_learned_positions_of_a_size_go_with_scaled_tokens() -> None:
    bert = TextEncoder(20, 64, 2, 1, positions="learned").embedding
    large = TextEncoder(20, 64, 2, 1, positions="learned", position_std=0.5).embedding
    assert (bert.token.factor, large.token.factor) == (1.0, 8.0)
    for embedding, std in ((bert, 0.02), (large, 0.5)):
        spread = embedding.positions.weight.std().item()
        assert 0.95 * std < spread < 1.05 * std  # 32,768 draws: 0.4 % standard error


@given(seed=st.integers(0, 99), lengths=st.lists(st.integers(0, 6), min_size=1, max_size=4))
def test_poolings_equal_those_of_each_text_alone(seed: int, lengths: list[int]) -> None:
    torch.manual_seed(seed)
    hidden = torch.randn(len(lengths), 6, 5, dtype=torch.float64)
    padding = torch.arange(6) >= torch.tensor(lengths)[:, None]
    hidden[padding] = torch.nan  # what is padding must not be touched at all
    mean, highest = masked_mean(hidden, padding), masked_max(hidden, padding)
    for row, length in enumerate(lengths):
        real = hidden[row, :length]
        zeros = torch.zeros(5, dtype=torch.float64)
        assert_close(mean[row], real.mean(0) if length else zeros)
        assert_close(highest[row], real.amax(0) if length else zeros)


def test_poolings_without_padding_and_by_name() -> None:
    hidden = torch.randn(2, 3, 4)
    none = torch.zeros(2, 3, dtype=torch.bool)
    assert_close(masked_mean(hidden), masked_mean(hidden, none))
    assert_close(masked_max(hidden), masked_max(hidden, none))
    assert torch.equal(first_token(hidden, none), hidden[:, 0])
    with pytest.raises(ValueError, match="mean, first, max; got 'last'"):
        pooling_function("last")  # type: ignore[arg-type]
    half = torch.randn(2, 3, 4, dtype=torch.bfloat16)
    assert masked_mean(half, none).dtype == torch.bfloat16


def test_the_mean_of_a_long_text_in_half_precision_is_finite() -> None:
    hidden = torch.full((1, 8192, 2), 20.0, dtype=torch.float16)  # the sum is above 65504
    padding = torch.arange(8192)[None] >= 8000
    assert_close(masked_mean(hidden, padding), hidden[:, 0])


def test_poolings_refuse_masks_that_are_none() -> None:
    hidden, kept = torch.randn(2, 3, 4), torch.tensor([[1, 1, 0], [1, 0, 0]])
    for pool in (masked_mean, masked_max):
        for wrong in (kept, kept.float(), (kept == 0)[:, :2]):
            with pytest.raises(ValueError, match=r"must be bool, \(2, 3\).*mask == 0"):
                pool(hidden, wrong)


def test_pooling_gradients_are_finite_for_rows_of_padding() -> None:
    hidden = torch.randn(2, 3, 4, requires_grad=True)
    padding = torch.tensor([[True] * 3, [False, True, True]])
    (masked_mean(hidden, padding).sum() + masked_max(hidden, padding).sum()).backward()
    assert hidden.grad is not None
    expected = torch.zeros(2, 3, 4)
    expected[1, 0] = 2.0
    assert_close(hidden.grad, expected)


@pytest.mark.parametrize("pooling", ["mean", "first", "max"])
def test_classifier_ignores_padding_and_composes_its_parts(pooling: str) -> None:
    model = SequenceClassifier(TextEncoder(20, 8, 2, 2), 8, 3, pooling).double().eval()  # type: ignore[arg-type]
    ids = torch.tensor([[5, 6, 7], [8, 9, 10]])
    logits = model(ids)
    assert logits.shape == (2, 3)
    assert_close(model(F.pad(ids, (0, 2))), logits)
    pooled = pooling_function(pooling)(model.encoder(ids), None)  # type: ignore[arg-type]
    assert_close(logits, model.classifier(pooled))


def test_token_classifier_labels_every_token() -> None:
    model = TokenClassifier(TextEncoder(20, 8, 2, 2), 8, 3).double().eval()
    ids = torch.tensor([[5, 6, 7]])
    assert_close(model(ids), model.classifier(model.encoder(ids)))
    assert_close(model(F.pad(ids, (0, 2)))[:, :3], model(ids))


def test_classifiers_take_another_encoder_and_pass_on_what_it_needs() -> None:
    class Other(nn.Module):
        def forward(self, ids: Tensor, padding_mask: Tensor | None, type_ids: Tensor) -> Tensor:
            return torch.stack((ids, type_ids), dim=-1).float()  # (B, S, 2)

    model = SequenceClassifier(Other(), 2, 4, "mean", dropout=0.0)
    ids, types = torch.tensor([[2, 4]]), torch.tensor([[0, 1]])
    expected = model.classifier(torch.tensor([[3.0, 0.5]]))
    assert_close(model(ids, type_ids=types), expected)


def test_a_classifier_learns_what_only_order_tells() -> None:
    """Is the 5 before the 6? Words alone cannot tell."""
    torch.manual_seed(0)
    data = []
    for index in range(200):
        ids = torch.randint(7, 20, (6,))
        first, second = sorted(torch.randperm(6)[:2].tolist())
        ids[first], ids[second] = (5, 6) if index % 2 else (6, 5)
        data.append((ids, torch.tensor(index % 2)))
    model = SequenceClassifier(TextEncoder(20, 16, 2, 2, dropout=0.0), 16, 2)

    def loss(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        return F.cross_entropy(model(batch[0]), batch[1])

    fit(model, data, loss, epochs=25, learning_rate=3e-3, device="cpu", progress=False)
    model.eval()
    right = sum(int(model(ids[None]).argmax() == label) for ids, label in data)
    assert right >= 195


@pytest.mark.parametrize("norm_first", [True, False])
@pytest.mark.parametrize("kind", [*POSITIONS, "sinusoidal+relative"])
def test_an_encoder_decoder_writes_step_by_step_with_any_positions(
    kind: str, norm_first: bool
) -> None:
    model = EncoderDecoder(20, 8, 2, positions=kind, norm_first=norm_first).double().eval()
    for name, parameter in model.named_parameters():
        if name.endswith("table"):
            nn.init.normal_(parameter)
    source, target = (
        torch.tensor([[5, 6, 7], [8, 9, 0]]),
        torch.tensor([[1, 7, 8, 9], [1, 4, 4, 3]]),
    )
    whole = model(source, target)
    memory, padding_mask = model.encode(source)
    cache = model.empty_cache()
    steps = [
        model.step(part, memory, padding_mask, cache) for part in target.split((1, 2, 1), dim=1)
    ]
    assert_close(torch.cat(steps, dim=1), whole)
    assert_close(model(F.pad(source, (0, 2)), target), whole)


def test_a_decoder_biases_its_self_attention_alone() -> None:
    decoder = EncoderDecoder(20, 8, 2, positions="t5").decoder
    for layer in decoder.layers:
        assert isinstance(layer, TransformerDecoderLayer)
        assert isinstance(layer.self_attn.position_bias, T5Bias)
        assert not layer.self_attn.position_bias.bidirectional
        assert layer.multihead_attn.position_bias is None


def test_both_sides_of_an_encoder_decoder_use_gelu_by_default() -> None:
    model, other = EncoderDecoder(20, 8, 2), EncoderDecoder(20, 8, 2, activation="relu")
    for layer in (*model.encoder.layers, *model.decoder.layers):
        assert layer.activation is activation_function("gelu")
    for layer in (*other.encoder.layers, *other.decoder.layers):
        assert layer.activation is activation_function("relu")


@pytest.mark.parametrize("kind", POSITIONS)
def test_images_and_sounds_take_any_positions(kind: str) -> None:
    vision = VisionTransformer(8, 4, 0, 8, 2, positions=kind, pooling="mean").double().eval()
    speech = SpeechEncoder(10, 8, 2, positions=kind).eval()
    for name, parameter in [*vision.named_parameters(), *speech.named_parameters()]:
        if name.endswith("table"):
            nn.init.normal_(parameter)
    image = torch.randn(2, 3, 8, 8, dtype=torch.float64)
    swapped = torch.cat((image[:, :, 4:], image[:, :, :4]), dim=2)  # rows of patches
    gap = (vision(image) - vision(swapped)).abs().max()
    assert (gap < 1e-9) == (kind == "none")
    signal, samples = 0.1 * torch.randn(2, 4000), torch.tensor([4000, 2100])
    logits, lengths = speech(signal, samples)
    alone, _ = speech(signal[1:, :2100])
    assert_close(logits[1, : lengths[1]], alone[0], terms=4096)


def test_learned_positions_of_images_keep_their_key_and_take_a_size() -> None:
    for std in (0.5, 0.02):
        model = VisionTransformer(32, 2, 0, 64, 2, 0, position_std=std)
        spread = model.state_dict()["positions"].std().item()
        assert 0.95 * std < spread < 1.05 * std  # 16,448 draws: 0.6 % standard error
    assert model.state_dict()["positions"].shape == (1, 257, 64)
    spread = VisionTransformer(32, 2, 0, 64, 2, 0).state_dict()["positions"].std().item()
    assert 0.45 < spread < 0.55


class Tiny(nn.Module):
    """An encoder of the reader's own: a table by another name, and padding alone."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(20, 8)

    def forward(self, ids: Tensor, padding_mask: Tensor | None = None) -> Tensor:
        hidden: Tensor = self.table(ids)
        return hidden if padding_mask is None else hidden.masked_fill(padding_mask[..., None], 0)


ENCODERS = {
    "text": lambda: TextEncoder(20, 8, 2, 2, positions="relative"),
    "bert": lambda: Bert(BertConfig(20, 8, 2, 2, 16), seed=0),
    "modernbert": lambda: ModernBert(
        ModernBertConfig(20, 8, 2, 16, (None,), padding_idx=0), seed=0
    ),
    "own": Tiny,
}


@pytest.mark.parametrize("kind", ENCODERS)
def test_blanks_are_filled_by_any_encoder_with_a_token_table(kind: str) -> None:
    encoder = ENCODERS[kind]()
    table = encoder.table if isinstance(encoder, Tiny) else None
    model = MaskedLM(encoder, table).double().eval()
    ids = torch.tensor([[5, 6, 7, 8], [9, 4, 0, 0]])
    padding, where = (
        ids == 0,
        torch.tensor([[True, False, True, False], [False, True, False, False]]),
    )
    logits = model(ids, padding_mask=padding)
    assert logits.shape == (2, 4, 20)
    assert_close(model(ids, padding_mask=padding, where=where), logits[where])
    assert_close(logits, model.head(model.encoder(ids, padding_mask=padding)))
    loss = F.cross_entropy(model(ids, padding_mask=padding, where=where), ids[where])
    loss.backward()
    tables = [m for m in model.modules() if isinstance(m, nn.Embedding) and len(m.weight) == 20]
    assert tables[0].weight.grad is not None
    assert tables[0].weight.grad[1:].all(dim=1).any()  # words not in the text too: it is shared


def test_the_head_of_a_text_encoder_is_tied_and_takes_a_mask() -> None:
    model = MaskedLM(TextEncoder(20, 8, 2, 2)).eval()
    assert sum(p.shape == (20, 8) for p in model.parameters()) == 1
    ids, future = torch.tensor([[5, 6, 7, 8]]), causal_mask(4)
    assert_close(model(ids, mask=future), model.head(model.encoder(ids, mask=future)))
    with pytest.raises(TypeError, match=r"Tiny has no token table.*embedding=\.\.\."):
        MaskedLM(Tiny())
