"""Two outputs for a widget: a still picture that is kept with the notebook, and the widget."""

from __future__ import annotations

from typing import Any

import IPython.display
import pytest

from course.system.outputs import Output, with_page

WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any], str | None]]:
    """What was displayed: how, the bundle, and its display id."""
    told: list[tuple[str, dict[str, Any], str | None]] = []

    def display(bundle: Any, *, raw: bool, display_id: str | None = None) -> None:
        told.append(("display", bundle, display_id))

    def update(bundle: Any, *, raw: bool, display_id: str) -> None:
        told.append(("update", bundle, display_id))

    monkeypatch.setattr(IPython.display, "display", display)
    monkeypatch.setattr(IPython.display, "update_display", update)
    return told


def test_the_picture_comes_first_and_is_renewed_where_it_was_shown(sent: Any) -> None:
    words = ["first"]
    live = {WIDGET: {"model_id": "1"}, "text/plain": "not twice"}
    output = Output(lambda: live, lambda: {"text/plain": words[0]})
    output.renew()  # nothing was shown yet
    output.show()
    output.show()
    ids = [display_id for _, bundle, display_id in sent if WIDGET not in bundle]
    assert len(set(ids)) == 2
    assert None not in ids
    assert [WIDGET in bundle for _, bundle, _ in sent] == [False, True, False, True]
    assert sent[1] == ("display", {WIDGET: {"model_id": "1"}}, None)
    assert "first" in sent[0][1]["text/html"]
    del sent[:]
    output.renew()  # nothing has changed
    assert sent == []
    words[0] = "second"
    output.renew()
    assert [(how, display_id) for how, _, display_id in sent] == [("update", i) for i in ids]
    assert all("second" in bundle["text/html"] for _, bundle, _ in sent)


def test_the_page_has_the_picture_and_its_words_escaped() -> None:
    made = with_page({"text/plain": "a < b & c", "image/svg+xml": "<svg></svg>", "image/png": "AA"})
    assert made["image/png"] == "AA"
    assert "<svg></svg>" in made["text/html"]
    assert "a &lt; b &amp; c" in made["text/html"]
    assert "AA" not in made["text/html"]
    assert 'src="data:image/png;base64,AA"' in with_page({"image/png": "AA"})["text/html"]
    assert "<details>" not in with_page({"text/plain": "x", "text/html": "<p>y</p>"})["text/html"]
