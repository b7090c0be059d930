"""Whatever an answer does, there is a report, the next right answer passes, and this process lives on."""

import os
import sys
import threading

import pytest
import torch

from course.checking import answers, check
from course.sandbox import guards, isolated, settings
from tests.checking.hostile import HANGS, HOSTILE, made
from tests.sampled import sampled, thinned

if not isolated.possible():
    pytest.skip("answers run in this process here", allow_module_level=True)


@pytest.fixture(autouse=True)
def impatient(monkeypatch, request):
    """Shorter limits for what never ends, so that the tests don't wait; the rest has all its time.

    What is asserted is what is said, and that it is.
    """
    if getattr(request.node, "callspec", None) and request.node.callspec.params["name"] in HANGS:
        monkeypatch.setattr(guards, "SECONDS", 0.5)
        monkeypatch.setattr(isolated, "GRACE", 0.2)
    monkeypatch.setattr(isolated, "MEMORY", 3 << 30)
    yield
    answers.forget()


def test_there_are_enough_of_them():
    assert len(HOSTILE) >= 94


# One of each kind of hang on every day; the others wait for the slow tests.
_DAILY = {
    "swallows everything while it sleeps",
    "one long call",
    "ignores the alarm",
    "stops itself",
}
_ALL = [
    *(pytest.param(name, marks=[pytest.mark.slow] * (name not in _DAILY)) for name in HANGS),
    *sampled(thinned((name for name in HOSTILE if name not in HANGS), 2), every=6),
]


@pytest.mark.parametrize("name", _ALL)
def test_it_is_told_and_nothing_is_left_of_it(name):
    source, words = HOSTILE[name]
    before, threads, pid = settings._read(), threading.active_count(), os.getpid()
    modules = sys.modules.copy()
    report = check("attention.softmax", made(source)["softmax"])
    assert words in report.message
    assert len(report.message) < 20000
    report._repr_html_()
    assert os.getpid() == pid
    assert settings._read() == before
    assert threading.active_count() == threads
    assert modules.keys() <= sys.modules.keys()
    # That the next right answer passes is seen in a kernel, and once here, after all of them.


def test_the_next_right_answer_passes():
    assert check("attention.softmax", made("")["right"]).passed


@pytest.mark.slow
@pytest.mark.parametrize("name", HANGS)
def test_a_hang_leaves_no_process(name):
    """All that it started ends with it."""
    if "process" not in name and "child" not in name:
        return
    before = _children()  # of other tests, as multiprocessing's own helper
    check("attention.softmax", made(HANGS[name][0])["softmax"])
    assert _children() - before == set()


def _children():
    return {pid for pid in filter(str.isdigit, os.listdir("/proc")) if _parent(pid) == os.getpid()}


def _parent(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return int(file.read().rpartition(")")[2].split()[1])
    except OSError:
        return None


def test_the_parent_s_many_threads_do_not_hang_the_child():
    """Pools of threads don't survive a fork: after much work in parallel here, all works there."""
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    try:
        x = torch.randn(600, 600, requires_grad=True)
        (x @ x).sin().sum().backward()
        torch.nn.functional.conv1d(torch.randn(8, 16, 500), torch.randn(32, 16, 3))
        right = made("")["right"]

        def through_everything(x, dim):
            with torch.enable_grad():
                w = torch.randn(300, 300, requires_grad=True, device=x.device)
                (w @ w).softmax(-1).sum().backward()
                torch.nn.functional.conv1d(w[:16], w[:32, :16, None])
                w.bfloat16() @ w.bfloat16()
            return right(x, dim)

        assert check("attention.softmax", through_everything).passed
    finally:
        torch.set_num_threads(before)
