"""Cells that show every lab and question, for tests of what all of them keep."""

from __future__ import annotations

from course.content import questions
from tests.browser.toy_speech import SPEECH
from tests.browser.toy_training import CELL

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
    "from course import check, compare, datasets, explain, hint, labs, passages, predict, quiz"
)
SEARCH = """\
texts = ["Copy a file to another folder.", "Wait until a thread ends.", "Sort a list of numbers in place.",
         "Send a message over a socket.", "Remove a directory and all that is in it.", "Parse a date."]
shelf = [passages.Passage(f"note {i}", text) for i, text in enumerate(texts)]
labs.SearchLab(passages.Index(shelf, passages.embed(shelf, lambda *_: None)), name="six notes")"""
QUESTIONS = (f"quiz({QUIZ.id!r})", f"predict({PREDICTION.id!r})")
LAB_NAMES = (
    "attention",
    "tokenizer",
    "embedding",
    "position",
    "feed-forward",
    "stack",
    "shapes",
    "search",
    "decoding",
    "translation",
    "cost",
    "vision",
    "speech",
)
# The decoding lab needs a model; what an untrained one writes is good enough here.
DECODING = """torch.manual_seed(0)
labs.DecodingLab(encoder_core.EncoderDecoder(2000, 16, 2), datasets.tokenizer())"""
# So does the translation lab, and characters; it is told one answer.
TRANSLATION = """torch.manual_seed(0)
answers = {"Thursday, March 6, 1997": "1997年3月6日星期四"}
characters = encoder_core.CharacterTokenizer.from_texts(["Monday, October 12, 2020", *answers, *answers.values()])
translator = encoder_core.EncoderDecoder(len(characters), 16, 2).eval()
with torch.no_grad():
    translator.decoder.layers[1].multihead_attn.out_proj.weight.mul_(20)
labs.TranslationLab(translator, characters, answers=answers, language="zh")"""
# The cost lab is told what the machine can do, so that its picture is the same everywhere.
COST = """machine = encoder_core.Machine(5e10, 5e9, "A processor")
labs.CostLab({"float32": machine, "bfloat16": machine})"""
# And the vision lab: blots and strokes as its examples.
VISION = """torch.manual_seed(0)
places = torch.arange(64).reshape(1, 8, 8)
blots = (1.5 - ((places // 8 - torch.arange(1, 7)[:, None, None]).abs() + (places % 8 - 3.5).abs()) / 3).clamp(0, 1)
labs.VisionLab(encoder_core.VisionTransformer(8, 2, 10, 16, 2, channels=1), blots, labels=range(6))"""
LAB_CELLS = (
    *(f"labs.{name}()" for name in LABS),
    SEARCH,
    DECODING,
    TRANSLATION,
    COST,
    VISION,
    SPEECH,
)
# With the training theatre, which is driven rather than explored.
EVERY_NAME = (*LAB_NAMES, "theatre")
EVERY_CELL = (*LAB_CELLS, CELL)
