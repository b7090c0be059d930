"""Trainings that run beside the notebook: what is trained, the process it runs in, its moments, its cache.

session = Session(training)       # or train(training), which returns the result
session.start(); session.pause(); session.set_rate(1e-3); session.moments.model(300)
"""

from course.training.moments import Moments
from course.training.records import Record
from course.training.results import Trained
from course.training.session import Session
from course.training.settings import Settings
from course.training.task import Answer, HeadPicture, Training
from course.training.train import resumable, train

__all__ = [
    "Answer",
    "HeadPicture",
    "Moments",
    "Record",
    "Session",
    "Settings",
    "Trained",
    "Training",
    "resumable",
    "train",
]
