"""Choose the optimizer: AdamW, Muon for the matrices inside of the layers, or a function's.

Sources: Loshchilov and Hutter 2019, "Decoupled Weight Decay Regularization", algorithm 2 (AdamW);
Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks"; Liu et al. 2025,
"Muon is Scalable for LLM Training", section 2.2 (updates of AdamW's size, so that one learning rate
serves both).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal, get_args

import torch
from torch import nn

from encoder_core.training.schedule import parameter_groups

__all__ = [
    "MuonWithAdamW",
    "OptimizerName",
    "hidden_matrices",
    "make_adamw",
    "make_muon",
    "make_optimizer",
    "require_optimizer",
    "state_names",
]

_Named = Literal["adamw", "muon"]
Groups = list[dict[str, Any]]
OptimizerName = _Named | Callable[[Groups], torch.optim.Optimizer]


def require_optimizer(optimizer: object) -> None:
    """Raise ValueError for an unknown name, and TypeError for what is neither a name nor a function.

    >>> require_optimizer("adam")
    Traceback (most recent call last):
    ValueError: optimizer must be one of adamw, muon, or a function; got 'adam'.
    """
    if isinstance(optimizer, str) and optimizer not in get_args(_Named):
        names = ", ".join(get_args(_Named))
        raise ValueError(f"optimizer must be one of {names}, or a function; got {optimizer!r}.")
    if not isinstance(optimizer, str) and not callable(optimizer):
        kind = type(optimizer).__name__
        raise TypeError(f"optimizer must be a name or a function of groups; got {kind}.")


def make_optimizer(
    optimizer: OptimizerName, model: nn.Module, weight_decay: float, rate: float
) -> torch.optim.Optimizer:
    """Make the optimizer of a model that is on its device.

    A function is called with `schedule.parameter_groups`. Raises TypeError if it returns something
    else than a `torch.optim.Optimizer`, and what `make_muon` raises.
    """
    require_optimizer(optimizer)
    if optimizer == "adamw":
        return make_adamw(parameter_groups(model, weight_decay), rate)
    if optimizer == "muon":
        return make_muon(model, weight_decay, rate)
    made: object = optimizer(parameter_groups(model, weight_decay))
    if not isinstance(made, torch.optim.Optimizer):
        raise TypeError(
            f"The optimizer's function must return a torch.optim.Optimizer, got {type(made).__name__}."
        )
    return made


def make_adamw(groups: Groups, rate: float) -> torch.optim.AdamW:
    """Make AdamW, in its fused form where torch has one for the parameters.

    >>> make_adamw(parameter_groups(nn.Linear(2, 3), 0.01), rate=1e-3).defaults["fused"]
    True
    """
    trained = [p for group in groups for p in group["params"]]
    fused = all(p.device.type in ("cpu", "cuda") and p.is_floating_point() for p in trained)
    return torch.optim.AdamW(groups, lr=rate, fused=fused)


def make_muon(model: nn.Module, weight_decay: float, rate: float) -> MuonWithAdamW:
    """Make Muon for `hidden_matrices` and AdamW for all other trained parameters.

    Raises ImportError if this torch has no Muon, and ValueError if the model has no such matrices.
    """
    if not hasattr(torch.optim, "Muon"):
        raise ImportError(
            f"optimizer='muon' needs torch.optim.Muon, which torch {torch.__version__} does not "
            "have. Update torch to 2.9 or later, or take optimizer='adamw'."
        )
    hidden = hidden_matrices(model)
    if not hidden:
        raise ValueError(
            f"{type(model).__name__} has no trained matrices inside of layers (modules in an "
            "nn.ModuleList), for which Muon is made. Take optimizer='adamw'."
        )
    mine = {id(p) for p in hidden}
    groups = parameter_groups(model, weight_decay)
    for group in groups:
        group["params"] = [p for p in group["params"] if id(p) not in mine]
    matrices = [{"params": hidden, "weight_decay": weight_decay}]
    return MuonWithAdamW(matrices, [group for group in groups if group["params"]], rate)


def hidden_matrices(model: nn.Module) -> list[nn.Parameter]:
    """Return the trained matrices of a model's layers, the modules in its `nn.ModuleList`s.

    Embeddings, tables of positions and biases, and everything outside of the layers, the output
    included, are left out. A layer norm's scale has one axis and is no matrix.

    >>> from encoder_core.encoder import TransformerEncoder, TransformerEncoderLayer
    >>> model = TransformerEncoder(TransformerEncoderLayer(8, 2, 16), num_layers=3)
    >>> len(hidden_matrices(model)), len(list(model.parameters()))
    (12, 36)
    """
    return list(dict.fromkeys(_matrices(model)))


def _matrices(model: nn.Module) -> Iterator[nn.Parameter]:
    for layers in model.modules():
        for part in layers if isinstance(layers, nn.ModuleList) else ():
            for module in part.modules():
                for name, p in module.named_parameters(recurse=False):
                    # A table of biases has two axes too, such as one of heads and distances.
                    kind = f"{type(module).__name__}.{name}".lower()
                    table = any(word in kind for word in ("bias", "embedding", "position"))
                    if p.dim() == 2 and p.requires_grad and not table:
                        yield p


class MuonWithAdamW(torch.optim.Optimizer):
    """Muon for some groups of parameters and AdamW for others, as one optimizer.

    Muon's updates are scaled to the size of AdamW's (`adjust_lr_fn="match_rms_adamw"`), so that one
    learning rate serves both.

    State per parameter: `momentum_buffer`, or AdamW's `step`, `exp_avg` and `exp_avg_sq`.
    """

    def __init__(self, matrices: Groups, others: Groups, rate: float) -> None:
        self._parts: list[torch.optim.Optimizer] = [
            torch.optim.Muon(matrices, lr=rate, adjust_lr_fn="match_rms_adamw")
        ]
        if others:
            self._parts.append(make_adamw(others, rate))
        groups = [group for part in self._parts for group in part.param_groups]
        super().__init__(groups, {})
        self._share()

    def _share(self) -> None:
        """Let the parts work on this optimizer's groups and state."""
        place = 0
        for part in self._parts:
            count = len(part.param_groups)
            part.param_groups = self.param_groups[place : place + count]
            part.state = self.state
            place += count

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load the state of both parts."""
        super().load_state_dict(state_dict)
        self._share()

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Update the parameters; raise ValueError for a `closure`, which must be None."""
        if closure is not None:
            raise ValueError("MuonWithAdamW takes no closure: compute the gradients before step().")
        for part in self._parts:
            part.step()

    def names(self, parameter: nn.Parameter) -> set[str]:
        """Return the names of a parameter's state."""
        hidden = any(parameter is p for p in self._parts[0].param_groups[0]["params"])
        return {"momentum_buffer"} if hidden else _ADAMW


_ADAMW = {"step", "exp_avg", "exp_avg_sq"}


def state_names(optimizer: torch.optim.Optimizer, parameter: nn.Parameter) -> set[str]:
    """Return the names of the state that an optimizer must have of an updated parameter.

    Empty for optimizers that this file does not make.
    """
    if isinstance(optimizer, MuonWithAdamW):
        return optimizer.names(parameter)
    return _ADAMW if isinstance(optimizer, torch.optim.AdamW) else set()
