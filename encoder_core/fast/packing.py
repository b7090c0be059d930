"""No work on padding: the real tokens of all texts laid end to end, as one long text.

All of an encoder but attention works on each token by itself and does not care where a text ends.
Attention is computed group by group, a group being all texts of one length, so that no padding has
to be blocked. In a batch that is half padding this halves the work, and more than halves that of
attention, which grows with the square of the length.

Source: Krell et al. 2021, "Efficient Sequence Packing without Cross-contamination", section 3;
Zeng et al. 2022, "Boosting Distributed Training Performance of the Unpadded BERT Model".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

import torch
from torch import Tensor, nn

from encoder_core.attention import AttentionStep
from encoder_core.checks import has_values, read_bool
from encoder_core.stack import run_layers, takes_strategy

__all__ = ["Packing", "encode_layers", "pack"]


@dataclass(frozen=True)
class Packing:
    """How a padded batch was packed: the `AttentionStrategy` of its layers.

    Texts stand in the order of their lengths.

    Args:
        shape: B and S of the padded batch.
        places: `(N,)` int64: each packed token's place in the flattened `(B * S)` batch.
        rows: each text's row in the batch, in the packed order, without empty texts.
        groups: number and length of the texts of each length, in the packed order.
        mask: what else is blocked, `(S, S)`; None where nothing is.

    >>> padding = torch.tensor([[False, False, True], [False, True, True]])
    >>> packing = pack(padding)
    >>> x = torch.arange(6).reshape(2, 3, 1)
    >>> packing.pack(x).flatten().tolist(), packing.groups
    ([3, 0, 1], ((1, 1), (1, 2)))
    """

    shape: tuple[int, int]
    places: Tensor
    rows: tuple[int, ...]
    groups: tuple[tuple[int, int], ...]
    mask: Tensor | None = None

    def pack(self, x: Tensor) -> Tensor:
        """Lay the real tokens end to end: `(B, S, ...)` to `(1, N, ...)`."""
        return x.flatten(0, 1).index_select(0, self.places)[None]  # (B * S, ...) -> (1, N, ...)

    def unpack(self, x: Tensor) -> Tensor:
        """Put them back where they were: `(1, N, ...)` to `(B, S, ...)`, zeros at padding."""
        flat = x.new_zeros(self.shape[0] * self.shape[1], *x.shape[2:])  # (B * S, ...)
        return flat.index_copy(0, self.places, x[0]).reshape(*self.shape, *x.shape[2:])

    def pack_heads(self, x: Tensor) -> Tensor:
        """Do to heads what `pack` does to tokens: `(B, H, S, Dh)` to `(1, H, N, Dh)`."""
        return self.pack(x.transpose(1, 2)).transpose(1, 2)

    def unpack_heads(self, x: Tensor) -> Tensor:
        """Undo `pack_heads`: `(1, H, N, Dh)` to `(B, H, S, Dh)`, zeros at padding."""
        return self.unpack(x.transpose(1, 2)).transpose(1, 2)

    def attend(
        self,
        step: AttentionStep,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        mask: Tensor | None = None,
        need_weights: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Attend group by group to `(1, H, N, Dh)`; weights `(B, H, S, S)` have zeros at padding.

        Raises:
            ValueError: a mask, which would be one over all texts together.
        """
        if mask is not None:
            raise ValueError(
                "A packed batch is masked by its plan: pass padding and mask to pack(), and none "
                "beside the strategy."
            )
        outputs, weights, texts = [], None, iter(self._squares() if need_weights else ())
        if need_weights:
            weights = query.new_zeros(self.shape[0], query.shape[1], self.shape[1], self.shape[1])
        parts = (self._texts(x) for x in (query, key, value))
        for (_, length), q, k, v in zip(self.groups, *parts, strict=True):  # (n, H, L, Dh)
            mask = None if self.mask is None else self.mask[:length, :length]
            output, of_group = step(q, k, v, mask, need_weights)
            outputs.append(output.transpose(1, 2).flatten(0, 1))  # (n * L, H, Dh)
            if weights is not None and of_group is not None:
                for of_text in of_group:  # (H, L, L)
                    row, place = next(texts)
                    weights[row, :, place, place] = of_text
        packed = torch.cat(outputs) if outputs else query[0].transpose(0, 1)  # (N, H, Dh)
        return packed.transpose(0, 1)[None], weights  # (1, H, N, Dh)

    def _squares(self) -> list[tuple[int, slice]]:
        """Each text's row in the batch and its places there, in the packed order."""
        lengths = [length for count, length in self.groups for _ in range(count)]
        first = torch.tensor([0, *lengths]).cumsum(0)[
            : len(lengths)
        ]  # of each text, among the packed tokens
        begins = (self.places[first.to(self.places.device)] % self.shape[1]).tolist()
        spans = zip(begins, lengths, strict=True)
        return list(zip(self.rows, (slice(b, b + n) for b, n in spans), strict=True))

    def _texts(self, x: Tensor) -> list[Tensor]:
        """View `(1, H, N, Dh)` as one `(n, H, L, Dh)` for each group, without copying.

        One operation cuts them, so that its gradient is one tensor, laid end to end; each slice's
        would be a whole one that is zero elsewhere, to be added up.
        """
        tokens = x[0].transpose(0, 1)  # (N, H, Dh)
        sizes = [count * length for count, length in self.groups]
        parts = tokens.split_with_sizes(sizes)  # (n * L, H, Dh) each
        return [
            part.reshape(*group, *part.shape[1:]).transpose(1, 2)  # (n, L, H, Dh) -> (n, H, L, Dh)
            for part, group in zip(parts, self.groups, strict=True)
        ]


def pack(padding_mask: Tensor, mask: Tensor | None = None) -> Packing | None:
    """Plan how to pack a batch.

    Args:
        padding_mask: `(B, S)` bool, True at padding, before or after a text but not within.
        mask: what else is blocked, `(S, S)`, for texts that begin at place 0.

    Returns:
        The plan; or None for padding within a text, a text that does not begin at place 0 while
        there is another mask, and padding whose values cannot be read (see `checks.read_bool`) or
        are recorded for other batches to come.

    >>> pack(torch.tensor([[False, True, False]])) is None
    True
    """
    if not _readable(padding_mask):
        return None
    real = ~padding_mask.cpu()
    length = real.shape[1]
    counts = real.sum(dim=1)  # (B,)
    positions = torch.arange(length)
    first = torch.where(real, positions, length).amin(dim=1) if length else counts  # (B,)
    last = torch.where(real, positions, -1).amax(dim=1) if length else counts
    whole = (counts == 0) | (last - first + 1 == counts)
    if not read_bool(whole.all()):
        return None
    if mask is not None and (not _fits_all(mask, length) or first[counts > 0].any()):
        return None
    order = [row for row in counts.argsort(stable=True).tolist() if counts[row] > 0]
    numbers = torch.arange(real.numel()).reshape(real.shape)  # (B, S)
    places = torch.cat([numbers[row][real[row]] for row in order] or [numbers.flatten()[:0]])
    lengths = [int(counts[row]) for row in order]
    groups = tuple((len(list(same)), size) for size, same in groupby(lengths))
    shape = (real.shape[0], length)
    return Packing(shape, places.to(padding_mask.device), tuple(order), groups, mask)


def _fits_all(mask: Tensor, length: int) -> bool:
    """Tell whether a mask is `(S, S)`, or broadcasts to it, and so is the same for all texts."""
    return mask.dim() == 2 and all(size in (1, length) for size in mask.shape)


def _pays(padding_mask: Tensor) -> bool:
    """Tell whether packing pays: on the CPU, from an eighth of padding on."""
    if padding_mask.device.type != "cpu" or not _readable(padding_mask):
        return False
    return bool(read_bool(padding_mask.sum() >= padding_mask.numel() / 8))


def _readable(padding_mask: Tensor) -> bool:
    """Tell whether a plan can be made, and does not have to serve other padding too."""
    traced = torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]
    return has_values(padding_mask) and not traced


def encode_layers(
    layers: Iterable[nn.Module],
    x: Tensor,
    padding_mask: Tensor | None = None,
    mask: Tensor | None = None,
    *,
    packed: bool | None = None,
) -> Tensor:
    """Send embedded tokens through layers, on real tokens only where asked for or faster.

    Args:
        layers: see `stack.run_layers`. The batch is packed only where each `takes_strategy`.
        x: `(B, S, D)`.
        padding_mask: `(B, S)` bool, True at padding; None is no padding.
        mask: what else is blocked, see `Bert.forward`.
        packed: True computes real tokens only, False all of them; None packs on the CPU from an
            eighth of padding on. A batch that `pack` has no plan for is computed padded.

    Returns:
        `(B, S, D)`, the same numbers at real tokens on either path. Rows of padding mean nothing.

    Raises:
        TypeError: an integer mask.
        ValueError: a floating mask of zeros and ones; whatever the layers raise.
    """
    layers, packing = list(layers), None
    if packed is not False and padding_mask is not None and padding_mask.dtype == torch.bool:
        fits = padding_mask.shape == x.shape[:2]  # else the first layer says what is wrong
        can = fits and all(map(takes_strategy, layers))
        packing = pack(padding_mask, mask) if can and (packed or _pays(padding_mask)) else None
    if packing is None:
        return run_layers(layers, x, mask, padding_mask)
    x = packing.pack(x)  # (1, N, D)
    for layer in layers:
        x = layer(x, strategy=packing)  # (1, N, D)
    return packing.unpack(x)  # (B, S, D)
