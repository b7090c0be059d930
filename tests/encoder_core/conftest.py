"""The same random numbers in every run."""

from __future__ import annotations

import pytest
import torch


@pytest.fixture(autouse=True)
def seeded() -> None:
    """Start every test from the same state of torch's generator, in whatever order they run."""
    torch.manual_seed(0)
