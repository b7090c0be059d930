"""The original Transformer, whole: an encoder reads, a decoder writes.

Source: Vaswani et al. 2017, "Attention Is All You Need", section 3 and figure 1.
"""

from __future__ import annotations

from torch import Tensor, nn

from encoder_core.activations import Activation
from encoder_core.cache import KeyValueCache
from encoder_core.decoder import TransformerDecoder, TransformerDecoderLayer
from encoder_core.embeddings import TokenEmbedding
from encoder_core.models.text_encoder import fresh_encoder
from encoder_core.positions import SinusoidalPositions
from encoder_core.tied import TiedProjection

__all__ = ["EncoderDecoder"]


class EncoderDecoder(nn.Module):
    """From one sequence of ids to another: translation, summaries, answers.

    One table serves as the embedding of both sides and as the output projection. Every layer is
    initialised by itself.

    Args:
        vocab_size: V, shared by both sides.
        d_model: D.
        nhead: H, a divisor of D.
        num_encoder_layers: layers that read.
        num_decoder_layers: layers that write.
        dim_feedforward: F; four times D where not given.
        padding_idx: the id of padding.
        dropout: on the embeddings' sums and in every layer.
        activation: see `TransformerEncoderLayer`.
        norm_first: pre-norm, which trains without warm-up, or the original post-norm.

    Shapes: source `(B, S)` and target `(B, T)` ids to logits `(B, T, V)`.

    Raises:
        ValueError: what the parts raise.

    Source: Vaswani et al. 2017, figure 1; the one table: section 3.4.

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
        activation: str | Activation = "relu",
        norm_first: bool = True,
    ) -> None:
        super().__init__()
        width = dim_feedforward or 4 * d_model
        self.padding_idx, self.num_decoder_layers = padding_idx, num_decoder_layers
        self.embedding = TokenEmbedding(vocab_size, d_model, padding_idx, scale=True)
        self.positions = SinusoidalPositions(d_model)
        self.dropout = nn.Dropout(dropout)
        self.encoder = fresh_encoder(
            num_encoder_layers, d_model, nhead, width, dropout, activation, norm_first
        )
        layers = [
            TransformerDecoderLayer(
                d_model, nhead, width, dropout, activation, norm_first=norm_first
            )
            for _ in range(num_decoder_layers)
        ]
        norm = nn.LayerNorm(d_model) if norm_first else None
        self.decoder = TransformerDecoder.from_layers(layers, norm)
        self.project = TiedProjection(self.embedding, bias=False)

    def _embed(self, ids: Tensor, offset: int = 0) -> Tensor:
        embedded: Tensor = self.dropout(self.positions(self.embedding(ids), offset=offset))
        return embedded  # (B, S, D)

    def encode(self, source: Tensor) -> tuple[Tensor, Tensor]:
        """Read the source.

        Args:
            source: `(B, S)` ids.

        Returns:
            The memory `(B, S, D)`, and where it is padding, `(B, S)`.

        >>> import torch
        >>> memory, padding = EncoderDecoder(20, 8, 2).encode(torch.tensor([[5, 2, 0]]))
        >>> memory.shape, padding.tolist()
        (torch.Size([1, 3, 8]), [[False, False, True]])
        """
        padding_mask = source == self.padding_idx  # (B, S)
        memory = self.encoder(self._embed(source), src_key_padding_mask=padding_mask)
        return memory, padding_mask

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """Score every next token of the target, each from those before it.

        Args:
            source: `(B, S)` ids, padded on the right.
            target: `(B, T)` ids, shifted right (see `shift_right`), padded on the right, so that
                the causal mask alone keeps padding from what is real.

        Returns:
            Logits `(B, T, V)`.
        """
        memory, padding_mask = self.encode(source)
        hidden = self.decoder(
            self._embed(target),
            memory,
            memory_key_padding_mask=padding_mask,
            tgt_is_causal=True,
        )  # (B, T, D)
        logits: Tensor = self.project(hidden)  # (B, T, V)
        return logits

    def empty_cache(self) -> KeyValueCache:
        """Make the cache that `step` fills."""
        return KeyValueCache.empty(self.num_decoder_layers)

    def step(
        self, tokens: Tensor, memory: Tensor, padding_mask: Tensor, cache: KeyValueCache
    ) -> Tensor:
        """Score the token after each of the new ones, with a cache for those before.

        Args:
            tokens: `(B, L)` new ids.
            memory: `(B, S, D)`, from `encode`.
            padding_mask: `(B, S)`, from `encode`.
            cache: changed; afterwards it holds these tokens too.

        Returns:
            Logits `(B, L, V)`: the last rows of what `forward` gives for the whole target.

        >>> import torch
        >>> model, source = EncoderDecoder(20, 8, 2).eval(), torch.tensor([[5, 6, 2]])
        >>> cache = model.empty_cache()
        >>> model.step(torch.tensor([[1]]), *model.encode(source), cache).shape, cache.length
        (torch.Size([1, 1, 20]), 1)
        """
        x = self._embed(tokens, offset=cache.length)  # (B, L, D)
        hidden = self.decoder.step(x, memory, cache, padding_mask)  # (B, L, D)
        logits: Tensor = self.project(hidden)  # (B, L, V)
        return logits
