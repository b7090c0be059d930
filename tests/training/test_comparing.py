"""A learner's layer that is slower or wrong in training is told so before the first update."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from course import labs
from course.training import Session
from course.training.comparing import compare
from tests.training import toys

SETTINGS = replace(toys.SETTINGS, steps=6, warmup=2)


class Slow(toys.Toy):
    """It computes everything many times."""

    def forward(self, x: Tensor) -> Tensor:
        end = time.thread_time() + 0.02
        while time.thread_time() < end:
            super().forward(x)
        return super().forward(x)


class Doubled(toys.Toy):
    """Its results are twice as large."""

    def forward(self, x: Tensor) -> Tensor:
        return 2 * super().forward(x)


class Detached(toys.Toy):
    """No gradient reaches its first layer."""

    def forward(self, x: Tensor) -> Tensor:
        return self.outer(self.dropout(self.norm(torch.tanh(self.inner(x)).detach()))).squeeze(-1)


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (toys.Toy, ""),
        (Slow, "times as long"),
        (Doubled, "the loss at the start is"),
        (Detached, "no gradient reaches inner.bias, inner.weight."),
    ],
)
def test_what_is_worse_than_the_reference_is_told(kind: type[toys.Toy], told: str) -> None:
    training = toys.training(
        build=lambda settings: kind(settings.d_model, settings.dropout),
        reference=toys.build,
        parts={"EncoderLayer": "yours"},
    )
    model = training.fresh_model(SETTINGS)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    drawn = torch.get_rng_state()
    found = compare(training, SETTINGS, model)
    assert told in found
    assert bool(found) == bool(told)
    assert found.startswith("Your EncoderLayer beside the reference's:" if told else "")
    assert torch.equal(torch.get_rng_state(), drawn)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_the_theatre_tells_it_and_the_training_stays_as_it_is() -> None:
    plain = Session(toys.training(), SETTINGS).result(cache=False)
    training = toys.training(reference=lambda s: Doubled(s.d_model, s.dropout), key="2")
    session = Session(training, SETTINGS)
    theatre = labs.TrainingTheatre(training, session)
    model = session.result(cache=False).model
    for one, other in zip(
        model.state_dict().values(), plain.model.state_dict().values(), strict=True
    ):
        assert torch.equal(one, other)
    (stage,) = [panel for panel in theatre.drawing().panels if panel.name == "stage"]
    assert "Your model beside the reference's: the loss at the start" in stage.meta["parts"]
    assert "leave yours out" in stage.meta["parts"]
    assert isinstance(model, nn.Module)
    assert Session(training, SETTINGS).compared == session.compared
    theatre.close()
