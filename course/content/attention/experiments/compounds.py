"""Does a model read the order of two words? A house boat is a boat, a boat house is a house.

Each of the thirty pairs has two compounds of the same two words, and for each compound a reading that
fits it and not the other. All pairs were written down before the first measurement, and none was left
out after it.
"""

from __future__ import annotations

import torch
from torch import Tensor

from course.system.threads import one_thread
from encoder_core import sentence_embedding

__all__ = ["PAIRS", "order_leads", "readings"]

# A compound and its reading, the other order and its reading.
PAIRS = (
    ("chocolate milk", "something to drink", "milk chocolate", "a sweet to eat"),
    ("house boat", "something that floats on water", "boat house", "a building"),
    ("race horse", "an animal", "horse race", "a sports event"),
    ("dog house", "a small building", "house dog", "a pet"),
    ("lamp oil", "a liquid fuel", "oil lamp", "a light"),
    ("school bus", "a vehicle", "bus school", "a place where one learns to drive"),
    ("pocket watch", "a clock", "watch pocket", "a part of a garment"),
    ("ring finger", "a part of the hand", "finger ring", "a piece of jewellery"),
    ("garden flower", "a plant", "flower garden", "a piece of land"),
    ("glass window", "an opening in a wall", "window glass", "a transparent material"),
    ("book shop", "a store", "shop book", "a text to read"),
    ("card game", "something to play", "game card", "a piece of cardboard"),
    ("paper bag", "a container to carry things", "bag paper", "a material made of wood"),
    ("soup bowl", "a dish to eat from", "bowl soup", "a meal"),
    ("fish market", "a place where things are sold", "market fish", "an animal that swims"),
    ("wine bottle", "a container", "bottle wine", "an alcoholic drink"),
    ("coffee cup", "a vessel", "cup coffee", "a hot drink"),
    ("tea leaf", "a part of a plant", "leaf tea", "a hot drink"),
    ("picture book", "something to read", "book picture", "an illustration"),
    ("sea salt", "a spice", "salt sea", "a body of water"),
    ("village church", "a building", "church village", "a small town"),
    ("cat food", "something to eat", "food cat", "an animal"),
    ("bird song", "a sound", "song bird", "an animal with wings"),
    ("air port", "a place where planes land", "port air", "wind at the harbour"),
    ("film music", "sounds", "music film", "a movie"),
    ("gold mine", "a hole in the ground", "mine gold", "a precious metal"),
    ("phone number", "digits", "number phone", "a device to talk with"),
    ("heart attack", "an illness", "attack heart", "an organ of the body"),
    ("computer game", "something to play", "game computer", "a machine"),
    ("guest house", "a building", "house guest", "a visitor"),
)


def readings() -> Tensor:
    """The vectors of the readings, (30, 2, D), by MiniLM with whatever is switched off in it now."""
    return _embedded([text for pair in PAIRS for text in pair[1::2]])


def order_leads(meant: Tensor) -> Tensor:
    """How much closer two compounds are to their own readings than to each other's, (30,).

    Each compound's similarity with its own reading less that with the other's, summed over both: 0 for
    a model that is blind to the order, since it gives both compounds one vector.

    Args:
        meant: the readings' vectors, (30, 2, D); see `readings`.
    """
    compound = _embedded([text for pair in PAIRS for text in pair[0::2]])  # (30, 2, D)
    fits = compound @ meant.mT  # (30, 2, D) @ (30, D, 2) -> (30, 2, 2)
    own, other = fits.diagonal(dim1=1, dim2=2), fits.flip(-1).diagonal(dim1=1, dim2=2)  # (30, 2)
    return (own - other).sum(dim=1)


def _embedded(texts: list[str]) -> Tensor:
    with torch.no_grad(), one_thread():
        vectors: Tensor = sentence_embedding(texts)
    return vectors.reshape(len(PAIRS), 2, -1)
