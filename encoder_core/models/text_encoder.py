"""A text encoder, from token ids to hidden vectors, to train from scratch.

Sources: Vaswani et al. 2017, "Attention Is All You Need", sections 3.1 and 3.4; pre-norm with a
final normalisation: Xiong et al. 2020, "On Layer Normalization in the Transformer Architecture".
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from encoder_core.activations import Activation
from encoder_core.embeddings import InputEmbedding
from encoder_core.encoder import TransformerEncoder, TransformerEncoderLayer
from encoder_core.positions import LearnedPositions, SinusoidalPositions

__all__ = ["TextEncoder", "fresh_encoder"]


def fresh_encoder(
    num_layers: int,
    d_model: int,
    nhead: int,
    dim_feedforward: int,
    dropout: float = 0.1,
    activation: str | Activation = "gelu",
    norm_first: bool = True,
    layer_norm_eps: float = 1e-5,
) -> TransformerEncoder:
    """Build a stack in which each layer has its own random weights.

    `TransformerEncoder(layer, n)` copies one layer instead, as `torch.nn` does. A pre-norm stack
    gets a final LayerNorm (Xiong et al. 2020, figure 1). Raises ValueError if `nhead` does not
    divide `d_model`, or the activation is unknown.
    """
    layers = [
        TransformerEncoderLayer(
            d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps,
            norm_first=norm_first,
        )
        for _ in range(num_layers)
    ]  # fmt: skip
    norm = nn.LayerNorm(d_model, eps=layer_norm_eps) if norm_first else None
    return TransformerEncoder.from_layers(layers, norm)


class TextEncoder(nn.Module):
    """Embedding, positions and a stack of layers: ids `(B, S)` to hidden vectors `(B, S, D)`.

    Args:
        dim_feedforward: F; 4 D by default.
        max_length: rows of the table of learned positions.
        positions: `"sinusoidal"`, `"learned"` or `"none"`.
        padding_idx: id of padding, masked if `forward` gets no mask; None if there is none.
        activation: see `TransformerEncoderLayer`.
        norm_first: pre-norm, which trains without warm-up, or the original post-norm.

    Raises:
        ValueError: an unknown kind of positions or activation, or H does not divide D.

    >>> import torch
    >>> encoder = TextEncoder(vocab_size=20, d_model=8, nhead=2, num_layers=2)
    >>> encoder(torch.tensor([[5, 6, 0], [7, 8, 9]])).shape
    torch.Size([2, 3, 8])
    """

    def __init__(
        self,
        vocab_size: int,
        d_model: int,
        nhead: int,
        num_layers: int,
        dim_feedforward: int | None = None,
        *,
        max_length: int = 512,
        positions: Literal["sinusoidal", "learned", "none"] = "sinusoidal",
        padding_idx: int | None = 0,
        dropout: float = 0.1,
        activation: str | Activation = "gelu",
        norm_first: bool = True,
    ) -> None:
        super().__init__()
        kinds: dict[str, nn.Module | None] = {
            "sinusoidal": SinusoidalPositions(d_model),
            "learned": LearnedPositions(max_length, d_model),
            "none": None,
        }
        if positions not in kinds:
            raise ValueError(f"positions must be one of {', '.join(kinds)}; got {positions!r}.")
        self.d_model, self.padding_idx = d_model, padding_idx
        # Sines have amplitude 1, so scale the tokens to match; learned positions start small.
        self.embedding = InputEmbedding(
            vocab_size, d_model, kinds[positions], padding_idx=padding_idx,
            scale=positions != "learned", dropout=dropout,
        )  # fmt: skip
        self.encoder = fresh_encoder(
            num_layers, d_model, nhead, dim_feedforward or 4 * d_model, dropout, activation,
            norm_first,
        )  # fmt: skip

    def forward(
        self, ids: Tensor, padding_mask: Tensor | None = None, *, packed: bool | None = False
    ) -> Tensor:
        """Encode ids `(B, S)` to `(B, S, D)`; `padding_mask` `(B, S)` is True at padding.

        Without a mask, padding is where the id is `padding_idx`. `packed=True` skips padding in the
        computation; see `TransformerEncoder.forward`.
        """
        if padding_mask is None and self.padding_idx is not None:
            padding_mask = ids == self.padding_idx  # (B, S)
        x = self.embedding(ids)  # (B, S, D)
        hidden: Tensor = self.encoder(x, src_key_padding_mask=padding_mask, packed=packed)
        return hidden  # (B, S, D)
