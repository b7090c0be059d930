"""What sees every operation of an answer while it runs."""

from __future__ import annotations

from torch.utils._python_dispatch import TorchDispatchMode


class Watching(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """A dispatch mode that doesn't import torch's compiler, which takes seconds, at its first operation.

    A subclass defines `__torch_dispatch__`.
    """

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # else torch wraps `__torch_dispatch__` in something of the compiler's
