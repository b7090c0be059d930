"""What there is in "digits", known without reading it. Standard library only."""

from __future__ import annotations

from course.datasets.dataset import Card

__all__ = ["CARD", "FORMS", "SIDE", "SPLITS"]

SIDE = 8  # pixels
SPLITS = ("writers", "random")

# Where each filled form begins in scikit-learn's file, and where the last one ends. Nothing in the file says so, but
# the labels do: the same 130 digits in the same order, fourteen times, but for a few that are missing.
FORMS = (0, 130, 256, 386, 516, 646, 776, 905, 1029, 1157, 1287, 1415, 1543, 1667, 1797)

CARD = Card(
    name="digits",
    about="Images of handwritten digits, 8 x 8 pixels in 17 shades of grey, 0 to 16.",
    origin="scikit-learn's load_digits: the test set of UCI's Optical Recognition of Handwritten Digits, by Alpaydin "
    'and Kaynak 1998, which 13 people wrote. split="writers" keeps each of its 14 filled forms in one split, '
    'split="random" does not, so that its test writers are known from training',
    licence="not stated in scikit-learn's description; scikit-learn itself is under the BSD 3-Clause License",
    examples=1797,
    size=57_523,
    classes=tuple("0123456789"),
)
