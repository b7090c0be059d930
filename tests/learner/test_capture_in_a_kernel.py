"""Capture in a real kernel: what IPython does to cells must not stand in the way."""

# ruff: noqa: E501  (each cell is one line)

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from course.learner.capture import revive

ROOT = Path(__file__).parents[2]
COLAB = ROOT / ".venv-colab" / "bin" / "python"

RUN = """
import json, sys
import nbformat
from nbclient import NotebookClient

cells = [nbformat.v4.new_code_cell(source) for source in json.load(sys.stdin)]
notebook = nbformat.v4.new_notebook(cells=cells)
NotebookClient(notebook, kernel_name="python3", timeout=120).execute()
print("".join(output["text"] for output in notebook.cells[-1].outputs))
"""

CELLS = [
    "import math\nfrom course.learner.capture import CannotCapture, capture",
    "def helper(x):\n    return -x",
    "def softplus(x):\n    # with a comment\n    return math.log1p(math.exp(helper(x)))\nfirst = softplus",
    "def softplus(x):\n    return 'another'",
    "%%time\ndef timed(x):\n    return helper(x) + 1",
    "double = lambda x: 2 * x",
    "class Scale:\n    def __init__(self, k):\n        self.k = k\n    def __call__(self, x):\n        return self.k * double(x)",
    "class Quiet(Exception):\n    pass\n\ndef raising():\n    raise Quiet('shh')",
    "magic = !echo 1\n%precision 3\ndef after_magic(x):\n    return x + 5\n# the end",
    "def helper(x):\n    return x",
    "stream = sys = __import__('sys').stdout\ndef noisy():\n    return stream",
    "import json\n"
    "texts = {name: capture(globals()[name], called) for name, called in "
    "{'first': 'softplus', 'softplus': 'softplus', 'timed': 'timed', 'double': 'double', "
    "'Scale': 'Scale', 'raising': 'raising', 'after_magic': 'after_magic'}.items()}\n"
    "try:\n    capture(noisy)\nexcept CannotCapture as error:\n    texts['noisy'] = str(error)\n"
    "print(json.dumps(texts))",
]  # fmt: skip


@pytest.mark.parametrize(
    "python",
    [
        pytest.param(Path(sys.executable), id="this kernel"),
        pytest.param(COLAB, id="the kernel of Colab", marks=pytest.mark.colab),
    ],
)
def test_functions_of_a_kernel_are_captured(python: Path) -> None:
    if not python.exists():
        pytest.skip("needs .venv-colab, an environment with Colab's versions")
    done = subprocess.run(
        [str(python), "-c", RUN],
        input=json.dumps(CELLS),
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    texts = json.loads(done.stdout)
    assert revive(texts["first"], "softplus")(0.0) == pytest.approx(0.6931471805599453)
    assert "# with a comment" in texts["first"]
    assert revive(texts["softplus"], "softplus")(0.0) == "another"
    assert revive(texts["timed"], "timed")(3) == 4  # with the helper as it is now
    assert revive(texts["double"], "double")(3) == 6
    assert revive(texts["Scale"], "Scale")(2)(3) == 12
    with pytest.raises(Exception, match="shh") as raised:
        revive(texts["raising"], "raising")()
    assert type(raised.value).__name__ == "Quiet"
    assert revive(texts["after_magic"], "after_magic")(1) == 6
    assert "it uses stream" in texts["noisy"]
