"""Where to compute and in which precision: what there is, and what helps.

Many processes are started by `torchrun`; see `encoder_core.training.distributed`.

Source: Micikevicius et al. 2018, "Mixed Precision Training" (why float16 needs loss scaling and
bfloat16, with float32's range, does not).
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
    """Pick CUDA where there is one, else Apple's MPS, else the CPU; or take what was named.

    Under torchrun each process gets the CUDA device of its local rank.

    Args:
        device: `"auto"` or a device.

    Returns:
        The device.

    Raises:
        RuntimeError: the name is none that torch knows.

    >>> choose_device("cpu")
    device(type='cpu')
    """
    if str(device) != "auto":
        return torch.device(device)
    if torch.cuda.is_available():
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def choose_precision(device: torch.device, precision: Precision = "auto") -> torch.dtype:
    """Say in which dtype matrix products should run.

    `"auto"` is bfloat16 on GPUs that have it in hardware, float16 (with loss scaling) on older
    ones, and float32 on the CPU and on MPS, where mixed precision rarely helps small models.

    Args:
        device: where the model is.
        precision: `"auto"`, `"float32"`, `"bfloat16"` or `"float16"`.

    Returns:
        The dtype for autocast; float32 means that there is none.

    Raises:
        ValueError: another word, or float16 anywhere but on CUDA, where the gradients' scaling is
            not to be had.

    >>> choose_precision(torch.device("cpu"))
    torch.float32
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
    """Move every tensor in a batch of tuples, lists and dictionaries; leave the rest as it is.

    Args:
        batch: tensors, nested in tuples (named ones too), lists and mappings, or anything.
        device: where to.

    Returns:
        The same nesting.

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
