"""Real text in chapter 08: tokens, scores, the first vectors, the training, and the model of the long run."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from course import datasets
from course.content.translation import help_text
from course.content.translation.experiments.help_text import (
    dictionary,
    first_vectors,
    long,
    measures,
    model,
    neighbours,
    recipe,
    rows,
    tokens,
)
from course.content.translation.experiments.help_text.rows import Row

data = datasets.load("libreoffice-help")


def test_pieces_are_those_of_training_and_give_the_text_back() -> None:
    held_out = [example.target for example in data.validation]
    again = [tokens.decode(tokens.encode(text)[:-1]) for text in held_out]
    whole = [text.replace(" ", "") for text in held_out]
    same = sum(a.replace(" ", "") == b for a, b in zip(again, whole, strict=True))
    assert same > 0.97 * len(held_out)  # else a sign is not in training
    known = "".join(tokens.pieces()) + "".join(e.text + e.target for e in data.train)
    assert all(sign in known for piece in tokens.pieces() for sign in piece.removeprefix("##"))
    train = [tokens.encode(example.target) for example in data.train]
    assert max(map(max, train)) == tokens.written() - 1 < len(tokens.pieces())
    assert sum(row.count(tokens.UNKNOWN) for row in train) < 0.002 * sum(map(len, train))


def test_scores_cut_chinese_as_sacrebleu_does() -> None:
    """The tokens are what sacrebleu 2.6's `tokenize="zh"` gives."""
    assert measures.tokens("在 Writer 中，选择「编辑 - 查找」（Ctrl+F）。") == [
        *"在", "Writer", *"中，选择「编辑", "-", *"查找」（", "Ctrl", "+", "F", *"）。",
    ]  # fmt: skip
    assert measures.tokens("don’t") == ["don", "’", "t"]
    assert measures.tokens("3.5,a/b 1-2") == ["3.5", ",", "a", "/", "b", "1", "-", "2"]


def test_the_nearest_pair_is_from_another_page() -> None:
    few = data.train[::500]
    asked, pages = [example.text for example in few], [example.source for example in few]
    found = neighbours.nearest(asked, 1, pages)
    assert all(pairs[0].source != page for pairs, page in zip(found, pages, strict=True))
    assert [pairs[0].text for pairs in neighbours.nearest(asked)] == asked
    source = rows.sources(asked[:3], beside=1)
    assert [row.count(tokens.EOS) for row in source] == [3, 3, 3]


def test_first_vectors_bring_translations_together() -> None:
    names = list(tokens.pieces())
    best, likelihood = dictionary.tables()
    assert names[best[names.index("macro"), 0]] == "宏"
    assert (likelihood.diff(dim=1) <= 0).all()
    assert dictionary.translate(["Prints the selected text."]) != [""]
    vectors = first_vectors.vectors(32)
    for english, chinese in (("print", "打印"), ("macro", "宏"), ("chart", "图表")):
        alike = vectors[: tokens.written()] @ vectors[names.index(english)]
        assert chinese in [names[i] for i in alike.topk(10).indices.tolist()], english
    assert first_vectors.frequencies().exp().sum() == pytest.approx(1.0)
    found = first_vectors.translations([Row((1,), (3,)), Row((1, 2), (3, 4))])
    likely = found.probability.tolist()  # 3 of 1, 4 of 1, 3 of 2, 4 of 2
    assert min(likely[0], likely[3] + 0.2) > 0.9
    assert likely[0] + likely[1] == pytest.approx(1.0)


def test_the_training_learns_and_its_model_translates() -> None:
    training = help_text.help_translation()
    settings = training.settings.changed(d_model=16, dim_feedforward=16, nhead=2)
    net: Any = training.fresh_model(settings)
    batch = training.collate([training.data[700]])
    assert batch.target.numel() <= 1.1 * recipe.SIZE
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-2)
    losses = []
    for _ in range(5):
        losses.append(training.loss(net, batch))
        optimizer.zero_grad()
        losses[-1].backward()
        optimizer.step()
    assert losses[-1] < losses[0] - 0.3
    net.eval()
    row = Row(tuple(tokens.encode_source("Select all.")), tuple(tokens.encode("选择全部。")))
    one = recipe.collate([[row]])
    memory, padding = net.encode(one.source)
    start = torch.tensor([[tokens.BOS, *row.target[:-1]]])
    step = net.step(start, memory, padding, net.empty_cache())
    assert torch.allclose(step, net(one.source, start), atol=1e-4)
    assert step.shape[-1] == tokens.written()
    looks = net.look(torch.zeros(1, 3, 16), memory, padding)  # at the start places alone decide
    assert looks.argmax(dim=-1).tolist() == [[0, 1, 2]]
    assert len(training.baselines) == 3
    assert 0.15 < training.baselines["the most similar text's translation"] < 0.17


@pytest.mark.skipif(not long.CHECKPOINT.exists(), reason="no long run is recorded")
def test_the_long_run_translates() -> None:
    made, text = long.facts(), long.CHECKPOINT.with_suffix(".txt").read_text("utf-8")
    assert f"{made['updates']:,} updates" in text
    assert "Mozilla Public License 2.0" in text
    assert long.CHECKPOINT.stat().st_size < 5_000_000
    net = long.long_run()
    asked, recorded = zip(*made["translated"], strict=True)
    assert tuple(asked) == long.ASKED
    written = help_text.translate_help(net, asked)
    # float16 weights decode alike but where two pieces are about as likely
    same = sum(a == b for a, b in zip(written, recorded, strict=True))
    assert same >= len(asked) - 1
    assert help_text.translate_help(net, asked[:1], beam=4)[0]


def test_texts_of_one_source_are_told_apart() -> None:
    net = model.build(d_model=16, nhead=2, dim_feedforward=16, dictionary=False).eval()
    twice = torch.tensor([[7, 8, tokens.EOS, 7, 8, tokens.EOS]])
    seen: list[Any] = []
    net.encoder.register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    net.encode(twice)
    shift = net.which.weight[1] - net.which.weight[0]
    assert torch.allclose(seen[0][0, 3:] - seen[0][0, :3], shift.expand(3, -1), atol=1e-5)
