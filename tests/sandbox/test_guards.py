"""The checker guards itself: nothing that an answer does gets past it, and each is told by name."""

import builtins
import contextlib
import random
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import torch
from torch import Tensor

from course.checking import check, checks
from course.checking.explain import agreeing, diagnosis
from course.content.exercises import get
from course.sandbox import guards, patience

SOFTMAX = get("attention.softmax")
SCORES = get("attention.scores")


def right(x, dim):
    return torch.softmax(x, dim).nan_to_num(0.0)


def told(answer, exercise=SOFTMAX):
    report = checks.judge(exercise, answer)
    assert not report.passed
    assert report.status == "failed"
    return report.message


def test_wrong_types():
    assert "None" in told(lambda x, dim: None)
    assert "numpy" in told(lambda x, dim: right(x, dim).detach().numpy())
    assert "list" in told(lambda x, dim: right(x, dim).tolist())
    assert "tuple of 2" in told(lambda x, dim: (right(x, dim), x))
    assert "float" in told(lambda x, dim: 1.0)

    def generator(x, dim):
        yield right(x, dim)

    assert "generator" in told(generator)


def test_a_tensor_that_is_not_plain():
    assert "sparse" in told(lambda x, dim: right(x, dim).to_sparse())
    assert "meta" in told(lambda x, dim: right(x, dim).to("meta"))


def test_wrong_rank_shape_and_dtype():
    assert "too many axes" in told(lambda x, dim: right(x, dim)[None])
    assert "dtype" in told(lambda x, dim: right(x, dim).float())
    assert "(S, L)" in told(
        lambda q, k: (q @ k.mT / q.shape[-1] ** 0.5).mT.contiguous(), SCORES
    ) or (
        checks.judge(SCORES, lambda q, k: (q @ k.mT / q.shape[-1] ** 0.5).mT).mistakes
        == ("exchanged",)
    )


def test_not_a_function():
    assert "the function itself" in told(torch.ones(2))
    assert "the function itself" in told(None)


def test_an_exception_is_told_by_its_last_line_and_the_own_line():
    def broken(x, dim):
        y = x + 1
        return y @ y @ torch.ones(17, 3)

    message = told(broken)
    assert "RuntimeError" in message
    assert "torch.ones(17, 3)" in message
    assert "Traceback" not in message
    assert "site-packages" not in message


def test_of_several_own_lines_the_innermost_is_named():
    def multiplied(y):
        return y @ torch.ones(19, 3)

    message = told(lambda x, dim: multiplied(x))
    assert "`return y @ torch.ones(19, 3)`" in message


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError])
def test_any_exception_stays_inside(error):
    def broken(x, dim):
        raise error("out")

    assert error.__name__ in told(broken)


@pytest.mark.slow
def test_deep_recursion():
    def forever(x, dim):
        return forever(x, dim)

    assert "RecursionError" in told(forever)


def test_an_endless_loop_is_stopped(monkeypatch):
    monkeypatch.setattr(guards, "SECONDS", 0.3)

    def endless(x, dim):
        while True:
            with contextlib.suppress(Exception):
                x = x + 0

    message = told(endless)
    assert "not come to an end" in message
    assert "endless" not in message or "line" in message


def test_a_sleep_is_stopped(monkeypatch):
    if not hasattr(signal, "setitimer"):
        pytest.skip("only a signal interrupts a sleep")
    monkeypatch.setattr(guards, "SECONDS", 0.2)
    assert "not come to an end" in told(lambda x, dim: time.sleep(1000))


def test_an_alarm_that_another_thread_takes_is_followed_by_others():
    """It wakes no sleep on the main thread, on which alone Python could set the next one."""
    if not hasattr(signal, "setitimer"):
        pytest.skip("there is no alarm here")
    with guards.time_limit():
        assert signal.getitimer(signal.ITIMER_REAL)[1] > 0


@pytest.mark.slow
def test_an_endless_loop_is_stopped_off_the_main_thread(monkeypatch):
    monkeypatch.setattr(guards, "SECONDS", 0.3)

    def endless(x, dim):
        while True:
            x = x + 0

    messages = []
    worker = threading.Thread(target=lambda: messages.append(told(endless)))
    worker.start()
    worker.join()
    assert "not come to an end" in messages[0]


@pytest.mark.slow
def test_a_limit_off_the_main_thread_leaves_no_exception_to_look_for():
    """Python 3.11 hangs in a traced function once another thread was given an exception it never met."""
    code = (
        "import sys, threading\nfrom course.sandbox import guards\n"
        "def limited():\n    with guards.time_limit(): pass\n    try:\n        with guards.time_limit(0.2):\n"
        "            while True: pass\n    except guards.TimeLimit: pass\n"
        "worker = threading.Thread(target=limited)\nworker.start(); worker.join()\n"
        "def traced(): return 1\nsys.settrace(lambda *args: None)\ntraced()\nprint('alive')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=True
    )
    assert done.stdout.strip() == "alive"


def test_the_alarm_of_others_is_put_back():
    if not hasattr(signal, "setitimer"):
        pytest.skip("there is no alarm here")
    before = signal.getsignal(signal.SIGALRM)
    checks.judge(SOFTMAX, right)
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_changed_inputs():
    def changes(x, dim):
        result = right(x.detach(), dim) + 0 * x
        x.data.mul_(2)
        return result

    assert "changes its inputs" in told(changes)


def test_cut_gradient():
    message = told(lambda x, dim: right(x.detach(), dim))
    assert checks.judge(SOFTMAX, lambda x, dim: right(x.detach(), dim)).mistakes == (
        "cut-from-the-gradient",
    )
    assert "gradient" in message


def test_half_of_the_gradient_cut():
    message = told(lambda q, k: q.detach() @ k.mT / q.shape[-1] ** 0.5, SCORES)
    assert "gradient" in message


def test_a_print_flood_is_kept_out_and_turns_nothing_down(capsys):
    def loud(x, dim):
        for _ in range(2000):
            print("x" * 200)
        return right(x, dim)

    report = checks.judge(SOFTMAX, loud)
    assert report.passed
    assert len(report.message) < 2000
    assert "prints" in report.message
    assert capsys.readouterr().out == ""


def test_seeding_is_named_and_undone():
    def seeds(x, dim):
        torch.manual_seed(0)
        return right(x, dim)

    torch.manual_seed(123)
    before = torch.get_rng_state()
    assert "seeds" in told(seeds)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.initial_seed() == 123


def test_drawing_is_no_fault_and_is_undone():
    def draws(x, dim):
        torch.randn(3), random.random(), np.random.rand()
        return right(x, dim)

    states = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist()
    assert checks.judge(SOFTMAX, draws).passed
    assert torch.equal(torch.get_rng_state(), states[0])
    assert random.getstate() == states[1]
    assert np.random.get_state()[1].tolist() == states[2]


def test_settings_are_named_and_put_back():
    def careless(x, dim):
        torch.set_default_dtype(torch.float64)
        return right(x, dim)

    assert "default dtype" in told(careless)
    assert torch.get_default_dtype() is torch.float32


@pytest.mark.parametrize(
    ("change", "is_on", "name"),
    [
        (
            torch.use_deterministic_algorithms,
            torch.are_deterministic_algorithms_enabled,
            "deterministic",
        ),
        (torch.autograd.set_detect_anomaly, torch.is_anomaly_enabled, "anomaly"),
    ],
    ids=["deterministic", "anomaly"],
)
def test_a_mode_that_is_left_on_is_named_and_put_back(change, is_on, name):
    def careless(x, dim):
        change(True)
        return right(x, dim)

    assert f"leaves torch's {name}" in told(careless)
    assert not is_on()


def _blind(x, dim):
    torch.allclose = torch.equal = lambda *args, **more: True
    return x


def _doubles(x, dim):
    softmax = torch.softmax
    torch.softmax = lambda *args, **more: 2 * softmax(*args, **more)
    return right(x, dim) / 2


def _equal_to_all(x, dim):
    Tensor.__eq__ = lambda one, other: torch.ones(one.shape, dtype=torch.bool)
    return right(x, dim)


def _flatters(x, dim):
    builtins.all = lambda *args: True
    agreeing.close = lambda *args, **more: True
    return x


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (_blind, "torch.allclose"),
        (_doubles, "torch.softmax"),
        (_equal_to_all, "torch.Tensor.__eq__"),
        (_flatters, "builtins.all"),
    ],
)
def test_what_an_answer_replaces_is_put_back_and_told(answer, name):
    before = torch.allclose, torch.equal, torch.softmax, Tensor.__eq__, all, agreeing.close
    assert f"replaces `{name}`" in told(answer)
    after = torch.allclose, torch.equal, torch.softmax, Tensor.__eq__, all, agreeing.close
    assert after == before


class _Agreeable(Tensor):
    """A tensor that answers for itself."""

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if func in (torch.allclose, torch.equal):
            return True
        return super().__torch_function__(func, types, args, kwargs or {})


class _EqualToAll(int):
    def __eq__(self, other):
        return True

    def __hash__(self):
        return 0


def test_a_result_does_not_judge_itself():
    told(lambda x, dim: (0 * x).as_subclass(_Agreeable))
    told(lambda d_model, nhead, width: _EqualToAll(3), get("feed_forward.count_parameters"))


def test_a_right_result_of_a_subclass_passes():
    report = checks.judge(SOFTMAX, lambda x, dim: right(x, dim).as_subclass(_Agreeable))
    assert report.passed, report.message


def test_threads_turn_nothing_down():
    def threaded(x, dim):
        results = []
        worker = threading.Thread(target=lambda: results.append(right(x, dim)))
        worker.start()
        worker.join()
        return results[0]

    assert checks.judge(SOFTMAX, threaded).passed


@pytest.mark.parametrize(
    ("clock", "computed", "awake", "over"),
    [
        (9.0, 0.9, None, False),  # where nobody says what was sleep: now and then it computes
        (9.0, 0.1, None, True),  # it sleeps
        (2.0, 1.1, None, True),  # it computes
        (17.0, 0.9, None, True),  # it takes too long, whatever it does
        (9.0, 0.1, 8.9, False),  # it waits for a busy processor, and is not asleep
        (9.0, 0.1, 0.1, True),  # it sleeps
        (1.9, 0.1, 0.1, False),
        (9.0, 0.9, 0.1, False),  # it waits for what its other threads compute
    ],
)
def test_what_computes_now_and_then_does_not_wait(clock, computed, awake, over):
    """On a busy machine an answer gets a processor for a part of the time only."""
    running = None if awake is None else min(0.1, awake)
    start = patience.Moment(0.0, 0.0, None if awake is None else 0.0)
    end = patience.Moment(clock, computed, awake, running or 0.0)
    assert patience.used_up(start, end, 1.0) is over


def test_only_the_line_that_cuts_the_gradient_is_named():
    def answer(query, key):
        width = torch.tensor(query.shape[-1]).item()
        return query.detach() @ key.mT / width**0.5

    message = told(answer, SCORES)
    assert "`return query.detach() @ key.mT / width**0.5`" in message
    assert ".item()" not in message


def test_another_result_each_time():
    message = told(lambda x, dim: right(x + 0.01 * torch.randn_like(x), dim))
    assert "another result each time" in message


def test_uninitialised_memory():
    def reads(x, dim):
        result = torch.empty_like(x)
        result[..., :-1] = right(x, dim)[..., :-1]
        return result

    told(reads)


@pytest.mark.parametrize(
    ("answer", "clue"),
    [
        (lambda n, m: torch.arange(m) >= n[:, None], "device"),
        (lambda n, m: (torch.arange(m, device=n.device) >= n[:, None]).cpu(), "on the CPU"),
        (lambda n, m: torch.arange(m, device="cpu") >= n[:, None], "device"),
        (lambda n, m: torch.from_numpy(np.arange(m)[None] >= n.numpy()[:, None]), "numpy"),
    ],
)
def test_what_would_fail_on_a_gpu(answer, clue):
    assert clue in told(answer, get("attention.padding_mask"))


@pytest.mark.parametrize(
    "answer",
    [
        lambda n, m: torch.arange(m, device=n.device) >= n[:, None],
        lambda n, m: torch.arange(m).to(n.device) >= n[:, None],
        lambda n, m: torch.arange(m).to(n) >= n[:, None],
        lambda n, m: n.new_ones(len(n), m).cumsum(1) > n[:, None],
        lambda n, m: torch.tensor(
            [[i >= k for i in range(m)] for k in n.tolist()], device=n.device
        ),
        lambda n, m: torch.arange(m, device=n.device)[torch.arange(m)] >= n[:, None],
    ],
)
def test_what_runs_on_a_gpu(answer):
    report = checks.judge(get("attention.padding_mask"), answer)
    assert report.passed, report.message


def test_a_single_number_from_the_cpu_is_no_fault():
    def answer(q, k):
        return q @ k.mT / torch.tensor(q.shape[-1]).sqrt()

    assert checks.judge(SCORES, answer).passed


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_on_cuda():
    def cpu_bound(n: Tensor, m: int) -> Tensor:
        return torch.arange(m) >= n[:, None]

    assert "CUDA" in told(cpu_bound, get("attention.padding_mask"))


def test_strict_mode_raises(monkeypatch):
    monkeypatch.setenv("COURSE_STRICT", "1")
    with pytest.raises(AssertionError, match="not attempted"):
        check("attention.softmax", _stub)


def _stub(x, dim):
    raise NotImplementedError


def _passes(x, dim):
    pass


def _dots(x, dim):
    """Only a docstring and dots."""
    ...


@pytest.mark.parametrize("stub", [_stub, _passes, _dots])
def test_not_attempted(stub):
    report = check("attention.softmax", stub)
    assert report.status == "not attempted"
    assert report.mistakes == ()
    assert "hint" in report.message


def test_torch_s_own_not_implemented_is_no_stub():
    def unsupported(x, dim):
        return torch.ops.aten.nonexistent_kernel_for_this(x)

    assert checks.judge(SOFTMAX, unsupported).status == "failed"


@pytest.mark.parametrize(
    "surroundings",
    [
        torch.no_grad,
        torch.inference_mode,
        lambda: torch.autocast("cpu"),
        lambda: torch.device("meta"),
    ],
    ids=["no_grad", "inference_mode", "autocast", "another default device"],
)
@pytest.mark.parametrize("exercise_id", ["attention.softmax", "attention.multi_head"])
def test_the_notebook_s_surroundings_turn_nothing_down(surroundings, exercise_id):
    exercise = get(exercise_id)
    diagnosis.references.cache_clear()
    with surroundings():
        report = checks.judge(exercise, exercise.model())
    assert report.passed, report.message


def test_a_default_device_set_by_an_answer_is_put_back():
    def careless(x, dim):
        torch.set_default_device("meta")
        return right(x, dim)

    assert "default device" in told(careless)
    assert torch.get_default_device() == torch.device("cpu")
    assert not torch.overrides._get_current_function_mode_stack(), "nothing left that costs time"


def test_results_that_cannot_be_compared():
    def a_list(query, key, value, mask=None):
        weights = torch.softmax(query @ key.mT, -1)
        return [weights @ value, weights]

    def a_dict(query, key, value, mask=None):
        return {"output": value}

    def half(query, key, value, mask=None):
        blocked = 0.0 if mask is None else torch.where(mask, -torch.inf, 0.0).to(query)
        weights = right(query @ key.mT / query.shape[-1] ** 0.5 + blocked, -1)
        return weights @ value, None

    attention = get("attention.scaled_dot_product")
    told(a_list, attention)
    assert "dict" in told(a_dict, attention)
    assert "weights should be" in told(half, attention)
    assert "nested" in told(lambda x, dim: torch.nested.nested_tensor([x.detach().double()]))


class _Mute(Exception):
    def __str__(self):
        raise RuntimeError("no")


@pytest.mark.parametrize(
    "error",
    [_Mute(), ValueError("\ud800"), ValueError("\x1b[31mred"), ValueError(3 * "x\n" * 9999)],
)
def test_odd_error_messages(error):
    def broken(x, dim):
        raise error

    report = check("attention.softmax", broken)
    assert report.status == "failed"
    assert "\x1b" not in report.message
    report.message.encode("utf-8")
    assert len(report.message) < 3000


def test_the_stop_button_stops():
    calls = []

    def interrupted(x, dim):
        calls.append(1)
        if len(calls) == 5:
            signal.raise_signal(signal.SIGINT)
        return right(x, dim)

    with pytest.raises(KeyboardInterrupt):
        checks.judge(SOFTMAX, interrupted)


def test_the_first_check_of_a_kernel_is_as_thorough_as_the_others():
    def short(length):
        return torch.ones(1024, 1024).triu(1).bool()[:length, :length]

    diagnosis.references.cache_clear()
    told(short, get("attention.causal_mask"))


def test_an_own_error_of_another_type_is_not_taken_for_torch_s():
    def own(x, nhead):
        if x.shape[-1] % nhead:
            raise RuntimeError("no multiple")
        return x.unflatten(-1, (nhead, -1)).transpose(1, 2)

    report = checks.judge(get("attention.split_heads"), own)
    assert report.mistakes == ()
    assert "should raise ValueError" in report.message


def test_float16_alone_is_told():
    def small(weights):
        return -(weights * (weights + 1e-12).log()).sum(-1)

    report = checks.judge(get("attention.entropy"), small)
    assert not report.passed
    assert "float16" in report.message


def test_answers_run_on_one_thread_and_the_notebook_keeps_its_own():
    before, seen = torch.get_num_threads(), set()

    def noting(x, dim):
        seen.add(torch.get_num_threads())
        return right(x, dim)

    torch.set_num_threads(2)
    try:
        assert checks.judge(SOFTMAX, noting).passed
        assert (seen, torch.get_num_threads()) == ({1}, 2)
    finally:
        torch.set_num_threads(before)


def test_what_python_can_only_report_is_not_reported(monkeypatch):
    """Formatting a deep traceback takes long: the time limit may ring in that and be lost."""
    reported = []
    monkeypatch.setattr(sys, "unraisablehook", reported.append)
    hook = sys.unraisablehook

    class Bad:
        def __del__(self):
            raise RuntimeError("in a destructor")

    with guards.quiet() as printed:
        Bad()
    assert reported == []
    assert printed.kept == ""
    assert sys.unraisablehook is hook
    Bad()
    assert len(reported) == 1
