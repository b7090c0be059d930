"""Attention in blocks equals attention, in values and gradients, and holds a block of scores at a time."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from encoder_core.attention import scaled_dot_product_attention
from encoder_core.fast.blockwise import blockwise_attention
from encoder_core.masks import causal_mask, padding_mask
from encoder_core.multihead import MultiheadAttention
from tests.close import assert_close
from tests.sampled import at_night


def draw(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


def masks(kind: str, length: int, keys: int) -> Tensor | None:
    padding = padding_mask(torch.tensor([0, keys // 2, keys]), keys)[
        :, None, None, :
    ]  # (B, 1, 1, S)
    drawn = torch.rand(length, keys) < 0.5
    return {
        "none": None,
        "padding": padding,  # the first text is nothing but padding
        "drawn": drawn,
        "both": padding | drawn,
        "added": torch.randn(2, length, keys, dtype=torch.float64).masked_fill(drawn, -torch.inf),
        "keys": padding[1, 0, 0],
    }[kind]


@given(
    length=st.integers(1, 13),
    keys=st.integers(1, 13),
    block=st.integers(1, 15),
    query_block=st.integers(1, 15),
    kind=st.sampled_from(["none", "padding", "drawn", "both", "added", "keys"]),
)
def test_blocks_equal_attention_in_values_and_gradients(
    length: int, keys: int, block: int, query_block: int, kind: str
) -> None:
    query, key, value = draw(3, 2, length, 4), draw(3, 2, keys, 4), draw(3, 2, keys, 5)
    mask = masks(kind, length, keys)
    expected, _ = scaled_dot_product_attention(query, key, value, mask)
    output = blockwise_attention(query, key, value, mask, block, query_block)
    assert_close(output, expected)
    if mask is not None:
        blocked = (mask if mask.dtype == torch.bool else mask == -torch.inf).all(-1, keepdim=True)
        assert not output.masked_select(blocked).any()
    into = torch.randn_like(expected)
    ours = torch.autograd.grad(output, (query, key, value), into)
    others = torch.autograd.grad(expected, (query, key, value), into)
    assert all(one.isfinite().all() for one in ours)
    assert_close(list(ours), list(others))  # with one scale for all: one of them may be 0


@pytest.mark.parametrize("slope", [2e3, -2e3])
def test_large_scores_rise_or_fall_from_block_to_block(slope: float) -> None:
    query, key, value = (
        torch.ones(2, 1),
        torch.linspace(-slope, slope, 7)[:, None],
        torch.randn(7, 3),
    )
    largest = int(key.argmax())
    output = blockwise_attention(query, key, value, block=2)
    assert torch.equal(output, value[largest].expand(2, 3))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_lower_precision_is_near(dtype: torch.dtype) -> None:
    query, key, value = (torch.randn(2, 2, 40, 8).to(dtype) for _ in range(3))
    expected, _ = scaled_dot_product_attention(query.double(), key.double(), value.double())
    output = blockwise_attention(query, key, value, block=7, query_block=9)
    assert output.dtype == dtype
    assert_close(output, expected.to(dtype), terms=8 + 40)


def test_a_module_attends_by_it() -> None:
    torch.manual_seed(0)
    attention = MultiheadAttention(8, 2, attention=blockwise_attention).eval()
    plain = MultiheadAttention(8, 2).eval()
    plain.load_state_dict(attention.state_dict())
    x = torch.randn(3, 5, 8)
    padding = padding_mask(torch.tensor([5, 2, 0]), 5)
    given_masks: dict[str, Any] = {"key_padding_mask": padding, "attn_mask": causal_mask(5)}
    assert_close(attention(x, x, x, **given_masks)[0], plain(x, x, x, **given_masks)[0])


def test_what_makes_no_sense_is_refused() -> None:
    x = torch.randn(1, 3, 2)
    with pytest.raises(ValueError, match="at least 1"):
        blockwise_attention(x, x, x, block=0)
    with pytest.raises(ValueError, match="3 keys came with 2 values"):
        blockwise_attention(x, x, x[:, :2])
    with pytest.raises(TypeError, match="boolean"):
        blockwise_attention(x, x, x, torch.ones(3, 3, dtype=torch.int64))


class Largest(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes how many numbers the largest tensor has that is made meanwhile."""

    numbers = 0

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        for made in tree_leaves(result):
            if isinstance(made, Tensor):
                size = made.untyped_storage().nbytes() // made.element_size()
                self.numbers = max(self.numbers, size)
        return result


@pytest.mark.parametrize("gradients", [False, True])
def test_no_tensor_is_larger_than_a_block_of_scores(gradients: bool) -> None:
    query, key, value = (torch.randn(2, 400, 1, requires_grad=gradients) for _ in range(3))
    with Largest() as largest:  # type: ignore[no-untyped-call]
        output = blockwise_attention(query, key, value, block=50, query_block=40)
        if gradients:
            output.sum().backward()  # type: ignore[no-untyped-call]
    assert largest.numbers == 2 * 40 * 50


LONG = """
import sys
import torch
from encoder_core import blockwise_attention
torch.set_num_threads(1)
length = int(sys.argv[1])
query, key, value = torch.randn(3, 1, length, 64).unbind(0)
output = blockwise_attention(query, key, value)
some = torch.tensor([0, 1, length // 2, length - 1])
fit = query[:, some].double() @ key.double().mT / 8
expected = fit.softmax(-1) @ value.double()
assert torch.allclose(output[:, some].double(), expected, rtol=1e-4, atol=1e-5)
from pathlib import Path
# Not ru_maxrss: a process begins with that of the one that started it.
status = Path("/proc/self/status").read_text().splitlines()
print(next(line.split()[1] for line in status if line.startswith("VmHWM")))  # KiB
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads the most memory from /proc")
@pytest.mark.parametrize(
    ("length", "megabytes"), [(16384, 768), pytest.param(65536, 2048, marks=at_night)]
)
def test_long_texts_take_little_memory(length: int, megabytes: int) -> None:
    """All scores at once would be 1 GB and 17 GB in float32; torch itself takes about 220 MB."""
    done = subprocess.run(
        [sys.executable, "-c", LONG, str(length)], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < megabytes * 1024  # KiB
