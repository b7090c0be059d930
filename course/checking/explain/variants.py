"""Small changes of a model solution: each is a mistake that nobody had to list."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_Place = tuple[Any, Any]  # a list or a node's fields, and the index or name there

_OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "sum", ast.Sub: "difference", ast.Mult: "product", ast.Div: "division",
    ast.MatMult: "matrix product", ast.Pow: "power", ast.FloorDiv: "whole division",
    ast.Mod: "remainder", ast.BitAnd: "`and`", ast.BitOr: "`or`",
}  # fmt: skip
_OTHERS: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub, ast.Mult), ast.Sub: (ast.Add,), ast.Mult: (ast.Div, ast.Add),
    ast.Div: (ast.Mult,), ast.BitAnd: (ast.BitOr,), ast.FloorDiv: (ast.Div,),
}  # fmt: skip
_COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE, ast.Lt), ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,),
    ast.NotIn: (ast.In,), ast.In: (ast.NotIn,),
}  # fmt: skip
_SIBLINGS = (
    ("sin", "cos"), ("amax", "amin", "mean", "sum"), ("max", "min"), ("mean", "sum"), ("sum", "mean"),
    ("triu", "tril"), ("argmax", "argmin"), ("square", "abs"), ("norm", "sum"), ("erf", "tanh"),
    ("relu", "tanh", "sigmoid"), ("ones", "zeros"), ("exp", "abs"), ("log", "log2", "log10"),
)  # fmt: skip
CALLS = {
    "softmax": "softmax", "exp": "exponential", "sum": "sum", "amax": "maximum", "masked_fill": "masking",
    "norm": "norm (length)", "mean": "mean", "sqrt": "square root", "clamp": "clamping", "erf": "erf",
    "relu": "activation", "log": "logarithm", "transpose": "exchange of axes", "reshape": "reshape",
    "square": "square", "argmax": "argmax", "where": "choice by a condition", "sin": "sine",
    "cos": "cosine", "dropout": "dropout", "lower": "lower-casing", "sorted": "sorting", "chunk": "split",
}  # fmt: skip


@dataclass(frozen=True)
class Variant:
    """A changed source, the line that was changed, and the change in words."""

    source: str
    line: int
    says: str

    @property
    def rank(self) -> int:
        """Which of several that fit is told: something missing before something else."""
        signs = ("is missing", "axis", "the number", "stands where", "exchanged")
        return next((i for i, sign in enumerate(signs) if sign in self.says), len(signs))


def variants(source: str) -> Iterator[Variant]:
    """All variants of a source, those of one line together."""
    tree = ast.parse(source)
    owners, places = _owners(tree), _places(tree)
    for node in list(ast.walk(tree)):
        if node not in owners:
            continue
        for changed, says in _changes(node, owners[node], tree):
            text = _with(tree, places[node], node, changed)
            if text is not None:
                yield Variant(text, getattr(node, "lineno", 0), says)


def _owners(tree: ast.AST) -> dict[ast.AST, ast.stmt]:
    """The simple statement, or the head of a compound one, in which each expression stands."""
    found: dict[ast.AST, ast.stmt] = {}
    for statement in ast.walk(tree):
        if isinstance(
            statement, ast.Assign | ast.AnnAssign | ast.Return | ast.AugAssign | ast.Expr
        ):
            parts: list[ast.AST] = [statement.value] if statement.value is not None else []
        elif isinstance(statement, ast.If | ast.While):
            parts = [statement.test]
        elif isinstance(statement, ast.For):
            parts = [statement.iter]
        else:
            continue
        assert isinstance(statement, ast.stmt)
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            continue
        found[statement] = statement
        for part in parts:
            found.update((inner, statement) for inner in ast.walk(part))
    return found


def made(statement: ast.stmt) -> str:
    """What a statement makes, in a sentence."""
    if isinstance(statement, ast.Assign):
        target = statement.targets[0]
        while isinstance(target, ast.Subscript | ast.Attribute):
            target = target.value
        names = [n.id for n in ast.walk(target) if isinstance(n, ast.Name)]
        return " and ".join(f"`{name}`" for name in names if name != "_") or "a value"
    if isinstance(statement, ast.AugAssign | ast.AnnAssign):
        return f"`{ast.unparse(statement.target)}`"
    if isinstance(statement, ast.If):
        return "the condition of an `if`"
    if isinstance(statement, ast.While):
        return "the condition of the loop"
    return "the result" if isinstance(statement, ast.Return) else "a step"


def word(node: ast.AST) -> str:
    """What kind of operation an expression is."""
    if isinstance(node, ast.BinOp):
        return _OPERATORS.get(type(node.op), "operation")
    if isinstance(node, ast.Call):
        name = _name(node)
        return CALLS.get(name, f"`{name}`")
    if isinstance(node, ast.UnaryOp):
        return "minus sign" if isinstance(node.op, ast.USub) else "negation"
    if isinstance(node, ast.Attribute):
        return "transpose" if node.attr in ("T", "mT") else f"`{node.attr}`"
    if isinstance(node, ast.Subscript):
        return "selection of entries"
    return "comparison" if isinstance(node, ast.Compare) else "step"


def a(noun: str) -> str:
    """A noun with its article."""
    return f"{'an' if noun.lstrip('`')[0] in 'aeiou' else 'a'} {noun}"


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ast.unparse(call.func)


def _changes(node: ast.AST, owner: ast.stmt, tree: ast.AST) -> Iterator[tuple[ast.AST | None, str]]:
    what = made(owner)
    of = f"in what makes {what}"
    if isinstance(node, ast.BinOp):
        left, right, name = node.left, node.right, word(node)
        yield left, f"{of}, the {name} with `{ast.unparse(right)}` is missing"
        yield right, f"{of}, the {name} with `{ast.unparse(left)}` is missing"
        for kind in _OTHERS.get(type(node.op), ()):
            yield (
                ast.BinOp(left, kind(), right),
                (f"{of}, there is {a(_OPERATORS[kind])} where {a(name)} belongs"),
            )
        yield ast.BinOp(right, node.op, left), f"{of}, the two sides of the {name} are exchanged"
    if isinstance(node, ast.Call):
        yield from _calls(node, of)
    if isinstance(node, ast.UnaryOp) and not isinstance(node.operand, ast.Constant):
        yield node.operand, f"{of}, the {word(node)} is missing"
    number = _number(node)
    if number is not None and not isinstance(number, bool):
        others = {-1: (-2, 0, 1), 0: (1, -1), 1: (0, 2, -1), 2: (1, 3)}.get(
            number if isinstance(number, int) else -99, (2 * number, number + 1, number - 1)
        )
        for other in others:
            yield ast.Constant(other), f"{of}, the number {number:g} is {other:g}"
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield ast.Constant(not node.value), f"{of}, {node.value} is {not node.value}"
    if isinstance(node, ast.Compare):
        for comparison in _COMPARED.get(type(node.ops[0]), ()):
            changed = ast.Compare(node.left, [comparison()], node.comparators)
            yield changed, f"{of}, the comparison is another one: `{ast.unparse(changed)}`"
    if isinstance(node, ast.IfExp):
        yield node.body, f"{of}, the case of `{ast.unparse(node.test)}` being false is missing"
        yield node.orelse, f"{of}, the case of `{ast.unparse(node.test)}` is missing"
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        for other_name in _variables(tree):
            if other_name != node.id and node.id in _variables(tree):
                yield (
                    ast.Name(other_name, ast.Load()),
                    (f"{of}, `{other_name}` stands where `{node.id}` belongs"),
                )
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        yield None, f"the step that makes {what} is missing"
    if isinstance(node, ast.If):
        yield None, f"what depends on `{ast.unparse(node.test)}` is missing"


def _calls(node: ast.Call, of: str) -> Iterator[tuple[ast.AST | None, str]]:
    name, named = _name(node), word(node)
    if isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) not in (
        "torch", "F", "math", "re", "self",
    ):  # fmt: skip
        yield node.func.value, f"{of}, the {named} is missing"
    elif node.args:
        yield node.args[0], f"{of}, the {named} is missing"
    for group in _SIBLINGS:
        for other in group[1:] if name == group[0] else group[:1] if name in group[1:] else ():
            func: ast.expr = (
                ast.Attribute(node.func.value, other, ast.Load())
                if isinstance(node.func, ast.Attribute)
                else ast.Name(other, ast.Load())
            )
            shown = CALLS.get(other, f"`{other}`")
            yield (
                ast.Call(func, node.args, node.keywords),
                (f"{of}, there is {a(shown)} where {a(named)} belongs"),
            )
    if len(node.args) > 1:
        turned = [node.args[1], node.args[0], *node.args[2:]]
        yield (
            ast.Call(node.func, turned, node.keywords),
            (f"{of}, two arguments of the {named} are exchanged"),
        )
    for i, keyword in enumerate(node.keywords):
        if keyword.arg == "dim":
            for axis in ("-1", "-2", "0", "1", "None"):
                if axis != ast.unparse(keyword.value):
                    changed = list(node.keywords)
                    changed[i] = ast.keyword("dim", ast.parse(axis, mode="eval").body)
                    which = "over all axes" if axis == "None" else f"along axis {axis}"
                    yield (
                        ast.Call(node.func, node.args, changed),
                        (
                            f"{of}, the {named} runs {which} instead of axis {ast.unparse(keyword.value)}"
                        ),
                    )


def _number(node: ast.AST) -> int | float | None:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _number(node.operand)
        return None if inner is None else -inner
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return node.value
    return None


def _variables(tree: ast.AST) -> list[str]:
    """Parameters and local variables, in their order."""
    names = [n.arg for n in ast.walk(tree) if isinstance(n, ast.arg) and n.arg != "self"]
    names += [
        n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    ]
    return [name for name in dict.fromkeys(names) if name != "_"]


def _places(tree: ast.AST) -> dict[ast.AST, list[_Place]]:
    """Where each node stands."""
    found: dict[ast.AST, list[_Place]] = {}
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if isinstance(value, ast.AST):
                found.setdefault(value, []).append((vars(parent), name))
            elif isinstance(value, list):
                for i, entry in enumerate(value):
                    if isinstance(entry, ast.AST):
                        found.setdefault(entry, []).append((value, i))
    return found


def _with(tree: ast.AST, places: list[_Place], old: ast.AST, new: ast.AST | None) -> str | None:
    """The source with a node in the place of another, None for no statement; the tree stays as it is.

    A copy of the tree for each variant would take most of the time that a search has.
    """
    instead = ast.Pass() if new is None else new
    for holder, at in places:
        holder[at] = instead
    try:
        return ast.unparse(tree)
    except Exception:
        return None
    finally:
        for holder, at in places:
            holder[at] = old
