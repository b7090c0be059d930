"""Chapter 01: what the checker knows of the exercises on embeddings, one a file."""

from course.exercises.embeddings.build_vocabulary import BUILD_VOCABULARY
from course.exercises.embeddings.cosine_similarity import COSINE_SIMILARITY
from course.exercises.embeddings.lookup import LOOKUP
from course.exercises.embeddings.pad_batch import PAD_BATCH
from course.exercises.embeddings.rotary import ROTARY
from course.exercises.embeddings.sinusoidal_positions import SINUSOIDAL_POSITIONS
from course.exercises.embeddings.wordpiece import WORDPIECE

EXERCISES = (
    BUILD_VOCABULARY,
    WORDPIECE,
    PAD_BATCH,
    LOOKUP,
    COSINE_SIMILARITY,
    SINUSOIDAL_POSITIONS,
    ROTARY,
)
