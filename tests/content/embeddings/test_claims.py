"""What the chapter's prose and its quiz say, held against what its own cells compute.

The chapter's code cells run here one after the other, solved, in one namespace; what they leave
there is what the learner sees. The texts come with Python and differ a little between its versions.
"""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F

from course.content import exercises, manuscript
from tests.close import assert_minilm_close as assert_close
from tests.content import cells
from tests.content.said import right

pytestmark = pytest.mark.slow


class Names(SimpleNamespace):
    """The chapter's names; a failed test shows its own numbers and not all of these."""

    def __repr__(self) -> str:
        return "the chapter's names"


@pytest.fixture(scope="module")
def chapter() -> SimpleNamespace:
    """All names of the chapter after its last cell; in `after`, what each cell left."""
    ran = {cell.id: (dict(cell.names), cell.printed) for cell in cells.run("01_embeddings")}
    names = list(ran.values())[-1][0]
    return Names(
        **names,
        printed={cell: printed for cell, (_, printed) in ran.items()},
        after={cell: names for cell, (names, _) in ran.items()},
    )


# 1 to 3: words and pieces


def test_one_word_in_six_is_unknown_and_most_kinds_are(chapter: SimpleNamespace) -> None:
    assert 0.1 < 1 - chapter.known[-1] < 0.25
    assert 0.7 < 1 - chapter.kinds[-1] < 0.87, "nearly four in five"
    assert chapter.known[0] > 0.4, "a hundred words are nearly half of the text"
    gains = [b - a for a, b in zip(chapter.known, chapter.known[1:], strict=False)]
    per_entry = [
        gain / (b - a)
        for gain, a, b in zip(gains, chapter.entries, chapter.entries[1:], strict=False)
    ]
    assert per_entry[0] > per_entry[1] > per_entry[2] > max(per_entry[3:]), "less and less"
    assert right("embeddings.holes") == "Roughly one in six."


def test_the_words_named_as_holes_are_holes(chapter: SimpleNamespace) -> None:
    assert not {"tokenizers", "encoders"} & set(chapter.vocabulary)
    assert len(chapter.vocabulary) == 2000


def test_a_chinese_clause_is_one_word(chapter: SimpleNamespace) -> None:
    assert chapter.re.findall(r"\w+", chapter.chinese) == [chapter.chinese[:-1]]


def test_the_learners_function_cuts_as_the_models_tokenizer(chapter: SimpleNamespace) -> None:
    assert chapter.same == len(chapter.sample) > 100


def test_greedy_is_what_the_quiz_says() -> None:
    wordpiece = exercises.get("embeddings.wordpiece").model()
    pieces = wordpiece("abcd", {"a", "ab", "##b", "##c", "##bcd", "##d"})
    assert " ".join(pieces) in right("embeddings.greedy")


def test_a_larger_vocabulary_cuts_into_fewer_pieces_on_the_whole(chapter: SimpleNamespace) -> None:
    assert chapter.per_word == sorted(chapter.per_word, reverse=True)


def test_the_first_pieces_are_the_smaller_vocabulary(chapter: SimpleNamespace) -> None:
    counts = chapter.count_words(chapter.reference)
    assert list(chapter.train_wordpiece(counts, 500).vocabulary) == chapter.pieces[:500]


def test_the_example_is_cut_as_the_prose_says(chapter: SimpleNamespace) -> None:
    section = {cell.id: cell.source for cell in manuscript.read("01_embeddings")}["pieces-section"]
    cut = chapter.wordpiece("encoders", chapter.pieces_of_minilm)
    assert f"*encoders* from {', '.join(f'`{piece}`' for piece in cut)}." in section
    line = next(line for line in chapter.printed["wordpiece-run"] if line.startswith("encoders "))
    assert line.split()[1:] == cut


def test_but_not_every_word(chapter: SimpleNamespace) -> None:
    sizes = [500, 1000, 2000, 4000]
    cuts = {
        word: [len(chapter.wordpiece(word, chapter.by_size[size])) for size in sizes]
        for word in (*chapter.common, *chapter.spelled)
    }
    grown = [word for word, counts in cuts.items() if counts != sorted(counts, reverse=True)]
    assert grown, "the lab's task can be solved"


def test_the_smaller_vocabulary_from_such_text_needs_fewer_tokens(chapter: SimpleNamespace) -> None:
    ours = [p for word in chapter.spelled for p in chapter.wordpiece(word, chapter.by_size[4000])]
    theirs = chapter.after["which-vocabulary-run"]["theirs"]
    assert len(ours) < len(theirs)
    assert right("embeddings.which-vocabulary").startswith("Ours")


def test_letters_make_a_text_about_five_times_as_long(chapter: SimpleNamespace) -> None:
    lengths = [len(word) for word in chapter.after["holes-run"]["read"]]
    assert 4 < sum(lengths) / len(lengths) < 6


def test_most_characters_are_unknown_to_minilm(chapter: SimpleNamespace) -> None:
    tokens = chapter.tokenizer.encode(chapter.chinese).tokens[1:-1]
    assert tokens.count("[UNK]") > len(tokens) / 2
    theirs = chapter.trained_on_chinese.encode(chapter.chinese).tokens[1:-1]
    assert theirs.count("[UNK]") < tokens.count("[UNK]")
    assert all(len(token) == 1 or token == "[UNK]" for token in theirs)


# 4 to 6: the batch and the table


def test_the_mask_makes_the_batch_invisible(chapter: SimpleNamespace) -> None:
    assert (chapter.masked - chapter.alone).abs().max() < 1e-4
    moved = (chapter.unmasked - chapter.alone).abs().amax(dim=-1)
    assert (moved > 0.1).all(), "every token"
    assert right("embeddings.padding-unmasked").startswith("With the mask nothing")


def test_the_table_is_more_than_half_of_the_model(chapter: SimpleNamespace) -> None:
    assert chapter.weight.shape == (30522, 384)
    assert chapter.weight.numel() > chapter.in_all / 2
    assert chapter.operations == 2 * chapter.ids.numel() * 30522 * 384


def test_the_gradient_reaches_the_rows_that_were_read(chapter: SimpleNamespace) -> None:
    assert chapter.small.grad[:, 0].tolist() == [0, 0, 1, 0, 0, 1, 0, 2, 0, 0]
    assert right("embeddings.which-rows") == "2, 5 and 7, and row 7 twice as much."


def test_the_neighbours_that_the_prose_names(chapter: SimpleNamespace) -> None:
    lines = {line.split()[0]: line.split()[1:] for line in chapter.printed["neighbours-run"]}
    assert "tuesday" in lines["monday"]
    assert lines["left"][0] == "right"
    assert not {"river", "shore"} & set(lines["bank"])
    assert {"banking", "financial"} <= set(lines["bank"])
    assert {"snake", "pip"} <= set(lines["python"])


# 7: meaning


def test_training_lowers_the_loss_and_makes_opposites_neighbours(chapter: SimpleNamespace) -> None:
    assert chapter.learned.loss == sorted(chapter.learned.loss, reverse=True)
    lines = chapter.printed["opposites-run"]
    half = lines.index("-- after training")
    before, after = (
        {line.split()[0]: line.split()[1:] for line in part[1:]}
        for part in (lines[:half], lines[half:])
    )
    assert "false" not in before["true"]
    assert after["true"][0] == "false"
    assert "end" in after["start"]
    assert "right" in after["left"]
    assert right("embeddings.opposites").startswith("<i>false</i>")


def test_words_of_a_group_are_closer_than_words_of_two(chapter: SimpleNamespace) -> None:
    groups = [name for name, some in chapter.groups.items() for _ in some]
    vectors = F.normalize(
        chapter.learned.after[[chapter.known_words[w] for w in chapter.chosen]], dim=1
    )
    similarity = vectors @ vectors.T
    same = torch.tensor([[a == b for b in groups] for a in groups])
    apart = ~torch.eye(len(groups), dtype=torch.bool)
    assert similarity[same & apart].mean() > similarity[~same].mean() + 0.15


def test_analogies_hold_with_the_rule_and_hardly_without(chapter: SimpleNamespace) -> None:
    free, ruled, nearby = (int(some.sum()) for some in chapter.right)
    assert free <= 4
    assert (ruled, nearby) == (11, 5), "five of the eleven right answers"
    assert not (chapter.right[2] & ~chapter.right[1]).any()
    assert len(chapter.questions) == 13
    lines = {tuple(line.split(" : ")[:2]): line for line in chapter.printed["analogy-run"]}
    king = lines["man", "king = woman"].split("? ")[-1].split()
    assert king[:2] == ["king", "queen"]
    berlin = next(line for line in lines.values() if "berlin" in line).split("? ")[-1].split()
    assert berlin[1] == "berlin"
    assert berlin[2] != "berlin"
    doctor = lines["man", "doctor = woman"].split("? ")[-1].split()
    assert doctor[0] == "doctor"
    words = [
        chapter.tokenizer.tokens[int(i)] for i in chapter.after["analogy-run"]["places"].argmax(1)
    ]
    inside = [w in q[:3] for w, q in zip(words, chapter.questions, strict=True)]
    assert sum(inside) >= len(inside) - 3, "nearly always a word of the question"


def test_of_some_relations_the_neighbourhood_says_as_much_as_the_arithmetic(
    chapter: SimpleNamespace,
) -> None:
    counted = chapter.counted
    assert counted["plural"] == [56, 56]
    arithmetic, alone = counted["comparative"]
    assert 53 <= arithmetic <= 56
    assert 33 <= alone <= 37
    for relation in ("past", "capital", "male, female"):
        arithmetic, alone = counted[relation]
        assert arithmetic - alone > 20, relation
    arithmetic, alone = counted["opposite"]
    assert alone == 0 < arithmetic < 12, "hardly"
    assert chapter.weight.shape[0] - 3 == 30519
    for words in chapter.relations.values():
        assert len(set(words.split())) == 16


# 8 to 12: positions


def test_without_positions_the_two_sentences_are_one(chapter: SimpleNamespace) -> None:
    with_them, without = (float(line.split()[-1]) for line in chapter.printed["word-order-run"])
    assert with_them < 0.99
    assert_close(without, 1.0, dtype=torch.float32)
    assert right("embeddings.word-order").startswith("1:")


def test_products_of_sinusoids_depend_on_the_distance_alone(chapter: SimpleNamespace) -> None:
    assert chapter.spread < 1e-5
    rates = 10000.0 ** -(torch.arange(0, 64, 2) / 64)
    expected = torch.stack([torch.cos(k * rates).sum() / 32 for k in range(100)])
    assert_close(chapter.products[0, :100], expected)


def test_the_slowest_hand_of_32_columns() -> None:
    assert 34_500 < 2 * math.pi * 10000 ** (30 / 32) < 35_500
    assert 62_500 < 2 * math.pi * 10000 < 63_500


def test_learned_places_are_alike_when_they_are_near(chapter: SimpleNamespace) -> None:
    assert chapter.of_places.shape == (512, 384)
    means = [chapter.by_place.diagonal(k).mean().item() for k in (1, 4, 40)]
    assert means[0] > 0.7 > 0.5 > means[2]


def test_rotary_products_know_the_distance_and_its_sign(chapter: SimpleNamespace) -> None:
    lines = chapter.printed["moved-run"]
    products = [float(line.split(":")[1].split()[0]) for line in lines]
    assert_close(products[0], products[1], dtype=torch.float32)
    assert abs(products[0] - products[2]) > 0.1
    assert abs(products[0] - products[3]) > 0.1
    assert len({line.split()[-1] for line in lines}) == 1, "the length stays"
    assert right("embeddings.moved") == "The same."


def test_a_larger_base_reaches_further(chapter: SimpleNamespace) -> None:
    far = [chapter.curves[f"base {base:g}"][100:].mean().item() for base in (1e2, 1e4, 5e5)]
    assert far == sorted(far)
    assert abs(far[0]) < 0.1


def test_bfloat16_has_no_number_between_256_and_258() -> None:
    assert torch.tensor(257.0, dtype=torch.bfloat16) in (256, 258)


def test_put_together_it_is_what_the_first_layer_receives(chapter: SimpleNamespace) -> None:
    assert (chapter.x - chapter.real)[~chapter.mask].abs().max() < 1e-5
