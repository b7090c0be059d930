"""What is captured from a notebook's cells is the same function when it is revived elsewhere."""

# ruff: noqa: E501  (each case is a line of cells)

from __future__ import annotations

import inspect
import itertools
import linecache
import subprocess
import sys
import traceback
from typing import Any

import pytest

from course.learner.capture import CannotCapture, capture, revive

_numbers = itertools.count()


def run_cells(*sources: str) -> dict[str, Any]:
    """The globals after these cells were run as IPython runs them."""
    namespace: dict[str, Any] = {"__name__": "__main__", "In": [""]}
    for source in sources:
        filename = f"<cell {next(_numbers)}>"
        lines = [line + "\n" for line in source.splitlines()]
        linecache.cache[filename] = (len(source), None, lines, filename)
        namespace["In"].append(source)
        exec(compile(source, filename, "exec", dont_inherit=True), namespace)
    return namespace


def revived(namespace: dict[str, Any], name: str) -> Any:
    """The function of that name, captured and revived."""
    return revive(capture(namespace[name]), name)


ALIKE = {
    "plain": ("def f(x):\n    return x + 1  # one more", "f(2)"),
    "module": ("import math\ndef f(x):\n    return math.sqrt(x)", "f(2.0)"),
    "module renamed": ("import collections.abc as c\ndef f(x):\n    return isinstance(x, c.Sized)", "f([])"),
    "submodule": ("import xml.dom.minidom\ndef f(x):\n    return xml.dom.minidom.parseString(x).toxml()", "f('<a/>')"),
    "from module": ("from math import sqrt as root\ndef f(x):\n    return root(x)", "f(2.0)"),
    "library class": ("from collections import OrderedDict\ndef f(x):\n    return OrderedDict(x)", "f([(1, 2)])"),
    "typing": ("from typing import Optional\ndef f(x: Optional[int] = None):\n    return x", "f()"),
    "alias of a union": ("M = int | None\ndef f(x: M = None) -> M:\n    return x", "f()"),
    "an odd annotation": ("class S:\n    pass\ns = S()\ndel S\ndef f(x: s):\n    return x", "f(3)"),
    "postponed": ("from __future__ import annotations\ndef f(x: Nowhere):\n    return x", "f(3)"),
    "constants": ("A = 3\nB = (1, [2.5, None], {'k': {4}})\nN = float('-inf')\ndef f():\n    return A, B, N", "f()"),
    "computed constant": ("import sys\nEPS = sys.float_info\ndef f():\n    return EPS.dig", "f()"),
    "helper": ("def g(x):\n    return 2 * x\ndef h(x):\n    return g(x) + 1\ndef f(x):\n    return h(g(x))", "f(5)"),
    "recursion": ("def f(n):\n    return 1 if n == 0 else n * f(n - 1)", "f(5)"),
    "mutual": (
        "def even(n):\n    return n == 0 or odd(n - 1)\ndef odd(n):\n    return n != 0 and even(n - 1)\n"
        "def f(n):\n    return even(n), odd(n)",
        "f(7)",
    ),
    "nested": ("K = 2\ndef f(x):\n    def inner(y):\n        return y * K\n    return inner(x) + 1", "f(5)"),
    "lambda": ("f = lambda x: x * 3", "f(5)"),
    "two lambdas in a line": ("g, f = lambda x: x * 2, lambda x: x * 3", "f(5)"),
    "lambda over lines": ("f = (\n    lambda x, y=1:\n    x * 3 + y\n)", "f(5)"),
    "default": ("DIM = 7\ndef f(x=DIM, *, y=DIM + 1):\n    return x, y", "f()"),
    "comprehension": ("W = 3\ndef f(n):\n    return [W * i for i in range(n)]", "f(4)"),
    "decorator with wraps": (
        "import functools\ndef twice(g):\n    @functools.wraps(g)\n    def both(*a):\n        return g(g(*a))\n"
        "    return both\n@twice\ndef f(x):\n    return x + 3",
        "f(1)",
    ),
    "decorator without wraps": (
        "def twice(g):\n    def both(*a):\n        return g(g(*a))\n    return both\n@twice\ndef f(x):\n    return x + 3",
        "f(1)",
    ),
    "registering decorator": ("seen = []\ndef note(g):\n    return g\n@note\ndef f(x):\n    return x + 3", "f(1)"),
    "cache": ("import functools\n@functools.cache\ndef f(n):\n    return n if n < 2 else f(n - 1) + f(n - 2)", "f(50)"),
    "closure": ("def make(k):\n    def times(x):\n        return k * x\n    return times\nf = make(4)", "f(2)"),
    "closure over function": (
        "def g(x):\n    return x - 1\ndef make(g, k):\n    return lambda x: g(x) * k\nf = make(g, 4)",
        "f(2)",
    ),
    "closure with text": (
        "def make(k):\n    def f(x):\n        return '''a\n    b''' * k\n    return f\nf = make(2)",
        "f(2)",
    ),
    "recursive closure": (
        "def make():\n    def f(n):\n        return 1 if n == 0 else n * f(n - 1)\n    return f\nf = make()",
        "f(5)",
    ),
    "partial": ("import functools\ndef g(x, y, z):\n    return x, y, z\nf = functools.partial(g, 1, z=[3])", "f(2)"),
    "partial of a library function": ("from functools import partial\nf = partial(int, base=2)", "f('101')"),
    "builtin": ("f = sorted", "f([2, 1])"),
    "library function": ("from textwrap import dedent as f", "f('  a')"),
    "shadowed builtin": ("def sum(x):\n    return 0\ndef f(x):\n    return sum(x)", "f([1, 2])"),
    "class": (
        "class Base:\n    def get(self):\n        return self.x\nclass f(Base):\n    scale = 2\n"
        "    def __init__(self, x):\n        super().__init__()\n        self.x = x * self.scale",
        "f(3).get()",
    ),
    "class without methods": ("class E(ValueError):\n    pass\ndef f(x):\n    return E(x).args", "f(3)"),
    "dataclass": (
        "from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\n    y: int = 2\n"
        "def f(x):\n    return repr(P(x))",
        "f(3)",
    ),
    "postponed dataclass": (
        "from __future__ import annotations\nfrom dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\n"
        "    def get(self) -> P:\n        return self\ndef f(x):\n    return P(x).get().x",
        "f(3)",
    ),
    "class method": ("class C:\n    @classmethod\n    def m(cls, x):\n        return cls.__name__, x\nf = C.m", "f(3)"),
    "function attribute": ("def f():\n    return f.k\nf.k = 4", "f()"),
    "global state": ("count = 0\ndef f():\n    global count\n    count += 1\n    return count", "f()"),
    "several names": ("def g(x):\n    return x + 1\nh = g\ndef f(x):\n    return g(x) * h(x)", "f(3)"),
    "unicode": ("λ = 'größe'\ndef f(x):\n    return f'{x} 注意 {λ}'", "f(3)"),
}  # fmt: skip


@pytest.mark.parametrize("case", ALIKE)
def test_the_revived_function_does_what_the_original_did(case: str) -> None:
    source, call = ALIKE[case]
    namespace = run_cells(*source.split("\n\n"))
    text = capture(namespace["f"], "f")
    again = {"f": revive(text, "f")}
    expected = eval(call, namespace)
    assert repr(eval(call, again)) == repr(expected)
    assert capture(again["f"], "f") == text  # once more gives the same text


def test_it_runs_in_another_process() -> None:
    source = "import math\nK = 2\ndef g(x):\n    return math.floor(x) * K\ndef f(x):\n    return g(x) + 1"
    text = capture(run_cells(source)["f"])
    done = subprocess.run(
        [sys.executable, "-c", text + "\nprint(f(3.7))"], capture_output=True, text=True, check=True
    )
    assert done.stdout == "7\n"


def test_comments_and_layout_are_kept() -> None:
    source = 'def f(x: int) -> int:\n    """Says\n\n    much."""\n    # the reason\n    return x  # (B, S)'
    assert capture(run_cells(source)["f"]) == source + "\n"


def test_torch_values_and_functions() -> None:
    torch = pytest.importorskip("torch")
    cells = run_cells(
        "import torch\nimport torch.nn.functional as F\nfrom torch import Tensor, nn",
        "kind, place, table = torch.float64, torch.device('cpu'), torch.tensor([1.5, float('-inf')])",
        "soft = torch.softmax",
        "def f(x: Tensor) -> Tensor:\n    assert place.type == 'cpu'\n"
        "    return F.relu(soft(x.to(kind) + table, -1)) + nn.Parameter(torch.zeros(2))",
        "class C(nn.Module):\n    def forward(self, x):\n        return f(x)",
    )
    x = torch.tensor([0.5, 1.0])
    text = capture(cells["C"])
    assert torch.equal(revive(text, "C")()(x), cells["C"]()(x))
    assert "from torch import Tensor" in text
    assert "from torch import nn" not in text  # nn is a module
    assert capture(torch.softmax) == "from torch import softmax\n"
    assert capture(torch.nn.Linear) == "from torch.nn import Linear\n"
    assert capture(torch.nn.functional.gelu, "g") == "from torch.nn.functional import gelu as g\n"


def test_a_decorator_of_torch() -> None:
    torch = pytest.importorskip("torch")
    cells = run_cells("import torch\n@torch.no_grad()\ndef f(x):\n    return x * 2")
    assert not revived(cells, "f")(torch.ones(2, requires_grad=True)).requires_grad


def test_the_object_given_counts_and_not_the_latest_of_its_name() -> None:
    cells = run_cells("def f(x):\n    return 'first'\nfirst = f", "def f(x):\n    return 'second'")
    assert revive(capture(cells["first"]), "f")(0) == "first"
    assert revive(capture(cells["first"], "g"), "g")(0) == "first"
    assert revived(cells, "f")(0) == "second"


def test_an_earlier_definition_that_is_still_used() -> None:
    cells = run_cells(
        "def f(x):\n    return x + 1\nearlier = f", "def f(x):\n    return earlier(x) * 10"
    )
    assert revived(cells, "f")(1) == 20


def test_a_helper_that_was_changed_since_is_taken_as_it_is_now() -> None:
    cells = run_cells(
        "def g(x):\n    return 1", "def f(x):\n    return g(x)", "def g(x):\n    return 2"
    )
    assert revived(cells, "f")(0) == cells["f"](0) == 2


def test_a_redefined_class_is_the_one_that_was_given() -> None:
    first = "class C:\n    def m(self):\n        return 1\nD = C"
    cells = run_cells(first, "class C:\n    def m(self):\n        return 2")
    assert revive(capture(cells["D"]), "C")().m() == 1


def test_what_use_gave_is_used_again() -> None:
    cells = run_cells("def given(x):\n    return x", "def f(x):\n    return given(x) + 1")
    cells["given"].__course_exercise__ = "attention.softmax"
    cells["given"].__course_source__ = "def given(x):\n    return x\n"
    text = capture(cells["f"])
    assert "from course import use\n" in text
    assert 'given = use("attention.softmax")\n' in text
    assert "def given" not in text
    assert (
        capture(cells["given"]) == cells["given"].__course_source__
    )  # not a text that uses itself


def test_a_cell_with_a_magic_is_found_in_the_history() -> None:
    cells = run_cells("x = 1")
    body = "def f(x):\n    return x + 4\n"
    exec(compile(body, "<timed exec>", "exec", dont_inherit=True), cells)
    cells["In"].append(f"get_ipython().run_cell_magic('time', '', {body!r})")
    assert capture(cells["f"]) == body


def test_the_name_that_the_course_needs() -> None:
    cells = run_cells("def mine(x):\n    return x + 1")
    assert revive(capture(cells["mine"], "f"), "f")(1) == 2
    cells["mine"].__course_source__ = capture(cells["mine"], "f")
    assert capture(cells["mine"], "f") == "def mine(x):\n    return x + 1\n\n\nf = mine\n"
    revived_once = revive(capture(cells["mine"], "f"), "f")
    assert revive(capture(revived_once, "other"), "other")(1) == 2


REFUSED = {
    "object": ("class C:\n    def __call__(self):\n        pass\nf = C()", "is a C, not a function"),
    "bound method": ("class C:\n    def m(self):\n        pass\nf = C().m", "method of an object"),
    "no text": ("exec('def f(x):\\n    return x')", "source of f cannot be found"),
    "a file": ("import sys\nfor out in [sys.stdout]:\n    pass\ndef f():\n    return out", "it uses out"),
    "wrapped later": (
        "import functools\ndef g(x):\n    return x\nf = functools.lru_cache(g)",
        "wrapped after its definition",
    ),
    "method added": ("class f:\n    def m(self):\n        pass\ndef n(self):\n    pass\nf.n = n", "added later"),
    "class inside": ("def make():\n    class C:\n        def m(self):\n            pass\n    return C\nf = make()", "top level"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_captured_is_refused_with_a_reason(case: str) -> None:
    source, reason = REFUSED[case]
    with pytest.raises(CannotCapture, match=reason):
        capture(run_cells(source)["f"], "f")


def test_a_conflict_of_names_never_gives_another_function() -> None:
    cells = run_cells(
        "def g(x):\n    return 1\nearlier = g\ndef h(x):\n    return g(x)",
        "def g(x):\n    return 2\ndef f(x):\n    return h(x), g(x), earlier(x)",
    )
    with pytest.raises(CannotCapture, match="different things called g"):
        capture(cells["f"])


@pytest.mark.parametrize("value", [3, None, "text", [1], object(), ...])
def test_what_is_no_function_is_refused(value: object) -> None:
    with pytest.raises(CannotCapture, match="not a function or class"):
        capture(value, "f")


def test_a_hostile_object_gives_a_reason_and_no_crash() -> None:
    class Hostile:
        def __getattr__(self, name: str) -> object:
            raise RuntimeError("no")

    with pytest.raises(CannotCapture):
        capture(Hostile(), "f")


def test_tracebacks_and_getsource_show_the_answer() -> None:
    text = "def f(x):\n    y = x\n    return y / 0  # the line\n"
    answer = revive(text, "f")
    assert inspect.getsource(answer) == text
    with pytest.raises(ZeroDivisionError) as raised:
        answer(1)
    assert "return y / 0" in "".join(traceback.format_exception(raised.value))


def test_an_answer_without_the_name_is_refused() -> None:
    with pytest.raises(LookupError, match="defines no g"):
        revive("def f():\n    pass\n", "g")


def test_each_revival_has_a_namespace_of_its_own() -> None:
    text = "count = 0\ndef f():\n    global count\n    count += 1\n    return count\n"
    one, other = revive(text, "f"), revive(text, "f")
    assert (one(), one(), other()) == (1, 2, 1)
