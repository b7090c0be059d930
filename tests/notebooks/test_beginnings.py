"""Each training of the chapters begins with the losses that it began with when its figures were recorded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.notebooks import beginnings
from tests.notebooks.trained import FEW

pytestmark = pytest.mark.slow

# Other instructions of a processor add in another order: over eight updates 2e-5 were seen with AdamW. Muon's
# products are in bfloat16, whose numbers lie 2**-8 apart: 1.4e-3 were seen.
TOLERANCE = {"adamw": 1e-3, "muon": 2**-8}


def test_the_first_updates_have_the_losses_that_were_kept(rehearsed: Path) -> None:
    kept, found = json.loads(beginnings.FILE.read_text()), beginnings.read(rehearsed)
    assert found.keys() == kept.keys(), (
        "make beginnings.json anew, if a training was added on purpose"
    )
    for name, began in found.items():
        assert len(began["losses"]) == FEW
        assert began["losses"] == pytest.approx(
            kept[name]["losses"], rel=TOLERANCE[began["optimizer"]]
        ), f"{name}: another beginning; what is recorded of it may be of another training"


def test_other_positions_begin_otherwise() -> None:
    """The tolerance tells models apart that differ in their positions alone."""
    kept = json.loads(beginnings.FILE.read_text())
    names = ("none, 400", "learned, 400", "sinusoidal, 400", "relative, 4500")
    kinds = [kept[f"bert.masked_words, {name}"]["losses"] for name in names]
    for place, one in enumerate(kinds):
        assert all(one != pytest.approx(other, rel=2**-8) for other in kinds[:place])
