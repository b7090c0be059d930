"""The decoder's look at the memory, computed by a function of the learner's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from encoder_core.multihead import MultiheadAttention

__all__ = ["OwnCrossAttention", "look_by"]


class OwnCrossAttention(MultiheadAttention):
    """Attention to the memory that a function of the learner's computes, with the same parameters.

    Args:
        function: called as `generation.cross_attention`.
    """

    function: Callable[..., Tensor]

    @classmethod
    def of(
        cls, attention: MultiheadAttention, function: Callable[..., Tensor]
    ) -> OwnCrossAttention:
        """Take over an attention's parameters."""
        own = cls(attention.embed_dim, attention.num_heads, dropout=0.0)
        own.load_state_dict(attention.state_dict())
        own.function = function
        return own

    def forward(self, query: Tensor, key: Tensor, value: Tensor, *masks: Any, **more: Any) -> Any:
        """Compute `(B, T, D)`; of the masks the memory's padding, the first, is the one there is."""
        padding = masks[0] if masks else more.get("key_padding_mask")  # (B, S)
        output = self.function(
            query, key, self.in_proj_weight, self.in_proj_bias, self.out_proj.weight,
            self.out_proj.bias, self.num_heads, padding,
        )  # fmt: skip
        return output, None


def look_by(decoder: nn.Module, function: Callable[..., Tensor]) -> None:
    """Let a function compute the look at the memory in every layer of a decoder.

    Decoding with a cache computes the same with encoder_core's.
    """
    for layer in decoder.layers:  # type: ignore[union-attr]
        layer.multihead_attn = OwnCrossAttention.of(layer.multihead_attn, function)
