"""The stack lab and the shape tracer under Colab's versions of ipywidgets, IPython and anywidget."""

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

front = Front(labs.StackLab(depth=3))
json.dumps(front.lab.get_state())  # nothing but text is sent when a widget is made
front.ready()
print(front.drawn(), front.size < 20_000)
print(front.move(residual=False)["drawn"], front.move(heads=5)["notice"].split(":")[0])
front.lab.close()
front = Front(labs.ShapeTracer(encoder="fresh", layers=1)).ready()
print(front.drawn())
front.move(step=13)
print(front.drawn(), front.panels["steps"]["code"][0]["text"][:25])
front.lab.close()
"""
STILL = {"text/plain", "text/html", "image/svg+xml", "image/png"}
LIVE = {"application/vnd.jupyter.widget-view+json"}


def test_the_labs_talk_as_they_do_elsewhere(run_in_colab: Any) -> None:
    conversation = CONVERSATION.replace("FOLDER", repr(str(Path(__file__).parent)))
    stack, shapes, talked = run_in_colab(
        ["from course import labs\nlabs.StackLab()", "labs.ShapeTracer()", conversation]
    )
    for cell in (stack, shapes):
        assert [set(output.data) for output in cell.outputs] == [STILL, LIVE]
    assert "12 layers, d_model 64" in stack.outputs[0].data["text/plain"]
    assert "A batch of 2 through MiniLM" in shapes.outputs[0].data["text/plain"]
    assert "".join(output.get("text", "") for output in talked.outputs).splitlines() == [
        "['gradients', 'similarity', 'norms', 'cosines'] True",
        "2 d_model = 64 is not divisible by 5 heads",
        "['journey', 'steps', 'pieces']",
        "['journey', 'steps', 'before', 'after'] return (query / math.sqrt",
    ]
