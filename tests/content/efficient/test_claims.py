"""What the chapter's prose and its questions say, held against what its own cells compute.

The code cells run here one after the other, solved, in one namespace. Times are printed by the chapter and not judged
here: they are the machine's.
"""

from __future__ import annotations

import functools
import re
import sys
from types import SimpleNamespace

import pytest
import torch

from course.content import questions as quizzes
from course.content.efficient import long_text, low_precision, modern, parts, processes, texts
from encoder_core import TransformerEncoderLayer, layer_costs
from tests.close import MINILM, assert_close
from tests.content import cells
from tests.content.said import printed, right
from tests.sampled import NIGHT, at_night

pytestmark = pytest.mark.slow

PRETRAIN = processes.pretrain


@pytest.fixture(scope="module")
def chapter(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """All names of the chapter after its last cell, and what it printed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_HOME", str(tmp_path_factory.mktemp("home")))
        if not NIGHT:  # three trainings by day are one: tests/encoder_core compares such curves
            alone = functools.cache(lambda: PRETRAIN(1))
            patch.setattr(processes, "pretrain", lambda count, shard=False: alone())
        return cells.run_all("10_efficient")


def numbers(line: str) -> list[float]:
    return [
        float(each.replace(",", "")) for each in re.findall(r"-?\d[\d,]*\.?\d*(?:e-?\d+)?", line)
    ]


# 1 to 3: what a layer costs


def test_the_count_is_torchs_and_the_rule_is_near(chapter: SimpleNamespace) -> None:
    (counted,) = numbers(printed(chapter, "counted while it runs"))
    (_, rule) = numbers(printed(chapter, "2 x parameters"))
    total = sum(cost.flops for cost in layer_costs(1, 128, 384, 12, 1536)) / 1e6
    assert counted == pytest.approx(total, abs=0.1)
    assert 0.9 < rule / total < 1, "the rule leaves out what has no parameters"
    assert "37%" in printed(chapter, "attention by your formula")


def test_where_most_of_the_work_is(chapter: SimpleNamespace) -> None:
    costs = {cost.part: cost.flops for cost in layer_costs(1, 128, 384, 12, 1536)}
    network = costs["feed-forward 1"] + costs["feed-forward 2"]
    projections = costs["query, key, value"] + costs["output projection"]
    assert network == 2 * projections
    assert network > sum(costs.values()) / 2
    assert right("efficient.most-work").startswith("The feed-forward network")


@pytest.mark.parametrize(("name", "width"), [("MiniLM", 384), ("BERT-base", 768)])
def test_the_square_is_half_of_the_work_at_six_widths(name: str, width: int) -> None:
    costs = layer_costs(1, 6 * width, width, 12, 4 * width)
    square = sum(cost.flops for cost in costs if cost.part in ("scores", "weighted values"))
    assert square * 2 == sum(cost.flops for cost in costs)
    assert "4,608" in right("efficient.half-way")


def test_the_parts_that_are_timed_are_those_that_are_counted() -> None:
    layer = TransformerEncoderLayer(24, 3, 40, activation="gelu").eval()
    x = torch.randn(2, 5, 24)
    found = parts.parts(layer, x)
    assert list(found) == [cost.part for cost in layer_costs(2, 5, 24, 3, 40)]
    with torch.no_grad():
        weights = found["softmax"]()
        assert_close(weights.sum(dim=-1), torch.ones(2, 3, 5), terms=5)
        assert found["weighted values"]().shape == (2, 3, 5, 8)
        assert found["activation"]().shape == (2, 5, 40)


def test_what_the_scores_take(chapter: SimpleNamespace) -> None:
    assert numbers(printed(chapter, "65,536 tokens: scores"))[1] == pytest.approx(206, abs=1)
    assert "206 GB" in quizzes.get("efficient.what-runs-out").asks


# 4: attention in blocks


def test_the_running_softmax_by_hand(chapter: SimpleNamespace) -> None:
    (running,) = numbers(printed(chapter, "divided at the end"))
    (at_once,) = numbers(printed(chapter, "all at once"))
    assert running == at_once


def test_minilm_runs_on_it(chapter: SimpleNamespace) -> None:
    assert_close(chapter.in_blocks, chapter.hidden_of_the_section, terms=MINILM)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="no limit of memory can be set")
def test_a_gigabyte_is_enough_for_blocks_and_not_for_all_scores(chapter: SimpleNamespace) -> None:
    assert "no room for another 1.07 GB" in printed(chapter, "written out")
    line = printed(chapter, "in blocks:")
    assert "GB held at the most" in line
    assert numbers(line)[-1] < 1e-5, "the same numbers, to rounding"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="no limit of memory can be set")
def test_what_ends_without_an_answer_is_said() -> None:
    outcome = long_text.attend_alone("blocks", 4096, limit=0.01)
    assert "no room for another" in str(outcome) or "ended with status" in str(outcome)


# 5 and 6: padding, and rows of several texts


def test_how_much_is_padding(chapter: SimpleNamespace) -> None:
    assert tuple(chapter.ids.shape) == (32, 256)
    assert chapter.padding.float().mean() > 0.75
    assert right("efficient.share-of-padding").startswith("More than three quarters")
    assert "78% padding" in printed(chapter, "as drawn")
    assert "17% padding" in printed(chapter, "sorted by length")


def test_nothing_changes_without_padding(chapter: SimpleNamespace) -> None:
    assert_close(
        chapter.everywhere[~chapter.padding], chapter.tokens_alone[~chapter.padding], terms=1536
    )
    assert chapter.tokens_alone[chapter.padding].eq(0).all()
    assert chapter.difference[~chapter.padding].abs().max() < 1e-4


def test_rows_hold_every_text_once_and_are_nearly_full(chapter: SimpleNamespace) -> None:
    rows = texts.rows_of(chapter.many, room=256)
    assert sorted(text for row in rows for text in row) == list(range(512))
    assert all(sum(chapter.many[text] for text in row) <= 256 for row in rows)
    assert sum(chapter.many) / (256 * len(rows)) > 0.99
    with pytest.raises(ValueError, match="text 1 has 9 tokens; a row has room for 8"):
        texts.rows_of([3, 9], room=8)


def test_a_mask_alone_is_half_of_it(chapter: SimpleNamespace) -> None:
    for beginning in ("no mask", "your mask  "):
        assert numbers(printed(chapter, beginning))[0] > 0.5
    assert numbers(printed(chapter, "your mask, positions"))[0] < 1e-4


# 7: fewer bits


def test_what_bfloat16_cannot_add(chapter: SimpleNamespace) -> None:
    assert chapter.total.item() == 256
    assert right("efficient.thousand-ones") == "256."
    assert (torch.tensor(1.0, dtype=torch.bfloat16) + 0.001).item() == 1
    assert torch.tensor(1000.0).bfloat16().item() == 1000


def test_what_fewer_bits_do_to_a_search(chapter: SimpleNamespace) -> None:
    model, _ = chapter.load_minilm()
    half = low_precision.compare(low_precision.in_format(model, torch.bfloat16), bits=16)
    assert half.similarity > 0.999
    assert half.same_first > 0.95
    rows = low_precision.compare(low_precision.quantized(model, chapter.quantize), bits=8)
    one = low_precision.compare(low_precision.quantized(model, low_precision.whole_matrix), bits=8)
    assert rows.same_first > 0.95 > 0.9 > one.same_first
    assert rows.similarity > one.similarity + 0.03
    assert rows.megabytes * 4 == pytest.approx(half.megabytes * 2)
    assert chapter.rows.max() > 5 * chapter.rows.median()


# 9: ModernBERT


def test_what_windows_save(chapter: SimpleNamespace) -> None:
    assert (
        modern.modernbert_base(128).billions == modern.modernbert_base(128, windows=False).billions
    )
    assert modern.modernbert_base(8192).billions < modern.bert_base(8192).billions
    assert modern.modernbert_base(8192, windows=False).billions > modern.bert_base(8192).billions


def test_the_count_of_modernbert_is_the_models() -> None:
    from encoder_core import ModernBert, ModernBertConfig

    with torch.device("meta"):
        model = ModernBert(ModernBertConfig())
    layers = sum(p.numel() for p in model.layers.parameters())
    assert modern.modernbert_base(512).parameters == layers
    assert modern.modernbert_base(512).layers == len(model.layers) == 22


def test_depth_gate_and_biases(chapter: SimpleNamespace) -> None:
    older, newer = modern.bert_base(512), modern.modernbert_base(512)
    assert newer.layers / older.layers > 1.8, "nearly twice as many layers"
    assert newer.parameters / newer.layers < older.parameters / older.layers
    layer = TransformerEncoderLayer(768, 12, 3072)
    biases = sum(p.numel() for name, p in layer.named_parameters() if name.endswith("bias"))
    assert biases == chapter.biases
    assert "0.12%" in printed(chapter, "biases of a layer")


# 11 and 12: many processes, and the plan


def test_gradients_of_unequal_parts(chapter: SimpleNamespace) -> None:
    assert numbers(printed(chapter, "mean of the halves"))[0] < 1e-5
    (apart,) = numbers(printed(chapter, "the mean: off by"))
    (weighted,) = numbers(printed(chapter, "weighted by what each has"))
    assert apart > 0.01
    assert weighted < 1e-5


@at_night
def test_two_processes_have_one_curve(chapter: SimpleNamespace) -> None:
    assert [run.processes for run in (*chapter.runs.values(), chapter.sharded)] == [1, 2, 2]
    assert chapter.apart_curves < 1e-4
    assert chapter.apart_sharded < 1e-4
    assert len(chapter.runs[2].losses) == 40


def test_the_losses_fall(chapter: SimpleNamespace) -> None:
    assert len(chapter.runs[1].losses) == 40
    assert chapter.runs[1].losses[-1] < chapter.runs[1].losses[0] - 1


def test_a_failing_command_says_why() -> None:
    with pytest.raises(RuntimeError, match="ended with"):
        processes.pretrain(1, steps=5)  # fewer than the 10 updates of its warm-up


def test_the_plan(chapter: SimpleNamespace) -> None:
    billions, hours = numbers(printed(chapter, "BERT, 2018").partition("2018")[2])
    assert billions == 43
    assert 15 < hours < 24, "less than a day"
    assert right("efficient.days-for-a-bert") == "Less than a day."
    assert 40 < chapter.recipes["ModernBERT, 2024"] / chapter.recipes["BERT, 2018"] < 60
