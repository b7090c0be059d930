"""Where the public sets are: repository, revision, and each file's size and SHA-256.

A revision of the hub never changes, so these are the same bytes for everyone.
"""

from __future__ import annotations

from dataclasses import dataclass

from course.datasets.dataset import Card

__all__ = ["SOURCES", "File", "Source"]


@dataclass(frozen=True)
class File:
    """A Parquet file in a repository of the hub."""

    path: str
    size: int  # bytes
    sha256: str


@dataclass(frozen=True)
class Source:
    """A public set: its files, and what their columns are called."""

    card: Card
    repository: str
    revision: str
    train: File
    test: File
    validation: File | None  # None: one training example in `HELD_OUT` is held out
    text: str = "text"
    label: str | None = "label"

    @property
    def files(self) -> dict[str, File]:
        """The files by their splits."""
        found = {"train": self.train, "validation": self.validation, "test": self.test}
        return {split: file for split, file in found.items() if file is not None}


AG_NEWS = Source(
    Card(
        name="ag_news",
        about="News of 2004 and 2005 with their topic, by Zhang, Zhao and LeCun 2015.",
        origin="the hub's fancyzhx/ag_news; validation is held out from training",
        licence="non-commercial use only, as its collectors ask",
        examples=127_600,
        size=18_585_438 + 1_234_829,
        classes=("World", "Sports", "Business", "Sci/Tech"),
        download=True,
    ),
    "fancyzhx/ag_news",
    "eb185aade064a813bc0b7f42de02595523103ca4",
    train=File(
        "data/train-00000-of-00001.parquet",
        18_585_438,
        "fc508d6d9868594e3da960a8cfeb63ab5a4746598b93428c224397080c1f52ee",
    ),
    test=File(
        "data/test-00000-of-00001.parquet",
        1_234_829,
        "71de87ec66bc5737752a2502204dfa6d7fe9856ade3ea444dc6317789a4f13fb",
    ),
    validation=None,
)

SST2 = Source(
    Card(
        name="sst2",
        about="Phrases and sentences of film reviews, negative or positive, by Socher et al. 2013.",
        origin="the hub's stanfordnlp/sst2; the labels of its test split are not public, so its "
        "validation split is the test here, and validation is held out from training",
        licence="not stated by its publishers",
        examples=67_349 + 872,
        size=3_110_458 + 72_813,
        classes=("negative", "positive"),
        download=True,
    ),
    "stanfordnlp/sst2",
    "8d51e7e4887a4caaa95b3fbebbf53c0490b58bbb",
    train=File(
        "data/train-00000-of-00001.parquet",
        3_110_458,
        "c7921283b75a42e685f50edecb96798607ea0fcbfd0739ee8975f22c12d55f09",
    ),
    test=File(
        "data/validation-00000-of-00001.parquet",
        72_813,
        "fb00fe008f6828f86ba2beda8415a4cf5da0c884f21c5f238c87131b5aa19529",
    ),
    validation=None,
    text="sentence",
)

IMDB = Source(
    Card(
        name="imdb",
        about="Film reviews, negative or positive, by Maas et al. 2011.",
        origin="the hub's stanfordnlp/imdb without its unlabelled part; validation is held out from "
        "training",
        licence="not stated by its publishers",
        examples=50_000,
        size=20_979_968 + 20_470_363,
        classes=("negative", "positive"),
        download=True,
    ),
    "stanfordnlp/imdb",
    "e6281661ce1c48d982bc483cf8a173c1bbeb5d31",
    train=File(
        "plain_text/train-00000-of-00001.parquet",
        20_979_968,
        "db47d16b5c297cc0dd625e519c81319c24c9149e70e8496de5475f6fa928342c",
    ),
    test=File(
        "plain_text/test-00000-of-00001.parquet",
        20_470_363,
        "b52e26e2f872d282ffac460bf9770b25ac6f102cda0e6ca7158df98c94e8b3da",
    ),
    validation=None,
)

WIKITEXT_2 = Source(
    Card(
        name="wikitext-2",
        about="Lines of Wikipedia's good and featured articles, by Merity et al. 2016; empty lines, "
        "which its examples count, are left out.",
        origin="the hub's Salesforce/wikitext, wikitext-2-raw-v1",
        licence="CC BY-SA 3.0 and GFDL",
        examples=44_836,
        size=6_357_543 + 657_209 + 732_610,
        download=True,
    ),
    "Salesforce/wikitext",
    "b08601e04326c79dfdd32d625aee71d232d685c3",
    train=File(
        "wikitext-2-raw-v1/train-00000-of-00001.parquet",
        6_357_543,
        "e83889baabc497075506f91975be5fac0d45c5290b6b20582c8cd1e853d0c9f7",
    ),
    test=File(
        "wikitext-2-raw-v1/test-00000-of-00001.parquet",
        732_610,
        "5f1bea067869d04849c0f975a2b29c4ff47d867f484f5010ea5e861eab246d91",
    ),
    validation=File(
        "wikitext-2-raw-v1/validation-00000-of-00001.parquet",
        657_209,
        "204929b7ff9d6184953f867dedb860e40aa69c078fc1e54b3baaa8fb28511c4c",
    ),
    label=None,
)

SOURCES = (AG_NEWS, SST2, IMDB, WIKITEXT_2)
