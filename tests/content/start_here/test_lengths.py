"""best_match: what the text says of lengths is what the check holds."""

import pytest
import torch

from course.content import exercises, manuscript
from tests import unseen

TINY = {
    "product": "passages @ question / (passages.norm(dim=-1) * question.norm() + 1e-8)",
    "each": "passages @ question / (passages.norm(dim=-1) + 1e-8)",
    "each, 1e-10": "passages @ question / (passages.norm(dim=-1) + 1e-10)",
    "root": "passages @ question / (passages.pow(2).sum(-1) + 1e-12).sqrt()",
    "clamped product": "passages @ question / (passages.norm(dim=-1) * question.norm()).clamp(min=1e-8)",
    "clamped": "passages @ question / passages.norm(dim=-1).clamp(min=1e-5)",
    "normalize": "F.normalize(passages, dim=-1, eps=1e-4) @ question",
}
HARMLESS = {
    "clamped": "passages @ question / passages.norm(dim=-1).clamp(min=1e-6)",
    "library": "F.cosine_similarity(passages, question[None], dim=-1)",
    "normalize": "F.normalize(passages, dim=-1) @ F.normalize(question, dim=0)",
    "tiny": "passages @ question / (passages.norm(dim=-1) + torch.finfo(passages.dtype).tiny)",
}


def answer(cosines: str) -> str:
    return f"def best_match(question, passages):\n    return int(({cosines}).argmax())\n"


@pytest.mark.parametrize("name", TINY)
def test_a_number_that_is_too_large_beside_the_least_length_fails(name):
    report = unseen.judged("start_here.best_match", answer(TINY[name]))
    assert report.status == "failed"
    named = {"tiny-number-added", "tiny-number-beside-the-product", "product-of-lengths-clamped"}
    assert set(report.mistakes) & named or "(an epsilon) was added" in report.message


@pytest.mark.parametrize("name", HARMLESS)
def test_what_protects_the_zero_alone_passes(name):
    assert unseen.judged("start_here.best_match", answer(HARMLESS[name])).passed


def test_the_text_says_how_short_a_vector_may_be():
    text = next(cell for cell in manuscript.read("00_start_here") if cell.id == "best-match-text")
    assert "10^{-6}" in text.source


def test_the_cases_have_vectors_as_short_as_the_text_allows():
    cases = exercises.get("start_here.best_match").cases(0)
    lengths = torch.cat(
        [torch.cat([q[None], rows]).norm(dim=-1) for q, rows in (c.args for c in cases)]
    )
    shortest = lengths[lengths > 0].min()
    assert 1e-6 <= shortest < 1e-5
