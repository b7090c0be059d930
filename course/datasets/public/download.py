"""Fetch an archive once, compare it with its SHA-256, and read its members. Standard library and tqdm.

It is kept in `$XDG_CACHE_HOME/encoder-course`, or `~/.cache/encoder-course`.
"""

from __future__ import annotations

import http.client
import importlib
import os
import re
import shutil
import tarfile
import urllib.request
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from course.datasets.dataset import megabytes
from course.datasets.public.archives import Archive
from course.datasets.public.fetch import NotHereError, call, sha256

__all__ = ["fetch_archive", "folder", "members"]

_PIECE = 2**20  # bytes that are read at once
_PATIENCE = 30.0  # seconds without a byte


def folder() -> Path:
    """Return where archives are kept; it need not exist yet."""
    named = os.environ.get("XDG_CACHE_HOME")
    return (Path(named) if named else Path.home() / ".cache") / "encoder-course"


def fetch_archive(archive: Archive, *, download: bool) -> Path:
    """Return the path of an archive on this machine.

    Raises NotHereError if it is not there and `download` is False, if it can't be fetched or stored, or if
    what came is not what was published, twice.
    """
    path = folder() / archive.file
    if path.is_file() and sha256(path) == archive.sha256:
        return path
    if not download:
        raise NotHereError(_offer(archive, broken=path.is_file()))
    _make_room(archive, path.parent)
    found = 0
    for _ in range(2):  # once more: a connection may have been cut off
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        try:
            _fetch(archive, temporary)
            if sha256(temporary) == archive.sha256:
                os.replace(temporary, path)
                return path
            found = temporary.stat().st_size
        finally:
            temporary.unlink(missing_ok=True)
    raise NotHereError(
        f"{archive.card.name}: what came from {archive.url} is not what was published: it should have "
        f"{archive.card.size:,} bytes and the SHA-256 {archive.sha256[:8]}..., and has {found:,} bytes. Nothing of "
        f"it was kept. {call(archive.card)} tries again."
    )


def _make_room(archive: Archive, where: Path) -> None:
    try:
        where.mkdir(parents=True, exist_ok=True)
        room = shutil.disk_usage(where).free
    except OSError as error:
        raise NotHereError(
            f"{archive.card.name} can't be kept in {where}: {error}. Name a folder that can be written in "
            "XDG_CACHE_HOME."
        ) from error
    if room < archive.card.size:
        raise NotHereError(
            f"{archive.card.name} has {megabytes(archive.card.size)}, and {where} has room for "
            f"{megabytes(room)}. Make room, or name another folder in XDG_CACHE_HOME."
        )


def _fetch(archive: Archive, path: Path) -> None:
    tqdm: Any = importlib.import_module("tqdm.auto").tqdm  # slow to import
    try:
        with (
            urllib.request.urlopen(archive.url, timeout=_PATIENCE) as answer,
            path.open("wb") as file,
            tqdm(total=archive.card.size, unit="B", unit_scale=True, desc=archive.card.name) as bar,
        ):
            while piece := answer.read(_PIECE):
                bar.update(file.write(piece))
    except (OSError, http.client.HTTPException) as error:  # URLError is an OSError
        cause = getattr(error, "reason", error)
        reason = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
        raise NotHereError(
            f"{archive.card.name} could not be fetched from {archive.url}: {reason}. Is there a network? "
            f"A copy that you fetched elsewhere may lie at {folder() / archive.file}. "
            "The sets of the course need no network: datasets.available() lists them."
        ) from error


def members(archive: Archive, path: Path, pattern: str) -> Iterator[tuple[re.Match[str], bytes]]:
    """Yield the files of an archive whose names match, in its order: the match and the content.

    Raises ValueError if the archive can't be read or holds no such file.
    """
    wanted, count, other = re.compile(pattern), 0, "none at all"
    try:
        with tarfile.open(
            path, "r|gz"
        ) as files:  # read once, from front to back; nothing is unpacked
            for member in files:
                match = wanted.search(member.name)
                content = files.extractfile(member) if match and member.isfile() else None
                if match and content is not None:
                    count += 1
                    yield match, content.read()
                elif member.isfile():
                    other = member.name
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise ValueError(changed(archive, f"{path.name} can't be read: {error}")) from error
    if not count:
        raise ValueError(changed(archive, f"no file is named like {pattern}; another is {other}"))


def changed(archive: Archive, what: str) -> str:
    """Return the sentence that says what differs from the set that the course knows."""
    return f"{archive.card.name} is not what it was: {what}."


def _offer(archive: Archive, *, broken: bool) -> str:
    card, state = archive.card, "broken" if broken else "not"
    return (
        f"{card.name} is {state} on this machine. {call(card)} fetches {megabytes(card.size)} from {archive.url} "
        f"(SHA-256 {archive.sha256[:8]}...). Licence: {card.licence}."
    )
