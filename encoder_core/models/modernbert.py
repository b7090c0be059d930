"""ModernBERT: BERT again, with what was learned since.

Pre-norm, no biases, rotary positions in place of learned ones, a gate in the feed-forward network
(GEGLU), and attention that sees all the text only in every third layer: the others look through a
window of 128 tokens.

Source: Warner et al. 2024, "Smarter, Better, Faster, Longer: A Modern Bidirectional Encoder",
section 2.1, table 4 (the settings) and appendix A.2 (Megatron's initialisation).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from encoder_core.attention import AttentionFunction, AttentionStrategy
from encoder_core.embeddings import TokenEmbedding
from encoder_core.feed_forward import GatedFeedForward
from encoder_core.models.bert import encode_embedded
from encoder_core.multihead import MultiheadAttention
from encoder_core.positions import Rotary

__all__ = ["ModernBert", "ModernBertConfig", "ModernBertEmbeddings", "ModernBertLayer"]


@dataclass(frozen=True)
class ModernBertConfig:
    """The settings of a `ModernBert`; the defaults are those of ModernBERT-base."""

    vocab_size: int = 50368  # V
    d_model: int = 768  # D, divisible by nhead
    nhead: int = 12  # H
    dim_feedforward: int = 1152  # F, the width of the gate
    # One entry a layer: how far a token sees to each side, or None for all the text.
    windows: tuple[int | None, ...] = tuple(64 if i % 3 else None for i in range(22))
    max_length: int = 8192  # in training; nothing breaks beyond
    padding_idx: int = 50283
    global_base: float = 160000.0  # of rotary positions, in layers that see all the text
    local_base: float = 10000.0  # in layers with a window
    activation: str = "gelu"  # of the gate
    head_activation: str = "gelu"  # of the masked-language-model head
    layer_norm_eps: float = 1e-5
    norm_bias: bool = False
    attention_bias: bool = False
    feed_forward_bias: bool = False
    head_bias: bool = False  # of the head's dense layer
    output_bias: bool = True  # of the head, for each token of the vocabulary
    embedding_dropout: float = 0.0
    attention_dropout: float = 0.0  # on the attention weights and on what attention adds
    feed_forward_dropout: float = 0.0  # on the gated product
    std: float = 0.02  # of the initial weights


def _norm(config: ModernBertConfig) -> nn.LayerNorm:
    return nn.LayerNorm(config.d_model, eps=config.layer_norm_eps, bias=config.norm_bias)


class ModernBertLayer(nn.Module):
    """One pre-norm layer: `x + attention(norm1(x))`, then `x + feed_forward(norm2(x))`.

    The first layer (`index` 0) has no `norm1`: the embeddings end with one.

    Shapes: `(B, S, D)` to `(B, S, D)`. State-dict keys: `norm1.weight` (not in the first layer),
    `self_attn.*` (see `MultiheadAttention`), `norm2.weight`, `feed_forward.linear1.weight`
    `(2F, D)`, `feed_forward.linear2.weight` `(D, F)`; biases where the settings have them.
    """

    takes_strategy = True  # see `stack`

    def __init__(self, config: ModernBertConfig, index: int) -> None:
        super().__init__()
        window = config.windows[index]
        base = config.global_base if window is None else config.local_base
        self.norm1 = nn.Identity() if index == 0 else _norm(config)
        self.self_attn = MultiheadAttention(
            config.d_model,
            config.nhead,
            config.attention_dropout,
            config.attention_bias,
            rotary=Rotary(config.d_model // config.nhead, base, pairing="half"),
            window=window,
        )
        self.dropout = nn.Dropout(config.attention_dropout)
        self.norm2 = _norm(config)
        self.feed_forward = GatedFeedForward(
            config.d_model,
            config.dim_feedforward,
            config.activation,
            dropout=0.0,
            activation_dropout=config.feed_forward_dropout,
            bias=config.feed_forward_bias,
        )

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        *,
        strategy: AttentionStrategy | None = None,
    ) -> Tensor:
        """Encode `(B, S, D)`; the arguments are those of `TransformerEncoderLayer`."""
        how: dict[str, Any] = {"attn_mask": src_mask, "key_padding_mask": src_key_padding_mask}
        if strategy is not None:  # `self_attn` may be the reader's own, and know of none
            how["strategy"] = strategy
        x = self.norm1(src)
        attended, _ = self.self_attn(x, x, x, **how)
        src = src + self.dropout(attended)
        output: Tensor = src + self.feed_forward(self.norm2(src))  # (B, S, D)
        return output


class ModernBertEmbeddings(nn.Module):
    """Token vectors, normalised, without positions and segments.

    Shapes: ids `(B, S)` to `(B, S, D)`. State-dict keys: `token.weight` `(V, D)`, `norm.weight`.
    """

    def __init__(self, config: ModernBertConfig) -> None:
        super().__init__()
        self.token = TokenEmbedding(config.vocab_size, config.d_model, config.padding_idx)
        self.norm = _norm(config)
        self.dropout = nn.Dropout(config.embedding_dropout)

    def forward(self, ids: Tensor) -> Tensor:
        """Embed ids `(B, S)`."""
        x: Tensor = self.dropout(self.norm(self.token(ids)))  # (B, S, D)
        return x


class ModernBert(nn.Module):
    """A ModernBERT: from token ids to one vector for each token. It is called as `Bert` is.

    An `attention` function gets queries and keys already turned by their positions.

    Shapes: see `forward`. State-dict keys: `embeddings.*`, `layers.0.*` and so on, `norm.weight`.

    Raises:
        ValueError: D is not divisible by H, or D / H is odd.
    """

    def __init__(
        self,
        config: ModernBertConfig,
        seed: int | None = None,
        attention: AttentionFunction | None = None,
    ) -> None:
        super().__init__()
        self.config = config
        with torch.random.fork_rng(devices=(), enabled=seed is not None):
            self.embeddings = ModernBertEmbeddings(config)
            indices = range(len(config.windows))
            self.layers = nn.ModuleList(ModernBertLayer(config, index) for index in indices)
            self.norm = _norm(config)
        self.reset_parameters(None if seed is None else torch.Generator().manual_seed(seed))
        for module in self.modules():
            if isinstance(module, MultiheadAttention):
                module.attention = attention

    @torch.no_grad()
    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw every matrix from N(0, std^2) cut at 2 std; what ends a sublayer starts smaller."""
        std, depth = self.config.std, 2 * max(len(self.layers), 1)
        for name, parameter in self.named_parameters():
            ends = name.endswith(("out_proj.weight", "linear2.weight"))
            spread = std / depth**0.5 if ends else std
            if parameter.dim() > 1:
                nn.init.trunc_normal_(
                    parameter, std=spread, a=-2 * spread, b=2 * spread, generator=generator
                )
            elif "norm" in name and name.endswith("weight"):
                nn.init.ones_(parameter)
            else:
                nn.init.zeros_(parameter)
        self.embeddings.token.weight[self.config.padding_idx].zero_()

    def forward(
        self,
        ids: Tensor,
        type_ids: Tensor | None = None,
        padding_mask: Tensor | None = None,
        mask: Tensor | None = None,
        *,
        packed: bool | None = None,
    ) -> Tensor:
        """Encode ids `(B, S)` to normalised hidden states `(B, S, D)`; see `Bert.forward`.

        Raises:
            ValueError: `type_ids` given, since this family has no segments; an invalid mask.
        """
        if type_ids is not None:
            raise ValueError("type_ids came, but ModernBERT has no segments.")
        return self.encode(self.embeddings(ids), padding_mask, mask, packed=packed)

    def encode(
        self,
        x: Tensor,
        padding_mask: Tensor | None = None,
        mask: Tensor | None = None,
        *,
        packed: bool | None = None,
    ) -> Tensor:
        """Send embedded tokens `(B, S, D)` through the layers; see `forward`."""
        return encode_embedded(self.layers, x, padding_mask, mask, norm=self.norm, packed=packed)
