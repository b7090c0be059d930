"""A chapter's run notices what a notebook's would: cells that raise, what no message can hold, and requests."""

from __future__ import annotations

import socket

import pytest

from course.content import manuscript
from tests.content import cells


def ran(*sources: str) -> list[cells.Ran]:
    made = [
        manuscript.Cell("code", f"cell-{place}", (), None, source)
        for place, source in enumerate(sources)
    ]
    return list(cells.run_cells("00_start_here", made, own=("softmax",)))


def test_names_and_lines_are_kept_and_the_chapter_s_own_answers_stand() -> None:
    first, second = ran(
        "def softmax(): return 'own'",
        "check('a.b', softmax)\nsoftmax = use('a.b')\nprint(softmax(), 1)",
    )
    assert (first.id, second.id) == ("cell-0", "cell-1")
    assert second.printed == ["own 1"]


@pytest.mark.parametrize("source", ["1 / 0", "x = 1 / 0", "for _ in 'a':\n    1 / 0"])
def test_a_cell_that_raises_is_noticed(source: str) -> None:
    with pytest.raises(ZeroDivisionError):
        ran("x = 1", source)


@pytest.mark.parametrize("name", ["_repr_html_", "_repr_mimebundle_", "__repr__"])
def test_a_value_that_cannot_be_shown_is_noticed(name: str) -> None:
    shown = f"class Shown:\n    def {name}(self):\n        return 1 / 0\n"
    assert len(ran(shown + "value = Shown()")) == 1
    with pytest.raises(ZeroDivisionError):
        ran(shown + "Shown()")


def test_what_is_shown_must_fit_a_message() -> None:
    shown = (
        "class Shown:\n    def _repr_mimebundle_(self):\n        return {'text/plain': object()}\n"
    )
    with pytest.raises(ValueError, match="JSON"):
        ran(shown + "Shown()")


def test_what_a_widget_sends_must_fit_a_message() -> None:
    widget = "from ipywidgets import DOMWidget\nfrom traitlets import Any\nclass Lab(DOMWidget):\n"
    assert len(ran(f"{widget}    value = Any(1).tag(sync=True)\nLab()")) == 1
    with pytest.raises(ValueError, match="JSON"):
        ran(f"{widget}    value = Any(object()).tag(sync=True)\nLab()")


@pytest.mark.parametrize("otherwise", ["raise", "pass"])
def test_a_request_that_leaves_the_machine_is_noticed_whoever_catches_it(otherwise: str) -> None:
    ask = "import socket\ntry:\n    socket.getaddrinfo('192.0.2.7', 80)\nexcept OSError:\n    "
    with pytest.raises((OSError, AssertionError), match=r"no network|have left the machine"):
        ran(ask + otherwise)
    assert len(ran("import socket\nsocket.getaddrinfo('localhost', 80)")) == 1
    assert socket.getaddrinfo("127.0.0.1", 80), "allowed again"
