"""Vocabularies trained on real text that is installed, each once in a process, in about a second.

English is Python's own documentation, as `help()` carries it. Chinese, where it is installed, is
the translation of Jupyter's menus and messages. A vocabulary is trained once, as large as it may
become; a smaller one is its beginning, for training adds pieces at the end. Only one that has not
room for all letters is another: it has the most frequent ones.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from course.datasets.texts import language_reference
from encoder_core.pretrained.minilm import load_minilm
from encoder_core.text.tokenizer import WordPiece
from encoder_core.text.wordpiece_training import count_words, train_wordpiece

SPECIALS = list(WordPiece.specials)
LARGEST = 4000
_MESSAGE = re.compile(r'^(?:msgstr(?:\[\d\])? )?"(.*)"$')


def corpora() -> list[str]:
    """The texts to train on that there are here: `"english"`, and `"chinese too"` or not."""
    return ["english", "chinese too"] if _chinese_files() else ["english"]


@lru_cache(maxsize=4)
def text_of(corpus: str) -> str:
    """The text of a corpus."""
    return _english() if corpus == "english" else _english() + "\n" + _chinese()


def _english() -> str:
    return "\n".join(language_reference())


def _chinese_files() -> list[Path]:
    spec = find_spec("jupyter_server")
    if spec is None or not spec.submodule_search_locations:
        return []
    folder = Path(spec.submodule_search_locations[0]) / "i18n" / "zh_CN" / "LC_MESSAGES"
    return sorted(folder.glob("*.po"))


def _chinese() -> str:
    return "\n".join(_translations(path.read_text(encoding="utf-8")) for path in _chinese_files())


def _translations(catalogue: str) -> str:
    r"""The translated messages of a gettext catalogue.

    >>> _translations('msgid "File"\nmsgstr "文件"\n')
    '文件'
    """
    lines, translated = [], False
    for line in catalogue.split("\n"):
        translated = line.startswith("msgstr") or (translated and line.startswith('"'))
        found = _MESSAGE.match(line) if translated else None
        if found:
            lines.append(found.group(1).replace(r"\n", " "))
    return "\n".join(filter(None, lines))


@lru_cache(maxsize=4)
def _counted(corpus: str) -> Counter[str]:
    return count_words([text_of(corpus)])


@lru_cache(maxsize=64)
def trained(corpus: str, size: int = LARGEST) -> tuple[str, ...]:
    """The pieces of WordPiece trained on a corpus, at most `size`, in the order of their ids."""
    if size < LARGEST:
        whole = trained(corpus)
        letters = sum(len(piece.removeprefix("##")) == 1 for piece in whole[:1500])
        if size >= len(SPECIALS) + letters:
            return whole[:size]
    return tuple(train_wordpiece(_counted(corpus), size).vocabulary)


@lru_cache(maxsize=4)
def words_of(corpus: str) -> tuple[str, ...]:
    """The special tokens, then the corpus's words, the most frequent first."""
    counts = Counter(re.findall(r"\w+", text_of(corpus).lower()))
    ranked = sorted(counts, key=lambda word: (-counts[word], word))
    return tuple([*SPECIALS, *ranked][:LARGEST])


@lru_cache(maxsize=1)
def pretrained() -> tuple[str, ...]:
    """MiniLM's 30,522 pieces, which it has from BERT."""
    vocabulary = load_minilm()[1].vocabulary
    return tuple(sorted(vocabulary, key=vocabulary.__getitem__))


@lru_cache(maxsize=128)
def beginning(tokens: tuple[str, ...], size: int) -> dict[str, int]:
    """The ids of the first `size` tokens."""
    return {token: i for i, token in enumerate(tokens[:size])}
