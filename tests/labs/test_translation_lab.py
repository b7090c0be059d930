"""The translation lab: what it searches, where it looks, what it forces and replaces, tells and refuses."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
import torch
from hypothesis import given, settings

from course import labs
from course.labs.faults import InvalidSetting
from course.labs.translation.compute import (
    OTHER,
    OWN,
    SHUFFLED_MEMORY,
    SHUFFLED_TEXT,
    ZEROS,
    Reader,
    Settings,
)
from course.labs.translation.view import rightwards
from course.labs.translation.widget import TranslationLab
from course.system.outputs import with_page
from encoder_core.generation.generate import generate_beam, generate_greedy
from encoder_core.inspect.recording import record
from encoder_core.models.encoder_decoder import EncoderDecoder
from encoder_core.text.characters import CharacterTokenizer
from tests.labs.front import Front
from tests.typed import TYPED, fits_a_notebook

TEXT, OTHER_TEXT = "May 7, 19", "June 8"
LONGEST = 9


def tokenizer(letters: str = "年月日") -> CharacterTokenizer:
    return CharacterTokenizer.from_texts([TEXT, OTHER_TEXT, letters])


def model(seed: int, size: int) -> EncoderDecoder:
    """A model that has learned nothing, and looks at its memory: its logits differ with the text."""
    torch.manual_seed(seed)
    made = EncoderDecoder(size, 16, 2, positions="relative").eval()
    with torch.no_grad():
        for layer in made.decoder.layers:
            layer.multihead_attn.out_proj.weight.mul_(8)  # type: ignore[union-attr, operator]
    return made


def reader(seed: int = 0) -> Reader:
    made = Reader(model(seed, len(tokenizer())), tokenizer(), longest=LONGEST)
    made.silent = []  # as encoder_core's searches, which know of none
    return made


@pytest.mark.parametrize("seed", range(2))
def test_the_lab_searches_and_looks_as_encoder_core_does(seed: int) -> None:
    made = reader(seed)
    source = torch.tensor([made.ids(TEXT, "")])
    ends = made.bos_id, made.eos_id
    for beam in (1, 2, 4):
        found = made.read(Settings(TEXT, beam=beam)).made
        best = generate_beam(made.model, source, *ends, beam, LONGEST)[0]
        assert [i for i in found.tokens if i != made.eos_id] == best
        assert max(node.rank for node in found.tree.nodes) < beam
        greedy = generate_greedy(made.model, source, *ends, LONGEST)[0]
        assert [i for i in found.greedy if i != made.eos_id] == greedy
    target = torch.tensor([[made.bos_id, *found.tokens[:-1]]])
    with torch.no_grad(), record(made.model) as recording:
        logits = made.model(source, target)[0]
    # float32 through a cache and without one: 16 terms a sum, two layers.
    np.testing.assert_allclose(found.chances, logits.softmax(-1), rtol=1e-4, atol=1e-5)
    looks = [
        weights[0]
        for name, weights in zip(recording.names, recording.attention, strict=True)
        if "multihead_attn" in name
    ]
    np.testing.assert_allclose(found.weights, torch.stack(looks), rtol=1e-4, atol=1e-5)
    assert found.seen.all()
    winner = found.tree.nodes[found.tree.best]
    steps = found.chances[range(len(found.tokens)), found.tokens]
    assert winner.log_p == pytest.approx(float(np.log(steps).sum()), abs=1e-4)


def test_another_memory_is_looked_at_from_its_step_on() -> None:
    made = reader()
    alone = made.read(Settings(OTHER_TEXT, beam=1)).made
    swapped = made.read(Settings(TEXT, memory=OTHER, other=OTHER_TEXT, beam=1))
    assert swapped.made.tokens == alone.tokens
    np.testing.assert_allclose(swapped.made.weights, alone.weights, atol=1e-6)
    assert swapped.plain.tokens == made.read(Settings(TEXT, beam=1)).made.tokens
    late = made.read(Settings(TEXT, memory=OTHER, other=OTHER_TEXT, since=3, beam=1))
    own, other = (len(part.ids) for part in late.parts)
    assert (own, other) == (len(TEXT) + 1, len(OTHER_TEXT) + 1)
    assert late.made.tokens[:2] == late.plain.tokens[:2]
    np.testing.assert_allclose(late.made.chances[:2], late.plain.chances[:2], atol=1e-6)
    assert np.abs(late.made.chances[2] - late.plain.chances[2]).max() > 1e-3
    assert late.made.seen[:2, :own].all()
    assert not late.made.seen[:2, own:].any()
    assert late.made.seen[2:, own:].all()
    assert not late.made.seen[2:, :own].any()
    np.testing.assert_allclose(late.made.weights.sum(-1), 1, atol=1e-5)
    # Attention has no order: shuffled vectors change nothing, shuffled characters do.
    for memory, same in ((SHUFFLED_MEMORY, True), (SHUFFLED_TEXT, False), (ZEROS, False)):
        changed = made.read(Settings(TEXT, memory=memory, beam=1))
        near = np.allclose(changed.made.chances[0], changed.plain.chances[0], atol=1e-5)
        assert near == same, memory
        assert sorted(changed.parts[0].ids) == sorted(made.ids(TEXT, ""))
    assert changed.made.weights == pytest.approx(1 / own, abs=1e-6)  # zeros: every key is one
    never = made.read(Settings(TEXT, memory=ZEROS, since=LONGEST + 1, beam=1))
    assert never.made.tokens == never.plain.tokens
    assert not never.made.seen[:, own:].any()


@pytest.mark.parametrize(
    ("forced", "says"),
    [
        (((1.5, "年"),), "whole number"),
        (((True, "年"),), "whole number"),
        (((0, "年"),), "whole number"),
        (((2, "年"), (2, "月")), "forced twice"),
        (((2, 7),), "pairs"),
        (((2, ["年"]),), "pairs"),
        (((2, "年", 3),), "pairs"),
        (("年",), "pairs"),
        (7, "pairs"),
    ],
)
def test_what_cannot_be_forced_is_refused_with_a_sentence(forced, says: str) -> None:
    with pytest.raises(InvalidSetting, match=says):
        reader().forced(forced)


def test_a_forced_token_stands_and_keeps_its_own_probability() -> None:
    made = reader()
    plain = made.read(Settings(TEXT, beam=1)).made
    token = int(np.argsort(plain.chances[1])[0])  # the least likely
    found = made.read(Settings(TEXT, forced=((2, made.target.tokens[token]),), beam=3))
    assert found.made.tokens[1] == token
    assert {node.token for node in found.made.tree.nodes if node.step == 2} == {token}
    assert found.made.greedy[1] == token
    assert found.made.greedy[0] == plain.tokens[0]
    assert found.plain.tokens != found.made.tokens


@pytest.fixture
def lab() -> TranslationLab:
    tok = tokenizer()
    return labs.TranslationLab(
        model(0, len(tok)), tok, answers={TEXT: "7月"}, examples=(TEXT, OTHER_TEXT), language="zh"
    )


def test_the_cursor_the_table_the_tree_and_the_memory(lab: TranslationLab) -> None:
    front = Front(lab).ready()
    front.move(step=2)
    assert front.panels["written"]["chosen"] == [0, 2]
    assert front.panels["weights"]["chosen"][0] == front.panels["flow"]["chosen"][0] == 2
    tree = lab.shown().made.tree
    assert front.panels["tree"]["chosen"] == [1, tree.path(tree.best)[2]]
    rows = front.panels["next"]["row_labels"]
    assert rows[front.panels["next"]["chosen"]].endswith("✓")
    assert "Step 3 writes" in front.last["summary"]
    shades = front.data["read"]["shades"]
    front.move(head=1)
    assert front.data["read"]["shades"] != shades
    assert "mean of all layers, head 1" in front.last["summary"]
    calls = lab.reader._translated.cache_info().misses
    front.move(step=1, layer=0)
    assert lab.reader._translated.cache_info().misses == calls  # looking elsewhere computes nothing
    # A click on a row of the table, and the button.
    front.move(force=3)
    assert lab.settings["forced"][0][0] == 2
    assert front.last["values"]["any_forced"]
    assert "Forced:" in front.last["summary"]
    assert front.data["written"]["marks"][1] & 2
    assert [row["label"] for row in front.panels["texts"]["rows"]][3] == "Without your changes"
    front.move(step=0)
    front.move(candidate=2)
    front.move(force=True)  # what was forced later is released
    assert [step for step, _ in lab.settings["forced"]] == [1]
    front.move(release=True)
    assert lab.settings["forced"] == ()
    assert not front.last["values"]["any_forced"]
    # The tree is walked, and its path is forced.
    tree = lab.shown().made.tree
    node = next(i for i, each in enumerate(tree.nodes) if each.step == 2 and each.rank == 1)
    front.move(node=node)
    assert front.panels["written"]["chosen"] == [0, 1]
    walked = lab.reader.text(tree.tokens(node))
    assert front.panels["texts"]["rows"][-1]["parts"] == [walked]
    front.move(follow=True)
    assert lab.written().startswith(walked)
    front.move(release=True, step=2)
    # The memory is replaced from the chosen step on.
    front.move(memory="other", other=OTHER_TEXT)
    front.move(from_here=True)
    assert front.last["values"]["since"] == 3
    assert len(front.panels["weights"]["column_labels"]) == len(TEXT) + len(OTHER_TEXT) + 2
    assert "From step 3 on the decoder looks at the other phrase's memory." in front.last["summary"]
    assert front.size < 20_000
    front.move(force=1)
    front.move(text=OTHER_TEXT)
    assert lab.settings["forced"] == ()  # another phrase has nothing forced


def test_the_answer_is_compared_and_what_is_unknown_or_invalid_is_told(lab: TranslationLab) -> None:
    front = Front(lab).ready()
    rows = {row["label"]: row for row in front.panels["texts"]["rows"]}
    assert rows["The translation"]["right"] is False
    assert rows["The exact answer"]["language"] == "zh"
    assert "".join(rows["The exact answer"]["parts"]) == "7月"
    lab.reader.answers = {
        OTHER_TEXT: lab.reader.text(lab.reader.read(Settings(OTHER_TEXT)).made.tokens)
    }
    front.move(text=f" {OTHER_TEXT} ")
    rows = {row["label"]: row for row in front.panels["texts"]["rows"]}
    assert rows["The translation"]["right"] is True
    assert "right: it is the exact answer" in front.last["summary"]
    assert "“ö”" in front.move(text="snö")["notice"]
    marks = front.data["read"]["marks"]
    assert marks[2] & 2
    assert "not known" in front.last["summary"]
    assert front.move(text="")["notice"].startswith("Type a phrase to translate")
    assert front.last["refused"].keys() == {"text"}
    assert "at most 80" in front.move(text="a" * 81)["notice"]
    assert "from 1 to 6" in front.move(text=TEXT, beam=9)["notice"]
    assert "Type the other phrase" in front.move(beam=2, memory="other", other=" ")["notice"]
    with pytest.raises(ValueError, match="can't write “☃”"):
        lab.set(forced={1: "☃"})
    with pytest.raises(ValueError, match="must be steps"):
        lab.set(forced=[5])
    with pytest.raises(ValueError, match="must be one of"):
        lab.set(memory="lost")
    lab.set(memory=OWN, forced={1: "月"})
    assert lab.written().startswith("月")
    assert "forced=((1, '月'),)" in repr(lab)


def test_a_script_from_right_to_left_is_shown_in_its_order() -> None:
    tok = tokenizer(":" + "".join(chr(i) for i in range(0x0621, 0x064B)))
    rtl = Front(labs.TranslationLab(model(1, len(tok)), tok, language="ar")).ready()
    assert rtl.panels["written"]["direction"] == "rtl"
    rtl.lab.set(text=TEXT, forced={1: "م", 2: "1", 3: ":", 4: "9", 5: "ي"})
    marks = rtl.data["written"]["marks"]
    assert [bool(mark & 16) for mark in marks[:5]] == [False, True, True, True, False]
    assert rightwards(["1", ",", " ", "k", " ", "m"]) == [True, False, False, True, True, True]
    assert "“\u2068" in rtl.last["summary"]  # isolated
    ltr = Front(labs.TranslationLab(model(1, len(tokenizer())), tokenizer())).ready()
    assert ltr.panels["written"]["direction"] == "ltr"


def test_tasks_are_reached_by_what_they_ask_for(lab: TranslationLab) -> None:
    front = Front(lab).ready()

    def reached() -> set[str]:
        return {each["id"] for each in front.challenges if "why" in each}

    front.move(memory=SHUFFLED_MEMORY)
    assert "no-order" in reached()
    assert "follows" not in reached()
    front.move(memory=OWN, step=0)
    for row in range(1, 8):
        front.move(force=row)
        front.move(release=True)
    assert reached() >= {"follows", "wrong"}  # an untrained model's


@settings(max_examples=12)
@given(text=TYPED, other=TYPED)
def test_what_is_typed_gives_a_valid_picture(text: str, other: str) -> None:
    front = Front(TYPED_LAB).ready()
    front.move(text=f"a {text}"[:80], other=other[:80], memory="other")
    fits_a_notebook(front.last["summary"])
    still = TYPED_LAB.still()
    ElementTree.fromstring(still["image/svg+xml"])
    for page in with_page(still).values():
        fits_a_notebook(page)


TYPED_LAB = TranslationLab(model(1, len(tokenizer())), tokenizer(), longest=4)
