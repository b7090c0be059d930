"""A generator of a training's own for everything that draws on the CPU, in the training's thread.

torch has one default generator for all threads, so the draws of another thread would change those of
a training, and the reverse. Inside `own_generator` each operation that would draw from it gets
another generator instead: `torch.rand`, `nn.Dropout`, the dropout inside of
`F.scaled_dot_product_attention` and what libraries draw. It works below Python, in torch's dispatcher:
a dispatch key that torch leaves unused is switched on for the current thread, and the drawing
operations have a kernel for it that passes the generator on. All other operations skip the key and
cost nothing more.

The key and the guards that switch it on are torch's private names. Where a version of torch lacks one,
the default generator takes the own one's state for the length of the block. The blocks of several
threads then wait for one another, and a thread outside of any block draws from the same generator.

Sources: the PyTorch wiki, "PyTorch dispatcher walkthrough"; `torch.library.Library.impl` and
`fallback`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

__all__ = ["DRAWING", "own_generator"]

# The operations whose CPU kernel draws; all others that are random call one of these.
DRAWING = (
    "_sample_dirichlet", "_standard_gamma", "bernoulli.out", "bernoulli_.Tensor",
    "bernoulli_.float", "binomial", "cauchy_", "exponential_", "geometric_", "log_normal_",
    "multinomial", "multinomial.out", "normal.Tensor_Tensor", "normal.Tensor_Tensor_out",
    "normal.Tensor_float", "normal.Tensor_float_out", "normal.float_Tensor",
    "normal.float_Tensor_out", "normal_", "poisson", "random_", "random_.from", "random_.to",
    "randperm.generator_out", "rrelu_with_noise", "rrelu_with_noise.out", "rrelu_with_noise_",
    "uniform_",
)  # fmt: skip
_KEY_NAME = "TESTING_ONLY_GenericMode"  # unused outside of torch's own C++ tests

_current = threading.local()  # .generator: this thread's, inside of own_generator
_libraries: list[torch.library.Library] = []  # kernels live as long as their library
_installing = threading.Lock()
_key: Any = None
_borrowing = (
    threading.RLock()
)  # one block at a time takes torch's own generator; blocks may be nested


@contextmanager
def own_generator(generator: torch.Generator) -> Iterator[None]:
    """Draw on the CPU, in this thread, from `generator` wherever none is named.

    `torch.manual_seed` and the states that `torch.get_rng_state` returns are those of `generator` too,
    as `torch.utils.checkpoint` needs it. Blocks may be nested.

    >>> before = torch.get_rng_state()
    >>> with own_generator(torch.Generator().manual_seed(3)):
    ...     one = torch.nn.functional.dropout(torch.ones(9))
    >>> torch.equal(before, torch.get_rng_state())
    True
    >>> one.equal(torch.nn.functional.dropout(torch.ones(9))) if torch.manual_seed(3) else None
    True
    """
    try:
        key = _install()
    except (AttributeError, RuntimeError):  # this torch names them otherwise
        key = None
    with _borrowed_default(generator) if key is None else _switched_on(key, generator):
        yield


@contextmanager
def _switched_on(key: Any, generator: torch.Generator) -> Iterator[None]:
    outer = getattr(_current, "generator", None)
    _current.generator = generator
    try:
        with torch._C._IncludeDispatchKeyGuard(key):
            yield
    finally:
        _current.generator = outer


@contextmanager
def _borrowed_default(generator: torch.Generator) -> Iterator[None]:
    """Let torch's default generator take the state of `generator`, and give both back afterwards."""
    with _borrowing:
        before = torch.get_rng_state()
        torch.set_rng_state(generator.get_state())
        try:
            yield
        finally:
            generator.set_state(torch.get_rng_state())
            torch.set_rng_state(before)


def _install() -> Any:
    """Register the kernels, once in a process; return the key that switches them on.

    Raises AttributeError or RuntimeError, and registers nothing, where torch lacks what it takes.
    """
    global _key
    with _installing:
        if _key is None:
            library: Any = torch.library  # without types
            key: Any = torch._C._parse_dispatch_key(_KEY_NAME)
            made = [(name, _with_generator(name, torch._C.DispatchKeySet(key))) for name in DRAWING]
            for guard in ("_IncludeDispatchKeyGuard", "_ExcludeDispatchKeyGuard"):
                getattr(torch._C, guard)  # which a block and its kernels will need
            skip, kernels = library.Library("_", "IMPL"), library.Library("aten", "IMPL")
            skip.fallback(library.fallthrough_kernel, _KEY_NAME)
            for name, kernel in made:
                kernels.impl(name, kernel, _KEY_NAME)
            _libraries.extend((skip, kernels))
            random: Any = torch.random
            random.default_generator = _OfThisThread(torch.default_generator)
            _key = key
    return _key


def _with_generator(name: str, keys: Any) -> Callable[..., Any]:
    """Return a kernel that calls an operation with this thread's generator, where it names none."""
    packet, _, overload = name.partition(".")
    operation = getattr(getattr(torch.ops.aten, packet), overload or "default")

    def kernel(*args: Any, **named: Any) -> Any:
        generator = named.get("generator") or next(
            (value for value in args if isinstance(value, torch.Generator)), None
        )
        tensors = [value for value in (*args, *named.values()) if isinstance(value, Tensor)]
        if generator is None and tensors[0].device.type == "cpu":
            named["generator"] = getattr(_current, "generator", None)
        with torch._C._ExcludeDispatchKeyGuard(keys):
            return operation(*args, **named)

    return kernel


class _OfThisThread:
    """Stands for torch's default generator in `torch.random`: this thread's own, if it has one."""

    def __init__(self, default: torch.Generator) -> None:
        self._default = default

    def __getattr__(self, name: str) -> Any:
        own = getattr(_current, "generator", None)
        return getattr(self._default if own is None else own, name)
