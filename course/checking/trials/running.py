"""Run a submission on a probe and keep all that can be told of it as an outcome."""

from __future__ import annotations

import contextlib
import gc
import linecache
import re
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FunctionType, MethodType
from typing import Any

import torch
from torch import Tensor, nn

from course.checking.trials.elsewhere import Elsewhere
from course.checking.trials.probes import Probe, tensors
from course.checking.trials.untouched import kept, untouched
from course.sandbox import board as boards
from course.sandbox import guards

_TORCH_MODULE = nn.Module.__call__.__code__.co_filename
SEED = 20170612  # before each call of an exercise that draws random numbers
MANY = 1000  # parts of a result that are looked at one by one
DEEP = 20  # levels of lists in lists that are looked at; a list may hold itself
searching = True  # whether a submission may be called once the trials are over


@dataclass(frozen=True)
class Fault:
    """A broken promise that a result's values don't show: an id and a sentence."""

    id: str
    says: str


@dataclass
class Outcome:
    """What one call gave: a value or an error, and the faults beside it."""

    value: Any = None
    error: BaseException | None = None
    where: str = ""  # the submission's own line in which the error arose
    faults: tuple[Fault, ...] = ()
    printed: guards.Capped | None = None
    exact: Any = None  # of a reference: its value in float64
    summary: dict[str, float] | None = None  # of a random result: its statistics
    seconds: float = 0.0  # of computing, of a reference

    @property
    def timed_out(self) -> bool:
        """Whether it was stopped by the time limit."""
        return isinstance(self.error, guards.TimeLimit)

    @property
    def fault_ids(self) -> frozenset[str]:
        """The ids of the faults."""
        return frozenset(fault.id for fault in self.faults)


@contextlib.contextmanager
def contained() -> Iterator[None]:
    """For a block that calls a submission in its own way: all is put back, and its time is limited."""
    if not searching:
        raise RuntimeError("the submission has ended its process in a search")
    with (
        guards.quiet(),
        guards.kept_alive(),
        guards.settings_kept(),
        guards.random_states_kept(),
        guards.time_limit(),
        untouched([]),  # what the answer replaces in torch or Python is put back
    ):
        yield


def run(function: Callable[..., Any], probe: Probe, *, ours: bool = False) -> Outcome:
    """Call a submission as the probe says; nothing that it does gets out of here.

    `ours`: it is the course's own, which replaces nothing in torch, so that need not be looked for.
    """
    if not (ours or searching):
        return Outcome(error=guards.TimeLimit())
    fills = guards.uninitialised_shows() if probe.mode == "again" else contextlib.nullcontext()
    # An answer's own torch.manual_seed(0) would not be seen where the learner's is the same.
    seeded = guards.seeded(SEED) if probe.random or not ours else contextlib.nullcontext()
    replaced: list[str] = []
    entered: list[str] = []
    alive = contextlib.nullcontext() if ours else guards.kept_alive()
    with guards.quiet() as printed, fills, seeded, alive, guards.settings_kept() as changed:
        outcome = _guarded(function, probe, None if ours else (replaced, entered))
        outcome.summary = _summary(outcome, probe)
    outcome.printed = printed
    outcome.faults += tuple(
        Fault("reseeds", "it seeds torch's random generator, so that all later draws repeat")
        if name == "seed"
        else Fault("changes-settings", f"it leaves {name} changed")
        for name in changed
    )
    if replaced:
        outcome.faults += (_replaces(replaced),)
    if entered:
        outcome.faults += (_enters(entered[0]),)
    return outcome


def _enters(name: str) -> Fault:
    says = f"it enters the mode `{name}` and never leaves it, so that all later calls of torch go through it"
    return Fault("enters-mode", f"{says}: enter it with `with`")


def _replaces(names: list[str]) -> Fault:
    some = ", ".join(f"`{name}`" for name in dict.fromkeys(names[:3]))
    says = f"it replaces {some}, which everything else uses too"
    return Fault("replaces", f"{says}: call such a function, or give one of your own another name")


def _guarded(
    function: Callable[..., Any], probe: Probe, noted: tuple[list[str], list[str]] | None
) -> Outcome:
    args = probe.arguments()
    before = probe.arguments()
    try:
        with guards.time_limit():
            called = probe.callable(function)
            called = called if noted is None else kept(called, *noted)
            outcome = _in_its_mode(called, probe, args)
    except BaseException as raised:  # an answer may raise anything, SystemExit too
        error = guards.honest(raised)
        where = own_line(function, error)
        if isinstance(error, KeyboardInterrupt) and not (raises(where) or boards.here()):
            raise  # the person at the keyboard wants it to stop
        _release(error)
        outcome = Outcome(error=error, where=where)
    # What an answer left in an input may answer for itself.
    with contextlib.nullcontext() if noted is None else guards.time_limit():
        changed = probe.mode != "host" and not all(map(_identical, args, before))
    if changed:
        outcome.faults += (
            Fault("changes-inputs", "it changes its inputs, which belong to the caller"),
        )
    return outcome


def _release(error: BaseException) -> None:
    """Free what an answer held that did not come to its end: its variables may fill the memory."""
    with contextlib.suppress(BaseException), guards.time_limit():  # a generator's end may hang too
        chained: BaseException | None = error
        seen: set[int] = set()  # an answer can chain errors in a circle
        while chained is not None and id(chained) not in seen:
            seen.add(id(chained))
            traceback.clear_frames(chained.__traceback__)
            chained = chained.__context__
        if isinstance(error, guards.TimeLimit | MemoryError):
            gc.collect()
        elif isinstance(error, RecursionError):
            gc.collect(1)  # all that the calls made is young; to look through the rest takes 0.1 s


def _in_its_mode(function: Callable[..., Any], probe: Probe, args: tuple[Any, ...]) -> Outcome:
    if probe.mode == "gradient":
        return _with_gradients(function, args, probe.case.summary is not None)
    if probe.mode == "host":
        return _elsewhere(function, args)
    if probe.mode == "again":
        return _again(function, probe, args)
    return Outcome(_kept(function(*args)))


VARIES = Fault("varies", "it gives another result each time it is called with the same inputs")
FROZEN = Fault("frozen", "it draws the same random numbers on every call")
OTHER_GENERATOR = Fault(
    "other-generator",
    "after the same torch.manual_seed it gives another result: its draws do not come from torch's "
    "global generator",
)


def _again(function: Callable[..., Any], probe: Probe, args: tuple[Any, ...]) -> Outcome:
    """Called twice it gives the same, or, where it draws, something else until it is seeded again."""
    state = torch.get_rng_state()
    value = _kept(function(*args))
    # A single draw for all numbers often comes out as before; 20 times in a row it hardly does.
    calls = 1 if probe.case.summary is None else 20
    same = all(_same(value, _kept(function(*probe.arguments()))) for _ in range(calls))
    if probe.case.summary is None:
        return Outcome(value, faults=() if same else (VARIES,))
    if same:
        return Outcome(value, faults=(FROZEN,))
    torch.set_rng_state(state)
    repeated = _same(value, _kept(function(*probe.arguments())))
    return Outcome(value, faults=() if repeated else (OTHER_GENERATOR,))


def _summary(outcome: Outcome, probe: Probe) -> dict[str, float] | None:
    """A random result's statistics; None where it has none, or is not what statistics are made of."""
    if probe.case.summary is None or outcome.error is not None:
        return None
    try:
        value = outcome.value[0] if probe.mode == "gradient" else outcome.value
        return {name: float(x) for name, x in probe.case.summary(value, *probe.arguments()).items()}
    except Exception:
        return None


def _elsewhere(function: Callable[..., Any], args: tuple[Any, ...]) -> Outcome:
    with Elsewhere() as device:
        value = function(*args)
        returned = _results(value)
        host = any(isinstance(part, Tensor) and device.on_host(part) for part in returned)
    fault = device.fault or (
        "it returns a tensor on the CPU, wherever its inputs are" if host else None
    )
    says = f"on a GPU it would fail: {fault}. A tensor made without `device=` is on the CPU"
    return Outcome(_kept(value), faults=(Fault("device", says),) if fault else ())


def _results(value: Any) -> list[Any]:
    """The results that a call gave; of a list as long as nobody asked for, the first."""
    return list(value[:MANY]) if isinstance(value, list | tuple) else [value]


def _with_gradients(function: Callable[..., Any], args: tuple[Any, ...], of_sum: bool) -> Outcome:
    """The value is, for each floating result, the gradient that each floating input gets from it."""
    value = function(*args)
    results = _results(value)
    inputs = [tensor for tensor in tensors(args) if tensor.requires_grad]
    gradients: list[Tensor | None] = []
    cut = False
    for result in results:
        if not isinstance(result, Tensor) or not result.is_floating_point():
            continue
        if not result.requires_grad:
            cut = True
            gradients.extend(None for _ in inputs)
            continue
        ramp = torch.linspace(-1.0, 1.3, result.numel(), dtype=result.dtype)
        direction = torch.ones_like(result) if of_sum else ramp.reshape(result.shape).cos()
        # The gradient of a sum: told a direction, torch would import its compiler first, for seconds.
        total = (result * direction).sum()
        found = torch.autograd.grad(total, inputs, retain_graph=True, allow_unused=True)
        gradients.extend(found)
    cuts = (
        Fault(
            "gradient-cut", "no gradient flows back through it, so nothing before it could learn"
        ),
    )
    return Outcome(tuple(_kept(g) for g in gradients), faults=cuts if cut else ())


def reference(function: Callable[..., Any], probe: Probe) -> Outcome:
    """The model solution's outcome, with its value in float64 beside it."""
    started = time.process_time()
    outcome = run(function, probe, ours=True)
    outcome.seconds = time.process_time() - started
    outcome.exact = outcome.value
    if probe.dtype is not torch.float64 and outcome.error is None:
        seeded = guards.seeded(SEED) if probe.random else contextlib.nullcontext()
        with seeded, guards.settings_kept():
            outcome.exact = _kept(probe.callable(function)(*probe.exact()))
    return outcome


def raises(where: str) -> bool:
    """Whether an own line is a `raise` statement, so that the error is the answer's own."""
    return re.search(r"\braise\b", where) is not None


def own_line(function: Callable[..., Any], error: BaseException) -> str:
    """'line 3: `return x.view(...)`', the submission's own last line in a traceback, or ''."""
    files = _files(function)
    mine, part = None, error.__traceback__
    while part is not None:
        mine, part = part if part.tb_frame.f_code.co_filename in files else mine, part.tb_next
    if mine is None:
        return ""
    (frame,) = traceback.extract_tb(mine, limit=1)  # of a thousand calls it reads one line
    line = (linecache.getline(frame.filename, frame.lineno or 0) or frame.line or "").strip()
    return f"line {frame.lineno}" + (f", `{line}`" if line else "")


def line_of(function: Callable[..., Any], trace: str) -> str:
    """An own line as `own_line` gives it, from what faulthandler wrote, the innermost first."""
    files = _files(function)
    # In a notebook the cell that calls check() is often the one that holds the answer.
    for file, number in re.findall(r'File "(.*)", line (\d+) in (?!<module>)', trace):
        if any(name.startswith(file.removesuffix("...")) for name in files):
            line = linecache.getline(file, int(number)).strip()
            return f"line {number}" + (f", `{line}`" if line else "")
    return ""


def _files(function: Any) -> set[str]:
    """The files, or notebook cells, that hold a function's or a class's own code."""
    parts = vars(function).values() if isinstance(function, type) else ()
    owners = (function, getattr(function, "forward", None), *parts)
    # Of other objects no attribute is asked: a class may hold anything.
    codes = (owner.__code__ for owner in owners if type(owner) in (FunctionType, MethodType))
    return {code.co_filename for code in codes} - {_TORCH_MODULE}


def unattempted(function: Callable[..., Any], outcome: Outcome) -> bool:
    """Whether the submission itself says that it is not written yet."""
    if not isinstance(outcome.error, NotImplementedError):
        return False
    last = traceback.extract_tb(outcome.error.__traceback__)[-1]
    if last.filename == _TORCH_MODULE:
        return False  # a module without a `forward`: torch says so
    line = linecache.getline(last.filename, last.lineno or 0) or last.line or ""
    return "NotImplementedError" in line or last.filename in _files(function)


def _kept(value: Any, depth: int = 0) -> Any:
    """The value as it is now: a submission may use one buffer again and again."""
    if isinstance(value, Tensor):
        with torch._C.DisableTorchFunctionSubclass():  # a subclass could answer for itself
            plain = value.detach().clone()
            return plain.as_subclass(Tensor) if plain.layout is torch.strided else plain
    if isinstance(value, tuple | list) and len(value) <= MANY and depth < DEEP:
        parts = [_kept(part, depth + 1) for part in value]
        return parts if type(value) is list else tuple(parts)
    return _plainly(value)


def _plainly(value: Any) -> Any:
    """A value of a class derived from Python's own as one of that class: it may answer for itself."""
    kind = type(value)
    if issubclass(kind, dict):
        some = dict.copy(value)
        return (
            {_plainly(key): _kept(part) for key, part in some.items()}
            if len(some) <= MANY
            else some
        )
    if issubclass(kind, str) and kind is not str:
        return str.__getitem__(value, slice(None))
    if issubclass(kind, float) and kind is not float:
        return float.__float__(value)
    if issubclass(kind, int) and kind not in (int, bool):
        return int.__int__(value)
    return value


def _identical(left: Any, right: Any) -> bool:
    if not isinstance(left, Tensor):
        return isinstance(right, Tensor) is False and _plain_equal(left, right)
    if left.shape != right.shape or left.dtype != right.dtype:
        return False
    return bool(torch.equal(left.detach().nan_to_num(7.0), right.detach().nan_to_num(7.0)))


def _plain_equal(left: Any, right: Any) -> bool:
    if isinstance(left, list | tuple):
        return len(left) == len(right) and all(map(_identical, left, right))
    if isinstance(left, dict):
        return list(left) == list(right) and all(map(_identical, left.values(), right.values()))
    return bool(left == right)


def _same(first: Any, second: Any, depth: int = 0) -> bool:
    """Whether two calls gave the same, up to rounding."""
    if isinstance(first, Tensor) and isinstance(second, Tensor):
        if first.shape != second.shape or first.dtype != second.dtype:
            return False
        return bool(
            torch.allclose(
                first.to(torch.float64), second.to(torch.float64), 1e-6, 1e-9, equal_nan=True
            )
        )
    if isinstance(first, list | tuple) and isinstance(second, list | tuple):
        begun = zip(first[:MANY], second[:MANY], strict=False)
        return len(first) == len(second) and (
            depth >= DEEP or all(_same(one, other, depth + 1) for one, other in begun)
        )
    if isinstance(first, float) and isinstance(second, float) and first != first:
        return second != second  # NaN both times
    plain = (bool, int, float, str, dict, set)
    return not isinstance(first, plain) or not isinstance(second, plain) or first == second
