"""Search in Python's own documentation, by meaning and offline.

    index = passages.load()                       embeds the passages once, then reads them from disk
    index.search("How do I copy a file?")         the passages that come closest
    passages.SearchBox(index)                     the same, as one types
    passages.read_folder("~/notes")               passages of your own files, for embed() and Index()
    passages.bm25(question, texts)                how well texts fit by their words alone
    passages.WordIndex(texts)                     the same with TF-IDF, fast enough to follow each key

What is searched is what is installed: the language reference that `help()` shows, and docstrings of
the standard library. The vectors are MiniLM's.
"""

from course.datasets.passages.box import SearchBox
from course.datasets.passages.by_words import WordIndex, bm25, counted_words
from course.datasets.passages.folder import FilePassage, Folder, read_folder
from course.datasets.passages.index import Found, Index, embed, load
from course.datasets.passages.passage import Passage

__all__ = [
    "FilePassage",
    "Folder",
    "Found",
    "Index",
    "Passage",
    "SearchBox",
    "WordIndex",
    "bm25",
    "counted_words",
    "embed",
    "load",
    "read_folder",
]
