"""What exercises can ask for beside a function's values: classes, random results, plain data."""

import random

import pytest
import torch
from torch import Tensor, nn

import course.content  # noqa: F401 - it makes the exercises known
from course.checking import checks
from course.checking import exercise as model
from course.checking.exercise import Case, Exercise, Mistake
from course.checking.explain import diagnosis
from course.learner import catalogue

# Exercises made for these tests. The checker finds an exercise by its id; these are put in its way.
SCALED = """
class Scaled(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return x * self.weight
"""
NOISY = """
def noisy(x, p):
    return torch.where(torch.rand_like(x) < p, torch.zeros_like(x), x / (1 - p))
"""
COUNT = """
def count(rows, columns):
    return rows * columns + columns
"""
WORDS = """
def words(text):
    return text.lower().split()
"""


def scaled_harness(cls):
    def run(x: Tensor, weights: dict[str, Tensor]) -> Tensor:
        with torch.device(x.device):
            layer = cls(x.shape[-1]).to(x.dtype)
        return torch.func.functional_call(layer, weights, (x,))

    return run


def scaled_cases(seed: int) -> list[Case]:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(2, 3, generator=generator, dtype=torch.float64)
    weight = torch.randn(3, generator=generator, dtype=torch.float64)
    return [Case((x, {"weight": weight}), "two rows of three", {"N": 2, "D": 3})]


def statistics(value: Tensor, x: Tensor, p: float) -> dict[str, float]:
    kept = value[value != 0]
    return {
        "share of zeros": (value == 0).double().mean().item(),
        "factor of what stays": (kept.max() if len(kept) else value.sum()).item(),
    }


def noisy_cases(seed: int) -> list[Case]:
    ones = torch.ones(100, 100, dtype=torch.float64)
    return [
        Case((ones, 0.0), "p = 0"),
        Case((ones, 0.25), "p = 0.25", summary=statistics, tolerance=0.03),
    ]


def count_cases(seed: int) -> list[Case]:
    sizes = [(2, 3), (5, 7), (4, 11), (6, 2)]
    return [Case(pair, f"{pair}", {"R": pair[0], "C": pair[1]}) for pair in sizes]


def words_cases(seed: int) -> list[Case]:
    return [Case((text,), repr(text)) for text in ("A b", "One Two three", "x")]


def exercise(name, source, cases, mistakes, monkeypatch, **more):
    made = Exercise(
        f"attention.{name}", "(...)", 1, 1, cases, mistakes, ("a", "b", "c", "d"), **more
    )
    solution, get = catalogue.solution, catalogue.exercise
    monkeypatch.setattr(catalogue, "solution", lambda i: source if i == made.id else solution(i))
    monkeypatch.setattr(catalogue, "exercise", lambda i: made if i == made.id else get(i))
    diagnosis.references.cache_clear()
    model._model.cache_clear()
    return made


@pytest.fixture
def scaled(monkeypatch):
    forgets = Mistake("adds", (("x * self", "x + self"),), "Added.", "What is asked?")
    return exercise("Scaled", SCALED, scaled_cases, (forgets,), monkeypatch, harness=scaled_harness)


@pytest.fixture
def noisy(monkeypatch):
    unscaled = Mistake("unscaled", (("x / (1 - p)", "x"),), "Not divided.", "By what?")
    return exercise("noisy", NOISY, noisy_cases, (unscaled,), monkeypatch, random=True)


@pytest.fixture
def count(monkeypatch):
    return exercise("count", COUNT, count_cases, (), monkeypatch)


@pytest.fixture
def words(monkeypatch):
    return exercise("words", WORDS, words_cases, (), monkeypatch)


def test_a_class_is_judged_by_what_it_computes(scaled):
    class Scaled(nn.Module):
        def __init__(self, size):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(size))

        def forward(self, x):
            return torch.einsum("nd,d->nd", x, self.weight)

    assert checks.judge(scaled, Scaled).passed
    assert checks.judge(scaled, scaled.mistaken("adds")).mistakes == ("adds",)


def test_an_instance_is_not_the_class(scaled):
    report = checks.judge(scaled, scaled.model()(3))
    assert report.status == "failed"
    assert "the class itself" in report.message


def test_a_class_that_is_not_written_yet(scaled):
    class Scaled(nn.Module):
        def __init__(self, width):
            super().__init__()
            raise NotImplementedError

    class Later(nn.Module):
        def __init__(self, width):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(width))

        def forward(self, x):
            raise NotImplementedError

    assert checks.judge(scaled, Scaled).status == "not attempted"
    assert checks.judge(scaled, Later).status == "not attempted"


def test_a_class_that_takes_all_from_another_is_written(scaled):
    class Base(nn.Module):
        def __init__(self, size):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(size))

        def forward(self, x):
            return x * self.weight

    class Scaled(Base):
        pass

    assert checks.judge(scaled, Scaled).passed


def test_a_class_without_forward_has_failed(scaled):
    class Scaled(nn.Module):
        def __init__(self, width):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(width))

        def froward(self, x):
            return x * self.weight

    report = checks.judge(scaled, Scaled)
    assert report.status == "failed"
    assert "forward" in report.message


def test_a_class_that_cuts_its_parameters_off(scaled):
    class Scaled(nn.Module):
        def __init__(self, width):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(width))

        def forward(self, x):
            return x * self.weight.detach()

    report = checks.judge(scaled, Scaled)
    assert report.status == "failed"
    assert "gradient" in report.message
    assert "detach" in report.message


def test_a_class_with_tensors_on_the_host(scaled):
    class Scaled(nn.Module):
        def __init__(self, width):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(width))

        def forward(self, x):
            return x * self.weight + torch.zeros(x.shape[-1], dtype=x.dtype)

    report = checks.judge(scaled, Scaled)
    assert report.status == "failed"
    assert "GPU" in report.message


def test_another_way_to_draw_is_accepted(noisy):
    def bernoulli(x, p):
        return x * torch.bernoulli(torch.full_like(x, 1 - p)) / (1 - p)

    def library(x, p):
        return nn.functional.dropout(x, p)

    assert checks.judge(noisy, bernoulli).passed
    assert checks.judge(noisy, library).passed


def test_random_mistakes_are_told(noisy):
    def too_many(x, p):
        return torch.where(torch.rand_like(x) < 1 - p, torch.zeros_like(x), x / (1 - p))

    def frozen(x, p):
        generator = torch.Generator().manual_seed(0)
        drawn = torch.rand(x.shape, generator=generator, dtype=x.dtype)
        return torch.where(drawn < p, torch.zeros_like(x), x / (1 - p))

    def elsewhere(x, p):
        drawn = torch.tensor([[random.random() for _ in row] for row in x])
        return torch.where(drawn < p, torch.zeros_like(x), x / (1 - p))

    assert checks.judge(noisy, noisy.mistaken("unscaled")).mistakes == ("unscaled",)
    assert "share of zeros: expected about 0.2" in checks.judge(noisy, too_many).message
    assert "the same random numbers" in checks.judge(noisy, frozen).message
    assert "torch's global generator" in checks.judge(noisy, elsewhere).message


def test_a_check_leaves_the_random_state_alone(noisy):
    before = torch.get_rng_state()
    checks.judge(noisy, noisy.model())
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (lambda r, c: r * c, "every result is c too small"),
        (lambda r, c: r * c + c + 3, "every result is 3 too large"),
        (lambda r, c: 2 * (r * c + c), "every result is 2 times what it should be"),
        (lambda r, c: r * c + 3 * r, "every result is off by -1 * c + 3 * r"),
        (lambda r, c: float(r * c + c), "the exercise asks for an int"),
        (lambda r, c: r**c, "expected "),
    ],
)
def test_numbers_are_told_by_their_sizes(count, answer, told):
    report = checks.judge(count, answer)
    assert report.status == "failed"
    assert told in report.message.lower()


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (lambda text: text.lower().split()[::-1], "every list is in the reverse order"),
        (lambda text: text.lower().split()[:1], "the list ends too early"),
        (lambda text: [*text.lower().split(), ""], "the list is too long"),
        (lambda text: text.split(), "the first wrong entry has index 0: expected 'a'"),
        (lambda text: [], "every list is empty"),
        (lambda text: text.lower(), "the exercise asks for a list"),
    ],
)
def test_lists_are_told_by_their_entries(words, answer, told):
    report = checks.judge(words, answer)
    assert report.status == "failed"
    assert told in report.message.lower()


def test_of_several_plain_results_the_wrong_one_is_named(monkeypatch):
    source = """
def halves(text):
    words = text.lower().split()
    return words, [len(word) for word in words]
"""
    halves = exercise("halves", source, words_cases, (), monkeypatch, results=("words", "lengths"))
    report = checks.judge(halves, lambda text: (text.lower().split(), [len(text)]))
    told = dict(report.sections)["What was found"].splitlines()
    assert told[0].startswith("The lengths: with ")
    assert told[1].startswith("The words are right everywhere")
