"""A stand-in for the front end: sends what the browser would send, and keeps what it would hold."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from course.labs.lab import Lab


class Front:
    """One view of a lab. `messages` are all that came; `panels` what the view holds by now."""

    def __init__(self, lab: Lab, view: str = "view-1") -> None:
        self.lab, self.view = lab, view
        self.messages: list[tuple[dict[str, Any], list[bytes]]] = []
        self.panels: dict[str, dict[str, Any]] = {}
        self.data: dict[str, dict[str, bytes]] = {}
        self.labels: dict[str, list[str]] = {}
        self.requests = 0
        self.sent_last: list[str] = []  # panels whose numbers the last message had
        self.challenges: list[dict[str, Any]] = []
        self.told = 0  # messages about tasks
        send = lab.send

        def overhear(content: dict[str, Any], buffers: list[bytes] | None = None) -> None:
            if content.get("to") in (None, self.view):
                self._receive(json.loads(json.dumps(content)), buffers or [])
            send(content, buffers)

        lab.send = overhear  # type: ignore[method-assign]

    def _receive(self, content: dict[str, Any], buffers: list[bytes]) -> None:
        self.challenges = content.get("challenges", self.challenges)
        if content["type"] == "challenges":
            self.told += 1
            return
        self.messages.append((content, list(buffers)))
        self.labels.update(content.get("labels", {}))
        self.sent_last = [panel["name"] for panel in content["panels"] if panel.get("data")]
        for panel in content["panels"]:
            name = panel["name"]
            places = panel.pop("data", {})
            self.panels[name] = {**self.panels.get(name, {}), **panel}
            if places:
                self.data[name] = {key: buffers[at] for key, at in places.items()}

    def message(self, content: dict[str, Any]) -> None:
        """Send a custom message as ipywidgets delivers it."""
        data = {"method": "custom", "content": content}
        self.lab._handle_msg({"content": {"data": data}, "buffers": []})

    def ready(self) -> Front:
        """Say that the view is there."""
        self.message({"type": "ready", "view": self.view})
        return self

    def move(self, **changes: Any) -> dict[str, Any]:
        """Move controls; returns the answer."""
        self.requests += 1
        content = {"type": "change", "view": self.view, "request": self.requests}
        self.message({**content, "changes": json.loads(json.dumps(changes))})
        return self.last

    def gone(self) -> None:
        """Say that the view was removed."""
        self.message({"type": "gone", "view": self.view})

    @property
    def last(self) -> dict[str, Any]:
        """The last message's content."""
        return self.messages[-1][0]

    @property
    def size(self) -> int:
        """The last message's bytes: its JSON and its buffers."""
        content, buffers = self.messages[-1]
        return len(json.dumps(content, ensure_ascii=False).encode()) + sum(map(len, buffers))

    def drawn(self) -> list[str]:
        """The panels of which the last message has something."""
        return [panel["name"] for panel in self.last["panels"]]

    def floats(self, panel: str, columns: int) -> NDArray[np.float32]:
        """A panel's numbers."""
        return np.frombuffer(self.data[panel]["numbers"], "<f4").reshape(-1, columns)

    def weights(self) -> NDArray[np.float64]:
        """The chosen head's weights as the front end decodes them; NaN where blocked."""
        meta, cells = self.panels["weights"], self.data["weights"]["cells"]
        bits, length = meta["bits"], len(self.labels["tokens"])
        codes = decode_codes(cells, bits)[: length * length].reshape(length, length)
        shares = codes / (2**bits - 2)
        return np.where(codes == 2**bits - 1, np.nan, shares**2)


def decode_codes(data: bytes, bits: int) -> NDArray[np.int64]:
    """What `readCodes` of codes.js does."""
    if bits == 16:
        return np.frombuffer(data, "<u2").astype(np.int64)
    codes = np.frombuffer(data, np.uint8).astype(np.int64)
    if bits == 8:
        return codes
    return np.stack([codes & 15, codes >> 4], axis=-1).reshape(-1)
