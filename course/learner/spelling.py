"""How a value is spelled in Python source: as a literal, or as a name that can be imported."""

from __future__ import annotations

import ast
import dis
import inspect
import sys
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any


def literal(value: Any) -> str | None:
    """A value that can be spelled out, spelled out; None where it cannot."""
    kind = type(value)
    if kind in (int, bool, str, bytes, type(None)):
        return repr(value)
    if value is ...:
        return "..."
    if kind is float:
        return repr(value) if value - value == 0 else f'float("{value}")'
    if kind in (tuple, list, set, frozenset):
        parts = [
            literal(item)
            for item in (sorted(value, key=repr) if kind in (set, frozenset) else value)
        ]
        if None in parts:
            return None
        inner = ", ".join(str(part) for part in parts)
        if kind is tuple:
            return f"({inner}{',' if len(parts) == 1 else ''})"
        return f"[{inner}]" if kind is list else f"{kind.__name__}([{inner}])"
    if kind is dict:
        pairs = [(literal(key), literal(item)) for key, item in value.items()]
        return (
            None
            if any(None in pair for pair in pairs)
            else f"{{{', '.join(f'{k}: {v}' for k, v in pairs)}}}"
        )
    return _torch_literal(value)


def _torch_literal(value: Any) -> str | None:
    torch = sys.modules.get("torch")
    if torch is None:
        return None
    if isinstance(value, torch.dtype):
        return str(value)
    if isinstance(value, torch.device):
        return f'torch.device("{value}")'
    if (
        type(value) is torch.Tensor
        and value.device.type == "cpu"
        and value.numel() <= 64
        and not value.requires_grad
    ):
        items = literal(value.tolist())
        return f"torch.tensor({items}, dtype={value.dtype})" if items is not None else None
    return None


def is_wrapper(value: Any) -> bool:
    """Whether it is a callable object around a function, as functools.cache makes."""
    return (
        callable(value)
        and hasattr(value, "__wrapped__")
        and isinstance(getattr(value, "__name__", None), str)
    )


def is_definition(value: Any) -> bool:
    """Whether it is what `def` or `class` makes, whoever wrote it."""
    return inspect.isroutine(value) or inspect.isclass(value) or is_wrapper(value)


def library_place(value: Any) -> tuple[str, str] | None:
    """(module, path in it) where a function or class can be imported from; None where it cannot."""
    name = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
    if not (callable(value) and isinstance(name, str)) or isinstance(value, MethodType):
        return None
    home = getattr(value, "__module__", None)
    owner = getattr(value, "__objclass__", None)  # of a method such as torch.Tensor.softmax
    if home is None and inspect.isclass(owner):
        home, name = owner.__module__, f"{owner.__qualname__}.{value.__name__}"
    if isinstance(home, str) and _leads_to(home, name, value):
        packages = [home.rsplit(".", count)[0] for count in range(home.count("."), -1, -1)]
        for module in packages:  # nn.Module rather than nn.modules.module.Module
            if not _private(module) and _leads_to(module, name, value):
                return module, name
    if isinstance(value, FunctionType) and "." in name:
        return None
    if not isinstance(value, FunctionType | type) or (
        isinstance(home, str) and _leads_to(home, name, value)
    ):
        last = str(
            getattr(value, "__name__", name)
        )  # a builtin often does not know its public home: torch.softmax
        for module in sorted(
            (key for key in sys.modules if not _private(key)), key=lambda key: (key.count("."), key)
        ):
            if _leads_to(module, last, value):
                return module, last
    return None


def _private(module: str) -> bool:
    return any(part.startswith("_") for part in module.split(".")) or module.startswith(
        "course_answer_"
    )


def _leads_to(module: str, path: str, value: Any) -> bool:
    """Whether module.path is this very object."""
    if module == "__main__" or module.startswith("course_answer_"):
        return False
    found: Any = sys.modules.get(module)
    for part in path.split("."):
        found = getattr(found, "__dict__", {}).get(part)
    return found is value


def global_names(source: str, flags: int) -> list[str]:
    """The global names that running a piece of source, and calling what it defines, looks up."""
    names: dict[str, None] = {}

    def walk(code: CodeType) -> None:
        stored = set()
        for instruction in dis.get_instructions(code):
            if instruction.opname == "STORE_NAME":
                stored.add(instruction.argval)
            elif instruction.opname in ("LOAD_NAME", "LOAD_GLOBAL", "LOAD_FROM_DICT_OR_GLOBALS"):
                names.update({} if instruction.argval in stored else {instruction.argval: None})
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                walk(constant)

    walk(compile(source, "<capture>", "exec", flags, dont_inherit=True))
    return list(names)


def module_paths(source: str, namespace: dict[str, Any]) -> list[str]:
    """Modules reached through a package's attributes (`xml.dom.minidom`), to be imported too."""
    paths = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute):
            path = ast.unparse(node)
            package = path.partition(".")[0]
            known = namespace.get(package)
            if isinstance(known, ModuleType) and known.__name__ == package and path in sys.modules:
                paths.append(path)
    return paths
