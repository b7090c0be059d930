"""The half of chapter 09 that sees: its models, its distortions, and what it measures of them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from course.content.recorded import recording
from course.content.vision_and_speech import images
from course.content.vision_and_speech.experiments.images import (
    baselines,
    distort,
    looks,
    recipe,
    views,
)
from course.content.vision_and_speech.experiments.images.model import (
    DigitReader,
    convolutional,
    prepare,
    with_shifted,
)
from course.datasets.digits.corpus import load
from course.training import train
from encoder_core.models.vision import VisionTransformer, patchify

SIZES = {"d_model": 16, "nhead": 2, "num_layers": 2, "dim_feedforward": 24}


def some_images(count: int = 5) -> Tensor:
    pixels, _ = load().tensors(load().validation[:count])
    return pixels


def reader(**how: object) -> DigitReader:
    torch.manual_seed(0)
    return DigitReader(**SIZES, **how).eval()  # type: ignore[arg-type]


def test_without_borders_it_is_the_vision_transformer() -> None:
    ours = reader(borders=False)
    theirs = VisionTransformer(8, 2, 10, 16, 2, 2, 24, channels=1, pooling="mean").eval()
    theirs.load_state_dict(ours.state_dict())
    asked = prepare(some_images())
    torch.testing.assert_close(ours(asked), theirs(asked))


def test_a_patch_with_borders_has_the_sixteen_pixels_around_it() -> None:
    numbered = torch.arange(1.0, 65).reshape(1, 1, 8, 8)
    seen = patchify(with_shifted(numbered), 2)[0]  # (N, 20)
    inner = set(seen[5].tolist())  # of the second row and column
    assert inner == set(numbered[0, 0, 1:5, 1:5].flatten().tolist())
    corner = seen[0].tolist()
    assert {value for value in corner if value > 0} == set(
        numbered[0, 0, :3, :3].flatten().tolist()
    )


def test_it_cuts_by_the_function_it_is_given_and_refuses_other_images() -> None:
    calls = []

    def cut(asked: Tensor, patch: int) -> Tensor:
        calls.append((tuple(asked.shape), patch))
        return patchify(asked, patch)

    reader(cut=cut)(prepare(some_images()))
    assert calls == [((5, 5, 8, 8), 2)]
    with pytest.raises(ValueError, match=r"\(batch, 1, 8, 8\); got \(5, 8, 8\)"):
        reader()(some_images())


def test_without_positions_the_order_of_plain_patches_is_lost() -> None:
    asked = some_images()
    blind = reader(borders=False, positions="none")
    mixed = recipe.mix_patches(asked)
    assert not torch.equal(asked, mixed)
    torch.testing.assert_close(blind(prepare(asked)), blind(prepare(mixed)), rtol=1e-4, atol=1e-5)
    placed = reader(borders=False)
    assert (placed(prepare(asked)) - placed(prepare(mixed))).abs().max() > 1e-2


def test_the_two_networks_are_of_one_size() -> None:
    transformer, cnn = images.digit_reader(), images.digit_reader(network="CNN")
    sizes = [
        sum(p.numel() for p in each.build(each.settings).parameters())
        for each in (transformer, cnn)
    ]
    assert sizes[1] / sizes[0] == pytest.approx(1, abs=0.05)
    assert transformer.settings.steps == cnn.settings.steps
    assert convolutional(4)(torch.zeros(2, 1, 8, 8)).shape == (2, 10)


def test_distorted_images_are_others_of_the_same_ink(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = some_images(130)
    torch.manual_seed(0)
    other = distort.distort(asked)
    torch.manual_seed(0)
    assert torch.equal(other, distort.distort(asked))
    assert other.shape == asked.shape
    assert 0 <= other.min() <= other.max() <= 1 + 1e-6
    assert 0.8 < float(other.sum() / asked.sum()) < 1.05, "some of it leaves the image"
    assert (other - asked).abs().mean() > 0.02
    for name in ("TURN", "SLANT", "SCALE", "SHIFT", "BEND"):
        monkeypatch.setattr(distort, name, 0.0)
    torch.testing.assert_close(distort.distort(asked), asked, rtol=0, atol=1e-5)


def test_reading_often_averages_probabilities_of_the_same_versions() -> None:
    net, asked = reader(), some_images(7)
    once = images.read(net, asked)
    torch.testing.assert_close(views.read_often(net, asked, hands=0), once)
    state = torch.random.get_rng_state()
    often = views.read_often(net, asked, hands=2)
    assert torch.equal(often, views.read_often(net, asked, hands=2))
    assert torch.equal(state, torch.random.get_rng_state())
    torch.testing.assert_close(often.sum(dim=1), torch.ones(7))
    torch.manual_seed(0)
    readings = [once, *(images.read(net, distort.distort(asked)) for _ in range(2))]
    torch.testing.assert_close(often, sum(readings) / 3)
    assert (often - once).abs().max() > 1e-4


def test_it_is_told_what_reading_often_gives_where_images_are_distorted_in_order() -> None:
    net = reader()
    found = images.digit_reader().evaluate(net)
    assert set(found) == {"accuracy", "patches mixed", "read often"}
    once = images.digit_reader(often=False)
    assert set(once.evaluate(net)) == {"accuracy", "patches mixed"}
    assert once.key != images.digit_reader().key
    for how in ({"distorted": False}, {"distorted": False, "mixed": True}):
        assert "read often" not in images.digit_reader(**how).evaluate(net)  # type: ignore[arg-type]


def test_mixing_loses_no_pixel() -> None:
    asked = some_images()
    for mix in (recipe.mix_pixels, recipe.mix_patches):
        mixed = mix(asked)
        assert not torch.equal(mixed, asked)
        assert torch.equal(mixed.flatten(1).sort().values, asked.flatten(1).sort().values)


def test_covered_patches_are_paper_one_at_a_time() -> None:
    asked = some_images() + 1
    blank = looks.covered(asked)  # (B, 16, 8, 8)
    assert blank.shape == (5, 16, 8, 8)
    assert (blank == 0).sum(dim=(2, 3)).eq(4).all()
    assert (blank == 0).sum(dim=1).eq(1).all(), "each pixel once"
    assert torch.equal(blank[:, 5, 2:4, 2:4], torch.zeros(5, 2, 2))


def test_what_an_answer_hangs_on_is_told_patch_by_patch() -> None:
    """A model whose answer hangs on the ink of one patch alone."""

    class OfOnePatch(torch.nn.Module):
        def forward(self, asked: Tensor) -> Tensor:
            ink = asked[:, 0, 4:6, 2:4].sum(dim=(1, 2))  # patch 9
            return torch.stack((ink, *torch.full((9, len(ink)), -99.0)), dim=1)

    changes = looks.away(OfOnePatch(), some_images() + 0.5)
    assert changes.argmin(dim=1).eq(9).all()
    assert (changes != 0).sum(dim=1).eq(1).all()


def test_attention_that_is_received_adds_up_to_one() -> None:
    net, asked = reader(), some_images()
    got = looks.received(net, asked)
    torch.testing.assert_close(got.sum(dim=1), torch.ones(5))
    one = looks.looks(net, asked[2])
    assert one.shape == (2, 2, 16, 16)
    torch.testing.assert_close(one.mean(dim=(0, 1, 2)), got[2])
    found = looks.compare(net, asked)
    assert found.by_chance == 1 / 16
    assert -1 <= found.rank <= 1


def test_likeness_that_falls_with_the_distance_correlates_fully() -> None:
    places = torch.cartesian_prod(torch.arange(4.0), torch.arange(4.0))
    assert looks.grid_correlation(-torch.cdist(places, places)) == pytest.approx(-1)
    alike = looks.likeness(reader())
    torch.testing.assert_close(alike.diagonal(), torch.ones(16))


def test_classifiers_know_nothing_of_the_order_of_pixels() -> None:
    plain = baselines.score("SVM", "writers", 10)
    assert plain == baselines.score("SVM", "writers", 10, mixed=True)
    assert baselines.score("SVM", "writers", 10, seed=1) != plain
    with pytest.raises(ValueError, match="take one of logistic regression, SVM"):
        baselines.score("CNN", "writers")


@pytest.mark.parametrize("network", ["Transformer", "CNN"])
def test_a_few_updates_train(network: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_HOME", str(tmp_path))
    training = images.digit_reader("random", network=network, per_class=10)
    assert len(training.data) == 100
    few = training.settings.changed(steps=30, warmup=5)
    found = train(training, few, cache=False, progress=False)
    assert found.metrics["accuracy"] > 0.3
    assert training.examples is not None
    asked = training.examples(found.model)
    assert len(asked) == images.ASKED
    if network == "Transformer":
        assert training.head is not None
        assert training.head(found.model).weights.shape == (3, 4, 16, 16)


def test_what_is_recorded_is_of_this_code() -> None:
    found = recording("vision_and_speech.vision")
    for name, how in images.KINDS.items():
        assert found.rows[name].key == images.as_in_the_chapter(**how).key, f"record {name!r} again"
        assert found.rows[name].seeds == [0, 1, 2]


def test_each_row_of_the_recording_is_another_training() -> None:
    rows = [images.digit_reader(**how) for how in images.KINDS.values()]
    assert len({(row.key, row.settings.digest()) for row in rows}) == len(rows)
