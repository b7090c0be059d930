"""The writers that benchmarks/generation.py compares: `EncoderDecoder` and transformers' `MarianMTModel`.

Both have the same weights. Where Marian's conventions differ from `EncoderDecoder`'s defaults, ours
follow: a text begins with the padding token, positions are a table (of sines, then cosines), vectors are
multiplied by sqrt(D) (`scale_embedding`), layers are post-norm. `final_logits_bias` is zero here, and no
end token is forced.

The beam searches differ in two ways. Marian's divides a log-probability by `length ** length_penalty`,
ours by `((5 + length) / 6) ** length_penalty`; and where a hypothesis ends, Marian's lets the next
likeliest take its place in the beam at once. Without a penalty both find the same text: what took the
place of a hypothesis is less likely than that one, and becomes no likelier. So `length_penalty` is 0
here, and `early_stopping="never"` makes Marian's search stop when none can win any more, as ours does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from encoder_core.generation.generate import generate_beam, generate_greedy
from encoder_core.models.encoder_decoder import EncoderDecoder

PAD, EOS = 0, 2  # Marian writes after the padding token


@dataclass(frozen=True)
class Size:
    """V, D, H, F, and the layers of each side."""

    vocab_size: int
    d_model: int
    nhead: int
    dim_feedforward: int
    num_layers: int
    max_length: int = 128


def marian(size: Size, **more: Any) -> Any:
    """Make transformers' model with fresh weights, in eval mode."""
    from transformers import MarianConfig, MarianMTModel

    config = MarianConfig(
        vocab_size=size.vocab_size, d_model=size.d_model,
        encoder_layers=size.num_layers, decoder_layers=size.num_layers,
        encoder_attention_heads=size.nhead, decoder_attention_heads=size.nhead,
        encoder_ffn_dim=size.dim_feedforward, decoder_ffn_dim=size.dim_feedforward,
        max_position_embeddings=size.max_length, activation_function="gelu", scale_embedding=True,
        pad_token_id=PAD, eos_token_id=EOS, decoder_start_token_id=PAD, forced_eos_token_id=None,
        **more,
    )  # fmt: skip
    return MarianMTModel(config).eval()


def ours(size: Size, theirs: nn.Module) -> EncoderDecoder:
    """Make our model with the weights of a Marian model, in eval mode."""
    model = EncoderDecoder(
        size.vocab_size, size.d_model, size.nhead, size.num_layers, size.num_layers,
        size.dim_feedforward, padding_idx=PAD, activation="gelu", norm_first=False,
        max_length=size.max_length, positions="learned",
    )  # fmt: skip
    model.load_state_dict(renamed(theirs.state_dict(), size.num_layers))
    return model.to(theirs.lm_head.weight.dtype).eval()


def renamed(weights: dict[str, Tensor], num_layers: int) -> dict[str, Tensor]:
    """Give Marian's weights our names; queries, keys and values are stacked."""
    found = {
        "embedding.weight": weights["model.shared.weight"],
        "positions.weight": weights["model.encoder.embed_positions.weight"],
    }
    norms = {
        "encoder": ("self_attn_layer_norm", "final_layer_norm"),
        "decoder": ("self_attn_layer_norm", "encoder_attn_layer_norm", "final_layer_norm"),
    }
    attentions = {"encoder": {"self_attn": "self_attn"}}
    attentions["decoder"] = {**attentions["encoder"], "multihead_attn": "encoder_attn"}
    for side in ("encoder", "decoder"):
        for number in range(num_layers):
            here, there = f"{side}.layers.{number}", f"model.{side}.layers.{number}"
            for kind in ("weight", "bias"):
                for mine, theirs in attentions[side].items():
                    parts = [weights[f"{there}.{theirs}.{x}_proj.{kind}"] for x in "qkv"]
                    found[f"{here}.{mine}.in_proj_{kind}"] = torch.cat(parts)
                    found[f"{here}.{mine}.out_proj.{kind}"] = weights[
                        f"{there}.{theirs}.out_proj.{kind}"
                    ]
                for mine, theirs in (("linear1", "fc1"), ("linear2", "fc2")):
                    found[f"{here}.{mine}.{kind}"] = weights[f"{there}.{theirs}.{kind}"]
                for place, theirs in enumerate(norms[side], 1):
                    found[f"{here}.norm{place}.{kind}"] = weights[f"{there}.{theirs}.{kind}"]
    return found


def written_by_marian(model: Any, source: Tensor, beam: int, length: int) -> list[list[int]]:
    """Write with transformers' `generate`; the ids before the end token."""
    of_the_beam = {"length_penalty": 0.0, "early_stopping": "never"} if beam > 1 else {}
    rows = model.generate(
        input_ids=source, attention_mask=(source != PAD).long(), num_beams=beam, do_sample=False,
        max_new_tokens=length, **of_the_beam,
    )  # fmt: skip
    texts = [row[1 : 1 + length] for row in rows.tolist()]
    return [text[: text.index(EOS)] if EOS in text else text for text in texts]


def written_by_ours(
    model: EncoderDecoder, source: Tensor, beam: int, length: int
) -> list[list[int]]:
    """Write with `generate_greedy`, or `generate_beam` where the beam is wider than one."""
    if beam == 1:
        return generate_greedy(model, source, PAD, EOS, length)
    return generate_beam(model, source, PAD, EOS, beam, length, 0.0)
