"""Answers to attention.softmax that no checker should trust: what each does, and what is said of it.

`HOSTILE` maps a name to (source, words that the report must hold). The source defines `softmax` and
sees the names of `PRELUDE`; in most, a plain right result would follow.
"""

from __future__ import annotations

import linecache
from typing import Any

PRELUDE = """
import asyncio, atexit, builtins, collections, contextlib, ctypes, decimal, faulthandler, gc, itertools
import functools, locale, multiprocessing, os, random, resource, shutil, signal, subprocess, sys, tempfile
import threading, time, types, warnings, weakref
import numpy as np
import torch
from torch import Tensor, nn
import course
from course import check, use
from course.content import exercises

def right(x, dim):
    top = x.amax(dim, keepdim=True) if x.shape[dim] else x
    e = (x - top.masked_fill(top == -torch.inf, 0.0)).exp()
    total = e.sum(dim, keepdim=True)
    return e / total.masked_fill(total == 0, 1.0)
"""


def _before(statement: str) -> str:
    """A right answer that first does something else."""
    return f"def softmax(x, dim):\n    {statement}\n    return right(x, dim)\n"


def _gives(expression: str) -> str:
    return f"def softmax(x, dim):\n    return {expression}\n"


_HANGS = "had not come to an end"
_FAILED = "Not yet"
_PASSED = "Passed"

HANGS = {
    "an endless loop": (_before("while True: x = x + 0"), _HANGS),
    "a long sleep": (_before("time.sleep(10**6)"), _HANGS),
    "swallows everything while it sleeps": (
        "def softmax(x, dim):\n    while True:\n        try: time.sleep(0.01)\n        except: pass\n",
        _HANGS,
    ),
    "swallows everything while it computes": (
        "def softmax(x, dim):\n    while True:\n        try:\n            while True: pass\n"
        "        except BaseException: continue\n",
        _HANGS,
    ),
    "one long call": (_gives("sum(range(10**12))"), _HANGS),
    "an iteration without end": (
        _gives("collections.deque(itertools.repeat(0), maxlen=0)"),
        _HANGS,
    ),
    "a power of integers": (_gives("3 ** 3 ** 99 % 7"), ""),
    "a list without end": (_gives("list(itertools.repeat(0))"), _FAILED),
    "turns the alarm off": (
        _before("signal.setitimer(signal.ITIMER_REAL, 0)\n    while True: pass"),
        _HANGS,
    ),
    "ignores the alarm": (
        _before("signal.signal(signal.SIGALRM, signal.SIG_IGN)\n    while True: pass"),
        _HANGS,
    ),
    "blocks all signals": (
        _before("signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\n    while True: pass"),
        _HANGS,
    ),
    "stops itself": (_before("os.kill(os.getpid(), signal.SIGSTOP)"), _HANGS),
    "waits for a lock": (
        _before("lock = threading.Lock(); lock.acquire(); lock.acquire()"),
        _HANGS,
    ),
    "waits for a thread": (
        _before("t = threading.Thread(target=time.sleep, args=(10**6,)); t.start(); t.join()"),
        _HANGS,
    ),
    "waits for a pipe": (_before("os.read(os.pipe()[0], 1)"), _HANGS),
    "waits for a child": (_before("subprocess.run(['sleep', '1000000'])"), _HANGS),
    "an event loop without end": (_before("asyncio.new_event_loop().run_forever()"), _HANGS),
    "hangs in a finally": (
        "def softmax(x, dim):\n    try: return 1 / 0\n    finally:\n        while True: time.sleep(0.01)\n",
        _HANGS,
    ),
    "a result that is compared for ever": (
        "class Odd(float):\n    def __float__(self):\n        while True: pass\n    __eq__ = __rsub__ = __float__\n"
        "    __hash__ = None\n" + _gives("Odd(1.0)"),
        _FAILED,
    ),
    "hangs in the second call alone": (
        "calls = []\n" + _before("calls.append(1)\n    while len(calls) > 1: pass"),
        "1 of 2",
    ),
    "starts processes without end": (_before("while True: os.fork()"), "processes without end"),
}

ENDS = {
    "exit()": (_before("exit()"), "ends Python itself"),
    "quit()": (_before("quit()"), "ends Python itself"),
    "sys.exit": (_before("sys.exit(3)"), "ends Python itself"),
    "os._exit": (_before("os._exit(3)"), "ends Python itself"),
    "os._exit(0)": (_before("os._exit(0)"), "ends Python itself"),
    "abort": (_before("os.abort()"), "crashed"),
    "a wrong address": (_before("ctypes.string_at(0)"), "crashed"),
    "kill -9": (_before("os.kill(os.getpid(), signal.SIGKILL)"), "SIGKILL"),
    "terminates itself": (_before("os.kill(os.getpid(), signal.SIGTERM)"), "SIGTERM"),
    "a user's signal": (_before("os.kill(os.getpid(), signal.SIGUSR2)"), "SIGUSR2"),
    "kills its process group": (_before("os.killpg(0, signal.SIGKILL)"), "SIGKILL"),
    "interrupts itself": (_before("signal.raise_signal(signal.SIGINT)"), "KeyboardInterrupt"),
    "raises KeyboardInterrupt": (_before("raise KeyboardInterrupt"), "KeyboardInterrupt"),
    "raises GeneratorExit": (_before("raise GeneratorExit"), "GeneratorExit"),
    "replaces the program": (_before("os.execv('/bin/true', ['true'])"), "ends Python itself"),
    "recursion": (_gives("softmax(x, dim)"), "RecursionError"),
    "recursion without a limit": (
        "def softmax(x, dim):\n    sys.setrecursionlimit(10**9)\n    return softmax(x, dim)\n",
        _FAILED,
    ),
    "recursion in C": (
        _gives("functools.reduce(lambda a, _: [a], range(10**5), [])"),
        _FAILED,
    ),
    "a tensor larger than the memory": (_gives("torch.zeros(10**15)"), "memory"),
    "bytes larger than the memory": (_gives("bytearray(1 << 45)"), "memory"),
    "a limit on memory": (
        _before("resource.setrlimit(resource.RLIMIT_AS, (1, 1)); bytearray(1 << 28)"),
        _FAILED,
    ),
}

CHANGES = {
    "prints a flood": (_before("print('x' * 10**6)"), _PASSED),
    "writes to the terminal": (_before("os.write(1, b'x' * 10000); os.write(2, b'y')"), _PASSED),
    "its own stdout": (_before("sys.stdout = open(os.devnull, 'w')"), "sys.stdout"),
    "no stdout at all": (_before("sys.stdout = sys.stderr = sys.__stdout__ = None"), "sys.stdout"),
    "closes 0 to 2": (_before("[os.close(i) for i in (0, 1, 2)]"), _FAILED),
    "closes every file": (_before("os.closerange(0, 4096)"), _PASSED),
    "changes the default dtype": (_before("torch.set_default_dtype(torch.float16)"), "dtype"),
    "changes the default device": (_before("torch.set_default_device('meta')"), "device"),
    "turns gradients off": (_before("torch.set_grad_enabled(False)"), _FAILED),
    "seeds": (_before("torch.manual_seed(0)"), "seeds"),
    "many threads": (_before("torch.set_num_threads(64)"), "threads"),
    "anomaly detection": (_before("torch.autograd.set_detect_anomaly(True)"), "anomaly"),
    "a low recursion limit": (_before("sys.setrecursionlimit(200)"), "recursion limit"),
    "no garbage collector": (_before("gc.disable()"), "garbage collector"),
    "a trace function": (_before("sys.settrace(lambda *a: None)"), "trace"),
    "a profile function": (_before("sys.setprofile(lambda *a: None)"), "profile"),
    "another folder": (_before("os.chdir('/')"), "working directory"),
    "a folder that is gone": (
        _before("d = tempfile.mkdtemp(); os.chdir(d); os.rmdir(d)"),
        "working directory",
    ),
    "no environment": (_before("os.environ.clear()"), "os.environ"),
    "no path": (_before("sys.path.clear()"), "sys.path"),
    "no modules": (_before("sys.modules.clear()"), _FAILED),
    "takes torch away": (_before("del sys.modules['torch']"), ""),
    "other handlers": (_before("signal.signal(signal.SIGTERM, signal.SIG_IGN)"), "signals"),
    "a hook": (_before("sys.excepthook = print"), "hooks"),
    "exit functions": (_before("atexit.register(os._exit, 9)"), _PASSED),
    "threads that stay": (
        _before("threading.Thread(target=time.sleep, args=(10**6,)).start()"),
        _PASSED,
    ),
    "a thread that computes for ever": (
        "def spin():\n    while True: pass\n"
        + _before(
            "threading.Thread(target=spin, daemon=True).start() if threading.active_count() < 3 else 0"
        ),
        "",
    ),
    "processes that stay": (_before("subprocess.Popen(['sleep', '1000000'])"), _PASSED),
    "forks once": (_before("os.fork()"), ""),
    "replaces torch.allclose": (_before("torch.allclose = lambda *a, **k: True"), "replaces"),
    "replaces a method": (_before("Tensor.__eq__ = lambda a, b: True"), "replaces"),
    "replaces isinstance": (_before("builtins.isinstance = lambda *a: True"), _FAILED),
    "replaces the checker": (
        _before("sys.modules['course.checking.explain.agreeing'].difference = lambda *a: None"),
        "replaces",
    ),
    "takes names of torch away": (_before("del torch.softmax, torch.equal"), "replaces"),
    "warnings as errors": (_before("warnings.simplefilter('error')"), _PASSED),
    "numpy's errors": (_before("np.seterr(all='raise')"), "numpy"),
    "decimal's precision": (_before("decimal.getcontext().prec = 3"), "decimal"),
    "writes into its input": (_before("x.data.zero_()"), _FAILED),
    "resizes its input": (_before("x.data = torch.zeros(0)"), _FAILED),
    "asks for input": (_before("input('?')"), _FAILED),
    "checks inside of a check": (
        _before("check('attention.scores', right)"),
        "inside of an answer",
    ),
    "checks itself": (_before("check('attention.softmax', softmax)"), "inside of an answer"),
}

RESULTS = {
    "None": (_gives("None"), "None"),
    "a generator": ("def softmax(x, dim):\n    yield right(x, dim)\n", "generator"),
    "a coroutine": ("async def softmax(x, dim):\n    return right(x, dim)\n", "coroutine"),
    "a sparse tensor": (_gives("right(x, dim).to_sparse()"), "sparse"),
    "a nested tensor": (_gives("torch.nested.nested_tensor([right(x, dim).detach()])"), "nested"),
    "a meta tensor": (_gives("right(x, dim).to('meta')"), "meta"),
    "a quantised tensor": (
        _gives("torch.quantize_per_tensor(right(x, dim).detach().float(), 0.1, 0, torch.quint8)"),
        _FAILED,
    ),
    "complex numbers": (_gives("right(x, dim) + 0j"), "complex"),
    "whole numbers": (_gives("right(x, dim).long()"), "int64"),
    "NaN": (_gives("right(x, dim) * torch.nan"), _FAILED),
    "a lazy conjugate": (_gives("(right(x, dim) + 0j).conj()"), "complex"),
    "an expanded tensor": (_gives("x.new_zeros(1).expand(*x.shape)"), _FAILED),
    "a huge shape": (_gives("x.new_zeros(1).expand(10**9, 10**9)"), _FAILED),
    "a tensor that answers for itself": (
        "class Agreeable(Tensor):\n    @classmethod\n"
        "    def __torch_function__(cls, func, types, args=(), kwargs=None):\n        return True\n"
        + _gives("(0 * x).as_subclass(Agreeable)"),
        _FAILED,
    ),
    "an object without manners": (
        "class Odd:\n    def _raise(self, *a): raise RuntimeError('no')\n"
        "    __eq__ = __repr__ = __str__ = __bool__ = __len__ = __iter__ = __hash__ = __getattr__ = _raise\n"
        "    __class__ = property(_raise)\n" + _gives("Odd()"),
        _FAILED,
    ),
    "a false class": (
        "class Odd:\n    @property\n    def __class__(self): return Tensor\n" + _gives("Odd()"),
        _FAILED,
    ),
    "a tuple in itself": (
        "def softmax(x, dim):\n    a = []\n    a.append(a)\n    return a\n",
        _FAILED,
    ),
    "a long list": (_gives("[0] * 10**6"), "list of 1000000"),
    "a named tuple": (
        "Pair = collections.namedtuple('Pair', 'a b')\n" + _gives("Pair(right(x, dim), 1)"),
        "tuple of 2",
    ),
    "an error that cannot be shown": (
        "class Mute(Exception):\n    def __str__(self): raise RuntimeError\n"
        + _before("raise Mute"),
        "Mute",
    ),
    "an error with a long text": (_before("raise ValueError('x' * 10**7)"), "ValueError"),
    "another result each time": (_gives("right(x + torch.randn_like(x), dim)"), _FAILED),
    "raises a class that is no error": (_before("raise 3"), "TypeError"),
    "a class with a metaclass": (
        "class Meta(type):\n    def __call__(cls, *a): raise RuntimeError('not made')\n"
        "class softmax(metaclass=Meta): pass\n",
        _FAILED,
    ),
    "an instance that is called": (
        "class Called:\n    def __call__(self, x, dim): return right(x, dim)\n"
        "    def __getattr__(self, name): raise RuntimeError('no attributes')\nsoftmax = Called()\n",
        "",
    ),
    "a tensor": ("softmax = torch.ones(3)\n", "the function itself"),
    "a partial": ("softmax = functools.partial(right)\n", _PASSED),
    "a built-in": ("softmax = len\n", _FAILED),
}

# What answers for itself wherever it is read, in a call or not.
OBJECTS = {
    "an object that hangs when it is printed": (
        "class Odd:\n    def __call__(self, x, dim): return right(x, dim)\n"
        "    def __str__(self): return str(sum(range(10**12)))\n    __repr__ = __str__\nsoftmax = Odd()\n",
        _PASSED,
    ),
    "an object that ends the process when it is printed": (
        "class Odd:\n    def __call__(self, x, dim): return x\n"
        "    def __repr__(self): os._exit(3)\nsoftmax = Odd()\n",
        _FAILED,
    ),
    "an object that ends the process when it is read": (
        "class Odd:\n    def __call__(self, x, dim): return x\n"
        "    def __getattribute__(self, name): os._exit(4)\nsoftmax = Odd()\n",
        "ends Python itself",
    ),
    "an object that hangs when its attributes are read": (
        "class Odd:\n    def __call__(self, x, dim): return x\n    @property\n"
        "    def __dict__(self): return sum(range(10**12))\nsoftmax = Odd()\n",
        _HANGS,
    ),
    "a metaclass that ends the process": (
        "class Meta(type):\n    def __call__(cls, *a): return right(*a)\n"
        "    def __getattr__(cls, name): os._exit(8)\nclass softmax(metaclass=Meta): pass\n",
        "ends Python itself",
    ),
    "a module that ends the process when it is printed": (
        "class Layer(nn.Module):\n    def forward(self, x, dim): return right(x, dim)\n"
        "    def __repr__(self): os._exit(9)\nsoftmax = Layer()\n",
        _PASSED,
    ),
    "a wrapper of itself": (
        "def softmax(x, dim): return right(x, dim)\nsoftmax.__wrapped__ = softmax\n",
        _PASSED,
    ),
    "an error that hangs when it is read": (
        "class Odd(Exception):\n    def __getattribute__(self, name):\n        while True: pass\n"
        + _before("raise Odd"),
        "cannot be read",
    ),
    "errors chained in a circle": (
        "def softmax(x, dim):\n    other = ValueError('b')\n    try:\n        raise ValueError('a')\n"
        "    except ValueError as error:\n        error.__context__ = other\n"
        "        other.__context__ = error\n        raise\n",
        "ValueError: a",
    ),
    "a mode of torch that hangs": (
        "from torch.utils._python_dispatch import TorchDispatchMode\nclass Odd(TorchDispatchMode):\n"
        "    def __torch_dispatch__(self, *a): return sum(range(10**12))\n"
        "def softmax(x, dim):\n    result = right(x, dim)\n    Odd().__enter__()\n    return result\n",
        "enters the mode `Odd`",
    ),
    "a mode of torch that lies": (
        "from torch.overrides import TorchFunctionMode\nclass Odd(TorchFunctionMode):\n"
        "    def __torch_function__(self, function, types, args=(), kwargs=None):\n"
        "        return function is torch.allclose or function(*args, **(kwargs or {}))\n"
        "def softmax(x, dim):\n    Odd().__enter__()\n    return 1.5 * right(x, dim)\n",
        "enters the mode `Odd`",
    ),
    "inference mode": (
        "modes = []\n" + _before("modes.append(torch.inference_mode()); modes[-1].__enter__()"),
        "inference mode",
    ),
    "lists in lists": (
        "def softmax(x, dim):\n    a = []\n    for _ in range(10**5): a = [a]\n    return a\n",
        "list of 1",
    ),
    "a report that is none": (
        _before("__import__('course.sandbox.board').sandbox.board.here().publish(b'{\"a\": 3}')")
        + "    os._exit(0)\n",
        "cannot be read",
    ),
    "a report that is no text": (
        _before("__import__('course.sandbox.board').sandbox.board.here().publish(b'\\xff[')"),
        "cannot be read",
    ),
}

BORROWS = {
    "calls use": (_gives("use('attention.softmax')(x, dim)"), "calls use('attention.softmax')"),
    "calls use and swallows": (
        "def softmax(x, dim):\n    try: return use('attention.softmax')(x, dim)\n"
        "    except Exception: return right(x, dim)\n",
        "calls use('attention.softmax')",
    ),
    "the model solution": (
        _gives("exercises.get('attention.softmax').model()(x, dim)"),
        "runs the model solution",
    ),
    "in a helper": (
        "reference = exercises.get('attention.softmax').model()\ndef helper(*args): return reference(*args)\n"
        + _gives("helper(x, dim)"),
        "runs the model solution",
    ),
    "in a partial": (
        "reference = use('attention.softmax')\nsoftmax = functools.partial(lambda f, x, dim: f(x, dim), reference)\n",
        "runs the model solution",
    ),
    "in a lambda": (
        "reference = use('attention.softmax')\nsoftmax = lambda x, dim: reference(x, dim)\n",
        "runs the model solution",
    ),
    "in a class": (
        "reference = use('attention.softmax')\nclass Layer(nn.Module):\n"
        "    def forward(self, x, dim): return reference(x, dim)\nsoftmax = Layer()\n",
        "runs the model solution",
    ),
    "by another name": (
        _gives("getattr(__import__('course'), 'u' + 'se')('attention.' + 'softmax')(x, dim)"),
        "calls use('attention.softmax')",
    ),
    "reads the manuscript": (
        "def softmax(x, dim):\n    from course.content import manuscript\n"
        "    names = {'torch': torch, 'Tensor': Tensor}\n"
        "    exec(manuscript.solution('attention.softmax'), names)\n    return names['softmax'](x, dim)\n",
        "reads the model solution",
    ),
    "in a thread": (
        "reference = use('attention.softmax')\ndef softmax(x, dim):\n    out = []\n"
        "    t = threading.Thread(target=lambda: out.append(reference(x, dim)))\n"
        "    t.start(); t.join()\n    return out[0]\n",
        "runs the model solution",
    ),
}

HOSTILE: dict[str, tuple[str, str]] = {**HANGS, **ENDS, **CHANGES, **RESULTS, **OBJECTS, **BORROWS}


def made(source: str) -> dict[str, Any]:
    """The names that a hostile source binds, run as a notebook's cell would be."""
    text = PRELUDE + source
    linecache.cache["<hostile>"] = (len(text), None, text.splitlines(keepends=True), "<hostile>")
    names: dict[str, Any] = {"__name__": "hostile"}
    exec(compile(text, "<hostile>", "exec", dont_inherit=True), names)
    return names
