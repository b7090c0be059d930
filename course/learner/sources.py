"""Where a function or class that was defined in a notebook stands in the text of its cell."""

from __future__ import annotations

import ast
import linecache
import textwrap
from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Any

Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = Function | ast.ClassDef | ast.Lambda


class Found:
    """A definition and the text that it stands in."""

    def __init__(self, node: Definition, text: str) -> None:
        self.node, self.text = node, text

    @property
    def decorated(self) -> bool:
        """Whether decorators stand above it."""
        return bool(getattr(self.node, "decorator_list", []))

    def source(self, *, decorators: bool = True) -> str:
        """The definition's text, beginning at the left margin."""
        node = self.node
        if isinstance(node, ast.Lambda):
            segment = ast.get_source_segment(self.text, node) or ast.unparse(node)
            return f"({segment})" if "\n" in segment else segment
        start = first_line(node) if decorators else node.lineno
        source = "\n".join(self.text.split("\n")[start - 1 : node.end_lineno])
        if not node.col_offset:
            return source
        if has_long_string(node):  # which moving to the margin would change
            source = ast.unparse(node)
            return source if decorators else source[source.index("def ") :]
        return textwrap.dedent(source)


def has_long_string(tree: ast.AST) -> bool:
    """Whether a string in it goes over several lines."""
    strings = [node for node in ast.walk(tree) if isinstance(node, ast.Constant | ast.JoinedStr)]
    return any(node.end_lineno != node.lineno for node in strings)


def first_line(node: Definition) -> int:
    """The line on which a definition begins, its decorators counted, as code objects count it."""
    decorators = getattr(node, "decorator_list", [])
    return int(min([node.lineno, *(decorator.lineno for decorator in decorators)]))


def find_function(function: FunctionType) -> Found | None:
    """The definition of just this function, not of a later one of the same name."""
    code = function.__code__
    own = "".join(linecache.getlines(code.co_filename, function.__globals__))
    for node in _nodes(own):
        if isinstance(node, ast.Lambda):
            body = node.body
            place = (body.lineno, body.end_lineno, body.col_offset, body.end_col_offset)
            if code.co_name == "<lambda>" and place in set(code.co_positions()):
                return Found(node, own)
        elif _is_definition(node, code):
            return Found(node, own)
    return _find_by_code(code, function.__globals__)


def find_class(cls: type, namespace: dict[str, Any]) -> Found | None:
    """The definition of a class: the one that holds its methods, else the latest of its name."""
    functions = [value for value in vars(cls).values() if isinstance(value, FunctionType)]
    for code in (function.__code__ for function in functions):
        text = "".join(linecache.getlines(code.co_filename, namespace))
        for node in _nodes(text):
            if not isinstance(node, ast.ClassDef) or node.name != cls.__name__:
                continue
            if any(_is_definition(inner, code) for inner in node.body):
                return Found(node, text)
    if namespace.get(cls.__name__) is not cls:
        return None
    for text in cells(namespace):
        for node in _nodes(text):
            if isinstance(node, ast.ClassDef) and node.name == cls.__name__:
                return Found(node, text)
    return None


def find_assignment(name: str, namespace: dict[str, Any], near: str) -> str | None:
    """The statement that last gave a global name its value, in the cells or in the text `near`."""
    for text in [*cells(namespace), near]:
        tree = _parsed(text)
        for statement in reversed(tree.body if tree else []):
            targets: list[ast.expr] = []
            if isinstance(statement, ast.Assign):
                targets = statement.targets
            elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
                targets = [statement.target]
            if len(targets) == 1 and isinstance(targets[0], ast.Name) and targets[0].id == name:
                return ast.get_source_segment(text, statement)
    return None


def cells(namespace: dict[str, Any]) -> Iterator[str]:
    """The texts of the cells that were run, the latest first."""
    history = namespace.get("In")
    for text in reversed(history if isinstance(history, list) else []):
        if isinstance(text, str):
            yield _inside_magic(text)


def _inside_magic(text: str) -> str:
    """What a cell magic such as %%time was given to run; the text itself where there is none."""
    tree = _parsed(text)
    if tree and len(tree.body) == 1 and isinstance(tree.body[0], ast.Expr):
        call = tree.body[0].value
        if isinstance(call, ast.Call) and getattr(call.func, "attr", "") == "run_cell_magic":
            body = call.args[-1]
            if isinstance(body, ast.Constant) and isinstance(body.value, str):
                return body.value
    return text


def _find_by_code(code: CodeType, namespace: dict[str, Any]) -> Found | None:
    """A top-level function whose text is gone (%%time does that), found by what it compiles to."""
    for text in cells(namespace):
        tree = _parsed(text)
        for node in tree.body if tree else []:
            if isinstance(node, Function) and node.name == code.co_name:
                module = compile(ast.Module([node], []), "<cell>", "exec", dont_inherit=True)
                if any(_same(constant, code) for constant in module.co_consts):
                    return Found(node, text)
    return None


def _same(constant: object, code: CodeType) -> bool:
    if not isinstance(constant, CodeType):
        return False
    parts = (constant.co_code, constant.co_names, constant.co_varnames)
    return parts == (code.co_code, code.co_names, code.co_varnames)


def _is_definition(node: ast.AST, code: CodeType) -> bool:
    return (
        isinstance(node, Function)
        and node.name == code.co_name
        and first_line(node) == code.co_firstlineno
    )


def _nodes(text: str) -> list[Definition]:
    tree = _parsed(text)
    return [node for node in ast.walk(tree) if isinstance(node, Definition)] if tree else []


def _parsed(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError):
        return None
