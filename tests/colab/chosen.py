"""Which chapters are run untouched under Colab's versions by day; at night all are."""

# The chapter that searches, one with many labs and figures, and one that trains: a few updates.
BY_DAY = ("00_start_here", "01_embeddings", "06_classification")
