"""Chapter 02: what the checker knows of the exercises on attention, one a file."""

from course.exercises.attention.causal_mask import CAUSAL_MASK
from course.exercises.attention.entropy import ENTROPY
from course.exercises.attention.merge_heads import MERGE_HEADS
from course.exercises.attention.multi_head import MULTI_HEAD
from course.exercises.attention.padding_mask import PADDING_MASK
from course.exercises.attention.scaled_dot_product import SCALED_DOT_PRODUCT
from course.exercises.attention.scores import SCORES
from course.exercises.attention.softmax import SOFTMAX
from course.exercises.attention.split_heads import SPLIT_HEADS

EXERCISES = (
    SOFTMAX,
    SCORES,
    CAUSAL_MASK,
    PADDING_MASK,
    SCALED_DOT_PRODUCT,
    SPLIT_HEADS,
    MERGE_HEADS,
    MULTI_HEAD,
    ENTROPY,
)
