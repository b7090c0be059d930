"""The same random numbers in every run, and no time limits inside of property tests."""

from __future__ import annotations

import pytest
import torch
from hypothesis import settings

settings.register_profile("encoder_core", deadline=None, max_examples=40, derandomize=True)
settings.load_profile("encoder_core")


@pytest.fixture(autouse=True)
def seeded() -> None:
    """Start every test from the same state of torch's generator, in whatever order they run."""
    torch.manual_seed(0)
