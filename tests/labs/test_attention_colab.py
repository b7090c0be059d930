"""The attention lab under Colab's versions: ipywidgets 7.7.1, IPython 7.34, anywidget 0.9.21."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.colab]

CONVERSATION = """
import json
import sys
import ipywidgets, IPython, anywidget
sys.path.insert(0, FOLDER)
from front import Front

print(ipywidgets.__version__, IPython.__version__)
front = Front(labs.AttentionLab(encoder="fresh", heads=8, d_model=256))
json.dumps(front.lab.get_state())  # nothing but text is sent when a widget is made
front.ready()
print(front.drawn())
print(front.move(temperature=0.5)["drawn"], front.size < 20_000)
print(front.move(heads=3)["notice"])
print(front.move(encoder="pretrained", heads=8)["summary"].split(".")[0])
print(front.weights()[8, 1].round(2))
front.gone()
front.lab.close()
"""


def texts(cell: Any) -> str:
    return "".join(output.get("text", "") for output in cell.outputs)


def test_the_lab_talks_as_it_does_elsewhere(run_in_colab: Any) -> None:
    conversation = CONVERSATION.replace("FOLDER", repr(str(Path(__file__).parent)))
    shown, talked = run_in_colab(["from course import labs\nlabs.AttentionLab()", conversation])
    still, live = shown.outputs
    # What stands in the live view's place where there is no front end, and the live view.
    assert set(still.data) == {"text/plain", "text/html", "image/svg+xml", "image/png"}
    assert set(live.data) == {"application/vnd.jupyter.widget-view+json"}
    assert "looks most at “anna” (0.41)" in still.data["text/plain"]
    assert texts(talked).splitlines() == [
        "7.7.1 7.34.0",
        "['heads', 'weights', 'flow', 'row', 'values']",
        "2 True",
        "d_model = 256 is not divisible by 3 heads: each head works on an equal share of the "
        "vector. The nearest d_model that fits is 255. Until then the last value that fits holds.",
        "Layer 1, head 3: “her” (position 8) looks most at “anna” (0",
        "0.74",  # 0.41 at temperature 1
    ]
