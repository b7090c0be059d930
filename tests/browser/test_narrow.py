"""Reports and comparisons on a small screen: what is too wide wraps, or scrolls by itself and by keyboard."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.conftest import OpenNotebook
from tests.browser.toy_training import CELL
from tests.sampled import by_day

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CELLS = (
    "import torch\nfrom course import check, compare, hint, labs",
    "def softmax(x, dim):\n    return torch.exp(x) / torch.exp(x).sum(dim, keepdim=True)  # "
    + "a long remark, " * 12
    + "\ncheck('attention.softmax', softmax)",
    "compare('attention.softmax', softmax)",
    "def causal_mask(length):\n    return torch.ones(length, length).tril() == 1\n"
    "check('attention.causal_mask', causal_mask)",
    "hint('attention.multi_head', step=4)",
    "compare('attention.multi_head')",
    CELL,
)
# Elements that reach out of their output, and can't be reached by scrolling an ancestor of theirs.
CUT_OFF = """() => [...document.querySelectorAll('.jp-OutputArea-output')].flatMap((output) => {
  const right = output.getBoundingClientRect().right;
  const scrolls = (node) => ['auto', 'scroll'].includes(getComputedStyle(node).overflowX);
  return [...output.querySelectorAll('*')].filter((node) => {
    if (node.getBoundingClientRect().right <= right + 1) return false;
    for (let at = node.parentElement; at && at !== output.parentElement; at = at.parentElement) {
      if (scrolls(at)) return false;
    }
    return true;
  }).map((node) => node.outerHTML.slice(0, 120));
})"""


def scrolled_width(page: Any) -> list[int]:
    """By how much each output's content is wider than the output."""
    script = """() => [...document.querySelectorAll('.jp-OutputArea-output')]
        .map((output) => output.scrollWidth - output.clientWidth)"""
    widths: list[int] = page.evaluate(script)
    return widths


@pytest.mark.parametrize("width", by_day([1024, 1280], 1))
def test_nothing_is_cut_off(open_notebook: OpenNotebook, width: int) -> None:
    watched = open_notebook(*CELLS, width=width, height=900)
    page = watched.page
    page.wait_for_selector("text=That was the last hint", timeout=60_000)
    page.wait_for_selector("[data-lab=theatre][data-drawn]", timeout=60_000)
    page.wait_for_selector("#jp-main-statusbar >> text=| Idle", timeout=60_000)
    assert page.evaluate(CUT_OFF) == []
    assert max(scrolled_width(page)) <= 1
    watched.picture(f"narrow-{width}", full_page=True)
