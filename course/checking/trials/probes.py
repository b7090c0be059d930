"""Every way in which one case is tried: dtypes, memory layouts, gradients, devices, repetition.

A probe is a case and a mode. The exercise writes its cases once, in float64; from each this module
makes the probes that the catalogue's conventions ask for.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from course.checking.exercise import Case, Exercise

FULL = (torch.float64, torch.float32)
HALF = (torch.bfloat16, torch.float16)


@dataclass(frozen=True)
class Probe:
    """One case, tried in one way."""

    case: Case
    dtype: torch.dtype = torch.float64
    mode: str = "plain"  # plain | strided | gradient | again | host | cuda
    random: bool = False  # torch's generator is seeded before the call
    harness: Callable[[Any], Callable[..., Any]] | None = None

    def callable(self, submission: Callable[..., Any]) -> Callable[..., Any]:
        """What takes the arguments: the submission, or what the exercise makes of it."""
        return submission if self.harness is None else self.harness(submission)

    @property
    def half(self) -> bool:
        """Whether it runs in half precision, where only coarse agreement can be asked for."""
        return self.dtype in HALF

    @property
    def tags(self) -> frozenset[str]:
        """The case's tags and the ones that this way of trying it adds."""
        own = {"strided": "non-contiguous inputs", "gradient": "gradients", "cuda": "CUDA tensors"}
        extra = {own[self.mode]} if self.mode in own else set()
        return self.case.tags | extra | {str(self.dtype).removeprefix("torch.")}

    def arguments(self, args: tuple[Any, ...] | None = None) -> tuple[Any, ...]:
        """Fresh arguments: a submission may do what it likes to them."""
        return tuple(self._prepared(arg) for arg in (self.case.args if args is None else args))

    def exact(self) -> tuple[Any, ...]:
        """The same values in float64, for the reference's result."""
        return tuple(map(_doubled, self.arguments()))

    def _prepared(self, arg: Any) -> Any:
        if not isinstance(arg, Tensor):
            return _each(arg, self._prepared)
        floating = arg.is_floating_point()
        arg = arg.to(self.dtype) if floating else arg
        arg = strided(arg) if self.mode == "strided" else arg.clone()
        if self.mode == "cuda":
            arg = arg.cuda()
        return arg.requires_grad_() if floating and self.mode == "gradient" else arg


def _each(arg: Any, change: Callable[[Any], Any]) -> Any:
    """A copy of plain data, so that a submission cannot change the case; its parts changed."""
    if isinstance(arg, list | tuple):
        return type(arg)(map(change, arg))
    if isinstance(arg, dict):
        return {name: change(part) for name, part in arg.items()}
    return arg.copy() if isinstance(arg, set) else arg


def _doubled(arg: Any) -> Any:
    if not isinstance(arg, Tensor):
        return _each(arg, _doubled)
    return arg.detach().cpu().double() if arg.is_floating_point() else arg.clone()


def tensors(arg: Any) -> Iterator[Tensor]:
    """The tensors in an argument, be they in a list or a dict."""
    if isinstance(arg, Tensor):
        yield arg
    elif isinstance(arg, list | tuple):
        yield from itertools.chain.from_iterable(map(tensors, arg))
    elif isinstance(arg, dict):
        yield from tensors(list(arg.values()))


def strided(tensor: Tensor) -> Tensor:
    """The same values in memory that is neither contiguous nor begins at the storage's start."""
    if tensor.dim() == 0:
        return tensor.clone()
    backwards = tuple(reversed(range(tensor.dim())))
    turned = tensor.permute(backwards)  # axes in reverse order
    roomy = turned.new_zeros((turned.shape[0] + 1, *turned.shape[1:]))
    if tensor.is_floating_point():
        roomy += 7.25  # what lies around must not matter
    roomy[1:] = turned
    return roomy[1:].permute(backwards)  # the tensor's own axes, strides in reverse order


def probes(exercise: Exercise, seed: int = 0) -> Iterator[Probe]:
    """All probes of an exercise, the plainest first."""
    for probe in _probes(exercise.cases(seed), exercise.random):
        yield replace(probe, random=exercise.random, harness=exercise.harness)


def _probes(cases: list[Case], random: bool) -> Iterator[Probe]:
    for dtype in FULL if any(map(_has_floats, cases)) else FULL[:1]:
        yield from (
            Probe(case, dtype)
            for case in cases
            if _suits(case, dtype) and (dtype is FULL[0] or _has_floats(case))
        )
    usual = [case for case in cases if case.raises is None and _suits(case, torch.float64)]
    with_tensors = [case for case in usual if _has_tensors(case)]
    yield from (Probe(case, mode="strided") for case in with_tensors)
    yield from (
        Probe(case, mode="gradient") for case in usual if case.differentiable and _has_floats(case)
    )
    drawn = [case for case in usual if case.summary is not None]
    yield Probe(max(drawn if random and drawn else usual, key=_size), mode="again")
    yield from (Probe(case, mode="host") for case in with_tensors)
    for dtype in HALF:
        yield from (
            Probe(case, dtype)
            for case in cases
            if case.raises is None and _has_floats(case) and _suits(case, dtype)
        )
    if torch.cuda.is_available():
        yield from (Probe(case, mode="cuda") for case in with_tensors)


def _suits(case: Case, dtype: torch.dtype) -> bool:
    return not case.dtypes or str(dtype).removeprefix("torch.") in case.dtypes


def _has_tensors(case: Case) -> bool:
    return any(True for _ in tensors(case.args))


def _has_floats(case: Case) -> bool:
    return any(tensor.is_floating_point() for tensor in tensors(case.args))


def _size(case: Case) -> int:
    return sum(tensor.numel() for tensor in tensors(case.args))
