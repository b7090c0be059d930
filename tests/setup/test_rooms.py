"""Each room knows only the rooms below it: the contracts in pyproject.toml."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def contracts(folder: Path) -> subprocess.CompletedProcess[str]:
    program = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    return subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True
    )


def test_each_room_knows_only_the_rooms_below_it() -> None:
    done = contracts(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_import_upwards_is_named(project_copy: Path) -> None:
    room = project_copy / "course" / "labs" / "upwards.py"
    room.write_text("from course.content import exercises\n", encoding="utf-8")
    try:
        done = contracts(project_copy)
    finally:
        room.unlink()
    assert done.returncode == 1
    assert "course.labs.upwards -> course.content" in done.stdout
