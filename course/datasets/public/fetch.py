"""Fetch the files of a public set through the hub's cache, and compare each with its SHA-256."""

from __future__ import annotations

import hashlib
from pathlib import Path

from course.datasets.dataset import Card, megabytes
from course.datasets.public.sources import File, Source

__all__ = ["NotHereError", "call", "fetch", "sha256"]


class NotHereError(FileNotFoundError):
    """A public set that is not on this machine; the sentence says what to do."""


def fetch(source: Source, file: File, *, download: bool) -> Path:
    """Return the path of a file in the hub's cache.

    Raises NotHereError if it is not there and `download` is False, if the hub can't be reached or does
    not have it, or if what came is not what was published.
    """
    path = _from_hub(source, file, download=download)
    if sha256(path) == file.sha256:
        return path
    if download:  # once more: an earlier download may have been cut off
        path = _from_hub(source, file, download=True, force=True)
        if sha256(path) == file.sha256:
            return path
    raise NotHereError(
        f"{source.card.name}: {file.path} is broken: it should have {file.size:,} bytes and its published "
        f"SHA-256, and has {path.stat().st_size:,} bytes. {call(source.card)} fetches it again."
    )


def _from_hub(source: Source, file: File, *, download: bool, force: bool = False) -> Path:
    name = source.card.name
    try:
        from huggingface_hub import hf_hub_download
    except ImportError:
        raise NotHereError(
            f"{name} is on the Hugging Face hub; to fetch it, install: pip install huggingface_hub."
        ) from None
    try:
        return Path(
            hf_hub_download(
                source.repository,
                file.path,
                repo_type="dataset",
                revision=source.revision,
                local_files_only=not download,
                force_download=force,
            )
        )
    except Exception as error:  # what the hub's network libraries raise has no common class
        if not download:
            raise NotHereError(_offer(source)) from error
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise NotHereError(
            f"{name} could not be fetched from huggingface.co/datasets/{source.repository}: {reason} "
            "Is there a network? The sets of the course need none: datasets.available() lists them."
        ) from error


def _offer(source: Source) -> str:
    card = source.card
    return (
        f"{card.name} is not on this machine. {call(card)} fetches {megabytes(card.size)} from "
        f"huggingface.co/datasets/{source.repository} (revision {source.revision[:8]}). "
        f"Licence: {card.licence}."
    )


def call(card: Card) -> str:
    """Return the call that fetches a set."""
    return f'datasets.load("{card.name}", download=True)'


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
