"""Settings of torch, Python and numpy that an answer may change: read, compared and put back.

Random states are not among them (`guards.random_states_kept`), nor replaced functions (`untouched`).
"""

from __future__ import annotations

import contextlib
import decimal
import gc
import importlib
import locale
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

_entered: list[torch.inference_mode] = []
_ABSENT = object()  # what cannot be read, as the folder of a process whose folder was removed
_SIGNALS = tuple(map(int, signal.valid_signals()))
# signal.getsignal makes an enum of each number, which takes a hundred times as long.
_getsignal: Callable[[int], Any] = importlib.import_module("_signal").getsignal


@dataclass(frozen=True)
class _Setting:
    name: str  # as in "it leaves ... changed"
    read: Callable[[], Any]
    put: Callable[[Any], object]
    of_imports: bool = False  # a module that is imported for the first time may change it too


def deterministic(on: bool, *, warns_only: bool) -> None:
    """Set what `torch.use_deterministic_algorithms` sets, without the compiler it would import.

    That import takes seconds, and a learner's first check would wait for it.
    """
    switch: Any = getattr(torch._C, "_set_deterministic_algorithms", None)  # private to torch
    if switch is None:
        torch.use_deterministic_algorithms(on, warn_only=warns_only)
    else:
        switch(on, warn_only=warns_only)


def set_device(device: torch.device) -> None:
    """Make it the default; the CPU as if none had been set, since a set one takes time on every call."""
    torch.set_default_device(None if device.type == "cpu" else device)


def _print_options() -> dict[str, Any]:
    return dict(vars(torch._tensor_str.PRINT_OPTS))


def _put_print_options(options: dict[str, Any]) -> None:
    vars(torch._tensor_str.PRINT_OPTS).update(options)


def _put_environ(before: dict[Any, Any]) -> None:
    wanted = {os.fsdecode(name): os.fsdecode(value) for name, value in before.items()}
    for name in [name for name in os.environ if name not in wanted]:
        del os.environ[name]
    os.environ.update(wanted)


def _put_path(before: list[str]) -> None:
    sys.path[:] = before


def _handlers() -> tuple[Any, ...]:
    return tuple(map(_getsignal, _SIGNALS))


def _put_handlers(before: tuple[Any, ...]) -> None:
    for number, handler in zip(_SIGNALS, before, strict=True):
        if handler is not None and _getsignal(number) is not handler:  # None: not set from Python
            with contextlib.suppress(OSError, ValueError):  # SIGKILL; or not the main thread
                signal.signal(number, handler)


def _mask() -> set[int]:
    return set(map(int, signal.pthread_sigmask(signal.SIG_BLOCK, ())))


def _decimals() -> tuple[Any, ...]:
    context = decimal.getcontext()
    return context.prec, context.rounding, context.Emin, context.Emax


def _put_decimals(before: tuple[Any, ...]) -> None:
    context = decimal.getcontext()
    context.prec, context.rounding, context.Emin, context.Emax = before


def _collector() -> tuple[Any, ...]:
    return gc.isenabled(), gc.get_threshold(), gc.get_debug()


def _put_collector(before: tuple[Any, ...]) -> None:
    (gc.enable if before[0] else gc.disable)()
    gc.set_threshold(*before[1])
    gc.set_debug(before[2])


def _hooks() -> tuple[Any, ...]:
    return sys.excepthook, sys.displayhook, sys.unraisablehook, threading.excepthook


def _put_hooks(before: tuple[Any, ...]) -> None:
    sys.excepthook, sys.displayhook, sys.unraisablehook, threading.excepthook = before


def _streams() -> tuple[Any, ...]:
    return sys.stdin, sys.stdout, sys.stderr


def _put_streams(before: tuple[Any, ...]) -> None:
    sys.stdin, sys.stdout, sys.stderr = before


def _put_inference(before: bool) -> None:
    mode = torch.inference_mode(mode=before)
    mode.__enter__()
    _entered.append(mode)  # its end would undo it


def _put_precision(before: str) -> None:
    with warnings.catch_warnings():  # some versions of torch warn of their own earlier names
        warnings.simplefilter("ignore")
        torch.set_float32_matmul_precision(before)


def _flag(backend: str, name: str) -> tuple[Callable[[], Any], Callable[[Any], object]]:
    """A backend's flag, read and set below `torch.backends`, whose properties may warn."""
    read = getattr(torch._C, f"_get_{backend}_{name}", lambda: None)
    put = getattr(torch._C, f"_set_{backend}_{name}", lambda value: None)
    return read, put


_SETTINGS: tuple[_Setting, ...] = (
    _Setting("torch's default dtype", torch.get_default_dtype, torch.set_default_dtype),
    _Setting("torch's default device", torch.get_default_device, set_device),
    _Setting("torch's switch for gradients", torch.is_grad_enabled, torch.set_grad_enabled),
    _Setting("torch's inference mode", torch.is_inference_mode_enabled, _put_inference),
    _Setting("torch's number of threads", torch.get_num_threads, torch.set_num_threads),
    _Setting(
        "torch's deterministic algorithms",
        lambda: (
            torch.are_deterministic_algorithms_enabled(),
            torch.is_deterministic_algorithms_warn_only_enabled(),
        ),
        lambda modes: deterministic(modes[0], warns_only=modes[1]),
    ),
    _Setting(
        "torch's anomaly detection",
        torch.is_anomaly_enabled,
        lambda on: torch.autograd.set_detect_anomaly(on),
    ),
    _Setting(
        "torch's precision of float32 products",
        torch.get_float32_matmul_precision,
        _put_precision,
    ),
    _Setting(
        "torch's autocast",
        lambda: torch.is_autocast_enabled("cpu"),
        lambda on: torch.set_autocast_enabled("cpu", on),
    ),
    _Setting("torch's switch for oneDNN", *_flag("mkldnn", "enabled")),
    _Setting("torch's switch for cuDNN", *_flag("cudnn", "enabled")),
    _Setting("torch's cuDNN benchmark mode", *_flag("cudnn", "benchmark")),
    _Setting("torch's deterministic cuDNN", *_flag("cudnn", "deterministic")),
    _Setting(
        "torch's switch for repeated warnings", torch.is_warn_always_enabled, torch.set_warn_always
    ),
    _Setting("torch's print options", _print_options, _put_print_options),
    _Setting("numpy's error handling", np.geterr, lambda before: np.seterr(**before)),
    _Setting(
        "numpy's print options",
        np.get_printoptions,
        lambda before: np.set_printoptions(
            **{name: value for name, value in before.items() if name != "override_repr"}
        ),
    ),
    _Setting("the working directory", os.getcwd, os.chdir),
    _Setting(
        "os.environ", lambda: dict(getattr(os.environ, "_data", os.environ)), _put_environ, True
    ),
    _Setting("sys.path", lambda: list(sys.path), _put_path, True),
    _Setting("Python's recursion limit", sys.getrecursionlimit, sys.setrecursionlimit),
    _Setting("Python's switch interval", sys.getswitchinterval, sys.setswitchinterval),
    _Setting("Python's garbage collector", _collector, _put_collector),
    _Setting("Python's trace function", sys.gettrace, sys.settrace),
    _Setting("Python's profile function", sys.getprofile, sys.setprofile),
    _Setting("Python's hooks for errors and results", _hooks, _put_hooks, True),
    _Setting("sys.stdout, sys.stderr or sys.stdin", _streams, _put_streams),
    _Setting("Python's handlers of signals", _handlers, _put_handlers),
    _Setting(
        "the locale",
        lambda: locale.setlocale(locale.LC_ALL),
        lambda before: locale.setlocale(locale.LC_ALL, before),
    ),
    _Setting("decimal's context", _decimals, _put_decimals),
)
if hasattr(signal, "pthread_sigmask"):
    _SETTINGS += (
        _Setting(
            "the mask of signals",
            _mask,
            lambda before: signal.pthread_sigmask(signal.SIG_SETMASK, before),
        ),
    )


@contextlib.contextmanager
def settings_kept() -> Iterator[list[str]]:
    """Put back all settings and torch's seed; the list says which of them the block had changed.

    Drawing random numbers is not listed; seeding is, as "seed".
    """
    changed: list[str] = []
    seed, before, modules = torch.initial_seed(), _read(), len(sys.modules)
    try:
        yield changed
    finally:
        if torch.initial_seed() != seed:
            changed.append("seed")
            torch.manual_seed(seed)
        changed.extend(_put_back(before, imported=len(sys.modules) != modules))


def _put_back(before: list[Any], *, imported: bool) -> Iterator[str]:
    """The names of the settings that are not as they were, each put back."""
    after = _read()
    with contextlib.suppress(Exception):  # what an answer put there may not even compare
        if before == after:  # as almost always
            return
    for setting, was, now in zip(_SETTINGS, before, after, strict=True):
        if _differs(was, now) and not (imported and setting.of_imports):
            if was is not _ABSENT:
                with contextlib.suppress(Exception):  # as a folder that is gone
                    setting.put(was)
            yield setting.name


_READERS = tuple(setting.read for setting in _SETTINGS)


def _read() -> list[Any]:
    try:
        return [read() for read in _READERS]
    except Exception:
        return [_value(setting) for setting in _SETTINGS]


def _value(setting: _Setting) -> Any:
    try:
        return setting.read()
    except Exception:
        return _ABSENT


def _differs(was: Any, now: Any) -> bool:
    if isinstance(was, tuple) and isinstance(now, tuple):  # of functions, which may not compare
        return len(was) != len(now) or any(
            one is not other and not (type(one) is type(other) and _plain(one) and one == other)
            for one, other in zip(was, now, strict=True)
        )
    return was is not now and bool(was != now)


def _plain(value: Any) -> bool:
    return isinstance(value, int | str | tuple | bool)
