"""A report as plain data and back: how it comes out of the process in which an answer was tried."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from course.checking.explain.pictures import Shown
from course.checking.report import Comparison, Kinds, Picture, Report, as_text
from course.learner import catalogue


def packed(report: Report) -> dict[str, Any]:
    """A report as plain data; of the comparison the answer's own text, for the solution is known."""
    return {
        "exercise": report.exercise,
        "status": report.status,
        "mistakes": list(report.mistakes),
        "remarks": list(report.remarks),
        "sections": [list(section) for section in report.sections],
        "shown": [_picture(picture) for picture in report.shown],
        "yours": report.comparison and report.comparison.yours,
    }


def unpacked(data: dict[str, Any]) -> Report:
    """The report again."""
    sections = [(str(heading), str(text)) for heading, text in data["sections"]]
    shown = [_shown(picture) for picture in data["shown"]]
    model = catalogue.exercise(data["exercise"]).model_source
    return Report(
        data["exercise"],
        data["status"],
        as_text(sections, shown),
        tuple(data["mistakes"]),
        sections,
        shown,
        comparison=None if data["yours"] is None else Comparison(str(data["yours"]), model),
        remarks=tuple(data["remarks"]),
    )


def _picture(picture: Picture) -> dict[str, Any]:
    if isinstance(picture, Kinds):
        return {"caption": picture.caption, "kinds": [list(row) for row in picture.rows]}
    matrices = [[title, _numbers(matrix)] for title, matrix in picture.matrices]
    plain = {"caption": picture.caption, "rows": picture.rows, "columns": picture.columns}
    return {**plain, "matrices": matrices}


def _shown(data: dict[str, Any]) -> Picture:
    if "kinds" in data:
        rows = [(str(name), str(want), str(came)) for name, want, came in data["kinds"]]
        return Kinds(str(data["caption"]), rows)
    matrices = [(title, _tensor(numbers)) for title, numbers in data["matrices"]]
    return Shown(data["caption"], matrices, data["rows"], data["columns"])


def _numbers(matrix: Tensor) -> dict[str, Any]:
    plain = torch.view_as_real(matrix.resolve_conj()) if matrix.is_complex() else matrix
    dtype = str(matrix.dtype).removeprefix("torch.")
    return {"dtype": dtype, "shape": list(matrix.shape), "values": plain.reshape(-1).tolist()}


def _tensor(data: dict[str, Any]) -> Tensor:
    dtype = getattr(torch, data["dtype"])
    if dtype.is_complex:
        part = {torch.complex64: torch.float32, torch.complex32: torch.float16}
        values = torch.tensor(data["values"], dtype=part.get(dtype, torch.float64), device="cpu")
        return torch.view_as_complex(values.reshape(-1, 2)).reshape(data["shape"])
    return torch.tensor(data["values"], dtype=dtype, device="cpu").reshape(data["shape"])
