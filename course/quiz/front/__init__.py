"""The questions' front end: `quiz.js`, joined with the labs' modules for elements and ids."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from course.labs import front as labs_front

FOLDER = Path(__file__).parent
SHARED = ("dom", "page")  # of the labs' modules


@cache
def front_end() -> tuple[str, str]:
    """Return the front end's JavaScript, as one ES module, and its CSS."""
    paths = [*(labs_front.FOLDER / f"{name}.js" for name in SHARED), FOLDER / "quiz.js"]
    modules = {path.stem: path.read_text("utf-8") for path in paths}
    css = (FOLDER / "quiz.css").read_text("utf-8")
    return labs_front.join_modules(modules, "quiz"), css
