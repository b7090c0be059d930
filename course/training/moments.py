"""The weights of earlier moments of a run, thinned so that their number and their bytes stay bounded."""

from __future__ import annotations

import bisect
import copy
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence

from torch import Tensor, nn

from course.training.published import Layout

__all__ = ["Moments", "superfluous"]

MOST = 60
BYTES = 96 * 2**20
_FEWEST = 8  # moments of a model so large that not even these fit into `BYTES`
_EVEN = 0.04  # of the run: the widest gap, so that a moment is within 2 % of every step
_MODELS = 4  # models that are kept ready


def superfluous(steps: Sequence[int]) -> int:
    """Return the index of the moment that is missed least; never the first or the last.

    Of the moments whose removal leaves a gap of at most 4 % of the run, it is the one whose gap is
    smallest beside its distance from the nearer end of the run: gaps grow geometrically away from both
    ends until they are even. With more than 52 moments there is always one; with fewer the gaps stay
    as even as they can.

    Args:
        steps: in rising order, at least 3.
    """
    first, last = steps[0], steps[-1]
    gaps = [after - before for before, after in zip(steps, steps[2:], strict=False)]
    widest = _EVEN * (last - first)
    allowed = [i for i, gap in enumerate(gaps, start=1) if gap <= widest]
    if not allowed:
        return min(range(1, len(steps) - 1), key=lambda i: gaps[i - 1])

    def missed(index: int) -> float:
        step = steps[index]
        return gaps[index - 1] / min(step - first, last - step)

    return min(allowed, key=missed)


class Moments:
    """Moments of one run; safe to use from several threads.

    Args:
        build: makes a model like the one that is trained; called once, when a model is first needed.
    """

    def __init__(self, build: Callable[[], nn.Module]) -> None:
        self._build = build
        self._lock = threading.RLock()
        self._blocks: dict[int, Tensor] = {}  # step -> (size,) of uint8
        self._steps: list[int] = []
        self._template: nn.Module | None = None
        self._layout: Layout | None = None
        self._models: OrderedDict[int, nn.Module] = OrderedDict()

    @property
    def steps(self) -> list[int]:
        """The steps of the moments that are kept, rising."""
        return list(self._steps)

    @property
    def layout(self) -> Layout:
        """Where each weight lies in a moment's block."""
        with self._lock:
            self.template()
            assert self._layout is not None
            return self._layout

    def template(self) -> nn.Module:
        """Return the model as it was before its first update; it must not be changed."""
        with self._lock:
            if self._template is None:
                self._template = self._build()
                state = self._template.state_dict()
                self._layout = Layout.of(state)
                if 0 not in self._blocks:
                    self.add(0, self._layout.pack(state))
            return self._template

    def nearest(self, step: int) -> int:
        """Return the kept step nearest to this one; 0 where none is kept."""
        with self._lock:
            place = bisect.bisect_left(self._steps, step)
            return min(
                self._steps[max(0, place - 1) : place + 1], key=lambda s: abs(s - step), default=0
            )

    def model(self, step: int) -> nn.Module:
        """Return the model of the moment nearest to a step, in eval mode and without gradients.

        It is shared by all that ask for it: look, and change nothing.
        """
        with self._lock:
            template, layout = self.template(), self.layout
            step = self.nearest(step)
            model = self._models.get(step)
            if model is None:
                model = copy.deepcopy(template).requires_grad_(False).eval()
                model.load_state_dict(layout.views(self._blocks[step]))
                self._models[step] = model
                while len(self._models) > _MODELS:
                    self._models.popitem(last=False)
            self._models.move_to_end(step)
            return model

    def load(self, step: int, model: nn.Module) -> None:
        """Give a model of one's own, like `template`, the weights of the moment nearest to a step."""
        with self._lock:
            layout = self.layout
            model.load_state_dict(layout.views(self._blocks[self.nearest(step)]))

    def block(self, step: int) -> Tensor | None:
        """Return the packed weights `(size,)` of a moment; None where it isn't kept."""
        return self._blocks.get(step)

    def add(self, step: int, block: Tensor) -> None:
        """Keep a moment, in the place of an earlier one of the same step, and thin the rest."""
        with self._lock:
            if step not in self._blocks:
                bisect.insort(self._steps, step)
            else:
                self._models.pop(step, None)
            self._blocks[step] = block
            most = max(_FEWEST, min(MOST, BYTES // block.numel()))
            while len(self._steps) > most:
                self._drop(superfluous(self._steps))

    def forget_after(self, step: int) -> None:
        """Drop the moments after a step, which the run will make again."""
        with self._lock:
            while self._steps and self._steps[-1] > step:
                self._drop(len(self._steps) - 1)

    def _drop(self, index: int) -> None:
        step = self._steps.pop(index)
        self._blocks.pop(step, None)
        self._models.pop(step, None)
