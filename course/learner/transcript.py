"""Writes a function or class, and what it uses, in an order in which it can be run."""

from __future__ import annotations

import ast
import builtins
import functools
import importlib
import inspect
import itertools
import sys
import textwrap
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from course.learner import sources, spelling
from course.learner.plain import require_plain

_ANNOTATIONS: int = importlib.import_module("__future__").annotations.compiler_flag


class CannotCapture(Exception):
    """What was defined cannot be written down as a text of its own; says why and what to do."""


class Transcript:
    """Collects what a text needs, in an order in which it can be run."""

    def __init__(
        self,
        namespace: dict[str, Any],
        exercise: str | None = None,
        careful: bool = False,
    ) -> None:
        self.namespace = namespace  # the notebook's globals
        self.exercise = exercise  # what the text answers: it may not use itself
        self.careful = careful  # raise NotPlain rather than read what may run code of its own
        self.imports: dict[str, None] = {}
        self.parts: list[str] = []
        self.bound: dict[str, Any] = {}  # what each name means at the end of the text
        self.wanted: dict[str, Any] = {}  # what the functions in the text take it to mean
        self.written: dict[
            int, tuple[str, Any]
        ] = {}  # id -> its name; itself, so that the id stays
        self.postponed = False  # whether annotations must not be evaluated
        self.near = ""  # the text of the cell that is being written from
        self.assigning: set[str] = set()  # names whose assignments are being written

    def write(self, obj: Any, name: str) -> str:
        """The whole text that binds `name` to this function or class."""
        self.bind(name, obj)
        for wanted, value in self.wanted.items():
            if self.bound.get(wanted) is not value:
                raise CannotCapture(f"it uses two different things called {wanted}; rename one")
        future = ["from __future__ import annotations"] if self.postponed else []
        imports = sorted(self.imports, key=lambda line: (line.startswith("from course"), line))
        blocks = ["\n\n".join(filter(None, ["\n".join(future), "\n".join(imports)]))]
        for is_long, parts in itertools.groupby(self.parts, lambda part: "\n" in part):
            texts = list(parts)
            blocks += texts if is_long else ["\n".join(texts)]  # constants stand together
        return "\n\n\n".join(filter(None, blocks)) + "\n"

    def bind(self, name: str, value: Any) -> None:
        """Make `name` mean `value` in the text."""
        if name in self.bound and self.bound[name] is value:
            return
        self.look_at(value)
        if isinstance(value, ModuleType):
            self.import_module(name, value)
        elif id(value) in self.written:
            self.alias(name, value)
        elif _exercise(value) or not _from_notebook(value):
            self.bind_value(name, value)
        else:
            self.define(name, value)
            self.alias(name, value)
        self.bound[name] = value

    def look_at(self, value: Any) -> None:
        """Before a value is read: NotPlain where that may run code of its own, and it must not."""
        if self.careful:
            require_plain(value)

    def alias(self, name: str, value: Any) -> None:
        """Give another name to what is written, or is being written: it may call itself."""
        own_name = self.written[id(value)][0]
        if own_name == name:
            return
        if self.bound.get(own_name) is not value:
            raise CannotCapture(f"{own_name} is called {name} too; use one name for it")
        self.parts.append(f"{name} = {own_name}")

    def bind_value(self, name: str, value: Any) -> None:
        """Make `name` mean something that the notebook imported, or a constant."""
        place = None if _exercise(value) else spelling.library_place(value)
        if place is not None and "." not in place[1]:
            module, attribute = place
            renamed = f" as {name}" if attribute != name else ""
            self.imports[f"from {module} import {attribute}{renamed}"] = None
            return
        try:
            self.parts.append(f"{name} = {self.expression(value, name)}")
        except CannotCapture:
            statement = sources.find_assignment(name, self.namespace, self.near)
            if statement is None or name in self.assigning or not self.defines(statement):
                raise
            self.assigning.add(name)
            self.need_names_of(statement, set(), postponed=False)
            self.parts.append(statement)

    def defines(self, statement: str) -> bool:
        """Whether every name that a statement uses still has a value."""
        names = spelling.global_names(statement, _ANNOTATIONS)
        return all(name in self.namespace or hasattr(builtins, name) for name in names)

    def import_module(self, name: str, module: ModuleType) -> None:
        """Make `name` mean a module."""
        full = module.__name__
        if sys.modules.get(full) is not module or full == "__main__":
            raise CannotCapture(f"it uses {name}, a module that cannot be imported by name")
        self.imports[f"import {full}" + (f" as {name}" if full != name else "")] = None

    def define(self, name: str, value: Any) -> None:
        """Write the definition of a notebook's function or class."""
        if inspect.isclass(value):
            return self.define_class(value)
        function = inspect.unwrap(value)
        if not isinstance(function, FunctionType):
            raise CannotCapture(f"{name} is a {type(value).__name__}, whose source cannot be found")
        found = sources.find_function(function)
        if found is None:
            problem = "cannot be found; run its cell again, without a magic in it"
            raise CannotCapture(f"the source of {name} {problem}")
        if function is not value and not found.decorated:
            problem = "is wrapped after its definition; write the wrapper as a decorator, with @"
            raise CannotCapture(f"{name} {problem}")
        outside = self.near, self.namespace
        self.near, self.namespace = found.text, function.__globals__
        source, code = found.source(decorators=function is not value), function.__code__
        own_name = str(getattr(found.node, "name", name))  # a lambda has none
        self.written[id(value)] = (own_name, value)
        self.need_names_of(source, set(code.co_freevars), postponed=_is_postponed(code))
        self.parts.append(self.closed(function, source, own_name))
        self.bound[own_name] = value
        for attribute, content in vars(value).items():
            if not attribute.startswith("__"):
                self.parts.append(f"{own_name}.{attribute} = {self.expression(content, attribute)}")
        self.near, self.namespace = outside

    def closed(self, function: FunctionType, source: str, name: str) -> str:
        """The definition; one with a closure stands in a function that gives it its variables."""
        is_lambda = function.__code__.co_name == "<lambda>"
        if not function.__closure__:
            return f"{name} = {source}" if is_lambda else source
        lines = []
        for variable, cell in zip(function.__code__.co_freevars, function.__closure__, strict=True):
            try:
                content = cell.cell_contents
            except ValueError:
                raise CannotCapture(f"{name} uses {variable}, which has no value") from None
            if content is function:  # it calls itself
                continue
            spelled = self.expression(content, variable)
            if spelled != variable:
                lines.append(f"{variable} = {spelled}")
            else:  # the global of that name, which must stay what it is
                self.wanted[variable] = content
        lines += [f"return {source}"] if is_lambda else [source, f"return {name}"]
        body = textwrap.indent("\n".join(lines), "    ")
        return f"def _make_{name}():\n{body}\n\n\n{name} = _make_{name}()"

    def define_class(self, cls: type) -> None:
        """Write the definition of a notebook's class."""
        name = cls.__name__
        found = sources.find_class(cls, self.namespace) if cls.__qualname__ == name else None
        if found is None:
            problem = "cannot be found; define it at the top level of a cell of its own"
            raise CannotCapture(f"the source of class {name} {problem}")
        nodes = list(ast.walk(found.node))
        inside = {getattr(node, "name", None) or getattr(node, "id", None) for node in nodes}
        methods = {key: item for key, item in vars(cls).items() if isinstance(item, FunctionType)}
        for attribute, method in methods.items():
            if not method.__qualname__.startswith(f"{name}.") and attribute not in inside:
                raise CannotCapture(f"{name}.{attribute} was added later; write it in the class")
        near, self.near = self.near, found.text
        self.written[id(cls)] = (name, cls)
        postponed = any(_is_postponed(method.__code__) for method in methods.values())
        self.need_names_of(found.source(), set(), postponed=postponed)
        self.parts.append(found.source())
        self.bound[name] = cls
        self.near = near

    def need_names_of(self, source: str, given: set[str], *, postponed: bool) -> None:
        """Bind every global name that a piece of source uses, those in `given` excepted."""
        self.postponed = self.postponed or postponed
        needed = spelling.global_names(source, _ANNOTATIONS)
        annotations = [name for name in spelling.global_names(source, 0) if name not in needed]
        for name in [*needed, *annotations]:
            if name in given or name not in self.namespace or name == "__name__":
                continue
            try:
                self.bind(name, self.namespace[name])
            except CannotCapture:
                if name in needed:
                    raise
                self.postponed = True  # an annotation and nothing else: leave it unevaluated
            else:
                self.wanted[name] = self.namespace[name]
        for path in spelling.module_paths(source, self.namespace):
            self.imports[f"import {path}"] = None

    def expression(self, value: Any, name: str) -> str:
        """Python that makes an equal value; `name` is what it is called where it is met."""
        self.look_at(value)
        exercise = _exercise(value)
        if exercise is not None and exercise == self.exercise:
            problem = "for this same exercise; write that function out, under another name"
            raise CannotCapture(f"it uses {name}, which use({exercise!r}) gave {problem}")
        if exercise is not None:
            self.imports["from course import use"] = None
            return f'use("{exercise}")'
        if isinstance(value, functools.partial):
            return self.partial(value, name)
        if isinstance(value, MethodType) and inspect.isclass(value.__self__):
            return f"{self.expression(value.__self__, name)}.{value.__name__}"
        if isinstance(value, ModuleType):
            self.imports[f"import {value.__name__}"] = None
            return value.__name__
        place = spelling.library_place(value)
        if place is not None:
            self.imports[f"import {place[0]}"] = None
            return f"{place[0]}.{place[1]}"
        if _from_notebook(value):
            own_name = str(getattr(value, "__name__", name)).replace("<lambda>", name)
            if id(value) not in self.written:
                self.bind(own_name, value)
            own_name = self.written[id(value)][0]
            if self.bound.get(own_name) is not value:
                raise CannotCapture(f"it uses two different things called {own_name}; rename one")
            return own_name
        text = spelling.literal(value)
        if text is None:
            problem = "which cannot be written down; make it inside of the function"
            raise CannotCapture(f"it uses {name}, a {type(value).__name__}, {problem}")
        if "torch." in text:
            self.imports["import torch"] = None
        return text

    def partial(self, value: functools.partial[Any], name: str) -> str:
        """A functools.partial, spelled out."""
        self.imports["import functools"] = None
        given = [self.expression(value.func, f"_{name}")]
        given += [self.expression(item, name) for item in value.args]
        given += [f"{key}={self.expression(item, key)}" for key, item in value.keywords.items()]
        return f"functools.partial({', '.join(given)})"


def _is_postponed(code: CodeType) -> bool:
    return bool(code.co_flags & _ANNOTATIONS)


def _from_notebook(value: Any) -> bool:
    """Whether it is a function or class that only the running notebook has."""
    return (
        spelling.is_definition(value)
        and not isinstance(value, MethodType)
        and spelling.library_place(value) is None
    )


def _exercise(value: Any) -> str | None:
    """The exercise that a function given by `use` belongs to."""
    exercise = getattr(value, "__course_exercise__", None)
    return exercise if isinstance(exercise, str) else None
