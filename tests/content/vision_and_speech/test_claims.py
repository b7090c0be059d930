"""What the half of chapter 09 that sees says, held against what its own cells compute, and against the recording.

The code cells run here one after the other, solved, in one namespace, up to the last that is about images. By day
the training is made here; every night it is taken from where all tests have it.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from course.content.recorded import Recording, recording
from tests.content import cells
from tests.content.said import right
from tests.sampled import NIGHT

pytestmark = pytest.mark.slow

LAST = "agreement-run"


@pytest.fixture(scope="module")
def chapter(computed: Path, request: pytest.FixtureRequest) -> SimpleNamespace:
    """All names of the chapter after its last cell on images, and what it printed."""
    printed: list[str] = []
    names: dict[str, object] = {}
    home = request.getfixturevalue("trained") if NIGHT else computed
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_HOME", str(home))
        for cell in cells.run("09_vision_and_speech"):
            printed += cell.printed
            names |= cell.names
            if cell.id == LAST:
                break
    names.pop("print")
    return SimpleNamespace(**names, printed="\n".join(printed))


@pytest.fixture(scope="module")
def recorded() -> Recording:
    return recording("vision_and_speech.vision")


def median(recorded: Recording, row: str) -> float:
    return recorded.rows[row].spread("test", "accuracy").median


def test_the_digits_and_their_forms(chapter: SimpleNamespace) -> None:
    data = chapter.data
    assert len(data.train) == 1157
    assert len(chapter.whole) == 1797
    held = {name: {each.source for each in getattr(data, name)} for name in ("train", "test")}
    assert held["train"] == {f"form {number}" for number in range(1, 10)}
    assert held["test"] == {f"form {number}" for number in range(11, 15)}
    assert {each.source for each in data.validation} == {"form 10"}
    assert "14 forms" in chapter.printed
    assert chapter.digit.label == 3
    assert "logistic regression on the 64 pixels: 7" in chapter.printed


def test_a_bag_of_patches_has_no_order(chapter: SimpleNamespace) -> None:
    assert (chapter.plain - chapter.shuffled).abs().max() < 1e-5
    assert (chapter.plain_placed - chapter.shuffled_placed).abs().max() > 0.01
    assert right("vision.mixed-patches").startswith("Not at all")


def test_patches_and_a_matrix_are_a_convolution(chapter: SimpleNamespace) -> None:
    assert chapter.difference < 1e-5
    assert chapter.with_borders.shape == (1, 16, 20)


def test_what_the_training_reaches(chapter: SimpleNamespace) -> None:
    assert chapter.trained.test["accuracy"] > 0.95
    assert chapter.trained.test["read often"] > 0.96
    assert chapter.trained.test["patches mixed"] < 0.25
    assert int(chapter.chances.argmax()) == 3


def test_the_grid_shows_in_what_training_adds(chapter: SimpleNamespace) -> None:
    start, added = chapter.alike.values()
    assert abs(chapter.looks.grid_correlation(start)) < 0.1
    assert chapter.looks.grid_correlation(added) < -0.15
    assert chapter.looks.neighbours(start) <= 5
    assert chapter.looks.neighbours(added) >= 9, "most of 16"
    assert right("vision.what-positions-learn").startswith(
        "Those of patches that are near each other"
    )


def test_who_wins(recorded: Recording) -> None:
    of = {name: median(recorded, name) for name in ("CNN", "Transformer", "SVM")}
    assert of["CNN"] > of["Transformer"] > of["SVM"]
    assert round(1 - of["CNN"], 2) == 0.01
    assert (1 - of["CNN"]) / (1 - of["Transformer"]) == pytest.approx(0.5, abs=0.06), "half"
    undistorted = median(recorded, "Transformer, no distortions")
    assert undistorted < of["SVM"]
    assert of["Transformer"] - undistorted > 0.04, "more than four points"
    assert median(recorded, "SVM, distorted copies") <= of["SVM"]
    assert right("vision.who-wins").startswith("The CNN, then the Transformer, then the SVM")


def test_nine_readings_help_the_transformer_where_it_is_weakest(recorded: Recording) -> None:
    once, often = (
        recorded.rows["Transformer"].spread("test", figure) for figure in ("accuracy", "read often")
    )
    assert once.low < median(recorded, "SVM") < often.low
    assert often.low - once.low > 0.01, "more than a point"
    assert round(once.median, 2) == round(often.median, 2) == 0.98
    cnn = recorded.rows["CNN"]
    assert cnn.spread("test", "read often").median <= cnn.spread("test", "accuracy").median
    for name, errors in {"Transformer": [1, 2, 3], "CNN": [1, 1, 1]}.items():
        known = recorded.rows[f"{name}, writers known"].runs
        wrong = [round(449 * (1 - run["test"]["read often"])) for run in known]
        assert sorted(wrong) == errors


def test_with_few_images_both_networks_are_ahead_of_the_svm(recorded: Recording) -> None:
    for count in (100, 300):
        of = {
            name: median(recorded, f"{name}, {count} images")
            for name in ("CNN", "Transformer", "SVM")
        }
        assert of["CNN"] > of["Transformer"] > of["SVM"]


def test_mixed_pixels_cost_the_cnn_alone(recorded: Recording) -> None:
    assert median(recorded, "SVM, pixels mixed") == median(recorded, "SVM")
    before = recorded.rows["Transformer, no distortions"].spread("test", "accuracy")
    after = recorded.rows["Transformer, pixels mixed"].spread("test", "accuracy")
    assert before.low <= after.median <= before.high
    cnn = [median(recorded, f"CNN, {kind}") for kind in ("no distortions", "pixels mixed")]
    assert cnn[0] - cnn[1] == pytest.approx(0.04, abs=0.006), "four points"
    assert cnn[0] > median(recorded, "SVM") > cnn[1]
    assert right("vision.pixels-mixed") == "The CNN."


def test_a_split_at_random_turns_the_order_round(recorded: Recording) -> None:
    svm = median(recorded, "SVM, writers known")
    assert round(449 * (1 - svm)) == 1
    assert median(recorded, "CNN, writers known") > 0.997
    assert svm > median(recorded, "Transformer, writers known")
    assert median(recorded, "SVM") < median(recorded, "Transformer")


def test_what_the_parts_of_the_recipe_do(recorded: Recording) -> None:
    whole = recorded.rows["Transformer"].spread("test", "accuracy")
    plain = recorded.rows["Transformer, plain patches"].spread("test", "accuracy")
    assert 0.004 < whole.median - plain.median < 0.015, "about a point"
    assert whole.high - whole.low > whole.median - plain.median, "seeds differ by more"
    assert 0.44 < median(recorded, "Transformer, plain patches, no positions") < 0.56, "half"


def test_what_the_answer_hangs_on(chapter: SimpleNamespace) -> None:
    answers = chapter.answers.tolist()
    assert answers[3][1] == 7, "without the hook"
    assert answers[1][2] == 5, "without the right end of the upper bow"
    assert sum(row.count(3) for row in answers) == 14


def test_attention_and_what_matters_are_two_things(chapter: SimpleNamespace) -> None:
    found = chapter.agreement
    assert found.by_chance < found.by_attention < found.by_ink
    assert 0.3 < found.rank < 0.8
    assert 0.1 < found.by_attention < 0.25
    assert right("vision.looked-at") == "In about a sixth to a fifth."
