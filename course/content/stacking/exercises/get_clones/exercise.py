"""stacking.get_clones: copies of a module that share nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from course.checking.exercise import Case, Exercise, tags
from course.checking.exercise.draw import Draw


class Affine(nn.Module):
    """A small layer with all that a module can hold: the kind of thing that is cloned here.

    Its arguments have no defaults, so that it can't be made anew without knowing them. One part is always in
    the other mode than the whole, as a part that is kept in evaluation mode is, and one parameter has two names.
    """

    factor: Tensor
    steps: Tensor

    def __init__(self, weight: Tensor, bias: Tensor, factor: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight.detach().clone())
        self.inner = nn.ModuleDict({"last": nn.Module()})
        self.inner["last"].register_parameter(
            "bias", nn.Parameter(bias.detach().clone(), requires_grad=False)
        )
        self.inner["last"].register_parameter("tied", self.weight)
        self.register_buffer("factor", factor.detach().clone())
        self.register_buffer("steps", torch.tensor(3), persistent=False)
        self.history = [1, 2]  # a plain attribute

    def reset_parameters(self) -> None:
        """Begin anew with other values, as the layers of torch.nn do under this name."""
        nn.init.constant_(self.weight, 0.25)

    def forward(self, x: Tensor) -> Tensor:
        """The product of x and weight, plus bias, times a factor."""
        bias: Tensor = self.inner["last"].bias  # type: ignore[assignment]
        return (x @ self.weight + bias) * self.factor


def _tensors(module: nn.Module) -> dict[str, Tensor]:
    return dict([*module.named_parameters(), *module.named_buffers()])


def _storages(tensors: Iterable[Tensor]) -> set[int]:
    return {tensor.untyped_storage().data_ptr() for tensor in tensors}


def _parts(module: nn.Module) -> set[int]:
    """What may not be the same object in two clones."""
    lists = [id(part.history) for part in module.modules() if isinstance(part, Affine)]
    return {*(id(part) for part in module.modules()), *lists}


def _shared(modules: list[nn.Module], with_whom: Iterable[nn.Module]) -> str:
    """What two modules have in common, in words."""
    for one in modules:
        for other in with_whom:
            if one is other:
                return "the whole module"
            if _storages(one.parameters()) & _storages(other.parameters()):
                return "parameters"
            if _storages(one.buffers()) & _storages(other.buffers()):
                return "buffers"
            if _parts(one) & _parts(other):
                return "parts of the module"
    return "nothing"


def _harness(get_clones: Callable[..., Any]) -> Callable[..., Any]:
    """The facts about what a submission returns."""

    def run(weights: dict[str, Tensor], count: int, x: Tensor) -> tuple[Any, ...]:
        with torch._C.DisableTorchFunction():  # a module's place is not a submission's affair
            module = Affine(**weights).train(count == 3)
            module.inner["last"].train(count != 3)
        before = {name: tensor.clone() for name, tensor in _tensors(module).items()}
        modes = _modes(module)
        with torch.random.fork_rng(devices=()):
            torch.manual_seed(0)  # new weights are told by their values, and not as chance
            clones = get_clones(module, count)
        kind = type(clones).__name__
        listed = list(clones) if isinstance(clones, nn.ModuleList | list | tuple) else []
        if not all(isinstance(clone, nn.Module) for clone in listed):
            return (f"{kind} of {type(listed[0]).__name__}", 0, *[""] * 5, x)
        pairs = [listed[i + 1 :] for i in range(len(listed))]
        among = [_shared([clone], others) for clone, others in zip(listed, pairs, strict=True)]
        values = [
            {name: tensor.tolist() for name, tensor in _tensors(clone).items()} for clone in listed
        ]
        untouched = all(
            torch.equal(tensor, before.get(name, tensor.new_zeros(0)))
            for name, tensor in _tensors(module).items()
        )
        wanted = {name: tensor.tolist() for name, tensor in before.items()}
        outputs = [clone(x) for clone in listed if _callable(clone)]
        return (
            "ModuleList" if isinstance(clones, nn.ModuleList) else kind,
            len(listed),
            _shared(listed, [module]),
            next((what for what in among if what != "nothing"), "nothing"),
            _described(values, wanted),
            _flags(listed, module),
            "as it was" if untouched and _modes(module) == modes else "changed",
            torch.stack(outputs) if outputs else x[:0],
        )

    return run


def _modes(module: nn.Module) -> dict[str, bool]:
    """Which of a module's parts are in training mode, by name."""
    return {name: part.training for name, part in module.named_modules()}


def _callable(clone: nn.Module) -> bool:
    return set(_tensors(clone)) >= {"weight", "factor", "inner.last.bias"}


def _flags(found: list[nn.Module], module: nn.Module) -> str:
    """In what the flags of the clones differ from the module's, in words."""
    wanted = {name: p.requires_grad for name, p in module.named_parameters()}
    for clone in found:
        if clone.training != module.training:
            return "training mode" if clone.training else "evaluation mode"
        if _modes(clone) != _modes(module):
            return "a part in another mode than the module's"
        if isinstance(clone, Affine) and clone.weight is not clone.inner["last"].tied:
            return "one parameter under two names became two"
        for name, parameter in clone.named_parameters():
            if parameter.requires_grad != wanted.get(name, parameter.requires_grad):
                return f"{name} {'is' if parameter.requires_grad else 'is not'} trained"
    return "the module's"


def _described(found: list[dict[str, Any]], wanted: dict[str, Any]) -> str:
    for values in found:
        missing = [name for name in wanted if name not in values]
        if missing:
            return f"without {missing[0]}"
        other = [name for name in wanted if values[name] != wanted[name]]
        if other:
            return f"another {other[0]}"
    return "the module's"


def _cases(seed: int) -> list[Case]:
    draw = Draw(seed)
    made = []
    for says, count, rows, columns in (
        ("2 clones", 2, 3, 2),
        ("3 clones", 3, 2, 4),
        ("a single clone", 1, 3, 3),
        ("no clone at all", 0, 2, 3),
    ):
        weights = {"weight": draw.normal(rows, columns), "bias": draw.normal(columns)}
        weights["factor"] = draw.normal(columns)
        args = (weights, count, draw.normal(4, rows))
        names = ("no clone",) if count == 0 else ("one clone",) if count == 1 else ("several",)
        sizes = {"N": count}
        made.append(Case(args, says, sizes, tags(*names), dtypes=("float64", "float32")))
    return made


EXERCISE = Exercise(
    id="stacking.get_clones",
    signature="(module, count)",
    minutes=10,
    difficulty=1,
    cases=_cases,
    harness=_harness,
    shown={"module": "a module with parameters and a buffer"},
    results=(
        "kind of container",
        "number of clones",
        "what the clones share with the module",
        "what the clones share with one another",
        "values of the clones",
        "flags of the clones (requires_grad, training)",
        "module itself afterwards",
        "output of the clones",
    ),
)
