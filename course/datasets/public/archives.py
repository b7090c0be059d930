"""Public sets of images and sounds: the archives that their makers publish, with size and SHA-256.

An archive of WAV files or of plain bytes needs the standard library alone; the hub's copies of the same sets
are Parquet files whose images and sounds need Pillow and torchcodec.

Sizes and sums are those in the checksum files of TensorFlow Datasets (spoken_digit, cifar10, speech_commands). The
readers are tested on small archives of the same layout; they have not been run on the real ones.
"""

from __future__ import annotations

from dataclasses import dataclass

from course.datasets.dataset import Card
from course.datasets.spoken_digits.card import WORDS

__all__ = ["ARCHIVES", "CIFAR_10", "FREE_SPOKEN_DIGITS", "SPEECH_COMMANDS", "Archive"]


@dataclass(frozen=True)
class Archive:
    """A public set that is one compressed tar file."""

    card: Card
    url: str
    sha256: str

    @property
    def file(self) -> str:
        """The name of the file in the folder of downloads: that of the set, with the sum's beginning."""
        return f"{self.card.name}-{self.sha256[:8]}.tar.gz"


CIFAR_10 = Archive(
    Card(
        name="cifar-10",
        about="Colour photographs of ten kinds of things, 32 x 32 pixels, by Krizhevsky 2009.",
        origin="the binary version on www.cs.toronto.edu/~kriz/cifar.html (SHA-256 c4a38c50); 5,000 images held out "
        "of training are validation",
        licence="not stated by its publishers, who ask to be cited",
        examples=60_000,
        size=170_052_171,
        classes=(
            "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
        ),
        download=True,
    ),
    "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
)  # fmt: skip

FREE_SPOKEN_DIGITS = Archive(
    Card(
        name="free-spoken-digits",
        about="The ten English digits, each spoken 50 times by each of five people: the Free Spoken Digit Dataset, by "
        "Jackson et al. Its list of speakers says that all five are men, and that three speak with the accent of "
        "another language.",
        origin="github.com/Jakobovski/free-spoken-digit-dataset, release v1.0.9 (SHA-256 8bc44cde). "
        'split="takes" tests on takes 0 to 4, as its makers do, so that each speaker is known from training; '
        'split="speakers" keeps each speaker in one split',
        licence="CC BY-SA 4.0",
        examples=2_500,
        size=11_975_353,
        classes=WORDS,
        download=True,
    ),
    "https://github.com/Jakobovski/free-spoken-digit-dataset/archive/v1.0.9.tar.gz",
    "8bc44cde129d505cbbb6b365c09f80c663f2aa77578afc634e6141a2f87100c0",
)

SPEECH_COMMANDS = Archive(
    Card(
        name="speech-commands",
        about="The ten English digits out of the 35 words of Google's Speech Commands, by Warden 2018: a second each, "
        "recorded by thousands of people on their own machines.",
        origin="download.tensorflow.org, version 0.02 (SHA-256 af14739e), resampled from 16 to 8 kHz. Its own lists "
        "keep each speaker in one split",
        licence="CC BY 4.0",
        examples=38_908,
        size=2_428_923_189,
        classes=WORDS,
        download=True,
    ),
    "https://storage.googleapis.com/download.tensorflow.org/data/speech_commands_v0.02.tar.gz",
    "af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58",
)

ARCHIVES = (CIFAR_10, FREE_SPOKEN_DIGITS, SPEECH_COMMANDS)
