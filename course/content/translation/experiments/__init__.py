"""What chapter 08 measures, where it is more than a few lines."""
