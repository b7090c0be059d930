"""Every step of the way: its name, its axes, its lines of code and what it does, in a sentence."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """One kind of step; those of a layer come once a layer.

    Attributes:
        name: short, for the list.
        axes: the letters of its shape, such as "B H S S".
        code: names in `code.LINES`.
        says: what happens, in a sentence or two.
        source: the kind whose result goes in; "" is the step before.
    """

    name: str
    axes: str
    code: tuple[str, ...]
    says: str
    source: str = ""


_NORM = (
    "Each token's vector by itself: minus its mean, divided by its spread, then scaled and "
    "shifted by two learned vectors."
)
_RESIDUAL = "What went into the sub-layer is added to what came out of it: a path that skips it."
_SPLIT = "The D numbers of each token are cut into H heads of Dh numbers; heads come before tokens."
_PART = "A third of the 3D numbers."

KINDS: dict[str, Kind] = {
    "tokens": Kind(
        "tokens",
        "B S",
        ("tokens",),
        "The text is cut into pieces that the vocabulary knows, with [CLS] before and [SEP] after. "
        "The shorter text is filled up with [PAD].",
    ),
    "ids": Kind("ids", "B S", ("ids",), "Each piece is its number in the vocabulary."),
    "padding": Kind(
        "padding mask", "B S", ("padding",), "True (grey) where there is only padding."
    ),
    "bert.rows": Kind(
        "token vectors",
        "B S D",
        ("bert.rows",),
        "Each id takes its row from the token table: the vector that it has in every text.",
    ),
    "bert.positions": Kind(
        "position vectors",
        "S D",
        ("bert.rows",),
        "Each place in the text has a learned vector of its own, the same for every text.",
    ),
    "bert.sum": Kind(
        "token + position", "B S D", ("bert.rows",), "The two are added.", "bert.rows"
    ),
    "bert.segments": Kind(
        "+ segment",
        "B S D",
        ("bert.segments",),
        "A vector that says first or second text of a pair; here it is the first everywhere.",
    ),
    "bert.norm": Kind("layer norm of the sum", "B S D", ("bert.norm", "norm"), _NORM),
    "text.rows": Kind(
        "token vectors",
        "B S D",
        ("text.rows", "text.scale"),
        "Each id takes its row from the token table, times the root of D, as the original "
        "Transformer has it.",
    ),
    "text.positions": Kind(
        "+ positions",
        "B S D",
        ("text.positions",),
        "Sines and cosines of the place are added: without them the order of the tokens is lost.",
    ),
    "own.embedded": Kind(
        "embedded tokens",
        "B S D",
        (),
        "Your model has no embeddings that this lab knows, so each token gets a random vector, the "
        "same wherever it stands, plus sinusoidal positions.",
    ),
    "project": Kind(
        "in-projection",
        "B S 3D",
        ("project",),
        "One matrix makes of each token its query, its key and its value at once.",
    ),
    "query": Kind("query", "B S D", ("project",), f"{_PART} What a token looks for.", "project"),
    "key": Kind("key", "B S D", ("project",), f"{_PART} What a token can be found by.", "project"),
    "value": Kind("value", "B S D", ("project",), f"{_PART} What a token hands over.", "project"),
    "query.heads": Kind(
        "query, split into heads", "B H S Dh", ("split", "heads.cut", "heads.move"), _SPLIT, "query"
    ),
    "key.heads": Kind(
        "key, split into heads", "B H S Dh", ("split", "heads.cut", "heads.move"), _SPLIT, "key"
    ),
    "value.heads": Kind(
        "value, split into heads", "B H S Dh", ("split", "heads.cut", "heads.move"), _SPLIT, "value"
    ),
    "scaled": Kind(
        "scale: query / √Dh",
        "B H S Dh",
        ("scores",),
        "So that the products do not grow with Dh. The query is divided, not the product, which "
        "gives the same numbers.",
        "query.heads",
    ),
    "scores": Kind(
        "scores",
        "B H S S",
        ("scores",),
        "Every query times every key of the same head: how well the two fit.",
    ),
    "mask": Kind(
        "mask",
        "B H S S",
        ("mask",),
        "Keys that are padding get −∞ (grey): nobody may look at them.",
    ),
    "softmax": Kind(
        "softmax",
        "B H S S",
        ("softmax", "masked_softmax"),
        "Each row becomes weights that sum to 1; e to the power −∞ is 0. Rows of [PAD] are computed "
        "too, but nobody reads what comes of them.",
    ),
    "weighted": Kind(
        "weighted sum of values",
        "B H S Dh",
        ("weighted",),
        "Each token takes from every value as much as its weight says.",
        "value.heads",
    ),
    "merge": Kind("merge heads", "B S D", ("heads.merge",), "The heads stand side by side again."),
    "out": Kind(
        "output projection", "B S D", ("out",), "A matrix mixes what the heads have found."
    ),
    "residual1": Kind("residual", "B S D", ("post1",), _RESIDUAL),
    "norm1": Kind("layer norm", "B S D", ("post1", "norm"), _NORM),
    "linear1": Kind(
        "linear1",
        "B S F",
        ("inner",),
        "Each token by itself is widened from D to F numbers.",
    ),
    "activation": Kind(
        "activation",
        "B S F",
        ("inner",),
        "What is negative is cut off (ReLU) or nearly so (GELU): without this activation the two "
        "matrices would be one.",
    ),
    "linear2": Kind("linear2", "B S D", ("narrow",), "And narrowed to D numbers again."),
    "residual2": Kind("residual", "B S D", ("post2",), _RESIDUAL),
    "norm2": Kind("layer norm", "B S D", ("post2", "norm"), _NORM),
    "final": Kind(
        "final layer norm",
        "B S D",
        ("final", "norm"),
        "A pre-norm stack ends with a norm of its own, since nothing else normalises its output.",
    ),
    "pooled": Kind(
        "mean of the tokens",
        "B D",
        ("pool.sum", "pool.mean"),
        "The real tokens' vectors are averaged, padding left out: one vector for each text.",
    ),
    "unit": Kind(
        "sentence vector",
        "B D",
        ("unit",),
        "Scaled to length 1, so that the product of two such vectors is their cosine.",
    ),
}

ATTENTION = (
    "project", "query", "key", "value", "query.heads", "key.heads", "value.heads", "scaled",
    "scores", "mask", "softmax", "weighted", "merge", "out",
)  # fmt: skip
NETWORK = ("linear1", "activation", "linear2")
POST = (*ATTENTION, "residual1", "norm1", *NETWORK, "residual2", "norm2")
PRE = ("norm1", *ATTENTION, "residual1", "norm2", *NETWORK, "residual2")
