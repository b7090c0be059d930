"""Runs a learner's code where it can do no harm: time limits, a child process, settings put back."""
