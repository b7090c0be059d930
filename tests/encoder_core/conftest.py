"""The same random numbers, and a compiler that remembers nothing, in every test."""

from __future__ import annotations

import sys

import pytest
import torch


@pytest.fixture(autouse=True)
def seeded() -> None:
    """Start every test from the same state of torch's generator and compiler, in whatever order they run.

    The compiler remembers functions that it could not take whole, and another test's model calls them too.
    """
    torch.manual_seed(0)
    if "torch._dynamo" in sys.modules:
        torch._dynamo.reset()
