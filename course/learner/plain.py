"""Which values can be read without running any code of their own.

Reading an attribute, comparing or printing an object may run what its class defines, which may do
anything. Reading what `def`, `class`, `import` and literals make runs nothing.
"""

from __future__ import annotations

import abc
import enum
import functools
import itertools
from collections.abc import Iterator
from types import (
    BuiltinFunctionType,
    FunctionType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any

import torch

_ATOMS = (int, bool, float, str, bytes, type(None), type(...), torch.dtype, torch.device)
_CONTAINERS = (tuple, list, set, frozenset, dict)
_BUILTIN = (BuiltinFunctionType, MethodDescriptorType, WrapperDescriptorType)
_FUNCTIONS = (FunctionType, type(functools.cache(len)))
_DEFINITIONS = (*_FUNCTIONS, BuiltinFunctionType, type, abc.ABCMeta)
_METACLASSES = (type, abc.ABCMeta, enum.EnumMeta, type(torch.Tensor))
_HARMLESS = (*_ATOMS, *_FUNCTIONS, *_METACLASSES, property, classmethod, staticmethod)
_MARKS = ("__course_exercise__", "__course_source__", "__course_reference__")
_READ_OF_CLASSES = ("__name__", "__wrapped__", "__objclass__", *_MARKS)
_READ_OF_FUNCTIONS = ("__name__", "__qualname__", "__objclass__", *_MARKS)
_READ_OF_GLOBALS = ("__name__", "__captured_source__", "__file__")
_LOADERS = ("_frozen_importlib", "_frozen_importlib_external", "zipimport")
_ITEMS = 10_000  # of a container; a larger one is left to a child process
_WRAPPERS = 100  # decorators around one function; more wrap one another in a circle


class NotPlain(Exception):
    """A value that may run code of its own when it is read."""


def require_plain(value: Any) -> None:
    """Raise NotPlain unless reading this value runs no code of its own.

    What a function or class uses (globals, closure, arguments of a partial) is not looked at.
    """
    if not _is_plain(value):
        raise NotPlain


def _is_plain(value: Any) -> bool:
    kind = type(value)
    if kind is ModuleType or kind in _ATOMS:
        return True
    if kind in _CONTAINERS:
        return _holds_atoms(value)
    if kind is torch.Tensor:
        return bool(value.device.type == "cpu" and value.numel() <= _ITEMS)
    if kind is functools.partial:
        return not vars(value) and _is_plain(value.func)
    if kind is MethodType:
        return type(value.__self__) in _METACLASSES and _is_plain(value.__self__)
    if kind in _BUILTIN:
        owner = getattr(value, "__self__", None)  # that of torch.relu is a class
        return owner is None or type(owner) is ModuleType or type(owner) in _METACLASSES
    if kind in _METACLASSES:
        return all(map(_is_plain_class, type.__dict__["__mro__"].__get__(value)))
    return kind in _FUNCTIONS and _is_plain_function(value)


def _holds_atoms(container: Any) -> bool:
    """Whether a container holds numbers and texts alone, at every depth, and not too many."""
    waiting, seen = [container], 0
    while waiting:
        item = waiting.pop()
        seen += 1
        if type(item) in _CONTAINERS:
            if seen + len(item) > _ITEMS:
                return False
            waiting += [*item, *item.values()] if type(item) is dict else item
        elif type(item) not in _ATOMS:
            return False
    return True


def is_definition(value: Any) -> bool:
    """Whether reading it runs none of its own code, as with what `def` and `class` make.

    It may be wrapped, by functions alone: inspect reads the innermost.
    """
    for layer in itertools.islice(_layers(value), _WRAPPERS):
        if type(layer) not in _DEFINITIONS:
            return False
        if type(layer) is BuiltinFunctionType:
            return True
        if type(layer.__module__) not in (str, type(None)):
            return False
        if "__wrapped__" not in vars(layer):
            return True
    return False


def _layers(value: Any) -> Iterator[Any]:
    """A definition and what it wraps, outermost first; each is asked only after the caller has seen it."""
    while True:
        yield value
        if "__wrapped__" not in getattr(value, "__dict__", {}):
            return
        value = vars(value)["__wrapped__"]


def _is_plain_function(value: Any) -> bool:
    """Whether neither its marks nor the module that it stands in run code of their own."""
    return is_definition(value) and all(map(_is_plain_layer, _layers(value)))


def _is_plain_layer(layer: Any) -> bool:
    if type(layer) in _BUILTIN:
        return _is_plain(layer)
    marks = (vars(layer).get(name) for name in _READ_OF_FUNCTIONS)
    return (
        type(layer) in _FUNCTIONS
        and all(type(mark) in _ATOMS for mark in marks)
        and _are_plain_globals(getattr(layer, "__globals__", {}))
    )


def _are_plain_globals(namespace: Any) -> bool:
    """Whether linecache, which asks a module's loader for its text, meets an ordinary module."""
    if type(namespace) is not dict:
        return False
    texts = all(type(namespace.get(name)) in _ATOMS for name in _READ_OF_GLOBALS)
    loaders = [type(namespace.get(name)).__module__ for name in ("__loader__", "__spec__")]
    return texts and all(home in ("builtins", *_LOADERS) for home in loaders)


def _is_plain_class(cls: type) -> bool:
    """Whether a class leaves what capture reads of it to `type`."""
    own = type.__dict__["__dict__"].__get__(cls)
    homes = [item.__module__ for item in own.values() if type(item) is FunctionType]
    texts = all(type(home) in _ATOMS for home in [own.get("__module__"), *homes])
    read = all(type(own[name]) in _HARMLESS for name in _READ_OF_CLASSES if name in own)
    return type(cls) in _METACLASSES and texts and read
