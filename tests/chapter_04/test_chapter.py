"""The chapter as a text: its promises, its exercises and its questions fit together."""

from __future__ import annotations

import re

import pytest

from course import exercises, manuscript, quizzes

CELLS = manuscript.read("04_stacking")
SOURCE = {cell.id: cell.source for cell in CELLS}
IDS = [cell.exercise for cell in CELLS if cell.exercise]
PROSE = "\n".join(cell.source for cell in CELLS if cell.kind == "markdown")
CODE = "\n".join(cell.source for cell in CELLS if cell.kind == "code")

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


def before(exercise_id: str) -> str:
    """The text of an exercise: the markdown that announces it."""
    place = next(i for i, cell in enumerate(CELLS) if cell.exercise == exercise_id)
    return [c.source for c in CELLS[:place] if "### Exercise" in c.source][-1]


def test_it_has_the_six_exercises_of_the_catalogue() -> None:
    names = "layer_norm residual token_similarity EncoderLayer get_clones repair"
    assert [f"stacking.{name}" for name in names.split()] == IDS


@pytest.mark.parametrize("number", range(6))
def test_each_exercise_says_what_the_catalogue_says(number: int) -> None:
    exercise = exercises.get(IDS[number])
    text = before(exercise.id)
    assert f"### Exercise {number + 1}: `{exercise.name}`" in text
    assert f"Difficulty {exercise.difficulty} of 3, about {exercise.minutes} minutes." in text
    assert f'`hint("{exercise.id}")`' in text
    assert "*A tiny case" in text


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
    asked = re.findall(r'^(quiz|predict)\("([^"]+)"\)', CODE, flags=re.M)
    assert sorted(i for _, i in asked) == sorted(
        i for i in quizzes.all_ids() if i.startswith("stacking.")
    )
    assert all(quizzes.get(question_id).kind == kind for kind, question_id in asked)
    code = [cell for cell in CELLS if cell.kind == "code"]
    for place, cell in enumerate(code):
        if match := re.match(r'predict\("([^"]+)"\)$', cell.source):
            following = [later.source for later in code[place + 1 :]]
            explained = following.index(f'explain("{match[1]}")')
            assert explained >= 1, "something has to run in between"
            assert not any(text.startswith("predict(") for text in following[:explained])


def test_sections_are_numbered_and_what_points_to_them_exists() -> None:
    sections = [int(number) for number in re.findall(r"^## (\d+) ", PROSE, flags=re.M)]
    assert sections == list(range(1, 13))
    for numbers in re.findall(r"of sections? (\d+)(?: and (\d+))?", PROSE):
        assert all(int(number) in sections for number in numbers if number)


def test_who_is_cited_stands_among_the_papers() -> None:
    text = PROSE.replace(SOURCE["papers"], "")
    for name in ("Vaswani", "Dong", "Cordonnier", "Loukas", "He", "Ba", "Kiros", "Xiong", "Zhang"):
        assert re.search(rf"\b{name}\b", text)
        assert re.search(rf"\b{name}\b", SOURCE["papers"])
    for name in re.findall(r"\b([A-Z]\w+) et al\.? ?[(,]?", text):
        assert name in SOURCE["papers"]


def test_the_code_fits_the_width_of_a_notebook() -> None:
    for cell in CELLS:
        if cell.kind == "code" and cell.id != "listing":
            assert max(map(len, cell.solved.split("\n"))) <= 88, cell.id
