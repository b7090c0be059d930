"""BERT: embeddings and a stack of post-norm encoder layers, pretrained to fill in blanks.

RoBERTa and DistilBERT are the same network with other settings: RoBERTa counts positions from
after `padding_idx`, DistilBERT has no segments. What makes them differ is how they were trained.

Sources: Devlin et al. 2019, "BERT: Pre-training of Deep Bidirectional Transformers", section 3,
figure 2, appendix A.2, and the code published with it; Liu et al. 2019, "RoBERTa"; Sanh et al.
2019, "DistilBERT".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from encoder_core.attention import AttentionFunction
from encoder_core.embeddings import TokenEmbedding
from encoder_core.encoder import TransformerEncoderLayer
from encoder_core.fast.packing import encode_layers
from encoder_core.masks import check_mask
from encoder_core.multihead import MultiheadAttention
from encoder_core.positions import positions_from_ids

__all__ = ["Bert", "BertConfig", "BertEmbeddings", "encode_embedded"]


@dataclass(frozen=True)
class BertConfig:
    """The settings of a `Bert`; the defaults are those of BERT-base."""

    vocab_size: int = 30522  # V
    d_model: int = 768  # D, divisible by nhead
    nhead: int = 12  # H
    num_layers: int = 12
    dim_feedforward: int = 3072  # F
    max_length: int = 512  # the longest input, in tokens
    segments: int = 2  # kinds of segment; 0 for none (DistilBERT)
    padding_idx: int = 0
    positions_after_padding: bool = False  # count positions from padding_idx + 1 (RoBERTa)
    dropout: float = 0.1  # on the embeddings and on what each sublayer adds
    attention_dropout: float = 0.1  # on the attention weights
    activation: str = "gelu"
    layer_norm_eps: float = 1e-12
    pooler: bool = False  # a projection of the first token; see `Bert.pool`
    std: float = 0.02  # of the initial weights
    # Of the masked-language-model head; None is `activation`. RoBERTa's head always has GELU.
    head_activation: str | None = None


class BertEmbeddings(nn.Module):
    """Token + segment + position, normalised.

    Shapes: ids and type_ids `(B, S)` to `(B, S, D)`. State-dict keys: `token.weight` `(V, D)`,
    `position.weight`, `segment.weight` (where there are segments), `norm.weight`, `norm.bias`.
    """

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.config = config
        self.first = config.padding_idx + 1 if config.positions_after_padding else 0
        self.token = TokenEmbedding(config.vocab_size, config.d_model, config.padding_idx)
        self.position = nn.Embedding(config.max_length + self.first, config.d_model)
        self.segment = nn.Embedding(config.segments, config.d_model) if config.segments else None
        self.norm = nn.LayerNorm(config.d_model, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, ids: Tensor, type_ids: Tensor | None = None) -> Tensor:
        """Embed ids `(B, S)`; without `type_ids` the segment is 0 everywhere.

        Raises:
            ValueError: the input is longer than the positions, or `type_ids` are given to a model
                without segments.
        """
        length = ids.shape[-1]
        if length > self.config.max_length:
            raise ValueError(
                f"The input has {length} tokens, but this model knows {self.config.max_length} "
                "positions. Cut the text, for instance with the tokenizer's max_length."
            )
        if type_ids is not None and self.segment is None:
            raise ValueError("type_ids came, but this model has no segments (segments=0).")
        if self.first:
            positions = positions_from_ids(ids, self.config.padding_idx)  # (B, S)
        else:
            positions = torch.arange(length, device=ids.device)  # (S,)
        x: Tensor = self.token(ids) + self.position(positions)  # (B, S, D)
        if self.segment is not None:
            x = x + self.segment(torch.zeros_like(ids) if type_ids is None else type_ids)
        x = self.dropout(self.norm(x))
        return x


class Bert(nn.Module):
    """An encoder of the BERT family: from token ids to one vector for each token.

    Every layer is initialised by itself. The attention of all layers can be replaced: at once by
    the argument (see `attention.AttentionFunction`), or for a while by
    `inspect.recording.attention_function`. All layers call the same function: a module with
    parameters would be shared. `position_bias` is called with H once for each layer and returns a
    module of the layer's own, such as `relative.RelativeBias`. A seed makes the initial weights
    reproducible and leaves the global generator as it was; None draws them from it.

    Shapes: see `forward`. State-dict keys: `embeddings.*` (see `BertEmbeddings`), `layers.0.*`
    (those of `torch.nn.TransformerEncoderLayer`), and so on; `pooler.*` where there is one.

    Raises:
        ValueError: D is not divisible by H.

    >>> config = BertConfig(vocab_size=9, d_model=8, nhead=2, num_layers=2, dim_feedforward=16)
    >>> model = Bert(config, seed=0).eval()
    >>> model(torch.tensor([[1, 2, 3]])).shape
    torch.Size([1, 3, 8])
    """

    def __init__(
        self,
        config: BertConfig,
        seed: int | None = None,
        attention: AttentionFunction | None = None,
        position_bias: Callable[[int], nn.Module] | None = None,
    ) -> None:
        super().__init__()
        self.config = config
        with torch.random.fork_rng(devices=(), enabled=seed is not None):
            self.embeddings = BertEmbeddings(config)
            self.layers = nn.ModuleList(_layer(config) for _ in range(config.num_layers))
            self.pooler = nn.Linear(config.d_model, config.d_model) if config.pooler else None
        generator = None if seed is None else torch.Generator().manual_seed(seed)
        self.reset_parameters(generator)
        for module in self.modules():
            if isinstance(module, MultiheadAttention):
                module.attention = attention
                module.position_bias = (
                    None if position_bias is None else position_bias(config.nhead)
                )

    @torch.no_grad()
    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw every matrix and table from N(0, std^2); zero biases and the row of padding.

        A position bias resets itself, where it has a `reset_parameters`.
        """
        for name, parameter in self.named_parameters():
            if ".position_bias." in name:
                continue
            if parameter.dim() > 1:
                nn.init.normal_(parameter, std=self.config.std, generator=generator)
            elif "norm" in name and name.endswith("weight"):
                nn.init.ones_(parameter)
            else:
                nn.init.zeros_(parameter)
        self.embeddings.token.weight[self.config.padding_idx].zero_()
        for module in self.modules():
            bias = module.position_bias if isinstance(module, MultiheadAttention) else None
            if hasattr(bias, "reset_parameters"):
                bias.reset_parameters()  # type: ignore[union-attr, operator]

    def forward(
        self,
        ids: Tensor,
        type_ids: Tensor | None = None,
        padding_mask: Tensor | None = None,
        mask: Tensor | None = None,
        *,
        packed: bool | None = None,
    ) -> Tensor:
        """Encode token ids.

        Args:
            ids: `(B, S)` int64.
            type_ids: `(B, S)` segments; None is segment 0 everywhere.
            padding_mask: `(B, S)` bool, True at padding; None is no padding.
            mask: what else is blocked, `(S, S)`, `(B, S, S)` or what broadcasts to
                `(B, H, S, S)`; bool, True is blocked, or floating, added to the scores.
            packed: see `fast.packing.encode_layers`.

        Returns:
            The last layer's hidden states, `(B, S, D)`; rows of padding are zero, and no other row
            depends on them.

        Raises:
            ValueError: the input is too long, or a mask cannot be one.
            IndexError: an id is not in `[0, V)`.
        """
        return self.encode(self.embeddings(ids, type_ids), padding_mask, mask, packed=packed)

    def encode(
        self,
        x: Tensor,
        padding_mask: Tensor | None = None,
        mask: Tensor | None = None,
        *,
        packed: bool | None = None,
    ) -> Tensor:
        """Send embedded tokens `(B, S, D)` through the layers; see `forward`."""
        return encode_embedded(self.layers, x, padding_mask, mask, packed=packed)

    def pool(self, hidden: Tensor) -> Tensor:
        """Summarise texts `(B, S, D)` by their first tokens, `(B, D)`, through tanh.

        BERT's next-sentence task trains it. A model without a pooler raises ValueError.
        """
        if self.pooler is None:
            raise ValueError("This model has no pooler; make it with BertConfig(pooler=True).")
        return torch.tanh(self.pooler(hidden[:, 0]))  # (B, D)


def encode_embedded(
    layers: Iterable[nn.Module],
    x: Tensor,
    padding_mask: Tensor | None = None,
    mask: Tensor | None = None,
    *,
    norm: nn.Module | None = None,
    packed: bool | None = None,
) -> Tensor:
    """Send embedded tokens `(B, S, D)` through layers and a last `norm`; rows of padding are zero.

    The other arguments are those of `Bert.forward`.

    Raises:
        TypeError: an integer mask.
        ValueError: a floating mask of zeros and ones; shapes that do not fit.
    """
    check_mask(padding_mask)
    x = encode_layers(layers, x, padding_mask, mask, packed=packed)
    if norm is not None:
        x = norm(x)
    if padding_mask is None or padding_mask.dtype != torch.bool:
        return x
    return x.masked_fill(padding_mask[..., None], 0)  # the same, packed or padded


def _layer(config: BertConfig) -> TransformerEncoderLayer:
    """Make one layer. BERT drops what each sublayer adds, but nothing inside of the network."""
    layer = TransformerEncoderLayer(
        config.d_model,
        config.nhead,
        config.dim_feedforward,
        dropout=config.dropout,
        activation=config.activation,
        layer_norm_eps=config.layer_norm_eps,
    )
    layer.dropout = nn.Dropout(0.0)
    layer.self_attn.dropout = config.attention_dropout
    return layer
