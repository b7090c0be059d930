"""The original Transformer, encoder and decoder.

Source: Vaswani et al. 2017, "Attention Is All You Need", section 3 and figure 1.
"""

from __future__ import annotations

from torch import Tensor, nn

from encoder_core.activations import Activation
from encoder_core.cache import KeyValueCache
from encoder_core.decoder import TransformerDecoder, TransformerDecoderLayer
from encoder_core.embeddings import TokenEmbedding
from encoder_core.encoder import TransformerEncoderLayer
from encoder_core.models.fresh import LayerMaker, fresh_encoder
from encoder_core.models.position_choice import read_positions
from encoder_core.tied import TiedProjection

__all__ = ["EncoderDecoder"]


class EncoderDecoder(nn.Module):
    """Map a source sequence to a target: ids `(B, S)` and `(B, T)` to logits `(B, T, V)`.

    Both embeddings and the output projection share one table (section 3.4). Each layer has its own
    random weights.

    Args:
        dim_feedforward: F; 4 D by default.
        max_length: rows of the table of learned positions.
        positions: see `position_choice`, on both sides; in the decoder its self-attention alone
            turns or biases, since a distance between source and target means little.
        position_std: of learned positions at the start.
        activation: see `fresh_encoder`; the decoder's is GELU by default.
        norm_first: pre-norm, which trains without warm-up, or the original post-norm.
        layer: makes a layer of the encoder; see `fresh_encoder`.

    Raises:
        ValueError: an unknown kind of positions or activation, or H does not divide D.

    >>> import torch
    >>> model = EncoderDecoder(vocab_size=20, d_model=8, nhead=2)
    >>> model(torch.tensor([[5, 6, 2]]), torch.tensor([[1, 7, 8, 9]])).shape
    torch.Size([1, 4, 20])
    """

    def __init__(
        self,
        vocab_size: int,
        d_model: int,
        nhead: int,
        num_encoder_layers: int = 2,
        num_decoder_layers: int = 2,
        dim_feedforward: int | None = None,
        *,
        padding_idx: int = 0,
        dropout: float = 0.1,
        activation: str | Activation | None = None,
        norm_first: bool = True,
        max_length: int = 512,
        positions: str = "sinusoidal",
        position_std: float = 0.5,
        layer: LayerMaker = TransformerEncoderLayer,
    ) -> None:
        super().__init__()
        width, choice = dim_feedforward or 4 * d_model, read_positions(positions)
        self.padding_idx, self.num_decoder_layers = padding_idx, num_decoder_layers
        self.embedding = TokenEmbedding(vocab_size, d_model, padding_idx, scale=True)
        self.positions = choice.make_added(d_model, max_length, position_std)
        self.dropout = nn.Dropout(dropout)
        self.encoder = fresh_encoder(
            num_encoder_layers, d_model, nhead, width, dropout, activation, norm_first,
            positions=positions, layer=layer,
        )  # fmt: skip
        layers = [
            TransformerDecoderLayer(
                d_model, nhead, width, dropout, activation or "gelu", norm_first=norm_first
            )
            for _ in range(num_decoder_layers)
        ]
        for made in layers:
            made.self_attn.rotary = choice.make_rotary(d_model // nhead)
            made.self_attn.position_bias = choice.make_bias(nhead, causal=True)
        norm = nn.LayerNorm(d_model) if norm_first else None
        self.decoder = TransformerDecoder.from_layers(layers, norm)
        self.project = TiedProjection(self.embedding, bias=False)

    def _embed(self, ids: Tensor, offset: int = 0) -> Tensor:
        x = self.embedding(ids)  # (B, S, D)
        if self.positions is not None:
            x = self.positions(x, offset=offset)
        embedded: Tensor = self.dropout(x)
        return embedded  # (B, S, D)

    def encode(self, source: Tensor) -> tuple[Tensor, Tensor]:
        """Encode source ids `(B, S)`; return the memory `(B, S, D)` and its padding mask `(B, S)`."""
        padding_mask = source == self.padding_idx  # (B, S)
        memory = self.encoder(self._embed(source), src_key_padding_mask=padding_mask)
        return memory, padding_mask

    def forward(self, source: Tensor, target: Tensor, *, where: Tensor | None = None) -> Tensor:
        """Return the logits `(B, T, V)` of the token after each target token.

        With `where` `(B, T)`, bool, only those of its M true places are computed: `(M, V)`. `target` `(B, T)`
        is shifted right (see `shift_right`) and padded on the right: it gets a causal mask only, which keeps
        real tokens from attending to padding that follows them.
        """
        memory, padding_mask = self.encode(source)
        hidden = self.decoder(
            self._embed(target),
            memory,
            memory_key_padding_mask=padding_mask,
            tgt_is_causal=True,
        )  # (B, T, D)
        if where is not None:
            hidden = hidden[where]  # (M, D)
        logits: Tensor = self.project(hidden)  # (B, T, V)
        return logits

    def empty_cache(self) -> KeyValueCache:
        """Return an empty cache for `step`."""
        return KeyValueCache.empty(self.num_decoder_layers)

    def step(
        self, tokens: Tensor, memory: Tensor, padding_mask: Tensor, cache: KeyValueCache
    ) -> Tensor:
        """Return the logits `(B, L, V)` after each of L new tokens `(B, L)`, and add these to the cache.

        `memory` and `padding_mask` are those that `encode` returns. The logits equal the last L rows of
        `forward` on the whole target.
        """
        x = self._embed(tokens, offset=cache.length)  # (B, L, D)
        hidden = self.decoder.step(x, memory, cache, padding_mask)  # (B, L, D)
        logits: Tensor = self.project(hidden)  # (B, L, V)
        return logits
