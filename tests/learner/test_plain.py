"""What a passed answer uses is read in the kernel only where reading runs no code of its own."""

from pathlib import Path

import pytest

from course.learner.capture import NotPlain, capture
from course.learner.plain import require_plain
from tests.learner.test_capture import ALIKE, run_cells

SAVED = sorted(Path(__file__).with_name("saved_answers").glob("*/*.py"))
OBJECTS = {  # cases that use an object of a class, if only one of Python's own
    "an odd annotation",
    "typing",
    "alias of a union",
    "computed constant",
}

ODD = """\
RUN = []
class Odd:
    def __init__(self): pass
    def __getattribute__(self, name):
        RUN.append(name)
        raise AttributeError(name)
    def __getattr__(self, name):
        RUN.append(name)
        raise AttributeError(name)
    def __get__(self, obj, kind=None):
        RUN.append("__get__")
        return "text"
    def __eq__(self, other):
        RUN.append("__eq__")
        return True
    def __hash__(self): return 1
    def __bool__(self):
        RUN.append("__bool__")
        return True
    def __repr__(self):
        RUN.append("__repr__")
        return "odd"
    def __iter__(self):
        RUN.append("__iter__")
        return iter([])
    def __call__(self, *args): return 1
class Meta(type):
    def __getattribute__(cls, name):
        RUN.append(name)
        return type.__getattribute__(cls, name)
class Words(dict):
    def items(self):
        RUN.append("items")
        return super().items()
odd = Odd()
RUN.clear()
"""
READ_IN_A_CHILD = {
    "the answer itself": "f = odd",
    "a global": "def f(x): return odd",
    "a global of a helper": "def g(x): return odd\ndef f(x): return g(x)",
    "a variable of a closure": "def make(kept):\n    def f(x): return kept\n    return f\nf = make(odd)",
    "in a list": "KEPT = [1, (2, [odd])]\ndef f(x): return KEPT",
    "in a set, whose items are sorted": "KEPT = {2, odd}\ndef f(x): return KEPT",
    "a key": "KEPT = {odd: 1}\ndef f(x): return KEPT",
    "a subclass of dict": "KEPT = Words(a=1)\ndef f(x): return KEPT",
    "in a partial": "import functools\ndef g(a, x): return a\nf = functools.partial(g, odd)",
    "what a partial calls": "import functools\nf = functools.partial(odd, 1)",
    "on the function": "def f(x): return x\nf.kept = odd",
    "the module's name": "def f(x): return x\nf.__module__ = odd",
    "under a mark of the course": "def f(x): return x\nf.__course_source__ = odd",
    "an exercise's mark": "def f(x): return x\nf.__course_exercise__ = odd",
    "what is wrapped": "def f(x): return x\nf.__wrapped__ = odd",
    "a class's module": "class f:\n    __module__ = odd",
    "an attribute of a class that is asked for": "class f:\n    __course_exercise__ = odd\nRUN.clear()",
    "a base class of that kind": "class g:\n    __wrapped__ = odd\nclass f(g): pass\nRUN.clear()",
    "the class of a class": "class f(metaclass=Meta): pass\nRUN.clear()",
    "a method of an object": "f = Words().get",
    "a bound method": "class K:\n    def f(self, x): return x\nf = K().f",
    "the globals' loader": "def f(x): return x\n__loader__ = odd",
    "the globals' mark": "def f(x): return x\n__captured_source__ = odd",
    "a long list": "KEPT = list(range(100_000))\ndef f(x): return KEPT",
    "a large tensor": "import torch\nKEPT = torch.zeros(200, 200)\ndef f(x): return KEPT",
    "a tensor of another kind": "import torch\nKEPT = torch.nn.Parameter(torch.ones(2))\ndef f(x): return KEPT",
}


@pytest.mark.parametrize("path", SAVED, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_right_answers_are_read_in_the_kernel(path, course_home, capsys):
    name = path.parent.name.partition(".")[2]
    function = run_cells(path.read_text(encoding="utf-8"))[name]
    assert capture(function, name, careful=True) == capture(function, name)


@pytest.mark.parametrize("name", sorted(set(ALIKE) - OBJECTS))
def test_so_is_what_uses_functions_classes_modules_and_constants(name):
    function = run_cells(ALIKE[name][0])["f"]
    assert capture(function, "f", careful=True) == capture(function, "f")


@pytest.mark.parametrize("name", READ_IN_A_CHILD)
def test_what_may_run_its_own_code_is_not_read(name):
    namespace = run_cells(ODD, READ_IN_A_CHILD[name])
    with pytest.raises(NotPlain):
        capture(namespace["f"], "f", careful=True)
    assert namespace["RUN"] == []


def test_a_list_that_holds_itself_comes_to_an_end():
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(NotPlain):
        require_plain(endless)
