"""The model solutions give what encoder_core's functions and PyTorch's give, on random inputs."""

from __future__ import annotations

import itertools
import math
import random
from typing import Any

import pytest
import torch
import torch.nn.functional as F

import encoder_core
from course.content import exercises


def model(exercise_id: str) -> Any:
    return exercises.get(exercise_id).model()


@pytest.mark.parametrize("seed", range(20))
def test_patches_are_encoder_cores_and_torchs(seed: int) -> None:
    draw, generator = random.Random(seed), torch.Generator().manual_seed(seed)
    batch, channels, rows, columns, patch = (draw.randint(1, 4) for _ in range(5))
    height, width = rows * patch, columns * patch
    images = torch.randn(batch, channels, height, width, generator=generator)
    patches = model("vision.patchify")(images, patch)
    assert torch.equal(patches, encoder_core.patchify(images, patch))
    assert torch.equal(patches, F.unfold(images, patch, stride=patch).mT)
    assert torch.equal(model("vision.unpatchify")(patches, patch, height, width), images)
    again = encoder_core.unpatchify(patches, patch, height, width)
    assert torch.equal(again, images)


@pytest.mark.parametrize(("height", "width"), [(4, 5), (5, 4), (2, 8)])
def test_what_leaves_pixels_over_is_refused(height: int, width: int) -> None:
    for patchify in (model("vision.patchify"), encoder_core.patchify):
        with pytest.raises(ValueError, match=f"{height} x {width}"):
            patchify(torch.zeros(1, 2, height, width), 4)


@pytest.mark.parametrize("seed", range(40))
def test_frames_are_encoder_cores(seed: int) -> None:
    draw, generator = random.Random(seed), torch.Generator().manual_seed(seed)
    samples, size, hop = draw.randint(1, 12), draw.randint(1, 6), draw.randint(1, 8)
    signal = torch.randn(draw.randint(1, 3), samples, generator=generator)
    assert torch.equal(
        model("speech.frame")(signal, size, hop), encoder_core.frame(signal, size, hop)
    )


@pytest.mark.parametrize("blank", [0, 2])
def test_every_short_path_collapses_as_encoder_cores(blank: int) -> None:
    collapse = model("speech.ctc_collapse")
    for length in range(6):
        for path in itertools.product(range(3), repeat=length):
            assert collapse(list(path), blank) == encoder_core.ctc_collapse(list(path), blank)


@pytest.mark.parametrize("seed", range(40))
def test_the_ctc_loss_and_its_gradient_are_torchs(seed: int) -> None:
    draw, generator = random.Random(seed), torch.Generator().manual_seed(seed)
    frames, ids = draw.randint(1, 9), draw.randint(2, 5)
    blank = draw.randrange(ids)
    letters = [id for id in range(ids) if id != blank]
    target = draw.choices(letters, k=draw.randint(0, 5))
    logits = torch.randn(frames, ids, generator=generator, dtype=torch.float64).requires_grad_()
    log_probs = logits.log_softmax(dim=-1)
    ours = model("speech.ctc_loss")(log_probs, target, blank)
    ids_ = torch.tensor([target], dtype=torch.long)
    lengths = torch.tensor([frames]), torch.tensor([len(target)])
    theirs = F.ctc_loss(log_probs[:, None], ids_, *lengths, blank, reduction="sum")
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)
    if ours.isfinite():
        (own,) = torch.autograd.grad(ours, logits, retain_graph=True)
        (wanted,) = torch.autograd.grad(theirs, logits)
        torch.testing.assert_close(own, wanted, rtol=1e-10, atol=1e-12)
        mean = encoder_core.ctc_loss(logits[None], lengths[0], ids_, lengths[1], blank)
        assert mean.item() == pytest.approx(ours.item() / max(1, len(target)), rel=1e-12)


@pytest.mark.parametrize(
    ("frames", "target"), [(1, [1]), (4, [1, 2]), (5, [1, 1]), (3, []), (2, [1, 1])]
)
def test_the_ctc_loss_sums_over_all_paths(frames: int, target: list[int]) -> None:
    generator = torch.Generator().manual_seed(frames)
    log_probs = torch.randn(frames, 3, generator=generator, dtype=torch.float64).log_softmax(-1)
    collapse = model("speech.ctc_collapse")
    total = 0.0
    for path in itertools.product(range(3), repeat=frames):
        if collapse(list(path), 0) == target:
            total += math.exp(sum(log_probs[n, id].item() for n, id in enumerate(path)))
    wanted = -math.log(total) if total else math.inf
    assert model("speech.ctc_loss")(log_probs, target, 0).item() == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("seed", range(40))
def test_the_word_error_rate_is_encoder_cores(seed: int) -> None:
    draw = random.Random(seed)
    written, spoken = ([draw.choices("abc", k=draw.randint(0, 7)) for _ in range(4)] for _ in "12")
    spoken[0].append("a")
    ours = model("speech.word_error_rate")(written, spoken)
    assert ours == encoder_core.word_error_rate(written, spoken)
