"""The encoders that benchmarks/encoder.py compares: ours and its peers, all of one size.

Each contender takes embedded tokens `(B, S, D)` and a padding mask `(B, S)`, True at padding, or
None, and returns hidden vectors `(B, S, D)`. "As shipped" is what a user gets who reads the
documentation and sets nothing else. No two share a model: of one that has just run, more is still
in the CPU's caches than of the others.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from encoder_core import attention as core_attention
from encoder_core.encoder import TransformerEncoder, TransformerEncoderLayer
from encoder_core.fast import fast_cpu
from encoder_core.fast.fast_cpu import use_fast_cpu

FAST = "encoder_core, use_fast_cpu(model)"
Run = Callable[[Tensor, Tensor | None], Tensor]


@dataclass(frozen=True)
class Size:
    """An encoder's size: name, D, H, F and the number of layers."""

    name: str
    d_model: int
    nhead: int
    dim_feedforward: int
    num_layers: int

    def flops(self, real_tokens: int, lengths: list[int]) -> float:
        """Operations of one pass over the real tokens, a multiply-add counted as 2."""
        d, f = self.d_model, self.dim_feedforward
        linear = 2 * real_tokens * (4 * d * d + 2 * d * f)
        attention = sum(2 * 2 * length * length * d for length in lengths)
        return float(self.num_layers * (linear + attention))


SIZES = {
    "small": Size("small", 256, 4, 1024, 4),
    "base": Size("base", 768, 12, 3072, 12),
    "large": Size("large", 1024, 16, 4096, 24),
}


@dataclass
class Contender:
    """One row of the table: a model, and how it is called."""

    name: str
    model: nn.Module
    run: Run
    ours: bool = False
    only: str = ""  # "padded" or "inference": the cases in which it is something of its own
    said: str = ""  # what was found when it was made


def ours(size: Size) -> list[Contender]:
    """Ours as it is, without work on padding, and after `use_fast_cpu(model=...)`."""
    model, lean, fast = _stack(size), _stack(size), _stack(size)

    def padded(x: Tensor, padding: Tensor | None) -> Tensor:
        return model(x, src_key_padding_mask=padding)

    def packed(x: Tensor, padding: Tensor | None) -> Tensor:
        return lean(x, src_key_padding_mask=padding, packed=padding is not None)

    def after_the_call(x: Tensor, padding: Tensor | None) -> Tensor:
        return fast(x, src_key_padding_mask=padding, packed=None)

    with knob(False):  # what the call does to the knob is another row
        said = use_fast_cpu(model=fast).layout or ""
    return [
        Contender("encoder_core", model, padded, ours=True),
        Contender("encoder_core packed", lean, packed, ours=True, only="padded"),
        Contender(FAST, fast, after_the_call, ours=True, only="inference", said=said),
    ]


def _stack(size: Size) -> TransformerEncoder:
    layer = (size.d_model, size.nhead, size.dim_feedforward, 0.0, "gelu")
    return TransformerEncoder.from_layers(
        [TransformerEncoderLayer(*layer) for _ in range(size.num_layers)]
    )


def torch_nn(size: Size) -> list[Contender]:
    """torch.nn with its fast path (nested tensors where there is padding) on and off."""
    layer = nn.TransformerEncoderLayer(
        size.d_model, size.nhead, size.dim_feedforward, 0.0, "gelu", batch_first=True
    )
    quick, plain = (nn.TransformerEncoder(layer, size.num_layers) for _ in range(2))

    def fast(x: Tensor, padding: Tensor | None) -> Tensor:
        return quick(x, src_key_padding_mask=padding)

    def slow(x: Tensor, padding: Tensor | None) -> Tensor:
        torch.backends.mha.set_fastpath_enabled(False)
        try:
            return plain(x, src_key_padding_mask=padding)
        finally:
            torch.backends.mha.set_fastpath_enabled(True)

    return [Contender("torch.nn", quick, fast), Contender("torch.nn slow path", plain, slow)]


def transformers(size: Size) -> list[Contender]:
    """Hugging Face's BERT layers, eager and SDPA."""
    from transformers import BertConfig
    from transformers.models.bert.modeling_bert import BertModel

    contenders = []
    for attention in ("eager", "sdpa"):
        config = BertConfig(
            vocab_size=8, hidden_size=size.d_model, num_hidden_layers=size.num_layers,
            num_attention_heads=size.nhead, intermediate_size=size.dim_feedforward,
            hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
            attn_implementation=attention,
        )  # fmt: skip
        model = BertModel(config, add_pooling_layer=False)

        def run(x: Tensor, padding: Tensor | None, model: nn.Module = model) -> Tensor:
            mask = None if padding is None else (~padding).long()
            return model(inputs_embeds=x, attention_mask=mask).last_hidden_state

        contenders.append(Contender(f"transformers {attention}", model, run))
    return contenders


def x_transformers(size: Size) -> list[Contender]:
    """The Encoder of x-transformers, with its flash attention, which it recommends."""
    from x_transformers import Encoder

    model = Encoder(
        dim=size.d_model, depth=size.num_layers, heads=size.nhead,
        attn_dim_head=size.d_model // size.nhead, attn_flash=True, pre_norm=False,
        ff_mult=size.dim_feedforward / size.d_model,
    )  # fmt: skip

    def run(x: Tensor, padding: Tensor | None) -> Tensor:
        return model(x, mask=None if padding is None else ~padding)

    return [Contender("x-transformers", model, run)]


def contenders(size: Size) -> Iterator[Contender]:
    """Build all of them, leaving out with a sentence the peers that are not installed."""
    for family in (ours, torch_nn, transformers, x_transformers):
        try:
            yield from family(size)
        except ImportError as error:
            print(f"Left out: {family.__name__} ({error}).", file=sys.stderr)


@contextmanager
def knob(on: bool) -> Iterator[None]:
    """Send float32 products to oneDNN, as anyone can; ours as `use_fast_cpu` does."""
    matmul = torch.backends.mkldnn.matmul
    before = matmul.fp32_precision, core_attention.explicit_is_faster
    if on:
        fast_cpu._switch(True)
    try:
        yield
    finally:
        matmul.fp32_precision, core_attention.explicit_is_faster = before
