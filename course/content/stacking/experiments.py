"""Stacks of layers with their parts taken out: what residuals and layer norms are for, measured.

A block is an encoder layer that can be built without its residual connections, without its layer
norms, or with the norms in either place. All of it is untrained unless `train` is called, and
small: every function takes seconds on one CPU core.

Sources: He et al. 2016 (residuals); Xiong et al. 2020, section 3 (gradients by layer, at the start);
Dong, Cordonnier and Loukas 2021 (attention alone makes all tokens alike).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course.system.threads import one_thread
from encoder_core import MultiheadAttention

__all__ = [
    "NORMS",
    "Block",
    "LengthFirst",
    "Reader",
    "gradients",
    "mean_gradients",
    "sequences",
    "stack",
    "train",
    "walk",
]

NORMS = ("none", "post", "pre")
SYMBOLS = 8


class Block(nn.Module):
    """An encoder layer from which the residuals or the norms can be left out.

    Args:
        d_model: D.
        nhead: H.
        dim_feedforward: F.
        norm: one of `NORMS`: no layer norm, after the sum, or before the sub-layer.
        residual: whether x is added to what a sub-layer makes of it.

    Shapes: (B, S, D) -> (B, S, D).

    Raises:
        ValueError: `norm` is none of `NORMS`.
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int,
        norm: str = "post",
        residual: bool = True,
    ) -> None:
        super().__init__()
        if norm not in NORMS:
            raise ValueError(f"norm is one of {', '.join(NORMS)}; it was {norm!r}")
        self.norm, self.residual = norm, residual
        self.attention = MultiheadAttention(d_model, nhead)
        self.linear1 = nn.Linear(d_model, dim_feedforward)
        self.linear2 = nn.Linear(dim_feedforward, d_model)
        self.norm1, self.norm2 = nn.LayerNorm(d_model), nn.LayerNorm(d_model)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        x = self._around(x, self._attend, self.norm1)
        return self._around(x, self._feed_forward, self.norm2)

    def _around(self, x: Tensor, part: Callable[[Tensor], Tensor], norm: nn.Module) -> Tensor:
        made = part(norm(x) if self.norm == "pre" else x)
        whole = x + made if self.residual else made
        return norm(whole) if self.norm == "post" else whole

    def _attend(self, x: Tensor) -> Tensor:
        attended: Tensor = self.attention(x, x, x, need_weights=False)[0]
        return attended

    def _feed_forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.linear2(torch.relu(self.linear1(x)))
        return output


def stack(
    depth: int,
    norm: str = "post",
    residual: bool = True,
    *,
    d_model: int = 64,
    nhead: int = 4,
    seed: int = 0,
) -> nn.ModuleList:
    """`depth` blocks with F = 4 D, each initialised by itself: matrices as `nn.Transformer` does.

    That is Glorot and Bengio's uniform distribution ("Xavier"), whose variance is 2 / (inputs +
    outputs). Draws from a generator of its own.
    """
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        blocks = [Block(d_model, nhead, 4 * d_model, norm, residual) for _ in range(depth)]
        for parameter in nn.ModuleList(blocks).parameters():
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)
    return nn.ModuleList(blocks)


def walk(layers: nn.ModuleList, x: Tensor) -> list[Tensor]:
    """What goes into the first layer, then what comes out of each: depth + 1 times (B, S, D)."""
    states = [x]
    with torch.no_grad():
        for layer in layers:
            states.append(layer(states[-1]))
    return states


def gradients(layers: nn.ModuleList, x: Tensor, seed: int = 0) -> Tensor:
    """How strongly each layer's weights are pulled: the norm of their gradient, `(depth,)`.

    The loss is a random direction of the output, one for each token, as a head on top of an
    untrained stack would send one back. A pre-norm stack ends with a norm; it is counted in. The
    gradients of a layer's matrices are taken together.
    """
    generator = torch.Generator().manual_seed(seed)
    output = x
    for layer in layers:
        output = layer(output)
    if getattr(layers[-1], "norm", "") == "pre":
        output = F.layer_norm(output, output.shape[-1:])
    direction = F.normalize(torch.randn(output.shape, generator=generator), dim=-1)
    matrices = [[p for p in layer.parameters() if p.dim() == 2] for layer in layers]
    flat = [matrix for one in matrices for matrix in one]
    slopes = iter(torch.autograd.grad((output * direction).sum() / x.shape[0], flat))
    sizes = [
        torch.stack([next(slopes).square().sum() for _ in one]).sum().sqrt() for one in matrices
    ]
    return torch.stack(sizes)


def mean_gradients(depth: int, norm: str, x: Tensor, draws: int = 8) -> Tensor:
    """`gradients` of stacks with residuals, the mean over draws of first weights: `(depth,)`."""
    sizes = [gradients(stack(depth, norm, seed=seed), x, seed) for seed in range(draws)]
    return torch.stack(sizes).mean(dim=0)


class Reader(nn.Module):
    """An embedding, a stack of layers, and an answer at the first token.

    Shapes: ids (B, S) -> logits (B, 8).
    """

    def __init__(self, layers: nn.Module, d_model: int, seed: int = 0) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=()):
            torch.manual_seed(seed)
            self.embedding = nn.Embedding(2 * SYMBOLS + 1, d_model)
            self.output = nn.Linear(d_model, SYMBOLS)
        self.layers = layers

    def forward(self, ids: Tensor) -> Tensor:
        """See the class."""
        x = self.embedding(ids)  # (B, S, D)
        for layer in self.layers.children():
            x = layer(x)
        logits: Tensor = self.output(x[:, 0])
        return logits


class LengthFirst(nn.Module):
    """A layer that wants (S, B, D), for a caller who has (B, S, D): turned on the way in and out."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        turned: Tensor = self.layer(x.transpose(0, 1))  # (B, S, D) -> (S, B, D)
        return turned.transpose(0, 1)  # (B, S, D)


def sequences(batch: int, length: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Ids (B, S) and answers (B,): a question, then noise with one of eight symbols among it."""
    ids = torch.randint(0, SYMBOLS, (batch, length), generator=generator)
    answer = torch.randint(0, SYMBOLS, (batch,), generator=generator)
    place = torch.randint(1, length, (batch,), generator=generator)
    ids[torch.arange(batch), place] = SYMBOLS + answer
    ids[:, 0] = 2 * SYMBOLS
    return ids, answer


class _Adam:
    """Adam (Kingma and Ba 2015) with the paper's betas (Vaswani et al. 2017, section 5.3).

    All parameters lie in one vector, which is fast where they are small; and torch.optim would first
    load torch's compiler, which takes longer than a whole training here.
    """

    def __init__(self, parameters: list[nn.Parameter]) -> None:
        flat = torch.cat([parameter.detach().flatten() for parameter in parameters])
        self.values, self.slopes = flat, torch.zeros_like(flat)
        self.mean, self.square = torch.zeros_like(flat), torch.zeros_like(flat)
        self.steps, start = 0, 0
        for parameter in parameters:
            place = slice(start, start + parameter.numel())
            parameter.data = self.values[place].view_as(parameter)
            parameter.grad = self.slopes[place].view_as(parameter)
            start = place.stop

    def step(self, rate: float, betas: tuple[float, float] = (0.9, 0.98)) -> None:
        """Go one step down the gradients that lie in `slopes`, and set these to 0."""
        self.steps += 1
        self.mean.lerp_(self.slopes, 1 - betas[0])
        self.square.mul_(betas[1]).addcmul_(self.slopes, self.slopes, value=1 - betas[1])
        root = (self.square / (1 - betas[1] ** self.steps)).sqrt_().add_(1e-8)
        self.values.addcdiv_(self.mean, root, value=-rate / (1 - betas[0] ** self.steps))
        self.slopes.zero_()


def train(
    layers: nn.Module,
    *,
    d_model: int = 64,
    steps: int = 60,
    rate: float = 2e-3,
    warmup: int = 0,
    length: int = 8,
    seed: int = 0,
) -> list[float]:
    """Train a stack to find the one symbol among the noise; the mean loss of each ten steps.

    Guessing gives ln 8 = 2.08. Whatever the layers are, they are given (B, S, D).

    Args:
        layers: a `ModuleList` of layers from (B, S, D) to (B, S, D); they are trained in place.
        d_model: D.
        steps: batches of 32 to learn from, by Adam.
        rate: its learning rate.
        warmup: over how many steps the rate rises to that, in a straight line; 0 for none.
        length: tokens in a sequence.
        seed: makes the embedding, the output projection and the data.
    """
    reader, data = Reader(layers, d_model, seed), torch.Generator().manual_seed(seed + 1)
    adam = _Adam([parameter for parameter in reader.parameters() if parameter.requires_grad])
    losses = []
    with one_thread():
        for step in range(steps):
            ids, answer = sequences(32, length, data)
            loss = F.cross_entropy(reader(ids), answer)
            torch.autograd.backward(loss)
            adam.step(rate * min(1.0, (step + 1) / max(warmup, 1)))
            losses.append(loss.item())
    return [sum(losses[i : i + 10]) / len(losses[i : i + 10]) for i in range(0, steps, 10)]
