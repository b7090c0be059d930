"""A training and a recording keep to their own thread."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from encoder_core.encoder import TransformerEncoder, TransformerEncoderLayer
from encoder_core.inspect.recording import record
from encoder_core.training import randomness
from encoder_core.training.loop import fit, start_training
from encoder_core.training.masking import mask_collate, masked_lm_loss
from encoder_core.training.randomness import DRAWING, own_generator

TEXTS = [[2, *range(5 + i % 4, 11 + i % 3), 3] for i in range(24)]
COLLATE = mask_collate(pad_id=0, mask_id=4, vocab_size=16, special_ids=[0, 2, 3], at_least_one=True)


class Filler(nn.Module):
    """Our layers and a foreign one: dropout in modules, in functions and inside of a fused kernel."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(16, 8)
        self.encoder = TransformerEncoder(TransformerEncoderLayer(8, 2, 16, dropout=0.2), 2)
        self.foreign = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.2, batch_first=True)
        self.output = nn.Linear(8, 16)

    def forward(self, ids: Tensor, padding_mask: Tensor | None = None) -> Tensor:
        x = nn.functional.dropout(self.embedding(ids), 0.1, self.training)
        x = self.foreign(self.encoder(x, src_key_padding_mask=padding_mask))
        scores: Tensor = self.output(x + 0.01 * torch.rand_like(x))
        return scores


def make() -> Filler:
    torch.manual_seed(1)
    return Filler()


def loss(model: nn.Module, batch: Any) -> Tensor:
    return masked_lm_loss(model(batch.inputs, batch.padding_mask), batch.labels)


def train(model: nn.Module, **options: Any) -> None:
    fit(model, TEXTS, loss, steps=30, batch_size=6, collate=COLLATE, progress=False, device="cpu",
        learning_rate=1e-2, **options)  # fmt: skip


def in_thread(function: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=function)
    thread.start()
    return thread


@pytest.mark.parametrize("same", [False, True], ids=["another model", "the same model"])
def test_a_training_in_a_thread_gives_its_weights_and_the_main_thread_its_draws(
    same: bool,
) -> None:
    alone, threaded = make(), make()
    train(alone)
    watched = threaded if same else make().eval()
    ids = torch.tensor(TEXTS[:1])
    torch.manual_seed(7)
    expected = [torch.rand(3) for _ in range(400)]
    torch.manual_seed(7)
    turns, drawn = threading.Semaphore(0), []

    def loss_beside_draws(model: nn.Module, batch: Any) -> Tensor:
        turns.release()  # the main thread draws and records while this update is computed
        return loss(model, batch)

    def work() -> None:
        fit(threaded, TEXTS, loss_beside_draws, steps=30, batch_size=6, collate=COLLATE,
            progress=False, device="cpu", learning_rate=1e-2)  # fmt: skip

    with record(watched.encoder, shapes=True) as recording:
        thread = in_thread(work)
        for _ in range(30):
            turns.acquire()
            drawn += [torch.rand(3) for _ in range(10)]
            with torch.no_grad():
                watched.encoder(watched.embedding(ids))
            assert [weights.shape[0] for weights in recording.attention] == [1, 1]  # not 6
            assert [hidden.shape[0] for hidden in recording.hidden_states] == [1, 1, 1]
        thread.join()
        drawn += [torch.rand(3) for _ in range(100)]
    if same:  # in train mode, its dropout draws in the main thread too
        drawn = expected = []
    assert all(torch.equal(a, b) for a, b in zip(drawn, expected, strict=False))
    for (name, a), (_, b) in zip(
        threaded.state_dict().items(), alone.state_dict().items(), strict=True
    ):
        assert torch.equal(a, b), name


def test_between_the_updates_of_a_driven_run_the_caller_draws_from_torchs_generator() -> None:
    torch.manual_seed(5)
    expected = [torch.rand(1) for _ in range(3)]
    torch.manual_seed(5)
    with start_training(nn.Dropout(0.5), [torch.ones(2)] * 4, lambda m, x: m(x.requires_grad_()).mean(), steps=3, device="cpu", optimizer=lambda groups: torch.optim.SGD([nn.Parameter(torch.ones(1))])) as run:  # fmt: skip  # noqa: E501
        for value in expected:
            run.update()
            assert torch.equal(torch.rand(1), value)


def test_a_recording_sees_nothing_of_other_threads_and_of_its_own_forks() -> None:
    model = TransformerEncoder(TransformerEncoderLayer(8, 2, 16), 2).eval()
    x = torch.ones(1, 3, 8)
    with record(model) as recording:
        in_thread(lambda: model(x)).join()
        assert recording.attention == recording.hidden_states == recording.names == []
        model(x)
        assert len(recording.attention) == 2
        in_thread(lambda: model(x[:, :2])).join()
        assert [weights.shape[-1] for weights in recording.attention] == [3, 3]
        if hasattr(os, "fork"):
            child = os.fork()
            if child == 0:
                model(x[:, :2])
                os._exit(int(recording.attention[0].shape[-1] != 3))
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

    def recorded() -> None:
        with record(model) as own:
            model(x)
        seen.append(len(own.attention))

    seen: list[int] = []
    in_thread(recorded).join()
    assert seen == [2]


# The generator ---------------------------------------------------------------------------------

DRAWS: dict[str, Callable[[], Tensor]] = {
    "rand": lambda: torch.rand(20),
    "randn": lambda: torch.randn(20),
    "randint": lambda: torch.randint(2, 9, (20,)),
    "randperm": lambda: torch.randperm(20),
    "bernoulli": lambda: torch.bernoulli(torch.full((20,), 0.5)),
    "bernoulli_": lambda: torch.zeros(20).bernoulli_(torch.full((20,), 0.5)),
    "normal": lambda: torch.normal(torch.zeros(20), 1.0),
    "uniform": lambda: torch.empty(20).uniform_(),
    "exponential": lambda: torch.empty(20).exponential_(),
    "multinomial": lambda: torch.multinomial(torch.ones(20), 30, True),
    "poisson": lambda: torch.poisson(torch.full((20,), 3.0)),
    "binomial": lambda: torch.binomial(torch.full((20,), 9.0), torch.full((20,), 0.5)),
    "gamma": lambda: torch.distributions.Gamma(torch.ones(20), 1.0).sample(),
    "dirichlet": lambda: torch._sample_dirichlet(torch.ones(20)),
    "rrelu": lambda: nn.functional.rrelu(-torch.ones(20), training=True),
    "dropout": lambda: nn.functional.dropout(torch.ones(20)),
    "dropout2d": lambda: nn.functional.dropout2d(torch.ones(1, 20, 1, 1)),
    "native_dropout": lambda: torch.native_dropout(torch.ones(20), 0.5, True)[0],
    "rand_like": lambda: torch.rand_like(torch.ones(20)),
    "attention": lambda: nn.functional.scaled_dot_product_attention(
        *[torch.ones(1, 2, 5, 4)] * 3, dropout_p=0.5
    ),
    "lstm": lambda: nn.LSTM(4, 4, 2, dropout=0.5)(torch.ones(3, 1, 4))[0].detach(),
    "layer": lambda: nn.TransformerEncoderLayer(4, 2, 8)(torch.ones(5, 1, 4)).detach(),
}


@pytest.mark.parametrize("name", DRAWS)
def test_every_draw_is_the_own_generators_and_that_of_torchs_with_its_seed(name: str) -> None:
    draw, before = DRAWS[name], torch.get_rng_state()
    with own_generator(torch.Generator().manual_seed(5)):
        own = draw()
        assert not torch.equal(draw(), own)
        torch.manual_seed(5)  # seeds the own generator
        assert torch.equal(draw(), own)
        state = torch.get_rng_state()
        again = draw()
        torch.set_rng_state(state)
        assert torch.equal(draw(), again)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(5)
    assert torch.equal(draw(), own)


def test_a_generator_that_is_named_is_used_and_blocks_nest() -> None:
    named = torch.Generator().manual_seed(3)
    expected = torch.rand(4, generator=torch.Generator().manual_seed(3))
    with own_generator(torch.Generator().manual_seed(5)):
        first = torch.rand(1)
        with own_generator(torch.Generator().manual_seed(5)):
            assert torch.equal(torch.rand(1), first)
        assert torch.equal(torch.rand(4, generator=named), expected)
        assert not torch.equal(torch.rand(1), first)


@pytest.mark.parametrize(
    "lacking", ["_parse_dispatch_key", "_IncludeDispatchKeyGuard", "_ExcludeDispatchKeyGuard"]
)
def test_without_torchs_private_names_the_default_generator_is_borrowed(
    lacking: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with own_generator(torch.Generator().manual_seed(5)):
        expected = torch.rand(3), nn.functional.dropout(torch.ones(9))
    monkeypatch.setattr(randomness, "_key", None)
    monkeypatch.delattr(torch._C, lacking)
    before, own = torch.get_rng_state(), torch.Generator().manual_seed(5)
    drawn = {}

    def draw(name: str, generator: torch.Generator) -> None:
        with own_generator(generator):
            first = torch.rand(3)
            with own_generator(torch.Generator().manual_seed(9)):
                torch.rand(3)
            drawn[name] = first, nn.functional.dropout(torch.ones(9))

    others = [
        threading.Thread(target=draw, args=(str(seed), torch.Generator().manual_seed(5)))
        for seed in range(3)
    ]
    for other in others:
        other.start()
    draw("here", own)
    for other in others:
        other.join()
    assert len(drawn) == 4
    for found in drawn.values():
        assert all(map(torch.equal, found, expected))
    assert torch.equal(torch.get_rng_state(), before)
    with pytest.raises(KeyError), own_generator(own):
        raise KeyError  # not taken for a name that torch lacks
    assert torch.equal(torch.get_rng_state(), before)


def test_the_list_names_every_operation_of_torch_that_draws_on_the_cpu() -> None:
    found = set()
    for name in dir(torch.ops.aten):
        packet = getattr(torch.ops.aten, name)
        for overload in packet.overloads() if hasattr(packet, "overloads") else ():
            operation = getattr(packet, overload)
            try:
                on_cpu = torch._C._dispatch_has_kernel_for_dispatch_key(operation.name(), "CPU")
            except RuntimeError:  # of Python's numbers, not of tensors
                continue
            if on_cpu and any(a.name == "generator" for a in operation._schema.arguments):
                found.add(name if overload == "default" else f"{name}.{overload}")
    assert found == set(DRAWING)


def test_activation_checkpointing_recomputes_the_same_dropout() -> None:
    x = torch.ones(50, requires_grad=True)
    with own_generator(torch.Generator().manual_seed(5)):
        y = checkpoint(lambda t: nn.functional.dropout(t) * t, x, use_reentrant=False)
        y.sum().backward()
    assert x.grad is not None
    assert torch.equal(x.grad, 2 * y.detach())
