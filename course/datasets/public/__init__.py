"""Public data sets, fetched only when the learner asks for it.

Texts are Parquet files from the Hugging Face hub (`sources`, `fetch`, `parquet`, `load`); images and sounds are the
archives of their makers (`archives`, `download`, `photographs`, `human_digits`), shown by `showing`.
"""
