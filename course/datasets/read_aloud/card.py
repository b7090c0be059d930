"""What there is in "read-aloud", known without reading it. Standard library only."""

from __future__ import annotations

from course.datasets.dataset import Card

__all__ = ["CARD", "RATE"]

RATE = 16_000  # samples a second

CARD = Card(
    name="read-aloud",
    about="Five sentences of Jane Austen's Sense and Sensibility, read aloud by a volunteer of LibriVox: a human voice "
    "to try a recogniser on, too little to train one.",
    origin="LibriVox, with transcripts, in Debian's package pocketsphinx-testdata; here with eight bits a sample",
    licence="the recordings are in the public domain, the package under BSD-2-Clause (read_aloud/LICENSE-BSD-2.txt)",
    examples=5,
    size=318_575,
)
