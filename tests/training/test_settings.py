"""Settings are explained where they are wrong, and stand for a folder where they are right."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from course.training import Settings
from tests.training import toys

WRONG = [
    ("nhead", {"nhead": 3}, "does not divide d_model"),
    ("warmup", {"warmup": 200}, "must be below steps"),
    ("dropout", {"dropout": 1.0}, "from 0 to below 1"),
    ("dropout", {"dropout": math.nan}, "from 0 to below 1"),
    ("learning_rate", {"learning_rate": 0.0}, "positive, finite"),
    ("learning_rate", {"learning_rate": math.inf}, "positive, finite"),
    ("clip", {"clip": -1.0}, "no clipping"),
    ("positions", {"positions": "rotary?"}, "sinusoidal"),
    ("schedule", {"schedule": "step"}, "cosine, linear or constant"),
    ("optimizer", {"optimizer": "sgd"}, "adamw or muon"),
    ("steps", {"steps": 0}, "from 1 to"),
    ("steps", {"steps": 2.5}, "whole number"),
    ("batch_size", {"batch_size": True}, "whole number"),
    ("weight_decay", {"weight_decay": -0.1}, "at least 0"),
    (
        "num_layers",
        {"d_model": 1024, "dim_feedforward": 8192, "num_layers": 24},
        "lower num_layers",
    ),
]


@pytest.mark.parametrize(("name", "changes", "said"), WRONG, ids=lambda value: str(value)[:40])
def test_a_wrong_value_is_explained(name: str, changes: dict[str, object], said: str) -> None:
    settings = replace(toys.SETTINGS, **changes)  # type: ignore[arg-type]
    found = toys.training().check(settings)
    assert set(found) == {name}
    assert said in found[name]


def test_valid_settings_have_no_problem() -> None:
    assert toys.training().check(toys.SETTINGS) == {}
    assert toys.training().check(replace(toys.SETTINGS, clip=None)) == {}


def test_what_only_a_training_has_is_checked_by_it() -> None:
    training = toys.training(validate=lambda settings: {"masking": "too much"})
    assert training.check(toys.SETTINGS) == {"masking": "too much"}


def test_a_change_of_more_stays_there() -> None:
    settings = Settings(more={"masking": 0.15, "pairs": 3}).changed(masking=0.3, steps=7)
    assert settings.more == {"masking": 0.3, "pairs": 3}
    assert settings.steps == 7
    with pytest.raises(TypeError, match="no setting 'maskin'"):
        settings.changed(maskin=0.3)


def test_the_digest_follows_every_setting() -> None:
    changes = [
        {},
        {"steps": 7},
        {"seed": 9},
        {"more": {"a": 1}},
        {"more": {"a": 2}},
        {"clip": None},
    ]
    digests = {replace(toys.SETTINGS, **change).digest() for change in changes}  # type: ignore[arg-type]
    assert len(digests) == len(changes)


def test_a_name_must_do_for_a_folder() -> None:
    with pytest.raises(ValueError, match="name"):
        toys.training(name="../elsewhere")
