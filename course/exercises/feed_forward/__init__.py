"""Chapter 03: what the checker knows of the exercises on the feed-forward network, one a file."""

from course.exercises.feed_forward.count_parameters import COUNT_PARAMETERS
from course.exercises.feed_forward.dropout import DROPOUT
from course.exercises.feed_forward.ffn import FFN
from course.exercises.feed_forward.geglu import GEGLU
from course.exercises.feed_forward.gelu import GELU

EXERCISES = (FFN, COUNT_PARAMETERS, GELU, GEGLU, DROPOUT)
