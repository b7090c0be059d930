"""What an encoder layer costs: operations, bytes moved and memory, part by part.

Two counts are kept apart, because two parts of a machine do them:

- `flops`: additions and multiplications in products of matrices, those that `torch.utils.flop_counter` counts.
- `elementwise`: operations on one number at a time; an exponential, a root or an error function counts as one.

`bytes`: each operation reads its inputs and weights once and writes its output once. Caches, copies that change a
layout, dropout and masks are left out, so a real layer moves more, or less where a cache holds what comes next.

Letters as in the README, with N = B * S tokens.

Sources: Vaswani et al. 2017, "Attention Is All You Need", table 1 (what grows with the square of the length);
Kaplan et al. 2020, "Scaling Laws for Neural Language Models", section 2.1 (the backward pass takes twice the
forward's products); Dao et al. 2022, "FlashAttention", sections 2 and 3 (bytes limit attention; scores computed
again in the backward pass); Rajbhandari et al. 2020, "ZeRO", section 3 (16 bytes a parameter in training).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

__all__ = ["AttentionKind", "Cost", "Memory", "encoder_memory", "layer_costs", "saved_numbers"]

# All scores at once, in blocks of keys by separate operations, or in one kernel that keeps its blocks on the chip.
AttentionKind = Literal["explicit", "blockwise", "fused"]

TRAINING_BYTES = (
    16  # a parameter with its gradient, Adam's two averages and, in half precision, a float32 copy
)


@dataclass(frozen=True)
class Cost:
    """What one part of a layer costs, all texts of the batch together.

    Attributes:
        part: its name.
        flops: operations in products of matrices; a multiply-add counts as two.
        bytes: read and written.
        elementwise: operations outside products.
        parameters: weights and biases, in numbers.
        square: operations among `flops` and `elementwise` that grow with the square of the length.

    >>> Cost("sum of two vectors", flops=0, bytes=12, elementwise=1).intensity
    0.08333333333333333
    """

    part: str
    flops: int
    bytes: int
    elementwise: int = 0
    parameters: int = 0
    square: int = 0

    @property
    def operations(self) -> int:
        """Products and the rest together."""
        return self.flops + self.elementwise

    @property
    def intensity(self) -> float:
        """Operations per byte moved."""
        return self.operations / self.bytes


def layer_costs(
    batch: int,
    length: int,
    d_model: int,
    nhead: int,
    dim_feedforward: int,
    bytes_per_number: int = 4,
    attention: AttentionKind = "explicit",
    *,
    training: bool = False,
    block: int = 128,
) -> list[Cost]:
    """Count the parts of one encoder layer (self-attention, GELU, two residuals, two norms).

    Args:
        attention: see `AttentionKind`. `"explicit"` and `"blockwise"` have the parts scores, softmax and weighted
            values; `"fused"` has one part for all three.
        training: forward and backward, counted as three times the forward, bytes too; a fused kernel computes the
            scores again, so its products are 3.5 times the forward's. The optimizer's step is not counted.
        block: keys in a block, for `"blockwise"`.

    Returns:
        The parts in the order in which they run. Their `parameters` sum to the layer's.

    Raises:
        ValueError: D is not divisible by H, or the kind of attention is unknown.

    >>> costs = layer_costs(batch=8, length=128, d_model=768, nhead=12, dim_feedforward=3072)
    >>> sum(cost.parameters for cost in costs)
    7087872
    >>> tokens = 8 * 128  # 12 D * D weights, 2 operations for each and token, and the square of the length
    >>> sum(cost.flops for cost in costs) == 2 * tokens * 12 * 768**2 + 4 * tokens * 128 * 768
    True
    """
    if d_model % nhead:
        raise ValueError(f"d_model={d_model} is not divisible by nhead={nhead}.")
    if attention not in get_args(AttentionKind):
        raise ValueError(
            f"attention must be one of {', '.join(get_args(AttentionKind))}; got {attention!r}."
        )
    n, d, f = batch * length, d_model, dim_feedforward
    parts = [
        _linear("query, key, value", n, d, 3 * d),
        *_attention(batch, length, d, nhead, attention, block),
        _linear("output projection", n, d, d),
        _linear("feed-forward 1", n, d, f),
        # x (1 + erf(x / sqrt 2)) / 2: five operations a number.
        Cost("activation", 0, 2 * n * f, elementwise=5 * n * f),
        _linear("feed-forward 2", n, f, d),
        # A sum: two numbers read, one written. A norm: mean, difference, square, sum, scale, weight, bias.
        Cost("residuals and norms", 0, 2 * (3 + 2) * n * d + 4 * d, 2 * (1 + 7) * n * d, 4 * d),
    ]
    costs = [replace(cost, bytes=cost.bytes * bytes_per_number) for cost in parts]
    return [_with_backward(cost) for cost in costs] if training else costs


def _linear(part: str, n: int, inputs: int, outputs: int) -> Cost:
    """`(N, inputs) @ (inputs, outputs)` and a bias; bytes in numbers."""
    parameters = inputs * outputs + outputs
    moved = n * inputs + parameters + n * outputs
    return Cost(part, 2 * n * inputs * outputs, moved, n * outputs, parameters)


def _attention(
    batch: int, length: int, d: int, nhead: int, kind: AttentionKind, block: int
) -> list[Cost]:
    """Scores `(B, H, S, S)`, softmax and weighted values; bytes in numbers."""
    n, scores = batch * length, batch * nhead * length**2
    product = 2 * n * length * d  # each of the two
    softmax = 5 * scores  # largest, difference, exponential, sum, quotient
    if kind == "fused":  # queries, keys and values in, heads out; the scores stay on the chip
        square = 2 * product + softmax
        return [Cost("attention", 2 * product, 4 * n * d, softmax, square=square)]
    rounds = -(-length // block) if kind == "blockwise" else 1
    queries = rounds * n * d  # read again for each block of keys
    outputs = (2 * rounds - 1) * n * d  # all but the first block add to the sum that is there
    return [
        Cost("scores", product, queries + n * d + scores, square=product),
        Cost("softmax", 0, 2 * scores, softmax, square=softmax),
        Cost("weighted values", product, scores + n * d + outputs, square=product),
    ]


def _with_backward(cost: Cost) -> Cost:
    again = cost.flops // 2 if cost.part == "attention" else 0  # the scores, once more
    return replace(
        cost,
        flops=3 * cost.flops + again,
        bytes=3 * cost.bytes,
        elementwise=3 * cost.elementwise,
        square=3 * cost.square + again,
    )


def saved_numbers(
    batch: int,
    length: int,
    d_model: int,
    nhead: int,
    dim_feedforward: int,
    attention: AttentionKind = "explicit",
    *,
    block: int = 128,
) -> int:
    """Count the numbers that autograd keeps of one layer for the backward pass.

    Of N * D numbers: the input, queries, keys, values, heads, the sums before both norms, and the first norm's
    output. Of N * F: the feed-forward network before and after the activation. Of N: mean and deviation in both
    norms. Attention adds `B * H * S * S` weights; a fused kernel one number a row of them. Blocks written with
    separate operations are all kept, scores and weights, with the sum so far: they save no memory in training.

    >>> saved_numbers(batch=8, length=512, d_model=768, nhead=12, dim_feedforward=3072)
    75513856
    >>> saved_numbers(batch=8, length=512, d_model=768, nhead=12, dim_feedforward=3072, attention="fused")
    50397184
    """
    n, rows = batch * length, batch * nhead * length
    rounds = -(-length // block)
    kept: dict[AttentionKind, int] = {
        "explicit": rows * length,
        "blockwise": 2 * rows * length + rounds * n * d_model,
        "fused": rows,
    }
    return 8 * n * d_model + 2 * n * dim_feedforward + 4 * n + kept[attention]


@dataclass(frozen=True)
class Memory:
    """Bytes that an encoder needs at once.

    Attributes:
        weights: the parameters, in the precision that they are computed in.
        training_state: gradients, Adam's two averages and, in half precision, float32 copies; 0 in inference.
        activations: what is kept or in use at once, `scores` among it.
        scores: the matrices of attention among them.
    """

    weights: int
    training_state: int
    activations: int
    scores: int

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.training_state + self.activations


def encoder_memory(
    batch: int,
    length: int,
    d_model: int,
    nhead: int,
    dim_feedforward: int,
    num_layers: int,
    bytes_per_number: int = 4,
    attention: AttentionKind = "explicit",
    *,
    training: bool = False,
    block: int = 128,
) -> Memory:
    """Count the memory of a stack of layers, without embeddings and without a head.

    In training all layers keep what `saved_numbers` counts. In inference one layer works at a time, and its
    activations are the larger of two moments: input, queries, keys and values beside scores and weights; or the
    feed-forward network before and after its activation beside its input and the residual. What a library sets
    aside for itself comes on top.

    Raises:
        ValueError: see `layer_costs`.

    >>> base = encoder_memory(8, 128, 768, 12, 3072, num_layers=12, training=True)
    >>> f"{base.weights / 1e9:.2f} GB, in training {(base.weights + base.training_state) / 1e9:.2f} GB"
    '0.34 GB, in training 1.36 GB'
    """
    size = (batch, length, d_model, nhead, dim_feedforward)
    costs = layer_costs(*size, bytes_per_number, attention)
    parameters = num_layers * sum(cost.parameters for cost in costs)
    weights = parameters * bytes_per_number
    n, rows = batch * length, batch * nhead * length
    if training:
        kept = num_layers * saved_numbers(*size, attention, block=block)
        squares: dict[AttentionKind, int] = {
            "explicit": length,
            "blockwise": 2 * length,
            "fused": 0,
        }
        scores = num_layers * rows * squares[attention]
    else:
        widest: dict[AttentionKind, int] = {
            "explicit": length,
            "blockwise": min(block, length),
            "fused": 0,
        }
        scores = 2 * rows * widest[attention]  # before and after the softmax
        kept = max(4 * n * d_model + scores, 2 * n * d_model + 2 * n * dim_feedforward)
    return Memory(
        weights,
        parameters * TRAINING_BYTES - weights if training else 0,
        kept * bytes_per_number,
        scores * bytes_per_number,
    )
