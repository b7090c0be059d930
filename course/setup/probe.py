"""Run by the environment's own Python: prints, as JSON, what is installed there and what is damaged.

A package counts as damaged when its list of files is missing or one of its files is missing or
has another size: what an installation leaves that was stopped half-way. This file stands alone:
it is run by its path, and may meet any Python.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import sys
import sysconfig


def damaged(distribution: importlib.metadata.Distribution) -> bool:
    """Whether a file of an installed package is missing or has not the size it should have."""
    files = distribution.files
    if files is None:
        return True
    for file in files:
        if file.size is None or file.suffix == ".pyc":
            continue
        try:
            if os.stat(str(distribution.locate_file(file))).st_size != file.size:
                return True
        except OSError:
            return True
    return False


def look(check_files: bool) -> dict[str, object]:
    """The Python version, whether pip is there, what is installed, what is damaged."""
    installed, broken = {}, []
    for distribution in importlib.metadata.distributions():
        path = str(getattr(distribution, "_path", ""))
        name = distribution.metadata["Name"]
        if check_files and path.endswith(".dist-info") and (not name or damaged(distribution)):
            broken.append(path)
        elif name:
            installed[name] = distribution.version
    return {
        "python": list(sys.version_info[:3]),
        "pip": importlib.util.find_spec("pip") is not None,
        "purelib": sysconfig.get_paths()["purelib"],
        "installed": installed,
        "damaged": broken,
    }


if __name__ == "__main__":
    print(json.dumps(look("--files" in sys.argv)))
