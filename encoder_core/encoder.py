"""The Transformer encoder: a layer of attention and feed-forward, and the stack of them.

`TransformerEncoderLayer` and `TransformerEncoder` take the arguments and the state dicts of their
namesakes in `torch.nn` (with `batch_first=True`) and give the same numbers, on one path only:
padded rows are the same with and without gradients, in training and in eval mode, and a sequence
that is all padding gives finite numbers instead of NaN.

Sources: Vaswani et al. 2017, "Attention Is All You Need", section 3.1 and figure 1, left half;
section 5.4 (dropout); Xiong et al. 2020 (pre-norm); the article, section 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from encoder_core.activations import Activation, activation_function
from encoder_core.attention import AttentionStrategy
from encoder_core.checks import require_batch_first, require_batch_first_layers, require_width
from encoder_core.masks import block_future
from encoder_core.multihead import MultiheadAttention
from encoder_core.residual import get_clones
from encoder_core.stack import run_layers

__all__ = ["TransformerEncoder", "TransformerEncoderLayer"]


class TransformerEncoderLayer(nn.Module):
    """One layer: self-attention, then feed-forward, each with its residual and normalisation.

    Args:
        d_model: D, divisible by `nhead`, H.
        dropout: on the attention weights, on the attention's output, after the activation and on
            the feed-forward's output. The paper has the second and the fourth; torch.nn all four.
        activation: `"relu"`, `"gelu"` or a callable.
        batch_first: True; accepted because torch.nn's callers must write it.
        norm_first: pre-norm (True) or the paper's post-norm (False).

    Shapes: `(B, S, D)` to `(B, S, D)`, or unbatched `(S, D)` to `(S, D)`.

    Raises:
        ValueError: `batch_first=False`; D not divisible by H; an unknown activation; in `forward`,
            a `src` of another shape, or an invalid mask (such as a floating one of zeros and ones).

    >>> layer = TransformerEncoderLayer(d_model=8, nhead=2, dim_feedforward=16)
    >>> theirs = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    >>> layer.load_state_dict(theirs.state_dict())
    <All keys matched successfully>
    """

    takes_strategy = True  # see `stack`

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Activation = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = True,
        norm_first: bool = False,
        bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        require_batch_first(batch_first)
        super().__init__()
        at: dict[str, Any] = {"device": device, "dtype": dtype}
        self.d_model, self.norm_first = d_model, norm_first
        self.activation = activation_function(activation)
        self.self_attn = MultiheadAttention(d_model, nhead, dropout=dropout, bias=bias, **at)
        self.linear1 = nn.Linear(d_model, dim_feedforward, bias=bias, **at)
        self.dropout = nn.Dropout(dropout)
        self.linear2 = nn.Linear(dim_feedforward, d_model, bias=bias, **at)
        self.norm1 = nn.LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **at)
        self.norm2 = nn.LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **at)
        self.dropout1 = nn.Dropout(dropout)
        self.dropout2 = nn.Dropout(dropout)

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
        *,
        strategy: AttentionStrategy | None = None,
    ) -> Tensor:
        """Encode `(B, S, D)` or `(S, D)`.

        Args:
            src_mask: `(S, S)`, `(B * H, S, S)`; bool, True where blocked, or float, added.
            src_key_padding_mask: `(B, S)` or `(S,)`; bool, True at padding, or float, added.
            is_causal: block the future too. Unlike torch.nn's hint it never replaces `src_mask`.
            strategy: attends to a batch whose rows are not its texts.
        """
        require_width("src", src, self.d_model)
        how: dict[str, Any] = {
            "attn_mask": src_mask,
            "key_padding_mask": src_key_padding_mask,
            "is_causal": is_causal,
        }
        if strategy is not None:  # `self_attn` may be the reader's own, and know of none
            how["strategy"] = strategy
        x = src
        if self.norm_first:
            x = x + self._self_attention(self.norm1(x), **how)
            x = x + self._feed_forward(self.norm2(x))
        else:
            x = self.norm1(x + self._self_attention(x, **how))
            x = self.norm2(x + self._feed_forward(x))
        return x

    def _self_attention(self, x: Tensor, **how: Any) -> Tensor:
        attended, _ = self.self_attn(x, x, x, need_weights=False, **how)
        dropped: Tensor = self.dropout1(attended)
        return dropped

    def _feed_forward(self, x: Tensor) -> Tensor:
        inner = self.dropout(self.activation(self.linear1(x)))  # (B, S, F)
        output: Tensor = self.dropout2(self.linear2(inner))  # (B, S, D)
        return output


class TransformerEncoder(nn.Module):
    """A stack of layers, as in the article's section 5 and in `torch.nn`.

    The layers are deep copies of `encoder_layer` and **start with the same values**, as torch's
    do. To train from scratch, build each layer by itself and use `from_layers`, as this package's
    models do. A layer may be this package's, `torch.nn`'s or the reader's own: see
    `stack.run_layers`. What `is_causal` blocks is in the mask.

    Args:
        norm: a normalisation after the last layer. A stack of pre-norm layers needs it, since
            nothing else normalises its output; post-norm layers end with one already, and with it
            their output is normalised twice (pytorch issue 74092).
        enable_nested_tensor: accepted for torch.nn's callers, as `mask_check`; there is one path.

    Raises:
        ValueError: a layer of `torch.nn` with `batch_first=False`.

    Shapes: `(B, S, D)` to `(B, S, D)`, or `(S, D)` to `(S, D)`. State-dict keys:
    `layers.0.self_attn.in_proj_weight` and so on, then `norm.weight` and `norm.bias`.

    >>> layer = TransformerEncoderLayer(d_model=8, nhead=2, dim_feedforward=16, norm_first=True)
    >>> encoder = TransformerEncoder(layer, num_layers=3, norm=nn.LayerNorm(8)).eval()
    >>> padding = torch.tensor([[False, False, True]])
    >>> encoder(torch.randn(1, 3, 8), src_key_padding_mask=padding).shape
    torch.Size([1, 3, 8])
    """

    def __init__(
        self,
        encoder_layer: nn.Module,
        num_layers: int,
        norm: nn.Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__()
        require_batch_first_layers([encoder_layer])
        self.layers = get_clones(encoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm
        self.position_biases: nn.ModuleList | None = None

    @classmethod
    def from_layers(
        cls,
        layers: Sequence[nn.Module],
        norm: nn.Module | None = None,
        position_biases: Sequence[nn.Module | None] | None = None,
    ) -> TransformerEncoder:
        """Stack layers that were each built, and so initialised, by themselves. Nothing is copied.

        `position_biases` are for layers that cannot hold theirs, one for each; see
        `stack.run_layers`. Another number of them raises ValueError.

        >>> layers = [TransformerEncoderLayer(8, 2, 16) for _ in range(3)]
        >>> TransformerEncoder.from_layers(layers).layers[2] is layers[2]
        True
        """
        require_batch_first_layers(layers)
        stack = cls(nn.Identity(), 0, norm)
        stack.layers.extend(layers)
        stack.num_layers = len(layers)
        if position_biases is not None:
            if len(position_biases) != len(layers):
                raise ValueError(f"Got {len(position_biases)} biases for {len(layers)} layers.")
            stack.position_biases = nn.ModuleList(position_biases)  # type: ignore[arg-type]
        return stack

    def forward(
        self,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool | None = None,
        *,
        packed: bool | None = False,
    ) -> Tensor:
        """Encode `(B, S, D)` or `(S, D)` layer by layer; masks as in the layer.

        Args:
            packed: True computes real tokens only, which saves the work on padding: the same
                numbers at real tokens, while rows of padding mean nothing. None does so where it
                pays. See `fast.packing.encode_layers`.

        Raises:
            TypeError: an integer mask.
            ValueError: a floating mask of zeros and ones; shapes that do not fit.
        """
        if is_causal and src.dim() > 1:  # else the first layer says what is wrong
            # As a mask, since not every layer reads `is_causal` as ours do, or knows it.
            mask = block_future(mask, (src.shape[-2], src.shape[-2]), src.device)
        if packed is False or src.dim() != 3 or self.position_biases is not None:
            x = run_layers(self.layers, src, mask, src_key_padding_mask, self.position_biases)
        else:
            # Asked for in each call, so imported there: the core stands without `fast`.
            from encoder_core.fast.packing import encode_layers

            x = encode_layers(self.layers, src, src_key_padding_mask, mask, packed=packed)
        return x if self.norm is None else self.norm(x)
