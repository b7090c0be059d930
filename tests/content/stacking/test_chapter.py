"""The chapter as a text: its promises, its exercises and its questions fit together."""

from __future__ import annotations

import re

import pytest

from course.content import exercises
from tests.chapter_text import ChapterText

TEXT = ChapterText("04_stacking")
CELLS, SOURCE, IDS = TEXT.cells, TEXT.source, TEXT.exercises
PROSE, CODE = TEXT.prose, TEXT.code

LISTING = """\
import torch
import torch.nn as nn

class TransformerEncoderLayer(nn.Module):
    def __init__(self, d_model, nhead, dim_feedforward, dropout=0.1):
        super(TransformerEncoderLayer, self).__init__()
        self.self_attn = nn.MultiheadAttention(d_model, nhead, dropout=dropout)
        self.linear1 = nn.Linear(d_model, dim_feedforward)
        self.dropout = nn.Dropout(dropout)
        self.linear2 = nn.Linear(dim_feedforward, d_model)

    def forward(self, src, src_mask=None, src_key_padding_mask=None):
        src2 = self.self_attn(src, src, src, attn_mask=src_mask,
                              key_padding_mask=src_key_padding_mask)[0]
        src = src + self.dropout(src2)
        src2 = self.linear2(self.dropout(torch.relu(self.linear1(src))))
        src = src + self.dropout(src2)
        return src

class TransformerEncoder(nn.Module):
    def __init__(self, encoder_layer, num_layers, norm=None):
        super(TransformerEncoder, self).__init__()
        self.layers = _get_clones(encoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm

    def forward(self, src, mask=None, src_key_padding_mask=None):
        output = src

        for mod in self.layers:
            output = mod(output, src_mask=mask, src_key_padding_mask=src_key_padding_mask)

        if self.norm is not None:
            output = self.norm(output)

        return output

def _get_clones(module, N):
    return nn.ModuleList([copy.deepcopy(module) for i in range(N)])"""


def test_it_has_the_six_exercises_of_the_catalogue() -> None:
    names = "layer_norm residual token_similarity EncoderLayer get_clones repair"
    assert [f"stacking.{name}" for name in names.split()] == IDS


@pytest.mark.parametrize("number", range(6))
def test_each_exercise_says_what_the_catalogue_says(number: int) -> None:
    TEXT.assert_exercise_says_what_its_check_knows(number)


def test_the_opening_adds_up_the_minutes() -> None:
    minutes = sum(exercises.get(exercise_id).minutes for exercise_id in IDS)
    assert f"six exercises, {minutes} minutes by our count, and about 75 minutes" in SOURCE["title"]
    assert 2.75 < (minutes + 75) / 60 < 3.25, "the opening says three hours"


def test_the_article_s_listing_stands_as_it_stands() -> None:
    assert SOURCE["listing"] == LISTING


def test_the_repair_starts_from_the_listing() -> None:
    """Every line of the listing's layer is there; what was added is the catalogue's argument."""
    (cell,) = [cell for cell in CELLS if cell.exercise == "stacking.repair"]
    layer = LISTING[LISTING.index("        self.self_attn") : LISTING.index("\n\nclass Transf", 60)]
    given = [line for line in layer.split("\n") if line]
    unsolved = cell.unsolved.split("\n")
    assert all(line in unsolved for line in given)
    added = [line for line in unsolved if line and line not in given]
    assert [line.strip() for line in added] == [
        "class repair(nn.Module):",
        '"""The article\'s TransformerEncoderLayer, mended."""',
        "def __init__(self, d_model, nhead, dim_feedforward, dropout=0.1,",
        "norm_first=False):",
        "raise NotImplementedError  # mend what follows, then delete this line",
        "super().__init__()",
    ]


def test_every_question_is_asked_once_and_every_prediction_is_explained_after_its_code() -> None:
    TEXT.assert_questions_are_asked_once_and_predictions_explained()


def test_sections_are_numbered_and_what_points_to_them_exists() -> None:
    TEXT.assert_sections_are_numbered(13)
    for numbers in re.findall(r"of sections? (\d+)(?: and (\d+))?", PROSE):
        assert all(int(number) in range(1, 13) for number in numbers if number)


def test_who_is_cited_stands_among_the_papers() -> None:
    text = PROSE.replace(SOURCE["papers"], "")
    for name in ("Vaswani", "Dong", "Cordonnier", "Loukas", "He", "Ba", "Kiros", "Xiong", "Zhang"):
        assert re.search(rf"\b{name}\b", text)
        assert re.search(rf"\b{name}\b", SOURCE["papers"])
    for name in re.findall(r"\b([A-Z]\w+) et al\.? ?[(,]?", text):
        assert name in SOURCE["papers"]


def test_the_code_fits_the_width_of_a_notebook() -> None:
    TEXT.assert_code_fits(88, apart=["listing"])
