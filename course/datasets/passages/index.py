"""The passages' vectors: computed once with MiniLM, kept in the learner's folder, searched."""

from __future__ import annotations

import hashlib
import html
import importlib
import inspect
import json
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from safetensors import SafetensorError
from safetensors.torch import load as read_tensors
from safetensors.torch import save as as_bytes
from torch import Tensor

from course import learner
from course.datasets.passages import docstrings as docstrings_module
from course.datasets.passages import passage as passage_module
from course.datasets.passages import topics as topics_module
from course.datasets.passages.docstrings import docstring_passages
from course.datasets.passages.passage import Passage
from course.datasets.passages.topics import topic_passages, topics
from course.system import files
from encoder_core import sentence_embedding
from encoder_core.pretrained.minilm import MINILM_SHA256

MAX_LENGTH = 128  # tokens of a passage that are read: MiniLM was tuned on texts of this length

BATCH = 64  # passages that are embedded at once

BestMatch = Callable[[Tensor, Tensor], int]


@dataclass(frozen=True)
class Found:
    """The passages that came closest to a question, best first, with their cosine similarities."""

    question: str
    passages: tuple[Passage, ...]
    similarities: tuple[float, ...]

    def __repr__(self) -> str:
        lines = [f"Question: {self.question}"]
        for passage, similarity in zip(self.passages, self.similarities, strict=True):
            body = "\n".join("    " + line for line in passage.text.split("\n"))
            lines.append(f"\n{similarity:.2f}  {passage.title}\n{body}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """The same for a notebook: the best in full, the others to be opened."""
        parts = []
        pairs = zip(self.passages, self.similarities, strict=True)
        for place, (passage, similarity) in enumerate(pairs):
            title = f"<b>{html.escape(passage.title)}</b> &nbsp; similarity {similarity:.2f}"
            text = (
                '<pre style="white-space: pre-wrap; margin: 0.3em 0 0.6em 1em">'
                f"{html.escape(passage.text)}</pre>"
            )
            opened = " open" if place == 0 else ""
            parts.append(f"<details{opened}><summary>{title}</summary>{text}</details>")
        return f'<div style="max-width: 52em; line-height: 1.45">{"".join(parts)}</div>'


class Index:
    """Passages with their vectors.

    Args:
        passages: N of them.
        vectors: `(N, D)`, of length 1.
        texts: what the vectors are of; by default, as `embed` does it, each passage's `embedded`.

    Raises:
        ValueError: there is not one vector, or not one text, for each passage.
    """

    def __init__(
        self, passages: Sequence[Passage], vectors: Tensor, texts: Sequence[str] | None = None
    ) -> None:
        if vectors.dim() != 2 or len(vectors) != len(passages):
            shape = tuple(vectors.shape)
            raise ValueError(f"{len(passages)} passages need ({len(passages)}, D); got {shape}")
        if texts is not None and len(texts) != len(passages):
            raise ValueError(f"{len(passages)} passages need as many texts; got {len(texts)}")
        self.passages, self.vectors = tuple(passages), vectors
        self.texts = tuple(each.embedded for each in passages) if texts is None else tuple(texts)

    def __repr__(self) -> str:
        count, width = self.vectors.shape
        return f"Index of {count} passages, each a vector of {width} numbers"

    def search(self, question: str, count: int = 3, best_match: BestMatch | None = None) -> Found:
        """The `count` passages closest to a question in meaning.

        Args:
            question: any text.
            count: how many to give.
            best_match: a function of your own, `(question (D,), passages (N, D)) -> index`; it then
                chooses the first, and again among the rest for the second, and so on.

        Raises:
            ValueError: the question is empty, or `best_match` gives no index of a passage.
        """
        if not question.strip():
            raise ValueError("The question is empty; type one, such as 'How do I copy a file?'.")
        vector = sentence_embedding(question)  # (D,)
        similarities = self.vectors @ vector  # (N, D) @ (D,) -> (N,); the lengths are 1
        count = min(count, len(self.passages))
        if best_match is None:
            order = similarities.topk(count).indices.tolist()
        else:
            order = _chosen(best_match, vector, self.vectors, count)
        picked = tuple(self.passages[i] for i in order)
        return Found(question, picked, tuple(similarities[order].tolist()))


def load(on_batch: Callable[[int, int], None] | None = None) -> Index:
    """The index of this Python's documentation; the first time it is computed, with its progress.

    Args:
        on_batch: told how many passages are done, and of how many; a progress bar where not given.

    Returns:
        The index; from the second time on read from `<home>/passages/`, where `<home>` is the
        learner's folder. Another Python, model, or way of cutting gets a file of its own.
    """
    name = f"{key()}.safetensors"
    kept = _kept(name)
    if kept is not None:
        return kept
    found = [*topic_passages(topics()), *docstring_passages()]
    vectors = embed(found, on_batch).half()  # as they are kept: every start finds the same
    _keep(name, found, vectors)
    return Index(found, vectors.float())


def embed(
    passages: Sequence[Passage],
    on_batch: Callable[[int, int], None] | None = None,
    batch_size: int = BATCH,
) -> Tensor:
    """Each passage's vector, `(N, D)`; passages of one length share a batch, so none is padded much."""
    texts = [passage.embedded for passage in passages]
    if on_batch is not None:
        return _embedded(texts, on_batch, batch_size)
    tqdm = importlib.import_module("tqdm.auto").tqdm  # here, since importing it costs time
    with tqdm(total=len(texts), desc="Reading the documentation", unit=" passages") as bar:
        return _embedded(texts, lambda done, _: bar.update(done - bar.n), batch_size)


def _embedded(texts: list[str], on_batch: Callable[[int, int], None], batch_size: int) -> Tensor:
    vectors: Tensor = sentence_embedding(
        texts, batch_size=batch_size, max_length=MAX_LENGTH, on_batch=on_batch
    )
    return vectors


def key() -> str:
    """What the vectors depend on, as a name: the Python, the model, and how texts are cut."""
    digest = hashlib.sha256(f"{MINILM_SHA256} {MAX_LENGTH}".encode())
    for module in (passage_module, topics_module, docstrings_module):
        digest.update(inspect.getsource(module).encode())
    python = f"{platform.python_implementation()}-{platform.python_version()}".lower()
    return f"{python}-minilm-{MINILM_SHA256[:8]}-{digest.hexdigest()[:12]}"


def _chosen(best_match: BestMatch, question: Tensor, passages: Tensor, count: int) -> list[int]:
    """Indices chosen one after the other by a function that knows the best only."""
    left = list(range(len(passages)))
    order = []
    for _ in range(count):
        place = best_match(question, passages[left])
        if isinstance(place, bool) or not isinstance(place, int) or not 0 <= place < len(left):
            raise ValueError(
                f"best_match should give an index from 0 to {len(left) - 1}: {place!r}"
            )
        order.append(left.pop(place))
    return order


def _kept(name: str) -> Index | None:
    """The index on disk; None where there is none that is whole."""
    home = learner.home()
    for folder in (home, home.parent):  # the solved chapters keep their state one folder further in
        try:
            found = read_tensors((folder / "passages" / name).read_bytes())
            pairs = json.loads(bytes(found["texts"].tolist()))
            index = Index([Passage(title, text) for title, text in pairs], found["vectors"].float())
        except (OSError, SafetensorError, LookupError, ValueError, TypeError):
            continue
        if index.vectors.isfinite().all():
            return index
    return None


def _keep(name: str, found: Sequence[Passage], vectors: Tensor) -> None:
    """Write passages and vectors, whole or not at all; where that fails, say so and go on."""
    texts = json.dumps([[passage.title, passage.text] for passage in found]).encode()
    tensors = {
        "vectors": vectors.contiguous(),
        "texts": torch.tensor(list(texts), dtype=torch.uint8),
    }
    path = learner.home() / "passages" / name
    try:
        files.write(path, as_bytes(tensors))
    except OSError as error:
        print(
            f"{path} cannot be written ({error.strerror}); the next start reads everything again."
        )
