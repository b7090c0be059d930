"""The texts and the training that the chapter's experiments stand on, and its map."""

from __future__ import annotations

import json
import sys

import pytest
import torch
import torch.nn.functional as F

from course import figures
from course.content.embeddings import skipgram
from course.datasets import texts


def test_the_texts_are_there_and_are_real() -> None:
    assert "class" in " ".join(texts.language_reference())
    assert any("iterable" in text for text in texts.docstrings())
    assert len(texts.docstrings()) > 1000


def test_without_the_reference_the_docstrings_stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", None)
    assert texts.language_reference.__wrapped__() == texts.docstrings()


def test_the_chinese_messages_are_chinese() -> None:
    messages = texts.jupyter_in_chinese()
    pytest.importorskip("jupyter_server")
    assert any("\u4e00" <= letter <= "\u9fff" for letter in "".join(messages))
    assert not any(message.startswith("msg") for message in messages)


def test_pairs_stay_within_the_window_and_within_a_text() -> None:
    centre, near = skipgram.pairs([[5, 6, 7, 8], [9, 5]], vocab_size=10, window=2)
    found = sorted(zip(centre.tolist(), near.tolist(), strict=True))
    one_way = [(5, 6), (5, 7), (6, 7), (6, 8), (7, 8), (9, 5)]
    assert found == sorted(one_way + [(b, a) for a, b in one_way])


def test_unknown_words_are_passed_over_and_keep_their_place() -> None:
    centre, near = skipgram.pairs([[5, 1, 6, 7]], vocab_size=10, window=1)
    assert sorted(zip(centre.tolist(), near.tolist(), strict=True)) == [(6, 7), (7, 6)]


def test_frequent_words_are_thinned_out_and_rare_ones_are_not() -> None:
    text = [5, 6] * 2000 + list(range(10, 30))
    centre, _ = skipgram.pairs([text], vocab_size=30, window=1)
    assert (centre == 5).sum() < 1000
    assert set(range(11, 29)) <= set(centre.tolist())


def test_words_with_the_same_neighbours_become_alike_and_the_global_state_stays() -> None:
    threads, state = torch.get_num_threads(), torch.get_rng_state().clone()
    generator = torch.Generator().manual_seed(0)
    # 5 and 6 stand between 10..14, 7 and 8 between 15..19
    sides = {5: 10, 6: 10, 7: 15, 8: 15}
    centre = torch.tensor(list(sides)).repeat(4000)
    starts = torch.tensor(list(sides.values())).repeat(4000)
    near = starts + torch.randint(5, starts.shape, generator=generator)
    seen: list[int] = []
    learned = skipgram.train(
        centre, near, 20, 8, passes=20, on_pass=lambda number, loss: seen.append(number)
    )
    four = learned.after[5:9] - learned.after[5:9].mean(dim=0)  # what they share left out
    similarity = F.cosine_similarity(four[:, None], four, dim=-1)  # (4, 4)
    assert similarity[0, 1] > 0 < similarity[2, 3]
    assert similarity[:2, 2:].max() < 0
    assert learned.loss[-1] < learned.loss[0]
    assert seen == list(range(1, 21))
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)
    again = skipgram.train(centre, near, 20, 8, passes=1)
    assert torch.equal(again.before, learned.before)


def test_a_map_has_its_points_names_and_groups() -> None:
    figure = figures.points([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]], ["a", "b", "a"], ["x", "y", "x"])
    one, two = json.loads(figure.to_json())["data"]
    assert (one["x"], one["y"], one["text"], one["name"]) == (
        [0.0, 4.0],
        [1.0, 5.0],
        ["a", "a"],
        "x",
    )
    assert (two["x"], two["text"]) == ([2.0], ["b"])
    assert one["marker"]["symbol"] != two["marker"]["symbol"]
    assert json.loads(figure.to_json())["layout"]["yaxis"]["scaleanchor"] == "x"


def test_a_map_names_its_axes() -> None:
    figure = figures.points([[0.0, 1.0]], ["a"], x_title="across", y_title="up")
    layout = json.loads(figure.to_json())["layout"]
    assert layout["xaxis"]["title"]["text"] == "across"
    assert layout["yaxis"]["title"]["text"] == "up"


def test_a_map_of_something_else_is_refused() -> None:
    with pytest.raises(ValueError, match="two numbers a point; 3 came"):
        figures.points(torch.zeros(4, 3), list("abcd"))
    with pytest.raises(ValueError, match="2 names came for 4 places"):
        figures.points(torch.zeros(4, 2), ["a", "b"])
