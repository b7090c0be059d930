"""The labs of chapter 01 under Colab's versions: ipywidgets 7.7.1, IPython 7.34."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.colab]

CONVERSATION = """
import json
import sys
sys.path.insert(0, FOLDER)
from front import Front

for lab, change in [
    (labs.TokenizerLab(text="the 雪"), {"step": 0}),
    (labs.PositionLab(length=16), {"kind": "rotary"}),
    (labs.EmbeddingLab(), {"word": "monday"}),
]:
    front = Front(lab)
    json.dumps(lab.get_state())  # nothing but text is sent when a widget is made
    front.ready()
    print(len(front.drawn()), front.move(**change)["summary"].split(";")[0].split(",")[0])
    front.gone()
    lab.close()
"""


def texts(cell: Any) -> str:
    return "".join(output.get("text", "") for output in cell.outputs)


def test_the_labs_talk_as_they_do_elsewhere(run_in_colab: Any) -> None:
    conversation = CONVERSATION.replace("FOLDER", repr(str(Path(__file__).parent)))
    cells = ["labs.TokenizerLab()", "labs.PositionLab()", "labs.EmbeddingLab()", conversation]
    *shown, talked = run_in_colab([f"from course import labs\n{cell}" for cell in cells])
    for cell in shown:
        still, live = cell.outputs
        # What stands in the live view's place where there is no front end, and the live view.
        assert set(still.data) == {"text/plain", "text/html", "image/svg+xml"}
        assert set(live.data) == {"application/vnd.jupyter.widget-view+json"}
    assert texts(talked).splitlines() == [
        "4 WordPiece trained on Python's documentation",
        "5 Positions 8 and 15 are 7 apart",
        "4 Nearest to “monday”: tuesday (0.75)",
    ]
