"""Cells that show every lab and question, for tests of what all of them keep."""

from __future__ import annotations

from course.content import questions

LABS = (
    "AttentionLab",
    "TokenizerLab",
    "EmbeddingLab",
    "PositionLab",
    "FeedForwardLab",
    "StackLab",
    "ShapeTracer",
)
_QUESTIONS = [questions.get(question_id) for question_id in questions.all_ids()]
QUIZ = next(question for question in _QUESTIONS if question.kind == "quiz")
PREDICTION = next(question for question in _QUESTIONS if question.kind == "predict")
IMPORTS = (
    "import torch\nimport encoder_core\n"
    "from course import check, compare, datasets, explain, hint, labs, predict, quiz"
)
QUESTIONS = (f"quiz({QUIZ.id!r})", f"predict({PREDICTION.id!r})")
LAB_NAMES = (
    "attention",
    "tokenizer",
    "embedding",
    "position",
    "feed-forward",
    "stack",
    "shapes",
    "decoding",
)
# The decoding lab needs a model; what an untrained one writes is good enough here.
DECODING = """torch.manual_seed(0)
labs.DecodingLab(encoder_core.EncoderDecoder(2000, 16, 2), datasets.tokenizer())"""
LAB_CELLS = (*(f"labs.{name}()" for name in LABS), DECODING)
