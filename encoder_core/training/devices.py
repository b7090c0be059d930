"""Choose the device and the precision.

Source: Micikevicius et al. 2018, "Mixed Precision Training" (float16 needs loss scaling; bfloat16,
with float32's range, does not).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Literal, get_args

import torch
from torch import Tensor

__all__ = ["Precision", "choose_device", "choose_precision", "to_device"]

Precision = Literal["auto", "float32", "bfloat16", "float16"]


def choose_device(device: str | torch.device = "auto") -> torch.device:
    """Return CUDA, else Apple's MPS, else the CPU for `"auto"`; otherwise the named device.

    Under torchrun, `"auto"` returns the CUDA device of the process's local rank. Raises RuntimeError,
    from torch, for an unknown name.
    """
    if str(device) != "auto":
        return torch.device(device)
    if torch.cuda.is_available():
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def choose_precision(device: torch.device, precision: Precision = "auto") -> torch.dtype:
    """Return the dtype for autocast; float32 means no autocast.

    `"auto"` is bfloat16 on GPUs that have it in hardware, float16 (with loss scaling) on older ones,
    and float32 on the CPU and MPS, where mixed precision rarely helps small models. Raises ValueError
    for another word, or for float16 without CUDA, which is not supported.
    """
    if precision not in get_args(Precision):
        raise ValueError(
            f"precision must be one of {', '.join(get_args(Precision))}; got {precision!r}."
        )
    if precision == "auto":
        if device.type != "cuda":
            return torch.float32
        native = torch.cuda.is_bf16_supported(including_emulation=False)
        return torch.bfloat16 if native else torch.float16
    if precision == "float16" and device.type != "cuda":
        raise ValueError(
            f"Training in float16 needs CUDA; on {device.type} use 'bfloat16' or 'float32'."
        )
    return {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}[
        precision
    ]


def to_device(batch: Any, device: torch.device) -> Any:
    """Move the tensors in nested tuples, lists and mappings to a device.

    Mappings become dicts; named tuples keep their type. Everything else is returned unchanged.

    >>> to_device({"ids": torch.ones(2), "text": "a b"}, torch.device("cpu"))
    {'ids': tensor([1., 1.]), 'text': 'a b'}
    """
    if isinstance(batch, Tensor):
        return batch.to(device, non_blocking=True)
    if isinstance(batch, Mapping):
        return {key: to_device(value, device) for key, value in batch.items()}
    if isinstance(batch, tuple) and hasattr(batch, "_fields"):
        return type(batch)(*(to_device(value, device) for value in batch))
    if isinstance(batch, (list, tuple)):
        return type(batch)(to_device(value, device) for value in batch)
    return batch
