"""Pretraining at scale: `python -m encoder_core.pretrain`, from text files to a checkpoint that others can read."""
