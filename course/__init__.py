"""The Transformer encoder: build it, watch it work, use it.

Importing this package needs the standard library alone, so that ``python3 -m course`` can run
before anything is installed. What a chapter imports from it is loaded when it is first asked for.

This file, like ``__main__.py``, is kept readable for Pythons that are too old for the course,
so that they can say so in one sentence.
"""

import importlib
import sys
import types

__version__ = "0.1.0"

__all__ = [
    "check",
    "compare",
    "datasets",
    "doctor",
    "explain",
    "figures",
    "hint",
    "labs",
    "measure",
    "passages",
    "predict",
    "quiz",
    "texts",
    "use",
]

_HOMES = {
    "check": "course.checking",
    "use": "course.checking",
    "hint": "course.checking",
    "compare": "course.checking",
    "quiz": "course.quiz",
    "predict": "course.quiz",
    "explain": "course.quiz",
}
_MODULES = {
    "datasets": "course.datasets",
    "doctor": "course.setup.doctor",
    "figures": "course.figures",
    "labs": "course.labs",
    "measure": "course.system.measure",
    "passages": "course.datasets.passages",
    "texts": "course.datasets.texts",
}


def __getattr__(name):  # type: ignore[no-untyped-def]
    if name in _MODULES:
        return importlib.import_module(_MODULES[name])
    if name not in _HOMES:
        raise AttributeError("module 'course' has no attribute '{}'".format(name))
    importlib.import_module("course.content")  # makes the exercises and questions known
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__():  # type: ignore[no-untyped-def]
    return sorted(set(list(globals()) + __all__))


class _Course(types.ModuleType):
    """Keeps ``course.quiz`` the function when the module of that name is loaded.

    The import system binds a submodule to its package under the submodule's name, which would
    otherwise make ``from course import quiz`` depend on what was imported before.
    """

    def __setattr__(self, name, value):  # type: ignore[no-untyped-def]
        if isinstance(value, types.ModuleType) and _HOMES.get(name) == value.__name__:
            value = getattr(value, name)
        types.ModuleType.__setattr__(self, name, value)


if sys.version_info >= (3, 7):
    sys.modules[__name__].__class__ = _Course
