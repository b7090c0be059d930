"""Every setting that an answer may change is put back and told, in trials and in searches alike."""

import contextlib
import decimal
import gc
import os
import signal
import sys
import tempfile

import numpy as np
import pytest
import torch

# `use_deterministic_algorithms` imports it, and what imports may change is not put back after an import.
import torch._inductor.config

from course.checking import checks
from course.checking.explain import findings
from course.checking.trials import running
from course.content import exercises
from course.sandbox import guards, settings

SOFTMAX = exercises.get("attention.softmax")


CHANGES = {
    "torch's inference mode": None,  # it turns the switch for gradients too, see below
    "torch's default dtype": lambda: torch.set_default_dtype(torch.float64),
    "torch's default device": lambda: torch.set_default_device("meta"),
    "torch's switch for gradients": lambda: torch.set_grad_enabled(False),
    "torch's number of threads": lambda: torch.set_num_threads(torch.get_num_threads() + 1),
    "torch's deterministic algorithms": lambda: torch.use_deterministic_algorithms(True),
    "torch's anomaly detection": lambda: torch.autograd.set_detect_anomaly(True),
    "torch's precision of float32 products": lambda: torch.set_float32_matmul_precision("medium"),
    "torch's autocast": lambda: torch.set_autocast_enabled("cpu", True),
    "torch's switch for oneDNN": lambda: torch._C._set_mkldnn_enabled(False),
    "torch's switch for cuDNN": lambda: torch._C._set_cudnn_enabled(False),
    "torch's cuDNN benchmark mode": lambda: torch._C._set_cudnn_benchmark(True),
    "torch's deterministic cuDNN": lambda: torch._C._set_cudnn_deterministic(True),
    "torch's switch for repeated warnings": lambda: torch.set_warn_always(True),
    "torch's print options": lambda: torch.set_printoptions(precision=2),
    "numpy's error handling": lambda: np.seterr(all="raise"),
    "numpy's print options": lambda: np.set_printoptions(precision=2),
    "the working directory": lambda: os.chdir(tempfile.gettempdir()),
    "os.environ": lambda: os.environ.update(COURSE_TRIED="1"),
    "sys.path": lambda: sys.path.append("elsewhere"),
    "Python's recursion limit": lambda: sys.setrecursionlimit(12345),
    "Python's switch interval": lambda: sys.setswitchinterval(0.01),
    "Python's garbage collector": gc.disable,
    "Python's trace function": lambda: sys.settrace(lambda *args: None),
    "Python's profile function": lambda: sys.setprofile(lambda *args: None),
    "Python's hooks for errors and results": lambda: setattr(sys, "excepthook", print),
    "sys.stdout, sys.stderr or sys.stdin": lambda: setattr(sys, "stdin", None),
    "decimal's context": lambda: setattr(decimal.getcontext(), "prec", 5),
    "Python's handlers of signals": lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN),
    "the locale": None,  # not every machine has two
    "the mask of signals": lambda: signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2}),
}


def test_there_is_a_change_for_every_setting():
    assert {setting.name for setting in settings._SETTINGS} <= set(CHANGES)


def test_inference_mode_is_left():
    mode = torch.inference_mode()  # held until the end: a mode that nobody holds ends itself
    with settings.settings_kept() as changed:
        mode.__enter__()
    assert changed == ["torch's switch for gradients", "torch's inference mode"]
    assert torch.is_grad_enabled()
    assert not torch.is_inference_mode_enabled()


@pytest.mark.parametrize("name", [name for name, change in CHANGES.items() if change])
def test_a_change_is_told_and_put_back(name):
    if name not in {setting.name for setting in settings._SETTINGS}:
        pytest.skip("there is no such setting on this system")
    place = [setting.name for setting in settings._SETTINGS].index(name)
    before = settings._read()[place]
    with settings.settings_kept() as changed:
        CHANGES[name]()
    assert changed == [name]
    assert settings._read()[place] == before


def test_a_trial_says_what_was_changed():
    def careless(x, dim):
        sys.setrecursionlimit(12345)
        gc.disable()
        return torch.softmax(x, dim).nan_to_num(0.0)

    report = checks.judge(SOFTMAX, careless)
    assert not report.passed
    assert "leaves Python's recursion limit changed" in report.message
    assert "leaves Python's garbage collector changed" in report.message
    assert gc.isenabled()
    assert sys.getrecursionlimit() != 12345


@pytest.mark.parametrize(
    "exercise", [e for e in map(exercises.get, exercises.ids()) if e.finds], ids=lambda e: e.id
)
def test_a_search_leaves_no_setting_changed(exercise):
    """A search that calls the answer in its own way, on an answer that is wrong."""

    def careless(*args, **more):
        for change in filter(None, CHANGES.values()):
            with contextlib.suppress(Exception):
                change()
        raise ValueError("wrong")

    before = settings._read()
    cases = [case for case in exercise.cases(0) if case.raises is None]
    with guards.apart(), contextlib.suppress(Exception), running.contained():
        exercise.finds(careless, cases)
    assert settings._read() == before
    findings._of_its_own(exercise, careless, [])


def test_a_folder_that_is_gone_breaks_nothing(tmp_path):
    here = os.getcwd()
    lost = tmp_path / "lost"
    lost.mkdir()
    os.chdir(lost)
    lost.rmdir()
    try:
        assert checks.judge(SOFTMAX, SOFTMAX.model()).passed
    finally:
        os.chdir(here)
