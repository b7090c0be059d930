"""What the steps of a model solution are called in a sentence."""

from __future__ import annotations

import ast

from course.checking.exercise import Exercise
from course.checking.explain import variants
from course.checking.explain.tracing import Step

LONGEST = 70  # characters of a line of code that is shown


class Names:
    """Names of the model's steps: the variable that gets the value, and the operation."""

    def __init__(self, exercise: Exercise) -> None:
        tree = ast.parse(exercise.model_source)
        self._statements: list[ast.stmt] = [
            n
            for n in ast.walk(tree)
            if isinstance(n, ast.Assign | ast.Return | ast.AugAssign | ast.Expr)
        ]
        self._nodes = {
            (n.lineno, n.end_lineno, n.col_offset, n.end_col_offset): n
            for n in ast.walk(tree)
            if isinstance(n, ast.expr)
        }
        self._functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]

    def of(self, step: Step) -> str:
        """What a step of the model makes."""
        kind = self._kind(step)
        if step.inner:
            return f"a step within the {kind}"
        statement = self._statement(step.place[0])
        if statement is None:
            return "a step"
        whole = getattr(statement, "value", None)
        exact = whole is not None and (
            (whole.lineno, whole.end_lineno, whole.col_offset, whole.end_col_offset) == step.place
        )
        name = variants.made(statement)
        if isinstance(statement, ast.Return) and (helper := self._helper(statement)):
            name = f"the result of `{helper}`"
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Tuple):
            parts = statement.targets[0].elts
            if exact and step.part < len(parts):
                name = f"`{ast.unparse(parts[step.part])}`"
        if exact:
            if name == "the result" and not step.last:  # a helper that it calls has made more
                return f"a step on the way to {name}"
            if kind == "step" or isinstance(statement, ast.Return):
                return name
            return f"{name} ({variants.a(kind)})"
        return f"the {kind} on the way to {name}"

    def operation(self, step: Step) -> str:
        """The kind of operation that makes a step, with its article."""
        return f"the {self._kind(step)}"

    def _kind(self, step: Step) -> str:
        node = self._nodes.get(step.place)
        return variants.word(node) if node is not None else "step"

    def _helper(self, statement: ast.stmt) -> str:
        """The function within the solution whose result a statement returns; "" for the solution's own."""
        inside = [
            f for f in self._functions if f.lineno <= statement.lineno <= (f.end_lineno or f.lineno)
        ]
        if not inside:
            return ""
        innermost = max(inside, key=lambda f: f.lineno)
        method = bool(innermost.args.args) and innermost.args.args[0].arg == "self"
        is_helper = innermost.name != "forward" if method else len(inside) > 1
        return innermost.name if is_helper else ""

    def _statement(self, line: int) -> ast.stmt | None:
        """The statement that stands on a line."""
        inside = [s for s in self._statements if s.lineno <= line <= (s.end_lineno or s.lineno)]
        return min(inside, key=lambda s: (s.end_lineno or 0) - s.lineno) if inside else None


def line_of(step: Step) -> str:
    """The place of a step of the answer: "line 3, `x * 2`"."""
    code = step.code if len(step.code) <= LONGEST else step.code[: LONGEST - 3] + "..."
    return f"line {step.place[0]}, `{code}`"
