"""The losses with which each training of the chapters begins, as a rehearsal of eight updates has them.

    python -m tests.notebooks.beginnings    # writes beginnings.json anew, where a training was changed on purpose

Trainings to their end take minutes and run at night. What changes one by accident (its data or their order, the
model, its first weights, the loss, the optimizer) changes its first losses, and these are looked at by day.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_suffix(".json")


def read(home: Path) -> dict[str, dict[str, Any]]:
    """The losses of each training that a learner's folder keeps the result of."""
    found = {}
    for path in sorted((home / "trainings" / "cache").glob("*.json")):
        kept = json.loads(path.read_text(encoding="utf-8"))
        settings = kept["settings"]
        name = f"{kept['training']}, {settings['positions']}, {settings['steps']}"
        losses = [record["loss"] for record in kept["records"]]
        found[name] = {"optimizer": settings["optimizer"], "losses": losses}
    return dict(sorted(found.items()))


def main() -> None:
    """Rehearse all trainings in a folder that is thrown away, and keep their losses."""
    with tempfile.TemporaryDirectory() as home:
        environ = {**os.environ, "COURSE_HOME": home, "OMP_NUM_THREADS": "1"}
        program = [sys.executable, "-m", "tests.notebooks.trained", "--rehearsed"]
        subprocess.run(program, env=environ, check=True)
        FILE.write_text(json.dumps(read(Path(home)), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
