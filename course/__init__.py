"""The Transformer encoder: build it, watch it work, use it.

Importing this package needs the standard library alone, so that ``python3 -m course`` can run
before anything is installed. What a chapter imports from it is loaded when it is first asked for.
"""

import importlib

__version__ = "0.1.0"

_HOMES = {
    "check": "course.checking",
    "use": "course.checking",
    "hint": "course.checking",
    "compare": "course.checking",
    "quiz": "course.quiz",
    "predict": "course.quiz",
}
_SUBMODULES = ("figures", "labs")

__all__ = ["check", "compare", "figures", "hint", "labs", "predict", "quiz", "use"]


def __getattr__(name):  # type: ignore[no-untyped-def]  # old Pythons must be able to read this file
    if name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name]), name)
        # Importing course.quiz binds the package's attribute "quiz" to the module: bind the
        # function over it, so that the name means the same thing on every access.
        globals()[name] = value
        return value
    if name in _SUBMODULES:
        return importlib.import_module("course." + name)
    raise AttributeError("module 'course' has no attribute '{}'".format(name))


def __dir__():  # type: ignore[no-untyped-def]
    return sorted([*globals(), *__all__])
