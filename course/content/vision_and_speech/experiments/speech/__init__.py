"""The reader of spoken digits: its front end, its batches, its model and its recipe."""
