"""The pairs, the measures, the model and the training of chapter 07, and what writes with it."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from course.content import exercises
from course.content.generation import keywords, writing
from course.content.generation.experiments import alone, answers, baselines, measures, model, pairs
from course.content.generation.experiments import training as recipe
from course.content.generation.keywords import keyword_sentences
from course.labs.decoding.widget import EXAMPLES
from encoder_core.models.encoder_decoder import EncoderDecoder

Layer = exercises.get("stacking.EncoderLayer").model()
cross_attention = exercises.get("generation.cross_attention").model()
shift_right = exercises.get("generation.shift_right").model()


def small(training: Any) -> Any:
    settings = training.settings.changed(d_model=16, dim_feedforward=16, nhead=2)
    return training.fresh_model(settings)


def test_pairs_are_held_out_by_source_and_sentence() -> None:
    splits = {name: pairs.pairs(name) for name in ("train", "validation", "test")}
    assert [len(found) for found in splits.values()] == [7184, 1050, 1695]
    for one, other in (("train", "validation"), ("train", "test"), ("validation", "test")):
        for part in ("sentence", "source"):
            first, second = ({getattr(p, part) for p in splits[name]} for name in (one, other))
            assert part == "sentence" or not first & second
    shared = {p.sentence for p in splits["train"]} & {p.sentence for p in splits["test"]}
    assert len(shared) <= 0.02 * len(splits["test"])
    for pair in splits["validation"]:
        assert not set(pair.keywords) & pairs.STOP_WORDS
        assert pairs.words(pairs.encode(pair.sentence)[:-1]) == list(pair.sentence)
    held_out = {pair.sentence for pair in splits["validation"]}
    assert [pairs.split_words(s) in held_out for s in keywords.SHOWN] == [True] * 2 + [False] * 3


def test_the_labs_examples_follow_the_rule_that_makes_the_keywords() -> None:
    shown = [pairs.keywords_of(pairs.split_words(sentence)) for sentence in keywords.SHOWN]
    assert [tuple(example.split()) for example in EXAMPLES] == shown


def test_bleu_is_the_published_one() -> None:
    """Papineni et al. 2002, section 2.1: a word counts as often as the reference has it."""
    the = ["the"] * 7
    cat = ["the", "cat", "is", "on", "the", "mat"]
    assert measures.bleu([the], [cat]) == 0.0  # no pair
    written = [["a", "b", "c", "d", "e"], ["a", "a", "b", "c", "d"]]
    right = [["a", "b", "c", "d", "f", "g"], ["a", "b", "c", "d"]]
    shares = [8 / 10, 6 / 8, 4 / 6, 2 / 4]
    expected = math.exp(sum(map(math.log, shares)) / 4)  # 10 words each: no penalty
    assert measures.bleu(written, right) == pytest.approx(expected)
    short = measures.bleu([cat[:5]], [cat])
    assert short == pytest.approx(math.exp(1 - 6 / 5))
    assert measures.exact([["a"], ["b"]], [("a",), ("c",)]) == 0.5


def test_the_nearest_pair_is_the_one_with_the_rare_words() -> None:
    known = [
        pairs.Pair(("return", "list"), ("return", "a", "list"), ""),
        pairs.Pair(("return", "socket"), ("return", "the", "socket"), ""),
        pairs.Pair(("return", "file"), ("return", "the", "file"), ""),
    ]
    nearest = baselines.Nearest(known)
    assert nearest(("open", "socket")) == ["return", "the", "socket"]
    assert nearest(("nothing", "known")) == []
    assert baselines.copy(("a", "b")) == ["a", "b", "."]


def test_the_learners_parts_compute_what_encoder_core_does() -> None:
    own = small(keyword_sentences(Layer, shift_right, cross_attention)).eval()
    plain = small(keyword_sentences()).eval()
    state = dict(own.state_dict())
    for i in range(2):  # the tables of a layer from outside are beside the layers
        bias = state.pop(f"encoder.position_biases.{i}.table")
        state[f"encoder.layers.{i}.self_attn.position_bias.table"] = bias
    plain.load_state_dict(state)
    for layer in plain.encoder.layers:
        layer.activation = torch.relu  # chapter 04's
    rows = recipe.collate(pairs.pairs("validation")[:4])
    where = rows.target != pairs.PAD
    with torch.no_grad():
        logits = plain(rows.source, recipe.standard_shift(rows.target, pairs.BOS))
        mine = own(rows.source, shift_right(rows.target, pairs.BOS))
        # The same products in another order: 16 terms of float32, four layers.
        torch.testing.assert_close(mine, logits, rtol=1e-4, atol=1e-4)
        some = plain(rows.source, recipe.standard_shift(rows.target, pairs.BOS), where=where)
    torch.testing.assert_close(some, logits[where], rtol=1e-5, atol=1e-5)
    asked = [pair.keywords for pair in pairs.pairs("validation")[:4]]
    written = recipe.write(own, asked)  # decoded with encoder_core's attention and a cache
    assert written == recipe.write(plain, asked)
    memory, padding = writing.read(plain, *(" ".join(each) for each in asked))
    assert writing.write(plain, memory, padding) == written
    order = torch.randperm(memory.shape[1], generator=torch.Generator().manual_seed(0))
    assert writing.write(plain, memory[:, order], padding[:, order]) == written


def test_the_last_look_copies_and_the_others_look_near() -> None:
    made = model.build(d_model=16, nhead=2, dim_feedforward=16).eval()
    last: Any = made.decoder.layers[-1].multihead_attn
    x = torch.randn(1, 1, 16)
    copied, _ = last(torch.zeros_like(x), x, x)
    torch.testing.assert_close(copied, x)
    tables = [
        m.table
        for m in made.decoder.modules()
        if isinstance(getattr(m, "table", None), nn.Parameter)
    ]
    far = tables[0].shape[1] // 2
    assert [int(row.argmax()) - far for row in tables[0]] == [0, -1]


def test_a_decoder_alone_learns_the_same_pieces_with_as_many_parameters() -> None:
    lone, both = alone.build(), model.build()
    sizes = [sum(p.numel() for p in each.parameters()) for each in (lone, both)]
    assert abs(sizes[0] - sizes[1]) < 0.01 * sizes[1]
    some = pairs.pairs("validation")[:3]
    rows = alone.collate(some)
    learned = [row[row != pairs.PAD].tolist() for row in rows.next_ids]
    assert learned == [pairs.encode(pair.sentence) for pair in some]
    at = (rows.next_ids != pairs.PAD).int().argmax(dim=1)
    assert (rows.ids[torch.arange(3), at] == pairs.EOS).all(), (
        "the sentence begins at the separator"
    )
    lone.eval()
    with torch.no_grad():
        loss = alone.loss(lone, rows)
        longer = alone.Rows(*(nn.functional.pad(part, (0, 5)) for part in rows))
        torch.testing.assert_close(alone.loss(lone, longer), loss, rtol=1e-5, atol=1e-5)
    asked = [pair.keywords for pair in some]
    assert alone.write(lone, asked)[1] == alone.write(lone, asked[1:2])[0]


def test_parts_and_key_follow_what_is_given() -> None:
    def mine(targets: Tensor, bos_id: int) -> Tensor:
        return shift_right(targets, bos_id)

    training = keyword_sentences(shift_right=mine)
    assert training.parts == {"shift_right": "yours"}
    assert training.key != keyword_sentences().key == keyword_sentences().key
    assert training.settings.positions == "relative"
    rows = training.collate(list(training.data[:2]))
    assert torch.isfinite(training.loss(small(training), rows))


def test_repeats_and_trees_are_what_they_say() -> None:
    assert writing.repeats([["a", "b", "a", "b"], ["a", "b", "b", "a"]]) == 0.5
    torch.manual_seed(0)
    net: Any = EncoderDecoder(2000, 8, 2).eval()
    drawn = writing.draw_tree(net, "return list", beam=2, steps=4)
    assert drawn.count("▶") >= 1
    assert 2 <= len(drawn.split("\n")) <= 8


def test_every_question_has_one_answer_and_every_text_its_first_sentence() -> None:
    assert len(answers.questions()) == 24
    assert len({(q.sentences, q.text) for q in answers.questions()}) == 24
    assert len(answers.texts()) == answers.TEXTS
    assert answers.overlap("the file of a socket", ["a list of the", "one file"]) == 1
