"""Chapter 04: what the checker knows of the exercises on stacking, one a file."""

from course.exercises.stacking.encoder_layer import ENCODER_LAYER
from course.exercises.stacking.get_clones import GET_CLONES
from course.exercises.stacking.layer_norm import LAYER_NORM
from course.exercises.stacking.repair import REPAIR
from course.exercises.stacking.residual import RESIDUAL
from course.exercises.stacking.token_similarity import TOKEN_SIMILARITY

EXERCISES = (LAYER_NORM, TOKEN_SIMILARITY, RESIDUAL, ENCODER_LAYER, GET_CLONES, REPAIR)
